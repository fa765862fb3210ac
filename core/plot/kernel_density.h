// A smooth density of weighted scores, for "before and after the update".
#pragma once

#include <span>
#include <vector>

namespace lodestone::plot {

/// The bandwidth 0.9 min(sd, IQR / 1.34) n^(-1/5) (Silverman 1986, eq. 3.31) with weighted moments and n =
/// (sum w)^2 / sum w^2 (Kish 1965). `weights` empty means equal ones. 0 when fewer than two different values
/// carry weight.
double silvermanBandwidth(std::span<const double> values, std::span<const double> weights);

/// The Gaussian kernel density estimate at `points` evenly spaced places from low to high, both included:
/// integrates to 1 over the line when every value is finite. Values that are not finite and weights that are
/// not positive are left out. bandwidth <= 0 chooses Silverman's; when that is 0 too, a hundredth of the
/// range. No value, or an empty range, gives zeros.
std::vector<double> kernelDensity(
    std::span<const double> values, std::span<const double> weights, double low, double high, int points,
    double bandwidth = 0);

} // namespace lodestone::plot
