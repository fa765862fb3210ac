// What people keep of a constitution's judgments: a figure, a selection of pairs, a report.
#pragma once

#include "app/cli/context.h"

#include "core/session/layer_sweep.h"
#include "core/session/pipeline.h"

namespace lodestone::app {

/// Pairs as JSON Lines with texts and judgments: "all", "held-out", "agree", "disagree" or "unsure" (P within
/// 0.1 of one half). Error: another word.
Result<std::string> selectionOf(const session::Snapshot& snapshot, const std::string& which);

/// Markdown: the finding with its doubts, the principles with their evidence, meters, policy, and what
/// reproduces all of it. `sweep`: the scores and baselines of the snapshot's layer.
std::string reportOf(const session::Snapshot& snapshot, const session::Sweep& sweep);

/// The kinds of `export --what` that this unit writes, with their options.
struct Keepsake {
    std::string select = "disagree", axes = "constitution,people", colour = "label", size = "960x640";
    bool dark = false;

    void addTo(CLI::App& app);
    static bool knows(const std::string& what); ///< figure, selection, report
    /// Errors: a word that an option does not know; a figure in a build without the window; a file that
    /// cannot be written.
    Result<void> write(
        const std::string& what, const std::string& to, session::Pipeline& pipeline,
        const std::shared_ptr<const session::Snapshot>& snapshot, const CommandContext& context) const;
};

} // namespace lodestone::app
