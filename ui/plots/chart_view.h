// The frame that every chart of the window shares: Qt Charts' axes and grid drawn in the window's language of
// form.
#pragma once

#include "core/plot/ticks.h"
#include "ui/plots/palette.h"
#include "ui/plots/picture_source.h"

#include <QChartView>
#include <QPointer>
#include <functional>

class QCategoryAxis;

namespace lodestone::ui {

class Theme;

/// What stands along one axis. The title says what, unit, layer and position.
struct AxisSpec {
    QString title;
    bool visible = true; ///< false: no line, ticks, numbers or grid; the title stays
    int ticks = 6; ///< wanted number of ticks
    /// The text of a tick; empty chooses digits by the step.
    std::function<QString(double)> label{};
};

/// A chart without legend, frame, background or animation whose plot area follows the widget's size. Both
/// axes are linear. Subclasses draw what Qt Charts has no item for in paintOver, in widget coordinates.
class ChartView : public QChartView, public PictureSource {
    Q_OBJECT
public:
    enum class Surface { Ground, Panel };

    explicit ChartView(Theme& theme, QWidget* parent = nullptr);
    ~ChartView() override;

    void setAxes(AxisSpec x, AxisSpec y);
    const AxisSpec& xAxis() const { return m_x; }
    const AxisSpec& yAxis() const { return m_y; }
    /// The range on screen. A range that is empty or not finite is refused and the old one stays.
    void setWindow(plot::Range x, plot::Range y);
    plot::Range windowX() const { return m_windowX; }
    plot::Range windowY() const { return m_windowY; }
    /// What the chart stands on; halos are drawn in its colour.
    void setSurface(Surface surface);

    QRectF plotArea() const { return m_plotArea; } ///< in widget coordinates
    QPointF toWidget(QPointF value) const;
    QPointF toData(QPointF widget) const;

    /// The chart as it stands on screen, at `scale` times its pixels, on an opaque surface.
    QImage image(double scale = 2) override;

    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

Q_SIGNALS:
    void windowChanged(); ///< the range on screen or the plot area changed

protected:
    Theme& theme() const { return m_theme; }
    const Palette& look() const;
    QColor surfaceColour() const;
    /// Space outside the plot area beyond what axes need: for histograms or labels.
    void setExtraMargins(const QMarginsF& margins);
    QMarginsF extraMargins() const { return m_extra; }
    virtual void paintOver(QPainter& painter);
    virtual void restyle(); ///< the palette changed: subclasses restyle their series

    void resizeEvent(QResizeEvent* event) override;
    void drawForeground(QPainter* painter, const QRectF& rect) override;
    void focusInEvent(QFocusEvent* event) override;
    void focusOutEvent(QFocusEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;

    /// Text with a halo in the surface's colour, so that it reads above points. `at` is the left end of the
    /// baseline.
    void drawHaloText(
        QPainter& painter, QPointF at, const QString& text, const QFont& font, const QColor& colour) const;
    bool focusVisible() const { return m_focusVisible; }

private:
    int horizontalTicks() const; ///< as many as there is room for, at most those asked for
    int verticalTicks() const;
    double leftMargin() const; ///< what the numbers and the name of the y axis take
    void relayout();
    void applyTicks();

    Theme& m_theme;
    AxisSpec m_x;
    AxisSpec m_y;
    plot::Range m_windowX;
    plot::Range m_windowY;
    QRectF m_plotArea;
    QMarginsF m_extra;
    double m_left = 0; ///< leftMargin() at the last layout
    std::pair<int, int> m_ticks; ///< wanted, across and up, at the last applyTicks()
    Surface m_surface = Surface::Ground;
    QCategoryAxis* m_axisX = nullptr; // owned by the chart
    QCategoryAxis* m_axisY = nullptr;
    bool m_focusVisible = false;

protected:
    QCategoryAxis* horizontalAxis() const { return m_axisX; }
    QCategoryAxis* verticalAxis() const { return m_axisY; }
};

} // namespace lodestone::ui
