#include "ui/widgets/control.h"

#include "ui/plots/theme.h"

#include <QAccessibleWidget>
#include <QFocusEvent>
#include <QKeyEvent>
#include <QPainter>

namespace lodestone::ui {

namespace {

/// What a screen reader sees of a ValueControl.
class AccessibleValueControl : public QAccessibleWidget, public QAccessibleValueInterface {
public:
    explicit AccessibleValueControl(ValueControl* control)
        : QAccessibleWidget(control, QAccessible::Slider)
        , m_control(control)
    {
    }

    void* interface_cast(QAccessible::InterfaceType type) override
    {
        return type == QAccessible::ValueInterface ? static_cast<QAccessibleValueInterface*>(this)
                                                   : QAccessibleWidget::interface_cast(type);
    }

    QString text(QAccessible::Text kind) const override
    {
        return kind == QAccessible::Value ? m_control->spoken() : QAccessibleWidget::text(kind);
    }

    QVariant currentValue() const override { return m_control->number(); }
    void setCurrentValue(const QVariant& value) override { m_control->setByUser(value.toDouble()); }
    QVariant maximumValue() const override { return m_control->largest(); }
    QVariant minimumValue() const override { return m_control->smallest(); }
    QVariant minimumStepSize() const override { return m_control->step(); }

private:
    ValueControl* m_control;
};

QAccessibleInterface* makeInterface(const QString&, QObject* object)
{
    auto* control = qobject_cast<ValueControl*>(object);
    return control ? new AccessibleValueControl(control) : nullptr;
}

} // namespace

Control::Control(Theme& theme, QWidget* parent)
    : QWidget(parent)
    , m_theme(theme)
{
    // Installing the same function again changes nothing.
    QAccessible::installFactory(makeInterface);
    connect(&m_theme, &Theme::changed, this, [this] { restyle(); });
}

Control::~Control() = default;

const Palette& Control::look() const { return m_theme.palette(); }

void Control::restyle()
{
    updateGeometry();
    update();
}

void Control::drawFocusRing(QPainter& painter, const QRectF& around, double radius) const
{
    if (!m_focusVisible || !hasFocus())
        return;
    painter.setBrush(Qt::NoBrush);
    painter.setPen(QPen(look().accent, look().px(2)));
    painter.drawRoundedRect(around, radius, radius);
}

void Control::focusInEvent(QFocusEvent* event)
{
    m_focusVisible = event->reason() == Qt::TabFocusReason || event->reason() == Qt::BacktabFocusReason
        || event->reason() == Qt::ShortcutFocusReason;
    update();
}

void Control::focusOutEvent(QFocusEvent*)
{
    m_focusVisible = false;
    update();
}

void Control::keyPressEvent(QKeyEvent* event)
{
    m_focusVisible = true;
    update();
    event->ignore();
}

void Control::enterEvent(QEnterEvent*)
{
    m_inside = true;
    update();
}

void Control::leaveEvent(QEvent*)
{
    m_inside = false;
    update();
}

void ValueControl::announce()
{
    update();
    QAccessibleValueChangeEvent event(this, number());
    QAccessible::updateAccessibility(&event);
}

} // namespace lodestone::ui
