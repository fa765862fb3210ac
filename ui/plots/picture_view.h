// Paints a picture that comes as data: clouds, arrows, circles and bars in the window's colours.
#pragma once

#include "core/plot/picture.h"
#include "ui/plots/chart_view.h"

namespace lodestone::ui {

class PictureView : public ChartView {
    Q_OBJECT
public:
    explicit PictureView(Theme& theme, QWidget* parent = nullptr);

    void setPicture(plot::Picture picture);
    const plot::Picture& picture() const { return m_picture; }

protected:
    void paintOver(QPainter& painter) override;
    void resizeEvent(QResizeEvent* event) override;

private:
    void fit(); // one unit as long in both directions, where the picture asks for it
    QColor colourOf(plot::Role role) const;
    void paintShape(QPainter& painter, const plot::Shape& shape) const;
    void paintArrow(QPainter& painter, const plot::Shape& shape) const;
    void paintDots(QPainter& painter, const plot::Shape& shape) const;
    void paintBars(QPainter& painter, const plot::Shape& shape) const;
    void label(QPainter& painter, QPointF at, const QString& text, const QColor& colour) const;

    plot::Picture m_picture;
    bool m_fitting = false;
};

} // namespace lodestone::ui
