#include "ui/widgets/arrow_slider.h"

#include "ui/plots/theme.h"

#include <QFontMetricsF>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>
#include <algorithm>
#include <cmath>

namespace lodestone::ui {

ArrowSlider::ArrowSlider(Theme& theme, QWidget* parent)
    : ValueControl(theme, parent)
{
    setFocusPolicy(Qt::StrongFocus);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    setCursor(Qt::PointingHandCursor);
}

ArrowSlider::~ArrowSlider() = default;

void ArrowSlider::setRange(double limit, double step)
{
    m_limit = limit;
    m_step = step;
    setValue(m_value);
}

void ArrowSlider::setInk(Ink ink)
{
    m_ink = ink;
    update();
}

void ArrowSlider::setEnds(const QString& negative, const QString& positive)
{
    m_negative = negative;
    m_positive = positive;
    update();
}

void ArrowSlider::setValue(double value)
{
    if (!std::isfinite(value))
        return;
    value = std::clamp(std::round(value / m_step) * m_step, -m_limit, m_limit);
    if (value == m_value)
        return;
    m_value = value;
    update();
    announce();
}

void ArrowSlider::setByUser(double number)
{
    const double before = m_value;
    setValue(number);
    if (m_value != before)
        Q_EMIT valueChanged(m_value);
}

QString ArrowSlider::spoken() const { return ui::number(m_value, 1, true); }

QRectF ArrowSlider::groove() const
{
    const Palette& p = look();
    const double inset = p.handle / 2.0 + p.px(2);
    return { inset, p.px(8), std::max(1.0, width() - 2 * inset), p.px(10) };
}

QPoint ArrowSlider::positionOf(double value) const
{
    const QRectF area = groove();
    return QPointF(area.left() + (value + m_limit) / (2 * m_limit) * area.width(), area.center().y())
        .toPoint();
}

void ArrowSlider::paintEvent(QPaintEvent*)
{
    const Palette& p = look();
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const QRectF area = groove();
    const double y = area.center().y(), middle = area.center().x();
    const double tip = area.left() + (m_value + m_limit) / (2 * m_limit) * area.width();
    const QColor ink = isEnabled() ? p.colour(m_ink) : p.axis;
    painter.setPen(QPen(p.line, p.px(1)));
    painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y));
    painter.setPen(QPen(p.axis, p.px(1.5)));
    painter.drawLine(QPointF(middle, y - p.px(6)), QPointF(middle, y + p.px(6)));
    const double way = tip < middle ? -1 : 1, head = p.px(9);
    if (std::abs(tip - middle) > head) {
        painter.setPen(QPen(ink, 1.5 * p.arrowWidth, Qt::SolidLine, Qt::FlatCap));
        painter.drawLine(QPointF(middle, y), QPointF(tip - way * head / 2, y));
        painter.setPen(Qt::NoPen);
        painter.setBrush(ink);
        const QPointF corners[] = { { tip + way * p.px(1), y },
                                    { tip - way * head, y - p.px(6) },
                                    { tip - way * head, y + p.px(6) } };
        painter.drawPolygon(corners, 3);
    } else {
        painter.setPen(QPen(ink, p.px(2)));
        painter.setBrush(p.panel);
        painter.drawEllipse(QPointF(tip, y), p.px(5), p.px(5));
    }
    const double ring = p.px(9);
    drawFocusRing(painter, QRectF(tip - ring, y - ring, 2 * ring, 2 * ring), ring);
    painter.setFont(theme().font(p.fontSecondary));
    painter.setPen(p.secondary);
    const QRectF words(area.left(), area.bottom(), area.width(), height() - area.bottom());
    painter.drawText(words, Qt::AlignLeft | Qt::AlignBottom, m_negative);
    painter.drawText(words, Qt::AlignRight | Qt::AlignBottom, m_positive);
    painter.drawText(words, Qt::AlignHCenter | Qt::AlignBottom, QStringLiteral("0"));
}

void ArrowSlider::mousePressEvent(QMouseEvent* event)
{
    if (event->button() != Qt::LeftButton)
        return event->ignore();
    m_dragging = true;
    mouseMoveEvent(event);
}

void ArrowSlider::mouseMoveEvent(QMouseEvent* event)
{
    if (!m_dragging)
        return;
    const QRectF area = groove();
    setByUser(-m_limit + (event->position().x() - area.left()) / area.width() * 2 * m_limit);
}

void ArrowSlider::mouseReleaseEvent(QMouseEvent*) { m_dragging = false; }

void ArrowSlider::mouseDoubleClickEvent(QMouseEvent* event)
{
    if (event->button() != Qt::LeftButton)
        return;
    m_dragging = false;
    setByUser(0);
}

void ArrowSlider::keyPressEvent(QKeyEvent* event)
{
    switch (event->key()) {
    case Qt::Key_Left:
    case Qt::Key_Down:
        setByUser(m_value - m_step);
        break;
    case Qt::Key_Right:
    case Qt::Key_Up:
        setByUser(m_value + m_step);
        break;
    case Qt::Key_PageDown:
        setByUser(m_value - 4 * m_step);
        break;
    case Qt::Key_PageUp:
        setByUser(m_value + 4 * m_step);
        break;
    case Qt::Key_Home:
        setByUser(-m_limit);
        break;
    case Qt::Key_End:
        setByUser(m_limit);
        break;
    case Qt::Key_0:
    case Qt::Key_Delete:
    case Qt::Key_Backspace:
        setByUser(0);
        break;
    default:
        return Control::keyPressEvent(event);
    }
    Control::keyPressEvent(event);
    event->accept();
}

QSize ArrowSlider::sizeHint() const { return { look().ipx(320), look().ipx(44) }; }
QSize ArrowSlider::minimumSizeHint() const { return { look().ipx(160), look().ipx(44) }; }

} // namespace lodestone::ui
