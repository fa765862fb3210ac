#include "core/formats/element.h"

#include "core/formats/quant.h"

#include <bit>
#include <cstdint>
#include <cstring>

namespace lodestone::formats {
namespace {

float bfloatAt(const std::byte* from)
{
    return std::bit_cast<float>(static_cast<std::uint32_t>(load<std::uint16_t>(from)) << 16u);
}

template <typename T>
void convert(const std::byte* from, std::size_t count, float* to)
{
    for (std::size_t i = 0; i < count; ++i)
        to[i] = static_cast<float>(load<T>(from + i * sizeof(T)));
}

} // namespace

std::size_t elementBytes(ElementType type)
{
    switch (type) {
    case ElementType::F64:
    case ElementType::I64:
    case ElementType::U64:
        return 8;
    case ElementType::F32:
    case ElementType::I32:
    case ElementType::U32:
        return 4;
    case ElementType::F16:
    case ElementType::BF16:
    case ElementType::I16:
    case ElementType::U16:
        return 2;
    case ElementType::I8:
    case ElementType::U8:
    case ElementType::Bool:
        return 1;
    }
    return 1;
}

std::string_view elementName(ElementType type)
{
    constexpr std::string_view names[]
        = { "F64", "F32", "F16", "BF16", "I64", "I32", "I16", "I8", "U64", "U32", "U16", "U8", "BOOL" };
    return names[static_cast<std::size_t>(type)];
}

double elementAt(ElementType type, const std::byte* from)
{
    switch (type) {
    case ElementType::F64:
        return load<double>(from);
    case ElementType::F32:
        return static_cast<double>(load<float>(from));
    case ElementType::F16:
        return static_cast<double>(halfToFloat(load<std::uint16_t>(from)));
    case ElementType::BF16:
        return static_cast<double>(bfloatAt(from));
    case ElementType::I64:
        return static_cast<double>(load<std::int64_t>(from));
    case ElementType::I32:
        return load<std::int32_t>(from);
    case ElementType::I16:
        return load<std::int16_t>(from);
    case ElementType::I8:
        return load<std::int8_t>(from);
    case ElementType::U64:
        return static_cast<double>(load<std::uint64_t>(from));
    case ElementType::U32:
        return load<std::uint32_t>(from);
    case ElementType::U16:
        return load<std::uint16_t>(from);
    case ElementType::U8:
    case ElementType::Bool:
        return load<std::uint8_t>(from);
    }
    return 0;
}

void toFloat(ElementType type, const std::byte* from, std::size_t count, float* to)
{
    if (count == 0)
        return;
    switch (type) {
    case ElementType::F32:
        std::memcpy(to, from, count * sizeof(float));
        return;
    case ElementType::F64:
        return convert<double>(from, count, to);
    case ElementType::F16:
        for (std::size_t i = 0; i < count; ++i)
            to[i] = halfToFloat(load<std::uint16_t>(from + 2 * i));
        return;
    case ElementType::BF16:
        for (std::size_t i = 0; i < count; ++i)
            to[i] = bfloatAt(from + 2 * i);
        return;
    case ElementType::I64:
        return convert<std::int64_t>(from, count, to);
    case ElementType::I32:
        return convert<std::int32_t>(from, count, to);
    case ElementType::I16:
        return convert<std::int16_t>(from, count, to);
    case ElementType::I8:
        return convert<std::int8_t>(from, count, to);
    case ElementType::U64:
        return convert<std::uint64_t>(from, count, to);
    case ElementType::U32:
        return convert<std::uint32_t>(from, count, to);
    case ElementType::U16:
        return convert<std::uint16_t>(from, count, to);
    case ElementType::U8:
    case ElementType::Bool:
        return convert<std::uint8_t>(from, count, to);
    }
}

} // namespace lodestone::formats
