#include "ui/models/text_table_model.h"

namespace lodestone::ui {
namespace {

QString quoted(QString cell)
{
    if (!cell.contains(QLatin1Char(',')) && !cell.contains(QLatin1Char('"'))
        && !cell.contains(QLatin1Char('\n')))
        return cell;
    return QLatin1Char('"') % cell.replace(QLatin1Char('"'), QStringLiteral("\"\"")) % QLatin1Char('"');
}

} // namespace

QString TextTable::csv() const
{
    QString text;
    const auto add = [&](const QStringList& cells) {
        QStringList out;
        for (const QString& cell : cells)
            out << quoted(cell);
        text += out.join(QLatin1Char(',')) % QLatin1Char('\n');
    };
    add(header);
    for (const QStringList& row : rows)
        add(row);
    return text;
}

void TextTableModel::setTable(TextTable table)
{
    beginResetModel();
    m_table = std::move(table);
    endResetModel();
}

int TextTableModel::rowCount(const QModelIndex& parent) const
{
    return parent.isValid() ? 0 : static_cast<int>(m_table.rows.size());
}
int TextTableModel::columnCount(const QModelIndex& parent) const
{
    return parent.isValid() ? 0 : static_cast<int>(m_table.header.size());
}

QVariant TextTableModel::data(const QModelIndex& index, int role) const
{
    if (!index.isValid() || (role != Qt::DisplayRole && role != Qt::ToolTipRole))
        return {};
    return m_table.rows[index.row()].value(index.column());
}

QVariant TextTableModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (role != Qt::DisplayRole)
        return {};
    return orientation == Qt::Horizontal ? QVariant(m_table.header.value(section)) : QVariant(section + 1);
}

} // namespace lodestone::ui
