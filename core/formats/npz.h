// .npz archives of numpy: named .npy arrays in a zip archive, stored or deflated.
#pragma once

#include "core/formats/tensor_file.h"

namespace lodestone::formats {

/// Every array of numbers under its name without ".npy". Arrays of texts or objects (pickles) are named in
/// `leftOut` and never looked into. An array whose header does not match its entry's size is an error.
Result<TensorFile> openNpz(const std::filesystem::path& path);
Result<TensorFile> readNpz(MappedFile file);

/// A .npy file as a source of one tensor, named "array".
Result<TensorFile> openNpyTensor(const std::filesystem::path& path);

} // namespace lodestone::formats
