// From a constitution to its judge: what the model says of each principle, and the direction they make
// together.
#pragma once

#include "core/session/snapshot.h"

namespace lodestone::session {

/// One principle at one layer. A principle that has no direction says why in `problem`. `withSpread`: also
/// how sure it is, which priorities need.
std::shared_ptr<const PrincipleStage> makePrincipleStage(
    const Foundation& foundation, const LayerStage& layer, const constitution::Principle& principle,
    Fingerprint key, std::uint64_t seed, bool withSpread = false);

/// w_c of the active principles (docs/theory.md T2) and its judgments of every pair, in their k x k Gram
/// matrix: O(N k), never rows x width. Reads inputs, foundation, layer and principles of `snapshot`.
std::shared_ptr<const JudgeStage> makeJudgeStage(const Snapshot& snapshot, Fingerprint key);

} // namespace lodestone::session
