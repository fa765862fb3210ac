// Byte-pair encoding by a list of merges, the model of byte-level tokenizers and of most tokenizer.json
// files.
#pragma once

#include "core/base/error.h"
#include "core/text/segmenter.h"

#include <memory>

namespace lodestone::text {

/// One merge, as bytes. Earlier in the list means earlier in a text.
struct PairMerge {
    std::string left, right;
};

/// How a stretch is taken apart before anything merges, and what is tried before that.
struct PairMergeRules {
    bool fromBytes = true; ///< one symbol a byte; false: one a character, unknown ones by byte tokens
    bool joinUnknown = false; ///< neighbouring characters without a token are one unknown token
    bool wholeFirst = false; ///< a stretch that is a token is that token, whatever the merges say
};

/// Byte-pair encoding (Sennrich et al. 2016): of all neighbouring pairs the one of lowest rank merges first,
/// the leftmost of these. Errors: a merge of which either part or the union is no token. `where` names the
/// list in messages. O(n log n) in the length of a stretch.
Result<std::unique_ptr<const Segmenter>> makePairMerges(
    const Vocabulary& vocabulary, const std::vector<PairMerge>& merges, const PairMergeRules& rules,
    const std::string& where);

} // namespace lodestone::text
