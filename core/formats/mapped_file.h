// Read-only memory maps: large files are looked at in place, never copied, and never trusted beyond their
// size.
#pragma once

#include "core/base/error.h"

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

namespace lodestone::formats {

/// A file mapped read-only. Movable; the mapping lives as long as the object. An empty file maps to an empty
/// span.
class MappedFile {
public:
    static Result<MappedFile> open(const std::filesystem::path& path);
    /// Bytes in memory under the name of a file: what was unpacked from an archive.
    static MappedFile ofMemory(std::vector<std::byte> bytes, std::filesystem::path name);

    MappedFile(MappedFile&& other) noexcept;
    MappedFile& operator=(MappedFile&& other) noexcept;
    MappedFile(const MappedFile&) = delete;
    MappedFile& operator=(const MappedFile&) = delete;
    ~MappedFile();

    std::span<const std::byte> bytes() const { return m_bytes; }
    const std::filesystem::path& path() const { return m_path; }
    /// Gives the memory of a file's pages back; what is read again comes from the file again.
    void forgetPages() const;

private:
    MappedFile(std::filesystem::path path, std::span<const std::byte> bytes);

    std::filesystem::path m_path;
    std::vector<std::byte> m_memory; ///< empty for a file
    std::span<const std::byte> m_bytes;
};

} // namespace lodestone::formats
