// Other words for a principle's poles, as the model's own vocabulary has them: a principle that means what it
// says should judge much the same in other words.
#pragma once

#include "core/constitution/elicitation.h"

namespace lodestone::constitution {

/// The principle in up to `count` other wordings: in the i-th, every pole word is replaced by the i-th most
/// similar word of the study's table that this wording does not hold yet. Similar: the cosine of both
/// unembedding rows, each less the table's mean row (the embedding space is not centred; Mu and Viswanath
/// 2018). Only words count that are on average nearer to their own pole's words than to the other pole's, and
/// none that stands in either pole, in whatever case or with a negating prefix more or less ("valid" for
/// "invalid"); other opposites may remain. A word without a row, or without another such word, stays as it
/// is; a wording in which all words stay is left out. Empty for poles that cannot be told apart. O(W d) per
/// word, W words in the table of width d.
std::vector<Principle>
wordParaphrases(const ClozeElicitation& cloze, const Principle& principle, int count = 4);

} // namespace lodestone::constitution
