#include "ui/widgets/weight_slider.h"

#include "ui/plots/theme.h"

#include <QFontMetricsF>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QWheelEvent>
#include <algorithm>
#include <cmath>

namespace lodestone::ui {

namespace {

double rounded(double value) { return std::round(value * 100) / 100; }

} // namespace

WeightSlider::WeightSlider(Theme& theme, QWidget* parent)
    : ValueControl(theme, parent)
{
    setFocusPolicy(Qt::StrongFocus);
    setAccessibleName(tr("Weight"));
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
}

WeightSlider::~WeightSlider() = default;

void WeightSlider::setInk(Ink ink)
{
    m_ink = ink;
    update();
}

void WeightSlider::setValue(double value)
{
    if (!std::isfinite(value))
        return;
    value = std::clamp(value, -limit, limit);
    if (value == m_value)
        return;
    m_value = value;
    announce();
}

void WeightSlider::setValueShown(bool on)
{
    m_valueShown = on;
    update();
}

void WeightSlider::change(double value)
{
    value = std::clamp(rounded(value), -limit, limit);
    if (value == m_value)
        return;
    m_value = value;
    announce();
    Q_EMIT valueChanged(value);
}

void WeightSlider::setByUser(double number)
{
    if (!std::isfinite(number))
        return;
    const double before = m_value;
    change(number);
    if (m_value != before)
        Q_EMIT sliderReleased();
}

QString WeightSlider::spoken() const { return ui::number(m_value, 2, true); }

QRectF WeightSlider::groove() const
{
    const Palette& p = look();
    const double figure = m_valueShown
        ? QFontMetricsF(theme().font(p.fontText)).horizontalAdvance(QStringLiteral("+2.00")) + p.px(8)
        : 0;
    const double inset = p.handle / 2.0 + p.px(2);
    return { inset, (height() - p.grooveHeight) / 2.0, std::max(1.0, width() - 2 * inset - figure),
             static_cast<double>(p.grooveHeight) };
}

double WeightSlider::valueAt(double x) const
{
    const QRectF area = groove();
    return -limit + (x - area.left()) / area.width() * 2 * limit;
}

QPoint WeightSlider::positionOf(double value) const
{
    const QRectF area = groove();
    return QPointF(area.left() + (value + limit) / (2 * limit) * area.width(), area.center().y()).toPoint();
}

QPoint WeightSlider::handlePosition() const { return positionOf(m_value); }

void WeightSlider::paintEvent(QPaintEvent*)
{
    const Palette& p = look();
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const QRectF area = groove();
    const double radius = p.grooveHeight / 2.0;
    const double middle = area.center().x();
    const double handle = area.left() + (m_value + limit) / (2 * limit) * area.width();
    const bool on = isEnabled();
    painter.setPen(Qt::NoPen);
    painter.setBrush(p.control);
    painter.drawRoundedRect(area, radius, radius);
    painter.setBrush(on ? p.colour(m_ink) : p.axis);
    painter.drawRect(QRectF(
        QPointF(std::min(middle, handle), area.top()), QPointF(std::max(middle, handle), area.bottom())));
    // The tick of zero stands out of the groove: the fill starts there.
    painter.setBrush(p.secondary);
    const double tick = p.px(1.5);
    painter.drawRect(QRectF(middle - tick / 2, area.center().y() - p.px(6), tick, p.px(12)));
    const double outer = p.handle / 2.0 + (pointerInside() && on ? p.px(1) : 0);
    painter.setPen(QPen(on ? p.accent : p.axis, p.px(2)));
    painter.setBrush(p.panel);
    painter.drawEllipse(QPointF(handle, area.center().y()), outer - p.px(1), outer - p.px(1));
    drawFocusRing(
        painter,
        QRectF(
            QPointF(handle, area.center().y()) - QPointF(outer + p.px(2), outer + p.px(2)),
            QSizeF(2 * outer + p.px(4), 2 * outer + p.px(4))),
        outer + p.px(2));
    if (m_valueShown) {
        painter.setFont(theme().font(p.fontText, QFont::Medium));
        painter.setPen(on ? p.text : p.faint);
        const bool fine = std::abs(m_value * 10 - std::round(m_value * 10)) > 1e-9;
        painter.drawText(rect(), Qt::AlignRight | Qt::AlignVCenter, ui::number(m_value, fine ? 2 : 1, true));
    }
}

void WeightSlider::mousePressEvent(QMouseEvent* event)
{
    if (event->button() != Qt::LeftButton)
        return event->ignore();
    const double x = event->position().x();
    const double handle = handlePosition().x();
    m_dragging = true;
    // Taken by its edge the handle does not jump; a press on the groove brings it there.
    m_grab = std::abs(x - handle) <= look().handle ? x - handle : 0;
    if (m_grab == 0 && x > groove().right() + look().handle)
        m_dragging = false; // on the figure
    else if (std::abs(x - handle) > look().handle)
        mouseMoveEvent(event);
}

void WeightSlider::mouseMoveEvent(QMouseEvent* event)
{
    if (!m_dragging)
        return;
    const double target = valueAt(event->position().x() - m_grab);
    if (event->modifiers().testFlag(Qt::ShiftModifier))
        return change(target);
    // A tenth is what an edit means; zero holds a little longer so that "off" is easy to hit.
    change(std::abs(target) < 0.08 ? 0 : std::round(target * 10) / 10);
}

void WeightSlider::mouseReleaseEvent(QMouseEvent* event)
{
    if (event->button() != Qt::LeftButton || !m_dragging)
        return;
    m_dragging = false;
    Q_EMIT sliderReleased();
}

void WeightSlider::mouseDoubleClickEvent(QMouseEvent* event)
{
    if (event->button() != Qt::LeftButton)
        return;
    m_dragging = false;
    setByUser(0);
}

void WeightSlider::wheelEvent(QWheelEvent* event)
{
    // A wheel that scrolls the list past a slider must not change it.
    if (!hasFocus())
        return event->ignore();
    m_wheel += event->angleDelta().y();
    const int steps = m_wheel / 120;
    m_wheel -= steps * 120;
    if (steps != 0)
        setByUser(m_value + 0.1 * steps);
    event->accept();
}

void WeightSlider::keyPressEvent(QKeyEvent* event)
{
    const double small = event->modifiers().testFlag(Qt::ShiftModifier) ? 0.01 : 0.1;
    switch (event->key()) {
    case Qt::Key_Left:
    case Qt::Key_Down:
        setByUser(m_value - small);
        break;
    case Qt::Key_Right:
    case Qt::Key_Up:
        setByUser(m_value + small);
        break;
    case Qt::Key_PageDown:
        setByUser(m_value - 0.5);
        break;
    case Qt::Key_PageUp:
        setByUser(m_value + 0.5);
        break;
    case Qt::Key_Home:
        setByUser(-limit);
        break;
    case Qt::Key_End:
        setByUser(limit);
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

QSize WeightSlider::sizeHint() const { return { look().ipx(220), look().ipx(24) }; }
QSize WeightSlider::minimumSizeHint() const { return { look().ipx(120), look().ipx(24) }; }

} // namespace lodestone::ui
