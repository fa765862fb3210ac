#include "core/formats/npy.h"

#include "core/base/files.h"
#include "core/formats/byte_reader.h"
#include "core/formats/quant.h"

#include <cerrno>
#include <cmath>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace lodestone::formats {

std::size_t npyTypeBytes(NpyType type) { return elementBytes(type); }

Result<NpyArray> NpyArray::open(const std::filesystem::path& path)
{
    LODESTONE_TRY(MappedFile file, MappedFile::open(path));
    return read(std::move(file));
}

Result<NpyArray> NpyArray::read(MappedFile file)
{
    NpyArray array;
    array.m_file = std::make_shared<MappedFile>(std::move(file));
    const std::string name = array.path().string();
    const std::span<const std::byte> all = array.m_file->bytes();
    LODESTONE_TRY(const NpyHeader header, parseNpyHeader(all, name));
    if (!header.type)
        return badInput(
            header.descr == "a structure" ? "a simple element type"
                                          : "little-endian floats, integers or booleans",
            "'" + shownName(header.descr) + "'", name + ", key 'descr'");
    const std::size_t bytes = header.items() * elementBytes(*header.type);
    if (all.size() - header.dataOffset < bytes)
        return badInput(
            fmt::format("{} bytes of data for shape ({})", bytes, header.shapeText),
            fmt::format("{} bytes", all.size() - header.dataOffset),
            fmt::format("{}, byte {}", name, header.dataOffset));
    array.m_type = *header.type;
    array.m_shape = header.shape;
    array.m_columnMajor = header.columnMajor;
    array.m_data = all.subspan(header.dataOffset, bytes);
    return array;
}

Tensor NpyArray::tensor() const
{
    Tensor tensor;
    tensor.type = m_type;
    tensor.shape.assign(m_shape.begin(), m_shape.end());
    tensor.bytes = m_data;
    if (m_columnMajor) {
        std::uint64_t stride = 1;
        for (const std::uint64_t extent : tensor.shape) {
            tensor.strides.push_back(stride);
            stride *= extent;
        }
    }
    return tensor;
}

std::size_t NpyArray::rowItems() const
{
    std::size_t items = 1;
    for (std::size_t i = 1; i < m_shape.size(); ++i)
        items *= m_shape[i];
    return items;
}

RowMatrix NpyArray::toFloat(std::size_t first, std::size_t count) const
{
    const std::size_t width = rowItems();
    RowMatrix matrix(static_cast<Eigen::Index>(count), static_cast<Eigen::Index>(width));
    if (matrix.size() > 0)
        tensor().read(first * width, count * width, matrix.data());
    return matrix;
}

NpyWriter::NpyWriter(NpyWriter&& other) noexcept { *this = std::move(other); }

NpyWriter& NpyWriter::operator=(NpyWriter&& other) noexcept
{
    std::swap(m_descriptor, other.m_descriptor);
    std::swap(m_path, other.m_path);
    std::swap(m_type, other.m_type);
    std::swap(m_shape, other.m_shape);
    std::swap(m_rowItems, other.m_rowItems);
    std::swap(m_headerBytes, other.m_headerBytes);
    return *this;
}

NpyWriter::~NpyWriter()
{
    if (m_descriptor >= 0)
        ::close(m_descriptor);
}

Result<NpyWriter>
NpyWriter::create(const std::filesystem::path& path, NpyType type, std::vector<std::size_t> shape, bool keep)
{
    NpyWriter writer;
    writer.m_path = path.string();
    writer.m_type = type;
    writer.m_rowItems = 1;
    for (std::size_t i = 1; i < shape.size(); ++i)
        writer.m_rowItems *= shape[i];
    const std::string head = npyHeaderText(type, shape);
    writer.m_headerBytes = head.size();
    const std::size_t total
        = head.size() + (shape.empty() ? 1 : shape[0]) * writer.m_rowItems * npyTypeBytes(type);
    const auto refuse = [&](const char* what) {
        return fail(ErrorKind::Failed, what, systemErrorText(errno), writer.m_path);
    };
    writer.m_descriptor = ::open(path.c_str(), O_RDWR | O_CLOEXEC | (keep ? 0 : O_CREAT | O_TRUNC), 0644);
    if (writer.m_descriptor < 0)
        return refuse("a writable file");
    if (keep) {
        struct stat status { };
        if (::fstat(writer.m_descriptor, &status) != 0)
            return refuse("a readable file");
        std::string present(head.size(), '\0');
        if (::pread(writer.m_descriptor, present.data(), present.size(), 0)
                != static_cast<ssize_t>(head.size())
            || present != head)
            return badInput("the array that was begun here", "another shape or type", writer.m_path);
        // A shorter file would be filled up with zeros that look like rows already written.
        if (static_cast<std::size_t>(status.st_size) != total)
            return badInput(
                fmt::format("the array that was begun here, {} bytes", total),
                fmt::format("{} bytes", status.st_size), writer.m_path);
        writer.m_shape = std::move(shape);
        return writer;
    }
    if (::pwrite(writer.m_descriptor, head.data(), head.size(), 0) != static_cast<ssize_t>(head.size())
        || ::ftruncate(writer.m_descriptor, static_cast<off_t>(total)) != 0)
        return refuse("to write the file");
    writer.m_shape = std::move(shape);
    return writer;
}

Result<void> NpyWriter::writeRow(std::size_t row, std::span<const float> values)
{
    const std::string where = fmt::format("{}, row {}", m_path, row);
    const std::size_t rows = m_shape.empty() ? 0 : m_shape[0];
    if (row >= rows)
        return badInput(fmt::format("a row below {}", rows), std::to_string(row), where);
    if (values.size() != m_rowItems)
        return badInput(fmt::format("{} numbers", m_rowItems), fmt::format("{}", values.size()), where);
    std::vector<std::byte> converted;
    const void* from = values.data();
    std::size_t bytes = values.size_bytes();
    if (m_type == NpyType::F16) {
        converted.resize(values.size() * 2);
        for (std::size_t i = 0; i < values.size(); ++i) {
            const std::uint16_t half = floatToHalf(values[i]);
            if ((half & 0x7c00u) == 0x7c00u)
                return badInput("a number within float16's range", fmt::format("{}", values[i]), where);
            std::memcpy(converted.data() + 2 * i, &half, 2);
        }
        from = converted.data();
        bytes = converted.size();
    } else if (m_type == NpyType::F64) {
        converted.resize(values.size() * 8);
        for (std::size_t i = 0; i < values.size(); ++i) {
            const double wide = values[i];
            std::memcpy(converted.data() + 8 * i, &wide, 8);
        }
        from = converted.data();
        bytes = converted.size();
    }
    if (::pwrite(m_descriptor, from, bytes, static_cast<off_t>(m_headerBytes + row * bytes))
        != static_cast<ssize_t>(bytes))
        return fail(ErrorKind::Failed, "to write the row", systemErrorText(errno), where);
    return {};
}

Result<void> NpyWriter::sync()
{
    if (::fdatasync(m_descriptor) != 0)
        return fail(ErrorKind::Failed, "to write the file", systemErrorText(errno), m_path);
    return {};
}

Result<void>
writeNpy(const std::filesystem::path& path, const Eigen::Ref<const RowMatrix>& matrix, NpyType type)
{
    std::filesystem::path temporary = path;
    temporary += ".part";
    const auto write = [&]() -> Result<void> {
        const std::vector<std::size_t> shape{ static_cast<std::size_t>(matrix.rows()),
                                              static_cast<std::size_t>(matrix.cols()) };
        LODESTONE_TRY(NpyWriter writer, NpyWriter::create(temporary, type, shape));
        for (Eigen::Index row = 0; row < matrix.rows(); ++row)
            LODESTONE_CHECK(
                writer.writeRow(static_cast<std::size_t>(row), std::span(matrix.row(row).data(), shape[1])));
        return writer.sync();
    };
    Result<void> written = write();
    std::error_code error;
    if (written) {
        std::filesystem::rename(temporary, path, error);
        if (error)
            written = fail(ErrorKind::Failed, "to write the file", error.message(), path.string());
    }
    if (!written)
        std::filesystem::remove(temporary, error);
    return written;
}

} // namespace lodestone::formats
