// Finds the points under a pointer, in a direction, in a rectangle or in a lasso, fast enough to answer every
// mouse move.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace lodestone::plot {

struct Point {
    double x = 0;
    double y = 0;
};

/// A grid over the points (x[i], y[i]); points that are not finite are never found. It keeps its own copy of
/// the coordinates. Building is linear; a lookup reads the cells that its radius touches.
class PointIndex {
public:
    PointIndex() = default;
    PointIndex(std::span<const double> x, std::span<const double> y);

    /// The index of the point nearest to `at`, where distances are counted in units of radiusX and radiusY
    /// and only points within 1 count (an ellipse: a circle on a screen whose axes have different scales). -1
    /// when there is none. Of points that are equally near, the one with the lowest index.
    int nearest(Point at, double radiusX, double radiusY) const;

    /// The nearest point that lies within 45 degrees of the direction (stepX, stepY) seen from `from`; unitX
    /// and unitY are the data units that count as one unit of length on screen, and the direction is in those
    /// units. -1 when there is none.
    int nearestInDirection(Point from, double stepX, double stepY, double unitX, double unitY) const;

    /// The points inside the closed rectangle, ascending.
    std::vector<int> inRectangle(Point corner, Point opposite) const;
    /// The points inside the polygon (even-odd rule, closed by itself), ascending. Fewer than three corners
    /// hold nothing.
    std::vector<int> inPolygon(std::span<const Point> corners) const;

private:
    int column(double x) const;
    int row(double y) const;

    std::vector<double> m_x;
    std::vector<double> m_y;
    double m_left = 0;
    double m_bottom = 0;
    double m_scaleX = 0; // cells per data unit
    double m_scaleY = 0;
    int m_side = 0; // cells per side
    std::vector<std::uint32_t> m_start; // [cell] .. [cell + 1]: its range in m_order
    std::vector<std::uint32_t> m_order;
};

} // namespace lodestone::plot
