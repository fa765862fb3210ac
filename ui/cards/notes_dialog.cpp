#include "ui/cards/notes_dialog.h"

#include "ui/plots/theme.h"

#include <QDialogButtonBox>
#include <QPlainTextEdit>
#include <QVBoxLayout>

namespace lodestone::ui {

NotesDialog::NotesDialog(Theme& theme, const constitution::Principle& principle, QWidget* parent)
    : QDialog(parent)
{
    setObjectName(QStringLiteral("notesDialog"));
    setAttribute(Qt::WA_DeleteOnClose);
    setWindowTitle(tr("Notes on “%1”").arg(QString::fromStdString(principle.name)));
    resize(theme.palette().ipx(480), theme.palette().ipx(280));
    auto* column = new QVBoxLayout(this);
    m_text = new QPlainTextEdit(QString::fromStdString(principle.notes), this);
    m_text->setObjectName(QStringLiteral("notesText"));
    m_text->setAccessibleName(tr("Notes"));
    m_text->setPlaceholderText(
        tr("Why it is there, what was tried, what to ask: kept in the file and in the report"));
    m_text->setTabChangesFocus(true);
    column->addWidget(m_text, 1);
    auto* buttons = new QDialogButtonBox(QDialogButtonBox::Ok | QDialogButtonBox::Cancel, this);
    column->addWidget(buttons);
    connect(buttons, &QDialogButtonBox::accepted, this, &QDialog::accept);
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
}

std::string NotesDialog::notes() const { return m_text->toPlainText().trimmed().toStdString(); }

} // namespace lodestone::ui
