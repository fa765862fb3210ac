#include "app/cli/export_report.h"

#include "app/cli/context.h"

#include <cmath>
#include <fmt/format.h>

namespace lodestone::app {
namespace {

std::string share(const geometry::Estimate& estimate)
{
    return std::isfinite(estimate.value) ? percent(estimate.value) + " ("
            + percentInterval(estimate.interval.low, estimate.interval.high) + ")"
                                         : std::string("-");
}

std::string plain(const geometry::Estimate& estimate)
{
    if (!std::isfinite(estimate.value))
        return "-";
    return estimate.interval.isKnown() ? fmt::format(
               "{:.2f} ({:.2f} to {:.2f})", estimate.value, estimate.interval.low, estimate.interval.high)
                                       : fmt::format("{:.2f}", estimate.value);
}

} // namespace

Result<std::string> selectionOf(const session::Snapshot& snapshot, const std::string& which)
{
    if (which != "all" && which != "held-out" && which != "agree" && which != "disagree" && which != "unsure")
        return badInput("all, held-out, agree, disagree or unsure", "'" + which + "'", "--select");
    const data::ResponseSet& set = snapshot.foundation->study->set();
    std::string lines;
    for (const judgment::PairJudgment& judged : snapshot.judge->pairs) {
        const bool wanted = which == "all" || (which == "held-out" && judged.heldOut)
            || (which == "agree" && judged.agrees()) || (which == "disagree" && !judged.agrees())
            || (which == "unsure" && std::abs(judged.p - 0.5) < 0.1);
        if (!wanted)
            continue;
        const data::Pair& pair = set.pairs[static_cast<std::size_t>(judged.pair)];
        const Json line{ { "id", pair.id },
                         { "value", pair.value },
                         { "prompt", set.promptText(pair.chosen) },
                         { "chosen", set.shownText(pair.chosen) },
                         { "rejected", set.shownText(pair.rejected) },
                         { "p", judged.p },
                         { "agrees", judged.agrees() },
                         { "held_out", judged.heldOut } };
        lines += line.dump() + "\n";
    }
    return lines;
}

std::string reportOf(const session::Snapshot& snapshot, const session::Sweep& sweep)
{
    const data::Study& study = *snapshot.foundation->study;
    const data::ResponseSet& set = study.set();
    const bool pairs = !set.labelled();
    const auto pick = [&](const geometry::Score& score) { return pairs ? score.accuracy : score.auc; };
    const char* measure = pairs ? "held-out pair accuracy" : "held-out AUC, in percent";
    std::string text = fmt::format(
        "# {}: {}\n\n{} responses, {} pairs, read by {} at {}.\n\n", study.name(),
        snapshot.inputs.constitution.name, set.responses.size(), set.pairs.size(), study.model().name,
        snapshot.inputs.layer.label());
    text += "## The finding\n\n";
    if (!snapshot.judge->problem.empty())
        text += snapshot.judge->problem + "\n";
    text += fmt::format("| {} | 95 % over prompts |\n|---|---|\n", measure);
    text += fmt::format("| constitution | {} |\n", share(pick(snapshot.judge->heldOut)));
    text += fmt::format("| people's direction | {} |\n", share(pick(snapshot.layer->people.heldOut)));
    for (const session::SweepRow& row : sweep.rows)
        if (row.layer == snapshot.inputs.layer) {
            text += fmt::format(
                "| random direction | {} |\n| shuffled labels | {} |\n",
                percent(pairs ? row.random.accuracy : row.random.auc),
                percent(pairs ? row.shuffled.accuracy : row.shuffled.auc));
            if (row.length)
                text += fmt::format("| length alone | {} |\n", share(pick(*row.length)));
            if (row.embedding)
                text += fmt::format("| bag of tokens | {} |\n", share(pick(*row.embedding)));
        }
    text += "\n## Principles\n\n| principle | poles | weight | way | answers agree | direction | linear |\n"
            "|---|---|---|---|---|---|---|\n";
    for (std::size_t i = 0; i < snapshot.principles.size(); ++i) {
        const constitution::Principle& principle = snapshot.inputs.constitution.principles[i];
        const session::PrincipleStage& stage = *snapshot.principles[i];
        text += fmt::format(
            "| {} | {} / {} | {:+.2f}{} | {} | {} | {} | {} |\n", principle.name,
            constitution::joinWords(principle.positive), constitution::joinWords(principle.negative),
            principle.weight, principle.on ? "" : " (off)", principle.way,
            stage.problem.empty() ? share(pick(stage.direct)) : stage.problem,
            stage.problem.empty() ? share(pick(stage.aboutValue)) : "-",
            std::isfinite(stage.direction.linearity) ? fmt::format("{:.2f}", stage.direction.linearity)
                                                     : "-");
    }
    const session::MeterStage& m = *snapshot.meters;
    text += "\n## Meters\n\n| meter | value (95 %) |\n|---|---|\n";
    const std::pair<const char*, geometry::Estimate> meters[]
        = { { "encoding quality, implied by these items", m.encodingQuality },
            { "judge minus generation accuracy", m.gap },
            { "the same at matched lengths", m.matchedGap },
            { "efficiency, cos(w*, w_c)", m.efficiency },
            { "share of the ceiling", m.shareOfCeiling } };
    for (const auto& [name, value] : meters)
        text += fmt::format("| {} | {} |\n", name, plain(value));
    const session::PolicyStage& policy = *snapshot.policy;
    text += fmt::format(
        "\n## Policy update at beta {:g}\n\nKL {:.2f} nats, reward gain {:.2f}, value gain {:.2f} standard "
        "deviations, win rate {}, {:.1f} effective candidates a prompt.\n",
        snapshot.inputs.beta, policy.tilt.kl, policy.tilt.rewardGain, policy.tilt.valueGain,
        share(policy.intervals.winRate), policy.tilt.effectiveSampleSize);
    text += fmt::format(
        "\n## To make it again\n\nstudy {}, snapshot {}, seed {}, {} mapping, tau {:g}.\n",
        study.fingerprint().hex(), snapshot.fingerprint().hex(), snapshot.inputs.seed,
        constitution::mappingName(snapshot.inputs.constitution.mapping), snapshot.inputs.tau);
    return text;
}

} // namespace lodestone::app
