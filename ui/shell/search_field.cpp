#include "ui/shell/search_field.h"

#include "core/theory/statement.h"
#include "ui/models/glossary.h"
#include "ui/plots/theme.h"

#include <QAbstractItemView>
#include <QAction>
#include <QCompleter>
#include <QEvent>
#include <QStandardItemModel>

namespace lodestone::ui {
namespace {

enum EntryKind { ActionEntry, TermEntry, StatementEntry, ReplyEntry };
constexpr int kindRole = Qt::UserRole + 1;

} // namespace

SearchField::SearchField(Theme& theme, Session& session, QWidget& window, QWidget* parent)
    : QLineEdit(parent)
    , m_theme(theme)
    , m_session(session)
    , m_window(window)
{
    const Palette& look = theme.palette();
    setObjectName(QStringLiteral("search"));
    setPlaceholderText(tr("Find … Ctrl+K"));
    setAccessibleName(tr("Find a text, a word, a statement or an action"));
    setToolTip(tr("Find a text of the study, a word of this window, a statement or an action (Ctrl+K)"));
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
            item->setData(ActionEntry, kindRole);
            model->appendRow(item);
        }
    const auto add = [model](const QString& text, const QString& id, EntryKind kind) {
        auto* item = new QStandardItem(text);
        item->setData(id, Qt::UserRole);
        item->setData(kind, kindRole);
        model->appendRow(item);
    };
    for (const Term& term : glossary())
        add(tr("%1: what it is").arg(term.name), term.id, TermEntry);
    for (const theory::Statement& statement : theory::statements())
        add(QStringLiteral("%1  %2").arg(
                QString::fromStdString(statement.id), QString::fromStdString(statement.title)),
            QString::fromStdString(statement.id), StatementEntry);
    if (m_session.hasStudy()) {
        const data::ResponseSet& set = m_session.foundation()->study->set();
        for (std::size_t i = 0; i < std::min(set.responses.size(), most); ++i) {
            auto* item = new QStandardItem(
                QString::fromStdString(set.shownText(static_cast<int>(i))).simplified().left(160));
            item->setData(static_cast<int>(i), Qt::UserRole);
            item->setData(ReplyEntry, kindRole);
            model->appendRow(item);
        }
    }
    auto* fresh = new QCompleter(model, this);
    model->setParent(fresh);
    fresh->setFilterMode(Qt::MatchContains);
    fresh->setCaseSensitivity(Qt::CaseInsensitive);
    fresh->setMaxVisibleItems(12);
    fresh->popup()->setMinimumWidth(m_theme.palette().ipx(460)); // replies are longer than the field
    fresh->popup()->installEventFilter(this);
    setCompleter(fresh); // deletes the one before
    // Later, because the field first writes the entry into itself.
    connect(
        fresh, qOverload<const QString&>(&QCompleter::activated), this,
        [this](const QString& entry) { search(entry); }, Qt::QueuedConnection);
}

bool SearchField::eventFilter(QObject* watched, QEvent* event)
{
    // Each letter typed puts the list below the field's left end again.
    const bool placed = event->type() == QEvent::Show || event->type() == QEvent::Move;
    if (placed && completer() && watched == completer()->popup()) {
        QWidget* list = completer()->popup();
        const int right = mapToGlobal(QPoint(width(), 0)).x();
        if (list->x() + list->width() > right)
            list->move(right - list->width(), list->y());
    }
    return QLineEdit::eventFilter(watched, event);
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
            Q_EMIT searched();
            switch (index.data(kindRole).toInt()) {
            case ActionEntry:
                if (auto* action = m_window.findChild<QAction*>(target.toString()))
                    action->trigger();
                break;
            case TermEntry:
                Q_EMIT termFound(target.toString());
                break;
            case StatementEntry:
                Q_EMIT statementFound(target.toString());
                break;
            default:
                Q_EMIT replyFound(target.toInt());
            }
            return;
        }
    Q_EMIT nothingFound(wanted);
}

} // namespace lodestone::ui
