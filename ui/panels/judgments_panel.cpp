#include "ui/panels/judgments_panel.h"

#include "ui/cards/judgment_delegate.h"
#include "ui/cards/mark_row.h"
#include "ui/plots/theme.h"
#include "ui/widgets/segmented_control.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QListView>
#include <QScrollArea>
#include <QToolButton>
#include <cmath>

namespace lodestone::ui {

JudgmentsPanel::JudgmentsPanel(Theme& theme, Session& session, QWidget* parent)
    : QFrame(parent)
    , m_theme(theme)
    , m_session(session)
{
    setObjectName(QStringLiteral("judgmentsPanel"));
    setLook(*this, Look::Panel);
    const Palette& look = theme.palette();
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(look.padPanel, look.padPanel, look.padPanel, look.padPanel);
    column->setSpacing(look.gap);
    auto* head = new QHBoxLayout;
    auto* title = new QLabel(tr("Judgments"), this);
    setLook(*title, Look::Title);
    m_agreement = new QLabel(this);
    m_agreement->setObjectName(QStringLiteral("agreement"));
    setLook(*m_agreement, Look::Secondary);
    m_agreement->setTextInteractionFlags(Qt::LinksAccessibleByMouse | Qt::LinksAccessibleByKeyboard);
    connect(m_agreement, &QLabel::linkActivated, this, [this] { m_session.selection().setRows({}); });
    m_agreement->setToolTip(tr("Held-out pairs on which the constitution's direction and people agree"));
    auto* table = new QToolButton(this);
    table->setObjectName(QStringLiteral("judgmentsTable"));
    table->setIcon(theme.icon(QStringLiteral("table")));
    table->setAccessibleName(tr("Judgments as a table"));
    table->setToolTip(tr("The same as a table"));
    setLook(*table, Look::Ghost);
    head->addWidget(title);
    head->addStretch(1);
    head->addWidget(m_agreement);
    head->addWidget(table);
    column->addLayout(head);
    m_filter = new SegmentedControl(this);
    m_filter->setObjectName(QStringLiteral("filter"));
    m_filter->setSegments({ tr("All"), tr("Disagree"), tr("Flipped"), tr("Unsure") });
    auto* filterRow = new QHBoxLayout;
    filterRow->addWidget(m_filter);
    filterRow->addStretch(1);
    column->addLayout(filterRow);
    m_model = new JudgmentModel(this);
    m_list = new QListView(this);
    m_list->setObjectName(QStringLiteral("pairs"));
    m_list->setAccessibleName(tr("Judged pairs"));
    m_list->setModel(m_model);
    m_list->setItemDelegate(new JudgmentDelegate(theme, m_list));
    m_list->setFrameShape(QFrame::NoFrame);
    m_list->setVerticalScrollMode(QAbstractItemView::ScrollPerPixel);
    m_list->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    m_list->setResizeMode(QListView::Adjust);
    m_list->setMouseTracking(true);
    column->addWidget(m_list, 3);
    m_empty = new QLabel(this);
    m_empty->setObjectName(QStringLiteral("noPairs"));
    m_empty->setWordWrap(true);
    setLook(*m_empty, Look::Secondary);
    column->addWidget(m_empty);
    m_mark = new MarkRow(session, this);
    m_mark->hide();
    column->addWidget(m_mark);
    auto* scroll = new QScrollArea(this);
    scroll->setObjectName(QStringLiteral("pairDetailArea"));
    scroll->setWidgetResizable(true);
    scroll->setFrameShape(QFrame::NoFrame);
    m_detail = new QLabel(scroll);
    m_detail->setObjectName(QStringLiteral("pairDetail"));
    m_detail->setWordWrap(true);
    m_detail->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
    m_detail->setAlignment(Qt::AlignTop | Qt::AlignLeft);
    setLook(*m_detail, Look::Secondary);
    scroll->setWidget(m_detail);
    scroll->hide();
    column->addWidget(scroll, 2);

    connect(table, &QToolButton::clicked, this, &JudgmentsPanel::tableRequested);
    connect(&session, &Session::snapshotChanged, this, &JudgmentsPanel::refresh);
    connect(m_filter, &SegmentedControl::currentChanged, this, [this](int segment) {
        m_model->setFilter(static_cast<JudgmentModel::Filter>(segment));
        refresh();
    });
    connect(
        m_list->selectionModel(), &QItemSelectionModel::currentChanged, this,
        [this](const QModelIndex& index) {
            const auto snapshot = m_session.snapshot();
            if (!index.isValid() || !snapshot)
                return;
            const int pair = index.data(JudgmentModel::PairRole).toInt();
            m_session.selection().setPinned(
                snapshot->foundation->study->set().pairs[static_cast<std::size_t>(pair)].chosen, pair);
        });
    connect(&session.selection(), &Selection::pinnedChanged, this, [this] {
        const int row = m_model->indexOfPair(m_session.selection().pair());
        if (row >= 0 && m_list->currentIndex().row() != row)
            m_list->setCurrentIndex(m_model->index(row));
        showPair();
    });
    connect(&session.selection(), &Selection::rowsChanged, this, [this] {
        m_model->setRows(m_session.selection().rows());
        refresh();
    });
}

void JudgmentsPanel::refresh()
{
    const auto snapshot = m_session.snapshot();
    if (m_model->count(JudgmentModel::Filter::All) == 0 || snapshot)
        m_model->setSnapshot(snapshot);
    if (!snapshot)
        return;
    int heldOut = 0, agreed = 0;
    for (const judgment::PairJudgment& judged : snapshot->judge->pairs)
        if (judged.heldOut) {
            ++heldOut;
            agreed += judged.agrees();
        }
    const bool chosen = !m_session.selection().rows().isEmpty();
    m_agreement->setText(
        chosen            ? tr("%1 pairs selected · <a href=\"all\">show all</a>").arg(m_model->rowCount())
            : heldOut > 0 ? tr("%1 of %2 held out · %3 %")
                                .arg(agreed)
                                .arg(heldOut)
                                .arg(percent(snapshot->judge->agreement.value))
                          : QString());
    for (int i = 0; i < 4; ++i)
        m_filter->setCount(
            i, i == 0 ? std::nullopt : std::optional(m_model->count(static_cast<JudgmentModel::Filter>(i))));
    const bool empty = m_model->rowCount() == 0;
    m_empty->setVisible(empty);
    if (empty)
        m_empty->setText(
            snapshot->foundation->study->set().pairs.empty()
                ? tr("This study has no pairs. Single labelled texts are judged in the projection.")
                : m_session.selection().rows().isEmpty()
                ? tr("No pair is of this kind now.")
                : tr("No pair of this kind among the selected replies. Escape in the projection clears the "
                     "selection."));
    showPair();
}

void JudgmentsPanel::showPair()
{
    const auto snapshot = m_session.snapshot();
    const int pair = m_session.selection().pair();
    auto* area = findChild<QScrollArea*>(QStringLiteral("pairDetailArea"));
    const bool shown
        = snapshot && pair >= 0 && pair < static_cast<int>(snapshot->foundation->study->set().pairs.size());
    area->setVisible(shown);
    m_mark->setVisible(shown);
    m_mark->setPair(shown ? pair : -1);
    if (!shown)
        return;
    const data::ResponseSet& set = snapshot->foundation->study->set();
    const data::Pair& entry = set.pairs[static_cast<std::size_t>(pair)];
    const auto html = [](const std::string& text) {
        return QString::fromStdString(text).toHtmlEscaped().replace(
            QLatin1Char('\n'), QStringLiteral("<br>"));
    };
    QString text = QStringLiteral("<p><b>%1</b></p>").arg(html(set.promptText(entry.chosen)));
    const auto reply = [&](const QString& title, int row) {
        text += QStringLiteral("<p><b>%1</b> · %2<br>%3</p>")
                    .arg(
                        title,
                        tr("score %1")
                            .arg(
                                row < snapshot->judge->rewards.size()
                                    ? number(snapshot->judge->rewards[row], 2, true)
                                    : QStringLiteral("–")),
                        html(set.shownText(row)));
        if (snapshot->foundation->cloze) {
            QStringList words;
            for (const auto& [word, likelihood] : snapshot->foundation->cloze->wordsFor(row, 6))
                words << QString::fromStdString(word);
            text += QStringLiteral("<p>%1</p>")
                        .arg(tr("The model's own words for it: %1").arg(words.join(QStringLiteral(", "))));
        }
    };
    reply(tr("A, people chose it"), entry.chosen);
    reply(tr("B"), entry.rejected);
    m_detail->setText(text);
}

TextTable JudgmentsPanel::table() const
{
    TextTable table;
    table.title = tr("Judgments of pairs");
    table.header = { tr("pair"),     tr("value"),  tr("P(chosen)"), tr("agrees"),
                     tr("held out"), tr("prompt"), tr("chosen"),    tr("rejected") };
    const auto snapshot = m_session.snapshot();
    if (!snapshot)
        return table;
    const data::ResponseSet& set = snapshot->foundation->study->set();
    for (const judgment::PairJudgment& judged : snapshot->judge->pairs) {
        const data::Pair& pair = set.pairs[static_cast<std::size_t>(judged.pair)];
        table.rows.push_back({ QString::fromStdString(pair.id), QString::fromStdString(pair.value),
                               QString::number(judged.p, 'g', 8), judged.agrees() ? tr("yes") : tr("no"),
                               judged.heldOut ? tr("yes") : tr("no"),
                               QString::fromStdString(set.promptText(pair.chosen)),
                               QString::fromStdString(set.shownText(pair.chosen)),
                               QString::fromStdString(set.shownText(pair.rejected)) });
    }
    return table;
}

} // namespace lodestone::ui
