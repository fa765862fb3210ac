#include "ui/panels/projection_panel.h"

#include "ui/plots/scatter_view.h"
#include "ui/plots/theme.h"
#include "ui/widgets/meter_card.h"
#include "ui/widgets/swatch.h"

#include <QButtonGroup>
#include <QComboBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QToolButton>
#include <algorithm>
#include <cmath>

namespace lodestone::ui {
namespace {

QString percent(double share)
{
    return std::isfinite(share) ? QString::number(std::lround(100 * share)) : QStringLiteral("–");
}

QString range(const geometry::Interval& interval, int decimals = 2)
{
    return interval.isKnown() ? number(interval.low, decimals, false, true) % QStringLiteral(" – ")
            % number(interval.high, decimals, false, true)
                              : QString();
}

} // namespace

ProjectionPanel::ProjectionPanel(Theme& theme, Session& session, QWidget* parent)
    : QWidget(parent)
    , m_theme(theme)
    , m_session(session)
{
    setObjectName(QStringLiteral("projectionPanel"));
    const Palette& look = theme.palette();
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(look.padPanel, look.gap, look.padPanel, look.padPanel);
    column->setSpacing(look.gap);
    m_sentence = new QLabel(this);
    m_sentence->setObjectName(QStringLiteral("sentence"));
    m_sentence->setWordWrap(true);
    setLook(*m_sentence, Look::Sentence);
    m_doubts = new QLabel(this);
    m_doubts->setObjectName(QStringLiteral("doubts"));
    m_doubts->setWordWrap(true);
    setLook(*m_doubts, Look::Secondary);
    column->addWidget(m_sentence);
    column->addWidget(m_doubts);

    auto* meters = new QHBoxLayout;
    meters->setSpacing(look.gap);
    const QString titles[] = { tr("Values encoded"), tr("Judges − writes"), tr("Constitution efficiency"),
                               tr("Share of ceiling"), tr("Improves values") };
    for (std::size_t i = 0; i < m_meters.size(); ++i) {
        m_meters[i] = new MeterCard(theme, this);
        m_meters[i]->setObjectName(QStringLiteral("meter%1").arg(i));
        m_meters[i]->setTitle(titles[i]);
        m_meters[i]->setToolTip(tr("Click for the formula and how it was measured"));
        connect(
            m_meters[i], &MeterCard::clicked, this, [this, i] { explainMeter(static_cast<int>(i), true); });
        meters->addWidget(m_meters[i], 1);
    }
    column->addLayout(meters);

    auto* body = new QHBoxLayout;
    body->setSpacing(look.padPanel);
    m_scatter = new ScatterView(theme, this);
    m_scatter->setObjectName(QStringLiteral("scatter"));
    m_scatter->setAccessibleName(tr("Responses in a plane of value directions"));
    body->addWidget(m_scatter, 1);
    auto* side = new QVBoxLayout;
    side->setSpacing(look.gapSmall);
    auto* tools = new QHBoxLayout;
    tools->setSpacing(0);
    auto* group = new QButtonGroup(this);
    const struct {
        const char* icon;
        QString tip;
        ScatterView::Tool tool;
    } buttons[] = { { "box", tr("Select with a box"), ScatterView::Tool::Box },
                    { "lasso", tr("Select with a lasso"), ScatterView::Tool::Lasso },
                    { "pan", tr("Move the view"), ScatterView::Tool::Pan } };
    for (const auto& entry : buttons) {
        auto* button = new QToolButton(this);
        button->setObjectName(QStringLiteral("tool-") + QLatin1String(entry.icon));
        button->setIcon(theme.icon(QLatin1String(entry.icon)));
        button->setToolTip(entry.tip);
        button->setAccessibleName(entry.tip);
        button->setCheckable(true);
        button->setChecked(entry.tool == ScatterView::Tool::Box);
        button->setFixedSize(look.ipx(22), look.ipx(22));
        button->setStyleSheet(QStringLiteral("padding: 0;"));
        setLook(*button, Look::Ghost);
        group->addButton(button);
        connect(button, &QToolButton::clicked, this, [this, tool = entry.tool] { m_scatter->setTool(tool); });
        tools->addWidget(button);
    }
    const auto tool = [&](const char* object, const char* icon, const QString& tip) {
        auto* button = new QToolButton(this);
        button->setObjectName(QLatin1String(object));
        button->setIcon(theme.icon(QLatin1String(icon)));
        button->setToolTip(tip);
        button->setAccessibleName(tip);
        button->setFixedSize(look.ipx(22), look.ipx(22));
        button->setStyleSheet(QStringLiteral("padding: 0;"));
        setLook(*button, Look::Ghost);
        tools->addWidget(button);
        return button;
    };
    connect(tool("fit", "fit", tr("Show every point")), &QToolButton::clicked, m_scatter, &ScatterView::fit);
    connect(
        tool("scatterTable", "table", tr("The same as a table")), &QToolButton::clicked, this,
        &ProjectionPanel::tableRequested);
    connect(
        tool("scatterPicture", "image", tr("Save the picture")), &QToolButton::clicked, this,
        &ProjectionPanel::pictureRequested);
    tools->addStretch(1);
    side->addLayout(tools);
    const auto combo = [&](const QString& label, const char* object) {
        auto* caption = new QLabel(label, this);
        setLook(*caption, Look::Secondary);
        side->addWidget(caption);
        auto* box = new QComboBox(this);
        box->setObjectName(QLatin1String(object));
        box->setAccessibleName(label);
        box->setMinimumContentsLength(10);
        box->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
        side->addWidget(box);
        return box;
    };
    m_key = new QWidget(this);
    new QVBoxLayout(m_key);
    m_key->layout()->setContentsMargins(0, look.gapSmall, 0, look.gapSmall);
    m_key->layout()->setSpacing(look.gapSmall);
    side->addWidget(m_key);
    m_colour = combo(tr("colour by"), "colourBy");
    m_colour->addItems({ tr("label"), tr("value"), tr("judgment"), tr("policy weight") });
    m_axisX = combo(tr("across"), "axisX");
    m_axisY = combo(tr("up"), "axisY");
    auto* caption = new QLabel(tr("in the plane"), this);
    setLook(*caption, Look::Secondary);
    caption->setToolTip(
        tr("Share of each direction's squared length (Sigma norm) that lies in the plane shown"));
    side->addWidget(caption);
    m_shares = new QLabel(this);
    m_shares->setObjectName(QStringLiteral("shares"));
    setLook(*m_shares, Look::Secondary);
    side->addWidget(m_shares);
    side->addStretch(1);
    auto* sideHolder = new QWidget(this);
    side->setContentsMargins(0, 0, 0, 0);
    sideHolder->setLayout(side);
    sideHolder->setFixedWidth(look.ipx(132));
    body->addWidget(sideHolder);
    column->addLayout(body, 1);

    connect(&session, &Session::snapshotChanged, this, &ProjectionPanel::refresh);
    connect(&session, &Session::sweepChanged, this, &ProjectionPanel::refreshSentence);
    connect(m_colour, &QComboBox::currentIndexChanged, this, [this] { refreshClasses(); });
    for (QComboBox* box : { m_axisX, m_axisY })
        connect(box, &QComboBox::activated, this, [this] {
            m_ghosts.clear();
            m_shownFor = nullptr;
            refreshScatter();
        });
    Selection& selection = session.selection();
    connect(m_scatter, &ScatterView::hovered, &selection, &Selection::setHovered);
    connect(m_scatter, &ScatterView::clicked, this, [this](int row) {
        int found = -1;
        if (row >= 0 && m_session.snapshot())
            for (const judgment::PairJudgment& judged : m_session.snapshot()->judge->pairs) {
                const data::Pair& pair
                    = m_session.foundation()->study->set().pairs[static_cast<std::size_t>(judged.pair)];
                if (pair.chosen == row || pair.rejected == row)
                    found = judged.pair;
            }
        m_session.selection().setPinned(row, found);
    });
    connect(m_scatter, &ScatterView::selected, &selection, &Selection::setRows);
    connect(&selection, &Selection::hoveredChanged, m_scatter, &ScatterView::setHovered);
    connect(&selection, &Selection::rowsChanged, this, [this] {
        m_scatter->setSelection(m_session.selection().rows());
    });
    connect(&selection, &Selection::pinnedChanged, this, [this] {
        const Selection& now = m_session.selection();
        m_scatter->setPinned(now.pinned());
        std::optional<std::pair<int, int>> pair;
        if (now.pair() >= 0 && m_session.foundation()) {
            const data::Pair& pinned
                = m_session.foundation()->study->set().pairs[static_cast<std::size_t>(now.pair())];
            pair = { pinned.chosen, pinned.rejected };
        }
        m_scatter->setPair(pair);
    });
    m_scatter->setTip([this](int row) -> QString {
        const auto snapshot = m_session.snapshot();
        if (!snapshot)
            return {};
        const data::ResponseSet& set = snapshot->foundation->study->set();
        QString text = QString::fromStdString(set.shownText(row)).left(220);
        const QString prompt = set.kind == data::ItemKind::Reply
            ? QString::fromStdString(set.promptText(row)).left(140)
            : QString();
        return (prompt.isEmpty() ? QString() : QStringLiteral("%1\n\n").arg(prompt)) + text
            + tr("\n\njudge %1").arg(number(snapshot->judge->rewards[row], 2, true));
    });
}

void ProjectionPanel::refresh()
{
    refreshSentence();
    refreshMeters();
    refreshScatter();
    if (m_explained >= 0)
        explainMeter(m_explained, false);
}

void ProjectionPanel::refreshSentence()
{
    const auto snapshot = m_session.snapshot();
    if (!snapshot)
        return;
    const session::JudgeStage& judge = *snapshot->judge;
    if (!judge.problem.empty()) {
        m_sentence->setText(tr("This constitution has no direction in this model."));
        m_doubts->setText(QString::fromStdString(judge.problem));
        return;
    }
    const data::ResponseSet& set = snapshot->foundation->study->set();
    const bool pairs = !set.labelled();
    const geometry::Estimate& score = pairs ? judge.heldOut.accuracy : judge.heldOut.auc;
    if (!std::isfinite(score.value)) {
        m_sentence->setText(
            tr("The replies lie along the constitution's direction; nobody has labelled them."));
        m_doubts->setText(tr("Without labels there is no held-out accuracy. Open pairs to measure how far to "
                             "trust this direction."));
        return;
    }
    const bool better = score.interval.low > 0.5, worse = score.interval.high < 0.5;
    const QString value = percent(score.value);
    m_sentence->setText(
        pairs
            ? (worse ? tr("It prefers the reply people rejected: it agrees with them in only %1 of 100 "
                          "held-out pairs.")
                           .arg(value)
                     : tr("It picks the reply people chose in %1 of 100 held-out pairs%2.")
                           .arg(value, better ? QString() : tr(", no surer than a coin")))
            : tr("It tells %1 from %2 with AUC %3 on held-out texts.")
                  .arg(
                      QString::fromStdString(set.positiveLabel), QString::fromStdString(set.negativeLabel),
                      number(score.value, 2, false, true)));
    QStringList doubts{ tr("Between %1 and %2 (95 %, over prompts).")
                            .arg(percent(score.interval.low), percent(score.interval.high)) };
    if (const session::Sweep* sweep = m_session.sweep())
        for (const session::SweepRow& row : sweep->rows)
            if (row.layer == snapshot->inputs.layer) {
                const auto pick = [&](const geometry::Score& one) {
                    return percent(pairs ? one.accuracy.value : one.auc.value);
                };
                QString text = tr("Random direction %1, shuffled labels %2")
                                   .arg(
                                       percent(pairs ? row.random.accuracy : row.random.auc),
                                       percent(pairs ? row.shuffled.accuracy : row.shuffled.auc));
                if (row.length)
                    text += tr(", length alone %1").arg(pick(*row.length));
                if (row.embedding)
                    text += tr(", bag of tokens %1").arg(pick(*row.embedding));
                doubts << text + QLatin1Char('.');
                doubts << tr("People's labels by difference of means: %1.")
                              .arg(percent(pairs ? row.accuracy.value : row.auc.value));
            }
    QStringList missing;
    for (std::size_t i = 0; i < snapshot->principles.size(); ++i) {
        const auto& stage = *snapshot->principles[i];
        const geometry::Estimate& about = pairs ? stage.aboutValue.accuracy : stage.aboutValue.auc;
        if (snapshot->inputs.constitution.principles[i].on
            && (!stage.problem.empty() || !(about.interval.low > 0.5)))
            missing << QStringLiteral("“%1”").arg(
                QString::fromStdString(snapshot->inputs.constitution.principles[i].name));
    }
    if (!missing.isEmpty())
        doubts << tr("%1 not found by these words in this model.")
                      .arg(
                          missing.size() == 1 ? missing[0] + tr(" is")
                                              : missing.join(QStringLiteral(", ")) + tr(" are"));
    m_doubts->setText(doubts.join(QLatin1Char(' ')));
}

void ProjectionPanel::refreshMeters()
{
    const auto snapshot = m_session.snapshot();
    if (!snapshot)
        return;
    const session::MeterStage& meters = *snapshot->meters;
    const auto fill = [&](int index, const geometry::Estimate& estimate, bool sign, const QString& note) {
        MeterCard& card = *m_meters[static_cast<std::size_t>(index)];
        const bool known = std::isfinite(estimate.value);
        card.setValueText(known ? number(estimate.value, 2, sign, true) : QStringLiteral("–"));
        card.setFraction(known ? std::optional(std::clamp(estimate.value, 0.0, 1.0)) : std::nullopt);
        card.setInterval(
            known && estimate.interval.isKnown() ? std::optional(std::pair(
                std::clamp(estimate.interval.low, 0.0, 1.0), std::clamp(estimate.interval.high, 0.0, 1.0)))
                                                 : std::nullopt);
        card.setNote(note);
        card.setTone(known ? Tone::Neutral : Tone::Quiet);
    };
    const geometry::Estimate& people = snapshot->layer->people.heldOut.accuracy;
    fill(0, meters.encodingQuality, false, tr("from %1 % pairs").arg(percent(people.value)));
    fill(
        1, meters.gap, true,
        std::isfinite(meters.gap.value) ? range(meters.gap.interval) : tr("needs likelihoods"));
    fill(
        2, meters.efficiency, false,
        std::isfinite(meters.efficiencyNoiseCeiling)
            ? tr("of at most %1").arg(number(meters.efficiencyNoiseCeiling, 2, false, true))
            : tr("ceiling follows"));
    fill(3, meters.shareOfCeiling, false, range(meters.shareOfCeiling.interval));
    MeterCard& last = *m_meters[4];
    const double probability = meters.selfImprovementProbability;
    last.setValueText(
        std::isfinite(probability) ? percent(probability) % QStringLiteral(" %") : QStringLiteral("–"));
    last.setFraction(std::isfinite(probability) ? std::optional(probability) : std::nullopt);
    last.setNote(std::isfinite(probability) ? tr("of resamples") : tr("needs pairs"));
    last.setTone(std::isfinite(probability) ? Tone::Neutral : Tone::Quiet);
}

void ProjectionPanel::explainMeter(int meter, bool toggle)
{
    const auto snapshot = m_session.snapshot();
    if (!snapshot)
        return;
    const session::MeterStage& m = *snapshot->meters;
    const QString n = tr("Measured on %1 held-out items at %2.")
                          .arg(snapshot->layer->examples.heldOut.size())
                          .arg(QString::fromStdString(snapshot->inputs.layer.label()));
    const struct {
        QString title, html;
    } texts[] = {
        { tr("Values encoded"),
          tr("<p>q ≥ sin²(π(a − ½)), with a the held-out pair accuracy of the best linear probe of people's "
             "labels (ridge): here a = %1.</p><p>How much of the value is a direction in this layer at all "
             "(T1, T9 inverted). These pairs were written to differ, so read it as “implied by these pairs”, "
             "not as a bound.</p>")
              .arg(number(snapshot->layer->people.heldOut.accuracy.value, 3, false, true)) },
        { tr("Judges minus writes"),
          tr("<p>Accuracy of the constitution's direction minus that of log p(y|x) − log p(y), "
             "length-controlled, on the same held-out pairs: %1 against %2.</p><p>The second is a proxy of "
             "what the model prefers to write (docs/theory.md 8.5). On pairs of nearly equal length it is "
             "right in %3. “Judges better than it writes” may be said only where the interval stays above "
             "zero there too.</p>")
              .arg(
                  number(m.judgeAccuracy.value, 2, false, true),
                  number(m.generationAccuracy.value, 2, false, true),
                  number(m.lengthMatchedGenerationAccuracy, 2, false, true)) },
        { tr("Constitution efficiency"),
          tr("<p>cos<sub>Σ</sub>(w*, w<sub>c</sub>) = %1: how well the constitution's direction is aligned "
             "with people's, in the covariance within prompts (T11).</p><p>Both are estimated from few "
             "pairs, so even equal directions would show no more than %2 (split halves, Spearman-Brown).</p>")
              .arg(
                  number(m.efficiency.value, 3, false, true),
                  std::isfinite(m.efficiencyNoiseCeiling) ? number(m.efficiencyNoiseCeiling, 2, false, true)
                                                          : tr("(being computed)")) },
        { tr("Share of ceiling"),
          tr("<p>sin(π(a<sub>c</sub> − ½)) / sin(π(a* − ½)): the held-out correlation of the judge over that "
             "of people's own direction. Both are attenuated by label noise alike, so the ratio is not "
             "(docs/theory.md 8.4).</p><p>In the linear-Gaussian model this is the share of the largest "
             "value gain that training on this judge reaches at any KL (T11; a reconstruction). At KL %1 "
             "nats that largest gain is %2 standard deviations.</p>")
              .arg(number(m.ceilingKl, 2), number(m.ceiling.value, 2)) },
        { tr("Improves values"),
          tr("<p>Share of bootstrap resamples (prompts drawn with replacement) in which Cov(V, "
             "r<sub>c</sub>) &gt; 0 on held-out pairs: the condition under which a small step along this "
             "judge raises what people value (T6).</p>") },
    };
    m_explained = toggle && m_explained == meter ? -1 : meter;
    for (std::size_t i = 0; i < m_meters.size(); ++i)
        m_meters[i]->setChecked(static_cast<int>(i) == m_explained);
    Q_EMIT explainRequested(
        m_explained < 0 ? QString() : texts[meter].title,
        m_explained < 0 ? QString() : texts[meter].html + QStringLiteral("<p>%1</p>").arg(n));
}

void ProjectionPanel::fillAxes()
{
    for (QComboBox* box : { m_axisX, m_axisY }) {
        const QString current = box->currentData().toString();
        const QSignalBlocker block(box);
        box->clear();
        for (const NamedDirection& direction : m_directions)
            box->addItem(direction.name, direction.key);
        int index = box->findData(current);
        if (index < 0) // at first: the constitution across, people's direction up
            index = box->findData(box == m_axisX ? QStringLiteral("constitution") : QStringLiteral("people"));
        box->setCurrentIndex(index < 0 ? (box == m_axisX ? 0 : std::min(1, box->count() - 1)) : index);
    }
}

int ProjectionPanel::axisIndex(const QComboBox& box) const
{
    for (std::size_t i = 0; i < m_directions.size(); ++i)
        if (m_directions[i].key == box.currentData().toString())
            return static_cast<int>(i);
    return -1;
}

void ProjectionPanel::refreshScatter()
{
    const auto snapshot = m_session.snapshot();
    if (!snapshot)
        return;
    m_directions = namedDirections(*snapshot);
    fillAxes();
    const int x = axisIndex(*m_axisX), y = axisIndex(*m_axisY);
    if (x < 0 || y < 0) {
        m_scatter->setData({}, {}, {}, {});
        m_scatter->setArrows({});
        m_shares->setText({});
        return;
    }
    const NamedDirection& across = m_directions[static_cast<std::size_t>(x)];
    const NamedDirection& up = m_directions[static_cast<std::size_t>(y)];
    const auto toVector
        = [](const Eigen::VectorXd& v) { return std::vector<double>(v.data(), v.data() + v.size()); };
    const QString place = QStringLiteral("%1, %2").arg(
        QString::fromStdString(snapshot->inputs.layer.label()),
        snapshot->inputs.position == data::Position::Mean ? tr("mean of reply") : tr("last token"));
    const bool same
        = m_shownFor == snapshot->foundation.get() && m_scatter->pointCount() == across.scores.size();
    if (!same || !m_scatter->setCoordinates(toVector(across.scores), toVector(up.scores))) {
        m_scatter->setData(toVector(across.scores), toVector(up.scores), {}, {}, m_shownFor != nullptr);
        m_scatter->fit();
    }
    const bool newStudy = !m_shownFor;
    m_shownFor = snapshot->foundation.get();
    AxisSpec axisX, axisY;
    axisX.title = tr("%1 · score, sd units · %2").arg(across.name, place);
    axisY.title = tr("%1 · score, sd units").arg(up.name);
    m_scatter->setAxes(axisX, axisY);
    refreshClasses();

    // Arrows: where a step along each direction moves a reply in this plane.
    const double reach = 0.55
        * std::max(1.0, std::min(std::abs(m_scatter->windowX().high), std::abs(m_scatter->windowY().high)));
    QVector<PlotArrow> arrows;
    std::vector<std::pair<QString, QPointF>> tips;
    QStringList shares;
    for (const NamedDirection& direction : m_directions) {
        if (direction.key.startsWith(QLatin1String("component"))
            || direction.key.startsWith(QLatin1String("principle")))
            continue;
        const QPointF tip(reach * inner(direction, across), reach * inner(direction, up));
        for (const auto& [key, before] : m_ghosts)
            if (key == direction.key && !newStudy && QLineF(before, tip).length() > 0.02 * reach)
                arrows.push_back({ QString(), direction.ink, before, 0, true });
        arrows.push_back({ direction.name, direction.ink, tip, 0, false });
        tips.emplace_back(direction.key, tip);
        shares << tr("%1 %2 %")
                      .arg(
                          direction.key == QLatin1String("people")           ? QStringLiteral("w*")
                              : direction.key == QLatin1String("generation") ? QStringLiteral("w_gen")
                                                                             : QStringLiteral("w_c"))
                      .arg(std::lround(100 * shareInPlane(direction, across, up)));
    }
    m_scatter->setArrows(arrows);
    m_shares->setText(shares.join(QLatin1Char('\n')));
    if (const auto before = m_session.previous();
        before && before->judge != snapshot->judge && before->layer == snapshot->layer) {
        // The ghosts show where the arrows stood before the last edit, in the plane that is drawn now.
        m_ghosts.clear();
        for (const NamedDirection& old : namedDirections(*before))
            m_ghosts.emplace_back(
                old.key,
                QPointF(
                    reach * old.weights.dot(across.displacement), reach * old.weights.dot(up.displacement)));
    } else if (newStudy)
        m_ghosts = std::move(tips);
}

void ProjectionPanel::refreshClasses()
{
    const auto snapshot = m_session.snapshot();
    if (!snapshot || m_scatter->pointCount() == 0)
        return;
    const data::ResponseSet& set = snapshot->foundation->study->set();
    const auto rows = static_cast<std::size_t>(m_scatter->pointCount());
    std::vector<int> classes(rows, 0);
    QVector<PointClass> kinds;
    std::vector<float> scales;
    const int by = m_colour->currentIndex();
    if (by == 0 && set.labelled()) {
        kinds = { { QString::fromStdString(set.positiveLabel), Ink::chosen(), Marker::Circle },
                  { QString::fromStdString(set.negativeLabel), Ink::rejected(), Marker::Diamond } };
        for (std::size_t i = 0; i < rows; ++i)
            classes[i] = set.responses[i].label > 0 ? 0 : 1;
    } else if (by == 0) {
        kinds = { { tr("chosen"), Ink::chosen(), Marker::Circle },
                  { tr("rejected"), Ink::rejected(), Marker::Diamond },
                  { tr("sampled"), Ink::secondary(), Marker::Triangle } };
        std::fill(classes.begin(), classes.end(), 2);
        for (const data::Pair& pair : set.pairs)
            for (const auto& [row, kind] : { std::pair(pair.chosen, 0), std::pair(pair.rejected, 1) })
                if (static_cast<std::size_t>(row) < rows)
                    classes[static_cast<std::size_t>(row)] = kind;
        if (std::find(classes.begin(), classes.end(), 2) == classes.end())
            kinds.removeLast();
    } else if (by == 1) {
        const auto values = set.values();
        constexpr Marker shapes[]
            = { Marker::Circle, Marker::Diamond, Marker::Square, Marker::Triangle, Marker::Cross };
        for (std::size_t v = 0; v < std::min<std::size_t>(values.size(), 8); ++v)
            kinds.push_back(
                { QString::fromStdString(values[v]), Ink::principle(static_cast<int>(v)), shapes[v % 5] });
        kinds.push_back({ tr("other"), Ink::secondary(), Marker::Circle });
        for (std::size_t i = 0; i < rows; ++i)
            classes[i] = static_cast<int>(std::min<std::size_t>(
                static_cast<std::size_t>(
                    std::find(values.begin(), values.end(), set.responses[i].value) - values.begin()),
                static_cast<std::size_t>(kinds.size()) - 1));
        if (std::find(classes.begin(), classes.end(), static_cast<int>(kinds.size()) - 1) == classes.end())
            kinds.removeLast();
    } else {
        constexpr int steps = 9;
        for (int i = 0; i < steps; ++i)
            kinds.push_back({ i == 0               ? tr("low")
                                  : i == steps - 1 ? tr("high")
                                                   : QString(),
                              Ink::onRamp(2.0 * i / (steps - 1) - 1), Marker::Circle });
        const double spread = snapshot->judge->norm > 0 ? 2 * snapshot->judge->norm : 1;
        std::vector<double> weight(rows, 0);
        if (by == 3) {
            std::size_t at = 0;
            for (const policy::Pool::Prompt& prompt : snapshot->layer->pool.prompts)
                for (const int row : prompt.rows)
                    weight[static_cast<std::size_t>(row)] = std::log(std::max(
                        1e-12,
                        snapshot->policy->tilt.probabilities[at++]
                            * static_cast<double>(prompt.rows.size())));
            scales.assign(rows, 0.6f);
        }
        for (std::size_t i = 0; i < rows; ++i) {
            const double value
                = by == 2 ? snapshot->judge->rewards[static_cast<Eigen::Index>(i)] / spread : weight[i] / 2;
            classes[i]
                = std::clamp(static_cast<int>(std::lround((value + 1) / 2 * (steps - 1))), 0, steps - 1);
            if (by == 3 && weight[i] != 0)
                scales[i] = static_cast<float>(std::clamp(std::exp(weight[i] / 2), 0.4, 3.0));
        }
    }
    m_scatter->setPointScales(std::move(scales));
    while (QLayoutItem* item = m_key->layout()->takeAt(0)) {
        delete item->widget();
        delete item;
    }
    for (const PointClass& kind : std::as_const(kinds))
        if (!kind.name.isEmpty())
            m_key->layout()->addWidget(new Swatch(m_theme, kind.ink, kind.marker, kind.name, m_key));
    m_scatter->setClasses(std::move(classes), std::move(kinds));
}

TextTable ProjectionPanel::table() const
{
    TextTable table;
    table.title = tr("Responses and their scores");
    table.header = { tr("id"), tr("value"), tr("held out"), tr("text") };
    for (const NamedDirection& direction : m_directions)
        table.header << direction.name;
    const auto snapshot = m_session.snapshot();
    if (!snapshot)
        return table;
    const data::ResponseSet& set = snapshot->foundation->study->set();
    for (Eigen::Index i = 0; i < snapshot->layer->rows.rows(); ++i) {
        const data::Response& response = set.responses[static_cast<std::size_t>(i)];
        QStringList row{ QString::fromStdString(response.id), QString::fromStdString(response.value),
                         snapshot->foundation->training[static_cast<std::size_t>(i)] ? tr("no") : tr("yes"),
                         QString::fromStdString(set.shownText(static_cast<int>(i))) };
        for (const NamedDirection& direction : m_directions)
            row << QString::number(direction.scores[i], 'g', 8);
        table.rows.push_back(std::move(row));
    }
    return table;
}

} // namespace lodestone::ui
