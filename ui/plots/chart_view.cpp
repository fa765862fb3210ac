#include "ui/plots/chart_view.h"

#include "ui/plots/theme.h"

#include <QCategoryAxis>
#include <QChart>
#include <QFocusEvent>
#include <QFontMetricsF>
#include <QGraphicsLayout>
#include <QKeyEvent>
#include <QLegend>
#include <QPainterPath>
#include <cmath>

namespace lodestone::ui {

namespace {

bool valid(plot::Range range)
{
    return std::isfinite(range.low) && std::isfinite(range.high) && range.low < range.high;
}

QString tickText(const AxisSpec& axis, double value, int decimals)
{
    return axis.label ? axis.label(value) : number(value, decimals);
}

} // namespace

ChartView::ChartView(Theme& theme, QWidget* parent)
    : QChartView(parent)
    , m_theme(theme)
    , m_axisX(new QCategoryAxis)
    , m_axisY(new QCategoryAxis)
{
    auto* frame = new QChart;
    frame->legend()->hide();
    frame->setBackgroundVisible(false);
    frame->setPlotAreaBackgroundVisible(false);
    frame->setMargins({});
    frame->layout()->setContentsMargins(0, 0, 0, 0);
    frame->setAnimationOptions(QChart::NoAnimation);
    // The chart would otherwise push its own smallest size on the window.
    frame->setMinimumSize(0, 0);
    QChart* old = chart();
    setChart(frame);
    delete old;
    frame->addAxis(m_axisX, Qt::AlignBottom);
    frame->addAxis(m_axisY, Qt::AlignLeft);
    for (QCategoryAxis* axis : { m_axisX, m_axisY })
        axis->setLabelsPosition(QCategoryAxis::AxisLabelsPositionOnValue);
    setFrameShape(QFrame::NoFrame);
    setRenderHints(QPainter::Antialiasing | QPainter::TextAntialiasing);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setViewportUpdateMode(QGraphicsView::FullViewportUpdate);
    setMouseTracking(true);
    viewport()->setMouseTracking(true);
    setFocusPolicy(Qt::StrongFocus);
    connect(&m_theme, &Theme::changed, this, [this] { restyle(); });
    ChartView::restyle();
}

ChartView::~ChartView() = default;

const Palette& ChartView::look() const { return m_theme.palette(); }

QColor ChartView::surfaceColour() const
{
    return m_surface == Surface::Ground ? look().ground : look().panel;
}

void ChartView::setSurface(Surface surface)
{
    m_surface = surface;
    setBackgroundBrush(surfaceColour());
}

void ChartView::setAxes(AxisSpec x, AxisSpec y)
{
    m_x = std::move(x);
    m_y = std::move(y);
    ChartView::restyle();
}

void ChartView::setWindow(plot::Range x, plot::Range y)
{
    if (!valid(x) || !valid(y))
        return;
    m_windowX = x;
    m_windowY = y;
    applyTicks();
    if (leftMargin() != m_left) // the numbers have more or fewer digits
        relayout();
    viewport()->update();
    Q_EMIT windowChanged();
}

void ChartView::setExtraMargins(const QMarginsF& margins)
{
    if (m_extra == margins)
        return;
    m_extra = margins;
    relayout();
}

void ChartView::restyle()
{
    const Palette& p = look();
    setBackgroundBrush(surfaceColour());
    QPen axisPen(p.axis, 1);
    axisPen.setCosmetic(true);
    for (QCategoryAxis* axis : { m_axisX, m_axisY }) {
        const AxisSpec& spec = axis == m_axisX ? m_x : m_y;
        axis->setLinePen(axisPen);
        axis->setLineVisible(spec.visible);
        axis->setGridLinePen(QPen(p.grid, 1));
        axis->setGridLineVisible(spec.visible);
        axis->setLabelsVisible(spec.visible);
        axis->setLabelsFont(m_theme.font(p.fontSmall));
        axis->setLabelsColor(p.secondary);
        axis->setTitleFont(m_theme.font(p.fontSecondary));
        axis->setTitleBrush(p.secondary);
        axis->setTitleText(spec.title);
        axis->setTitleVisible(!spec.title.isEmpty());
    }
    relayout();
    applyTicks();
}

int ChartView::verticalTicks() const
{
    // Qt Charts shares the height out among all labels and the two ends, with a gap of 4 above and below
    // each, and writes "..." for a label that is higher than its share.
    const double share = QFontMetricsF(m_theme.font(look().fontSmall)).height() + 2 * 4 + 1;
    const auto most = static_cast<std::size_t>(std::max(2.0, m_plotArea.height() / share - 2));
    int target = m_y.ticks;
    while (target > 1 && plot::niceTicks(m_windowY.low, m_windowY.high, target).values.size() > most)
        --target;
    return target;
}

int ChartView::horizontalTicks() const
{
    const double number
        = QFontMetricsF(m_theme.font(look().fontSmall)).horizontalAdvance(QStringLiteral("−0.00 "));
    return std::clamp(static_cast<int>(m_plotArea.width() / (1.3 * number)), 2, std::max(2, m_x.ticks));
}

double ChartView::leftMargin() const
{
    const Palette& p = look();
    double labelWidth = 0;
    if (m_y.visible) {
        const QFontMetricsF small(m_theme.font(p.fontSmall));
        const plot::Ticks ticks = plot::niceTicks(m_windowY.low, m_windowY.high, verticalTicks());
        for (const double value : ticks.values)
            labelWidth = std::max(labelWidth, small.horizontalAdvance(tickText(m_y, value, ticks.decimals)));
        labelWidth += p.px(14);
    }
    const double title
        = m_y.title.isEmpty() ? 0 : QFontMetricsF(m_theme.font(p.fontSecondary)).height() + p.px(2);
    return std::max(p.px(8), labelWidth + title);
}

void ChartView::relayout()
{
    const Palette& p = look();
    const QFontMetricsF small(m_theme.font(p.fontSmall));
    const QFontMetricsF secondary(m_theme.font(p.fontSecondary));
    m_left = leftMargin();
    const double bottom = std::max(
        p.px(8),
        (m_x.visible ? small.height() + p.px(12) : p.px(4))
            + (m_x.title.isEmpty() ? 0 : secondary.height() + p.px(8)));
    const QRectF whole(QPointF(0, 0), QSizeF(viewport()->size()));
    // Half a label may stand out at the right and above.
    m_plotArea = whole.adjusted(
        m_left + m_extra.left(), p.px(8) + m_extra.top(), -p.px(12) - m_extra.right(),
        -bottom - m_extra.bottom());
    // On whole pixels the axis lines stay sharp.
    m_plotArea = QRectF(m_plotArea.toRect());
    if (m_plotArea.width() < 1 || m_plotArea.height() < 1)
        m_plotArea.setSize({ std::max(1.0, m_plotArea.width()), std::max(1.0, m_plotArea.height()) });
    chart()->setPlotArea(m_plotArea);
    // Another size has room for other ticks, and these may have other digits.
    if (m_ticks != std::pair(horizontalTicks(), verticalTicks()))
        applyTicks();
    if (const double left = leftMargin(); left != m_left) {
        m_plotArea.setLeft(std::round(m_plotArea.left() + left - m_left));
        m_left = left;
        chart()->setPlotArea(m_plotArea);
    }
    // Qt Charts gives the axes their places only when its layout runs again.
    chart()->layout()->invalidate();
    chart()->layout()->activate();
    viewport()->update();
}

void ChartView::applyTicks()
{
    m_ticks = { horizontalTicks(), verticalTicks() };
    for (QCategoryAxis* axis : { m_axisX, m_axisY }) {
        const AxisSpec& spec = axis == m_axisX ? m_x : m_y;
        const plot::Range window = axis == m_axisX ? m_windowX : m_windowY;
        const int target = axis == m_axisX ? m_ticks.first : m_ticks.second;
        const plot::Ticks ticks = plot::niceTicks(window.low, window.high, target);
        // Nothing is drawn between the removal and the last new label: one layout, not one per label.
        const QSignalBlocker quiet(axis);
        const QStringList old = axis->categoriesLabels();
        for (const QString& label : old)
            axis->remove(label);
        // Categories lie between their ends; the first must start below the first tick.
        axis->setStartValue(window.low - (window.high - window.low));
        for (const double value : ticks.values)
            axis->append(tickText(spec, value, ticks.decimals), value);
    }
    Q_EMIT m_axisX->categoriesChanged();
    Q_EMIT m_axisY->categoriesChanged();
    m_axisX->setRange(m_windowX.low, m_windowX.high);
    m_axisY->setRange(m_windowY.low, m_windowY.high);
}

QPointF ChartView::toWidget(QPointF value) const
{
    return { m_plotArea.left()
                 + (value.x() - m_windowX.low) / (m_windowX.high - m_windowX.low) * m_plotArea.width(),
             m_plotArea.bottom()
                 - (value.y() - m_windowY.low) / (m_windowY.high - m_windowY.low) * m_plotArea.height() };
}

QPointF ChartView::toData(QPointF widget) const
{
    return { m_windowX.low
                 + (widget.x() - m_plotArea.left()) / m_plotArea.width() * (m_windowX.high - m_windowX.low),
             m_windowY.low
                 + (m_plotArea.bottom() - widget.y()) / m_plotArea.height()
                     * (m_windowY.high - m_windowY.low) };
}

QImage ChartView::image(double scale)
{
    QImage result((QSizeF(viewport()->size()) * scale).toSize(), QImage::Format_ARGB32_Premultiplied);
    result.setDevicePixelRatio(scale);
    result.fill(surfaceColour());
    QPainter painter(&result);
    painter.setRenderHints(renderHints());
    render(&painter, QRectF(QPointF(0, 0), QSizeF(viewport()->size())), viewport()->rect());
    return result;
}

QSize ChartView::sizeHint() const { return { look().ipx(360), look().ipx(240) }; }
QSize ChartView::minimumSizeHint() const { return { look().ipx(160), look().ipx(96) }; }

void ChartView::paintOver(QPainter&) { }

void ChartView::resizeEvent(QResizeEvent* event)
{
    QChartView::resizeEvent(event);
    setSceneRect(QRectF(QPointF(0, 0), QSizeF(viewport()->size())));
    relayout();
    Q_EMIT windowChanged();
}

void ChartView::drawForeground(QPainter* painter, const QRectF&)
{
    painter->save();
    // Qt Charts closes the grid with a line at the end of each range: a frame, where none is wanted.
    painter->setRenderHint(QPainter::Antialiasing, false);
    painter->fillRect(
        QRectF(m_plotArea.left() + 1, m_plotArea.top() - 1, m_plotArea.width() + 1, 2), surfaceColour());
    painter->fillRect(
        QRectF(m_plotArea.right() - 1, m_plotArea.top() - 1, 2, m_plotArea.height()), surfaceColour());
    painter->setRenderHint(QPainter::Antialiasing);
    paintOver(*painter);
    if (m_focusVisible && hasFocus()) {
        painter->setPen(QPen(look().accent, look().px(2)));
        painter->setBrush(Qt::NoBrush);
        const double inset = look().px(1);
        painter->drawRoundedRect(
            QRectF(viewport()->rect()).adjusted(inset, inset, -inset, -inset), look().radiusControl,
            look().radiusControl);
    }
    painter->restore();
}

void ChartView::focusInEvent(QFocusEvent* event)
{
    m_focusVisible = event->reason() == Qt::TabFocusReason || event->reason() == Qt::BacktabFocusReason
        || event->reason() == Qt::ShortcutFocusReason;
    QChartView::focusInEvent(event);
    viewport()->update();
}

void ChartView::focusOutEvent(QFocusEvent* event)
{
    m_focusVisible = false;
    QChartView::focusOutEvent(event);
    viewport()->update();
}

void ChartView::keyPressEvent(QKeyEvent* event)
{
    // QGraphicsView would scroll; what no chart uses belongs to the window.
    event->ignore();
}

void ChartView::drawHaloText(
    QPainter& painter, QPointF at, const QString& text, const QFont& font, const QColor& colour) const
{
    QPainterPath outline;
    outline.addText(at, font, text);
    painter.setPen(
        QPen(withAlpha(surfaceColour(), 0.9), look().px(4), Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
    painter.setBrush(Qt::NoBrush);
    painter.drawPath(outline);
    painter.setFont(font);
    painter.setPen(colour);
    painter.drawText(at, text);
}

} // namespace lodestone::ui
