// The pipelines that papers compare, each a reward source under an update rule, side by side at one KL.
#pragma once

#include "core/policy/reward_source.h"
#include "core/policy/update_rule.h"

namespace lodestone::policy {

/// One way of training: named, with what it is made of.
struct Pipeline {
    std::string id, title; ///< "canonical-rlaif", "Canonical RLAIF"
    std::string reward; ///< in words
    std::string rule; ///< a name of ruleNames()
    std::unique_ptr<RewardSource> source;
    RuleSettings settings;
};

/// Every pipeline that the world carries the data for: canonical RLAIF (a reward model distilled from the
/// judge's soft labels, REINFORCE), direct RLAIF (the judge scores every sampled reply), RLHF, human and AI
/// labels combined, DPO, cDPO and IPO on the judge's choices, DPO on people's direction, best-of-n, rejection
/// sampling, PPO, the exact optimum, another model as labeler (T13), the rating; `heavy`: also the rules that
/// sample (they take most of the time).
std::vector<Pipeline> pipelinesOf(const World& world, bool heavy = true);

struct PipelineRow {
    std::string id, title, reward, rule;
    TrainedPolicy policy;
    Outcome value; ///< along people's direction (fitted to training labels)
    Outcome gold; ///< along what no reward was fitted to
    TiltIntervals valueIntervals, goldIntervals;
    Cost cost;
    bool sharesLabels = false; ///< the reward was fitted to the labels that people's direction was fitted to
    std::string rewardNote;
    std::string problem; ///< why there is no result; empty when there is one
};

/// Trains one pipeline at a KL budget and measures it with intervals over prompts.
PipelineRow
runPipeline(const World& world, const Pipeline& pipeline, const Target& target, const Work& work = {});

/// All of them; rows that cannot be had carry their problem. Error: cancellation, a budget above the cap.
Result<std::vector<PipelineRow>>
comparePipelines(const World& world, double kl, const Work& work = {}, bool heavy = true);

/// The KL at which pipelines are compared unless another is asked for: half of what the pool allows, at most
/// one half nat.
double commonKl(const Pool& pool);

} // namespace lodestone::policy
