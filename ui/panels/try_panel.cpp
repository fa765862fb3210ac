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
    m_state = new QLabel(this);
    m_state->setObjectName(QStringLiteral("tryState"));
    setLook(*m_state, Look::Secondary);
    buttons->addWidget(m_run);
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
    connect(&session, &Session::trialReady, this, &TryPanel::show);
    connect(&session, &Session::failed, this, [this] { m_state->clear(); });
    for (QPlainTextEdit* field : { m_prompt, m_first, m_second })
        connect(field, &QPlainTextEdit::textChanged, this, &TryPanel::refresh);
    refresh();
}

void TryPanel::refresh()
{
    const bool present = m_session.modelPresent();
    m_fetch->setVisible(!present);
    const bool filled = !m_prompt->toPlainText().trimmed().isEmpty()
        && !m_first->toPlainText().trimmed().isEmpty() && !m_second->toPlainText().trimmed().isEmpty();
    m_run->setEnabled(present && filled && m_session.hasStudy());
    m_run->setToolTip(
        !present      ? tr("Needs the model: fetch it first")
            : !filled ? tr("Write a prompt and two replies first")
                      : QString());
    if (!present)
        m_state->setText(tr("Your own texts need the model; the study does not."));
    else if (m_state->text() == tr("Your own texts need the model; the study does not."))
        m_state->clear();
}

void TryPanel::show(const Trial& trial)
{
    m_state->setText(tr("Read in %1 s").arg(number(trial.seconds, 2)));
    m_bar->setVisible(true);
    m_bar->setProbability(trial.p);
    m_bar->setNote(tr("preferred by this constitution"));
    QString rows;
    for (int i = 0; i < trial.names.size(); ++i)
        rows += QStringLiteral("<tr><td>%1</td><td align=right>&nbsp;&nbsp;%2</td><td "
                               "align=right>&nbsp;&nbsp;%3</td></tr>")
                    .arg(
                        trial.names[i].toHtmlEscaped(),
                        number(trial.scores[static_cast<std::size_t>(i)][0], 2, true),
                        number(trial.scores[static_cast<std::size_t>(i)][1], 2, true));
    m_result->setText(
        QStringLiteral("<table><tr><td>%1</td><td>&nbsp;&nbsp;A</td><td>&nbsp;&nbsp;B</td></tr>%2</table>")
            .arg(tr("score, sd units"), rows));
}

} // namespace lodestone::ui
