// Bradley-Terry reward models on activations: preferences of people or of a judge, hard or soft, become one
// read-out that scores any reply.
#pragma once

#include "core/base/error.h"
#include "core/geometry/ridge.h"

#include <cstdint>
#include <span>
#include <vector>

namespace lodestone::judgment {

/// One comparison of two rows. `p` is the probability that `a` is the better one: 1 or 0 for a hard label,
/// anything between for a soft one (Lee et al. 2023: the judge's softmax over "1" and "2").
struct Comparison {
    int a = 0, b = 0; ///< rows of the activations
    int group = 0; ///< prompt
    double p = 1;
};

struct RewardModelOptions {
    /// Of the penalty, over the mean squared singular value of the differences; 0: chosen among decades by
    /// the cross-entropy of held-out prompts.
    double relativeStrength = 0;
    int folds = 5;
    std::uint64_t seed = 0; ///< deals prompts to folds
};

struct RewardModel {
    geometry::ReadOut readOut; ///< on raw h; in logits: r(a) - r(b) = logit P(a over b)
    double relativeStrength = 0;
    bool separated = false; ///< a read-out orders every hard label as given: without the penalty no finite
                            ///< maximum exists (Albert & Anderson 1984)
    bool converged = false; ///< gradient below 1e-8 of its size at zero
    int iterations = 0;
    double crossEntropy = 0; ///< nats per comparison on the training comparisons
    double heldOutCrossEntropy = 0; ///< of the folds; NaN when nothing was chosen by them
};

/// Minimises sum_i CE(p_i, sigmoid(w'(h_a - h_b))) + k |w|^2/2 on standardised coordinates by Newton's method
/// in the basis of right singular vectors (conjugate gradients inside, halved steps). With soft labels this
/// is the loss of Lee et al. 2023 section 3.1; with hard ones the Bradley-Terry likelihood (1952). The
/// penalty is always positive, so separable labels have a finite fit, and `separated` says so. Errors: no
/// comparison, rows out of range, p outside 0 .. 1.
Result<RewardModel> fitRewardModel(
    const geometry::RowsRef& rows, std::span<const Comparison> comparisons,
    const geometry::Standardiser& coordinates, const RewardModelOptions& options = {});

} // namespace lodestone::judgment
