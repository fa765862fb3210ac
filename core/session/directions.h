// From judgments or labels to a Sigma-unit direction at one layer.
#pragma once

#include "core/session/snapshot.h"

namespace lodestone::session {

/// The read-out regressed on judgments (one per response, NaN: none), scored on the held-out examples of
/// `value` (empty: all). The layer's factor is used as it is when every training row has a judgment.
Result<Direction> directionFromScores(
    const Foundation& foundation, const LayerStage& layer, const Eigen::VectorXd& judgments,
    std::uint64_t seed);

/// A read-out scaled to Sigma-norm 1, with scores and held-out agreement. Error: a direction of norm 0.
Result<Direction> finishDirection(const LayerStage& layer, geometry::ReadOut readOut, std::uint64_t seed);

/// The Sigma-cosine of two directions with the Sigma of prompts that trained neither: the correlation of
/// their scores on held-out rows, within prompts where the layer's Sigma is. 95 %, prompts resampled.
geometry::Estimate heldOutCosine(
    const Foundation& foundation, const LayerStage& layer, const Direction& a, const Direction& b,
    std::uint64_t seed);

} // namespace lodestone::session
