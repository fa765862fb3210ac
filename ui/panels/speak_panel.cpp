#include "ui/panels/speak_panel.h"

#include "ui/plots/theme.h"
#include "ui/widgets/arrow_slider.h"

#include <QCheckBox>
#include <QComboBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QSignalBlocker>
#include <cmath>

namespace lodestone::ui {
namespace {

constexpr double largestPush = 10; ///< standard deviations; the default model breaks before it
constexpr double pushStep = 0.5;

} // namespace

SpeakPanel::SpeakPanel(Theme& theme, Session& session, QWidget* parent)
    : QWidget(parent)
    , m_session(session)
{
    setObjectName(QStringLiteral("speakPanel"));
    const Palette& look = theme.palette();
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(look.padPanel, look.gap, look.padPanel, look.padPanel);
    column->setSpacing(look.gap);
    auto* title
        = new QLabel(tr("One prompt, answered by the model as it is and pushed along a direction."), this);
    setLook(*title, Look::Sentence);
    title->setWordWrap(true);
    column->addWidget(title);
    m_prompt = new QPlainTextEdit(tr("I forgot my friend's birthday. What should I say to her?"), this);
    m_prompt->setObjectName(QStringLiteral("speakPrompt"));
    m_prompt->setAccessibleName(tr("Prompt"));
    m_prompt->setTabChangesFocus(true);
    m_prompt->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    m_prompt->setFixedHeight(look.ipx(52));
    column->addWidget(m_prompt);
    column->addWidget(makeControls(theme));

    auto* answers = new QHBoxLayout;
    answers->setSpacing(look.padPanel);
    answers->addWidget(makeAnswer(theme, QStringLiteral("speakPlain"), m_plainTitle, m_plain, m_plainNote));
    answers->addWidget(
        makeAnswer(theme, QStringLiteral("speakPushed"), m_pushedTitle, m_pushed, m_pushedNote));
    column->addLayout(answers, 1);
    m_verdict = new QLabel(this);
    m_verdict->setObjectName(QStringLiteral("speakVerdict"));
    m_verdict->setWordWrap(true);
    setLook(*m_verdict, Look::Secondary);
    column->addWidget(m_verdict);

    connect(&session, &Session::snapshotChanged, this, &SpeakPanel::refreshDirections);
    connect(&session, &Session::modelChanged, this, &SpeakPanel::refresh);
    connect(&session, &Session::studyChanged, this, &SpeakPanel::refreshDirections);
    connect(&session.speaker(), &Speaker::changed, this, &SpeakPanel::refreshAnswers);
    connect(m_prompt, &QPlainTextEdit::textChanged, this, &SpeakPanel::refresh);
    connect(m_run, &QPushButton::clicked, this, &SpeakPanel::speak);
    connect(m_stop, &QPushButton::clicked, this, [this] { m_session.speaker().stop(); });
    connect(m_fetch, &QPushButton::clicked, &session, &Session::fetchModel);
    const auto again = [this] {
        refresh();
        if (m_spoken)
            speak();
    };
    connect(m_push, &ArrowSlider::valueChanged, this, again);
    connect(m_direction, &QComboBox::activated, this, again);
    connect(m_layer, &QComboBox::activated, this, again);
    connect(m_sampled, &QCheckBox::toggled, this, again);
    refreshDirections();
    refreshAnswers();
}

QWidget* SpeakPanel::makeControls(Theme& theme)
{
    const Palette& look = theme.palette();
    auto* box = new QFrame(this);
    setLook(*box, Look::Card);
    auto* column = new QVBoxLayout(box);
    column->setContentsMargins(look.padCard, look.padCard, look.padCard, look.padCard);
    column->setSpacing(look.gap);
    auto* choices = new QHBoxLayout;
    choices->setSpacing(look.gap);
    const auto choice = [&](const QString& label, const char* object) {
        auto* caption = new QLabel(label, box);
        setLook(*caption, Look::Secondary);
        auto* list = new QComboBox(box);
        list->setObjectName(QLatin1String(object));
        list->setAccessibleName(label);
        list->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
        list->setMinimumContentsLength(14);
        choices->addWidget(caption);
        choices->addWidget(list);
        return list;
    };
    m_direction = choice(tr("Push along"), "speakDirection");
    m_layer = choice(tr("at"), "speakLayer");
    m_layer->setToolTip(tr("Where the push is added. The direction is the one of the layer chosen above."));
    m_sampled = new QCheckBox(tr("Sampled"), box);
    m_sampled->setObjectName(QStringLiteral("speakSampled"));
    m_sampled->setToolTip(tr("Off: always the likeliest token. On: drawn at temperature 0.8 within a mass of "
                             "0.95, the same draws each time."));
    choices->addWidget(m_sampled);
    choices->addStretch(1);
    column->addLayout(choices);
    auto* push = new QHBoxLayout;
    push->setSpacing(look.padPanel);
    m_push = new ArrowSlider(theme, box);
    m_push->setObjectName(QStringLiteral("speakPush"));
    m_push->setAccessibleName(tr("Coefficient of the push, in standard deviations of the score"));
    m_push->setRange(largestPush, pushStep);
    m_push->setValue(4);
    m_pushText = new QLabel(box);
    m_pushText->setObjectName(QStringLiteral("speakPushText"));
    setLook(*m_pushText, Look::Figure);
    m_pushText->setMinimumWidth(look.ipx(92));
    m_pushText->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
    push->addWidget(m_push, 1);
    push->addWidget(m_pushText);
    column->addLayout(push);
    auto* buttons = new QHBoxLayout;
    buttons->setSpacing(look.gap);
    const auto button = [&](const QString& label, const char* object, Look kind) {
        auto* made = new QPushButton(label, box);
        made->setObjectName(QLatin1String(object));
        setLook(*made, kind);
        buttons->addWidget(made);
        return made;
    };
    m_run = button(tr("Speak"), "speakRun", Look::Primary);
    m_stop = button(tr("Stop"), "speakStop", Look::Chip);
    m_fetch = button(tr("Fetch the model (98 MB)"), "speakFetch", Look::Chip);
    m_state = new QLabel(box);
    m_state->setObjectName(QStringLiteral("speakState"));
    m_state->setWordWrap(true);
    setLook(*m_state, Look::Secondary);
    buttons->addWidget(m_state, 1);
    column->addLayout(buttons);
    return box;
}

QWidget* SpeakPanel::makeAnswer(
    Theme& theme, const QString& name, QLabel*& title, QPlainTextEdit*& text, QLabel*& note)
{
    const Palette& look = theme.palette();
    auto* box = new QWidget(this);
    auto* column = new QVBoxLayout(box);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(look.gapSmall);
    title = new QLabel(box);
    setLook(*title, Look::Strong);
    text = new QPlainTextEdit(box);
    text->setObjectName(name);
    text->setReadOnly(true);
    text->setMinimumHeight(look.ipx(72));
    note = new QLabel(box);
    note->setObjectName(name + QStringLiteral("Note"));
    setLook(*note, Look::Secondary);
    column->addWidget(title);
    column->addWidget(text, 1);
    column->addWidget(note);
    return box;
}

const NamedDirection* SpeakPanel::direction() const
{
    const QString key = m_direction->currentData().toString();
    for (const NamedDirection& one : m_directions)
        if (one.key == key)
            return &one;
    return nullptr;
}

void SpeakPanel::refreshDirections()
{
    const auto snapshot = m_session.snapshot();
    const QString chosen = m_direction->currentData().toString();
    const QSignalBlocker blockDirection(m_direction), blockLayer(m_layer);
    m_direction->clear();
    m_layer->clear();
    m_directions.clear();
    if (snapshot) {
        for (NamedDirection& one : namedDirections(*snapshot))
            if (!one.key.startsWith(QStringLiteral("component:"))) {
                m_direction->addItem(one.name, one.key);
                m_directions.push_back(std::move(one));
            }
        m_direction->setCurrentIndex(std::max(0, m_direction->findData(chosen)));
        for (int row = 0; row <= snapshot->foundation->study->model().blocks; ++row)
            m_layer->addItem(QString::fromStdString(Layer::atRow(row).label()), row);
        m_layer->setCurrentIndex(snapshot->inputs.layer.row()); // the push follows the scrubber
    }
    refresh();
}

std::array<QString, 2> SpeakPanel::endsOf(const NamedDirection& along) const
{
    if (along.key == QStringLiteral("constitution"))
        return { tr("against the constitution"), tr("with the constitution") };
    if (along.key == QStringLiteral("people"))
        return { tr("as people rejected"), tr("as people chose") };
    if (along.key == QStringLiteral("generation"))
        return { tr("what it would rather not write"), tr("what it would write") };
    for (const constitution::Principle& principle : m_session.inputs().constitution.principles)
        if (along.key == QStringLiteral("principle:") + QString::fromStdString(principle.id))
            return { QString::fromStdString(constitution::joinWords(principle.negative)),
                     QString::fromStdString(constitution::joinWords(principle.positive)) };
    return { tr("less %1").arg(along.name), tr("more %1").arg(along.name) };
}

QString SpeakPanel::pushInWords() const { return tr("%1 sd").arg(number(m_push->value(), 1, true)); }

void SpeakPanel::refresh()
{
    const QString why = m_session.whyNoModel();
    const NamedDirection* along = direction();
    const bool filled = !m_prompt->toPlainText().trimmed().isEmpty();
    m_fetch->setVisible(!m_session.modelPresent());
    m_run->setEnabled(why.isEmpty() && along && filled);
    m_run->setToolTip(
        !why.isEmpty() ? why
            : !along   ? tr("Needs a direction that was found")
            : !filled  ? tr("Write a prompt first")
                       : tr("Answer the prompt as the model is, and pushed"));
    for (QWidget* widget : { static_cast<QWidget*>(m_direction), static_cast<QWidget*>(m_layer),
                             static_cast<QWidget*>(m_push), static_cast<QWidget*>(m_sampled) })
        widget->setEnabled(along != nullptr);
    if (along) {
        const auto ends = endsOf(*along);
        m_push->setInk(along->ink);
        m_push->setEnds(ends[0], ends[1]);
    }
    m_pushText->setText(pushInWords());
    m_plainTitle->setText(tr("As it is"));
    m_pushedTitle->setText(along ? tr("Pushed %1 along %2").arg(pushInWords(), along->name) : tr("Pushed"));
    m_state->setText(
        !why.isEmpty() ? tr("%1. The study itself does not.").arg(why)
            : !along   ? tr("No direction was found at this layer.")
                     : tr("The read-out w is steered along Σw, where a unit raises the score by one standard "
                          "deviation."));
    if (!m_session.hasStudy())
        m_state->setText(why);
}

void SpeakPanel::speak()
{
    const NamedDirection* along = direction();
    const QString prompt = m_prompt->toPlainText().trimmed();
    if (!along || prompt.isEmpty() || !m_session.whyNoModel().isEmpty())
        return;
    m_spoken = true;
    SpeakRequest request;
    request.prompt = prompt;
    request.modelSha256 = m_session.foundation()->study->model().sha256;
    request.layer = Layer::atRow(m_layer->currentData().toInt());
    request.displacement = along->displacement;
    request.coefficient = m_push->value();
    request.sampling.maxTokens = 64;
    if (m_sampled->isChecked()) {
        request.sampling.temperature = 0.8;
        request.sampling.topP = 0.95;
        request.sampling.seed = m_session.inputs().seed;
    }
    m_session.speaker().speak(request);
}

void SpeakPanel::refreshAnswers()
{
    const Speaker& speaker = m_session.speaker();
    const auto show = [](QPlainTextEdit& field, const QString& text) {
        if (field.toPlainText() != text)
            field.setPlainText(text);
    };
    show(*m_plain, speaker.plain().text);
    show(*m_pushed, speaker.pushed().text);
    m_stop->setEnabled(speaker.speaking());
    m_stop->setToolTip(
        speaker.speaking() ? tr("Keep what was said so far") : tr("Nothing is being said now"));
    const auto figure = [](double value, int decimals) {
        return std::isfinite(value) ? number(value, decimals) : QStringLiteral("–");
    };
    const double plain = speaker.plain().perplexity, pushed = speaker.pushed().perplexity,
                 divergence = speaker.divergence();
    m_plainNote->setText(tr("perplexity %1").arg(figure(plain, 1)));
    m_pushedNote->setText(tr("perplexity %1 to the model as it is · KL of the first token %2 nats")
                              .arg(figure(pushed, 1), figure(divergence, 2)));
    const bool broken = Speaker::isBroken(divergence, plain, pushed);
    if (!broken && !speaker.pushed().done)
        return m_verdict->setText(QString());
    setLook(*m_verdict, broken ? Look::Warning : Look::Secondary);
    m_verdict->setText(
        broken ? tr(
            "Broken: this push takes the model where it hardly speaks its language. What it says there is no "
            "evidence about the direction.")
               : tr("The push is small enough for the model to go on speaking; perplexity is that of the "
                    "text under "
                    "the model as it is."));
}

} // namespace lodestone::ui
