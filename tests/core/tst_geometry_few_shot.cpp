// Marked pairs beside words: the mode by its fixed point, the evidence by quadrature, and what marks do to a
// planted direction.
#include "core/geometry/few_shot.h"
#include "tests/support/geometry_support.h"
#include "tests/support/result_checks.h"

#include <Eigen/LU>
#include <cmath>

using namespace lodestone;
using namespace lodestone::geometry;
using namespace lodestone::testing;

namespace {

double sigmoidOf(double x) { return 1 / (1 + std::exp(-x)); }

/// Marks whose differences lie along `axis` with noise of standard deviation `noise` in every coordinate.
Rows marksAlong(int count, int width, int axis, double size, double noise, std::uint64_t seed)
{
    Rng rng(seed);
    Rows rows = noise * gaussianRows(count, width, rng);
    rows.col(axis).array() += static_cast<Rows::Scalar>(size);
    return rows;
}

double cosineWith(const ReadOut& readOut, int axis) { return readOut.weights[axis] / readOut.weights.norm(); }

} // namespace

class TestGeometryFewShot : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void oneMarkIsAFixedPoint()
    {
        // f = m + k (1 - sigmoid(f)), found here by halving.
        for (const auto& [m, k] : { std::pair(-0.7, 2.0), std::pair(1.5, 0.3), std::pair(-4.0, 50.0) }) {
            double low = m, high = m + k;
            for (int i = 0; i < 200; ++i) {
                const double f = (low + high) / 2;
                (f - m - k * (1 - sigmoidOf(f)) < 0 ? low : high) = f;
            }
            Eigen::VectorXd mode, dual;
            const double evidence = laplaceEvidence(
                Eigen::VectorXd::Constant(1, m), Eigen::MatrixXd::Constant(1, 1, k), mode, dual);
            COMPARE_NEAR(mode[0], low, 1e-8);
            const double p = sigmoidOf(low);
            COMPARE_NEAR(
                evidence, std::log(p) - 0.5 * (low - m) * (low - m) / k - 0.5 * std::log(1 + k * p * (1 - p)),
                1e-9);
        }
    }

    void theEvidenceIsNearTheIntegral()
    {
        // The marginal likelihood of two marks by quadrature over both margins.
        Eigen::Vector2d mean(0.5, -0.3);
        Eigen::Matrix2d kernel;
        kernel << 1.0, 0.5, 0.5, 0.8;
        const Eigen::Matrix2d inverse = kernel.inverse();
        const double scale = 1 / (2 * M_PI * std::sqrt(kernel.determinant()));
        double integral = 0;
        constexpr double step = 0.02;
        for (double a = -7; a <= 7; a += step)
            for (double b = -7; b <= 7; b += step) {
                const Eigen::Vector2d f(mean[0] + a, mean[1] + b);
                const Eigen::Vector2d off(a, b);
                integral += scale * std::exp(-0.5 * off.dot(inverse * off)) * sigmoidOf(f[0])
                    * sigmoidOf(f[1]) * step * step;
            }
        Eigen::VectorXd mode, dual;
        const double evidence = laplaceEvidence(mean, kernel, mode, dual);
        QVERIFY2(
            std::abs(evidence - std::log(integral)) < 0.03,
            qPrintable(QStringLiteral("%1 against %2").arg(evidence).arg(std::log(integral))));
    }

    void marksThatTheWordsExplainLeaveThemAlone()
    {
        constexpr int width = 30;
        ReadOut words;
        words.weights = 3 * Eigen::VectorXd::Unit(width, 2);
        const auto found
            = fewShot(marksAlong(6, width, 2, 1.5, 0.1, 1), Standardiser::identity(width), words);
        VERIFY_OK(found);
        QVERIFY(std::isinf(found->precision));
        COMPARE_NEAR(distance(found->readOut.weights, words.weights), 0.0, 1e-12);
        QCOMPARE(found->logEvidence, found->logEvidenceOfWords);
    }

    void marksThatContradictTheWordsTurnThem()
    {
        constexpr int width = 30;
        ReadOut words;
        words.weights = Eigen::VectorXd::Unit(width, 0);
        double before = 0;
        for (const int count : { 2, 8, 40 }) {
            // They agree among each other on axis 5, of which the words know nothing.
            const auto found
                = fewShot(marksAlong(count, width, 5, 3, 0.5, 7), Standardiser::identity(width), words);
            VERIFY_OK(found);
            QVERIFY(std::isfinite(found->precision));
            QVERIFY(found->logEvidence > found->logEvidenceOfWords);
            const double now = cosineWith(found->readOut, 5);
            QVERIFY2(now > before, qPrintable(QString::number(now)));
            before = now;
        }
        QVERIFY2(before > 0.8, qPrintable(QString::number(before)));
    }

    void oneSlipAmongManyDoesNotTurnThem()
    {
        constexpr int width = 30;
        ReadOut words;
        words.weights = Eigen::VectorXd::Unit(width, 0);
        Rows marks = marksAlong(10, width, 0, 2, 0.3, 9);
        marks.row(3) *= -1;
        const auto found = fewShot(marks, Standardiser::identity(width), words);
        VERIFY_OK(found);
        QVERIFY2(
            cosineWith(found->readOut, 0) > 0.9, qPrintable(QString::number(cosineWith(found->readOut, 0))));
    }

    void withoutWordsTheMarksAreAll()
    {
        constexpr int width = 12;
        ReadOut none;
        none.weights = Eigen::VectorXd::Zero(width);
        const auto found = fewShot(marksAlong(10, width, 3, 2, 0.4, 3), Standardiser::identity(width), none);
        VERIFY_OK(found);
        COMPARE_NEAR(found->logEvidenceOfWords, 10 * std::log(0.5), 1e-12);
        QVERIFY(cosineWith(found->readOut, 3) > 0.9);
    }

    void scalesAreTheStandardisers()
    {
        // Standardised by another scale, the same marks give the same margins only through the scale: a
        // massive coordinate does not drown the others.
        constexpr int width = 6;
        Rows marks = marksAlong(12, width, 1, 2, 0.3, 5);
        marks.col(4) *= 1000;
        Standardiser coordinates = Standardiser::identity(width);
        coordinates.scale[4] = 1000;
        ReadOut none;
        none.weights = Eigen::VectorXd::Zero(width);
        const auto found = fewShot(marks, coordinates, none);
        VERIFY_OK(found);
        QVERIFY(cosineWith(found->readOut, 1) > 0.9);
        QVERIFY(std::abs(found->readOut.weights[4]) < 0.01);
    }

    void refusals()
    {
        ReadOut words;
        words.weights = Eigen::VectorXd::Unit(4, 0);
        const Standardiser coordinates = Standardiser::identity(4);
        VERIFY_FAILS(fewShot(Rows(0, 4), coordinates, words), "marked pair");
        VERIFY_FAILS(fewShot(Rows::Zero(2, 3), coordinates, words), "width 4");
        Rows bad = Rows::Zero(2, 4);
        bad(1, 2) = std::nanf("");
        VERIFY_FAILS(fewShot(bad, coordinates, words), "finite");
    }
};

QTEST_GUILESS_MAIN(TestGeometryFewShot)
#include "tst_geometry_few_shot.moc"
