// Standardised coordinates, training data and splits: what every estimator stands on.
#include "core/geometry/design.h"
#include "core/geometry/examples.h"
#include "core/geometry/split.h"
#include "tests/support/geometry_support.h"

#include <set>

using namespace lodestone;
using namespace lodestone::geometry;
using namespace lodestone::testing;

class TestGeometryDesign : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void productsAgreeWithDouble()
    {
        Rng rng(1);
        const Rows rows = gaussianRows(700, 37, rng);
        const Eigen::MatrixXd exact = rows.cast<double>();
        const Eigen::VectorXd v = gaussianVector(37, rng);
        const Eigen::VectorXd u = gaussianVector(700, rng);
        QVERIFY(distance(times(rows, v), exact * v) < 1e-12);
        QVERIFY(distance(transposeTimes(rows, u), exact.transpose() * u) < 1e-11);
        QVERIFY(distance(columnGram(rows), exact.transpose() * exact) < 1e-10);
        QVERIFY(distance(rowGram(rows), exact * exact.transpose()) < 1e-10);
        const Eigen::MatrixXd two = Eigen::MatrixXd::Random(37, 2);
        QVERIFY(distance(times(rows, two), exact * two) < 1e-11);
    }

    void viewsAreNotCopied()
    {
        Rows rows = Rows::Zero(4, 3);
        const Eigen::Map<const Rows> map(rows.data(), 4, 3);
        const auto addressOf = [](const RowsRef& view) { return view.data(); };
        QCOMPARE(addressOf(map), rows.data());
        QCOMPARE(addressOf(rows.middleRows(1, 2)), rows.data() + 3);
    }

    void standardisedTrainingRowsHaveMeanZeroAndDeviationOne()
    {
        Rng rng(2);
        Rows rows = gaussianRows(300, 5, rng);
        rows.col(1) = rows.col(1) * 250.0f + Eigen::VectorXf::Constant(300, -900.0f);
        std::vector<int> training;
        for (int i = 0; i < 200; ++i)
            training.push_back(i);
        const Result<Standardiser> fit = Standardiser::fit(rows, training);
        QVERIFY(fit.has_value());
        const Eigen::MatrixXd x = fit->apply(rows).topRows(200).cast<double>();
        QVERIFY(x.colwise().mean().cwiseAbs().maxCoeff() < 1e-5);
        QVERIFY(((x.colwise().squaredNorm() / 200).array() - 1).abs().maxCoeff() < 1e-5);
        QVERIFY(fit->constant.empty());
    }

    void constantCoordinatesAreReported()
    {
        Rng rng(3);
        Rows rows = gaussianRows(50, 4, rng);
        rows.col(2).setConstant(0.1f);
        const Result<Standardiser> fit = Standardiser::fit(rows);
        QVERIFY(fit.has_value());
        QCOMPARE(fit->constant, std::vector<int>{ 2 });
        QCOMPARE(fit->scale[2], 1.0);
        QVERIFY(fit->apply(rows).col(2).isZero(1e-6f));
    }

    void readOutsAndMovesChangeCoordinatesConsistently()
    {
        Rng rng(4);
        Rows rows = gaussianRows(80, 6, rng);
        rows.col(0) *= 40;
        const Standardiser s = Standardiser::fit(rows).value();
        const ReadOut standardised{ gaussianVector(6, rng), .3 };
        const ReadOut raw = s.toRaw(standardised);
        const Eigen::VectorXd a = times(s.apply(rows), standardised.weights).array() + standardised.offset;
        const Eigen::VectorXd b = times(rows, raw.weights).array() + raw.offset;
        QVERIFY(distance(a, b) < 1e-5);
        const ReadOut back = s.fromRaw(raw);
        QVERIFY(distance(back.weights, standardised.weights) < 1e-12);
        COMPARE_NEAR(back.offset, .3, 1e-12);
        // A move and a read-out pair to the same change of score on either coordinates.
        const Displacement move{ gaussianVector(6, rng) };
        COMPARE_NEAR(raw.weights.dot(s.toRaw(move).delta), standardised.weights.dot(move.delta), 1e-12);
        QVERIFY(distance(s.fromRaw(s.toRaw(move)).delta, move.delta) < 1e-12);
        const Rows difference = rows.topRows(1) - rows.middleRows(1, 1);
        const Rows expected = s.apply(rows).topRows(1) - s.apply(rows).middleRows(1, 1);
        QVERIFY(distance(s.applyToDifferences(difference), expected) < 1e-5f);
    }

    void badActivationsAreNamed()
    {
        Rows rows = Rows::Ones(3, 4);
        rows(2, 1) = std::numeric_limits<float>::quiet_NaN();
        const Result<Standardiser> fit = Standardiser::fit(rows);
        QVERIFY(!fit.has_value());
        QCOMPARE(fit.error().where, std::string("row 2, coordinate 1"));
        QVERIFY(!Standardiser::fit(Rows(0, 4)).has_value());
        QVERIFY(!Standardiser::fit(rows, std::vector<int>{ 3 }).has_value());
        // The row that is not for training does not matter.
        QVERIFY(Standardiser::fit(rows, std::vector<int>{ 0, 1 }).has_value());
    }

    void massiveActivationsAreFound()
    {
        Rng rng(5);
        Rows rows = gaussianRows(400, 30, rng);
        rows.col(7).setConstant(500.0f);
        rows.col(11) *= 200.0f;
        const std::vector<MassiveActivation> found = massiveActivations(rows);
        QCOMPARE(found.size(), std::size_t(2));
        QVERIFY(found[0].ratio >= found[1].ratio);
        QCOMPARE((std::set<int>{ found[0].coordinate, found[1].coordinate }), (std::set<int>{ 7, 11 }));
        const MassiveActivation& still = found[0].coordinate == 7 ? found[0] : found[1];
        QCOMPARE(still.largest, 500.0);
        COMPARE_NEAR(still.deviation, 0.0, 1e-9);
        COMPARE_NEAR(still.ratio, 500.0, 25.0);
        QVERIFY(massiveActivations(Rows::Ones(5, 3)).empty());
    }

    void pairsBecomeDifferences()
    {
        Rng rng(6);
        const Rows rows = gaussianRows(10, 4, rng);
        const Standardiser s = Standardiser::fit(rows).value();
        const std::vector<Pair> pairs{ { 0, 1, 5 }, { 7, 2, 6 } };
        const Design design = Design::fromPairs(rows, pairs, s).value();
        QVERIFY(!design.centred());
        QVERIFY(distance(design.X.row(1), s.apply(rows).row(7) - s.apply(rows).row(2)) < 1e-5f);
        QCOMPARE(design.y, Eigen::VectorXd(Eigen::Vector2d(1, 1)));
        QCOMPARE(design.group, (std::vector<int>{ 5, 6 }));
    }

    void singleRowsAreCentred()
    {
        Rng rng(7);
        const Rows rows = gaussianRows(12, 3, rng);
        const Standardiser s = Standardiser::fit(rows).value();
        std::vector<ScoredRow> scores;
        for (int i = 0; i < 8; ++i)
            scores.push_back({ i, 10.0 + i, i / 2 });
        const Design design = Design::fromScores(rows, scores, s).value();
        COMPARE_NEAR(design.yMean, 13.5, 1e-12);
        COMPARE_NEAR(design.y.sum(), 0.0, 1e-12);
        QVERIFY(design.X.cast<double>().colwise().mean().cwiseAbs().maxCoeff() < 1e-6);
        // A fit on X scores raw rows the same.
        const Eigen::VectorXd w = gaussianVector(3, rng);
        const ReadOut raw = design.toRaw(w, 2.5);
        const Eigen::VectorXd onDesign = times(design.X, w).array() + 2.5;
        const Eigen::VectorXd onRows = times(rows.topRows(8), raw.weights).array() + raw.offset;
        QVERIFY(distance(onDesign, onRows) < 1e-5);
        const Design part = design.subset(std::vector<int>{ 0, 3, 4 });
        COMPARE_NEAR(part.yMean, (10.0 + 13 + 14) / 3, 1e-12);
        QVERIFY(part.X.cast<double>().colwise().mean().cwiseAbs().maxCoeff() < 1e-6);
        const ReadOut partRaw = part.toRaw(w, 0);
        const Eigen::VectorXd partScores = times(part.X, w);
        COMPARE_NEAR(partScores[1], rows.row(3).cast<double>().dot(partRaw.weights) + partRaw.offset, 1e-5);
    }

    void labelsSurviveCentring()
    {
        Rng rng(8);
        const Rows rows = gaussianRows(4, 2, rng);
        const Standardiser s = Standardiser::identity(2);
        const std::vector<LabelledRow> labels{ { 0, 1, 0 }, { 1, 1, 0 }, { 2, 1, 1 }, { 3, -1, 1 } };
        const Design design = Design::fromLabels(rows, labels, s).value();
        QCOMPARE(design.labels(), Eigen::VectorXd(Eigen::Vector4d(1, 1, 1, -1)));
        const std::vector<LabelledRow> same{ { 0, 1, 0 }, { 1, 1, 0 } };
        QCOMPARE(Design::fromLabels(rows, same, s).value().labels(), Eigen::VectorXd(Eigen::Vector2d(1, 1)));
    }

    void badTrainingDataAreRefused()
    {
        const Rows rows = Rows::Ones(3, 2);
        const Standardiser s = Standardiser::identity(2);
        QVERIFY(!Design::fromPairs(rows, std::vector<Pair>{}, s).has_value());
        QVERIFY(!Design::fromPairs(rows, std::vector<Pair>{ { 0, 3, 0 } }, s).has_value());
        QVERIFY(!Design::fromPairs(rows, std::vector<Pair>{ { 0, 1, 0 } }, Standardiser::identity(3))
                     .has_value());
        QVERIFY(!Design::fromLabels(rows, std::vector<LabelledRow>{ { 0, 0, 0 } }, s).has_value());
        QVERIFY(!Design::fromScores(rows, std::vector<ScoredRow>{ { 0, std::nan(""), 0 } }, s).has_value());
    }

    void splitsKeepGroupsTogether()
    {
        std::vector<int> groups;
        std::vector<int> strata;
        for (int g = 0; g < 40; ++g)
            for (int i = 0; i < 1 + g % 3; ++i) {
                groups.push_back(1000 - g);
                strata.push_back(g % 4);
            }
        const Split split = splitByGroup(groups, .25, 3, strata);
        QCOMPARE(split.training.size() + split.heldOut.size(), groups.size());
        std::set<int> training;
        std::set<int> heldOut;
        std::vector<std::set<int>> perStratum(4);
        for (const int item : split.training)
            training.insert(groups[static_cast<std::size_t>(item)]);
        for (const int item : split.heldOut) {
            const auto index = static_cast<std::size_t>(item);
            heldOut.insert(groups[index]);
            perStratum[static_cast<std::size_t>(strata[index])].insert(groups[index]);
            QVERIFY(training.count(groups[index]) == 0);
        }
        QCOMPARE(heldOut.size(), std::size_t(10));
        for (const std::set<int>& stratum : perStratum)
            QVERIFY(stratum.size() >= 2 && stratum.size() <= 3);
        QCOMPARE(splitByGroup(groups, .25, 3, strata).heldOut, split.heldOut);
        QVERIFY(splitByGroup(groups, .25, 4, strata).heldOut != split.heldOut);
    }

    void splitsAtTheEdges()
    {
        const std::vector<int> groups{ 1, 1, 2, 3 };
        QVERIFY(splitByGroup(groups, 0).heldOut.empty());
        QVERIFY(splitByGroup(groups, 1).training.empty());
        QVERIFY(!splitByGroup(groups, .01).heldOut.empty());
        QVERIFY(!splitByGroup(groups, .99).training.empty());
        QVERIFY(splitByGroup(std::vector<int>{}, .5).training.empty());
    }

    void foldsHoldOutEveryGroupOnce()
    {
        std::vector<int> groups;
        for (int i = 0; i < 23; ++i)
            groups.push_back(i / 2);
        const std::vector<Split> folds = foldsByGroup(groups, 5, 1);
        QCOMPARE(folds.size(), std::size_t(5));
        std::vector<int> timesHeldOut(groups.size(), 0);
        for (const Split& fold : folds) {
            QCOMPARE(fold.training.size() + fold.heldOut.size(), groups.size());
            std::set<int> inTraining;
            for (const int item : fold.training)
                inTraining.insert(groups[static_cast<std::size_t>(item)]);
            for (const int item : fold.heldOut) {
                ++timesHeldOut[static_cast<std::size_t>(item)];
                QVERIFY(inTraining.count(groups[static_cast<std::size_t>(item)]) == 0);
            }
        }
        QCOMPARE(timesHeldOut, std::vector<int>(groups.size(), 1));
        QCOMPARE(foldsByGroup(std::vector<int>{ 1, 2 }, 5).size(), std::size_t(2));
        QVERIFY(foldsByGroup(std::vector<int>{ 1, 1 }, 5).empty());
    }

    void scoringCountsPairsAndRows()
    {
        const std::vector<double> scores{ 3, 1, 2, 2, 0 };
        Examples pairs;
        pairs.pairs = { { 0, 1, 0 }, { 2, 3, 1 }, { 4, 0, 2 } };
        const Score score = scoreRowScores(scores, pairs, 200, 1).value();
        QCOMPARE(score.accuracy.value, .5);
        // chosen {3, 2, 0} against rejected {1, 2, 3}: wins 2.5 + 1.5 + 0 of 9.
        COMPARE_NEAR(score.auc.value, 4.0 / 9, 1e-14);
        QVERIFY(score.accuracy.interval.isKnown());
        Examples rows;
        rows.rows = { { 0, 1, 0 }, { 4, -1, 1 }, { 1, -1, 2 } };
        const Score labelled = scoreRowScores(scores, rows, 0).value();
        COMPARE_NEAR(labelled.accuracy.value, 1.5 / 3, 1e-14);
        QCOMPARE(labelled.auc.value, 1.0);
        QVERIFY(!labelled.accuracy.interval.isKnown());
        rows.rows.push_back({ 5, 1, 3 });
        QVERIFY(!scoreRowScores(scores, rows, 0).has_value());
    }
};

QTEST_GUILESS_MAIN(TestGeometryDesign)
#include "tst_geometry_design.moc"
