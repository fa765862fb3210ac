// Named arrays of numbers, whichever kind of file holds them: what the readers of safetensors, .npy, .npz and
// .pt hand out, looked at in place.
#pragma once

#include "core/formats/element.h"
#include "core/formats/mapped_file.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace lodestone::formats {

/// One array. Every element that shape and strides name lies within `bytes`: the readers have checked it.
struct Tensor {
    ElementType type = ElementType::F32;
    std::vector<std::uint64_t> shape; ///< slowest first (row-major), as numpy, torch and safetensors say it
    std::vector<std::uint64_t> strides; ///< in elements, one per dimension; empty: row-major without gaps
    std::span<const std::byte> bytes; ///< from the first element on

    /// The product of the shape; 1 for a scalar.
    std::uint64_t items() const;
    /// Items [first, first + count) in row-major order as float32, whatever the strides are. Several threads
    /// may call at once.
    void read(std::uint64_t first, std::uint64_t count, float* to) const;
    std::vector<float> toFloat() const;
    std::string shapeText() const; ///< "[2048, 768]"
};

/// A file, or a folder of files, with named tensors. Copies are cheap and share the bytes.
struct TensorFile {
    std::filesystem::path path;
    std::string format; ///< "safetensors", "npy", "npz", "pt"
    std::vector<std::filesystem::path> files; ///< the file itself, or the shards by name
    std::uint64_t bytes = 0; ///< of all files
    std::map<std::string, Tensor, std::less<>> tensors;
    std::map<std::string, std::string, std::less<>> metadata; ///< texts that the file carries besides
    std::vector<std::string> leftOut; ///< what is in the file but no array of numbers: "tokens (object)"
    std::vector<std::shared_ptr<const MappedFile>> backing; ///< keeps the tensors' bytes alive

    /// A tensor that must be there.
    Result<const Tensor*> tensor(std::string_view name) const;
    /// The one tensor of a file that has only one.
    Result<const Tensor*> only() const;
    /// "model.safetensors, tensor 'x'": for messages.
    std::string where(std::string_view name) const;
};

/// The number of items of a shape, or nothing when their bytes would not fit 63 bits.
bool shapeFits(const std::vector<std::uint64_t>& shape, std::size_t elementBytes, std::uint64_t& items);

} // namespace lodestone::formats
