// A plot's twin: the same figures as a sortable table, with CSV export and copying.
#pragma once

#include "ui/models/text_table_model.h"

#include <QDialog>

class QTableView;

namespace lodestone::ui {

class Theme;

/// Non-modal; fed anew while it is open.
class TableDialog : public QDialog {
    Q_OBJECT
public:
    TableDialog(Theme& theme, std::function<TextTable()> source, QWidget* parent);
    void refresh();

private:
    std::function<TextTable()> m_source;
    TextTableModel* m_model = nullptr; // owned by the widget tree
    QTableView* m_view = nullptr;
};

} // namespace lodestone::ui
