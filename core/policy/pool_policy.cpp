#include "core/policy/pool_policy.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace lodestone::policy {
namespace {

/// One prompt's policy and what it gains.
struct PromptTilt {
    double kl = 0, rewardGain = 0, valueGain = 0, win = 0.5, effective = 0;
};

PromptTilt tiltPrompt(
    const Pool::Prompt& prompt, const Eigen::VectorXd& rewards, const Eigen::VectorXd& values, double lambda,
    std::vector<double>& p)
{
    const std::size_t n = prompt.rows.size();
    p.resize(n);
    double most = -std::numeric_limits<double>::infinity();
    for (const int row : prompt.rows)
        most = std::max(most, lambda * rewards[row]);
    double sum = 0, baseReward = 0, baseValue = 0;
    for (std::size_t i = 0; i < n; ++i) {
        sum += p[i] = std::exp(lambda * rewards[prompt.rows[i]] - most);
        baseReward += rewards[prompt.rows[i]] / static_cast<double>(n);
        baseValue += values[prompt.rows[i]] / static_cast<double>(n);
    }
    PromptTilt result;
    double reward = 0, value = 0, squares = 0;
    for (std::size_t i = 0; i < n; ++i) {
        p[i] /= sum;
        const double r = rewards[prompt.rows[i]];
        reward += p[i] * r;
        value += p[i] * values[prompt.rows[i]];
        squares += p[i] * p[i];
        if (p[i] > 0)
            result.kl += p[i] * std::log(p[i] * static_cast<double>(n));
    }
    result.rewardGain = reward - baseReward;
    result.valueGain = value - baseValue;
    result.effective = 1 / squares;
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
    result.win = win / static_cast<double>(n);
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
    if (pool.prompts.empty())
        return result;
    const double share = 1.0 / static_cast<double>(pool.prompts.size());
    result.winRate = 0;
    std::vector<double> p;
    for (const Pool::Prompt& prompt : pool.prompts) {
        const PromptTilt one = tiltPrompt(prompt, rewards, values, lambda, p);
        result.kl += share * one.kl;
        result.rewardGain += share * one.rewardGain;
        result.valueGain += share * one.valueGain;
        result.winRate += share * one.win;
        result.effectiveSampleSize += share * one.effective;
        result.probabilities.insert(result.probabilities.end(), p.begin(), p.end());
    }
    return result;
}

double lambdaForKl(const Pool& pool, const Eigen::VectorXd& rewards, double kl)
{
    const Eigen::VectorXd none = Eigen::VectorXd::Zero(rewards.size());
    if (!(kl > 0) || pool.prompts.empty())
        return 0;
    const auto at = [&](double lambda) { return tilt(pool, rewards, none, lambda).kl; };
    double low = 0, high = 1;
    while (at(high) < kl) {
        low = high;
        high *= 2;
        if (high > 1e6)
            return at(1e6) > 1e-12 ? 1e6 : 0;
    }
    for (int step = 0; step < 200 && high - low > 1e-10 * high; ++step) {
        const double middle = (low + high) / 2;
        (at(middle) < kl ? low : high) = middle;
    }
    return (low + high) / 2;
}

TiltIntervals intervals(
    const Pool& pool, const Eigen::VectorXd& rewards, const Eigen::VectorXd& values, double lambda,
    std::uint64_t seed)
{
    std::vector<int> groups;
    std::vector<double> reward, value, win, kl, p;
    for (const Pool::Prompt& prompt : pool.prompts) {
        const PromptTilt one = tiltPrompt(prompt, rewards, values, lambda, p);
        groups.push_back(prompt.group);
        reward.push_back(one.rewardGain);
        value.push_back(one.valueGain);
        win.push_back(one.win);
        kl.push_back(one.kl);
    }
    const geometry::ClusterBootstrap bootstrap(groups, 1000, seed);
    return { bootstrap.mean(reward), bootstrap.mean(value), bootstrap.mean(win), bootstrap.mean(kl) };
}

Movers movers(const Pool& pool, const Tilt& tilt, std::size_t count)
{
    std::vector<Change> risen, fallen;
    std::size_t at = 0;
    for (const Pool::Prompt& prompt : pool.prompts) {
        Change up{ -1, 0 }, down{ -1, 0 };
        for (const int row : prompt.rows) {
            const double p = std::max(tilt.probabilities[at++], std::numeric_limits<double>::min());
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
