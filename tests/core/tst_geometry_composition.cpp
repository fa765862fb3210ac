// What principles can do together, at the values of T15-T18, and against random search.
#include "core/geometry/composition.h"
#include "tests/support/geometry_support.h"
#include "tests/support/result_checks.h"

#include <Eigen/Dense>

using namespace lodestone;
using namespace lodestone::geometry;
using namespace lodestone::testing;

class TestComposition : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void projectionsReachTheThalesSphere()
    {
        // The reference instance: Sigma, w*, w_J = w_c (docs/theory.md section 1).
        Eigen::Matrix3d sigma;
        sigma << 1, .3, 0, .3, 1, .2, 0, .2, .5;
        const Eigen::Vector3d truth(1, .5, 0), judge(.8, 0, .6);
        const double a = std::sqrt(truth.dot(sigma * truth)), b = std::sqrt(judge.dot(sigma * judge));
        const Reach reach = reachOfProjections(a, b, truth.dot(sigma * judge) / (a * b));
        COMPARE_NEAR(reach.worst, -0.073693, 1e-6);
        COMPARE_NEAR(reach.best, 1.053693, 1e-6);
        // Random projectors of any rank stay inside, in six dimensions.
        Rng rng(1);
        const Eigen::VectorXd s = gaussianVector(6, rng), w = gaussianVector(6, rng);
        const Reach six = reachOfProjections(s.norm(), w.norm(), s.dot(w) / (s.norm() * w.norm()));
        for (int i = 0; i < 2000; ++i) {
            const Eigen::Index k = 1 + i % 5;
            Eigen::MatrixXd span(6, k);
            for (Eigen::Index c = 0; c < k; ++c)
                span.col(c) = gaussianVector(6, rng);
            const Eigen::MatrixXd q = Eigen::HouseholderQR<Eigen::MatrixXd>(span).householderQ()
                * Eigen::MatrixXd::Identity(6, k);
            const double gain = s.dot(q * (q.transpose() * w));
            QVERIFY(gain >= six.worst - 1e-9 && gain <= six.best + 1e-9);
        }
        // The bisector of w and -+s attains the ends.
        for (const double sign : { 1.0, -1.0 }) {
            const Eigen::VectorXd v = (w + sign * w.norm() * s / s.norm()).normalized();
            COMPARE_NEAR(s.dot(v) * v.dot(w), sign > 0 ? six.best : six.worst, 1e-12);
        }
        COMPARE_NEAR(reachOfProjections(2, 3, 1).worst, 0.0, 1e-15); // the same direction: no harm
        COMPARE_NEAR(reachOfProjections(0, 3, 0).best, 0.0, 1e-15);
    }

    void weightsReach()
    {
        Eigen::VectorXd g(5);
        g << .8, .3, -.2, -.6, .1;
        const Reach reach = reachOfWeights(g, .7);
        COMPARE_NEAR(reach.worst, -.748331, 1e-6);
        COMPARE_NEAR(reach.best, 1.017841, 1e-6);
        const Reach either = reachOfWeights(g, .7, true);
        COMPARE_NEAR(either.best, std::sqrt(1.4) * g.norm(), 1e-12);
        COMPARE_NEAR(either.worst, -either.best, 1e-15);
    }

    void theBestMixBeatsEveryOther()
    {
        Rng rng(2);
        const Eigen::MatrixXd directions = Eigen::MatrixXd::NullaryExpr(5, 3, [&] { return rng.normal(); });
        const Eigen::VectorXd truth = gaussianVector(5, rng);
        const Eigen::MatrixXd gram = directions.transpose() * directions;
        const Eigen::VectorXd gains = directions.transpose() * truth;
        constexpr double K = 0.7;
        const auto best = bestMix(gram, gains, K);
        VERIFY_OK(best);
        const MixGain spent = gainOfMix(gram, gains, best->weights, 1);
        COMPARE_NEAR(spent.K, K, 1e-12);
        COMPARE_NEAR(spent.valueGain, best->valueGain, 1e-12);
        for (int i = 0; i < 5000; ++i) {
            Eigen::VectorXd a = gaussianVector(3, rng);
            a *= std::sqrt(K / gainOfMix(gram, gains, a, 1).K);
            QVERIFY(gainOfMix(gram, gains, a, 1).valueGain <= best->valueGain + 1e-9);
        }
    }

    void redundantPrinciplesAddNothing()
    {
        // The second direction is the first again; the third is its own.
        Eigen::MatrixXd gram(3, 3);
        gram << 1, 1, 0, 1, 1, 0, 0, 0, 1;
        Eigen::VectorXd gains(3);
        gains << .6, .6, .8;
        const auto mix = bestMix(gram, gains, .5);
        VERIFY_OK(mix);
        COMPARE_NEAR(mix->valueGain, 1.0, 1e-9); // sqrt(.36 + .64)
        COMPARE_NEAR(mix->share[0], 0.0, 1e-9);
        COMPARE_NEAR(mix->share[1], 0.0, 1e-9);
        COMPARE_NEAR(mix->share[2], 0.64, 1e-9);
        gram(0, 1) = std::nan("");
        VERIFY_FAILS(bestMix(gram, gains, .5), "NaN");
        VERIFY_FAILS(bestMix(gram, gains.head(2), .5), "2 gains");
        const auto none = bestMix(Eigen::MatrixXd::Zero(2, 2), Eigen::VectorXd::Zero(2), 1);
        VERIFY_OK(none);
        COMPARE_NEAR(none->valueGain, 0.0, 0.0);
    }

    void orderCountsMostAtFortyFiveDegrees()
    {
        const double degree = M_PI / 180;
        COMPARE_NEAR(orderDependence(std::cos(35 * degree)), .469846, 1e-6);
        COMPARE_NEAR(orderDependence(std::cos(45 * degree)), .5, 1e-12);
        COMPARE_NEAR(orderDependence(1), 0.0, 1e-12);
        COMPARE_NEAR(orderDependence(0), 0.0, 1e-12);
        // Against the commutator of two projectors itself (largest singular value).
        const Eigen::Vector2d a(1, 0), b(std::cos(35 * degree), std::sin(35 * degree));
        const Eigen::Matrix2d p = a * a.transpose(), q = b * b.transpose();
        COMPARE_NEAR(
            Eigen::JacobiSVD<Eigen::Matrix2d>(p * q - q * p).singularValues()[0], orderDependence(a.dot(b)),
            1e-12);
        Eigen::MatrixXd gram(2, 2);
        gram << 4, 2 * std::cos(35 * degree), 2 * std::cos(35 * degree), 1;
        COMPARE_NEAR(orderDependences(gram)(0, 1), .469846, 1e-6);
        COMPARE_NEAR(orderDependences(gram)(0, 0), 0.0, 0.0);
    }
};

QTEST_GUILESS_MAIN(TestComposition)
#include "tst_geometry_composition.moc"
