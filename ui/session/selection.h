// What the user points at, shared by all places: hovered, pinned and selected replies.
#pragma once

#include <QObject>
#include <QVector>

namespace lodestone::ui {

/// Setters emit when something changed, whoever called them. Rows are responses of the study; -1: none.
class Selection : public QObject {
    Q_OBJECT
public:
    using QObject::QObject;

    int hovered() const { return m_hovered; }
    int pinned() const { return m_pinned; }
    int pair() const { return m_pair; } ///< index of the pinned pair; -1: none
    const QVector<int>& rows() const { return m_rows; }

    void setHovered(int row)
    {
        if (m_hovered != row) {
            m_hovered = row;
            Q_EMIT hoveredChanged(row);
        }
    }
    void setPinned(int row, int pair)
    {
        if (m_pinned != row || m_pair != pair) {
            m_pinned = row;
            m_pair = pair;
            Q_EMIT pinnedChanged();
        }
    }
    void setRows(const QVector<int>& rows)
    {
        if (m_rows != rows) {
            m_rows = rows;
            Q_EMIT rowsChanged();
        }
    }
    void clear()
    {
        setHovered(-1);
        setPinned(-1, -1);
        setRows({});
    }

Q_SIGNALS:
    void hoveredChanged(int row);
    void pinnedChanged();
    void rowsChanged();

private:
    int m_hovered = -1, m_pinned = -1, m_pair = -1;
    QVector<int> m_rows;
};

} // namespace lodestone::ui
