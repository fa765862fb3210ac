// From words to judgments: the cloze ensemble against sums in double precision, and what happens to unknown
// words.
#include "core/constitution/elicitation.h"
#include "core/constitution/study_examples.h"
#include "core/data/capture.h"
#include "core/model/language_model.h"
#include "tests/support/fake_model.h"
#include "tests/support/geometry_support.h"
#include "tests/support/small_study.h"

#include <numeric>
#include <set>

using namespace lodestone;
using namespace lodestone::constitution;
using namespace lodestone::testing;

namespace {

using Words = std::vector<std::string>;

Principle principleOf(const Words& positive, const Words& negative)
{
    Principle principle;
    principle.id = "p";
    principle.name = "The principle";
    principle.text = "Be so.";
    principle.positive = positive;
    principle.negative = negative;
    return principle;
}

const ScratchStudy& sharedStudy()
{
    static const ScratchStudy study;
    return study;
}

/// Mean over the suffixes of log sum exp(positive logits) - log sum exp(negative logits), from the stored
/// float32 numbers in double, without the largest logit taken out first.
Eigen::VectorXd
expectedJudgment(const SmallStudy& truth, const Words& positive, const Words& negative, int suffix = -1)
{
    const auto sumOf = [&](const Words& words, const Eigen::MatrixXd& states) {
        Eigen::VectorXd sum = Eigen::VectorXd::Zero(states.rows());
        for (const std::string& word : words) {
            const auto row = std::find(truth.words.begin(), truth.words.end(), word) - truth.words.begin();
            sum += (states * truth.wordRows.row(row).transpose()).array().exp().matrix();
        }
        return Eigen::VectorXd(sum.array().log());
    };
    Eigen::VectorXd total = Eigen::VectorXd::Zero(truth.rows.rows());
    for (std::size_t s = 0; s < truth.clozeStates.size(); ++s)
        if (suffix < 0 || suffix == static_cast<int>(s))
            total += (sumOf(positive, truth.clozeStates[s]) - sumOf(negative, truth.clozeStates[s]))
                / (suffix < 0 ? static_cast<double>(truth.clozeStates.size()) : 1.0);
    return total;
}

double correlation(const Eigen::VectorXd& a, const Eigen::VectorXd& b)
{
    const Eigen::VectorXd x = a.array() - a.mean(), y = b.array() - b.mean();
    return x.dot(y) / (x.norm() * y.norm());
}

} // namespace

class TestElicitation : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void clozeEqualsSumsInDouble()
    {
        const auto cloze = ClozeElicitation::open(*sharedStudy().study);
        VERIFY_OK(cloze);
        QCOMPARE((*cloze)->responses(), sharedStudy().truth.set.responses.size());
        QCOMPARE((*cloze)->suffixes().size(), std::size_t(2));
        for (const auto& [positive, negative] :
             { std::pair(Words{ "kind", "polite", "caring" }, Words{ "rude", "cruel", "hurtful" }),
               std::pair(Words{ "honest" }, Words{ "dishonest", "false" }),
               std::pair(Words{ "good" }, Words{ "bad" }) }) {
            const auto judged = (*cloze)->judge(principleOf(positive, negative));
            VERIFY_OK(judged);
            QVERIFY(judged->unknown.empty());
            const Eigen::VectorXd expected = expectedJudgment(sharedStudy().truth, positive, negative);
            COMPARE_NEAR(distance(judged->scores, expected), 0.0, 2e-5);
            QCOMPARE(judged->perSuffix.cols(), Eigen::Index(2));
            for (int s = 0; s < 2; ++s)
                COMPARE_NEAR(
                    distance(
                        judged->perSuffix.col(s),
                        expectedJudgment(sharedStudy().truth, positive, negative, s)),
                    0.0, 2e-5);
        }
    }

    void clozeFollowsThePlantedDirection()
    {
        const auto cloze = ClozeElicitation::open(*sharedStudy().study);
        VERIFY_OK(cloze);
        const SmallStudy& truth = sharedStudy().truth;
        const auto judged
            = (*cloze)->judge(principleOf({ "kind", "polite", "caring" }, { "rude", "cruel", "hurtful" }));
        VERIFY_OK(judged);
        QVERIFY(correlation(judged->scores, truth.rows * truth.kind) > 0.98);
        // Turned poles are turned judgments.
        const auto turned
            = (*cloze)->judge(principleOf({ "rude", "cruel", "hurtful" }, { "kind", "polite", "caring" }));
        VERIFY_OK(turned);
        COMPARE_NEAR(distance(judged->scores, -turned->scores), 0.0, 1e-12);
    }

    void largeLogitsDoNotOverflow()
    {
        // States 1,000 times larger: exp of the logits is infinite, their log-odds are not.
        const ScratchStudy study;
        const auto path = study.scratch / "judgments/cloze-overall.npy";
        const formats::RowMatrix large = (study.truth.clozeStates[1] * 1000).cast<float>();
        VERIFY_OK(formats::writeNpy(path, large));
        const auto opened = data::Study::open(study.scratch.path());
        VERIFY_OK(opened);
        const auto cloze = ClozeElicitation::open(**opened);
        VERIFY_OK(cloze);
        const auto judged = (*cloze)->judge(principleOf({ "good" }, { "bad" }));
        VERIFY_OK(judged);
        const Eigen::VectorXd expected = 1000 * expectedJudgment(study.truth, { "good" }, { "bad" }, 1);
        QVERIFY(expected.cwiseAbs().maxCoeff() > 1000);
        COMPARE_NEAR(distance(judged->perSuffix.col(1), expected), 0.0, 2e-2);
    }

    void unknownWordsAreReportedAndLeftOut()
    {
        const auto cloze = ClozeElicitation::open(*sharedStudy().study);
        VERIFY_OK(cloze);
        QVERIFY((*cloze)->knows("kind"));
        QVERIFY(!(*cloze)->knows("sincere") && !(*cloze)->knows(""));
        const auto judged
            = (*cloze)->judge(principleOf({ "honest", "sincere", "truthful" }, { "misleading", "false" }));
        VERIFY_OK(judged);
        QCOMPARE(judged->unknown, (Words{ "sincere", "misleading" }));
        COMPARE_NEAR(
            distance(
                judged->scores, expectedJudgment(sharedStudy().truth, { "honest", "truthful" }, { "false" })),
            0.0, 2e-5);
    }

    void aPoleWithoutAKnownWordIsAnError()
    {
        const auto cloze = ClozeElicitation::open(*sharedStudy().study);
        VERIFY_OK(cloze);
        VERIFY_FAILS(
            (*cloze)->judge(principleOf({ "zyx", "qqq" }, { "xyz" })), "The principle", "zyx", "xyz");
        VERIFY_FAILS(
            (*cloze)->judge(principleOf({ "kind" }, { "xyz" })), "The principle, negative pole", "xyz");
        VERIFY_FAILS(
            (*cloze)->judge(principleOf({ "zyx" }, { "rude" })), "The principle, positive pole", "zyx");
        VERIFY_FAILS(
            (*cloze)->judge(principleOf({}, { "rude" })), "The principle", "no word for the positive pole");
        VERIFY_FAILS(
            (*cloze)->judge(principleOf({ "kind" }, { "kind", "rude" })), "'kind' stands in both poles");
    }

    void aStudyWithoutClozeStates()
    {
        const ScratchStudy study;
        nlohmann::json manifest = nlohmann::json::parse(bytesOf(study.scratch / "study.json"));
        manifest.erase("cloze");
        study.scratch.write("study.json", manifest.dump());
        const auto opened = data::Study::open(study.scratch.path());
        VERIFY_OK(opened);
        VERIFY_FAILS(ClozeElicitation::open(**opened), "cloze states");
    }

    void completionsInTableOrder()
    {
        const auto cloze = ClozeElicitation::open(*sharedStudy().study);
        VERIFY_OK(cloze);
        QCOMPARE((*cloze)->completions("c", 10), (Words{ "caring", "cruel" }));
        QCOMPARE((*cloze)->completions("h", 2), (Words{ "hurtful", "honest" }));
        QCOMPARE((*cloze)->completions("h", 1), (Words{ "hurtful" }));
        QCOMPARE((*cloze)->completions("", 100).size(), sharedStudy().truth.words.size());
        QVERIFY((*cloze)->completions("zz", 10).empty());
        QVERIFY((*cloze)->completions("kindest", 10).empty());
    }

    void wordsForAResponse()
    {
        const auto cloze = ClozeElicitation::open(*sharedStudy().study);
        VERIFY_OK(cloze);
        const SmallStudy& truth = sharedStudy().truth;
        for (const int response : { 0, 37, static_cast<int>(truth.rows.rows()) - 1 }) {
            // Mean over the suffixes of the log softmax among the table's words.
            Eigen::VectorXd expected = Eigen::VectorXd::Zero(static_cast<Eigen::Index>(truth.words.size()));
            for (const Eigen::MatrixXd& states : truth.clozeStates) {
                const Eigen::VectorXd logits = truth.wordRows * states.row(response).transpose();
                expected.array() += (logits.array() - std::log(logits.array().exp().sum())) / 2;
            }
            const auto all = (*cloze)->wordsFor(response, 100);
            QCOMPARE(all.size(), truth.words.size());
            std::set<std::string> distinct;
            for (std::size_t i = 0; i < all.size(); ++i) {
                const auto row
                    = std::find(truth.words.begin(), truth.words.end(), all[i].first) - truth.words.begin();
                COMPARE_NEAR(all[i].second, expected[row], 1e-5);
                QVERIFY(i == 0 || all[i - 1].second >= all[i].second);
                distinct.insert(all[i].first);
            }
            QCOMPARE(distinct.size(), truth.words.size());
            const auto few = (*cloze)->wordsFor(response, 3);
            QCOMPARE(few.size(), std::size_t(3));
            QCOMPARE(few[0].first, all[0].first);
        }
    }

    void wordsThatAModelSupplies()
    {
        const auto cloze = ClozeElicitation::open(*sharedStudy().study);
        VERIFY_OK(cloze);
        const FakeModel model(3, 12); // knows " helpful" and " safe" as one token each
        Words unknown;
        const auto extended = (*cloze)->withWords(model, { "helpful", "safe" }, unknown);
        VERIFY_OK(extended);
        QVERIFY(unknown.empty());
        QVERIFY((*extended)->knows("helpful") && (*extended)->knows("safe") && (*extended)->knows("kind"));
        QVERIFY(!(*cloze)->knows("helpful")); // the first is as it was
        const auto judged = (*extended)->judge(principleOf({ "helpful", "kind" }, { "safe" }));
        VERIFY_OK(judged);
        const SmallStudy& truth = sharedStudy().truth;
        const auto tokenOf
            = [&](const char* word) { return model.tokenizer().encode(word, text::Special::Plain).at(0); };
        const Eigen::VectorXd helpful
            = model.unembeddingRow(tokenOf(" helpful")).cast<float>().cast<double>();
        const Eigen::VectorXd safe = model.unembeddingRow(tokenOf(" safe")).cast<float>().cast<double>();
        const auto kindRow = std::find(truth.words.begin(), truth.words.end(), "kind") - truth.words.begin();
        Eigen::VectorXd expected = Eigen::VectorXd::Zero(truth.rows.rows());
        for (const Eigen::MatrixXd& states : truth.clozeStates) {
            const Eigen::ArrayXd sum = (states * helpful).array().exp()
                + (states * truth.wordRows.row(kindRow).transpose()).array().exp();
            expected += ((sum.log() - (states * safe).array()) / 2).matrix();
        }
        COMPARE_NEAR(distance(judged->scores, expected), 0.0, 5e-5);
    }

    void aWordAskedForTwiceIsOneWord()
    {
        // Two principles may name the same word; it must not compete with itself for its token.
        const auto cloze = ClozeElicitation::open(*sharedStudy().study);
        VERIFY_OK(cloze);
        const FakeModel model(3, 12);
        Words unknown;
        const auto extended = (*cloze)->withWords(model, { "helpful", "safe", "helpful" }, unknown);
        VERIFY_OK(extended);
        QVERIFY(unknown.empty());
        QVERIFY((*extended)->knows("helpful"));
    }

    void wordsOfSharedFirstTokensAreUnknown()
    {
        const auto cloze = ClozeElicitation::open(*sharedStudy().study);
        VERIFY_OK(cloze);
        const FakeModel model(3, 12);
        Words unknown;
        // "kindly" begins with the token of "kind", which the table knows; "zap" and "zip" both begin with a
        // blank.
        const auto extended = (*cloze)->withWords(model, { "kindly", "zap", "zip", "safe" }, unknown);
        VERIFY_OK(extended);
        std::sort(unknown.begin(), unknown.end());
        QCOMPARE(unknown, (Words{ "kindly", "zap", "zip" }));
        QVERIFY((*extended)->knows("safe") && !(*extended)->knows("kindly") && !(*extended)->knows("zap"));
    }

    void wordsOfSeveralTokensAreContinued()
    {
        const ScratchStudy study({ 12, 6, 2, 3 });
        FakeModel model(3, 12);
        const auto cloze = ClozeElicitation::open(*study.study);
        VERIFY_OK(cloze);
        // "kindly" begins with the table's "kind", "zap" and "zip" with the same blank: no first token is
        // theirs alone. "safe" is one token.
        const Principle principle = principleOf({ "kindly", "zap" }, { "zip", "safe" });
        QCOMPARE((*cloze)->wordsToAsk(principle), (Words{ "kindly", "zap", "zip", "safe" }));
        int partial = 0;
        const auto extended = (*cloze)->withAllWords(
            model, *study.study, { principle }, {},
            [&](const std::shared_ptr<ClozeElicitation>&) { ++partial; });
        VERIFY_OK(extended);
        QVERIFY(partial >= 1); // what one token settles comes first
        QVERIFY((*extended)->wordsToAsk(principle).empty());
        QVERIFY((*extended)->knowledgeOf(principle) != (*cloze)->knowledgeOf(principle));
        const auto judged = (*extended)->judge(principle);
        VERIFY_OK(judged);
        QVERIFY(judged->unknown.empty() && judged->scores.allFinite());
        // Independently: each word's first logit on the stored state, and the rest read in one piece.
        const auto& set = study.study->set();
        const auto encode
            = [&](const std::string& text) { return model.tokenizer().encode(text, text::Special::Plain); };
        for (const int row : { 0, 7, 17 })
            for (std::size_t s = 0; s < (*cloze)->suffixes().size(); ++s) {
                const auto logit = [&](const std::string& word) {
                    const auto tokens = encode(" " + word);
                    double sum = study.truth.clozeStates[s].row(row).dot(model.unembeddingRow(tokens[0]));
                    if (tokens.size() > 1) {
                        model::Request request;
                        request.tokens = data::promptTokens(
                            model, set, set.responses[static_cast<std::size_t>(row)].prompt);
                        for (const auto& part :
                             { data::responseTokens(model, set, row),
                               data::suffixTokens(model, (*cloze)->suffixes()[s], set.kind), tokens })
                            request.tokens.insert(request.tokens.end(), part.begin(), part.end());
                        request.scored = { static_cast<int>(request.tokens.size() - tokens.size() + 1),
                                           static_cast<int>(request.tokens.size()) };
                        const auto reading = model.read({ &request, 1 }, {}, {});
                        for (const float one : reading.value()[0].logProbabilities)
                            sum += one;
                    }
                    return sum;
                };
                const auto pole = [&](const std::string& a, const std::string& b) {
                    return std::log(std::exp(logit(a)) + std::exp(logit(b)));
                };
                COMPARE_NEAR(
                    judged->perSuffix(row, static_cast<Eigen::Index>(s)),
                    pole("kindly", "zap") - pole("zip", "safe"), 1e-3);
            }
        // Alone among the words of its own principle, "zap" counts by its first token.
        const Principle single = principleOf({ "zap" }, { "rude" });
        QVERIFY((*extended)->wordsToAsk(single).empty());
        const auto first = (*extended)->judge(single);
        VERIFY_OK(first);
        const auto rude = std::find(study.truth.words.begin(), study.truth.words.end(), "rude")
            - study.truth.words.begin();
        const double expected = study.truth.clozeStates[0].row(3).dot(
            model.unembeddingRow(encode(" zap")[0])
            - Eigen::VectorXd(study.truth.wordRows.row(rude).transpose()));
        COMPARE_NEAR(first->perSuffix(3, 0), expected, 1e-4);
        // Another model cannot continue this study.
        FakeModel other(3, 12);
        other.setSha256(std::string(64, 'b'));
        VERIFY_FAILS(
            (*cloze)->withAllWords(other, *study.study, { principle }), "The principle",
            "the model that read");
    }

    void conditionedClozeReadsTheText()
    {
        const ScratchStudy study({ 12, 6, 2, 3 });
        FakeModel model(3, 12);
        // The fake's memory fades; here every token read counts the same.
        model.change = [](Eigen::VectorXd& state, const FakeModel::Tokens& tokens, int last, int) {
            state[0] += std::sin(
                static_cast<double>(std::accumulate(tokens.begin(), tokens.begin() + last + 1, 0)));
        };
        const ConditionedCloze conditioned(study.study, model);
        QVERIFY(conditioned.needsModel());
        const Principle kind = principleOf({ "kind" }, { "rude" });
        const auto first = conditioned.judge(kind);
        VERIFY_OK(first);
        QCOMPARE(first->scores.size(), Eigen::Index(18));
        QVERIFY(first->scores.allFinite());
        // The fake model's answer depends on every token: another text, another answer; the same text, the
        // same.
        Principle other = kind;
        other.text = "Be otherwise.";
        QVERIFY(distance(conditioned.judge(other)->scores, first->scores) > 1e-6);
        QVERIFY(distance(conditioned.judge(kind)->scores, first->scores) == 0);
        // Independently, from the tokens that stand in the study's own order.
        const auto& set = study.study->set();
        for (const int row : { 0, 11, 17 }) {
            const auto& response = set.responses[static_cast<std::size_t>(row)];
            auto tokens = model.tokenizer().encode(
                model.chatTemplate().prompt(
                    set.prompts[static_cast<std::size_t>(response.prompt)].conversation),
                text::Special::Parse);
            for (const auto& part :
                 { model.tokenizer().encode(response.text, text::Special::Plain),
                   model.tokenizer().encode(
                       "\n\nPrinciple: Be so. Judged by this principle, in one word, this reply was",
                       text::Special::Parse) })
                tokens.insert(tokens.end(), part.begin(), part.end());
            const Eigen::VectorXd hidden = model.hidden(tokens, static_cast<int>(tokens.size()) - 1);
            const auto pole = [&](const Words& words) {
                double sum = 0;
                for (const std::string& word : words)
                    sum += std::exp(
                        model.unembeddingRow(model.tokenizer().encode(" " + word, text::Special::Plain).at(0))
                            .dot(hidden));
                return std::log(sum);
            };
            COMPARE_NEAR(
                first->scores[row], pole(verdictWords().positive) - pole(verdictWords().negative), 1e-4);
        }
    }

    void conditionedClozeRefusals()
    {
        const ScratchStudy study({ 12, 6, 2, 3 });
        FakeModel model(3, 12);
        const ConditionedCloze conditioned(study.study, model);
        Principle silent = principleOf({ "kind" }, { "rude" });
        silent.text = " \n";
        VERIFY_FAILS(conditioned.judge(silent), "The principle", "a text");
        Principle endless = silent;
        for (int i = 0; i < 400; ++i)
            endless.text += " entirely";
        VERIFY_FAILS(conditioned.judge(endless), "tokens");
        std::stop_source stop;
        stop.request_stop();
        const auto stopped
            = conditioned.judge(principleOf({ "kind" }, { "rude" }), Work{ stop.get_token(), {} });
        QVERIFY(!stopped && stopped.error().kind == ErrorKind::Cancelled);
        model.setSha256(std::string(64, 'b'));
        VERIFY_FAILS(conditioned.judge(principleOf({ "kind" }, { "rude" })), "planted");
    }

    void partialJudgmentsGrow()
    {
        const ScratchStudy study({ 12, 40, 0, 3 });
        FakeModel model(3, 12);
        const ConditionedCloze conditioned(study.study, model);
        std::vector<Eigen::VectorXd> parts;
        const auto whole
            = conditioned.judge(principleOf({ "kind" }, { "rude" }), {}, [&](const Judged& judged) {
                  parts.push_back(judged.scores);
              });
        VERIFY_OK(whole);
        QVERIFY(!parts.empty());
        Eigen::Index before = 0;
        for (const Eigen::VectorXd& part : parts) {
            const Eigen::Index judged = part.array().isFinite().count();
            QVERIFY(judged >= 32 && judged > before && judged < 80);
            before = judged;
            for (Eigen::Index i = 0; i < part.size(); ++i)
                QVERIFY(!std::isfinite(part[i]) || part[i] == whole->scores[i]);
        }
        // The first 32 are spread over all 80 responses: none of ten stretches of eight is empty.
        for (int stretch = 0; stretch < 10; ++stretch)
            QVERIFY(parts.front().segment(8 * stretch, 8).array().isFinite().any());
    }

    void spreadOrderIsASpreadPermutation_data()
    {
        QTest::addColumn<int>("n");
        for (const int n : { 0, 1, 2, 3, 7, 8, 33, 100, 1000 })
            QTest::addRow("%d", n) << n;
    }
    void spreadOrderIsASpreadPermutation()
    {
        QFETCH(int, n);
        const std::vector<int> order = spreadOrder(n);
        std::vector<int> sorted = order, expected(static_cast<std::size_t>(n));
        std::sort(sorted.begin(), sorted.end());
        std::iota(expected.begin(), expected.end(), 0);
        QCOMPARE(sorted, expected);
        // Every prefix: no gap is longer than twice what the next power of two below would leave over 2^bits
        // places.
        int places = 1;
        while (places < n)
            places *= 2;
        std::set<int> taken{ -1, n };
        for (std::size_t i = 0; i < order.size(); ++i) {
            taken.insert(order[i]);
            int longest = 0;
            for (auto at = std::next(taken.begin()); at != taken.end(); ++at)
                longest = std::max(longest, *at - *std::prev(at));
            int power = 1;
            while (2 * power <= static_cast<int>(i) + 1)
                power *= 2;
            QVERIFY2(
                longest <= 2 * (places / power),
                qPrintable(QStringLiteral("prefix %1: a gap of %2").arg(i + 1).arg(longest)));
        }
    }

    void examplesAreSplitByPrompt()
    {
        const data::ResponseSet& set = sharedStudy().study->set();
        const std::vector<bool> training = trainingRows(set, { 3, 0.6 });
        QVERIFY(training == trainingRows(set, { 3, 0.6 }));
        QVERIFY(training != trainingRows(set, { 4, 0.6 }));
        std::map<int, bool> sideOf;
        int count = 0;
        for (std::size_t i = 0; i < training.size(); ++i) {
            const auto [entry, first] = sideOf.emplace(set.groupOf(static_cast<int>(i)), training[i]);
            QCOMPARE(entry->second, bool(training[i]));
            count += first && training[i] ? 1 : 0;
        }
        QVERIFY(std::abs(count - 0.6 * 52) <= 1);
        const StudyExamples all = examplesOf(set, training, set.responses.size());
        QCOMPARE(all.training.size() + all.heldOut.size(), 40);
        for (const auto& pair : all.training.pairs)
            QVERIFY(
                training[static_cast<std::size_t>(pair.chosen)]
                && training[static_cast<std::size_t>(pair.rejected)]);
        const StudyExamples kind = examplesOf(set, training, set.responses.size(), "kind");
        QCOMPARE(kind.training.size() + kind.heldOut.size(), 20);
        // Strata: half of either side's pairs are about each value, to one prompt.
        QVERIFY(std::abs(2 * kind.heldOut.size() - all.heldOut.size()) <= 2);
        const StudyExamples few = examplesOf(set, training, 20);
        QCOMPARE(few.training.size() + few.heldOut.size(), 10);
        QCOMPARE(examplesOf(set, training, set.responses.size(), "punctual").training.size(), 0);
    }
};

QTEST_GUILESS_MAIN(TestElicitation)
#include "tst_elicitation.moc"
