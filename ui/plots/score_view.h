// Scores of several judges side by side, each with its interval, across the baselines that all must beat.
#pragma once

#include "ui/plots/series_view.h"

#include <limits>

namespace lodestone::ui {

struct ScoreMark {
    QString name; ///< stands at the left
    double value = 0; ///< not finite: the row stays empty
    double low = 0, high = 0; ///< interval; not finite: none
    Ink ink;
    double beside = std::numeric_limits<double>::quiet_NaN(); ///< a small grey dot on the same row
};

/// One row per mark, the first on top; baselines are dashed lines through all rows with their names above.
class ScoreView : public ChartView {
    Q_OBJECT
public:
    explicit ScoreView(Theme& theme, QWidget* parent = nullptr);
    ~ScoreView() override;

    void setScores(QVector<ScoreMark> marks, QVector<ReferenceLine> baselines, const QString& title);
    void setShares(bool on); ///< values are written in per cent (the default), or as they are: cosines
    const QVector<ScoreMark>& marks() const { return m_marks; }
    /// One line per mark and baseline: name, value, low, high and, where marks have it, beside.
    QString csv() const;

protected:
    void paintOver(QPainter& painter) override;
    void restyle() override;

private:
    struct Label {
        double x = 0; // centre, in data units
        double width = 0;
        int level = 0; // counted upwards from the plot
        QString text;
        Ink ink;
    };
    std::vector<Label> labels() const;
    void arrange();

    QVector<ScoreMark> m_marks;
    QVector<ReferenceLine> m_baselines;
    bool m_shares = true;
};

} // namespace lodestone::ui
