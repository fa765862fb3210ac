#include "core/formats/open_tensors.h"

#include "core/formats/byte_reader.h"
#include "core/formats/npz.h"
#include "core/formats/safetensors.h"
#include "core/formats/torch_file.h"
#include "core/formats/zip_archive.h"

#include <algorithm>

namespace lodestone::formats {

Result<FileKind> fileKind(const std::filesystem::path& path)
{
    LODESTONE_TRY(MappedFile file, MappedFile::open(path));
    const std::span<const std::byte> bytes = file.bytes();
    const std::string_view head(
        reinterpret_cast<const char*>(bytes.data()), std::min<std::size_t>(16, bytes.size()));
    if (head.substr(0, 4) == "GGUF")
        return FileKind::Gguf;
    if (head.substr(0, 6) == "\x93NUMPY")
        return FileKind::Npy;
    // A header length of less than 2^32 and the brace that begins the header.
    if (head.size() > 8 && head[8] == '{' && head.substr(4, 4) == std::string_view("\0\0\0\0", 4))
        return FileKind::Safetensors;
    if (!looksLikeZip(bytes))
        return FileKind::Other;
    LODESTONE_TRY(const ZipArchive archive, ZipArchive::read(std::make_shared<MappedFile>(std::move(file))));
    const bool torch
        = std::any_of(archive.entries().begin(), archive.entries().end(), [](const ZipEntry& entry) {
              return entry.name == "data.pkl" || std::string_view(entry.name).ends_with("/data.pkl");
          });
    return torch ? FileKind::Torch : FileKind::Npz;
}

Result<TensorFile> openTensors(const std::filesystem::path& path)
{
    std::error_code error;
    if (std::filesystem::is_directory(path, error))
        return openSafetensorsFolder(path);
    LODESTONE_TRY(const FileKind kind, fileKind(path));
    switch (kind) {
    case FileKind::Npy:
        return openNpyTensor(path);
    case FileKind::Npz:
        return openNpz(path);
    case FileKind::Torch:
        return openTorchFile(path);
    case FileKind::Safetensors:
        return openSafetensors(path);
    case FileKind::Gguf:
    case FileKind::Other:
        break;
    }
    return badInput(
        "a .safetensors, .npy, .npz or .pt file",
        kind == FileKind::Gguf ? "a GGUF file" : "a file of another kind", path.string());
}

Result<OpenTensor> openTensor(const std::string& path)
{
    std::error_code error;
    const std::size_t at = std::filesystem::exists(path, error) ? std::string::npos : path.rfind('#');
    LODESTONE_TRY(TensorFile file, openTensors(path.substr(0, at)));
    if (at != std::string::npos) {
        LODESTONE_CHECK(file.tensor(path.substr(at + 1)));
        return OpenTensor{ std::move(file), path.substr(at + 1) };
    }
    if (file.tensors.size() != 1)
        return badInput(
            "one array, or one chosen as FILE#NAME", fmt::format("{}", file.tensors.size()), path);
    std::string name = file.tensors.begin()->first;
    return OpenTensor{ std::move(file), std::move(name) };
}

} // namespace lodestone::formats
