// Steering, ablation and ActSVD by hand-made matrices: T42, T43 and T51 of docs/theory.md in closed form.
#include "core/base/rng.h"
#include "core/geometry/covariance.h"
#include "core/model/steering.h"
#include "tests/support/result_checks.h"

#include <Eigen/Dense>

using namespace lodestone;
using namespace lodestone::model;

namespace {

RowMatrix normals(Eigen::Index rows, Eigen::Index columns, std::uint64_t seed)
{
    Rng rng(seed);
    return RowMatrix::NullaryExpr(rows, columns, [&] { return static_cast<float>(rng.normal()); });
}

std::vector<int> from(int first, Eigen::Index count)
{
    std::vector<int> positions;
    for (Eigen::Index i = 0; i < count; ++i)
        positions.push_back(first + static_cast<int>(i));
    return positions;
}

ModelConfig config(int blocks, int width)
{
    ModelConfig result;
    result.blocks = blocks;
    result.width = width;
    return result;
}

double distance(const RowMatrix& a, const RowMatrix& b) { return (a - b).cwiseAbs().maxCoeff(); }

} // namespace

class TestModelSteering : public QObject {
    Q_OBJECT

private Q_SLOTS:
    /// T42. A policy tilted by exp(lambda w'h) moves the mean of a Gaussian by lambda Sigma w, and so does
    /// adding lambda times the displacement that the covariance makes of w.
    void tiltingIsAdditionAlongSigmaW()
    {
        RowMatrix rows = normals(200, 2, 15);
        rows.col(0) *= 3;
        rows.col(1) *= 0.7f;
        const auto covariance = geometry::Covariance::fromRows(rows);
        VERIFY_OK(covariance);
        Eigen::Matrix2d sigma;
        sigma.col(0) = covariance->apply(Eigen::Vector2d::UnitX());
        sigma.col(1) = covariance->apply(Eigen::Vector2d::UnitY());
        const Eigen::Vector2d w(0.5, -0.65);
        constexpr double lambda = 0.8;
        // The tilted mean by summation over a fine grid, which knows nothing of the formula.
        const Eigen::Matrix2d precision = sigma.inverse();
        Eigen::Vector2d mean = Eigen::Vector2d::Zero();
        double mass = 0;
        for (double x = -25; x <= 25; x += 0.05)
            for (double y = -25; y <= 25; y += 0.05) {
                const Eigen::Vector2d h(x, y);
                const double weight = std::exp(-0.5 * h.dot(precision * h) + lambda * w.dot(h));
                mean += weight * h;
                mass += weight;
            }
        mean /= mass;
        const Eigen::VectorXf delta = covariance->steer(geometry::ReadOut{ w, 0 }).delta.cast<float>();
        const Intervention steer = addition(Layer::blockOutput(1), lambda, delta);
        RowMatrix states = normals(50, 2, 1);
        const RowMatrix before = states;
        steerStream(states, from(0, 50), Layer::blockOutput(1), std::span(&steer, 1));
        const Eigen::RowVector2f moved = (states - before).colwise().mean();
        QVERIFY((moved.transpose().cast<double>() - mean).norm() < 1e-4 * mean.norm());
        // The displacement is not the read-out: Sigma is not a multiple of the identity.
        QVERIFY(w.normalized().dot(delta.cast<double>().normalized()) < 0.9);
    }

    void additionKeepsToItsLayerAndPositions()
    {
        RowMatrix states = normals(6, 4, 2);
        const RowMatrix before = states;
        const Eigen::VectorXf d = normals(4, 1, 3);
        const Intervention steer = addition(Layer::embedding(), -2, d, { 5, 7 });
        steerStream(states, from(3, 6), Layer::blockOutput(0), std::span(&steer, 1));
        QVERIFY(states == before);
        steerStream(states, from(3, 6), Layer::embedding(), std::span(&steer, 1));
        for (Eigen::Index i = 0; i < 6; ++i) {
            const bool inside = i == 2 || i == 3; // positions 5 and 6
            const Eigen::RowVectorXf expected
                = before.row(i) - (inside ? 2.0f : 0.0f) * Eigen::RowVectorXf(d.transpose());
            QVERIFY((states.row(i) - expected).norm() < 1e-6);
        }
        // Two additions add up; twice the direction is twice the coefficient.
        RowMatrix one = before, two = before;
        const std::vector<Intervention> both{ addition(Layer::embedding(), 1.5, d),
                                              addition(Layer::embedding(), 0.5, d) };
        const Intervention once = addition(Layer::embedding(), 1, 2 * d);
        steerStream(one, from(0, 6), Layer::embedding(), both);
        steerStream(two, from(0, 6), Layer::embedding(), std::span(&once, 1));
        QVERIFY(distance(one, two) < 1e-5);
    }

    /// T43. With the normalised difference of class means taken out, the means are equal: every linear probe
    /// separates them by exactly nothing, and a judge along it is switched off.
    void ablationMakesClassMeansEqual()
    {
        constexpr Eigen::Index n = 40, d = 8;
        RowMatrix states = normals(2 * n, d, 4);
        states.topRows(n).rowwise() += Eigen::RowVectorXf::LinSpaced(d, -1, 2);
        const Eigen::VectorXf difference
            = (states.topRows(n).colwise().mean() - states.bottomRows(n).colwise().mean()).transpose();
        const RowMatrix before = states;
        const Intervention ablate = ablation(3 * difference); // only its direction counts
        ablateStream(states, from(0, 2 * n), std::span(&ablate, 1));
        const Eigen::VectorXf left
            = (states.topRows(n).colwise().mean() - states.bottomRows(n).colwise().mean()).transpose();
        QVERIFY(difference.norm() > 1);
        QVERIFY(left.norm() < 1e-5);
        for (std::uint64_t seed = 0; seed < 20; ++seed) {
            const Eigen::VectorXf probe = normals(d, 1, 100 + seed);
            QVERIFY(std::abs(probe.dot(left)) < 1e-5);
        }
        QVERIFY((states * difference).cwiseAbs().maxCoeff() < 1e-4); // the judge w = r
        const Eigen::VectorXf r = difference.normalized();
        QVERIFY(distance(states, before - (before * r) * r.transpose()) < 1e-5);
        RowMatrix again = states; // twice is once
        ablateStream(again, from(0, 2 * n), std::span(&ablate, 1));
        QVERIFY(distance(again, states) < 1e-5);
    }

    /// T43, the weight form: W - r r'W writes what ablation leaves of what W writes.
    void orthogonalWeightsAreAblation()
    {
        const RowMatrix w = normals(8, 12, 5), x = normals(30, 12, 6);
        const Eigen::VectorXf direction = normals(8, 1, 7);
        const auto edits = orthogonalisation(config(3, 8), direction);
        QCOMPARE(edits.size(), std::size_t(7)); // the embedding, and two matrices a block
        for (const WeightEdit& edit : edits) {
            RowMatrix transposed = w.transpose(); // a row per input
            applyMap(transposed, edit.map);
            QVERIFY((transposed * direction).norm() < 1e-5 * w.norm() * direction.norm()); // r'W = 0
            RowMatrix writes = x * w.transpose();
            const Intervention ablate = ablation(direction);
            ablateStream(writes, from(0, 30), std::span(&ablate, 1));
            QVERIFY(distance(x * transposed, writes) < 1e-4);
        }
        VERIFY_OK(checkEdits(config(3, 8), edits));
        VERIFY_FAILS(checkEdits(config(2, 8), edits), "a block below 2");
        VERIFY_FAILS(checkEdits(config(3, 9), edits), "two matrices of 9 rows");
    }

    void topRanksAreTheSingularVectors()
    {
        for (const Eigen::Index rows : { 60, 5 }) { // more tokens than coordinates, and fewer
            const RowMatrix s = normals(rows, 9, 8);
            const RowMatrix v = topRanks(s, 3);
            const Eigen::JacobiSVD<Eigen::MatrixXd> svd(s.cast<double>(), Eigen::ComputeThinV);
            QCOMPARE(v.cols(), Eigen::Index(3));
            for (Eigen::Index k = 0; k < 3; ++k) {
                QVERIFY(std::abs(std::abs(svd.matrixV().col(k).dot(v.col(k).cast<double>())) - 1) < 1e-6);
                Eigen::Index largest = 0;
                v.col(k).cwiseAbs().maxCoeff(&largest);
                QVERIFY(v(largest, k) > 0);
            }
            QVERIFY(distance(v.transpose() * v, RowMatrix::Identity(3, 3)) < 1e-5);
        }
        // Of a matrix of rank two no third rank is made up.
        const RowMatrix low = normals(20, 2, 9) * normals(2, 9, 10);
        QCOMPARE(topRanks(low, 5).cols(), Eigen::Index(2));
        QCOMPARE(topRanks(RowMatrix::Zero(4, 9), 2).cols(), Eigen::Index(0));
        QCOMPARE(topRanks(low, 0).cols(), Eigen::Index(0));
    }

    /// T51. W = u v' + utility. Taking the top value rank off all outputs removes the value gain but takes
    /// the overlapping part of the utility with it; taking it off the complement of the utility keeps that.
    void actSvdRemovesTheValueAndMayKeepTheUtility()
    {
        constexpr Eigen::Index d = 6, in = 5;
        // Utility writes e1 and e2; the value direction leans on e1 by 0.6.
        Eigen::VectorXf u = Eigen::VectorXf::Zero(d), v = Eigen::VectorXf::Zero(in);
        u[0] = 0.8f;
        u[1] = 0.6f;
        v[0] = 2;
        RowMatrix utility = RowMatrix::Zero(d, in);
        utility(1, 1) = 1.5f;
        utility(2, 2) = 0.7f;
        const RowMatrix w = RowMatrix(u * v.transpose()) + utility;
        RowMatrix valueData = RowMatrix::Zero(12, in), utilityData = RowMatrix::Zero(12, in);
        valueData.col(0) = normals(12, 1, 11); // only the value's input is on
        utilityData.middleCols(1, 2) = normals(12, 2, 12);
        const RowMatrix s = topRanks(valueData * w.transpose(), 1),
                        t = topRanks(utilityData * w.transpose(), 2);
        QVERIFY(std::abs(std::abs(s.col(0).dot(u)) - 1) < 1e-5); // ActSVD finds u
        QCOMPARE(t.cols(), Eigen::Index(2));

        const auto edited = [&](const LowRankMap& map) {
            RowMatrix transposed = w.transpose();
            applyMap(transposed, map);
            return RowMatrix(transposed.transpose());
        };
        const RowMatrix x = normals(20, in, 13);
        // The value gain is u'(W x): F = 1 before, 0 after the removal (T19), and with the rank alone kept as
        // before.
        const RowMatrix removed = edited(removeRanks(s)), kept = edited(keepRanks(s));
        QVERIFY((u.transpose() * w).norm() > 1);
        QVERIFY((u.transpose() * removed).norm() < 1e-5);
        QVERIFY((u.transpose() * kept - u.transpose() * w).norm() < 1e-5);
        QVERIFY(distance(removed + kept, w) < 1e-5);
        QCOMPARE(Eigen::FullPivLU<Eigen::MatrixXf>(kept).setThreshold(1e-4f).rank(), Eigen::Index(1));

        const RowMatrix isolated = edited(removeOutside(s, t));
        const auto readUtility = [&](const RowMatrix& matrix) { return RowMatrix(t.transpose() * matrix); };
        QVERIFY(
            distance(readUtility(isolated), readUtility(w)) < 1e-5); // every utility read-out is untouched
        QVERIFY(distance(readUtility(removed), readUtility(w)) > 0.3); // plain removal was not so kind
        // What is left of the value is what the utility shares with it: 0.36 of the squared direction.
        const float left = (u.transpose() * isolated * v).value() / (u.transpose() * w * v).value();
        QVERIFY(std::abs(left - 0.36f) < 1e-4f);
        QCOMPARE(Eigen::FullPivLU<Eigen::MatrixXf>(w - isolated).setThreshold(1e-4f).rank(), Eigen::Index(1));

        // The same as an intervention on what the matrix writes.
        Intervention project;
        project.kind = Intervention::Kind::Project;
        project.site = { WriteSite::Part::FeedForward, 2 };
        project.map = removeOutside(s, t);
        RowMatrix writes = x * w.transpose();
        projectWrites(writes, from(0, 20), { WriteSite::Part::Attention, 2 }, std::span(&project, 1));
        QVERIFY(distance(writes, x * w.transpose()) == 0);
        projectWrites(writes, from(0, 20), project.site, std::span(&project, 1));
        QVERIFY(distance(writes, x * isolated.transpose()) < 1e-4);
    }

    void whatCannotBeUsedIsRefused()
    {
        const ModelConfig shape = config(3, 4);
        const auto refused = [&](Intervention change, std::initializer_list<std::string_view> parts) {
            const Result<void> result = checkInterventions(shape, std::span(&change, 1));
            const std::string wrong = lodestone::testing::notSaid(result, parts);
            QVERIFY2(wrong.empty(), wrong.c_str());
        };
        const Eigen::VectorXf fine = Eigen::VectorXf::Ones(4);
        refused(ablation(Eigen::VectorXf::Ones(5)), { "a direction of 4 numbers", "5" });
        refused(ablation(Eigen::VectorXf::Zero(4)), { "a direction to ablate", "all zeros" });
        refused(ablation(fine * std::nanf("")), { "finite numbers" });
        refused(addition(Layer::blockOutput(3), 1, fine), { "a layer up to block 2 output" });
        refused(addition(Layer::blockOutput(1), std::nan(""), fine), { "finite numbers" });
        Intervention project;
        project.kind = Intervention::Kind::Project;
        project.map = { RowMatrix::Ones(4, 2), RowMatrix::Ones(4, 1), false };
        refused(project, { "as many columns" });
        project.map = removeRanks(RowMatrix::Ones(4, 1));
        project.site.block = 7;
        refused(project, { "a block below 3" });
        const std::vector<Intervention> good{ ablation(fine), addition(Layer::embedding(), 0, 0 * fine) };
        VERIFY_OK(checkInterventions(shape, good));
    }

    void divergenceOfDistributions()
    {
        const Eigen::Vector3f p = Eigen::Array3f(0.5f, 0.25f, 0.25f).log(),
                              q = Eigen::Array3f(0.25f, 0.25f, 0.5f).log();
        QVERIFY(klDivergence(p, p) == 0);
        QVERIFY(std::abs(klDivergence(p, q) - 0.25 * std::log(2.0)) < 1e-6); // .5 ln 2 - .25 ln 2
        const Eigen::Vector3f sure(0, -1000, -1000); // what is impossible does not count
        QVERIFY(std::abs(klDivergence(sure, p) - std::log(2.0)) < 1e-6);
    }
};

QTEST_GUILESS_MAIN(TestModelSteering)
#include "tst_model_steering.moc"
