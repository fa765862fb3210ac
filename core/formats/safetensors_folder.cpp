// Folders of safetensors: an index and its shards.
#include "core/base/files.h"
#include "core/formats/byte_reader.h"
#include "core/formats/json_events.h"
#include "core/formats/safetensors.h"

namespace lodestone::formats {
namespace {

const char* const indexName = "model.safetensors.index.json";
const char* const singleName = "model.safetensors";

/// {"weight_map": {TENSOR: FILE, ...}, ...}: everything else is passed over.
class IndexEvents : public JsonEvents {
public:
    std::map<std::string, std::string, std::less<>> fileOf;
    bool found = false;

    bool beginObject() override
    {
        if (m_inMap)
            return refuse("a file's name", "an object");
        m_inMap = std::exchange(m_fresh, false);
        found = found || m_inMap;
        return true;
    }
    bool endObject() override
    {
        m_inMap = m_inMap && depth != 1;
        return true;
    }
    bool key(std::string& name) override
    {
        m_fresh = depth == 1 && name == "weight_map";
        if (m_fresh && found)
            return refuse("one weight_map", "two");
        if (m_inMap)
            m_tensor = name;
        return true;
    }
    bool beginArray() override
    {
        return depth > 0 && !m_inMap && !m_fresh ? true : refuse("an object", "a list");
    }
    bool text(std::string& file) override
    {
        if (!m_inMap)
            return !m_fresh || refuse("an object", "a text");
        error.where = "tensor '" + shownName(m_tensor) + "'";
        if (!fileOf.emplace(m_tensor, file).second)
            return refuse("each tensor once", "it twice");
        return true;
    }
    bool number(std::uint64_t value) override { return other("the number " + std::to_string(value)); }
    bool other(std::string_view what) override
    {
        return !m_inMap && !m_fresh ? true : refuse("a file's name", std::string(what));
    }

private:
    std::string m_tensor;
    bool m_inMap = false, m_fresh = false;
};

Result<TensorFile> openShards(const std::filesystem::path& folder)
{
    const std::filesystem::path index = folder / indexName;
    LODESTONE_TRY(const MappedFile file, MappedFile::open(index));
    const std::string name = index.string();
    IndexEvents events;
    LODESTONE_CHECK(readJsonEvents(
        { reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size() }, name, events));
    if (!events.found || events.fileOf.empty())
        return badInput("a 'weight_map' with tensors", events.found ? "an empty one" : "none", name);
    std::map<std::string, TensorFile, std::less<>> shards;
    TensorFile result;
    result.path = folder;
    result.format = "safetensors";
    for (const auto& [tensor, shard] : events.fileOf) {
        const std::string where = fmt::format("{}, tensor '{}'", name, shownName(tensor));
        auto opened = shards.find(shard);
        if (opened == shards.end()) {
            if (shard == indexName)
                return badInput("a shard", "the index itself", where);
            if (shard.empty() || shard == "." || shard == ".." || shard.find('/') != std::string::npos
                || shard.find('\0') != std::string::npos)
                return badInput("the name of a file in the folder", "'" + shownName(shard) + "'", where);
            std::error_code error;
            if (!std::filesystem::exists(folder / shard, error))
                return badInput(
                    "the shard '" + shownName(shard) + "' in the folder",
                    error ? error.message() : "no such file", where);
            LODESTONE_TRY(TensorFile read, openSafetensors(folder / shard));
            result.bytes += read.bytes;
            result.files.push_back(folder / shard);
            result.backing.insert(result.backing.end(), read.backing.begin(), read.backing.end());
            opened = shards.emplace(shard, std::move(read)).first;
        }
        const auto found = opened->second.tensors.find(tensor);
        if (found == opened->second.tensors.end())
            return badInput("the tensor in shard '" + shownName(shard) + "'", "none", where);
        result.tensors.emplace_hint(result.tensors.end(), tensor, found->second);
    }
    return result;
}

} // namespace

Result<TensorFile> openSafetensorsFolder(const std::filesystem::path& folder)
{
    std::error_code error;
    if (std::filesystem::exists(folder / indexName, error))
        return openShards(folder);
    if (!std::filesystem::exists(folder / singleName, error))
        return badInput(fmt::format("{} or {}", singleName, indexName), "neither", folder.string());
    LODESTONE_TRY(TensorFile result, openSafetensors(folder / singleName));
    result.path = folder;
    return result;
}

} // namespace lodestone::formats
