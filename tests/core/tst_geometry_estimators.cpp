// Directions recovered from planted worlds whose answers theory.md gives, and held-out scores beside their
// baselines.
#include "core/geometry/covariance.h"
#include "core/geometry/held_out.h"
#include "core/geometry/noise_ceiling.h"
#include "core/geometry/ridge.h"
#include "tests/support/geometry_support.h"

#include <Eigen/Dense>
#include <QElapsedTimer>

using namespace lodestone;
using namespace lodestone::geometry;
using namespace lodestone::testing;

namespace {

/// Pairs of standard normal rows, chosen by a planted direction, flipped with a probability; groups of two
/// pairs.
struct PairWorld {
    Rows rows;
    Examples examples;
    Eigen::VectorXd truth;
};

PairWorld pairWorld(int pairs, int d, double flips, Rng& rng, int groupOffset = 0)
{
    PairWorld world;
    world.rows = gaussianRows(2 * pairs, d, rng);
    world.truth = gaussianVector(d, rng).normalized();
    for (int i = 0; i < pairs; ++i) {
        const double margin
            = (world.rows.row(2 * i) - world.rows.row(2 * i + 1)).cast<double>().dot(world.truth);
        const bool firstWins = (margin > 0) != (rng.uniform() < flips);
        world.examples.pairs.push_back(
            { 2 * i + (firstWins ? 0 : 1), 2 * i + (firstWins ? 1 : 0), groupOffset + i / 2 });
    }
    return world;
}

/// Two classes N(+-delta/2, Sigma), Sigma = factor factor'.
struct ClassWorld {
    Rows rows;
    std::vector<LabelledRow> labels;
};

ClassWorld classWorld(int n, const Eigen::VectorXd& delta, const Eigen::MatrixXd& factor, Rng& rng)
{
    ClassWorld world;
    world.rows.resize(n, delta.size());
    for (int i = 0; i < n; ++i) {
        const int label = i % 2 == 0 ? 1 : -1;
        world.rows.row(i)
            = (factor * gaussianVector(delta.size(), rng) + .5 * label * delta).transpose().cast<float>();
        world.labels.push_back({ i, label, i / 2 });
    }
    return world;
}

double cosine(const Eigen::VectorXd& a, const Eigen::VectorXd& b) { return euclideanCosine(a, b); }

} // namespace

class TestGeometryEstimators : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void namesRoundTrip()
    {
        QCOMPARE(allMethods().size(), std::size_t(9));
        for (const Method method : allMethods())
            QVERIFY(parseMethod(methodName(method)).value() == method);
        QVERIFY(methodName(Method::Lda) == "lda");
        const Result<Method> unknown = parseMethod("dom");
        QVERIFY(!unknown.has_value());
        QVERIFY(unknown.error().kind == ErrorKind::Usage);
        QVERIFY(unknown.error().expected.find("difference-of-means") != std::string::npos);
    }

    void meanDifferenceFromFlippedPairsT25()
    {
        COMPARE_NEAR(expectedCosine(400, 20, .1), .94636, .5e-5);
        COMPARE_NEAR(pairsNeeded(.95, 20, .1), 431.7, .05);
        // theory.md 8.4: 100 pairs in 576 dimensions.
        COMPARE_NEAR(expectedCosine(100, 576), .316, .005);
        Rng rng(1);
        double sum = 0;
        const int repetitions = 60;
        for (int r = 0; r < repetitions; ++r) {
            const PairWorld world = pairWorld(400, 20, .1, rng);
            const Design design
                = Design::fromPairs(world.rows, world.examples.pairs, Standardiser::identity(20)).value();
            const DirectionFit fit = fitDirection(Method::DifferenceOfMeans, design).value();
            QVERIFY(fit.displacement.has_value());
            sum += cosine(fit.displacement->delta, world.truth);
        }
        // Simulation gives .94562; one direction scatters by about .018.
        COMPARE_NEAR(sum / repetitions, .946, .008);
    }

    void differenceOfMeansIsTheDifferenceOfMeans()
    {
        Rng rng(2);
        const PairWorld world = pairWorld(50, 6, 0, rng);
        Rows rows = world.rows;
        rows.col(2) *= 30;
        Eigen::VectorXd expected = Eigen::VectorXd::Zero(6);
        for (const Pair& pair : world.examples.pairs)
            expected += (rows.row(pair.chosen) - rows.row(pair.rejected)).transpose().cast<double>() / 50;
        const Design design = designOf(rows, world.examples).value();
        const DirectionFit fit = fitDirection(Method::DifferenceOfMeans, design).value();
        QVERIFY(distance(fit.displacement->delta, expected) < 1e-4);
        // On standardised coordinates the score direction is the displacement itself.
        const Eigen::VectorXd standardised = design.coordinates.fromRaw(fit.readOut).weights;
        QVERIFY(distance(standardised, design.coordinates.fromRaw(*fit.displacement).delta) < 1e-9);
        // Mass-mean reads raw h along the raw difference.
        const DirectionFit mass = fitDirection(Method::MassMean, design).value();
        COMPARE_NEAR(cosine(mass.readOut.weights, expected), 1.0, 1e-9);
        QVERIFY(cosine(fit.readOut.weights, expected) < .9);
    }

    void probesOnTwoClassesT44()
    {
        const Eigen::Matrix3d sigma{ { 1, .6, 0 }, { .6, 1, .2 }, { 0, .2, .5 } };
        const Eigen::Vector3d delta(1, 0, .4);
        const Eigen::MatrixXd factor = sigma.llt().matrixL();
        Rng rng(3);
        const ClassWorld training = classWorld(20000, delta, factor, rng);
        const ClassWorld test = classWorld(40000, delta, factor, rng);
        const Design design
            = Design::fromLabels(training.rows, training.labels, Standardiser::fit(training.rows).value())
                  .value();
        Examples examples;
        examples.rows = test.labels;
        const auto accuracyOf = [&](Method method) {
            const DirectionFit fit = fitDirection(method, design).value();
            return scoreReadOut(fit.readOut, test.rows, examples, 0)->accuracy.value;
        };
        COMPARE_NEAR(accuracyOf(Method::MassMean), .71161, .008);
        COMPARE_NEAR(accuracyOf(Method::Lda), .77838, .008);
        COMPARE_NEAR(accuracyOf(Method::Logistic), .77838, .008);
        COMPARE_NEAR(accuracyOf(Method::Ridge), .77838, .008);
        const DirectionFit lda = fitDirection(Method::Lda, design).value();
        QVERIFY(cosine(lda.readOut.weights, sigma.ldlt().solve(delta)) > .999);
        QVERIFY(lda.strength > 0 && lda.strength < .01);
    }

    void latFindsThePlantedComponentT45()
    {
        // l^2 = .5184 is well above 2 g = .25: E cos^2 = .6466 for n = 800, d = 100, |delta| = 1.2.
        Rng rng(4);
        const int d = 100;
        double sum = 0;
        const int repetitions = 6;
        for (int r = 0; r < repetitions; ++r) {
            const Eigen::VectorXd delta = gaussianVector(d, rng).normalized() * 1.2;
            Rows rows = gaussianRows(1600, d, rng);
            std::vector<Pair> pairs;
            for (int i = 0; i < 800; ++i) {
                rows.row(2 * i) += delta.transpose().cast<float>();
                pairs.push_back({ 2 * i, 2 * i + 1, i });
            }
            const Design design = Design::fromPairs(rows, pairs, Standardiser::identity(d)).value();
            FitOptions options;
            options.seed = static_cast<std::uint64_t>(r);
            const DirectionFit fit = fitDirection(Method::Lat, design, options).value();
            const double c = cosine(fit.readOut.weights, delta);
            QVERIFY(c > 0);
            sum += c * c;
        }
        COMPARE_NEAR(sum / repetitions, .64, .06);
    }

    void postMinusPreIsADisplacementT42()
    {
        // Tilting N(0, Sigma) along w moves every row by lambda Sigma w: the difference of means finds that,
        // not w.
        Rng rng(5);
        const int d = 5;
        Eigen::MatrixXd factor = Eigen::MatrixXd::Zero(d, d);
        factor.diagonal() << 3, 1, .5, 2, .2;
        factor(1, 0) = 1;
        const Eigen::MatrixXd sigma = factor * factor.transpose();
        const Eigen::VectorXd w = gaussianVector(d, rng);
        const Eigen::VectorXd delta = .5 * sigma * w;
        const ClassWorld world = classWorld(60000, delta, factor, rng);
        const Standardiser identity = Standardiser::identity(d);
        const Design design = Design::fromLabels(world.rows, world.labels, identity).value();
        const DirectionFit fit = fitDirection(Method::DifferenceOfMeans, design).value();
        QVERIFY(cosine(fit.displacement->delta, sigma * w) > .999);
        QVERIFY(cosine(fit.displacement->delta, w) < .9);
        std::vector<int> classes;
        for (const LabelledRow& row : world.labels)
            classes.push_back(row.label);
        const Covariance within = Covariance::withinGroups(world.rows, classes).value();
        const ReadOut readOut = within.readOut(*fit.displacement).value();
        QVERIFY(cosine(readOut.weights, w) > .99);
        COMPARE_NEAR(readOut.weights.norm(), .5 * w.norm(), .05 * w.norm());
    }

    void methodsAgreeOnAnEasyWorld_data()
    {
        QTest::addColumn<int>("method");
        QTest::addColumn<int>("kind");
        for (const Method method : allMethods())
            for (int kind = 0; kind < 3; ++kind) {
                const std::string name = std::string(methodName(method)) + " on "
                    + (kind == 0       ? "pairs"
                           : kind == 1 ? "labels"
                                       : "scores");
                QTest::newRow(name.c_str()) << static_cast<int>(method) << kind;
            }
    }
    void methodsAgreeOnAnEasyWorld()
    {
        QFETCH(int, method);
        QFETCH(int, kind);
        Rng rng(6);
        const int d = 8;
        // One coordinate carries both the label and most of the spread, so that even LAT can find it.
        const int n = 600;
        Rows rows = gaussianRows(n, d, rng);
        std::vector<Pair> pairs;
        std::vector<LabelledRow> labels;
        std::vector<ScoredRow> scores;
        for (int i = 0; i < n; ++i) {
            const int label = i % 2 == 0 ? -1 : 1;
            rows(i, 3) = static_cast<float>(3 * label + .5 * rng.normal());
            labels.push_back({ i, label, i / 2 });
            scores.push_back({ i, rows(i, 3) * 2.0 + 7, i / 2 });
            if (label > 0)
                pairs.push_back({ i, i - 1, i / 2 });
        }
        const Standardiser identity = Standardiser::identity(d);
        const Result<Design> design = kind == 0 ? Design::fromPairs(rows, pairs, identity)
            : kind == 1                         ? Design::fromLabels(rows, labels, identity)
                                                : Design::fromScores(rows, scores, identity);
        const Result<DirectionFit> fit = fitDirection(static_cast<Method>(method), *design);
        QVERIFY2(fit.has_value(), fit ? "" : fit.error().message().c_str());
        QVERIFY(fit->method == static_cast<Method>(method));
        QVERIFY(fit->converged);
        QVERIFY(!fit->note.empty());
        if (fit->method
            == Method::PcaCentred) { // every pair differs alike, and centring takes that away (T45)
            QVERIFY(std::abs(cosine(fit->readOut.weights, Eigen::VectorXd::Unit(d, 3))) < .9);
            return;
        }
        QVERIFY(fit->readOut.weights[3] > 0);
        QVERIFY(cosine(fit->readOut.weights, Eigen::VectorXd::Unit(d, 3)) > .97);
        QVERIFY(fit->trainingAccuracy > .99);
        Examples examples;
        examples.rows = labels;
        if (kind == 1)
            QVERIFY(scoreReadOut(fit->readOut, rows, examples, 0)->accuracy.value > .99);
        if (kind == 2 && fit->method == Method::Ridge) {
            // Ridge on scores predicts the score itself.
            const Eigen::VectorXd predicted = times(rows, fit->readOut.weights).array() + fit->readOut.offset;
            COMPARE_NEAR(predicted[0], scores[0].score, .1);
        }
        const bool isMove = fit->method == Method::DifferenceOfMeans || fit->method == Method::MassMean
            || fit->method == Method::Lat || fit->method == Method::Caa || fit->method == Method::Pca;
        QCOMPARE(fit->displacement.has_value(), isMove);
    }

    void degenerateTraining()
    {
        Rng rng(7);
        const Rows rows = gaussianRows(10, 3, rng);
        const Standardiser identity = Standardiser::identity(3);
        const std::vector<LabelledRow> same{ { 0, 1, 0 }, { 1, 1, 1 }, { 2, 1, 2 } };
        const Design oneClass = Design::fromLabels(rows, same, identity).value();
        for (const Method method :
             { Method::DifferenceOfMeans, Method::Logistic, Method::MassMean, Method::Lda, Method::Lat })
            QVERIFY(!fitDirection(method, oneClass).has_value());
        const std::vector<Pair> selfPairs{ { 1, 1, 0 }, { 2, 2, 1 } };
        const Design nothing = Design::fromPairs(rows, selfPairs, identity).value();
        for (const Method method : { Method::DifferenceOfMeans, Method::Ridge, Method::Logistic }) {
            const DirectionFit fit = fitDirection(method, nothing).value();
            QVERIFY(fit.readOut.weights.isZero(0));
            QCOMPARE(fit.trainingAccuracy, .5);
            QVERIFY(fit.note.find("no direction") != std::string::npos);
        }
        QVERIFY(!fitDirection(Method::Lda, nothing).has_value());
        QVERIFY(!fitDirection(Method::Lat, nothing).has_value());
        const Design fine
            = Design::fromPairs(rows, std::vector<Pair>{ { 0, 1, 0 }, { 2, 3, 1 } }, identity).value();
        QVERIFY(!fitDirection(Method::Ridge, fine, Eigen::VectorXd::Ones(3)).has_value());
    }

    void flippedLabelsTurnTheDirection()
    {
        Rng rng(8);
        const PairWorld world = pairWorld(80, 10, .1, rng);
        const Design design = designOf(world.rows, world.examples).value();
        for (const Method method :
             { Method::DifferenceOfMeans, Method::Ridge, Method::Logistic, Method::Lda, Method::Lat }) {
            const DirectionFit fit = fitDirection(method, design).value();
            const DirectionFit flipped = fitDirection(method, design, -Eigen::VectorXd::Ones(80)).value();
            COMPARE_NEAR(cosine(fit.readOut.weights, flipped.readOut.weights), -1.0, 1e-6);
        }
    }

    void heldOutScoresBesideBaselines_data()
    {
        QTest::addColumn<int>("method");
        for (const Method method :
             { Method::DifferenceOfMeans, Method::Ridge, Method::Logistic, Method::Lda })
            QTest::newRow(std::string(methodName(method)).c_str()) << static_cast<int>(method);
    }
    void heldOutScoresBesideBaselines()
    {
        QFETCH(int, method);
        Rng rng(9);
        const int d = 12;
        const PairWorld world = pairWorld(700, d, .05, rng);
        const Split split = splitByGroup(world.examples.groups(), 3.0 / 7, 1);
        const Examples training = world.examples.subset(split.training);
        const Examples heldOut = world.examples.subset(split.heldOut);
        std::vector<double> lengths(static_cast<std::size_t>(world.rows.rows()));
        for (double& length : lengths)
            length = 50 + 10 * rng.normal();
        const Rows words = gaussianRows(world.rows.rows(), 4, rng);
        const RowsRef embedding(words);
        HeldOutOptions options;
        options.seed = 5;
        const Result<LayerScore> scored = scoreLayer(
            static_cast<Method>(method), world.rows, training, heldOut, lengths, &embedding, options);
        QVERIFY2(scored.has_value(), scored ? "" : scored.error().message().c_str());
        const LayerScore& score = *scored;
        // 400 pairs, 5 % flips: cosine about .98, so the rate is near .95 x (1 - .06) + .05 x .06.
        const double c = expectedCosine(400, d, .05);
        const double right = .5 + std::asin(c) / 3.14159265358979;
        const double expected = .95 * right + .05 * (1 - right);
        COMPARE_NEAR(score.heldOut.accuracy.value, expected, .06);
        const Interval interval = score.heldOut.accuracy.interval;
        QVERIFY(interval.low < score.heldOut.accuracy.value && score.heldOut.accuracy.value < interval.high);
        COMPARE_NEAR(interval.high - interval.low, 4 * std::sqrt(expected * (1 - expected) / 300), .03);
        COMPARE_NEAR(score.crossValidated.accuracy, expected, .06);
        QCOMPARE(score.crossValidated.folds, 5);
        // The best of two draws beats the worst of two others with probability 5/6; noise takes from what is
        // over 1/2.
        const double area = .5 + (5.0 / 6 - .5) * (2 * expected - 1);
        COMPARE_NEAR(score.heldOut.auc.value, area, .06);
        COMPARE_NEAR(score.crossValidated.auc, area, .06);
        QCOMPARE(score.random.repetitions, 50);
        QCOMPARE(score.shuffled.repetitions, 20);
        // Oriented random directions agree a little; shuffled labels know nothing.
        QVERIFY(score.random.accuracy > .52 && score.random.accuracy < .68);
        QVERIFY(score.random.accuracyUpper > score.random.accuracy);
        COMPARE_NEAR(score.shuffled.accuracy, .5, .12);
        QVERIFY(score.shuffled.accuracyUpper < score.heldOut.accuracy.value);
        COMPARE_NEAR(score.length->accuracy.value, .5, .1);
        COMPARE_NEAR(score.embedding->accuracy.value, .5, .1);
        QVERIFY(score.length->accuracy.interval.isKnown() && score.embedding->auc.interval.isKnown());

        const LayerScore again
            = scoreLayer(
                  static_cast<Method>(method), world.rows, training, heldOut, lengths, &embedding, options)
                  .value();
        QCOMPARE(again.heldOut.accuracy.interval.low, score.heldOut.accuracy.interval.low);
        QCOMPARE(again.random.accuracyUpper, score.random.accuracyUpper);
        QCOMPARE(again.shuffled.auc, score.shuffled.auc);
    }

    void heldOutScoresOfLabelledRows()
    {
        Rng rng(10);
        const Eigen::VectorXd delta = Eigen::VectorXd::Unit(6, 2) * 2;
        const ClassWorld world = classWorld(600, delta, Eigen::MatrixXd::Identity(6, 6), rng);
        Examples all;
        all.rows = world.labels;
        const Split split = splitByGroup(all.groups(), .5, 2);
        std::vector<double> lengths;
        for (int i = 0; i < 600; ++i)
            lengths.push_back(i % 2 == 0 ? 10 + rng.uniform() : 10.5 + rng.uniform());
        const LayerScore score
            = scoreLayer(
                  Method::Ridge, world.rows, all.subset(split.training), all.subset(split.heldOut), lengths)
                  .value();
        // Phi(|delta|/2) = .8413 for both.
        COMPARE_NEAR(score.heldOut.accuracy.value, .8413, .05);
        COMPARE_NEAR(score.heldOut.auc.value, .9214, .04);
        COMPARE_NEAR(score.shuffled.accuracy, .5, .08);
        // Shorter is the +1 class: uniform on [10, 11] against [10.5, 11.5], boundary halfway: 3/4.
        COMPARE_NEAR(score.length->accuracy.value, .75, .06);
        QVERIFY(!score.embedding.has_value());
    }

    void lengthIsOrientedByTheTrainingPairs()
    {
        // The chosen reply is shorter in most pairs, but the few longer ones are far longer.
        std::vector<double> lengths;
        Examples training;
        for (int i = 0; i < 40; ++i) {
            lengths.push_back(i < 6 ? 1000 : 10);
            lengths.push_back(20);
            training.pairs.push_back({ 2 * i, 2 * i + 1, i });
        }
        Examples heldOut;
        heldOut.pairs = { { 20, 21, 100 }, { 22, 23, 101 } };
        QCOMPARE(lengthOnly(lengths, training, heldOut)->accuracy.value, 1.0);
    }

    void heldOutMisuse()
    {
        Rng rng(11);
        const PairWorld world = pairWorld(40, 3, 0, rng);
        QVERIFY(!scoreLayer(Method::Ridge, world.rows, world.examples, world.examples).has_value());
        QVERIFY(!scoreLayer(Method::Ridge, world.rows, world.examples, {}).has_value());
        const Examples half = world.examples.subset(std::vector<int>{ 0, 1 });
        QCOMPARE(crossValidate(Method::DifferenceOfMeans, world.rows, half)->folds, 0);
        QVERIFY(std::isnan(crossValidate(Method::DifferenceOfMeans, world.rows, half)->accuracy));
        Work stopped;
        std::stop_source source;
        source.request_stop();
        stopped.stop = source.get_token();
        const Result<CrossValidated> result
            = crossValidate(Method::DifferenceOfMeans, world.rows, world.examples, {}, stopped);
        QVERIFY(!result.has_value() && result.error().kind == ErrorKind::Cancelled);
    }

    void splitHalvesTellTheNoiseCeiling()
    {
        // n pairs in d dimensions: halves agree with cosine c(n/2)^2, the ceiling comes near c(n).
        Rng rng(12);
        const int d = 60;
        const int n = 150;
        double ceilings = 0;
        double halves = 0;
        double actual = 0;
        const int repetitions = 25;
        for (int r = 0; r < repetitions; ++r) {
            const PairWorld world = pairWorld(n, d, 0, rng);
            const Design design
                = Design::fromPairs(world.rows, world.examples.pairs, Standardiser::identity(d)).value();
            const HalfEstimator estimate = [&design](std::span<const int> items) -> Result<Eigen::VectorXd> {
                LODESTONE_TRY(
                    const DirectionFit fit, fitDirection(Method::DifferenceOfMeans, design.subset(items)));
                return fit.displacement->delta;
            };
            const NoiseCeiling ceiling
                = noiseCeiling(design.group, estimate, euclideanCosine, 8, static_cast<std::uint64_t>(r))
                      .value();
            QCOMPARE(ceiling.splits, 8);
            halves += ceiling.splitHalf / repetitions;
            ceilings += ceiling.ceiling / repetitions;
            actual
                += cosine(fitDirection(Method::DifferenceOfMeans, design)->displacement->delta, world.truth)
                / repetitions;
        }
        const double half = expectedCosine(n / 2, d);
        COMPARE_NEAR(halves, half * half, .05);
        COMPARE_NEAR(ceilings, expectedCosine(n, d), .04);
        COMPARE_NEAR(ceilings, actual, .05);
    }

    void spearmanBrownAndCeilings()
    {
        // theory.md 8.4: d = 576, n = 100: split-half .053, against the truth .316, two estimates .10.
        COMPARE_NEAR(spearmanBrown(.053), 2 * .053 / 1.053, 1e-15);
        COMPARE_NEAR(std::sqrt(spearmanBrown(.053)), .316, .002);
        COMPARE_NEAR(ceilingOfTwo(spearmanBrown(.053), spearmanBrown(.053)), .10, .002);
        QCOMPARE(spearmanBrown(-.2), 0.0);
        QCOMPARE(ceilingOfTwo(-1, 1), 0.0);
        QCOMPARE(expectedCosine(0, 10), 0.0);
        const HalfEstimator fails
            = [](std::span<const int>) -> Result<Eigen::VectorXd> { return badInput("a", "b"); };
        const Result<NoiseCeiling> failed = noiseCeiling(std::vector<int>{ 1, 2, 3 }, fails, euclideanCosine);
        QVERIFY(!failed.has_value());
        QCOMPARE(failed.error().expected, std::string("a"));
        QVERIFY(!noiseCeiling(std::vector<int>{ 1, 1 }, fails, euclideanCosine).has_value());
    }

    void speedOfALayer()
    {
        Rng rng(13);
        const int d = isSanitized ? 48 : 576;
        const PairWorld world = pairWorld(800, d, .1, rng);
        const Split split = splitByGroup(world.examples.groups(), .2, 1);
        for (const Method method : { Method::DifferenceOfMeans, Method::Ridge, Method::Logistic }) {
            QElapsedTimer timer;
            timer.start();
            const Result<LayerScore> score = scoreLayer(
                method, world.rows, world.examples.subset(split.training),
                world.examples.subset(split.heldOut));
            qInfo(
                "%s, 640 + 160 pairs, d = 576: %.0f ms, accuracy %.3f",
                std::string(methodName(method)).c_str(), static_cast<double>(timer.nsecsElapsed()) / 1e6,
                score->heldOut.accuracy.value);
            QVERIFY(score.has_value());
        }
    }
};

QTEST_GUILESS_MAIN(TestGeometryEstimators)
#include "tst_geometry_estimators.moc"
