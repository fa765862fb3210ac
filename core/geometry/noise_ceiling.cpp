#include "core/geometry/noise_ceiling.h"

#include "core/geometry/rows.h"
#include "core/geometry/split.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>
#include <string>

namespace lodestone::geometry {

namespace {

double squaredMeanFactor(double flipProbability)
{
    const double kept = 1.0 - 2.0 * flipProbability;
    return kept * kept * 2.0 / std::numbers::pi;
}

} // namespace

double euclideanCosine(const Eigen::VectorXd& a, const Eigen::VectorXd& b)
{
    const double norms = a.norm() * b.norm();
    return norms > 0 ? std::clamp(a.dot(b) / norms, -1.0, 1.0) : 0.0;
}

double spearmanBrown(double splitHalf) { return splitHalf > 0 ? 2.0 * splitHalf / (1.0 + splitHalf) : 0.0; }

double ceilingOfTwo(double reliabilityA, double reliabilityB)
{
    return std::sqrt(std::max(reliabilityA, 0.0) * std::max(reliabilityB, 0.0));
}

Interval ceilingSpread(const NoiseCeiling& a, const NoiseCeiling& b)
{
    const std::size_t count = a.cosines.size();
    if (count < 3 || b.cosines.size() != count)
        return {};
    Eigen::ArrayXd ceilings(static_cast<Eigen::Index>(count));
    for (std::size_t i = 0; i < count; ++i)
        ceilings[static_cast<Eigen::Index>(i)]
            = ceilingOfTwo(spearmanBrown(a.cosines[i]), spearmanBrown(b.cosines[i]));
    const double mean = ceilings.mean();
    const double deviation = std::sqrt((ceilings - mean).square().sum() / static_cast<double>(count - 1));
    return { std::clamp(mean - 1.96 * deviation, 0.0, 1.0), std::clamp(mean + 1.96 * deviation, 0.0, 1.0) };
}

double expectedCosine(int pairs, int width, double flipProbability)
{
    const double information = pairs * squaredMeanFactor(flipProbability);
    return information > 0 ? 1.0 / std::sqrt(1.0 + std::max(width - 1, 0) / information) : 0.0;
}

double pairsNeeded(double cosine, int width, double flipProbability)
{
    const double squared = cosine * cosine;
    return std::max(width - 1, 0) * squared / ((1.0 - squared) * squaredMeanFactor(flipProbability));
}

Result<NoiseCeiling> noiseCeiling(
    std::span<const int> groups, const HalfEstimator& estimate, const Cosine& cosine, int splits,
    std::uint64_t seed, const Work& work)
{
    const int count = compactGroups(groups).count;
    if (count < 2)
        return badInput("at least two groups", std::to_string(count), "noise ceiling");
    NoiseCeiling result;
    double sum = 0;
    std::optional<Error> lastError;
    for (int s = 0; s < splits; ++s) {
        if (work.cancelled())
            return cancelled();
        const Split halves = splitByGroup(groups, 0.5, seed + static_cast<std::uint64_t>(s));
        const Result<Eigen::VectorXd> first = estimate(halves.training);
        const Result<Eigen::VectorXd> second = first ? estimate(halves.heldOut) : first;
        if (!second) {
            lastError = second.error();
            continue;
        }
        result.cosines.push_back(cosine(*first, *second));
        sum += result.cosines.back();
        ++result.splits;
    }
    if (result.splits == 0)
        return lastError ? Result<NoiseCeiling>(tl::unexpected<Error>(*lastError))
                         : Result<NoiseCeiling>(badInput("at least one halving", "none", "noise ceiling"));
    result.splitHalf = sum / result.splits;
    result.reliability = spearmanBrown(result.splitHalf);
    result.ceiling = std::sqrt(result.reliability);
    return result;
}

} // namespace lodestone::geometry
