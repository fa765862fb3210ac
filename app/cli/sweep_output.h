// How scores of layers look on the command line, shared by the commands that print them.
#pragma once

#include "app/cli/context.h"

#include "core/session/layer_sweep.h"

namespace lodestone::app {

Json jsonNumber(double value); ///< null where it is not finite
Json jsonInterval(const geometry::Interval& interval);
std::string shareWithInterval(const geometry::Estimate& estimate); ///< "85 % (77-92)"
Json sweepRowJson(const session::SweepRow& row, bool pairs);
std::string sweepTable(const session::Sweep& sweep);
/// "all", a list, or nothing: the layers to score (empty: every one).
Result<std::vector<Layer>> layersAsked(const std::string& text);

/// The subcommand elicit, in a file of its own.
void addElicitCommand(CLI::App& app);
/// The subcommand refusal.
void addRefusalCommand(CLI::App& app);

} // namespace lodestone::app
