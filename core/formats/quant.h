// The number formats of model files and how each becomes float32.
#pragma once

#include "core/base/error.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace lodestone::formats {

/// The tensor types of GGUF that are read here; the values are the file format's own numbers.
enum class QuantType : std::uint32_t {
    F32 = 0,
    F16 = 1,
    Q4_0 = 2,
    Q4_1 = 3,
    Q5_0 = 6,
    Q5_1 = 7,
    Q8_0 = 8,
    Q2_K = 10,
    Q3_K = 11,
    Q4_K = 12,
    Q5_K = 13,
    Q6_K = 14,
    BF16 = 30
};

/// A type's block: `items` weights are stored in `bytes` bytes.
struct QuantBlock {
    std::string_view name;
    std::uint32_t items = 0;
    std::uint32_t bytes = 0;
};

/// Null when the type is not one that is read here.
const QuantBlock* quantBlock(std::uint32_t type);
/// "F32, F16, Q4_0, ...": for error messages.
std::string_view supportedQuantTypes();

/// IEEE 754 half to float and back (round to nearest even; overflow becomes infinity).
float halfToFloat(std::uint16_t half);

/// The T that begins at `from`, which need not be aligned.
template <typename T>
T load(const std::byte* from)
{
    T value;
    std::memcpy(&value, from, sizeof(T));
    return value;
}
std::uint16_t floatToHalf(float value);

/// Dequantises whole blocks; `out.size()` must be a multiple of the block's items and match `bytes`.
void dequantise(QuantType type, std::span<const std::byte> bytes, std::span<float> out);

} // namespace lodestone::formats
