// Reads and writes safetensors: named arrays behind a JSON header, as strict as the format's own reader.
#pragma once

#include "core/formats/tensor_file.h"

namespace lodestone::formats {

/// One .safetensors file. Refused, as by the format's own reader: a header over 100 MB or beyond the file,
/// JSON of another form, a name twice, an unknown element type, offsets that do not match shape and type,
/// overlaps, gaps, bytes that no tensor owns. Nothing is allocated on a header's word.
Result<TensorFile> openSafetensors(const std::filesystem::path& path);
Result<TensorFile> readSafetensors(MappedFile file);

/// A model's folder: the shards that `model.safetensors.index.json` names, or `model.safetensors` alone.
/// Shards are files of the folder itself; one that is missing, that is the index, or that lacks a tensor
/// which the index places there is an error. Tensors that the index does not name are left out.
Result<TensorFile> openSafetensorsFolder(const std::filesystem::path& folder);

/// An array to write; `values` has as many numbers as the shape says.
struct TensorToWrite {
    std::string name;
    std::vector<std::uint64_t> shape; ///< slowest first
    std::span<const float> values; ///< stored as F32
};
/// Writes by rename. The header is padded so that the data start at a multiple of 8 bytes.
Result<void> writeSafetensors(
    const std::filesystem::path& path, const std::vector<TensorToWrite>& tensors,
    const std::map<std::string, std::string, std::less<>>& metadata = {});

} // namespace lodestone::formats
