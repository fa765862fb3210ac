#include "ui/panels/lab_panel.h"

#include "core/policy/rules.h"
#include "core/session/policy_lab.h"
#include "ui/models/statement_links.h"
#include "ui/plots/theme.h"
#include "ui/widgets/segmented_control.h"
#include "ui/widgets/thin_bar.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QSlider>
#include <QStackedWidget>
#include <QTimer>
#include <QToolButton>
#include <algorithm>
#include <cmath>

namespace lodestone::ui {
namespace {

const QString& jobKind()
{
    static const QString kind = QStringLiteral("policy lab");
    return kind;
}

struct DosedFailure {
    policy::FailureEffect effect;
    std::vector<policy::FailureEffect> curve;
};

/// What a round's judge is like, by the entry of the list.
policy::RoundSettings roundSettings(int mode)
{
    policy::RoundSettings settings;
    settings.rounds = 12;
    settings.drift = mode == 1 ? 0.15 : 0;
    settings.selfPreference = mode == 2 ? 2 : 0;
    settings.chain = mode >= 3;
    settings.humanShare = mode == 4 ? 1.0 / 3 : 0;
    return settings;
}

} // namespace

LabPanel::LabPanel(Theme& theme, Session& session, QWidget* parent)
    : QWidget(parent)
    , m_theme(theme)
    , m_session(session)
{
    setObjectName(QStringLiteral("labPanel"));
    buildHead();
    buildPlaces();
    connect(m_segments, &SegmentedControl::currentChanged, this, [this] { placeChanged(); });
    for (const QLabel* words : { m_sentence, m_detail })
        connect(words, &QLabel::linkActivated, this, &LabPanel::statementRequested);
    connect(m_budget, &QSlider::valueChanged, this, [this] { start(); });
    connect(m_rule, &QComboBox::currentIndexChanged, this, [this] { start(); });
    connect(m_failure, &QComboBox::currentIndexChanged, this, [this] {
        setUsualDose();
        start();
    });
    setUsualDose();
    connect(m_dose, &QSlider::valueChanged, this, [this] { start(); });
    connect(m_rounds, &QComboBox::currentIndexChanged, this, [this] { start(); });
    connect(m_time, &QSlider::valueChanged, this, &LabPanel::showRound);
    connect(m_roundChart, &SeriesView::markerMoved, this, [this](double x) {
        m_time->setValue(static_cast<int>(std::lround(x)));
    });
    m_timer = new QTimer(this);
    m_timer->setInterval(500);
    connect(m_timer, &QTimer::timeout, this, [this] {
        if (m_time->value() >= m_time->maximum())
            m_play->setChecked(false);
        else
            m_time->setValue(m_time->value() + 1);
    });
    connect(m_play, &QToolButton::toggled, this, [this](bool on) {
        m_play->setIcon(m_theme.icon(on ? QStringLiteral("stop") : QStringLiteral("play")));
        if (on && m_time->value() >= m_time->maximum())
            m_time->setValue(0);
        on ? m_timer->start() : m_timer->stop();
    });
    for (const QComboBox* choice : { m_desk, m_stage })
        connect(choice, &QComboBox::currentIndexChanged, this, [this] { refreshControls(); });
    connect(m_pipelineRows, &IntervalRows::currentChanged, this, [this](int row) {
        if (row >= 0 && static_cast<std::size_t>(row) < m_pipelines.size())
            m_detail->setText(lab::pipelineDetail(m_pipelines[static_cast<std::size_t>(row)]));
    });
    connect(&session, &Session::studyChanged, this, &LabPanel::forget);
    connect(&session, &Session::snapshotChanged, this, [this] { start(); });
    connect(&session.sweepLane(), &Lane::finished, this, [this](const QString& kind) {
        if (kind == jobKind() && !m_session.sweepLane().busyWith(kind)) {
            m_jobs = 0;
            m_progress->setVisible(false);
        }
    });
    connect(
        &session.sweepLane(), &Lane::progressed, this, [this](const QString& kind, const Progress& progress) {
            if (kind == jobKind())
                m_progress->setFraction(progress.total > 0 ? progress.done / progress.total : -1);
        });
    placeChanged();
}

void LabPanel::showEvent(QShowEvent* event)
{
    QWidget::showEvent(event);
    if (m_stale)
        start();
}

void LabPanel::choose(Place place)
{
    m_segments->setCurrent(place);
    placeChanged();
}

void LabPanel::placeChanged()
{
    for (int place = 0; place < m_controls.size(); ++place)
        m_controls[place]->setVisible(place == m_segments->current());
    m_places->setCurrentIndex(m_segments->current());
    m_play->setChecked(false);
    refreshControls();
    Q_EMIT chartChanged();
    say(tr("Open a study, and its policies are trained here."), {});
    start();
}

double LabPanel::kl() const
{
    const auto snapshot = m_session.snapshot();
    const double cap = snapshot ? snapshot->layer->pool.largestKl() : 0;
    return cap * (0.02 + 0.9 * m_budget->value() / sliderSteps);
}

void LabPanel::setUsualDose()
{
    const policy::FailureMode& mode
        = policy::failureModes()[static_cast<std::size_t>(std::max(0, m_failure->currentIndex()))];
    const QSignalBlocker block(m_dose);
    m_dose->setValue(
        static_cast<int>(std::lround(sliderSteps * (mode.usual - mode.least) / (mode.most - mode.least))));
    m_curve.clear();
}

double LabPanel::dose() const
{
    const policy::FailureMode& mode
        = policy::failureModes()[static_cast<std::size_t>(std::max(0, m_failure->currentIndex()))];
    return mode.least + (mode.most - mode.least) * m_dose->value() / sliderSteps;
}

void LabPanel::refreshControls()
{
    if (const auto snapshot = m_session.snapshot())
        m_budgetText->setText(
            tr("%1 nats, of at most %2 here%3")
                .arg(
                    number(kl(), 2, false, true), number(snapshot->layer->pool.largestKl(), 2),
                    snapshot->layer->poolFromPairs ? tr(" (two replies a prompt: ln 2)") : QString()));
    const policy::FailureMode& mode
        = policy::failureModes()[static_cast<std::size_t>(std::max(0, m_failure->currentIndex()))];
    m_doseText->setText(QString::number(dose(), 'g', 3));
    m_doseText->setToolTip(QString::fromStdString(mode.doseName));
    m_dose->setToolTip(m_doseText->toolTip());
    const bool study = m_desk->currentIndex() >= static_cast<int>(policy::desks().size());
    m_knobs->setVisible(m_segments->current() == Mixer && !study);
    for (int i = 0; i < m_activations.size() && !study; ++i) {
        const auto& mechanisms
            = policy::desks()[static_cast<std::size_t>(std::max(0, m_desk->currentIndex()))].mechanisms;
        const policy::Mechanism& knob = mechanisms[static_cast<std::size_t>(i)];
        const QSignalBlocker block(m_activations[i]);
        m_activations[i]->setValue(static_cast<int>(std::lround(sliderSteps * knob.activation / 2)));
        m_activations[i]->setAccessibleName(QString::fromStdString(knob.name));
        m_knobNames[i]->setText(QString::fromStdString(knob.name));
    }
    if (m_segments->current() == Mixer && m_session.snapshot())
        showMixer();
}

std::vector<policy::Mechanism> LabPanel::knobs() const
{
    const auto desk = static_cast<std::size_t>(std::max(0, m_desk->currentIndex()));
    if (desk >= policy::desks().size())
        return m_studyMechanisms;
    std::vector<policy::Mechanism> result = policy::desks()[desk].mechanisms;
    for (int i = 0; i < m_activations.size(); ++i)
        result[static_cast<std::size_t>(i)].activation = 2.0 * m_activations[i]->value() / sliderSteps;
    return result;
}

void LabPanel::say(const QString& sentence, const QString& detail)
{
    m_sentence->setText(withStatementLinks(sentence));
    m_detail->setText(withStatementLinks(detail));
}

template <typename T>
void LabPanel::run(
    std::function<Result<T>(const policy::World&, const Work&)> body, std::function<void(T)> show)
{
    const auto snapshot = m_session.snapshot();
    ++m_jobs;
    m_progress->setFraction(-1);
    m_progress->setVisible(true);
    const int place = m_segments->current();
    m_session.sweepLane().run<T>(
        jobKind(),
        [snapshot, body = std::move(body)](const Work& work) -> Result<T> {
            LODESTONE_TRY(const policy::World world, session::labWorld(*snapshot));
            return body(world, work);
        },
        [this, place, show = std::move(show)](Result<T> result) {
            m_jobs = 0;
            m_progress->setVisible(false);
            if (place != m_segments->current())
                return;
            if (result)
                show(std::move(*result));
            else if (result.error().kind != ErrorKind::Cancelled)
                say(tr("This cannot be measured here."), QString::fromStdString(result.error().message()));
            Q_EMIT measured();
        });
}

void LabPanel::start()
{
    m_stale = true;
    if (!isVisible() || !m_session.snapshot())
        return;
    m_stale = false;
    refreshControls();
    if (m_detail->text().isEmpty())
        say(tr("One moment: this is being measured on the open study."), {});
    const double budget = kl();
    switch (m_segments->current()) {
    case Pipelines:
        run<std::vector<policy::PipelineRow>>(
            [budget](const policy::World& world, const Work& work) {
                return policy::comparePipelines(world, budget, work);
            },
            [this, budget](std::vector<policy::PipelineRow> rows) {
                m_pipelines = std::move(rows);
                std::stable_sort(m_pipelines.begin(), m_pipelines.end(), lab::gainsMore);
                m_pipelineRows->setRows(lab::pipelineRows(m_pipelines));
                say(lab::pipelineSentence(m_pipelines, budget),
                    tr("Uncoloured: people's labels had a part in the reward; coloured: the constitution's "
                       "judge "
                       "alone. A ring: the rule cannot spend this KL exactly. Whiskers: 95 % over prompts. "
                       "Choose a row for what it is made of and what it costs."));
            });
        break;
    case Principles: {
        const auto snapshot = m_session.snapshot();
        m_repair->setEnabled(false); // it was found for another constitution
        m_repair->setToolTip(tr("Being measured for the constitution as it is now"));
        run<session::PrincipleEffects>(
            [snapshot](const policy::World& world, const Work& work) {
                return session::principleEffects(*snapshot, world, policy::commonKl(world.pool), work);
            },
            [this](session::PrincipleEffects effects) {
                m_effects = std::move(effects);
                showPrinciples();
            });
        break;
    }
    case Overoptimisation:
        run<policy::Overoptimisation>(
            [](const policy::World& world, const Work& work) {
                return policy::overoptimise(world, world.judge, 20, work);
            },
            [this](policy::Overoptimisation found) {
                m_found = std::move(found);
                m_overoptimisation->setSeries(lab::overoptimisationSeries(*m_found));
                say(QString::fromStdString(m_found->cause), lab::overoptimisationDetail(*m_found));
            });
        break;
    case Dpo: {
        const std::string rule = m_rule->currentIndex() == 1 ? "cdpo"
            : m_rule->currentIndex() == 2                    ? "ipo"
                                                             : "dpo";
        run<policy::TrainedPolicy>(
            [rule](const policy::World& world, const Work& work) -> Result<policy::TrainedPolicy> {
                if (world.judge.size() == 0)
                    return badInput("a constitution with a direction in this model", "none", "DPO");
                policy::RuleSettings settings;
                settings.tau = world.tau;
                settings.seed = world.seed;
                return policy::makeRule(rule)->train(
                    { world.pool, world.judge, *world.features, settings },
                    { 1, policy::commonKl(world.pool) }, work);
            },
            [this](policy::TrainedPolicy trained) {
                m_trained = std::move(trained);
                m_rewards->setSeries(lab::rewardCurves(m_trained));
                m_logps->setSeries(lab::logpCurves(m_trained));
                say(lab::dpoSentence(m_trained),
                    lab::dpoDetail(m_trained, m_session.foundation()->study->set()));
            });
        break;
    }
    case Failures: {
        const std::string id
            = policy::failureModes()[static_cast<std::size_t>(std::max(0, m_failure->currentIndex()))].id;
        const double at = dose();
        const bool known = !m_curve.empty() && m_curve.front().id == id && m_effect && m_dose->isSliderDown();
        const auto curve = known ? m_curve : std::vector<policy::FailureEffect>();
        run<DosedFailure>(
            [id, at, curve](const policy::World& world, const Work& work) -> Result<DosedFailure> {
                const double budgetHere = policy::commonKl(world.pool);
                DosedFailure result;
                result.curve = curve;
                LODESTONE_TRY(result.effect, policy::measureFailure(world, id, at, budgetHere, work));
                if (result.curve.empty()) {
                    LODESTONE_TRY(result.curve, policy::doseCurve(world, id, 9, budgetHere, work));
                }
                return result;
            },
            [this](DosedFailure result) {
                m_effect = std::move(result.effect);
                m_curve = std::move(result.curve);
                showFailure();
            });
        break;
    }
    case Rounds: {
        const policy::RoundSettings settings = roundSettings(m_rounds->currentIndex());
        run<std::vector<policy::RoundState>>(
            [settings](const policy::World& world, const Work& work) {
                policy::RoundSettings seeded = settings;
                seeded.seed = world.seed;
                return policy::runRounds(world, seeded, work);
            },
            [this](std::vector<policy::RoundState> states) {
                m_states = std::move(states);
                m_roundChart->setSeries(lab::roundSeries(m_states));
                m_time->setMaximum(static_cast<int>(m_states.size()) - 1);
                showRound(m_time->value());
            });
        break;
    }
    case Mixer: {
        const auto snapshot = m_session.snapshot();
        run<std::vector<policy::Mechanism>>(
            [snapshot](const policy::World& world, const Work&) -> Result<std::vector<policy::Mechanism>> {
                std::vector<std::pair<std::string, Eigen::VectorXd>> directions;
                for (std::size_t i = 0; i < snapshot->principles.size(); ++i)
                    if (snapshot->principles[i]->direction.found())
                        directions.emplace_back(
                            snapshot->inputs.constitution.principles[i].name,
                            snapshot->principles[i]->direction.scores);
                if (world.generation.size() > 0)
                    directions.emplace_back("what the model writes anyway", world.generation);
                directions.emplace_back("length", world.length);
                directions.emplace_back("repeating the user", world.echo);
                return policy::mechanismsOf(
                    world, directions, world.judge.size() > 0 ? world.judge : world.gold);
            },
            [this](std::vector<policy::Mechanism> mechanisms) {
                m_studyMechanisms = std::move(mechanisms);
                showMixer();
            });
        break;
    }
    default:
        break;
    }
}

void LabPanel::forget()
{
    m_pipelines.clear();
    m_effects.reset();
    m_found.reset();
    m_trained = {};
    m_effect.reset();
    m_curve.clear();
    m_states.clear();
    m_studyMechanisms.clear();
    for (IntervalRows* rows : { m_pipelineRows, m_principleRows, m_failureRows, m_mixerRows })
        rows->setRows({});
    for (SeriesView* chart : { m_overoptimisation, m_rewards, m_logps, m_doses, m_roundChart })
        chart->setSeries({});
    m_repair->setVisible(false);
    say({}, {});
    m_stale = true;
    Q_EMIT measured();
}

void LabPanel::showPrinciples()
{
    const constitution::Constitution& constitution = m_session.inputs().constitution;
    const bool same = m_session.snapshot()
        && m_session.snapshot()->inputs.constitution.principles.size() == constitution.principles.size();
    m_principleRows->setRows(lab::principleRows(*m_effects, constitution));
    m_repair->setVisible(same && m_effects->repair.edit != session::PrincipleRepair::Edit::None);
    m_repair->setText(lab::repairText(m_effects->repair, constitution));
    m_repair->setEnabled(true);
    m_repair->setToolTip(tr("Make this edit; Ctrl+Z takes it back"));
    say(lab::principleSentence(*m_effects, constitution), lab::principleDetail(*m_effects, constitution));
}

void LabPanel::makeRepair()
{
    if (!m_effects || m_effects->repair.edit == session::PrincipleRepair::Edit::None)
        return;
    session::Inputs inputs = m_session.inputs();
    if (m_effects->repair.principle >= static_cast<int>(inputs.constitution.principles.size()))
        return;
    inputs.constitution = session::repaired(inputs.constitution, m_effects->repair);
    m_session.edit(m_repair->text(), inputs);
}

void LabPanel::showFailure()
{
    m_failureRows->setRows(lab::failureRows(*m_effect));
    const policy::FailureMode* mode = policy::failureMode(m_effect->id);
    AxisSpec x, y;
    x.title = mode ? QString::fromStdString(mode->doseName) : tr("dose");
    y.title = tr("gain, sd");
    m_doses->setAxes(x, y);
    m_doses->setSeries(lab::doseSeries(m_curve));
    m_doses->setMarkerMovable(false);
    m_doses->setMarker(m_effect->dose);
    say(lab::failureSentence(*m_effect), lab::failureDetail(*m_effect));
}

void LabPanel::showRound(int round)
{
    if (m_states.empty() || m_segments->current() != Rounds)
        return;
    const auto at = static_cast<std::size_t>(std::clamp(round, 0, static_cast<int>(m_states.size()) - 1));
    m_roundChart->setMarker(static_cast<double>(at));
    m_roundText->setText(tr("round %1").arg(at));
    say(lab::roundSentence(m_states[at]),
        tr("Each round the judge labels pairs that the policy itself drew, a reward model is fitted to them, "
           "and the "
           "policy is tilted by it (T21 to T24). Play, or drag the round."));
}

void LabPanel::showMixer()
{
    const std::vector<policy::Mechanism> mechanisms = knobs();
    const auto desk = static_cast<std::size_t>(std::max(0, m_desk->currentIndex()));
    const policy::Credit credit = trainedCredit();
    m_mixerRows->setRows(lab::mechanismRows(mechanisms, credit));
    say(lab::mechanismSentence(credit),
        (desk < policy::desks().size()
             ? QString::fromStdString(policy::desks()[desk].says)
             : tr("The constitution's principles and three shortcuts as mechanisms, by their part in the "
                  "replies that the judge likes best; at test: in those that people's held-out labels like "
                  "best."))
            + lab::mechanismDetail(mechanisms, m_stage->currentIndex() == 1));
}

policy::Credit LabPanel::trainedCredit() const
{
    const std::vector<policy::Mechanism> mechanisms = knobs();
    return m_stage->currentIndex() == 1 ? lab::bothStages(mechanisms)
                                        : policy::train(mechanisms, lab::wantedLogit());
}

ChartView* LabPanel::chart() const
{
    switch (m_segments->current()) {
    case Overoptimisation:
        return m_overoptimisation;
    case Dpo:
        return m_rewards;
    case Failures:
        return m_doses;
    case Rounds:
        return m_roundChart;
    default:
        return nullptr;
    }
}

TextTable LabPanel::table() const
{
    switch (m_segments->current()) {
    case Pipelines:
        return lab::pipelineTable(m_pipelines);
    case Principles:
        return m_effects ? lab::principleTable(*m_effects, m_session.inputs().constitution) : TextTable();
    case Overoptimisation:
        return m_found ? lab::overoptimisationTable(*m_found) : TextTable();
    case Dpo:
        return lab::dpoTable(m_trained);
    case Failures:
        return m_effect ? lab::failureTable(*m_effect, m_curve) : TextTable();
    case Rounds:
        return lab::roundTable(m_states);
    default:
        break;
    }
    return lab::mechanismTable(knobs(), trainedCredit());
}

} // namespace lodestone::ui
