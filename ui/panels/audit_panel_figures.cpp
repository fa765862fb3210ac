#include "ui/panels/audit_panel_figures.h"

#include "core/judgment/calibration.h"
#include "ui/cards/estimate_words.h"

#include <algorithm>
#include <cmath>

namespace lodestone::ui::audit {
namespace {

using lab::plain;
using lab::text;

QString cosine(const geometry::Estimate& estimate) { return lab::cosineWithInterval(estimate); }
QString share(const geometry::Estimate& estimate) { return lab::percentWithInterval(estimate); }
ScoreMark mark(const QString& name, const geometry::Estimate& estimate, Ink ink)
{
    return { name, estimate.value, estimate.interval.low, estimate.interval.high, ink };
}
QStringList cells(const geometry::Estimate& estimate)
{
    return { plain(estimate.value), plain(estimate.interval.low), plain(estimate.interval.high) };
}
QString words(const constitution::Principle& principle)
{
    return tr("“%1” against “%2”")
        .arg(
            text(constitution::joinWords(principle.positive)),
            text(constitution::joinWords(principle.negative)));
}

double layerNumber(Layer layer) { return layer.row() - 1; }

QString filterName(const session::Filter& filter)
{
    if (filter.name == "cosine")
        return tr("cosine with people's direction below 0");
    if (filter.name == "paraphrases")
        return tr("answers change in other words");
    if (filter.name == "frames")
        return tr("answers change with the suffix");
    return tr("%1 labelled pairs").arg(text(filter.name.substr(filter.name.find('-') + 1)));
}

} // namespace

QVector<Series> linearSeries(const Linear& of)
{
    Series linear{ tr("linear"), of.ink, {}, {} }, curved{ tr("curved"), Ink::text(), {}, {} },
        shuffled{ tr("shuffled, at most"), Ink::secondary(), {}, {} };
    shuffled.stroke = Series::Stroke::Dotted;
    curved.stroke = Series::Stroke::Dashed;
    curved.interval = Series::Interval::None;
    for (const session::LinearityRow& row : of.found.rows) {
        const geometry::NonlinearRemainder& remainder = row.remainder;
        for (Series* one : { &linear, &curved, &shuffled })
            one->x.push_back(layerNumber(row.layer));
        linear.y.push_back(remainder.linear.value);
        linear.low.push_back(remainder.linear.interval.low);
        linear.high.push_back(remainder.linear.interval.high);
        curved.y.push_back(std::max(remainder.quadratic.value, remainder.gaussian.value));
        shuffled.y.push_back(std::max(remainder.shuffledLinear.upper, remainder.shuffledCurved.upper));
    }
    for (Series* one : { &linear, &curved, &shuffled })
        one->marks = true;
    return { linear, curved, shuffled };
}

Words linearWords(const Linear& linear, Layer layer)
{
    const session::Linearity& found = linear.found;
    const auto at = std::find_if(found.rows.begin(), found.rows.end(), [&](const session::LinearityRow& row) {
        return row.layer == layer;
    });
    if (at == found.rows.end())
        return { tr("The answers about “%1” cannot be probed here.").arg(linear.principle),
                 found.problems.empty() ? QString() : text(found.problems.front()) };
    const geometry::NonlinearRemainder& of = at->remainder;
    const bool read = of.linear.interval.low > of.shuffledLinear.upper;
    const bool curved
        = of.remainder.interval.low > 0 && of.remainder.interval.low > of.shuffledRemainder.upper;
    const QString where = text(layer.label());
    const QString sentence = !read
        ? tr("At %1 a straight probe reads little of what the model answers about “%2”.")
              .arg(where, linear.principle)
        : curved ? tr("At %1 the answers about “%2” are not all linear: a curved probe reads more.")
                       .arg(where, linear.principle)
                 : tr("At %1 the answers about “%2” are as linear as these replies can tell.")
                       .arg(where, linear.principle);
    return {
        sentence,
        tr("Answers by %1. Held-out r² of kernel ridge probes on %2 principal components, %3 training and %4 "
           "held-out replies: linear %5, quadratic %6, Gaussian %7. What curves add: %8; to shuffled "
           "answers at most %9. A linear judge leaves out what a curved one reads and what neither does "
           "(T1).")
            .arg(linear.way)
            .arg(of.components)
            .arg(found.training)
            .arg(found.heldOut)
            .arg(cosine(of.linear), cosine(of.quadratic), cosine(of.gaussian), cosine(of.remainder))
            .arg(number(of.shuffledRemainder.upper, 2, false, true))
    };
}

TextTable linearTable(const Linear& linear)
{
    TextTable table{ tr("How linear the answers about “%1” by %2 are").arg(linear.principle, linear.way),
                     { tr("layer"), tr("linear r²"), tr("low"), tr("high"), tr("quadratic r²"), tr("low"),
                       tr("high"), tr("Gaussian r²"), tr("low"), tr("high"), tr("what curves add"), tr("low"),
                       tr("high"), tr("shuffled, most") },
                     {} };
    for (const session::LinearityRow& row : linear.found.rows) {
        const geometry::NonlinearRemainder& of = row.remainder;
        table.rows.push_back(
            QStringList{ text(row.layer.label()) } + cells(of.linear) + cells(of.quadratic)
            + cells(of.gaussian) + cells(of.remainder) + QStringList{ plain(of.shuffledRemainder.upper) });
    }
    return table;
}

Scores enactedScores(const std::vector<session::AskedEnacted>& found)
{
    Scores scores;
    scores.title = tr("cosine of asked and enacted, held out");
    double random = 0;
    for (std::size_t i = 0; i < found.size(); ++i) {
        scores.marks.push_back(
            mark(text(found[i].principle), found[i].correlation, Ink::principle(static_cast<int>(i))));
        if (std::isfinite(found[i].randomCosine))
            random = std::max(random, found[i].randomCosine);
    }
    scores.lines.push_back({ tr("none"), 0, Qt::Vertical, Ink::secondary() });
    if (random > 0)
        scores.lines.push_back({ tr("random directions"), random, Qt::Vertical, Ink::secondary() });
    return scores;
}

Words enactedWords(const std::vector<session::AskedEnacted>& found, bool pairs)
{
    const auto all
        = std::count_if(found.begin(), found.end(), [](const auto& one) { return one.problem.empty(); });
    const auto same = std::count_if(found.begin(), found.end(), [](const auto& one) {
        return one.problem.empty() && one.correlation.interval.low > one.randomCosine;
    });
    QStringList parts;
    for (const session::AskedEnacted& one : found) {
        const QString name = QStringLiteral("<b>%1</b>: ").arg(text(one.principle).toHtmlEscaped());
        if (!one.problem.empty()) {
            parts << name
                    + (one.missingModel ? tr("the model has not been asked about it yet.")
                                        : text(one.problem).toHtmlEscaped());
            continue;
        }
        const auto& judgesConduct = one.asked[static_cast<int>(session::CrossTarget::Enacted)];
        const auto& conductJudges = one.enacted[static_cast<int>(session::CrossTarget::Asked)];
        const auto agreement = [pairs](const session::CrossScore& score) {
            if (score.items == 0)
                return tr("what was not asked");
            return pairs ? tr("%1, random up to %2").arg(share(score.agreement), percent(score.randomUpper))
                         : tr("AUC %1, random up to %2")
                               .arg(cosine(score.agreement), number(score.randomUpper, 2, false, true));
        };
        parts << name
                + tr("its judgments predict its conduct in %1; its conduct predicts its judgments in %2.")
                      .arg(agreement(judgesConduct), agreement(conductJudges));
    }
    const bool unasked
        = std::any_of(found.begin(), found.end(), [](const auto& one) { return one.missingModel; });
    return { found.empty() ? tr("Add a principle, and its word and its conduct are compared here.")
                 : all == 0
                 ? (unasked ? tr("The model has not been asked yet how it acts when it is told to.")
                            : tr("None of these principles can be compared with its conduct here."))
                 : tr("For %1 of %2 principles what it calls by the word and what it does when told to "
                      "share more than random directions do.")
                       .arg(same)
                       .arg(all),
             tr("Asked: the direction by which it judges replies. Enacted: the one along which it moves when "
                "told to act so.")
                 + QStringLiteral("<br>") + parts.join(QStringLiteral("<br>")) };
}

TextTable enactedTable(const std::vector<session::AskedEnacted>& found)
{
    TextTable table{ tr("Asked and enacted"),
                     { tr("principle"), tr("direction"), tr("said of"), tr("value"), tr("low"), tr("high"),
                       tr("random, most"), tr("items") },
                     {} };
    const QString targets[] = { tr("people's labels"), tr("its judgments"), tr("its conduct when told") };
    for (const session::AskedEnacted& one : found) {
        table.rows.push_back(
            QStringList{ text(one.principle), tr("both"), tr("held-out cosine") } + cells(one.correlation)
            + QStringList{ plain(one.randomCosine), QString() });
        for (const auto& [name, scores] :
             { std::pair(tr("asked"), &one.asked), std::pair(tr("enacted"), &one.enacted) })
            for (std::size_t t = 0; t < scores->size(); ++t)
                if ((*scores)[t].items > 0)
                    table.rows.push_back(
                        QStringList{ text(one.principle), name, targets[t] } + cells((*scores)[t].agreement)
                        + QStringList{ plain((*scores)[t].randomUpper),
                                       QString::number((*scores)[t].items) });
    }
    return table;
}

Asked beside(const session::Snapshot& snapshot, judgment::PromptedJudgments prompted)
{
    const data::ResponseSet& set = snapshot.foundation->study->set();
    Asked asked;
    asked.constitution = text(snapshot.inputs.constitution.name);
    std::vector<judgment::PairJudgment> linear, longer;
    std::vector<double> said[2];
    std::vector<std::pair<double, int>> differ;
    for (const judgment::PromptedPair& pair : prompted.pairs) {
        const data::Pair& texts = set.pairs[static_cast<std::size_t>(pair.pair)];
        const int tokens = set.responses[static_cast<std::size_t>(texts.chosen)].tokens
            - set.responses[static_cast<std::size_t>(texts.rejected)].tokens;
        longer.push_back({ pair.pair, tokens > 0 ? 1.0 : tokens < 0 ? 0.0 : 0.5, {}, true });
        const auto found = std::find_if(
            snapshot.judge->pairs.begin(), snapshot.judge->pairs.end(),
            [&](const judgment::PairJudgment& judged) { return judged.pair == pair.pair; });
        if (found == snapshot.judge->pairs.end())
            continue;
        linear.push_back(*found);
        said[0].push_back(found->p - 0.5);
        said[1].push_back(pair.p() - 0.5);
        if (said[0].back() * said[1].back() < 0)
            differ.emplace_back(-std::min(std::abs(said[0].back()), std::abs(said[1].back())), pair.pair);
    }
    std::sort(differ.begin(), differ.end());
    for (const auto& one : differ)
        asked.differ.push_back(one.second);
    asked.linear = judgment::agreement(set, linear, snapshot.inputs.seed);
    asked.longer = judgment::agreement(set, longer, snapshot.inputs.seed);
    asked.kappa = judgment::kappa(said[0], said[1]);
    asked.prompted = std::move(prompted);
    return asked;
}

Scores askedScores(const Asked& asked)
{
    return { { mark(tr("linear judge"), asked.linear, Ink::constitution()),
               mark(tr("asked, both orders"), asked.prompted.agreement, Ink::accent()),
               mark(tr("asked, one order"), asked.prompted.oneOrder, Ink::accent()),
               mark(tr("the longer reply"), asked.longer, Ink::secondary()) },
             { { tr("chance"), 0.5, Qt::Vertical, Ink::secondary() } },
             tr("pair accuracy, held out") };
}

Words askedWords(const Asked& asked)
{
    const judgment::PositionBias& bias = asked.prompted.bias;
    const QString picks
        = tr("Asked to compare two replies by “%1”, the model picks the one that people chose in %2 "
             "of 100 held-out pairs; %3.")
              .arg(asked.constitution, percent(asked.prompted.agreement.value));
    // What can be said for certain comes first.
    const QString order = bias.samePosition.interval.low > 0.5
        ? tr(" Mostly the order of the replies decides, not the replies.")
        : asked.prompted.agreement.interval.low <= 0.5 && asked.prompted.agreement.interval.high >= 0.5
        ? tr(" That is no surer than a coin.")
        : QString();
    return {
        picks.arg(
            std::isfinite(asked.linear.value) ? tr("the linear judge in %1").arg(percent(asked.linear.value))
                                              : tr("there is no linear judge"))
            + order,
        tr("%1 pairs, each in both orders. Asked: %2; linear: %3; they differ on %4 pairs (kappa %5). In %6 "
           "of the pairs it names the same letter whichever reply stands first: the order decides "
           "(T29: b = %7, s = %8).")
            .arg(asked.prompted.pairs.size())
            .arg(share(asked.prompted.agreement), share(asked.linear))
            .arg(asked.differ.size())
            .arg(number(asked.kappa, 2, false, true), share(bias.samePosition))
            .arg(number(bias.bias, 2), number(bias.deviation, 2))
    };
}

TextTable askedTable(const Asked& asked, const data::ResponseSet& set)
{
    TextTable table{ tr("Asked to judge"),
                     { tr("pair"), tr("p of the chosen reply"), tr("log-odds of A, chosen first"),
                       tr("log-odds of A, chosen second"), tr("the order decides"),
                       tr("unlike the linear judge") },
                     {} };
    for (const judgment::PromptedPair& pair : asked.prompted.pairs)
        table.rows.push_back(
            { text(set.pairs[static_cast<std::size_t>(pair.pair)].id), plain(pair.p()),
              plain(pair.chosenFirst), plain(pair.chosenSecond), pair.flippedByOrder() ? tr("yes") : tr("no"),
              std::count(asked.differ.begin(), asked.differ.end(), pair.pair) > 0 ? tr("yes") : tr("no") });
    return table;
}

Scores adversaryScores(const Adversary& adversary)
{
    Scores scores;
    scores.title = tr("share flagged; grey: of the shipped constitutions");
    for (const session::Filter& filter : adversary.defence.filters) {
        scores.marks.push_back(mark(filterName(filter), filter.caught, Ink::rejected()));
        scores.marks.back().beside = filter.falseAlarms;
    }
    return scores;
}

Words adversaryWords(const Adversary& adversary)
{
    const session::Defence& defence = adversary.defence;
    const session::Examined& suspect = defence.suspect;
    const auto& principles = adversary.search.constitution.principles;
    QStringList handed;
    for (const constitution::Principle& principle : principles)
        handed << tr("%1 × %2").arg(number(principle.weight, 1), words(principle));
    // A filter that flags the shipped ones as often tells nothing.
    const bool told
        = std::any_of(defence.filters.begin(), defence.filters.end(), [](const session::Filter& filter) {
              return (filter.name == "paraphrases" || filter.name == "frames")
                  && filter.caught.value > filter.falseAlarms + 0.5;
          });
    QStringList detail{ tr("Found among %L1 candidates at %2: %3.")
                            .arg(adversary.search.tried)
                            .arg(text(adversary.layer.label()), handed.join(QStringLiteral("; "))),
                        tr("Held out: cosine with people's direction %1, with its own good against bad %2; "
                           "agrees with people in "
                           "%3 of the pairs.")
                            .arg(cosine(suspect.harm), cosine(suspect.looks), share(suspect.agreement)),
                        tr("In training no direction that looks so could go below %1.")
                            .arg(number(adversary.search.worstLooking, 2, false, true)) };
    if (!suspect.wordings.empty())
        detail << tr("With other words, such as %1, its answers agree by %2 on average.")
                      .arg(words(suspect.wordings.front()), cosine(suspect.paraphrases));
    detail << tr(
        "These are words of one model and one study: they say how weak looking harmless is as a check, "
        "not what to fear of a word.");
    const QString first = words(principles.front()),
                  who = principles.size() > 1 ? tr("A constitution with %1").arg(first) : first;
    return {
        suspect.harm.interval.high < 0 && suspect.looks.interval.low > 0
            ? (told
                   ? tr("%1 looks harmless and works against people's labels; a filter without labels tells "
                        "it from ordinary ones.")
                   : tr("%1 looks harmless and works against people's labels; no filter without labels tells "
                        "it from ordinary ones."))
                  .arg(who)
            : tr("The worst that was found, %1, does no certain harm behind good looks on held-out prompts.")
                  .arg(first),
        detail.join(QLatin1Char(' '))
    };
}

TextTable adversaryTable(const Adversary& adversary)
{
    TextTable table{ tr("Adversary and filters"),
                     { tr("kind"), tr("name"), tr("value"), tr("low"), tr("high"), tr("false alarms"),
                       tr("flags below") },
                     {} };
    for (const session::FoundPrinciple& one : adversary.search.best)
        table.rows.push_back({ tr("principle, cosine with people in training"),
                               words(one.principle),
                               plain(one.harm),
                               {},
                               {},
                               {},
                               {} });
    const auto add = [&](const session::Examined& one) {
        for (const auto& [what, estimate] :
             { std::pair(tr("cosine with people"), &one.harm), std::pair(tr("looks"), &one.looks),
               std::pair(tr("agrees with labels"), &one.agreement),
               std::pair(tr("other words agree"), &one.paraphrases),
               std::pair(tr("suffixes agree"), &one.frames) })
            table.rows.push_back(
                QStringList{ what, text(one.name) } + cells(*estimate) + QStringList{ {}, {} });
    };
    add(adversary.defence.suspect);
    for (const session::Examined& one : adversary.defence.ordinary)
        add(one);
    for (const session::Filter& filter : adversary.defence.filters)
        table.rows.push_back(
            QStringList{ tr("filter"), filterName(filter) } + cells(filter.caught)
            + QStringList{ plain(filter.falseAlarms), plain(filter.threshold) });
    return table;
}

} // namespace lodestone::ui::audit
