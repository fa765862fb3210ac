#include "ui/plots/scatter_view.h"

#include "core/plot/histogram.h"
#include "ui/plots/theme.h"

#include <QApplication>
#include <QFontMetricsF>
#include <QPainterPath>
#include <QVariantAnimation>
#include <algorithm>
#include <cmath>
#include <limits>

namespace lodestone::ui {

namespace {

    constexpr double topStrip = 28; // histogram above, with its gap
    constexpr double rightStrip = 52;
    constexpr double stripGap = 4;
    constexpr double topBin = 18; // width of a bar
    constexpr double rightBin = 11;

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

    QString quoted(QString field)
    {
        if (!field.contains(QLatin1Char(',')) && !field.contains(QLatin1Char('"')) && !field.contains(QLatin1Char('\n')))
            return field;
        field.replace(QLatin1String("\""), QLatin1String("\"\""));
        return QLatin1Char('"') + field + QLatin1Char('"');
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

void ScatterView::setData(std::vector<double> x, std::vector<double> y, std::vector<int> classIndex,
    QVector<PointClass> classes, bool keepWindow)
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
    connect(m_animation, &QVariantAnimation::valueChanged, this,
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
    return index().nearest({ at.x(), at.y() }, radius / plotArea().width() * (windowX().high - windowX().low),
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
    const double unit = std::max((x.high - x.low) / plotArea().width(), (y.high - y.low) / plotArea().height());
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
        return plot::Range { about + (range.low - about) / factor, about + (range.high - about) / factor };
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

void ScatterView::paintOver(QPainter& painter)
{
    m_paintRatio = painter.device()->devicePixelRatioF();
    updateLayer();
    painter.save();
    painter.setClipRect(plotArea().adjusted(0, 0, 1, 1));
    painter.drawImage(plotArea().topLeft(), m_layer.image());
    paintArrows(painter);
    paintRings(painter);
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
        const double height = p.px((top ? topStrip : rightStrip) - stripGap - (top ? 2 : 8));
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
                    painter.drawRect(QRectF(area.right() + 2 * gap, area.bottom() - from - size, thick, size));
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
        QPolygonF cone { origin };
        const int steps = 16;
        for (int i = 0; i <= steps; ++i) {
            const double angle = arrow.coneDegrees * (2.0 * i / steps - 1) * M_PI / 180;
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
        const QPolygonF point { tip, tip - unit * head + side * p.px(4), tip - unit * head - side * p.px(4) };
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
        painter.setPen(QPen(withAlpha(surfaceColour(), 0.85), p.arrowWidth + p.px(3), Qt::SolidLine, Qt::RoundCap));
        painter.drawLine(shaft);
        painter.setPen(QPen(withAlpha(surfaceColour(), 0.85), p.px(3), Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
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
        const QPointF places[] = { { dx, -height / 2 }, { dx, dy }, { -width / 2, dy }, { gap, -height / 2 },
            { -gap - width, -height / 2 }, { -width / 2, -gap / 2 - height }, { -width / 2, gap / 2 },
            { dx, -2 * height }, { dx, height } };
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
        drawHaloText(painter, { place.left(), place.top() + metrics.ascent() }, arrow.label, font,
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
    setAccessibleDescription(tr("%1 points: %2. Across: %3. Up: %4.")
                                 .arg(pointCount())
                                 .arg(parts.join(QLatin1String(", ")), xAxis().title, yAxis().title));
}

QString ScatterView::csv(const QStringList& labels) const
{
    QString text = labels.isEmpty() ? QStringLiteral("index,class,x,y\n") : QStringLiteral("index,class,x,y,label\n");
    for (int i = 0; i < pointCount(); ++i) {
        const auto at = static_cast<std::size_t>(i);
        const int c = m_class.empty() ? 0 : m_class[at];
        const QString name = c >= 0 && c < m_classes.size() ? m_classes[c].name : QString();
        text += QString::number(i) + QLatin1Char(',') + quoted(name) + QLatin1Char(',')
            + QString::number(m_x[at], 'g', 9) + QLatin1Char(',') + QString::number(m_y[at], 'g', 9);
        if (!labels.isEmpty())
            text += QLatin1Char(',') + quoted(labels.value(i));
        text += QLatin1Char('\n');
    }
    return text;
}

} // namespace lodestone::ui
