// Counts of one coordinate per class: the bars beside a cloud of points.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace lodestone::plot {

struct Histogram {
    double low = 0;
    double high = 1;
    int bins = 0;
    int classes = 0;
    std::vector<double> counts; ///< class-major: counts[c * bins + b]
    double peak = 0; ///< the largest single count

    double count(int classIndex, int bin) const
    {
        return counts
            [static_cast<std::size_t>(classIndex) * static_cast<std::size_t>(bins)
             + static_cast<std::size_t>(bin)];
    }
    double edge(int bin) const { return low + (high - low) * bin / bins; }
};

/// Counts `values` in `bins` equal bins over [low, high]; the last bin includes `high`. `classOf` gives each
/// value its class 0 .. classes-1; empty means that all are class 0. Values outside the range, not finite, or
/// of an unknown class are not counted. An empty range or bins < 1 gives a histogram without bins.
Histogram histogram(
    std::span<const double> values, std::span<const int> classOf, int classes, double low, double high,
    int bins);

} // namespace lodestone::plot
