#include "core/formats/zip_archive.h"

#include "core/formats/byte_reader.h"

#include <algorithm>
#include <zip.h>

namespace lodestone::formats {
namespace {

std::string textOf(zip_error_t& error)
{
    std::string text = zip_error_strerror(&error);
    zip_error_fini(&error);
    return text;
}

/// Closes an entry that is being read.
struct CloseEntry {
    void operator()(zip_file_t* file) const { zip_fclose(file); }
};

} // namespace

bool looksLikeZip(std::span<const std::byte> bytes)
{
    return bytes.size() >= 4 && std::memcmp(bytes.data(), "PK", 2) == 0
        && (std::memcmp(bytes.data() + 2, "\3\4", 2) == 0 || std::memcmp(bytes.data() + 2, "\5\6", 2) == 0);
}

ZipArchive::ZipArchive(ZipArchive&& other) noexcept { *this = std::move(other); }

ZipArchive& ZipArchive::operator=(ZipArchive&& other) noexcept
{
    std::swap(m_file, other.m_file);
    std::swap(m_zip, other.m_zip);
    std::swap(m_entries, other.m_entries);
    std::swap(m_places, other.m_places);
    return *this;
}

ZipArchive::~ZipArchive()
{
    if (m_zip)
        zip_discard(m_zip);
}

Result<ZipArchive> ZipArchive::read(std::shared_ptr<const MappedFile> file)
{
    ZipArchive archive;
    archive.m_file = std::move(file);
    const std::span<const std::byte> bytes = archive.m_file->bytes();
    const std::string name = archive.path().string();
    if (!looksLikeZip(bytes))
        return badInput("a zip archive", "other bytes", name + ", byte 0");
    zip_error_t error;
    zip_error_init(&error);
    zip_source_t* source = zip_source_buffer_create(bytes.data(), bytes.size(), 0, &error);
    if (!source)
        return fail(ErrorKind::Failed, "to open the archive", textOf(error), name);
    archive.m_zip = zip_open_from_source(source, ZIP_RDONLY, &error);
    if (!archive.m_zip) {
        zip_source_free(source);
        return badInput("a zip archive", textOf(error), name);
    }
    const zip_int64_t count = zip_get_num_entries(archive.m_zip, 0);
    std::uint64_t total = 0;
    for (zip_int64_t i = 0; i < count; ++i) {
        zip_stat_t status;
        const std::string where = fmt::format("{}, entry {}", name, i);
        if (zip_stat_index(archive.m_zip, static_cast<zip_uint64_t>(i), 0, &status) != 0)
            return badInput("a readable entry", zip_strerror(archive.m_zip), where);
        constexpr zip_uint64_t needed = ZIP_STAT_NAME | ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE
            | ZIP_STAT_COMP_METHOD | ZIP_STAT_ENCRYPTION_METHOD;
        if ((status.valid & needed) != needed)
            return badInput("an entry with a name, sizes and a method", "some of them", where);
        const std::string named = fmt::format("{}, entry '{}'", name, shownName(status.name));
        if (status.encryption_method != ZIP_EM_NONE)
            return badInput("entries without encryption", "an encrypted one", named);
        if (status.comp_method != ZIP_CM_STORE && status.comp_method != ZIP_CM_DEFLATE)
            return badInput(
                "stored or deflated entries", fmt::format("method {}", status.comp_method), named);
        const bool stored = status.comp_method == ZIP_CM_STORE;
        if (status.comp_size > bytes.size() - total || (stored && status.size != status.comp_size))
            return badInput(
                "entries that fit the archive",
                fmt::format("{} bytes packed as {}", status.size, status.comp_size), named);
        total += status.comp_size;
        archive.m_entries.push_back({ status.name, status.size, status.comp_size, stored });
    }
    for (std::size_t i = 0; i < archive.m_entries.size(); ++i)
        if (!archive.m_places.emplace(archive.m_entries[i].name, i).second)
            return badInput("each entry once", "it twice", archive.where(archive.m_entries[i]));
    return archive;
}

const ZipEntry* ZipArchive::find(std::string_view name) const
{
    const auto found = m_places.find(name);
    return found == m_places.end() ? nullptr : &m_entries[found->second];
}

std::string ZipArchive::where(const ZipEntry& entry) const
{
    return fmt::format("{}, entry '{}'", path().string(), shownName(entry.name));
}

Result<std::vector<std::byte>> ZipArchive::take(const ZipEntry& entry, std::uint64_t limit) const
{
    const auto index = static_cast<zip_uint64_t>(&entry - m_entries.data());
    const std::unique_ptr<zip_file_t, CloseEntry> file(zip_fopen_index(m_zip, index, 0));
    if (!file)
        return badInput("a readable entry", zip_strerror(m_zip), where(entry));
    std::vector<std::byte> bytes;
    // Stored bytes are in the archive; of others as many as are packed are made room for, for a start.
    std::uint64_t room
        = std::min(limit, entry.stored ? entry.bytes : std::max<std::uint64_t>(4096, entry.packed));
    std::size_t got = 0;
    while (got < limit) {
        if (got == room)
            room = std::min(limit, 2 * room);
        bytes.resize(static_cast<std::size_t>(room));
        const zip_int64_t read = zip_fread(file.get(), bytes.data() + got, bytes.size() - got);
        if (read < 0)
            return badInput("entry data in order", zip_file_strerror(file.get()), where(entry));
        if (read == 0)
            break;
        got += static_cast<std::size_t>(read);
    }
    bytes.resize(got);
    if (limit >= entry.bytes) {
        // The end is asked for once more: only there is the checksum compared.
        char more = 0;
        const zip_int64_t read = got == entry.bytes ? zip_fread(file.get(), &more, 1) : 0;
        if (read < 0)
            return badInput("entry data in order", zip_file_strerror(file.get()), where(entry));
        if (got != entry.bytes || read != 0)
            return badInput(
                fmt::format("{} bytes", entry.bytes), got != entry.bytes ? fmt::format("{}", got) : "more",
                where(entry));
    }
    return bytes;
}

Result<std::vector<std::byte>> ZipArchive::unpack(const ZipEntry& entry) const
{
    return take(entry, entry.bytes);
}

Result<std::vector<std::byte>> ZipArchive::head(const ZipEntry& entry, std::size_t limit) const
{
    return take(entry, std::min<std::uint64_t>(entry.bytes, limit));
}

} // namespace lodestone::formats
