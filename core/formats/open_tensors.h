// Opens any file with named tensors by its content.
#pragma once

#include "core/formats/tensor_file.h"

namespace lodestone::formats {

/// What a file is, by its first bytes.
enum class FileKind { Gguf, Npy, Npz, Torch, Safetensors, Other };
Result<FileKind> fileKind(const std::filesystem::path& path);

/// A file of any of these formats but GGUF, or a folder of safetensors.
Result<TensorFile> openTensors(const std::filesystem::path& path);

} // namespace lodestone::formats
