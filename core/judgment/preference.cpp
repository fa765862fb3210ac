#include "core/judgment/preference.h"

#include <algorithm>
#include <cmath>

namespace lodestone::judgment {

double preference(double rewardA, double rewardB, double tau)
{
    const double logit = (rewardA - rewardB) / tau;
    return logit >= 0 ? 1 / (1 + std::exp(-logit)) : std::exp(logit) / (1 + std::exp(logit));
}

std::vector<PairJudgment> judgePairs(
    const data::ResponseSet& set, const Eigen::VectorXd& rewards, double tau,
    const std::vector<bool>& training)
{
    std::vector<PairJudgment> judgments;
    for (std::size_t i = 0; i < set.pairs.size(); ++i) {
        const data::Pair& pair = set.pairs[i];
        if (pair.chosen >= rewards.size() || pair.rejected >= rewards.size())
            continue;
        const double p = preference(rewards[pair.chosen], rewards[pair.rejected], tau);
        if (std::isfinite(p))
            judgments.push_back(
                { static_cast<int>(i), p, {}, !training[static_cast<std::size_t>(pair.chosen)] });
    }
    return judgments;
}

geometry::Estimate
agreement(const data::ResponseSet& set, std::span<const PairJudgment> judgments, std::uint64_t seed)
{
    std::vector<int> groups;
    std::vector<double> margins;
    for (const PairJudgment& judgment : judgments)
        if (judgment.heldOut) {
            groups.push_back(set.groupOf(set.pairs[static_cast<std::size_t>(judgment.pair)].chosen));
            margins.push_back(judgment.p - 0.5);
        }
    return geometry::ClusterBootstrap(groups, 1000, seed).pairAccuracy(margins);
}

std::vector<int> flippedPairs(std::span<const PairJudgment> before, std::span<const PairJudgment> after)
{
    std::vector<int> flipped;
    std::size_t at = 0;
    for (const PairJudgment& judgment : after) { // both are in the order of the study's pairs
        while (at < before.size() && before[at].pair < judgment.pair)
            ++at;
        if (at < before.size() && before[at].pair == judgment.pair
            && before[at].agrees() != judgment.agrees())
            flipped.push_back(judgment.pair);
    }
    return flipped;
}

} // namespace lodestone::judgment
