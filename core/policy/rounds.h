// RLAIF in rounds: re-judge the updated policy's own candidates, refit, repeat; what drifts, what propagates,
// and what more human labels or more AI labels buy.
#pragma once

#include "core/policy/reward_source.h"

namespace lodestone::policy {

struct RoundSettings {
    int rounds = 8;
    double lambda = 0.3; ///< of each round, for a reward of within-prompt deviation 1
    int pairsPerPrompt = 32; ///< drawn from the current policy, each round
    double drift = 0; ///< delta: the judge turns towards `driftTowards` each round (T22)
    Eigen::VectorXd driftTowards; ///< per study response; empty: the generation direction, else nothing
    double selfPreference = 0; ///< kappa: the judge likes what the policy already does (T23)
    bool chain = false; ///< the judge of a round is the model fitted in the last one (T24)
    double humanShare = 0; ///< of each round's labels that people give, along their training direction
    std::uint64_t seed = 0;
};

/// Where the policy stands after a round; round 0 is the base policy. Gains in within-prompt deviations.
struct RoundState {
    int round = 0;
    double kl = 0; ///< from the base policy
    double proxyGain = 0; ///< along the first round's judge
    geometry::Estimate gold;
    double cosGold = 0; ///< of the model fitted in this round
    double cosJudge = 0; ///< with the first round's judge: drift
    double effective = 0; ///< effective candidates a prompt
    double labels = 0; ///< so far
    std::vector<double> probabilities; ///< in pool order, for a time axis
};

/// pi_{t+1} proportional to pi_t exp(lambda r_t), r_t a Bradley-Terry model on the pool's features fitted to
/// labels of pairs that pi_t itself drew. Without noise, drift or refit this is T21. Errors: no judge.
Result<std::vector<RoundState>>
runRounds(const World& world, const RoundSettings& settings, const Work& work = {});

/// n human labels against 10 n cheaper labels of a judge with correlation rho to people (T25).
struct LabelBudget {
    int n = 0;
    double human = 0, ai = 0; ///< cosine with gold, mean over draws
    double humanSpread = 0, aiSpread = 0; ///< standard deviation over draws
    double humanClosed = 0, aiClosed = 0; ///< T25 at the study's dimension
    bool enough = true; ///< the study had 10 n pairs to label
};
struct LabelCrossing {
    std::vector<LabelBudget> rows;
    double ratio = 10;
    double dimension = 0, rho = 0; ///< what the closed form was given
    double closed
        = 0; ///< n at which people's labels overtake: closed form; infinite or 0 when one always wins
    double measured = 0; ///< n at which the measured means cross, log-interpolated; NaN when they do not
};
/// (rho^2 a - b/ratio)/(1 - rho^2) with a = (d - 1)/m_h^2, b = (d - 1)/m_a^2 from setting both cosines of T25
/// equal; m = (1 - 2 eps) sqrt(2/pi). Infinite for rho >= 1, 0 where people's labels win from the start.
double crossingOf(double dimension, double rho, double ratio, double humanFlips = 0, double aiFlips = 0);
/// E cos of the mean-difference estimator (T25): (1 + (d - 1)/(n m^2))^{-1/2}.
double expectedCosine(double dimension, double n, double flips);

Result<LabelCrossing>
labelCrossing(const World& world, double ratio = 10, int draws = 4, const Work& work = {});

} // namespace lodestone::policy
