// What training strengthens: several mechanisms produce the same good reply, and a reward that sees only the
// outcome boosts each in proportion to its part in it (T39-T41).
#pragma once

#include "core/policy/reward_source.h"

#include <string>

namespace lodestone::policy {

/// One knob of the mixer: a mechanism with its gain g and its activation a where the reply was produced.
struct Mechanism {
    std::string name; ///< "kindness", "saying the phrase", "pleasing the grader", "the nice character"
    double gain = 0; ///< g before training
    double activation = 0; ///< a in the training context
    double test = 0; ///< a' in the test context (the prompt removed)
};

/// What training on outcomes does to each.
struct Credit {
    std::vector<double> gain; ///< g after training
    std::vector<double> share; ///< of the change of the output: a_k^2/|a|^2
    double logitBefore = 0, logitAfter = 0; ///< z = g.a in the training context
    double testBefore = 0, testAfter = 0; ///< z' = g.a' in the test context
    double transfer = 0; ///< tau = a.a'/|a|^2 (T40)
    double size = 0; ///< |g(T) - g(0)|
};

/// T39, T40: gradient flow of -log sigma(z) until z = `wanted`, in closed form: g += a (wanted - z_0)/|a|^2.
/// The path does not depend on the step size or the time. Nothing changes where no mechanism is active.
Credit train(const std::vector<Mechanism>& mechanisms, double wanted);
/// The same by explicit gradient steps, until z reaches `wanted` or `steps` are over: what the closed form is
/// checked against.
Credit trainBySteps(const std::vector<Mechanism>& mechanisms, double wanted, double stepSize, int steps);

/// Several contexts at once (rows of A, trained to logits z_T): the least change of gains, A'(AA')^{-1}(z_T -
/// z_0) (T39). Dependent contexts: the least-squares one.
Eigen::VectorXd
gainChange(const Eigen::MatrixXd& contexts, const Eigen::VectorXd& gains, const Eigen::VectorXd& wanted);

/// T41: the same training with and without the strategic mechanism's activation, and what its compliance
/// takes from the others.
struct Starvation {
    Credit with, without;
    std::vector<double> lost; ///< change of each gain with it over the change without it; 1 = unharmed
};
Starvation starve(const std::vector<Mechanism>& mechanisms, std::size_t strategic, double wanted);

/// Two stages: alignment in one context, then capability training in another that also runs through the
/// knobs; what the second feeds (section F of the theory: once kindness causes the replies, later training
/// strengthens it by the same law).
struct TwoStages {
    Credit alignment, capability;
};
TwoStages capabilityAfter(
    const std::vector<Mechanism>& mechanisms, double wanted, const std::vector<double>& capabilityContext,
    double capabilityWanted);

/// Named desks: a cold sample, a prompt that makes kindness produce the reply, alignment faking, the router.
/// Their numbers are T39-T41's own.
struct Desk {
    std::string id, title, says;
    std::vector<Mechanism> mechanisms;
};
const std::vector<Desk>& desks();

/// Directions of a study as mechanisms: how active each is in the replies that training on `reward`
/// strengthens. Activation: mean over prompts of the score of the reward's best reply less the prompt's mean,
/// in within-prompt deviations; test: the same on the replies that are best by gold.
std::vector<Mechanism> mechanismsOf(
    const World& world, const std::vector<std::pair<std::string, Eigen::VectorXd>>& directions,
    const Eigen::VectorXd& reward);

} // namespace lodestone::policy
