// elicit --enacted and elicit --nonlinear: whether a notion is also a conduct, and how linear the answers
// are.
#include "app/cli/elicit_command.h"
#include "app/cli/sweep_output.h"

#include "core/session/asked_enacted.h"
#include "core/session/layer_stage.h"
#include "core/session/layer_sweep.h"
#include "core/session/linearity.h"
#include "core/session/pipeline.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace lodestone::app {
namespace {

constexpr std::array targetNames{ "people", "asked", "enacted" };

std::string twoDigits(double value)
{
    return std::isfinite(value) ? fmt::format("{:.2f}", value) : std::string("-");
}
std::string twoDigits(const geometry::Estimate& estimate)
{
    return estimate.interval.isKnown() ? fmt::format(
               "{:.2f} ({:.2f} to {:.2f})", estimate.value, estimate.interval.low, estimate.interval.high)
                                       : twoDigits(estimate.value);
}

void addEstimate(Json& json, const std::string& name, const geometry::Estimate& estimate)
{
    json[name] = jsonNumber(estimate.value);
    json[name + "_ci"] = jsonInterval(estimate.interval);
}

Json crossJson(const std::array<session::CrossScore, 3>& scores)
{
    Json result = Json::object();
    for (std::size_t t = 0; t < scores.size(); ++t) {
        if (scores[t].items == 0) {
            result[targetNames[t]] = nullptr;
            continue;
        }
        Json one = Json::object();
        addEstimate(one, "agreement", scores[t].agreement);
        one["random"] = jsonNumber(scores[t].random);
        one["random_upper"] = jsonNumber(scores[t].randomUpper);
        one["items"] = scores[t].items;
        result[targetNames[t]] = std::move(one);
    }
    return result;
}

std::string crossTable(const char* name, const std::array<session::CrossScore, 3>& scores)
{
    std::string line = fmt::format("  {:<19}", name);
    for (const session::CrossScore& score : scores)
        line += score.items == 0
            ? fmt::format("{:>26}", "not asked")
            : fmt::format(
                "{:>26}",
                fmt::format(
                    "{} ({}) / {}", percent(score.agreement.value),
                    percentInterval(score.agreement.interval.low, score.agreement.interval.high),
                    percent(score.randomUpper)));
    return line + "\n";
}

Result<std::shared_ptr<const session::LayerStage>>
stageAt(const ElicitRun& run, Layer layer, const CommandContext& context)
{
    session::Inputs inputs = session::defaultInputs(*run.foundation, layer);
    inputs.position = run.position;
    inputs.seed = context.seed;
    return session::makeLayerStage(*run.foundation, inputs, {}, context.work());
}

} // namespace

Result<void> elicitEnacted(const ElicitOptions& options, ElicitRun& run, CommandContext& context)
{
    session::EnactedOptions enacted;
    for (const std::string& way : run.ways) // one of each kind, in any order
        (constitution::findWay(way)->yields == constitution::Yields::ReadOut ? enacted.asked
                                                                             : enacted.enacted)
            = way;
    if (run.ways.size() > 2)
        return fail(ErrorKind::Usage, "a judging way and a moving one", options.way, "--way");
    enacted.steeredPairs = options.steering;
    enacted.seed = context.seed;
    run.loadWhereMissing(
        { enacted.asked, enacted.enacted, "implicit-reward" }, context, options.steering > 0);
    if (options.steering > 0 && !run.model)
        return tl::unexpected(modelFor(*run.study, context).error());
    LODESTONE_TRY(const std::vector<Layer> layers, run.layersOrBest(options, context));
    Json rows = Json::array();
    std::string table;
    bool any = false;
    std::optional<Error> missing;
    for (const Layer layer : layers) {
        LODESTONE_TRY(const auto stage, stageAt(run, layer, context));
        LODESTONE_TRY(
            const auto found,
            session::askedAndEnacted(
                *run.foundation, *stage, run.principles, run.ask, enacted, context.work()));
        for (const session::AskedEnacted& one : found) {
            Json row{ { "principle", one.principle }, { "layer", layerJson(layer) } };
            table += fmt::format("{}, {}\n", one.principle, layer.label());
            if (!one.problem.empty()) {
                row["problem"] = one.problem;
                table += "  " + one.problem + "\n\n";
                if (one.missingModel)
                    missing = Error{ ErrorKind::MissingModel, one.problem, "no stored answer", "" };
                rows.push_back(std::move(row));
                continue;
            }
            any = true;
            row["cosine"] = jsonNumber(one.cosine);
            row["cosine_sigma"] = jsonNumber(one.cosineSigma);
            addEstimate(row, "cosine_held_out", one.correlation);
            row["cosine_random_upper"] = jsonNumber(one.randomCosine);
            row["asked"] = crossJson(one.asked);
            row["enacted"] = crossJson(one.enacted);
            table += fmt::format(
                "  cosine of asked and enacted: Euclidean {}, Sigma {}, on held-out prompts {}; random "
                "directions up to {}\n",
                twoDigits(one.cosine), twoDigits(one.cosineSigma), twoDigits(one.correlation),
                twoDigits(one.randomCosine));
            table += fmt::format(
                "  {:<19}{:>26}{:>26}{:>26}\n", "agrees / by chance", "people", "its judgments",
                "its conduct when told");
            table += crossTable("asked direction", one.asked) + crossTable("enacted direction", one.enacted);
            if (one.steerAsked) {
                Json steering{ { "push", enacted.push }, { "pairs", enacted.steeredPairs } };
                addEstimate(steering, "asked", one.steerAsked->effect);
                addEstimate(steering, "enacted", one.steerEnacted->effect);
                addEstimate(steering, "random", one.steerRandom->effect);
                row["steering"] = std::move(steering);
                table += fmt::format(
                    "  pushed by +-{} standard deviations, the chosen reply gains on the rejected one, nats "
                    "per token: asked {}, enacted {}, random {}\n",
                    enacted.push, twoDigits(one.steerAsked->effect), twoDigits(one.steerEnacted->effect),
                    twoDigits(one.steerRandom->effect));
            }
            table += "\n";
            rows.push_back(std::move(row));
        }
    }
    if (!any && missing)
        return tl::unexpected(*missing);
    context.print(
        { { "study", options.study },
          { "asked_way", enacted.asked },
          { "enacted_way", enacted.enacted },
          { "rows", std::move(rows) } },
        table);
    return {};
}

Result<void> elicitNonlinear(const ElicitOptions& options, ElicitRun& run, CommandContext& context)
{
    session::LinearityOptions linear;
    if (run.ways.size() > 1)
        return fail(ErrorKind::Usage, "one way", options.way, "--way");
    if (!run.ways.empty())
        linear.way = run.ways.front();
    linear.layers = run.layers;
    linear.position = run.position;
    linear.seed = context.seed;
    run.loadWhereMissing({ linear.way }, context, false);
    LODESTONE_TRY(
        const session::Linearity found,
        session::linearityOf(*run.foundation, run.principles, run.ask, linear, context.work()));
    Json rows = Json::array(), problems = Json::array();
    std::string table = fmt::format(
        "How linear the answers are ({}): held-out r^2 of probes on principal components, {} training and "
        "{} held-out responses\n",
        linear.way, found.training, found.heldOut);
    int principle = -1;
    for (const session::LinearityRow& row : found.rows) {
        const geometry::NonlinearRemainder& of = row.remainder;
        const std::string& name = run.principles[static_cast<std::size_t>(row.principle)].name;
        if (row.principle != principle)
            table += fmt::format(
                "{}\n  {:<17}{:>22}{:>22}{:>22}{:>24}{:>10}\n", name, "layer", "linear", "quadratic",
                "Gaussian kernel", "what curves add", "by chance");
        principle = row.principle;
        Json one{ { "principle", name }, { "layer", layerJson(row.layer) } };
        addEstimate(one, "linear", of.linear);
        addEstimate(one, "quadratic", of.quadratic);
        addEstimate(one, "gaussian", of.gaussian);
        addEstimate(one, "remainder", of.remainder);
        for (const auto& [key, shuffled] : { std::pair("shuffled_linear", &of.shuffledLinear),
                                             std::pair("shuffled_curved", &of.shuffledCurved),
                                             std::pair("shuffled_remainder", &of.shuffledRemainder) }) {
            one[key] = jsonNumber(shuffled->mean);
            one[std::string(key) + "_upper"] = jsonNumber(shuffled->upper);
        }
        one["components"] = of.components;
        rows.push_back(std::move(one));
        table += fmt::format(
            "  {:<17}{:>22}{:>22}{:>22}{:>24}{:>10}\n", row.layer.label(), twoDigits(of.linear),
            twoDigits(of.quadratic), twoDigits(of.gaussian), twoDigits(of.remainder),
            twoDigits(of.shuffledRemainder.upper));
    }
    for (std::size_t p = 0; p < found.problems.size(); ++p)
        if (!found.problems[p].empty()) {
            problems.push_back({ { "principle", run.principles[p].name }, { "problem", found.problems[p] } });
            table += run.principles[p].name + ": " + found.problems[p] + "\n";
        }
    context.print(
        { { "study", options.study },
          { "way", linear.way },
          { "n_train", found.training },
          { "n_held_out", found.heldOut },
          { "rows", std::move(rows) },
          { "problems", std::move(problems) } },
        table);
    return {};
}

} // namespace lodestone::app
