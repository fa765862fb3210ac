#include "core/policy/pipelines.h"

#include <algorithm>

namespace lodestone::policy {

double commonKl(const Pool& pool) { return std::min(0.5, pool.largestKl() / 2); }

std::vector<Pipeline> pipelinesOf(const World& world, bool heavy)
{
    std::vector<Pipeline> list;
    const auto add
        = [&](const char* id, const char* title, std::unique_ptr<RewardSource> source, const char* rule) {
              RuleSettings settings;
              settings.tau = world.tau;
              settings.seed = world.seed;
              std::string reward = source->description();
              list.push_back({ id, title, std::move(reward), rule, std::move(source), settings });
          };
    const bool judged = world.judge.size() > 0, ai = judged && !world.aiPairs.empty();
    const bool people = !world.humanLabels.empty();
    if (ai)
        add("canonical-rlaif", "Canonical RLAIF", rewardModel(LabelSource::JudgeSoft),
            heavy ? "reinforce" : "optimum");
    if (judged)
        add("direct-rlaif", "Direct RLAIF", constitutionReward(), heavy ? "reinforce" : "optimum");
    if (world.rating.size() > 0)
        add("rating-rlaif", "Direct RLAIF, rating", ratingReward(), "optimum");
    if (people)
        add("rlhf", "RLHF", rewardModel(LabelSource::People), heavy ? "reinforce" : "optimum");
    if (people && ai)
        add("combined", "Human and AI labels", rewardModel(LabelSource::Combined), "optimum");
    if (world.labeler.size() > 0)
        add("other-labeler", "Another model as labeler", labelerReward(), "optimum");
    if (judged) {
        add("optimum", "Exact optimum", constitutionReward(), "optimum");
        if (heavy)
            add("ppo", "PPO", constitutionReward(), "ppo");
        add("dpo", "DPO, AI choices", constitutionReward(), "dpo");
        add("cdpo", "cDPO, AI choices", constitutionReward(), "cdpo");
        add("ipo", "IPO, AI choices", constitutionReward(), "ipo");
        add("best-of-n", "Best of n", constitutionReward(), "best-of-n");
        add("sft", "SFT on winners", constitutionReward(), "sft");
    }
    if (people)
        add("dpo-people", "DPO, people's direction", labelsReward(), "dpo");
    return list;
}

PipelineRow runPipeline(const World& world, const Pipeline& pipeline, const Target& target, const Work& work)
{
    PipelineRow row;
    row.id = pipeline.id;
    row.title = pipeline.title;
    row.reward = pipeline.reward;
    row.rule = pipeline.rule;
    const auto reward = pipeline.source->make(world, work);
    const auto rule = makeRule(pipeline.rule);
    if (!reward || !rule) {
        row.problem = rule ? reward.error().message() : "no such rule: " + pipeline.rule;
        return row;
    }
    auto policy
        = rule->train({ world.pool, reward->scores, *world.features, pipeline.settings }, target, work);
    if (!policy) {
        row.problem = policy.error().message();
        return row;
    }
    row.policy = std::move(*policy);
    row.rewardNote = reward->note;
    row.sharesLabels = reward->cost.humanLabels > 0;
    row.cost = reward->cost;
    if (reward->askedPerReply) { // the judge reads what training samples or compares
        row.cost.judgeCalls += row.policy.sampledReplies + 2 * row.policy.comparisons;
        row.cost.judgeTokens
            += world.meanTokens * (row.policy.sampledReplies + 2 * 2 * row.policy.comparisons);
        if (row.policy.sampledReplies + row.policy.comparisons == 0) { // exact: every candidate once
            row.cost.judgeCalls += static_cast<double>(world.pool.candidates());
            row.cost.judgeTokens += world.meanTokens * static_cast<double>(world.pool.candidates());
        }
    }
    const Eigen::VectorXd& value = world.people.size() > 0 ? world.people : world.gold;
    row.value = outcomeOf(world.pool, row.policy.probabilities, reward->scores, value);
    row.valueIntervals = intervalsOf(world.pool, row.policy.probabilities, reward->scores, value, world.seed);
    row.gold = outcomeOf(world.pool, row.policy.probabilities, reward->scores, world.gold);
    row.goldIntervals
        = intervalsOf(world.pool, row.policy.probabilities, reward->scores, world.gold, world.seed);
    return row;
}

Result<std::vector<PipelineRow>> comparePipelines(const World& world, double kl, const Work& work, bool heavy)
{
    if (!(kl < world.pool.largestKl()))
        return fail(
            ErrorKind::Usage,
            "a KL below " + std::to_string(world.pool.largestKl())
                + " nats, which these candidates cannot exceed",
            std::to_string(kl), "--kl");
    const std::vector<Pipeline> pipelines = pipelinesOf(world, heavy);
    if (pipelines.empty())
        return badInput("a constitution with a direction, or people's labels", "neither", "pipelines");
    std::vector<PipelineRow> rows;
    for (const Pipeline& pipeline : pipelines) {
        if (work.cancelled())
            return cancelled();
        work.tell({ "Training " + pipeline.title, static_cast<double>(rows.size()),
                    static_cast<double>(pipelines.size()), 0, "pipelines", -1 });
        rows.push_back(runPipeline(world, pipeline, { 1, kl }, Work{ work.stop, {} }));
    }
    if (work.cancelled())
        return cancelled();
    return rows;
}

} // namespace lodestone::policy
