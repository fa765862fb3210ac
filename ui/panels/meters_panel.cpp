#include "ui/panels/meters_panel.h"

#include "ui/plots/score_view.h"
#include "ui/plots/theme.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QScrollArea>
#include <QToolButton>
#include <cmath>

namespace lodestone::ui {
namespace {

struct Meter {
    QString name;
    geometry::Estimate value;
    QString formula;
};

QVector<Meter> metersOf(const session::Snapshot& snapshot)
{
    const session::MeterStage& m = *snapshot.meters;
    const auto plain = [](double value) { return geometry::Estimate{ value, {} }; };
    return {
        { MetersPanel::tr("Values encoded"), m.encodingQuality,
          MetersPanel::tr("sin²(π(a − ½)), a: held-out accuracy of w*") },
        { MetersPanel::tr("Judges − writes"), m.gap,
          MetersPanel::tr("accuracy of w_c minus that of log p(y|x) − log p(y), length out") },
        { MetersPanel::tr("… at matched lengths"), m.matchedGap,
          MetersPanel::tr("the same on %1 pairs whose lengths differ by at most a tenth")
              .arg(m.matchedPairs) },
        { MetersPanel::tr("Constitution efficiency"), m.efficiency,
          MetersPanel::tr("cos_Σ(w*, w_c), within prompts") },
        { MetersPanel::tr("… noise ceiling"), plain(m.efficiencyNoiseCeiling),
          MetersPanel::tr("the largest cosine to expect with so few pairs (split halves)") },
        { MetersPanel::tr("Share of ceiling"), m.shareOfCeiling,
          MetersPanel::tr("sin(π(a_c − ½)) / sin(π(a* − ½))") },
        { MetersPanel::tr("Improves values"), plain(m.selfImprovementProbability),
          MetersPanel::tr("share of resamples with Cov(V, r_c) > 0") },
        { MetersPanel::tr("cos of w* and generation"), m.cosTrueGeneration,
          MetersPanel::tr("cos_Σ(w*, w_gen); generation is a proxy") },
        { MetersPanel::tr("cos of w_c and generation"), m.cosJudgeGeneration,
          MetersPanel::tr("cos_Σ(w_c, w_gen)") },
    };
}

QVector<ScoreMark> marksOf(const session::Snapshot& snapshot)
{
    const bool pairs = !snapshot.foundation->study->set().labelled();
    const session::MeterStage& m = *snapshot.meters;
    QVector<ScoreMark> marks;
    const auto add = [&](const QString& name, const geometry::Estimate& score, Ink ink) {
        if (std::isfinite(score.value))
            marks.push_back({ name, score.value, score.interval.low, score.interval.high, ink });
    };
    const auto pick = [&](const geometry::Score& score) { return pairs ? score.accuracy : score.auc; };
    add(MetersPanel::tr("people's direction w*"), pick(snapshot.layer->people.heldOut), Ink::people());
    add(MetersPanel::tr("constitution w_c"), pick(snapshot.judge->heldOut), Ink::constitution());
    for (std::size_t i = 0; i < snapshot.principles.size(); ++i)
        if (snapshot.principles[i]->direction.found()) {
            const QString name = QString::fromStdString(snapshot.inputs.constitution.principles[i].name);
            const Ink ink = Ink::principle(static_cast<int>(i));
            add(MetersPanel::tr("%1, direction").arg(name), pick(snapshot.principles[i]->aboutValue), ink);
            add(MetersPanel::tr("%1, answers, all pairs").arg(name), pick(snapshot.principles[i]->direct),
                ink);
        }
    add(MetersPanel::tr("log p(y|x)"), m.likelihoodTotal, Ink::generation());
    add(MetersPanel::tr("log p(y|x) per token"), m.likelihoodPerToken, Ink::generation());
    add(MetersPanel::tr("log p(y|x) − log p(y), length out"), m.generationAccuracy, Ink::generation());
    add(MetersPanel::tr("w_c, %1 pairs of matched length").arg(m.matchedPairs), m.matchedJudge,
        Ink::constitution());
    add(MetersPanel::tr("generation, the same pairs"), m.matchedGeneration, Ink::generation());
    return marks;
}

QVector<ReferenceLine> baselinesOf(const session::Sweep* sweep, Layer layer)
{
    QVector<ReferenceLine> lines;
    if (!sweep)
        return lines;
    for (const session::SweepRow& row : sweep->rows)
        if (row.layer == layer) {
            const auto add = [&](const QString& name, double at, Ink ink = Ink::secondary()) {
                lines.push_back({ name, at, Qt::Vertical, ink });
            };
            add(MetersPanel::tr("random"), sweep->pairs ? row.random.accuracy : row.random.auc);
            add(MetersPanel::tr("shuffled"), sweep->pairs ? row.shuffled.accuracy : row.shuffled.auc);
            if (row.length)
                add(MetersPanel::tr("length"),
                    sweep->pairs ? row.length->accuracy.value : row.length->auc.value);
            if (row.embedding)
                add(MetersPanel::tr("bag of tokens"),
                    sweep->pairs ? row.embedding->accuracy.value : row.embedding->auc.value, Ink::rejected());
        }
    return lines;
}

} // namespace

MetersPanel::MetersPanel(Theme& theme, Session& session, QWidget* parent)
    : QWidget(parent)
    , m_theme(theme)
    , m_session(session)
{
    setObjectName(QStringLiteral("metersPanel"));
    const Palette& look = theme.palette();
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(look.padPanel, look.gap, look.padPanel, look.padPanel);
    column->setSpacing(look.gap);
    auto* head = new QHBoxLayout;
    m_sentence = new QLabel(this);
    m_sentence->setObjectName(QStringLiteral("metersSentence"));
    m_sentence->setWordWrap(true);
    setLook(*m_sentence, Look::Sentence);
    head->addWidget(m_sentence, 1);
    const auto button = [&](const char* object, const char* icon, const QString& tip) {
        auto* one = new QToolButton(this);
        one->setObjectName(QLatin1String(object));
        one->setIcon(theme.icon(QLatin1String(icon)));
        one->setAccessibleName(tip);
        one->setToolTip(tip);
        setLook(*one, Look::Ghost);
        head->addWidget(one, 0, Qt::AlignTop);
        return one;
    };
    connect(
        button("metersTable", "table", tr("The same as a table")), &QToolButton::clicked, this,
        &MetersPanel::tableRequested);
    connect(
        button("metersPicture", "image", tr("Save the picture")), &QToolButton::clicked, this,
        &MetersPanel::pictureRequested);
    column->addLayout(head);
    m_doubts = new QLabel(this);
    m_doubts->setObjectName(QStringLiteral("metersDoubts"));
    m_doubts->setWordWrap(true);
    setLook(*m_doubts, Look::Secondary);
    column->addWidget(m_doubts);
    m_chart = new ScoreView(theme, this);
    m_chart->setObjectName(QStringLiteral("metersChart"));
    column->addWidget(m_chart, 5);
    auto* scroll = new QScrollArea(this);
    scroll->setObjectName(QStringLiteral("metersScroll"));
    scroll->setWidgetResizable(true);
    scroll->setFrameShape(QFrame::NoFrame);
    m_list = new QLabel(scroll);
    m_list->setObjectName(QStringLiteral("metersList"));
    m_list->setTextFormat(Qt::RichText);
    m_list->setAlignment(Qt::AlignTop | Qt::AlignLeft);
    m_list->setWordWrap(true);
    setLook(*m_list, Look::Ground);
    m_list->setFont(theme.font(look.fontSecondary));
    scroll->setWidget(m_list);
    setLook(*scroll, Look::Ground);
    column->addWidget(scroll, 2);
    connect(&session, &Session::snapshotChanged, this, &MetersPanel::refresh);
    connect(&session, &Session::sweepChanged, this, &MetersPanel::refresh);
    connect(&theme, &Theme::changed, this, &MetersPanel::refresh);
}

void MetersPanel::showEvent(QShowEvent* event)
{
    QWidget::showEvent(event);
    refresh();
}

void MetersPanel::refresh()
{
    const auto snapshot = m_session.snapshot();
    if (!snapshot || !isVisible()) // filled when it is shown: an edit pays only for what is seen
        return;
    const bool pairs = !snapshot->foundation->study->set().labelled();
    const session::MeterStage& m = *snapshot->meters;
    const auto points = [](double share) { return number(100 * share, 0, true); };
    if (!pairs || !std::isfinite(m.gap.value)) {
        m_sentence->setText(
            pairs ? tr("Without captured likelihoods judging cannot be set beside writing.")
                  : tr("Single labelled texts are told apart; nothing was written to compare."));
        m_doubts->setText(
            tr("Every score stands on held-out items, beside the baselines that it must beat."));
    } else {
        m_sentence->setText(
            m.judgesBetterThanWrites()
                ? tr("It judges better than it writes: by %1 points, at matched lengths by %2.")
                      .arg(points(m.gap.value), points(m.matchedGap.value))
                : m.gap.interval.low > 0
                ? tr("It seems to judge better than it writes, but not once lengths are matched.")
                : tr("Nothing here shows that it judges better than it writes."));
        m_doubts->setText(
            tr("Judge minus writing: %1 points (%2 to %3). At matched lengths (%4 pairs): %5 (%6 to %7). "
               "Writing is a proxy: log p(y|x) − log p(y), with length taken out.")
                .arg(points(m.gap.value), points(m.gap.interval.low), points(m.gap.interval.high))
                .arg(m.matchedPairs)
                .arg(
                    points(m.matchedGap.value), points(m.matchedGap.interval.low),
                    points(m.matchedGap.interval.high)));
    }
    m_chart->setScores(
        marksOf(*snapshot), baselinesOf(m_session.sweep(), snapshot->inputs.layer),
        pairs ? tr("pair accuracy, held out · %1").arg(QString::fromStdString(snapshot->inputs.layer.label()))
              : tr("AUC, held out · %1").arg(QString::fromStdString(snapshot->inputs.layer.label())));
    QString rows;
    for (const Meter& meter : metersOf(*snapshot))
        rows += QStringLiteral(
                    "<tr><td>%1</td><td align=right>&nbsp;&nbsp;<b>%2</b></td><td>&nbsp;&nbsp;%3</td>"
                    "<td style=\"color:%5\">&nbsp;&nbsp;%4</td></tr>")
                    .arg(
                        meter.name.toHtmlEscaped(),
                        std::isfinite(meter.value.value) ? number(meter.value.value, 2, false, true)
                                                         : QStringLiteral("–"),
                        meter.value.interval.isKnown()
                            ? tr("%1 to %2")
                                  .arg(
                                      number(meter.value.interval.low, 2, false, true),
                                      number(meter.value.interval.high, 2, false, true))
                            : QString(),
                        meter.formula.toHtmlEscaped(), m_theme.palette().secondary.name());
    m_list->setText(QStringLiteral("<table>%1</table>").arg(rows));
}

TextTable MetersPanel::table() const
{
    TextTable table;
    table.title = tr("Scores, baselines and meters");
    table.header = { tr("kind"), tr("name"), tr("value"), tr("low"), tr("high"), tr("formula") };
    const auto snapshot = m_session.snapshot();
    if (!snapshot)
        return table;
    const auto text
        = [](double value) { return std::isfinite(value) ? QString::number(value, 'g', 8) : QString(); };
    for (const ScoreMark& mark : marksOf(*snapshot))
        table.rows.push_back(
            { tr("score"), mark.name, text(mark.value), text(mark.low), text(mark.high), QString() });
    for (const ReferenceLine& line : baselinesOf(m_session.sweep(), snapshot->inputs.layer))
        table.rows.push_back({ tr("baseline"), line.label, text(line.at), QString(), QString(), QString() });
    for (const Meter& meter : metersOf(*snapshot))
        table.rows.push_back({ tr("meter"), meter.name, text(meter.value.value),
                               text(meter.value.interval.low), text(meter.value.interval.high),
                               meter.formula });
    return table;
}

} // namespace lodestone::ui
