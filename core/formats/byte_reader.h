// Reads little-endian values from bytes that may lie: every read is checked against what is there.
#pragma once

#include "core/base/error.h"

#include <bit>
#include <cstring>
#include <fmt/format.h>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

static_assert(std::endian::native == std::endian::little, "the readers assume a little-endian machine");

namespace lodestone::formats {

/// A name out of a file as a message may show it: short, and without control characters or broken UTF-8.
inline std::string shownName(std::string_view name)
{
    std::string shown(name.substr(0, 60));
    for (char& c : shown)
        if (c < ' ' || c > '~')
            c = '?';
    return name.size() > shown.size() ? shown + "..." : shown;
}

/// A cursor over a byte span; errors name the file, the offset and the field.
class ByteReader {
public:
    ByteReader(std::span<const std::byte> bytes, std::string file)
        : m_bytes(bytes)
        , m_file(std::move(file))
    {
    }

    std::size_t offset() const { return m_offset; }
    std::size_t left() const { return m_bytes.size() - m_offset; }
    std::string where(std::string_view field) const
    {
        return fmt::format("{}, byte {}, {}", m_file, m_offset, shownName(field));
    }

    template <typename T>
    requires std::is_trivially_copyable_v<T> Result<T> read(std::string_view field)
    {
        if (left() < sizeof(T))
            return badInput(fmt::format("{} bytes", sizeof(T)), fmt::format("{} left", left()), where(field));
        T value;
        std::memcpy(&value, m_bytes.data() + m_offset, sizeof(T));
        m_offset += sizeof(T);
        return value;
    }

    /// The next `count` bytes, without copying.
    Result<std::span<const std::byte>> take(std::uint64_t count, std::string_view field)
    {
        if (left() < count)
            return badInput(fmt::format("{} bytes", count), fmt::format("{} left", left()), where(field));
        const auto result = m_bytes.subspan(m_offset, static_cast<std::size_t>(count));
        m_offset += static_cast<std::size_t>(count);
        return result;
    }

    /// Length-prefixed text (64-bit length).
    Result<std::string_view> text(std::string_view field)
    {
        LODESTONE_TRY(const auto length, read<std::uint64_t>(field));
        LODESTONE_TRY(const auto bytes, take(length, field));
        return std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    }

private:
    std::span<const std::byte> m_bytes;
    std::string m_file;
    std::size_t m_offset = 0;
};

} // namespace lodestone::formats
