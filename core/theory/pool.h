// A pool of candidates reweighted by their rewards: the finite case of the exact optimum (T3, T5, T37).
#pragma once

#include <span>
#include <vector>

namespace lodestone::theory {

struct PoolTilt {
    std::vector<double> weights; ///< p_i proportional to base_i exp(lambda r_i)
    double reward = 0, value = 0; ///< means under p
    double covariance = 0; ///< of value and reward under p
    double kl = 0; ///< KL(p || base), nats
    double effective = 0; ///< 1 / sum p^2
};

/// `values` as long as `rewards`; `base` empty for the uniform one.
PoolTilt tiltPool(
    std::span<const double> rewards, std::span<const double> values, double lambda,
    std::span<const double> base = {});

} // namespace lodestone::theory
