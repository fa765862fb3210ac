// SentencePiece's two models, byte-pair encoding by score and the unigram model, as the library computes
// them.
#pragma once

#include "core/text/prefix_index.h"
#include "core/text/segmenter.h"

#include <memory>

namespace lodestone::text {

/// Byte-pair encoding by score (Kudo and Richardson 2018): of all neighbouring pairs whose union is a token
/// the one of highest score merges first, the leftmost of these. User-defined symbols are taken first,
/// longest first, and never merge. What has no token becomes byte tokens, or one unknown token a stretch
/// where the vocabulary has none.
std::unique_ptr<const Segmenter> makeScoreBpe(const Vocabulary& vocabulary);

/// How the sums of a unigram's scores are kept; it decides which of two equally likely segmentations wins.
enum class UnigramSums {
    Single, ///< as the SentencePiece library
    Double ///< as Hugging Face's tokenizers
};

/// The most likely segmentation under independent tokens (Kudo 2018), by Viterbi's algorithm. Characters
/// without a token cost 10 more than the least likely token.
std::unique_ptr<const Segmenter>
makeUnigram(const Vocabulary& vocabulary, UnigramSums sums = UnigramSums::Single);

/// The user-defined symbols of a vocabulary.
PrefixIndex userDefinedSymbols(const Vocabulary& vocabulary);

/// Writes text that has no token: a token for each byte, else one unknown token. One that stands just before,
/// at `joinFrom` or later in `out`, counts for both. Nothing where the vocabulary has neither.
void writeUnknown(
    const Vocabulary& vocabulary, std::string_view text, std::vector<TokenId>& out, std::size_t joinFrom);

} // namespace lodestone::text
