// Accuracies, areas, correlations and their bootstrap intervals against brute force and normal theory.
#include "core/geometry/statistics.h"
#include "tests/support/geometry_support.h"

#include <QElapsedTimer>
#include <algorithm>
#include <numeric>

using namespace lodestone;
using namespace lodestone::geometry;
using lodestone::testing::gaussianVector;

namespace {

std::span<const double> spanOf(const Eigen::VectorXd& v)
{
    return { v.data(), static_cast<std::size_t>(v.size()) };
}

std::vector<int> ownGroups(int n)
{
    std::vector<int> groups(static_cast<std::size_t>(n));
    for (int i = 0; i < n; ++i)
        groups[static_cast<std::size_t>(i)] = i;
    return groups;
}

double bruteForceArea(const std::vector<double>& scores, const std::vector<int>& labels)
{
    double wins = 0;
    double pairs = 0;
    for (std::size_t i = 0; i < scores.size(); ++i)
        for (std::size_t j = 0; j < scores.size(); ++j)
            if (labels[i] > 0 && labels[j] <= 0) {
                wins += scores[i] > scores[j] ? 1 : scores[i] == scores[j] ? .5 : 0;
                pairs += 1;
            }
    return wins / pairs;
}

} // namespace

class TestGeometryStatistics : public QObject {
    Q_OBJECT

private Q_SLOTS:
    /// Values worked out by hand: 8 of 10 gives .4902 to .9433 (Wilson 1927), 0 of 10 gives 0 to .2775.
    void wilsonIntervalsOfShares()
    {
        const Interval most = wilsonInterval(0.8, 10);
        QVERIFY(std::abs(most.low - 0.490162) < 1e-5 && std::abs(most.high - 0.943318) < 1e-5);
        const Interval none = wilsonInterval(0, 10);
        QVERIFY(none.low == 0 && std::abs(none.high - 0.277533) < 1e-5);
        QVERIFY(!wilsonInterval(0.5, 0).isKnown());
        QVERIFY(!wilsonInterval(std::nan(""), 10).isKnown());
    }

    /// 22 of 22 leaves .8727 possible, 10 of 10 .7411: the 22nd and 10th roots of .05, one-sided (Clopper &
    /// Pearson 1934).
    void withoutAMistakeTheIntervalIsNotAPoint()
    {
        std::vector<int> groups(22);
        std::iota(groups.begin(), groups.end(), 0);
        const ClusterBootstrap bootstrap(groups, 200, 1);
        const Estimate right = bootstrap.pairAccuracy(std::vector<double>(22, 0.5));
        QVERIFY(
            right.value == 1 && right.interval.high == 1 && std::abs(right.interval.low - 0.872695) < 1e-6);
        const Estimate wrong = bootstrap.pairAccuracy(std::vector<double>(22, -0.5));
        QVERIFY(
            wrong.value == 0 && wrong.interval.low == 0 && std::abs(wrong.interval.high - 0.127305) < 1e-6);
        std::vector<double> scores(22);
        std::vector<int> labels(22);
        for (std::size_t i = 0; i < 22; ++i) {
            scores[i] = static_cast<double>(i);
            labels[i] = i >= 12 ? 1 : -1;
        }
        const Estimate apart = bootstrap.areaUnderRoc(scores, labels);
        QVERIFY(
            apart.value == 1 && apart.interval.high == 1 && std::abs(apart.interval.low - 0.741134) < 1e-6);
        scores[0] = 13.5; // one mistake: the bootstrap has something to say
        const Estimate nearly = bootstrap.areaUnderRoc(scores, labels);
        QVERIFY(nearly.value < 1 && nearly.interval.low > 0.5 && nearly.interval.low < nearly.value);
        // Two replies a prompt, one of each class: eleven prompts make five disjoint pairs of prompts.
        for (std::size_t i = 0; i < 22; ++i) {
            groups[i] = static_cast<int>(i) / 2;
            labels[i] = i % 2 == 0 ? 1 : -1;
            scores[i] = labels[i];
        }
        const Estimate paired = ClusterBootstrap(groups, 200, 1).areaUnderRoc(scores, labels);
        QVERIFY(paired.value == 1 && std::abs(paired.interval.low - std::pow(0.05, 0.2)) < 1e-12);
    }

    void pairAccuracyCountsTiesHalf()
    {
        QCOMPARE(pairAccuracy(std::vector<double>{ 2, -1, 0, 3 }), 2.5 / 4);
        QVERIFY(std::isnan(pairAccuracy(std::vector<double>{})));
        QVERIFY(std::isnan(pairAccuracy(std::vector<double>{ 1, std::nan("") })));
    }

    void areaUnderRocEqualsBruteForce()
    {
        Rng rng(3);
        for (int repetition = 0; repetition < 20; ++repetition) {
            std::vector<double> scores;
            std::vector<int> labels;
            for (int i = 0; i < 60; ++i) {
                // Few distinct scores: ties matter.
                scores.push_back(rng.below(repetition < 10 ? 7 : 1000));
                labels.push_back(i < 2 ? 1 - 2 * i : (rng.below(3) == 0 ? 1 : -1));
            }
            COMPARE_NEAR(areaUnderRoc(scores, labels), bruteForceArea(scores, labels), 1e-14);
        }
    }

    void areaUnderRocDegenerate()
    {
        QVERIFY(std::isnan(areaUnderRoc(std::vector<double>{ 1, 2 }, std::vector<int>{ 1, 1 })));
        QVERIFY(std::isnan(areaUnderRoc(std::vector<double>{ 1 }, std::vector<int>{ 1, -1 })));
        QVERIFY(std::isnan(areaUnderRoc(std::vector<double>{ 1, std::nan("") }, std::vector<int>{ 1, -1 })));
        QCOMPARE(areaUnderRoc(std::vector<double>{ 5, 5, 5 }, std::vector<int>{ 1, -1, -1 }), .5);
    }

    void pearsonKnownValues()
    {
        COMPARE_NEAR(
            pearson(std::vector<double>{ 1, 2, 3 }, std::vector<double>{ 1, 2, 4 }),
            3 / std::sqrt(2 * 14.0 / 3), 1e-14);
        QCOMPARE(pearson(std::vector<double>{ 1, 1, 1 }, std::vector<double>{ 1, 2, 3 }), 0.0);
        QCOMPARE(pearson(std::vector<double>{ .1, .1, .1 }, std::vector<double>{ 1, 2, 3 }), 0.0);
        QVERIFY(std::isnan(pearson(std::vector<double>{ 1 }, std::vector<double>{ 1, 2 })));
    }

    void quantileInterpolates()
    {
        QCOMPARE(quantile({ 4, 1, 3, 2 }, .5), 2.5);
        QCOMPARE(quantile({ 4, 1, 3, 2 }, 0), 1.0);
        QCOMPARE(quantile({ 4, 1, 3, 2 }, 1), 4.0);
        COMPARE_NEAR(quantile({ 10, 20, 30, 40, 50 }, .9), 46.0, 1e-12);
        QCOMPARE(quantile({ 1, std::nan(""), 3 }, .5), 2.0);
        QVERIFY(std::isnan(quantile({}, .5)));
    }

    void centringWithinGroups()
    {
        const Eigen::VectorXd centred
            = centredWithinGroups(std::vector<double>{ 1, 5, 3, 10 }, std::vector<int>{ 7, 2, 7, 9 });
        QCOMPARE(centred, Eigen::VectorXd(Eigen::Vector4d(-1, 0, 1, 0)));
    }

    void meanIntervalMatchesNormalTheory()
    {
        Rng rng(5);
        const int n = 900;
        const Eigen::VectorXd values = gaussianVector(n, rng).array() * 2 + 1;
        const Estimate estimate = ClusterBootstrap(ownGroups(n), 4000, 1).mean(spanOf(values));
        const double deviation = std::sqrt((values.array() - values.mean()).square().mean());
        const double half = 1.959964 * deviation / std::sqrt(n);
        COMPARE_NEAR(estimate.value, values.mean(), 1e-12);
        // Two quantiles of 4000 resamples are known to about 2 % of the half width each.
        COMPARE_NEAR(estimate.interval.low, values.mean() - half, .1 * half);
        COMPARE_NEAR(estimate.interval.high, values.mean() + half, .1 * half);
    }

    void copiesWithinAGroupAddNoCertainty()
    {
        Rng rng(6);
        const Eigen::VectorXd single = gaussianVector(200, rng);
        Eigen::VectorXd copied(1000);
        std::vector<int> groups;
        for (int i = 0; i < 1000; ++i) {
            copied[i] = single[i / 5];
            groups.push_back(i / 5);
        }
        const Estimate one = ClusterBootstrap(ownGroups(200), 500, 9).mean(spanOf(single));
        const Estimate many = ClusterBootstrap(groups, 500, 9).mean(spanOf(copied));
        COMPARE_NEAR(one.interval.low, many.interval.low, 1e-12);
        COMPARE_NEAR(one.interval.high, many.interval.high, 1e-12);
        // Items as if they were independent: sqrt(5) times too narrow.
        const Estimate naive = ClusterBootstrap(ownGroups(1000), 500, 9).mean(spanOf(copied));
        const double ratio
            = (many.interval.high - many.interval.low) / (naive.interval.high - naive.interval.low);
        COMPARE_NEAR(ratio, std::sqrt(5.0), .35);
    }

    void ratioOfSumsByHand()
    {
        const std::vector<int> groups{ 0, 1 };
        const ClusterBootstrap bootstrap(groups, 400, 2);
        const Estimate estimate
            = bootstrap.ratioOfSums(std::vector<double>{ 1, 6 }, std::vector<double>{ 2, 4 });
        COMPARE_NEAR(estimate.value, 7.0 / 6, 1e-15);
        // Two groups: the ratios are 1/2, 7/6, 3/2 with probabilities 1/4, 1/2, 1/4.
        QCOMPARE(estimate.interval.low, .5);
        QCOMPARE(estimate.interval.high, 1.5);
        const Eigen::MatrixXd sums = bootstrap.sums(Eigen::MatrixXd::Ones(2, 1));
        QCOMPARE(sums.minCoeff(), 2.0);
        QCOMPARE(sums.maxCoeff(), 2.0);
        QVERIFY(std::isnan(
            bootstrap.ratioOfSums(std::vector<double>{ 1, 2 }, std::vector<double>{ 0, 0 }).value));
    }

    void correlationIntervalMatchesFisher()
    {
        Rng rng(8);
        const int n = 1500;
        const Eigen::VectorXd a = gaussianVector(n, rng);
        const Eigen::VectorXd b = .6 * a + .8 * gaussianVector(n, rng) + Eigen::VectorXd::Constant(n, 1000);
        const Estimate estimate = ClusterBootstrap(ownGroups(n), 3000, 4).correlation(spanOf(a), spanOf(b));
        const double z = std::atanh(pearson(spanOf(a), spanOf(b)));
        const double half = 1.96 / std::sqrt(n - 3.0);
        COMPARE_NEAR(estimate.interval.low, std::tanh(z - half), .008);
        COMPARE_NEAR(estimate.interval.high, std::tanh(z + half), .008);
    }

    void correlationBootstrapEqualsCorrelationOfRepeatedItems()
    {
        // Two groups with different means: a resample is the first twice, the second twice, or both.
        const std::vector<double> a{ 1, 2, 4, 11, 12, 13 };
        const std::vector<double> b{ 3, 1, 2, 20, 26, 25 };
        const std::vector<int> groups{ 0, 0, 0, 1, 1, 1 };
        const Estimate estimate = ClusterBootstrap(groups, 300, 3).correlation(a, b);
        const std::span<const double> allA(a);
        const std::span<const double> allB(b);
        std::vector<double> possible{ pearson(a, b), pearson(allA.first(3), allB.first(3)),
                                      pearson(allA.last(3), allB.last(3)) };
        std::sort(possible.begin(), possible.end());
        COMPARE_NEAR(estimate.interval.low, possible.front(), 1e-12);
        COMPARE_NEAR(estimate.interval.high, possible.back(), 1e-12);
    }

    void areaBootstrapEqualsAreaOfRepeatedItems()
    {
        // Every resample of two groups is one of three multisets, whose areas are computed by brute force.
        const std::vector<double> scores{ 3, 1, 2, 2, 0, 5 };
        const std::vector<int> labels{ 1, -1, 1, -1, 1, -1 };
        const std::vector<int> groups{ 0, 0, 0, 1, 1, 1 };
        const Estimate estimate = ClusterBootstrap(groups, 300, 3).areaUnderRoc(scores, labels);
        COMPARE_NEAR(estimate.value, bruteForceArea(scores, labels), 1e-14);
        const double first = bruteForceArea({ 3, 1, 2 }, { 1, -1, 1 });
        const double second = bruteForceArea({ 2, 0, 5 }, { -1, 1, -1 });
        QCOMPARE(estimate.interval.low, std::min(first, second));
        QCOMPARE(estimate.interval.high, std::max(first, second));
    }

    void manyGroupsAreDrawnInBlocks()
    {
        // 3,000 groups of two items. The mean: known standard error. The AUC and the correlation: a bootstrap
        // of the groups themselves, item by item.
        Rng rng(31);
        const int groups = 3000;
        std::vector<int> groupOf, labels;
        std::vector<double> scores, other;
        for (int g = 0; g < groups; ++g) {
            const double shared = rng.normal();
            for (const int label : { 1, -1 }) {
                groupOf.push_back(g);
                labels.push_back(label);
                scores.push_back(shared + rng.normal() + 0.5 * label);
                other.push_back(scores.back() + rng.normal());
            }
        }
        const ClusterBootstrap bootstrap(groupOf, 2000, 3);
        QCOMPARE(bootstrap.groups(), groups);
        std::vector<double> sums(groups, 0);
        for (std::size_t i = 0; i < scores.size(); ++i)
            sums[static_cast<std::size_t>(groupOf[i])] += scores[i] / 2;
        double square = 0;
        for (const double sum : sums)
            square += sum * sum / groups;
        const auto width = [](const Interval& interval) { return interval.high - interval.low; };
        COMPARE_NEAR(
            width(bootstrap.mean(scores).interval) / (2 * 1.96 * std::sqrt(square / groups)), 1.0, 0.08);

        std::vector<double> areas, correlations;
        for (int r = 0; r < 400; ++r) {
            std::vector<double> drawnScores, drawnOther;
            std::vector<int> drawnLabels;
            for (int draw = 0; draw < groups; ++draw) {
                const std::size_t g = rng.below(groups);
                for (const std::size_t item : { 2 * g, 2 * g + 1 }) {
                    drawnScores.push_back(scores[item]);
                    drawnOther.push_back(other[item]);
                    drawnLabels.push_back(labels[item]);
                }
            }
            areas.push_back(areaUnderRoc(drawnScores, drawnLabels));
            correlations.push_back(pearson(drawnScores, drawnOther));
        }
        for (const auto& [estimate, drawn] :
             { std::pair(bootstrap.areaUnderRoc(scores, labels), percentileInterval(areas)),
               std::pair(bootstrap.correlation(scores, other), percentileInterval(correlations)) }) {
            COMPARE_NEAR(width(estimate.interval) / width(drawn), 1.0, 0.15);
            COMPARE_NEAR(estimate.interval.low, drawn.low, 0.15 * width(drawn));
        }
    }

    void probabilitiesOfSign()
    {
        Rng rng(10);
        const int n = 400;
        const Eigen::VectorXd a = gaussianVector(n, rng);
        const Eigen::VectorXd noise = gaussianVector(n, rng);
        const ClusterBootstrap bootstrap(ownGroups(n), 2000, 5);
        const Eigen::VectorXd strong = a + noise;
        QCOMPARE(bootstrap.probabilityCovariancePositive(spanOf(a), spanOf(strong)), 1.0);
        const Eigen::VectorXd opposite = -strong;
        QCOMPARE(bootstrap.probabilityCovariancePositive(spanOf(a), spanOf(opposite)), 0.0);
        // A mean one standard error above zero: Phi(1).
        Eigen::VectorXd values = noise.array() - noise.mean();
        values.array() += std::sqrt(values.squaredNorm() / n) / std::sqrt(n);
        COMPARE_NEAR(bootstrap.probabilityMeanPositive(spanOf(values)), .8413, .03);
    }

    void degenerateInput()
    {
        const ClusterBootstrap empty(std::vector<int>{}, 100, 1);
        QVERIFY(std::isnan(empty.mean(std::vector<double>{}).value));
        QVERIFY(!empty.mean(std::vector<double>{}).interval.isKnown());

        const ClusterBootstrap one(std::vector<int>{ 4, 4, 4 }, 100, 1);
        const Estimate estimate = one.mean(std::vector<double>{ 1, 2, 6 });
        QCOMPARE(estimate.value, 3.0);
        QVERIFY(!estimate.interval.isKnown());
        QVERIFY(std::isnan(one.probabilityMeanPositive(std::vector<double>{ 1, 2, 3 })));

        const ClusterBootstrap two(std::vector<int>{ 0, 1 }, 100, 1);
        QVERIFY(std::isnan(two.mean(std::vector<double>{ 1 }).value));
        QVERIFY(std::isnan(two.mean(std::vector<double>{ 1, std::nan("") }).value));
        QVERIFY(std::isnan(two.areaUnderRoc(std::vector<double>{ 1, 2 }, std::vector<int>{ 1, 1 }).value));
    }

    void deterministicInTheSeed()
    {
        Rng rng(2);
        const Eigen::VectorXd values = gaussianVector(50, rng);
        const auto interval = [&](std::uint64_t seed) {
            return ClusterBootstrap(ownGroups(50), 200, seed).mean(spanOf(values)).interval;
        };
        QCOMPARE(interval(1).low, interval(1).low);
        QVERIFY(interval(1).low != interval(2).low);
    }

    void fastEnoughForTheMeters()
    {
        Rng rng(1);
        const Eigen::VectorXd margins = gaussianVector(2000, rng);
        const std::vector<int> groups = ownGroups(2000);
        qint64 best = 1000000000;
        for (int repetition = 0; repetition < 5; ++repetition) {
            QElapsedTimer timer;
            timer.start();
            const Estimate estimate = ClusterBootstrap(groups, 1000, 1).pairAccuracy(spanOf(margins));
            best = std::min(best, timer.nsecsElapsed());
            QVERIFY(estimate.interval.isKnown());
        }
        qInfo("1000 resamples of 2,000 pairs: %.1f ms", static_cast<double>(best) / 1e6);
        if (!testing::isSanitized)
            QVERIFY(best < 100000000);
    }
};

QTEST_GUILESS_MAIN(TestGeometryStatistics)
#include "tst_geometry_statistics.moc"
