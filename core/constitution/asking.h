// Puts the questions of all ways to the model and files the answers: the only place of the ways that reads
// with a model.
#pragma once

#include "core/constitution/reply_reader.h"
#include "core/constitution/ways.h"

namespace lodestone::constitution {

/// The rows that a context asks about (all of the study when it names none).
std::vector<int> wantedRows(const WayContext& context);
/// True when the store lacks an answer to this question about one of these rows.
bool isMissing(const AnswerStore& store, const Question& question, const std::vector<int>& rows);

/// Log-odds after suffixes (yes-no, conditioned-cloze), read together; rows already answered are not asked
/// again. `afterBatch` hears when the store has grown by a batch and at least 32 rows are known.
Result<void> askSuffixes(
    const std::vector<Question>& questions, const WayContext& context, const Work& work,
    const std::function<void()>& afterBatch = {});

/// LAT (Zou et al. 2023): states at the end of the template at two thirds of the depth; the first principal
/// component of differences between replies to one prompt in random order (T45), from training prompts, on
/// standardised coordinates; its sign by the log-odds of the question's positive against negative words at
/// the same token, so that no label enters.
Result<void> askLat(const std::vector<Question>& questions, const WayContext& context, const Work& work);

/// log p(reply | prompt + request), summed over the reply, for every request; and for every persona question
/// the contrast of the replies' mean states under its two requests, with the states of the study as the
/// neutral side. One reading serves both.
Result<void> askRequests(
    const std::vector<Question>& requests, const std::vector<Question>& personas, const WayContext& context,
    const Work& work);

/// Contrast answers: everyday prompts of the study's training side, each answered by letter, with both
/// assignments of letters to poles averaged, so that the letter itself cancels (Rimsky et al. 2023).
Result<void> askContrastAnswers(const Question& question, const WayContext& context, const Work& work);

/// Replies of up to 48 tokens that the model writes under either request to 12 training prompts; their mean
/// states.
Result<void> askPersonaVectors(const Question& question, const WayContext& context, const Work& work);

/// Sentences of six templates with each word of a pole, "average" as the neutral word; their last states.
Result<void> askStatements(const Question& question, const WayContext& context, const Work& work);

} // namespace lodestone::constitution
