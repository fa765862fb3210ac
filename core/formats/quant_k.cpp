#include "core/formats/quant_k.h"

#include "core/formats/quant.h"

#include <cstdint>
#include <cstring>

namespace lodestone::formats {
namespace {

float halfAt(const std::byte* from)
{
    std::uint16_t half = 0;
    std::memcpy(&half, from, sizeof(half));
    return halfToFloat(half);
}

unsigned byteAt(const std::byte* from, int i) { return std::to_integer<unsigned>(from[i]); }

/// Scale and minimum of the small block j (0-7) of Q4_K and Q5_K: 6 bits each in 12 bytes. The first four lie
/// in the low bits of bytes 0-3 and 4-7; of the last four, bytes 8-11 hold the low nibbles, and the two top
/// bits of bytes 0-7 the rest.
struct ScaleAndMinimum {
    float scale, minimum;
};
ScaleAndMinimum scaleAndMinimum(const std::byte* packed, int j)
{
    if (j < 4)
        return { static_cast<float>(byteAt(packed, j) & 63u),
                 static_cast<float>(byteAt(packed, j + 4) & 63u) };
    const unsigned low = byteAt(packed, j + 4);
    return { static_cast<float>((low & 15u) | (byteAt(packed, j - 4) >> 6u) << 4u),
             static_cast<float>((low >> 4u) | (byteAt(packed, j) >> 6u) << 4u) };
}

} // namespace

void dequantiseQ2K(const std::byte* from, float* to)
{
    // 16 bytes with a scale (low nibble) and a minimum (high nibble) each, 64 bytes of 2-bit weights, two
    // halves.
    const std::byte* weights = from + 16;
    const float scale = halfAt(from + 80), minimum = halfAt(from + 82);
    for (int block = 0; block < 16; ++block) {
        const unsigned packed = byteAt(from, block);
        const float d = scale * static_cast<float>(packed & 15u),
                    m = minimum * static_cast<float>(packed >> 4u);
        // Two neighbouring blocks share a pair of bits of 32 bytes; eight blocks share those 32 bytes.
        const std::byte* here = weights + block / 8 * 32 + block % 2 * 16;
        const unsigned shift = static_cast<unsigned>(block % 8 / 2 * 2);
        for (int i = 0; i < 16; ++i)
            *to++ = d * static_cast<float>((byteAt(here, i) >> shift) & 3u) - m;
    }
}

void dequantiseQ3K(const std::byte* from, float* to)
{
    // 32 bytes of high bits, 64 bytes of 2-bit weights, 12 bytes with sixteen 6-bit scales, one half.
    const std::byte *high = from, *weights = from + 32, *scales = from + 96;
    const float scale = halfAt(from + 108);
    for (int block = 0; block < 16; ++block) {
        const unsigned low = block < 8 ? byteAt(scales, block) & 15u : byteAt(scales, block - 8) >> 4u;
        const unsigned top = (byteAt(scales, 8 + block % 4) >> static_cast<unsigned>(block / 4 * 2)) & 3u;
        const float d = scale * static_cast<float>(static_cast<int>(low | top << 4u) - 32);
        const int half = block % 2 * 16;
        const std::byte* here = weights + block / 8 * 32 + half;
        const unsigned shift = static_cast<unsigned>(block % 8 / 2 * 2),
                       bit = 1u << static_cast<unsigned>(block / 2);
        for (int i = 0; i < 16; ++i)
            *to++ = d
                * static_cast<float>(
                        static_cast<int>((byteAt(here, i) >> shift) & 3u)
                        - (byteAt(high, half + i) & bit ? 0 : 4));
    }
}

void dequantiseQ4K(const std::byte* from, float* to)
{
    // Two halves (scale, minimum), 12 bytes of small blocks' scales, 128 bytes of nibbles.
    const float scale = halfAt(from), minimum = halfAt(from + 2);
    for (int block = 0; block < 8; ++block) {
        const ScaleAndMinimum own = scaleAndMinimum(from + 4, block);
        const float d = scale * own.scale, m = minimum * own.minimum;
        const std::byte* here = from + 16 + block / 2 * 32;
        const unsigned shift = block % 2 ? 4u : 0u;
        for (int i = 0; i < 32; ++i)
            *to++ = d * static_cast<float>((byteAt(here, i) >> shift) & 15u) - m;
    }
}

void dequantiseQ5K(const std::byte* from, float* to)
{
    // As Q4_K with 32 bytes of fifth bits before the nibbles: bit j of byte i belongs to weight i of block j.
    const float scale = halfAt(from), minimum = halfAt(from + 2);
    for (int block = 0; block < 8; ++block) {
        const ScaleAndMinimum own = scaleAndMinimum(from + 4, block);
        const float d = scale * own.scale, m = minimum * own.minimum;
        const std::byte* here = from + 48 + block / 2 * 32;
        const unsigned shift = block % 2 ? 4u : 0u;
        for (int i = 0; i < 32; ++i) {
            const unsigned fifth = (byteAt(from + 16, i) >> static_cast<unsigned>(block)) & 1u;
            *to++ = d * static_cast<float>(((byteAt(here, i) >> shift) & 15u) | fifth << 4u) - m;
        }
    }
}

void dequantiseQ6K(const std::byte* from, float* to)
{
    // 128 bytes of low nibbles, 64 bytes of high pairs of bits, sixteen signed scales, one half. Each half of
    // the super-block is four rows of 32 weights over 64 bytes of nibbles and 32 bytes of pairs.
    const std::byte *low = from, *high = from + 128, *scales = from + 192;
    const float scale = halfAt(from + 208);
    for (int row = 0; row < 8; ++row) {
        const std::byte* nibbles = low + row / 4 * 64 + row % 2 * 32;
        const std::byte* pairs = high + row / 4 * 32;
        const unsigned nibbleShift = row % 4 < 2 ? 0u : 4u, pairShift = static_cast<unsigned>(row % 4 * 2);
        for (int i = 0; i < 32; ++i) {
            const auto own = static_cast<std::int8_t>(byteAt(scales, row * 2 + i / 16));
            const unsigned weight
                = ((byteAt(nibbles, i) >> nibbleShift) & 15u) | ((byteAt(pairs, i) >> pairShift) & 3u) << 4u;
            *to++ = scale * static_cast<float>(own) * static_cast<float>(static_cast<int>(weight) - 32);
        }
    }
}

} // namespace lodestone::formats
