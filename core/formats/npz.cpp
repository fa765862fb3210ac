#include "core/formats/npz.h"

#include "core/formats/byte_reader.h"
#include "core/formats/npy.h"
#include "core/formats/zip_archive.h"

namespace lodestone::formats {

Result<TensorFile> openNpz(const std::filesystem::path& path)
{
    LODESTONE_TRY(MappedFile file, MappedFile::open(path));
    return readNpz(std::move(file));
}

Result<TensorFile> readNpz(MappedFile file)
{
    const auto backing = std::make_shared<const MappedFile>(std::move(file));
    LODESTONE_TRY(const ZipArchive archive, ZipArchive::read(backing));
    TensorFile result;
    result.path = backing->path();
    result.format = "npz";
    result.files = { result.path };
    result.bytes = backing->bytes().size();
    for (const ZipEntry& entry : archive.entries()) {
        constexpr std::string_view suffix = ".npy";
        if (entry.name.size() <= suffix.size() || !std::string_view(entry.name).ends_with(suffix))
            return badInput("entries called NAME.npy", "another name", archive.where(entry));
        const std::string name = entry.name.substr(0, entry.name.size() - suffix.size());
        LODESTONE_TRY(const auto head, archive.head(entry, npyHeadLimit));
        LODESTONE_TRY(const NpyHeader header, parseNpyHeader(head, archive.where(entry)));
        if (!header.type) {
            result.leftOut.push_back(fmt::format("{} ({})", name, header.descr));
            continue;
        }
        const std::uint64_t expected = header.dataOffset + header.items() * elementBytes(*header.type);
        if (entry.bytes != expected)
            return badInput(
                fmt::format("{} bytes for shape ({})", expected, header.shapeText),
                fmt::format("{}", entry.bytes), archive.where(entry));
        LODESTONE_TRY(std::vector<std::byte> bytes, archive.unpack(entry));
        LODESTONE_TRY(
            const NpyArray array,
            NpyArray::read(MappedFile::ofMemory(std::move(bytes), archive.where(entry))));
        result.tensors.emplace(name, array.tensor());
        result.backing.push_back(array.file());
    }
    return result;
}

Result<TensorFile> openNpyTensor(const std::filesystem::path& path)
{
    LODESTONE_TRY(const NpyArray array, NpyArray::open(path));
    TensorFile result;
    result.path = path;
    result.format = "npy";
    result.files = { path };
    result.bytes = array.file()->bytes().size();
    result.tensors.emplace("array", array.tensor());
    result.backing = { array.file() };
    return result;
}

} // namespace lodestone::formats
