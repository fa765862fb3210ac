// The base of the hand-drawn controls: theme, focus ring for the keyboard, and a value that assistive tools
// can read and set.
#pragma once

#include "ui/plots/palette.h"

#include <QWidget>

class QPainter;

namespace lodestone::ui {

class Theme;

class Control : public QWidget {
    Q_OBJECT
public:
    explicit Control(Theme& theme, QWidget* parent);
    ~Control() override;

protected:
    Theme& theme() const { return m_theme; }
    const Palette& look() const;
    /// True after a move by keyboard: only then the ring shows.
    bool focusVisible() const { return m_focusVisible; }
    bool pointerInside() const { return m_inside; }
    void drawFocusRing(QPainter& painter, const QRectF& around, double radius) const;
    virtual void restyle(); ///< the palette changed

    void focusInEvent(QFocusEvent* event) override;
    void focusOutEvent(QFocusEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void enterEvent(QEnterEvent* event) override;
    void leaveEvent(QEvent* event) override;

private:
    Theme& m_theme;
    bool m_focusVisible = false;
    bool m_inside = false;
};

/// A control with one number, which screen readers announce as a slider.
class ValueControl : public Control {
    Q_OBJECT
public:
    using Control::Control;
    virtual double number() const = 0;
    virtual double smallest() const = 0;
    virtual double largest() const = 0;
    virtual double step() const = 0;
    virtual void setByUser(double number) = 0; ///< emits what a user's change emits
    virtual QString spoken() const = 0; ///< the value in words

protected:
    void announce(); ///< the value changed
};

} // namespace lodestone::ui
