#include "core/theory/numbers.h"

#include <boost/math/distributions/normal.hpp>
#include <boost/math/special_functions/owens_t.hpp>
#include <boost/math/special_functions/zeta.hpp>
#include <limits>

namespace lodestone::theory {

double normalQuantile(double p)
{
    if (!(p > 0))
        return -std::numeric_limits<double>::infinity();
    if (p >= 1)
        return std::numeric_limits<double>::infinity();
    return boost::math::quantile(boost::math::normal(), p);
}

double owenT(double h, double a) { return boost::math::owens_t(h, a); }

double estimatorCosine(int d, double n, double m)
{
    if (d < 2)
        return 1;
    // Over the logarithm of the length across, whose density is then smooth and decays on both sides.
    constexpr double step = 1.0 / 32;
    const double spread = std::sqrt(std::max(1 - m * m, 0.0) / n);
    double sum = 0, total = 0;
    const double centre = std::log(std::sqrt((d - 1) / n));
    for (int i = -1200; i <= 200; ++i) {
        const double logarithm = centre + i * step, y = std::exp(logarithm);
        const double weight = std::exp((d - 1) * (logarithm - centre) - n * y * y / 2 + (d - 1) / 2.0);
        if (weight < 1e-18)
            continue;
        double mean = 0;
        for (int k = -64; k <= 64; ++k) {
            const double x = m + spread * k / 8.0;
            mean += normalDensity(k / 8.0) / 8 * x / std::sqrt(x * x + y * y);
        }
        sum += weight * mean;
        total += weight;
    }
    return sum / total;
}

double zeta(double s) { return boost::math::zeta(s); }

} // namespace lodestone::theory
