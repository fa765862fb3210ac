#include "ui/plots/series_view.h"

#include "ui/plots/csv.h"
#include "ui/plots/theme.h"

#include <QAreaSeries>
#include <QCategoryAxis>
#include <QChart>
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

} // namespace

bool Series::hasInterval() const
{
    return interval != Interval::None && low.size() >= count() && high.size() >= count();
}

std::vector<std::pair<std::size_t, std::size_t>> Series::runs() const
{
    std::vector<std::pair<std::size_t, std::size_t>> result;
    for (std::size_t i = 0; i < count();) {
        while (i < count() && !(std::isfinite(x[i]) && std::isfinite(y[i])))
            ++i;
        const std::size_t begin = i;
        while (i < count() && std::isfinite(x[i]) && std::isfinite(y[i]))
            ++i;
        if (i > begin)
            result.emplace_back(begin, i);
    }
    return result;
}

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
    const std::size_t count = series.count();
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
    plot::Range x{ std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity() };
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
        for (std::size_t i = 0; i < series.count(); ++i) {
            widen(x, series.x[i]);
            widen(y, series.y[i]);
            if (series.hasInterval()) {
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
            const std::size_t count = series.count();
            const QString name = QString(series.label).replace(QLatin1Char('\n'), QLatin1Char(' '));
            names.append(
                count == 0 ? name
                           : tr("%1 from %2 to %3")
                                 .arg(name, ui::number(series.y[0], 2), ui::number(series.y[count - 1], 2)));
        }
        return tr("%1. Across: %2. Up: %3.")
            .arg(names.join(QLatin1String("; ")), xAxis().title, yAxis().title);
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
        for (const auto& run : series.runs()) {
            auto* line = new QLineSeries;
            auto* low = new QLineSeries;
            auto* high = new QLineSeries;
            auto* base = new QLineSeries;
            auto* top = new QLineSeries;
            const bool banded = series.hasInterval() && series.interval == Series::Interval::Band;
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

double SeriesView::snapped(double x) const
{
    x = std::clamp(x, windowX().low, windowX().high);
    if (!m_snaps || m_series.isEmpty() || m_series[0].x.empty())
        return x;
    const std::vector<double>& places = m_series[0].x;
    return *std::min_element(
        places.begin(), places.end(), [x](double a, double b) { return std::abs(a - x) < std::abs(b - x); });
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
            moveMarker(
                places[static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(at + steps, 0, last))], true);
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
        const QString name = csvField(QString(series.label).replace(QLatin1Char('\n'), QLatin1Char(' ')));
        const bool interval = series.hasInterval();
        for (std::size_t i = 0; i < series.count(); ++i)
            text += name + QLatin1Char(',') + csvField(series.x[i]) + QLatin1Char(',') + csvField(series.y[i])
                + QLatin1Char(',') + (interval ? csvField(series.low[i]) : QString()) + QLatin1Char(',')
                + (interval ? csvField(series.high[i]) : QString()) + QLatin1Char('\n');
    }
    return text;
}

} // namespace lodestone::ui
