// The element types of arrays on disk, and how each becomes float32 or float64.
#pragma once

#include <cstddef>
#include <string_view>

namespace lodestone::formats {

/// What one number of an array is stored as; always little-endian.
enum class ElementType { F64, F32, F16, BF16, I64, I32, I16, I8, U64, U32, U16, U8, Bool };

std::size_t elementBytes(ElementType type);
/// As safetensors calls it: "F32", "BF16", "BOOL".
std::string_view elementName(ElementType type);

/// One element. Integers beyond 2^53 are rounded.
double elementAt(ElementType type, const std::byte* from);
/// `count` neighbouring elements as float32: rounded to nearest, values outside float32's range become
/// infinities.
void toFloat(ElementType type, const std::byte* from, std::size_t count, float* to);

} // namespace lodestone::formats
