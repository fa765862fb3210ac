#include "core/theory/pool.h"

#include <algorithm>
#include <cmath>

namespace lodestone::theory {

PoolTilt tiltPool(
    std::span<const double> rewards, std::span<const double> values, double lambda,
    std::span<const double> base)
{
    PoolTilt tilt;
    const std::size_t n = rewards.size();
    const double uniform = 1 / static_cast<double>(n);
    double most = 0;
    for (const double reward : rewards)
        most = std::max(most, lambda * reward);
    double sum = 0;
    tilt.weights.resize(n);
    for (std::size_t i = 0; i < n; ++i)
        sum += tilt.weights[i] = (base.empty() ? uniform : base[i]) * std::exp(lambda * rewards[i] - most);
    double squares = 0, product = 0;
    for (std::size_t i = 0; i < n; ++i) {
        const double p = tilt.weights[i] /= sum;
        tilt.reward += p * rewards[i];
        tilt.value += p * values[i];
        product += p * rewards[i] * values[i];
        squares += p * p;
        if (p > 0)
            tilt.kl += p * std::log(p / (base.empty() ? uniform : base[i]));
    }
    tilt.covariance = product - tilt.reward * tilt.value;
    tilt.effective = 1 / squares;
    return tilt;
}

} // namespace lodestone::theory
