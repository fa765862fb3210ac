#include "core/plot/point_index.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace lodestone::plot {

PointIndex::PointIndex(std::span<const double> x, std::span<const double> y)
{
    const std::size_t count = std::min(x.size(), y.size());
    m_x.assign(x.begin(), x.begin() + static_cast<std::ptrdiff_t>(count));
    m_y.assign(y.begin(), y.begin() + static_cast<std::ptrdiff_t>(count));
    double right = -std::numeric_limits<double>::infinity();
    double top = right;
    m_left = std::numeric_limits<double>::infinity();
    m_bottom = m_left;
    std::size_t finite = 0;
    const auto usable = [this](std::size_t i) { return std::isfinite(m_x[i]) && std::isfinite(m_y[i]); };
    for (std::size_t i = 0; i < count; ++i) {
        if (!usable(i))
            continue;
        ++finite;
        m_left = std::min(m_left, m_x[i]);
        right = std::max(right, m_x[i]);
        m_bottom = std::min(m_bottom, m_y[i]);
        top = std::max(top, m_y[i]);
    }
    if (finite == 0)
        return;
    // About two points per cell on a uniform cloud.
    m_side = std::clamp(static_cast<int>(std::sqrt(static_cast<double>(finite) / 2)), 1, 1024);
    m_scaleX = right > m_left ? m_side / (right - m_left) : 0;
    m_scaleY = top > m_bottom ? m_side / (top - m_bottom) : 0;
    const auto side = static_cast<std::size_t>(m_side);
    m_start.assign(side * side + 1, 0);
    const auto cellOf = [&](std::size_t i) {
        return static_cast<std::size_t>(row(m_y[i])) * side + static_cast<std::size_t>(column(m_x[i]));
    };
    for (std::size_t i = 0; i < count; ++i)
        if (usable(i))
            ++m_start[cellOf(i) + 1];
    for (std::size_t cell = 0; cell + 1 < m_start.size(); ++cell)
        m_start[cell + 1] += m_start[cell];
    m_order.resize(finite);
    std::vector<std::uint32_t> next(m_start.begin(), m_start.end() - 1);
    for (std::size_t i = 0; i < count; ++i)
        if (usable(i))
            m_order[next[cellOf(i)]++] = static_cast<std::uint32_t>(i);
}

int PointIndex::column(double x) const
{
    return static_cast<int>(std::clamp((x - m_left) * m_scaleX, 0.0, static_cast<double>(m_side - 1)));
}

int PointIndex::row(double y) const
{
    return static_cast<int>(std::clamp((y - m_bottom) * m_scaleY, 0.0, static_cast<double>(m_side - 1)));
}

int PointIndex::nearest(Point at, double radiusX, double radiusY) const
{
    if (m_side == 0 || !(radiusX > 0) || !(radiusY > 0) || !std::isfinite(at.x) || !std::isfinite(at.y))
        return -1;
    int best = -1;
    double bestDistance = 1;
    const int lastColumn = column(at.x + radiusX);
    const int lastRow = row(at.y + radiusY);
    for (int r = row(at.y - radiusY); r <= lastRow; ++r) {
        for (int c = column(at.x - radiusX); c <= lastColumn; ++c) {
            const auto cell = static_cast<std::size_t>(r) * static_cast<std::size_t>(m_side)
                + static_cast<std::size_t>(c);
            for (std::uint32_t k = m_start[cell]; k < m_start[cell + 1]; ++k) {
                const std::uint32_t i = m_order[k];
                const double dx = (m_x[i] - at.x) / radiusX;
                const double dy = (m_y[i] - at.y) / radiusY;
                const double distance = dx * dx + dy * dy;
                const int index = static_cast<int>(i);
                const bool nearer
                    = distance < bestDistance || (distance == bestDistance && (best < 0 || index < best));
                if (nearer) {
                    bestDistance = distance;
                    best = index;
                }
            }
        }
    }
    return best;
}

int PointIndex::nearestInDirection(Point from, double stepX, double stepY, double unitX, double unitY) const
{
    const double length = std::hypot(stepX, stepY);
    if (!(length > 0) || !(unitX > 0) || !(unitY > 0))
        return -1;
    int best = -1;
    double bestDistance = std::numeric_limits<double>::infinity();
    for (const std::uint32_t i : m_order) {
        const double dx = (m_x[i] - from.x) / unitX;
        const double dy = (m_y[i] - from.y) / unitY;
        const double along = (dx * stepX + dy * stepY) / length;
        const double across = std::abs(dx * stepY - dy * stepX) / length;
        if (!(along > 0) || across > along)
            continue;
        const double distance = along * along + across * across;
        const int index = static_cast<int>(i);
        if (distance < bestDistance || (distance == bestDistance && index < best)) {
            bestDistance = distance;
            best = index;
        }
    }
    return best;
}

std::vector<int> PointIndex::inRectangle(Point corner, Point opposite) const
{
    const auto [left, right] = std::minmax(corner.x, opposite.x);
    const auto [bottom, top] = std::minmax(corner.y, opposite.y);
    std::vector<int> inside;
    for (std::size_t i = 0; i < m_x.size(); ++i)
        if (m_x[i] >= left && m_x[i] <= right && m_y[i] >= bottom && m_y[i] <= top)
            inside.push_back(static_cast<int>(i));
    return inside;
}

std::vector<int> PointIndex::inPolygon(std::span<const Point> corners) const
{
    std::vector<int> inside;
    if (corners.size() < 3)
        return inside;
    for (std::size_t i = 0; i < m_x.size(); ++i) {
        if (!std::isfinite(m_x[i]) || !std::isfinite(m_y[i]))
            continue;
        bool odd = false;
        for (std::size_t a = 0, b = corners.size() - 1; a < corners.size(); b = a++) {
            const Point& p = corners[a];
            const Point& q = corners[b];
            if ((p.y > m_y[i]) != (q.y > m_y[i]) && m_x[i] < (q.x - p.x) * (m_y[i] - p.y) / (q.y - p.y) + p.x)
                odd = !odd;
        }
        if (odd)
            inside.push_back(static_cast<int>(i));
    }
    return inside;
}

} // namespace lodestone::plot
