#include "ui/shell/search_field.h"

#include "ui/plots/theme.h"

#include <QAbstractItemView>
#include <QAction>
#include <QCompleter>
#include <QStandardItemModel>

namespace lodestone::ui {

SearchField::SearchField(Theme& theme, Session& session, QWidget& window, QWidget* parent)
    : QLineEdit(parent)
    , m_session(session)
    , m_window(window)
{
    const Palette& look = theme.palette();
    setObjectName(QStringLiteral("search"));
    setPlaceholderText(tr("Find … Ctrl+K"));
    setAccessibleName(tr("Find a text or an action"));
    setToolTip(tr("Find a text of the study or an action (Ctrl+K)"));
    setMaximumWidth(look.ipx(244));
    setMinimumWidth(look.ipx(120));
    connect(this, &QLineEdit::returnPressed, this, [this] {
        const QAbstractItemView* list = completer() ? completer()->popup() : nullptr;
        if (!list || !list->isVisible() || !list->currentIndex().isValid()) // else the list's entry counts
            search(text());
    });
}

void SearchField::fill()
{
    constexpr std::size_t most = 20000; // texts; a longer list would only slow the field down
    auto* model = new QStandardItemModel(this);
    for (const QAction* action : m_window.actions())
        if (action->objectName() != QLatin1String("find")) {
            auto* item = new QStandardItem(action->text());
            item->setData(action->objectName(), Qt::UserRole);
            model->appendRow(item);
        }
    if (m_session.hasStudy()) {
        const data::ResponseSet& set = m_session.foundation()->study->set();
        for (std::size_t i = 0; i < std::min(set.responses.size(), most); ++i) {
            auto* item = new QStandardItem(
                QString::fromStdString(set.shownText(static_cast<int>(i))).simplified().left(160));
            item->setData(static_cast<int>(i), Qt::UserRole);
            model->appendRow(item);
        }
    }
    auto* fresh = new QCompleter(model, this);
    model->setParent(fresh);
    fresh->setFilterMode(Qt::MatchContains);
    fresh->setCaseSensitivity(Qt::CaseInsensitive);
    fresh->setMaxVisibleItems(12);
    setCompleter(fresh); // deletes the one before
    // Later, because the field first writes the entry into itself.
    connect(
        fresh, qOverload<const QString&>(&QCompleter::activated), this,
        [this](const QString& entry) { search(entry); }, Qt::QueuedConnection);
}

void SearchField::search(const QString& text)
{
    const QString wanted = text.trimmed();
    if (wanted.isEmpty() || !completer())
        return;
    const QAbstractItemModel* model = completer()->model();
    for (const bool exact : { true, false })
        for (int row = 0; row < model->rowCount(); ++row) {
            const QModelIndex index = model->index(row, 0);
            const QString entry = index.data().toString();
            if (exact ? entry.compare(wanted, Qt::CaseInsensitive) != 0
                      : !entry.contains(wanted, Qt::CaseInsensitive))
                continue;
            const QVariant target = index.data(Qt::UserRole);
            clear();
            if (target.typeId() == QMetaType::QString) {
                if (auto* action = m_window.findChild<QAction*>(target.toString()))
                    action->trigger();
            } else {
                Q_EMIT replyFound(target.toInt());
            }
            return;
        }
    Q_EMIT nothingFound(wanted);
}

} // namespace lodestone::ui
