#include "ui/panels/ways_panel_figures.h"

#include "core/session/directions.h"
#include "ui/cards/estimate_words.h"

#include <algorithm>
#include <cmath>

namespace lodestone::ui::ways {
namespace {

using lab::plain;
using lab::text;

const geometry::Estimate& agreement(const session::Bench& bench, const geometry::Score& score)
{
    return bench.pairs ? score.accuracy : score.auc;
}

/// "95 % (82 to 100)" or "AUC .95 (.82 to 1.00)".
QString share(const session::Bench& bench, const geometry::Estimate& estimate)
{
    if (!std::isfinite(estimate.value))
        return QStringLiteral("–");
    const auto one
        = [&](double value) { return bench.pairs ? percent(value) : number(value, 2, false, true); };
    const QString value
        = bench.pairs ? tr("%1 %").arg(one(estimate.value)) : tr("AUC %1").arg(one(estimate.value));
    return estimate.interval.isKnown()
        ? tr("%1 (%2 to %3)").arg(value, one(estimate.interval.low), one(estimate.interval.high))
        : value;
}

QString shortLayer(Layer layer) { return layer.isEmbedding() ? tr("E") : QString::number(layer.row() - 1); }

const session::BenchRow* rowOf(const session::Bench& bench, int at)
{
    return at >= 0 ? &bench.rows[static_cast<std::size_t>(at)] : nullptr;
}

const session::WordsByChance* chanceAt(const session::Bench& bench, Layer layer)
{
    const auto found = std::find_if(
        bench.randomWords.begin(), bench.randomWords.end(),
        [&](const session::WordsByChance& each) { return each.layer == layer; });
    return found == bench.randomWords.end() ? nullptr : &*found;
}

QString items(const session::Bench& bench)
{
    return bench.pairs ? tr("held-out pairs") : tr("held-out texts");
}

} // namespace

Grid benchGrid(const session::Bench& bench, const std::string& way, Ink principle)
{
    Grid grid;
    for (const session::BenchRow& row : bench.rows)
        if (const QString name = text(row.way); !grid.rows.contains(name)) {
            grid.rows << name;
            grid.rowInks << (row.way == way ? principle : Ink::secondary());
        }
    for (const Layer& layer : bench.layers)
        grid.columns << shortLayer(layer);
    const auto ways = grid.rows.size();
    if (!bench.randomWords.empty()) {
        grid.rows << tr("random words");
        grid.rowInks << Ink::secondary();
    }
    const bool people = !bench.peopleByLayer.empty() && !bench.peopleByLayer[0].empty();
    const bool length = !bench.length.empty() && std::isfinite(bench.length[0].value);
    if (people) {
        grid.rows << tr("people's labels");
        grid.rowInks << Ink::people();
    }
    if (length) {
        grid.rows << tr("length alone");
        grid.rowInks << Ink::secondary();
    }
    const auto width = grid.columns.size();
    grid.values.assign(static_cast<std::size_t>(grid.rows.size() * width), std::nan(""));
    const auto put = [&](qsizetype row, Layer layer, double value) {
        const auto found = std::find(bench.layers.begin(), bench.layers.end(), layer);
        if (found != bench.layers.end())
            grid.values[static_cast<std::size_t>(row * width + (found - bench.layers.begin()))] = 100 * value;
    };
    for (const session::BenchRow& row : bench.rows)
        put(grid.rows.indexOf(text(row.way)), row.layer, agreement(bench, row.heldOut).value);
    for (const session::WordsByChance& chance : bench.randomWords)
        put(ways, chance.layer, chance.mean);
    if (people)
        for (const session::LayerScore& score : bench.peopleByLayer[0])
            put(ways + (bench.randomWords.empty() ? 0 : 1), score.layer,
                agreement(bench, score.heldOut).value);
    if (length)
        for (const Layer& layer : bench.layers)
            put(grid.rows.size() - 1, layer, bench.length[0].value);
    return grid;
}

const session::BenchRow* benchRowAt(const session::Bench& bench, const Grid& grid, int row, int column)
{
    if (row < 0 || column < 0 || row >= grid.rows.size() || column >= static_cast<int>(bench.layers.size()))
        return nullptr;
    const auto found = std::find_if(bench.rows.begin(), bench.rows.end(), [&](const session::BenchRow& each) {
        return text(each.way) == grid.rows[row]
            && each.layer == bench.layers[static_cast<std::size_t>(column)];
    });
    return found == bench.rows.end() ? nullptr : &*found;
}

QString benchSentence(const session::Bench& bench)
{
    const session::BenchRow* best = bench.best.empty() ? nullptr : rowOf(bench, bench.best[0].byLabels);
    if (!best)
        return tr("No way of asking has an answer about this principle.");
    const QString name = text(bench.principles[0].name);
    const geometry::Estimate& held = agreement(bench, best->heldOut);
    const QString where = tr("%1 at %2").arg(text(best->way), text(best->layer.label()));
    const QString what = share(bench, held);
    const session::WordsByChance* chance = chanceAt(bench, best->layer);
    if (held.interval.low > 0.5 && chance && held.value <= chance->high)
        return tr("“%1”: %2 is right on %3 of %4 %5, but random words can reach %6 % too.")
            .arg(name, where, what)
            .arg(bench.heldOutItems)
            .arg(items(bench), percent(chance->high));
    if (held.interval.low > 0.5)
        return tr("Words find “%1”: %2 is right on %3 of %4 %5.")
            .arg(name, where, what)
            .arg(bench.heldOutItems)
            .arg(items(bench));
    if (held.interval.high < 0.5)
        return tr("Words turn “%1” round: even %2 is right on only %3 of %4 %5.")
            .arg(name, where, what)
            .arg(bench.heldOutItems)
            .arg(items(bench));
    return tr("No words here find “%1”: %2 is right on %3 of %4 %5.")
        .arg(name, where, what)
        .arg(bench.heldOutItems)
        .arg(items(bench));
}

QString benchDetail(const session::Bench& bench, const std::string& way)
{
    QStringList parts;
    if (const session::BenchRow* evident
        = bench.best.empty() ? nullptr : rowOf(bench, bench.best[0].byEvidence))
        parts << tr("Training labels chose that way. Without labels one would choose %1 at %2: %3, by how "
                    "linear "
                    "and consistent the answers are; that need not be right.")
                     .arg(
                         text(evident->way), text(evident->layer.label()),
                         share(bench, agreement(bench, evident->heldOut)));
    if (!bench.people.empty() && std::isfinite(agreement(bench, bench.people[0]).value))
        parts << tr("People's labels reach %1 at %2%3.")
                     .arg(
                         share(bench, agreement(bench, bench.people[0])), text(bench.peopleLayer[0].label()),
                         !bench.length.empty() && std::isfinite(bench.length[0].value)
                             ? tr(", length alone %1").arg(share(bench, { bench.length[0].value, {} }))
                             : QString());
    if (std::any_of(bench.rows.begin(), bench.rows.end(), [&](const auto& row) { return row.way == way; }))
        parts << tr("The coloured row, %1, judges it now.").arg(text(way));
    return parts.join(QLatin1Char(' '));
}

QString cellDetail(const session::Bench& bench, const session::BenchRow& row)
{
    QStringList parts{ tr("<b>%1</b> at %2: %3 of %4.")
                           .arg(
                               text(row.way), text(row.layer.label()),
                               share(bench, agreement(bench, row.heldOut)), items(bench)) };
    for (const session::BenchDirect& direct : bench.direct)
        if (direct.way == row.way && direct.principle == row.principle && !direct.unknown.empty())
            parts << tr("Without “%1”, which is not in the study's table.")
                         .arg(text(constitution::joinWords(direct.unknown)));
    for (const session::BenchDirect& direct : bench.direct)
        if (direct.way == row.way && direct.principle == row.principle
            && std::isfinite(agreement(bench, direct.score).value))
            parts << tr("The answers themselves, before any direction: %1.")
                         .arg(share(bench, agreement(bench, direct.score)));
    if (const session::WordsByChance* chance = chanceAt(bench, row.layer))
        parts << tr("Random words in the poles' place: %1 % on average, 95 % of draws within %2 to %3.")
                     .arg(percent(chance->mean), percent(chance->low), percent(chance->high));
    for (const session::BenchRow& other : bench.rows)
        if (other.way == row.way && other.layer.isEmbedding() && !row.layer.isEmbedding()
            && agreement(bench, other.heldOut).value >= agreement(bench, row.heldOut).value)
            parts << tr("A bag of tokens does as well.");
    QStringList evidence;
    const auto add = [&](const QString& name, double value) {
        if (std::isfinite(value))
            evidence << QStringLiteral("%1 %2").arg(name, number(value, 2, false, true));
    };
    add(row.yields == constitution::Yields::ReadOut ? tr("linear") : tr("sides told apart"),
        row.evidence.heldOutLinearity);
    add(tr("wordings agree"), row.evidence.agreement);
    add(tr("poles mirror"), row.evidence.symmetry);
    add(tr("free of length"), row.evidence.lengthIndependence);
    if (std::isfinite(row.evidence.normAgainstRandom))
        evidence << tr("%1 times as large as by chance")
                        .arg(number(row.evidence.normAgainstRandom, 1, false, false));
    if (!evidence.isEmpty())
        parts << tr("Without labels: %1.").arg(evidence.join(QStringLiteral(", ")));
    if (const constitution::WayInfo* info = constitution::findWay(row.way))
        parts << text(info->sentence);
    return parts.join(QLatin1Char(' '));
}

TextTable benchTable(const session::Bench& bench)
{
    TextTable table;
    table.title = bench.principles.empty() ? tr("Ways of asking")
                                           : tr("Ways of asking: %1").arg(text(bench.principles[0].name));
    table.header = { tr("way"),        tr("layer"),  tr("pair accuracy"),  tr("low"),    tr("high"),
                     tr("AUC"),        tr("low"),    tr("high"),           tr("linear"), tr("agreement"),
                     tr("symmetry"),   tr("length"), tr("variance share"), tr("norm"),   tr("evidence"),
                     tr("on training") };
    const auto add = [&](const QString& way, Layer layer, const geometry::Score& score) -> QStringList& {
        table.rows.push_back({ way, text(layer.label()), plain(score.accuracy.value),
                               plain(score.accuracy.interval.low), plain(score.accuracy.interval.high),
                               plain(score.auc.value), plain(score.auc.interval.low),
                               plain(score.auc.interval.high) });
        return table.rows.back();
    };
    for (const session::BenchRow& row : bench.rows)
        add(text(row.way), row.layer, row.heldOut)
            << plain(row.evidence.heldOutLinearity) << plain(row.evidence.agreement)
            << plain(row.evidence.symmetry) << plain(row.evidence.lengthIndependence)
            << plain(row.evidence.shareOfVariance) << plain(row.evidence.normAgainstRandom)
            << plain(row.evidence.combined()) << plain(row.trainingAgreement);
    for (const session::WordsByChance& chance : bench.randomWords) {
        QStringList row{ tr("random words"), text(chance.layer.label()) };
        const QStringList values{ plain(chance.mean), plain(chance.low), plain(chance.high) };
        row << (bench.pairs ? values : QStringList{ {}, {}, {} }) << (bench.pairs ? QStringList{} : values);
        row.resize(table.header.size());
        table.rows.push_back(row);
    }
    for (const auto& people : bench.peopleByLayer)
        for (const session::LayerScore& score : people)
            add(tr("people's labels"), score.layer, score.heldOut).resize(table.header.size());
    return table;
}

QStringList unasked(const session::Bench& bench)
{
    QStringList ways;
    for (const session::BenchDirect& direct : bench.direct)
        if (direct.unasked)
            ways << text(direct.way);
    return ways;
}

Conflicts measureConflicts(const session::Snapshot& snapshot)
{
    Conflicts result;
    std::vector<const session::Direction*> all;
    const auto add = [&](const QString& name, Ink ink, const session::Direction& direction) {
        result.names << name;
        result.inks << ink;
        all.push_back(&direction);
    };
    for (const int i : snapshot.judge->active) {
        const auto at = static_cast<std::size_t>(i);
        add(text(snapshot.inputs.constitution.principles[at].name), Ink::principle(i),
            snapshot.principles[at]->direction);
    }
    const bool pairs = !snapshot.foundation->study->set().labelled();
    for (const int i : snapshot.judge->active) {
        const geometry::Score& score = snapshot.principles[static_cast<std::size_t>(i)]->aboutValue;
        result.agrees.push_back((pairs ? score.accuracy : score.auc).interval.low > 0.5);
    }
    result.principles = static_cast<int>(all.size());
    if (snapshot.layer->people.found())
        add(tr("people's labels"), Ink::people(), snapshot.layer->people);
    if (snapshot.layer->neutral.found())
        add(tr("good / bad"), Ink::secondary(), snapshot.layer->neutral);
    result.heldOut.resize(all.size() * all.size());
    for (std::size_t a = 0; a < all.size(); ++a)
        for (std::size_t b = 0; b < all.size(); ++b) {
            result.cosines.push_back(all[a]->readOut.weights.dot(all[b]->displacement));
            if (a < b)
                result.heldOut[a * all.size() + b] = result.heldOut[b * all.size() + a]
                    = session::heldOutCosine(
                        *snapshot.foundation, *snapshot.layer, *all[a], *all[b], snapshot.inputs.seed);
        }
    return result;
}

Grid conflictGrid(const Conflicts& conflicts)
{
    return { conflicts.names, conflicts.names, conflicts.cosines, conflicts.inks, conflicts.inks };
}

QString conflictSentence(const Conflicts& conflicts)
{
    if (conflicts.principles < 2)
        return tr("A conflict takes two principles that are on and have a direction.");
    int first = 0, second = 1;
    for (int a = 0; a < conflicts.principles; ++a)
        for (int b = a + 1; b < conflicts.principles; ++b)
            if (conflicts.cosines[conflicts.at(a, b)] < conflicts.cosines[conflicts.at(first, second)]) {
                first = a;
                second = b;
            }
    const geometry::Estimate& held = conflicts.heldOut[conflicts.at(first, second)];
    const QString names = tr("“%1” and “%2”").arg(conflicts.names[first], conflicts.names[second]);
    QStringList unsure;
    for (const int each : { first, second })
        if (!conflicts.agrees[static_cast<std::size_t>(each)])
            unsure << tr("“%1”").arg(conflicts.names[each]);
    const QString caution = unsure.isEmpty()
        ? QString()
        : tr(" By labels, these words do not find %1: the figure is about the words, not the value.")
              .arg(unsure.join(tr(" and ")));
    if (held.interval.high < 0)
        return tr("%1 pull against each other: their cosine is %2 on prompts that trained neither.")
                   .arg(names, lab::withInterval(held))
            + caution;
    return tr("No two principles clearly pull against each other: the least cosine, of %1, is %2 on prompts "
              "that trained neither.")
               .arg(names, lab::withInterval(held))
        + caution;
}

QString pairDetail(const Conflicts& conflicts, int first, int second)
{
    const auto known = [&](int i) { return i >= 0 && i < conflicts.names.size(); };
    if (!known(first) || !known(second) || first == second)
        return {};
    return tr("<b>%1</b> and <b>%2</b>: cosine %3 in the Sigma of training prompts, %4 on prompts that "
              "trained neither. An update along one moves the score along the other by this share (T17).")
        .arg(
            conflicts.names[first].toHtmlEscaped(), conflicts.names[second].toHtmlEscaped(),
            number(conflicts.cosines[conflicts.at(first, second)], 2, true),
            lab::withInterval(conflicts.heldOut[conflicts.at(first, second)]));
}

TextTable conflictTable(const Conflicts& conflicts)
{
    TextTable table;
    table.title = tr("Sigma-cosines of directions");
    table.header = { tr("first"), tr("second"), tr("cosine"), tr("held out"), tr("low"), tr("high") };
    for (int a = 0; a < conflicts.names.size(); ++a)
        for (int b = a + 1; b < conflicts.names.size(); ++b) {
            const geometry::Estimate& held = conflicts.heldOut[conflicts.at(a, b)];
            table.rows.push_back({ conflicts.names[a], conflicts.names[b],
                                   plain(conflicts.cosines[conflicts.at(a, b)]), plain(held.value),
                                   plain(held.interval.low), plain(held.interval.high) });
        }
    return table;
}

} // namespace lodestone::ui::ways
