// What the modes of elicit share: its options, and what is open when they run.
#pragma once

#include "app/cli/context.h"

#include "core/session/elicitation_bench.h"

namespace lodestone::app {

struct ElicitOptions {
    std::string study, constitution, principle, positive, negative, way, layer = "all", label,
                                                                         position = "mean";
    int paraphrases = 1;
    bool bench = false, keep = false, enacted = false, nonlinear = false, adversarial = false,
         propose = false;
    int steering = 0; ///< held-out pairs to push
    double looks = 0.3; ///< of --adversarial: least correlation with the neutral judgment
    int principles = 2; ///< of --adversarial: most principles written
    std::string avoid, saveTo; ///< of --adversarial: words that no pole may hold, and the file
    CLI::Option* principleOption = nullptr; ///< given, even if empty
    CLI::Option* layerOption = nullptr;
};

/// What is open while elicit runs.
struct ElicitRun {
    std::shared_ptr<const data::Study> study;
    std::shared_ptr<const session::Foundation> foundation;
    std::vector<constitution::Principle> principles;
    constitution::WayContext ask;
    data::Position position = data::Position::Mean;
    std::vector<Layer> layers; ///< asked for; empty: all
    std::vector<std::string> ways; ///< asked for; empty: the mode's own
    std::unique_ptr<model::LanguageModel> model; ///< loaded when first needed

    /// The layers asked for, or the one that cross-validation inside training prefers where none was named.
    Result<std::vector<Layer>>
    layersOrBest(const ElicitOptions& options, const CommandContext& context) const;
    /// Loads the study's model into `ask` when a way is not answered yet; without one, says that only stored
    /// answers are shown.
    void loadWhereMissing(const std::vector<std::string>& wanted, const CommandContext& context, bool force);
};

/// The study's model, where the user has it and it is that one.
Result<std::unique_ptr<model::LanguageModel>>
modelFor(const data::Study& study, const CommandContext& context);

/// What elicit says of a direction without labels, and numbers with two digits ("-" where not finite).
Json evidenceJson(const session::Evidence& evidence);
std::string plainNumber(double value);
void printBench(const session::Bench& bench, const std::string& study, const CommandContext& context);

/// Asked and enacted (--enacted), how linear the answers are (--nonlinear), and a search for principles that
/// do harm while looking harmless (--adversarial).
Result<void> elicitEnacted(const ElicitOptions& options, ElicitRun& run, CommandContext& context);
Result<void> elicitNonlinear(const ElicitOptions& options, ElicitRun& run, CommandContext& context);
Result<void> elicitAdversarial(const ElicitOptions& options, ElicitRun& run, CommandContext& context);
/// Pole words for the text of --principle (--propose); needs no study.
Result<void> elicitPropose(const ElicitOptions& options, CommandContext& context);

} // namespace lodestone::app
