// The options that judge, meters, simulate and export share, and the session that they open.
#pragma once

#include "app/cli/context.h"

#include "core/session/pipeline.h"

namespace lodestone::app {

/// null where a number is not finite.
Json number(double value);
Json intervalJson(const geometry::Interval& interval); ///< [low, high]

/// What to open and how to read it.
struct SessionOptions {
    std::string study, constitution, mapping, layer, position = "mean";
    double tau = 1;

    void addTo(CLI::App& app, bool needsConstitution);
};

struct OpenSession {
    std::shared_ptr<const session::Foundation> foundation;
    std::shared_ptr<session::Pipeline> pipeline;
    session::Inputs inputs;
};

/// The study, its layer (chosen by cross-validation inside the training prompts unless given) and its inputs.
Result<OpenSession> openSession(const SessionOptions& options, const CommandContext& context);

/// The subcommand judge.
void addJudgeCommand(CLI::App& app);

/// Error without a judge direction, unless the command can do without.
Result<std::shared_ptr<const session::Snapshot>>
snapshotOf(const OpenSession& session, const CommandContext& context, bool needsJudge = true);

} // namespace lodestone::app
