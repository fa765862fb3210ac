// Draws a whole cloud of points as one image, because a chart item per point takes a minute for 100,000 of
// them.
#pragma once

#include "core/plot/density_grid.h"

#include <QColor>
#include <QImage>
#include <QPainterPath>
#include <QSizeF>
#include <cstdint>
#include <span>
#include <vector>

namespace lodestone::ui {

enum class Marker { Circle, Diamond, Square, Triangle, Cross };

/// The outline of a marker of about the area of a circle of this radius.
QPainterPath markerPath(Marker marker, QPointF centre, double radius);

/// What the layer draws. Spans must live until render returns; lengths of x and y agree.
struct RasterInput {
    std::span<const double> x; ///< data units
    std::span<const double> y;
    std::span<const int> classOf; ///< empty: all of class 0
    std::span<const float> scales; ///< factor of the radius; empty: 1
    std::span<const std::uint8_t> faded; ///< 1: drawn faintly; empty: none
    plot::Window window;
    std::vector<QColor> colours; ///< per class
    std::vector<Marker> markers; ///< per class
    double radius = 3; ///< device-independent pixels
    double opacity = 0.6;
    std::uint64_t seed = 0; ///< of the draw order
};

class RasterLayer {
public:
    /// Above this many points the layer shows their density.
    static constexpr int densityThreshold = 20000;

    /// Renders into image(): `size` device-independent pixels at the given ratio. Marks at the border are
    /// cut.
    void render(const RasterInput& input, QSizeF size, double devicePixelRatio);
    const QImage& image() const { return m_image; }

private:
    void renderMarks(const RasterInput& input, double ratio);
    void renderDensity(const RasterInput& input, double ratio);

    QImage m_image;
    std::vector<std::uint32_t> m_order; // a permutation of the points: no class lies on top of another
    std::uint64_t m_orderSeed = 0;
};

} // namespace lodestone::ui
