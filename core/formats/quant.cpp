#include "core/formats/quant.h"

#include "core/formats/quant_k.h"

#include <array>
#include <bit>
#include <cassert>
#include <cstring>

namespace lodestone::formats {
namespace {

int byteAt(const std::byte* from) { return std::to_integer<int>(*from); }

/// Nibbles and a fifth bit each: bit i of the 32 is weight i's.
int fiveBits(const std::byte* nibbles, std::uint32_t fifths, int i)
{
    const int nibble = i < 16 ? byteAt(nibbles + i) & 15 : byteAt(nibbles + i - 16) >> 4;
    return nibble | static_cast<int>((fifths >> static_cast<unsigned>(i)) & 1u) << 4;
}

template <typename Dequantise>
void superBlocks(
    std::size_t blocks, std::size_t bytes, const std::byte* from, float* to, Dequantise dequantise)
{
    for (std::size_t b = 0; b < blocks; ++b)
        dequantise(from + b * bytes, to + b * 256);
}

} // namespace

const QuantBlock* quantBlock(std::uint32_t type)
{
    struct Entry {
        QuantType type;
        QuantBlock block;
    };
    static constexpr Entry entries[]
        = { { QuantType::F32, { "F32", 1, 4 } },       { QuantType::F16, { "F16", 1, 2 } },
            { QuantType::BF16, { "BF16", 1, 2 } },     { QuantType::Q4_0, { "Q4_0", 32, 18 } },
            { QuantType::Q4_1, { "Q4_1", 32, 20 } },   { QuantType::Q5_0, { "Q5_0", 32, 22 } },
            { QuantType::Q5_1, { "Q5_1", 32, 24 } },   { QuantType::Q8_0, { "Q8_0", 32, 34 } },
            { QuantType::Q2_K, { "Q2_K", 256, 84 } },  { QuantType::Q3_K, { "Q3_K", 256, 110 } },
            { QuantType::Q4_K, { "Q4_K", 256, 144 } }, { QuantType::Q5_K, { "Q5_K", 256, 176 } },
            { QuantType::Q6_K, { "Q6_K", 256, 210 } } };
    for (const Entry& entry : entries)
        if (static_cast<std::uint32_t>(entry.type) == type)
            return &entry.block;
    return nullptr;
}

std::string_view supportedQuantTypes()
{
    return "F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q2_K, Q3_K, Q4_K, Q5_K, Q6_K";
}

float halfToFloat(std::uint16_t half)
{
    const std::uint32_t sign = static_cast<std::uint32_t>(half & 0x8000u) << 16u;
    const std::uint32_t exponent = (half >> 10u) & 0x1fu;
    const std::uint32_t mantissa = half & 0x3ffu;
    if (exponent == 31)
        return std::bit_cast<float>(sign | 0x7f800000u | (mantissa << 13u));
    if (exponent != 0)
        return std::bit_cast<float>(sign | ((exponent + 112u) << 23u) | (mantissa << 13u));
    const float magnitude = static_cast<float>(mantissa) * 0x1p-24f; // subnormal
    return sign ? -magnitude : magnitude;
}

std::uint16_t floatToHalf(float value)
{
    const auto bits = std::bit_cast<std::uint32_t>(value);
    const auto sign = static_cast<std::uint16_t>((bits >> 16u) & 0x8000u);
    const std::uint32_t magnitude = bits & 0x7fffffffu;
    if (magnitude > 0x7f800000u)
        return static_cast<std::uint16_t>(sign | 0x7e00u);
    if (magnitude >= 0x477ff000u) // rounds to 65520 or more
        return static_cast<std::uint16_t>(sign | 0x7c00u);
    if (magnitude < 0x38800000u) { // subnormal half: the addition rounds to a multiple of 2^-24
        const float rounded = std::bit_cast<float>(magnitude) + 0.5f;
        return static_cast<std::uint16_t>(sign | (std::bit_cast<std::uint32_t>(rounded) - 0x3f000000u));
    }
    const std::uint32_t rebased = magnitude - 0x38000000u;
    const std::uint32_t rounded = rebased + 0xfffu + ((rebased >> 13u) & 1u);
    return static_cast<std::uint16_t>(sign | (rounded >> 13u));
}

void dequantise(QuantType type, std::span<const std::byte> bytes, std::span<float> out)
{
    const QuantBlock* block = quantBlock(static_cast<std::uint32_t>(type));
    assert(
        block && out.size() % block->items == 0 && bytes.size() == out.size() / block->items * block->bytes);
    const std::size_t blocks = out.size() / block->items;
    float* to = out.data();
    const std::byte* from = bytes.data();
    switch (type) {
    case QuantType::F32:
        std::memcpy(to, from, bytes.size());
        return;
    case QuantType::F16:
        for (std::size_t i = 0; i < blocks; ++i)
            to[i] = halfToFloat(load<std::uint16_t>(from + 2 * i));
        return;
    case QuantType::BF16:
        for (std::size_t i = 0; i < blocks; ++i)
            to[i]
                = std::bit_cast<float>(static_cast<std::uint32_t>(load<std::uint16_t>(from + 2 * i)) << 16u);
        return;
    case QuantType::Q4_0: // scale, then 16 bytes: low nibbles are weights 0-15, high nibbles 16-31
        for (std::size_t b = 0; b < blocks; ++b, from += 18, to += 32) {
            const float scale = halfToFloat(load<std::uint16_t>(from));
            for (int i = 0; i < 16; ++i) {
                to[i] = scale * static_cast<float>((byteAt(from + 2 + i) & 15) - 8);
                to[i + 16] = scale * static_cast<float>((byteAt(from + 2 + i) >> 4) - 8);
            }
        }
        return;
    case QuantType::Q4_1: // scale, minimum, then nibbles as above
        for (std::size_t b = 0; b < blocks; ++b, from += 20, to += 32) {
            const float scale = halfToFloat(load<std::uint16_t>(from));
            const float minimum = halfToFloat(load<std::uint16_t>(from + 2));
            for (int i = 0; i < 16; ++i) {
                to[i] = scale * static_cast<float>(byteAt(from + 4 + i) & 15) + minimum;
                to[i + 16] = scale * static_cast<float>(byteAt(from + 4 + i) >> 4) + minimum;
            }
        }
        return;
    case QuantType::Q5_0: // scale, 32 fifth bits, then nibbles as above
        for (std::size_t b = 0; b < blocks; ++b, from += 22, to += 32) {
            const float scale = halfToFloat(load<std::uint16_t>(from));
            const auto fifths = load<std::uint32_t>(from + 2);
            for (int i = 0; i < 32; ++i)
                to[i] = scale * static_cast<float>(fiveBits(from + 6, fifths, i) - 16);
        }
        return;
    case QuantType::Q5_1: // scale, minimum, 32 fifth bits, nibbles
        for (std::size_t b = 0; b < blocks; ++b, from += 24, to += 32) {
            const float scale = halfToFloat(load<std::uint16_t>(from));
            const float minimum = halfToFloat(load<std::uint16_t>(from + 2));
            const auto fifths = load<std::uint32_t>(from + 4);
            for (int i = 0; i < 32; ++i)
                to[i] = scale * static_cast<float>(fiveBits(from + 8, fifths, i)) + minimum;
        }
        return;
    case QuantType::Q2_K:
        return superBlocks(blocks, block->bytes, from, to, dequantiseQ2K);
    case QuantType::Q3_K:
        return superBlocks(blocks, block->bytes, from, to, dequantiseQ3K);
    case QuantType::Q4_K:
        return superBlocks(blocks, block->bytes, from, to, dequantiseQ4K);
    case QuantType::Q5_K:
        return superBlocks(blocks, block->bytes, from, to, dequantiseQ5K);
    case QuantType::Q6_K:
        return superBlocks(blocks, block->bytes, from, to, dequantiseQ6K);
    case QuantType::Q8_0: // scale, then 32 signed bytes
        for (std::size_t b = 0; b < blocks; ++b, from += 34, to += 32) {
            const float scale = halfToFloat(load<std::uint16_t>(from));
            for (int i = 0; i < 32; ++i)
                to[i] = scale * static_cast<float>(load<std::int8_t>(from + 2 + i));
        }
        return;
    }
}

} // namespace lodestone::formats
