#include "core/policy/rules.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <limits>

namespace lodestone::policy {
namespace {

/// Rewards per candidate less their prompt's mean, those means, and the rewards' spread.
struct CandidateRewards {
    std::vector<double> reward, means;
    double deviation = 0;

    explicit CandidateRewards(const Problem& problem)
        : deviation(deviationWithin(problem.pool, problem.rewards))
    {
        for (const Pool::Prompt& prompt : problem.pool.prompts) {
            double mean = 0;
            for (const int row : prompt.rows)
                mean += problem.rewards[row] / static_cast<double>(prompt.rows.size());
            for (const int row : prompt.rows)
                reward.push_back(problem.rewards[row] - mean);
            means.push_back(mean);
        }
    }
};

/// The replies of one step and their advantages.
struct Batch {
    struct Sample {
        int candidate = 0, prompt = 0;
        double advantage = 0, probability = 0;
    };
    std::vector<Sample> samples;
};

Batch draw(
    const Problem& problem, const CandidateRewards& rewards, const std::vector<double>& p, double beta,
    Rng& rng)
{
    const RuleSettings& settings = problem.settings;
    const int m = std::max(2, settings.batch);
    Batch batch;
    for (int prompt = 0; prompt < problem.features.prompts(); ++prompt) {
        const int from = problem.features.first[static_cast<std::size_t>(prompt)],
                  to = problem.features.first[static_cast<std::size_t>(prompt) + 1];
        const std::size_t begin = batch.samples.size();
        double sum = 0;
        for (int s = 0; s < m; ++s) {
            double left = rng.uniform();
            int candidate = from;
            while (candidate + 1 < to && left >= p[static_cast<std::size_t>(candidate)])
                left -= p[static_cast<std::size_t>(candidate++)];
            const double chance = std::max(p[static_cast<std::size_t>(candidate)], 1e-300);
            const double noise
                = settings.rewardNoise > 0 ? settings.rewardNoise * rewards.deviation * rng.normal() : 0;
            // Without a baseline the reward counts as it is: its level is noise.
            const double level = settings.baseline ? 0 : rewards.means[static_cast<std::size_t>(prompt)];
            const double shaped = rewards.reward[static_cast<std::size_t>(candidate)] + level + noise
                - beta * std::log(chance * (to - from));
            batch.samples.push_back({ candidate, prompt, shaped, chance });
            sum += shaped;
        }
        if (settings.baseline)
            for (std::size_t s = begin; s < batch.samples.size(); ++s) {
                const double others = (sum - batch.samples[s].advantage) / (m - 1.0);
                batch.samples[s].advantage -= others;
            }
    }
    return batch;
}

/// sum of weight (x_i - E_p x) over samples, as a pull on every candidate's logit.
Eigen::VectorXd scoreFunction(
    const Problem& problem, const Batch& batch, const std::vector<double>& weights,
    const std::vector<double>& p)
{
    Eigen::VectorXd pull = Eigen::VectorXd::Zero(problem.features.x.rows());
    std::vector<double> perPrompt(static_cast<std::size_t>(problem.features.prompts()), 0);
    for (std::size_t s = 0; s < batch.samples.size(); ++s) {
        pull[batch.samples[s].candidate] += weights[s];
        perPrompt[static_cast<std::size_t>(batch.samples[s].prompt)] += weights[s];
    }
    for (std::size_t prompt = 0; prompt < perPrompt.size(); ++prompt)
        for (int i = problem.features.first[prompt]; i < problem.features.first[prompt + 1]; ++i)
            pull[i] -= perPrompt[prompt] * p[static_cast<std::size_t>(i)];
    return problem.features.x.transpose() * pull / static_cast<double>(batch.samples.size());
}

double objectiveOf(
    const Problem& problem, const CandidateRewards& rewards, const std::vector<double>& p, double beta,
    TrainingPoint& point)
{
    point.kl = klOf(problem.features, p);
    point.rewardGain = 0;
    for (std::size_t i = 0; i < p.size(); ++i)
        point.rewardGain += p[i] * rewards.reward[i] / problem.features.prompts();
    return point.objective = point.rewardGain - beta * point.kl;
}

} // namespace

std::string SampledRule::description() const
{
    return m_clipped ? "Proximal policy optimisation on sampled replies (clipped surrogate)."
                     : "REINFORCE on sampled replies, with a baseline: what RLHF and RLAIF papers run.";
}

Eigen::VectorXd
SampledRule::gradientEstimate(const Problem& problem, const Eigen::VectorXd& theta, double beta, Rng& rng)
{
    const CandidateRewards rewards(problem);
    const std::vector<double> p = logLinear(problem.features, theta);
    const Batch batch = draw(problem, rewards, p, beta, rng);
    std::vector<double> advantages;
    for (const Batch::Sample& sample : batch.samples)
        advantages.push_back(sample.advantage);
    return scoreFunction(problem, batch, advantages, p);
}

Eigen::VectorXd SampledRule::exactGradient(const Problem& problem, const Eigen::VectorXd& theta, double beta)
{
    const CandidateRewards rewards(problem);
    const Features& features = problem.features;
    const std::vector<double> p = logLinear(features, theta);
    Eigen::VectorXd pull(features.x.rows());
    for (int prompt = 0; prompt < features.prompts(); ++prompt) {
        const int from = features.first[static_cast<std::size_t>(prompt)],
                  to = features.first[static_cast<std::size_t>(prompt) + 1];
        double mean = 0;
        for (int i = from; i < to; ++i) {
            const double q = p[static_cast<std::size_t>(i)];
            pull[i] = rewards.reward[static_cast<std::size_t>(i)] - beta * std::log(q * (to - from));
            mean += q * pull[i];
        }
        for (int i = from; i < to; ++i)
            pull[i] = p[static_cast<std::size_t>(i)] * (pull[i] - mean) / features.prompts();
    }
    return features.x.transpose() * pull;
}

Result<TrainedPolicy> SampledRule::train(const Problem& problem, const Target& target, const Work& work) const
{
    LODESTONE_CHECK(checkBudget(problem, target));
    const RuleSettings& settings = problem.settings;
    const Features& features = problem.features;
    const CandidateRewards rewards(problem);
    TrainedPolicy policy;
    // With a budget: the penalty of one half larger, so that training crosses it.
    const double cap = problem.pool.largestKl();
    policy.lambda = target.kl
        ? lambdaForKl(problem.pool, problem.rewards, std::min(1.5 * *target.kl, (*target.kl + cap) / 2))
        : target.lambda;
    const std::vector<double> base = logLinear(features, Eigen::VectorXd::Zero(features.x.cols()));
    policy.probabilities = base;
    if (!(policy.lambda > 0) || !(rewards.deviation > 0)) {
        policy.exactKl = !target.kl || *target.kl == 0;
        policy.note = "the rewards do not differ: nothing to learn";
        return policy;
    }
    const double beta = 1 / policy.lambda;
    const Tilt best = tilt(problem.pool, problem.rewards, problem.rewards, policy.lambda);
    const double wanted = 0.9 * (best.rewardGain - beta * best.kl);
    // Natural gradient at the base policy, in units in which a full Newton step has length 1.
    const Eigen::ArrayXd metric = beta * (features.variance.array() + 1e-6 * features.variance.maxCoeff());
    const int epochs = m_clipped ? settings.epochs : 1;

    StepsTo90 reached;
    reached.seeds = std::max(1, settings.seeds);
    std::vector<double> steps;
    for (int run = 0; run < reached.seeds; ++run) {
        Rng rng(settings.seed, 0x9a0 + static_cast<std::uint64_t>(run));
        Eigen::VectorXd logits = Eigen::VectorXd::Zero(features.x.rows());
        std::vector<double> p = base;
        double first90 = std::numeric_limits<double>::infinity();
        bool crossed = run > 0 || !target.kl;
        double nearest = std::numeric_limits<double>::infinity();
        int step = 0;
        for (; step < settings.steps; ++step) {
            if (work.cancelled())
                return cancelled();
            TrainingPoint point;
            point.step = step;
            const double objective = objectiveOf(problem, rewards, p, beta, point);
            if (run == 0)
                policy.curve.push_back(point);
            if (objective >= wanted && !std::isfinite(first90))
                first90 = step;
            if (std::isfinite(first90) && crossed && (run > 0 || target.kl))
                break;
            const Batch batch = draw(problem, rewards, p, beta, rng);
            for (int epoch = 0; epoch < epochs; ++epoch) {
                std::vector<double> weights;
                for (const Batch::Sample& sample : batch.samples) {
                    const double ratio = p[static_cast<std::size_t>(sample.candidate)] / sample.probability;
                    const bool clippedAway = m_clipped
                        && (sample.advantage > 0 ? ratio > 1 + settings.clip : ratio < 1 - settings.clip);
                    weights.push_back(clippedAway ? 0 : ratio * sample.advantage);
                }
                const Eigen::VectorXd gradient = scoreFunction(problem, batch, weights, p);
                const Eigen::VectorXd move = (settings.stepSize * gradient.array() / metric).matrix();
                const Eigen::VectorXd change = features.x * move;
                std::vector<double> next = softmaxWithin(features, logits + change);
                if (run == 0 && target.kl && !crossed) {
                    if (klOf(features, next) >= *target.kl) {
                        double low = 0, high = 1;
                        for (int i = 0; i < 60; ++i) {
                            const double middle = (low + high) / 2;
                            (klOf(features, softmaxWithin(features, logits + middle * change)) < *target.kl
                                 ? low
                                 : high)
                                = middle;
                        }
                        policy.probabilities = softmaxWithin(features, logits + high * change);
                        crossed = true;
                    } else if (const double distance = *target.kl - klOf(features, next);
                               distance < nearest) {
                        nearest = distance;
                        policy.probabilities = next;
                    }
                }
                logits += change;
                p = std::move(next);
            }
            if (step % 20 == 0)
                work.tell({ "Training " + name(), run + step / static_cast<double>(settings.steps),
                            static_cast<double>(reached.seeds), 0, "runs", -1 });
        }
        if (run == 0) {
            if (!target.kl)
                policy.probabilities = p;
            policy.sampledReplies
                = static_cast<double>(policy.curve.size()) * std::max(2, settings.batch) * features.prompts();
            policy.exactKl = crossed;
        }
        steps.push_back(first90);
        reached.reached += std::isfinite(first90) ? 1 : 0;
    }
    std::sort(steps.begin(), steps.end());
    reached.median = steps[steps.size() / 2];
    reached.low = steps.front();
    reached.high = steps.back();
    policy.steps = reached;
    policy.kl = klOf(features, policy.probabilities);
    const auto number = [](double value) {
        return std::isfinite(value) ? fmt::format("{:.0f}", value) : std::string("never");
    };
    policy.note = fmt::format(
        "90 % of the optimum after {} steps (median of {} seeds; {} to {})", number(reached.median),
        reached.seeds, number(reached.low), number(reached.high));
    if (target.kl)
        policy.note += policy.exactKl ? "; stopped where the budget is spent"
                                      : fmt::format("; {:.3f} nats is the nearest attainable", policy.kl);
    return policy;
}

} // namespace lodestone::policy
