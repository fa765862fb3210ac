// Which prompts a principle applies to, so that a constitution may say one thing of medicine and another of
// poems.
#pragma once

#include "core/data/response_set.h"

#include <string>
#include <string_view>
#include <vector>

namespace lodestone::constitution {

/// A filter on what the user asked. Texts are sought anywhere in the user's turns, ASCII letters without
/// regard to case. Empty: every prompt.
struct Scope {
    std::vector<std::string> contains; ///< at least one of these; empty: anything
    std::vector<std::string> lacks; ///< none of these

    bool everywhere() const { return contains.empty() && lacks.empty(); }
    bool covers(std::string_view prompt) const;
    bool operator==(const Scope&) const = default;
};

/// What a scope looks at: all user turns of a response's prompt, a line each; of a statement its own text.
std::string scopedText(const data::ResponseSet& set, int response);

} // namespace lodestone::constitution
