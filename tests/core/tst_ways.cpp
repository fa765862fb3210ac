// The ways from words to directions: what is put to the model and what comes back, against the fake model's
// own function of the tokens; contrasts and evidence in closed form; the store of answers.
#include "core/constitution/asking.h"
#include "core/session/elicitation_bench.h"
#include "tests/support/fake_model.h"
#include "tests/support/geometry_support.h"
#include "tests/support/small_study.h"

#include <numeric>

using namespace lodestone;
using namespace lodestone::constitution;
using namespace lodestone::testing;

namespace {

using Tokens = FakeModel::Tokens;

Principle kindness()
{
    Principle principle;
    principle.id = principle.value = "kind";
    principle.name = "Be kind";
    principle.text = "Be kind to people.";
    principle.positive = { "kind", "caring" };
    principle.negative = { "cruel" };
    return principle;
}

/// Every token counts, so that each question has an answer of its own.
FakeModel attentiveModel()
{
    FakeModel model(3, 12);
    model.change = [](Eigen::VectorXd& state, const Tokens& tokens, int last, int row) {
        const double sum = std::accumulate(tokens.begin(), tokens.begin() + last + 1, 0);
        state[0] += std::sin(sum);
        state[1] += 0.5 * std::cos(sum * (row + 1));
    };
    return model;
}

Tokens encoded(const FakeModel& model, const std::string& text)
{
    return model.tokenizer().encode(text, text::Special::Parse);
}

Tokens
replyTokens(const FakeModel& model, const data::ResponseSet& set, int row, const std::string& request = {})
{
    const auto& response = set.responses[static_cast<std::size_t>(row)];
    auto conversation = set.prompts[static_cast<std::size_t>(response.prompt)].conversation;
    if (!request.empty())
        conversation.back().content += "\n\n" + request;
    Tokens tokens = encoded(model, model.chatTemplate().prompt(conversation));
    const Tokens own = model.tokenizer().encode(response.text, text::Special::Plain);
    tokens.insert(tokens.end(), own.begin(), own.end());
    return tokens;
}

WayContext contextOf(const ScratchStudy& study, model::LanguageModel* model)
{
    WayContext context;
    context.study = study.study;
    context.cloze = ClozeElicitation::open(*study.study).value();
    context.model = model;
    context.store
        = std::make_shared<AnswerStore>(study.study->model().sha256, study.study->set().responses.size());
    context.training = trainingRows(study.study->set(), study.study->split());
    return context;
}

/// A contrast whose two sides are base +- delta at every layer.
ContrastBuilder mirrored(const Eigen::VectorXf& delta, int items, double noise, Rng& rng)
{
    ContrastBuilder builder({ Layer::embedding(), Layer::blockOutput(0) });
    for (int i = 0; i < items; ++i) {
        formats::RowMatrix base(2, delta.size()), shift(2, delta.size());
        for (Eigen::Index k = 0; k < base.size(); ++k) {
            base.data()[k] = static_cast<float>(rng.normal());
            shift.data()[k] = static_cast<float>(noise * rng.normal());
        }
        shift.rowwise() += delta.transpose();
        builder.add(base + shift, base - shift, i % 2, base);
    }
    return builder;
}

} // namespace

class TestWays : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void namesAreKnown()
    {
        QVERIFY(allWays().size() >= 14);
        for (const WayInfo& way : allWays()) {
            QVERIFY(findWay(way.name) == &way);
            QVERIFY(wayNames().find(way.name) != std::string::npos);
        }
        const ScratchStudy study({ 12, 6, 2, 3 });
        const auto unknown = makeWay("telepathy", contextOf(study, nullptr));
        VERIFY_FAILS(unknown, "telepathy", "implicit-reward");
        QVERIFY(unknown.error().kind == ErrorKind::Usage);
    }

    void yesMinusNoForTheStatementMinusItsOpposite()
    {
        const ScratchStudy study({ 12, 6, 2, 3 });
        FakeModel model = attentiveModel();
        const auto judged = makeWay("yes-no", contextOf(study, &model)).value()->judge(kindness());
        VERIFY_OK(judged);
        QVERIFY(judged->scores.allFinite());
        const auto odds = [&](int row, const std::string& statement) {
            Tokens tokens = replyTokens(model, study.study->set(), row);
            const Tokens asked = encoded(
                model,
                "<|im_end|>\n<|im_start|>user\nIs this statement about the last reply true? \"" + statement
                    + "\" Answer yes or no.<|im_end|>\n<|im_start|>assistant\nAnswer:");
            tokens.insert(tokens.end(), asked.begin(), asked.end());
            const Eigen::VectorXd hidden = model.hidden(tokens, static_cast<int>(tokens.size()) - 1);
            // " Yes" and " No" both begin with the token of a blank here, which says nothing.
            return (model.unembeddingRow(encoded(model, " yes").at(0))
                    - model.unembeddingRow(encoded(model, " no").at(0)))
                .dot(hidden);
        };
        for (const int row : { 0, 5, 17 }) {
            COMPARE_NEAR(
                judged->scores[row],
                odds(row, "The reply is kind and caring.") - odds(row, "The reply is cruel."), 1e-4);
            COMPARE_NEAR(judged->positiveAlone[row], odds(row, "The reply is kind and caring."), 1e-4);
        }
        // The statement alone is the first of the two, from the same answers.
        const auto alone = makeWay("yes-no-statement", contextOf(study, &model)).value()->judge(kindness());
        VERIFY_OK(alone);
        COMPARE_NEAR(distance(alone->scores, judged->positiveAlone), 0.0, 1e-9);
    }

    void implicitRewardComparesTwoRequests()
    {
        const ScratchStudy study({ 12, 6, 2, 3 });
        FakeModel model = attentiveModel();
        const auto judged = makeWay("implicit-reward", contextOf(study, &model)).value()->judge(kindness());
        VERIFY_OK(judged);
        const auto total = [&](int row, const std::string& request) {
            const Tokens tokens = replyTokens(model, study.study->set(), row, request);
            const auto own
                = static_cast<int>(model.tokenizer()
                                       .encode(
                                           study.study->set().responses[static_cast<std::size_t>(row)].text,
                                           text::Special::Plain)
                                       .size());
            double sum = 0;
            for (int i = static_cast<int>(tokens.size()) - own; i < static_cast<int>(tokens.size()); ++i)
                sum += model.logProbabilitiesAfter(tokens, i - 1)[tokens[static_cast<std::size_t>(i)]];
            return sum;
        };
        for (const int row : { 1, 8 })
            COMPARE_NEAR(
                judged->scores[row],
                total(row, "Your reply must be kind and caring.") - total(row, "Your reply must be cruel."),
                2e-3);
    }

    void personaDifferenceIsTheMeanMove()
    {
        const ScratchStudy study({ 12, 6, 2, 3 });
        FakeModel model = attentiveModel();
        const WayContext context = contextOf(study, &model);
        const auto judged = makeWay("persona-difference", context).value()->judge(kindness());
        VERIFY_OK(judged);
        QVERIFY(judged->contrast && judged->scores.size() == 0);
        const auto mean = [&](int row, const std::string& request, int layer) {
            const Tokens tokens = replyTokens(model, study.study->set(), row, request);
            const auto own
                = static_cast<int>(model.tokenizer()
                                       .encode(
                                           study.study->set().responses[static_cast<std::size_t>(row)].text,
                                           text::Special::Plain)
                                       .size());
            Eigen::VectorXd sum = Eigen::VectorXd::Zero(12);
            for (int i = static_cast<int>(tokens.size()) - own; i < static_cast<int>(tokens.size()); ++i)
                sum += model.state(tokens, i, layer) / own;
            return sum;
        };
        Eigen::VectorXd expected = Eigen::VectorXd::Zero(12);
        int count = 0;
        for (int row = 0; row < static_cast<int>(context.training.size()); ++row)
            if (context.training[static_cast<std::size_t>(row)]) {
                expected += mean(row, "Your reply must be kind and caring.", 3)
                    - mean(row, "Your reply must be cruel.", 3);
                ++count;
            }
        QCOMPARE(judged->contrast->items, count);
        COMPARE_NEAR(
            distance(
                Eigen::VectorXd(judged->contrast->delta.row(3).transpose().cast<double>()), expected / count),
            0.0, 1e-4);
    }

    void latFindsWhatVariesAndTurnsItTowardsHigh()
    {
        const ScratchStudy study({ 12, 30, 0, 3 });
        FakeModel model(3, 12);
        // Each reply has one number (from its length); the state after the template moves along one direction
        // by it, and the odds of "high" fall with it.
        const auto planted = [&](std::size_t tokens) { return std::sin(static_cast<double>(tokens)); };
        const Eigen::VectorXd towards = (model.unembeddingRow(encoded(model, " low").at(0))
                                         - model.unembeddingRow(encoded(model, " high").at(0)))
                                            .normalized();
        model.change = [&](Eigen::VectorXd& state, const Tokens& tokens, int, int) {
            state = 0.02 * state + Eigen::VectorXd::Ones(12) + planted(tokens.size()) * towards;
        };
        const auto judged = makeWay("lat", contextOf(study, &model)).value()->judge(kindness());
        VERIFY_OK(judged);
        const Tokens question = encoded(
            model, "\n\nConsider how kind and caring the reply above is. On a scale from low to high, it is");
        Eigen::VectorXd expected(judged->scores.size());
        for (int row = 0; row < expected.size(); ++row)
            expected[row] = -planted(replyTokens(model, study.study->set(), row).size() + question.size());
        const Eigen::VectorXd a = judged->scores.array() - judged->scores.mean(),
                              b = expected.array() - expected.mean();
        QVERIFY(a.dot(b) / (a.norm() * b.norm()) > 0.99);
    }

    void everyWayAnswersAndNothingIsAskedTwice()
    {
        const ScratchStudy study({ 12, 8, 2, 3 });
        FakeModel model = attentiveModel();
        int calls = 0;
        model.beforeRead = [&](int) -> Result<void> {
            ++calls;
            return {};
        };
        const WayContext context = contextOf(study, &model);
        std::vector<std::string> ways;
        for (const WayInfo& way : allWays())
            if (way.needsModel)
                ways.push_back(way.name);
        const std::vector<Principle> principles{ kindness() };
        for (const std::string& way : ways)
            QVERIFY2(!isAnswered(way, principles, context), way.c_str());
        VERIFY_OK(askAhead(ways, principles, context));
        QVERIFY(calls > 0);
        calls = 0;
        for (const std::string& way : ways) {
            QVERIFY2(isAnswered(way, principles, context), way.c_str());
            const auto judged = makeWay(way, context).value()->judge(principles[0]);
            VERIFY_OK(judged);
            QVERIFY2(
                judged->contrast ? judged->contrast->delta.allFinite() : judged->scores.allFinite(),
                way.c_str());
            QVERIFY((findWay(way)->yields == Yields::Displacement) == (judged->contrast != nullptr));
        }
        QCOMPARE(calls, 0); // an edit undone is instant
        // Without a model the store still answers, and says so when it cannot.
        WayContext offline = context;
        offline.model = nullptr;
        VERIFY_OK(makeWay("caa", offline).value()->judge(principles[0]));
        Principle other = principles[0];
        other.positive = { "safe" };
        const auto missing = makeWay("yes-no", offline).value()->judge(other);
        VERIFY_FAILS(missing, "the model that read this study", "planted");
        QVERIFY(missing.error().kind == ErrorKind::MissingModel);
    }

    void paraphrasesAreAveraged()
    {
        const ScratchStudy study({ 12, 6, 0, 3 });
        FakeModel model = attentiveModel();
        WayContext context = contextOf(study, &model);
        context.paraphrases = 3;
        const auto judged = makeWay("yes-no-statement", context).value()->judge(kindness());
        VERIFY_OK(judged);
        QCOMPARE(judged->perSuffix.cols(), Eigen::Index(3));
        COMPARE_NEAR(distance(judged->scores, judged->perSuffix.rowwise().mean()), 0.0, 1e-12);
        QVERIFY(distance(judged->perSuffix.col(0), judged->perSuffix.col(2)) > 1e-6);
    }

    void badPrinciplesAreRefusedInPlainWords()
    {
        const ScratchStudy study({ 12, 6, 0, 3 });
        FakeModel model = attentiveModel();
        const WayContext context = contextOf(study, &model);
        Principle principle = kindness();
        principle.negative = { "kind" };
        VERIFY_FAILS(makeWay("yes-no", context).value()->judge(principle), "Be kind", "both poles");
        principle = kindness();
        principle.text = "  ";
        VERIFY_FAILS(makeWay("conditioned-cloze", context).value()->judge(principle), "a text");
        for (int i = 0; i < 10000; ++i)
            principle.text += "word ";
        VERIFY_FAILS(makeWay("conditioned-cloze", context).value()->judge(principle), "700 words");
        model.setSha256(std::string(64, 'b'));
        VERIFY_FAILS(makeWay("yes-no", context).value()->judge(kindness()), "planted", "--model");
        VERIFY_FAILS(makeWay("caa", context).value()->judge(kindness()), "planted");
    }

    void contrastInClosedForm()
    {
        Rng rng(3);
        Eigen::VectorXf delta(6);
        delta << 1, -2, 0.5, 0, 3, 1;
        const auto exact = mirrored(delta, 12, 0, rng).finish("mirrored");
        VERIFY_OK(exact);
        COMPARE_NEAR(distance(Eigen::VectorXf(exact->delta.row(1).transpose()), 2 * delta), 0.0, 1e-5);
        for (int layer = 0; layer < 2; ++layer) {
            // The same difference every time: it explains itself wholly, in any half and template.
            COMPARE_NEAR(exact->heldOutCorrelation[layer], 1.0, 1e-6);
            COMPARE_NEAR(exact->templateAgreement[layer], 1.0, 1e-6);
            COMPARE_NEAR(exact->poleSymmetry[layer], 1.0, 1e-6);
            COMPARE_NEAR(exact->shareOfVariance[layer], 1.0, 1e-6);
            // A random sign sum of n equal vectors has mean length about sqrt(2 n/pi) of one.
            COMPARE_NEAR(exact->normAgainstRandom[layer], 12 / std::sqrt(2 * 12 / M_PI), 1.5);
        }
        // Noise alone: nothing carries over to the other half.
        const auto noise = mirrored(Eigen::VectorXf::Zero(6), 400, 1, rng).finish("noise");
        VERIFY_OK(noise);
        QVERIFY(std::abs(noise->heldOutCorrelation[0]) < 0.2);
        QVERIFY(noise->normAgainstRandom[0] < 2);
    }

    void contrastsThatCannotBeAreRefused()
    {
        Rng rng(4);
        VERIFY_FAILS(
            mirrored(Eigen::VectorXf::Zero(4), 6, 0, rng).finish("the way"), "the way", "other words");
        VERIFY_FAILS(mirrored(Eigen::VectorXf::Ones(4), 1, 0, rng).finish("the way"), "two contrasts");
        ContrastBuilder broken = mirrored(Eigen::VectorXf::Ones(4), 4, 0, rng);
        formats::RowMatrix nan = formats::RowMatrix::Constant(2, 4, std::nanf(""));
        broken.add(nan, nan);
        VERIFY_FAILS(broken.finish("the way"), "NaN", "embedding");
    }

    void theStoreRemembers()
    {
        const ScratchFolder folder;
        Rng rng(5);
        const std::string sha(64, 'c');
        AnswerStore store(sha, 5);
        Eigen::VectorXf answer(5);
        answer << 1, -2.5f, std::nanf(""), 0, 3;
        const Question question{ "yes-no", "Answer:", "Is it \"kind\"?\nYes?", { "yes" }, { "no" } };
        Question other = question;
        other.positive = { "Yes" };
        store.put(question, answer);
        const Question persona{ "caa", {}, {}, { "kind" }, { "cruel" } };
        store.putContrast(persona, mirrored(Eigen::VectorXf::Ones(4), 6, 0.5, rng).finish("x").value());
        VERIFY_OK(store.save(folder.path()));
        const auto opened = AnswerStore::open(folder.path(), sha, 5);
        VERIFY_OK(opened);
        QCOMPARE(opened->size(), std::size_t(2));
        QVERIFY(!opened->find(other) && opened->find(question));
        QVERIFY(std::isnan((*opened->find(question))[2]));
        COMPARE_NEAR((*opened->find(question))[1], -2.5f, 0.0f);
        QVERIFY(isMissing(*opened, question, { 1, 2 }) && !isMissing(*opened, question, { 0, 1, 4 }));
        const Contrast& kept = *opened->findContrast(persona);
        QCOMPARE(kept.layers, store.findContrast(persona)->layers);
        COMPARE_NEAR(distance(kept.delta, store.findContrast(persona)->delta), 0.0f, 2e-3f);
        COMPARE_NEAR(
            distance(kept.heldOutCorrelation, store.findContrast(persona)->heldOutCorrelation), 0.0, 1e-4);
        // Answers of another model or of other replies are not taken for these.
        VERIFY_FAILS(AnswerStore::open(folder.path(), std::string(64, 'd'), 5), "model");
        VERIFY_FAILS(AnswerStore::open(folder.path(), sha, 6), "6 responses");
        folder.write("answers.json", "{\"format\": \"lodestone-answers\"}");
        VERIFY_FAILS(AnswerStore::open(folder.path(), sha, 5), "answers.json");
        VERIFY_OK(AnswerStore::open(folder / "nowhere", sha, 5));
    }

    void whatAStudyCannotAnswerDoesNotStopTheRest()
    {
        const auto study
            = data::Study::open(std::string(LODESTONE_SOURCE_DIR) + "/resources/samples/requests");
        VERIFY_OK(study);
        FakeModel model = attentiveModel();
        model.setSha256((*study)->model().sha256);
        WayContext context;
        context.study = *study;
        context.model = &model;
        context.store
            = std::make_shared<AnswerStore>((*study)->model().sha256, (*study)->set().responses.size());
        context.rows = { 0, 1, 60, 61 };
        const std::vector<std::string> ways{ "implicit-reward", "yes-no", "persona-difference" };
        const std::vector<Principle> principles{ kindness() };
        VERIFY_OK(askAhead(ways, principles, context)); // requests have no replies to read under a request
        QVERIFY(isAnswered("yes-no", principles, context));
        QVERIFY(!isAnswered("implicit-reward", principles, context));
        VERIFY_FAILS(makeWay("implicit-reward", context).value()->judge(kindness()), "study of replies");
    }

    void theBenchFindsThePlantedValue()
    {
        const ScratchStudy study({ 12, 120, 4, 4, 0.3, 0.2 });
        const auto foundation = session::Foundation::open(study.study);
        VERIFY_OK(foundation);
        const WayContext context = contextOf(study, nullptr);
        Principle wrong = kindness();
        wrong.name = "turned";
        wrong.positive = { "rude" };
        wrong.negative = { "kind" };
        Principle right = kindness();
        right.positive = { "kind", "polite" };
        right.negative = { "rude", "cruel" };
        session::BenchOptions options;
        options.ways = { "cloze", "cloze-one-word", "cloze-overall", "yes-no" };
        options.randomWords = 60;
        const auto bench = session::runBench(**foundation, { right, wrong }, context, options);
        VERIFY_OK(bench);
        // yes-no has no answers and no model: a problem per principle, no row.
        QCOMPARE(bench->direct.size(), std::size_t(8));
        QCOMPARE(bench->rows.size(), std::size_t(2 * 3 * 4)); // four layers
        int problems = 0;
        for (const session::BenchDirect& direct : bench->direct)
            problems += direct.problem.empty() ? 0 : 1;
        QCOMPARE(problems, 2);
        for (const session::BenchDirect& direct : bench->direct)
            QVERIFY(direct.unknown.empty());
        // A word outside the table counts for nothing without a model, and is named.
        Principle rare = right;
        rare.positive.push_back("sincere");
        const auto less = session::runBench(**foundation, { rare }, context, options);
        VERIFY_OK(less);
        QCOMPARE(less->direct[0].unknown, std::vector<std::string>{ "sincere" });
        COMPARE_NEAR(less->direct[0].score.accuracy.value, bench->direct[0].score.accuracy.value, 1e-12);
        for (const session::BenchBest& best : bench->best) {
            const session::BenchRow& row = bench->rows[static_cast<std::size_t>(best.byEvidence)];
            QVERIFY(!row.layer.isEmbedding());
            QVERIFY(row.evidence.combined() > 0.6 && row.evidence.combined() <= 1);
            // The planted judgments follow kindness, with which people's labels agree.
            if (best.principle == 0)
                QVERIFY(row.heldOut.accuracy.value > 0.65);
            else
                QVERIFY(row.heldOut.accuracy.value < 0.35);
        }
        for (const session::BenchRow& row : bench->rows)
            if (row.layer == SmallStudy::top()) {
                QVERIFY(row.evidence.heldOutLinearity > 0.8);
                QVERIFY(row.evidence.normAgainstRandom > 1.2);
                QVERIFY(row.evidence.shareOfVariance > 0 && row.evidence.shareOfVariance < 1);
                QVERIFY(row.evidence.lengthIndependence > 0.6);
            }
        QVERIFY(bench->people[0].accuracy.value > 0.7);
        // Random words: their signs are as drawn, so that they lie about one half; and a range, not a point.
        QCOMPARE(bench->randomWords.size(), std::size_t(2 * 4));
        for (const session::WordsByChance& chance : bench->randomWords)
            if (chance.layer == SmallStudy::top()) {
                QVERIFY(chance.low < chance.mean && chance.mean < chance.high);
                QVERIFY2(std::abs(chance.mean - 0.5) < 0.1, qPrintable(QString::number(chance.mean)));
                QVERIFY(chance.high > 0.55 && chance.high < 0.9);
            }
    }

    void aDisplacementBecomesItsReadOut()
    {
        // Sigma w is what read-out w steers along, so its displacement gives w back.
        Rng rng(8);
        const geometry::Rows rows = gaussianRows(400, 5, rng);
        const auto sigma = geometry::Covariance::fromRows(rows);
        VERIFY_OK(sigma);
        const Eigen::VectorXd w = gaussianVector(5, rng);
        Contrast contrast;
        contrast.layers = { Layer::blockOutput(1) };
        contrast.delta = sigma->apply(w).transpose().cast<float>();
        const auto found = session::readOutOf(contrast, Layer::blockOutput(1), *sigma);
        VERIFY_OK(found);
        COMPARE_NEAR(distance(found->weights, w), 0.0, 1e-5);
        VERIFY_FAILS(session::readOutOf(contrast, Layer::blockOutput(2), *sigma), "block 2 output");
    }
};

QTEST_GUILESS_MAIN(TestWays)
#include "tst_ways.moc"
