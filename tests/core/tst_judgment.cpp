// Preferences as Bradley-Terry has them, agreement with people where ties count half, and what an edit flips.
#include "core/judgment/preference.h"
#include "tests/support/geometry_support.h"
#include "tests/support/result_checks.h"

#include <limits>

using namespace lodestone;
using namespace lodestone::judgment;

namespace {

/// n pairs, each of a prompt of its own: response 2i is chosen over 2i + 1.
data::ResponseSet pairsOf(int n)
{
    data::ResponseSet set;
    for (int i = 0; i < n; ++i) {
        set.prompts.push_back({ "prompt-" + std::to_string(i), { { "user", "?" } }, i });
        set.responses.push_back({ "a", i, "a", "", 0, 1 });
        set.responses.push_back({ "b", i, "b", "", 0, 1 });
        set.pairs.push_back({ "pair-" + std::to_string(i), 2 * i, 2 * i + 1, "" });
    }
    return set;
}

/// Rewards of the chosen replies; the rejected ones have 0.
Eigen::VectorXd chosenRewards(const std::vector<double>& margins)
{
    Eigen::VectorXd rewards = Eigen::VectorXd::Zero(static_cast<Eigen::Index>(2 * margins.size()));
    for (std::size_t i = 0; i < margins.size(); ++i)
        rewards[static_cast<Eigen::Index>(2 * i)] = margins[i];
    return rewards;
}

std::vector<bool> noTraining(int pairs)
{
    return std::vector<bool>(static_cast<std::size_t>(2 * pairs), false);
}

constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

} // namespace

class TestJudgment : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void sigmoidValues()
    {
        QCOMPARE(preference(1.5, 1.5, 0.3), 0.5);
        COMPARE_NEAR(preference(std::log(3.0), 0, 1), 0.75, 1e-15);
        COMPARE_NEAR(preference(0, std::log(3.0), 1), 0.25, 1e-15);
        COMPARE_NEAR(preference(2 * std::log(3.0), 0, 2), 0.75, 1e-15); // tau is a scale
        COMPARE_NEAR(preference(7, 5, 0.5), 1 / (1 + std::exp(-4.0)), 1e-15);
    }

    void sigmoidIsSymmetric()
    {
        Rng rng(3);
        for (int i = 0; i < 1000; ++i) {
            const double a = 20 * rng.normal(), b = 20 * rng.normal(), tau = 0.05 + rng.uniform();
            COMPARE_NEAR(preference(a, b, tau) + preference(b, a, tau), 1.0, 1e-15);
        }
    }

    void sigmoidNeverOverflows()
    {
        QCOMPARE(preference(1e6, -1e6, 1e-3), 1.0);
        QCOMPARE(preference(-1e6, 1e6, 1e-3), 0.0);
        QVERIFY(preference(-700, 0, 1) > 0);
        QVERIFY(std::isnan(preference(unknown, 0, 1)));
    }

    void judgesEveryPairWithRewards()
    {
        const data::ResponseSet set = pairsOf(4);
        Eigen::VectorXd rewards = chosenRewards({ std::log(3.0), unknown, 0, -std::log(4.0) });
        std::vector<bool> training = noTraining(4);
        training[0] = training[1] = true;
        const auto judged = judgePairs(set, rewards, 1, training);
        QCOMPARE(judged.size(), std::size_t(3)); // the unknown reward is left out
        QCOMPARE(judged[0].pair, 0);
        COMPARE_NEAR(judged[0].p, 0.75, 1e-15);
        QVERIFY(judged[0].agrees() && !judged[0].heldOut);
        QCOMPARE(judged[1].pair, 2);
        QCOMPARE(judged[1].p, 0.5);
        QVERIFY(!judged[1].agrees() && judged[1].heldOut);
        COMPARE_NEAR(judged[2].p, 0.2, 1e-15);
        QVERIFY(!judged[2].agrees());
        QVERIFY(!judged[0].interval.isKnown());
        // A layer that holds the first responses only judges the pairs among them.
        QCOMPARE(judgePairs(set, rewards.head(5), 1, training).size(), std::size_t(1));
        QVERIFY(judgePairs(set, Eigen::VectorXd(), 1, training).empty());
    }

    void agreementCountsTiesHalf()
    {
        const data::ResponseSet set = pairsOf(5);
        const auto judged = judgePairs(set, chosenRewards({ 1, 2, 0, -1, 3 }), 1, noTraining(5));
        const auto estimate = agreement(set, judged, 0);
        COMPARE_NEAR(estimate.value, 3.5 / 5, 1e-15);
        QVERIFY(estimate.interval.isKnown());
        QVERIFY(estimate.interval.low <= estimate.value && estimate.value <= estimate.interval.high);
    }

    void agreementIsOfHeldOutPairsAlone()
    {
        const data::ResponseSet set = pairsOf(4);
        std::vector<bool> training = noTraining(4);
        training[0] = training[1] = true; // the only pair that agrees
        const auto judged = judgePairs(set, chosenRewards({ 1, -1, -1, -1 }), 1, training);
        QCOMPARE(agreement(set, judged, 0).value, 0.0);
        const auto none = judgePairs(set, chosenRewards({ 1, 1, 1, 1 }), 1, std::vector<bool>(8, true));
        QVERIFY(std::isnan(agreement(set, none, 0).value));
    }

    void agreementIntervalIsBinomial()
    {
        // 200 independent pairs, 70 % right: the bootstrap's interval is that of a mean, .7 +- 1.96
        // sqrt(.21/200).
        const int n = 200;
        std::vector<double> margins;
        for (int i = 0; i < n; ++i)
            margins.push_back(i % 10 < 7 ? 1 : -1);
        const data::ResponseSet set = pairsOf(n);
        const auto estimate = agreement(set, judgePairs(set, chosenRewards(margins), 1, noTraining(n)), 1);
        COMPARE_NEAR(estimate.value, 0.7, 1e-12);
        const double half = 1.96 * std::sqrt(0.21 / n);
        COMPARE_NEAR(estimate.interval.low, 0.7 - half, 0.012);
        COMPARE_NEAR(estimate.interval.high, 0.7 + half, 0.012);
    }

    void agreementIntervalKnowsPrompts()
    {
        // The same answers, but all pairs of ten prompts alike: only ten independent things were seen.
        const int n = 200;
        data::ResponseSet set = pairsOf(n);
        std::vector<double> margins;
        for (int i = 0; i < n; ++i) {
            set.prompts[static_cast<std::size_t>(i)].group = i % 10;
            margins.push_back(i % 10 < 7 ? 1 : -1);
        }
        const auto estimate = agreement(set, judgePairs(set, chosenRewards(margins), 1, noTraining(n)), 1);
        QVERIFY(estimate.interval.high - estimate.interval.low > 0.4); // against .13 for independent pairs
    }

    void flipsAreFound()
    {
        const data::ResponseSet set = pairsOf(5);
        const auto before = judgePairs(set, chosenRewards({ 1, 1, -1, -1, 0 }), 1, noTraining(5));
        const auto after = judgePairs(set, chosenRewards({ 2, -1, -2, 1, 0 }), 1, noTraining(5));
        QCOMPARE(flippedPairs(before, after), (std::vector<int>{ 1, 3 }));
        QCOMPARE(flippedPairs(after, before), (std::vector<int>{ 1, 3 }));
        QVERIFY(flippedPairs(before, before).empty());
        QVERIFY(flippedPairs({}, after).empty());
        QVERIFY(flippedPairs(before, {}).empty());
    }

    void flipsWherePairsAreMissing()
    {
        const data::ResponseSet set = pairsOf(5);
        const auto before = judgePairs(set, chosenRewards({ 1, unknown, 1, 1, unknown }), 1, noTraining(5));
        const auto after = judgePairs(set, chosenRewards({ unknown, -1, -1, 1, -1 }), 1, noTraining(5));
        QCOMPARE(flippedPairs(before, after), (std::vector<int>{ 2 }));
    }
};

QTEST_GUILESS_MAIN(TestJudgment)
#include "tst_judgment.moc"
