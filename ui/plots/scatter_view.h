// The cloud of replies in a plane of value directions: points, arrows, histograms, and everything one can
// point at.
#pragma once

#include "core/plot/point_index.h"
#include "ui/plots/chart_view.h"
#include "ui/plots/raster_layer.h"

#include <QVector>
#include <optional>
#include <vector>

class QVariantAnimation;

namespace lodestone::ui {

/// A kind of points: its name in words, its ink, and a shape that tells it apart without hue.
struct PointClass {
    QString name;
    Ink ink;
    Marker marker = Marker::Circle;
};

/// A direction drawn from the origin.
struct PlotArrow {
    QString label;
    Ink ink;
    QPointF tip; ///< in data units
    double coneDegrees = 0; ///< half angle of its confidence cone; 0 draws none
    bool ghost = false; ///< where it stood before the last edit: dashed, without label
};

/// A point of the user's own beside the cloud: a letter in a ring, with its own tip.
struct PlotGuest {
    QPointF at; ///< in data units; not finite: not drawn
    QString letter;
    QString tip;
};

/// A scatter plot of up to a million points. All setters take effect at the next repaint and cost nothing
/// twice; none of them emits a signal: the signals below tell what the user did.
///
/// Mouse: move hovers, click pins, drag draws the box or the lasso (Shift adds), middle or Space drag pans,
/// wheel zooms at the pointer, double click shows everything. Keys: arrows move the focus point, Enter pins
/// it, + and - zoom, 0 shows everything, Escape clears pin and selection.
class ScatterView : public ChartView {
    Q_OBJECT
public:
    enum class Tool { Box, Lasso, Pan };
    enum class Motion {
        None,
        Follow
    }; ///< Follow: points move to their places in 120 ms, for an edit that is complete

    explicit ScatterView(Theme& theme, QWidget* parent = nullptr);
    ~ScatterView() override;

    /// Replaces everything: coordinates in data units, the class of each point (index into classes; empty:
    /// all of class 0). A point that is not finite is not drawn. Fits the window to the points unless
    /// keepWindow. The three lengths must agree: surplus is left out.
    void setData(
        std::vector<double> x, std::vector<double> y, std::vector<int> classIndex,
        QVector<PointClass> classes, bool keepWindow = false);
    /// New places for the same points: cheap enough for every step of a slider. Keeps window, pin and
    /// selection. Another number of points than setData gave is refused (returns false).
    bool setCoordinates(std::vector<double> x, std::vector<double> y, Motion motion = Motion::None);
    void setClasses(std::vector<int> classIndex, QVector<PointClass> classes); ///< "colour by"
    /// Factors of the marks' radius, one per point; empty: all 1.
    void setPointScales(std::vector<float> scales);
    void setArrows(QVector<PlotArrow> arrows);
    /// Points that are not of the cloud; several are joined by a line. Never hidden by the cloud.
    void setGuests(QVector<PlotGuest> guests);
    const QVector<PlotGuest>& guests() const { return m_guests; }
    /// The guest at a place of the widget; -1: none.
    int guestAt(QPointF place) const;
    /// The two replies of a pair: rings joined by a line; nullopt removes them.
    void setPair(std::optional<std::pair<int, int>> pair);
    void setSelection(QVector<int> points); ///< the others fade; empty: none selected
    const QVector<int>& selection() const { return m_selection; }
    void setHovered(int point); ///< from another view; -1: none
    int hoveredPoint() const { return m_hovered; }
    void setPinned(int point); ///< -1: none
    int pinnedPoint() const { return m_pinned; }
    void setMarginals(bool on); ///< histograms above and at the right; on at first
    void setTool(Tool tool) { m_tool = tool; }
    Tool tool() const { return m_tool; }
    void setSeed(quint64 seed); ///< of the draw order
    /// The text of the tip that appears at a hovered point; empty: no tip.
    void setTip(std::function<QString(int)> tip) { m_tip = std::move(tip); }
    /// Equal units on both axes (angles on screen are angles in the plane); off at first.
    void setEqualUnits(bool on);

    int pointCount() const { return static_cast<int>(m_x.size()); }
    /// The point nearest to a place of the widget, within 12 px; -1: none.
    int pointAt(QPoint place) const;
    /// Where a point is on the widget; a null point when there is none.
    QPoint positionOf(int point) const;
    bool showsDensity() const; ///< too many points for single marks

    void fit(); ///< shows every point
    void zoom(double factor, QPointF centre); ///< factor > 1 zooms in at a place of the widget

    /// Header and one line per point: index, class, x, y. `labels` adds a column; quoted by RFC 4180.
    QString csv(const QStringList& labels = {}) const;

Q_SIGNALS:
    void hovered(int point); ///< -1: the pointer left
    void clicked(int point); ///< pinned by click or Enter; -1: cleared
    void selected(const QVector<int>& points); ///< ascending; empty: cleared

protected:
    void paintOver(QPainter& painter) override;
    void restyle() override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void mouseDoubleClickEvent(QMouseEvent* event) override;
    void wheelEvent(QWheelEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void keyReleaseEvent(QKeyEvent* event) override;
    void leaveEvent(QEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;

private:
    enum class Drag { None, Select, Pan };

    const plot::PointIndex& index() const;
    void invalidate(); // points moved or look different
    void updateLayer();
    void hover(int point, bool tell);
    void pin(int point);
    void select(std::vector<int> points, bool add);
    void step(double x, double y);
    void describe();
    void applyEqualUnits(plot::Range& x, plot::Range& y) const;
    void paintMarginals(QPainter& painter) const;
    void paintArrows(QPainter& painter) const;
    void paintRings(QPainter& painter) const;
    void paintGuests(QPainter& painter) const;
    void paintDrag(QPainter& painter) const;

    std::vector<double> m_x;
    std::vector<double> m_y;
    std::vector<int> m_class;
    std::vector<float> m_scales;
    QVector<PointClass> m_classes;
    QVector<PlotArrow> m_arrows;
    QVector<PlotGuest> m_guests;
    int m_hoveredGuest = -1;
    QVector<int> m_selection;
    std::optional<std::pair<int, int>> m_pair;
    std::function<QString(int)> m_tip;
    RasterLayer m_layer;
    mutable plot::PointIndex m_index;
    mutable bool m_indexStale = true;
    bool m_layerStale = true;
    qreal m_paintRatio = 1; // of the device that is painted on: the screen, or an exported picture
    bool m_marginals = true;
    bool m_equalUnits = false;
    bool m_fitted = true; // the window shows everything, and does so again after a change of size
    int m_hovered = -1;
    int m_pinned = -1;
    int m_focus = -1;
    quint64 m_seed = 0;
    Tool m_tool = Tool::Box;
    Drag m_drag = Drag::None;
    bool m_space = false;
    bool m_moved = false;
    bool m_add = false;
    QPointF m_pressed;
    QPointF m_last;
    QPolygonF m_lasso;
    QVariantAnimation* m_animation = nullptr;
};

} // namespace lodestone::ui
