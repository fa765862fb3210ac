// elicit --bench: every way on every principle, the evidence without labels beside what labels say.
#include "app/cli/elicit_command.h"
#include "app/cli/sweep_output.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace lodestone::app {

Json evidenceJson(const session::Evidence& evidence)
{
    return { { "linearity", jsonNumber(evidence.heldOutLinearity) },
             { "cross_validated_linearity", jsonNumber(evidence.linearity) },
             { "agreement", jsonNumber(evidence.agreement) },
             { "symmetry", jsonNumber(evidence.symmetry) },
             { "length_independence", jsonNumber(evidence.lengthIndependence) },
             { "share_of_variance", jsonNumber(evidence.shareOfVariance) },
             { "norm_against_random", jsonNumber(evidence.normAgainstRandom) },
             { "evidence", jsonNumber(evidence.combined()) } };
}

std::string plainNumber(double value) { return std::isfinite(value) ? fmt::format("{:.2f}", value) : "-"; }

namespace {

using constitution::Principle;

Json benchRowJson(const session::Bench& bench, const session::BenchRow& row)
{
    Json result{ { "principle", bench.principles[static_cast<std::size_t>(row.principle)].name },
                 { "way", row.way },
                 { "yields", constitution::yieldsName(row.yields) },
                 { "layer", layerJson(row.layer) },
                 { "pair_accuracy", bench.pairs ? jsonNumber(row.heldOut.accuracy.value) : Json(nullptr) },
                 { "pair_accuracy_ci",
                   bench.pairs ? jsonInterval(row.heldOut.accuracy.interval) : Json(nullptr) },
                 { "auc", jsonNumber(row.heldOut.auc.value) },
                 { "auc_ci", jsonInterval(row.heldOut.auc.interval) },
                 { "training_agreement", jsonNumber(row.trainingAgreement) } };
    const Json evidence = evidenceJson(row.evidence);
    for (const auto& [key, value] : evidence.items())
        result[key] = value;
    return result;
}

/// In words: what the interval says about a direction.
std::string verdict(const geometry::Estimate& agreement)
{
    if (!agreement.interval.isKnown())
        return "not known";
    return agreement.interval.low > 0.5 ? "found"
        : agreement.interval.high < 0.5 ? "turned round"
                                        : "not found by these words";
}

} // namespace

void printBench(const session::Bench& bench, const std::string& study, const CommandContext& context)
{
    Json rows = Json::array(), best = Json::array(), direct = Json::array(), problems = Json::array();
    for (const session::BenchRow& row : bench.rows)
        rows.push_back(benchRowJson(bench, row));
    std::string table;
    const auto agreementOf = [&](const geometry::Score& score) -> const geometry::Estimate& {
        return bench.pairs ? score.accuracy : score.auc;
    };
    for (std::size_t p = 0; p < bench.principles.size(); ++p) {
        const Principle& principle = bench.principles[p];
        table += fmt::format(
            "{}: {} / {}\n", principle.name, constitution::joinWords(principle.positive),
            constitution::joinWords(principle.negative));
        table += fmt::format(
            "  {:<19}{:>8} {:>9}  {:<17}{:>7}{:>7}{:>7}{:>7}{:>7}{:>9}{:>8} {:>9}\n", "way", "answers",
            "95 %", "best layer", "linear", "agree", "symm.", "length", "norm", "evidence", "pairs", "95 %");
        for (const session::BenchDirect& said : bench.direct) {
            if (said.principle != static_cast<int>(p))
                continue;
            direct.push_back({ { "principle", principle.name },
                               { "way", said.way },
                               { "direct_accuracy", jsonNumber(agreementOf(said.score).value) },
                               { "direct_accuracy_ci", jsonInterval(agreementOf(said.score).interval) },
                               { "unknown_words", said.unknown } });
            const session::BenchRow* top = nullptr;
            for (const session::BenchRow& row : bench.rows)
                if (row.principle == said.principle && row.way == said.way && !row.layer.isEmbedding()
                    && (!top || row.evidence.combined() > top->evidence.combined()))
                    top = &row;
            if (!said.problem.empty()) {
                problems.push_back(
                    { { "principle", principle.name }, { "way", said.way }, { "problem", said.problem } });
                table += fmt::format("  {:<19}  {}\n", said.way, said.problem);
                continue;
            }
            if (!top)
                continue;
            const geometry::Estimate& held = agreementOf(top->heldOut);
            const geometry::Estimate& own = agreementOf(said.score);
            table += fmt::format(
                "  {:<19}{:>8} {:>9}  {:<17}{:>7}{:>7}{:>7}{:>7}{:>7}{:>9}{:>8} {:>9}\n", said.way,
                std::isfinite(own.value) ? percent(own.value) : "-",
                std::isfinite(own.value) ? percentInterval(own.interval.low, own.interval.high) : "",
                top->layer.label(), plainNumber(top->evidence.linearity),
                plainNumber(top->evidence.agreement), plainNumber(top->evidence.symmetry),
                plainNumber(top->evidence.lengthIndependence), plainNumber(top->evidence.normAgainstRandom),
                plainNumber(top->evidence.combined()), percent(held.value),
                percentInterval(held.interval.low, held.interval.high));
            if (!said.unknown.empty())
                table += fmt::format(
                    "  {:<19}without {}: not in the study's table, and no model told\n", "",
                    constitution::joinWords(said.unknown));
        }
        const session::BenchBest& choice = bench.best[p];
        Json entry{ { "principle", principle.name } };
        if (choice.byEvidence >= 0) {
            const auto &evident = bench.rows[static_cast<std::size_t>(choice.byEvidence)],
                       &labelled = bench.rows[static_cast<std::size_t>(choice.byLabels)];
            const geometry::Estimate& held = agreementOf(evident.heldOut);
            entry["verdict"] = verdict(held);
            entry["by_evidence"] = benchRowJson(bench, evident);
            entry["by_labels"] = benchRowJson(bench, labelled);
            table += fmt::format(
                "  by evidence: {} at {}, {} of held-out items ({}): {}\n", evident.way,
                evident.layer.label(), percent(held.value),
                percentInterval(held.interval.low, held.interval.high), verdict(held));
            table += fmt::format(
                "  by training labels: {} at {}, {}\n", labelled.way, labelled.layer.label(),
                percent(agreementOf(labelled.heldOut).value));
        }
        const geometry::Estimate& people = agreementOf(bench.people[p]);
        if (choice.byEvidence >= 0)
            for (const session::WordsByChance& chance : bench.randomWords)
                if (chance.principle == static_cast<int>(p)
                    && chance.layer == bench.rows[static_cast<std::size_t>(choice.byEvidence)].layer) {
                    entry["random_words"] = jsonNumber(chance.mean);
                    entry["random_words_range"]
                        = Json::array({ jsonNumber(chance.low), jsonNumber(chance.high) });
                    table += fmt::format(
                        "  random words in the poles' place, there: {} (95 % of draws within {})\n",
                        percent(chance.mean), percentInterval(chance.low, chance.high));
                }
        entry["length"] = jsonNumber(bench.length[p].value);
        entry["people"] = jsonNumber(people.value);
        entry["people_ci"] = jsonInterval(people.interval);
        table += fmt::format(
            "  length alone {}; people's labels {} ({}){}\n\n", percent(bench.length[p].value),
            std::isfinite(people.value) ? percent(people.value) : "-",
            percentInterval(people.interval.low, people.interval.high),
            std::isfinite(people.value) ? " at " + bench.peopleLayer[p].label() : "");
        best.push_back(std::move(entry));
    }
    table += fmt::format(
        "The way chosen by evidence is the one that training labels choose for {} of the principles; "
        "choosing by evidence costs {:.0f} points of held-out agreement on average. Rank correlation of "
        "evidence and agreement over ways: {}.\n",
        percent(bench.sameWay), 100 * bench.loss, plainNumber(bench.rankCorrelation));
    context.print(
        { { "study", study },
          { "n_held_out", bench.heldOutItems },
          { "rows", std::move(rows) },
          { "direct", std::move(direct) },
          { "best", std::move(best) },
          { "same_way", jsonNumber(bench.sameWay) },
          { "loss", jsonNumber(bench.loss) },
          { "rank_correlation", jsonNumber(bench.rankCorrelation) },
          { "problems", std::move(problems) } },
        table);
}

} // namespace lodestone::app
