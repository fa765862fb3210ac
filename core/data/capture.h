// Reads a set of responses with a language model and writes what it saw as a study: resumable, in fixed
// batches.
#pragma once

#include "core/data/study.h"
#include "core/model/language_model.h"

namespace lodestone::data {

/// One of several captures of the same input that run apart, each on its share of the batches; `merge` joins
/// them. Batches are fixed before they are shared out: shard i of n reads batches i, i + n, i + 2n, ...
struct Shard {
    int index = 0; ///< 0 .. count - 1
    int count = 1; ///< 1: everything
    bool operator==(const Shard&) const = default;
};
/// "2/3": the second of three. 0/3 is taken as 3/3, for those who count from zero.
Result<Shard> parseShard(std::string_view text);

struct CaptureOptions {
    std::string name; ///< of the study; empty: the folder's name
    std::vector<Layer> layers; ///< empty: every layer
    std::vector<Layer> candidateLayers; ///< of responses that stand in no pair; empty: as `layers`
    std::vector<Position> positions{ Position::Mean, Position::Last };
    SplitSpec split;
    std::uint64_t seed = 0;
    bool resume = false; ///< go on with a capture of the same texts and model
    bool likelihoods = true;
    Shard shard;
    std::vector<std::string>
        words; ///< words whose unembedding rows are stored, besides those the model itself uses
    std::size_t wordLimit = 3000;
    int tokensPerBatch = 1024;
};

struct CaptureSummary {
    std::size_t responses = 0, pairs = 0; ///< of the study, or of the shard
    double tokens = 0; ///< read by the model in this run
    double seconds = 0;
};

/// Captures into `folder` (created; an existing finished study is refused). Arrays are preallocated, finished
/// rows are journalled, and study.json is renamed into place last: a killed capture opens as what is
/// complete, and resumes. Activations are stored as float16 where a first batch leaves a margin of 16 to its
/// range, else as float32; a shard keeps float32, because only all shards together tell the type.
Result<CaptureSummary> capture(
    model::LanguageModel& model, ResponseSet set, const std::filesystem::path& folder,
    const CaptureOptions& options, const Work& work = {});

/// The tokens that stand between a response and the answer to a suffix.
std::vector<text::TokenId>
suffixTokens(const model::LanguageModel& model, const ClozeSuffix& suffix, ItemKind kind);
/// The rendered prompt of a response as tokens (at least one token).
std::vector<text::TokenId>
promptTokens(const model::LanguageModel& model, const ResponseSet& set, int prompt);
/// A response's own tokens; empty for requests.
std::vector<text::TokenId>
responseTokens(const model::LanguageModel& model, const ResponseSet& set, int response);

} // namespace lodestone::data
