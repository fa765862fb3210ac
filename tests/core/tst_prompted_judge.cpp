// The prompted judge: both orders against the fake model's own probabilities, the position bias of T29 in
// closed form, and ratings as expectations.
#include "core/constitution/study_examples.h"
#include "core/data/capture.h"
#include "core/judgment/prompted_judge.h"
#include "tests/support/fake_model.h"
#include "tests/support/geometry_support.h"
#include "tests/support/small_study.h"

#include <numeric>

using namespace lodestone;
using namespace lodestone::judgment;
using namespace lodestone::testing;

namespace {

using Tokens = FakeModel::Tokens;

constitution::Constitution kindConstitution()
{
    constitution::Constitution result;
    result.name = "Kind";
    result.principles = constitution::constitutionForValues({ "kind" }).principles;
    return result;
}

FakeModel attentiveModel()
{
    FakeModel model(3, 12);
    model.changeConfig().context = 8192;
    model.change = [](Eigen::VectorXd& state, const Tokens& tokens, int last, int) {
        const double sum = std::accumulate(tokens.begin(), tokens.begin() + last + 1, 0);
        state[0] += std::sin(sum);
        state[3] += std::cos(0.3 * sum);
    };
    return model;
}

double logistic(double x) { return 1 / (1 + std::exp(-x)); }

} // namespace

class TestPromptedJudge : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void positionBiasInClosedForm()
    {
        // T29: u ~ N(0, 1) and b = .5 give the same position in 38.2925 % of the pairs; averaging both orders
        // leaves the sign of u.
        Rng rng(11);
        std::vector<PromptedPair> pairs;
        std::vector<int> groups;
        double right = 0;
        constexpr int n = 40000;
        for (int i = 0; i < n; ++i) {
            const double u = 0.4 + rng.normal(); // the judge is better than chance
            pairs.push_back({ i, u + 0.5, -u + 0.5 });
            groups.push_back(i % 200);
            right += u > 0 ? 1 : 0;
        }
        const PromptedJudgments result = summarise(pairs, groups, 0);
        COMPARE_NEAR(result.bias.bias, 0.5, 1e-9);
        COMPARE_NEAR(result.bias.deviation, std::sqrt(1 + 0.16), 0.01);
        COMPARE_NEAR(result.agreement.value, right / n, 1e-9);
        // Same position: |u| < 1/2.
        const auto phi = [](double x) { return std::erfc(-x / std::sqrt(2.0)) / 2; };
        COMPARE_NEAR(result.bias.samePosition.value, phi(0.1) - phi(-0.9), 0.01);
        COMPARE_NEAR(result.bias.firstAmongSame, 1.0, 1e-12);
        QVERIFY(result.oneOrder.value < result.agreement.value);
        // A judge of no preference and no bias: b/s as published for 18 % (T29) gives 18 %.
        pairs.clear();
        for (int i = 0; i < n; ++i) {
            const double u = rng.normal();
            pairs.push_back({ i, u - 0.2275, -u - 0.2275 });
        }
        const PromptedJudgments biased = summarise(pairs, groups, 0);
        COMPARE_NEAR(biased.bias.samePositionImplied, 0.18, 0.003);
        COMPARE_NEAR(biased.bias.samePosition.value, 0.18, 0.01);
        COMPARE_NEAR(biased.bias.firstAmongSame, 0.0, 1e-12); // it prefers the second
        QVERIFY(summarise({}, {}, 0).pairs.empty());
    }

    void bothOrdersAsTheModelSaysThem()
    {
        const ScratchStudy study({ 12, 6, 0, 3 });
        FakeModel model = attentiveModel();
        const auto judged = judgeByPrompt(*study.study, model, kindConstitution(), {});
        VERIFY_OK(judged);
        const data::ResponseSet& set = study.study->set();
        QCOMPARE(judged->pairs.size(), set.pairs.size());
        const std::string criterion = criterionOf(kindConstitution());
        QVERIFY(criterion.find("Be kind") != std::string::npos);
        QVERIFY(judged->prompt.find(criterion) != std::string::npos);
        const auto odds = [&](int first, int second) {
            Tokens tokens = model.tokenizer().encode(
                model.chatTemplate().prompt(comparison(set, {}, criterion, first, second, {}))
                    + "The better reply is",
                text::Special::Parse);
            const Eigen::VectorXd next
                = model.logProbabilitiesAfter(tokens, static_cast<int>(tokens.size()) - 1);
            const auto id = [&](const char* letter) {
                return model.tokenizer().encode(letter, text::Special::Continue).at(0);
            };
            return next[id(" A")] - next[id(" B")];
        };
        for (const PromptedPair& pair : judged->pairs) {
            const data::Pair& labels = set.pairs[static_cast<std::size_t>(pair.pair)];
            COMPARE_NEAR(pair.chosenFirst, odds(labels.chosen, labels.rejected), 1e-4);
            COMPARE_NEAR(pair.chosenSecond, odds(labels.rejected, labels.chosen), 1e-4);
            COMPARE_NEAR(pair.p(), (logistic(pair.chosenFirst) + logistic(-pair.chosenSecond)) / 2, 1e-12);
        }
        // A part of the pairs is the same part.
        const std::vector<int> some{ 4, 1 };
        const auto part = judgeByPrompt(*study.study, model, kindConstitution(), {}, {}, some);
        VERIFY_OK(part);
        QCOMPARE(part->pairs.size(), std::size_t(2));
        COMPARE_NEAR(part->pairs[0].chosenFirst, judged->pairs[4].chosenFirst, 1e-9);
    }

    void exemplarsComeFromTrainingPromptsWithBothLetters()
    {
        const ScratchStudy study({ 12, 20, 0, 3 });
        FakeModel model = attentiveModel();
        const auto training = constitution::trainingRows(study.study->set(), study.study->split());
        PromptedOptions options;
        options.fewShot = 2;
        const std::vector<int> one{ 0 };
        const auto judged = judgeByPrompt(*study.study, model, kindConstitution(), training, options, one);
        VERIFY_OK(judged);
        QVERIFY(judged->prompt.find("The better reply is A.") != std::string::npos);
        QVERIFY(judged->prompt.find("The better reply is B.") != std::string::npos);
        options.fewShot = 3;
        VERIFY_FAILS(
            judgeByPrompt(*study.study, model, kindConstitution(), training, options, one), "0, 1, 2 or 8");
        options.fewShot = 8;
        VERIFY_FAILS(
            judgeByPrompt(
                *study.study, model, kindConstitution(), std::vector<bool>(training.size(), false), options,
                one),
            "8 labelled pairs", "found 0");
        options.fewShot = 0;
        options.reasoning = true;
        const auto reasoned = judgeByPrompt(*study.study, model, kindConstitution(), training, options, one);
        VERIFY_OK(reasoned);
        QVERIFY(reasoned->pairs[0].chosenFirst != judged->pairs[0].chosenFirst);
    }

    void ratingsAreExpectationsOverTen()
    {
        const ScratchStudy study({ 12, 5, 0, 3 });
        FakeModel model = attentiveModel();
        const auto ratings = rateByPrompt(*study.study, model, kindConstitution(), { 0, 3, 7 });
        VERIFY_OK(ratings);
        QVERIFY(std::isnan((*ratings)[1]) && std::isfinite((*ratings)[3]));
        const data::ResponseSet& set = study.study->set();
        for (const int row : { 0, 3, 7 }) {
            Tokens tokens
                = data::promptTokens(model, set, set.responses[static_cast<std::size_t>(row)].prompt);
            const auto add
                = [&](const Tokens& more) { tokens.insert(tokens.end(), more.begin(), more.end()); };
            add(data::responseTokens(model, set, row));
            add(model.tokenizer().encode(
                "<|im_end|>\n<|im_start|>user\nRate the last reply from 1 to 10 by this standard: "
                    + criterionOf(kindConstitution())
                    + " 10 means that it could not follow it better. Answer with a number only.<|im_end|>\n"
                      "<|im_start|>assistant\nRating:",
                text::Special::Parse));
            tokens.push_back(' '); // a byte vocabulary writes the blank by itself, then digit by digit
            const auto last = [&] { return static_cast<int>(tokens.size()) - 1; };
            const Eigen::VectorXd first = model.logProbabilitiesAfter(tokens, last());
            tokens.push_back('1');
            const double zero = std::exp(model.logProbabilitiesAfter(tokens, last())['0']);
            double sum = 0, total = 0;
            for (int i = 1; i <= 9; ++i) {
                const double p = std::exp(first['0' + i]) * (i == 1 ? 1 - zero : 1);
                sum += i * p;
                total += p;
            }
            sum += 10 * std::exp(first['1']) * zero;
            total += std::exp(first['1']) * zero;
            COMPARE_NEAR((*ratings)[row], sum / total, 1e-4);
        }
        COMPARE_NEAR(normalisedRating(1), -1.0, 1e-15);
        COMPARE_NEAR(normalisedRating(10), 1.0, 1e-15);
        COMPARE_NEAR(normalisedRating(5.5), 0.0, 1e-15);
    }

    void refusals()
    {
        const ScratchStudy study({ 12, 4, 0, 3 });
        FakeModel model = attentiveModel();
        constitution::Constitution off = kindConstitution();
        off.principles[0].on = false;
        VERIFY_FAILS(judgeByPrompt(*study.study, model, off, {}), "principle that is on");
        VERIFY_FAILS(rateByPrompt(*study.study, model, off), "principle that is on");
        constitution::Constitution turned = kindConstitution();
        turned.principles[0].weight = -1;
        QVERIFY(criterionOf(turned).find("opposite") != std::string::npos);
        std::stop_source stop;
        stop.request_stop();
        const auto stopped = judgeByPrompt(
            *study.study, model, kindConstitution(), {}, {}, {}, Work{ stop.get_token(), {} });
        QVERIFY(!stopped && stopped.error().kind == ErrorKind::Cancelled);
        model.setSha256(std::string(64, 'b'));
        VERIFY_FAILS(judgeByPrompt(*study.study, model, kindConstitution(), {}), "planted");
        VERIFY_FAILS(rateByPrompt(*study.study, model, kindConstitution()), "planted");
    }
};

QTEST_GUILESS_MAIN(TestPromptedJudge)
#include "tst_prompted_judge.moc"
