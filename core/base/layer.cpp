#include "core/base/layer.h"

#include <charconv>

namespace lodestone {

std::string Layer::label() const
{
    return isEmbedding() ? "embedding" : "block " + std::to_string(block()) + " output";
}

std::string Layer::token() const { return isEmbedding() ? "embedding" : std::to_string(block()); }

Result<Layer> Layer::parse(std::string_view token)
{
    if (token == "embedding")
        return Layer::embedding();
    int block = -1;
    const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), block);
    if (error != std::errc() || end != token.data() + token.size() || block < 0 || block > 100000)
        return fail(
            ErrorKind::Usage, "a layer: 'embedding' or the number of a block, such as 13 for block 13 output",
            "'" + std::string(token) + "'");
    return Layer::blockOutput(block);
}

} // namespace lodestone
