// Named figures with their intervals one below the other, on one scale: which of them differ is seen at once.
#pragma once

#include "ui/widgets/control.h"

#include <QVector>

namespace lodestone::ui {

struct IntervalRow {
    QString title;
    QString note; ///< second line, faint; may be empty
    double value = 0; ///< not a number: `note` says why there is none
    double low = 0, high = 0; ///< not a number: no interval
    QString text; ///< at the right end
    Ink ink = Ink::constitution();
    bool hollow = false; ///< drawn as a ring: not quite comparable with the others
};

/// Zero is a line; the mouse and the arrow keys choose a row. Read by assistive tools row by row.
class IntervalRows : public Control {
    Q_OBJECT
public:
    explicit IntervalRows(Theme& theme, QWidget* parent = nullptr);
    ~IntervalRows() override;

    void setRows(QVector<IntervalRow> rows);
    const QVector<IntervalRow>& rows() const { return m_rows; }
    void setAxisTitle(const QString& title); ///< above, with the scale: what is measured, in which unit
    void setCompact(bool on); ///< one line a row (notes as tool tips) and no scale
    int current() const { return m_current; }
    QRect rowRect(int row) const;
    /// The pixel of a value on the common scale.
    double positionOf(double value) const;

    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

Q_SIGNALS:
    void currentChanged(int row);

protected:
    bool event(QEvent* event) override; // tool tips: what had to be cut
    void paintEvent(QPaintEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void restyle() override;

private:
    QRectF plot() const;
    int rowHeight() const;
    void choose(int row);
    void describe();

    QVector<IntervalRow> m_rows;
    QString m_axis;
    double m_low = -1, m_high = 1;
    int m_current = -1;
    bool m_compact = false;
};

} // namespace lodestone::ui
