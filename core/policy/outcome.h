// What any policy on the candidates has changed, however it was trained, and the quick parts of a tilt.
#pragma once

#include "core/policy/pool_policy.h"

namespace lodestone::policy {

/// What a slider and a bisection need of a tilt: no probabilities, no win rate, so no sort. O(candidates).
struct TiltGains {
    double lambda = 0, kl = 0, rewardGain = 0, valueGain = 0;
    double slope = 0; ///< dKL/dlambda = lambda Var_pi r, mean over prompts
};
TiltGains
tiltGains(const Pool& pool, const Eigen::VectorXd& rewards, const Eigen::VectorXd& values, double lambda);

/// The tilted distribution alone, in pool order, and its KL from the base: nothing is sorted. O(candidates).
double tiltDistribution(
    const Pool& pool, const Eigen::VectorXd& rewards, double lambda, std::vector<double>& probabilities);

/// What any policy on the pool has changed, however it was trained. Means over prompts, as in Tilt.
struct Outcome {
    double kl = 0, rewardGain = 0, valueGain = 0, winRate = 0.5, effectiveSampleSize = 0;
};
/// `probabilities`: per pool candidate, prompt by prompt, summing to 1 in each prompt.
Outcome outcomeOf(
    const Pool& pool, std::span<const double> probabilities, const Eigen::VectorXd& rewards,
    const Eigen::VectorXd& values);

/// Intervals of a policy's gains and win rate, prompts resampled.
TiltIntervals intervalsOf(
    const Pool& pool, std::span<const double> probabilities, const Eigen::VectorXd& rewards,
    const Eigen::VectorXd& values, std::uint64_t seed);

/// Mean difference of two policies' value gains with its paired interval over prompts.
geometry::Estimate differenceOf(
    const Pool& pool, std::span<const double> first, std::span<const double> second,
    const Eigen::VectorXd& values, std::uint64_t seed);

/// The candidates that rose and fell most under a policy.
Movers moversOf(const Pool& pool, std::span<const double> probabilities, std::size_t count);

/// Standard deviation of a score within prompts under the base policy: the unit of gains along it.
double deviationWithin(const Pool& pool, const Eigen::VectorXd& scores);

} // namespace lodestone::policy
