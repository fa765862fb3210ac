// A labelled grid of numbers with a colour behind each: cosines between principles, agreement by judge and
// layer.
#pragma once

#include "ui/plots/palette.h"
#include "ui/plots/picture_source.h"

#include <QVector>
#include <QWidget>
#include <optional>
#include <vector>

namespace lodestone::ui {

class Theme;

/// Each cell prints its number, so the colour never carries it alone. Keys: arrows move the focus cell, Enter
/// clicks it.
class HeatmapView : public QWidget, public PictureSource {
    Q_OBJECT
public:
    explicit HeatmapView(Theme& theme, QWidget* parent = nullptr);
    ~HeatmapView() override;

    /// `values` is row-major, rows x columns; a value that is not finite is an empty cell. Another length
    /// than rows x columns is refused (returns false).
    bool setData(QStringList rows, QStringList columns, std::vector<double> values);
    /// Colours: `middle` is neutral, `low` and `high` the ends. At first -1, 0, 1.
    void setScale(double low, double middle, double high);
    /// How numbers are printed: digits after the point, and without the zero before it.
    void setFormat(int decimals, bool bare);
    void setTitles(QString rowTitle, QString columnTitle);
    /// Inks of the row and column labels' dots (principles); empty: none.
    void setInks(QVector<Ink> rows, QVector<Ink> columns);
    void setSelectedCell(std::optional<std::pair<int, int>> cell); ///< row, column

    double value(int row, int column) const;
    QRect cellRect(int row, int column) const;
    std::optional<std::pair<int, int>> cellAt(QPoint place) const;
    QString csv() const;
    QImage image(double scale = 2) override;

    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

Q_SIGNALS:
    void cellHovered(int row, int column); ///< -1, -1: none
    void cellClicked(int row, int column);

protected:
    void paintEvent(QPaintEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void leaveEvent(QEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void focusInEvent(QFocusEvent* event) override;
    void focusOutEvent(QFocusEvent* event) override;

private:
    QRectF gridRect() const;
    int rowLabelWidth() const;
    int columnLabelHeight() const;
    double position(double value) const; // on the scale, -1 .. 1
    void describe();

    Theme& m_theme;
    QStringList m_rows;
    QStringList m_columns;
    std::vector<double> m_values;
    QVector<Ink> m_rowInks;
    QVector<Ink> m_columnInks;
    QString m_rowTitle;
    QString m_columnTitle;
    double m_low = -1;
    double m_middle = 0;
    double m_high = 1;
    int m_decimals = 2;
    bool m_bare = true;
    bool m_focusVisible = false;
    std::optional<std::pair<int, int>> m_hovered;
    std::optional<std::pair<int, int>> m_selected;
    std::pair<int, int> m_focus{ 0, 0 };
};

} // namespace lodestone::ui
