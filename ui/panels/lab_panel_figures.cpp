#include "ui/panels/lab_panel_figures.h"

#include "ui/cards/estimate_words.h"

#include <algorithm>
#include <cmath>

namespace lodestone::ui::lab {

bool gainsMore(const policy::PipelineRow& a, const policy::PipelineRow& b)
{
    if (!a.problem.empty() || !b.problem.empty())
        return a.problem.empty() && !b.problem.empty();
    return a.gold.valueGain > b.gold.valueGain;
}

QVector<IntervalRow> pipelineRows(const std::vector<policy::PipelineRow>& rows)
{
    QVector<IntervalRow> result;
    for (const policy::PipelineRow& row : rows) {
        if (!row.problem.empty()) {
            IntervalRow missing;
            missing.title = text(row.title);
            missing.note = text(row.problem);
            missing.value = missing.low = missing.high = std::numeric_limits<double>::quiet_NaN();
            result << missing;
            continue;
        }
        QString note = row.policy.exactKl
            ? text(row.rule)
            : tr("%1, KL %2: the nearest").arg(text(row.rule), number(row.gold.kl, 2, false, true));
        if (row.cost.judgeCalls > 0)
            note += tr(" · %1 judge calls").arg(std::lround(row.cost.judgeCalls));
        if (row.cost.humanLabels > 0)
            note += tr(" · %1 human labels").arg(std::lround(row.cost.humanLabels));
        IntervalRow one = rowOf(
            text(row.title), row.goldIntervals.valueGain,
            row.cost.humanLabels > 0 ? Ink::people() : Ink::constitution(), note);
        one.hollow = !row.policy.exactKl;
        result << one;
    }
    return result;
}

QString pipelineSentence(const std::vector<policy::PipelineRow>& rows, double kl)
{
    const policy::PipelineRow* best = nullptr;
    for (const policy::PipelineRow& row : rows)
        if (row.problem.empty() && (!best || row.gold.valueGain > best->gold.valueGain))
            best = &row;
    if (!best)
        return tr("No pipeline could be trained on this study.");
    int apart = 0;
    for (const policy::PipelineRow& row : rows)
        if (row.problem.empty()
            && row.goldIntervals.valueGain.interval.high < best->goldIntervals.valueGain.interval.low)
            ++apart;
    return tr("At KL %1 nats %2 gains most along people's held-out labels; %3 of the other %4 are clearly "
              "below it.")
        .arg(number(kl, 2, false, true), text(best->title))
        .arg(apart)
        .arg(static_cast<int>(rows.size()) - 1);
}

QString pipelineDetail(const policy::PipelineRow& row)
{
    if (!row.problem.empty())
        return text(row.title + ": " + row.problem);
    QString result
        = tr("%1: %2; rule %3. Win rate along held-out labels %4 %, KL %5 nats. %6 questions to the "
             "judge (%7 tokens of replies), %8 human labels.")
              .arg(text(row.title), text(row.reward), text(row.rule))
              .arg(std::lround(100 * row.gold.winRate))
              .arg(number(row.gold.kl, 3, false, true))
              .arg(std::lround(row.cost.judgeCalls))
              .arg(std::lround(row.cost.judgeTokens))
              .arg(std::lround(row.cost.humanLabels));
    for (const std::string& note : { row.rewardNote, row.policy.note })
        if (!note.empty())
            result += QLatin1Char(' ') + text(note) + QLatin1Char('.');
    return result;
}

TextTable pipelineTable(const std::vector<policy::PipelineRow>& rows)
{
    TextTable table;
    table.title = tr("Pipelines at a common KL");
    table.header = { tr("pipeline"),    tr("reward"),       tr("rule"),
                     tr("KL"),          tr("exact"),        tr("gain, held-out labels"),
                     tr("low"),         tr("high"),         tr("win rate"),
                     tr("low"),         tr("high"),         tr("gain, training labels"),
                     tr("judge calls"), tr("judge tokens"), tr("human labels"),
                     tr("note") };
    for (const policy::PipelineRow& row : rows)
        table.rows.push_back(
            row.problem.empty()
                ? QStringList{ text(row.title), text(row.reward), text(row.rule), plain(row.gold.kl),
                               row.policy.exactKl ? tr("yes") : tr("no"), plain(row.gold.valueGain),
                               plain(row.goldIntervals.valueGain.interval.low),
                               plain(row.goldIntervals.valueGain.interval.high), plain(row.gold.winRate),
                               plain(row.goldIntervals.winRate.interval.low),
                               plain(row.goldIntervals.winRate.interval.high), plain(row.value.valueGain),
                               plain(row.cost.judgeCalls), plain(row.cost.judgeTokens),
                               plain(row.cost.humanLabels), text(row.policy.note) }
                : QStringList{ text(row.title),
                               text(row.reward),
                               text(row.rule),
                               {},
                               {},
                               {},
                               {},
                               {},
                               {},
                               {},
                               {},
                               {},
                               {},
                               {},
                               {},
                               text(row.problem) });
    return table;
}

QVector<Series> overoptimisationSeries(const policy::Overoptimisation& found)
{
    Series proxy, gold, winners, fitted;
    proxy.label = tr("the judge's score\n(proxy)");
    proxy.ink = Ink::constitution();
    gold.label = tr("people, held out\n(gold)");
    gold.ink = Ink::people();
    winners.label = tr("gold, best of n");
    winners.ink = Ink::people();
    winners.stroke = Series::Stroke::Dotted;
    winners.labelAt = Series::LabelAt::None;
    fitted.label = tr("d(α − β ln d)");
    fitted.ink = Ink::secondary();
    fitted.stroke = Series::Stroke::Dashed;
    fitted.labelAt = Series::LabelAt::None;
    const auto add = [](Series& series, double x, const geometry::Estimate& y) {
        if (!series.x.empty() && !(x > series.x.back() + 1e-6))
            return;
        series.x.push_back(x);
        series.y.push_back(y.value);
        series.low.push_back(y.interval.low);
        series.high.push_back(y.interval.high);
    };
    for (const policy::OptimisationPoint& point : found.optimum) {
        add(proxy, point.distance(), point.proxy);
        add(gold, point.distance(), point.gold);
        fitted.x.push_back(point.distance());
        fitted.y.push_back(found.goldRl.at(point.distance(), true));
    }
    for (const policy::OptimisationPoint& point : found.bestOfN)
        add(winners, point.distance(), point.gold);
    winners.interval = Series::Interval::None;
    return { fitted, winners, proxy, gold };
}

QString overoptimisationDetail(const policy::Overoptimisation& found)
{
    return tr("Gold fitted by Gao, Schulman and Hilton's forms: RL d(α − β ln d), dashed, α = %1, β = %2; "
              "best of "
              "n d(α − βd), dotted points, α = %3, β = %4. Gold per proxy at the start: %5. Bend of the "
              "value along "
              "the judge: %6.")
        .arg(
            withInterval(found.goldRl.alpha), withInterval(found.goldRl.beta),
            withInterval(found.goldBestOfN.alpha), withInterval(found.goldBestOfN.beta),
            number(found.slopeRatio, 2, true, true), withInterval(found.curvature));
}

TextTable overoptimisationTable(const policy::Overoptimisation& found)
{
    TextTable table;
    table.title = tr("Proxy and gold against sqrt(KL)");
    table.header = { tr("rule"), tr("strength"), tr("sqrt(KL)"), tr("proxy"), tr("low"),
                     tr("high"), tr("gold"),     tr("low"),      tr("high") };
    const auto add = [&](const QString& rule, const std::vector<policy::OptimisationPoint>& points) {
        for (const policy::OptimisationPoint& point : points)
            table.rows.push_back({ rule, plain(point.strength), plain(point.distance()),
                                   plain(point.proxy.value), plain(point.proxy.interval.low),
                                   plain(point.proxy.interval.high), plain(point.gold.value),
                                   plain(point.gold.interval.low), plain(point.gold.interval.high) });
    };
    add(tr("optimum, lambda"), found.optimum);
    add(tr("best of n, n"), found.bestOfN);
    return table;
}

namespace {

Series curve(
    const policy::TrainedPolicy& trained, const QString& label, Ink ink,
    double (*value)(const policy::TrainingPoint&))
{
    Series series;
    series.label = label;
    series.ink = ink;
    for (const policy::TrainingPoint& point : trained.curve) {
        series.x.push_back(point.step);
        series.y.push_back(value(point));
    }
    return series;
}

} // namespace

QVector<Series> rewardCurves(const policy::TrainedPolicy& trained)
{
    return { curve(
                 trained, tr("rewards/chosen"), Ink::chosen(),
                 [](const policy::TrainingPoint& p) { return p.rewardsChosen; }),
             curve(
                 trained, tr("rewards/rejected"), Ink::rejected(),
                 [](const policy::TrainingPoint& p) { return p.rewardsRejected; }),
             curve(
                 trained, tr("rewards/margins"), Ink::constitution(),
                 [](const policy::TrainingPoint& p) { return p.margin(); }),
             curve(trained, tr("rewards/accuracies"), Ink::secondary(), [](const policy::TrainingPoint& p) {
                 return p.accuracy;
             }) };
}

QVector<Series> logpCurves(const policy::TrainedPolicy& trained)
{
    return { curve(
                 trained, tr("logps/chosen"), Ink::chosen(),
                 [](const policy::TrainingPoint& p) { return p.logpsChosen; }),
             curve(trained, tr("logps/rejected"), Ink::rejected(), [](const policy::TrainingPoint& p) {
                 return p.logpsRejected;
             }) };
}

QString dpoSentence(const policy::TrainedPolicy& trained)
{
    return trained.fallen == 0
        ? tr("No chosen reply lost probability while its margin rose (%1 pairs).").arg(trained.compared)
        : tr("%1 of %2 chosen replies lost probability while their margin over the rejected one rose.")
              .arg(trained.fallen)
              .arg(trained.compared);
}

QString dpoDetail(const policy::TrainedPolicy& trained, const data::ResponseSet& set)
{
    QString result = text(trained.note) + QStringLiteral(". ");
    if (trained.falls.empty())
        return result;
    const policy::ChosenFall& fall = trained.falls.front();
    const auto shown = [&](int row) {
        return row < 0 ? QString() : text(set.shownText(row)).simplified().left(90).toHtmlEscaped();
    };
    result += tr("The largest fall: log p of “%1” changed by %2, its margin over “%3” by %4. Why: a step "
                 "along h_w − "
                 "h_l moves every reply alike; (h_w − E h)'(h_w − h_l) = %5, of which the pair gives %6 and "
                 "the other "
                 "candidates %7")
                  .arg(
                      shown(fall.chosen), number(fall.logpChange, 2, true), shown(fall.rejected),
                      number(fall.marginChange, 2, true), number(fall.firstOrder, 3, true),
                      number(fall.own, 3, true), number(fall.others, 3, true));
    if (fall.firstOrder >= 0)
        return result + tr(". The pair alone would have raised it: the steps of other pairs pulled it down.");
    return fall.strongest < 0 ? result + QStringLiteral(".")
                              : result
            + tr(": replies such as “%1” lie further along that step and take the probability.")
                  .arg(shown(fall.strongest));
}

TextTable dpoTable(const policy::TrainedPolicy& trained)
{
    TextTable table;
    table.title = tr("Preference training");
    table.header = { tr("step"),
                     tr("loss"),
                     tr("KL"),
                     tr("rewards/chosen"),
                     tr("rewards/rejected"),
                     tr("rewards/margins"),
                     tr("rewards/accuracies"),
                     tr("logps/chosen"),
                     tr("logps/rejected") };
    for (const policy::TrainingPoint& p : trained.curve)
        table.rows.push_back({ QString::number(p.step), plain(p.objective), plain(p.kl),
                               plain(p.rewardsChosen), plain(p.rewardsRejected), plain(p.margin()),
                               plain(p.accuracy), plain(p.logpsChosen), plain(p.logpsRejected) });
    return table;
}

} // namespace lodestone::ui::lab
