// Finds where a text is valid UTF-8, because tokenizers must take any bytes and libraries take only valid
// text.
#pragma once

#include <cstddef>
#include <string_view>

namespace lodestone::text {

/// Bytes of the valid UTF-8 character at the start of `text` (Unicode 15, table 3-7: no overlong forms, no
/// surrogates, nothing beyond U+10FFFF); 0 where there is none.
std::size_t validCharacter(std::string_view text);

/// Calls `found(part, isValid)` for the longest stretches that are valid, and for those that are not, in
/// order.
template <typename Function>
void forEachStretch(std::string_view text, Function&& found)
{
    std::size_t start = 0;
    bool valid = true;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t length = validCharacter(text.substr(at));
        if ((length > 0) != valid) {
            if (at > start)
                found(text.substr(start, at - start), valid);
            start = at;
            valid = length > 0;
        }
        at += length > 0 ? length : 1;
    }
    if (start < text.size())
        found(text.substr(start), valid);
}

} // namespace lodestone::text
