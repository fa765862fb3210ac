// Zip archives as .npz and .pt files are: entries listed and unpacked, sizes and checksums distrusted.
#pragma once

#include "core/formats/mapped_file.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

struct zip;

namespace lodestone::formats {

struct ZipEntry {
    std::string name;
    std::uint64_t bytes = 0; ///< unpacked, as the directory says
    std::uint64_t packed = 0; ///< in the archive
    bool stored = false; ///< not compressed
};

/// An archive (also ZIP64) with stored and deflated entries. Refused: encrypted entries, other methods, a
/// name twice, entries that together claim more bytes than the archive has.
class ZipArchive {
public:
    static Result<ZipArchive> read(std::shared_ptr<const MappedFile> file);

    ZipArchive(ZipArchive&& other) noexcept;
    ZipArchive& operator=(ZipArchive&& other) noexcept;
    ZipArchive(const ZipArchive&) = delete;
    ZipArchive& operator=(const ZipArchive&) = delete;
    ~ZipArchive();

    const std::filesystem::path& path() const { return m_file->path(); }
    const std::vector<ZipEntry>& entries() const { return m_entries; }
    /// Null when there is none.
    const ZipEntry* find(std::string_view name) const;
    /// The entry's bytes, checked against its size and CRC-32. Memory grows with what is really unpacked,
    /// never by the directory's word. The error names the archive and the entry.
    Result<std::vector<std::byte>> unpack(const ZipEntry& entry) const;
    /// At most the first `limit` bytes, whose checksum is not known.
    Result<std::vector<std::byte>> head(const ZipEntry& entry, std::size_t limit) const;
    std::string where(const ZipEntry& entry) const;

private:
    ZipArchive() = default;
    Result<std::vector<std::byte>> take(const ZipEntry& entry, std::uint64_t limit) const;

    std::shared_ptr<const MappedFile> m_file;
    struct zip* m_zip = nullptr;
    std::vector<ZipEntry> m_entries;
    std::map<std::string, std::size_t, std::less<>> m_places;
};

/// True when the bytes begin as a zip archive does.
bool looksLikeZip(std::span<const std::byte> bytes);

} // namespace lodestone::formats
