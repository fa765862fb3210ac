// The rule by which Arditi et al. (2024) pick one direction among all positions and layers from its scores,
// apart from any model, so that it can be held against the scores that they released.
#pragma once

#include "core/base/error.h"

#include <span>

namespace lodestone::geometry {

/// One candidate r = mean of harmful minus mean of harmless at a position and layer. Their layer l counts
/// residual streams before blocks: l is the embedding for 0, else the output of block l - 1.
struct RefusalScore {
    int position = -1; ///< from the end of the prompt: -1 is its last token
    int layer = 0; ///< theirs
    double bypass = 0; ///< mean refusal score on harmful requests with r ablated everywhere; lower is better
    double induce = 0; ///< mean refusal score on harmless requests with r added at the layer
    double kl = 0; ///< KL(base || ablated) of the next token on harmless requests, nats
};

struct RefusalRule {
    double largestKl = 0.1;
    double smallestInduce = 0;
    double layersUsed = 0.8; ///< layers from this share of the depth on are left out
};

/// Index of the kept candidate with the lowest bypass score (ties: the first). Left out are scores that are
/// not finite, layer >= layersUsed x layers rounded down (14 of 18: so their released scores), kl > largestKl
/// and induce < smallestInduce. `layers`: number of blocks. Error when none is left, saying what most of them
/// failed by.
Result<int> selectRefusal(std::span<const RefusalScore> scores, int layers, const RefusalRule& rule = {});

/// log P - log(1 - P) with their guard: log(P + 1e-8) - log(1 - P + 1e-8).
double refusalScore(double refusalProbability);

} // namespace lodestone::geometry
