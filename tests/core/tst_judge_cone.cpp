// Intervals of judgments against refits with each prompt left out, the lab's world, and published figures.
// ctest labels: shared
#include "core/session/judge_cone.h"
#include "core/session/pipeline.h"
#include "core/session/policy_lab.h"
#include "core/session/published.h"
#include "tests/support/geometry_support.h"
#include "tests/support/small_study.h"

#include <map>

using namespace lodestone;
using namespace lodestone::session;
using namespace lodestone::testing;

class TestJudgeCone : public QObject {
    Q_OBJECT

    ScratchFolder m_scratch;
    std::optional<SmallStudy> m_study;
    std::shared_ptr<const Foundation> m_foundation;
    std::shared_ptr<const Snapshot> m_snapshot;

private Q_SLOTS:
    void initTestCase()
    {
        m_study = writeSmallStudy(m_scratch / "study");
        m_foundation = Foundation::open(data::Study::open(m_study->folder).value()).value();
        Pipeline pipeline(m_foundation);
        Inputs inputs = defaultInputs(*m_foundation, SmallStudy::top());
        inputs.tau = 0.8;
        const auto snapshot = pipeline.recompute(inputs, nullptr);
        VERIFY_OK(snapshot);
        m_snapshot = *snapshot;
    }

    void jackknifeIsTheRefits()
    {
        const auto cone = judgeCone(*m_snapshot);
        VERIFY_OK(cone);
        const LayerStage& layer = *m_snapshot->layer;
        // Refit with each training prompt left out, by the ridge factor's own exact removal.
        std::map<int, std::vector<int>> prompts;
        for (std::size_t i = 0; i < layer.trainingRows.size(); ++i)
            prompts[m_foundation->groups[static_cast<std::size_t>(layer.trainingRows[i])]].push_back(
                static_cast<int>(i));
        const double count = static_cast<double>(prompts.size());
        QCOMPARE(cone->pairs.size(), m_snapshot->judge->pairs.size());
        std::vector<std::vector<double>> margins(cone->pairs.size());
        for (const auto& [prompt, leftOut] : prompts) {
            Eigen::VectorXd weights = Eigen::VectorXd::Zero(layer.rows.cols());
            for (std::size_t a = 0; a < m_snapshot->judge->active.size(); ++a) {
                const PrincipleStage& principle
                    = *m_snapshot->principles[static_cast<std::size_t>(m_snapshot->judge->active[a])];
                Eigen::VectorXd y(static_cast<Eigen::Index>(layer.trainingRows.size()));
                for (std::size_t i = 0; i < layer.trainingRows.size(); ++i)
                    y[static_cast<Eigen::Index>(i)] = principle.judged.scores[layer.trainingRows[i]];
                const auto fit = layer.factor->fit(y).value();
                const double norm
                    = layer.sigma->norm(layer.factor->design().toRaw(fit.weights, fit.intercept).weights);
                weights += m_snapshot->judge->coefficients[static_cast<Eigen::Index>(a)] / norm
                    * layer.factor->readOutWithout(y, fit.strength, leftOut).weights;
            }
            for (std::size_t i = 0; i < cone->pairs.size(); ++i) {
                const data::Pair& pair = m_study->set.pairs[static_cast<std::size_t>(cone->pairs[i].pair)];
                margins[i].push_back((layer.rows.row(pair.chosen) - layer.rows.row(pair.rejected))
                                         .cast<double>()
                                         .dot(weights));
            }
        }
        for (std::size_t i = 0; i < cone->pairs.size(); ++i) {
            double mean = 0, square = 0;
            for (const double margin : margins[i])
                mean += margin / count;
            for (const double margin : margins[i])
                square += (margin - mean) * (margin - mean);
            const double error = std::sqrt((count - 1) / count * square);
            const judgment::PairJudgment& judged = cone->pairs[i];
            const double margin = m_snapshot->inputs.tau * std::log(judged.p / (1 - judged.p));
            COMPARE_NEAR(judged.interval.low, judgment::preference(margin - 1.96 * error, 0, 0.8), 1e-6);
            COMPARE_NEAR(judged.interval.high, judgment::preference(margin + 1.96 * error, 0, 0.8), 1e-6);
            QVERIFY(judged.interval.low < judged.p && judged.p < judged.interval.high);
        }
        QVERIFY(cone->degrees > 0 && cone->degrees < 60);
    }

    void noDirectionNoInterval()
    {
        Pipeline pipeline(m_foundation);
        Inputs inputs = m_snapshot->inputs;
        for (auto& principle : inputs.constitution.principles)
            principle.on = false;
        VERIFY_FAILS(judgeCone(*pipeline.recompute(inputs, nullptr).value()), "direction");
    }

    void theLabsWorld()
    {
        const auto world = labWorld(*m_snapshot);
        VERIFY_OK(world);
        QCOMPARE(world->pool.candidates(), m_snapshot->layer->pool.candidates());
        QVERIFY(!world->goldIsLabels && !world->fromPairs);
        COMPARE_NEAR(policy::deviationWithin(world->pool, world->gold), 1.0, 1e-9);
        QVERIFY(world->cosine(world->gold, world->people) > 0.3); // two fits of one value
        QVERIFY((world->gold - world->unit(world->people)).norm() > 1e-3); // but not one fit
        QCOMPARE(world->humanLabels.size(), m_snapshot->layer->examples.training.pairs.size());
        for (const judgment::Comparison& pair : world->aiPairs) {
            QVERIFY(m_foundation->training[static_cast<std::size_t>(pair.a)]);
            QCOMPARE(
                m_study->set.responses[static_cast<std::size_t>(pair.a)].prompt,
                m_study->set.responses[static_cast<std::size_t>(pair.b)].prompt);
        }
        for (const auto& prompt : world->pool.prompts)
            for (const int row : prompt.rows)
                QVERIFY(!m_foundation->training[static_cast<std::size_t>(row)]);
    }

    void echoCountsTheUsersWords()
    {
        data::ResponseSet set;
        set.prompts = { { "p", { { "user", "Do you like green apples?" } }, 0 } };
        set.responses = { { "a", 0, "Green apples: yes, APPLES!", {}, 0, 0 },
                          { "b", 0, "No.", {}, 0, 0 },
                          { "c", 0, "", {}, 0, 0 } };
        const Eigen::VectorXd echo = echoOf(set);
        COMPARE_NEAR(echo[0], 2.0 / 3, 1e-12); // green, apples of green, apples, yes
        QCOMPARE(echo[1], 0.0);
        QCOMPARE(echo[2], 0.0);
    }

    void publishedFiguresAreLabelled()
    {
        for (const std::string& work : publishedWorks()) {
            const auto rows = publishedFigures(work, m_scratch / "nowhere");
            VERIFY_OK(rows);
            QVERIFY(!rows->empty());
            for (const PublishedFigure& row : *rows) {
                QVERIFY2(!row.source.empty() && !row.note.empty(), row.name.c_str());
                QVERIFY2(row.published || !row.publishedText.empty(), row.name.c_str());
                QVERIFY(row.here.has_value() == (row.kind != FigureKind::NotReproducible));
            }
        }
        VERIFY_FAILS(publishedFigures("seal", {}), "young", "seal");
    }

    void publishedFiguresFollowTheirFormulas()
    {
        const auto find = [](const std::vector<PublishedFigure>& rows, const char* part) {
            for (const PublishedFigure& row : rows)
                if (row.name.find(part) != std::string::npos)
                    return row;
            qFatal("no row %s", part);
        };
        const auto lee = publishedFigures("lee", {}).value();
        // Phi(.5534 - .6128) = .4763 (T8's inverses).
        COMPARE_NEAR(*find(lee, "RLAIF over RLHF, summarisation").here, 0.4763, 2e-4);
        COMPARE_NEAR(*find(lee, "direct RLAIF over same-size").here, 0.5697, 2e-4); // Phi(.6433 - .4677)
        COMPARE_NEAR(*find(lee, "lambda at beta").here, 19.0, 1e-12);
        COMPARE_NEAR(*find(lee, "PaLM 2 L, deviations").here, 0.2275, 5e-5); // T29
        COMPARE_NEAR(*find(lee, "PaLM 2 XS, deviations").here, 0.7722, 5e-5);
        COMPARE_NEAR(*find(lee, "agreement of PaLM 2 S").here, 0.462, 1e-3); // T12
        const auto gao = publishedFigures("gao", {}).value();
        COMPARE_NEAR(*find(gao, "best-of-16").here, std::log(16.0) - 15.0 / 16, 1e-3);
        const PublishedFigure form = find(gao, "gold gain");
        COMPARE_NEAR(*form.here, *form.published, 0.02);
        const auto young = publishedFigures("young", {}).value();
        COMPARE_NEAR(*find(young, "lambda at beta").here, 4.0, 1e-4);
        COMPARE_NEAR(*find(young, "adversarial").here, -0.073693, 1e-6); // T15
    }

    void releasedScoresAreRecomputed()
    {
        const std::filesystem::path data = std::filesystem::path(LODESTONE_SOURCE_DIR) / "../shared/data";
        if (!std::filesystem::exists(data / "directions/refusal_direction"))
            QSKIP("no ../shared/data");
        const auto rows = publishedFigures("arditi", data);
        VERIFY_OK(rows);
        int recomputed = 0;
        for (const PublishedFigure& row : *rows)
            if (row.kind == FigureKind::Recomputed) {
                ++recomputed;
                COMPARE_NEAR(*row.here, *row.published, 1e-9);
            }
        QVERIFY(recomputed >= 9);
    }
};

QTEST_GUILESS_MAIN(TestJudgeCone)
#include "tst_judge_cone.moc"
