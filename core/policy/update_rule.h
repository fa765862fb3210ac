// Update rules behind one interface: from a reward on the candidates to a policy, at a penalty or at a KL
// budget.
#pragma once

#include "core/base/progress.h"
#include "core/policy/log_linear.h"

#include <memory>
#include <optional>
#include <string>

namespace lodestone::policy {

/// How a judge's scores become the labels of preference training.
enum class LabelKind {
    Sampled, ///< one draw a pair from sigmoid((r_a - r_b)/tau), as Bradley-Terry assumes (T26)
    Hard, ///< the better one wins
    Soft ///< the probability itself: noiseless (T28)
};

struct RuleSettings {
    int samples = 4; ///< n of best-of-n and of rejection sampling
    LabelKind labels = LabelKind::Sampled;
    double tau = 1; ///< judge temperature of those labels
    int pairsPerPrompt = 64; ///< compared pairs a prompt; all when there are fewer
    double labelSmoothing = 0.1; ///< eps of cDPO
    double flips = 0; ///< dose of label noise: this share of the labels is turned round
    int steps = 600; ///< at most
    int batch = 8; ///< replies sampled a prompt and step (REINFORCE, PPO); at least 2
    bool baseline = true; ///< REINFORCE: subtract the mean reward of the prompt's other samples
    double clip = 0.2; ///< PPO
    int epochs = 4; ///< PPO: gradient steps on each batch
    double rewardNoise = 0; ///< dose: standard deviation of noise on each sampled reward, in units of the
                            ///< reward's own within prompts
    double stepSize = 0.1; ///< of the sampled rules, in natural-gradient units
    int seeds = 8; ///< runs of the sampled rules: spread of the steps
    std::uint64_t seed = 0;
};

/// What a rule trains on. References must outlive the call.
struct Problem {
    const Pool& pool;
    const Eigen::VectorXd& rewards; ///< per study response
    const Features& features;
    RuleSettings settings;
};

/// What to train for: a penalty, or a KL budget to spend.
struct Target {
    double lambda = 1; ///< 1/beta
    std::optional<double> kl; ///< instead of lambda
};

/// One step of training. DPO's names are those of the common trainers.
struct TrainingPoint {
    int step = 0;
    double kl = 0, rewardGain = 0;
    double objective = 0; ///< E r - beta KL, or the loss of preference rules
    double rewardsChosen = 0, rewardsRejected = 0; ///< beta log(pi/pi_0), mean over pairs
    double accuracy = 0; ///< share of pairs whose implicit margin has the label's sign, ties half
    double logpsChosen = 0, logpsRejected = 0; ///< log pi, mean over pairs
    double margin() const { return rewardsChosen - rewardsRejected; }
};

/// Steps until the exact objective of the current policy first reaches 90 % of the optimum's.
struct StepsTo90 {
    double median = 0, low = 0, high = 0; ///< over seeds; infinite where a run never got there
    int seeds = 0, reached = 0;
};

/// A pair whose chosen reply lost probability although its margin rose, and why (docs/theory.md 8.8).
struct ChosenFall {
    int chosen = -1, rejected = -1; ///< study responses
    double logpChange = 0; ///< of the chosen reply, from base to trained
    double marginChange = 0; ///< of log pi(w) - log pi(l)
    double firstOrder = 0; ///< (h_w - E_pi h)'(h_w - h_l) at the base policy = own + others
    double own = 0; ///< pi_l |h_w - h_l|^2: what the pair alone gives, never negative
    double others = 0; ///< sum over the other candidates k of pi_k (h_w - h_k)'(h_w - h_l)
    int strongest = -1; ///< the candidate that contributes the most negative term
};

struct TrainedPolicy {
    std::vector<double> probabilities; ///< per candidate in pool order
    double lambda = 0; ///< 1/beta used
    double kl = 0;
    bool exactKl = true; ///< false: the budget cannot be spent exactly; `note` says what was used
    std::string note; ///< in plain words; empty when there is nothing to say
    std::vector<TrainingPoint> curve; ///< of rules that take steps
    std::optional<StepsTo90> steps; ///< of sampled rules
    std::vector<ChosenFall> falls; ///< of preference rules, largest fall first
    int fallen = 0, compared = 0; ///< pairs whose chosen reply fell while its margin rose, of how many
    double sampledReplies = 0; ///< replies that had to be sampled and judged, closed count
    double comparisons = 0; ///< pairs labelled
};

class UpdateRule {
public:
    virtual ~UpdateRule() = default;
    virtual std::string name() const = 0; ///< the command line's word
    virtual std::string description() const = 0; ///< one sentence for people
    /// Errors: a budget that no policy on the pool can spend (ln N), cancellation.
    virtual Result<TrainedPolicy>
    train(const Problem& problem, const Target& target, const Work& work = {}) const = 0;

protected:
    /// Error when the budget is not below the pool's cap.
    static Result<void> checkBudget(const Problem& problem, const Target& target);
    /// lambda of the target: given, or what the exact optimum needs for the budget.
    static double lambdaOf(const Problem& problem, const Target& target);
};

/// "optimum", "best-of-n", "sft", "dpo", "cdpo", "ipo", "reinforce", "ppo".
const std::vector<std::string>& ruleNames();
/// Null for a name that is none of them.
std::unique_ptr<UpdateRule> makeRule(const std::string& name);

/// P(candidate is the best of n draws with replacement from a prompt's uniform base), ties shared: exact
/// (order statistics; Beirami et al. 2024 state its KL). In pool order.
std::vector<double> bestOfN(const Pool& pool, const Eigen::VectorXd& rewards, int n);
/// ln n - (n - 1)/n: exact without ties in an infinite pool, an upper bound otherwise.
double bestOfNBound(int n);

} // namespace lodestone::policy
