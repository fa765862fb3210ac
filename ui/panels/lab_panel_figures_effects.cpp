#include "ui/panels/lab_panel_figures.h"

#include "ui/cards/estimate_words.h"

#include <algorithm>
#include <cmath>

namespace lodestone::ui::lab {

namespace {

/// Three digits that count.
QString shortly(double value) { return QString::number(value, 'g', 3); }

} // namespace

QVector<IntervalRow> failureRows(const policy::FailureEffect& effect)
{
    const policy::FailureMode* mode = policy::failureMode(effect.id);
    const auto budget = [&](double kl) {
        return std::abs(kl - effect.kl) > 1e-9 ? tr("KL %1 nats").arg(number(kl, 2, false, true)) : QString();
    };
    return { rowOf(tr("without the failure"), effect.clean, Ink::constitution()),
             rowOf(tr("with it"), effect.failed, Ink::rejected(), budget(effect.failedKl)),
             rowOf(
                 tr("with the mitigation"), effect.mitigated, Ink::people(),
                 mode ? text(mode->mitigation) + QLatin1Char(' ') + budget(effect.mitigatedKl) : QString()) };
}

QVector<Series> doseSeries(const std::vector<policy::FailureEffect>& curve)
{
    Series failed, mitigated;
    failed.label = tr("with the failure");
    failed.ink = Ink::rejected();
    mitigated.label = tr("with the mitigation");
    mitigated.ink = Ink::people();
    const auto add = [](Series& series, double x, const geometry::Estimate& y) {
        series.x.push_back(x);
        series.y.push_back(y.value);
        series.low.push_back(y.interval.low);
        series.high.push_back(y.interval.high);
    };
    for (const policy::FailureEffect& effect : curve) {
        add(failed, effect.dose, effect.failed);
        add(mitigated, effect.dose, effect.mitigated);
    }
    return { mitigated, failed };
}

QString failureSentence(const policy::FailureEffect& effect)
{
    const geometry::Interval& harm = effect.harm.interval;
    const QString size = withInterval(effect.harm);
    if (harm.high < 0)
        return tr("It costs: the gain along people's held-out labels changes by %1.").arg(size);
    if (!(harm.low > 0))
        return tr("No clear effect on these prompts: the gain changes by %1.").arg(size);
    return effect.clean.interval.high < 0 // said only where it is sure
        ? tr("The constitution itself loses %1 along people's held-out labels; what weakens it changes the "
             "gain by %2.")
              .arg(number(-effect.clean.value, 2, false, true), size)
        : tr("No harm here: the gain along people's held-out labels changes by %1.").arg(size);
}

QString failureDetail(const policy::FailureEffect& effect)
{
    const policy::FailureMode* mode = policy::failureMode(effect.id);
    if (!mode)
        return {};
    QString result
        = tr("%1 (%2) Mitigation: %3 It changes the gain by %4.")
              .arg(
                  text(mode->what), text(mode->statement), text(mode->mitigation), withInterval(effect.help));
    if (std::isfinite(effect.figure))
        result += tr(" Measured: %1 %2, with the mitigation %3.")
                      .arg(text(mode->figure), shortly(effect.figure), shortly(effect.mitigatedFigure));
    if (std::isfinite(effect.closed))
        result += tr(" In the linear-Gaussian model, %1: %2.")
                      .arg(text(effect.closedSays), shortly(effect.closed));
    if (!effect.note.empty())
        result += QLatin1Char(' ') + text(effect.note);
    return result;
}

TextTable failureTable(const policy::FailureEffect& effect, const std::vector<policy::FailureEffect>& curve)
{
    const policy::FailureMode* mode = policy::failureMode(effect.id);
    TextTable table;
    table.title = mode ? text(mode->title) : QString();
    table.header = { tr("dose"),      tr("without"), tr("with"), tr("low"),
                     tr("high"),      tr("change"),  tr("low"),  tr("high"),
                     tr("mitigated"), tr("low"),     tr("high"), mode ? text(mode->figure) : QString(),
                     tr("mitigated") };
    const auto add = [&](const policy::FailureEffect& e) {
        table.rows.push_back({ plain(e.dose), plain(e.clean.value), plain(e.failed.value),
                               plain(e.failed.interval.low), plain(e.failed.interval.high),
                               plain(e.harm.value), plain(e.harm.interval.low), plain(e.harm.interval.high),
                               plain(e.mitigated.value), plain(e.mitigated.interval.low),
                               plain(e.mitigated.interval.high), plain(e.figure), plain(e.mitigatedFigure) });
    };
    add(effect);
    for (const policy::FailureEffect& e : curve)
        add(e);
    return table;
}

QVector<Series> roundSeries(const std::vector<policy::RoundState>& states)
{
    Series gold, proxy, drift;
    gold.label = tr("people, held out");
    gold.ink = Ink::people();
    proxy.label = tr("first judge");
    proxy.ink = Ink::constitution();
    drift.label = tr("cosine of the fitted\nmodel with it");
    drift.ink = Ink::secondary();
    drift.stroke = Series::Stroke::Dashed;
    for (const policy::RoundState& state : states) {
        for (Series* series : { &gold, &proxy, &drift })
            series->x.push_back(state.round);
        gold.y.push_back(state.gold.value);
        gold.low.push_back(state.gold.interval.low);
        gold.high.push_back(state.gold.interval.high);
        proxy.y.push_back(state.proxyGain);
        drift.y.push_back(state.cosJudge);
    }
    return { gold, proxy, drift };
}

QString roundSentence(const policy::RoundState& state)
{
    return tr("Round %1: KL %2 nats, gain along held-out labels %3, %4 effective candidates a prompt, %5 "
              "labels so "
              "far.")
        .arg(state.round)
        .arg(number(state.kl, 2, false, true), withInterval(state.gold), number(state.effective, 1))
        .arg(std::lround(state.labels));
}

TextTable roundTable(const std::vector<policy::RoundState>& states)
{
    TextTable table;
    table.title = tr("Rounds");
    table.header = { tr("round"),     tr("KL"),          tr("gold"),         tr("low"),
                     tr("high"),      tr("first judge"), tr("cosine, gold"), tr("cosine, first judge"),
                     tr("effective"), tr("labels") };
    for (const policy::RoundState& s : states)
        table.rows.push_back({ QString::number(s.round), plain(s.kl), plain(s.gold.value),
                               plain(s.gold.interval.low), plain(s.gold.interval.high), plain(s.proxyGain),
                               plain(s.cosGold), plain(s.cosJudge), plain(s.effective), plain(s.labels) });
    return table;
}

QVector<IntervalRow>
mechanismRows(const std::vector<policy::Mechanism>& mechanisms, const policy::Credit& credit)
{
    QVector<IntervalRow> rows;
    for (std::size_t i = 0; i < mechanisms.size(); ++i) {
        IntervalRow row;
        row.title = text(mechanisms[i].name);
        row.note = tr("active %1 · credit %2 %")
                       .arg(number(mechanisms[i].activation, 2, true))
                       .arg(std::lround(100 * credit.share[i]));
        row.value = credit.gain[i];
        row.low = std::min(mechanisms[i].gain, credit.gain[i]);
        row.high = std::max(mechanisms[i].gain, credit.gain[i]);
        row.text = tr("%1 → %2").arg(number(mechanisms[i].gain, 2), number(credit.gain[i], 2));
        row.ink = Ink::principle(static_cast<int>(i));
        rows << row;
    }
    return rows;
}

double wantedLogit() { return std::log(99.0); }

policy::Credit bothStages(const std::vector<policy::Mechanism>& mechanisms)
{
    std::vector<double> later;
    later.reserve(mechanisms.size());
    for (const policy::Mechanism& mechanism : mechanisms)
        later.push_back(mechanism.test);
    policy::TwoStages stages = policy::capabilityAfter(mechanisms, wantedLogit(), later, 2 * wantedLogit());
    policy::Credit credit = std::move(stages.capability);
    // As a whole: from before the first stage, in the context without the prompt.
    credit.testBefore = stages.alignment.testBefore;
    credit.transfer = stages.alignment.transfer;
    return credit;
}

QString mechanismSentence(const policy::Credit& credit)
{
    return tr("With the prompt removed %1 % of what was trained carries over: the reply's logit goes from %2 "
              "to %3.")
        .arg(std::lround(100 * credit.transfer))
        .arg(number(credit.testBefore, 2, true), number(credit.testAfter, 2, true));
}

QString mechanismDetail(const std::vector<policy::Mechanism>& mechanisms, bool twoStages)
{
    QString result = tr(" Training on outcomes gives each mechanism credit by the square of its part in the "
                        "reply (T39); which prompt produced the reply decides what is left without it "
                        "(T40).");
    const auto strategic = std::find_if(
        mechanisms.begin(), mechanisms.end(), [](const auto& m) { return m.name == "pleasing the grader"; });
    if (strategic != mechanisms.end() && strategic->activation > 0) {
        const policy::Starvation starved = policy::starve(
            mechanisms, static_cast<std::size_t>(strategic - mechanisms.begin()), wantedLogit());
        result += tr(" Compliance to please the grader leaves “%1” %2 % of the growth that it would have "
                     "had (T41).")
                      .arg(text(mechanisms.front().name))
                      .arg(std::lround(100 * starved.lost.front()));
    }
    if (twoStages) {
        const double first = policy::train(mechanisms, wantedLogit()).gain.front();
        result += tr(" Capability training then runs through what produces replies without the prompt: "
                     "“%1” goes from %2 to %3.")
                      .arg(
                          text(mechanisms.front().name), number(first, 2),
                          number(bothStages(mechanisms).gain.front(), 2));
    }
    return result;
}

TextTable mechanismTable(const std::vector<policy::Mechanism>& mechanisms, const policy::Credit& credit)
{
    TextTable table;
    table.title = tr("What training strengthens");
    table.header = { tr("mechanism"),   tr("active in training"), tr("active at test"),
                     tr("gain before"), tr("gain after"),         tr("credit") };
    for (std::size_t i = 0; i < mechanisms.size(); ++i)
        table.rows.push_back({ text(mechanisms[i].name), plain(mechanisms[i].activation),
                               plain(mechanisms[i].test), plain(mechanisms[i].gain), plain(credit.gain[i]),
                               plain(credit.share[i]) });
    return table;
}

} // namespace lodestone::ui::lab
