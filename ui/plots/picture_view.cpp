#include "ui/plots/picture_view.h"

#include "ui/plots/theme.h"

#include <QFontMetricsF>
#include <QPainter>
#include <QPainterPath>
#include <algorithm>
#include <cmath>

namespace lodestone::ui {

using plot::Role;

PictureView::PictureView(Theme& theme, QWidget* parent)
    : ChartView(theme, parent)
{
    setMinimumHeight(theme.palette().ipx(140));
}

void PictureView::setPicture(plot::Picture picture)
{
    m_picture = std::move(picture);
    AxisSpec x, y;
    x.title = QString::fromStdString(m_picture.x);
    y.title = QString::fromStdString(m_picture.y);
    x.visible = m_picture.axes && m_picture.names.empty();
    y.visible = m_picture.axes;
    x.ticks = y.ticks = 5;
    setExtraMargins({ 0, 0, 0, m_picture.names.empty() ? 0 : look().px(18) });
    setAxes(x, y);
    fit();
    setAccessibleDescription(QString::fromStdString(m_picture.title));
    viewport()->update();
}

void PictureView::resizeEvent(QResizeEvent* event)
{
    ChartView::resizeEvent(event);
    fit();
}

void PictureView::fit()
{
    if (m_fitting)
        return;
    m_fitting = true;
    plot::Range x = m_picture.rangeX, y = m_picture.rangeY;
    setWindow(x, y);
    const QRectF area = plotArea();
    if (m_picture.sameScale && area.width() > 10 && area.height() > 10) {
        const double perX = (x.high - x.low) / area.width(), perY = (y.high - y.low) / area.height();
        const auto widen = [](plot::Range& range, double width) {
            const double middle = (range.low + range.high) / 2;
            range = { middle - width / 2, middle + width / 2 };
        };
        if (perX < perY)
            widen(x, perY * area.width());
        else
            widen(y, perX * area.height());
        setWindow(x, y);
    }
    m_fitting = false;
}

QColor PictureView::colourOf(Role role) const
{
    const Palette& p = look();
    switch (role) {
    case Role::Plain:
        return p.text;
    case Role::Faint:
        return p.axis;
    case Role::Values:
        return p.people;
    case Role::Judge:
        return p.constitution;
    case Role::Generation:
        return p.generation;
    case Role::Good:
        return p.chosen;
    case Role::Bad:
        return p.rejected;
    case Role::First:
        return p.principles[0];
    case Role::Second:
        return p.principles[1];
    case Role::Third:
        return p.principles[2];
    case Role::Accent:
        return p.accent;
    }
    return p.text;
}

void PictureView::paintOver(QPainter& painter)
{
    const Palette& p = look();
    painter.setClipRect(plotArea());
    for (const plot::Shape& shape : m_picture.shapes)
        paintShape(painter, shape);
    painter.setClipping(false);
    if (m_picture.names.empty())
        return;
    const QFont small = theme().font(p.fontSmall);
    painter.setFont(small);
    painter.setPen(p.secondary);
    const QRectF area = plotArea();
    for (std::size_t i = 0; i < m_picture.names.size(); ++i) {
        const double x = toWidget({ static_cast<double>(i) + 1, 0 }).x();
        painter.drawText(
            QRectF(x - p.px(60), area.bottom() + p.px(3), p.px(120), p.px(18)),
            Qt::AlignHCenter | Qt::AlignTop, QString::fromStdString(m_picture.names[i]));
    }
}

void PictureView::label(QPainter& painter, QPointF at, const QString& text, const QColor& colour) const
{
    if (text.isEmpty())
        return;
    const QFont small = theme().font(look().fontSmall);
    const QFontMetricsF metrics(small);
    const QRectF area = plotArea();
    at.setX(std::clamp(
        at.x(), area.left() + look().px(2), area.right() - metrics.horizontalAdvance(text) - look().px(2)));
    at.setY(std::clamp(at.y(), area.top() + metrics.ascent(), area.bottom() - look().px(3)));
    drawHaloText(painter, at, text, small, colour);
}

void PictureView::paintShape(QPainter& painter, const plot::Shape& shape) const
{
    const Palette& p = look();
    const QColor colour = colourOf(shape.role);
    if (shape.points.empty())
        return;
    const auto at = [this](const plot::Shape::Point& point) { return toWidget({ point.x, point.y }); };
    switch (shape.kind) {
    case plot::Shape::Kind::Line: {
        QPolygonF path;
        for (const plot::Shape::Point& point : shape.points)
            path << at(point);
        QPen pen(colour, p.px(shape.role == Role::Faint ? 1 : p.lineWidth));
        if (shape.dashed)
            pen.setDashPattern({ 4, 4 });
        painter.setPen(pen);
        painter.setBrush(Qt::NoBrush);
        painter.drawPolyline(path);
        label(
            painter, path.last() + QPointF(p.px(5), -p.px(5)), QString::fromStdString(shape.label),
            shape.role == Role::Faint ? p.secondary : colour);
        break;
    }
    case plot::Shape::Kind::Area: {
        QPolygonF path;
        for (const plot::Shape::Point& point : shape.points)
            path << at(point);
        painter.setPen(Qt::NoPen);
        painter.setBrush(withAlpha(colour, p.bandOpacity));
        painter.drawPolygon(path);
        break;
    }
    case plot::Shape::Kind::Arrow:
        paintArrow(painter, shape);
        break;
    case plot::Shape::Kind::Dots:
        paintDots(painter, shape);
        break;
    case plot::Shape::Kind::Bars:
        paintBars(painter, shape);
        break;
    case plot::Shape::Kind::Whiskers:
        painter.setPen(QPen(colour, p.px(1.2)));
        for (std::size_t i = 0; i + 1 < shape.points.size(); i += 2)
            painter.drawLine(at(shape.points[i]), at(shape.points[i + 1]));
        break;
    case plot::Shape::Kind::Text:
        label(painter, at(shape.points.front()), QString::fromStdString(shape.label), colour);
        break;
    }
}

void PictureView::paintArrow(QPainter& painter, const plot::Shape& shape) const
{
    const Palette& p = look();
    const QColor colour = colourOf(shape.role);
    const QPointF from = toWidget({ shape.points.front().x, shape.points.front().y });
    const QPointF to = toWidget({ shape.points.back().x, shape.points.back().y });
    const QPointF way = to - from;
    const double length = std::hypot(way.x(), way.y());
    if (length < 1)
        return;
    const QPointF along = way / length, across(-along.y(), along.x());
    const double head = std::min(p.px(9), length / 2);
    painter.setPen(QPen(colour, p.arrowWidth, Qt::SolidLine, Qt::RoundCap));
    painter.drawLine(from, to - along * head * .7);
    painter.setPen(Qt::NoPen);
    painter.setBrush(colour);
    painter.drawPolygon(
        QPolygonF{ to, to - along * head + across * head * .5, to - along * head - across * head * .5 });
    const QString text = QString::fromStdString(shape.label);
    const QFontMetricsF metrics(theme().font(p.fontSmall));
    const double width = metrics.horizontalAdvance(text);
    label(
        painter,
        to + along * p.px(6)
            + QPointF(
                along.x() < -.3      ? -width
                    : along.x() < .3 ? -width / 2
                                     : 0,
                along.y() > .3        ? metrics.ascent()
                    : along.y() < -.3 ? -p.px(2)
                                      : -p.px(6)),
        text, shape.role == Role::Faint ? p.secondary : colour);
}

void PictureView::paintDots(QPainter& painter, const plot::Shape& shape) const
{
    const Palette& p = look();
    const QColor colour = colourOf(shape.role);
    for (std::size_t i = 0; i < shape.points.size(); ++i) {
        const QPointF at = toWidget({ shape.points[i].x, shape.points[i].y });
        const double size = i < shape.sizes.size() ? shape.sizes[i] : 1;
        const double radius = p.pointRadius * std::sqrt(std::max(size, 0.0));
        if (shape.dashed) { // hollow
            painter.setPen(QPen(withAlpha(colour, .9), p.px(1)));
            painter.setBrush(Qt::NoBrush);
        } else {
            painter.setPen(Qt::NoPen);
            painter.setBrush(withAlpha(colour, shape.points.size() > 1 ? p.pointOpacity : 1));
        }
        painter.drawEllipse(at, radius, radius);
        if (shape.role == Role::Bad && !shape.sizes.empty()) { // read without colour: crossed
            painter.setPen(QPen(colour, p.px(1)));
            painter.drawLine(at + QPointF(-radius, -radius), at + QPointF(radius, radius));
            painter.drawLine(at + QPointF(-radius, radius), at + QPointF(radius, -radius));
        }
        if (i == 0)
            label(
                painter, at + QPointF(radius + p.px(4), -p.px(4)), QString::fromStdString(shape.label),
                colour);
    }
}

void PictureView::paintBars(QPainter& painter, const plot::Shape& shape) const
{
    const Palette& p = look();
    const QColor colour = colourOf(shape.role);
    for (const plot::Shape::Point& point : shape.points) {
        const QPointF top = toWidget({ point.x, point.y }), foot = toWidget({ point.x, 0 });
        const double half = std::min(p.px(28), .3 * (toWidget({ point.x + 1, 0 }).x() - foot.x()));
        painter.setPen(Qt::NoPen);
        painter.setBrush(withAlpha(colour, .8));
        painter.drawRect(
            QRectF(QPointF(foot.x() - half, top.y()), QPointF(foot.x() + half, foot.y())).normalized());
        painter.setPen(QPen(p.axis, 1));
        painter.drawLine(QPointF(foot.x() - 2 * half, foot.y()), QPointF(foot.x() + 2 * half, foot.y()));
        const QString text = QString::fromStdString(shape.label);
        const QFontMetricsF metrics(theme().font(p.fontSmall));
        label(
            painter,
            { foot.x() - metrics.horizontalAdvance(text) / 2,
              point.y < 0 ? top.y() + metrics.ascent() + p.px(3) : top.y() - p.px(4) },
            text, p.text);
    }
}

} // namespace lodestone::ui
