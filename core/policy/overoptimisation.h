// Over-optimisation measured, not drawn: the proxy that training sees and the gold that it does not, against
// sqrt(KL).
#pragma once

#include "core/policy/reward_source.h"

namespace lodestone::policy {

/// One strength of optimisation. Gains in within-prompt standard deviations of each score.
struct OptimisationPoint {
    double strength = 0; ///< lambda of the tilt, or n of best-of-n
    double kl = 0;
    geometry::Estimate proxy, gold; ///< intervals over prompts
    double distance() const; ///< sqrt(KL)
};

/// Gao, Schulman & Hilton 2022: R(d) = d (alpha - beta d) for best-of-n, d (alpha - beta ln d) for RL, d =
/// sqrt(KL), by least squares; intervals by refitting on resampled prompts.
struct GaoFit {
    geometry::Estimate alpha, beta;
    double rSquared = 0; ///< about zero: 1 - RSS/sum y^2
    double peak
        = 0; ///< d* of the fitted form: alpha/(2 beta), or exp(alpha/beta - 1); infinite for beta <= 0
    double at(double d, bool rl) const;
};

struct Overoptimisation {
    std::vector<OptimisationPoint> optimum, bestOfN;
    GaoFit goldRl, goldBestOfN, proxyRl, proxyBestOfN;
    /// Gold at its best point less gold at the strongest optimisation, paired over prompts.
    geometry::Estimate fallFromPeak;
    bool turnover = false; ///< fallFromPeak's interval lies above 0: it is in the data
    double turnoverAt = 0; ///< sqrt(KL) of the best point
    std::string cause; ///< of the turnover, or why there is none, in plain words with its statement
    double slopeRatio = 0; ///< gold gain over proxy gain as KL goes to 0 = their correlation (T32)
    /// kappa = E (V - EV)(r - Er)^2 within prompts (T5 b): below 0 the value bends away from the reward
    /// (T33).
    geometry::Estimate curvature;
};

/// The exact tilt at `points` budgets evenly spaced in sqrt(KL) up to 95 % of the cap, and best-of-n for n =
/// 1, 2, 3, 4, 6, 8, ... Error: a proxy that does not vary.
Result<Overoptimisation>
overoptimise(const World& world, const Eigen::VectorXd& proxy, int points = 20, const Work& work = {});

/// Least squares of gains y on d (alpha - beta d) or d (alpha - beta ln d); points at d = 0 do not count. NaN
/// below two different distances.
std::pair<double, double> fitGao(std::span<const double> d, std::span<const double> y, bool rl);

} // namespace lodestone::policy
