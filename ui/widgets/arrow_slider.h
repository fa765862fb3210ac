// A slider that is the arrow it moves along: from zero in the middle to a coefficient, in the ink of its
// direction, with the words of both ends.
#pragma once

#include "ui/widgets/control.h"

namespace lodestone::ui {

/// Drag, arrow keys one step, Page Up and Down four, Home and End the ends, 0 or double click zero. setValue
/// does not emit.
class ArrowSlider : public ValueControl {
    Q_OBJECT
public:
    explicit ArrowSlider(Theme& theme, QWidget* parent = nullptr);
    ~ArrowSlider() override;

    void setRange(double limit, double step); ///< from -limit to limit
    void setInk(Ink ink);
    void setEnds(const QString& negative, const QString& positive);
    void setValue(double value); ///< clamped; not a number is refused
    double value() const { return m_value; }
    QPoint positionOf(double value) const;

    double number() const override { return m_value; }
    double smallest() const override { return -m_limit; }
    double largest() const override { return m_limit; }
    double step() const override { return m_step; }
    void setByUser(double number) override;
    QString spoken() const override;

    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

Q_SIGNALS:
    void valueChanged(double value); ///< by the user

protected:
    void paintEvent(QPaintEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void mouseDoubleClickEvent(QMouseEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;

private:
    QRectF groove() const;

    Ink m_ink = Ink::accent();
    QString m_negative, m_positive;
    double m_limit = 1, m_step = 0.1, m_value = 0;
    bool m_dragging = false;
};

} // namespace lodestone::ui
