#include "ui/panels/lab_panel.h"
#include "ui/plots/theme.h"
#include "ui/widgets/segmented_control.h"
#include "ui/widgets/thin_bar.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QScrollArea>
#include <QSlider>
#include <QStackedWidget>
#include <QToolButton>

namespace lodestone::ui {

void LabPanel::buildHead()
{
    const Palette& look = m_theme.palette();
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(look.padPanel, look.gap, look.padPanel, look.padPanel);
    column->setSpacing(look.gap);
    auto* head = new QHBoxLayout;
    m_segments = new SegmentedControl(this);
    m_segments->setObjectName(QStringLiteral("labSegments"));
    m_segments->setSegments({ tr("Pipelines"), tr("By principle"), tr("Over-optimisation"), tr("DPO"),
                              tr("Failures"), tr("Rounds"), tr("Mechanisms") });
    m_progress = new ThinBar(m_theme, this);
    m_progress->setObjectName(QStringLiteral("labProgress"));
    m_progress->setVisible(false);
    auto* table = new QToolButton(this);
    table->setObjectName(QStringLiteral("labTable"));
    table->setIcon(m_theme.icon(QStringLiteral("table")));
    table->setAccessibleName(tr("The lab's figures as a table"));
    table->setToolTip(tr("The same as a table"));
    setLook(*table, Look::Ghost);
    connect(table, &QToolButton::clicked, this, &LabPanel::tableRequested);
    head->addWidget(m_segments);
    head->addStretch(1);
    head->addWidget(m_progress);
    head->addWidget(table);
    column->addLayout(head);
    m_sentence = new QLabel(this);
    m_sentence->setObjectName(QStringLiteral("labSentence"));
    m_sentence->setWordWrap(true);
    setLook(*m_sentence, Look::Sentence);
    column->addWidget(m_sentence);

    const auto controlRow = [this, column] {
        auto* row = new QWidget(this);
        auto* layout = new QHBoxLayout(row);
        layout->setContentsMargins(0, 0, 0, 0);
        column->addWidget(row);
        m_controls << row; // one is in sight
        return row;
    };
    const auto combo
        = [this](QWidget* row, const char* object, const QString& name, const QStringList& entries) {
              auto* label = new QLabel(name, row);
              setLook(*label, Look::Secondary);
              auto* box = new QComboBox(row);
              box->setObjectName(QLatin1String(object));
              box->setAccessibleName(name);
              box->addItems(entries);
              row->layout()->addWidget(label);
              row->layout()->addWidget(box);
              return box;
          };
    const auto note = [](QWidget* row, const QString& words) {
        auto* label = new QLabel(words, row);
        setLook(*label, Look::Secondary);
        row->layout()->addWidget(label);
        return label;
    };
    const auto stretch = [](QWidget* row) { static_cast<QHBoxLayout*>(row->layout())->addStretch(1); };

    QWidget* row = controlRow();
    m_budget = addSlider(row, "labBudget", tr("common KL"));
    m_budgetText = note(row, {});
    m_budgetText->setObjectName(QStringLiteral("labBudgetText"));
    stretch(row);
    row = controlRow();
    m_repair = new QPushButton(row);
    m_repair->setObjectName(QStringLiteral("labRepair"));
    connect(m_repair, &QPushButton::clicked, this, &LabPanel::makeRepair);
    row->layout()->addWidget(m_repair);
    stretch(row);
    row = controlRow();
    note(
        row,
        tr("The constitution's judge is optimised harder from left to right; its score and people's held-out "
           "direction are measured on the same policies."));
    stretch(row);
    row = controlRow();
    m_rule = combo(row, "labRule", tr("loss"), { tr("DPO"), tr("cDPO"), tr("IPO") });
    stretch(row);
    row = controlRow();
    QStringList names;
    for (const policy::FailureMode& mode : policy::failureModes())
        names << QString::fromStdString(mode.title);
    m_failure = combo(row, "labFailure", tr("failure"), names);
    m_dose = addSlider(row, "labDose", tr("dose"));
    m_doseText = note(row, {});
    m_doseText->setObjectName(QStringLiteral("labDoseText"));
    stretch(row);
    row = controlRow();
    m_rounds = combo(
        row, "labRoundMode", tr("judge"),
        { tr("fixed"), tr("drifts towards what the model writes"), tr("likes what the policy does"),
          tr("is the model fitted last"), tr("fitted last, a third of the labels from people") });
    m_play = new QToolButton(row);
    m_play->setObjectName(QStringLiteral("labPlay"));
    m_play->setCheckable(true);
    m_play->setIcon(m_theme.icon(QStringLiteral("play")));
    m_play->setAccessibleName(tr("Play the rounds"));
    setLook(*m_play, Look::Chip);
    row->layout()->addWidget(m_play);
    m_time = addSlider(row, "labTime", tr("round"));
    m_time->setRange(0, 12);
    m_roundText = note(row, {});
    stretch(row);
    row = controlRow();
    names.clear();
    for (const policy::Desk& desk : policy::desks())
        names << QString::fromStdString(desk.title);
    names << tr("This study");
    m_desk = combo(row, "labDesk", tr("case"), names);
    m_stage = combo(
        row, "labStage", tr("training"), { tr("alignment"), tr("alignment, then capability training") });
    stretch(row);
    // Each knob under its own name; they share the row's width.
    m_knobs = new QWidget(this);
    auto* knobColumns = new QHBoxLayout(m_knobs);
    knobColumns->setContentsMargins(0, 0, 0, 0);
    for (int i = 0; i < 4; ++i) {
        auto* one = new QWidget(m_knobs);
        auto* oneColumn = new QVBoxLayout(one);
        oneColumn->setContentsMargins(0, 0, 0, 0);
        oneColumn->setSpacing(0);
        m_knobNames << note(one, {});
        QSlider* knob = addSlider(one, "labKnob", {});
        knob->setObjectName(QStringLiteral("labKnob%1").arg(i));
        connect(knob, &QSlider::valueChanged, this, [this] { showMixer(); });
        m_activations << knob;
        knobColumns->addWidget(one, 1);
    }
    column->addWidget(m_knobs);

    m_places = new QStackedWidget(this);
    column->addWidget(m_places, 1);
    m_detail = new QLabel(this);
    m_detail->setObjectName(QStringLiteral("labDetail"));
    m_detail->setWordWrap(true);
    m_detail->setTextFormat(Qt::RichText);
    for (QLabel* words : { m_sentence, m_detail })
        words->setTextInteractionFlags(
            Qt::TextSelectableByMouse | Qt::LinksAccessibleByMouse | Qt::LinksAccessibleByKeyboard);
    setLook(*m_detail, Look::Secondary);
    column->addWidget(m_detail);
}

void LabPanel::buildPlaces()
{
    const QString gain = tr("gain along people's held-out labels, standard deviations within a prompt");
    m_places->addWidget(buildRows(m_pipelineRows, "labPipelines"));
    m_pipelineRows->setAxisTitle(gain);
    m_pipelineRows->setAccessibleName(tr("Pipelines at one KL"));
    m_places->addWidget(buildRows(m_principleRows, "labPrinciples"));
    m_principleRows->setAxisTitle(gain);
    m_principleRows->setAccessibleName(tr("What each principle brings"));
    m_overoptimisation = buildChart(
        "labOveroptimisation", tr("Proxy and gold against the square root of KL"),
        tr("√KL to the base policy (nats½)"), tr("gain, standard deviations within a prompt"));
    m_places->addWidget(m_overoptimisation);
    auto* dpo = new QWidget(m_places);
    auto* dpoRow = new QHBoxLayout(dpo);
    dpoRow->setContentsMargins(0, 0, 0, 0);
    m_rewards = buildChart("labRewards", tr("Implicit rewards by step"), tr("step"), tr("β ln(π/π₀), share"));
    m_logps
        = buildChart("labLogps", tr("Log-probabilities by step"), tr("step"), tr("log π, mean over pairs"));
    dpoRow->addWidget(m_rewards, 1);
    dpoRow->addWidget(m_logps, 1);
    m_places->addWidget(dpo);
    auto* failures = new QWidget(m_places);
    auto* failureColumn = new QVBoxLayout(failures);
    failureColumn->setContentsMargins(0, 0, 0, 0);
    m_failureRows = new IntervalRows(m_theme, failures);
    m_failureRows->setObjectName(QStringLiteral("labFailureRows"));
    m_failureRows->setCompact(true); // the chart below has the scale
    failureColumn->addWidget(m_failureRows);
    m_failureRows->setAccessibleName(tr("Effect of the failure"));
    m_doses = buildChart("labDoses", tr("Gain by dose"), tr("dose"), tr("gain, sd"));
    failureColumn->addWidget(m_doses, 1);
    m_places->addWidget(failures);
    m_roundChart = buildChart("labRounds", tr("Gain by round"), tr("round"), tr("gain, sd; cosine"));
    m_roundChart->setMarkerSnaps(true);
    m_places->addWidget(m_roundChart);
    m_places->addWidget(buildRows(m_mixerRows, "labMixerRows"));
    m_mixerRows->setAxisTitle(tr("gain of each mechanism, before and after training"));
    m_mixerRows->setAccessibleName(tr("Mechanisms before and after training"));
}

QWidget* LabPanel::buildRows(IntervalRows*& rows, const char* object)
{
    auto* area = new QScrollArea(m_places);
    area->setFrameShape(QFrame::NoFrame);
    area->setWidgetResizable(true);
    auto* holder = new QWidget(area);
    auto* column = new QVBoxLayout(holder);
    column->setContentsMargins(0, 0, 0, 0);
    rows = new IntervalRows(m_theme, holder);
    rows->setObjectName(QLatin1String(object));
    column->addWidget(rows);
    column->addStretch(1);
    area->setWidget(holder);
    return area;
}

SeriesView* LabPanel::buildChart(const char* object, const QString& name, const QString& x, const QString& y)
{
    auto* chart = new SeriesView(m_theme, m_places);
    chart->setObjectName(QLatin1String(object));
    chart->setAccessibleName(name);
    AxisSpec axisX, axisY;
    axisX.title = x;
    axisY.title = y;
    chart->setAxes(axisX, axisY);
    return chart;
}

QSlider* LabPanel::addSlider(QWidget* row, const char* object, const QString& name)
{
    if (!name.isEmpty()) {
        auto* label = new QLabel(name, row);
        setLook(*label, Look::Secondary);
        row->layout()->addWidget(label);
    }
    auto* slider = new QSlider(Qt::Horizontal, row);
    slider->setObjectName(QLatin1String(object));
    slider->setAccessibleName(name);
    slider->setRange(0, sliderSteps);
    slider->setValue(sliderSteps / 2);
    slider->setMinimumWidth(m_theme.palette().ipx(name.isEmpty() ? 50 : 160));
    row->layout()->addWidget(slider);
    return slider;
}

} // namespace lodestone::ui
