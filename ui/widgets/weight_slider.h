// Sets how much a principle counts, from against it (-2) to strongly for it (+2), with zero in the middle.
#pragma once

#include "ui/widgets/control.h"

namespace lodestone::ui {

/// Filled from the middle in the principle's ink. Drag (Shift: fine), wheel once it has the focus, arrow keys
/// 0.1 (Shift 0.01), Page Up and Down 0.5, Home and End the ends, 0, Delete or double click zero. setValue
/// does not emit.
class WeightSlider : public ValueControl {
    Q_OBJECT
public:
    explicit WeightSlider(Theme& theme, QWidget* parent = nullptr);
    ~WeightSlider() override;

    static constexpr double limit = 2;

    void setInk(Ink ink);
    void setValue(double value); ///< clamped; not a number is refused
    double value() const { return m_value; }
    void setValueShown(bool on); ///< the figure at the right; on at first
    QPoint handlePosition() const;
    QPoint positionOf(double value) const;

    double number() const override { return m_value; }
    double smallest() const override { return -limit; }
    double largest() const override { return limit; }
    double step() const override { return 0.1; }
    void setByUser(double number) override;
    QString spoken() const override;

    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

Q_SIGNALS:
    void valueChanged(double value); ///< while dragging, and by keys and wheel
    void
    sliderReleased(); ///< an edit is complete: the drag ended, or a key, the wheel or a double click made it

protected:
    void paintEvent(QPaintEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void mouseDoubleClickEvent(QMouseEvent* event) override;
    void wheelEvent(QWheelEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;

private:
    QRectF groove() const;
    double valueAt(double x) const;
    void change(double value);

    Ink m_ink = Ink::accent();
    double m_value = 0;
    double m_grab = 0; // pointer minus handle when the drag began
    int m_wheel = 0;
    bool m_dragging = false;
    bool m_valueShown = true;
};

} // namespace lodestone::ui
