#include "ui/panels/audit_panel.h"

#include "core/constitution/reply_reader.h"
#include "ui/models/spread_layers.h"
#include "ui/models/statement_links.h"
#include "ui/plots/theme.h"
#include "ui/session/ask_ways.h"
#include "ui/widgets/segmented_control.h"

#include <QComboBox>
#include <QDoubleSpinBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QStackedWidget>
#include <QToolButton>
#include <algorithm>
#include <cmath>
#include <utility>

namespace lodestone::ui {
namespace {

QString measureKind() { return QStringLiteral("audit"); }

QString stopped() { return AuditPanel::tr("It was stopped. Choose the place again to go on."); }

constexpr int probedLayers = 12; ///< of the curve: each costs three kernels

} // namespace

AuditPanel::AuditPanel(Theme& theme, Session& session, QWidget* parent)
    : QWidget(parent)
    , m_theme(theme)
    , m_session(session)
{
    setObjectName(QStringLiteral("auditPanel"));
    const Palette& look = theme.palette();
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(look.padPanel, look.gap, look.padPanel, look.padPanel);
    column->setSpacing(look.gap);
    makeHead();
    const auto words = [&](const char* object, Look kind) {
        auto* label = new QLabel(this);
        label->setObjectName(QLatin1String(object));
        label->setWordWrap(true);
        label->setTextInteractionFlags(
            Qt::TextSelectableByMouse | Qt::LinksAccessibleByMouse | Qt::LinksAccessibleByKeyboard);
        setLook(*label, kind);
        connect(label, &QLabel::linkActivated, this, &AuditPanel::statementRequested);
        return label;
    };
    m_sentence = words("auditSentence", Look::Sentence);
    column->addWidget(m_sentence);
    makeControls();
    m_charts = new QStackedWidget(this);
    m_lines = new SeriesView(theme, m_charts);
    m_lines->setObjectName(QStringLiteral("auditLines"));
    m_lines->setAccessibleName(tr("Probes of the answers by layer"));
    m_scores = new ScoreView(theme, m_charts);
    m_scores->setObjectName(QStringLiteral("auditScores"));
    m_charts->addWidget(m_lines);
    m_charts->addWidget(m_scores);
    column->addWidget(m_charts, 1);
    m_detail = words("auditDetail", Look::Secondary);
    column->addWidget(m_detail);
    column->addStretch(0); // where there is no chart the words stay at the top

    connect(m_segments, &SegmentedControl::currentChanged, this, &AuditPanel::placeChanged);
    connect(m_choice, &QComboBox::currentIndexChanged, this, &AuditPanel::start);
    connect(m_lines, &SeriesView::markerReleased, this, [this](double x) {
        session::Inputs next = m_session.inputs();
        const Layer layer = Layer::atRow(static_cast<int>(std::lround(x)) + 1);
        if (next.layer == layer)
            return;
        next.layer = layer;
        m_session.edit(tr("Change the layer"), next);
    });
    connect(&session, &Session::studyChanged, this, &AuditPanel::forget);
    connect(&session, &Session::snapshotChanged, this, [this] {
        fillPrinciples();
        start();
    });
    connect(&session, &Session::modelChanged, this, &AuditPanel::refreshControls);
    for (Lane* lane : { &session.sweepLane(), &session.modelLane() })
        connect(lane, &Lane::finished, this, [this] {
            // Stopped while it still waited: then no result comes.
            if (m_running && !m_session.sweepLane().busyWith(measureKind())) {
                m_running.reset();
                m_problem = stopped();
                showPlace();
            }
            refreshControls();
        });
    placeChanged();
}

void AuditPanel::makeHead()
{
    auto* head = new QHBoxLayout;
    m_segments = new SegmentedControl(this);
    m_segments->setObjectName(QStringLiteral("auditSegments"));
    m_segments->setSegments(
        { tr("How linear"), tr("Asked and enacted"), tr("Asked to judge"), tr("Adversary") });
    head->addWidget(m_segments);
    head->addStretch(1);
    const auto button = [&](const char* object, const char* icon, const QString& tip, auto signal) {
        auto* one = new QToolButton(this);
        one->setObjectName(QLatin1String(object));
        one->setIcon(m_theme.icon(QLatin1String(icon)));
        one->setAccessibleName(tip);
        one->setToolTip(tip);
        setLook(*one, Look::Ghost);
        head->addWidget(one);
        connect(one, &QToolButton::clicked, this, signal);
    };
    button("auditTable", "table", tr("The same as a table"), &AuditPanel::tableRequested);
    button("auditPicture", "image", tr("Save the picture"), &AuditPanel::pictureRequested);
    static_cast<QVBoxLayout*>(layout())->addLayout(head);
}

void AuditPanel::makeControls()
{
    auto* controls = new QWidget(this);
    auto* row = new QHBoxLayout(controls);
    row->setContentsMargins(0, 0, 0, 0);
    m_choice = new QComboBox(controls);
    m_choice->setObjectName(QStringLiteral("auditPrinciple"));
    m_choice->setAccessibleName(tr("Principle"));
    m_choice->setSizeAdjustPolicy(QComboBox::AdjustToContents);
    m_shots = new QComboBox(controls);
    m_shots->setObjectName(QStringLiteral("auditExamples"));
    m_shots->setAccessibleName(tr("Examples shown to the model first"));
    m_shots->setToolTip(tr("Labelled pairs of training prompts that the model is shown before it is asked"));
    for (const int shots : { 0, 1, 2, 8 })
        m_shots->addItem(shots == 1 ? tr("1 example") : tr("%1 examples").arg(shots), shots);
    m_looksName = new QLabel(tr("looks at least"), controls);
    setLook(*m_looksName, Look::Secondary);
    m_looks = new QDoubleSpinBox(controls);
    m_looks->setObjectName(QStringLiteral("auditLooks"));
    m_looks->setAccessibleName(tr("Least cosine with the model's own good against bad"));
    m_looks->setToolTip(m_looks->accessibleName());
    m_looks->setRange(0, 0.9);
    m_looks->setSingleStep(0.1);
    m_looks->setDecimals(1);
    m_looks->setValue(0.3);
    m_looksName->setBuddy(m_looks);
    m_run = new QPushButton(controls);
    m_run->setObjectName(QStringLiteral("auditRun"));
    m_follow = new QPushButton(controls);
    m_follow->setObjectName(QStringLiteral("auditFollow"));
    for (QWidget* one :
         std::initializer_list<QWidget*>{ m_choice, m_shots, m_looksName, m_looks, m_run, m_follow })
        row->addWidget(one);
    row->addStretch(1);
    connect(m_shots, &QComboBox::currentIndexChanged, this, &AuditPanel::showPlace);
    connect(m_looks, &QDoubleSpinBox::valueChanged, this, &AuditPanel::showPlace);
    connect(m_run, &QPushButton::clicked, this, &AuditPanel::run);
    connect(m_follow, &QPushButton::clicked, this, &AuditPanel::follow);
    layout()->addWidget(controls);
}

AuditPanel::Place AuditPanel::place() const { return static_cast<Place>(m_segments->current()); }

ChartView& AuditPanel::chart() const
{
    return place() == Linear ? static_cast<ChartView&>(*m_lines) : *m_scores;
}

int AuditPanel::principle() const
{
    const auto count = static_cast<int>(m_session.inputs().constitution.principles.size());
    const int at = m_choice->currentIndex();
    return m_session.hasStudy() && at < count ? at : -1;
}

void AuditPanel::showEvent(QShowEvent* event)
{
    QWidget::showEvent(event);
    if (m_stale)
        start();
}

void AuditPanel::placeChanged()
{
    m_charts->setCurrentWidget(&chart());
    start();
}

void AuditPanel::fillPrinciples()
{
    QStringList names, shown;
    for (const constitution::Principle& one : m_session.inputs().constitution.principles)
        names << QString::fromStdString(one.name);
    for (int i = 0; i < m_choice->count(); ++i)
        shown << m_choice->itemText(i);
    if (names == shown)
        return;
    const QSignalBlocker quiet(m_choice);
    const int at = m_choice->currentIndex();
    m_choice->clear();
    m_choice->addItems(names);
    m_choice->setCurrentIndex(std::clamp(at, names.isEmpty() ? -1 : 0, static_cast<int>(names.size()) - 1));
}

void AuditPanel::forget()
{
    m_linear.reset();
    m_enacted.reset();
    m_said.reset();
    m_asked.reset();
    m_adversary.reset();
    m_running.reset();
    m_problem.clear();
    showPlace();
}

bool AuditPanel::shows(const std::shared_ptr<const data::Study>& study) const
{
    return m_session.hasStudy() && m_session.foundation()->study == study;
}

std::vector<Layer> AuditPanel::curveLayers() const
{
    const auto snapshot = m_session.snapshot();
    const data::Study& study = *snapshot->foundation->study;
    std::vector<Layer> layers;
    for (const Layer& layer : study.layers())
        if (study.has(layer, snapshot->inputs.position))
            layers.push_back(layer);
    return spreadLayers(layers, snapshot->inputs.layer, probedLayers);
}

template <typename T>
void AuditPanel::measure(
    std::optional<Kept<T>>& kept, Fingerprint key, std::function<Result<T>(const Work&)> body)
{
    if (m_running == key)
        return; // a snapshot comes more than once for an edit
    if (kept && kept->key == key) {
        if (std::exchange(m_running, std::nullopt))
            m_session.sweepLane().cancel(measureKind());
        return showPlace();
    }
    m_running = key;
    showPlace();
    m_session.sweepLane().run<T>(measureKind(), std::move(body), [this, &kept, key](Result<T> found) {
        if (m_running != key) // another study, place or edit came
            return;
        m_running.reset();
        kept.reset();
        if (found)
            kept = Kept<T>{ std::move(*found), key };
        else
            m_problem = found.error().kind == ErrorKind::Cancelled
                ? stopped()
                : QString::fromStdString(found.error().message());
        showPlace();
        Q_EMIT measured();
    });
}

void AuditPanel::start()
{
    m_stale = true;
    const auto snapshot = m_session.snapshot();
    if (!isVisible() || !snapshot)
        return showPlace();
    m_stale = false;
    m_problem.clear();
    const auto count = static_cast<int>(snapshot->inputs.constitution.principles.size());
    if (place() == Linear && principle() >= 0 && principle() < count)
        return startLinear();
    if (place() == Enacted)
        return startEnacted();
    if (std::exchange(m_running, std::nullopt))
        m_session.sweepLane().cancel(measureKind());
    showPlace();
}

void AuditPanel::startLinear()
{
    const auto snapshot = m_session.snapshot();
    const constitution::Principle one
        = snapshot->inputs.constitution.principles[static_cast<std::size_t>(principle())];
    // Displacements have no answers; answers that are read from states are linear in them by making.
    const constitution::WayInfo* way = constitution::findWay(one.way);
    const std::string asked
        = way && way->yields == constitution::Yields::ReadOut && !way->fromStates ? one.way : "cloze";
    const std::vector<Layer> layers = curveLayers();
    const session::Foundation& foundation = *snapshot->foundation;
    Fingerprint key;
    key.add(foundation.study->fingerprint()).add(snapshot->inputs.position).add(snapshot->inputs.seed);
    for (const std::string& text : { asked, one.name, one.text, constitution::joinWords(one.positive),
                                     constitution::joinWords(one.negative) })
        key.add(text).add(text.size());
    for (const Layer& layer : layers)
        key.add(layer.row());
    key.add(foundation.answers->size()).add(foundation.cloze ? foundation.cloze->knowledgeOf(one) : 0);
    const Ink ink = Ink::principle(principle());
    measure<audit::Linear>(
        m_linear, key, [snapshot, one, asked, layers, ink](const Work& work) -> Result<audit::Linear> {
            session::LinearityOptions options;
            options.way = asked;
            options.layers = layers;
            options.position = snapshot->inputs.position;
            options.seed = snapshot->inputs.seed;
            constitution::WayContext context = snapshot->foundation->wayContext();
            context.rows = constitution::labelledRows(snapshot->foundation->study->set());
            LODESTONE_TRY(
                auto found, session::linearityOf(*snapshot->foundation, { one }, context, options, work));
            return audit::Linear{ std::move(found), QString::fromStdString(one.name),
                                  QString::fromStdString(asked), ink };
        });
}

void AuditPanel::startEnacted()
{
    const auto snapshot = m_session.snapshot();
    using List = std::vector<session::AskedEnacted>;
    Fingerprint key;
    key.add(snapshot->foundation->study->fingerprint()).add(snapshot->foundation->answers->size());
    key.add(snapshot->inputs.layer.row()).add(snapshot->inputs.position);
    for (std::size_t i = 0; i < snapshot->principles.size(); ++i)
        key.add(snapshot->inputs.constitution.principles[i].name).add(snapshot->principles[i]->key);
    measure<List>(m_enacted, key, [snapshot](const Work& work) {
        session::EnactedOptions options;
        options.seed = snapshot->inputs.seed;
        constitution::WayContext context = snapshot->foundation->wayContext();
        context.rows = constitution::labelledRows(snapshot->foundation->study->set());
        return session::askedAndEnacted(
            *snapshot->foundation, *snapshot->layer, snapshot->inputs.constitution.principles, context,
            options, work);
    });
}

void AuditPanel::say(const audit::Words& words)
{
    m_sentence->setText(words.sentence);
    m_detail->setText(withStatementLinks(words.detail));
    // Axes without a figure would be invented ones.
    const auto& marks = m_scores->marks();
    m_charts->setVisible(
        place() == Linear ? !m_lines->series().isEmpty()
                          : std::any_of(marks.begin(), marks.end(), [](const ScoreMark& mark) {
                                return std::isfinite(mark.value);
                            }));
}

void AuditPanel::showScores(const audit::Scores& scores)
{
    m_scores->setShares(place() != Enacted);
    m_scores->setScores(scores.marks, scores.lines, scores.title);
}

void AuditPanel::showPlace()
{
    refreshControls();
    const auto nothing = [this] {
        m_lines->setSeries({});
        m_lines->setMarker(std::nullopt);
        showScores({});
    };
    const auto snapshot = m_session.snapshot();
    if (!snapshot || !shows(snapshot->foundation->study)) {
        nothing();
        return say({ m_session.hasStudy() ? tr("One moment: the study is being read.")
                                          : tr("Open a study, and its judge is examined here."),
                     {} });
    }
    if (!m_problem.isEmpty()) {
        nothing();
        return say({ tr("This cannot be examined here."), m_problem });
    }
    if (m_running) {
        nothing();
        return say({ place() == Linear ? tr("One moment: the answers are being probed.")
                                       : tr("One moment: what is stored is being compared."),
                     {} });
    }
    switch (place()) {
    case Linear:
        return showLinear();
    case Enacted:
        showScores(m_enacted ? audit::enactedScores(m_enacted->value) : audit::Scores());
        if (!m_enacted || snapshot->foundation->study->set().kind != data::ItemKind::Reply)
            return say({ tr("A word and its conduct cannot be compared here."), whyNot() });
        return say(audit::enactedWords(m_enacted->value, !snapshot->foundation->study->set().labelled()));
    case Asked:
        return showAsked();
    case Adversary: {
        if (!m_adversary) {
            nothing();
            const QString why = whyNot();
            return say(
                { tr("Which principles would look harmless and do most harm to what people want?"),
                  !why.isEmpty()
                      ? why
                      : tr(
                          "The search goes through all pairs of the study's words, then adds words and "
                          "ordinary "
                          "principles. It writes principles, never replies; beside it stands what would have "
                          "caught them.") });
        }
        showScores(audit::adversaryScores(m_adversary->value));
        audit::Words words = audit::adversaryWords(m_adversary->value);
        if (m_adversary->key != adversaryKey())
            words.sentence.prepend(tr("Of an earlier setting: "));
        return say(words);
    }
    }
}

void AuditPanel::showLinear()
{
    if (principle() < 0 || !m_linear) {
        m_lines->setSeries({});
        m_lines->setMarker(std::nullopt);
        return say({ tr("Add a principle, and how linear its answers are is shown here."), {} });
    }
    m_lines->setAxes({ tr("block output (-1: embedding)") }, { tr("held-out r²") });
    m_lines->setSeries(audit::linearSeries(m_linear->value));
    m_lines->setMarkerSnaps(true);
    const Layer layer = m_session.snapshot()->inputs.layer;
    m_lines->setMarker(layer.row() - 1);
    say(audit::linearWords(m_linear->value, layer));
}

void AuditPanel::showAsked()
{
    m_asked.reset();
    if (!m_said) {
        showScores({});
        const QString why = whyNot();
        return say(
            { tr("The linear judge reads the model's states. What does the model say when it is asked?"),
              !why.isEmpty()
                  ? why
                  : tr("It is shown both replies with the principles' texts and answers A or B, in both "
                       "orders "
                       "(Lee et al. 2023), for up to %1 held-out pairs. Minutes; more with examples.")
                        .arg(mostPairs) });
    }
    m_asked = audit::beside(*m_session.snapshot(), m_said->value); // the judge as it is now
    showScores(audit::askedScores(*m_asked));
    audit::Words words = audit::askedWords(*m_asked);
    if (m_said->key != askedKey())
        words.sentence.prepend(tr("Asked by other texts than now: "));
    say(words);
    refreshControls();
}

void AuditPanel::refreshControls()
{
    const Place at = place();
    m_choice->setVisible(at == Linear);
    m_shots->setVisible(at == Asked);
    m_looks->setVisible(at == Adversary);
    m_looksName->setVisible(at == Adversary);
    const bool missing
        = at == Enacted && m_enacted && !m_running
        && std::any_of(m_enacted->value.begin(), m_enacted->value.end(), [](const auto& one) {
               return one.missingModel
                   || (one.problem.empty()
                       && one.asked[static_cast<int>(session::CrossTarget::Enacted)].items == 0);
           });
    m_run->setVisible(missing || at == Asked || at == Adversary);
    const QString kind = at == Enacted ? askWaysKind() : at == Asked ? judgeKind() : searchKind();
    const bool busy = (at == Adversary ? m_session.sweepLane() : m_session.modelLane()).busyWith(kind);
    const QString why = whyNot();
    m_run->setText(
        at == Adversary ? (busy ? tr("Searching …") : tr("Search"))
            : busy      ? tr("Asking …")
                        : tr("Ask the model"));
    m_run->setEnabled(!busy && why.isEmpty());
    m_run->setToolTip(
        !why.isEmpty()        ? why
            : at == Adversary ? tr("Searches the words of this study; seconds")
                              : tr("The foot of the window shows how long, and stops it"));
    m_follow->setVisible(
        (at == Asked && m_asked && !m_asked->differ.empty()) || (at == Adversary && m_adversary));
    m_follow->setText(at == Adversary ? tr("Try it") : tr("Show the pairs where they differ"));
    m_follow->setToolTip(
        at == Adversary ? tr("Its principles become the constitution; Ctrl+Z goes back")
                        : tr("“Judgments” lists them, and the projection selects their replies"));
}

TextTable AuditPanel::table() const
{
    if (place() == Linear && m_linear)
        return audit::linearTable(m_linear->value);
    if (place() == Enacted && m_enacted)
        return audit::enactedTable(m_enacted->value);
    if (place() == Asked && m_asked)
        return audit::askedTable(*m_asked, m_session.foundation()->study->set());
    if (place() == Adversary && m_adversary)
        return audit::adversaryTable(m_adversary->value);
    return { m_segments->segment(m_segments->current())->text(), {}, {} };
}

} // namespace lodestone::ui
