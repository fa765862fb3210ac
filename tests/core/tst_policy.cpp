// The exact policy on finite candidates against sums over all of them, against the Gaussian closed form, and
// at its limits: no budget exceeds ln N, two candidates cannot exceed ln 2.
#include "core/geometry/encoding.h"
#include "core/policy/pool_policy.h"
#include "tests/support/geometry_support.h"

#include <Eigen/Dense>
#include <numbers>

using namespace lodestone;
using namespace lodestone::policy;
using namespace lodestone::testing;

namespace {

/// `prompts` prompts of `candidates` replies each, in order.
Pool poolOf(int prompts, int candidates)
{
    Pool pool;
    for (int p = 0; p < prompts; ++p) {
        pool.prompts.push_back({ p, {} });
        for (int c = 0; c < candidates; ++c)
            pool.prompts.back().rows.push_back(p * candidates + c);
    }
    return pool;
}

/// Prompts of 2, 3, 4, ... candidates whose rows are scattered over the study.
Pool unevenPool(int prompts, int& rows)
{
    Pool pool;
    rows = 0;
    for (int p = 0; p < prompts; ++p) {
        pool.prompts.push_back({ p / 2, {} });
        for (int c = 0; c < 2 + p; ++c)
            pool.prompts.back().rows.push_back(rows++);
    }
    for (auto& prompt : pool.prompts) // reversed rows: a pool is no range
        for (int& row : prompt.rows)
            row = rows - 1 - row;
    return pool;
}

/// Everything by its definition, over pairs of candidates, with no shift of exponents.
Tilt bruteForce(const Pool& pool, const Eigen::VectorXd& r, const Eigen::VectorXd& v, double lambda)
{
    Tilt result;
    result.winRate = 0;
    const double prompts = static_cast<double>(pool.prompts.size());
    for (const auto& prompt : pool.prompts) {
        const double n = static_cast<double>(prompt.rows.size());
        double z = 0, squares = 0;
        for (const int row : prompt.rows)
            z += std::exp(lambda * r[row]);
        for (const int row : prompt.rows) {
            const double p = std::exp(lambda * r[row]) / z;
            result.probabilities.push_back(p);
            result.kl += p * (std::log(p) + std::log(n)) / prompts;
            result.rewardGain += (p - 1 / n) * r[row] / prompts;
            result.valueGain += (p - 1 / n) * v[row] / prompts;
            squares += p * p;
            for (const int other : prompt.rows)
                result.winRate += p / n
                    * (v[row] > v[other]        ? 1.0
                           : v[row] == v[other] ? 0.5
                                                : 0.0)
                    / prompts;
        }
        result.effectiveSampleSize += 1 / squares / prompts;
    }
    return result;
}

} // namespace

class TestPolicy : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void tiltIsSoftmaxT3_data()
    {
        QTest::addColumn<double>("lambda");
        for (const double lambda : { 0.0, 0.1, 1.0, 7.5, -2.0 })
            QTest::addRow("lambda %g", lambda) << lambda;
    }
    void tiltIsSoftmaxT3()
    {
        QFETCH(double, lambda);
        int rows = 0;
        const Pool pool = unevenPool(9, rows);
        Rng rng(5);
        const Eigen::VectorXd r = gaussianVector(rows, rng);
        Eigen::VectorXd v = gaussianVector(rows, rng);
        for (double& value : v)
            value = std::round(2 * value) / 2; // many ties
        const Tilt tilted = tilt(pool, r, v, lambda), expected = bruteForce(pool, r, v, lambda);
        QCOMPARE(tilted.lambda, lambda);
        QCOMPARE(tilted.probabilities.size(), pool.candidates());
        for (std::size_t i = 0; i < tilted.probabilities.size(); ++i)
            COMPARE_NEAR(tilted.probabilities[i], expected.probabilities[i], 1e-14);
        COMPARE_NEAR(tilted.kl, expected.kl, 1e-13);
        COMPARE_NEAR(tilted.rewardGain, expected.rewardGain, 1e-13);
        COMPARE_NEAR(tilted.valueGain, expected.valueGain, 1e-13);
        COMPARE_NEAR(tilted.winRate, expected.winRate, 1e-13);
        COMPARE_NEAR(tilted.effectiveSampleSize, expected.effectiveSampleSize, 1e-11);
    }

    void nothingHappensAtLambdaZero()
    {
        Rng rng(6);
        const Tilt still = tilt(poolOf(5, 7), gaussianVector(35, rng), gaussianVector(35, rng), 0);
        COMPARE_NEAR(still.kl, 0.0, 1e-15);
        COMPARE_NEAR(still.rewardGain, 0.0, 1e-15);
        COMPARE_NEAR(still.valueGain, 0.0, 1e-15);
        COMPARE_NEAR(still.winRate, 0.5, 1e-15); // ties of a reply with itself count half
        COMPARE_NEAR(still.effectiveSampleSize, 7.0, 1e-12);
    }

    void klAgainstTheDerivative()
    {
        // The optimum of E r - KL/lambda: its gain falls by exactly what an infinitesimal move of lambda
        // changes, so dKL/dlambda = lambda dE[r]/dlambda = lambda Var_pi r.
        Rng rng(7);
        const Pool pool = poolOf(3, 6);
        const Eigen::VectorXd r = gaussianVector(18, rng);
        for (const double lambda : { 0.3, 1.0, 2.5 }) {
            const double step = 1e-5;
            const Tilt low = tilt(pool, r, r, lambda - step), high = tilt(pool, r, r, lambda + step);
            COMPARE_NEAR(
                (high.kl - low.kl) / (2 * step), lambda * (high.rewardGain - low.rewardGain) / (2 * step),
                1e-8);
        }
    }

    void valueGainIsAnIntegralOfCovariancesT5()
    {
        // d/dlambda E_pi V = Cov_pi(V, r), prompt by prompt.
        Rng rng(8);
        const Pool pool = poolOf(1, 500);
        const Eigen::VectorXd r = gaussianVector(500, rng), v = gaussianVector(500, rng) + 0.5 * r;
        for (const double lambda : { 0.0, 0.8 }) {
            const double step = 1e-4;
            const double slope
                = (tilt(pool, r, v, lambda + step).valueGain - tilt(pool, r, v, lambda - step).valueGain)
                / (2 * step);
            const Tilt at = tilt(pool, r, v, lambda);
            const Eigen::Map<const Eigen::VectorXd> p(at.probabilities.data(), 500);
            const double covariance = p.dot(r.cwiseProduct(v)) - p.dot(r) * p.dot(v);
            COMPARE_NEAR(slope, covariance, 1e-6);
        }
    }

    void largeRewardsDoNotOverflow()
    {
        Eigen::VectorXd r(4);
        r << 1e5, 1e5 - 1, -1e5, 0;
        const Tilt tilted = tilt(poolOf(2, 2), r, r, 3);
        COMPARE_NEAR(tilted.probabilities[0], 1 / (1 + std::exp(-3.0)), 1e-12);
        QCOMPARE(tilted.probabilities[2], 0.0);
        QCOMPARE(tilted.probabilities[3], 1.0);
        QVERIFY(std::isfinite(tilted.kl) && std::isfinite(tilted.rewardGain));
    }

    void twoCandidatesStayBelowLn2()
    {
        Rng rng(9);
        const Pool pool = poolOf(20, 2);
        const Eigen::VectorXd r = gaussianVector(40, rng);
        COMPARE_NEAR(pool.largestKl(), std::numbers::ln2, 1e-15);
        double last = 0;
        for (const double lambda : { 0.5, 1.0, 2.0, 5.0 }) {
            const double kl = tilt(pool, r, r, lambda).kl;
            QVERIFY(kl > last && kl < std::numbers::ln2);
            last = kl;
        }
        // One prompt in closed form: p = sigmoid(lambda gap), KL = ln 2 - entropy(p).
        Eigen::VectorXd two(2);
        two << 0.7, 0.2;
        const double p = 1 / (1 + std::exp(-2.0 * 0.5));
        COMPARE_NEAR(
            tilt(poolOf(1, 2), two, two, 2).kl,
            std::numbers::ln2 + p * std::log(p) + (1 - p) * std::log(1 - p), 1e-15);
        COMPARE_NEAR(tilt(poolOf(1, 2), two, two, 2).winRate, p * 0.75 + (1 - p) * 0.25, 1e-15);
    }

    void klFreezesAtLnN()
    {
        Rng rng(10);
        const Pool pool = poolOf(4, 16);
        const Eigen::VectorXd r = gaussianVector(64, rng);
        COMPARE_NEAR(pool.largestKl(), std::log(16.0), 1e-15);
        const Tilt frozen = tilt(pool, r, r, 1e5);
        COMPARE_NEAR(frozen.kl, std::log(16.0), 1e-12);
        COMPARE_NEAR(frozen.effectiveSampleSize, 1.0, 1e-12);
        double best = 0;
        for (int p = 0; p < 4; ++p)
            best += (r.segment(16 * p, 16).maxCoeff() - r.segment(16 * p, 16).mean()) / 4;
        COMPARE_NEAR(frozen.rewardGain, best, 1e-12);
        COMPARE_NEAR(frozen.winRate, 15.5 / 16, 1e-12); // beats all but itself
    }

    void emptyPool()
    {
        const Tilt nothing = tilt({}, Eigen::VectorXd(), Eigen::VectorXd(), 1);
        QCOMPARE(nothing.kl, 0.0);
        QCOMPARE(nothing.winRate, 0.5);
        QVERIFY(nothing.probabilities.empty());
        QCOMPARE(Pool{}.largestKl(), 0.0);
        QCOMPARE(lambdaForKl({}, Eigen::VectorXd(), 0.5), 0.0);
        QVERIFY(movers({}, nothing, 5).risen.empty());
        QVERIFY(std::isnan(intervals({}, Eigen::VectorXd(), Eigen::VectorXd(), 1, 0).kl.value));
    }

    void lambdaForKlInvertsKl()
    {
        int rows = 0;
        const Pool pool = unevenPool(8, rows);
        Rng rng(11);
        const Eigen::VectorXd r = gaussianVector(rows, rng);
        for (const double kl : { 1e-4, 0.01, 0.1, 0.5, 1.0, 0.95 * pool.largestKl() }) {
            const double lambda = lambdaForKl(pool, r, kl);
            COMPARE_NEAR(bruteForce(pool, r, r, lambda).kl, kl, 1e-8);
        }
        for (const double lambda : { 0.05, 0.7, 4.0 })
            COMPARE_NEAR(
                lambdaForKl(pool, r, tilt(pool, r, r, lambda).kl), lambda, 1e-7 * std::max(1.0, lambda));
        // The budget does not depend on the reward's unit; lambda does.
        COMPARE_NEAR(lambdaForKl(pool, 10 * r, 0.3) * 10, lambdaForKl(pool, r, 0.3), 1e-8);
    }

    void lambdaForKlAtItsEnds()
    {
        Rng rng(12);
        const Pool pool = poolOf(3, 4);
        const Eigen::VectorXd r = gaussianVector(12, rng);
        QCOMPARE(lambdaForKl(pool, r, 0), 0.0);
        QCOMPARE(lambdaForKl(pool, r, -1), 0.0);
        QCOMPARE(lambdaForKl(pool, Eigen::VectorXd::Constant(12, 3.0), 0.5), 0.0); // nothing to spend it on
        const double most = lambdaForKl(pool, r, std::numeric_limits<double>::infinity());
        QVERIFY(std::isfinite(most) && most >= 1e5);
        COMPARE_NEAR(tilt(pool, r, r, most).kl, std::log(4.0), 1e-9);
        QCOMPARE(lambdaForKl(pool, r, 2), most);
    }

    void rewardShiftsPerPromptChangeNothingT3()
    {
        Rng rng(13);
        const Pool pool = poolOf(6, 5);
        const Eigen::VectorXd r = gaussianVector(30, rng), v = gaussianVector(30, rng);
        Eigen::VectorXd shifted = r;
        for (int p = 0; p < 6; ++p)
            shifted.segment(5 * p, 5).array() += 100 * rng.normal();
        const Tilt a = tilt(pool, r, v, 1.3), b = tilt(pool, shifted, v, 1.3);
        for (std::size_t i = 0; i < a.probabilities.size(); ++i)
            COMPARE_NEAR(a.probabilities[i], b.probabilities[i], 1e-12);
        COMPARE_NEAR(a.kl, b.kl, 1e-12);
        COMPARE_NEAR(a.rewardGain, b.rewardGain, 1e-10);
        COMPARE_NEAR(a.valueGain, b.valueGain, 1e-12);
        COMPARE_NEAR(a.winRate, b.winRate, 1e-12);
    }

    void valueGainIsOddInTheRewardT6()
    {
        // Symmetric pools (every reply has its mirror image): -r gains exactly what r loses.
        Rng rng(14);
        const Pool pool = poolOf(4, 10);
        Eigen::VectorXd r(40), v(40);
        for (int p = 0; p < 4; ++p)
            for (int i = 0; i < 5; ++i) {
                const int row = 10 * p + 2 * i;
                r[row] = rng.normal();
                v[row] = 0.6 * r[row] + rng.normal();
                r[row + 1] = -r[row];
                v[row + 1] = -v[row];
            }
        for (const double lambda : { 0.2, 1.0, 3.0 }) {
            const Tilt good = tilt(pool, r, v, lambda), bad = tilt(pool, -r, v, lambda);
            COMPARE_NEAR(good.valueGain, -bad.valueGain, 1e-13);
            COMPARE_NEAR(good.rewardGain, bad.rewardGain, 1e-13);
            COMPARE_NEAR(good.kl, bad.kl, 1e-13);
            COMPARE_NEAR(good.winRate, 1 - bad.winRate, 1e-13);
            QVERIFY(good.valueGain > 0);
        }
        // And to first order the sign is that of the covariance.
        const Eigen::VectorXd w = r + v;
        const double covariance = r.dot(w) / 40;
        COMPARE_NEAR(tilt(pool, r, w, 1e-4).valueGain / 1e-4, covariance, 1e-6);
    }

    void largePoolT37()
    {
        // 200,000 normal rewards, lambda s = 1: ESS/N = e^-1, mean reward 1, K = 1/2.
        constexpr int n = 200000;
        const Pool pool = poolOf(1, n);
        Rng rng(15);
        const Eigen::VectorXd r = gaussianVector(n, rng);
        const Tilt tilted = tilt(pool, r, r, 1);
        COMPARE_NEAR(tilted.effectiveSampleSize / n, 0.368, 0.02);
        COMPARE_NEAR(tilted.rewardGain, 1.0, 0.02);
        COMPARE_NEAR(tilted.kl, 0.5, 0.02);
        // Ranked against the base, a reply of N(1, 1) beats one of N(0, 1) with Phi(1/sqrt 2) (T8).
        COMPARE_NEAR(tilted.winRate, 0.5 * std::erfc(-0.5), 0.005);
        // Beyond the freezing point sqrt(2 ln N) = 4.94 the pool can give no more than its best reply.
        const Tilt frozen = tilt(pool, r, r, 1000);
        COMPARE_NEAR(frozen.kl, std::log(static_cast<double>(n)), 1e-6);
        COMPARE_NEAR(frozen.rewardGain, r.maxCoeff() - r.mean(), 1e-9);
        QVERIFY(frozen.rewardGain < std::sqrt(2 * std::log(static_cast<double>(n))));
    }

    void smallPoolT37()
    {
        // N = 64: the mean reward falls short of 1; .9616 is the expectation over pools.
        constexpr int pools = 4000;
        Rng rng(16);
        const Eigen::VectorXd r = gaussianVector(64 * pools, rng);
        const Pool pool = poolOf(pools, 64);
        const Tilt tilted = tilt(pool, r, r, 1);
        COMPARE_NEAR(tilted.rewardGain, 0.9616, 4 * 0.155 / std::sqrt(static_cast<double>(pools)));
    }

    void gaussianClosedFormT4()
    {
        // Reference instance R of theory.md: h ~ N(0, Sigma), lambda = .7.
        Eigen::Matrix3d sigma;
        sigma << 1, .3, 0, .3, 1, .2, 0, .2, .5;
        const Eigen::Vector3d truth(1, .5, 0), judge(.8, 0, .6);
        const Eigen::Matrix3d root = sigma.llt().matrixL();
        constexpr int n = 400000;
        Rng rng(17);
        Eigen::VectorXd r(n), v(n);
        for (int i = 0; i < n; ++i) {
            const Eigen::Vector3d h = root * Eigen::Vector3d(rng.normal(), rng.normal(), rng.normal());
            r[i] = judge.dot(h);
            v[i] = truth.dot(h);
        }
        const double lambda = .7;
        const geometry::GaussianUpdate closed = geometry::gaussianUpdate(
            sigma * judge, judge.dot(sigma * judge), truth.dot(sigma * judge), lambda);
        COMPARE_NEAR(closed.valueGain, .686, 1e-12);
        const Tilt tilted = tilt(poolOf(1, n), r, v, lambda);
        // Standard errors: of a weighted mean about sqrt(Var/ESS), Var <= 2, ESS about n e^{-.4}: .003.
        COMPARE_NEAR(tilted.valueGain, closed.valueGain, .012);
        COMPARE_NEAR(tilted.rewardGain, closed.rewardGain, .012);
        COMPARE_NEAR(tilted.kl, closed.K, .01);
        COMPARE_NEAR(lambdaForKl(poolOf(1, n), r, closed.K), lambda, .02);
    }

    void intervalsAreOfTheTilt()
    {
        Rng rng(18);
        Pool pool = poolOf(60, 6);
        const Eigen::VectorXd r = gaussianVector(360, rng), v = 0.5 * r + gaussianVector(360, rng);
        const Tilt tilted = tilt(pool, r, v, 1);
        const TiltIntervals around = intervals(pool, r, v, 1, 3);
        COMPARE_NEAR(around.kl.value, tilted.kl, 1e-12);
        COMPARE_NEAR(around.rewardGain.value, tilted.rewardGain, 1e-12);
        COMPARE_NEAR(around.valueGain.value, tilted.valueGain, 1e-12);
        COMPARE_NEAR(around.winRate.value, tilted.winRate, 1e-12);
        // The half width is 1.96 standard errors of a mean over prompts.
        double squares = 0;
        for (int p = 0; p < 60; ++p) {
            Pool one;
            one.prompts.push_back(pool.prompts[static_cast<std::size_t>(p)]);
            squares += std::pow(tilt(one, r, v, 1).valueGain - tilted.valueGain, 2);
        }
        const double error = std::sqrt(squares) / 60;
        COMPARE_NEAR(
            around.valueGain.interval.high - around.valueGain.interval.low, 2 * 1.96 * error,
            0.15 * 2 * 1.96 * error);
        // Prompts of one group are resampled together: the same numbers in six groups are less certain.
        for (auto& prompt : pool.prompts)
            prompt.group = 0;
        QVERIFY(!intervals(pool, r, v, 1, 3).valueGain.interval.isKnown());
        // Deterministic in the seed.
        for (auto& prompt : pool.prompts)
            prompt.group = prompt.rows.front();
        QCOMPARE(
            intervals(pool, r, v, 1, 3).winRate.interval.low,
            intervals(pool, r, v, 1, 3).winRate.interval.low);
    }

    void moversAreSorted()
    {
        int rows = 0;
        const Pool pool = unevenPool(9, rows);
        Rng rng(19);
        const Eigen::VectorXd r = gaussianVector(rows, rng);
        const Tilt tilted = tilt(pool, r, r, 2);
        const Movers moved = movers(pool, tilted, 5);
        QCOMPARE(moved.risen.size(), std::size_t(5));
        QCOMPARE(moved.fallen.size(), std::size_t(5));
        // By brute force: the extreme log ratio of every prompt, sorted.
        std::vector<std::pair<double, int>> up, down;
        for (const auto& prompt : pool.prompts) {
            double z = 0;
            for (const int row : prompt.rows)
                z += std::exp(2 * r[row]) / static_cast<double>(prompt.rows.size());
            std::vector<std::pair<double, int>> ratios;
            for (const int row : prompt.rows)
                ratios.emplace_back(2 * r[row] - std::log(z), row);
            up.push_back(*std::max_element(ratios.begin(), ratios.end()));
            down.push_back(*std::min_element(ratios.begin(), ratios.end()));
        }
        std::sort(up.rbegin(), up.rend());
        std::sort(down.begin(), down.end());
        for (std::size_t i = 0; i < 5; ++i) {
            QCOMPARE(moved.risen[i].row, up[i].second);
            COMPARE_NEAR(moved.risen[i].logRatio, up[i].first, 1e-10);
            QCOMPARE(moved.fallen[i].row, down[i].second);
            COMPARE_NEAR(moved.fallen[i].logRatio, down[i].first, 1e-10);
            QVERIFY(moved.risen[i].logRatio > 0 && moved.fallen[i].logRatio < 0);
        }
        QCOMPARE(movers(pool, tilted, 100).risen.size(), std::size_t(9));
        const Tilt still = tilt(pool, Eigen::VectorXd::Zero(rows), r, 1);
        for (const auto& change : movers(pool, still, 100).risen)
            QVERIFY(change.logRatio < 1e-12);
    }
};

QTEST_GUILESS_MAIN(TestPolicy)
#include "tst_policy.moc"
