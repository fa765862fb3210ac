// Bradley-Terry reward models: closed-form fits, soft labels without noise, separable labels with a finite
// fit.
#include "core/judgment/reward_model.h"
#include "tests/support/geometry_support.h"
#include "tests/support/result_checks.h"

#include <Eigen/Dense>

using namespace lodestone;
using namespace lodestone::judgment;
using namespace lodestone::testing;

namespace {

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

/// Pairs of fresh rows whose label follows `w`.
struct Labelled {
    geometry::Rows rows;
    std::vector<Comparison> comparisons;

    Labelled(int pairs, const Eigen::VectorXd& w, bool soft, std::uint64_t seed)
    {
        Rng rng(seed);
        rows = gaussianRows(2 * pairs, w.size(), rng);
        const Eigen::VectorXd scores = geometry::times(rows, w);
        for (int i = 0; i < pairs; ++i) {
            const double p = sigmoid(scores[2 * i] - scores[2 * i + 1]);
            comparisons.push_back({ 2 * i, 2 * i + 1, i, soft ? p : (rng.uniform() < p ? 1.0 : 0.0) });
        }
    }
};

} // namespace

class TestRewardModel : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void softLabelsAreNoiselessT28()
    {
        // d independent pairs with their exact probabilities determine w, as the penalty goes to 0.
        Rng rng(1);
        const Eigen::VectorXd w = gaussianVector(6, rng);
        const Labelled data(6, w, true, 2);
        RewardModelOptions options;
        options.relativeStrength = 1e-12;
        const auto model
            = fitRewardModel(data.rows, data.comparisons, geometry::Standardiser::identity(6), options);
        VERIFY_OK(model);
        QVERIFY(model->converged && !model->separated);
        QVERIFY(distance(model->readOut.weights, w) < 1e-5);
    }

    void hardLabelsRecoverTheDirectionT26()
    {
        // d = 10, n = 2000, s = 2: tan^2 of the angle is (d - 1)/(n s^2 i(s)) = .00743 in expectation.
        Eigen::VectorXd w = Eigen::VectorXd::Zero(10);
        w[3] = std::sqrt(2.0); // differences of unit rows have variance 2: logits with deviation 2
        double tangents = 0;
        constexpr int runs = 12;
        for (int run = 0; run < runs; ++run) {
            const Labelled data(2000, w, false, 10 + static_cast<std::uint64_t>(run));
            RewardModelOptions options;
            options.relativeStrength = 1e-6;
            const auto model
                = fitRewardModel(data.rows, data.comparisons, geometry::Standardiser::identity(10), options);
            VERIFY_OK(model);
            const double along = model->readOut.weights[3];
            tangents += (model->readOut.weights.squaredNorm() - along * along) / (along * along) / runs;
            COMPARE_NEAR(along, std::sqrt(2.0), 0.15);
        }
        // Relative error of a mean of 12 chi-square variables with 9 degrees of freedom: sqrt(2/108) = .136.
        COMPARE_NEAR(tangents, 0.00743, 0.00743 * 4 * 0.136);
    }

    void stationaryPoint()
    {
        Rng rng(3);
        const Labelled data(80, gaussianVector(5, rng), false, 4);
        RewardModelOptions options;
        options.relativeStrength = 0.1;
        const geometry::Standardiser coordinates = geometry::Standardiser::fit(data.rows).value();
        const auto model = fitRewardModel(data.rows, data.comparisons, coordinates, options);
        VERIFY_OK(model);
        // Gradient of the penalised likelihood, on standardised coordinates, by its definition.
        const Eigen::VectorXd w = model->readOut.weights.cwiseProduct(coordinates.scale);
        Eigen::VectorXd gradient = Eigen::VectorXd::Zero(5);
        Eigen::MatrixXd x(80, 5);
        for (int i = 0; i < 80; ++i)
            x.row(i) = (data.rows.row(2 * i) - data.rows.row(2 * i + 1))
                           .cast<double>()
                           .cwiseQuotient(coordinates.scale.transpose());
        for (int i = 0; i < 80; ++i)
            gradient += (sigmoid(x.row(i).dot(w)) - data.comparisons[static_cast<std::size_t>(i)].p)
                * x.row(i).transpose();
        const double unit = x.squaredNorm() / 5; // mean squared singular value
        gradient += 0.1 * unit * w;
        QVERIFY(gradient.norm() < 1e-4);
        double entropy = 0;
        for (int i = 0; i < 80; ++i) {
            const double p = sigmoid(x.row(i).dot(w)),
                         label = data.comparisons[static_cast<std::size_t>(i)].p;
            entropy -= (label * std::log(p) + (1 - label) * std::log(1 - p)) / 80;
        }
        COMPARE_NEAR(model->crossEntropy, entropy, 1e-6);
    }

    void separableLabelsStayFinite()
    {
        Rng rng(5);
        const Eigen::VectorXd w = 1e6 * gaussianVector(4, rng); // deterministic labels
        const Labelled data(30, w, false, 6);
        const auto model = fitRewardModel(data.rows, data.comparisons, geometry::Standardiser::identity(4));
        VERIFY_OK(model);
        QVERIFY(model->separated);
        QVERIFY(model->converged);
        QVERIFY(model->readOut.weights.allFinite() && model->readOut.weights.norm() < 1e5);
        QVERIFY(std::isfinite(model->heldOutCrossEntropy));
        // One label the other way among look-alikes: no longer separable.
        Labelled noisy(300, gaussianVector(2, rng), false, 7);
        const auto plain = fitRewardModel(noisy.rows, noisy.comparisons, geometry::Standardiser::identity(2));
        VERIFY_OK(plain);
        QVERIFY(!plain->separated);
    }

    void orderOfAPairDoesNotMatter()
    {
        Rng rng(8);
        const Labelled data(50, gaussianVector(5, rng), true, 9);
        std::vector<Comparison> turned = data.comparisons;
        for (Comparison& one : turned)
            one = { one.b, one.a, one.group, 1 - one.p };
        const auto coordinates = geometry::Standardiser::identity(5);
        const auto a = fitRewardModel(data.rows, data.comparisons, coordinates),
                   b = fitRewardModel(data.rows, turned, coordinates);
        QVERIFY(distance(a->readOut.weights, b->readOut.weights) < 1e-6);
        QCOMPARE(a->relativeStrength, b->relativeStrength);
    }

    void badInput()
    {
        Rng rng(10);
        const geometry::Rows rows = gaussianRows(4, 3, rng);
        const auto coordinates = geometry::Standardiser::identity(3);
        VERIFY_FAILS(fitRewardModel(rows, {}, coordinates), "comparisons", "none");
        const std::vector<Comparison> outside{ { 0, 9, 0, 1 } }, wild{ { 0, 1, 0, 1.5 } };
        QVERIFY(!fitRewardModel(rows, outside, coordinates));
        VERIFY_FAILS(fitRewardModel(rows, wild, coordinates), "probability", "1.5");
    }
};

QTEST_GUILESS_MAIN(TestRewardModel)
#include "tst_reward_model.moc"
