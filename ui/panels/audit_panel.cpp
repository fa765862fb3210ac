#include "ui/panels/audit_panel.h"

#include "core/constitution/reply_reader.h"
#include "core/judgment/calibration.h"
#include "core/session/layer_stage.h"
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
#include <QScrollArea>
#include <QStackedWidget>
#include <QToolButton>
#include <algorithm>

namespace lodestone::ui {
namespace {

/// Layers that the curve of the place "How linear" is made of: each costs three kernels.
constexpr int curveLayers = 12;
/// Held-out pairs that the model is asked about, in both orders.
constexpr std::size_t mostPairs = 200;

QString measureKind() { return QStringLiteral("audit"); }
QString judgeKind() { return QStringLiteral("asked to judge"); }
QString searchKind() { return QStringLiteral("adversary"); }

std::vector<int> heldOutPairs(const session::Snapshot& snapshot)
{
    std::vector<int> pairs;
    for (const judgment::PairJudgment& judged : snapshot.judge->pairs)
        if (judged.heldOut)
            pairs.push_back(judged.pair);
    if (pairs.size() <= mostPairs)
        return pairs;
    std::vector<int> some;
    for (std::size_t i = 0; i < mostPairs; ++i)
        some.push_back(pairs[i * pairs.size() / mostPairs]);
    return some;
}

/// The model's answers beside the linear judge's on the same pairs.
audit::Asked beside(const session::Snapshot& snapshot, judgment::PromptedJudgments prompted)
{
    const data::ResponseSet& set = snapshot.foundation->study->set();
    audit::Asked asked;
    asked.constitution = QString::fromStdString(snapshot.inputs.constitution.name);
    std::vector<judgment::PairJudgment> linear, longer;
    std::vector<double> said[2];
    std::vector<std::pair<double, int>> differ;
    for (const judgment::PromptedPair& pair : prompted.pairs) {
        const auto found = std::find_if(
            snapshot.judge->pairs.begin(), snapshot.judge->pairs.end(),
            [&](const judgment::PairJudgment& judged) { return judged.pair == pair.pair; });
        if (found == snapshot.judge->pairs.end())
            continue;
        linear.push_back(*found);
        said[0].push_back(found->p - 0.5);
        said[1].push_back(pair.p() - 0.5);
        if (said[0].back() * said[1].back() < 0)
            differ.emplace_back(-std::min(std::abs(said[0].back()), std::abs(said[1].back())), pair.pair);
        const data::Pair& texts = set.pairs[static_cast<std::size_t>(pair.pair)];
        const int tokens = set.responses[static_cast<std::size_t>(texts.chosen)].tokens
            - set.responses[static_cast<std::size_t>(texts.rejected)].tokens;
        longer.push_back({ pair.pair, tokens > 0 ? 1.0 : tokens < 0 ? 0.0 : 0.5, {}, true });
    }
    std::sort(differ.begin(), differ.end());
    for (const auto& [sureness, pair] : differ)
        asked.differ.push_back(pair);
    asked.linear = judgment::agreement(set, linear, snapshot.inputs.seed);
    asked.longer = judgment::agreement(set, longer, snapshot.inputs.seed);
    asked.kappa = judgment::kappa(said[0], said[1]);
    asked.prompted = std::move(prompted);
    return asked;
}

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
    connect(&session, &Session::studyChanged, this, [this] {
        m_linear.reset();
        m_enacted.reset();
        m_asked.reset();
        m_adversary.reset();
    });
    connect(&session, &Session::snapshotChanged, this, [this] {
        fillPrinciples();
        start();
    });
    connect(&session, &Session::modelChanged, this, &AuditPanel::refreshControls);
    for (Lane* lane : { &session.sweepLane(), &session.modelLane() })
        connect(lane, &Lane::finished, this, [this, lane](const QString& kind) {
            if (lane == &m_session.sweepLane() && kind == measureKind() && !lane->busyWith(kind))
                m_jobs = 0;
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

Fingerprint AuditPanel::keyOf(Place of) const
{
    Fingerprint key;
    const auto snapshot = m_session.snapshot();
    if (!snapshot)
        return key;
    key.add(snapshot->foundation->study->fingerprint()).add(snapshot->inputs.position);
    key.add(snapshot->foundation->answers->size());
    const auto add = [&](std::size_t at) {
        key.add(snapshot->inputs.constitution.principles[at].name).add(snapshot->principles[at]->key);
    };
    if (of == Linear && principle() >= 0)
        add(static_cast<std::size_t>(principle()));
    if (of == Enacted)
        for (std::size_t i = 0; i < snapshot->principles.size(); ++i)
            add(i);
    if (of != Asked)
        key.add(snapshot->inputs.layer.row());
    if (of == Asked)
        key.add(judgment::criterionOf(snapshot->inputs.constitution)).add(m_shots->currentData().toInt());
    if (of == Adversary)
        key.add(m_looks->value());
    return key;
}

template <typename T>
void AuditPanel::measure(
    std::optional<Kept<T>>& kept, Fingerprint key, std::function<Result<T>(const Work&)> body)
{
    if (kept && kept->key == key)
        return showPlace();
    ++m_jobs;
    m_session.sweepLane().run<T>(measureKind(), std::move(body), [this, &kept, key](Result<T> found) {
        m_jobs = 0;
        kept.reset();
        m_problem.clear();
        if (found)
            kept = Kept<T>{ std::move(*found), key };
        else if (found.error().kind != ErrorKind::Cancelled)
            m_problem = QString::fromStdString(found.error().message());
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
    if (place() == Linear && principle() >= 0)
        startLinear();
    else if (place() == Enacted)
        startEnacted();
    else
        showPlace();
}

void AuditPanel::startLinear()
{
    const auto snapshot = m_session.snapshot();
    const auto& asked = snapshot->inputs.constitution.principles;
    if (principle() >= static_cast<int>(asked.size()))
        return showPlace();
    const constitution::Principle one = asked[static_cast<std::size_t>(principle())];
    const data::Study& study = *snapshot->foundation->study;
    std::vector<Layer> layers;
    for (const Layer& layer : study.layers())
        if (study.has(layer, snapshot->inputs.position))
            layers.push_back(layer);
    layers = spreadLayers(layers, snapshot->inputs.layer, curveLayers);
    measure<session::Linearity>(m_linear, keyOf(Linear), [snapshot, one, layers](const Work& work) {
        session::LinearityOptions options;
        const constitution::WayInfo* way = constitution::findWay(one.way);
        options.way = way && way->yields == constitution::Yields::ReadOut ? one.way : "cloze";
        options.layers = layers;
        options.position = snapshot->inputs.position;
        options.seed = snapshot->inputs.seed;
        constitution::WayContext context = snapshot->foundation->wayContext();
        context.rows = constitution::labelledRows(snapshot->foundation->study->set());
        return session::linearityOf(*snapshot->foundation, { one }, context, options, work);
    });
}

void AuditPanel::startEnacted()
{
    const auto snapshot = m_session.snapshot();
    using List = std::vector<session::AskedEnacted>;
    measure<List>(m_enacted, keyOf(Enacted), [snapshot](const Work& work) {
        session::EnactedOptions options;
        options.seed = snapshot->inputs.seed;
        constitution::WayContext context = snapshot->foundation->wayContext();
        context.rows = constitution::labelledRows(snapshot->foundation->study->set());
        return session::askedAndEnacted(
            *snapshot->foundation, *snapshot->layer, snapshot->inputs.constitution.principles, context,
            options, work);
    });
}

void AuditPanel::run()
{
    if (place() == Enacted)
        askInWays(
            m_session, m_session.inputs().constitution.principles,
            { "cloze", "persona-difference", "implicit-reward" });
    else if (place() == Asked)
        askToJudge();
    else if (place() == Adversary)
        search();
    refreshControls();
}

void AuditPanel::askToJudge()
{
    m_session.withModel([this] {
        const auto snapshot = m_session.snapshot();
        const auto model = m_session.model();
        if (!snapshot || !model)
            return;
        judgment::PromptedOptions options;
        options.fewShot = m_shots->currentData().toInt();
        options.seed = snapshot->inputs.seed;
        const Fingerprint key = keyOf(Asked);
        m_session.modelLane().run<audit::Asked>(
            judgeKind(),
            [snapshot, model, options](const Work& work) -> Result<audit::Asked> {
                const std::vector<int> pairs = heldOutPairs(*snapshot);
                if (pairs.empty())
                    return badInput(
                        "judged pairs on held-out prompts", "none",
                        snapshot->foundation->study->folder().string());
                auto said = judgment::judgeByPrompt(
                    *snapshot->foundation->study, *model, snapshot->inputs.constitution,
                    snapshot->foundation->training, options, pairs, work);
                if (!said)
                    return tl::unexpected(said.error());
                return beside(*snapshot, std::move(*said));
            },
            [this, key](Result<audit::Asked> asked) {
                if (!asked)
                    return m_session.report(asked.error());
                m_asked = Kept<audit::Asked>{ std::move(*asked), key };
                showPlace();
                Q_EMIT measured();
            });
        refreshControls();
    });
}

void AuditPanel::search()
{
    const auto snapshot = m_session.snapshot();
    if (!snapshot)
        return;
    session::SearchOptions options;
    options.looks = m_looks->value();
    const Fingerprint key = keyOf(Adversary);
    const std::filesystem::path folder = m_session.resources() / "constitutions";
    m_session.sweepLane().run<audit::Adversary>(
        searchKind(),
        [snapshot, options, folder](const Work& work) mutable -> Result<audit::Adversary> {
            LODESTONE_TRY(const auto ordinary, session::ordinaryConstitutions(folder));
            for (const constitution::Constitution& one : ordinary)
                options.pool.insert(options.pool.end(), one.principles.begin(), one.principles.end());
            audit::Adversary found;
            found.layer = snapshot->inputs.layer;
            LODESTONE_TRY(
                found.search,
                session::searchAdversarial(*snapshot->foundation, *snapshot->layer, options, work));
            session::Inputs inputs = snapshot->inputs;
            LODESTONE_TRY(
                found.defence,
                session::defend(snapshot->foundation, inputs, found.search.constitution, ordinary, work));
            return found;
        },
        [this, key](Result<audit::Adversary> found) {
            if (!found)
                return m_session.report(found.error());
            m_adversary = Kept<audit::Adversary>{ std::move(*found), key };
            showPlace();
            Q_EMIT measured();
        });
}

void AuditPanel::follow()
{
    if (place() == Asked && m_asked) {
        const data::ResponseSet& set = m_session.foundation()->study->set();
        QVector<int> rows;
        for (const int pair : m_asked->value.differ)
            for (const int reply : { set.pairs[static_cast<std::size_t>(pair)].chosen,
                                     set.pairs[static_cast<std::size_t>(pair)].rejected })
                rows << reply;
        m_session.selection().setRows(rows);
    } else if (place() == Adversary && m_adversary) {
        session::Inputs next = m_session.inputs();
        next.constitution = m_adversary->value.search.constitution;
        m_session.edit(tr("Try the adversary's constitution"), next);
    }
}

void AuditPanel::say(const audit::Words& words)
{
    m_sentence->setText(words.sentence);
    m_detail->setText(withStatementLinks(words.detail));
}

void AuditPanel::showScores(const audit::Scores& scores)
{
    m_scores->setShares(place() != Enacted);
    m_scores->setScores(scores.marks, scores.lines, scores.title);
}

void AuditPanel::showPlace()
{
    refreshControls();
    const auto snapshot = m_session.snapshot();
    if (!snapshot) {
        m_lines->setSeries({});
        showScores({});
        return say({ tr("Open a study, and its judge is examined here."), {} });
    }
    if (!m_problem.isEmpty()) {
        m_lines->setSeries({});
        showScores({});
        return say({ tr("This cannot be examined here."), m_problem });
    }
    const QString old = tr(" These figures are of an earlier setting: run it again for the present one.");
    switch (place()) {
    case Linear: {
        if (principle() < 0)
            return say({ tr("Add a principle, and how linear its answers are is shown here."), {} });
        if (!m_linear)
            return say({ tr("One moment: the answers are being probed."), {} });
        const QString name = m_choice->currentText();
        m_lines->setAxes({ tr("block output (-1: embedding)") }, { tr("held-out r²") });
        m_lines->setSeries(audit::linearSeries(m_linear->value, Ink::principle(std::max(0, principle()))));
        m_lines->setMarkerSnaps(true);
        m_lines->setMarker(snapshot->inputs.layer.row() - 1);
        return say(audit::linearWords(m_linear->value, name, snapshot->inputs.layer));
    }
    case Enacted:
        if (!m_enacted)
            return say({ tr("One moment: what is stored is being compared."), {} });
        showScores(audit::enactedScores(m_enacted->value));
        return say(audit::enactedWords(m_enacted->value));
    case Asked: {
        if (!m_asked) {
            showScores({});
            return say(
                { tr("The linear judge reads the model's states. What does the model say when it is asked?"),
                  tr("It is shown both replies with the principles' texts and answers A or B, in both orders "
                     "(Lee et al. 2023), for up to %1 held-out pairs: about a minute.")
                      .arg(mostPairs) });
        }
        showScores(audit::askedScores(m_asked->value));
        audit::Words words = audit::askedWords(m_asked->value);
        if (m_asked->key != keyOf(Asked))
            words.detail += old;
        return say(words);
    }
    case Adversary: {
        if (!m_adversary) {
            showScores({});
            return say(
                { tr("Which principles would look harmless and do most harm to what people want?"),
                  tr("The search goes through all pairs of the study's words, then adds words and ordinary "
                     "principles. It writes principles, never replies; beside it stands what would have "
                     "caught them.") });
        }
        showScores(audit::adversaryScores(m_adversary->value));
        audit::Words words = audit::adversaryWords(m_adversary->value);
        if (m_adversary->key != keyOf(Adversary))
            words.detail += old;
        return say(words);
    }
    }
}

void AuditPanel::refreshControls()
{
    const Place at = place();
    const bool study = m_session.snapshot() != nullptr;
    m_choice->setVisible(at == Linear);
    m_shots->setVisible(at == Asked);
    m_looks->setVisible(at == Adversary);
    m_looksName->setVisible(at == Adversary);
    const bool missing = at == Enacted && m_enacted
        && std::any_of(m_enacted->value.begin(), m_enacted->value.end(),
                       [](const auto& one) { return one.missingModel; });
    m_run->setVisible(missing || at == Asked || at == Adversary);
    const QString kind = at == Enacted ? askWaysKind() : at == Asked ? judgeKind() : searchKind();
    const bool busy = (at == Adversary ? m_session.sweepLane() : m_session.modelLane()).busyWith(kind);
    const QString noModel = at == Adversary ? QString() : m_session.whyNoModel();
    m_run->setText(
        at == Adversary ? (busy ? tr("Searching …") : tr("Search"))
            : busy      ? tr("Asking …")
                        : tr("Ask the model"));
    m_run->setEnabled(study && !busy && noModel.isEmpty());
    m_run->setToolTip(
        !noModel.isEmpty()    ? noModel
            : at == Adversary ? tr("Searches the words of this study; seconds")
                              : tr("The foot of the window shows how long, and stops it"));
    const bool differ = at == Asked && m_asked && !m_asked->value.differ.empty();
    m_follow->setVisible(differ || (at == Adversary && m_adversary));
    m_follow->setText(at == Adversary ? tr("Try it") : tr("Show the pairs where they differ"));
    m_follow->setToolTip(
        at == Adversary ? tr("Its principles become the constitution; Ctrl+Z goes back")
                        : tr("“Judgments” lists them, and the projection selects their replies"));
}

TextTable AuditPanel::table() const
{
    switch (place()) {
    case Linear:
        if (m_linear)
            return audit::linearTable(m_linear->value, m_choice->currentText());
        break;
    case Enacted:
        if (m_enacted)
            return audit::enactedTable(m_enacted->value);
        break;
    case Asked:
        if (m_asked)
            return audit::askedTable(m_asked->value, m_session.foundation()->study->set());
        break;
    case Adversary:
        if (m_adversary)
            return audit::adversaryTable(m_adversary->value);
        break;
    }
    return { m_segments->segment(m_segments->current())->text(), {}, {} };
}

} // namespace lodestone::ui
