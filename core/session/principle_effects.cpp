#include "core/session/principle_effects.h"

#include "core/policy/outcome.h"
#include "core/session/judge_stage.h"

#include <fmt/format.h>

namespace lodestone::session {
namespace {

/// The judge's scores under another constitution of the same principles; empty when it has no direction.
Eigen::VectorXd judgeOf(const Snapshot& snapshot, constitution::Constitution edited)
{
    Snapshot other = snapshot;
    other.inputs.constitution = std::move(edited);
    const auto judge = makeJudgeStage(other, {});
    return judge->norm > 0 ? judge->rewards : Eigen::VectorXd();
}

constitution::Constitution onlyOne(constitution::Constitution constitution, int principle)
{
    for (std::size_t i = 0; i < constitution.principles.size(); ++i)
        constitution.principles[i].on = static_cast<int>(i) == principle;
    return constitution;
}

} // namespace

constitution::Constitution
repaired(const constitution::Constitution& constitution, const PrincipleRepair& repair)
{
    constitution::Constitution result = constitution;
    if (repair.edit == PrincipleRepair::Edit::None)
        return result;
    constitution::Principle& principle = result.principles[static_cast<std::size_t>(repair.principle)];
    if (repair.edit == PrincipleRepair::Edit::SwitchOff)
        principle.on = false;
    else
        principle.weight = -principle.weight;
    return result;
}

Result<PrincipleEffects>
principleEffects(const Snapshot& snapshot, const policy::World& world, double kl, const Work& work)
{
    if (!snapshot.judge || snapshot.judge->active.empty() || world.judge.size() == 0)
        return badInput("a principle that is on and has a direction in this model", "none", "by principle");
    if (!(kl > 0 && kl < world.pool.largestKl()))
        return fail(
            ErrorKind::Usage, fmt::format("a KL above 0 and below {:.3f} nats", world.pool.largestKl()),
            fmt::format("{}", kl), "--kl");
    const constitution::Constitution& constitution = snapshot.inputs.constitution;
    const Eigen::VectorXd gold = world.unit(world.gold);
    // An empty reward trains nothing: the base policy.
    const auto policyOf = [&](const Eigen::VectorXd& judge) {
        const Eigen::VectorXd reward
            = judge.size() > 0 ? judge : Eigen::VectorXd::Zero(world.gold.size()).eval();
        return policy::tilt(world.pool, reward, gold, policy::lambdaForKl(world.pool, reward, kl));
    };
    const auto gainOf = [&](const policy::Tilt& policy) {
        return policy::intervalsOf(world.pool, policy.probabilities, gold, gold, world.seed).valueGain;
    };
    const auto differenceOf = [&](const policy::Tilt& first, const policy::Tilt& second) {
        return policy::differenceOf(world.pool, first.probabilities, second.probabilities, gold, world.seed);
    };
    PrincipleEffects effects;
    effects.kl = kl;
    const policy::Tilt whole = policyOf(world.judge);
    effects.whole = gainOf(whole);
    double agreement = world.people.size() > 0 ? world.cosine(world.judge, world.people) : 1;
    std::optional<policy::Tilt> best;
    const auto consider = [&](PrincipleRepair::Edit edit, int principle, const Eigen::VectorXd& judge) {
        if (world.people.size() == 0 || judge.size() == 0)
            return;
        const double cosine = world.cosine(judge, world.people);
        if (cosine <= agreement + 1e-9)
            return;
        agreement = cosine;
        effects.repair.edit = edit;
        effects.repair.principle = principle;
        best = policyOf(judge);
    };
    double done = 0;
    for (const int i : snapshot.judge->active) {
        if (work.cancelled())
            return cancelled();
        work.tell({ "Measuring each principle", done++, static_cast<double>(snapshot.judge->active.size()), 0,
                    "principles", -1 });
        PrincipleEffect one;
        one.principle = i;
        one.alone = gainOf(policyOf(judgeOf(snapshot, onlyOne(constitution, i))));
        PrincipleRepair off;
        off.edit = PrincipleRepair::Edit::SwitchOff;
        off.principle = i;
        const Eigen::VectorXd others = judgeOf(snapshot, repaired(constitution, off));
        const policy::Tilt without = policyOf(others);
        one.without = gainOf(without);
        one.part = differenceOf(whole, without);
        effects.principles.push_back(one);
        consider(off.edit, i, others);
        if (constitution.mapping == constitution::Mapping::Weighted) { // in a projection signs do not enter
            PrincipleRepair turned = off;
            turned.edit = PrincipleRepair::Edit::TurnRound;
            consider(turned.edit, i, judgeOf(snapshot, repaired(constitution, turned)));
        }
    }
    if (best) {
        effects.repair.gained = gainOf(*best);
        effects.repair.change = differenceOf(*best, whole);
    }
    return effects;
}

} // namespace lodestone::session
