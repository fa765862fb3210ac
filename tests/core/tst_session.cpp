// The whole pipeline on a study whose truth is planted: what each edit recomputes, whether the short ways
// through Gram matrices give what explicit vectors give, and what stands on screen when there is nothing to
// show.
#include "core/geometry/encoding.h"
#include "core/session/chance_words.h"
#include "core/session/directions.h"
#include "core/session/layer_sweep.h"
#include "core/session/pipeline.h"
#include "tests/support/geometry_support.h"
#include "tests/support/small_study.h"

#include <Eigen/LU>
#include <Eigen/QR>

#include <chrono>
#include <map>
#include <set>

using namespace lodestone;
using namespace lodestone::session;
using namespace lodestone::testing;
using constitution::Mapping;
using constitution::Principle;

namespace {

using SnapshotPointer = std::shared_ptr<const Snapshot>;

struct Bench {
    std::shared_ptr<const Foundation> foundation;
    std::unique_ptr<Pipeline> pipeline;
    Inputs inputs;
    SnapshotPointer current;

    explicit Bench(const ScratchStudy& study)
        : foundation(Foundation::open(study.study).value())
        , pipeline(std::make_unique<Pipeline>(foundation))
        , inputs(defaultInputs(*foundation, SmallStudy::top()))
    {
    }
    /// Recomputes with the present inputs; what was computed for it.
    RecomputeCounts run()
    {
        const RecomputeCounts before = pipeline->counts();
        auto next = pipeline->recompute(inputs, current);
        if (!next)
            qFatal("%s", next.error().message().c_str());
        current = *next;
        const RecomputeCounts& after = pipeline->counts();
        return { after.layer - before.layer, after.principles - before.principles, after.judge - before.judge,
                 after.meters - before.meters, after.policy - before.policy };
    }
    Principle& principle(std::size_t i) { return inputs.constitution.principles.at(i); }
    const Direction& direction(std::size_t i) const { return current->principles.at(i)->direction; }

    /// Sigma as a matrix.
    Eigen::MatrixXd sigma() const
    {
        const Eigen::Index d = current->layer->rows.cols();
        Eigen::MatrixXd result(d, d);
        for (Eigen::Index j = 0; j < d; ++j)
            result.col(j) = current->layer->sigma->apply(Eigen::VectorXd::Unit(d, j));
        return result;
    }
    /// The principles' read-outs side by side.
    Eigen::MatrixXd readOuts() const
    {
        Eigen::MatrixXd result(
            current->layer->rows.cols(), static_cast<Eigen::Index>(current->principles.size()));
        for (std::size_t i = 0; i < current->principles.size(); ++i)
            result.col(static_cast<Eigen::Index>(i)) = direction(i).readOut.weights;
        return result;
    }
    /// w'h of every row in double, centred on the training rows.
    Eigen::VectorXd scoresOf(const Eigen::VectorXd& w) const
    {
        Eigen::VectorXd scores = current->layer->rows.cast<double>() * w;
        double mean = 0;
        for (const int row : current->layer->trainingRows)
            mean += scores[row] / static_cast<double>(current->layer->trainingRows.size());
        return scores.array() - mean;
    }
    /// Share of held-out pairs whose chosen reply scores higher, ties half.
    double heldOutAccuracy(const Eigen::VectorXd& scores) const
    {
        double right = 0, count = 0;
        for (const data::Pair& pair : foundation->study->set().pairs)
            if (!foundation->training[static_cast<std::size_t>(pair.chosen)]) {
                const double margin = scores[pair.chosen] - scores[pair.rejected];
                right += margin > 0 ? 1 : margin == 0 ? 0.5 : 0;
                ++count;
            }
        return right / count;
    }
};

const ScratchStudy& smallStudy()
{
    static const ScratchStudy study;
    return study;
}

/// 200 labelled prompts: enough for the planted directions to be found well.
const ScratchStudy& largerStudy()
{
    static const ScratchStudy study({ 12, 200, 60, 6 });
    return study;
}

#define COMPARE_COUNTS(counts, layers, principlesMade, judges, metersMade, policies)                         \
    do {                                                                                                     \
        const RecomputeCounts counts_ = (counts);                                                            \
        QCOMPARE(counts_.layer, layers);                                                                     \
        QCOMPARE(counts_.principles, principlesMade);                                                        \
        QCOMPARE(counts_.judge, judges);                                                                     \
        QCOMPARE(counts_.meters, metersMade);                                                                \
        QCOMPARE(counts_.policy, policies);                                                                  \
    } while (false)

} // namespace

class TestSession : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void defaultInputsFitTheStudy()
    {
        const auto foundation = Foundation::open(smallStudy().study).value();
        const Inputs inputs = defaultInputs(*foundation);
        QVERIFY(!inputs.layer.isEmbedding());
        QVERIFY(smallStudy().study->has(inputs.layer, inputs.position));
        QVERIFY(inputs.position == data::Position::Mean);
        QCOMPARE(inputs.constitution.principles.size(), std::size_t(2));
        QCOMPARE(inputs.constitution.principles[0].value, std::string("kind"));
        QCOMPARE(inputs.constitution.principles[1].value, std::string("honest"));
        QVERIFY(defaultInputs(*foundation, SmallStudy::top()).layer == SmallStudy::top());
    }

    void firstRunComputesEverythingOnce()
    {
        Bench bench(smallStudy());
        COMPARE_COUNTS(bench.run(), 1, 2, 1, 1, 1);
        const Snapshot& snapshot = *bench.current;
        QCOMPARE(snapshot.layer->rows.rows(), Eigen::Index(152));
        QVERIFY(
            snapshot.layer->people.found() && snapshot.layer->generation.found()
            && snapshot.layer->neutral.found());
        QVERIFY(snapshot.judge->problem.empty());
        QCOMPARE(snapshot.judge->active, (std::vector<int>{ 0, 1 }));
        QCOMPARE(snapshot.judge->pairs.size(), std::size_t(40));
        QCOMPARE(
            snapshot.principles[1]->judged.unknown, (std::vector<std::string>{ "sincere", "misleading" }));
        QVERIFY(snapshot.flipped.empty());
        COMPARE_COUNTS(bench.run(), 0, 0, 0, 0, 0);
    }

    void editsRecomputeOnlyWhatDependsOnThem()
    {
        Bench bench(smallStudy());
        bench.run();
        const SnapshotPointer first = bench.current;

        bench.principle(0).weight = -0.5; // a weight: judge, meters, policy
        COMPARE_COUNTS(bench.run(), 0, 0, 1, 1, 1);
        QVERIFY(bench.current->layer == first->layer && bench.current->principles == first->principles);
        QVERIFY(bench.current->judge != first->judge);

        const auto judge = bench.current->judge;
        const auto meters = bench.current->meters;
        bench.inputs.beta = 0.25; // the KL penalty: policy
        COMPARE_COUNTS(bench.run(), 0, 0, 0, 0, 1);
        QVERIFY(bench.current->judge == judge && bench.current->meters == meters);

        bench.principle(1).on = false;
        COMPARE_COUNTS(bench.run(), 0, 0, 1, 1, 1);
        bench.principle(1).on = true;
        COMPARE_COUNTS(bench.run(), 0, 0, 1, 1, 1);
        bench.inputs.tau = 2;
        COMPARE_COUNTS(bench.run(), 0, 0, 1, 1, 1);

        const auto untouched = bench.current->principles[1];
        bench.principle(0).positive = { "kind", "polite" }; // pole words: that principle alone
        COMPARE_COUNTS(bench.run(), 0, 1, 1, 1, 1);
        QVERIFY(bench.current->principles[1] == untouched);
        QVERIFY(bench.current->principles[0] != first->principles[0]);

        bench.principle(0).name = "Another name"; // words for people: nothing
        bench.principle(0).text = "Another sentence.";
        bench.inputs.constitution.name = "Another";
        COMPARE_COUNTS(bench.run(), 0, 0, 0, 0, 0);

        bench.inputs.layer = Layer::blockOutput(1); // a layer: everything
        COMPARE_COUNTS(bench.run(), 1, 2, 1, 1, 1);
    }

    void undoneEditsAreInstant()
    {
        Bench bench(smallStudy());
        bench.run();
        const SnapshotPointer first = bench.current;
        const Inputs before = bench.inputs;
        bench.principle(0).negative = { "rude" };
        bench.run();
        bench.inputs.layer = Layer::blockOutput(0);
        bench.run();
        bench.inputs = before;
        const RecomputeCounts undone = bench.run();
        QCOMPARE(undone.layer, 0);
        QCOMPARE(undone.principles, 0);
        QVERIFY(bench.current->layer == first->layer && bench.current->principles == first->principles);
        QVERIFY(bench.current->judge->rewards == first->judge->rewards);
        QVERIFY(bench.current->fingerprint() == first->fingerprint());
    }

    void theLatestLayersAreKept()
    {
        // The study has five stages; the four last seen must still be there.
        Bench bench(smallStudy());
        const std::vector<std::pair<Layer, data::Position>> places{
            { Layer::embedding(), data::Position::Mean },
            { Layer::blockOutput(0), data::Position::Mean },
            { Layer::blockOutput(1), data::Position::Mean },
            { Layer::blockOutput(2), data::Position::Mean },
            { Layer::blockOutput(2), data::Position::Last }
        };
        const auto visit = [&](std::size_t i) {
            std::tie(bench.inputs.layer, bench.inputs.position) = places[i];
            return bench.run().layer;
        };
        for (std::size_t i = 0; i < places.size(); ++i)
            QCOMPARE(visit(i), 1);
        for (const std::size_t i : { 3, 2, 1, 4, 3, 2, 1 })
            QCOMPARE(visit(i), 0);
        QCOMPARE(visit(0), 1); // forgotten
        QCOMPARE(visit(1), 0);
    }

    void weightsMeanNothingUnderProjection()
    {
        Bench bench(smallStudy());
        bench.inputs.constitution.mapping = Mapping::Projection;
        bench.run();
        const Eigen::VectorXd rewards = bench.current->judge->rewards;
        bench.principle(0).weight = -2;
        bench.principle(1).weight = 0.01;
        COMPARE_COUNTS(bench.run(), 0, 0, 0, 0, 0);
        Bench fresh(smallStudy());
        fresh.inputs = bench.inputs;
        fresh.run();
        QVERIFY(fresh.current->judge->rewards == rewards);
        fresh.inputs.constitution.mapping = Mapping::Weighted;
        COMPARE_COUNTS(fresh.run(), 0, 0, 1, 1, 1);
        QVERIFY(distance(fresh.current->judge->rewards, rewards) > 0.1);
    }

    void projectionIsTheProjectorT2()
    {
        Bench bench(smallStudy());
        bench.inputs.constitution.mapping = Mapping::Projection;
        bench.run();
        const Eigen::MatrixXd s = bench.sigma(), u = bench.readOuts();
        const Eigen::MatrixXd projector = u * (u.transpose() * s * u).inverse() * u.transpose() * s;
        COMPARE_NEAR(distance(projector * projector, projector), 0.0, 1e-10);
        COMPARE_NEAR(projector.trace(), 2.0, 1e-10);
        const Eigen::VectorXd judge = projector * bench.current->layer->neutral.readOut.weights;
        COMPARE_NEAR(distance(bench.current->judge->rewards, bench.scoresOf(judge)), 0.0, 1e-8);
        COMPARE_NEAR(bench.current->judge->norm, std::sqrt(judge.dot(s * judge)), 1e-10);
        QVERIFY(bench.current->judge->norm < 1); // w_J is a unit direction, not within the span
    }

    void weightedIsTheWeightedSum()
    {
        Bench bench(smallStudy());
        bench.principle(0).weight = 1.5;
        bench.principle(1).weight = -0.7;
        bench.run();
        const Eigen::MatrixXd s = bench.sigma();
        Eigen::VectorXd judge = Eigen::VectorXd::Zero(s.rows());
        for (std::size_t i = 0; i < 2; ++i) {
            const Eigen::VectorXd b = bench.direction(i).readOut.weights;
            judge += bench.principle(i).weight * b / std::sqrt(b.dot(s * b));
        }
        COMPARE_NEAR(distance(bench.current->judge->rewards, bench.scoresOf(judge)), 0.0, 1e-8);
        COMPARE_NEAR(bench.current->judge->norm, std::sqrt(judge.dot(s * judge)), 1e-10);
        const auto& set = bench.foundation->study->set();
        for (const auto& judged : bench.current->judge->pairs) {
            const data::Pair& pair = set.pairs[static_cast<std::size_t>(judged.pair)];
            const double margin = judge.dot(
                (bench.current->layer->rows.row(pair.chosen) - bench.current->layer->rows.row(pair.rejected))
                    .cast<double>());
            COMPARE_NEAR(judged.p, 1 / (1 + std::exp(-margin)), 1e-7);
            QCOMPARE(judged.heldOut, !bench.foundation->training[static_cast<std::size_t>(pair.chosen)]);
        }
    }

    void theGramMatrixNeverDrifts()
    {
        Bench bench(smallStudy());
        bench.inputs.constitution.principles.push_back(constitution::neutralPrinciple());
        Rng rng(2);
        for (int edit = 0; edit < 200; ++edit) {
            bench.principle(rng.below(3)).weight = 4 * rng.uniform() - 2;
            if (edit % 20 == 19)
                bench.inputs.constitution.mapping = edit % 40 == 19 ? Mapping::Projection : Mapping::Weighted;
            bench.run();
            const JudgeStage& judge = *bench.current->judge;
            Eigen::VectorXd explicitJudge = Eigen::VectorXd::Zero(12);
            for (std::size_t i = 0; i < 3; ++i)
                explicitJudge
                    += judge.coefficients[static_cast<Eigen::Index>(i)] * bench.direction(i).readOut.weights;
            const LayerStage& layer = *bench.current->layer;
            COMPARE_NEAR(
                judge.cosTrue, layer.sigma->cosine(layer.people.readOut.weights, explicitJudge), 1e-9);
            COMPARE_NEAR(
                judge.cosGeneration, layer.sigma->cosine(layer.generation.readOut.weights, explicitJudge),
                1e-9);
            COMPARE_NEAR(
                judge.cosTrueGeneration,
                layer.sigma->cosine(layer.people.readOut.weights, layer.generation.readOut.weights), 1e-9);
            COMPARE_NEAR(judge.norm, layer.sigma->norm(explicitJudge), 1e-9);
            for (int i = 0; i < 3; ++i)
                for (int j = 0; j < 3; ++j)
                    COMPARE_NEAR(
                        judge.cosines(i, j),
                        layer.sigma->cosine(
                            bench.direction(static_cast<std::size_t>(i)).readOut.weights,
                            bench.direction(static_cast<std::size_t>(j)).readOut.weights),
                        1e-9);
        }
        QCOMPARE(bench.pipeline->counts().principles, 3);
        QCOMPARE(bench.pipeline->counts().layer, 1);
    }

    void directionsHaveNormOneAndSteerAlongSigma()
    {
        Bench bench(smallStudy());
        bench.run();
        const LayerStage& layer = *bench.current->layer;
        const Eigen::MatrixXd s = bench.sigma();
        for (const Direction* direction :
             { &layer.people, &layer.generation, &layer.neutral, &bench.direction(0), &bench.direction(1) }) {
            const Eigen::VectorXd& w = direction->readOut.weights;
            COMPARE_NEAR(w.dot(s * w), 1.0, 1e-10);
            COMPARE_NEAR(distance(direction->displacement, s * w), 0.0, 1e-10);
            COMPARE_NEAR(distance(direction->scores, bench.scoresOf(w)), 0.0, 1e-8);
            COMPARE_NEAR(direction->heldOut.accuracy.value, bench.heldOutAccuracy(direction->scores), 1e-12);
        }
    }

    void plantedDirectionsAreFound()
    {
        Bench bench(largerStudy());
        bench.run();
        const SmallStudy& truth = largerStudy().truth;
        const LayerStage& layer = *bench.current->layer;
        QVERIFY(truth.cosine(layer.people.readOut.weights, truth.people) > 0.9);
        QVERIFY(truth.cosine(layer.neutral.readOut.weights, truth.neutral) > 0.97);
        QVERIFY(truth.cosine(layer.generation.readOut.weights, truth.generation) > 0.95);
        QVERIFY(truth.cosine(bench.direction(0).readOut.weights, truth.kind) > 0.97);
        QVERIFY(truth.cosine(bench.direction(1).readOut.weights, truth.honest) > 0.97);
        QVERIFY(bench.direction(0).linearity > 0.95);
        // The estimated inner product is the planted one, to what 156 training prompts allow.
        COMPARE_NEAR(bench.current->judge->cosines(0, 1), truth.cosine(truth.kind, truth.honest), 0.12);
        COMPARE_NEAR(
            bench.current->judge->cosTrue, truth.cosine(truth.people, truth.kind + truth.honest), 0.12);
        // .8 kind + .5 honest + .3 else, label noise .3: people's direction can reach 1/2 + asin(.96)/pi =
        // .91.
        QVERIFY(layer.people.heldOut.accuracy.value > 0.8);
        QVERIFY(bench.current->judge->agreement.value > 0.8);
        COMPARE_NEAR(
            bench.current->judge->agreement.value, bench.heldOutAccuracy(bench.current->judge->rewards),
            1e-12);
    }

    void principlesAreScoredOnTheirValue()
    {
        Bench bench(largerStudy());
        bench.run();
        const auto& set = bench.foundation->study->set();
        for (std::size_t i = 0; i < 2; ++i) {
            double right = 0, direct = 0, count = 0, all = 0;
            for (const data::Pair& pair : set.pairs) {
                if (pair.value != bench.principle(i).value)
                    continue;
                const Eigen::VectorXd& answers = bench.current->principles[i]->judged.scores;
                direct += answers[pair.chosen] > answers[pair.rejected] ? 1 : 0;
                ++all;
                if (bench.foundation->training[static_cast<std::size_t>(pair.chosen)])
                    continue;
                const Eigen::VectorXd& scores = bench.direction(i).scores;
                right += scores[pair.chosen] > scores[pair.rejected] ? 1 : 0;
                ++count;
            }
            QVERIFY(count > 30 && count < 50);
            COMPARE_NEAR(bench.current->principles[i]->aboutValue.accuracy.value, right / count, 1e-12);
            COMPARE_NEAR(bench.current->principles[i]->direct.accuracy.value, direct / all, 1e-12);
        }
    }

    void randomLabelsTeachNothing()
    {
        SmallStudyOptions options{ 12, 200, 10, 6 };
        options.labelNoise = 1e6; // people toss coins
        const ScratchStudy study(options);
        Bench bench(study);
        bench.run();
        COMPARE_NEAR(
            bench.current->layer->people.heldOut.accuracy.value, 0.5,
            3 * std::sqrt(0.25 / 80)); // 80 held-out pairs
        const double p = bench.current->meters->selfImprovementProbability;
        QVERIFY(p >= 0 && p <= 1);
    }

    void layersAreSweptBesideTheirBaselines()
    {
        const auto foundation = Foundation::open(largerStudy().study).value();
        SweepOptions options;
        options.method = geometry::Method::Ridge;
        int heard = 0;
        const auto sweep = sweepLayers(*foundation, {}, options, {}, [&](const SweepRow&) { ++heard; });
        VERIFY_OK(sweep);
        QCOMPARE(sweep->rows.size(), std::size_t(4));
        QCOMPARE(heard, 4);
        int training = 0;
        for (const data::Pair& pair : foundation->study->set().pairs)
            training += foundation->training[static_cast<std::size_t>(pair.chosen)] ? 1 : 0;
        QVERIFY(std::abs(training - 120) < 10); // 156 of 260 prompts, with and without labels
        QCOMPARE(sweep->training, training);
        QCOMPARE(sweep->heldOut, 200 - training);
        QVERIFY(sweep->pairs);
        QVERIFY(sweep->rows[0].layer.isEmbedding());
        for (std::size_t i = 0; i < 4; ++i) {
            const SweepRow& row = sweep->rows[i];
            COMPARE_NEAR(row.shuffled.accuracy, 0.5, 0.06);
            QVERIFY(
                row.shuffled.accuracyUpper
                < 0.85); // a random direction of 12 coordinates has sd near 0.11 here
            QVERIFY(row.length && std::abs(row.length->accuracy.value - 0.5) < 0.17);
            QVERIFY(
                row.accuracy.interval.low <= row.accuracy.value
                && row.accuracy.value <= row.accuracy.interval.high);
        }
        COMPARE_NEAR(sweep->rows[0].accuracy.value, 0.5, 0.17); // the embedding carries nothing
        QVERIFY(
            sweep->rows[1].accuracy.value > 0.6
            && sweep->rows[1].accuracy.value < sweep->rows[3].accuracy.value);
        QVERIFY(sweep->rows[3].accuracy.value > 0.8);
        QVERIFY(sweep->best >= 2);
        // Chosen inside training: no row's cross-validated score beats the best one's.
        for (const SweepRow& row : sweep->rows)
            QVERIFY(row.crossValidated <= sweep->rows[static_cast<std::size_t>(sweep->best)].crossValidated);
    }

    void judgmentsAreSweptWhereTheEmbeddingHoldsFewerRows()
    {
        // The embedding was captured for replies in pairs only, the other layers for all.
        const auto foundation = Foundation::open(largerStudy().study).value();
        const auto judged = foundation->cloze->judge(defaultInputs(*foundation).constitution.principles[0]);
        VERIFY_OK(judged);
        SweepOptions options;
        options.method = geometry::Method::Ridge;
        const auto sweep = sweepLayers(*foundation, { judged->scores, {} }, options);
        VERIFY_OK(sweep);
        QCOMPARE(sweep->rows.size(), std::size_t(4));
        QVERIFY(sweep->rows[3].linearity > 0.95);
        QVERIFY(std::abs(sweep->rows[0].linearity) < 0.3);
        QVERIFY(sweep->rows[3].embedding.has_value());
        COMPARE_NEAR(sweep->rows[3].embedding->accuracy.value, sweep->rows[0].accuracy.value, 1e-12);
    }

    void sweepErrors()
    {
        const auto foundation = Foundation::open(smallStudy().study).value();
        SweepOptions options;
        options.layers = { Layer::blockOutput(17) };
        VERIFY_FAILS(sweepLayers(*foundation, {}, options), "block 17 output");
        options.layers = {};
        VERIFY_FAILS(sweepLayers(*foundation, { {}, "punctual" }, options), "'punctual'");
        std::stop_source stop;
        stop.request_stop();
        const auto stopped = sweepLayers(*foundation, {}, options, Work{ stop.get_token(), {} });
        QVERIFY(!stopped && stopped.error().kind == ErrorKind::Cancelled);
    }

    void aPrincipleSwitchedOffDropsOut()
    {
        Bench bench(smallStudy());
        bench.principle(1).on = false;
        bench.run();
        QCOMPARE(bench.current->judge->active, (std::vector<int>{ 0 }));
        COMPARE_NEAR(distance(bench.current->judge->rewards, bench.direction(0).scores), 0.0, 1e-10);
        Bench without(smallStudy());
        without.inputs.constitution.principles.pop_back();
        without.run();
        QVERIFY(without.current->judge->rewards == bench.current->judge->rewards);
        QCOMPARE(without.current->judge->cosTrue, bench.current->judge->cosTrue);
    }

    void noPrincipleIsOn()
    {
        Bench bench(smallStudy());
        bench.run();
        bench.principle(0).on = bench.principle(1).on = false;
        bench.run();
        const JudgeStage& judge = *bench.current->judge;
        QVERIFY(!judge.problem.empty());
        QVERIFY(judge.active.empty());
        QCOMPARE(judge.pairs.size(), std::size_t(40));
        for (const auto& pair : judge.pairs)
            QCOMPARE(pair.p, 0.5);
        QVERIFY(judge.rewards.isZero(0));
        QCOMPARE(judge.norm, 0.0);
        COMPARE_NEAR(bench.current->policy->tilt.kl, 0.0, 1e-15);
        COMPARE_NEAR(bench.current->policy->tilt.winRate, 0.5, 1e-12);
        QCOMPARE(bench.current->policy->gaussianValueGain, 0.0);
        VERIFY_OK(bench.pipeline->refine(bench.current));
        bench.inputs.constitution.principles.clear();
        bench.run();
        QVERIFY(!bench.current->judge->problem.empty());
        bench.inputs = defaultInputs(*bench.foundation, SmallStudy::top());
        bench.run();
        QVERIFY(bench.current->judge->problem.empty());
    }

    void collinearPrinciples()
    {
        Bench single(smallStudy());
        single.inputs.constitution.principles.pop_back();
        single.run();
        Bench twice(smallStudy());
        twice.inputs.constitution.principles[1] = twice.principle(0);
        twice.principle(1).id = "again";
        twice.run();
        QVERIFY(twice.current->judge->problem.empty());
        COMPARE_NEAR(twice.current->judge->cosines(0, 1), 1.0, 1e-12);
        COMPARE_NEAR(distance(twice.current->judge->rewards, 2 * single.current->judge->rewards), 0.0, 1e-10);
        // The span is the same line, so its projector is the same.
        single.inputs.constitution.mapping = twice.inputs.constitution.mapping = Mapping::Projection;
        single.run();
        twice.run();
        COMPARE_NEAR(distance(twice.current->judge->rewards, single.current->judge->rewards), 0.0, 1e-9);
        COMPARE_NEAR(twice.current->judge->cosTrue, single.current->judge->cosTrue, 1e-9);
    }

    void principlesThatCancel_data()
    {
        QTest::addColumn<QList<double>>("weights"); // of the principle, of itself again, and of its opposite
        QTest::newRow("exactly") << QList<double>{ 1, 0, 1 };
        QTest::newRow("by a sign") << QList<double>{ 1, -1, 0 };
        QTest::newRow("up to rounding") << QList<double>{ 0.1, 0.2, 0.3 };
        QTest::newRow("up to rounding, larger") << QList<double>{ 0.7, 1.1, 1.8 };
    }
    void principlesThatCancel()
    {
        QFETCH(QList<double>, weights);
        Bench bench(smallStudy());
        Principle again = bench.principle(0), opposite = bench.principle(0);
        again.id = "again";
        opposite.id = "opposite";
        std::swap(opposite.positive, opposite.negative);
        bench.inputs.constitution.principles = { bench.principle(0), again, opposite };
        for (int i = 0; i < 3; ++i)
            bench.principle(static_cast<std::size_t>(i)).weight = weights[i];
        bench.run();
        const JudgeStage& judge = *bench.current->judge;
        QVERIFY(!judge.problem.empty());
        QCOMPARE(judge.norm, 0.0);
        for (const auto& pair : judge.pairs)
            QCOMPARE(pair.p, 0.5);
        // Nothing is read off the last bits: every pair is a tie.
        QCOMPARE(judge.heldOut.accuracy.value, 0.5);
        QCOMPARE(judge.agreement.value, 0.5);
        QCOMPARE(judge.cosTrue, 0.0);
        COMPARE_NEAR(bench.current->policy->tilt.kl, 0.0, 1e-15);
    }

    void unknownWordsMakeAProblemNotAnError()
    {
        Bench bench(smallStudy());
        bench.principle(0).positive = { "zyx" };
        bench.run();
        QVERIFY(!bench.current->principles[0]->direction.found());
        QVERIFY(bench.current->principles[0]->problem.find("zyx") != std::string::npos);
        QCOMPARE(bench.current->judge->active, (std::vector<int>{ 1 }));
        bench.principle(0).positive = { "rude" }; // in both poles
        bench.run();
        QVERIFY(bench.current->principles[0]->problem.find("'rude'") != std::string::npos);
    }

    void aStudyWithoutClozeStates()
    {
        const ScratchStudy study;
        nlohmann::json manifest = nlohmann::json::parse(bytesOf(study.scratch / "study.json"));
        manifest.erase("cloze");
        manifest.erase("likelihood");
        study.scratch.write("study.json", manifest.dump());
        const auto opened = data::Study::open(study.scratch.path());
        VERIFY_OK(opened);
        const auto foundation = Foundation::open(*opened).value();
        QVERIFY(!foundation->cloze && !foundation->noCloze.empty());
        QVERIFY(foundation->likelihoods.empty());
        Pipeline pipeline(foundation);
        Inputs inputs = defaultInputs(*foundation, SmallStudy::top());
        for (const Mapping mapping : { Mapping::Weighted, Mapping::Projection }) {
            inputs.constitution.mapping = mapping;
            const auto snapshot = pipeline.recompute(inputs, nullptr);
            VERIFY_OK(snapshot);
            QVERIFY((*snapshot)->layer->people.found());
            QVERIFY(!(*snapshot)->layer->generation.found() && !(*snapshot)->layer->neutral.found());
            QVERIFY(!(*snapshot)->principles[0]->problem.empty());
            QVERIFY(!(*snapshot)->judge->problem.empty());
            QVERIFY(std::isnan((*snapshot)->meters->generationAccuracy.value));
            QVERIFY(std::isfinite((*snapshot)->meters->encodingQuality.value));
        }
    }

    void projectionNeedsTheNeutralJudgment()
    {
        // The words good and bad are not in the table: kind still is.
        const ScratchStudy study;
        nlohmann::json list = nlohmann::json::parse(bytesOf(study.scratch / "judgments/words.json"));
        list.erase(
            std::remove_if(
                list.begin(), list.end(),
                [](const nlohmann::json& entry) {
                    return entry["word"] == "good" || entry["word"] == "bad";
                }),
            list.end());
        study.scratch.write("judgments/words.json", list.dump());
        const auto opened = data::Study::open(study.scratch.path());
        VERIFY_OK(opened);
        const auto foundation = Foundation::open(*opened).value();
        Pipeline pipeline(foundation);
        Inputs inputs = defaultInputs(*foundation, SmallStudy::top());
        inputs.constitution.mapping = Mapping::Projection;
        const auto snapshot = pipeline.recompute(inputs, nullptr);
        VERIFY_OK(snapshot);
        QVERIFY((*snapshot)->judge->problem.find("neutral") != std::string::npos);
        for (const auto& pair : (*snapshot)->judge->pairs)
            QCOMPARE(pair.p, 0.5);
        inputs.constitution.mapping = Mapping::Weighted;
        QVERIFY(pipeline.recompute(inputs, nullptr).value()->judge->problem.empty());
    }

    void aStudyWithoutLabels()
    {
        const ScratchStudy study;
        study.scratch.write("pairs.jsonl", "");
        const auto opened = data::Study::open(study.scratch.path());
        VERIFY_OK(opened);
        const auto foundation = Foundation::open(*opened).value();
        Pipeline pipeline(foundation);
        const auto snapshot = pipeline.recompute(defaultInputs(*foundation, SmallStudy::top()), nullptr);
        VERIFY_OK(snapshot);
        QVERIFY(!(*snapshot)->layer->people.found());
        QVERIFY((*snapshot)->principles[0]->direction.found());
        QVERIFY((*snapshot)->judge->problem.empty());
        QVERIFY((*snapshot)->judge->pairs.empty());
        QVERIFY(std::isnan((*snapshot)->meters->judgeAccuracy.value));
        QVERIFY((*snapshot)->policy->tilt.rewardGain > 0);
        QCOMPARE((*snapshot)->policy->tilt.valueGain, 0.0);
        VERIFY_OK(pipeline.refine(*snapshot));
    }

    void flippedPairsOfTheLastEdit()
    {
        Bench bench(smallStudy());
        bench.run();
        const Eigen::VectorXd before = bench.current->judge->rewards;
        bench.principle(0).weight = -1;
        bench.run();
        const Eigen::VectorXd after = bench.current->judge->rewards;
        const auto& pairs = bench.foundation->study->set().pairs;
        std::vector<int> expected;
        for (std::size_t i = 0; i < pairs.size(); ++i)
            if ((before[pairs[i].chosen] > before[pairs[i].rejected])
                != (after[pairs[i].chosen] > after[pairs[i].rejected]))
                expected.push_back(static_cast<int>(i));
        QVERIFY(!expected.empty());
        QCOMPARE(bench.current->flipped, expected);
        bench.inputs.beta = 0.5; // flips nothing, and forgets nothing
        bench.run();
        QCOMPARE(bench.current->flipped, expected);
        bench.principle(0).weight = -1.0001;
        bench.run();
        QVERIFY(bench.current->flipped.empty());
    }

    void metersAreTheirFormulas()
    {
        Bench bench(largerStudy());
        bench.principle(0).weight = 0.8;
        bench.run();
        const auto kept = bench.current; // the stages live as long as it does
        const MeterStage& meters = *kept->meters;
        const LayerStage& layer = *kept->layer;
        const double pi = std::acos(-1.0);
        const double people = bench.heldOutAccuracy(layer.people.scores),
                     judge = bench.heldOutAccuracy(bench.current->judge->rewards);
        const Eigen::VectorXd proxy = bench.foundation->generationScores();
        const double generation = bench.heldOutAccuracy(proxy);
        COMPARE_NEAR(meters.encodingQuality.value, std::pow(std::sin(pi * (people - 0.5)), 2), 1e-12);
        COMPARE_NEAR(meters.judgeAccuracy.value, judge, 1e-12);
        COMPARE_NEAR(meters.generationAccuracy.value, generation, 1e-12);
        COMPARE_NEAR(meters.gap.value, judge - generation, 1e-12);
        COMPARE_NEAR(
            meters.shareOfCeiling.value, std::sin(pi * (judge - 0.5)) / std::sin(pi * (people - 0.5)), 1e-12);
        // The cosine on prompts that trained neither direction: correlation of scores about their prompt's
        // mean.
        std::map<int, std::vector<Eigen::Index>> byPrompt;
        for (Eigen::Index i = 0; i < layer.rows.rows(); ++i)
            if (!bench.foundation->training[static_cast<std::size_t>(i)])
                byPrompt[bench.foundation->groups[static_cast<std::size_t>(i)]].push_back(i);
        double xx = 0, yy = 0, xy = 0;
        for (const auto& [prompt, rows] : byPrompt) {
            double x = 0, y = 0;
            for (const Eigen::Index i : rows) {
                x += layer.people.scores[i] / static_cast<double>(rows.size());
                y += bench.current->judge->rewards[i] / static_cast<double>(rows.size());
            }
            for (const Eigen::Index i : rows) {
                xx += std::pow(layer.people.scores[i] - x, 2);
                yy += std::pow(bench.current->judge->rewards[i] - y, 2);
                xy += (layer.people.scores[i] - x) * (bench.current->judge->rewards[i] - y);
            }
        }
        COMPARE_NEAR(meters.efficiency.value, xy / std::sqrt(xx * yy), 1e-9);
        QVERIFY(
            std::abs(meters.efficiency.value - bench.current->judge->cosTrue)
            < 0.1); // training Sigma, about the same
        COMPARE_NEAR(meters.ceilingKl, std::pow(bench.current->judge->norm, 2) / 2, 1e-12);
        COMPARE_NEAR(
            meters.ceiling.value, std::sqrt(meters.encodingQuality.value) * bench.current->judge->norm,
            1e-12); // sqrt(q) sqrt(2 K)
        for (const geometry::Estimate* estimate :
             { &meters.encodingQuality, &meters.judgeAccuracy, &meters.generationAccuracy, &meters.gap,
               &meters.shareOfCeiling, &meters.ceiling, &meters.efficiency, &meters.cosTrueGeneration,
               &meters.cosJudgeGeneration }) {
            QVERIFY(estimate->interval.isKnown());
            // Cosines are intervals of held-out correlations, around the cosine to their width.
            const double width = estimate->interval.high - estimate->interval.low;
            QVERIFY(
                estimate->interval.low - width <= estimate->value
                && estimate->value <= estimate->interval.high + width);
        }
        QVERIFY(meters.selfImprovementProbability > 0.99); // kind and honest are what people want
        // The mirror image: judge turned round.
        bench.principle(0).weight = -0.8;
        bench.principle(1).weight = -1;
        bench.run();
        COMPARE_NEAR(bench.current->meters->judgeAccuracy.value, 1 - judge, 1e-12);
        COMPARE_NEAR(bench.current->meters->efficiency.value, -meters.efficiency.value, 1e-12);
        QVERIFY(bench.current->meters->selfImprovementProbability < 0.01);
        QVERIFY(bench.current->policy->tilt.valueGain < 0);
    }

    void lengthIsTakenOutOfTheGenerationScore()
    {
        const auto foundation = Foundation::open(smallStudy().study).value();
        const SmallStudy& truth = smallStudy().truth;
        // Least squares of log p(y|x) - log p(y) on length over the training rows, with an intercept.
        std::vector<int> training;
        for (std::size_t i = 0; i < foundation->training.size(); ++i)
            if (foundation->training[i])
                training.push_back(static_cast<int>(i));
        Eigen::MatrixXd x(static_cast<Eigen::Index>(training.size()), 2);
        Eigen::VectorXd y(x.rows());
        for (Eigen::Index i = 0; i < x.rows(); ++i) {
            const int row = training[static_cast<std::size_t>(i)];
            x.row(i) << 1, truth.likelihoods(row, 2);
            y[i] = truth.likelihoods(row, 0) - truth.likelihoods(row, 1);
        }
        const Eigen::VectorXd solution = x.colPivHouseholderQr().solve(y);
        const Eigen::VectorXd expected
            = truth.likelihoods.col(0) - truth.likelihoods.col(1) - solution[1] * truth.likelihoods.col(2);
        COMPARE_NEAR(distance(foundation->generationScores(), expected), 0.0, 1e-9);
        QVERIFY(solution[1] > 0.05); // planted .1 a token
        using Kind = Foundation::LikelihoodKind;
        COMPARE_NEAR(
            distance(foundation->likelihoodScores(Kind::Total), truth.likelihoods.col(0)), 0.0, 1e-12);
        COMPARE_NEAR(
            distance(
                foundation->likelihoodScores(Kind::PerToken),
                truth.likelihoods.col(0).cwiseQuotient(truth.likelihoods.col(2))),
            0.0, 1e-12);
    }

    void policyIsTheTiltOfHeldOutCandidates()
    {
        Bench bench(smallStudy());
        bench.inputs.beta = 0.5;
        bench.run();
        const LayerStage& layer = *bench.current->layer;
        const auto& set = bench.foundation->study->set();
        QVERIFY(!layer.poolFromPairs);
        std::set<int> expectedPrompts;
        for (std::size_t i = bench.foundation->study->set().pairs.size() * 2; i < set.responses.size(); ++i)
            if (!bench.foundation->training[i])
                expectedPrompts.insert(set.responses[i].prompt);
        QCOMPARE(layer.pool.prompts.size(), expectedPrompts.size());
        for (const auto& prompt : layer.pool.prompts) {
            QCOMPARE(prompt.rows.size(), std::size_t(6));
            for (const int row : prompt.rows)
                QVERIFY(expectedPrompts.count(set.responses[static_cast<std::size_t>(row)].prompt) == 1);
        }
        const PolicyStage& policy = *bench.current->policy;
        const Eigen::VectorXd& r = bench.current->judge->rewards;
        double kl = 0, gain = 0;
        for (const auto& prompt : layer.pool.prompts) {
            double z = 0;
            for (const int row : prompt.rows)
                z += std::exp(2 * r[row]);
            for (const int row : prompt.rows) {
                const double p = std::exp(2 * r[row]) / z;
                kl += p * std::log(6 * p) / static_cast<double>(layer.pool.prompts.size());
                gain += (p - 1 / 6.0) * layer.people.scores[row]
                    / static_cast<double>(layer.pool.prompts.size());
            }
        }
        QCOMPARE(policy.tilt.lambda, 2.0);
        COMPARE_NEAR(policy.tilt.kl, kl, 1e-12);
        COMPARE_NEAR(policy.tilt.valueGain, gain, 1e-12);
        COMPARE_NEAR(policy.largestKl, std::log(6.0), 1e-12);
        const double s = bench.current->judge->norm;
        COMPARE_NEAR(policy.gaussianKl, 4 * s * s / 2, 1e-12);
        COMPARE_NEAR(policy.gaussianRewardGain, 2 * s * s, 1e-12);
        COMPARE_NEAR(policy.gaussianValueGain, 2 * s * bench.current->judge->cosTrue, 1e-12);
        QCOMPARE(policy.curve.front().lambda, 0.0);
        COMPARE_NEAR(policy.curve.back().lambda * s, 8.0, 1e-12);
        for (std::size_t i = 0; i < policy.curve.size(); ++i) {
            const auto at = policy::tilt(layer.pool, r, layer.people.scores, policy.curve[i].lambda);
            COMPARE_NEAR(policy.curve[i].kl, at.kl, 1e-12);
            COMPARE_NEAR(policy.curve[i].valueGain, at.valueGain, 1e-12);
            QVERIFY(policy.curve[i].kl <= policy.largestKl);
            QVERIFY(
                i == 0
                || (policy.curve[i].kl > policy.curve[i - 1].kl
                    && policy.curve[i].rewardGain > policy.curve[i - 1].rewardGain));
        }
        QVERIFY(
            policy.movers.risen.size() == 4
            && policy.movers.risen[0].logRatio >= policy.movers.risen[3].logRatio);
    }

    void withoutSamplesThePairsAreThePool()
    {
        Bench bench(smallStudy());
        bench.inputs.layer = Layer::embedding();
        bench.run();
        QCOMPARE(bench.current->layer->rows.rows(), Eigen::Index(80));
        QVERIFY(bench.current->layer->poolFromPairs);
        QCOMPARE(
            bench.current->layer->pool.prompts.size(),
            static_cast<std::size_t>(bench.current->layer->examples.heldOut.size()));
        COMPARE_NEAR(bench.current->policy->largestKl, std::log(2.0), 1e-12);
        bench.inputs.beta = 0.01;
        bench.run();
        QVERIFY(bench.current->policy->tilt.kl < std::log(2.0));
        QCOMPARE(bench.current->judge->pairs.size(), std::size_t(40));
    }

    void everythingIsDeterministicInTheSeed()
    {
        Bench a(smallStudy()), b(smallStudy()), other(smallStudy());
        other.inputs.seed = 7;
        a.run();
        b.run();
        other.run();
        QVERIFY(a.current->judge->rewards == b.current->judge->rewards);
        QCOMPARE(a.current->judge->agreement.interval.low, b.current->judge->agreement.interval.low);
        QCOMPARE(a.current->meters->efficiency.interval.low, b.current->meters->efficiency.interval.low);
        QCOMPARE(
            a.current->policy->intervals.valueGain.interval.high,
            b.current->policy->intervals.valueGain.interval.high);
        QCOMPARE(
            a.pipeline->refine(a.current).value()->meters->efficiencyNoiseCeiling,
            b.pipeline->refine(b.current).value()->meters->efficiencyNoiseCeiling);
        QVERIFY(a.current->fingerprint() == b.current->fingerprint());
        // Another seed draws other resamples of the same numbers.
        QVERIFY(a.current->judge->rewards == other.current->judge->rewards);
        QVERIFY(a.current->meters->efficiency.interval.low != other.current->meters->efficiency.interval.low);
        QVERIFY(!(a.current->fingerprint() == other.current->fingerprint()));
    }

    void fingerprintsTellInputsApart()
    {
        Bench bench(smallStudy());
        bench.run();
        std::set<std::string> seen{ bench.current->fingerprint().hex() };
        const Inputs original = bench.inputs;
        const std::vector<std::function<void(Inputs&)>> edits{
            [](Inputs& i) { i.beta = 2; },
            [](Inputs& i) { i.tau = 2; },
            [](Inputs& i) { i.layer = Layer::blockOutput(1); },
            [](Inputs& i) { i.position = data::Position::Last; },
            [](Inputs& i) { i.constitution.principles[0].weight = 1.5; },
            [](Inputs& i) { i.constitution.principles[0].on = false; },
            [](Inputs& i) { i.constitution.mapping = Mapping::Projection; },
            [](Inputs& i) { i.constitution.principles[1].positive = { "truthful" }; }
        };
        for (const auto& edit : edits) {
            bench.inputs = original;
            edit(bench.inputs);
            bench.run();
            QVERIFY(seen.insert(bench.current->fingerprint().hex()).second);
        }
    }

    void refineFillsTheNoiseCeiling()
    {
        Bench bench(smallStudy());
        bench.run();
        QVERIFY(std::isnan(bench.current->meters->efficiencyNoiseCeiling));
        const auto refined = bench.pipeline->refine(bench.current);
        VERIFY_OK(refined);
        const double ceiling = (*refined)->meters->efficiencyNoiseCeiling;
        const geometry::Interval spread = (*refined)->meters->efficiencyNoiseCeilingInterval;
        QVERIFY(spread.isKnown() && spread.low >= 0 && spread.high <= 1);
        QVERIFY(spread.low < ceiling && ceiling < spread.high + 0.2);
        QVERIFY2(ceiling > 0 && ceiling <= 1, std::to_string(ceiling).c_str());
        QCOMPARE((*refined)->meters->efficiency.value, bench.current->meters->efficiency.value);
        QVERIFY((*refined)->judge == bench.current->judge && (*refined)->policy == bench.current->policy);
        // It stays while only the policy changes, and goes with the judge.
        bench.current = *refined;
        bench.inputs.beta = 0.3;
        bench.run();
        QCOMPARE(bench.current->meters->efficiencyNoiseCeiling, ceiling);
        bench.principle(0).weight = 0.3;
        bench.run();
        QVERIFY(std::isnan(bench.current->meters->efficiencyNoiseCeiling));
        // More prompts, less noise; labels by chance, nothing to see.
        Bench larger(largerStudy());
        larger.run();
        QVERIFY(larger.pipeline->refine(larger.current).value()->meters->efficiencyNoiseCeiling > ceiling);
        QVERIFY(larger.pipeline->refine(larger.current).value()->meters->efficiencyNoiseCeiling > 0.8);
    }

    void randomWordsStandBesideAPrinciple()
    {
        SmallStudyOptions options;
        options.width = 60;
        options.genericPrinciples = 20; // directions of their own, which people's labels know nothing of
        const ScratchStudy study(options);
        Bench bench(study);
        bench.run();
        QVERIFY(std::all_of(
            bench.current->chanceWords.begin(), bench.current->chanceWords.end(),
            [](const auto& one) { return one == nullptr; }));
        bench.current = bench.pipeline->refine(bench.current).value();
        const auto chance = bench.current->chanceWords.at(0);
        QVERIFY(chance && chance->size() == 40);
        const double mean = std::accumulate(chance->begin(), chance->end(), 0.0) / 40;
        QVERIFY2(std::abs(mean - 0.5) < 0.12, qPrintable(QString::number(mean)));
        const double own = bench.current->principles[0]->aboutValue.accuracy.value;
        QVERIFY(own > 0.7);
        // By hand: how many draws reach as far.
        int reach = 0;
        for (const double one : *chance)
            reach += one >= own;
        QCOMPARE(session::shareByChance(*chance, own), reach / 40.0);
        QVERIFY2(reach <= 6, qPrintable(QString::number(reach)));
        QCOMPARE(session::shareByChance(*chance, 0), 1.0);
        QVERIFY(std::isnan(session::shareByChance({}, 0.5)));
        // A weight keeps them, other words are compared anew.
        bench.principle(0).weight = 0.3;
        bench.run();
        QVERIFY(bench.current->chanceWords.at(0) == chance);
        bench.principle(0).positive = { "up0" };
        bench.principle(0).negative = { "down0" };
        bench.run();
        QVERIFY(!bench.current->chanceWords.at(0));
        QVERIFY(bench.current->chanceWords.at(1));
        bench.current = bench.pipeline->refine(bench.current).value();
        QVERIFY(
            session::shareByChance(
                *bench.current->chanceWords.at(0), bench.current->principles[0]->aboutValue.accuracy.value)
            > 0.05);
    }

    void workCanBeStopped()
    {
        Bench bench(smallStudy());
        std::stop_source stop;
        stop.request_stop();
        const auto stopped = bench.pipeline->recompute(bench.inputs, nullptr, Work{ stop.get_token(), {} });
        QVERIFY(!stopped && stopped.error().kind == ErrorKind::Cancelled);
        bench.run();
        const auto refined = bench.pipeline->refine(bench.current, Work{ stop.get_token(), {} });
        QVERIFY(!refined && refined.error().kind == ErrorKind::Cancelled);
    }

    void whatTheStudyHasNotIsAnError()
    {
        Bench bench(smallStudy());
        bench.inputs.layer = Layer::blockOutput(9);
        VERIFY_FAILS(bench.pipeline->recompute(bench.inputs, nullptr), "block 9 output", "mean");
        bench.inputs.layer = Layer::blockOutput(1);
        bench.inputs.position = data::Position::Last;
        VERIFY_FAILS(bench.pipeline->recompute(bench.inputs, nullptr), "block 1 output", "last");
        QVERIFY(availablePosition(*bench.foundation->study, data::Position::Last) == data::Position::Last);
    }

    void anotherDivisionIsAnotherLayer()
    {
        Bench bench(smallStudy());
        bench.run();
        const auto halves = Foundation::open(smallStudy().study, 0.5).value();
        QVERIFY(halves->training != bench.foundation->training);
        bench.pipeline->setFoundation(halves);
        QCOMPARE(bench.run().layer, 1);
        const auto inTraining = std::count(halves->training.begin(), halves->training.end(), true);
        QCOMPARE(static_cast<std::ptrdiff_t>(bench.current->layer->trainingRows.size()), inTraining);
        // A foundation that only knows more words keeps layers and principles.
        auto extended = std::make_shared<Foundation>(*halves);
        bench.pipeline->setFoundation(extended);
        COMPARE_COUNTS(bench.run(), 0, 0, 0, 0, 0);
    }

    void judgmentsOfSomeResponsesAreEnough()
    {
        Bench bench(largerStudy());
        bench.run();
        const LayerStage& layer = *bench.current->layer;
        Eigen::VectorXd judgments = bench.current->principles[0]->judged.scores;
        const auto whole = directionFromScores(*bench.foundation, layer, judgments, 0);
        VERIFY_OK(whole);
        const std::vector<int> order = constitution::spreadOrder(static_cast<int>(judgments.size()));
        for (std::size_t i = order.size() / 3; i < order.size(); ++i)
            judgments[order[i]] = std::numeric_limits<double>::quiet_NaN();
        const auto part = directionFromScores(*bench.foundation, layer, judgments, 0);
        VERIFY_OK(part);
        QVERIFY(layer.sigma->cosine(part->readOut.weights, whole->readOut.weights) > 0.95);
        QCOMPARE(part->scores.size(), judgments.size());
        VERIFY_FAILS(
            directionFromScores(
                *bench.foundation, layer,
                Eigen::VectorXd::Constant(judgments.size(), std::numeric_limits<double>::quiet_NaN()), 0),
            "8 training responses", "found 0");
        VERIFY_FAILS(
            directionFromScores(
                *bench.foundation, layer, Eigen::VectorXd::Constant(judgments.size(), 1.0), 0),
            "norm 0");
    }

    void aTextIsJudgedOnceAModelHasReadIt()
    {
        Bench bench(largerStudy());
        bench.inputs.constitution.principles.resize(1);
        bench.principle(0).way = "conditioned-cloze";
        bench.run();
        QVERIFY(!bench.direction(0).found() && !bench.current->principles[0]->problem.empty());
        QVERIFY(!bench.current->judge->problem.empty());
        // Half of the responses are answered: a direction already, and again when all are.
        const auto withAnswers = [&](const Eigen::VectorXd& scores) {
            auto foundation = std::make_shared<Foundation>(*bench.foundation);
            foundation->conditioned[bench.principle(0).text].scores = scores;
            bench.pipeline->setFoundation(foundation);
            return bench.run().principles;
        };
        const Eigen::VectorXd whole = largerStudy().truth.rows * largerStudy().truth.kind;
        Eigen::VectorXd half = whole;
        const std::vector<int> order = constitution::spreadOrder(static_cast<int>(half.size()));
        for (std::size_t i = order.size() / 2; i < order.size(); ++i)
            half[order[i]] = std::numeric_limits<double>::quiet_NaN();
        QCOMPARE(withAnswers(half), 1);
        const SmallStudy& truth = largerStudy().truth;
        QVERIFY(truth.cosine(bench.direction(0).readOut.weights, truth.kind) > 0.97);
        const double ceiling = bench.pipeline->refine(bench.current).value()->meters->efficiencyNoiseCeiling;
        QVERIFY2(ceiling > 0.5 && ceiling <= 1, std::to_string(ceiling).c_str());
        QCOMPARE(withAnswers(whole), 1);
        QVERIFY(truth.cosine(bench.direction(0).readOut.weights, truth.kind) > 0.99);
        QCOMPARE(bench.pipeline->counts().layer, 1);
        // The text is what was asked: its words count now, its poles do not enter the answer.
        const Eigen::VectorXd scores = bench.direction(0).scores;
        bench.principle(0).positive = { "polite" };
        bench.run();
        QVERIFY(bench.direction(0).scores == scores);
        bench.principle(0).text = "Another sentence.";
        bench.run();
        QVERIFY(!bench.direction(0).found());
    }

    void anEditIsWithinAFrame()
    {
        SmallStudyOptions options{ 64, 400, 25, 8 }; // 1,000 rows
        options.genericPrinciples = 8;
        const ScratchStudy study(options);
        Bench bench(study);
        bench.inputs.constitution.principles.clear();
        for (int i = 0; i < 8; ++i) {
            Principle principle;
            principle.id = principle.name = "p" + std::to_string(i);
            principle.positive = { "up" + std::to_string(i) };
            principle.negative = { "down" + std::to_string(i) };
            bench.inputs.constitution.principles.push_back(principle);
        }
        using Clock = std::chrono::steady_clock;
        const auto milliseconds = [&] {
            const auto start = Clock::now();
            bench.run();
            return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
        };
        const auto median = [&](const std::function<void(int)>& edit) {
            std::vector<double> times;
            for (int i = 0; i < 31; ++i) {
                edit(i);
                times.push_back(milliseconds());
            }
            std::sort(times.begin(), times.end());
            return times[15];
        };
        const double first = milliseconds();
        QCOMPARE(bench.current->layer->rows.rows(), Eigen::Index(1000));
        QCOMPARE(bench.current->judge->active.size(), std::size_t(8));
        const double weight = median([&](int i) { bench.principle(3).weight = -1 + 0.06 * i; });
        const double beta = median([&](int i) { bench.inputs.beta = 0.5 + 0.05 * i; });
        const double words = median([&](int i) { // a word not asked for before, so that nothing is remembered
            bench.principle(2).positive = { "up2", "up" + std::to_string(3 + i % 5) };
            bench.principle(2).value = std::to_string(i);
        });
        qInfo(
            "1,000 rows x 64, 8 principles: first %.0f ms; median of an edit of a weight %.2f ms, of beta "
            "%.2f ms, of pole words %.2f ms",
            first, weight, beta, words);
        QCOMPARE(bench.pipeline->counts().layer, 1);
        QCOMPARE(bench.pipeline->counts().principles, 8 + 31);
        if (isSanitized)
            return;
        QVERIFY2(weight < 50, "a weight's edit took longer than 50 ms");
    }
};

QTEST_GUILESS_MAIN(TestSession)
#include "tst_session.moc"
