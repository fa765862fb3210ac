// The refusal direction of a chat model (Arditi et al. 2024): difference of means at every position after the
// instruction and every layer, scored by what ablating and adding it does.
#pragma once

#include "core/base/progress.h"
#include "core/geometry/refusal_selection.h"
#include "core/model/language_model.h"

#include <functional>
#include <string>
#include <vector>

namespace lodestone::constitution {

struct RefusalOptions {
    int training = 128; ///< requests a side for the difference of means
    int validation = 32; ///< requests a side for the scores
    std::vector<std::string> refusalWords{ "I" }; ///< how a refusal begins; their first tokens are summed
    std::vector<int>
        layers; ///< theirs (0: the embedding, l: the output of block l - 1); empty: all below depth
    std::vector<int> positions; ///< -1 is the last token; empty: every token after the instruction
    std::uint64_t seed = 0; ///< draws training and validation requests
};

struct RefusalResult {
    std::vector<geometry::RefusalScore> scores; ///< positions x layers
    std::vector<Eigen::VectorXd> directions; ///< r of each candidate on raw h: a displacement
    int best = -1; ///< by the rule; -1: none passes
    std::string whyNone;
    std::vector<std::string> positionTokens; ///< what stands at -n .. -1
    std::vector<std::string> refusalTokens;
    int trainingHarmful = 0, trainingHarmless = 0, validationHarmful = 0, validationHarmless = 0;
    double baseHarmful = 0, baseHarmless = 0; ///< mean refusal score without any intervention
};

/// Requests as user turns without a system turn of ours. Sums in double. Errors: fewer than 4 requests a
/// side, a template without tokens after the instruction, a layer or position that is not there. `sink`
/// hears each candidate's score.
Result<RefusalResult> findRefusal(
    model::LanguageModel& model, const std::vector<std::string>& harmful,
    const std::vector<std::string>& harmless, const RefusalOptions& options, const Work& work = {},
    const std::function<void(const geometry::RefusalScore&)>& sink = {});

/// The instructions of a file: JSON, JSON Lines or CSV rows with `instruction`, `prompt` or `text`.
Result<std::vector<std::string>> readInstructions(const std::filesystem::path& path);

} // namespace lodestone::constitution
