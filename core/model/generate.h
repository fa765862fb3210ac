// Lets the model write: greedy or sampled continuations, several of one prompt together, steered or not; and
// measures how well it expects a text.
#pragma once

#include "core/model/language_model.h"
#include "core/model/sampler.h"

#include <functional>

namespace lodestone::model {

struct Completion {
    std::vector<TokenId> ids; ///< with the end token, when it came
    std::string text; ///< without special tokens, and up to a stop string
    std::string finishReason; ///< "stop" at the end token or a stop string, "length" at maxTokens
};

/// The tokens that end a reply: the end of text, and the token that closes a turn where the chat format has
/// one.
std::vector<TokenId> endTokens(const LanguageModel& model);

/// Continues `prompt` (at least one token) `count` times, all together as one batch a step. `onToken` hears
/// the text as it comes: whole characters, never a part of a stop string. Stopping `work` ends it with
/// Cancelled after the step that runs.
Result<std::vector<Completion>> generate(
    LanguageModel& model, std::span<const TokenId> prompt, int count, const SamplingOptions& options,
    const Work& work = {}, std::span<const Intervention> interventions = {},
    const std::function<void(int sample, std::string_view piece)>& onToken = {});

/// How well a text is expected.
struct Expectation {
    std::size_t tokens = 0; ///< scored ones
    double meanLoss = 0; ///< -log p per token, nats
    double perplexity = 0; ///< exp(meanLoss)
};
/// Of tokens `from` .. end of `ids`, each after all before it as far as the model's context (or `window`
/// tokens, when not 0) reaches: longer texts are read in windows of which the first half is context alone.
/// Token 0 has nothing before it and is never scored. Errors: fewer than two tokens.
Result<Expectation> expectation(
    LanguageModel& model, std::span<const TokenId> ids, std::size_t from = 1, int window = 0,
    const Work& work = {}, std::span<const Intervention> interventions = {});

} // namespace lodestone::model
