// Lines with their intervals over one number: gain against KL, accuracy by layer, densities before and after.
#pragma once

#include "ui/plots/chart_view.h"

#include <QVector>
#include <optional>
#include <vector>

class QAbstractSeries;

namespace lodestone::ui {

struct Series {
    enum class Stroke { Solid, Dashed, Dotted };
    enum class Interval { None, Band, Whiskers };
    enum class LabelAt { End, Peak, None };

    QString label; ///< may have two lines
    Ink ink;
    std::vector<double> x; ///< ascending
    std::vector<double> y; ///< a value that is not finite leaves a gap
    std::vector<double> low{}; ///< interval; as long as y, or empty
    std::vector<double> high{};
    Stroke stroke = Stroke::Solid;
    Interval interval = Interval::Band;
    LabelAt labelAt = LabelAt::End;
    bool filled = false; ///< the area down to zero: a density
    bool marks = false; ///< a dot per value: an axis of a few layers
    double opacity = 1;

    std::size_t count() const { return x.size() < y.size() ? x.size() : y.size(); }
    bool hasInterval() const; ///< one is wanted and given for every sample
    /// First and past-the-end sample of each run of finite samples: Qt Charts knows no gaps.
    std::vector<std::pair<std::size_t, std::size_t>> runs() const;
};

/// A dashed line across the chart: a baseline, chance, a ceiling.
struct ReferenceLine {
    QString label;
    double at = 0;
    Qt::Orientation orientation = Qt::Horizontal;
    Ink ink = Ink::secondary();
};

/// Signals tell what the user did; setters do not emit. Keys when a marker is set: left and right move it,
/// Page Up and Page Down by ten steps, Home and End to the ends.
class SeriesView : public ChartView {
    Q_OBJECT
public:
    explicit SeriesView(Theme& theme, QWidget* parent = nullptr);
    ~SeriesView() override;

    void setSeries(QVector<Series> series);
    const QVector<Series>& series() const { return m_series; }
    void setReferenceLines(QVector<ReferenceLine> lines);
    /// Fixed ends of an axis; nullopt: the data's, padded.
    void setRangeX(std::optional<plot::Range> range);
    void setRangeY(std::optional<plot::Range> range);
    /// A vertical line with a dot on every curve; draggable, nullopt removes it.
    void setMarker(std::optional<double> x);
    std::optional<double> marker() const { return m_marker; }
    void setMarkerSnaps(bool on); ///< to the x values of the first series: layers
    void setMarkerMovable(bool on);
    bool isMarkerMovable() const { return m_movable; }

    /// The value of a series at x, linear between its samples; nullopt outside or in a gap.
    static std::optional<double> valueAt(const Series& series, double x);
    QPoint markerPosition() const; ///< on the widget, in the middle of its line
    /// One line per sample: series, x, y, low, high.
    QString csv() const;

Q_SIGNALS:
    void markerMoved(double x); ///< while dragging and by keys
    void markerReleased(double x); ///< the drag ended, or a key moved it
    void clicked(double x); ///< a click on the plot when no marker is set

protected:
    void paintOver(QPainter& painter) override;
    void restyle() override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;

private:
    struct EndLabel {
        QString text;
        QColor colour;
        double y = 0; // centre, in widget coordinates
        double height = 0;
    };

    void rebuild(); // the chart's own series
    void rescale(); // windows and margins
    void moveMarker(double x, bool released);
    double snapped(double x) const;
    std::vector<EndLabel> endLabels() const;
    double labelWidth() const;

    QVector<Series> m_series;
    QVector<ReferenceLine> m_lines;
    std::optional<plot::Range> m_rangeX;
    std::optional<plot::Range> m_rangeY;
    std::optional<double> m_marker;
    bool m_snaps = false;
    bool m_movable = true;
    bool m_dragging = false;
};

} // namespace lodestone::ui
