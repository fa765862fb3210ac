// Lets the model write: greedy or sampled continuations, several of one prompt together.
#pragma once

#include "core/base/rng.h"
#include "core/model/language_model.h"

#include <functional>

namespace lodestone::model {

struct SamplingOptions {
    int maxTokens = 128;
    double temperature = 0; ///< 0: greedy
    int topK = 0; ///< 0: all tokens
    double topP = 1; ///< nucleus (Holtzman et al. 2020); 1: all tokens
    std::uint64_t seed = 0; ///< sample i of a call uses stream i
};

struct Completion {
    std::vector<TokenId> ids; ///< with the end token, when it came
    std::string text; ///< without special tokens
    std::string finishReason; ///< "stop" at the end token, "length" at maxTokens
};

/// Draws the next token from log-probabilities [vocabulary]; temperature 0 takes the largest, lowest id
/// first.
TokenId sampleToken(
    const Eigen::Ref<const Eigen::VectorXf>& logProbabilities, const SamplingOptions& options, Rng& rng);

/// Continues `prompt` (at least one token) `count` times. `onToken` hears each new token's bytes as it comes.
Result<std::vector<Completion>> generate(
    LanguageModel& model, std::span<const TokenId> prompt, int count, const SamplingOptions& options,
    const Work& work = {}, std::span<const Intervention> interventions = {},
    const std::function<void(int sample, std::string_view piece)>& onToken = {});

} // namespace lodestone::model
