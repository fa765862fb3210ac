#include "ui/panels/label_dialog.h"

#include "core/judgment/labelling.h"
#include "ui/plots/theme.h"

#include <QFrame>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QSettings>
#include <QTextBrowser>
#include <algorithm>

namespace lodestone::ui {

LabelDialog::LabelDialog(Theme& theme, Session& session, QWidget* parent)
    : QDialog(parent)
    , m_session(session)
    , m_foundation(session.sharedFoundation())
{
    setObjectName(QStringLiteral("labelDialog"));
    setAttribute(Qt::WA_DeleteOnClose);
    setWindowTitle(tr("Label pairs"));
    setFocusPolicy(Qt::StrongFocus);
    const Palette& look = theme.palette();
    resize(look.ipx(860), look.ipx(560));
    auto* column = new QVBoxLayout(this);
    column->setSpacing(look.gap);
    const auto label = [&](const char* object, Look as) {
        auto* text = new QLabel(this);
        text->setObjectName(QLatin1String(object));
        text->setWordWrap(true);
        text->setTextFormat(Qt::PlainText);
        setLook(*text, as);
        return text;
    };
    auto* top = new QHBoxLayout;
    m_question = label("labelQuestion", Look::Sentence);
    top->addWidget(m_question, 1);
    auto* caption = label("labelRaterCaption", Look::Secondary);
    caption->setText(tr("Rater"));
    m_rater = new QLineEdit(QSettings().value(QStringLiteral("rater"), tr("rater 1")).toString(), this);
    m_rater->setObjectName(QStringLiteral("labelRater"));
    m_rater->setAccessibleName(tr("Rater"));
    m_rater->setToolTip(tr("Who labels: saved with every answer. Two raters can be compared."));
    m_rater->setMaximumWidth(look.ipx(160));
    top->addWidget(caption);
    top->addWidget(m_rater);
    column->addLayout(top);
    m_prompt = new QTextBrowser(this); // a long prompt scrolls
    m_prompt->setObjectName(QStringLiteral("labelPrompt"));
    m_prompt->setAccessibleName(tr("Prompt"));
    m_prompt->setFocusPolicy(Qt::NoFocus);
    m_prompt->setOpenLinks(false);
    m_prompt->setFixedHeight(look.ipx(84));
    column->addWidget(m_prompt);
    auto* replies = new QHBoxLayout;
    replies->setSpacing(look.padPanel);
    const auto reply = [&](const char* object, const QString& name) {
        auto* card = new QFrame(this);
        setLook(*card, Look::Card);
        auto* inside = new QVBoxLayout(card);
        inside->setContentsMargins(look.padCard, look.padCard, look.padCard, look.padCard);
        auto* side = new QLabel(name, card);
        setLook(*side, Look::Secondary);
        inside->addWidget(side);
        auto* text = new QTextBrowser(card);
        text->setObjectName(QLatin1String(object));
        text->setAccessibleName(name);
        text->setFocusPolicy(Qt::NoFocus); // the arrow keys answer
        text->setOpenLinks(false);
        text->document()->setDocumentMargin(0);
        inside->addWidget(text, 1);
        replies->addWidget(card);
        return text;
    };
    m_left = reply("labelLeft", tr("Left reply"));
    m_right = reply("labelRight", tr("Right reply"));
    column->addLayout(replies, 1);
    auto* buttons = new QHBoxLayout;
    const auto button = [&](const char* object, const QString& text, const QString& tip, auto run) {
        auto* made = new QPushButton(text, this);
        made->setObjectName(QLatin1String(object));
        made->setToolTip(tip);
        made->setFocusPolicy(Qt::NoFocus);
        made->setAutoDefault(false);
        setLook(*made, Look::Chip);
        connect(made, &QPushButton::clicked, this, run);
        buttons->addWidget(made);
        return made;
    };
    using data::LabelAnswer;
    m_answers
        = { button(
                "labelLeftBetter", tr("← Left is better"), tr("Left arrow"),
                [this] { answer(LabelAnswer::Left); }),
            button("labelTie", tr("↓ A tie"), tr("Down arrow"), [this] { answer(LabelAnswer::Tie); }),
            button(
                "labelRightBetter", tr("Right is better →"), tr("Right arrow"),
                [this] { answer(LabelAnswer::Right); }),
            button("labelSkip", tr("Skip (Space)"), tr("Space: not asked again, counts nowhere"), [this] {
                answer(LabelAnswer::Skip);
            }) };
    buttons->addStretch(1);
    m_back = button("labelBack", tr("Take back"), tr("Ctrl+Z"), [this] { takeBack(); });
    column->addLayout(buttons);
    m_state = label("labelState", Look::Secondary);
    column->addWidget(m_state);
    connect(m_rater, &QLineEdit::returnPressed, this, [this] { setFocus(); });
    connect(m_rater, &QLineEdit::editingFinished, this, [this] {
        QSettings().setValue(QStringLiteral("rater"), QString::fromStdString(rater()));
        showNext();
    });
    // Another study: these pairs are not its pairs.
    connect(&session, &Session::studyChanged, this, &QDialog::close);
    load();
    showNext();
    setFocus();
}

std::string LabelDialog::rater() const
{
    const QString name = m_rater->text().trimmed();
    return name.isEmpty() ? tr("rater 1").toStdString() : name.toStdString();
}

void LabelDialog::load()
{
    auto file = data::readLabels(data::labelFile(*m_foundation->study));
    if (file)
        m_labels = std::move(file->labels);
    else
        m_session.report(file.error());
}

bool LabelDialog::event(QEvent* event)
{
    // Ctrl+Z is the window's undo elsewhere; here it is the labels'.
    if (event->type() == QEvent::ShortcutOverride
        && static_cast<QKeyEvent*>(event)->matches(QKeySequence::Undo)) {
        event->accept();
        return true;
    }
    return QDialog::event(event);
}

void LabelDialog::keyPressEvent(QKeyEvent* event)
{
    using data::LabelAnswer;
    if (event->matches(QKeySequence::Undo))
        return takeBack();
    if ((event->modifiers() & ~Qt::KeypadModifier) == Qt::NoModifier && !event->isAutoRepeat())
        switch (event->key()) {
        case Qt::Key_Left:
            return answer(LabelAnswer::Left);
        case Qt::Key_Right:
            return answer(LabelAnswer::Right);
        case Qt::Key_Down:
            return answer(LabelAnswer::Tie);
        case Qt::Key_Space:
            return answer(LabelAnswer::Skip);
        default:
            break;
        }
    QDialog::keyPressEvent(event);
}

void LabelDialog::answer(data::LabelAnswer answer)
{
    if (m_pair < 0)
        return;
    const data::ResponseSet& set = m_foundation->study->set();
    const data::Pair& pair = set.pairs[static_cast<std::size_t>(m_pair)];
    const bool chosenLeft = judgment::chosenAtLeft(set, m_pair);
    const auto idOf = [&set](int row) { return set.responses[static_cast<std::size_t>(row)].id; };
    const data::PairLabel label{ pair.id,
                                 idOf(chosenLeft ? pair.chosen : pair.rejected),
                                 idOf(chosenLeft ? pair.rejected : pair.chosen),
                                 answer,
                                 rater(),
                                 {} };
    if (const auto saved = data::appendLabel(data::labelFile(*m_foundation->study), label); !saved) {
        showState(QString::fromStdString(saved.error().message())); // the pair stays: nothing was said yet
        return;
    }
    load();
    showNext();
    Q_EMIT labelled();
}

void LabelDialog::takeBack()
{
    const auto last = std::find_if(
        m_labels.rbegin(), m_labels.rend(), [this](const auto& label) { return label.rater == rater(); });
    if (last == m_labels.rend())
        return;
    data::PairLabel label = *last;
    label.answer = data::LabelAnswer::TakenBack;
    label.time.clear();
    if (const auto saved = data::appendLabel(data::labelFile(*m_foundation->study), label); !saved) {
        showState(QString::fromStdString(saved.error().message()));
        return;
    }
    load();
    const auto& pairs = m_foundation->study->set().pairs;
    const auto found = std::find_if(
        pairs.begin(), pairs.end(), [&](const data::Pair& pair) { return pair.id == label.pair; });
    if (found == pairs.end())
        showNext();
    else
        showPair(static_cast<int>(found - pairs.begin()));
    Q_EMIT labelled();
}

void LabelDialog::showNext()
{
    const data::ResponseSet& set = m_foundation->study->set();
    std::vector<bool> done(set.pairs.size(), false);
    for (std::size_t i = 0; i < done.size(); ++i)
        done[i] = std::any_of(m_labels.begin(), m_labels.end(), [&](const data::PairLabel& label) {
            return label.pair == set.pairs[i].id && label.rater == rater();
        });
    const auto snapshot = m_session.snapshot();
    const bool same = snapshot && snapshot->judge && snapshot->foundation->study == m_foundation->study;
    showPair(judgment::leastCertain(
        set,
        same ? std::span<const judgment::PairJudgment>(snapshot->judge->pairs)
             : std::span<const judgment::PairJudgment>(),
        done));
}

void LabelDialog::showPair(int pair)
{
    m_pair = pair;
    const data::ResponseSet& set = m_foundation->study->set();
    const auto textOf = [&set](int row) { return QString::fromStdString(set.shownText(row)); };
    if (pair >= 0) {
        const data::Pair& shown = set.pairs[static_cast<std::size_t>(pair)];
        const bool chosenLeft = judgment::chosenAtLeft(set, pair);
        m_question->setText(
            shown.value.empty()
                ? tr("Which reply is better?")
                : tr("Which reply is better? It is about: %1").arg(QString::fromStdString(shown.value)));
        m_prompt->setPlainText(QString::fromStdString(set.promptText(shown.chosen)));
        m_left->setPlainText(textOf(chosenLeft ? shown.chosen : shown.rejected));
        m_right->setPlainText(textOf(chosenLeft ? shown.rejected : shown.chosen));
    } else {
        m_question->setText(tr("Every pair is labelled."));
        m_prompt->clear();
        m_left->clear();
        m_right->clear();
    }
    showState();
}

void LabelDialog::showState(const QString& problem)
{
    const data::ResponseSet& set = m_foundation->study->set();
    const auto mine = std::count_if(
        m_labels.begin(), m_labels.end(), [this](const auto& label) { return label.rater == rater(); });
    for (QPushButton* button : m_answers) {
        button->setEnabled(m_pair >= 0);
    }
    m_back->setEnabled(mine > 0);
    m_back->setToolTip(mine > 0 ? tr("Ctrl+Z") : tr("This rater has not answered yet"));
    setLook(*m_state, problem.isEmpty() ? Look::Secondary : Look::Error);
    if (!problem.isEmpty()) {
        m_state->setText(tr("Not saved: %1").arg(problem));
        return;
    }
    QString text = tr("%1 of %2 pairs answered; next comes the one that the constitution is least sure of.")
                       .arg(mine)
                       .arg(set.pairs.size());
    const auto raters = judgment::sidesByRater(set, m_labels);
    const auto own = raters.find(rater());
    for (const auto& [name, sides] : raters)
        if (own != raters.end() && name != rater()) {
            const auto both = judgment::agreementOf(set, own->second, sides);
            if (both.pairs > 0)
                text += QLatin1Char(' ')
                    + tr("With %1: equal on %2 of %3, kappa %4%5.")
                          .arg(QString::fromStdString(name))
                          .arg(qRound(both.accuracy.value * both.pairs))
                          .arg(both.pairs)
                          .arg(both.kappa.value, 0, 'f', 2)
                          .arg(
                              both.kappa.interval.isKnown() ? tr(" (%1 to %2)")
                                                                  .arg(both.kappa.interval.low, 0, 'f', 2)
                                                                  .arg(both.kappa.interval.high, 0, 'f', 2)
                                                            : QString());
        }
    m_state->setText(text);
}

} // namespace lodestone::ui
