#include "app/cli/compare_constitutions.h"

#include "app/cli/session_options.h"
#include "app/cli/sweep_output.h"

#include "core/constitution/compare.h"
#include "core/session/judge_comparison.h"

#include <fmt/format.h>

namespace lodestone::app {
namespace {

/// Principles as the file has them.
Json principlesJson(const std::vector<constitution::Principle>& principles)
{
    constitution::Constitution document;
    document.principles = principles;
    return constitution::toJson(document)["principles"];
}

/// In points, with its sign: a difference of two shares.
std::string pointsWithInterval(const geometry::Estimate& estimate)
{
    return fmt::format("{:+.0f} points", 100 * estimate.value)
        + (estimate.interval.isKnown() ? fmt::format(
               " ({:+.0f} to {:+.0f})", 100 * estimate.interval.low, 100 * estimate.interval.high)
                                       : "");
}

Result<Json> effectJson(
    const std::string& first, const std::string& second, const std::string& study, const std::string& layer,
    const CommandContext& context, std::string& table)
{
    SessionOptions options;
    options.study = study;
    options.layer = layer;
    options.constitution = first;
    LODESTONE_TRY(const OpenSession one, openSession(options, context));
    LODESTONE_TRY(const auto before, snapshotOf(one, context));
    options.constitution = second;
    options.layer = one.inputs.layer.token(); // the same one, chosen once
    LODESTONE_TRY(const OpenSession other, openSession(options, context));
    LODESTONE_TRY(const auto after, snapshotOf(other, context));
    LODESTONE_TRY(const session::JudgeComparison found, session::compareJudges(*before, *after));
    Json json{ { "study", study }, { "layer", layerJson(one.inputs.layer) }, { "n_held_out", found.pairs } };
    const auto put = [&](const std::string& name, const geometry::Estimate& estimate) {
        json[name] = number(estimate.value);
        json[name + "_ci"] = intervalJson(estimate.interval);
    };
    put("first_agreement", found.first);
    put("second_agreement", found.second);
    put("difference", found.difference);
    put("disagree", found.disagree);
    json["cos_judges"] = number(found.cosine);
    table += fmt::format(
        "on {} held-out pairs of {}, {}:\n  agreement with people: first {}, second {}, second minus first "
        "{}\n  "
        "the two judges prefer different replies in {} of the pairs; cos_S of their directions {:.2f}\n",
        found.pairs, study, one.inputs.layer.label(), shareWithInterval(found.first),
        shareWithInterval(found.second), pointsWithInterval(found.difference),
        shareWithInterval(found.disagree), found.cosine);
    return json;
}

} // namespace

Result<void> compareConstitutions(
    const std::string& first, const std::string& second, const std::string& study, const std::string& layer,
    const CommandContext& context)
{
    LODESTONE_TRY(const auto one, constitution::readConstitution(first));
    LODESTONE_TRY(const auto two, constitution::readConstitution(second));
    const constitution::ConstitutionDiff difference = constitution::diff(one, two);
    Json changed = Json::array();
    std::string table = fmt::format("first: {} ({})\nsecond: {} ({})\n", one.name, first, two.name, second);
    for (const constitution::Principle& principle : difference.added)
        table += fmt::format(
            "only in the second: {} ({} / {}, weight {})\n", principle.name,
            constitution::joinWords(principle.positive), constitution::joinWords(principle.negative),
            principle.weight);
    for (const constitution::Principle& principle : difference.removed)
        table += fmt::format(
            "only in the first: {} ({} / {}, weight {})\n", principle.name,
            constitution::joinWords(principle.positive), constitution::joinWords(principle.negative),
            principle.weight);
    for (const constitution::ConstitutionDiff::Change& change : difference.changed)
        for (const constitution::FieldDifference& field : change.fields) {
            changed.push_back({ { "id", change.first.id },
                                { "field", field.field },
                                { "first", field.first },
                                { "second", field.second } });
            table += fmt::format(
                "{}, {}: {} -> {}\n", change.first.name, field.field, field.first, field.second);
        }
    const std::string mapping[]
        = { constitution::mappingName(one.mapping), constitution::mappingName(two.mapping) };
    if (difference.mappingChanged)
        table += fmt::format("mapping: {} -> {}\n", mapping[0], mapping[1]);
    if (difference.empty())
        table += "no principle differs\n";
    Json document{ { "kind", "comparison" },
                   { "first", one.name },
                   { "second", two.name },
                   { "added", principlesJson(difference.added) },
                   { "removed", principlesJson(difference.removed) },
                   { "changed", std::move(changed) },
                   { "mapping", Json::array({ mapping[0], mapping[1] }) } };
    if (!study.empty()) {
        LODESTONE_TRY(document["effect"], effectJson(first, second, study, layer, context, table));
    }
    context.print(document, table);
    return {};
}

} // namespace lodestone::app
