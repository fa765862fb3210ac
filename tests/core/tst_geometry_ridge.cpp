// Ridge against direct solves and refits with each group left out; logistic regression against its optimality
// conditions.
#include "core/geometry/logistic.h"
#include "core/geometry/ridge.h"
#include "core/geometry/statistics.h"
#include "tests/support/geometry_support.h"

#include <Eigen/Dense>
#include <QElapsedTimer>

using namespace lodestone;
using namespace lodestone::geometry;
using namespace lodestone::testing;

namespace {

enum class Kind { Pairs, Scores };

std::shared_ptr<const Design>
makeDesign(Kind kind, int n, int d, const std::vector<int>& groups, Rng& rng, Eigen::VectorXd* y)
{
    const Standardiser s = Standardiser::identity(d);
    const Eigen::VectorXd w = gaussianVector(d, rng) / std::sqrt(d);
    Result<Design> design = badInput("", "");
    if (kind == Kind::Pairs) {
        const Rows rows = gaussianRows(2 * n, d, rng);
        std::vector<Pair> pairs;
        for (int i = 0; i < n; ++i)
            pairs.push_back({ 2 * i, 2 * i + 1, groups[static_cast<std::size_t>(i)] });
        design = Design::fromPairs(rows, pairs, s);
    } else {
        Rows rows = gaussianRows(n, d, rng);
        rows.array() += 0.7f;
        std::vector<ScoredRow> scores;
        for (int i = 0; i < n; ++i)
            scores.push_back({ i, 0.0, groups[static_cast<std::size_t>(i)] });
        design = Design::fromScores(rows, scores, s);
    }
    *y = times(design->X, w) + .8 * gaussianVector(n, rng);
    if (kind == Kind::Scores)
        y->array() += 3;
    return std::make_shared<const Design>(std::move(*design));
}

std::vector<int> groupsOf(int n, int size)
{
    std::vector<int> groups;
    for (int i = 0; i < n; ++i)
        groups.push_back((i * 7 % n) / size);
    return groups;
}

/// Ridge with an unpenalised intercept by its normal equations; last entry is the intercept.
Eigen::VectorXd
directRidge(const Eigen::MatrixXd& X, const Eigen::VectorXd& y, double strength, bool intercept)
{
    Eigen::MatrixXd A(X.rows(), X.cols() + 1);
    A << X, Eigen::VectorXd::Constant(X.rows(), intercept ? 1.0 : 0.0);
    Eigen::MatrixXd normal = A.transpose() * A;
    normal.diagonal().head(X.cols()).array() += strength;
    if (!intercept)
        normal(X.cols(), X.cols()) = 1;
    return normal.ldlt().solve(A.transpose() * y);
}

/// Mean squared error and predictions with every group refitted without itself.
double
bruteForce(const Design& design, const Eigen::VectorXd& y, double strength, Eigen::VectorXd* predictions)
{
    const Eigen::MatrixXd X = design.X.cast<double>();
    predictions->resize(y.size());
    for (const std::vector<int>& members : compactGroups(design.group).members()) {
        std::vector<int> rest;
        for (int i = 0; i < y.size(); ++i)
            if (std::find(members.begin(), members.end(), i) == members.end())
                rest.push_back(i);
        const Eigen::VectorXd solution
            = directRidge(X(rest, Eigen::all), y(rest), strength, design.centred());
        for (const int i : members)
            (*predictions)[i] = X.row(i).dot(solution.head(X.cols())) + solution[X.cols()];
    }
    return (y - *predictions).squaredNorm() / static_cast<double>(y.size());
}

} // namespace

class TestGeometryRidge : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void ridgeAgainstRefits_data()
    {
        QTest::addColumn<bool>("pairs");
        QTest::addColumn<int>("n");
        QTest::addColumn<int>("d");
        QTest::addColumn<int>("groupSize");
        QTest::newRow("primal scores, single rows") << false << 40 << 9 << 1;
        QTest::newRow("primal scores, groups of 4") << false << 60 << 15 << 4;
        QTest::newRow("dual scores, groups of 3") << false << 30 << 45 << 3;
        QTest::newRow("primal pairs, groups of 2") << true << 50 << 12 << 2;
        QTest::newRow("dual pairs, single rows") << true << 25 << 40 << 1;
        QTest::newRow("groups too large to keep") << false << 170 << 20 << 85;
        QTest::newRow("dual, groups too large to keep") << true << 140 << 150 << 70;
    }
    void ridgeAgainstRefits()
    {
        QFETCH(bool, pairs);
        QFETCH(int, n);
        QFETCH(int, d);
        QFETCH(int, groupSize);
        Rng rng(static_cast<std::uint64_t>(n + d));
        Eigen::VectorXd y;
        const auto design
            = makeDesign(pairs ? Kind::Pairs : Kind::Scores, n, d, groupsOf(n, groupSize), rng, &y);
        const RidgeFactor factor = RidgeFactor::make(design).value();
        const RidgeFit fit = factor.fit(y).value();

        double bestError = 1e300;
        double bestStrength = 0;
        Eigen::VectorXd bestPredictions;
        for (const double relative : RidgeFactor::grid()) {
            Eigen::VectorXd predictions;
            const double error = bruteForce(*design, y, relative * factor.meanSquare(), &predictions);
            if (error <= bestError) {
                bestError = error;
                bestStrength = relative;
                bestPredictions = predictions;
            }
        }
        QCOMPARE(fit.relativeStrength, bestStrength);
        COMPARE_NEAR(fit.outOfFoldError, bestError, 1e-6 * bestError);
        QVERIFY(distance(fit.outOfFold, bestPredictions) < 1e-5);
        const Eigen::VectorXd direct
            = directRidge(design->X.cast<double>(), y, fit.strength, design->centred());
        QVERIFY(distance(fit.weights, direct.head(d)) < 1e-6);
        if (design->centred())
            COMPARE_NEAR(fit.intercept, direct[d], 1e-6);
        else
            QCOMPARE(fit.intercept, 0.0);
        QVERIFY(distance(factor.weights(y, fit.strength), fit.weights) < 1e-12);
        COMPARE_NEAR(
            fit.outOfFoldCorrelation,
            pearson(
                { bestPredictions.data(), static_cast<std::size_t>(n) },
                { y.data(), static_cast<std::size_t>(n) }),
            1e-5);
    }

    void foldsWithoutRefactoring_data()
    {
        QTest::addColumn<bool>("pairs");
        QTest::addColumn<int>("n");
        QTest::addColumn<int>("d");
        QTest::newRow("scores, primal") << false << 60 << 15;
        QTest::newRow("scores, dual") << false << 30 << 45;
        QTest::newRow("pairs, dual") << true << 30 << 45;
    }
    void foldsWithoutRefactoring()
    {
        QFETCH(bool, pairs);
        QFETCH(int, n);
        QFETCH(int, d);
        Rng rng(21);
        Eigen::VectorXd y;
        const auto design = makeDesign(pairs ? Kind::Pairs : Kind::Scores, n, d, groupsOf(n, 1), rng, &y);
        const RidgeFactor factor = RidgeFactor::make(design).value();
        std::vector<int> leftOut;
        std::vector<int> rest;
        for (int i = 0; i < n; ++i)
            (i % 5 == 2 ? leftOut : rest).push_back(i);
        const double strength = .05 * factor.meanSquare();
        const ReadOut readOut = factor.readOutWithout(y, strength, leftOut);
        const Eigen::MatrixXd X = design->X.cast<double>();
        const Eigen::VectorXd direct = directRidge(X(rest, Eigen::all), y(rest), strength, design->centred());
        QVERIFY(distance(readOut.weights, direct.head(d)) < 1e-6);
        COMPARE_NEAR(readOut.offset, direct[d] - direct.head(d).dot(design->xMean), 1e-6);
        const ReadOut all = factor.readOutWithout(y, strength, {});
        QVERIFY(distance(all.weights, factor.weights(y, strength)) < 1e-12);

        const Eigen::VectorXd labels = y.unaryExpr([](double v) { return v > 2 ? 1.0 : -1.0; });
        const LogisticFit part = fitLogistic(factor, labels, .05, 5, 0, rest).value();
        const Eigen::MatrixXd restX = X(rest, Eigen::all);
        const Eigen::VectorXd restLabels = labels(rest);
        const Eigen::ArrayXd margins = restLabels.array() * ((restX * part.weights).array() + part.intercept);
        const Eigen::VectorXd slope = -restLabels.array() / (1 + margins.exp());
        QVERIFY((restX.transpose() * slope + strength * part.weights).norm() < 1e-6 * restX.norm());
        QVERIFY(!fitLogistic(factor, labels, 0, 5, 0, rest).has_value());
    }

    void basisReproducesRows_data()
    {
        QTest::addColumn<int>("n");
        QTest::addColumn<int>("d");
        QTest::newRow("primal") << 50 << 20;
        QTest::newRow("dual") << 20 << 50;
    }
    void basisReproducesRows()
    {
        QFETCH(int, n);
        QFETCH(int, d);
        Rng rng(4);
        Eigen::VectorXd y;
        const auto design = makeDesign(Kind::Scores, n, d, groupsOf(n, 1), rng, &y);
        const RidgeFactor factor = RidgeFactor::make(design).value();
        QCOMPARE(factor.rank(), Eigen::Index(n < d ? n - 1 : d));
        const Eigen::VectorXd coefficients = gaussianVector(factor.rank(), rng);
        const Eigen::VectorXd throughBasis = factor.rowsInBasis() * coefficients;
        const Eigen::VectorXd throughWeights = times(design->X, factor.fromBasis(coefficients));
        QVERIFY(distance(throughBasis, throughWeights) < 1e-9);
    }

    void noiseIsPenalisedAway()
    {
        Rng rng(9);
        Eigen::VectorXd y;
        const auto design = makeDesign(Kind::Scores, 200, 40, groupsOf(200, 2), rng, &y);
        const RidgeFactor factor = RidgeFactor::make(design).value();
        const RidgeFit noise = factor.fit(gaussianVector(200, rng)).value();
        QVERIFY(noise.relativeStrength > 3);
        QVERIFY(std::abs(noise.outOfFoldCorrelation) < .3);
        const Eigen::VectorXd exact = times(design->X, gaussianVector(40, rng));
        const RidgeFit linear = factor.fit(exact).value();
        QCOMPARE(linear.relativeStrength, 1e-3);
        QVERIFY(linear.strengthAtEdge);
        QVERIFY(linear.outOfFoldCorrelation > .999);
    }

    void degenerateInput()
    {
        Rng rng(10);
        Eigen::VectorXd y;
        const auto one = makeDesign(Kind::Scores, 30, 8, std::vector<int>(30, 5), rng, &y);
        const RidgeFactor factor = RidgeFactor::make(one).value();
        const RidgeFit fit = factor.fit(y).value();
        QCOMPARE(fit.relativeStrength, 1.0);
        QVERIFY(fit.outOfFold.size() == 0 && std::isnan(fit.outOfFoldCorrelation));
        QVERIFY(
            distance(fit.weights, directRidge(one->X.cast<double>(), y, fit.strength, true).head(8)) < 1e-6);
        QVERIFY(!factor.fit(Eigen::VectorXd::Zero(29)).has_value());
        y[3] = std::nan("");
        QVERIFY(!factor.fit(y).has_value());
        QVERIFY(!RidgeFactor::make(nullptr).has_value());

        const Rows same = Rows::Ones(6, 3);
        std::vector<ScoredRow> scores;
        for (int i = 0; i < 6; ++i)
            scores.push_back({ i, double(i), i });
        const auto flat = std::make_shared<const Design>(
            Design::fromScores(same, scores, Standardiser::identity(3)).value());
        const RidgeFit zero = RidgeFactor::make(flat)->fit(flat->y).value();
        QVERIFY(zero.weights.isZero(0));

        const RidgeFit constant = RidgeFactor::make(makeDesign(Kind::Scores, 30, 8, groupsOf(30, 3), rng, &y))
                                      ->fit(Eigen::VectorXd::Constant(30, 2.0))
                                      .value();
        QVERIFY(constant.weights.isZero(1e-12));
        QCOMPARE(constant.intercept, 2.0);
        QCOMPARE(constant.outOfFoldCorrelation, 0.0);
    }

    void newJudgmentsFitWithinAFrame()
    {
        Rng rng(11);
        Eigen::VectorXd y;
        const auto design = makeDesign(Kind::Scores, 1000, 576, groupsOf(1000, 2), rng, &y);
        QElapsedTimer timer;
        timer.start();
        const RidgeFactor factor = RidgeFactor::make(design).value();
        qInfo("factor, n = 1000, d = 576: %.0f ms", static_cast<double>(timer.nsecsElapsed()) / 1e6);
        qint64 best = 1000000000;
        for (int repetition = 0; repetition < 7; ++repetition) {
            timer.restart();
            const Result<RidgeFit> fit = factor.fit(y);
            best = std::min(best, timer.nsecsElapsed());
            QVERIFY(fit.has_value());
        }
        qInfo("new judgments: %.2f ms", static_cast<double>(best) / 1e6);
        if (!isSanitized)
            QVERIFY(best < 16000000);
    }

    void logisticMeetsItsOptimalityConditions_data()
    {
        QTest::addColumn<bool>("pairs");
        QTest::addColumn<int>("n");
        QTest::addColumn<int>("d");
        QTest::addColumn<double>("relative");
        QTest::newRow("pairs, primal") << true << 120 << 10 << 0.1;
        QTest::newRow("pairs, dual, separable, weak") << true << 25 << 60 << 0.001;
        QTest::newRow("labels, primal, chosen strength") << false << 90 << 12 << 0.0;
        QTest::newRow("labels, dual, strong") << false << 30 << 50 << 100.0;
    }
    void logisticMeetsItsOptimalityConditions()
    {
        QFETCH(bool, pairs);
        QFETCH(int, n);
        QFETCH(int, d);
        QFETCH(double, relative);
        Rng rng(static_cast<std::uint64_t>(n));
        Eigen::VectorXd y;
        const auto design = makeDesign(pairs ? Kind::Pairs : Kind::Scores, n, d, groupsOf(n, 2), rng, &y);
        const Eigen::VectorXd labels = y.unaryExpr([](double v) { return v > 2 ? 1.0 : -1.0; });
        const RidgeFactor factor = RidgeFactor::make(design).value();
        const LogisticFit fit = fitLogistic(factor, labels, relative).value();
        QVERIFY(fit.converged);
        QVERIFY(fit.strength > 0);
        QVERIFY(fit.weights.allFinite());
        const Eigen::MatrixXd X = design->X.cast<double>();
        const Eigen::ArrayXd margins = labels.array() * ((X * fit.weights).array() + fit.intercept);
        const Eigen::VectorXd slope = -labels.array() / (1 + margins.exp());
        const Eigen::VectorXd gradient = X.transpose() * slope + fit.strength * fit.weights;
        const double scale = (X.transpose() * labels).norm();
        QVERIFY(gradient.norm() < 1e-7 * scale);
        if (pairs)
            QCOMPARE(fit.intercept, 0.0);
        else
            COMPARE_NEAR(slope.sum(), 0.0, 1e-7 * scale);
    }

    void logisticRecoversBradleyTerry()
    {
        // T26: with s = 2, tan^2 of the angle to the truth is about (d - 1)/(n s^2 i(s)) = .0074 for d = 10,
        // n = 2000.
        Rng rng(12);
        const int n = 2000;
        const int d = 10;
        Eigen::VectorXd unused;
        const auto design = makeDesign(Kind::Pairs, n, d, groupsOf(n, 1), rng, &unused);
        // Differences of two standard normal rows have variance 2.
        const Eigen::VectorXd w = gaussianVector(d, rng).normalized() * 2 / std::sqrt(2.0);
        const Eigen::VectorXd logits = times(design->X, w);
        const Eigen::VectorXd labels = logits.unaryExpr(
            [&rng](double f) { return rng.uniform() < 1 / (1 + std::exp(-f)) ? 1.0 : -1.0; });
        const LogisticFit fit = fitLogistic(RidgeFactor::make(design).value(), labels).value();
        const double cosine = fit.weights.dot(w) / (fit.weights.norm() * w.norm());
        QVERIFY(1 / (cosine * cosine) - 1 < 3 * .0074);
        COMPARE_NEAR(fit.weights.norm(), w.norm(), .15 * w.norm());
    }

    void logisticDegenerateInput()
    {
        Rng rng(13);
        Eigen::VectorXd y;
        const auto rows = makeDesign(Kind::Scores, 20, 4, groupsOf(20, 2), rng, &y);
        const RidgeFactor factor = RidgeFactor::make(rows).value();
        QVERIFY(!fitLogistic(factor, Eigen::VectorXd::Ones(20)).has_value());
        QVERIFY(!fitLogistic(factor, Eigen::VectorXd::Zero(20)).has_value());
        QVERIFY(!fitLogistic(factor, Eigen::VectorXd::Ones(19)).has_value());
        const auto pairs = makeDesign(Kind::Pairs, 20, 4, std::vector<int>(20, 1), rng, &y);
        const LogisticFit fit
            = fitLogistic(RidgeFactor::make(pairs).value(), Eigen::VectorXd::Ones(20)).value();
        QCOMPARE(fit.relativeStrength, 1.0);
        QVERIFY(fit.converged);
    }

    void logisticIsFast()
    {
        Rng rng(14);
        Eigen::VectorXd y;
        const auto design = makeDesign(Kind::Pairs, 500, 576, groupsOf(500, 1), rng, &y);
        const RidgeFactor factor = RidgeFactor::make(design).value();
        const Eigen::VectorXd labels = y.unaryExpr([](double v) { return v > 0 ? 1.0 : -1.0; });
        QElapsedTimer timer;
        timer.start();
        const LogisticFit fit = fitLogistic(factor, labels).value();
        qInfo(
            "logistic with 5 folds and 8 strengths, n = 500, d = 576: %.0f ms, %d steps, strength %g",
            static_cast<double>(timer.nsecsElapsed()) / 1e6, fit.iterations, fit.relativeStrength);
        QVERIFY(fit.converged);
    }
};

QTEST_GUILESS_MAIN(TestGeometryRidge)
#include "tst_geometry_ridge.moc"
