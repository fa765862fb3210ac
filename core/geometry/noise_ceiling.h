// How large a cosine can be at all with directions estimated from so few prompts: without this beside it, a
// cosine of 0.3 reads as "unrelated" when it is the best that could be seen (docs/theory.md 8.4).
#pragma once

#include "core/base/error.h"
#include "core/base/progress.h"
#include "core/geometry/statistics.h"

#include <Eigen/Core>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace lodestone::geometry {

struct NoiseCeiling {
    double splitHalf = 0; ///< r: mean cosine of the estimates from two random halves of the groups
    double reliability = 0; ///< R = 2 r/(1 + r), of the estimate from all groups; 0 for negative r
    double ceiling = 0; ///< sqrt R: the largest cosine to expect with a direction known without noise
    int splits = 0; ///< halvings that gave a cosine
    std::vector<double> cosines; ///< of each of these halvings, in order
};

/// Estimates a direction from the listed items; an Error (such as one class only) leaves that halving out.
using HalfEstimator = std::function<Result<Eigen::VectorXd>(std::span<const int> items)>;

/// Cosine of two estimates: Euclidean on standardised coordinates, or the Sigma one of a Covariance.
using Cosine = std::function<double(const Eigen::VectorXd&, const Eigen::VectorXd&)>;

/// Euclidean cosine, 0 when a vector is 0.
double euclideanCosine(const Eigen::VectorXd& a, const Eigen::VectorXd& b);

/// Splits the groups at random into halves `splits` times and averages the cosine of the two estimates.
/// `groups`: one id per item. Errors: fewer than two groups, no halving with an estimate (then the
/// estimator's last error), or a request to stop. Deterministic in the seed.
Result<NoiseCeiling> noiseCeiling(
    std::span<const int> groups, const HalfEstimator& estimate, const Cosine& cosine, int splits = 10,
    std::uint64_t seed = 0, const Work& work = {});

/// Reliability of the whole from the correlation of its halves: 2 r/(1 + r) (Spearman 1910; Brown 1910); 0
/// for r <= 0.
double spearmanBrown(double splitHalf);

/// sqrt(R1 R2): the largest cosine to expect between two estimated directions (Spearman 1904).
double ceilingOfTwo(double reliabilityA, double reliabilityB);

/// Spread of ceilingOfTwo over the halvings (mean +- 1.96 standard deviations, within 0 .. 1): how much the
/// ceiling owes to the one way of halving. Unknown with fewer than three halvings, or with different numbers
/// of them.
Interval ceilingSpread(const NoiseCeiling& a, const NoiseCeiling& b);

/// T25 of docs/theory.md: expected cosine of the mean-difference direction from n pairs with the true one in
/// d dimensions, (1 + (d - 1)/(n m^2))^{-1/2}, m = (1 - 2 flips) sqrt(2/pi). 0 for n < 1.
double expectedCosine(int pairs, int width, double flipProbability = 0);

/// The inverse: pairs needed for a cosine c in (0, 1): (d - 1) c^2/((1 - c^2) m^2).
double pairsNeeded(double cosine, int width, double flipProbability = 0);

} // namespace lodestone::geometry
