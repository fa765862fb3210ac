// What people keep of a constitution's judgments as text: a selection of pairs, and a report.
#pragma once

#include "core/session/layer_sweep.h"
#include "core/session/snapshot.h"

namespace lodestone::app {

/// Pairs as JSON Lines with texts and judgments: "all", "held-out", "agree", "disagree" or "unsure" (P within
/// 0.1 of one half). Error: another word.
Result<std::string> selectionOf(const session::Snapshot& snapshot, const std::string& which);

/// Markdown: the finding with its doubts, the principles with their evidence, meters, policy, and what
/// reproduces all of it. `sweep`: the scores and baselines of the snapshot's layer.
std::string reportOf(const session::Snapshot& snapshot, const session::Sweep& sweep);

} // namespace lodestone::app
