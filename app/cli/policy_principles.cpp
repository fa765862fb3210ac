#include "app/cli/policy_lab.h"

#include "core/policy/pipelines.h"
#include "core/session/principle_effects.h"

#include <fmt/format.h>

namespace lodestone::app {
namespace {

void put(Json& object, const std::string& key, const geometry::Estimate& estimate)
{
    object[key] = number(estimate.value);
    object[key + "_ci"] = intervalJson(estimate.interval);
}

std::string withBounds(const geometry::Estimate& estimate)
{
    return estimate.interval.isKnown() ? fmt::format(
               "{:+.3f} ({:+.2f} to {:+.2f})", estimate.value, estimate.interval.low, estimate.interval.high)
                                       : fmt::format("{:+.3f}", estimate.value);
}

} // namespace

Result<void> simulateByPrinciple(
    const SimulateOptions& options, const policy::World& world, const session::Snapshot& snapshot,
    Json& document, std::string& table, CommandContext& context)
{
    const double kl = options.kl > 0 ? options.kl : policy::commonKl(world.pool);
    LODESTONE_TRY(const auto effects, session::principleEffects(snapshot, world, kl, context.work()));
    const auto& principles = snapshot.inputs.constitution.principles;
    const auto nameOf = [&](int i) { return principles[static_cast<std::size_t>(i)].name; };
    Json list = Json::array();
    table += fmt::format(
        "each principle at KL {:.3f} nats; the whole gains {}\n{:<30}{:<26}{:<26}{:<26}\n", kl,
        withBounds(effects.whole), "principle", "part (whole less without)", "alone", "without");
    for (const session::PrincipleEffect& effect : effects.principles) {
        Json one{ { "principle", nameOf(effect.principle) } };
        put(one, "part", effect.part);
        put(one, "alone", effect.alone);
        put(one, "without", effect.without);
        list.push_back(std::move(one));
        table += fmt::format(
            "{:<30}{:<26}{:<26}{:<26}\n", nameOf(effect.principle), withBounds(effect.part),
            withBounds(effect.alone), withBounds(effect.without));
    }
    Json result{ { "kl", kl }, { "rows", list } };
    put(result, "whole", effects.whole);
    if (effects.repair.edit != session::PrincipleRepair::Edit::None) {
        const bool off = effects.repair.edit == session::PrincipleRepair::Edit::SwitchOff;
        Json repair{ { "principle", nameOf(effects.repair.principle) },
                     { "edit", off ? "switch-off" : "turn-round" } };
        put(repair, "gain", effects.repair.gained);
        put(repair, "change", effects.repair.change);
        result["repair"] = std::move(repair);
        table += fmt::format(
            "chosen by people's training labels, measured on held-out ones: {} \"{}\": {}, a change of {}\n",
            off ? "switch off" : "turn round", nameOf(effects.repair.principle),
            withBounds(effects.repair.gained), withBounds(effects.repair.change));
    } else {
        table += "no single edit would agree more with people's training labels\n";
    }
    document["by_principle"] = std::move(result);
    return {};
}

} // namespace lodestone::app
