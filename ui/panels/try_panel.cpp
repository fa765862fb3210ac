#include "ui/panels/try_panel.h"

#include "ui/plots/theme.h"
#include "ui/widgets/probability_bar.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QPlainTextEdit>
#include <QPushButton>

namespace lodestone::ui {

TryPanel::TryPanel(Theme& theme, Session& session, QWidget* parent)
    : QWidget(parent)
    , m_session(session)
{
    setObjectName(QStringLiteral("tryPanel"));
    const Palette& look = theme.palette();
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(look.padPanel, look.gap, look.padPanel, look.padPanel);
    column->setSpacing(look.gap);
    auto* title = new QLabel(
        tr("Write a prompt and two replies; the model reads them and this constitution judges."), this);
    setLook(*title, Look::Sentence);
    title->setWordWrap(true);
    column->addWidget(title);
    const auto edit = [&](const QString& label, const char* object, const QString& text, QLayout* into) {
        auto* box = new QVBoxLayout;
        auto* caption = new QLabel(label, this);
        setLook(*caption, Look::Secondary);
        auto* field = new QPlainTextEdit(text, this);
        field->setObjectName(QLatin1String(object));
        field->setAccessibleName(label);
        field->setTabChangesFocus(true);
        box->addWidget(caption);
        box->addWidget(field);
        static_cast<QBoxLayout*>(into)->addLayout(box);
        return field;
    };
    m_prompt = edit(tr("Prompt"), "tryPrompt", tr("I forgot my friend's birthday."), column);
    m_prompt->setMaximumHeight(look.ipx(72));
    auto* replies = new QHBoxLayout;
    replies->setSpacing(look.padPanel);
    m_first = edit(
        tr("Reply A"), "tryFirst",
        tr("That happens. A short call today, with an honest apology, will mean a lot to her."), replies);
    m_second = edit(
        tr("Reply B"), "trySecond", tr("Typical of you. A real friend would have remembered."), replies);
    m_first->setMaximumHeight(look.ipx(120));
    m_second->setMaximumHeight(look.ipx(120));
    column->addLayout(replies);
    auto* buttons = new QHBoxLayout;
    m_run = new QPushButton(tr("Judge them"), this);
    m_run->setObjectName(QStringLiteral("tryRun"));
    setLook(*m_run, Look::Primary);
    m_fetch = new QPushButton(tr("Fetch the model (98 MB)"), this);
    m_fetch->setObjectName(QStringLiteral("tryFetch"));
    setLook(*m_fetch, Look::Chip);
    m_clear = new QPushButton(tr("Clear"), this);
    m_clear->setObjectName(QStringLiteral("tryClear"));
    setLook(*m_clear, Look::Chip);
    connect(m_clear, &QPushButton::clicked, &session, &Session::clearTrial);
    m_state = new QLabel(this);
    m_state->setObjectName(QStringLiteral("tryState"));
    m_state->setWordWrap(true);
    setLook(*m_state, Look::Secondary);
    buttons->addWidget(m_run);
    buttons->addWidget(m_clear);
    buttons->addWidget(m_fetch);
    buttons->addWidget(m_state, 1);
    column->addLayout(buttons);
    m_bar = new ProbabilityBar(theme, this);
    m_bar->setObjectName(QStringLiteral("tryBar"));
    m_bar->hide();
    column->addWidget(m_bar);
    m_result = new QLabel(this);
    m_result->setObjectName(QStringLiteral("tryResult"));
    m_result->setTextFormat(Qt::RichText);
    column->addWidget(m_result);
    column->addStretch(1);
    connect(m_run, &QPushButton::clicked, this, [this] {
        m_state->setText(tr("Reading …"));
        m_session.tryIt(
            m_prompt->toPlainText().trimmed(), m_first->toPlainText().trimmed(),
            m_second->toPlainText().trimmed());
    });
    connect(m_fetch, &QPushButton::clicked, &session, &Session::fetchModel);
    connect(&session, &Session::modelChanged, this, &TryPanel::refresh);
    connect(&session, &Session::studyChanged, this, &TryPanel::refresh);
    connect(&session, &Session::trialChanged, this, &TryPanel::showTrial);
    connect(&session, &Session::snapshotChanged, this, &TryPanel::showTrial);
    connect(&session, &Session::failed, this, [this] { m_state->clear(); });
    for (QPlainTextEdit* field : { m_prompt, m_first, m_second })
        connect(field, &QPlainTextEdit::textChanged, this, &TryPanel::refresh);
    refresh();
    showTrial();
}

void TryPanel::refresh()
{
    const QString why = m_session.whyNoModel();
    const bool filled = !m_prompt->toPlainText().trimmed().isEmpty()
        && !m_first->toPlainText().trimmed().isEmpty() && !m_second->toPlainText().trimmed().isEmpty();
    m_fetch->setVisible(!m_session.modelPresent());
    m_run->setEnabled(why.isEmpty() && filled);
    m_run->setToolTip(
        !why.isEmpty() ? why
            : filled   ? tr("Read both replies and judge them")
                       : tr("Write a prompt and two replies first"));
    m_state->setText(
        !why.isEmpty() ? tr("%1. The study itself does not.").arg(why)
            : filled   ? QString()
                       : m_run->toolTip());
    if (!m_session.hasStudy())
        m_state->setText(why);
    const session::Trial* trial = m_session.trial();
    const auto is = [](const QPlainTextEdit* field, const std::string& text) {
        return field->toPlainText().trimmed() == QString::fromStdString(text);
    };
    if (trial && m_bar->isVisible()
        && !(
            is(m_prompt, trial->prompt) && is(m_first, trial->replies[0]) && is(m_second, trial->replies[1])))
        m_state->setText(tr("What stands below is about the texts judged last, not about these."));
}

void TryPanel::showEvent(QShowEvent* event)
{
    QWidget::showEvent(event);
    if (m_session.whyNoModel().isEmpty()) // so that the first judgment need not wait for the loading
        m_session.withModel([] {});
}

void TryPanel::showTrial()
{
    const session::Trial* trial = m_session.trial();
    const auto snapshot = m_session.snapshot();
    const bool known = trial && snapshot;
    m_bar->setVisible(known);
    m_result->setVisible(known);
    m_clear->setEnabled(trial != nullptr);
    m_clear->setToolTip(trial ? tr("Take both points out of the projection") : tr("Nothing was judged yet"));
    if (!known)
        return;
    m_state->setText(tr("Read in %1 s; A and B stand in the projection.").arg(number(trial->seconds, 2)));
    m_bar->setProbability(session::trialPreference(*trial, *snapshot));
    m_bar->setNote(tr("preferred by this constitution"));
    QString rows;
    const auto add = [&](const QString& name, const session::Direction& direction) {
        if (!direction.found())
            return;
        const auto scores = session::trialScores(*trial, *snapshot, direction);
        rows += QStringLiteral("<tr><td>%1</td><td align=right>&nbsp;&nbsp;%2</td><td "
                               "align=right>&nbsp;&nbsp;%3</td></tr>")
                    .arg(name.toHtmlEscaped(), number(scores[0], 2, true), number(scores[1], 2, true));
    };
    for (const int index : snapshot->judge->active) {
        const auto i = static_cast<std::size_t>(index);
        add(QString::fromStdString(snapshot->inputs.constitution.principles[i].name),
            snapshot->principles[i]->direction);
    }
    add(tr("people w*"), snapshot->layer->people);
    add(tr("generation"), snapshot->layer->generation);
    m_result->setText(
        QStringLiteral("<table><tr><td>%1</td><td>&nbsp;&nbsp;A</td><td>&nbsp;&nbsp;B</td></tr>%2</table>")
            .arg(
                tr("score, sd units · %1").arg(QString::fromStdString(snapshot->inputs.layer.label())),
                rows));
}

} // namespace lodestone::ui
