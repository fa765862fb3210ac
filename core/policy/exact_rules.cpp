#include "core/policy/rules.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <numeric>

namespace lodestone::policy {

Result<void> UpdateRule::checkBudget(const Problem& problem, const Target& target)
{
    if (target.kl && !(*target.kl < problem.pool.largestKl()))
        return fail(
            ErrorKind::Usage,
            fmt::format(
                "a KL below {:.3f} nats, which these candidates cannot exceed", problem.pool.largestKl()),
            fmt::format("{}", *target.kl), "--kl");
    return {};
}

double UpdateRule::lambdaOf(const Problem& problem, const Target& target)
{
    return target.kl ? lambdaForKl(problem.pool, problem.rewards, *target.kl) : target.lambda;
}

std::vector<double> bestOfN(const Pool& pool, const Eigen::VectorXd& rewards, int n)
{
    std::vector<double> result;
    result.reserve(pool.candidates());
    std::vector<int> order;
    for (const Pool::Prompt& prompt : pool.prompts) {
        const std::size_t count = prompt.rows.size(), offset = result.size();
        result.resize(offset + count);
        order.resize(count);
        std::iota(order.begin(), order.end(), 0);
        const auto reward = [&](int i) { return rewards[prompt.rows[static_cast<std::size_t>(i)]]; };
        std::sort(order.begin(), order.end(), [&](int i, int j) { return reward(i) < reward(j); });
        for (std::size_t from = 0, to = 0; from < count; from = to) {
            while (to < count && !(reward(order[from]) < reward(order[to])))
                ++to;
            // All n draws at or below this reward, less all strictly below it.
            const double mass = std::pow(static_cast<double>(to) / static_cast<double>(count), n)
                - std::pow(static_cast<double>(from) / static_cast<double>(count), n);
            for (std::size_t i = from; i < to; ++i)
                result[offset + static_cast<std::size_t>(order[i])] = mass / static_cast<double>(to - from);
        }
    }
    return result;
}

double bestOfNBound(int n) { return std::log(n) - (n - 1.0) / n; }

Result<TrainedPolicy> Optimum::train(const Problem& problem, const Target& target, const Work&) const
{
    LODESTONE_CHECK(checkBudget(problem, target));
    TrainedPolicy policy;
    policy.lambda = lambdaOf(problem, target);
    const Tilt tilted = tilt(problem.pool, problem.rewards, problem.rewards, policy.lambda);
    policy.probabilities = tilted.probabilities;
    policy.kl = tilted.kl;
    if (target.kl && std::abs(tilted.kl - *target.kl) > 1e-6) {
        policy.exactKl = false;
        policy.note = fmt::format(
            "these rewards spend at most {:.3f} nats here: the best replies of a prompt are then tied",
            tilted.kl);
    }
    return policy;
}

int nearestSamples(double kl, const std::function<double(int)>& klOfN)
{
    // KL grows with n: doubling, then bisection, then the nearer neighbour.
    constexpr int most = 4096;
    int high = 1;
    while (high < most && klOfN(high) < kl)
        high *= 2;
    int low = std::max(1, high / 2);
    high = std::min(high, most);
    while (high - low > 1) {
        const int middle = (low + high) / 2;
        (klOfN(middle) < kl ? low : high) = middle;
    }
    return std::abs(klOfN(low) - kl) <= std::abs(klOfN(high) - kl) ? low : high;
}

Result<TrainedPolicy> BestOfN::train(const Problem& problem, const Target& target, const Work&) const
{
    LODESTONE_CHECK(checkBudget(problem, target));
    const auto klOfN
        = [&](int n) { return klOf(problem.features, bestOfN(problem.pool, problem.rewards, n)); };
    const int n = target.kl ? nearestSamples(*target.kl, klOfN) : problem.settings.samples;
    TrainedPolicy policy;
    policy.lambda = target.lambda;
    policy.probabilities = bestOfN(problem.pool, problem.rewards, n);
    policy.kl = klOf(problem.features, policy.probabilities);
    policy.exactKl = !target.kl || std::abs(policy.kl - *target.kl) < 1e-9;
    policy.note = fmt::format(
        "n = {}{}; KL {:.4f}, bound ln n - (n-1)/n = {:.4f}", n, target.kl ? ", the nearest attainable" : "",
        policy.kl, bestOfNBound(n));
    policy.sampledReplies = static_cast<double>(n) * static_cast<double>(problem.pool.prompts.size());
    return policy;
}

namespace {

/// Maximum likelihood of a log-linear policy on a target distribution: natural-gradient steps with halving.
std::vector<double> fitToDistribution(const Features& features, std::span<const double> wanted, int steps)
{
    const Eigen::Map<const Eigen::VectorXd> q(wanted.data(), static_cast<Eigen::Index>(wanted.size()));
    const Eigen::ArrayXd metric = features.variance.array() + 1e-9 * features.variance.maxCoeff();
    Eigen::VectorXd theta = Eigen::VectorXd::Zero(features.x.cols());
    const auto likelihood = [&](const std::vector<double>& p) {
        double sum = 0;
        for (std::size_t i = 0; i < p.size(); ++i)
            if (wanted[i] > 0)
                sum += wanted[i] * std::log(std::max(p[i], 1e-300));
        return sum / features.prompts();
    };
    std::vector<double> p = logLinear(features, theta);
    double value = likelihood(p);
    for (int step = 0; step < steps; ++step) {
        const Eigen::Map<const Eigen::VectorXd> now(p.data(), q.size());
        const Eigen::VectorXd gradient = features.x.transpose() * (q - now) / features.prompts();
        const Eigen::VectorXd move = (gradient.array() / metric).matrix();
        if (gradient.dot(move) < 1e-16)
            break;
        double length = 4, next = value;
        std::vector<double> trial;
        for (; length > 1e-6; length /= 2) {
            trial = logLinear(features, theta + length * move);
            next = likelihood(trial);
            if (next > value + 1e-4 * length * gradient.dot(move))
                break;
        }
        if (length <= 1e-6)
            break;
        theta += length * move;
        p = std::move(trial);
        value = next;
    }
    return p;
}

} // namespace

Result<TrainedPolicy> Sft::train(const Problem& problem, const Target& target, const Work& work) const
{
    LODESTONE_CHECK(checkBudget(problem, target));
    const auto fitted = [&](int n) {
        return fitToDistribution(
            problem.features, bestOfN(problem.pool, problem.rewards, n), problem.settings.steps);
    };
    int n = problem.settings.samples;
    if (target.kl) {
        n = nearestSamples(*target.kl, [&](int samples) {
            return klOf(problem.features, bestOfN(problem.pool, problem.rewards, samples));
        });
        double best = std::abs(klOf(problem.features, fitted(n)) - *target.kl);
        for (const int other : { n - 1, n + 1, n + 2 })
            if (other >= 1 && !work.cancelled())
                if (const double distance = std::abs(klOf(problem.features, fitted(other)) - *target.kl);
                    distance < best) {
                    best = distance;
                    n = other;
                }
    }
    if (work.cancelled())
        return cancelled();
    TrainedPolicy policy;
    policy.lambda = target.lambda;
    policy.probabilities = fitted(n);
    policy.kl = klOf(problem.features, policy.probabilities);
    policy.exactKl = !target.kl || std::abs(policy.kl - *target.kl) < 1e-9;
    policy.note = fmt::format(
        "winners of n = {}{}{}", n, target.kl ? ", the nearest attainable" : "",
        problem.features.saturated() ? "; a policy on this many axes can copy best-of-n exactly here" : "");
    policy.sampledReplies = static_cast<double>(n) * static_cast<double>(problem.pool.prompts.size());
    return policy;
}

const std::vector<std::string>& ruleNames()
{
    static const std::vector<std::string> names{ "optimum", "best-of-n", "sft",       "dpo",
                                                 "cdpo",    "ipo",       "reinforce", "ppo" };
    return names;
}

std::unique_ptr<UpdateRule> makeRule(const std::string& name)
{
    if (name == "optimum")
        return std::make_unique<Optimum>();
    if (name == "best-of-n")
        return std::make_unique<BestOfN>();
    if (name == "sft")
        return std::make_unique<Sft>();
    if (name == "dpo")
        return std::make_unique<PreferenceRule>(PreferenceRule::Loss::Dpo);
    if (name == "cdpo")
        return std::make_unique<PreferenceRule>(PreferenceRule::Loss::ConservativeDpo);
    if (name == "ipo")
        return std::make_unique<PreferenceRule>(PreferenceRule::Loss::Ipo);
    if (name == "reinforce")
        return std::make_unique<SampledRule>(false);
    if (name == "ppo")
        return std::make_unique<SampledRule>(true);
    return nullptr;
}

} // namespace lodestone::policy
