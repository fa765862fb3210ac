#include "app/cli/sweep_output.h"

#include <cmath>
#include <fmt/format.h>

namespace lodestone::app {

Json jsonNumber(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

std::string shareWithInterval(const geometry::Estimate& estimate)
{
    return percent(estimate.value)
        + (estimate.interval.isKnown()
               ? " (" + percentInterval(estimate.interval.low, estimate.interval.high) + ")"
               : "");
}

Json jsonInterval(const geometry::Interval& interval)
{
    return Json::array({ jsonNumber(interval.low), jsonNumber(interval.high) });
}

Json sweepRowJson(const session::SweepRow& row, bool pairs)
{
    const auto pick = [&](const geometry::Score& score) {
        return jsonNumber(pairs ? score.accuracy.value : score.auc.value);
    };
    // A displacement has no shuffled baseline: nothing was fitted.
    const auto chance = [](const geometry::ChanceScore& score, double value) {
        return score.repetitions > 0 ? jsonNumber(value) : Json(nullptr);
    };
    Json result{ { "layer", layerJson(row.layer) },
                 { "pair_accuracy", pairs ? jsonNumber(row.accuracy.value) : Json(nullptr) },
                 { "pair_accuracy_ci", pairs ? jsonInterval(row.accuracy.interval) : Json(nullptr) },
                 { "auc", jsonNumber(row.auc.value) },
                 { "auc_ci", jsonInterval(row.auc.interval) },
                 { "random", jsonNumber(pairs ? row.random.accuracy : row.random.auc) },
                 { "random_upper", jsonNumber(pairs ? row.random.accuracyUpper : row.random.aucUpper) },
                 { "shuffled", chance(row.shuffled, pairs ? row.shuffled.accuracy : row.shuffled.auc) },
                 { "shuffled_upper",
                   chance(row.shuffled, pairs ? row.shuffled.accuracyUpper : row.shuffled.aucUpper) },
                 { "length", row.length ? pick(*row.length) : Json(nullptr) },
                 { "embedding", row.embedding ? pick(*row.embedding) : Json(nullptr) },
                 { "cross_validated", jsonNumber(row.crossValidated) },
                 { "relative_strength", jsonNumber(row.relativeStrength) } };
    if (std::isfinite(row.linearity))
        result["linearity"] = row.linearity;
    if (row.rawDifference) { // massive activations shown, not hidden
        result["raw_difference_of_means"] = pick(*row.rawDifference);
        result["massive_share"] = row.massiveShare;
    }
    return result;
}

std::string sweepTable(const session::Sweep& sweep)
{
    std::string table = fmt::format(
        "{:<17}{:>9} {:>9}{:>8} {:>9}{:>8}{:>8}{:>8}{:>8}{:>8}\n", "layer", sweep.pairs ? "pairs" : "",
        "95 %", "AUC", "95 %", "random", "shuffled", "length", "embed.", "linear");
    for (std::size_t i = 0; i < sweep.rows.size(); ++i) {
        const session::SweepRow& row = sweep.rows[i];
        const auto optional = [&](const std::optional<geometry::Score>& score) {
            return score ? percent(sweep.pairs ? score->accuracy.value : score->auc.value) : std::string("-");
        };
        table += fmt::format(
            "{:<17}{:>9} {:>9}{:>8.2f} {:>9}{:>8}{:>8}{:>8}{:>8}{:>8}{}\n", row.layer.label(),
            sweep.pairs ? percent(row.accuracy.value) : "",
            sweep.pairs ? percentInterval(row.accuracy.interval.low, row.accuracy.interval.high) : "",
            row.auc.value, fmt::format("{:.2f}-{:.2f}", row.auc.interval.low, row.auc.interval.high),
            percent(sweep.pairs ? row.random.accuracy : row.random.auc),
            percent(sweep.pairs ? row.shuffled.accuracy : row.shuffled.auc), optional(row.length),
            optional(row.embedding),
            std::isfinite(row.linearity) ? fmt::format("{:.2f}", row.linearity) : "-",
            static_cast<int>(i) == sweep.best ? "  <- best inside training" : "");
    }
    return table;
}

Result<std::vector<Layer>> layersAsked(const std::string& text)
{
    if (text.empty() || text == "all")
        return std::vector<Layer>{};
    LODESTONE_TRY(const Layer layer, Layer::parse(text));
    return std::vector<Layer>{ layer };
}

} // namespace lodestone::app
