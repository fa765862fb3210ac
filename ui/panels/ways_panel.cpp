#include "ui/panels/ways_panel.h"

#include "ui/models/spread_layers.h"
#include "ui/models/statement_links.h"
#include "ui/plots/heatmap_view.h"
#include "ui/plots/theme.h"
#include "ui/session/ask_ways.h"
#include "ui/widgets/segmented_control.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QScrollArea>
#include <QStackedWidget>
#include <QToolButton>
#include <algorithm>

namespace lodestone::ui {
namespace {

const QString& scoreKind()
{
    static const QString kind = QStringLiteral("ways");
    return kind;
}

Fingerprint benchKey(
    const session::Snapshot& snapshot, const constitution::Principle& principle,
    const std::vector<Layer>& layers)
{
    Fingerprint key;
    key.add(snapshot.foundation->study->fingerprint()).add(snapshot.inputs.position);
    for (const std::string& text :
         { principle.name, principle.text, principle.value, constitution::joinWords(principle.positive),
           constitution::joinWords(principle.negative) })
        key.add(text);
    for (const Layer& layer : layers)
        key.add(layer.row());
    key.add(snapshot.foundation->answers->size());
    return key.add(snapshot.foundation->cloze ? snapshot.foundation->cloze->knowledgeOf(principle) : 0);
}

} // namespace

WaysPanel::WaysPanel(Theme& theme, Session& session, QWidget* parent)
    : QWidget(parent)
    , m_theme(theme)
    , m_session(session)
{
    setObjectName(QStringLiteral("waysPanel"));
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
        connect(label, &QLabel::linkActivated, this, &WaysPanel::statementRequested);
        return label;
    };
    m_sentence = words("waysSentence", Look::Sentence);
    column->addWidget(m_sentence);
    makeControls();
    m_places = new QStackedWidget(this);
    m_waysGrid = makeGrid("waysGrid", tr("Ways of asking by layer"));
    m_waysGrid->setScale(0, 50, 100);
    m_waysGrid->setFormat(0, false);
    m_conflictsGrid = makeGrid("conflictsGrid", tr("Cosines of directions"));
    column->addWidget(m_places, 1);
    m_detail = words("waysDetail", Look::Secondary);
    column->addWidget(m_detail);

    connect(m_segments, &SegmentedControl::currentChanged, this, &WaysPanel::placeChanged);
    connect(m_choice, &QComboBox::currentIndexChanged, this, &WaysPanel::start);
    connect(&session, &Session::studyChanged, this, [this] {
        m_bench.reset();
        m_found.reset();
        m_cell.reset();
        m_waysGrid->setData({}, {}, {});
        m_conflictsGrid->setData({}, {}, {});
        say({}, {});
    });
    connect(&session, &Session::snapshotChanged, this, [this] {
        fillPrinciples();
        start();
    });
    connect(&session, &Session::modelChanged, this, &WaysPanel::refreshButtons);
    connect(&session, &Session::inputsChanged, this, &WaysPanel::refreshButtons);
    connect(&session.sweepLane(), &Lane::finished, this, [this](const QString& kind) {
        if (kind == scoreKind() && !m_session.sweepLane().busyWith(kind))
            m_jobs = 0;
    });
    connect(&session.modelLane(), &Lane::finished, this, &WaysPanel::refreshButtons);
    placeChanged();
}

void WaysPanel::makeHead()
{
    auto* head = new QHBoxLayout;
    m_segments = new SegmentedControl(this);
    m_segments->setObjectName(QStringLiteral("waysSegments"));
    m_segments->setSegments({ tr("Ways of asking"), tr("Conflicts") });
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
    button("waysTable", "table", tr("The same as a table"), &WaysPanel::tableRequested);
    button("waysPicture", "image", tr("Save the picture"), &WaysPanel::pictureRequested);
    static_cast<QVBoxLayout*>(layout())->addLayout(head);
}

void WaysPanel::makeControls()
{
    m_controls = new QWidget(this);
    auto* row = new QHBoxLayout(m_controls);
    row->setContentsMargins(0, 0, 0, 0);
    m_choice = new QComboBox(m_controls);
    m_choice->setObjectName(QStringLiteral("waysPrinciple"));
    m_choice->setAccessibleName(tr("Principle"));
    row->addWidget(m_choice);
    const auto button = [&](const char* object, auto slot) {
        auto* one = new QPushButton(m_controls);
        one->setObjectName(QLatin1String(object));
        row->addWidget(one);
        connect(one, &QPushButton::clicked, this, slot);
        return one;
    };
    m_use = button("waysUse", &WaysPanel::judgeByWay);
    m_go = button("waysLayer", &WaysPanel::goToLayer);
    m_ask = button("waysAsk", &WaysPanel::ask);
    row->addStretch(1);
    layout()->addWidget(m_controls);
}

HeatmapView* WaysPanel::makeGrid(const char* object, const QString& name)
{
    auto* grid = new HeatmapView(m_theme, m_places);
    grid->setObjectName(QLatin1String(object));
    grid->setAccessibleName(name);
    connect(grid, &HeatmapView::cellClicked, this, &WaysPanel::choose);
    auto* area = new QScrollArea(m_places); // many principles or ways in a low window
    area->setFrameShape(QFrame::NoFrame);
    area->setWidgetResizable(true);
    area->setWidget(grid);
    setLook(*area, Look::Ground);
    setLook(*grid, Look::Ground);
    m_places->addWidget(area);
    return grid;
}

HeatmapView& WaysPanel::chart() const
{
    return m_segments->current() == Conflicts ? *m_conflictsGrid : *m_waysGrid;
}

void WaysPanel::showEvent(QShowEvent* event)
{
    QWidget::showEvent(event);
    if (m_stale)
        start();
}

void WaysPanel::placeChanged()
{
    m_places->setCurrentIndex(m_segments->current());
    m_controls->setVisible(m_segments->current() == Ways);
    start();
}

void WaysPanel::say(const QString& sentence, const QString& detail)
{
    m_sentence->setText(sentence.isEmpty() ? tr("Open a study, and its ways are compared here.") : sentence);
    m_detail->setText(withStatementLinks(detail));
}

int WaysPanel::principle() const
{
    const auto count = static_cast<int>(m_session.inputs().constitution.principles.size());
    const int at = m_choice->currentIndex();
    return m_session.hasStudy() && at < count ? at : -1;
}

void WaysPanel::fillPrinciples()
{
    QStringList names;
    for (const constitution::Principle& one : m_session.inputs().constitution.principles)
        names << QString::fromStdString(one.name);
    QStringList shown;
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

void WaysPanel::start()
{
    m_stale = true;
    refreshButtons();
    const auto snapshot = m_session.snapshot();
    if (!snapshot)
        say({}, {});
    if (!isVisible() || !snapshot)
        return;
    m_stale = false;
    if (m_segments->current() == Ways)
        startBench(snapshot);
    else
        startConflicts(snapshot);
}

int WaysPanel::columnsThatFit() const
{
    const Palette& look = m_theme.palette();
    return std::clamp((width() - look.ipx(190)) / look.ipx(29), 8, 40);
}

void WaysPanel::startBench(const std::shared_ptr<const session::Snapshot>& snapshot)
{
    const int at = principle();
    if (at < 0) {
        m_bench.reset();
        m_waysGrid->setData({}, {}, {});
        return say(tr("Add a principle, and the ways of asking about it are compared here."), {});
    }
    const constitution::Principle asked
        = m_session.inputs().constitution.principles[static_cast<std::size_t>(at)];
    const data::Study& study = *snapshot->foundation->study;
    std::vector<Layer> layers;
    for (const Layer& layer : study.layers())
        if (study.has(layer, snapshot->inputs.position))
            layers.push_back(layer);
    layers = spreadLayers(layers, snapshot->inputs.layer, columnsThatFit());
    const Fingerprint key = benchKey(*snapshot, asked, layers);
    if (m_bench && key == m_benchKey)
        return showBench();
    if (!m_bench)
        say(tr("One moment: the stored answers are being scored."), {});
    ++m_jobs;
    m_session.sweepLane().run<session::Bench>(
        scoreKind(),
        [snapshot, asked, layers](const Work& work) {
            session::BenchOptions options;
            options.layers = layers;
            options.position = snapshot->inputs.position;
            options.seed = snapshot->inputs.seed;
            options.randomWords = 40;
            return session::runBench(
                *snapshot->foundation, { asked }, snapshot->foundation->wayContext(), options, work);
        },
        [this, key](Result<session::Bench> bench) {
            m_jobs = 0;
            if (m_segments->current() != Ways)
                return;
            m_cell.reset();
            m_bench.reset();
            if (bench) {
                m_bench = std::move(*bench);
                m_benchKey = key;
                showBench();
            } else if (bench.error().kind != ErrorKind::Cancelled) {
                m_waysGrid->setData({}, {}, {});
                say(tr("This cannot be compared here."), QString::fromStdString(bench.error().message()));
            }
            refreshButtons();
            Q_EMIT measured();
        });
}

void WaysPanel::startConflicts(const std::shared_ptr<const session::Snapshot>& snapshot)
{
    ++m_jobs;
    m_session.sweepLane().run<ways::Conflicts>(
        scoreKind(),
        [snapshot](const Work&) -> Result<ways::Conflicts> { return ways::measureConflicts(*snapshot); },
        [this](Result<ways::Conflicts> found) {
            m_jobs = 0;
            if (m_segments->current() != Conflicts || !found)
                return;
            m_found = std::move(*found);
            showConflicts();
            Q_EMIT measured();
        });
}

void WaysPanel::showBench()
{
    const auto& now = m_session.inputs().constitution.principles;
    const std::string way = principle() >= 0 ? now[static_cast<std::size_t>(principle())].way : std::string();
    m_grid = ways::benchGrid(*m_bench, way, Ink::principle(std::max(0, principle())));
    m_waysGrid->setInks(m_grid.rowInks, {});
    m_waysGrid->setTitles(
        {},
        m_bench->pairs ? tr("held-out pairs judged right, %, by block output (E: embedding)")
                       : tr("held-out AUC, %, by block output (E: embedding)"));
    m_waysGrid->setData(m_grid.rows, m_grid.columns, m_grid.values);
    if (const session::BenchRow* row = chosenRow())
        say(ways::benchSentence(*m_bench), ways::cellDetail(*m_bench, *row));
    else
        say(ways::benchSentence(*m_bench), ways::benchDetail(*m_bench, way));
    m_waysGrid->setSelectedCell(m_cell);
    refreshButtons();
}

void WaysPanel::showConflicts()
{
    const ways::Grid grid = ways::conflictGrid(*m_found);
    m_conflictsGrid->setInks(grid.rowInks, grid.columnInks);
    m_conflictsGrid->setTitles({}, tr("Sigma-cosine of directions"));
    m_conflictsGrid->setData(grid.rows, grid.columns, grid.values);
    m_conflictsGrid->setSelectedCell({});
    say(ways::conflictSentence(*m_found),
        tr("Orange: they go together; blue: they pull against each other. Choose a cell for its interval."));
}

const session::BenchRow* WaysPanel::chosenRow() const
{
    return m_bench && m_cell ? ways::benchRowAt(*m_bench, m_grid, m_cell->first, m_cell->second) : nullptr;
}

void WaysPanel::choose(int row, int column)
{
    if (m_segments->current() == Conflicts) {
        if (!m_found)
            return;
        m_conflictsGrid->setSelectedCell(std::pair(row, column));
        const QString detail = ways::pairDetail(*m_found, row, column);
        if (!detail.isEmpty())
            m_detail->setText(withStatementLinks(detail));
        return;
    }
    m_cell = std::pair(row, column);
    if (m_bench)
        showBench();
}

void WaysPanel::refreshButtons()
{
    const session::BenchRow* row = chosenRow();
    const int at = principle();
    const auto allow = [](QPushButton* button, bool on, const QString& tip, const QString& why) {
        button->setEnabled(on);
        button->setToolTip(on ? tip : why);
    };
    const QString first = tr("Choose a cell first");
    const bool same = row && at >= 0
        && m_session.inputs().constitution.principles[static_cast<std::size_t>(at)].way == row->way;
    m_use->setText(row ? tr("Judge by %1").arg(QString::fromStdString(row->way)) : tr("Judge by this way"));
    allow(
        m_use, row && at >= 0 && !same, tr("The principle's direction comes from this way; Ctrl+Z goes back"),
        row ? tr("The principle is already judged by this way") : first);
    const bool here = row && row->layer == m_session.inputs().layer;
    m_go->setText(
        row ? tr("Go to %1").arg(QString::fromStdString(row->layer.label())) : tr("Go to this layer"));
    allow(
        m_go, row && !here, tr("Every place shows this layer; Ctrl+Z goes back"),
        row ? tr("This layer is on show") : first);
    const QStringList missing = m_bench ? ways::unasked(*m_bench) : QStringList();
    const QString noModel = m_session.whyNoModel();
    const bool asking = m_session.modelLane().busyWith(askWaysKind());
    m_ask->setVisible(!missing.isEmpty());
    m_ask->setText(
        asking                    ? tr("Asking …")
            : missing.size() == 1 ? tr("Ask in one more way")
                                  : tr("Ask in %1 more ways").arg(missing.size()));
    allow(
        m_ask, !asking && noModel.isEmpty(),
        tr("The model reads every labelled reply: %1. Minutes; the foot of the window shows how many, and "
           "stops it.")
            .arg(missing.join(QStringLiteral(", "))),
        asking ? tr("The model is being asked") : noModel);
}

void WaysPanel::judgeByWay()
{
    const session::BenchRow* row = chosenRow();
    const int at = principle();
    if (!row || at < 0)
        return;
    session::Inputs next = m_session.inputs();
    next.constitution.principles[static_cast<std::size_t>(at)].way = row->way;
    m_session.edit(m_use->text(), next);
}

void WaysPanel::goToLayer()
{
    const session::BenchRow* row = chosenRow();
    if (!row)
        return;
    session::Inputs next = m_session.inputs();
    next.layer = row->layer;
    m_session.edit(tr("Change the layer"), next);
}

void WaysPanel::ask()
{
    const int at = principle();
    if (at < 0 || !m_bench)
        return;
    const constitution::Principle asked
        = m_session.inputs().constitution.principles[static_cast<std::size_t>(at)];
    std::vector<std::string> names;
    for (const QString& way : ways::unasked(*m_bench))
        names.push_back(way.toStdString());
    askInWays(m_session, { asked }, names);
    refreshButtons();
}

TextTable WaysPanel::table() const
{
    if (m_segments->current() == Conflicts)
        return m_found ? ways::conflictTable(*m_found) : TextTable{ tr("Conflicts"), {}, {} };
    return m_bench ? ways::benchTable(*m_bench) : TextTable{ tr("Ways of asking"), {}, {} };
}

} // namespace lodestone::ui
