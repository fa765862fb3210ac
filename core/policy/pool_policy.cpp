#include "core/policy/outcome.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace lodestone::policy {
namespace {

/// The rewards and values of one prompt's candidates, side by side, so that the loops below run over memory
/// in order.
struct Gathered {
    Eigen::ArrayXd reward, value, weight;

    void take(const Pool::Prompt& prompt, const Eigen::VectorXd& rewards, const Eigen::VectorXd& values)
    {
        const auto n = static_cast<Eigen::Index>(prompt.rows.size());
        reward.resize(n);
        value.resize(n);
        for (Eigen::Index i = 0; i < n; ++i) {
            const int row = prompt.rows[static_cast<std::size_t>(i)];
            reward[i] = rewards[row];
            value[i] = values[row];
        }
    }
    /// Weights exp(lambda (r - the best r)); returns their sum and sets the exponent of the best.
    double tilt(double lambda, double& most)
    {
        most = lambda >= 0 ? lambda * reward.maxCoeff() : lambda * reward.minCoeff();
        weight = lambda * reward - most;
        weight = (weight < -700).select(0, weight.exp()); // the packed exponential stops short of 0
        return weight.sum();
    }
};

/// One prompt's policy and what it gains.
Outcome measure(
    const Pool::Prompt& prompt, const double* p, const Eigen::VectorXd& rewards,
    const Eigen::VectorXd& values)
{
    const std::size_t n = prompt.rows.size();
    const double uniform = 1 / static_cast<double>(n);
    Outcome result;
    double squares = 0;
    // Against each prompt's first reply: a large offset of the prompt then costs no digits.
    const double reward0 = rewards[prompt.rows[0]], value0 = values[prompt.rows[0]];
    for (std::size_t i = 0; i < n; ++i) {
        const double change = p[i] - uniform;
        result.rewardGain += change * (rewards[prompt.rows[i]] - reward0);
        result.valueGain += change * (values[prompt.rows[i]] - value0);
        squares += p[i] * p[i];
        if (p[i] > 0)
            result.kl += p[i] * std::log(p[i] * static_cast<double>(n));
    }
    result.effectiveSampleSize = 1 / squares;
    // P(v of a draw from pi > v of a uniform draw): by rank, because pools of 100,000 candidates are drawn in
    // simulations.
    std::vector<std::pair<double, double>> byValue(n);
    for (std::size_t i = 0; i < n; ++i)
        byValue[i] = { values[prompt.rows[i]], p[i] };
    std::sort(byValue.begin(), byValue.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    double win = 0;
    for (std::size_t first = 0, last = 0; first < n; first = last) {
        double share = 0; // of pi among candidates of this value
        for (; last < n && !(byValue[first].first < byValue[last].first); ++last)
            share += byValue[last].second;
        win += share * (static_cast<double>(first) + static_cast<double>(last))
            / 2; // those below, and half of the ties
    }
    result.winRate = win * uniform;
    return result;
}

std::vector<double> tiltedProbabilities(const Pool& pool, const Eigen::VectorXd& rewards, double lambda)
{
    std::vector<double> result;
    tiltDistribution(pool, rewards, lambda, result);
    return result;
}

} // namespace

std::size_t Pool::candidates() const
{
    std::size_t count = 0;
    for (const Prompt& prompt : prompts)
        count += prompt.rows.size();
    return count;
}

double Pool::largestKl() const
{
    double sum = 0;
    for (const Prompt& prompt : prompts)
        sum += std::log(static_cast<double>(prompt.rows.size()));
    return prompts.empty() ? 0 : sum / static_cast<double>(prompts.size());
}

Tilt tilt(const Pool& pool, const Eigen::VectorXd& rewards, const Eigen::VectorXd& values, double lambda)
{
    Tilt result;
    result.lambda = lambda;
    result.probabilities = tiltedProbabilities(pool, rewards, lambda);
    const Outcome outcome = outcomeOf(pool, result.probabilities, rewards, values);
    result.kl = outcome.kl;
    result.rewardGain = outcome.rewardGain;
    result.valueGain = outcome.valueGain;
    result.winRate = outcome.winRate;
    result.effectiveSampleSize = outcome.effectiveSampleSize;
    return result;
}

Outcome outcomeOf(
    const Pool& pool, std::span<const double> probabilities, const Eigen::VectorXd& rewards,
    const Eigen::VectorXd& values)
{
    Outcome result;
    if (pool.prompts.empty())
        return result;
    const double share = 1.0 / static_cast<double>(pool.prompts.size());
    result.winRate = 0;
    const double* p = probabilities.data();
    for (const Pool::Prompt& prompt : pool.prompts) {
        const Outcome one = measure(prompt, p, rewards, values);
        p += prompt.rows.size();
        result.kl += share * one.kl;
        result.rewardGain += share * one.rewardGain;
        result.valueGain += share * one.valueGain;
        result.winRate += share * one.winRate;
        result.effectiveSampleSize += share * one.effectiveSampleSize;
    }
    return result;
}

double tiltDistribution(
    const Pool& pool, const Eigen::VectorXd& rewards, double lambda, std::vector<double>& probabilities)
{
    probabilities.resize(pool.candidates());
    Gathered gathered;
    double kl = 0;
    Eigen::Index at = 0;
    for (const Pool::Prompt& prompt : pool.prompts) {
        gathered.take(prompt, rewards, rewards);
        const auto n = gathered.reward.size();
        gathered.reward -= gathered.reward.mean();
        double most = 0;
        const double sum = gathered.tilt(lambda, most);
        Eigen::Map<Eigen::ArrayXd> p(probabilities.data() + at, n);
        p = gathered.weight / sum;
        kl += std::max(
            0.0, lambda * (p * gathered.reward).sum() - most - std::log(sum / static_cast<double>(n)));
        at += n;
    }
    return pool.prompts.empty() ? 0 : kl / static_cast<double>(pool.prompts.size());
}

TiltGains
tiltGains(const Pool& pool, const Eigen::VectorXd& rewards, const Eigen::VectorXd& values, double lambda)
{
    TiltGains result;
    result.lambda = lambda;
    if (pool.prompts.empty())
        return result;
    Gathered gathered;
    for (const Pool::Prompt& prompt : pool.prompts) {
        gathered.take(prompt, rewards, values);
        gathered.reward -= gathered.reward.mean();
        double most = 0;
        const double sum = gathered.tilt(lambda, most);
        const auto n = static_cast<double>(prompt.rows.size());
        const double reward = (gathered.weight * gathered.reward).sum() / sum;
        const double square = (gathered.weight * gathered.reward.square()).sum() / sum;
        const double valueBase = gathered.value.mean();
        result.rewardGain += reward;
        result.valueGain += (gathered.weight * (gathered.value - valueBase)).sum() / sum;
        // KL = lambda E_pi r - log(mean exp(lambda r)): one logarithm a prompt.
        result.kl += std::max(0.0, lambda * reward - most - std::log(sum / n));
        result.slope += lambda * std::max(0.0, square - reward * reward);
    }
    const auto prompts = static_cast<double>(pool.prompts.size());
    result.kl /= prompts;
    result.rewardGain /= prompts;
    result.valueGain /= prompts;
    result.slope /= prompts;
    return result;
}

double lambdaForKl(const Pool& pool, const Eigen::VectorXd& rewards, double kl)
{
    if (!(kl > 0) || pool.prompts.empty())
        return 0;
    const auto at = [&](double lambda) { return tiltGains(pool, rewards, rewards, lambda); };
    double low = 0, high = 1;
    while (at(high).kl < kl) {
        low = high;
        high *= 2;
        if (high > 1e6)
            return at(1e6).kl > 1e-12 ? 1e6 : 0;
    }
    double lambda = (low + high) / 2;
    for (int step = 0; step < 200 && high - low > 1e-10 * high; ++step) {
        const TiltGains here = at(lambda);
        (here.kl < kl ? low : high) = lambda;
        const double newton = lambda - (here.kl - kl) / here.slope;
        const bool inside = newton > low && newton < high;
        // A Newton step that lands where it started has converged before the bracket closed.
        if (inside && std::abs(newton - lambda) < 1e-12 * lambda)
            return newton;
        lambda = inside ? newton : (low + high) / 2;
    }
    return lambda;
}

TiltIntervals intervals(
    const Pool& pool, const Eigen::VectorXd& rewards, const Eigen::VectorXd& values, double lambda,
    std::uint64_t seed)
{
    return intervalsOf(pool, tiltedProbabilities(pool, rewards, lambda), rewards, values, seed);
}

TiltIntervals intervalsOf(
    const Pool& pool, std::span<const double> probabilities, const Eigen::VectorXd& rewards,
    const Eigen::VectorXd& values, std::uint64_t seed)
{
    std::vector<int> groups;
    std::vector<double> reward, value, win, kl;
    const double* p = probabilities.data();
    for (const Pool::Prompt& prompt : pool.prompts) {
        const Outcome one = measure(prompt, p, rewards, values);
        p += prompt.rows.size();
        groups.push_back(prompt.group);
        reward.push_back(one.rewardGain);
        value.push_back(one.valueGain);
        win.push_back(one.winRate);
        kl.push_back(one.kl);
    }
    const geometry::ClusterBootstrap bootstrap(groups, 1000, seed);
    return { bootstrap.mean(reward), bootstrap.mean(value), bootstrap.mean(win), bootstrap.mean(kl) };
}

geometry::Estimate differenceOf(
    const Pool& pool, std::span<const double> first, std::span<const double> second,
    const Eigen::VectorXd& values, std::uint64_t seed)
{
    std::vector<int> groups;
    std::vector<double> differences;
    std::size_t at = 0;
    for (const Pool::Prompt& prompt : pool.prompts) {
        double difference = 0;
        for (const int row : prompt.rows) {
            difference += (first[at] - second[at]) * (values[row] - values[prompt.rows[0]]);
            ++at;
        }
        groups.push_back(prompt.group);
        differences.push_back(difference);
    }
    return geometry::ClusterBootstrap(groups, 1000, seed).mean(differences);
}

Movers movers(const Pool& pool, const Tilt& tilt, std::size_t count)
{
    return moversOf(pool, tilt.probabilities, count);
}

double deviationWithin(const Pool& pool, const Eigen::VectorXd& scores)
{
    double sum = 0;
    for (const Pool::Prompt& prompt : pool.prompts) {
        const auto n = static_cast<double>(prompt.rows.size());
        double mean = 0, squares = 0;
        for (const int row : prompt.rows)
            mean += scores[row] / n;
        for (const int row : prompt.rows)
            squares += (scores[row] - mean) * (scores[row] - mean) / n;
        sum += squares;
    }
    return pool.prompts.empty() ? 0 : std::sqrt(sum / static_cast<double>(pool.prompts.size()));
}

Movers moversOf(const Pool& pool, std::span<const double> probabilities, std::size_t count)
{
    std::vector<Change> risen, fallen;
    std::size_t at = 0;
    for (const Pool::Prompt& prompt : pool.prompts) {
        Change up{ -1, 0 }, down{ -1, 0 };
        for (const int row : prompt.rows) {
            const double p = std::max(probabilities[at++], std::numeric_limits<double>::min());
            const double ratio = std::log(p * static_cast<double>(prompt.rows.size()));
            if (ratio > up.logRatio)
                up = { row, ratio };
            if (ratio < down.logRatio)
                down = { row, ratio };
        }
        if (up.row >= 0)
            risen.push_back(up);
        if (down.row >= 0)
            fallen.push_back(down);
    }
    std::sort(
        risen.begin(), risen.end(), [](const Change& a, const Change& b) { return a.logRatio > b.logRatio; });
    std::sort(fallen.begin(), fallen.end(), [](const Change& a, const Change& b) {
        return a.logRatio < b.logRatio;
    });
    risen.resize(std::min(risen.size(), count));
    fallen.resize(std::min(fallen.size(), count));
    return { std::move(risen), std::move(fallen) };
}

} // namespace lodestone::policy
