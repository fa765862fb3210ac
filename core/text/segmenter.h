// How a stretch of plain text becomes token ids: the model inside a tokenizer, whatever its kind.
#pragma once

#include "core/text/vocabulary.h"

namespace lodestone::text {

/// Turns one stretch of text (normalised, split where merges must not cross) into ids. Immutable; the
/// vocabulary that it was made with must outlive it.
class Segmenter {
public:
    virtual ~Segmenter() = default;
    virtual void segment(std::string_view text, std::vector<TokenId>& out) const = 0;
};

/// Bytes in the UTF-8 character that begins a text: 1 to 4, never more than there are; 1 where the first byte
/// begins none.
inline std::size_t characterLength(std::string_view text)
{
    const auto first = static_cast<unsigned char>(text[0]);
    const std::size_t length = first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf8 ? 4 : 1;
    if (length > text.size())
        return 1;
    for (std::size_t i = 1; i < length; ++i)
        if ((static_cast<unsigned char>(text[i]) & 0xc0u) != 0x80u)
            return 1;
    return length;
}

} // namespace lodestone::text
