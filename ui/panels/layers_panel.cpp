#include "ui/panels/layers_panel.h"

#include "ui/plots/series_view.h"
#include "ui/plots/theme.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QToolButton>
#include <cmath>

namespace lodestone::ui {

LayersPanel::LayersPanel(Theme& theme, Session& session, QWidget* parent)
    : QWidget(parent)
    , m_session(session)
{
    setObjectName(QStringLiteral("layersPanel"));
    const Palette& look = theme.palette();
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(look.padPanel, look.gap, look.padPanel, look.padPanel);
    column->setSpacing(look.gap);
    auto* head = new QHBoxLayout;
    m_sentence = new QLabel(tr("Scoring every layer …"), this);
    m_sentence->setObjectName(QStringLiteral("layersSentence"));
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
    auto* table = button("layersTable", "table", tr("The same as a table"));
    connect(
        button("layersPicture", "image", tr("Save the picture")), &QToolButton::clicked, this,
        &LayersPanel::pictureRequested);
    column->addLayout(head);
    m_chart = new SeriesView(theme, this);
    m_chart->setObjectName(QStringLiteral("layersChart"));
    m_chart->setSurface(ChartView::Surface::Ground);
    m_chart->setAccessibleName(tr("Held-out accuracy by layer"));
    m_chart->setMarkerSnaps(true);
    column->addWidget(m_chart, 1);
    m_massive = new QLabel(this);
    m_massive->setObjectName(QStringLiteral("massive"));
    m_massive->setWordWrap(true);
    setLook(*m_massive, Look::Secondary);
    column->addWidget(m_massive);
    connect(table, &QToolButton::clicked, this, &LayersPanel::tableRequested);
    connect(&session, &Session::sweepChanged, this, &LayersPanel::refresh);
    connect(&session, &Session::snapshotChanged, this, &LayersPanel::refresh);
    connect(m_chart, &SeriesView::markerReleased, this, [this](double x) {
        session::Inputs next = m_session.inputs();
        const Layer layer = Layer::atRow(static_cast<int>(std::lround(x)));
        if (!m_session.hasStudy() || layer == next.layer
            || !m_session.foundation()->study->has(layer, next.position))
            return;
        next.layer = layer;
        m_session.edit(tr("Change the layer"), next);
    });
}

void LayersPanel::showEvent(QShowEvent* event)
{
    QWidget::showEvent(event);
    refresh();
}

void LayersPanel::refresh()
{
    if (!isVisible()) // filled when it is shown: an edit pays only for what is seen
        return;
    const session::Sweep* sweep = m_session.sweep();
    const auto now = m_session.snapshot();
    if (sweep == m_shownSweep && now && now->layer.get() == m_shownLayer)
        return;
    m_shownSweep = sweep;
    m_shownLayer = now ? now->layer.get() : nullptr;
    if (!sweep || !m_session.hasStudy()) {
        m_chart->setSeries({});
        return;
    }
    Series people;
    people.label = tr("people's labels");
    people.ink = Ink::people();
    Series raw;
    raw.label = tr("raw coordinates");
    raw.ink = Ink::generation();
    Series random, shuffled, length, embedding;
    const auto baseline = [](Series& series, const QString& label) {
        series.label = label;
        series.ink = Ink::secondary();
        series.stroke = Series::Stroke::Dashed;
    };
    baseline(random, tr("random direction"));
    baseline(shuffled, tr("shuffled labels"));
    baseline(length, tr("length alone"));
    baseline(embedding, tr("bag of tokens"));
    shuffled.stroke = length.stroke = Series::Stroke::Dotted;
    embedding.ink = Ink::rejected();
    for (const session::SweepRow& row : sweep->rows) {
        const double x = row.layer.row();
        const geometry::Estimate& score = sweep->pairs ? row.accuracy : row.auc;
        people.x.push_back(x);
        people.y.push_back(score.value);
        people.low.push_back(score.interval.low);
        people.high.push_back(score.interval.high);
        if (row.rawDifference) {
            raw.x.push_back(x);
            raw.y.push_back(sweep->pairs ? row.rawDifference->accuracy.value : row.rawDifference->auc.value);
        }
        random.x.push_back(x);
        random.y.push_back(sweep->pairs ? row.random.accuracy : row.random.auc);
        shuffled.x.push_back(x);
        shuffled.y.push_back(sweep->pairs ? row.shuffled.accuracy : row.shuffled.auc);
        if (row.length) {
            length.x.push_back(x);
            length.y.push_back(sweep->pairs ? row.length->accuracy.value : row.length->auc.value);
        }
        if (row.embedding) {
            embedding.x.push_back(x);
            embedding.y.push_back(sweep->pairs ? row.embedding->accuracy.value : row.embedding->auc.value);
        }
    }
    QVector<Series> all{ people, random, shuffled };
    if (!raw.x.empty())
        all << raw;
    if (!length.x.empty())
        all << length;
    if (!embedding.x.empty())
        all << embedding;
    AxisSpec x, y;
    x.title = tr("layer · residual stream (embedding, then each block's output)");
    x.label = [](double value) {
        return value < 0.5 ? QStringLiteral("emb.") : QString::number(std::lround(value) - 1);
    };
    y.title = sweep->pairs ? tr("pair accuracy, held out") : tr("AUC, held out");
    m_chart->setAxes(x, y);
    m_chart->setSeries(all);
    m_chart->setMarker(static_cast<double>(m_session.inputs().layer.row()));
    const session::SweepRow& best = sweep->rows[static_cast<std::size_t>(sweep->best)];
    const geometry::Estimate& score = sweep->pairs ? best.accuracy : best.auc;
    m_sentence->setText(tr("Cross-validation inside training picks %1: %2 held out (%3 to %4, %5 items).")
                            .arg(
                                QString::fromStdString(best.layer.label()),
                                sweep->pairs
                                    ? QStringLiteral("%1 %").arg(percent(score.value))
                                    : QStringLiteral("AUC %1").arg(number(score.value, 2, false, true)))
                            .arg(percent(score.interval.low))
                            .arg(percent(score.interval.high))
                            .arg(sweep->heldOut));
    if (const auto snapshot = m_session.snapshot()) {
        const auto massive
            = geometry::massiveActivations(snapshot->layer->rows, snapshot->layer->trainingRows, 20);
        QStringList list;
        for (std::size_t i = 0; i < std::min<std::size_t>(3, massive.size()); ++i)
            list << tr("coordinate %1 (%2 times the median)")
                        .arg(massive[i].coordinate)
                        .arg(std::lround(massive[i].ratio));
        double share = 0;
        for (const session::SweepRow& row : sweep->rows)
            if (row.layer == snapshot->inputs.layer)
                share = row.massiveShare;
        m_massive->setText(
            tr("Difference of means, on coordinates standardised by the training prompts and on raw ones. ")
            + (list.isEmpty()
                   ? tr("No coordinate at %1 exceeds 20 times the median deviation.")
                         .arg(QString::fromStdString(snapshot->inputs.layer.label()))
                   : tr("Massive activations at %1: %2%3. They hold %4 % of the raw difference's squared "
                        "length; standardising keeps them from drowning the rest.")
                         .arg(
                             QString::fromStdString(snapshot->inputs.layer.label()),
                             list.join(QStringLiteral(", ")),
                             massive.size() > 3 ? tr(" and %1 more").arg(massive.size() - 3) : QString())
                         .arg(percent(share))));
    }
}

TextTable LayersPanel::table() const
{
    TextTable table;
    table.title = tr("Accuracy by layer, held out");
    table.header = { tr("layer"),         tr("pair accuracy"),   tr("low"),      tr("high"),
                     tr("AUC"),           tr("random"),          tr("shuffled"), tr("length"),
                     tr("bag of tokens"), tr("cross-validated"), tr("raw"),      tr("massive share") };
    const session::Sweep* sweep = m_session.sweep();
    if (!sweep)
        return table;
    const auto text
        = [](double value) { return std::isfinite(value) ? QString::number(value, 'g', 6) : QString(); };
    for (const session::SweepRow& row : sweep->rows)
        table.rows.push_back(
            { QString::fromStdString(row.layer.label()), text(row.accuracy.value),
              text(row.accuracy.interval.low), text(row.accuracy.interval.high), text(row.auc.value),
              text(sweep->pairs ? row.random.accuracy : row.random.auc),
              text(sweep->pairs ? row.shuffled.accuracy : row.shuffled.auc),
              row.length ? text(sweep->pairs ? row.length->accuracy.value : row.length->auc.value)
                         : QString(),
              row.embedding ? text(sweep->pairs ? row.embedding->accuracy.value : row.embedding->auc.value)
                            : QString(),
              text(row.crossValidated),
              row.rawDifference
                  ? text(sweep->pairs ? row.rawDifference->accuracy.value : row.rawDifference->auc.value)
                  : QString(),
              text(row.massiveShare) });
    return table;
}

} // namespace lodestone::ui
