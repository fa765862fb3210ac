#include "ui/panels/table_dialog.h"

#include "ui/plots/theme.h"

#include <QDialogButtonBox>
#include <QFileDialog>
#include <QHeaderView>
#include <QPushButton>
#include <QSaveFile>
#include <QSortFilterProxyModel>
#include <QTableView>
#include <QVBoxLayout>

namespace lodestone::ui {

TableDialog::TableDialog(Theme& theme, std::function<TextTable()> source, QWidget* parent)
    : QDialog(parent)
    , m_source(std::move(source))
    , m_model(new TextTableModel(this))
{
    setObjectName(QStringLiteral("tableDialog"));
    setAttribute(Qt::WA_DeleteOnClose);
    resize(theme.palette().ipx(820), theme.palette().ipx(520));
    auto* column = new QVBoxLayout(this);
    m_view = new QTableView(this);
    m_view->setObjectName(QStringLiteral("table"));
    auto* sorted = new QSortFilterProxyModel(this);
    sorted->setSourceModel(m_model);
    m_view->setModel(sorted);
    m_view->setSortingEnabled(true);
    m_view->sortByColumn(-1, Qt::AscendingOrder);
    m_view->horizontalHeader()->setHighlightSections(false);
    m_view->horizontalHeader()->setStretchLastSection(true);
    m_view->setWordWrap(false);
    column->addWidget(m_view);
    auto* buttons = new QDialogButtonBox(QDialogButtonBox::Close, this);
    auto* save = buttons->addButton(tr("Save as CSV …"), QDialogButtonBox::ActionRole);
    save->setObjectName(QStringLiteral("saveCsv"));
    column->addWidget(buttons);
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
    connect(save, &QPushButton::clicked, this, [this] {
        auto* chooser = new QFileDialog(
            this, tr("Save the table"), m_model->table().title + QStringLiteral(".csv"), tr("CSV (*.csv)"));
        chooser->setAttribute(Qt::WA_DeleteOnClose);
        chooser->setAcceptMode(QFileDialog::AcceptSave);
        connect(chooser, &QFileDialog::fileSelected, this, [this](const QString& path) {
            QSaveFile file(path);
            const QByteArray bytes = m_model->table().csv().toUtf8();
            if (!file.open(QIODevice::WriteOnly) || file.write(bytes) != bytes.size() || !file.commit())
                setWindowTitle(tr("Not saved: %1").arg(file.errorString()));
        });
        chooser->open();
    });
    refresh();
}

void TableDialog::refresh()
{
    m_model->setTable(m_source());
    setWindowTitle(m_model->table().title);
    m_view->resizeColumnsToContents();
    for (int i = 0; i < m_model->columnCount(); ++i)
        m_view->setColumnWidth(i, std::min(m_view->columnWidth(i), 220));
}

} // namespace lodestone::ui
