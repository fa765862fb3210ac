// Writes the pickles of PyTorch archives opcode by opcode.
#pragma once

#include "tests/support/zip_writer.h"

namespace lodestone::testing::pickled {

inline std::string text(const std::string& value)
{
    return "X" + littleEndian(static_cast<std::uint32_t>(value.size())) + value;
}
inline std::string integer(std::int32_t value) { return "J" + littleEndian(value); }
inline std::string global(const std::string& module, const std::string& name)
{
    return "c" + module + "\n" + name + "\n";
}
inline std::string tuple(const std::string& items) { return "(" + items + "t"; }
inline std::string integers(const std::vector<std::int32_t>& values)
{
    std::string items;
    for (const std::int32_t value : values)
        items += integer(value);
    return tuple(items);
}
inline std::string whole(const std::string& object) { return "\x80\x02" + object + "."; }

/// A persistent id: the storage data/KEY of so many elements.
inline std::string storage(const std::string& type, const std::string& key, std::int32_t count)
{
    return tuple(text("storage") + global("torch", type) + text(key) + text("cuda:0") + integer(count)) + "Q";
}
inline std::string orderedDictionary() { return global("collections", "OrderedDict") + ")R"; }
/// A tensor: a view of a storage, in elements.
inline std::string tensor(
    const std::string& storage, std::int32_t offset, const std::vector<std::int32_t>& size,
    const std::vector<std::int32_t>& stride)
{
    return global("torch._utils", "_rebuild_tensor_v2")
        + tuple(storage + integer(offset) + integers(size) + integers(stride) + "\x89" + orderedDictionary())
        + "R";
}
/// An archive as torch.save writes it.
inline ZipWriter
archive(const std::string& object, const std::vector<std::pair<std::string, std::string>>& storages)
{
    ZipWriter zip;
    zip.stored("name/data.pkl", whole(object));
    zip.stored("name/byteorder", "little");
    for (const auto& [key, bytes] : storages)
        zip.stored("name/data/" + key, bytes);
    zip.stored("name/version", "3\n");
    return zip;
}

} // namespace lodestone::testing::pickled
