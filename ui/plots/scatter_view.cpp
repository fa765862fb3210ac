#include "ui/plots/scatter_view.h"

#include "ui/plots/csv.h"
#include "ui/plots/theme.h"

#include <QApplication>
#include <QVariantAnimation>
#include <algorithm>
#include <cmath>
#include <limits>

namespace lodestone::ui {

namespace {

constexpr double topStrip = 28; // histogram above, with its gap
constexpr double rightStrip = 52;

plot::Range finiteRange(const std::vector<double>& values, plot::Range start)
{
    for (const double value : values) {
        if (!std::isfinite(value))
            continue;
        start.low = std::min(start.low, value);
        start.high = std::max(start.high, value);
    }
    return start;
}

} // namespace

ScatterView::ScatterView(Theme& theme, QWidget* parent)
    : ChartView(theme, parent)
    , m_animation(new QVariantAnimation(this))
{
    setAccessibleName(tr("Projection of the replies"));
    m_animation->setStartValue(0.0);
    m_animation->setEndValue(1.0);
    setMarginals(true);
    setAxes({}, {});
    setWindow({ -1, 1 }, { -1, 1 });
    describe();
}

ScatterView::~ScatterView() = default;

void ScatterView::setData(
    std::vector<double> x, std::vector<double> y, std::vector<int> classIndex, QVector<PointClass> classes,
    bool keepWindow)
{
    m_animation->stop();
    std::size_t count = std::min(x.size(), y.size());
    if (!classIndex.empty()) {
        count = std::min(count, classIndex.size());
        classIndex.resize(count);
    }
    x.resize(count);
    y.resize(count);
    m_x = std::move(x);
    m_y = std::move(y);
    m_class = std::move(classIndex);
    m_classes = std::move(classes);
    if (m_classes.isEmpty())
        m_classes.append({ tr("points"), Ink::accent(), Marker::Circle });
    const auto outside = [this](int point) { return point >= pointCount(); };
    if (!m_scales.empty() && m_scales.size() != count)
        m_scales.clear();
    m_selection.erase(std::remove_if(m_selection.begin(), m_selection.end(), outside), m_selection.end());
    if (outside(m_hovered))
        m_hovered = -1;
    if (outside(m_pinned))
        m_pinned = -1;
    if (outside(m_focus))
        m_focus = -1;
    if (m_pair && (outside(m_pair->first) || outside(m_pair->second)))
        m_pair.reset();
    invalidate();
    if (!keepWindow)
        fit();
    describe();
}

bool ScatterView::setCoordinates(std::vector<double> x, std::vector<double> y, Motion motion)
{
    if (x.size() != m_x.size() || y.size() != m_y.size())
        return false;
    m_animation->stop();
    if (motion == Motion::None || theme().animationMs() == 0) {
        m_x = std::move(x);
        m_y = std::move(y);
        invalidate();
        return true;
    }
    m_animation->disconnect(this);
    connect(
        m_animation, &QVariantAnimation::valueChanged, this,
        [this, fromX = m_x, fromY = m_y, toX = std::move(x), toY = std::move(y)](const QVariant& now) {
            const double t = now.toDouble();
            const double eased = t * t * (3 - 2 * t);
            const auto between = [eased](double a, double b) { return a + (b - a) * eased; };
            for (std::size_t i = 0; i < m_x.size() && i < toX.size(); ++i) {
                // The last step lands on the numbers themselves, not on their interpolation.
                m_x[i] = t >= 1 ? toX[i] : between(fromX[i], toX[i]);
                m_y[i] = t >= 1 ? toY[i] : between(fromY[i], toY[i]);
            }
            invalidate();
        });
    m_animation->setDuration(theme().animationMs());
    m_animation->start();
    return true;
}

void ScatterView::setClasses(std::vector<int> classIndex, QVector<PointClass> classes)
{
    classIndex.resize(m_x.size(), 0);
    m_class = std::move(classIndex);
    m_classes = std::move(classes);
    invalidate();
    describe();
}

void ScatterView::setPointScales(std::vector<float> scales)
{
    if (!scales.empty())
        scales.resize(m_x.size(), 1.0f);
    m_scales = std::move(scales);
    invalidate();
}

void ScatterView::setArrows(QVector<PlotArrow> arrows)
{
    m_arrows = std::move(arrows);
    viewport()->update();
}

void ScatterView::setGuests(QVector<PlotGuest> guests)
{
    m_guests = std::move(guests);
    m_hoveredGuest = -1;
    describe();
    viewport()->update();
}

int ScatterView::guestAt(QPointF place) const
{
    for (int i = 0; i < m_guests.size(); ++i)
        if (QLineF(toWidget(m_guests[i].at), place).length() <= look().hoverRadius)
            return i;
    return -1;
}

void ScatterView::setPair(std::optional<std::pair<int, int>> pair)
{
    const auto known = [this](int point) { return point >= 0 && point < pointCount(); };
    m_pair = pair && known(pair->first) && known(pair->second) ? pair : std::nullopt;
    viewport()->update();
}

void ScatterView::setSelection(QVector<int> points)
{
    if (m_selection == points)
        return;
    m_selection = std::move(points);
    invalidate();
}

void ScatterView::setHovered(int point) { hover(point < pointCount() ? std::max(-1, point) : -1, false); }

void ScatterView::setPinned(int point)
{
    m_pinned = point < pointCount() ? std::max(-1, point) : -1;
    viewport()->update();
}

void ScatterView::setMarginals(bool on)
{
    m_marginals = on;
    setExtraMargins(on ? QMarginsF(0, look().px(topStrip), look().px(rightStrip), 0) : QMarginsF());
    invalidate();
}

void ScatterView::setSeed(quint64 seed)
{
    m_seed = seed;
    invalidate();
}

void ScatterView::setEqualUnits(bool on)
{
    m_equalUnits = on;
    if (m_fitted)
        fit();
}

int ScatterView::pointAt(QPoint place) const
{
    if (!plotArea().contains(place))
        return -1;
    const QPointF at = toData(place);
    const double radius = look().hoverRadius;
    return index().nearest(
        { at.x(), at.y() }, radius / plotArea().width() * (windowX().high - windowX().low),
        radius / plotArea().height() * (windowY().high - windowY().low));
}

QPoint ScatterView::positionOf(int point) const
{
    if (point < 0 || point >= pointCount())
        return {};
    const auto i = static_cast<std::size_t>(point);
    return toWidget({ m_x[i], m_y[i] }).toPoint();
}

bool ScatterView::showsDensity() const { return pointCount() > RasterLayer::densityThreshold; }

const plot::PointIndex& ScatterView::index() const
{
    if (m_indexStale) {
        m_index = plot::PointIndex(m_x, m_y);
        m_indexStale = false;
    }
    return m_index;
}

void ScatterView::invalidate()
{
    m_indexStale = true;
    m_layerStale = true;
    viewport()->update();
}

void ScatterView::fit()
{
    const double infinity = std::numeric_limits<double>::infinity();
    plot::Range x = finiteRange(m_x, { infinity, -infinity });
    plot::Range y = finiteRange(m_y, { infinity, -infinity });
    for (const PlotArrow& arrow : m_arrows) {
        x = finiteRange({ 0, arrow.tip.x() }, x);
        y = finiteRange({ 0, arrow.tip.y() }, y);
    }
    for (const PlotGuest& guest : m_guests) {
        x = finiteRange({ guest.at.x() }, x);
        y = finiteRange({ guest.at.y() }, y);
    }
    x = plot::padded(x.low, x.high, 0.06);
    y = plot::padded(y.low, y.high, 0.06);
    applyEqualUnits(x, y);
    m_layerStale = true;
    setWindow(x, y);
    m_fitted = true;
}

void ScatterView::applyEqualUnits(plot::Range& x, plot::Range& y) const
{
    if (!m_equalUnits)
        return;
    const double unit
        = std::max((x.high - x.low) / plotArea().width(), (y.high - y.low) / plotArea().height());
    const auto widen = [unit](plot::Range& range, double pixels) {
        const double margin = (unit * pixels - (range.high - range.low)) / 2;
        range.low -= margin;
        range.high += margin;
    };
    widen(x, plotArea().width());
    widen(y, plotArea().height());
}

void ScatterView::zoom(double factor, QPointF centre)
{
    if (!(factor > 0) || !std::isfinite(factor))
        return;
    const QPointF fixed = toData(centre);
    const auto shrunk = [factor](plot::Range range, double about) {
        return plot::Range{ about + (range.low - about) / factor, about + (range.high - about) / factor };
    };
    const plot::Range x = shrunk(windowX(), fixed.x());
    const plot::Range y = shrunk(windowY(), fixed.y());
    // Beyond twelve digits the axis could no longer tell its ticks apart.
    const double size = std::max({ std::abs(x.low), std::abs(x.high), 1e-12 });
    if ((x.high - x.low) < 1e-12 * size || (x.high - x.low) > 1e12)
        return;
    m_fitted = false;
    m_layerStale = true;
    setWindow(x, y);
}

void ScatterView::restyle()
{
    setExtraMargins(m_marginals ? QMarginsF(0, look().px(topStrip), look().px(rightStrip), 0) : QMarginsF());
    ChartView::restyle();
    m_layerStale = true;
}

void ScatterView::resizeEvent(QResizeEvent* event)
{
    ChartView::resizeEvent(event);
    m_layerStale = true;
    if (m_fitted && m_equalUnits)
        fit();
}

void ScatterView::describe()
{
    QStringList parts;
    std::vector<int> counts(static_cast<std::size_t>(m_classes.size()), 0);
    for (int i = 0; i < pointCount(); ++i) {
        const int c = m_class.empty() ? 0 : m_class[static_cast<std::size_t>(i)];
        if (c >= 0 && c < m_classes.size())
            ++counts[static_cast<std::size_t>(c)];
    }
    for (int c = 0; c < m_classes.size(); ++c)
        parts.append(tr("%1 %2").arg(counts[static_cast<std::size_t>(c)]).arg(m_classes[c].name));
    for (const PlotGuest& guest : m_guests)
        parts.append(tr("your reply %1").arg(guest.letter));
    setAccessibleDescription(tr("%1 points: %2. Across: %3. Up: %4.")
                                 .arg(pointCount())
                                 .arg(parts.join(QLatin1String(", ")), xAxis().title, yAxis().title));
}

QString ScatterView::csv(const QStringList& labels) const
{
    QString text
        = labels.isEmpty() ? QStringLiteral("index,class,x,y\n") : QStringLiteral("index,class,x,y,label\n");
    for (int i = 0; i < pointCount(); ++i) {
        const auto at = static_cast<std::size_t>(i);
        const int c = m_class.empty() ? 0 : m_class[at];
        const QString name = c >= 0 && c < m_classes.size() ? m_classes[c].name : QString();
        text += QString::number(i) + QLatin1Char(',') + csvField(name) + QLatin1Char(',') + csvField(m_x[at])
            + QLatin1Char(',') + csvField(m_y[at]);
        if (!labels.isEmpty())
            text += QLatin1Char(',') + csvField(labels.value(i));
        text += QLatin1Char('\n');
    }
    return text;
}

} // namespace lodestone::ui
