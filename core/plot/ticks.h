// Gives every axis of the window round numbers, so that two plots of one quantity read alike.
#pragma once

#include <vector>

namespace lodestone::plot {

struct Ticks {
    std::vector<double> values; ///< ascending multiples of `step` inside [low, high]
    double step = 1;
    int decimals = 0; ///< digits after the point that tell the values apart
};

/// Multiples of 1, 2 or 5 times a power of ten inside [low, high], about `target` of them (Heckbert 1990,
/// "Nice numbers for graph labels"). A range that is empty, reversed or not finite gives no values.
Ticks niceTicks(double low, double high, int target);

/// The range widened by `share` of its width on both sides; a single value becomes a range of width 1 around
/// it, and a range that is not finite becomes [0, 1].
struct Range {
    double low = 0;
    double high = 1;
};
Range padded(double low, double high, double share);

} // namespace lodestone::plot
