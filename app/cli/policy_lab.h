// The parts of simulate that compare: all pipelines, over-optimisation, failures, rounds, budgets,
// mechanisms.
#pragma once

#include "app/cli/session_options.h"

#include "core/session/policy_lab.h"

namespace lodestone::app {

struct SimulateOptions : SessionOptions {
    double beta = 1, kl = -1;
    std::string reward = "constitution", rule = "optimum", labels = "people", transform = "f",
                preference = "sampled";
    int samples = 4;
    double smoothing = 0.1, flips = 0, noise = 0;
    bool all = false, overoptimisation = false, failures = false, crossing = false, mixer = false,
         byPrinciple = false;
    int rounds = 0;
    double drift = 0, selfPreference = 0, humanShare = 0; ///< of the rounds
    bool chain = false;
    std::vector<std::string> failure; ///< NAME or NAME=dose
    std::string labeler; ///< a study of the same replies by another model

    bool wholeLab() const
    {
        return all || overoptimisation || failures || crossing || mixer || byPrinciple || rounds > 0
            || !failure.empty();
    }
};

/// --overoptimisation, --failures, --failure, --rounds, --crossing, --mixer, --labeler.
void addLabOptions(CLI::App& app, SimulateOptions& options);

/// --by-principle: what each principle brings, and the edit that training labels would make.
Result<void> simulateByPrinciple(
    const SimulateOptions& options, const policy::World& world, const session::Snapshot& snapshot,
    Json& document, std::string& table, CommandContext& context);

/// What one of those options asks for.
Result<void> simulateLab(
    const SimulateOptions& options, const OpenSession& session,
    const std::shared_ptr<const session::Snapshot>& snapshot, CommandContext& context);

} // namespace lodestone::app
