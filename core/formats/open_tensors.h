// Opens any file with named tensors by its content.
#pragma once

#include "core/formats/tensor_file.h"

namespace lodestone::formats {

/// What a file is, by its first bytes.
enum class FileKind { Gguf, Npy, Npz, Torch, Safetensors, Other };
Result<FileKind> fileKind(const std::filesystem::path& path);

/// A file of any of these formats but GGUF, or a folder of safetensors.
Result<TensorFile> openTensors(const std::filesystem::path& path);

/// One array and the file that it looks into.
struct OpenTensor {
    TensorFile file;
    std::string name;
    const Tensor& array() const { return file.tensors.find(name)->second; }
};
/// The only array of a file, or FILE#NAME.
Result<OpenTensor> openTensor(const std::string& path);

} // namespace lodestone::formats
