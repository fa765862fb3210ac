// How fast a constitution re-judges: 50,000 pairs by 16 principles, pole words of 1,000 replies, and the
// resampled difference of means of 31 layers, each beside the plain way in the same run. Fails when a limit
// is passed.
#include "core/base/rng.h"
#include "core/geometry/direction_evidence.h"
#include "core/session/judge_stage.h"
#include "core/session/layer_stage.h"
#include "core/session/pipeline.h"
#include "tests/support/geometry_support.h"
#include "tests/support/small_study.h"

#include <QElapsedTimer>
#include <QtTest>
#include <algorithm>

using namespace lodestone;
using namespace lodestone::testing;

class BenchJudge : public QObject {
    Q_OBJECT

    /// Milliseconds of each step, sorted.
    template <typename Step>
    static std::vector<double> times(int count, Step step)
    {
        std::vector<double> all;
        for (int i = 0; i < count; ++i) {
            QElapsedTimer timer;
            timer.start();
            step(i);
            all.push_back(static_cast<double>(timer.nsecsElapsed()) / 1e6);
        }
        std::sort(all.begin(), all.end());
        return all;
    }
    static double median(const std::vector<double>& all) { return all[all.size() / 2]; }
    static double high(const std::vector<double>& all) { return all[all.size() * 95 / 100]; }

private Q_SLOTS:
    void fiftyThousandPairsBySixteenPrinciples()
    {
        SmallStudyOptions options;
        options.width = 64;
        options.pairPrompts = 50000;
        options.samplePrompts = 0;
        options.genericPrinciples = 16;
        const ScratchStudy study(options);
        const auto foundation = session::Foundation::open(study.study);
        VERIFY_OK(foundation);
        session::Pipeline pipeline(*foundation);
        session::Inputs inputs = session::defaultInputs(**foundation, SmallStudy::top());
        inputs.constitution.principles.clear();
        for (int i = 0; i < 16; ++i) {
            constitution::Principle principle;
            principle.id = principle.name = "p" + std::to_string(i);
            principle.positive = { "up" + std::to_string(i) };
            principle.negative = { "down" + std::to_string(i) };
            inputs.constitution.principles.push_back(principle);
        }
        const auto made = pipeline.recompute(inputs, nullptr);
        VERIFY_OK(made);
        session::Snapshot snapshot = **made;
        QCOMPARE(snapshot.judge->active.size(), std::size_t(16));
        QCOMPARE(snapshot.judge->pairs.size(), std::size_t(50000));
        // Weight, sign, toggle: what is judged anew.
        const auto edit = times(40, [&](int i) {
            snapshot.inputs.constitution.principles[static_cast<std::size_t>(i % 16)].weight
                = i % 3 == 0 ? -1 : 1 + 0.01 * i;
            snapshot.inputs.constitution.principles[static_cast<std::size_t>((i + 5) % 16)].on = i % 4 != 0;
            snapshot.judge = session::makeJudgeStage(snapshot, {});
        });
        // The plain way: one direction on the activations, a product for each pair.
        double sum = 0;
        const auto plain = times(5, [&](int) {
            Eigen::VectorXd w = Eigen::VectorXd::Zero(options.width);
            for (std::size_t i = 0; i < 16; ++i)
                w += snapshot.inputs.constitution.principles[i].weight
                    * snapshot.principles[i]->direction.readOut.weights;
            for (const data::Pair& pair : foundation.value()->study->set().pairs)
                sum += w.dot((snapshot.layer->rows.row(pair.chosen) - snapshot.layer->rows.row(pair.rejected))
                                 .transpose()
                                 .cast<double>());
        });
        QVERIFY(std::isfinite(sum));
        // The judgments without their agreement's intervals.
        const auto judged = times(40, [&](int i) {
            Eigen::VectorXd rewards = Eigen::VectorXd::Zero(snapshot.layer->rows.rows());
            for (std::size_t p = 0; p < 16; ++p)
                rewards += (1 + 0.01 * i) * snapshot.principles[p]->direction.scores;
            sum += judgment::judgePairs((*foundation)->study->set(), rewards, 1, (*foundation)->training)
                       .back()
                       .p;
        });
        qInfo(
            "50,000 pairs by 16 principles: judgments %.1f ms (95th percentile %.1f), with the intervals of "
            "their agreement %.0f ms (%.0f); the plain products on activations of width 64 alone %.1f ms",
            median(judged), high(judged), median(edit), high(edit), median(plain));
        QVERIFY2(high(judged) < 16, "judging is slower than a frame");
        QVERIFY2(high(edit) < 400, "intervals take longer than they may");
    }

    void poleWordsOfAThousandReplies()
    {
        SmallStudyOptions options;
        options.width = 576;
        options.pairPrompts = 500;
        options.samplePrompts = 0;
        const ScratchStudy study(options);
        const auto foundation = session::Foundation::open(study.study);
        VERIFY_OK(foundation);
        session::Pipeline pipeline(*foundation);
        session::Inputs inputs = session::defaultInputs(**foundation, SmallStudy::top());
        const auto made = pipeline.recompute(inputs, nullptr);
        VERIFY_OK(made);
        const std::vector<std::vector<std::string>> poles
            = { { "kind" }, { "polite" }, { "caring" }, { "kind", "caring" }, { "polite", "caring" } };
        constitution::Principle principle = inputs.constitution.principles[0];
        principle.negative = { "rude", "cruel" };
        const auto words = times(25, [&](int i) {
            principle.positive = poles[static_cast<std::size_t>(i) % poles.size()];
            QVERIFY(session::makePrincipleStage(**foundation, *(*made)->layer, principle, {}, 0)
                        ->problem.empty());
        });
        // The plain way factorises for every set of words.
        const auto plain = times(1, [&](int) {
            const session::LayerStage& layer = *(*made)->layer;
            std::vector<geometry::ScoredRow> scored;
            for (const int row : layer.trainingRows)
                scored.push_back({ row, (*made)->principles[0]->judged.scores[row],
                                   (*foundation)->groups[static_cast<std::size_t>(row)] });
            auto design = geometry::Design::fromScores(layer.rows, scored, layer.standardiser).value();
            const auto shared = std::make_shared<const geometry::Design>(std::move(design));
            QVERIFY(geometry::RidgeFactor::make(shared).value().fit(shared->y).has_value());
        });
        qInfo(
            "pole words of 1,000 replies: %.1f ms (95th percentile %.1f), %.0f times faster than with a "
            "factorisation",
            median(words), high(words), median(plain) / median(words));
        QVERIFY2(high(words) < 16, "words are slower than a frame");
    }

    void aThousandResamplesOfThirtyOneLayers()
    {
        constexpr int pairs = 1000, width = 576, layers = 31, resamples = 1000;
        Rng rng(3);
        geometry::Design design;
        design.X = gaussianRows(pairs, width, rng);
        design.y = Eigen::VectorXd::Ones(pairs);
        design.xMean = Eigen::VectorXd::Zero(width);
        design.coordinates = geometry::Standardiser::identity(width);
        for (int i = 0; i < pairs; ++i)
            design.group.push_back(i);
        const double all = times(1, [&](int) {
            for (int layer = 0; layer < layers; ++layer)
                QVERIFY(geometry::bootstrapCone(design, resamples, 1).has_value());
        })[0];
        // The plain way: draw, gather, average; a few resamples of one layer, scaled.
        constexpr int sampled = 20;
        double sum = 0;
        const double plain = times(
                                 1,
                                 [&](int) {
                                     for (int r = 0; r < sampled; ++r) {
                                         Eigen::VectorXd mean = Eigen::VectorXd::Zero(width);
                                         for (int i = 0; i < pairs; ++i)
                                             mean += design.X.row(static_cast<Eigen::Index>(rng.below(pairs)))
                                                         .cast<double>()
                                                         .transpose();
                                         sum += mean.squaredNorm();
                                     }
                                 })[0]
            * layers * resamples / sampled;
        QVERIFY(sum > 0);
        qInfo(
            "1,000 resamples of 31 layers on 1,000 pairs: %.2f s, %.1f times faster than the plain way",
            all / 1000, plain / all);
        QVERIFY2(all < 3000, "slower than three seconds");
    }
};

QTEST_GUILESS_MAIN(BenchJudge)
#include "bench_judge.moc"
