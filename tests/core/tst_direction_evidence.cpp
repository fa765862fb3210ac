// How far directions can be trusted: the bootstrap cone, the share that points against, cosines, transfer;
// and the principal components that centring spoils (T45).
#include "core/geometry/direction_evidence.h"
#include "core/geometry/nonlinear.h"
#include "tests/support/geometry_support.h"
#include "tests/support/result_checks.h"

#include <chrono>

using namespace lodestone;
using namespace lodestone::geometry;
using namespace lodestone::testing;

namespace {

/// n pairs whose chosen row lies `delta` above the rejected one, plus noise.
struct Planted {
    Rows rows;
    Examples examples;
};
Planted plantedPairs(int n, const Eigen::VectorXd& delta, double noise, Rng& rng, int firstGroup = 0)
{
    Planted planted;
    const Eigen::Index d = delta.size();
    planted.rows.resize(2 * n, d);
    for (int i = 0; i < n; ++i) {
        for (Eigen::Index j = 0; j < d; ++j) {
            const double base = rng.normal();
            planted.rows(2 * i, j) = static_cast<float>(base + delta[j] / 2 + noise * rng.normal());
            planted.rows(2 * i + 1, j) = static_cast<float>(base - delta[j] / 2 + noise * rng.normal());
        }
        planted.examples.pairs.push_back({ 2 * i, 2 * i + 1, firstGroup + i });
    }
    return planted;
}

Design designOn(const Planted& planted)
{
    return Design::fromPairs(
               planted.rows, planted.examples.pairs, Standardiser::identity(planted.rows.cols()))
        .value();
}

} // namespace

class TestDirectionEvidence : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void theConeNarrowsWithPairs()
    {
        Rng rng(1);
        Eigen::VectorXd delta = Eigen::VectorXd::Zero(20);
        delta[3] = 1;
        double last = 0;
        for (const int n : { 20, 200, 2000 }) {
            const auto cone = bootstrapCone(designOn(plantedPairs(n, delta, 1, rng)), 400, 7);
            VERIFY_OK(cone);
            QVERIFY(cone->low > last && cone->low <= cone->median && cone->median <= 1);
            last = cone->low;
            // A refit's mean differs from the mean by noise of variance 2/n a coordinate, the mean from delta
            // by as much: cos^2 = |mean|^2/(|mean|^2 + 2 d/n), |mean|^2 = 1 + 2 d/n.
            const double spread = 2.0 * 20 / n;
            COMPARE_NEAR(cone->median, std::sqrt((1 + spread) / (1 + 2 * spread)), 0.06);
        }
        COMPARE_NEAR(BootstrapCone({ 1, 0.5, 10 }).halfAngleDegrees(), 60.0, 1e-9);
    }

    void theConeEqualsRefits()
    {
        // Labelled rows in groups: the one product against refits of each resample, item by item.
        Rng rng(2);
        const Rows rows = gaussianRows(60, 5, rng);
        std::vector<LabelledRow> labels;
        for (int i = 0; i < 60; ++i)
            labels.push_back({ i, i % 3 == 0 ? 1 : -1, i / 4 });
        const auto design = Design::fromLabels(rows, labels, Standardiser::identity(5));
        VERIFY_OK(design);
        const auto cone = bootstrapCone(*design, 50, 3);
        VERIFY_OK(cone);
        std::vector<double> cosines;
        const auto difference = [&](const std::vector<int>& times) {
            Eigen::VectorXd up = Eigen::VectorXd::Zero(5), down = up;
            double n = 0, m = 0;
            for (int i = 0; i < 60; ++i) {
                const double weight = times[static_cast<std::size_t>(i / 4)];
                (i % 3 == 0 ? up : down) += weight * rows.row(i).transpose().cast<double>();
                (i % 3 == 0 ? n : m) += weight;
            }
            return Eigen::VectorXd(up / n - down / m);
        };
        const Eigen::VectorXd whole = difference(std::vector<int>(15, 1));
        Rng draws(3, 0xc0e);
        for (int r = 0; r < 50; ++r) {
            std::vector<int> times(15, 0);
            for (int g = 0; g < 15; ++g)
                ++times[draws.below(15)];
            const Eigen::VectorXd refit = difference(times);
            cosines.push_back(refit.dot(whole) / (refit.norm() * whole.norm()));
        }
        COMPARE_NEAR(cone->median, quantile(cosines, 0.5), 1e-5);
        COMPARE_NEAR(cone->low, quantile(cosines, 0.05), 1e-5);
    }

    void aThousandRefitsAreFast()
    {
        if (isSanitized)
            QSKIP("timings mean nothing under a sanitizer");
        // The target is 31 layers of 1,000 pairs in 3 s; here one layer, with the plain way beside it.
        Rng rng(4);
        Eigen::VectorXd delta = Eigen::VectorXd::Zero(576);
        delta[0] = 1;
        const Design design = designOn(plantedPairs(1000, delta, 1, rng));
        const auto now = [] { return std::chrono::steady_clock::now(); };
        const auto start = now();
        VERIFY_OK(bootstrapCone(design, 1000, 0));
        const double all = std::chrono::duration<double>(now() - start).count();
        const auto begin = now();
        Eigen::VectorXd sum = Eigen::VectorXd::Zero(576);
        Rng draws(5);
        for (int r = 0; r < 10; ++r)
            for (int i = 0; i < 1000; ++i)
                sum += design.X.row(static_cast<Eigen::Index>(draws.below(1000))).transpose().cast<double>();
        const double plain = 100 * std::chrono::duration<double>(now() - begin).count();
        QVERIFY(sum.allFinite());
        qInfo("1,000 refits of 1,000 pairs: %.3f s; one by one %.3f s; ratio %.1f", all, plain, plain / all);
        QVERIFY(plain / all > 1.5);
    }

    void antiAlignedPairsAreCounted()
    {
        Rows rows(8, 2);
        rows << 1, 0, 0, 0, 2, 0, 1, 0, 0, 0, 1, 0, 3, 0, 3, 1;
        Examples examples;
        for (int i = 0; i < 4; ++i)
            examples.pairs.push_back({ 2 * i, 2 * i + 1, i });
        const auto design = Design::fromPairs(rows, examples.pairs, Standardiser::identity(2));
        VERIFY_OK(design);
        // Differences along x: 1, 1, -1, 0 (a tie counts half).
        COMPARE_NEAR(antiAlignedShare(*design, Eigen::Vector2d(1, 0)), 1.5 / 4, 1e-12);
    }

    void cosinesInBothProducts()
    {
        Rng rng(6);
        Rows rows = gaussianRows(4000, 3, rng);
        rows.col(0) *= 10; // one loud coordinate
        const auto coordinates = Standardiser::fit(rows);
        const auto sigma = Covariance::fromRows(rows, &*coordinates);
        VERIFY_OK(coordinates);
        VERIFY_OK(sigma);
        Eigen::MatrixXd displacements(3, 3);
        displacements.col(0) << 10, 1, 0;
        displacements.col(1) << 10, -1, 0;
        displacements.col(2).setZero();
        const auto cosines = cosinesOf(displacements, *coordinates, *sigma);
        VERIFY_OK(cosines);
        // On standardised coordinates (1, 1) and (1, -1); raw they would be nearly parallel.
        COMPARE_NEAR(cosines->euclidean(0, 1), 0.0, 0.05);
        COMPARE_NEAR(cosines->sigma(0, 1), 0.0, 0.05);
        COMPARE_NEAR(cosines->sigma(0, 0), 1.0, 1e-9);
        COMPARE_NEAR(cosines->euclidean(0, 2), 0.0, 0.0);
        VERIFY_FAILS(cosinesOf(Eigen::MatrixXd::Ones(2, 2), *coordinates, *sigma), "3 coordinates");
    }

    void transferFollowsTheAngle()
    {
        Rng rng(7);
        Eigen::VectorXd a = Eigen::VectorXd::Zero(8), b = a, c = a;
        a[0] = 2;
        b[0] = 1.4;
        b[1] = 1.4; // at 45 degrees
        c[0] = -2; // the opposite
        std::vector<NamedExamples> sets;
        std::vector<Planted> parts;
        Eigen::Index total = 0;
        for (const Eigen::VectorXd* delta : { &a, &b, &c }) {
            parts.push_back(plantedPairs(120, *delta, 0.7, rng, 1000 * static_cast<int>(parts.size())));
            total += parts.back().rows.rows();
        }
        Rows rows(total, 8);
        Eigen::Index offset = 0;
        for (std::size_t s = 0; s < parts.size(); ++s) {
            rows.middleRows(offset, parts[s].rows.rows()) = parts[s].rows;
            NamedExamples named{ std::string(1, static_cast<char>('a' + s)), {}, {} };
            for (std::size_t i = 0; i < parts[s].examples.pairs.size(); ++i) {
                Pair pair = parts[s].examples.pairs[i];
                pair.chosen += static_cast<int>(offset);
                pair.rejected += static_cast<int>(offset);
                (i % 2 == 0 ? named.training : named.heldOut).pairs.push_back(pair);
            }
            sets.push_back(std::move(named));
            offset += parts[s].rows.rows();
        }
        const auto found = transfer(Method::DifferenceOfMeans, rows, sets);
        VERIFY_OK(found);
        QVERIFY(found->accuracy[0][0].value > 0.9);
        QVERIFY(
            found->accuracy[0][1].value > 0.75
            && found->accuracy[0][1].value < found->accuracy[1][1].value + 0.05);
        QVERIFY(found->accuracy[0][2].value < 0.1);
        QVERIFY(found->withoutIt[2].value < 0.2); // what the others say of the opposite
        COMPARE_NEAR((found->displacements.col(0) - a).norm(), 0.0, 0.6);
        VERIFY_FAILS(transfer(Method::Ridge, rows, std::span(sets).first(1)), "two sets");
    }

    void curvedScoresNeedCurvedProbes()
    {
        Rng rng(9);
        const Rows rows = gaussianRows(300, 6, rng);
        std::vector<int> training, heldOut, groups;
        for (int i = 0; i < 300; ++i) {
            (i % 3 == 0 ? heldOut : training).push_back(i);
            groups.push_back(i / 3);
        }
        const auto scoresOf = [&](const std::vector<int>& which, bool curved) {
            Eigen::VectorXd y(static_cast<Eigen::Index>(which.size()));
            for (std::size_t i = 0; i < which.size(); ++i) {
                const double x = rows(which[i], 0), z = rows(which[i], 1);
                y[static_cast<Eigen::Index>(i)] = curved ? x * x - z * z : 2 * x - z;
            }
            return y;
        };
        const auto straight = nonlinearRemainder(
            rows, training, heldOut, scoresOf(training, false), scoresOf(heldOut, false), groups, 6);
        VERIFY_OK(straight);
        QVERIFY(straight->linear.value > 0.99);
        QVERIFY(straight->remainder.value < 0.01);
        const auto curved = nonlinearRemainder(
            rows, training, heldOut, scoresOf(training, true), scoresOf(heldOut, true), groups, 6);
        VERIFY_OK(curved);
        QVERIFY(curved->linear.value < 0.15);
        QVERIFY(curved->quadratic.value > 0.95);
        QVERIFY(curved->remainder.interval.low > 0.6);
        VERIFY_FAILS(
            nonlinearRemainder(
                rows, std::span(training).first(4), heldOut, Eigen::VectorXd::Zero(4),
                scoresOf(heldOut, true), groups),
            "8 training rows");
    }

    void centringTakesTheValueAway()
    {
        // Labelled differences are delta plus little noise: about zero the first component is delta, about
        // the mean it is noise, and the note says how much went.
        Rng rng(8);
        Eigen::VectorXd delta = Eigen::VectorXd::Zero(10);
        delta[2] = 3;
        const Planted planted = plantedPairs(200, delta, 0.3, rng);
        const Design design = designOn(planted);
        const auto plain = fitDirection(Method::Pca, design);
        VERIFY_OK(plain);
        QVERIFY(plain->readOut.weights.normalized()[2] > 0.99);
        const auto centred = fitDirection(Method::PcaCentred, design);
        VERIFY_OK(centred);
        QVERIFY(std::abs(centred->readOut.weights.normalized()[2]) < 0.5);
        QVERIFY2(centred->note.find("T45") != std::string::npos, centred->note.c_str());
        // 9 of 9 + 10 x 2 x 0.09 = 10.8: 83 %.
        QVERIFY2(
            centred->note.find("83 %") != std::string::npos || centred->note.find("84 %") != std::string::npos
                || centred->note.find("82 %") != std::string::npos,
            centred->note.c_str());
        const auto caa = fitDirection(Method::Caa, design);
        VERIFY_OK(caa);
        COMPARE_NEAR((caa->displacement->delta - delta).norm(), 0.0, 0.3);
        // Turned labels turn the component.
        const auto turned = fitDirection(Method::Pca, design, Eigen::VectorXd::Constant(200, -1));
        VERIFY_OK(turned);
        QVERIFY(turned->readOut.weights.normalized()[2] < -0.99);
    }
};

QTEST_GUILESS_MAIN(TestDirectionEvidence)
#include "tst_direction_evidence.moc"
