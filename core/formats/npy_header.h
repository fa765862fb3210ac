// The header of a .npy array, wherever the array lies: a file of its own or an entry of an .npz.
#pragma once

#include "core/base/error.h"
#include "core/formats/element.h"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace lodestone::formats {

struct NpyHeader {
    std::optional<ElementType> type; ///< nothing when the elements are not numbers
    std::string descr; ///< the type as the file says it: "<f4", "|O", "a structure"
    std::vector<std::size_t> shape; ///< the product and its bytes fit 63 bits
    std::string shapeText; ///< as the file says it, for messages: "17,"
    bool columnMajor = false;
    std::size_t dataOffset = 0; ///< where the data begin, from the array's first byte

    std::size_t items() const;
};

/// Parses the head of `bytes` (format 1.0 to 3.0, header of at most 8192 bytes). Of types that are not
/// numbers only `descr` and `shape` are told. Whether the data are all there is for the caller to check.
Result<NpyHeader> parseNpyHeader(std::span<const std::byte> bytes, const std::string& name);
/// The longest head that is accepted, in bytes.
constexpr std::size_t npyHeadLimit = 12 + 8192;

/// "<f4" of F32; empty for BF16, which numpy has not.
std::string npyTypeName(ElementType type);
/// Magic, version 1.0 and the header text, padded so that the data start at a multiple of 64 bytes.
/// Row-major.
std::string npyHeaderText(ElementType type, const std::vector<std::size_t>& shape);

} // namespace lodestone::formats
