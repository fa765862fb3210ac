#include "core/plot/kernel_density.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

namespace lodestone::plot {

namespace {

using Weighted = std::vector<std::pair<double, double>>; // value, weight

Weighted usable(std::span<const double> values, std::span<const double> weights)
{
    Weighted result;
    result.reserve(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
        const double weight = weights.empty() ? 1.0 : i < weights.size() ? weights[i] : 0.0;
        if (std::isfinite(values[i]) && std::isfinite(weight) && weight > 0)
            result.emplace_back(values[i], weight);
    }
    return result;
}

double bandwidthOf(Weighted sample)
{
    if (sample.size() < 2)
        return 0;
    std::sort(sample.begin(), sample.end());
    double sum = 0;
    double squares = 0;
    double mean = 0;
    for (const auto& [value, weight] : sample) {
        sum += weight;
        squares += weight * weight;
        mean += weight * value;
    }
    mean /= sum;
    double variance = 0;
    for (const auto& [value, weight] : sample)
        variance += weight * (value - mean) * (value - mean);
    const double effective = sum * sum / squares;
    variance /= sum;
    if (effective > 1)
        variance *= effective / (effective - 1);
    const auto quantile = [&](double share) {
        double below = 0;
        for (const auto& [value, weight] : sample) {
            below += weight;
            if (below >= share * sum)
                return value;
        }
        return sample.back().first;
    };
    double spread = std::sqrt(variance);
    // Half of the weight on one value makes the quartile range 0; the standard deviation still says
    // something.
    if (const double quartiles = (quantile(0.75) - quantile(0.25)) / 1.34; quartiles > 0)
        spread = std::min(spread, quartiles);
    return 0.9 * spread * std::pow(effective, -0.2);
}

} // namespace

double silvermanBandwidth(std::span<const double> values, std::span<const double> weights)
{
    return bandwidthOf(usable(values, weights));
}

std::vector<double> kernelDensity(
    std::span<const double> values, std::span<const double> weights, double low, double high, int points,
    double bandwidth)
{
    std::vector<double> density(static_cast<std::size_t>(std::max(0, points)), 0.0);
    const Weighted sample = usable(values, weights);
    if (sample.empty() || points < 2 || !(low < high) || !std::isfinite(high - low))
        return density;
    if (!(bandwidth > 0))
        bandwidth = bandwidthOf(sample);
    if (!(bandwidth > 0))
        bandwidth = (high - low) / 100;
    double total = 0;
    for (const auto& entry : sample)
        total += entry.second;
    const double step = (high - low) / (points - 1);
    const double scale = 1 / (total * bandwidth * std::sqrt(2 * std::numbers::pi));
    for (const auto& [value, weight] : sample) {
        // Beyond eight bandwidths the kernel is below 1e-14 of its peak.
        const double first = std::ceil((value - 8 * bandwidth - low) / step);
        const double last = std::floor((value + 8 * bandwidth - low) / step);
        const int from = static_cast<int>(std::clamp(first, 0.0, static_cast<double>(points)));
        const int to = static_cast<int>(std::clamp(last, -1.0, static_cast<double>(points - 1)));
        for (int i = from; i <= to; ++i) {
            const double z = (low + i * step - value) / bandwidth;
            density[static_cast<std::size_t>(i)] += weight * scale * std::exp(-0.5 * z * z);
        }
    }
    return density;
}

} // namespace lodestone::plot
