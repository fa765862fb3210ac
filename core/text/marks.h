// Finds marks such as <|im_start|> inside a text, so that what stands between them is read as plain text.
#pragma once

#include "core/text/prefix_index.h"

#include <vector>

namespace lodestone::text {

/// A token that is looked for in the text itself, before any other step.
struct Mark {
    std::string text;
    TokenId id = 0;
    bool control = true; ///< read as a mark only where marks are asked for; the others always are
    bool takesBlanksBefore = false; ///< white space before it belongs to it and is not read
    bool takesBlanksAfter = false;
    bool wholeWord = false; ///< only where no letter, digit or underscore stands beside it
};

/// A stretch of a text: a mark, or what stands between marks.
struct Stretch {
    std::string_view text;
    TokenId mark = -1; ///< -1: plain text
};

/// The marks of a tokenizer. Of several that begin at the same place the longest counts; the leftmost comes
/// first.
class Marks {
public:
    Marks() = default;
    explicit Marks(std::vector<Mark> marks);

    /// Covers the text once, in order, except for white space that belongs to a mark. With `withControl`
    /// false only marks that are not control tokens are found.
    std::vector<Stretch> split(std::string_view text, bool withControl) const;

private:
    std::vector<Mark> m_marks;
    PrefixIndex m_all, m_plain; ///< ids are places in m_marks
};

} // namespace lodestone::text
