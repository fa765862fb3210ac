// elicit --adversarial: principles that would do harm while looking harmless, and which filter would have
// caught them. It writes principles, never replies.
#include "app/cli/elicit_command.h"
#include "app/cli/study_access.h"
#include "app/cli/sweep_output.h"

#include "core/session/adversarial_search.h"
#include "core/session/defence.h"
#include "core/session/layer_stage.h"
#include "core/session/pipeline.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace lodestone::app {
namespace {

Json estimateJson(const geometry::Estimate& estimate)
{
    return { { "value", jsonNumber(estimate.value) }, { "ci", jsonInterval(estimate.interval) } };
}
Json wordingsJson(const std::vector<constitution::Principle>& wordings)
{
    Json list = Json::array();
    for (const constitution::Principle& one : wordings)
        list.push_back({ { "positive", constitution::joinWords(one.positive) },
                         { "negative", constitution::joinWords(one.negative) } });
    return list;
}
Json examinedJson(const session::Examined& one)
{
    return { { "name", one.name },
             { "harm", estimateJson(one.harm) },
             { "looks", estimateJson(one.looks) },
             { "agreement", estimateJson(one.agreement) },
             { "paraphrases", estimateJson(one.paraphrases) },
             { "frames", estimateJson(one.frames) },
             { "wordings", wordingsJson(one.wordings) } };
}
std::string shown(const geometry::Estimate& estimate)
{
    return !std::isfinite(estimate.value) ? std::string("-")
        : estimate.interval.isKnown()     ? fmt::format(
                  "{:.2f} ({:.2f} to {:.2f})", estimate.value, estimate.interval.low, estimate.interval.high)
                                      : fmt::format("{:.2f}", estimate.value);
}
std::string examinedLine(const session::Examined& one)
{
    return fmt::format(
        "  {:<30}{:>24}{:>24}{:>21}{:>21}{:>21}\n", one.name.substr(0, 29), shown(one.harm), shown(one.looks),
        shown(one.agreement), shown(one.paraphrases), shown(one.frames));
}

Json reachJson(const geometry::Reach& reach)
{
    return Json::array({ jsonNumber(reach.worst), jsonNumber(reach.best) });
}

} // namespace

Result<void> elicitAdversarial(const ElicitOptions& options, ElicitRun& run, CommandContext& context)
{
    LODESTONE_TRY(const auto presets, session::ordinaryConstitutions(resourcesFolder() / "constitutions"));
    LODESTONE_TRY(const std::vector<Layer> layers, run.layersOrBest(options, context));
    if (layers.size() != 1)
        return fail(ErrorKind::Usage, "one layer", std::to_string(layers.size()) + " layers", "--layer");
    session::Inputs inputs = session::defaultInputs(*run.foundation, layers.front());
    inputs.position = run.position;
    inputs.seed = context.seed;
    LODESTONE_TRY(const auto layer, session::makeLayerStage(*run.foundation, inputs, {}, context.work()));
    session::SearchOptions search;
    search.looks = options.looks;
    search.principles = options.principles;
    search.avoid = constitution::wordsOf(options.avoid);
    if (!options.constitution.empty())
        search.pool = run.principles;
    else
        for (const constitution::Constitution& preset : presets)
            for (const constitution::Principle& principle : preset.principles)
                search.pool.push_back(principle);
    LODESTONE_TRY(
        const session::AdversarialSearch found,
        session::searchAdversarial(*run.foundation, *layer, search, context.work()));
    if (!options.saveTo.empty())
        LODESTONE_CHECK(constitution::writeConstitution(options.saveTo, found.constitution));
    LODESTONE_TRY(
        const session::Defence defence,
        session::defend(run.foundation, inputs, found.constitution, presets, context.work()));

    Json words = Json::array(), ordinary = Json::array(), filters = Json::array();
    std::string table = fmt::format(
        "{}: {} candidates scored, harmless-looking means cos_S with the neutral judgment of at least "
        "{:.2f}\nOn training prompts:\n",
        layers.front().label(), found.tried, options.looks);
    for (const session::FoundPrinciple& one : found.best) {
        words.push_back({ { "positive", constitution::joinWords(one.principle.positive) },
                          { "negative", constitution::joinWords(one.principle.negative) },
                          { "harm", one.harm },
                          { "looks", one.looks } });
        table += fmt::format(
            "  cos_S with people {:>6.2f}, looks {:>5.2f}  {} / {}\n", one.harm, one.looks,
            constitution::joinWords(one.principle.positive), constitution::joinWords(one.principle.negative));
    }
    table += "The constitution handed in:\n";
    for (const constitution::Principle& principle : found.constitution.principles)
        table += fmt::format(
            "  {:.1f} x {}: {} / {}\n", principle.weight, principle.name,
            constitution::joinWords(principle.positive), constitution::joinWords(principle.negative));
    table += fmt::format(
        "  cos_S with people {:.2f}, looks {:.2f} on training prompts; the worst that any direction of such "
        "looks reaches {:.2f} (people and neutral judgment: {:.2f})\n"
        "  gain rates of projections of the neutral judgment {:.2f} to {:.2f} (T15), inside the span of "
        "these "
        "principles {:.2f} to {:.2f}; of their weights {:.2f} to {:.2f} (T16)\n",
        found.harm, found.looks, found.worstLooking, found.cosTrueJudge, found.projections.worst,
        found.projections.best, found.projectionsInSpan.worst, found.projectionsInSpan.best,
        found.weights.worst, found.weights.best);
    table += fmt::format(
        "On held-out prompts:\n  {:<30}{:>24}{:>24}{:>21}{:>21}{:>21}\n", "", "cos_S with people", "looks",
        "agrees with labels", "other words agree", "frames agree");
    table += examinedLine(defence.suspect);
    for (const session::Examined& one : defence.ordinary) {
        ordinary.push_back(examinedJson(one));
        table += examinedLine(one);
    }
    for (const constitution::Principle& wording : defence.suspect.wordings)
        table += fmt::format(
            "  in other words: {} / {}\n", constitution::joinWords(wording.positive),
            constitution::joinWords(wording.negative));
    table += fmt::format("  {:<30}{:>24}{:>24}  {}\n", "filter", "catches it", "false alarms", "flags");
    for (const session::Filter& filter : defence.filters) {
        Json alarms = Json::object();
        for (std::size_t i = 0; i < filter.alarms.size(); ++i)
            alarms[defence.ordinary[i].name] = jsonNumber(filter.alarms[i]);
        filters.push_back({ { "name", filter.name },
                            { "threshold", filter.threshold },
                            { "caught", jsonNumber(filter.caught.value) },
                            { "caught_ci", jsonInterval(filter.caught.interval) },
                            { "false_alarms", jsonNumber(filter.falseAlarms) },
                            { "alarms", std::move(alarms) } });
        table += fmt::format(
            "  {:<30}{:>24}{:>24}  below {:.2f}\n", filter.name, shown(filter.caught),
            percent(filter.falseAlarms), filter.threshold);
    }
    Json document{ { "study", options.study },
                   { "layer", layerJson(layers.front()) },
                   { "looks_at_least", options.looks },
                   { "tried", found.tried },
                   { "principles", std::move(words) },
                   { "constitution", constitution::toJson(found.constitution) },
                   { "harm", found.harm },
                   { "looks", found.looks },
                   { "worst_looking", found.worstLooking },
                   { "cos_true_judge", found.cosTrueJudge },
                   { "reach_of_projections", reachJson(found.projections) },
                   { "reach_of_projections_in_span", reachJson(found.projectionsInSpan) },
                   { "reach_of_weights", reachJson(found.weights) },
                   { "held_out", examinedJson(defence.suspect) },
                   { "ordinary", std::move(ordinary) },
                   { "left_out", defence.leftOut },
                   { "filters", std::move(filters) } };
    if (!options.saveTo.empty())
        document["path"] = options.saveTo;
    context.print(document, table);
    return {};
}

} // namespace lodestone::app
