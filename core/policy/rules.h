// The update rules themselves: exact, by winners, by preferences, and by sampled policy gradients.
#pragma once

#include "core/base/rng.h"
#include "core/policy/update_rule.h"

#include <functional>

namespace lodestone::policy {

/// pi proportional to exp(lambda r): the exact optimum of E r - beta KL (T3).
class Optimum final : public UpdateRule {
public:
    std::string name() const override { return "optimum"; }
    std::string description() const override
    {
        return "The exact optimum of reward minus beta KL: what every rule below tries to reach.";
    }
    Result<TrainedPolicy> train(const Problem&, const Target&, const Work& = {}) const override;
};

/// The best of n replies by the reward (T38), in its exact distribution. With a budget: the n whose KL is
/// nearest.
class BestOfN final : public UpdateRule {
public:
    std::string name() const override { return "best-of-n"; }
    std::string description() const override
    {
        return "Sample n replies, show the one with the best reward.";
    }
    Result<TrainedPolicy> train(const Problem&, const Target&, const Work& = {}) const override;
};

/// Rejection sampling: maximum likelihood of the log-linear policy on the winners of best-of-n.
class Sft final : public UpdateRule {
public:
    std::string name() const override { return "sft"; }
    std::string description() const override
    {
        return "Fine-tune on the winners of best-of-n (rejection sampling).";
    }
    Result<TrainedPolicy> train(const Problem&, const Target&, const Work& = {}) const override;
};

/// A labelled pair of candidates (indices in pool order), with the probability that `a` is preferred.
struct CandidatePair {
    int a = 0, b = 0, prompt = 0;
    double p = 0.5;
};
/// The pairs that preference rules train on: of each prompt all, or `pairsPerPrompt` drawn without
/// replacement; labelled by the rewards as the settings say.
std::vector<CandidatePair> labelledPairs(const Problem& problem);

/// Gradient steps of a log-linear policy on pairs. With f the policy's logits and h = f_w - f_l its log ratio
/// against the uniform base: DPO -log sigma(beta h) (Rafailov et al. 2023); cDPO with labels smoothed by eps
/// (Mitchell 2023); IPO (h - 1/(2 beta))^2 (Azar et al. 2023). A pair with soft label p counts as p of one
/// order and 1 - p of the other. With a budget: the trajectory at
/// a smaller beta than the budget's is stopped where it crosses, between two steps.
class PreferenceRule final : public UpdateRule {
public:
    enum class Loss { Dpo, ConservativeDpo, Ipo };
    explicit PreferenceRule(Loss loss)
        : m_loss(loss)
    {
    }
    std::string name() const override;
    std::string description() const override;
    Result<TrainedPolicy> train(const Problem&, const Target&, const Work& = {}) const override;

    /// Loss and its derivative by h for a pair with label p.
    double loss(double h, double p, double beta, double smoothing) const;
    double slope(double h, double p, double beta, double smoothing) const;

private:
    Loss m_loss;
};

/// Sampled policy gradient on E r - beta KL: REINFORCE with the mean of a prompt's other samples as baseline
/// (Williams 1992; Kool et al. 2019), or PPO's clipped surrogate (Schulman et al. 2017), in natural-gradient
/// coordinates of the base policy (Kakade 2001). Runs `seeds` times for the spread of the steps; the policy
/// is that of the first seed.
class SampledRule final : public UpdateRule {
public:
    explicit SampledRule(bool clipped)
        : m_clipped(clipped)
    {
    }
    std::string name() const override { return m_clipped ? "ppo" : "reinforce"; }
    std::string description() const override;
    Result<TrainedPolicy> train(const Problem&, const Target&, const Work& = {}) const override;

    /// One unbiased estimate of the gradient of E r - beta KL by theta, from `batch` samples a prompt.
    static Eigen::VectorXd
    gradientEstimate(const Problem& problem, const Eigen::VectorXd& theta, double beta, Rng& rng);
    /// The exact gradient, by sums over all candidates.
    static Eigen::VectorXd exactGradient(const Problem& problem, const Eigen::VectorXd& theta, double beta);

private:
    bool m_clipped;
};

/// The n whose KL is nearest to a budget, for rules whose KL grows with n.
int nearestSamples(double kl, const std::function<double(int)>& klOfN);

} // namespace lodestone::policy
