// What a capture will read and in which batches: fixed by texts, model and options before anything is read.
#pragma once

#include "core/data/capture.h"

#include <utility>

namespace lodestone::data {

/// Tokens, batches and arrays of a capture.
struct CapturePlan {
    using Tokens = std::vector<text::TokenId>;

    ResponseSet
        set; ///< responses of pairs first, so that layers captured for pairs alone hold the first rows
    std::size_t pairRows = 0; ///< how many of them stand in a pair (all of them when there is no pair)
    std::vector<ClozeSuffix> suffixes;
    bool likelihoods = false;
    std::vector<Tokens> promptTokens; ///< per prompt
    std::vector<Tokens> responseTokens; ///< per response
    std::vector<Tokens> suffixTokens; ///< per suffix
    Tokens prefix; ///< what all prompts begin with; read once; empty when it is not worth it
    Tokens alone; ///< what opens an assistant's turn, before the reply alone
    std::vector<std::vector<int>> batches; ///< rows of responses; those of one prompt stand together
    std::vector<ArrayInfo> arrays; ///< of activations, ordered by position and layer; types not chosen yet

    /// Errors: a text without tokens, one longer than the model's context, a layer that the model lacks.
    static Result<CapturePlan>
    make(const model::LanguageModel& model, const ResponseSet& set, const CaptureOptions& options);

    /// Tokens that the model reads for a batch.
    double cost(std::size_t batch) const;
    /// Of model, tokens, pairs, arrays and batch size: what a resumed capture must have in common with its
    /// beginning.
    Fingerprint fingerprint(const model::LanguageModel& model, const CaptureOptions& options) const;

private:
    Result<void> tokenise(const model::LanguageModel& model);
    void findPrefix(const model::LanguageModel& model);
    void makeBatches(std::size_t tokensPerBatch);
    Result<void> listArrays(const model::LanguageModel& model, const CaptureOptions& options);
};

} // namespace lodestone::data
