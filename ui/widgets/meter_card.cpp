#include "ui/widgets/meter_card.h"

#include "ui/plots/theme.h"

#include <QFontMetricsF>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>
#include <algorithm>
#include <cmath>

namespace lodestone::ui {

namespace {

constexpr double barHeight = 3;

} // namespace

MeterCard::MeterCard(Theme& theme, QWidget* parent)
    : Control(theme, parent)
    , m_value(QStringLiteral("–"))
{
    setFocusPolicy(Qt::TabFocus);
    setCursor(Qt::PointingHandCursor);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
}

MeterCard::~MeterCard() = default;

void MeterCard::setTitle(const QString& title)
{
    m_title = title;
    setAccessibleName(title);
    updateGeometry();
    update();
}

void MeterCard::setValueText(const QString& text)
{
    m_value = text.isEmpty() ? QStringLiteral("–") : text;
    describe();
    update();
}

void MeterCard::setScale(double low, double high)
{
    m_low = low;
    m_high = high;
    update();
}

void MeterCard::setFraction(std::optional<double> fraction)
{
    m_fraction = fraction && std::isfinite(*fraction) ? std::optional(std::clamp(*fraction, m_low, m_high))
                                                      : std::nullopt;
    update();
}

void MeterCard::setInterval(std::optional<std::pair<double, double>> interval)
{
    m_interval = interval;
    update();
}

void MeterCard::setNote(const QString& note)
{
    m_note = note;
    describe();
    update();
}

void MeterCard::setTone(Tone tone)
{
    m_tone = tone;
    update();
}

void MeterCard::setChecked(bool on)
{
    m_checked = on;
    update();
}

void MeterCard::describe()
{
    setAccessibleDescription(m_note.isEmpty() ? m_value : m_value + QLatin1String(", ") + m_note);
}

void MeterCard::paintEvent(QPaintEvent*)
{
    const Palette& p = look();
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const QRectF card = QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5);
    painter.setPen(QPen(m_checked ? p.accent : pointerInside() ? p.axis : p.line, 1));
    painter.setBrush(m_down ? p.control : p.panel);
    painter.drawRoundedRect(card, p.radiusCard, p.radiusCard);
    const QFont titleFont = theme().font(p.fontSmall, QFont::Medium);
    const QFont valueFont = theme().font(p.fontSentence, QFont::DemiBold);
    const QFont noteFont = theme().font(p.fontSmall);
    const double left = p.padCard;
    const double room = width() - 2.0 * p.padCard;
    double y = p.px(8);
    const auto line = [&](const QFont& font, const QColor& colour, const QString& text) {
        const QFontMetricsF metrics(font);
        painter.setFont(font);
        painter.setPen(colour);
        painter.drawText(
            QRectF(left, y, room, metrics.height()), Qt::AlignLeft | Qt::AlignVCenter,
            metrics.elidedText(text, Qt::ElideRight, room));
        y += metrics.height();
    };
    line(titleFont, p.secondary, m_title);
    y += p.px(1);
    line(valueFont, m_tone == Tone::Quiet ? p.faint : p.text, m_value);
    y += p.px(4);
    const QRectF bar(left, y, room, p.px(barHeight));
    painter.setPen(Qt::NoPen);
    painter.setBrush(p.control);
    painter.drawRoundedRect(bar, bar.height() / 2, bar.height() / 2);
    const auto positionOf = [&](double value) {
        return bar.left() + bar.width() * (std::clamp(value, m_low, m_high) - m_low) / (m_high - m_low);
    };
    const double zero = positionOf(0);
    if (m_fraction && *m_fraction != 0) {
        const double end = positionOf(*m_fraction);
        QRectF filled(QPointF(std::min(zero, end), bar.top()), QPointF(std::max(zero, end), bar.bottom()));
        if (filled.width() < bar.height())
            filled.setWidth(bar.height());
        painter.setBrush(
            m_tone == Tone::Quiet         ? p.axis
                : m_tone == Tone::Neutral ? p.accent
                                          : p.colour(m_tone));
        painter.drawRoundedRect(filled, bar.height() / 2, bar.height() / 2);
    }
    if (m_low < 0) { // where nothing is gained
        painter.setPen(QPen(p.secondary, p.px(1)));
        painter.drawLine(QPointF(zero, bar.top() - p.px(2)), QPointF(zero, bar.bottom() + p.px(2)));
    }
    if (m_interval && std::isfinite(m_interval->first) && std::isfinite(m_interval->second)) {
        const double low = positionOf(m_interval->first);
        const double high = positionOf(m_interval->second);
        const double middle = bar.center().y();
        painter.setPen(QPen(p.text, p.px(1)));
        painter.drawLine(QPointF(low, middle), QPointF(high, middle));
        for (const double end : { low, high })
            painter.drawLine(QPointF(end, middle - p.px(3)), QPointF(end, middle + p.px(3)));
    }
    y += p.px(barHeight + 4);
    line(noteFont, m_tone == Tone::Neutral || m_tone == Tone::Quiet ? p.faint : p.colour(m_tone), m_note);
    drawFocusRing(painter, QRectF(rect()).adjusted(1, 1, -1, -1), p.radiusCard);
}

void MeterCard::mousePressEvent(QMouseEvent* event)
{
    if (event->button() != Qt::LeftButton)
        return event->ignore();
    m_down = true;
    update();
}

void MeterCard::mouseReleaseEvent(QMouseEvent* event)
{
    if (event->button() != Qt::LeftButton || !m_down)
        return;
    m_down = false;
    update();
    if (rect().contains(event->position().toPoint()))
        Q_EMIT clicked();
}

void MeterCard::keyPressEvent(QKeyEvent* event)
{
    if (event->key() == Qt::Key_Return || event->key() == Qt::Key_Enter || event->key() == Qt::Key_Space) {
        Q_EMIT clicked();
        return;
    }
    Control::keyPressEvent(event);
}

QSize MeterCard::sizeHint() const
{
    const Palette& p = look();
    const double height = 2 * p.px(8) + 2 * QFontMetricsF(theme().font(p.fontSmall)).height()
        + QFontMetricsF(theme().font(p.fontSentence, QFont::DemiBold)).height() + p.px(1 + 4 + barHeight + 4);
    return { p.ipx(136), static_cast<int>(std::ceil(height)) };
}

QSize MeterCard::minimumSizeHint() const { return { look().ipx(104), sizeHint().height() }; }

} // namespace lodestone::ui
