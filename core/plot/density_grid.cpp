#include "core/plot/density_grid.h"

#include <algorithm>
#include <cmath>

namespace lodestone::plot {

DensityGrid densityGrid(
    std::span<const double> x, std::span<const double> y, std::span<const int> classOf, int classes,
    const Window& window, int columns, int rows)
{
    DensityGrid grid;
    const double width = window.right - window.left;
    const double height = window.top - window.bottom;
    if (columns < 1 || rows < 1 || classes < 1 || !(width > 0) || !(height > 0))
        return grid;
    grid.columns = columns;
    grid.rows = rows;
    grid.classes = classes;
    grid.counts.assign(
        static_cast<std::size_t>(columns) * static_cast<std::size_t>(rows)
            * static_cast<std::size_t>(classes),
        0);
    const double scaleX = columns / width;
    const double scaleY = rows / height;
    const std::size_t count = std::min(x.size(), y.size());
    for (std::size_t i = 0; i < count; ++i) {
        const int classIndex = classOf.empty() ? 0 : i < classOf.size() ? classOf[i] : -1;
        // Written so that a value that is not a number fails the test.
        const bool inside
            = x[i] >= window.left && x[i] <= window.right && y[i] >= window.bottom && y[i] <= window.top;
        if (!inside || classIndex < 0 || classIndex >= classes)
            continue;
        const int column = std::min(columns - 1, static_cast<int>((x[i] - window.left) * scaleX));
        const int row = std::min(rows - 1, static_cast<int>((window.top - y[i]) * scaleY));
        ++grid.counts
              [(static_cast<std::size_t>(row) * static_cast<std::size_t>(columns)
                + static_cast<std::size_t>(column))
                   * static_cast<std::size_t>(classes)
               + static_cast<std::size_t>(classIndex)];
    }
    const auto step = static_cast<std::size_t>(classes);
    for (std::size_t at = 0; at < grid.counts.size(); at += step) {
        std::uint32_t total = 0;
        for (std::size_t c = 0; c < step; ++c)
            total += grid.counts[at + c];
        grid.peak = std::max(grid.peak, total);
    }
    return grid;
}

double tone(std::uint32_t count, std::uint32_t peak)
{
    if (count == 0 || peak == 0)
        return 0;
    return std::min(1.0, std::log1p(static_cast<double>(count)) / std::log1p(static_cast<double>(peak)));
}

} // namespace lodestone::plot
