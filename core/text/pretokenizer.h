// Splits text into the pieces inside which byte-pair merges may happen, by the patterns a model was trained
// with.
#pragma once

#include "core/text/pattern.h"

#include <vector>

namespace lodestone::text {

/// What becomes of the text that a pattern matches.
enum class SplitBehaviour {
    Isolated, ///< each match is a piece, and each gap between matches
    Contiguous, ///< neighbouring matches are one piece
    Removed, ///< matches are left out
    MergedWithPrevious, ///< a match ends the piece before it
    MergedWithNext ///< a match begins the piece after it
};

/// One split of every piece of the step before.
struct SplitStep {
    Pattern pattern;
    SplitBehaviour behaviour = SplitBehaviour::Isolated;
    bool invert = false; ///< the gaps count as matches and the matches as gaps
};

/// What a name in `tokenizer.ggml.pre` says besides the patterns.
struct PretokenizerFamily {
    bool wholeFirst = false; ///< a piece that is a token is that token, whatever the merges say
    bool addBos = false; ///< BOS stands before a text unless the file says otherwise
    bool composed = false; ///< texts are brought into Unicode's composed form (NFC) first
};

/// A chain of splits.
class Pretokenizer {
public:
    explicit Pretokenizer(std::vector<SplitStep> steps)
        : m_steps(std::move(steps))
    {
    }

    /// By the name that GGUF files carry in `tokenizer.ggml.pre` ("smollm", "llama-bpe", ...).
    static Result<Pretokenizer> byName(const std::string& name);
    /// The rest of what such a name stands for; all false for a name that is not known.
    static PretokenizerFamily familyOf(const std::string& name);

    /// Views into `text`, in order. All of it is covered once, except for what a step removes.
    std::vector<std::string_view> split(std::string_view text) const;

    /// The pattern published with GPT-2 (Radford et al. 2019): contractions, words, numbers, other marks,
    /// white space.
    static const char* const gpt2Words;

private:
    std::vector<SplitStep> m_steps;
};

} // namespace lodestone::text
