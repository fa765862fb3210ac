// Whether probabilities mean what they say, how far two judges agree beyond chance, and when a judge had
// better abstain.
#pragma once

#include "core/geometry/statistics.h"

#include <span>
#include <vector>

namespace lodestone::judgment {

/// Pairs whose judge was about equally sure.
struct ReliabilityBin {
    double meanP = 0; ///< mean probability of the reply that the judge prefers, 0.5 .. 1
    double agreed = 0; ///< share in which people preferred it too
    int count = 0;
};

struct Calibration {
    std::vector<ReliabilityBin> bins; ///< non-empty ones, in order
    geometry::Estimate ece; ///< sum over bins of n_b/n |meanP - agreed| (Naeini et al. 2015)
};

/// `p`: P(chosen reply preferred) per pair, in 0 .. 1; confidence is max(p, 1 - p), right when p > 1/2, ties
/// half. Ten bins of equal width over 0.5 .. 1. The interval is by bootstrap over groups (the ECE of few
/// pairs is biased upwards). Empty without pairs.
Calibration calibration(std::span<const double> p, std::span<const int> groups, std::uint64_t seed);

/// The one temperature T that makes sigmoid(logit(p)/T) likeliest under the labels (Guo et al. 2017), by
/// Newton's method on 1/T. Infinite when the judge is no better than a coin or worse (1/T <= 0); 0 when it is
/// always right (separation: no finite T). NaN without pairs.
double fitTemperature(std::span<const double> p);

/// Cohen's kappa (1960) of the signs of two lists of margins; zeros are ties and count half to either side. 0
/// when either judge says one thing only; NaN for no items or lengths that differ.
double kappa(std::span<const double> a, std::span<const double> b);

/// Pairs whose interval covers one half: there the judge abstains. Coverage and accuracy of the rest.
struct Abstention {
    double coverage = 0; ///< share of pairs with a judgment
    double accuracy = 0; ///< share right among them; NaN when none is
};
Abstention abstain(std::span<const double> p, std::span<const geometry::Interval> intervals);

} // namespace lodestone::judgment
