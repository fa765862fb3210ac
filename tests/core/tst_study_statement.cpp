// The theory's statements at a study's own values: on a study drawn from the theory's own model the formula
// and the measurement agree; where the study lacks something, that is said.
// ctest labels: theory
#include "core/session/pipeline.h"
#include "core/session/study_statement.h"
#include "tests/support/geometry_support.h"
#include "tests/support/small_study.h"

#include <cmath>
#include <numbers>

using namespace lodestone;
using namespace lodestone::testing;

class TestStudyStatement : public QObject {
    Q_OBJECT

    std::optional<ScratchStudy> m_scratch;
    std::shared_ptr<const session::Snapshot> m_snapshot;

    std::shared_ptr<const session::Snapshot> snapshotOf(double beta, double kind, double honest) const
    {
        const auto foundation = session::Foundation::open(m_scratch->study).value();
        session::Inputs inputs = session::defaultInputs(*foundation, SmallStudy::top());
        inputs.constitution = constitution::constitutionForValues({ "kind", "honest" });
        inputs.constitution.principles[0].weight = kind;
        inputs.constitution.principles[1].weight = honest;
        inputs.beta = beta;
        session::Pipeline pipeline(foundation);
        return pipeline.recompute(inputs, nullptr).value();
    }
    static double inputOf(const session::StudyValues& values, std::string_view name)
    {
        const theory::Quantity* found = theory::find(values.inputs, name);
        return found ? found->value : std::nan("");
    }
    static double measuredOf(const session::StudyValues& values, std::string_view name)
    {
        for (const session::StudyMeasured& one : values.measured)
            if (one.output == name)
                return one.value.value;
        return std::nan("");
    }
    static double closedOf(const session::StudyValues& values, const char* id, std::string_view output)
    {
        const theory::Statement& statement = *theory::findStatement(id);
        theory::Values all = statement.standard();
        for (const theory::Quantity& input : values.inputs)
            all.put(input.name, input.value);
        const auto outputs = theory::evaluate(statement, all).value();
        return theory::find(outputs, output)->value;
    }

private Q_SLOTS:
    void initTestCase()
    {
        SmallStudyOptions options;
        options.pairPrompts = 300;
        options.samplePrompts = 80;
        options.candidates = 40;
        options.labelNoise = 0.05;
        m_scratch.emplace(options);
        m_snapshot = snapshotOf(2, 1, 0.5); // lambda 1/2: far from the pool's cap of ln 40
    }

    void everyStatementWithACounterpartHasValuesInRange()
    {
        int with = 0;
        for (const theory::Statement& statement : theory::statements()) {
            if (!session::hasStudyValues(statement.id)) {
                // It says what measures its quantities instead.
                const auto none = session::studyValues(*m_snapshot, statement.id);
                QVERIFY(!none);
                QVERIFY2(session::noStudyValues(statement.id).size() > 30, statement.id.c_str());
                QVERIFY(
                    none.error().message().find(session::noStudyValues(statement.id)) != std::string::npos);
                continue;
            }
            ++with;
            const auto values = session::studyValues(*m_snapshot, statement.id);
            QVERIFY2(
                values.has_value(), values ? "" : (statement.id + ": " + values.error().message()).c_str());
            theory::Values all = statement.standard();
            for (const theory::Quantity& input : values->inputs) {
                QVERIFY2(statement.input(input.name), (statement.id + " " + input.name).c_str());
                const double value
                    = statement.input(input.name)->whole ? std::round(input.value) : input.value;
                const auto set = statement.set(all, input.name, value);
                QVERIFY2(set.has_value(), set ? "" : set.error().message().c_str());
            }
            const auto outputs = theory::evaluate(statement, all);
            QVERIFY2(outputs.has_value(), statement.id.c_str());
            for (const session::StudyMeasured& one : values->measured)
                QVERIFY2(theory::find(*outputs, one.output), (statement.id + " " + one.output).c_str());
        }
        QCOMPARE(with, 38);
    }

    void plantedDirectionsAreFound()
    {
        // The judge is kind + honest/2 of unit directions, people's direction was planted too.
        const SmallStudy& truth = m_scratch->truth;
        const auto values = session::studyValues(*m_snapshot, "T7").value();
        COMPARE_NEAR(
            inputOf(values, "rho_c"), truth.cosine(truth.kind + 0.5 * truth.honest, truth.people), 0.05);
        const auto writes = session::studyValues(*m_snapshot, "T9").value();
        COMPARE_NEAR(inputOf(writes, "rho_g"), truth.cosine(truth.generation, truth.people), 0.1);
        COMPARE_NEAR(
            inputOf(writes, "c_cg"), truth.cosine(truth.generation, truth.kind + 0.5 * truth.honest), 0.1);
        const auto angle = session::studyValues(*m_snapshot, "T18").value();
        COMPARE_NEAR(
            inputOf(angle, "phi"), std::acos(truth.cosine(truth.kind, truth.honest)) * 180 / std::numbers::pi,
            5.0);
    }

    void onAGaussianStudyFormulaAndMeasurementAgree()
    {
        for (const auto& [id, output, tolerance] :
             { std::tuple("T4", "DeltaV", 0.05), std::tuple("T4", "K", 0.03),
               std::tuple("T5", "DeltaV", 0.05), std::tuple("T6", "DeltaV", 0.05),
               std::tuple("T21", "DeltaV", 0.05), std::tuple("T48", "resistance", 0.06),
               std::tuple("T7", "DeltaV", 0.05), std::tuple("T8", "win", 0.03), std::tuple("T9", "a_c", 0.06),
               std::tuple("T37", "K", 0.03), std::tuple("T37", "ess_share", 0.05),
               std::tuple("T38", "gold_gain", 0.25) }) {
            const auto values = session::studyValues(*m_snapshot, id).value();
            const double measured = measuredOf(values, output), closed = closedOf(values, id, output);
            QVERIFY2(
                std::abs(measured - closed) < tolerance,
                qPrintable(QStringLiteral("%1 %2: measured %3, formula %4")
                               .arg(QLatin1String(id), QLatin1String(output))
                               .arg(measured)
                               .arg(closed)));
        }
    }

    void aPlaneASubspaceAndADimensionArePlanted()
    {
        const SmallStudy& truth = m_scratch->truth;
        const Eigen::VectorXd judge = truth.kind + 0.5 * truth.honest;
        // T2: the part of the value in the plane of judge and generation, by hand in the planted metric.
        Eigen::MatrixXd span(truth.kind.size(), 2);
        span << judge, truth.generation;
        const auto share = [&](const Eigen::MatrixXd& u) {
            const Eigen::VectorXd with = u.transpose() * truth.sigma * truth.people;
            const Eigen::MatrixXd gram = u.transpose() * truth.sigma * u;
            return with.dot(gram.inverse() * with) / truth.inner(truth.people, truth.people);
        };
        const auto projector = session::studyValues(*m_snapshot, "T2").value();
        COMPARE_NEAR(closedOf(projector, "T2", "kept_share"), share(span), 0.1);
        // T19: two principles hold what they were planted to hold, a random plane 2/d.
        span << truth.kind, truth.honest;
        const auto subspace = session::studyValues(*m_snapshot, "T19").value();
        COMPARE_NEAR(measuredOf(subspace, "F"), share(span), 0.06);
        COMPARE_NEAR(closedOf(subspace, "T19", "F"), 2 / inputOf(subspace, "d"), 1e-9);
        // Its d: of the planted covariance on the study's own scales.
        const Eigen::VectorXd scale = m_snapshot->layer->standardiser.scale.cwiseInverse();
        const Eigen::MatrixXd sigma = scale.asDiagonal() * truth.sigma * scale.asDiagonal();
        COMPARE_NEAR(inputOf(subspace, "d"), std::pow(sigma.trace(), 2) / sigma.squaredNorm(), 1.0);
        // T14: one principle's line and the neutral judgment.
        const auto line = session::studyValues(*m_snapshot, "T14").value();
        COMPARE_NEAR(
            measuredOf(line, "gain_rate"),
            truth.cosine(judge, truth.neutral) * truth.cosine(judge, truth.people), 0.06);
        COMPARE_NEAR(
            std::cos(inputOf(line, "phi") * std::numbers::pi / 180),
            std::abs(truth.cosine(judge, truth.neutral)), 0.05);
    }

    void beyondTheCapTheFormulaLeavesThePool()
    {
        // lambda 20: the Gaussian spends lambda^2 s^2/2 nats, the pool at most ln 40. That is said by the
        // figures, and an input outside its range by the words.
        const auto snapshot = snapshotOf(0.05, 1, 0.5);
        const auto values = session::studyValues(*snapshot, "T4").value();
        QVERIFY(values.says.find("lambda is 20") != std::string::npos);
        QCOMPARE(inputOf(values, "lambda"), 2.0);
        QVERIFY(measuredOf(values, "K") <= std::log(40.0));
    }

    void whatIsMissingIsNamed()
    {
        session::Snapshot bare = *m_snapshot;
        auto layer = std::make_shared<session::LayerStage>(*bare.layer);
        layer->generation = {};
        bare.layer = layer;
        const auto gap = session::studyValues(bare, "T9");
        QVERIFY(!gap && gap.error().message().find("likelihoods") != std::string::npos);
        QVERIFY(session::studyValues(bare, "T7"));
        const auto against = snapshotOf(2, -1, -0.5);
        const auto noise = session::studyValues(*against, "T32");
        QVERIFY(!noise && noise.error().message().find("above 0") != std::string::npos);
        QVERIFY(!session::studyValues(*m_snapshot, "T99"));
    }
};

QTEST_GUILESS_MAIN(TestStudyStatement)
#include "tst_study_statement.moc"
