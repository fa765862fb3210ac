#include "core/formats/safetensors.h"

#include "core/base/files.h"
#include "core/formats/byte_reader.h"
#include "core/formats/json_events.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

namespace lodestone::formats {
namespace {

constexpr std::uint64_t headerLimit = 100'000'000;
constexpr std::size_t rankLimit = 64;

std::optional<ElementType> elementCalled(std::string_view name)
{
    for (int i = 0; i <= static_cast<int>(ElementType::Bool); ++i)
        if (elementName(static_cast<ElementType>(i)) == name)
            return static_cast<ElementType>(i);
    return std::nullopt;
}

struct Entry {
    Tensor tensor;
    std::uint64_t begin = 0, end = 0;
    bool typed = false, shaped = false, placed = false;
};

/// {"__metadata__": {text: text}, NAME: {"dtype": text, "shape": [n ...], "data_offsets": [n, n]}, ...}; keys
/// of a tensor that the format does not know are passed over.
class HeaderEvents : public JsonEvents {
public:
    std::map<std::string, Entry, std::less<>> entries;
    std::map<std::string, std::string, std::less<>> metadata;

    bool beginObject() override
    {
        if (m_skipping || depth == 0)
            return true;
        if (depth == 1) {
            m_numbers.clear();
            return true;
        }
        return skipOr("a text or a list of numbers", "an object");
    }
    bool endObject() override
    {
        if (m_skipping) {
            m_skipping = depth > m_skippedDepth;
            return true;
        }
        if (depth != 1 || m_inMetadata)
            return true;
        const Entry& entry = entries.find(m_name)->second;
        if (entry.typed && entry.shaped && entry.placed)
            return true;
        error.where = "tensor '" + shownName(m_name) + "'";
        return refuse("'dtype', 'shape' and 'data_offsets'", "only some of them");
    }
    bool key(std::string& name) override
    {
        if (m_skipping)
            return true;
        if (depth == 1) {
            m_name = name;
            error.where = "tensor '" + shownName(name) + "'";
            m_inMetadata = name == "__metadata__";
            if (m_inMetadata ? std::exchange(m_metadataSeen, true) : !entries.try_emplace(name).second)
                return refuse("each name once", "it twice");
            return true;
        }
        m_key = name;
        return true;
    }
    bool beginArray() override
    {
        if (m_skipping)
            return true;
        if (depth == 2 && !m_inMetadata && (m_key == "shape" || m_key == "data_offsets")) {
            m_numbers.clear();
            return true;
        }
        if (depth < 2)
            return refuse("an object", "a list");
        return skipOr(m_inMetadata ? "a text" : "numbers", "a list");
    }
    bool endArray() override
    {
        if (m_skipping) {
            m_skipping = depth > m_skippedDepth;
            return true;
        }
        Entry& entry = entries.find(m_name)->second;
        if (m_key == "shape") {
            if (std::exchange(entry.shaped, true))
                return refuse("each key once", "'shape' twice");
            entry.tensor.shape = m_numbers;
            return true;
        }
        if (std::exchange(entry.placed, true))
            return refuse("each key once", "'data_offsets' twice");
        if (m_numbers.size() != 2)
            return refuse("two data_offsets", fmt::format("{}", m_numbers.size()));
        entry.begin = m_numbers[0];
        entry.end = m_numbers[1];
        return true;
    }
    bool text(std::string& value) override
    {
        if (m_skipping)
            return true;
        if (depth == 2 && m_inMetadata) {
            if (!metadata.emplace(m_key, value).second)
                return refuse("each key once", "'" + shownName(m_key) + "' twice");
            return true;
        }
        if (depth == 2 && m_key == "dtype") {
            Entry& entry = entries.find(m_name)->second;
            const auto type = elementCalled(value);
            if (!type)
                return refuse(
                    "a dtype among F64, F32, F16, BF16, I64, I32, I16, I8, U64, U32, U16, U8, BOOL",
                    "'" + shownName(value) + "'");
            if (std::exchange(entry.typed, true))
                return refuse("each key once", "'dtype' twice");
            entry.tensor.type = *type;
            return true;
        }
        return isUnknown() || refuse(depth == 1 ? "an object" : "numbers", "a text");
    }
    bool number(std::uint64_t value) override
    {
        if (m_skipping)
            return true;
        if (depth == 3) {
            if (m_numbers.size() == rankLimit)
                return refuse(fmt::format("at most {} dimensions", rankLimit), "more");
            m_numbers.push_back(value);
            return true;
        }
        return isUnknown() || refuse(depth == 1 ? "an object" : "a text or a list", "a number");
    }
    bool other(std::string_view what) override
    {
        if (m_skipping || isUnknown() || (depth == 1 && m_inMetadata && what == "null"))
            return true;
        return refuse(
            depth == 3       ? "numbers from 0"
                : depth == 1 ? "an object"
                             : "a text or a list of numbers",
            std::string(what));
    }

private:
    bool isUnknown() const
    {
        return depth == 2 && !m_inMetadata && m_key != "dtype" && m_key != "shape" && m_key != "data_offsets";
    }
    /// Passes over the value of an unknown key, or refuses.
    bool skipOr(const char* expected, const char* found)
    {
        if (!isUnknown())
            return refuse(expected, found);
        m_skipping = true;
        m_skippedDepth = depth;
        return true;
    }

    std::string m_name, m_key;
    std::vector<std::uint64_t> m_numbers;
    bool m_inMetadata = false, m_metadataSeen = false, m_skipping = false;
    std::size_t m_skippedDepth = 0;
};

/// Every byte of the data belongs to one tensor, in order and without gaps.
Result<void> place(HeaderEvents& header, std::span<const std::byte> data, const std::string& file)
{
    std::vector<std::pair<const std::string*, Entry*>> order;
    for (auto& [name, entry] : header.entries)
        order.emplace_back(&name, &entry);
    std::sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
        return std::pair(a.second->begin, a.second->end) < std::pair(b.second->begin, b.second->end);
    });
    std::uint64_t at = 0;
    for (const auto& [name, entry] : order) {
        const std::string where = fmt::format("{}, tensor '{}'", file, shownName(*name));
        if (entry->begin != at || entry->end < entry->begin)
            return badInput(
                fmt::format("data from byte {} on, without gaps or overlaps", at),
                fmt::format("data_offsets [{}, {}]", entry->begin, entry->end), where);
        std::uint64_t items = 0;
        const std::size_t size = elementBytes(entry->tensor.type);
        if (!shapeFits(entry->tensor.shape, size, items))
            return badInput("a shape whose product fits", entry->tensor.shapeText(), where);
        if (entry->end - entry->begin != items * size)
            return badInput(
                fmt::format(
                    "{} bytes for {} of {}", items * size, entry->tensor.shapeText(),
                    elementName(entry->tensor.type)),
                fmt::format("data_offsets [{}, {}]", entry->begin, entry->end), where);
        if (entry->end > data.size())
            return badInput(
                fmt::format("{} bytes of data", entry->end), fmt::format("{}", data.size()), where);
        entry->tensor.bytes
            = data.subspan(static_cast<std::size_t>(at), static_cast<std::size_t>(items * size));
        at = entry->end;
    }
    if (at != data.size())
        return badInput(
            fmt::format("{} bytes of data, as the header says", at), fmt::format("{}", data.size()), file);
    return {};
}

} // namespace

Result<TensorFile> openSafetensors(const std::filesystem::path& path)
{
    LODESTONE_TRY(MappedFile file, MappedFile::open(path));
    return readSafetensors(std::move(file));
}

Result<TensorFile> readSafetensors(MappedFile file)
{
    const auto backing = std::make_shared<const MappedFile>(std::move(file));
    const std::string name = backing->path().string();
    ByteReader reader(backing->bytes(), name);
    LODESTONE_TRY(const auto length, reader.read<std::uint64_t>("header length"));
    if (length > headerLimit)
        return badInput(
            fmt::format("a safetensors header of at most {} bytes", headerLimit), std::to_string(length),
            name + ", byte 0");
    LODESTONE_TRY(const auto bytes, reader.take(length, "header"));
    const std::string_view json(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (json.empty() || json.front() != '{')
        return badInput("a JSON header that begins with '{'", "other bytes", name + ", byte 8");
    HeaderEvents header;
    LODESTONE_CHECK(readJsonEvents(json, name + ", header", header));
    LODESTONE_CHECK(place(header, backing->bytes().subspan(reader.offset()), name));
    TensorFile result;
    result.path = backing->path();
    result.format = "safetensors";
    result.files = { backing->path() };
    result.bytes = backing->bytes().size();
    result.metadata = std::move(header.metadata);
    for (auto& [tensor, entry] : header.entries)
        result.tensors.emplace_hint(result.tensors.end(), tensor, std::move(entry.tensor));
    result.backing = { backing };
    return result;
}

Result<void> writeSafetensors(
    const std::filesystem::path& path, const std::vector<TensorToWrite>& tensors,
    const std::map<std::string, std::string, std::less<>>& metadata)
{
    nlohmann::ordered_json header = nlohmann::ordered_json::object();
    if (!metadata.empty())
        header["__metadata__"] = metadata;
    std::uint64_t at = 0;
    for (const TensorToWrite& tensor : tensors) {
        std::uint64_t items = 0;
        const std::string where = fmt::format("{}, tensor '{}'", path.string(), shownName(tensor.name));
        if (!shapeFits(tensor.shape, sizeof(float), items) || items != tensor.values.size())
            return badInput(
                fmt::format("as many numbers as [{}] says", fmt::join(tensor.shape, ", ")),
                fmt::format("{}", tensor.values.size()), where);
        if (header.contains(tensor.name) || tensor.name == "__metadata__")
            return badInput("a name of its own for each tensor", "it twice", where);
        header[tensor.name] = { { "dtype", "F32" },
                                { "shape", tensor.shape },
                                { "data_offsets", { at, at + items * sizeof(float) } } };
        at += items * sizeof(float);
    }
    std::string text = header.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    text.append((8 - text.size() % 8) % 8, ' ');
    if (text.size() > headerLimit)
        return badInput(
            fmt::format("a header of at most {} bytes", headerLimit), fmt::format("{}", text.size()),
            path.string());
    const auto length = static_cast<std::uint64_t>(text.size());
    std::string bytes(reinterpret_cast<const char*>(&length), sizeof(length));
    bytes.reserve(bytes.size() + text.size() + at);
    bytes += text;
    for (const TensorToWrite& tensor : tensors)
        bytes.append(reinterpret_cast<const char*>(tensor.values.data()), tensor.values.size_bytes());
    return writeFileAtomically(path, bytes);
}

} // namespace lodestone::formats
