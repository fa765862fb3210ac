#include "ui/cards/principle_card.h"

#include "core/session/chance_words.h"

#include "ui/cards/notes_dialog.h"
#include "ui/cards/propose_poles.h"
#include "ui/cards/scope_dialog.h"
#include "ui/plots/theme.h"
#include "ui/widgets/in_place_edit.h"
#include "ui/widgets/swatch.h"
#include "ui/widgets/weight_slider.h"

#include <QCheckBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QMenu>
#include <QToolButton>
#include <algorithm>
#include <cmath>
#include <set>

namespace lodestone::ui {

PrincipleCard::PrincipleCard(Theme& theme, Session& session, int index, QWidget* parent)
    : QFrame(parent)
    , m_theme(theme)
    , m_session(session)
    , m_index(index)
{
    setObjectName(QStringLiteral("principle%1").arg(index));
    setLook(*this, Look::Card);
    const Palette& look = theme.palette();
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(look.padCard, look.padCard, look.padCard, look.padCard);
    column->setSpacing(look.ipx(6));

    auto* head = new QHBoxLayout;
    head->setSpacing(look.gap);
    m_on = new QCheckBox(this);
    m_on->setObjectName(QStringLiteral("on"));
    m_on->setAccessibleName(tr("Principle counts"));
    m_on->setToolTip(tr("Whether this principle counts"));
    m_name = new QLineEdit(this);
    m_name->setObjectName(QStringLiteral("name"));
    m_name->setFrame(false);
    m_name->setFont(theme.font(look.fontText, QFont::DemiBold));
    m_name->setAccessibleName(tr("Name of the principle"));
    m_name->setStyleSheet(QStringLiteral("background: transparent; border: none;"));
    auto* more = new QToolButton(this);
    more->setObjectName(QStringLiteral("more"));
    more->setIcon(theme.icon(QStringLiteral("more")));
    more->setPopupMode(QToolButton::InstantPopup);
    more->setAccessibleName(tr("More about this principle"));
    setLook(*more, Look::Ghost);
    more->setStyleSheet(QStringLiteral("QToolButton::menu-indicator { image: none; width: 0; }"));
    fillMenu(more);
    head->addWidget(m_on);
    head->addWidget(new Swatch(theme, Ink::principle(index), Marker::Square, {}, this));
    m_limits = new QLabel(this);
    m_limits->setObjectName(QStringLiteral("limits"));
    setLook(*m_limits, Look::Small);
    m_limits->hide();
    head->addWidget(m_name, 1);
    head->addWidget(m_limits);
    head->addWidget(more);
    column->addLayout(head);

    const auto inPlace = [&](const char* object, const QString& accessible) {
        auto* edit = new InPlaceEdit(this);
        edit->setObjectName(QLatin1String(object));
        edit->setAccessibleName(accessible);
        return edit;
    };
    m_text = inPlace("text", tr("The principle's text"));
    m_text->setToolTip(
        tr("The principle in a sentence. It counts when the card's menu says “Judge by the text”."));
    column->addWidget(m_text);
    auto* poles = new QHBoxLayout;
    poles->setSpacing(look.gapSmall);
    m_positive = inPlace("positive", tr("Words of the positive pole"));
    m_negative = inPlace("negative", tr("Words of the negative pole"));
    m_positive->setToolTip(
        tr("Words the model would use for a reply that follows the principle, separated by commas"));
    m_negative->setToolTip(tr("Words for a reply that breaks it"));
    auto* arrow = new QLabel(QStringLiteral("⟷"), this);
    setLook(*arrow, Look::Secondary);
    poles->addWidget(m_positive, 1);
    poles->addWidget(arrow);
    poles->addWidget(m_negative, 1);
    column->addLayout(poles);

    m_weight = new WeightSlider(theme, this);
    m_weight->setObjectName(QStringLiteral("weight"));
    m_weight->setAccessibleName(tr("Weight"));
    m_weight->setInk(Ink::principle(index));
    column->addWidget(m_weight);

    auto* evidence = new QHBoxLayout;
    m_heldOut = new QLabel(this);
    m_heldOut->setObjectName(QStringLiteral("heldOut"));
    m_linear = new QLabel(this);
    m_linear->setObjectName(QStringLiteral("linear"));
    m_status = new QLabel(this);
    m_status->setObjectName(QStringLiteral("status"));
    setLook(*m_heldOut, Look::Small);
    setLook(*m_linear, Look::Small);
    m_heldOut->setToolTip(tr("Share of held-out pairs about this value that the direction judges as people "
                             "did, with its 95 % interval over prompts"));
    m_linear->setToolTip(tr("Held-out correlation of the direction's scores with what the model answered: "
                            "how linear this judgment is"));
    evidence->addWidget(m_heldOut);
    evidence->addStretch(1);
    evidence->addWidget(m_linear);
    evidence->addStretch(1);
    evidence->addWidget(m_status);
    column->addLayout(evidence);

    connect(m_on, &QCheckBox::clicked, this, [this](bool on) {
        change(
            on ? tr("Switch a principle on") : tr("Switch a principle off"),
            [on](constitution::Principle& p) { p.on = on; });
    });
    connect(m_name, &QLineEdit::editingFinished, this, [this] {
        change(tr("Rename a principle"), [this](constitution::Principle& p) {
            p.name = m_name->text().trimmed().toStdString();
        });
    });
    connect(m_text, &QLineEdit::editingFinished, this, [this] {
        change(tr("Edit a principle's text"), [this](constitution::Principle& p) {
            p.text = m_text->text().trimmed().toStdString();
        });
    });
    connect(m_positive, &QLineEdit::editingFinished, this, &PrincipleCard::commitPoles);
    connect(m_negative, &QLineEdit::editingFinished, this, &PrincipleCard::commitPoles);
    connect(m_weight, &WeightSlider::valueChanged, this, [this](double value) {
        change(
            tr("Change a weight"), [value](constitution::Principle& p) { p.weight = value; },
            QStringLiteral("weight%1").arg(m_index));
    });
    connect(m_weight, &WeightSlider::sliderReleased, this, [this] { m_session.endMerge(); });
    showInputs();
    showEvidence();
}

const constitution::Principle* PrincipleCard::principle() const
{
    const auto& list = m_session.inputs().constitution.principles;
    return m_index < static_cast<int>(list.size()) ? &list[static_cast<std::size_t>(m_index)] : nullptr;
}

void PrincipleCard::showMarked()
{
    if (!principle() || !m_session.hasStudy())
        return;
    std::set<std::string> ids;
    for (const constitution::Mark& mark : principle()->marks)
        ids.insert({ mark.follows, mark.breaks });
    QVector<int> rows;
    const auto& responses = m_session.foundation()->study->set().responses;
    for (std::size_t i = 0; i < responses.size(); ++i)
        if (ids.count(responses[i].id))
            rows << static_cast<int>(i);
    m_session.selection().setRows(rows);
}

void PrincipleCard::fillMenu(QToolButton* button)
{
    auto* menu = new QMenu(button);
    menu->setObjectName(QStringLiteral("principleMenu"));
    auto* byText = menu->addAction(tr("Judge by the text"));
    byText->setObjectName(QStringLiteral("judgeByText"));
    byText->setCheckable(true);
    connect(byText, &QAction::triggered, this, [this](bool on) {
        change(on ? tr("Judge by the text") : tr("Judge by the words"), [on](constitution::Principle& p) {
            p.way = on ? "conditioned-cloze" : "cloze";
        });
    });
    auto* turn = menu->addAction(tr("Turn round (change the sign)"));
    turn->setObjectName(QStringLiteral("turnRound"));
    connect(turn, &QAction::triggered, this, [this] {
        change(tr("Turn a principle round"), [](constitution::Principle& p) { p.weight = -p.weight; });
    });
    auto* swap = menu->addAction(tr("Swap the poles"));
    swap->setObjectName(QStringLiteral("swapPoles"));
    connect(swap, &QAction::triggered, this, [this] {
        change(tr("Swap poles"), [](constitution::Principle& p) { std::swap(p.positive, p.negative); });
    });
    auto* propose = menu->addAction(tr("Propose pole words"));
    propose->setObjectName(QStringLiteral("proposePoles"));
    propose->setToolTip(tr("From the text: by templates, and where none fits by the model"));
    connect(propose, &QAction::triggered, this, [this] {
        if (principle())
            proposePoles(m_session, principle()->id);
    });
    auto* scope = menu->addAction(tr("Where it applies …"));
    scope->setObjectName(QStringLiteral("scope"));
    connect(scope, &QAction::triggered, this, [this] {
        if (!principle() || !m_session.hasStudy())
            return;
        auto* dialog = new ScopeDialog(m_theme, m_session, *principle(), this);
        connect(dialog, &QDialog::accepted, this, [this, dialog] {
            change(tr("Change where a principle applies"), [dialog](constitution::Principle& p) {
                p.scope = dialog->scope();
                p.priority = dialog->priority();
            });
        });
        dialog->open();
    });
    auto* notes = menu->addAction(tr("Notes …"));
    notes->setObjectName(QStringLiteral("notes"));
    connect(notes, &QAction::triggered, this, [this] {
        if (!principle())
            return;
        auto* dialog = new NotesDialog(m_theme, *principle(), this);
        connect(dialog, &QDialog::accepted, this, [this, dialog] {
            change(tr("Edit notes"), [dialog](constitution::Principle& p) { p.notes = dialog->notes(); });
        });
        dialog->open();
    });
    auto* marked = menu->addAction(tr("Show its marked pairs"));
    marked->setObjectName(QStringLiteral("showMarked"));
    connect(marked, &QAction::triggered, this, &PrincipleCard::showMarked);
    menu->addSeparator();
    auto* remove = menu->addAction(tr("Remove"));
    remove->setObjectName(QStringLiteral("remove"));
    connect(remove, &QAction::triggered, this, [this] {
        session::Inputs next = m_session.inputs();
        if (m_index >= static_cast<int>(next.constitution.principles.size()))
            return;
        next.constitution.principles.erase(next.constitution.principles.begin() + m_index);
        m_session.edit(tr("Remove a principle"), next);
    });
    connect(menu, &QMenu::aboutToShow, this, [this, byText, marked] {
        const bool any = principle() && !principle()->marks.empty();
        marked->setEnabled(any);
        marked->setToolTip(
            any ? tr("Select the replies of its examples in every place")
                : tr("No pair is marked as an example: choose one in “Judgments” and press “A follows it”"));
        byText->setChecked(principle() && principle()->way == "conditioned-cloze");
        const QString why = m_session.whyNoModel();
        byText->setEnabled(why.isEmpty() || byText->isChecked());
        byText->setToolTip(why.isEmpty() ? tr("The model reads every reply again with this text") : why);
    });
    button->setMenu(menu);
}

void PrincipleCard::change(
    const QString& text, const std::function<void(constitution::Principle&)>& edit, const QString& merge)
{
    session::Inputs next = m_session.inputs();
    if (m_index >= static_cast<int>(next.constitution.principles.size()))
        return;
    constitution::Principle& target = next.constitution.principles[static_cast<std::size_t>(m_index)];
    const constitution::Principle before = target;
    edit(target);
    if (!(target == before))
        m_session.edit(text, next, merge);
}

void PrincipleCard::commitPoles()
{
    change(tr("Edit pole words"), [this](constitution::Principle& p) {
        p.positive = constitution::wordsOf(m_positive->text().toStdString());
        p.negative = constitution::wordsOf(m_negative->text().toStdString());
    });
}

void PrincipleCard::showInputs()
{
    const constitution::Principle* p = principle();
    if (!p)
        return;
    const auto set = [](QLineEdit* edit, const std::string& text) {
        const QString shown = QString::fromStdString(text);
        if (!edit->hasFocus() || edit->text() != shown) {
            if (edit->text() != shown)
                edit->setText(shown);
            if (!edit->hasFocus())
                edit->setCursorPosition(0);
        }
    };
    m_text->setToolTip(
        tr("%1\n\nThe principle in a sentence. It counts when the card's menu says “Judge by the text”.")
            .arg(QString::fromStdString(p->text)));
    m_positive->setToolTip(
        tr("%1\n\nWords the model would use for a reply that follows the principle, separated by commas")
            .arg(QString::fromStdString(constitution::joinWords(p->positive))));
    m_negative->setToolTip(tr("%1\n\nWords for a reply that breaks it")
                               .arg(QString::fromStdString(constitution::joinWords(p->negative))));
    // What narrows it is seen without opening anything.
    QStringList limits;
    if (!p->scope.everywhere())
        limits << tr("some prompts");
    if (p->priority > 1)
        limits << tr("priority %1").arg(p->priority);
    if (!p->marks.empty())
        limits << (p->marks.size() == 1 ? tr("1 example") : tr("%1 examples").arg(p->marks.size()));
    if (!p->notes.empty())
        limits << tr("notes");
    m_limits->setText(limits.join(QStringLiteral(", ")));
    m_limits->setVisible(!limits.isEmpty());
    m_on->setChecked(p->on);
    set(m_name, p->name);
    set(m_text, p->text);
    set(m_positive, constitution::joinWords(p->positive));
    set(m_negative, constitution::joinWords(p->negative));
    m_weight->setValue(p->weight);
    const bool weighted = m_session.inputs().constitution.mapping == constitution::Mapping::Weighted;
    m_weight->setEnabled(weighted && p->on);
    m_weight->setToolTip(
        !weighted   ? tr("In a projection only the span of the principles counts, not their weights")
            : p->on ? tr("Weight from −2 to +2; a negative one turns the principle round")
                    : tr("This principle is switched off"));
    const bool byText = p->way == "conditioned-cloze";
    for (QLineEdit* pole : { m_positive, m_negative }) {
        pole->setEnabled(!byText);
        if (byText)
            pole->setToolTip(tr("This principle is judged by its text, not by pole words"));
    }
}

void PrincipleCard::showMarks(const session::MarksUsed& marks)
{
    QString tip = tr("Where it applies and when it decides: in the menu of this card");
    if (marks.count() > 0) {
        tip = tr("Examples: %1 on training prompts, %2 on held-out ones (they do not train), %3 unknown "
                 "here. ")
                  .arg(marks.training)
                  .arg(marks.heldOut)
                  .arg(marks.unknown);
        if (!marks.used())
            tip += tr("Two on training prompts are needed to correct the direction.");
        else if (!std::isfinite(marks.cosineWithWords))
            tip += tr("The words gave no direction: this one is made of the examples alone.");
        else if (marks.logBayesFactor > 0)
            tip += tr("They turned the direction: its cosine with the words' own is %1, and they are %2 "
                      "times as "
                      "likely as under the words alone.")
                       .arg(
                           number(marks.cosineWithWords, 2, false, true),
                           QString::number(std::exp(marks.logBayesFactor), 'g', 3));
        else
            tip += tr("The words explain them: the direction is the words' own.");
    }
    if (principle() && !principle()->notes.empty())
        tip = QString::fromStdString(principle()->notes) + QStringLiteral("\n\n") + tip;
    m_limits->setToolTip(QStringLiteral("<qt>%1</qt>")
                             .arg(tip.toHtmlEscaped().replace(QLatin1Char('\n'), QStringLiteral("<br>"))));
}

void PrincipleCard::showEvidence()
{
    const auto snapshot = m_session.snapshot();
    if (!snapshot || m_index >= static_cast<int>(snapshot->principles.size()))
        return;
    const session::PrincipleStage& stage = *snapshot->principles[static_cast<std::size_t>(m_index)];
    showMarks(stage.marks);
    if (!stage.problem.empty()) {
        m_heldOut->setText({});
        m_linear->setText({});
        setLook(*m_status, Look::Warning);
        const QString asking = principle() ? m_session.asking().running(*principle()) : QString();
        const QString why = m_session.whyNoModel();
        m_status->setText(
            !asking.isEmpty()               ? asking
                : stage.problem.size() < 40 ? QString::fromStdString(stage.problem)
                                            : tr("no direction"));
        m_status->setToolTip(
            QString::fromStdString(stage.problem)
            + (asking.isEmpty() && !why.isEmpty() ? QLatin1Char(' ') + why : QString()));
        return;
    }
    const bool pairs = !snapshot->foundation->study->set().labelled();
    const geometry::Estimate& score = pairs ? stage.aboutValue.accuracy : stage.aboutValue.auc;
    const QString held = pairs ? QStringLiteral("%1 %").arg(percent(score.value))
                               : QStringLiteral("AUC %1").arg(number(score.value, 2, false, true));
    // A principle about a value that nobody labelled is scored on all labels, and says so.
    const auto values = snapshot->foundation->study->set().values();
    const bool own = !pairs || values.empty()
        || (principle() && std::find(values.begin(), values.end(), principle()->value) != values.end());
    m_heldOut->setText(
        score.interval.isKnown()
            ? (own ? tr("held out <b>%1</b> %2–%3") : tr("all labels <b>%1</b> %2–%3"))
                  .arg(
                      held, pairs ? percent(score.interval.low) : number(score.interval.low, 2, false, true),
                      pairs ? percent(score.interval.high) : number(score.interval.high, 2, false, true))
            : tr("held out <b>%1</b>, too few").arg(held));
    m_linear->setText(tr("linear <b>%1</b>").arg(number(stage.direction.linearity, 2, false, true)));
    const bool found = score.interval.low > 0.5, turned = score.interval.high < 0.5;
    const auto chance = snapshot->chanceWords[static_cast<std::size_t>(m_index)];
    const double byChance
        = chance ? session::shareByChance(*chance, score.value) : std::numeric_limits<double>::quiet_NaN();
    const bool anyWords = found && byChance > 0.05;
    setLook(*m_status, found && !anyWords ? Look::Success : Look::Warning);
    const QString asking = principle() ? m_session.asking().running(*principle()) : QString();
    const auto asked = stage.judged.scores.array().isFinite().count();
    const bool partly
        = principle() && principle()->way == "conditioned-cloze" && asked < stage.judged.scores.size();
    m_status->setText(
        !asking.isEmpty() ? asking
            : partly      ? tr("%1 of %2 read").arg(asked).arg(stage.judged.scores.size())
            : anyWords    ? tr("any words")
            : found       ? tr("found")
            : turned      ? tr("turned round")
                          : tr("not found"));
    QString why = found
        ? tr("The interval lies above one half: these words find people's judgment in this model.")
        : turned ? tr("The interval lies below one half: these words find the opposite of people's judgment.")
                 : tr("The interval includes one half: this model does not find this value by these words.");
    if (!own)
        why = tr("This study has no labels about this principle's value: it is scored on all of them. ")
            + why;
    if (partly && asking.isEmpty())
        why = tr("The model was stopped before it had read every reply. ") + why;
    if (std::isfinite(byChance))
        why += tr(" Of %1 draws of random words from this study's table %2 agree as often or more%3.")
                   .arg(chance->size())
                   .arg(std::lround(byChance * static_cast<double>(chance->size())))
                   .arg(
                       anyWords
                           ? tr(": what is found may be what all its words share, such as praise and blame")
                           : QString());
    if (!stage.judged.unknown.empty()) {
        QStringList unknown;
        for (const std::string& word : stage.judged.unknown)
            unknown << QString::fromStdString(word);
        why += tr(" Left out, because the model does not write them as one token of their own: %1.")
                   .arg(unknown.join(QStringLiteral(", ")));
    }
    m_status->setToolTip(why);
}

} // namespace lodestone::ui
