#include "app/cli/direction_dimensions.h"

#include "app/cli/study_access.h"
#include "app/cli/sweep_output.h"
#include "core/geometry/encoding.h"
#include "core/session/dimensions.h"

#include <cmath>
#include <fmt/format.h>

namespace lodestone::app {
namespace {

/// Encoding quality and ceiling of one model at its own best layer.
Result<Json> modelJson(
    const session::Foundation& foundation, const session::SweepOptions& options, const std::string& value,
    std::string& table, const CommandContext& context)
{
    session::SweepOptions sweep = options;
    sweep.method = geometry::Method::Ridge;
    sweep.baselines = false;
    sweep.layers.clear();
    sweep.position = session::availablePosition(*foundation.study, options.position);
    session::SweepTarget target;
    target.value = value;
    LODESTONE_TRY(
        const session::Sweep found, session::sweepLayers(foundation, target, sweep, context.work()));
    const session::SweepRow& best = found.rows[static_cast<std::size_t>(found.best)];
    const geometry::Estimate& held = found.pairs ? best.accuracy : best.auc;
    const auto quality = [](double accuracy) { return geometry::encodingQualityFromAccuracy(accuracy); };
    const double q = quality(held.value);
    const data::StudyModel& model = foundation.study->model();
    table += fmt::format(
        "  {:<28} {:<16} {}  q {:.2f} ({:.2f}-{:.2f}), n {}\n", model.name, best.layer.label(),
        shareWithInterval(held), q, quality(held.interval.low), quality(held.interval.high), found.heldOut);
    return Json{ { "model", model.name },
                 { "layer", layerJson(best.layer) },
                 { "agreement", jsonNumber(held.value) },
                 { "agreement_ci", jsonInterval(held.interval) },
                 { "encoding_quality", jsonNumber(q) },
                 { "encoding_quality_ci",
                   jsonInterval({ quality(held.interval.low), quality(held.interval.high) }) },
                 { "ceiling", jsonNumber(geometry::ceilings(q, 1, 0).accuracy) },
                 { "n_held_out", found.heldOut } };
}

} // namespace

Result<void> addDimensions(
    const session::Foundation& foundation, const session::SweepOptions& options, const std::string& value,
    Layer layer, const std::vector<std::string>& also, Json& document, std::string& table,
    const CommandContext& context)
{
    session::DimensionsOptions asked;
    asked.method = options.method;
    asked.position = options.position;
    asked.value = value;
    asked.seed = options.seed;
    LODESTONE_TRY(
        const session::Dimensions found,
        session::measureDimensions(foundation, layer, asked, context.work()));
    Json ranks = Json::array(), removed = Json::array(), coordinates = Json::array(), models = Json::array();
    table += fmt::format(
        "\nrank at {}: people's direction within the k leading components (width {}, {} held-out {})\n"
        "  {:>4} {:>16} {:>9} {:>9} {:>9} {:>9} {:>6} {:>6}\n",
        layer.label(), found.width, found.heldOut, found.pairs ? "pairs" : "texts", "k", "agreement", "F",
        "sqrt F", "random", "F random", "k/d", "T12");
    for (std::size_t i = 0; i < found.ranks.size(); ++i) {
        const session::RankRow& row = found.ranks[i];
        ranks.push_back({ { "k", row.rank },
                          { "kept", jsonNumber(row.kept.value) },
                          { "kept_ci", jsonInterval(row.kept.interval) },
                          { "captured", jsonNumber(row.captured) },
                          { "gain_share", jsonNumber(std::sqrt(std::max(0.0, row.captured))) },
                          { "random_kept", jsonNumber(row.randomKept) },
                          { "random_captured", jsonNumber(row.randomCaptured) },
                          { "encoding_quality", jsonNumber(row.encodingQuality.value) },
                          { "encoding_quality_ci", jsonInterval(row.encodingQuality.interval) },
                          { "capacity_curve", jsonNumber(found.capacityCurve[i]) } });
        table += fmt::format(
            "  {:>4} {:>16} {:>9.2f} {:>9.2f} {:>9} {:>9.2f} {:>6.3f} {:>6}\n", row.rank,
            shareWithInterval(row.kept), row.captured, std::sqrt(std::max(0.0, row.captured)),
            percent(row.randomKept), row.randomCaptured, static_cast<double>(row.rank) / found.width,
            percent(found.capacityCurve[i]));
    }
    table += "  F: share of people's ridge direction that the span holds (Sigma); gain at one KL goes with "
             "sqrt F "
             "(T19)\n"
             "  what the next direction still reads after j were taken out:";
    for (const session::RemovedRow& row : found.removals) {
        removed.push_back({ { "removed", row.removed },
                            { "left", jsonNumber(row.left.value) },
                            { "left_ci", jsonInterval(row.left.interval) } });
        table += fmt::format("{} {} {}", row.removed == 0 ? "" : ",", row.removed, percent(row.left.value));
    }
    table += "\n  difference of means by coordinates:";
    for (const session::CoordinatesRow& row : found.coordinates) {
        coordinates.push_back({ { "coordinates", row.name },
                                { "held_out", jsonNumber(row.heldOut.value) },
                                { "held_out_ci", jsonInterval(row.heldOut.interval) } });
        table += fmt::format(
            "{} {} {}", coordinates.size() == 1 ? "" : ",", row.name, shareWithInterval(row.heldOut));
    }
    table += "\n  models on these pairs, ridge, each at the layer that cross-validation chooses:\n";
    LODESTONE_TRY(Json own, modelJson(foundation, options, value, table, context));
    models.push_back(std::move(own));
    for (const std::string& path : also) {
        LODESTONE_TRY(const auto study, openStudy(path));
        if (study->set().pairs.size() != foundation.study->set().pairs.size())
            return badInput(
                fmt::format("a study of the same {} pairs", foundation.study->set().pairs.size()),
                fmt::format("{} pairs", study->set().pairs.size()), path);
        LODESTONE_TRY(const auto other, session::Foundation::open(study));
        LODESTONE_TRY(Json row, modelJson(*other, options, value, table, context));
        models.push_back(std::move(row));
    }
    document["rank"] = std::move(ranks);
    document["removed"] = std::move(removed);
    document["coordinates"] = std::move(coordinates);
    document["capacity"]
        = { { "exponent", jsonNumber(found.capacityExponent) }, { "models", std::move(models) } };
    return {};
}

} // namespace lodestone::app
