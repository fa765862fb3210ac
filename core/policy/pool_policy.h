// The exact KL-regularised policy on finite candidates: each prompt's replies compete with each other only.
#pragma once

#include "core/geometry/statistics.h"

#include <Eigen/Core>
#include <span>
#include <vector>

namespace lodestone::policy {

/// The candidates that policies choose among: per prompt the rows of its replies, base policy uniform over
/// them.
struct Pool {
    struct Prompt {
        int group = 0; ///< prompts of one group are resampled together
        std::vector<int> rows; ///< at least two
    };
    std::vector<Prompt> prompts;

    std::size_t candidates() const;
    double largestKl()
        const; ///< mean over prompts of ln N: no policy on the pool can exceed it (docs/theory.md 8.6)
};

/// pi(y|x) proportional to exp(lambda r(y)) over a prompt's candidates (T3, T37). All means are over prompts.
struct Tilt {
    double lambda = 0;
    double kl = 0; ///< KL(pi || base), nats, mean over prompts
    double rewardGain = 0; ///< E_pi r - E_base r
    double valueGain = 0; ///< E_pi v - E_base v
    double winRate = 0.5; ///< P(v(y_pi) > v(y_base)), independent draws of one prompt, ties half
    double effectiveSampleSize = 0; ///< mean of 1/sum p^2
    std::vector<double> probabilities; ///< per pool candidate, prompt by prompt
};

/// The optimum of E r - beta KL at lambda = 1/beta. `rewards` and `values` are per study response.
Tilt tilt(const Pool& pool, const Eigen::VectorXd& rewards, const Eigen::VectorXd& values, double lambda);

/// The lambda that spends a KL budget (bisection to 1e-10 relative); infinite budgets give the largest finite
/// lambda. 0 when the rewards do not vary or the budget is 0.
double lambdaForKl(const Pool& pool, const Eigen::VectorXd& rewards, double kl);

/// Intervals of a tilt's gains and win rate: prompts are resampled (bootstrap over groups), the policy of
/// each stays.
struct TiltIntervals {
    geometry::Estimate rewardGain, valueGain, winRate, kl;
};
TiltIntervals intervals(
    const Pool& pool, const Eigen::VectorXd& rewards, const Eigen::VectorXd& values, double lambda,
    std::uint64_t seed);

/// A candidate whose log-probability changed.
struct Change {
    int row = 0;
    double logRatio = 0; ///< ln(pi / base)
};
/// The candidates that rose and fell most, at most `count` of each, one a prompt and side.
struct Movers {
    std::vector<Change> risen, fallen;
};
Movers movers(const Pool& pool, const Tilt& tilt, std::size_t count);

} // namespace lodestone::policy
