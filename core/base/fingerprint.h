// Identifies what a result was made from: each pipeline stage carries one, exports print it.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

namespace lodestone {

/// A 64-bit content hash (XXH3) that composes: feed values in a fixed order. Not cryptographic.
class Fingerprint {
public:
    constexpr Fingerprint() = default;
    constexpr explicit Fingerprint(std::uint64_t value)
        : m_value(value)
    {
    }

    Fingerprint& add(std::span<const std::byte> bytes);
    Fingerprint& add(std::string_view text);
    template <typename Number>
    requires(std::is_arithmetic_v<Number> || std::is_enum_v<Number>) Fingerprint& add(Number number)
    {
        return add(std::as_bytes(std::span<const Number>(&number, 1)));
    }
    Fingerprint& add(const Fingerprint& other) { return add(other.m_value); }
    /// A contiguous array of numbers.
    template <typename Number>
    requires std::is_arithmetic_v<Number> Fingerprint& add(const Number* data, std::size_t count)
    {
        return add(std::as_bytes(std::span<const Number>(data, count)));
    }

    constexpr std::uint64_t value() const { return m_value; }
    std::string hex() const; ///< 16 hex digits
    constexpr bool operator==(const Fingerprint&) const = default;

private:
    std::uint64_t m_value = 0;
};

} // namespace lodestone
