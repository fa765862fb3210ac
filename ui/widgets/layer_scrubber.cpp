#include "ui/widgets/layer_scrubber.h"

#include "ui/plots/theme.h"

#include <QFontMetricsF>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QPainterPath>
#include <QWheelEvent>
#include <algorithm>
#include <cmath>

namespace lodestone::ui {

LayerScrubber::LayerScrubber(Theme& theme, QWidget* parent)
    : ValueControl(theme, parent)
    , m_caption(tr("accuracy by layer, held out"))
{
    setFocusPolicy(Qt::StrongFocus);
    setCursor(Qt::SplitHCursor);
    setAccessibleName(tr("Layer"));
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    setEnabled(false);
}

LayerScrubber::~LayerScrubber() = default;

void LayerScrubber::setCurve(
    std::vector<double> accuracy, std::vector<double> low, std::vector<double> high, QStringList labels)
{
    m_accuracy = std::move(accuracy);
    const bool banded = low.size() == m_accuracy.size() && high.size() == m_accuracy.size();
    m_low = banded ? std::move(low) : std::vector<double>();
    m_high = banded ? std::move(high) : std::vector<double>();
    m_labels = std::move(labels);
    m_wordsScale = 0;
    double bottom = 0.5;
    double top = 0.5;
    for (const std::vector<double>* values : { &m_accuracy, &m_low, &m_high }) {
        for (const double value : *values) {
            if (!std::isfinite(value))
                continue;
            bottom = std::min(bottom, value);
            top = std::max(top, value);
        }
    }
    m_bottom = bottom - 0.02;
    m_top = std::max(top, bottom + 0.1) + 0.02;
    m_row = std::clamp(m_row, 0, std::max(0, layerCount() - 1));
    setEnabled(!m_accuracy.empty());
    updateGeometry();
    announce();
}

void LayerScrubber::setCaption(const QString& caption)
{
    m_caption = caption;
    m_wordsScale = 0;
    updateGeometry();
    update();
}

void LayerScrubber::setLayerRow(int row)
{
    row = std::clamp(row, 0, std::max(0, layerCount() - 1));
    if (row == m_row)
        return;
    m_row = row;
    announce();
}

void LayerScrubber::setByUser(double number)
{
    if (m_accuracy.empty() || !std::isfinite(number))
        return;
    const int row = static_cast<int>(std::lround(std::clamp(number, 0.0, largest())));
    if (row == m_row)
        return;
    m_row = row;
    announce();
    Q_EMIT layerRowChanged(row);
}

QString LayerScrubber::label() const
{
    return m_row < m_labels.size() ? m_labels[m_row] : m_accuracy.empty() ? tr("no layers yet") : QString();
}

QString LayerScrubber::spoken() const
{
    if (m_accuracy.empty())
        return label();
    const double value = m_accuracy[static_cast<std::size_t>(m_row)];
    return std::isfinite(value) ? tr("%1, accuracy %2 %").arg(label()).arg(std::lround(100 * value))
                                : label();
}

QRectF LayerScrubber::curveRect() const
{
    const Palette& p = look();
    if (m_wordsScale != p.px(1)) { // every point asks where it lies; the words are measured once
        const QFontMetricsF text(theme().font(p.fontSecondary, QFont::Medium));
        const QFontMetricsF small(theme().font(p.fontSmall));
        m_words = small.horizontalAdvance(m_caption);
        for (const QString& name : m_labels)
            m_words = std::max(m_words, text.horizontalAdvance(name));
        m_wordsScale = p.px(1);
    }
    const double left = std::min(std::ceil(m_words) + p.px(20), width() * 0.6);
    return QRectF(rect()).adjusted(left, p.px(7), -p.px(8), -p.px(7));
}

QPointF LayerScrubber::place(int row, double accuracy) const
{
    const QRectF area = curveRect();
    const double last = std::max(1, layerCount() - 1);
    return { area.left() + area.width() * row / last,
             area.bottom() - area.height() * (accuracy - m_bottom) / (m_top - m_bottom) };
}

QPoint LayerScrubber::positionOf(int row) const
{
    return QPointF(place(row, m_bottom).x(), curveRect().center().y()).toPoint();
}

int LayerScrubber::rowAt(double x) const
{
    const QRectF area = curveRect();
    return static_cast<int>(std::lround((x - area.left()) / area.width() * (layerCount() - 1)));
}

void LayerScrubber::paintEvent(QPaintEvent*)
{
    const Palette& p = look();
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const QRectF area = curveRect();
    const QFont nameFont = theme().font(p.fontSecondary, QFont::Medium);
    const QFont smallFont = theme().font(p.fontSmall);
    const QFontMetricsF nameMetrics(nameFont);
    const QFontMetricsF smallMetrics(smallFont);
    const double words = area.left() - p.px(20);
    const double block = nameMetrics.height() + smallMetrics.height() + p.px(1);
    const double top = (height() - block) / 2;
    painter.setFont(nameFont);
    painter.setPen(isEnabled() ? p.text : p.faint);
    painter.drawText(
        QRectF(p.px(4), top, words, nameMetrics.height()), Qt::AlignRight | Qt::AlignVCenter,
        nameMetrics.elidedText(label(), Qt::ElideRight, words));
    painter.setFont(smallFont);
    painter.setPen(p.faint);
    painter.drawText(
        QRectF(p.px(4), top + nameMetrics.height() + p.px(1), words, smallMetrics.height()),
        Qt::AlignRight | Qt::AlignVCenter, smallMetrics.elidedText(m_caption, Qt::ElideRight, words));

    // Chance level: what a curve near it would mean.
    QPen chance(p.line, 1);
    painter.setPen(chance);
    const double half = std::round(place(0, 0.5).y()) + 0.5;
    painter.drawLine(QPointF(area.left(), half), QPointF(area.right(), half));

    QPainterPath curve;
    bool open = false;
    QPolygonF upper;
    QPolygonF lower;
    const auto flush = [&] {
        if (upper.size() > 1) {
            QPolygonF band = upper;
            for (auto i = lower.size(); i-- > 0;)
                band << lower[i];
            painter.setPen(Qt::NoPen);
            painter.setBrush(withAlpha(p.accent, p.bandOpacity));
            painter.drawPolygon(band);
        }
        upper.clear();
        lower.clear();
        open = false;
    };
    for (int row = 0; row < layerCount(); ++row) {
        const auto i = static_cast<std::size_t>(row);
        if (!std::isfinite(m_accuracy[i])) {
            flush();
            continue;
        }
        const QPointF at = place(row, m_accuracy[i]);
        if (open)
            curve.lineTo(at);
        else
            curve.moveTo(at);
        open = true;
        if (!m_low.empty() && std::isfinite(m_low[i]) && std::isfinite(m_high[i])) {
            upper << place(row, m_high[i]);
            lower << place(row, m_low[i]);
        }
    }
    flush();
    painter.setBrush(Qt::NoBrush);
    painter.setPen(QPen(p.accent, p.px(2), Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
    painter.drawPath(curve);
    if (layerCount() > 0) {
        const double value = m_accuracy[static_cast<std::size_t>(m_row)];
        const QPointF at = place(m_row, std::isfinite(value) ? value : 0.5);
        painter.setPen(QPen(p.secondary, p.px(1.5)));
        painter.drawLine(QPointF(at.x(), p.px(4)), QPointF(at.x(), height() - p.px(4)));
        painter.setPen(QPen(p.panel, p.px(1.5)));
        painter.setBrush(p.accent);
        const double radius = p.px(pointerInside() ? 6 : 5);
        painter.drawEllipse(at, radius, radius);
    }
    const double inset = p.px(1);
    drawFocusRing(painter, QRectF(rect()).adjusted(inset, inset, -inset, -inset), p.radiusControl);
}

void LayerScrubber::mousePressEvent(QMouseEvent* event)
{
    if (event->button() != Qt::LeftButton)
        return event->ignore();
    setByUser(rowAt(event->position().x()));
}

void LayerScrubber::mouseMoveEvent(QMouseEvent* event)
{
    if (event->buttons().testFlag(Qt::LeftButton))
        setByUser(rowAt(event->position().x()));
}

void LayerScrubber::wheelEvent(QWheelEvent* event)
{
    m_wheel += event->angleDelta().y();
    const int steps = m_wheel / 120;
    m_wheel -= steps * 120;
    if (steps != 0)
        setByUser(m_row + steps);
    event->accept();
}

void LayerScrubber::keyPressEvent(QKeyEvent* event)
{
    switch (event->key()) {
    case Qt::Key_Left:
    case Qt::Key_Down:
        setByUser(m_row - 1);
        break;
    case Qt::Key_Right:
    case Qt::Key_Up:
        setByUser(m_row + 1);
        break;
    case Qt::Key_PageDown:
        setByUser(m_row - 4);
        break;
    case Qt::Key_PageUp:
        setByUser(m_row + 4);
        break;
    case Qt::Key_Home:
        setByUser(0);
        break;
    case Qt::Key_End:
        setByUser(layerCount() - 1);
        break;
    default:
        return Control::keyPressEvent(event);
    }
    Control::keyPressEvent(event);
    event->accept();
}

QSize LayerScrubber::sizeHint() const { return { look().ipx(440), look().ipx(40) }; }
QSize LayerScrubber::minimumSizeHint() const { return { look().ipx(280), look().ipx(40) }; }

} // namespace lodestone::ui
