// A progress bar of four pixels that fits into a line of text.
#pragma once

#include "ui/widgets/control.h"

namespace lodestone::ui {

class ThinBar : public Control {
    Q_OBJECT
public:
    explicit ThinBar(Theme& theme, QWidget* parent = nullptr);
    ~ThinBar() override;

    void setFraction(double fraction); ///< in [0, 1]; negative or not a number: under way, how far is unknown
    double fraction() const { return m_fraction; }

    QSize sizeHint() const override;
    QSize minimumSizeHint() const override { return sizeHint(); }

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    double m_fraction = -1;
};

} // namespace lodestone::ui
