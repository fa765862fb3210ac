#include "ui/plots/raster_layer.h"

#include "core/base/rng.h"

#include <QPainter>
#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <tuple>

namespace lodestone::ui {

namespace {

constexpr int phases = 4; // positions of a mark between two pixels, per axis
constexpr double fadedShare = 0.22; // of the opacity of a mark outside the selection

std::uint32_t scaled(std::uint32_t colour, std::uint32_t alpha)
{
    // Both pairs of channels at once; exact enough for 8 bits (x * a / 255 with rounding).
    std::uint32_t even = (colour & 0x00FF00FFu) * alpha;
    even = (even + ((even >> 8u) & 0x00FF00FFu) + 0x00800080u) >> 8u;
    std::uint32_t odd = ((colour >> 8u) & 0x00FF00FFu) * alpha;
    odd = odd + ((odd >> 8u) & 0x00FF00FFu) + 0x00800080u;
    return (even & 0x00FF00FFu) | (odd & 0xFF00FF00u);
}

/// One mark in one colour, at sixteen places between the pixels.
struct Stamp {
    int side = 0;
    int centre = 0;
    std::vector<std::uint32_t> pixels; // [phaseY][phaseX][row][column], premultiplied

    const std::uint32_t* at(int phaseX, int phaseY) const
    {
        return pixels.data() + static_cast<std::ptrdiff_t>(phaseY * phases + phaseX) * side * side;
    }
};

Stamp makeStamp(Marker marker, QColor colour, double radius, double opacity)
{
    Stamp stamp;
    stamp.centre = static_cast<int>(std::ceil(radius * 1.4)) + 1;
    stamp.side = 2 * stamp.centre + 2;
    colour.setAlphaF(static_cast<float>(opacity));
    stamp.pixels.reserve(static_cast<std::size_t>(phases * phases * stamp.side * stamp.side));
    for (int py = 0; py < phases; ++py) {
        for (int px = 0; px < phases; ++px) {
            QImage image(stamp.side, stamp.side, QImage::Format_ARGB32_Premultiplied);
            image.fill(Qt::transparent);
            QPainter painter(&image);
            painter.setRenderHint(QPainter::Antialiasing);
            const QPointF centre(stamp.centre + (px + 0.5) / phases, stamp.centre + (py + 0.5) / phases);
            painter.fillPath(markerPath(marker, centre, radius), colour);
            painter.end();
            for (int row = 0; row < stamp.side; ++row) {
                const auto* line = reinterpret_cast<const std::uint32_t*>(image.constScanLine(row));
                stamp.pixels.insert(stamp.pixels.end(), line, line + stamp.side);
            }
        }
    }
    return stamp;
}

void blend(QImage& image, const Stamp& stamp, double x, double y)
{
    const double floorX = std::floor(x);
    const double floorY = std::floor(y);
    const std::uint32_t* source
        = stamp.at(static_cast<int>((x - floorX) * phases), static_cast<int>((y - floorY) * phases));
    const int left = static_cast<int>(floorX) - stamp.centre;
    const int top = static_cast<int>(floorY) - stamp.centre;
    const int fromColumn = std::max(0, -left);
    const int toColumn = std::min(stamp.side, image.width() - left);
    const int fromRow = std::max(0, -top);
    const int toRow = std::min(stamp.side, image.height() - top);
    for (int row = fromRow; row < toRow; ++row) {
        auto* target = reinterpret_cast<std::uint32_t*>(image.scanLine(top + row)) + left;
        const std::uint32_t* line = source + static_cast<std::ptrdiff_t>(row) * stamp.side;
        for (int column = fromColumn; column < toColumn; ++column) {
            const std::uint32_t colour = line[column];
            if (colour != 0)
                target[column] = colour + scaled(target[column], 255u - (colour >> 24u));
        }
    }
}

} // namespace

QPainterPath markerPath(Marker marker, QPointF centre, double radius)
{
    QPainterPath path;
    // Factors that give every shape the area pi r^2.
    switch (marker) {
    case Marker::Circle:
        path.addEllipse(centre, radius, radius);
        break;
    case Marker::Diamond: {
        const double d = radius * 1.2533;
        path.addPolygon(QPolygonF{ centre + QPointF(0, -d), centre + QPointF(d, 0), centre + QPointF(0, d),
                                   centre + QPointF(-d, 0), centre + QPointF(0, -d) });
        break;
    }
    case Marker::Square: {
        const double s = radius * 0.8862;
        path.addRect(QRectF(centre - QPointF(s, s), QSizeF(2 * s, 2 * s)));
        break;
    }
    case Marker::Triangle: {
        const double t = radius * 1.5551; // from the centre to a corner
        path.addPolygon(QPolygonF{ centre + QPointF(0, -t), centre + QPointF(0.866 * t, 0.5 * t),
                                   centre + QPointF(-0.866 * t, 0.5 * t), centre + QPointF(0, -t) });
        break;
    }
    case Marker::Cross: {
        const double a = radius * 1.2; // half length of an arm
        const double b = radius * 0.381; // half its width
        path.addPolygon(QPolygonF{ centre + QPointF(-b, -a), centre + QPointF(b, -a), centre + QPointF(b, -b),
                                   centre + QPointF(a, -b), centre + QPointF(a, b), centre + QPointF(b, b),
                                   centre + QPointF(b, a), centre + QPointF(-b, a), centre + QPointF(-b, b),
                                   centre + QPointF(-a, b), centre + QPointF(-a, -b),
                                   centre + QPointF(-b, -b), centre + QPointF(-b, -a) });
        break;
    }
    }
    return path;
}

void RasterLayer::render(const RasterInput& input, QSizeF size, double devicePixelRatio)
{
    const QSize pixels(
        std::max(1, static_cast<int>(std::lround(size.width() * devicePixelRatio))),
        std::max(1, static_cast<int>(std::lround(size.height() * devicePixelRatio))));
    if (m_image.size() != pixels)
        m_image = QImage(pixels, QImage::Format_ARGB32_Premultiplied);
    m_image.setDevicePixelRatio(1);
    m_image.fill(Qt::transparent);
    if (!input.x.empty() && !input.colours.empty()) {
        if (static_cast<int>(input.x.size()) > densityThreshold)
            renderDensity(input, devicePixelRatio);
        else
            renderMarks(input, devicePixelRatio);
    }
    m_image.setDevicePixelRatio(devicePixelRatio);
}

void RasterLayer::renderMarks(const RasterInput& input, double ratio)
{
    const std::size_t count = input.x.size();
    if (m_order.size() != count || m_orderSeed != input.seed) {
        m_order.resize(count);
        std::iota(m_order.begin(), m_order.end(), 0u);
        Rng(input.seed).shuffle(m_order);
        m_orderSeed = input.seed;
    }
    std::map<std::tuple<int, bool, int>, Stamp> stamps; // class, faded, quarter steps of the scale
    const double scaleX = m_image.width() / (input.window.right - input.window.left);
    const double scaleY = m_image.height() / (input.window.top - input.window.bottom);
    // Faded marks first: what is selected lies on top.
    for (const bool wanted : { true, false }) {
        if (wanted && input.faded.empty())
            continue;
        for (const std::uint32_t i : m_order) {
            const bool faded = !input.faded.empty() && input.faded[i] != 0;
            if (faded != wanted)
                continue;
            const int classIndex = input.classOf.empty() ? 0 : input.classOf[i];
            if (classIndex < 0 || classIndex >= static_cast<int>(input.colours.size()))
                continue;
            const double x = (input.x[i] - input.window.left) * scaleX;
            const double y = (input.window.top - input.y[i]) * scaleY;
            const double margin = 16 * ratio * input.radius;
            if (!(x > -margin && x < m_image.width() + margin && y > -margin
                  && y < m_image.height() + margin))
                continue;
            const int step = input.scales.empty()
                ? 4
                : std::clamp(static_cast<int>(std::lround(input.scales[i] * 4)), 1, 32);
            const auto key = std::make_tuple(classIndex, faded, step);
            auto found = stamps.find(key);
            if (found == stamps.end()) {
                const auto c = static_cast<std::size_t>(classIndex);
                found = stamps
                            .emplace(
                                key,
                                makeStamp(
                                    c < input.markers.size() ? input.markers[c] : Marker::Circle,
                                    input.colours[c], input.radius * ratio * step / 4.0,
                                    faded ? input.opacity * fadedShare : input.opacity))
                            .first;
            }
            blend(m_image, found->second, x, y);
        }
    }
}

void RasterLayer::renderDensity(const RasterInput& input, double ratio)
{
    const int cell = std::max(1, static_cast<int>(std::lround(2 * ratio)));
    const int columns = (m_image.width() + cell - 1) / cell;
    const int rows = (m_image.height() + cell - 1) / cell;
    // The last column and row may stick out of the picture: the window grows with them.
    plot::Window window = input.window;
    window.right = window.left + (window.right - window.left) * columns * cell / m_image.width();
    window.bottom = window.top - (window.top - window.bottom) * rows * cell / m_image.height();
    const int classes = static_cast<int>(input.colours.size());
    std::vector<int> classOf;
    std::span<const int> given = input.classOf;
    const bool fades = !input.faded.empty();
    if (fades) {
        // What lies outside the selection counts as a second set of classes.
        classOf.resize(input.x.size());
        for (std::size_t i = 0; i < classOf.size(); ++i) {
            const int own = input.classOf.empty() ? 0 : input.classOf[i];
            classOf[i] = own >= 0 && own < classes && input.faded[i] != 0 ? own + classes : own;
        }
        given = classOf;
    }
    const plot::DensityGrid grid
        = plot::densityGrid(input.x, input.y, given, fades ? 2 * classes : classes, window, columns, rows);
    QImage small(columns, rows, QImage::Format_ARGB32_Premultiplied);
    const double least = 0.35; // a single point must stay visible
    for (int row = 0; row < rows; ++row) {
        auto* line = reinterpret_cast<QRgb*>(small.scanLine(row));
        for (int column = 0; column < columns; ++column) {
            double red = 0;
            double green = 0;
            double blue = 0;
            double weight = 0;
            std::uint32_t total = 0;
            for (int c = 0; c < grid.classes; ++c) {
                const std::uint32_t points = grid.count(column, row, c);
                if (points == 0)
                    continue;
                const QColor& colour = input.colours[static_cast<std::size_t>(c % classes)];
                const double share = points * (c >= classes ? fadedShare : 1.0);
                red += share * colour.red();
                green += share * colour.green();
                blue += share * colour.blue();
                weight += share;
                total += points;
            }
            if (total == 0) {
                line[column] = 0;
                continue;
            }
            const double alpha
                = (least + (1 - least) * plot::tone(total, grid.peak)) * (fades ? weight / total : 1.0);
            line[column] = qPremultiply(qRgba(
                static_cast<int>(red / weight), static_cast<int>(green / weight),
                static_cast<int>(blue / weight), static_cast<int>(std::lround(alpha * 255))));
        }
    }
    QPainter painter(&m_image);
    painter.drawImage(QRect(0, 0, columns * cell, rows * cell), small);
}

} // namespace lodestone::ui
