// Which principle is to blame: on a study whose directions were planted, one of two principles turned against
// what people want.
#include "core/policy/pipelines.h"
#include "core/session/pipeline.h"
#include "core/session/policy_lab.h"
#include "core/session/principle_effects.h"
#include "tests/support/geometry_support.h"
#include "tests/support/small_study.h"

using namespace lodestone;
using namespace lodestone::testing;

class TestPrincipleEffects : public QObject {
    Q_OBJECT

    std::optional<ScratchStudy> m_scratch;
    std::shared_ptr<const session::Foundation> m_foundation;

    std::shared_ptr<const session::Snapshot>
    snapshotOf(double kind, double honest, constitution::Mapping mapping) const
    {
        session::Inputs inputs = session::defaultInputs(*m_foundation, SmallStudy::top());
        inputs.constitution = constitution::constitutionForValues({ "kind", "honest" });
        inputs.constitution.mapping = mapping;
        inputs.constitution.principles[0].weight = kind;
        inputs.constitution.principles[1].weight = honest;
        session::Pipeline pipeline(m_foundation);
        return pipeline.recompute(inputs, nullptr).value();
    }
    session::PrincipleEffects
    effectsOf(double kind, double honest, constitution::Mapping mapping = constitution::Mapping::Weighted)
    {
        const auto snapshot = snapshotOf(kind, honest, mapping);
        const policy::World world = session::labWorld(*snapshot).value();
        return session::principleEffects(*snapshot, world, klBudget).value();
    }
    /// Gain of the optimum at the budget in the linear-Gaussian model: sqrt(2K) cos_S(w_c, w*) (T4).
    double closed(const Eigen::VectorXd& judge) const
    {
        return std::sqrt(2 * klBudget) * m_scratch->truth.cosine(judge, m_scratch->truth.people);
    }

    static constexpr double klBudget = 0.2; // small against ln 40: the pool is nearly the Gaussian there

private Q_SLOTS:
    void initTestCase()
    {
        SmallStudyOptions options;
        options.pairPrompts = 500;
        options.samplePrompts = 80;
        options.candidates = 40;
        options.trainFraction = 0.6;
        m_scratch.emplace(options);
        m_foundation = session::Foundation::open(m_scratch->study).value();
    }

    void theTurnedPrincipleIsBlamedAndTurnedBack()
    {
        const SmallStudy& truth = m_scratch->truth;
        const auto effects = effectsOf(1, -1);
        QCOMPARE(effects.principles.size(), std::size_t(2));
        const auto &kind = effects.principles[0], &honest = effects.principles[1];
        QVERIFY(kind.part.interval.low > 0);
        QVERIFY(honest.part.interval.high < 0);
        // Held-out labels carry noise, and their direction is refitted: a tenth of a deviation.
        COMPARE_NEAR(effects.whole.value, closed(truth.kind - truth.honest), 0.1);
        COMPARE_NEAR(kind.alone.value, closed(truth.kind), 0.1);
        COMPARE_NEAR(honest.alone.value, closed(-truth.honest), 0.1);
        COMPARE_NEAR(kind.without.value, honest.alone.value, 1e-9);
        COMPARE_NEAR(honest.without.value, kind.alone.value, 1e-9);
        COMPARE_NEAR(honest.part.value, effects.whole.value - honest.without.value, 1e-9);
        QVERIFY(effects.repair.edit == session::PrincipleRepair::Edit::TurnRound);
        QCOMPARE(effects.repair.principle, 1);
        COMPARE_NEAR(effects.repair.gained.value, closed(truth.kind + truth.honest), 0.1);
        COMPARE_NEAR(effects.repair.change.value, effects.repair.gained.value - effects.whole.value, 1e-9);
        QVERIFY(effects.repair.change.interval.low > 0);
    }

    void aGoodConstitutionNeedsNoRepair()
    {
        const auto effects = effectsOf(1, 0.6);
        QVERIFY(effects.repair.edit == session::PrincipleRepair::Edit::None);
        for (const auto& one : effects.principles)
            QVERIFY(one.part.value > 0);
    }

    void aProjectionHasNoSignsToTurn()
    {
        const auto effects = effectsOf(1, -1, constitution::Mapping::Projection);
        QVERIFY(effects.repair.edit != session::PrincipleRepair::Edit::TurnRound);
    }

    void theOnlyPrincipleLeavesTheBasePolicy()
    {
        auto snapshot
            = std::make_shared<session::Snapshot>(*snapshotOf(1, 1, constitution::Mapping::Weighted));
        session::Inputs inputs = snapshot->inputs;
        inputs.constitution.principles[1].on = false;
        session::Pipeline pipeline(m_foundation);
        const auto one = pipeline.recompute(inputs, nullptr).value();
        const auto effects
            = session::principleEffects(*one, session::labWorld(*one).value(), klBudget).value();
        QCOMPARE(effects.principles.size(), std::size_t(1));
        COMPARE_NEAR(effects.principles[0].without.value, 0, 1e-12);
        COMPARE_NEAR(effects.principles[0].part.value, effects.whole.value, 1e-12);
    }

    void whatCannotBeMeasuredSaysSo()
    {
        const auto snapshot = snapshotOf(1, 1, constitution::Mapping::Weighted);
        const policy::World world = session::labWorld(*snapshot).value();
        QVERIFY(!session::principleEffects(*snapshot, world, 9));
        QVERIFY(!session::principleEffects(*snapshot, world, 0));
        std::stop_source stop;
        stop.request_stop();
        Work work;
        work.stop = stop.get_token();
        const auto stopped = session::principleEffects(*snapshot, world, klBudget, work);
        QVERIFY(!stopped && stopped.error().kind == ErrorKind::Cancelled);
    }
};

QTEST_GUILESS_MAIN(TestPrincipleEffects)
#include "tst_principle_effects.moc"
