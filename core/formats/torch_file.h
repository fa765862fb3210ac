// PyTorch's .pt files (a zip archive of a pickle and storages) as named tensors; nothing of the pickle is
// executed.
#pragma once

#include "core/formats/tensor_file.h"

namespace lodestone::formats {

/// Tensors of the pickle under their names: the keys of nested dictionaries and the places in lists, joined
/// by dots; a file that is one tensor names it "tensor". A tensor is a view: it begins at its storage offset
/// and steps by its strides, and is checked to lie within its storage. Texts and numbers beside the tensors
/// are in `metadata`.
///
/// Errors: the older format without an archive, names and opcodes that are no tensor's (see pickle.h),
/// storages that are not as large as they say, views beyond their storage or with more items than it has.
Result<TensorFile> openTorchFile(const std::filesystem::path& path);
Result<TensorFile> readTorchFile(MappedFile file);

} // namespace lodestone::formats
