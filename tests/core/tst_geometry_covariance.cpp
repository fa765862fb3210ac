// The Sigma inner product, what a constitution spans in it, and principal components.
#include "core/geometry/covariance.h"
#include "core/geometry/spectrum.h"
#include "core/geometry/statistics.h"
#include "core/geometry/subspace.h"
#include "tests/support/geometry_support.h"

#include <Eigen/Dense>
#include <QElapsedTimer>

using namespace lodestone;
using namespace lodestone::geometry;
using namespace lodestone::testing;

namespace {

std::span<const double> spanOf(const Eigen::VectorXd& v)
{
    return { v.data(), static_cast<std::size_t>(v.size()) };
}

/// Rows with very different scales and correlated coordinates.
Rows anisotropicRows(Eigen::Index n, Eigen::Index d, Rng& rng)
{
    Rows rows = gaussianRows(n, d, rng);
    for (Eigen::Index j = 0; j < d; ++j)
        rows.col(j)
            = rows.col(j) * static_cast<float>(.3 + 3.0 * static_cast<double>(j % 7)) + rows.col((j + 1) % d);
    return rows;
}

struct SlowLedoitWolf {
    Eigen::MatrixXd sigma;
    double shrinkage = 0;
};

/// Ledoit & Wolf 2004 written out, in double, from rows of mean zero.
SlowLedoitWolf slowLedoitWolf(const Eigen::MatrixXd& rows)
{
    const auto n = static_cast<double>(rows.rows());
    const auto d = static_cast<double>(rows.cols());
    const Eigen::MatrixXd S = rows.transpose() * rows / n;
    const Eigen::MatrixXd I = Eigen::MatrixXd::Identity(rows.cols(), rows.cols());
    const double mu = S.trace() / d;
    const double delta2 = (S - mu * I).squaredNorm() / d;
    double spread = 0;
    for (Eigen::Index k = 0; k < rows.rows(); ++k)
        spread += (rows.row(k).transpose() * rows.row(k) - S).squaredNorm() / d;
    const double beta2 = std::min(spread / (n * n), delta2);
    const double rho = beta2 / delta2;
    return { rho * mu * I + (1 - rho) * S, rho };
}

Eigen::MatrixXd dense(const Covariance& covariance)
{
    Eigen::MatrixXd sigma(covariance.width(), covariance.width());
    for (Eigen::Index j = 0; j < covariance.width(); ++j)
        sigma.col(j) = covariance.apply(Eigen::VectorXd::Unit(covariance.width(), j));
    return sigma;
}

std::vector<ReadOut> readOuts(const Eigen::MatrixXd& columns)
{
    std::vector<ReadOut> result;
    for (Eigen::Index j = 0; j < columns.cols(); ++j)
        result.push_back({ columns.col(j), static_cast<double>(j) });
    return result;
}

} // namespace

class TestGeometryCovariance : public QObject {
    Q_OBJECT

    void shapes()
    {
        QTest::addColumn<int>("n");
        QTest::addColumn<int>("d");
        QTest::newRow("primal") << 60 << 14;
        QTest::newRow("dual") << 20 << 35;
    }

private Q_SLOTS:
    void ledoitWolfAgainstTheSlowFormula_data() { shapes(); }
    void ledoitWolfAgainstTheSlowFormula()
    {
        QFETCH(int, n);
        QFETCH(int, d);
        Rng rng(1);
        Rows rows = anisotropicRows(n, d, rng);
        rows.array() += 5;
        const Covariance covariance = Covariance::fromRows(rows).value();
        const Eigen::MatrixXd exact = rows.cast<double>();
        const SlowLedoitWolf slow = slowLedoitWolf(exact.rowwise() - exact.colwise().mean());
        COMPARE_NEAR(covariance.shrinkage(), slow.shrinkage, 1e-6);
        QVERIFY(slow.shrinkage > .01 && slow.shrinkage < .9);
        QVERIFY(distance(dense(covariance), slow.sigma) < 1e-5 * slow.sigma.maxCoeff());
        QCOMPARE(covariance.degreesOfFreedom(), n);
    }

    void withinGroupsIsThePooledCovariance()
    {
        Rng rng(2);
        Rows rows = anisotropicRows(90, 8, rng);
        std::vector<int> groups;
        for (int i = 0; i < 90; ++i) {
            groups.push_back(i % 4 == 0 ? 100 + i : i / 6);
            // What differs between prompts must not count.
            rows.row(i).array() += static_cast<float>(groups.back() * 3);
        }
        const Rows contrasts = withinGroupContrasts(rows, groups);
        const CompactGroups compact = compactGroups(groups);
        QCOMPARE(contrasts.rows(), Eigen::Index(90 - compact.count));
        Eigen::MatrixXd centred = rows.cast<double>();
        for (Eigen::Index j = 0; j < 8; ++j) {
            const Eigen::VectorXd column = centred.col(j);
            centred.col(j) = centredWithinGroups(spanOf(column), groups);
        }
        const Eigen::MatrixXd scatter = centred.transpose() * centred;
        QVERIFY(distance(columnGram(contrasts), scatter) < 1e-4 * scatter.maxCoeff());
        const Covariance covariance = Covariance::withinGroups(rows, groups).value();
        QCOMPARE(covariance.degreesOfFreedom(), 90 - compact.count);
        const SlowLedoitWolf slow = slowLedoitWolf(contrasts.cast<double>());
        COMPARE_NEAR(covariance.shrinkage(), slow.shrinkage, 1e-6);
        QVERIFY(distance(dense(covariance), slow.sigma) < 1e-5 * slow.sigma.maxCoeff());
    }

    void aPairIsItsDifference()
    {
        Rows rows(2, 2);
        rows << 1, 2, 4, 8;
        const Rows contrasts = withinGroupContrasts(rows, std::vector<int>{ 9, 9 });
        QCOMPARE(contrasts.rows(), Eigen::Index(1));
        COMPARE_NEAR(std::abs(contrasts(0, 0)), 3 / std::sqrt(2.0), 1e-6);
        COMPARE_NEAR(contrasts(0, 1) / contrasts(0, 0), 2.0, 1e-6);
    }

    void unbiasedWithinPairs()
    {
        // True covariance diag(1, 4) within prompts whose means spread by 10: the estimate finds the former.
        Rng rng(3);
        const int n = 6000;
        Rows rows = gaussianRows(n, 2, rng);
        std::vector<int> groups;
        rows.col(1) *= 2;
        for (int i = 0; i < n; i += 2) {
            const float shift = static_cast<float>(10 * rng.normal());
            rows.middleRows(i, 2).array() += shift;
            groups.insert(groups.end(), { i, i });
        }
        const Covariance covariance = Covariance::withinGroups(rows, groups).value();
        COMPARE_NEAR(covariance.inner(Eigen::VectorXd::Unit(2, 0), Eigen::VectorXd::Unit(2, 0)), 1.0, .1);
        COMPARE_NEAR(covariance.inner(Eigen::VectorXd::Unit(2, 1), Eigen::VectorXd::Unit(2, 1)), 4.0, .4);
    }

    void productsAndSolve_data() { shapes(); }
    void productsAndSolve()
    {
        QFETCH(int, n);
        QFETCH(int, d);
        Rng rng(4);
        const Rows rows = anisotropicRows(n, d, rng);
        const Standardiser s = Standardiser::fit(rows).value();
        for (const Standardiser* coordinates : { static_cast<const Standardiser*>(nullptr), &s }) {
            const Covariance covariance = Covariance::fromRows(rows, coordinates).value();
            const Eigen::MatrixXd sigma = dense(covariance);
            const double size = sigma.cwiseAbs().maxCoeff();
            QVERIFY(distance(sigma, sigma.transpose()) < 1e-12 * size);
            const Eigen::VectorXd a = gaussianVector(d, rng);
            const Eigen::VectorXd b = gaussianVector(d, rng);
            COMPARE_NEAR(covariance.inner(a, b), a.dot(sigma * b), 1e-10 * size * d);
            COMPARE_NEAR(covariance.norm(a), std::sqrt(a.dot(sigma * a)), 1e-10 * size);
            COMPARE_NEAR(
                covariance.cosine(a, b), a.dot(sigma * b) / std::sqrt(a.dot(sigma * a) * b.dot(sigma * b)),
                1e-12);
            const Eigen::VectorXd solved = covariance.solve(a).value();
            QVERIFY(distance(solved, sigma.ldlt().solve(a)) < 1e-8 * solved.cwiseAbs().maxCoeff());
            // The scores of the rows give the same product.
            const Eigen::VectorXd scoresA = times(rows, a).array() + 17;
            const Eigen::VectorXd scoresB = times(rows, b).array() - 4;
            COMPARE_NEAR(
                covariance.innerFromScores(spanOf(scoresA), spanOf(scoresB), covariance.targetDot(a, b)),
                covariance.inner(a, b), 1e-5 * size * d);
            QVERIFY(std::isnan(covariance.innerFromScores(spanOf(a), spanOf(scoresB), 0)));
            Eigen::MatrixXd both(d, 2);
            both << a, b;
            QVERIFY(distance(covariance.gram(both, both), both.transpose() * sigma * both) < 1e-9 * size * d);
        }
    }

    void shrinksOnStandardisedCoordinates()
    {
        // One massive coordinate: with its scale taken out, the shrinkage target is no longer made of it
        // alone.
        Rng rng(5);
        Rows rows = gaussianRows(40, 30, rng);
        const Standardiser same = Standardiser::fit(rows).value();
        const double shrinkage = Covariance::fromRows(rows, &same)->shrinkage();
        rows.col(3) *= 1000;
        const Standardiser massive = Standardiser::fit(rows).value();
        const Covariance covariance = Covariance::fromRows(rows, &massive).value();
        COMPARE_NEAR(covariance.shrinkage(), shrinkage, 1e-4);
        COMPARE_NEAR(covariance.norm(Eigen::VectorXd::Unit(30, 3)), 1000 * same.scale[3], 200.0);
        QVERIFY(Covariance::fromRows(rows)->shrinkage() < .1 * shrinkage);
    }

    void readOutsAndDisplacementsT42_data() { shapes(); }
    void readOutsAndDisplacementsT42()
    {
        QFETCH(int, n);
        QFETCH(int, d);
        Rng rng(6);
        const Covariance covariance = Covariance::fromRows(anisotropicRows(n, d, rng)).value();
        const ReadOut w{ gaussianVector(d, rng), 2 };
        const Displacement move = covariance.steer(w);
        const Eigen::VectorXd back = covariance.readOut(move)->weights;
        QVERIFY(distance(back, w.weights) < 1e-9);
        const double cosine = move.delta.dot(w.weights) / (move.delta.norm() * w.weights.norm());
        QVERIFY(cosine > 0 && cosine < .97);
    }

    void degenerateCovariances()
    {
        Rng rng(7);
        QVERIFY(!Covariance::fromRows(Rows::Ones(1, 3)).has_value());
        QVERIFY(!Covariance::fromRows(Rows::Ones(5, 3)).has_value());
        Rows bad = gaussianRows(5, 3, rng);
        bad(1, 1) = std::numeric_limits<float>::infinity();
        QVERIFY(!Covariance::fromRows(bad).has_value());
        const Rows rows = gaussianRows(4, 3, rng);
        QVERIFY(!Covariance::withinGroups(rows, std::vector<int>{ 1, 2, 3, 4 }).has_value());
        QVERIFY(!Covariance::withinGroups(rows, std::vector<int>{ 1, 1 }).has_value());
        const Standardiser narrow = Standardiser::identity(2);
        QVERIFY(!Covariance::fromRows(rows, &narrow).has_value());
        // One pair: a rank-one matrix that no data justify shrinking; products work, the inverse is refused.
        const Covariance onePair
            = Covariance::withinGroups(rows.topRows(2), std::vector<int>{ 1, 1 }).value();
        QVERIFY(onePair.norm(gaussianVector(3, rng)) > 0);
        QVERIFY(!onePair.solve(gaussianVector(3, rng)).has_value());
        QCOMPARE(onePair.cosine(Eigen::VectorXd::Zero(3), gaussianVector(3, rng)), 0.0);
    }

    void projectorT2_data() { shapes(); }
    void projectorT2()
    {
        QFETCH(int, n);
        QFETCH(int, d);
        Rng rng(8);
        const Rows rows = anisotropicRows(n, d, rng);
        const Covariance covariance = Covariance::fromRows(rows).value();
        Eigen::MatrixXd U(d, 3);
        for (Eigen::Index j = 0; j < 3; ++j)
            U.col(j) = gaussianVector(d, rng) * std::pow(100.0, double(j) - 1);
        const Projector projector = Projector::make(readOuts(U), covariance).value();
        QCOMPARE(projector.subspace().rank(), 3);
        COMPARE_NEAR(projector.trace(), 3.0, 1e-12);

        const Eigen::MatrixXd sigma = dense(covariance);
        const Eigen::MatrixXd P = U * (U.transpose() * sigma * U).inverse() * U.transpose() * sigma;
        const ReadOut a{ gaussianVector(d, rng), 0 };
        const ReadOut b{ gaussianVector(d, rng), 0 };
        const ReadOut Pa = projector.apply(a);
        const ReadOut Pb = projector.apply(b);
        QVERIFY(distance(Pa.weights, P * a.weights) < 1e-9 * a.weights.norm());
        const double scale = covariance.norm(a.weights) * covariance.norm(b.weights);
        // Idempotent and self-adjoint.
        QVERIFY(
            covariance.norm(projector.apply(Pa).weights - Pa.weights) < 1e-12 * covariance.norm(a.weights));
        COMPARE_NEAR(
            covariance.inner(Pa.weights, b.weights), covariance.inner(a.weights, Pb.weights), 1e-12 * scale);
        // A constitution that only restricts the true values cannot hurt: <w, P w> = |P w|^2.
        const double within = covariance.inner(Pa.weights, Pa.weights);
        COMPARE_NEAR(covariance.inner(a.weights, Pa.weights), within, 1e-12 * scale);
        COMPARE_NEAR(projector.share(a), within / covariance.inner(a.weights, a.weights), 1e-12);
        COMPARE_NEAR(projector.share(Pa), 1.0, 1e-12);
        // The offset makes the score of the combination the combination of the scores.
        const Eigen::VectorXd c = projector.subspace().projection(projector.innerWithDirections(a.weights));
        COMPARE_NEAR(Pa.offset, c[1] + 2 * c[2], 1e-12 * c.cwiseAbs().maxCoeff());
    }

    void gramFormAgreesWithVectors()
    {
        Rng rng(9);
        const Covariance covariance = Covariance::fromRows(anisotropicRows(50, 12, rng)).value();
        Eigen::MatrixXd U(12, 4);
        for (Eigen::Index j = 0; j < 4; ++j)
            U.col(j) = gaussianVector(12, rng);
        const Subspace space = Subspace::fromGram(covariance.gram(U, U)).value();
        const Projector projector = Projector::make(readOuts(U), covariance).value();
        const Eigen::Vector4d weights(1, -.5, 0, 2);
        const Eigen::VectorXd coefficients = space.weightedSum(weights);
        Eigen::VectorXd w = Eigen::VectorXd::Zero(12);
        for (Eigen::Index j = 0; j < 4; ++j)
            w += weights[j] * U.col(j) / covariance.norm(U.col(j));
        QVERIFY(distance(U * coefficients, w) < 1e-12);
        QVERIFY(distance(projector.weightedSum(weights).weights, w) < 1e-12);
        COMPARE_NEAR(space.norm(coefficients), covariance.norm(w), 1e-11);
        const Eigen::VectorXd truth = gaussianVector(12, rng);
        const Eigen::VectorXd inner = covariance.gram(U, truth);
        const double squared = covariance.inner(truth, truth);
        COMPARE_NEAR(space.cosineWith(coefficients, inner, squared), covariance.cosine(w, truth), 1e-12);
        COMPARE_NEAR(space.share(inner, squared), projector.share({ truth, 0 }), 1e-12);
        const Eigen::VectorXd other = gaussianVector(4, rng);
        COMPARE_NEAR(space.cosine(coefficients, other), covariance.cosine(w, U * other), 1e-12);
        // Projecting a weighted sum on its own span changes nothing (theory.md 8.1).
        QVERIFY(distance(space.projection(space.gram() * coefficients), coefficients) < 1e-11);
        const Eigen::MatrixXd P = space.projectorOnCoefficients();
        COMPARE_NEAR(P.trace(), 4.0, 1e-11);
    }

    void dependentDirectionsAreReported()
    {
        Rng rng(10);
        const Covariance covariance = Covariance::fromRows(anisotropicRows(50, 9, rng)).value();
        Eigen::MatrixXd U(9, 4);
        U.col(0) = gaussianVector(9, rng);
        U.col(1) = gaussianVector(9, rng);
        U.col(2) = 2 * U.col(0) - U.col(1);
        U.col(3).setZero();
        const Projector projector = Projector::make(readOuts(U), covariance).value();
        QCOMPARE(projector.subspace().size(), 4);
        QCOMPARE(projector.subspace().rank(), 2);
        COMPARE_NEAR(projector.trace(), 2.0, 1e-9);
        const Projector two = Projector::make(readOuts(U.leftCols(2)), covariance).value();
        const ReadOut w{ gaussianVector(9, rng), 0 };
        QVERIFY(distance(projector.apply(w).weights, two.apply(w).weights) < 1e-8);
        QCOMPARE(projector.subspace().weightedSum(Eigen::Vector4d(0, 0, 0, 1))[3], 0.0);
        QCOMPARE(projector.subspace().norms()[3], 0.0);
    }

    void degenerateSubspaces()
    {
        const Subspace empty = Subspace::fromGram(Eigen::MatrixXd(0, 0)).value();
        QCOMPARE(empty.rank(), 0);
        QCOMPARE(empty.share(Eigen::VectorXd(0), 1), 0.0);
        QVERIFY(!Subspace::fromGram(Eigen::MatrixXd::Ones(2, 3)).has_value());
        Eigen::Matrix2d skew{ { 1, .5 }, { .2, 1 } };
        QVERIFY(!Subspace::fromGram(skew).has_value());
        QVERIFY(!Subspace::fromGram(Eigen::MatrixXd::Constant(2, 2, std::nan(""))).has_value());
        const Subspace one = Subspace::fromGram(Eigen::MatrixXd::Ones(1, 1)).value();
        QCOMPARE(one.share(Eigen::VectorXd::Zero(1), 0), 0.0);
        QCOMPARE(one.cosine(Eigen::VectorXd::Zero(1), Eigen::VectorXd::Ones(1)), 0.0);
    }

    void bestMixOfPrinciplesT17()
    {
        // Gain at fixed K is a'g/sqrt(a'Ga) up to a constant; its maximum sqrt(g'G^{-1}g) is |P w*|.
        Rng rng(11);
        const Eigen::MatrixXd A = Eigen::MatrixXd::NullaryExpr(5, 3, [&rng] { return rng.normal(); });
        const Eigen::MatrixXd gram = A.transpose() * A;
        const Eigen::VectorXd g = A.transpose() * gaussianVector(5, rng);
        const Subspace space = Subspace::fromGram(gram).value();
        const double best = std::sqrt(space.squaredNormWithin(g));
        const Eigen::VectorXd mix = space.projection(g);
        COMPARE_NEAR(mix.dot(g) / space.norm(mix), best, 1e-10);
        for (int i = 0; i < 2000; ++i) {
            const Eigen::VectorXd a = gaussianVector(3, rng);
            QVERIFY(a.dot(g) / space.norm(a) <= best + 1e-9);
        }
    }

    void principalComponents_data()
    {
        QTest::addColumn<int>("n");
        QTest::addColumn<int>("d");
        QTest::addColumn<int>("k");
        QTest::addColumn<bool>("centred");
        QTest::newRow("dense primal") << 80 << 12 << 4 << true;
        QTest::newRow("dense dual") << 15 << 60 << 5 << true;
        QTest::newRow("Lanczos") << 500 << 300 << 3 << true;
        QTest::newRow("Lanczos, about zero") << 300 << 320 << 2 << false;
        QTest::newRow("all") << 20 << 6 << 6 << false;
    }
    void principalComponents()
    {
        QFETCH(int, n);
        QFETCH(int, d);
        QFETCH(int, k);
        QFETCH(bool, centred);
        Rng rng(12);
        Rows rows = anisotropicRows(n, d, rng);
        rows.array() += 2;
        for (int j = 0; j < 4; ++j)
            rows.col(j) *= static_cast<float>(5 + 3 * j);
        const Spectrum spectrum = geometry::principalComponents(rows, k, centred).value();
        Eigen::MatrixXd x = rows.cast<double>();
        if (centred)
            x = (x.rowwise() - x.colwise().mean()).eval();
        const Eigen::JacobiSVD<Eigen::MatrixXd> svd(x, Eigen::ComputeThinV);
        const Eigen::VectorXd expected = svd.singularValues().cwiseAbs2() / n;
        COMPARE_NEAR(spectrum.totalVariance, x.squaredNorm() / n, 1e-5 * spectrum.totalVariance);
        QCOMPARE(spectrum.components.cols(), Eigen::Index(k));
        for (int j = 0; j < k; ++j) {
            COMPARE_NEAR(spectrum.variances[j], expected[j], 1e-5 * expected[0]);
            COMPARE_NEAR(spectrum.shares[j], expected[j] / expected.sum(), 1e-6);
            COMPARE_NEAR(std::abs(spectrum.components.col(j).dot(svd.matrixV().col(j))), 1.0, 1e-4);
            QVERIFY(spectrum.components.col(j).maxCoeff() >= -spectrum.components.col(j).minCoeff());
        }
        QVERIFY(
            distance(spectrum.components.transpose() * spectrum.components, Eigen::MatrixXd::Identity(k, k))
            < 1e-5);
    }

    void degenerateSpectra()
    {
        QVERIFY(!geometry::principalComponents(Rows(0, 3), 2).has_value());
        // Large enough for the iterative solver, and without any variance.
        QCOMPARE(geometry::principalComponents(Rows::Ones(300, 300), 2)->components.cols(), Eigen::Index(0));
        QVERIFY(!geometry::principalComponents(Rows::Ones(3, 3), 0).has_value());
        QVERIFY(!geometry::principalComponents(Rows::Constant(3, 3, std::nanf("")), 1).has_value());
        QCOMPARE(geometry::principalComponents(Rows::Ones(4, 3), 2)->components.cols(), Eigen::Index(0));
        Rows line(3, 2);
        line << 0, 0, 3, 4, 6, 8;
        const Spectrum spectrum = geometry::principalComponents(line, 2).value();
        QCOMPARE(spectrum.components.cols(), Eigen::Index(1));
        COMPARE_NEAR(spectrum.components(1, 0), .8, 1e-6);
        COMPARE_NEAR(spectrum.shares[0], 1.0, 1e-6);
    }

    void speedAtTheDefaultModel()
    {
        Rng rng(13);
        const Rows rows = gaussianRows(1000, 576, rng);
        QElapsedTimer timer;
        timer.start();
        const Covariance covariance = Covariance::fromRows(rows).value();
        qInfo("covariance, n = 1000, d = 576: %.0f ms", static_cast<double>(timer.nsecsElapsed()) / 1e6);
        const Eigen::VectorXd v = gaussianVector(576, rng);
        timer.restart();
        const Eigen::VectorXd applied = covariance.apply(v);
        qInfo("apply: %.3f ms", static_cast<double>(timer.nsecsElapsed()) / 1e6);
        timer.restart();
        const Eigen::VectorXd solved = covariance.solve(v).value();
        qInfo("solve: %.3f ms", static_cast<double>(timer.nsecsElapsed()) / 1e6);
        timer.restart();
        const Spectrum spectrum = geometry::principalComponents(rows, 5).value();
        qInfo("5 components: %.0f ms", static_cast<double>(timer.nsecsElapsed()) / 1e6);
        QVERIFY(distance(covariance.apply(solved), v) < 1e-8);
        QVERIFY(applied.allFinite() && spectrum.components.cols() == 5);
    }
};

QTEST_GUILESS_MAIN(TestGeometryCovariance)
#include "tst_geometry_covariance.moc"
