#include "core/formats/npy_header.h"

#include "core/formats/byte_reader.h"

#include <algorithm>
#include <charconv>
#include <limits>

namespace lodestone::formats {
namespace {

struct TypeName {
    ElementType type;
    const char* name;
};
constexpr TypeName typeNames[]
    = { { ElementType::F16, "<f2" }, { ElementType::F32, "<f4" }, { ElementType::F64, "<f8" },
        { ElementType::I8, "|i1" },  { ElementType::U8, "|u1" },  { ElementType::I16, "<i2" },
        { ElementType::U16, "<u2" }, { ElementType::I32, "<i4" }, { ElementType::U32, "<u4" },
        { ElementType::I64, "<i8" }, { ElementType::U64, "<u8" }, { ElementType::Bool, "|b1" } };

/// What follows a key of the header's dictionary; empty when the key is not there.
std::string_view valueOf(std::string_view header, const std::string& key)
{
    std::size_t at = header.find("'" + key + "'");
    if (at == std::string_view::npos)
        return {};
    at = header.find_first_not_of(' ', at + key.size() + 2);
    if (at == std::string_view::npos || header[at] != ':')
        return {};
    at = header.find_first_not_of(' ', at + 1);
    return at == std::string_view::npos ? std::string_view() : header.substr(at);
}

} // namespace

std::size_t NpyHeader::items() const
{
    std::size_t product = 1;
    for (const std::size_t extent : shape)
        product *= extent;
    return product;
}

std::string npyTypeName(ElementType type)
{
    for (const TypeName& entry : typeNames)
        if (entry.type == type)
            return entry.name;
    return {};
}

std::string npyHeaderText(ElementType type, const std::vector<std::size_t>& shape)
{
    std::string extents;
    for (const std::size_t extent : shape)
        extents += std::to_string(extent) + ", ";
    if (shape.size() > 1)
        extents.resize(extents.size() - 2);
    else if (shape.size() == 1)
        extents.resize(extents.size() - 1);
    std::string text = fmt::format(
        "{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}", npyTypeName(type), extents);
    const std::size_t total = (10 + text.size() + 1 + 63) / 64 * 64;
    text.append(total - 10 - text.size() - 1, ' ');
    text += '\n';
    std::string bytes("\x93NUMPY\x01\x00", 8);
    bytes += static_cast<char>(text.size() & 255u);
    bytes += static_cast<char>(text.size() >> 8u);
    return bytes + text;
}

Result<NpyHeader> parseNpyHeader(std::span<const std::byte> bytes, const std::string& name)
{
    NpyHeader header;
    ByteReader reader(bytes, name);
    LODESTONE_TRY(const auto magic, reader.take(6, "magic"));
    if (std::memcmp(magic.data(), "\x93NUMPY", 6) != 0)
        return badInput("a .npy file (magic '\\x93NUMPY')", "other bytes", name + ", byte 0");
    LODESTONE_TRY(const auto major, reader.read<std::uint8_t>("version"));
    LODESTONE_TRY([[maybe_unused]] const auto minor, reader.read<std::uint8_t>("version"));
    if (major < 1 || major > 3)
        return badInput(".npy version 1, 2 or 3", std::to_string(major), name + ", byte 6");
    std::size_t headerLength = 0;
    if (major == 1) {
        LODESTONE_TRY(const auto length, reader.read<std::uint16_t>("header length"));
        headerLength = length;
    } else {
        LODESTONE_TRY(const auto length, reader.read<std::uint32_t>("header length"));
        headerLength = length;
    }
    if (headerLength > 8192)
        return badInput("a header of at most 8192 bytes", std::to_string(headerLength), name + ", byte 8");
    LODESTONE_TRY(const auto headerBytes, reader.take(headerLength, "header"));
    const std::string text(reinterpret_cast<const char*>(headerBytes.data()), headerBytes.size());

    const std::string_view typeValue = valueOf(text, "descr"), order = valueOf(text, "fortran_order"),
                           extents = valueOf(text, "shape");
    if (typeValue.substr(0, 1) == "'") {
        const std::size_t end = typeValue.find('\'', 1);
        if (end == std::string_view::npos)
            return badInput("a simple element type", "header " + shownName(text), name + ", key 'descr'");
        header.descr = typeValue.substr(1, end - 1);
        for (const TypeName& entry : typeNames)
            if (header.descr == entry.name)
                header.type = entry.type;
    } else if (typeValue.substr(0, 1) == "[")
        header.descr = "a structure";
    else
        return badInput("a simple element type", "header " + shownName(text), name + ", key 'descr'");
    header.columnMajor = order.substr(0, 4) == "True";
    if (!header.columnMajor && order.substr(0, 5) != "False")
        return badInput("True or False", "header " + shownName(text), name + ", key 'fortran_order'");
    const std::size_t extentsEnd = extents.find(')');
    const std::string_view list = extents.substr(0, 1) == "(" && extentsEnd != std::string_view::npos
        ? extents.substr(1, extentsEnd - 1)
        : "?";
    if (list.find_first_not_of("0123456789, L") != std::string_view::npos)
        return badInput("a tuple of numbers", "header " + shownName(text), name + ", key 'shape'");
    std::size_t nonzero = 1; // the others must fit also where one dimension is 0
    constexpr std::string_view digits = "0123456789";
    for (std::size_t at = list.find_first_of(digits); at != std::string_view::npos;) {
        const std::size_t end = std::min(list.find_first_not_of(digits, at), list.size());
        if (end - at > 15)
            return badInput(
                "a dimension below 10^15", shownName(list.substr(at, end - at)), name + ", key 'shape'");
        std::size_t extent = 0;
        std::from_chars(list.data() + at, list.data() + end, extent);
        if (extent != 0 && nonzero > std::numeric_limits<std::ptrdiff_t>::max() / 8 / extent)
            return badInput(
                "a shape whose product fits", "(" + shownName(list) + ")", name + ", key 'shape'");
        if (header.shape.size() == 64)
            return badInput("at most 64 dimensions", "more", name + ", key 'shape'");
        header.shape.push_back(extent);
        nonzero *= std::max<std::size_t>(1, extent);
        at = list.find_first_of(digits, end);
    }
    header.shapeText = shownName(list);
    header.dataOffset = reader.offset();
    return header;
}

} // namespace lodestone::formats
