// One way of finding a direction, at every layer, scored on held-out prompts beside its baselines.
#pragma once

#include "core/geometry/held_out.h"
#include "core/session/foundation.h"

namespace lodestone::session {

/// What the directions are fitted to. People's labels when `scores` is empty; else one judgment per response
/// (NaN: none); or a displacement, which is scored as the read-out that it becomes.
struct SweepTarget {
    Eigen::VectorXd scores;
    std::string value; ///< fit and score only on this value's labels; empty: all
    std::shared_ptr<const constitution::Contrast> contrast = nullptr; ///< of a displacement
};

struct SweepRow {
    Layer layer;
    geometry::Estimate accuracy,
        auc; ///< held out, against people's labels; accuracy NaN for single labelled texts without pairs
    double crossValidated = 0; ///< inside training: what the choice of a layer may look at
    double linearity
        = std::numeric_limits<double>::quiet_NaN(); ///< held-out correlation of read-out and judgment
    double relativeStrength = 0; ///< of the ridge penalty
    geometry::ChanceScore random, shuffled;
    std::optional<geometry::Score> length, embedding;
    /// Difference of means on the raw coordinates, beside the standardised one: massive activations (Sun et
    /// al. 2024) decide it alone. Of people's labels only.
    std::optional<geometry::Score> rawDifference;
    /// Share of the raw difference's squared length in coordinates whose deviation exceeds 20 times the
    /// median one.
    double massiveShare = 0;
};

struct SweepOptions {
    geometry::Method method = geometry::Method::DifferenceOfMeans;
    data::Position position = data::Position::Mean;
    std::vector<Layer> layers; ///< empty: every layer of the study
    std::string scoredValue; ///< for judgments: score only on this value's labels; empty: all
    bool baselines = true;
    std::uint64_t seed = 0;
};

struct Sweep {
    std::vector<SweepRow> rows;
    int best = -1; ///< by cross-validation inside training
    int training = 0, heldOut = 0; ///< items
    bool pairs = true; ///< false: single labelled texts; agreement is then the AUC
};

/// Called with each finished row, in order.
using SweepSink = std::function<void(const SweepRow&)>;

/// Errors: no labels, a position the study has not, no layer.
Result<Sweep> sweepLayers(
    const Foundation& foundation, const SweepTarget& target, const SweepOptions& options,
    const Work& work = {}, const SweepSink& sink = {});

/// The block whose direction of people's labels cross-validation inside the training prompts prefers, among
/// the blocks at which most responses were captured; none without labels.
std::optional<Layer>
preferredLayer(const Foundation& foundation, data::Position position, const Work& work = {});

/// The position to use: the one asked for when the study has it, else the study's first.
data::Position availablePosition(const data::Study& study, data::Position wanted);

} // namespace lodestone::session
