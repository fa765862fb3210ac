#include "core/plot/histogram.h"

#include <algorithm>
#include <cmath>

namespace lodestone::plot {

Histogram histogram(
    std::span<const double> values, std::span<const int> classOf, int classes, double low, double high,
    int bins)
{
    Histogram result;
    result.low = low;
    result.high = high;
    result.classes = std::max(1, classes);
    if (bins < 1 || !(low < high) || !std::isfinite(high - low))
        return result;
    result.bins = bins;
    result.counts.assign(static_cast<std::size_t>(result.classes) * static_cast<std::size_t>(bins), 0.0);
    const double scale = bins / (high - low);
    for (std::size_t i = 0; i < values.size(); ++i) {
        const double value = values[i];
        const int classIndex = classOf.empty() ? 0 : i < classOf.size() ? classOf[i] : -1;
        if (!(value >= low && value <= high) || classIndex < 0 || classIndex >= result.classes)
            continue;
        const int bin = std::min(bins - 1, static_cast<int>((value - low) * scale));
        const auto at = static_cast<std::size_t>(classIndex) * static_cast<std::size_t>(bins)
            + static_cast<std::size_t>(bin);
        result.counts[at] += 1;
        result.peak = std::max(result.peak, result.counts[at]);
    }
    return result;
}

} // namespace lodestone::plot
