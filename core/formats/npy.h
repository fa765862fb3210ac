// Arrays on disk that numpy can read: mapped for reading, preallocated and filled row by row for writing.
#pragma once

#include "core/formats/npy_header.h"
#include "core/formats/tensor_file.h"

#include <Eigen/Core>
#include <cstdint>
#include <string>
#include <vector>

namespace lodestone::formats {

using RowMatrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// BF16 is not among numpy's types; it is neither read nor written here.
using NpyType = ElementType;
std::size_t npyTypeBytes(NpyType type);

/// A .npy file (format 1.0 to 3.0), mapped read-only. The header is checked against the file's size.
class NpyArray {
public:
    static Result<NpyArray> open(const std::filesystem::path& path);
    static Result<NpyArray> read(MappedFile file);

    const std::filesystem::path& path() const { return m_file->path(); }
    NpyType type() const { return m_type; }
    const std::vector<std::size_t>& shape() const { return m_shape; }
    bool columnMajor() const { return m_columnMajor; }
    std::span<const std::byte> data() const { return m_data; }
    std::size_t rows() const { return m_shape.empty() ? 1 : m_shape[0]; }
    /// Numbers in one row: the product of all dimensions but the first.
    std::size_t rowItems() const;

    /// Rows [first, first + count) as float32, trailing dimensions flattened. Shape [count, rowItems].
    /// Column-major arrays are turned. Values outside float32 become infinities.
    RowMatrix toFloat(std::size_t first, std::size_t count) const;
    RowMatrix toFloat() const { return toFloat(0, rows()); }
    /// The same array as other readers hand it out; it looks into this one's file.
    Tensor tensor() const;
    std::shared_ptr<const MappedFile> file() const { return m_file; }

private:
    NpyArray() = default;
    std::shared_ptr<MappedFile> m_file;
    NpyType m_type = NpyType::F32;
    std::vector<std::size_t> m_shape;
    bool m_columnMajor = false;
    std::span<const std::byte> m_data;
};

/// A .npy file of a shape known in advance, row-major, whose rows may be written in any order; a killed
/// writer leaves a valid file in which unwritten rows are zero. Refused values are never rounded to infinity
/// silently.
class NpyWriter {
public:
    NpyWriter() = default; ///< writes nowhere until a created one is moved in
    /// Creates the file at its final size; with `keep`, reopens one of exactly this header and size.
    static Result<NpyWriter> create(
        const std::filesystem::path& path, NpyType type, std::vector<std::size_t> shape, bool keep = false);

    NpyWriter(NpyWriter&& other) noexcept;
    NpyWriter& operator=(NpyWriter&& other) noexcept;
    NpyWriter(const NpyWriter&) = delete;
    NpyWriter& operator=(const NpyWriter&) = delete;
    ~NpyWriter();

    /// Writes one row of float32 numbers; types F16, F32 and F64 only.
    Result<void> writeRow(std::size_t row, std::span<const float> values);
    /// Hands everything to the disk.
    Result<void> sync();

private:
    int m_descriptor = -1;
    std::string m_path;
    NpyType m_type = NpyType::F32;
    std::vector<std::size_t> m_shape;
    std::size_t m_rowItems = 0;
    std::size_t m_headerBytes = 0;
};

/// The whole matrix at once, as float32 or float16.
Result<void> writeNpy(
    const std::filesystem::path& path, const Eigen::Ref<const RowMatrix>& matrix,
    NpyType type = NpyType::F32);

} // namespace lodestone::formats
