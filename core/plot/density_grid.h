// Counts points per cell, so that a million of them are drawn as one image instead of a million marks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace lodestone::plot {

/// The part of the plane that is on screen, in data units; left < right and bottom < top.
struct Window {
    double left = 0;
    double right = 1;
    double bottom = 0;
    double top = 1;
};

struct DensityGrid {
    int columns = 0;
    int rows = 0;
    int classes = 0;
    std::vector<std::uint32_t> counts; ///< [row][column][class]; row 0 is the top of the window
    std::uint32_t peak = 0; ///< the largest total of a cell

    std::uint32_t count(int column, int row, int classIndex) const
    {
        return counts
            [(static_cast<std::size_t>(row) * static_cast<std::size_t>(columns)
              + static_cast<std::size_t>(column))
                 * static_cast<std::size_t>(classes)
             + static_cast<std::size_t>(classIndex)];
    }
};

/// Counts the points (x[i], y[i]) of class classOf[i] (0 .. classes-1; empty: all 0) in columns x rows equal
/// cells of the window. Points outside it, not finite, or of an unknown class are not counted. The right and
/// the bottom edge belong to the last cell. Linear in the number of points and cells.
DensityGrid densityGrid(
    std::span<const double> x, std::span<const double> y, std::span<const int> classOf, int classes,
    const Window& window, int columns, int rows);

/// How strongly a cell shows, on [0, 1]: log(1 + count) / log(1 + peak), so that single points stay visible
/// beside a crowded centre. 0 for an empty cell.
double tone(std::uint32_t count, std::uint32_t peak);

} // namespace lodestone::plot
