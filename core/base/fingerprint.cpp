#include "core/base/fingerprint.h"

#include <fmt/format.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace lodestone {

Fingerprint& Fingerprint::add(std::span<const std::byte> bytes)
{
    m_value = XXH3_64bits_withSeed(bytes.data(), bytes.size(), m_value);
    return *this;
}

Fingerprint& Fingerprint::add(std::string_view text)
{
    // The length goes in too, so that ("ab", "c") and ("a", "bc") differ.
    add(static_cast<std::uint64_t>(text.size()));
    return add(std::as_bytes(std::span<const char>(text.data(), text.size())));
}

std::string Fingerprint::hex() const { return fmt::format("{:016x}", m_value); }

} // namespace lodestone
