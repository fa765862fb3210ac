#include "core/plot/histogram.h"
#include "ui/plots/scatter_view.h"
#include "ui/plots/theme.h"

#include <QFontMetricsF>
#include <QPainter>
#include <algorithm>
#include <cmath>
#include <numbers>

// What the cloud looks like: the raster of the points, and above it what has a name.

namespace lodestone::ui {

namespace {

constexpr double stripGap = 4; // between the plot and its histograms
constexpr double topBin = 18; // width of a bar
constexpr double rightBin = 11;

} // namespace

void ScatterView::paintOver(QPainter& painter)
{
    m_paintRatio = painter.device()->devicePixelRatioF();
    updateLayer();
    painter.save();
    painter.setClipRect(plotArea().adjusted(0, 0, 1, 1));
    painter.drawImage(plotArea().topLeft(), m_layer.image());
    paintArrows(painter);
    paintRings(painter);
    paintGuests(painter);
    painter.restore();
    if (m_marginals)
        paintMarginals(painter);
    paintDrag(painter);
}

void ScatterView::paintMarginals(QPainter& painter) const
{
    const Palette& p = look();
    const QRectF area = plotArea();
    const int classes = static_cast<int>(m_classes.size());
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing, false);
    painter.setPen(Qt::NoPen);
    const auto draw = [&](bool top) {
        const double length = top ? area.width() : area.height();
        const int bins = std::clamp(static_cast<int>(length / p.px(top ? topBin : rightBin)), 4, 64);
        const plot::Range range = top ? windowX() : windowY();
        const plot::Histogram bars
            = plot::histogram(top ? m_x : m_y, m_class, classes, range.low, range.high, bins);
        if (!(bars.peak > 0))
            return;
        const double height
            = (top ? extraMargins().top() : extraMargins().right()) - p.px(stripGap + (top ? 2 : 8));
        const double gap = p.px(stripGap);
        // The classes stand behind one another, each from the same base, so that their shapes compare.
        for (int c = 0; c < classes; ++c) {
            painter.setBrush(withAlpha(p.colour(m_classes[c].ink), 0.5));
            for (int b = 0; b < bars.bins; ++b) {
                const double share = bars.count(c, b) / bars.peak * height;
                if (share <= 0)
                    continue;
                const double from = std::round(length * b / bars.bins);
                const double size = std::round(length * (b + 1) / bars.bins) - from - 1;
                const double thick = std::max(1.0, std::round(share));
                if (top)
                    painter.drawRect(QRectF(area.left() + from, area.top() - gap - thick, size, thick));
                else
                    painter.drawRect(
                        QRectF(area.right() + 2 * gap, area.bottom() - from - size, thick, size));
            }
        }
    };
    draw(true);
    draw(false);
    painter.restore();
}

void ScatterView::paintArrows(QPainter& painter) const
{
    const Palette& p = look();
    const QPointF origin = toWidget({ 0, 0 });
    const QFont font = theme().font(p.fontText, QFont::DemiBold);
    const QFontMetricsF metrics(font);
    for (const PlotArrow& arrow : m_arrows) {
        if (!(arrow.coneDegrees > 0) || arrow.ghost)
            continue;
        // The cone turns in data units: on axes of different scales its image need not be symmetric.
        QPolygonF cone{ origin };
        const int steps = 16;
        for (int i = 0; i <= steps; ++i) {
            const double angle = arrow.coneDegrees * (2.0 * i / steps - 1) * std::numbers::pi / 180;
            cone << toWidget({ arrow.tip.x() * std::cos(angle) - arrow.tip.y() * std::sin(angle),
                               arrow.tip.x() * std::sin(angle) + arrow.tip.y() * std::cos(angle) });
        }
        painter.setPen(Qt::NoPen);
        painter.setBrush(withAlpha(p.colour(arrow.ink), p.bandOpacity));
        painter.drawPolygon(cone);
    }
    QVector<QRectF> taken;
    const auto drawOne = [&](const PlotArrow& arrow) {
        const QPointF tip = toWidget(arrow.tip);
        const QPointF along = tip - origin;
        const double length = std::hypot(along.x(), along.y());
        if (!std::isfinite(length) || length < p.px(2))
            return;
        const QPointF unit = along / length;
        const QPointF side(-unit.y(), unit.x());
        const double head = std::min(p.px(9), length);
        const QColor colour = p.colour(arrow.ink);
        const QPolygonF point{ tip, tip - unit * head + side * p.px(4), tip - unit * head - side * p.px(4) };
        const QLineF shaft(origin, tip - unit * head * 0.8);
        if (arrow.ghost) {
            QPen pen(withAlpha(colour, 0.55), p.px(1.4));
            pen.setDashPattern({ 3, 3 });
            painter.setPen(pen);
            painter.drawLine(shaft);
            painter.setPen(Qt::NoPen);
            painter.setBrush(withAlpha(colour, 0.55));
            painter.drawPolygon(point);
            return;
        }
        painter.setPen(
            QPen(withAlpha(surfaceColour(), 0.85), p.arrowWidth + p.px(3), Qt::SolidLine, Qt::RoundCap));
        painter.drawLine(shaft);
        painter.setPen(
            QPen(withAlpha(surfaceColour(), 0.85), p.px(3), Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
        painter.setBrush(withAlpha(surfaceColour(), 0.85));
        painter.drawPolygon(point);
        painter.setPen(QPen(colour, p.arrowWidth, Qt::SolidLine, Qt::FlatCap));
        painter.drawLine(shaft);
        painter.setPen(Qt::NoPen);
        painter.setBrush(colour);
        painter.drawPolygon(point);
    };
    for (const bool ghosts : { true, false })
        for (const PlotArrow& arrow : m_arrows)
            if (arrow.ghost == ghosts)
                drawOne(arrow);
    for (const PlotArrow& arrow : m_arrows) {
        if (arrow.ghost || arrow.label.isEmpty())
            continue;
        const QPointF tip = toWidget(arrow.tip);
        const QPointF along = tip - origin;
        const double width = metrics.horizontalAdvance(arrow.label);
        const double height = metrics.height();
        const double gap = p.px(8);
        // Beyond the tip first, then beside and around it: the first place that is free and inside wins.
        const double dx = along.x() >= 0 ? gap : -gap - width;
        const double dy = along.y() >= 0 ? gap / 2 : -gap / 2 - height;
        const QPointF places[] = { { dx, -height / 2 },
                                   { dx, dy },
                                   { -width / 2, dy },
                                   { gap, -height / 2 },
                                   { -gap - width, -height / 2 },
                                   { -width / 2, -gap / 2 - height },
                                   { -width / 2, gap / 2 },
                                   { dx, -2 * height },
                                   { dx, height } };
        QRectF place(tip + places[0], QSizeF(width, height));
        for (const QPointF& offset : places) {
            const QRectF candidate(tip + offset, QSizeF(width, height));
            const bool free = plotArea().contains(candidate)
                && std::none_of(taken.begin(), taken.end(),
                                [&](const QRectF& other) { return other.intersects(candidate); });
            if (free) {
                place = candidate;
                break;
            }
        }
        taken.append(place);
        drawHaloText(
            painter, { place.left(), place.top() + metrics.ascent() }, arrow.label, font,
            p.textColour(arrow.ink));
    }
}

void ScatterView::paintRings(QPainter& painter) const
{
    const Palette& p = look();
    const auto centreOf = [this](int point) {
        const auto i = static_cast<std::size_t>(point);
        return toWidget({ m_x[i], m_y[i] });
    };
    const auto ring = [&](QPointF centre, double radius, const QColor& colour, double width) {
        painter.setBrush(Qt::NoBrush);
        painter.setPen(QPen(withAlpha(surfaceColour(), 0.8), width + p.px(2)));
        painter.drawEllipse(centre, radius, radius);
        painter.setPen(QPen(colour, width));
        painter.drawEllipse(centre, radius, radius);
    };
    if (m_pair) {
        const QPointF a = centreOf(m_pair->first);
        const QPointF b = centreOf(m_pair->second);
        const double radius = p.px(6.5);
        if (const QLineF whole(a, b); whole.length() > 2 * radius) {
            const QPointF unit = (b - a) / whole.length();
            painter.setPen(QPen(p.secondary, p.px(1)));
            painter.drawLine(a + unit * radius, b - unit * radius);
        }
        ring(a, radius, p.text, p.px(2));
        ring(b, radius, p.text, p.px(2));
    }
    if (m_pinned >= 0)
        ring(centreOf(m_pinned), p.px(7.5), p.accent, p.px(2));
    if (m_focus >= 0 && hasFocus() && m_focus != m_pinned)
        ring(centreOf(m_focus), p.px(9), p.accent, p.px(1.5));
    if (m_hovered >= 0 && m_hovered != m_pinned)
        ring(centreOf(m_hovered), p.px(6), p.text, p.px(1.5));
}

void ScatterView::paintGuests(QPainter& painter) const
{
    const Palette& p = look();
    const QFont font = theme().font(p.fontSecondary, QFont::DemiBold);
    const double radius = p.px(9);
    QPointF before;
    for (int i = 0; i < m_guests.size(); ++i) {
        const QPointF centre = toWidget(m_guests[i].at);
        if (!std::isfinite(centre.x()) || !std::isfinite(centre.y()))
            continue;
        if (!before.isNull())
            if (const QLineF whole(before, centre); whole.length() > 2 * radius) {
                const QPointF unit = (centre - before) / whole.length();
                painter.setPen(QPen(p.accent, p.px(1)));
                painter.drawLine(before + unit * radius, centre - unit * radius);
            }
        before = centre;
    }
    for (int i = 0; i < m_guests.size(); ++i) {
        const QPointF centre = toWidget(m_guests[i].at);
        if (!std::isfinite(centre.x()) || !std::isfinite(centre.y()))
            continue;
        painter.setPen(QPen(surfaceColour(), p.px(2)));
        painter.setBrush(p.accent);
        painter.drawEllipse(centre, radius, radius);
        painter.setFont(font);
        painter.setPen(p.onAccent);
        painter.drawText(
            QRectF(centre - QPointF(radius, radius), QSizeF(2 * radius, 2 * radius)), Qt::AlignCenter,
            m_guests[i].letter);
    }
}

void ScatterView::paintDrag(QPainter& painter) const
{
    if (m_drag != Drag::Select || !m_moved)
        return;
    QPen pen(look().accent, look().px(1.2));
    pen.setDashPattern({ 4, 3 });
    painter.setPen(pen);
    painter.setBrush(withAlpha(look().accent, 0.12));
    if (m_tool == Tool::Lasso)
        painter.drawPolygon(m_lasso);
    else
        painter.drawRect(QRectF(m_pressed, m_last).normalized() & plotArea());
}

void ScatterView::updateLayer()
{
    const qreal ratio = m_paintRatio;
    const QSizeF size = plotArea().size();
    const bool fits = std::abs(m_layer.image().width() - size.width() * ratio) < 1
        && std::abs(m_layer.image().height() - size.height() * ratio) < 1
        && m_layer.image().devicePixelRatio() == ratio;
    if (!m_layerStale && fits)
        return;
    RasterInput input;
    input.x = m_x;
    input.y = m_y;
    input.classOf = m_class;
    input.scales = m_scales;
    std::vector<std::uint8_t> faded;
    if (!m_selection.isEmpty()) {
        faded.assign(m_x.size(), 1);
        for (const int point : std::as_const(m_selection))
            if (point >= 0 && point < pointCount())
                faded[static_cast<std::size_t>(point)] = 0;
    }
    input.faded = faded;
    input.window = { windowX().low, windowX().high, windowY().low, windowY().high };
    for (const PointClass& kind : std::as_const(m_classes)) {
        input.colours.push_back(look().colour(kind.ink));
        input.markers.push_back(kind.marker);
    }
    input.radius = look().pointRadius;
    input.opacity = look().pointOpacity;
    input.seed = m_seed;
    m_layer.render(input, size, ratio);
    m_layerStale = false;
}

} // namespace lodestone::ui
