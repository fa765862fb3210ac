// The unembedding rows of words one would name a value by: with them, new pole words re-judge a study without
// a model.
#pragma once

#include "core/data/study.h"
#include "core/model/language_model.h"

namespace lodestone::data {

/// Writes judgments/words.npy and words.json: the listed words first, then those that the model itself finds
/// likeliest after the suffixes (mean probability over the given states), up to `limit`. A word of several
/// tokens is stored by its first token, and only when no other word of the table shares it. Returns the entry
/// of the study's manifest that names the files.
Result<nlohmann::json> writeWordTable(
    const model::LanguageModel& model, const std::vector<RowMatrix>& clozeStates,
    const std::vector<std::string>& words, std::size_t limit, const std::filesystem::path& folder,
    const Work& work);

} // namespace lodestone::data
