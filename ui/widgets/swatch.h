// The key of a plot: a mark in its ink and shape, and the words beside it.
#pragma once

#include "ui/plots/raster_layer.h"
#include "ui/widgets/control.h"

namespace lodestone::ui {

class Swatch : public Control {
    Q_OBJECT
public:
    Swatch(Theme& theme, Ink ink, Marker marker, const QString& text = {}, QWidget* parent = nullptr);
    ~Swatch() override;

    void setInk(Ink ink);
    void setMarker(Marker marker);
    void setText(const QString& text);

    QSize sizeHint() const override;
    QSize minimumSizeHint() const override { return sizeHint(); }

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    Ink m_ink;
    Marker m_marker;
    QString m_text;
};

} // namespace lodestone::ui
