#include "core/formats/npy.h"

#include "core/base/files.h"
#include "core/formats/byte_reader.h"
#include "core/formats/quant.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <fcntl.h>
#include <limits>
#include <sys/stat.h>
#include <unistd.h>

namespace lodestone::formats {
namespace {

struct TypeName {
    NpyType type;
    const char* name;
    std::size_t bytes;
};
constexpr TypeName typeNames[]
    = { { NpyType::F16, "<f2", 2 }, { NpyType::F32, "<f4", 4 }, { NpyType::F64, "<f8", 8 },
        { NpyType::I8, "|i1", 1 },  { NpyType::U8, "|u1", 1 },  { NpyType::I16, "<i2", 2 },
        { NpyType::I32, "<i4", 4 }, { NpyType::I64, "<i8", 8 }, { NpyType::Bool, "|b1", 1 } };

template <typename T>
T load(const std::byte* from)
{
    T value;
    std::memcpy(&value, from, sizeof(T));
    return value;
}

float valueAt(NpyType type, const std::byte* from)
{
    switch (type) {
    case NpyType::F16:
        return halfToFloat(load<std::uint16_t>(from));
    case NpyType::F32:
        return load<float>(from);
    case NpyType::F64:
        return static_cast<float>(load<double>(from));
    case NpyType::I8:
        return static_cast<float>(load<std::int8_t>(from));
    case NpyType::U8:
    case NpyType::Bool:
        return static_cast<float>(load<std::uint8_t>(from));
    case NpyType::I16:
        return static_cast<float>(load<std::int16_t>(from));
    case NpyType::I32:
        return static_cast<float>(load<std::int32_t>(from));
    case NpyType::I64:
        return static_cast<float>(load<std::int64_t>(from));
    }
    return 0;
}

/// What follows a key of the header's dictionary; empty when the key is not there.
std::string_view valueOf(std::string_view header, const std::string& key)
{
    std::size_t at = header.find("'" + key + "'");
    if (at == std::string_view::npos)
        return {};
    at = header.find_first_not_of(' ', at + key.size() + 2);
    if (at == std::string_view::npos || header[at] != ':')
        return {};
    at = header.find_first_not_of(' ', at + 1);
    return at == std::string_view::npos ? std::string_view() : header.substr(at);
}

/// Magic, version 1.0 and the header text, padded so that the data start at a multiple of 64 bytes.
std::string header(NpyType type, const std::vector<std::size_t>& shape)
{
    std::string extents;
    for (const std::size_t extent : shape)
        extents += std::to_string(extent) + ", ";
    if (shape.size() > 1)
        extents.resize(extents.size() - 2);
    else if (shape.size() == 1)
        extents.resize(extents.size() - 1);
    std::string text = fmt::format(
        "{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}", npyTypeName(type), extents);
    const std::size_t total = (10 + text.size() + 1 + 63) / 64 * 64;
    text.append(total - 10 - text.size() - 1, ' ');
    text += '\n';
    std::string bytes("\x93NUMPY\x01\x00", 8);
    bytes += static_cast<char>(text.size() & 255u);
    bytes += static_cast<char>(text.size() >> 8u);
    return bytes + text;
}

} // namespace

std::size_t npyTypeBytes(NpyType type)
{
    for (const TypeName& entry : typeNames)
        if (entry.type == type)
            return entry.bytes;
    return 0;
}

std::string npyTypeName(NpyType type)
{
    for (const TypeName& entry : typeNames)
        if (entry.type == type)
            return entry.name;
    return {};
}

Result<NpyArray> NpyArray::open(const std::filesystem::path& path)
{
    LODESTONE_TRY(MappedFile file, MappedFile::open(path));
    const std::string name = path.string();
    NpyArray array;
    array.m_file = std::make_shared<MappedFile>(std::move(file));
    ByteReader reader(array.m_file->bytes(), name);
    LODESTONE_TRY(const auto magic, reader.take(6, "magic"));
    if (std::memcmp(magic.data(), "\x93NUMPY", 6) != 0)
        return badInput("a .npy file (magic '\\x93NUMPY')", "other bytes", name + ", byte 0");
    LODESTONE_TRY(const auto major, reader.read<std::uint8_t>("version"));
    LODESTONE_TRY([[maybe_unused]] const auto minor, reader.read<std::uint8_t>("version"));
    if (major < 1 || major > 3)
        return badInput(".npy version 1, 2 or 3", std::to_string(major), name + ", byte 6");
    std::size_t headerLength = 0;
    if (major == 1) {
        LODESTONE_TRY(const auto length, reader.read<std::uint16_t>("header length"));
        headerLength = length;
    } else {
        LODESTONE_TRY(const auto length, reader.read<std::uint32_t>("header length"));
        headerLength = length;
    }
    if (headerLength > 8192)
        return badInput("a header of at most 8192 bytes", std::to_string(headerLength), name + ", byte 8");
    LODESTONE_TRY(const auto headerBytes, reader.take(headerLength, "header"));
    const std::string text(reinterpret_cast<const char*>(headerBytes.data()), headerBytes.size());

    const std::string_view typeValue = valueOf(text, "descr"), order = valueOf(text, "fortran_order"),
                           extents = valueOf(text, "shape");
    const std::size_t typeEnd = typeValue.find('\'', 1), extentsEnd = extents.find(')');
    if (typeValue.substr(0, 1) != "'" || typeEnd == std::string_view::npos)
        return badInput("a simple element type", "header " + shownName(text), name + ", key 'descr'");
    const std::string_view typeText = typeValue.substr(1, typeEnd - 1);
    const auto known = std::find_if(std::begin(typeNames), std::end(typeNames), [&](const TypeName& entry) {
        return typeText == entry.name;
    });
    if (known == std::end(typeNames))
        return badInput(
            "little-endian floats, integers or booleans", "'" + shownName(typeText) + "'",
            name + ", key 'descr'");
    array.m_type = known->type;
    array.m_columnMajor = order.substr(0, 4) == "True";
    if (!array.m_columnMajor && order.substr(0, 5) != "False")
        return badInput("True or False", "header " + shownName(text), name + ", key 'fortran_order'");
    const std::string_view list = extents.substr(0, 1) == "(" && extentsEnd != std::string_view::npos
        ? extents.substr(1, extentsEnd - 1)
        : "?";
    if (list.find_first_not_of("0123456789, L") != std::string_view::npos)
        return badInput("a tuple of numbers", "header " + shownName(text), name + ", key 'shape'");
    std::size_t items = 1, nonzero = 1; // rowItems() must fit also where another dimension is 0
    constexpr std::string_view digits = "0123456789";
    for (std::size_t at = list.find_first_of(digits); at != std::string_view::npos;) {
        const std::size_t end = std::min(list.find_first_not_of(digits, at), list.size());
        if (end - at > 15)
            return badInput(
                "a dimension below 10^15", shownName(list.substr(at, end - at)), name + ", key 'shape'");
        std::size_t extent = 0;
        std::from_chars(list.data() + at, list.data() + end, extent);
        if (extent != 0 && nonzero > std::numeric_limits<std::ptrdiff_t>::max() / 8 / extent)
            return badInput(
                "a shape whose product fits", "(" + shownName(list) + ")", name + ", key 'shape'");
        array.m_shape.push_back(extent);
        items *= extent;
        nonzero *= std::max<std::size_t>(1, extent);
        at = list.find_first_of(digits, end);
    }
    const std::size_t bytes = items * npyTypeBytes(array.m_type);
    if (reader.left() < bytes)
        return badInput(
            fmt::format("{} bytes of data for shape ({})", bytes, shownName(list)),
            fmt::format("{} bytes", reader.left()), fmt::format("{}, byte {}", name, reader.offset()));
    array.m_data = array.m_file->bytes().subspan(reader.offset(), bytes);
    return array;
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
    const std::size_t size = npyTypeBytes(m_type);
    RowMatrix matrix(static_cast<Eigen::Index>(count), static_cast<Eigen::Index>(width));
    if (matrix.size() == 0)
        return matrix;
    if (!m_columnMajor) {
        const std::byte* from = m_data.data() + first * width * size;
        if (m_type == NpyType::F32)
            std::memcpy(matrix.data(), from, count * width * size);
        else
            for (std::size_t i = 0; i < count * width; ++i)
                matrix.data()[i] = valueAt(m_type, from + i * size);
        return matrix;
    }
    // Column-major: the first index runs fastest, then the second; our columns run the trailing indices in C
    // order.
    for (std::size_t column = 0; column < width; ++column) {
        std::size_t rest = column, offset = 0;
        std::vector<std::size_t> index(m_shape.size());
        for (std::size_t k = m_shape.size(); k-- > 1;) {
            index[k] = rest % m_shape[k];
            rest /= m_shape[k];
        }
        std::size_t stride = rows();
        for (std::size_t k = 1; k < m_shape.size(); ++k) {
            offset += index[k] * stride;
            stride *= m_shape[k];
        }
        for (std::size_t row = 0; row < count; ++row)
            matrix(static_cast<Eigen::Index>(row), static_cast<Eigen::Index>(column))
                = valueAt(m_type, m_data.data() + (offset + first + row) * size);
    }
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
    const std::string head = header(type, shape);
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
