// The few functions of one number that many statements share.
#pragma once

#include "core/geometry/numbers.h"

#include <cmath>
#include <numbers>

namespace lodestone::theory {

inline constexpr double pi = std::numbers::pi;
inline constexpr double degrees = 180 / std::numbers::pi; ///< degrees in a radian

/// Phi, phi and Phi^{-1} of the standard normal distribution.
inline double normalCdf(double x) { return 0.5 * std::erfc(-x / std::numbers::sqrt2); }
inline double normalDensity(double x)
{
    return std::exp(-x * x / 2) * std::numbers::inv_sqrtpi / std::numbers::sqrt2;
}
double normalQuantile(double p);
/// Owen's T (Owen 1956).
double owenT(double h, double a);
/// The Riemann zeta function for s > 1.
double zeta(double s);

/// E cos between the truth and a difference of means of n labelled pairs in d dimensions (T25): the part
/// along the truth N(m, (1 - m^2)/n), the d - 1 others N(0, 1/n).
double estimatorCosine(int d, double n, double m);

using geometry::sigmoid;
inline double logit(double p) { return std::log(p / (1 - p)); }

/// E f(Z) for a standard normal Z and a smooth f: the trapezoid rule, whose error falls exponentially, as
/// exp(-2 pi a/step) with the distance a of f's nearest pole from the real line (pi/6 for the steepest
/// sigmoid).
template <typename F>
double normalExpectation(F f)
{
    constexpr double step = 1.0 / 16, reach = 12;
    double sum = 0;
    for (int k = static_cast<int>(-reach / step); k <= static_cast<int>(reach / step); ++k)
        sum += normalDensity(k * step) * f(k * step);
    return sum * step;
}

} // namespace lodestone::theory
