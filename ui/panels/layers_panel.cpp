#include "ui/panels/layers_panel.h"

#include "ui/plots/series_view.h"
#include "ui/plots/theme.h"
#include "ui/widgets/segmented_control.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QToolButton>
#include <cmath>

namespace lodestone::ui {
namespace {

const QString& rankKind()
{
    static const QString kind = QStringLiteral("rank");
    return kind;
}

QString plainNumber(double value)
{
    return std::isfinite(value) ? QString::number(value, 'g', 6) : QString();
}

QString agreementText(const geometry::Estimate& estimate, bool pairs)
{
    return pairs ? QStringLiteral("%1 %").arg(percent(estimate.value))
                 : QStringLiteral("AUC %1").arg(number(estimate.value, 2, false, true));
}

} // namespace

LayersPanel::LayersPanel(Theme& theme, Session& session, QWidget* parent)
    : QWidget(parent)
    , m_session(session)
{
    setObjectName(QStringLiteral("layersPanel"));
    const Palette& look = theme.palette();
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(look.padPanel, look.gap, look.padPanel, look.padPanel);
    column->setSpacing(look.gap);
    auto* choice = new QHBoxLayout;
    m_segments = new SegmentedControl(this);
    m_segments->setObjectName(QStringLiteral("layersSegments"));
    m_segments->setSegments({ tr("By layer"), tr("By rank") });
    choice->addWidget(m_segments);
    choice->addStretch(1);
    column->addLayout(choice);
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
    connect(m_segments, &SegmentedControl::currentChanged, this, [this] {
        m_shownSweep = nullptr;
        refresh();
        Q_EMIT measured();
    });
    connect(&session, &Session::studyChanged, this, [this] {
        m_found.reset();
        m_foundFor = nullptr;
    });
    connect(&session.sweepLane(), &Lane::finished, this, [this](const QString& kind) {
        if (kind != rankKind() || m_session.sweepLane().busyWith(kind))
            return;
        m_jobs = 0;
        if (!m_found) // stopped: counted anew when it is looked at again
            m_foundFor = nullptr;
    });
    connect(table, &QToolButton::clicked, this, &LayersPanel::tableRequested);
    connect(&session, &Session::sweepChanged, this, &LayersPanel::refresh);
    connect(&session, &Session::snapshotChanged, this, &LayersPanel::refresh);
    connect(m_chart, &SeriesView::markerReleased, this, [this](double x) {
        if (m_segments->current() != ByLayer)
            return;
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
    m_chart->setMarkerMovable(m_segments->current() == ByLayer);
    if (m_segments->current() == ByRank)
        startRank();
    else
        showSweep();
}

void LayersPanel::startRank()
{
    const auto snapshot = m_session.snapshot();
    if (!snapshot) {
        m_chart->setSeries({});
        m_sentence->setText(tr("Open a study first."));
        m_massive->clear();
        return;
    }
    if (m_found && m_foundFor == snapshot->layer.get())
        return showRank();
    if (m_jobs > 0 && m_foundFor == snapshot->layer.get())
        return;
    m_found.reset();
    m_foundFor = snapshot->layer.get();
    m_chart->setSeries({});
    m_massive->clear();
    m_sentence->setText(tr("One moment: directions of %1 are being counted.")
                            .arg(QString::fromStdString(snapshot->layer->layer.label())));
    ++m_jobs;
    m_session.sweepLane().run<session::Dimensions>(
        rankKind(),
        [snapshot](const Work& work) {
            session::DimensionsOptions options;
            options.position = snapshot->inputs.position;
            options.seed = snapshot->inputs.seed;
            return session::measureDimensions(*snapshot->foundation, snapshot->layer->layer, options, work);
        },
        [this](Result<session::Dimensions> found) {
            m_jobs = 0;
            if (found)
                m_found = std::move(*found);
            else {
                m_foundFor = nullptr;
                if (found.error().kind != ErrorKind::Cancelled)
                    m_sentence->setText(QString::fromStdString(found.error().message()));
            }
            if (m_found && m_segments->current() == ByRank)
                showRank();
            Q_EMIT measured();
        });
}

void LayersPanel::showRank()
{
    Series kept, random, captured, expected, capacity;
    kept.label = tr("k leading components");
    kept.ink = Ink::people();
    random.label = tr("k random directions");
    random.ink = Ink::secondary();
    random.stroke = Series::Stroke::Dashed;
    captured.label = tr("F, share held");
    captured.ink = Ink::constitution();
    expected.label = tr("k/d (T19)");
    expected.ink = Ink::constitution();
    expected.stroke = Series::Stroke::Dotted;
    capacity.label = tr("T12");
    capacity.ink = Ink::generation();
    capacity.stroke = Series::Stroke::Dotted;
    for (std::size_t i = 0; i < m_found->ranks.size(); ++i) {
        const session::RankRow& row = m_found->ranks[i];
        const double x = std::log2(row.rank);
        for (Series* series : { &kept, &random, &captured, &expected, &capacity })
            series->x.push_back(x);
        kept.y.push_back(row.kept.value);
        kept.low.push_back(row.kept.interval.low);
        kept.high.push_back(row.kept.interval.high);
        random.y.push_back(row.randomKept);
        captured.y.push_back(row.captured);
        expected.y.push_back(static_cast<double>(row.rank) / m_found->width);
        capacity.y.push_back(m_found->capacityCurve[i]);
    }
    AxisSpec x, y;
    x.title = tr("k, directions kept (of %1)").arg(m_found->width);
    x.label = [](double value) { return QString::number(std::lround(std::exp2(value))); };
    y.title = m_found->pairs ? tr("pair accuracy, held out; F") : tr("AUC, held out; F");
    m_chart->setAxes(x, y);
    m_chart->setSeries({ kept, random, captured, expected, capacity });
    m_chart->setMarker(std::numeric_limits<double>::quiet_NaN());
    const session::RankRow& whole = m_found->ranks.back();
    const auto enough
        = std::find_if(m_found->ranks.begin(), m_found->ranks.end(), [&](const session::RankRow& row) {
              return row.kept.value >= whole.kept.interval.low;
          });
    m_sentence->setText(
        tr("%1 of %2 directions come within the interval of all, reading people's labels at %3: %4 "
           "against %5 (%6 to %7).")
            .arg(enough->rank)
            .arg(m_found->width)
            .arg(
                QString::fromStdString(m_found->layer.label()), agreementText(enough->kept, m_found->pairs),
                agreementText(whole.kept, m_found->pairs), percent(whole.kept.interval.low),
                percent(whole.kept.interval.high)));
    if (m_found->removals.size() > 1 && m_found->removals[1].left.interval.low <= 0.5)
        m_sentence->setText(
            tr("Once one direction of %1 is taken out, the next cannot be told from chance: %2 (%3 to %4). ")
                .arg(
                    QString::fromStdString(m_found->layer.label()),
                    agreementText(m_found->removals[1].left, m_found->pairs),
                    percent(m_found->removals[1].left.interval.low),
                    percent(m_found->removals[1].left.interval.high))
            + tr("It is spread over about %1 principal components.").arg(enough->rank));
    QStringList left, coordinates;
    for (const session::RemovedRow& row : m_found->removals)
        left << percent(row.left.value);
    for (const session::CoordinatesRow& row : m_found->coordinates)
        coordinates << QStringLiteral("%1 %2").arg(
            QString::fromStdString(row.name), agreementText(row.heldOut, m_found->pairs));
    m_massive->setText(
        tr("Found directions taken out one after the other, the next still reads: %1 (Ravfogel et al. 2020). "
           "Difference of means by coordinates: %2. F: share of people's direction that the span holds in "
           "Sigma; "
           "gain at one KL goes with its root. T12 with exponent %3, fitted: a reconstruction.")
            .arg(
                left.join(QStringLiteral(", ")), coordinates.join(QStringLiteral(", ")),
                number(m_found->capacityExponent, 2, false, false)));
}

void LayersPanel::showSweep()
{
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

TextTable LayersPanel::table() const { return m_segments->current() == ByRank ? rankTable() : sweepTable(); }

TextTable LayersPanel::rankTable() const
{
    TextTable table;
    table.title = tr("Directions that carry the value, held out");
    table.header = { tr("what"),   tr("k"),        tr("agreement"),        tr("low"), tr("high"), tr("F"),
                     tr("random"), tr("random F"), tr("encoding quality"), tr("T12") };
    if (!m_found)
        return table;
    const auto add
        = [&](const QString& what, const QString& k, const geometry::Estimate& value) -> QStringList& {
        table.rows.push_back({ what, k, plainNumber(value.value), plainNumber(value.interval.low),
                               plainNumber(value.interval.high) });
        return table.rows.back();
    };
    for (std::size_t i = 0; i < m_found->ranks.size(); ++i) {
        const session::RankRow& row = m_found->ranks[i];
        add(tr("kept"), QString::number(row.rank), row.kept)
            << plainNumber(row.captured) << plainNumber(row.randomKept) << plainNumber(row.randomCaptured)
            << plainNumber(row.encodingQuality.value) << plainNumber(m_found->capacityCurve[i]);
    }
    for (const session::RemovedRow& row : m_found->removals)
        add(tr("taken out"), QString::number(row.removed), row.left).resize(table.header.size());
    for (const session::CoordinatesRow& row : m_found->coordinates)
        add(QString::fromStdString(row.name), {}, row.heldOut).resize(table.header.size());
    return table;
}

TextTable LayersPanel::sweepTable() const
{
    TextTable table;
    table.title = tr("Accuracy by layer, held out");
    table.header = { tr("layer"),         tr("pair accuracy"),   tr("low"),      tr("high"),
                     tr("AUC"),           tr("random"),          tr("shuffled"), tr("length"),
                     tr("bag of tokens"), tr("cross-validated"), tr("raw"),      tr("massive share") };
    const session::Sweep* sweep = m_session.sweep();
    if (!sweep)
        return table;
    const auto text = plainNumber;
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
