#include "core/formats/gguf.h"

#include "core/formats/byte_reader.h"

#include <algorithm>
#include <bit>
#include <limits>

namespace lodestone::formats {
namespace {

enum Kind : std::uint32_t { U8, I8, U16, I16, U32, I32, F32, Bool, Text, Array, U64, I64, F64 };

constexpr std::size_t kindBytes(std::uint32_t kind)
{
    constexpr std::size_t sizes[] = { 1, 1, 2, 2, 4, 4, 4, 1, 8, 0, 8, 8, 8 };
    return kind < std::size(sizes) ? sizes[kind] : 0;
}

template <typename Stored, typename Wide>
Result<GgufValue> readAs(ByteReader& reader, std::string_view key)
{
    LODESTONE_TRY(const Stored value, reader.read<Stored>(key));
    return GgufValue(static_cast<Wide>(value));
}

Result<GgufValue> readScalar(ByteReader& reader, std::uint32_t kind, std::string_view key)
{
    switch (kind) {
    case U8:
        return readAs<std::uint8_t, std::uint64_t>(reader, key);
    case I8:
        return readAs<std::int8_t, std::int64_t>(reader, key);
    case U16:
        return readAs<std::uint16_t, std::uint64_t>(reader, key);
    case I16:
        return readAs<std::int16_t, std::int64_t>(reader, key);
    case U32:
        return readAs<std::uint32_t, std::uint64_t>(reader, key);
    case I32:
        return readAs<std::int32_t, std::int64_t>(reader, key);
    case F32:
        return readAs<float, double>(reader, key);
    case U64:
        return readAs<std::uint64_t, std::uint64_t>(reader, key);
    case I64:
        return readAs<std::int64_t, std::int64_t>(reader, key);
    case F64:
        return readAs<double, double>(reader, key);
    case Bool: {
        LODESTONE_TRY(const auto value, reader.read<std::uint8_t>(key));
        return GgufValue(value != 0);
    }
    case Text: {
        LODESTONE_TRY(const auto value, reader.text(key));
        return GgufValue(std::string(value));
    }
    default:
        return badInput("a metadata type from 0 to 12", std::to_string(kind), reader.where(key));
    }
}

Result<GgufValue> readArray(ByteReader& reader, std::string_view key)
{
    LODESTONE_TRY(const auto kind, reader.read<std::uint32_t>(key));
    LODESTONE_TRY(const auto count, reader.read<std::uint64_t>(key));
    if (kind == Array || kindBytes(kind) == 0)
        return badInput(
            "an array of numbers, booleans or texts", fmt::format("element type {}", kind),
            reader.where(key));
    // Every element takes at least kindBytes in the file, so a lying count is refused before anything is
    // allocated.
    if (count > reader.left() / kindBytes(kind))
        return badInput(
            fmt::format("{} array elements of at least {} bytes", count, kindBytes(kind)),
            fmt::format("{} bytes left", reader.left()), reader.where(key));
    if (kind == Text) {
        ByteReader ahead = reader; // room is made only for texts that are all there
        for (std::uint64_t i = 0; i < count; ++i)
            LODESTONE_CHECK(ahead.text(key));
        std::vector<std::string> texts;
        texts.reserve(static_cast<std::size_t>(count));
        for (std::uint64_t i = 0; i < count; ++i) {
            LODESTONE_TRY(const auto text, reader.text(key));
            texts.emplace_back(text);
        }
        return GgufValue(std::move(texts));
    }
    const bool isReal = kind == F32 || kind == F64;
    std::vector<double> reals;
    std::vector<std::int64_t> integers;
    if (isReal)
        reals.reserve(static_cast<std::size_t>(count));
    else
        integers.reserve(static_cast<std::size_t>(count));
    for (std::uint64_t i = 0; i < count; ++i) {
        LODESTONE_TRY(const GgufValue value, readScalar(reader, kind, key));
        if (isReal)
            reals.push_back(std::get<double>(value));
        else if (const auto* flag = std::get_if<bool>(&value))
            integers.push_back(*flag);
        else if (const auto* number = std::get_if<std::uint64_t>(&value))
            integers.push_back(static_cast<std::int64_t>(*number));
        else
            integers.push_back(std::get<std::int64_t>(value));
    }
    return isReal ? GgufValue(std::move(reals)) : GgufValue(std::move(integers));
}

std::string kindOf(const GgufValue& value)
{
    constexpr const char* names[]
        = { "an integer", "an integer",        "a real number",        "a boolean",
            "a text",     "an array of texts", "an array of integers", "an array of real numbers" };
    return names[value.index()];
}

} // namespace

std::vector<float> GgufTensor::toFloat() const
{
    std::vector<float> weights(static_cast<std::size_t>(items));
    dequantise(type, bytes, weights);
    return weights;
}

Result<Gguf> Gguf::open(const std::filesystem::path& path)
{
    LODESTONE_TRY(MappedFile file, MappedFile::open(path));
    return read(std::move(file));
}

Result<Gguf> Gguf::read(MappedFile file)
{
    Gguf gguf(std::move(file));
    LODESTONE_CHECK(gguf.parse());
    return gguf;
}

Result<void> Gguf::parse()
{
    const std::string name = m_file.path().string();
    ByteReader reader(m_file.bytes(), name);
    LODESTONE_TRY(const auto magic, reader.read<std::uint32_t>("magic"));
    if (magic != 0x46554747u)
        return badInput(
            "a GGUF file (magic 'GGUF')", fmt::format("magic 0x{:08x}", magic), name + ", byte 0");
    LODESTONE_TRY(const auto version, reader.read<std::uint32_t>("version"));
    if (version != 2 && version != 3)
        return badInput("GGUF version 2 or 3", std::to_string(version), name + ", byte 4");
    LODESTONE_TRY(const auto tensorCount, reader.read<std::uint64_t>("tensor count"));
    LODESTONE_TRY(const auto keyCount, reader.read<std::uint64_t>("key count"));
    // A tensor's entry takes at least 24 bytes, a key's at least 13.
    if (tensorCount > reader.left() / 24 || keyCount > reader.left() / 13)
        return badInput(
            "counts that fit the file",
            fmt::format("{} tensors and {} keys in {} bytes", tensorCount, keyCount, fileSize()),
            name + ", byte 8");

    for (std::uint64_t i = 0; i < keyCount; ++i) {
        LODESTONE_TRY(const auto key, reader.text(fmt::format("key {}", i)));
        LODESTONE_TRY(const auto kind, reader.read<std::uint32_t>(key));
        LODESTONE_TRY(
            GgufValue value, kind == Array ? readArray(reader, key) : readScalar(reader, kind, key));
        m_metadata.insert_or_assign(std::string(key), std::move(value));
    }

    std::vector<std::pair<GgufTensor, std::uint64_t>> entries;
    for (std::uint64_t i = 0; i < tensorCount; ++i) {
        GgufTensor tensor;
        LODESTONE_TRY(const auto tensorName, reader.text(fmt::format("tensor {}", i)));
        tensor.name = tensorName;
        LODESTONE_TRY(const auto dimensions, reader.read<std::uint32_t>(tensor.name));
        if (dimensions > 4)
            return badInput("at most 4 dimensions", std::to_string(dimensions), reader.where(tensor.name));
        tensor.items = 1;
        for (std::uint32_t k = 0; k < dimensions; ++k) {
            LODESTONE_TRY(const auto extent, reader.read<std::uint64_t>(tensor.name));
            if (extent == 0 || tensor.items > std::numeric_limits<std::uint64_t>::max() / 8 / extent)
                return badInput(
                    "a shape whose product fits", fmt::format("dimension {} of {}", k, extent),
                    reader.where(tensor.name));
            tensor.shape.push_back(extent);
            tensor.items *= extent;
        }
        LODESTONE_TRY(const auto type, reader.read<std::uint32_t>(tensor.name));
        const QuantBlock* block = quantBlock(type);
        if (!block)
            return badInput(
                fmt::format("a tensor type among {}", supportedQuantTypes()),
                fmt::format("type number {}", type), reader.where(tensor.name));
        tensor.type = static_cast<QuantType>(type);
        if ((tensor.shape.empty() ? 1 : tensor.shape[0]) % block->items != 0)
            return badInput(
                fmt::format("rows of a multiple of {} weights for {}", block->items, block->name),
                fmt::format("{}", tensor.shape.empty() ? 1 : tensor.shape[0]), reader.where(tensor.name));
        LODESTONE_TRY(const auto offset, reader.read<std::uint64_t>(tensor.name));
        entries.emplace_back(std::move(tensor), offset);
    }

    const auto alignment
        = static_cast<std::uint64_t>(std::max<std::int64_t>(1, integerOr("general.alignment", 32)));
    if (alignment > 65536)
        return badInput("an alignment up to 65536", std::to_string(alignment), name + ", general.alignment");
    const std::uint64_t dataStart = (reader.offset() + alignment - 1) / alignment * alignment;
    for (auto& [tensor, offset] : entries) {
        const QuantBlock* block = quantBlock(static_cast<std::uint32_t>(tensor.type));
        const std::uint64_t size = tensor.items / block->items * block->bytes;
        if (dataStart > fileSize() || offset > fileSize() - dataStart
            || size > fileSize() - dataStart - offset)
            return badInput(
                fmt::format("{} bytes of tensor data at offset {}", size, dataStart + offset),
                fmt::format("a file of {} bytes", fileSize()),
                fmt::format("{}, tensor '{}'", name, shownName(tensor.name)));
        tensor.bytes = m_file.bytes().subspan(
            static_cast<std::size_t>(dataStart + offset), static_cast<std::size_t>(size));
        const std::string tensorName = tensor.name;
        if (!m_tensors.emplace(tensorName, std::move(tensor)).second)
            return badInput(
                "each tensor once", "it twice", fmt::format("{}, tensor '{}'", name, shownName(tensorName)));
    }
    return {};
}

Result<std::int64_t> Gguf::integer(std::string_view key) const
{
    const auto found = m_metadata.find(key);
    const std::string where = fmt::format("{}, key '{}'", path().string(), key);
    if (found == m_metadata.end())
        return badInput("an integer", "no such key", where);
    if (const auto* number = std::get_if<std::uint64_t>(&found->second)) {
        if (*number > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
            return badInput("an integer below 2^63", std::to_string(*number), where);
        return static_cast<std::int64_t>(*number);
    }
    if (const auto* number = std::get_if<std::int64_t>(&found->second))
        return *number;
    return badInput("an integer", kindOf(found->second), where);
}

Result<double> Gguf::real(std::string_view key) const
{
    const auto found = m_metadata.find(key);
    if (found != m_metadata.end())
        if (const auto* number = std::get_if<double>(&found->second))
            return *number;
    return badInput(
        "a real number", found == m_metadata.end() ? "no such key" : kindOf(found->second),
        fmt::format("{}, key '{}'", path().string(), key));
}

Result<std::string> Gguf::text(std::string_view key) const
{
    const auto found = m_metadata.find(key);
    if (found != m_metadata.end())
        if (const auto* text = std::get_if<std::string>(&found->second))
            return *text;
    return badInput(
        "a text", found == m_metadata.end() ? "no such key" : kindOf(found->second),
        fmt::format("{}, key '{}'", path().string(), key));
}

Result<const std::vector<std::string>*> Gguf::texts(std::string_view key) const
{
    const auto found = m_metadata.find(key);
    if (found != m_metadata.end())
        if (const auto* list = std::get_if<std::vector<std::string>>(&found->second))
            return list;
    return badInput(
        "an array of texts", found == m_metadata.end() ? "no such key" : kindOf(found->second),
        fmt::format("{}, key '{}'", path().string(), key));
}

Result<const std::vector<std::int64_t>*> Gguf::integers(std::string_view key) const
{
    const auto found = m_metadata.find(key);
    if (found != m_metadata.end())
        if (const auto* list = std::get_if<std::vector<std::int64_t>>(&found->second))
            return list;
    return badInput(
        "an array of integers", found == m_metadata.end() ? "no such key" : kindOf(found->second),
        fmt::format("{}, key '{}'", path().string(), key));
}

std::int64_t Gguf::integerOr(std::string_view key, std::int64_t fallback) const
{
    return integer(key).value_or(fallback);
}

double Gguf::realOr(std::string_view key, double fallback) const { return real(key).value_or(fallback); }

bool Gguf::flagOr(std::string_view key, bool fallback) const
{
    const auto found = m_metadata.find(key);
    if (found != m_metadata.end())
        if (const auto* flag = std::get_if<bool>(&found->second))
            return *flag;
    return fallback;
}

Result<const GgufTensor*> Gguf::tensor(std::string_view name) const
{
    const auto found = m_tensors.find(name);
    if (found == m_tensors.end())
        return badInput(fmt::format("a tensor '{}'", name), "none", path().string());
    return &found->second;
}

} // namespace lodestone::formats
