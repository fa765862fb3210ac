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

constexpr int steps = 1000; ///< of a slider

QString text(const std::string& bytes) { return QString::fromStdString(bytes); }

/// Counts over several decades are set on a logarithmic scale.
bool logarithmic(const theory::Input& input) { return input.low > 0 && input.high / input.low >= 100; }

double valueAt(const theory::Input& input, int step)
{
    const double share = static_cast<double>(step) / steps;
    double value = logarithmic(input) ? input.low * std::pow(input.high / input.low, share)
                                      : input.low + share * (input.high - input.low);
    if (input.whole)
        value = std::round(value);
    else if (!logarithmic(input)) {
        // Round to what a step means, so that zero is reached.
        const double unit = std::pow(10, std::floor(std::log10((input.high - input.low) / steps)));
        value = std::round(value / unit) * unit;
    }
    return std::clamp(value, input.low, input.high);
}

int stepAt(const theory::Input& input, double value)
{
    const double share = logarithmic(input) ? std::log(value / input.low) / std::log(input.high / input.low)
                                            : (value - input.low) / (input.high - input.low);
    return static_cast<int>(std::lround(share * steps));
}

/// Where the curve is evaluated: the input's range; counts no further than four times the present one.
std::vector<double> samplesOf(const theory::Input& input, double now, int count)
{
    const double high = input.whole ? std::min(input.high, std::max(4 * now, input.low + 12)) : input.high;
    std::vector<double> samples;
    for (int i = 0; i < count; ++i) {
        double x = input.low + (high - input.low) * i / (count - 1);
        if (input.whole)
            x = std::round(x);
        if (samples.empty() || x > samples.back())
            samples.push_back(x);
    }
    return samples;
}

TheoryPanel::Curve curveOf(const theory::Statement& statement, const theory::Values& values, const Work& work)
{
    TheoryPanel::Curve curve;
    const theory::Input& input = *statement.input(statement.sweep.input);
    curve.closed.resize(statement.sweep.outputs.size());
    for (const double x : samplesOf(input, values[input.name], 121)) {
        if (work.cancelled())
            break;
        theory::Values here = values;
        here.put(input.name, x);
        const auto outputs = theory::evaluate(statement, here);
        curve.x.push_back(x);
        for (std::size_t k = 0; k < curve.closed.size(); ++k) {
            const theory::Quantity* found
                = outputs ? theory::find(*outputs, statement.sweep.outputs[k]) : nullptr;
            curve.closed[k].push_back(found && std::isfinite(found->value) ? found->value : std::nan(""));
        }
    }
    return curve;
}

Result<TheoryPanel::Simulated>
simulationOf(const theory::Statement& statement, const theory::Values& values, const Work& work)
{
    TheoryPanel::Simulated result;
    if (auto here = theory::simulate(statement, values, 0, 20000, work.stop))
        result.here = std::move(*here);
    const theory::Input& input = *statement.input(statement.sweep.input);
    for (const double x : samplesOf(input, values[input.name], 9)) {
        if (work.cancelled())
            return cancelled();
        theory::Values here = values;
        here.put(input.name, x);
        if (auto found = theory::simulate(statement, here, 1, 6000, work.stop)) {
            result.x.push_back(x);
            result.found.push_back(std::move(*found));
        }
    }
    return result;
}

/// As many digits as a step of the slider moves.
QString valueText(const theory::Input& input, double value)
{
    const double width = input.high - input.low;
    return number(value, input.whole ? 0 : width > 50 ? 1 : width > 5 ? 2 : 3);
}

Ink inkOf(std::size_t output)
{
    const Ink inks[] = { Ink::constitution(), Ink::people(), Ink::generation() };
    return inks[output % 3];
}

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
    m_formula = label("theoryFormula", Look::Secondary);
    m_formula->setTextFormat(Qt::PlainText);
    m_here = label("theoryHere", Look::Secondary);

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
    figures->setMinimumHeight(look.ipx(240));
    body->addWidget(figures, 1);

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
        why = tr("This statement has no counterpart on a study");
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

QString TheoryPanel::studyWords() const
{
    if (!atStudy())
        return {};
    QStringList parts;
    for (const session::StudyMeasured& measured : m_studyValues->measured) {
        const theory::Quantity* closed = theory::find(m_outputs, measured.output);
        if (!closed || !std::isfinite(measured.value.value))
            continue;
        const geometry::Interval& interval = measured.value.interval;
        parts << tr("%1 measured %2%3, formula %4")
                     .arg(
                         text(theory::symbol(measured.output)), number(measured.value.value, 2),
                         interval.isKnown()
                             ? tr(" (%1 to %2)").arg(number(interval.low, 2), number(interval.high, 2))
                             : QString(),
                         number(closed->value, 2))
                + (interval.isKnown() && (closed->value < interval.low || closed->value > interval.high)
                       ? tr(": outside its interval")
                       : QString());
    }
    return tr("This study: %1. %2")
        .arg(
            parts.isEmpty() ? tr("nothing measured beside the formula") : parts.join(QStringLiteral("; ")),
            text(m_studyValues->says));
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
        slider->setRange(0, steps);
        slider->setPageStep(steps / 20);
        slider->setSingleStep(
            input.whole ? std::max(1, static_cast<int>(steps / (input.high - input.low))) : 5);
        slider->setValue(stepAt(input, m_values[input.name]));
        value->setMinimumWidth(look.ipx(52));
        value->setText(valueText(input, m_values[input.name]));
        const int at = static_cast<int>(i), row = at / 2, side = 3 * (at % 2);
        grid->addWidget(name, row, side);
        grid->addWidget(slider, row, side + 1);
        grid->addWidget(value, row, side + 2);
        m_controls.emplace_back(slider, value);
        connect(slider, &QSlider::valueChanged, this, [this, &input](int step) {
            setValue(input.name, valueAt(input, step));
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
        m_controls[i].first->setValue(stepAt(input, value));
        m_controls[i].second->setText(valueText(input, value));
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
    const theory::Statement* statement = m_statement;
    const theory::Values values = m_values;
    m_lane.run<Shown>(
        QStringLiteral("formula"),
        [statement, values](const Work& work) -> Result<Shown> {
            LODESTONE_TRY(theory::Quantities outputs, theory::evaluate(*statement, values));
            return Shown{ std::move(outputs), theory::scene(*statement, values),
                          curveOf(*statement, values, work) };
        },
        [this, statement](Result<Shown> shown) {
            if (statement != m_statement)
                return;
            if (shown)
                showResult(*shown);
            else if (shown.error().kind != ErrorKind::Cancelled) {
                m_state->setText(tr("No values here: %1.").arg(text(shown.error().message())));
                m_formula->clear();
            }
        },
        Lane::WhenOvertaken::Finish);
    m_lane.run<Simulated>(
        QStringLiteral("simulation"),
        [statement, values](const Work& work) { return simulationOf(*statement, values, work); },
        [this, statement](Result<Simulated> simulated) {
            if (simulated && statement == m_statement)
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
    writeFormula();
    drawSeries();
}

void TheoryPanel::showSimulation(const Simulated& simulated)
{
    if (simulated.x.empty())
        return; // no values here, and said so
    m_simulated = simulated;
    m_state->setText(
        tr("%1. Lines: formula; points: simulation, ±2 standard errors.").arg(text(m_statement->figure)));
    drawSeries();
}

void TheoryPanel::writeFormula()
{
    QStringList lines;
    for (const theory::FormulaLine& line : m_statement->formula) {
        const theory::Quantity* value = theory::find(m_outputs, line.output);
        const std::string general = theory::expressionText(line.expression);
        const std::string here = theory::expressionNumbers(line.expression, m_values, m_outputs);
        QString written = QStringLiteral("%1 = %2").arg(text(theory::symbol(line.output)), text(general));
        if (here != general)
            written += QStringLiteral(" = %1").arg(text(here));
        if (value)
            written += QStringLiteral(" = %1").arg(text(theory::numberText(value->value)));
        lines << written;
    }
    m_formula->setText(lines.join(QLatin1Char('\n')));
}

void TheoryPanel::drawSeries()
{
    QVector<Series> all;
    const std::vector<std::string>& outputs = m_statement->sweep.outputs;
    for (std::size_t k = 0; k < outputs.size() && k < m_curve.closed.size(); ++k) {
        Series line;
        line.label = text(theory::symbol(outputs[k]));
        line.ink = inkOf(k);
        line.x = m_curve.x;
        line.y = m_curve.closed[k];
        line.interval = Series::Interval::None;
        if (k > 0)
            line.stroke = k == 1 ? Series::Stroke::Dashed : Series::Stroke::Dotted;
        all << line;
        Series points;
        points.ink = inkOf(k);
        points.labelAt = Series::LabelAt::None;
        points.interval = Series::Interval::Whiskers;
        points.marks = true;
        points.opacity = 0; // the points alone, and none for the marker
        points.stroke = Series::Stroke::Dotted;
        for (std::size_t i = 0; i < m_simulated.x.size(); ++i)
            if (const theory::Measured* found = theory::find(m_simulated.found[i], outputs[k])) {
                points.x.push_back(m_simulated.x[i]);
                points.y.push_back(found->value);
                points.low.push_back(found->value - 2 * found->standardError);
                points.high.push_back(found->value + 2 * found->standardError);
            }
        if (!points.x.empty())
            all << points;
    }
    const theory::Input& input = *m_statement->input(m_statement->sweep.input);
    for (std::size_t k = 0; atStudy() && k < outputs.size(); ++k)
        for (const session::StudyMeasured& measured : m_studyValues->measured)
            if (measured.output == outputs[k] && std::isfinite(measured.value.value)) {
                Series point;
                point.label = tr("this study");
                point.ink = Ink::accent();
                point.interval = Series::Interval::Whiskers;
                point.marks = true;
                point.x = { m_values[input.name] };
                point.y = { measured.value.value };
                point.low = { measured.value.interval.low };
                point.high = { measured.value.interval.high };
                all << point;
            }
    m_here->setText(studyWords());
    m_here->setVisible(!m_here->text().isEmpty());
    AxisSpec x, y;
    x.ticks = y.ticks = 5;
    x.title = QStringLiteral("%1 · %2").arg(text(theory::symbol(input.name)), text(input.meaning));
    QStringList names;
    for (const std::string& output : outputs)
        names << text(theory::symbol(output));
    y.title = names.join(QStringLiteral(", "));
    m_chart->setAxes(x, y);
    m_chart->setSeries(all);
    m_chart->setMarker(m_values[input.name]);
}

TextTable TheoryPanel::table() const
{
    const auto plain
        = [](double value) { return std::isfinite(value) ? QString::number(value, 'g', 8) : QString(); };
    TextTable table;
    table.title = tr("%1 %2").arg(text(m_statement->id), text(m_statement->title));
    table.header = { text(m_statement->sweep.input), tr("quantity"),   tr("formula"), tr("simulation"),
                     tr("standard error"),           tr("this study"), tr("low"),     tr("high") };
    const double now = m_values[m_statement->sweep.input];
    theory::Quantities outputs = m_outputs;
    if (outputs.empty()) // asked for before the first result came
        if (auto here = theory::evaluate(*m_statement, m_values))
            outputs = std::move(*here);
    for (const theory::Quantity& output : outputs) {
        const theory::Measured* found = theory::find(m_simulated.here, output.name);
        table.rows.push_back(
            { plain(now),
              text(output.name),
              std::isinf(output.value) ? text(theory::numberText(output.value)) : plain(output.value),
              found ? plain(found->value) : QString(),
              found ? plain(found->standardError) : QString(),
              {},
              {},
              {} });
        for (std::size_t i = 0; atStudy() && i < m_studyValues->measured.size(); ++i)
            if (const session::StudyMeasured& measured = m_studyValues->measured[i];
                measured.output == output.name) {
                QStringList& row = table.rows.back();
                row[5] = plain(measured.value.value);
                row[6] = plain(measured.value.interval.low);
                row[7] = plain(measured.value.interval.high);
            }
    }
    for (std::size_t i = 0; i < m_curve.x.size(); ++i)
        for (std::size_t k = 0; k < m_curve.closed.size(); ++k) {
            const std::string& name = m_statement->sweep.outputs[k];
            const theory::Measured* found = nullptr;
            for (std::size_t j = 0; j < m_simulated.x.size(); ++j)
                if (std::abs(m_simulated.x[j] - m_curve.x[i]) < 1e-9 * (1 + std::abs(m_curve.x[i])))
                    found = theory::find(m_simulated.found[j], name);
            table.rows.push_back({ plain(m_curve.x[i]),
                                   text(name),
                                   plain(m_curve.closed[k][i]),
                                   found ? plain(found->value) : QString(),
                                   found ? plain(found->standardError) : QString(),
                                   {},
                                   {},
                                   {} });
        }
    return table;
}

} // namespace lodestone::ui
