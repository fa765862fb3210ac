#include "core/text/byte_level.h"

#include <array>

namespace lodestone::text {
namespace {

/// From code point to byte; -1 where there is none.
std::array<int, 512> bytesOfCodePoints()
{
    std::array<int, 512> bytes{};
    bytes.fill(-1);
    int next = 256;
    for (int byte = 0; byte < 256; ++byte) {
        const bool printable
            = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || (byte >= 174 && byte <= 255);
        bytes[static_cast<std::size_t>(printable ? byte : next++)] = byte;
    }
    return bytes;
}

} // namespace

std::optional<std::string> bytesOfWritten(std::string_view written)
{
    static const std::array<int, 512> bytes = bytesOfCodePoints();
    std::string raw;
    for (std::size_t i = 0; i < written.size();) {
        const auto first = static_cast<unsigned char>(written[i]);
        unsigned codePoint = first;
        std::size_t length = 1;
        if (first >= 0xc0 && first < 0xe0 && i + 1 < written.size()) {
            codePoint = (first & 31u) << 6u | (static_cast<unsigned char>(written[i + 1]) & 63u);
            length = 2;
        } else if (first >= 0x80)
            return std::nullopt;
        if (codePoint >= bytes.size() || bytes[codePoint] < 0)
            return std::nullopt;
        raw += static_cast<char>(bytes[codePoint]);
        i += length;
    }
    return raw;
}

} // namespace lodestone::text
