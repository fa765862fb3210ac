// Judgments of pairs along the constitution's direction, their agreement with people, and what an edit
// flipped.
#pragma once

#include "core/data/response_set.h"
#include "core/geometry/examples.h"

#include <Eigen/Core>
#include <span>
#include <vector>

namespace lodestone::judgment {

/// P(A over B) = sigmoid((r_A - r_B)/tau) (Bradley & Terry 1952; docs/theory.md section 1).
double preference(double rewardA, double rewardB, double tau);

struct PairJudgment {
    int pair = 0; ///< index into the study's pairs
    double p = 0.5; ///< probability that the chosen reply is preferred
    geometry::Interval interval; ///< 95 %, over resamples of the judge; unknown when there are none
    bool heldOut = false; ///< its prompt did not train the people's direction or the read-outs
    bool agrees() const { return p > 0.5; }
};

/// Judges every pair whose two responses have a reward. `rewards`: w_c'h per response, NaN where unknown.
std::vector<PairJudgment> judgePairs(
    const data::ResponseSet& set, const Eigen::VectorXd& rewards, double tau,
    const std::vector<bool>& training);

/// Agreement with people on the held-out pairs (ties half), with a bootstrap interval over prompts.
geometry::Estimate
agreement(const data::ResponseSet& set, std::span<const PairJudgment> judgments, std::uint64_t seed);

/// Pairs whose preferred reply differs between two judgments of the same study.
std::vector<int> flippedPairs(std::span<const PairJudgment> before, std::span<const PairJudgment> after);

} // namespace lodestone::judgment
