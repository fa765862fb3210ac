// Where a reward comes from, behind one interface: a constitution, people, a reward model fitted to labels,
// or the judge's own rating; and the transforms that turn a score into what training maximises.
#pragma once

#include "core/base/progress.h"
#include "core/judgment/reward_model.h"
#include "core/policy/log_linear.h"

#include <memory>
#include <string>

namespace lodestone::policy {

/// What every source, rule and failure of the lab is measured on: one study at one layer. Scores are per
/// study response; those that a study does not carry are empty.
struct World {
    Pool pool; ///< candidates of held-out prompts
    bool fromPairs = false; ///< two labelled replies a prompt, because nothing was sampled
    std::shared_ptr<const geometry::Rows> rows; ///< activations [responses, width]
    geometry::Standardiser coordinates;
    std::shared_ptr<const Features> features; ///< of the pool
    Eigen::VectorXd judge; ///< w_c'h: the constitution's scores
    Eigen::VectorXd people; ///< w*'h: fitted to people's labels of the training prompts
    /// What no reward was fitted to: people's direction refitted to the held-out labels, or, on pairs, the
    /// labels themselves. Within-prompt standard deviation 1 over the pool.
    Eigen::VectorXd gold;
    bool goldIsLabels = false;
    Eigen::VectorXd generation; ///< w_gen'h
    Eigen::VectorXd neutral; ///< w_J'h
    Eigen::VectorXd length; ///< tokens
    Eigen::VectorXd echo; ///< share of a reply's words that the user's turn had: how much it repeats the user
    Eigen::VectorXd rating; ///< the prompted judge's expected rating on -1 .. 1
    Eigen::VectorXd labeler; ///< another model's judgments of the same replies, by the same constitution
    std::string labelerName;
    std::vector<judgment::Comparison> humanLabels; ///< of training prompts; p = 1: a was chosen
    std::vector<judgment::Comparison>
        aiPairs; ///< pairs of replies to training prompts, for the judge to label
    double meanTokens = 0; ///< of a reply
    double tau = 1;
    std::uint64_t seed = 0;

    /// A score with mean 0 in every prompt and within-prompt deviation 1 over the pool; zero when it does not
    /// vary.
    Eigen::VectorXd unit(const Eigen::VectorXd& scores) const;
    /// Within-prompt correlation over the pool: the cosine of two read-outs there; 0 when either is flat.
    double cosine(const Eigen::VectorXd& a, const Eigen::VectorXd& b) const;
};

/// What a reward costs before and while a policy trains on it. Closed counts.
struct Cost {
    double judgeCalls = 0; ///< questions to the judge; a pair counts twice, once an order
    double humanLabels = 0;
    double judgeTokens = 0; ///< reply tokens that the judge reads; its prompt and instruction come on top
    Cost operator+(const Cost& other) const
    {
        return { judgeCalls + other.judgeCalls, humanLabels + other.humanLabels,
                 judgeTokens + other.judgeTokens };
    }
};

struct Reward {
    Eigen::VectorXd scores; ///< per study response
    Cost cost; ///< to have it at all
    bool askedPerReply = false; ///< every sampled reply is another question to the judge (direct RLAIF)
    std::string note; ///< in plain words; may be empty
};

class RewardSource {
public:
    virtual ~RewardSource() = default;
    virtual std::string name() const = 0; ///< the command line's word
    virtual std::string description() const = 0;
    /// Errors: what the world does not carry.
    virtual Result<Reward> make(const World& world, const Work& work = {}) const = 0;
};

/// Whose labels a reward model is fitted to.
enum class LabelSource {
    People, ///< hard: RLHF
    JudgeSoft, ///< the judge's probabilities: canonical RLAIF (Lee et al. 2023)
    JudgeHard, ///< the judge's choices, drawn from its probabilities
    Combined ///< people's labels and the judge's soft ones together
};

/// "constitution" and "labels": a direction's own scores; the first asks the judge about every reply.
std::unique_ptr<RewardSource> constitutionReward();
std::unique_ptr<RewardSource> labelsReward();
/// "reward-model": Bradley-Terry on labels of training prompts. `budget`: use only so many comparisons (0:
/// all).
std::unique_ptr<RewardSource> rewardModel(LabelSource labels, int budget = 0, double flips = 0);
/// "rating": the judge's expectation on 1 .. 10, as (s - 5.5)/4.5 (d-RLAIF).
std::unique_ptr<RewardSource> ratingReward();
/// The labeler of another study: the same constitution read by another model.
std::unique_ptr<RewardSource> labelerReward();

const std::vector<std::string>& rewardNames(); ///< the contract's four
std::unique_ptr<RewardSource> makeReward(const std::string& name);

/// What training maximises, as a function of the score f.
enum class Transform {
    Identity, ///< f
    LogSigmoid, ///< log sigma(f): bounded gain for what is good already (Christiano et al. 2017; Wang et al.
                ///< 2024)
    LogOdds ///< log-odds of being preferred to a reference reply, mean over the prompt's base replies
};
std::string transformName(Transform transform); ///< "f", "log-sigmoid", "log-odds"
Result<Transform> parseTransform(const std::string& name);

/// The transformed score per study response; rows outside the pool keep f. With one reference reply the
/// log-odds are f less that reply's f, a shift that changes no policy (T3); over several they saturate.
Eigen::VectorXd transformed(Transform transform, const Pool& pool, const Eigen::VectorXd& scores);

/// Comparisons labelled by a score: p = sigmoid((f_a - f_b)/tau), drawn when hard, turned round with
/// probability `flips`.
std::vector<judgment::Comparison> labelledBy(
    const Eigen::VectorXd& scores, std::vector<judgment::Comparison> pairs, double tau, bool hard,
    double flips, std::uint64_t seed);

/// Scores of a reward model on every response.
Result<Eigen::VectorXd>
scoresOf(const World& world, std::span<const judgment::Comparison> comparisons, double relativeStrength = 0);

} // namespace lodestone::policy
