#include "ui/panels/theory_panel.h"

#include "core/theory/scenes.h"
#include "core/theory/text.h"
#include "ui/plots/picture_view.h"
#include "ui/plots/series_view.h"
#include "ui/plots/theme.h"

#include <QComboBox>
#include <QGridLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QScrollArea>
#include <QSlider>
#include <QSplitter>
#include <QToolButton>
#include <QVBoxLayout>
#include <algorithm>
#include <cmath>

namespace lodestone::ui {
namespace {

QString text(const std::string& bytes) { return QString::fromStdString(bytes); }

} // namespace

TheoryPanel::TheoryPanel(Theme& theme, QWidget* parent)
    : QWidget(parent)
    , m_theme(theme)
{
    setObjectName(QStringLiteral("theoryPanel"));
    const Palette& look = theme.palette();
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(look.padPanel, look.gap, look.padPanel, look.padPanel);
    column->setSpacing(look.gap);
    makeHead();
    // Long statements scroll in a low window, above the sliders; figures are never squeezed.
    auto* scroll = new QScrollArea(this);
    scroll->setObjectName(QStringLiteral("theoryBody"));
    scroll->setWidgetResizable(true);
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setLook(*scroll, Look::Ground);
    auto* content = new QWidget(scroll);
    setLook(*content, Look::Ground);
    auto* body = new QVBoxLayout(content);
    body->setContentsMargins(0, 0, 0, 0);
    body->setSpacing(look.gap);
    scroll->setWidget(content);
    column->addWidget(scroll, 1);
    const auto label = [&](const char* name, Look kind) {
        auto* made = new QLabel(content);
        made->setObjectName(QLatin1String(name));
        made->setWordWrap(true);
        made->setTextInteractionFlags(Qt::TextSelectableByMouse);
        setLook(*made, kind);
        body->addWidget(made);
        return made;
    };
    m_words = label("theoryWords", Look::Sentence);

    auto* figures = new QSplitter(Qt::Horizontal, content);
    figures->setHandleWidth(1);
    figures->setChildrenCollapsible(false);
    m_pictureSide = new QWidget(figures);
    auto* side = new QVBoxLayout(m_pictureSide);
    side->setContentsMargins(0, 0, look.gap, 0);
    side->setSpacing(look.gapSmall);
    m_title = new QLabel(m_pictureSide);
    m_title->setObjectName(QStringLiteral("theoryPictureTitle"));
    m_title->setWordWrap(true);
    setLook(*m_title, Look::Small);
    m_picture = new PictureView(theme, m_pictureSide);
    m_picture->setObjectName(QStringLiteral("theoryPicture"));
    m_picture->setAccessibleName(tr("The statement's picture"));
    side->addWidget(m_title);
    side->addWidget(m_picture, 1);
    auto* right = new QWidget(figures);
    setLook(*m_pictureSide, Look::Ground);
    setLook(*right, Look::Ground);
    auto* rightColumn = new QVBoxLayout(right);
    rightColumn->setContentsMargins(0, 0, 0, 0);
    rightColumn->setSpacing(look.gapSmall);
    m_state = new QLabel(right);
    m_state->setObjectName(QStringLiteral("theoryState"));
    m_state->setWordWrap(true);
    setLook(*m_state, Look::Small);
    m_chart = new SeriesView(theme, right);
    m_chart->setObjectName(QStringLiteral("theoryChart"));
    m_chart->setAccessibleName(tr("Formula and simulation"));
    m_chart->setSurface(ChartView::Surface::Ground);
    rightColumn->addWidget(m_state);
    rightColumn->addWidget(m_chart, 1);
    figures->addWidget(m_pictureSide);
    figures->addWidget(right);
    figures->setSizes({ look.ipx(360), look.ipx(420) });
    figures->setMinimumHeight(look.ipx(200));
    body->addWidget(figures, 1);
    m_here = label("theoryHere", Look::Secondary);
    m_formula = label("theoryFormula", Look::Secondary);
    m_formula->setTextFormat(Qt::PlainText);

    m_sliders = new QScrollArea(this);
    m_sliders->setObjectName(QStringLiteral("theorySliders"));
    m_sliders->setWidgetResizable(true);
    m_sliders->setFrameShape(QFrame::NoFrame);
    setLook(*m_sliders, Look::Ground);
    m_sliders->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    m_sliders->setMaximumHeight(look.ipx(132));
    column->addWidget(m_sliders);
    m_small = label("theorySource", Look::Small);

    connect(
        m_chart, &SeriesView::markerMoved, this, [this](double x) { setValue(m_statement->sweep.input, x); });
    choose(QStringLiteral("T9"));
}

TheoryPanel::~TheoryPanel() = default;

void TheoryPanel::makeHead()
{
    auto* row = new QHBoxLayout;
    m_choice = new QComboBox(this);
    m_choice->setObjectName(QStringLiteral("theoryChoice"));
    m_choice->setAccessibleName(tr("Statement"));
    for (const theory::Statement& statement : theory::statements())
        m_choice->addItem(
            QStringLiteral("%1  %2").arg(text(statement.id), text(statement.title)), text(statement.id));
    row->addWidget(m_choice, 1);
    const auto button = [&](const char* name, const char* icon, const QString& tip) {
        auto* made = new QToolButton(this);
        made->setObjectName(QLatin1String(name));
        made->setIcon(m_theme.icon(QLatin1String(icon)));
        made->setAccessibleName(tip);
        made->setToolTip(tip);
        setLook(*made, Look::Ghost);
        row->addWidget(made);
        return made;
    };
    m_study = new QPushButton(tr("This study"), this);
    m_study->setObjectName(QStringLiteral("theoryStudy"));
    row->addWidget(m_study);
    connect(m_study, &QPushButton::clicked, this, &TheoryPanel::showStudy);
    m_reset = button("theoryReset", "undo", tr("The statement's own values"));
    QToolButton* table = button("theoryTable", "table", tr("The same as a table"));
    QToolButton* picture = button("theoryExport", "image", tr("Save the curve as a picture"));
    static_cast<QVBoxLayout*>(layout())->addLayout(row);
    connect(m_choice, &QComboBox::currentIndexChanged, this, [this](int at) {
        choose(m_choice->itemData(at).toString());
    });
    connect(m_reset, &QToolButton::clicked, this, [this] {
        m_values = m_statement->standard();
        makeSliders();
        refresh();
    });
    connect(table, &QToolButton::clicked, this, &TheoryPanel::tableRequested);
    connect(picture, &QToolButton::clicked, this, &TheoryPanel::pictureRequested);
}

void TheoryPanel::choose(const QString& id)
{
    const theory::Statement* found = theory::findStatement(id.toStdString());
    if (!found || found == m_statement)
        return;
    m_statement = found;
    m_values = found->standard();
    m_outputs.clear();
    m_here->hide();
    m_curve = {};
    m_simulated = {};
    m_choice->setCurrentIndex(m_choice->findData(text(found->id)));
    m_words->setText(text(found->words));
    m_small->setText(tr("%1 Assumes: %2 Source: %3")
                         .arg(
                             found->label == theory::Label::Reconstruction
                                 ? tr("Reconstruction in a linear-Gaussian model.")
                                 : tr("General."),
                             text(found->assumptions), text(found->source)));
    refreshStudy();
    makeSliders();
    refresh();
}

void TheoryPanel::setSnapshot(std::shared_ptr<const session::Snapshot> snapshot)
{
    const bool follow = atStudy();
    m_snapshot = std::move(snapshot);
    refreshStudy();
    if (follow) // it stays with the study through its edits
        showStudy();
    else if (isVisible())
        drawSeries();
}

void TheoryPanel::refreshStudy()
{
    m_studyValues.reset();
    QString why = tr("Open a study first");
    if (!session::hasStudyValues(m_statement->id))
        why = tr("No single study answers this one. %1").arg(text(session::noStudyValues(m_statement->id)));
    else if (m_snapshot) {
        if (auto values = session::studyValues(*m_snapshot, m_statement->id))
            m_studyValues = std::move(*values);
        else
            why = text(values.error().message());
    }
    m_study->setEnabled(m_studyValues.has_value());
    m_study->setToolTip(m_studyValues ? tr("Set the sliders to what was measured on the open study") : why);
}

void TheoryPanel::showStudy()
{
    if (!m_studyValues)
        return;
    for (const theory::Quantity& input : m_studyValues->inputs) {
        const theory::Input& known = *m_statement->input(input.name);
        m_values.put(input.name, known.whole ? std::round(input.value) : input.value);
    }
    makeSliders();
    refresh();
}

bool TheoryPanel::atStudy() const
{
    return m_studyValues
        && std::all_of(
               m_studyValues->inputs.begin(), m_studyValues->inputs.end(),
               [&](const theory::Quantity& input) {
                   const double at
                       = m_statement->input(input.name)->whole ? std::round(input.value) : input.value;
                   return std::abs(m_values[input.name] - at) < 1e-12;
               });
}

void TheoryPanel::makeSliders()
{
    const Palette& look = m_theme.palette();
    auto* inside = new QWidget;
    setLook(*inside, Look::Ground);
    auto* grid = new QGridLayout(inside);
    grid->setContentsMargins(0, 0, look.gap, 0);
    grid->setHorizontalSpacing(look.gap);
    grid->setVerticalSpacing(look.gapSmall);
    m_controls.clear();
    for (std::size_t i = 0; i < m_statement->inputs.size(); ++i) {
        const theory::Input& input = m_statement->inputs[i];
        auto* name = new QLabel(text(theory::symbol(input.name)), inside);
        auto* slider = new QSlider(Qt::Horizontal, inside);
        auto* value = new QLabel(inside);
        slider->setObjectName(QStringLiteral("theory_%1").arg(text(input.name)));
        slider->setAccessibleName(QStringLiteral("%1: %2").arg(text(input.name), text(input.meaning)));
        for (QWidget* widget :
             { static_cast<QWidget*>(name), static_cast<QWidget*>(slider), static_cast<QWidget*>(value) })
            widget->setToolTip(text(input.meaning));
        slider->setRange(0, statement::sliderSteps);
        slider->setPageStep(statement::sliderSteps / 20);
        slider->setSingleStep(
            input.whole ? std::max(1, static_cast<int>(statement::sliderSteps / (input.high - input.low)))
                        : 5);
        slider->setValue(statement::stepAt(input, m_values[input.name]));
        value->setMinimumWidth(look.ipx(52));
        value->setText(statement::valueText(input, m_values[input.name]));
        const int at = static_cast<int>(i), row = at / 2, side = 3 * (at % 2);
        grid->addWidget(name, row, side);
        grid->addWidget(slider, row, side + 1);
        grid->addWidget(value, row, side + 2);
        m_controls.emplace_back(slider, value);
        connect(slider, &QSlider::valueChanged, this, [this, &input](int step) {
            setValue(input.name, statement::valueAt(input, step));
        });
    }
    grid->setColumnStretch(1, 1);
    grid->setColumnStretch(4, 1);
    m_sliders->setWidget(inside);
}

void TheoryPanel::setValue(const std::string& name, double value)
{
    const theory::Input& input = *m_statement->input(name);
    if (input.whole)
        value = std::round(value);
    value = std::clamp(value, input.low, input.high);
    if (value == m_values[name])
        return;
    m_values.put(name, value);
    for (std::size_t i = 0; i < m_controls.size(); ++i) {
        if (m_statement->inputs[i].name != name)
            continue;
        const QSignalBlocker quiet(m_controls[i].first);
        m_controls[i].first->setValue(statement::stepAt(input, value));
        m_controls[i].second->setText(statement::valueText(input, value));
    }
    refresh();
}

void TheoryPanel::showEvent(QShowEvent* event)
{
    QWidget::showEvent(event);
    if (m_stale)
        refresh();
}

void TheoryPanel::refresh()
{
    bool changed = false;
    for (const theory::Input& input : m_statement->inputs)
        changed = changed || m_values[input.name] != input.standard;
    m_reset->setEnabled(changed);
    m_reset->setToolTip(
        changed ? tr("The statement's own values") : tr("These are the statement's own values"));
    m_stale = !isVisible();
    if (m_stale)
        return;
    m_chart->setMarker(m_values[m_statement->sweep.input]);
    const theory::Statement* shown = m_statement;
    const theory::Values values = m_values;
    m_lane.run<Shown>(
        QStringLiteral("formula"),
        [shown, values](const Work& work) -> Result<Shown> {
            LODESTONE_TRY(theory::Quantities outputs, theory::evaluate(*shown, values));
            return Shown{ std::move(outputs), theory::scene(*shown, values),
                          statement::curveOf(*shown, values, work) };
        },
        [this, shown](Result<Shown> result) {
            if (shown != m_statement)
                return;
            if (result)
                showResult(*result);
            else if (result.error().kind != ErrorKind::Cancelled) {
                m_state->setText(tr("No values here: %1.").arg(text(result.error().message())));
                m_formula->clear();
            }
        },
        Lane::WhenOvertaken::Finish);
    m_lane.run<statement::Simulated>(
        QStringLiteral("simulation"),
        [shown, values](const Work& work) { return statement::simulationOf(*shown, values, work); },
        [this, shown](Result<statement::Simulated> simulated) {
            if (simulated && shown == m_statement)
                showSimulation(*simulated);
        });
}

void TheoryPanel::showResult(const Shown& shown)
{
    m_outputs = shown.outputs;
    m_curve = shown.curve;
    m_simulated = {};
    m_pictureSide->setVisible(shown.scene.has_value());
    if (shown.scene) {
        m_picture->setPicture(*shown.scene);
        m_title->setText(text(shown.scene->title));
    }
    m_state->setText(tr("%1. Simulating …").arg(text(m_statement->figure)));
    m_formula->setText(statement::formulaText(setting()));
    drawSeries();
}

void TheoryPanel::showSimulation(const statement::Simulated& simulated)
{
    if (simulated.x.empty())
        return; // no values here, and said so
    m_simulated = simulated;
    m_state->setText(
        tr("%1. Lines: formula; points: simulation, ±2 standard errors.").arg(text(m_statement->figure)));
    drawSeries();
}

statement::Setting TheoryPanel::setting() const
{
    return { *m_statement, m_values, m_outputs, atStudy() ? &*m_studyValues : nullptr };
}

void TheoryPanel::drawSeries()
{
    const theory::Input& input = *m_statement->input(m_statement->sweep.input);
    m_here->setText(statement::studyText(setting()));
    m_here->setVisible(!m_here->text().isEmpty());
    AxisSpec x, y;
    x.ticks = y.ticks = 5;
    x.title = QStringLiteral("%1 · %2").arg(text(theory::symbol(input.name)), text(input.meaning));
    QStringList names;
    for (const std::string& output : m_statement->sweep.outputs)
        names << text(theory::symbol(output));
    y.title = names.join(QStringLiteral(", "));
    m_chart->setAxes(x, y);
    m_chart->setSeries(statement::series(setting(), m_curve, m_simulated));
    m_chart->setMarker(m_values[input.name]);
}

TextTable TheoryPanel::table() const
{
    if (!m_outputs.empty())
        return statement::table(setting(), m_curve, m_simulated);
    // Asked for before the first result came.
    const auto outputs = theory::evaluate(*m_statement, m_values);
    statement::Setting now = setting();
    return statement::table(
        { now.statement, now.values, outputs ? *outputs : m_outputs, now.study }, m_curve, m_simulated);
}

} // namespace lodestone::ui
