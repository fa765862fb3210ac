#include "ui/plots/series_view.h"
#include "ui/plots/theme.h"

#include <QFontMetricsF>
#include <QPainter>
#include <algorithm>
#include <cmath>

// What Qt Charts has no series for: whiskers, marks, reference lines, the marker, and labels where a line
// ends.

namespace lodestone::ui {

void SeriesView::paintOver(QPainter& painter)
{
    const Palette& p = look();
    const QRectF area = plotArea();
    const QFont small = theme().font(p.fontSmall);
    const QFontMetricsF metrics(small);
    for (const ReferenceLine& reference : std::as_const(m_lines)) {
        QPen pen(p.colour(reference.ink), p.px(1));
        pen.setDashPattern({ 4, 4 });
        painter.setPen(pen);
        const QPointF at = toWidget({ reference.at, reference.at });
        if (reference.orientation == Qt::Horizontal) {
            painter.drawLine(QPointF(area.left(), at.y()), QPointF(area.right(), at.y()));
        } else {
            painter.drawLine(QPointF(at.x(), area.top()), QPointF(at.x(), area.bottom()));
            if (!reference.label.isEmpty()) {
                const double width = metrics.horizontalAdvance(reference.label);
                const double right = at.x() + p.px(4) + width;
                const double left = right <= area.right() ? at.x() + p.px(4) : at.x() - p.px(4) - width;
                drawHaloText(
                    painter, { left, area.top() + metrics.ascent() }, reference.label, small,
                    p.textColour(reference.ink));
            }
        }
    }
    for (const Series& series : std::as_const(m_series)) {
        const QColor colour = p.colour(series.ink);
        const bool whiskers = series.hasInterval() && series.interval == Series::Interval::Whiskers;
        for (std::size_t i = 0; i < series.count(); ++i) {
            const QPointF at = toWidget({ series.x[i], series.y[i] });
            if (!std::isfinite(at.x()) || !std::isfinite(at.y()))
                continue;
            if (whiskers && std::isfinite(series.low[i]) && std::isfinite(series.high[i])) {
                const double low = toWidget({ 0, series.low[i] }).y();
                const double high = toWidget({ 0, series.high[i] }).y();
                const double cap = p.px(3);
                painter.setPen(QPen(withAlpha(colour, 0.8), p.px(1.2)));
                painter.drawLine(QPointF(at.x(), low), QPointF(at.x(), high));
                painter.drawLine(QPointF(at.x() - cap, low), QPointF(at.x() + cap, low));
                painter.drawLine(QPointF(at.x() - cap, high), QPointF(at.x() + cap, high));
            }
            if (series.marks) {
                painter.setPen(QPen(surfaceColour(), p.px(1)));
                painter.setBrush(colour);
                painter.drawEllipse(at, p.px(3), p.px(3));
            }
        }
        if (series.labelAt == Series::LabelAt::Peak && !series.label.isEmpty() && series.count() > 0) {
            const auto peak = std::max_element(series.y.begin(), series.y.end());
            const auto i = std::min(static_cast<std::size_t>(peak - series.y.begin()), series.x.size() - 1);
            const QPointF at = toWidget({ series.x[i], series.y[i] });
            const double width = metrics.horizontalAdvance(series.label);
            // Two densities side by side: each word leans away from the other curve.
            double lean = -0.5;
            for (const Series& other : std::as_const(m_series)) {
                if (&other == &series || other.labelAt != Series::LabelAt::Peak || other.y.empty())
                    continue;
                const auto j = static_cast<std::size_t>(
                    std::max_element(other.y.begin(), other.y.end()) - other.y.begin());
                const double distance
                    = toWidget({ other.x[std::min(j, other.x.size() - 1)], 0 }).x() - at.x();
                if (std::abs(distance) < 2 * width + p.px(24))
                    lean = distance >= 0 && (distance > 0 || &series < &other) ? -1 : 0;
            }
            const double gap = lean == -0.5 ? 0 : lean < 0 ? -p.px(8) : p.px(8);
            const double left = std::clamp(at.x() + lean * width + gap, area.left(), area.right() - width);
            drawHaloText(painter, { left, at.y() - p.px(6) }, series.label, small, p.textColour(series.ink));
        }
    }
    if (m_marker && *m_marker >= windowX().low && *m_marker <= windowX().high) {
        const double x = toWidget({ *m_marker, 0 }).x();
        QPen pen(p.accent, p.px(1.5));
        pen.setDashPattern({ 1.5, 2.5 });
        painter.setPen(pen);
        painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()));
        for (const Series& series : std::as_const(m_series)) {
            const std::optional<double> y = valueAt(series, *m_marker);
            if (!y || series.filled || series.stroke != Series::Stroke::Solid)
                continue;
            painter.setPen(QPen(surfaceColour(), p.px(1.5)));
            painter.setBrush(p.colour(series.ink));
            painter.drawEllipse(toWidget({ *m_marker, *y }), p.px(4.5), p.px(4.5));
        }
    }
    painter.setFont(small);
    for (const EndLabel& label : endLabels()) {
        painter.setPen(label.colour);
        painter.drawText(
            QRectF(
                area.right() + p.px(6), label.y - label.height / 2,
                viewport()->width() - area.right() - p.px(6), label.height),
            Qt::AlignLeft | Qt::AlignVCenter, label.text);
    }
}

std::vector<SeriesView::EndLabel> SeriesView::endLabels() const
{
    const Palette& p = look();
    const double line = QFontMetricsF(theme().font(p.fontSmall)).lineSpacing();
    std::vector<EndLabel> labels;
    const auto add = [&](const QString& text, const QColor& colour, double value) {
        const double y = std::clamp(toWidget({ 0, value }).y(), plotArea().top(), plotArea().bottom());
        labels.push_back({ text, colour, y, line * static_cast<double>(text.count(QLatin1Char('\n')) + 1) });
    };
    for (const Series& series : m_series) {
        if (series.labelAt != Series::LabelAt::End || series.label.isEmpty())
            continue;
        const auto parts = series.runs();
        if (!parts.empty())
            add(series.label, p.textColour(series.ink), series.y[parts.back().second - 1]);
    }
    for (const ReferenceLine& reference : m_lines)
        if (reference.orientation == Qt::Horizontal && !reference.label.isEmpty())
            add(reference.label, p.textColour(reference.ink), reference.at);
    std::stable_sort(
        labels.begin(), labels.end(), [](const EndLabel& a, const EndLabel& b) { return a.y < b.y; });
    // Push down what overlaps, then up what left the widget.
    for (std::size_t i = 1; i < labels.size(); ++i)
        labels[i].y = std::max(labels[i].y, labels[i - 1].y + (labels[i - 1].height + labels[i].height) / 2);
    double floor = plotArea().bottom() + line;
    for (std::size_t i = labels.size(); i-- > 0;) {
        labels[i].y = std::min(labels[i].y, floor - labels[i].height / 2);
        floor = labels[i].y - labels[i].height / 2;
    }
    return labels;
}

double SeriesView::labelWidth() const
{
    const QFontMetricsF metrics(theme().font(look().fontSmall));
    double width = 0;
    for (const EndLabel& label : endLabels())
        for (const QString& line : label.text.split(QLatin1Char('\n')))
            width = std::max(width, metrics.horizontalAdvance(line));
    return std::ceil(width);
}

} // namespace lodestone::ui
