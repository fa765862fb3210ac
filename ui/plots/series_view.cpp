#include "ui/plots/series_view.h"

#include "ui/plots/theme.h"

#include <QAreaSeries>
#include <QCategoryAxis>
#include <QChart>
#include <QFontMetricsF>
#include <QKeyEvent>
#include <QLineSeries>
#include <QMouseEvent>
#include <algorithm>
#include <cmath>
#include <limits>

namespace lodestone::ui {

namespace {

    constexpr double grabWidth = 8; // a pointer this near to the marker holds it
    constexpr int keySteps = 100; // of the window, when the marker does not snap

    std::size_t sampleCount(const Series& series) { return std::min(series.x.size(), series.y.size()); }

    bool hasInterval(const Series& series)
    {
        return series.interval != Series::Interval::None && series.low.size() >= sampleCount(series)
            && series.high.size() >= sampleCount(series);
    }

    /// The runs of finite samples: Qt Charts knows no gaps.
    std::vector<std::pair<std::size_t, std::size_t>> runs(const Series& series)
    {
        std::vector<std::pair<std::size_t, std::size_t>> result;
        const std::size_t count = sampleCount(series);
        for (std::size_t i = 0; i < count;) {
            while (i < count && !(std::isfinite(series.x[i]) && std::isfinite(series.y[i])))
                ++i;
            const std::size_t begin = i;
            while (i < count && std::isfinite(series.x[i]) && std::isfinite(series.y[i]))
                ++i;
            if (i > begin)
                result.emplace_back(begin, i);
        }
        return result;
    }

    QString figure(double value) { return std::isfinite(value) ? QString::number(value, 'g', 9) : QString(); }

} // namespace

SeriesView::SeriesView(Theme& theme, QWidget* parent)
    : ChartView(theme, parent)
{
    setSurface(Surface::Panel);
    setAccessibleName(tr("Chart"));
    setWindow({ 0, 1 }, { 0, 1 });
}

SeriesView::~SeriesView() = default;

void SeriesView::setSeries(QVector<Series> series)
{
    m_series = std::move(series);
    rescale();
    rebuild();
}

void SeriesView::setReferenceLines(QVector<ReferenceLine> lines)
{
    m_lines = std::move(lines);
    rescale();
}

void SeriesView::setRangeX(std::optional<plot::Range> range)
{
    m_rangeX = range;
    rescale();
}

void SeriesView::setRangeY(std::optional<plot::Range> range)
{
    m_rangeY = range;
    rescale();
}

void SeriesView::setMarker(std::optional<double> x)
{
    m_marker = x && std::isfinite(*x) ? x : std::nullopt;
    viewport()->update();
}

void SeriesView::setMarkerSnaps(bool on) { m_snaps = on; }
void SeriesView::setMarkerMovable(bool on) { m_movable = on; }

std::optional<double> SeriesView::valueAt(const Series& series, double x)
{
    const std::size_t count = sampleCount(series);
    if (count == 0 || !std::isfinite(x) || x < series.x[0] || x > series.x[count - 1])
        return std::nullopt;
    const auto end = series.x.begin() + static_cast<std::ptrdiff_t>(count);
    const auto after = std::lower_bound(series.x.begin(), end, x);
    const auto at = static_cast<std::size_t>(after - series.x.begin());
    double value = series.y[at];
    if (series.x[at] > x) {
        const double share = (x - series.x[at - 1]) / (series.x[at] - series.x[at - 1]);
        value = series.y[at - 1] + share * (series.y[at] - series.y[at - 1]);
    }
    return std::isfinite(value) ? std::optional(value) : std::nullopt;
}

QPoint SeriesView::markerPosition() const
{
    if (!m_marker)
        return {};
    return QPointF(toWidget({ *m_marker, 0 }).x(), plotArea().center().y()).toPoint();
}

void SeriesView::rescale()
{
    plot::Range x { std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity() };
    plot::Range y = x;
    const auto widen = [](plot::Range& range, double value) {
        if (!std::isfinite(value))
            return;
        range.low = std::min(range.low, value);
        range.high = std::max(range.high, value);
    };
    bool filled = false;
    bool peaks = false;
    for (const Series& series : std::as_const(m_series)) {
        for (std::size_t i = 0; i < sampleCount(series); ++i) {
            widen(x, series.x[i]);
            widen(y, series.y[i]);
            if (hasInterval(series)) {
                widen(y, series.low[i]);
                widen(y, series.high[i]);
            }
        }
        filled = filled || series.filled;
        peaks = peaks || series.labelAt == Series::LabelAt::Peak;
    }
    for (const ReferenceLine& line : std::as_const(m_lines))
        widen(line.orientation == Qt::Horizontal ? y : x, line.at);
    if (filled)
        widen(y, 0);
    const bool fromZero = filled && y.low >= 0;
    y = plot::padded(y.low, y.high, 0.08);
    if (fromZero)
        y.low = 0;
    if (peaks) // room for the words above
        y.high += 0.12 * (y.high - y.low);
    x = plot::padded(x.low, x.high, 0);
    setWindow(m_rangeX.value_or(x), m_rangeY.value_or(y));
    const double labels = labelWidth();
    setExtraMargins({ 0, 0, labels > 0 ? labels + look().px(4) : 0, 0 });
    setAccessibleDescription([this] {
        QStringList names;
        for (const Series& series : std::as_const(m_series)) {
            const std::size_t count = sampleCount(series);
            const QString name = QString(series.label).replace(QLatin1Char('\n'), QLatin1Char(' '));
            names.append(count == 0 ? name
                                    : tr("%1 from %2 to %3")
                                          .arg(name, ui::number(series.y[0], 2), ui::number(series.y[count - 1], 2)));
        }
        return tr("%1. Across: %2. Up: %3.").arg(names.join(QLatin1String("; ")), xAxis().title, yAxis().title);
    }());
}

void SeriesView::rebuild()
{
    const Palette& p = look();
    chart()->removeAllSeries();
    const auto attach = [this](QAbstractSeries* series) {
        chart()->addSeries(series);
        series->attachAxis(horizontalAxis());
        series->attachAxis(verticalAxis());
    };
    const auto area = [&](QLineSeries* upper, QLineSeries* lower, const QColor& colour) {
        auto* band = new QAreaSeries(upper, lower);
        upper->setParent(band);
        lower->setParent(band);
        band->setPen(Qt::NoPen);
        band->setBrush(colour);
        attach(band);
    };
    for (const Series& series : std::as_const(m_series)) {
        const QColor colour = withAlpha(p.colour(series.ink), series.opacity);
        for (const auto& run : runs(series)) {
            auto* line = new QLineSeries;
            auto* low = new QLineSeries;
            auto* high = new QLineSeries;
            auto* base = new QLineSeries;
            auto* top = new QLineSeries;
            const bool banded = hasInterval(series) && series.interval == Series::Interval::Band;
            for (std::size_t i = run.first; i < run.second; ++i) {
                line->append(series.x[i], series.y[i]);
                if (series.filled) {
                    base->append(series.x[i], 0);
                    top->append(series.x[i], series.y[i]);
                }
                if (banded && std::isfinite(series.low[i]) && std::isfinite(series.high[i])) {
                    low->append(series.x[i], series.low[i]);
                    high->append(series.x[i], series.high[i]);
                }
            }
            if (series.filled)
                area(top, base, withAlpha(p.colour(series.ink), 1.4 * p.bandOpacity * series.opacity));
            if (low->count() > 1)
                area(high, low, withAlpha(p.colour(series.ink), p.bandOpacity * series.opacity));
            for (QLineSeries* unused : { low, high, base, top })
                if (!unused->parent())
                    delete unused;
            QPen pen(colour, p.lineWidth, Qt::SolidLine, Qt::FlatCap, Qt::RoundJoin);
            if (series.stroke == Series::Stroke::Dashed)
                pen.setDashPattern({ 4, 3 });
            else if (series.stroke == Series::Stroke::Dotted)
                pen.setDashPattern({ 1.5, 2.5 });
            line->setPen(pen);
            attach(line);
        }
    }
    viewport()->update();
}

void SeriesView::restyle()
{
    ChartView::restyle();
    rescale();
    rebuild();
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
        const auto parts = runs(series);
        if (!parts.empty())
            add(series.label, p.textColour(series.ink), series.y[parts.back().second - 1]);
    }
    for (const ReferenceLine& reference : m_lines)
        if (reference.orientation == Qt::Horizontal && !reference.label.isEmpty())
            add(reference.label, p.textColour(reference.ink), reference.at);
    std::stable_sort(labels.begin(), labels.end(), [](const EndLabel& a, const EndLabel& b) { return a.y < b.y; });
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
                drawHaloText(painter, { left, area.top() + metrics.ascent() }, reference.label, small,
                    p.textColour(reference.ink));
            }
        }
    }
    for (const Series& series : std::as_const(m_series)) {
        const QColor colour = p.colour(series.ink);
        const bool whiskers = hasInterval(series) && series.interval == Series::Interval::Whiskers;
        for (std::size_t i = 0; i < sampleCount(series); ++i) {
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
        if (series.labelAt == Series::LabelAt::Peak && !series.label.isEmpty() && sampleCount(series) > 0) {
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
                const double distance = toWidget({ other.x[std::min(j, other.x.size() - 1)], 0 }).x() - at.x();
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
        painter.drawText(QRectF(area.right() + p.px(6), label.y - label.height / 2,
                             viewport()->width() - area.right() - p.px(6), label.height),
            Qt::AlignLeft | Qt::AlignVCenter, label.text);
    }
}

double SeriesView::snapped(double x) const
{
    x = std::clamp(x, windowX().low, windowX().high);
    if (!m_snaps || m_series.isEmpty() || m_series[0].x.empty())
        return x;
    const std::vector<double>& places = m_series[0].x;
    return *std::min_element(places.begin(), places.end(),
        [x](double a, double b) { return std::abs(a - x) < std::abs(b - x); });
}

void SeriesView::moveMarker(double x, bool released)
{
    const double place = snapped(x);
    if (m_marker != place) {
        m_marker = place;
        viewport()->update();
        Q_EMIT markerMoved(place);
    }
    if (released)
        Q_EMIT markerReleased(place);
}

void SeriesView::mousePressEvent(QMouseEvent* event)
{
    if (event->button() != Qt::LeftButton || !plotArea().adjusted(-8, 0, 8, 0).contains(event->position())) {
        event->ignore();
        return;
    }
    if (!m_marker) {
        Q_EMIT clicked(toData(event->position()).x());
        return;
    }
    if (!m_movable)
        return;
    // A press anywhere brings the marker there: no need to hit a line.
    m_dragging = true;
    moveMarker(toData(event->position()).x(), false);
}

void SeriesView::mouseMoveEvent(QMouseEvent* event)
{
    if (m_dragging) {
        moveMarker(toData(event->position()).x(), false);
        return;
    }
    const bool near = m_marker && m_movable
        && std::abs(toWidget({ *m_marker, 0 }).x() - event->position().x()) < look().px(grabWidth);
    viewport()->setCursor(near ? Qt::SplitHCursor : Qt::ArrowCursor);
}

void SeriesView::mouseReleaseEvent(QMouseEvent* event)
{
    if (!m_dragging || event->button() != Qt::LeftButton)
        return;
    m_dragging = false;
    moveMarker(toData(event->position()).x(), true);
}

void SeriesView::keyPressEvent(QKeyEvent* event)
{
    if (!m_marker || !m_movable)
        return ChartView::keyPressEvent(event);
    const auto move = [this](int steps) {
        if (m_snaps && !m_series.isEmpty() && !m_series[0].x.empty()) {
            const std::vector<double>& places = m_series[0].x;
            const auto at = std::lower_bound(places.begin(), places.end(), *m_marker) - places.begin();
            const auto last = static_cast<std::ptrdiff_t>(places.size()) - 1;
            moveMarker(places[static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(at + steps, 0, last))], true);
        } else {
            moveMarker(*m_marker + steps * (windowX().high - windowX().low) / keySteps, true);
        }
    };
    switch (event->key()) {
    case Qt::Key_Left:
        return move(-1);
    case Qt::Key_Right:
        return move(1);
    case Qt::Key_PageDown:
        return move(-10);
    case Qt::Key_PageUp:
        return move(10);
    case Qt::Key_Home:
        return moveMarker(windowX().low, true);
    case Qt::Key_End:
        return moveMarker(windowX().high, true);
    default:
        return ChartView::keyPressEvent(event);
    }
}

QString SeriesView::csv() const
{
    QString text = QStringLiteral("series,x,y,low,high\n");
    for (const Series& series : m_series) {
        QString name = QString(series.label).replace(QLatin1Char('\n'), QLatin1Char(' '));
        name.replace(QLatin1String("\""), QLatin1String("\"\""));
        for (std::size_t i = 0; i < sampleCount(series); ++i) {
            const bool interval = hasInterval(series);
            text += QLatin1Char('"') + name + QLatin1String("\",") + figure(series.x[i]) + QLatin1Char(',')
                + figure(series.y[i]) + QLatin1Char(',') + (interval ? figure(series.low[i]) : QString())
                + QLatin1Char(',') + (interval ? figure(series.high[i]) : QString()) + QLatin1Char('\n');
        }
    }
    return text;
}

} // namespace lodestone::ui
