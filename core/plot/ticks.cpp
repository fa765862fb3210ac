#include "core/plot/ticks.h"

#include <algorithm>
#include <cmath>

namespace lodestone::plot {

Ticks niceTicks(double low, double high, int target)
{
    Ticks ticks;
    if (!std::isfinite(low) || !std::isfinite(high) || !(low < high))
        return ticks;
    const double raw = (high - low) / std::max(1, target);
    const double power = std::pow(10.0, std::floor(std::log10(raw)));
    const double share = raw / power;
    const double nice = share < 1.5 ? 1 : share < 3.5 ? 2 : share < 7.5 ? 5 : 10;
    ticks.step = nice * power;
    // A step of 10 * 10^k is written as 1 * 10^(k+1), which decides the digits.
    ticks.decimals = std::max(0, -static_cast<int>(std::floor(std::log10(ticks.step) + 1e-9)));
    // A tick that misses the end by rounding alone still belongs to the axis.
    const double slack = 1e-9;
    const double first = std::ceil(low / ticks.step - slack);
    const double last = std::floor(high / ticks.step + slack);
    if (!(std::abs(first) < 1e15) || !(std::abs(last) < 1e15))
        return ticks; // the step is below the resolution of the numbers: no tick would be true
    for (double k = first; k <= last; ++k)
        ticks.values.push_back(k == 0 ? 0.0 : k * ticks.step);
    return ticks;
}

Range padded(double low, double high, double share)
{
    if (!std::isfinite(low) || !std::isfinite(high) || low > high)
        return {};
    if (low == high)
        return { low - 0.5, high + 0.5 };
    const double margin = (high - low) * share;
    return { low - margin, high + margin };
}

} // namespace lodestone::plot
