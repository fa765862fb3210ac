#include "core/geometry/split.h"

#include "core/base/rng.h"
#include "core/geometry/rows.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace lodestone::geometry {

Split splitByGroup(
    std::span<const int> groups, double heldOutFraction, std::uint64_t seed, std::span<const int> strata)
{
    const CompactGroups compact = compactGroups(groups);
    const double fraction = std::clamp(heldOutFraction, 0.0, 1.0);

    std::vector<int> stratumOfItem(groups.size(), 0);
    if (strata.size() == groups.size())
        stratumOfItem.assign(strata.begin(), strata.end());
    std::vector<int> stratumOfGroup(static_cast<std::size_t>(compact.count));
    for (std::size_t i = groups.size(); i-- > 0;)
        stratumOfGroup[static_cast<std::size_t>(compact.of[i])] = stratumOfItem[i];

    Rng rng(seed, 0x5917);
    std::vector<bool> heldOut(static_cast<std::size_t>(compact.count), false);
    double wanted = 0;
    int taken = 0;
    for (std::vector<int>& members : compactGroups(stratumOfGroup).members()) {
        rng.shuffle(members);
        // Rounding is carried over from stratum to stratum: the total stays right to one group.
        wanted += fraction * static_cast<double>(members.size());
        const int count
            = std::clamp(static_cast<int>(std::lround(wanted)) - taken, 0, static_cast<int>(members.size()));
        for (int i = 0; i < count; ++i)
            heldOut[static_cast<std::size_t>(members[static_cast<std::size_t>(i)])] = true;
        taken += count;
    }
    if (compact.count >= 2 && fraction > 0 && fraction < 1) {
        if (taken == 0)
            heldOut[rng.below(static_cast<std::uint32_t>(compact.count))] = true;
        if (taken == compact.count)
            heldOut[rng.below(static_cast<std::uint32_t>(compact.count))] = false;
    }

    Split split;
    for (std::size_t i = 0; i < groups.size(); ++i)
        (heldOut[static_cast<std::size_t>(compact.of[i])] ? split.heldOut : split.training)
            .push_back(static_cast<int>(i));
    return split;
}

std::vector<Split> foldsByGroup(std::span<const int> groups, int folds, std::uint64_t seed)
{
    const CompactGroups compact = compactGroups(groups);
    const int count = std::min(folds, compact.count);
    if (count < 2)
        return {};
    std::vector<int> order(static_cast<std::size_t>(compact.count));
    std::iota(order.begin(), order.end(), 0);
    Rng rng(seed, 0xf01d);
    rng.shuffle(order);
    std::vector<int> foldOf(order.size());
    for (std::size_t i = 0; i < order.size(); ++i)
        foldOf[static_cast<std::size_t>(order[i])] = static_cast<int>(i) % count;

    std::vector<Split> splits(static_cast<std::size_t>(count));
    for (std::size_t i = 0; i < groups.size(); ++i) {
        const int own = foldOf[static_cast<std::size_t>(compact.of[i])];
        for (int f = 0; f < count; ++f)
            (f == own ? splits[static_cast<std::size_t>(f)].heldOut
                      : splits[static_cast<std::size_t>(f)].training)
                .push_back(static_cast<int>(i));
    }
    return splits;
}

} // namespace lodestone::geometry
