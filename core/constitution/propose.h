// Pole words proposed from a principle's text, so that a sentence becomes a principle that can be edited: by
// templates, which need no model, and by what a model says of replies that follow or break it.
#pragma once

#include "core/base/progress.h"
#include "core/constitution/opposites.h"

#include <string>
#include <vector>

namespace lodestone::model {
class LanguageModel;
} // namespace lodestone::model

namespace lodestone::constitution {

inline constexpr std::size_t mostProposed = 5; ///< words of a pole

/// What one way proposes.
struct PoleProposal {
    std::string way; ///< "templates" or "model"
    std::vector<std::string> positive, negative; ///< single words, lower case, at most mostProposed each
    /// Of a model's words, in their order: log p(word | question about this principle) minus the same about a
    /// neutral text, natural log. Empty for templates.
    std::vector<double> positiveLogOdds, negativeLogOdds;
    std::string problem; ///< why a pole is empty, as a sentence; empty when both have words

    bool usable() const { return !positive.empty() && !negative.empty(); }
};

/// Reads the text for "Be A, B and C", "Never be A", "Don't be A", "Avoid being A", "Prefer A to B", "A
/// rather than B", "not A but B", "The reply is A", "Show A" and their like. Words that the table does not
/// know are left out, conditions ("if ...", "when ...") and what stands after "about", "to", "for" and the
/// like too: a word on the wrong side is worse than none. A pole that the text does not name is filled with
/// the opposites of the other one's words. O(length of the text).
PoleProposal proposeByTemplates(const std::string& text, const Opposites& opposites);

/// Asks the model for one word for a reply that follows the principle and one for a reply that breaks it, and
/// for the same of a neutral text. Candidates are the hundred likeliest words that are one token after a
/// blank, at least three small letters and no function words; `words`, where there are any, says which count.
/// They are ranked by how much likelier the principle makes them; a word goes to the pole of the question
/// that raises it more. Words that the text itself or its opposites put on the other side are left out.
/// Errors: an empty text, one that does not fit the model's context, cancellation.
Result<PoleProposal> proposeByModel(
    const std::string& text, model::LanguageModel& model, const Opposites& opposites,
    const std::vector<std::string>& words = {}, const Work& work = {});

/// The two questions of `proposeByModel` as the model reads them, up to where it would name the word.
/// `follows` false: about a reply that breaks the principle. An empty `text`: the neutral one.
std::string poleQuestion(const model::LanguageModel& model, const std::string& text, bool follows);

} // namespace lodestone::constitution
