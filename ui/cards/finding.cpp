#include "ui/cards/finding.h"

#include "ui/plots/theme.h"
#include "ui/widgets/meter_card.h"

#include <QCoreApplication>
#include <QHBoxLayout>
#include <QLabel>
#include <algorithm>
#include <cmath>

namespace lodestone::ui {
namespace {

QString range(const geometry::Interval& interval, int decimals = 2)
{
    return interval.isKnown() ? number(interval.low, decimals, false, true)
            % QCoreApplication::translate("Finding", " to ") % number(interval.high, decimals, false, true)
                              : QString();
}

} // namespace

Finding::Finding(Theme& theme, Session& session, QWidget* parent)
    : QWidget(parent)
    , m_session(session)
{
    setObjectName(QStringLiteral("finding"));
    const Palette& look = theme.palette();
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
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
    const QString titles[] = { tr("Values encoded"), tr("Judges − writes"), tr("Efficiency"),
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
    connect(&session, &Session::snapshotChanged, this, &Finding::refresh);
    connect(&session, &Session::sweepChanged, this, &Finding::refreshSentence);
    connect(&session, &Session::studyChanged, this, [this] {
        m_explained = -1; // it was about the study before
        for (MeterCard* card : m_meters)
            card->setChecked(false);
        Q_EMIT explainRequested({});
    });
}

void Finding::refresh()
{
    refreshSentence();
    refreshMeters();
    if (m_explained >= 0)
        explainMeter(m_explained, false);
}

void Finding::refreshSentence()
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
    const int items = snapshot->layer->examples.heldOut.size();
    const bool few = pairs && items < 20; // "of 100" would promise more than there is
    m_sentence->setText(
        few ? tr("It picks the reply people chose in %1 of %2 held-out pairs: too few to say more.")
                  .arg(number(score.value * items, 0))
                  .arg(items)
            : pairs
            ? (worse ? tr("It prefers the reply people rejected: it agrees with them in only %1 of 100 "
                          "held-out pairs.")
                           .arg(value)
                     : tr("It picks the reply people chose in %1 of 100 held-out pairs%2.")
                           .arg(value, better ? QString() : tr(", no surer than a coin")))
            : tr("It tells %1 from %2 with AUC %3 on held-out texts.")
                  .arg(
                      QString::fromStdString(set.positiveLabel), QString::fromStdString(set.negativeLabel),
                      number(score.value, 2, false, true)));
    // One principle alone is also asked about its own value, which is what its words are for.
    const int only = judge.active.size() == 1 && judge.coefficients[0] > 0 ? judge.active.front() : -1;
    const constitution::Principle* principle
        = only < 0 ? nullptr : &snapshot->inputs.constitution.principles[static_cast<std::size_t>(only)];
    const geometry::Estimate ofValue = only < 0
        ? geometry::Estimate()
        : snapshot->principles[static_cast<std::size_t>(only)]->aboutValue.accuracy;
    if (!few && pairs && principle && !principle->value.empty() && ofValue.interval.low > 0.5)
        m_sentence->setText(tr("“%1” finds the %2 reply in %3 of 100 held-out pairs about it (%4–%5); in %6 "
                               "of 100 of all pairs.")
                                .arg(
                                    QString::fromStdString(principle->name),
                                    QString::fromStdString(principle->value), percent(ofValue.value),
                                    percent(ofValue.interval.low), percent(ofValue.interval.high), value));
    QStringList doubts{ score.interval.isKnown()
                            ? tr("All held-out pairs: between %1 and %2 (95 %, over prompts).")
                                  .arg(percent(score.interval.low), percent(score.interval.high))
                            : tr("There are too few held-out prompts for an interval.") };
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
    QStringList missing, turned;
    for (std::size_t i = 0; i < snapshot->principles.size(); ++i) {
        const auto& stage = *snapshot->principles[i];
        const geometry::Estimate& about = pairs ? stage.aboutValue.accuracy : stage.aboutValue.auc;
        if (!snapshot->inputs.constitution.principles[i].on)
            continue;
        const QString name = QStringLiteral("“%1”").arg(
            QString::fromStdString(snapshot->inputs.constitution.principles[i].name));
        if (stage.problem.empty() && about.interval.high < 0.5)
            turned << name;
        else if (!stage.problem.empty() || !(about.interval.low > 0.5))
            missing << name;
    }
    const auto verb = [](const QStringList& names) { return names.size() == 1 ? tr("is") : tr("are"); };
    if (!missing.isEmpty())
        doubts << tr("%1 %2 not found by these words in this model.")
                      .arg(missing.join(QStringLiteral(", ")), verb(missing));
    if (!turned.isEmpty())
        doubts << tr("%1 %2 turned round: these words find the opposite.")
                      .arg(turned.join(QStringLiteral(", ")), verb(turned));
    m_doubts->setText(doubts.join(QLatin1Char(' ')));
}

void Finding::refreshMeters()
{
    const auto snapshot = m_session.snapshot();
    if (!snapshot)
        return;
    const session::MeterStage& meters = *snapshot->meters;
    const auto fill = [&](int index, const geometry::Estimate& estimate, bool sign, const QString& note) {
        const bool signedScale = index > 0; // all but the encoding quality may be below zero
        MeterCard& card = *m_meters[static_cast<std::size_t>(index)];
        const bool known = std::isfinite(estimate.value);
        card.setValueText(known ? number(estimate.value, 2, sign, true) : QStringLiteral("–"));
        card.setScale(signedScale ? -1 : 0, 1);
        card.setFraction(known ? std::optional(estimate.value) : std::nullopt);
        card.setInterval(
            known && estimate.interval.isKnown()
                ? std::optional(std::pair(estimate.interval.low, estimate.interval.high))
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

void Finding::explainMeter(int meter, bool toggle)
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
             "zero there too: %4. The tab Meters shows total, per-token and length-matched likelihood.</p>")
              .arg(
                  number(m.judgeAccuracy.value, 2, false, true),
                  number(m.generationAccuracy.value, 2, false, true),
                  number(m.lengthMatchedGenerationAccuracy, 2, false, true),
                  m.judgesBetterThanWrites() ? tr("it does") : tr("it does not")) },
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
        m_explained < 0
            ? QString()
            : QStringLiteral("<b>%1</b>%2<p>%3</p>").arg(texts[meter].title, texts[meter].html, n));
}

} // namespace lodestone::ui
