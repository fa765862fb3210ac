#include "core/data/cloze.h"

#include <fmt/format.h>

namespace lodestone::data {

std::vector<ClozeSuffix> defaultSuffixes(ItemKind kind)
{
    const std::string noun = itemKindName(kind);
    std::vector<ClozeSuffix> suffixes{
        { "one-word", fmt::format("\n\nIn one word, this {} was", noun), {} },
        { "overall", fmt::format("\n\nOverall, the {} above is", noun), {} },
        { "person", fmt::format("\n\nThe person who wrote this {} is", noun), {} },
        { "chat", fmt::format("The {} is", noun), fmt::format("Describe the last {} in one word.", noun) },
    };
    if (kind == ItemKind::Request) // the suffix follows the words that open the assistant's turn
        for (ClozeSuffix& suffix : suffixes)
            if (suffix.userTurn.empty())
                suffix.text.erase(0, 2);
    return suffixes;
}

} // namespace lodestone::data
