// Finds which of many texts stand at the start of a given one, for marks inside a text and for the words of a
// unigram vocabulary.
#pragma once

#include "core/text/vocabulary.h"

#include <array>
#include <utility>

namespace lodestone::text {

/// Sorted texts with their ids; a search narrows the range byte by byte.
class PrefixIndex {
public:
    struct Entry {
        std::string text;
        TokenId id = 0;
    };
    struct Match {
        std::size_t length = 0; ///< 0: none
        TokenId id = -1;
    };

    PrefixIndex() = default;
    /// Empty texts are left out; of equal texts the one with the lower id stays.
    explicit PrefixIndex(std::vector<Entry> entries);

    bool empty() const { return m_entries.empty(); }

    /// Calls `found(Match)` for every entry that `text` starts with, the shortest first.
    template <typename Function>
    void forEach(std::string_view text, Function&& found) const
    {
        if (text.empty())
            return;
        auto [low, high] = m_byFirst[static_cast<unsigned char>(text[0])];
        for (std::size_t depth = 1; low < high; ++depth) {
            if (m_entries[low].text.size() == depth) { // sorted: the text that ends here comes first
                found(Match{ depth, m_entries[low].id });
                ++low;
            }
            if (depth >= text.size())
                return;
            narrow(low, high, depth, text[depth]);
        }
    }

    /// The longest entry that `text` starts with.
    Match longest(std::string_view text) const
    {
        Match best;
        forEach(text, [&](const Match& match) { best = match; });
        return best;
    }

private:
    void narrow(std::size_t& low, std::size_t& high, std::size_t depth, char byte) const;
    std::vector<Entry> m_entries;
    std::array<std::pair<std::size_t, std::size_t>, 256> m_byFirst{};
};

} // namespace lodestone::text
