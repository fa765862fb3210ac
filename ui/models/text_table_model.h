// A table of texts: the twin that every plot has for reading exact numbers, by people and by screen readers.
#pragma once

#include <QAbstractTableModel>
#include <QStringList>
#include <QVector>

namespace lodestone::ui {

struct TextTable {
    QString title;
    QStringList header;
    QVector<QStringList> rows;
    QString csv() const; ///< RFC 4180
};

class TextTableModel : public QAbstractTableModel {
    Q_OBJECT
public:
    using QAbstractTableModel::QAbstractTableModel;
    void setTable(TextTable table);
    const TextTable& table() const { return m_table; }
    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    TextTable m_table;
};

} // namespace lodestone::ui
