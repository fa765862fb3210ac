#include "app/cli/export_report.h"

#include "core/base/files.h"

#ifdef LODESTONE_GUI
#include "ui/shell/figure.h"
#endif

#include <cmath>
#include <cstdlib>
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
    std::string notes;
    for (const constitution::Principle& principle : snapshot.inputs.constitution.principles)
        if (!principle.notes.empty())
            notes += fmt::format("\n**{}**\n\n{}\n", principle.name, principle.notes);
    if (!notes.empty())
        text += "\n### Notes\n" + notes;
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

void Keepsake::addTo(CLI::App& app)
{
    app.add_option("--select", select, "For a selection: all, held-out, agree, disagree or unsure")
        ->capture_default_str();
    app.add_option(
           "--axes", axes,
           "For a figure: ACROSS,UP among constitution, people, generation, principle:ID, component:1, "
           "component:2")
        ->capture_default_str();
    app.add_option("--colour", colour, "For a figure: label, value, judgment or policy-weight")
        ->capture_default_str();
    app.add_option("--size", size, "For a figure: WIDTHxHEIGHT; the file has twice as many pixels")
        ->capture_default_str();
    app.add_flag("--dark", dark, "For a figure: dark colours");
}

bool Keepsake::knows(const std::string& what)
{
    return what == "figure" || what == "selection" || what == "report";
}

Result<void> Keepsake::write(
    const std::string& what, const std::string& to, session::Pipeline& pipeline,
    const std::shared_ptr<const session::Snapshot>& snapshot, const CommandContext& context) const
{
    if (what == "selection") {
        LODESTONE_TRY(const std::string lines, selectionOf(*snapshot, select));
        return writeFileAtomically(to, lines);
    }
    // The meter that takes refits, and the cones of the arrows.
    LODESTONE_TRY(const auto refined, pipeline.refine(snapshot, context.work()));
    if (what == "report") {
        session::SweepOptions options;
        options.position = snapshot->inputs.position;
        options.layers = { snapshot->inputs.layer };
        options.seed = snapshot->inputs.seed;
        session::Sweep scores; // a study without labels has no baselines
        if (auto swept = session::sweepLayers(*snapshot->foundation, {}, options, context.work()))
            scores = std::move(*swept);
        return writeFileAtomically(to, reportOf(*refined, scores));
    }
#ifdef LODESTONE_GUI
    ui::FigureOptions figure;
    const auto comma = axes.find(','), cross = size.find('x');
    figure.across = axes.substr(0, comma);
    figure.up = comma == std::string::npos ? std::string() : axes.substr(comma + 1);
    figure.colourBy = colour;
    figure.width = std::atoi(size.c_str());
    figure.height = cross == std::string::npos ? 0 : std::atoi(size.c_str() + cross + 1);
    figure.dark = dark;
    return ui::writeFigure(*refined, to, figure);
#else
    return fail(
        ErrorKind::Usage, "a build with the window, which draws figures", "one without it", "--what figure");
#endif
}

} // namespace lodestone::app
