#include "core/formats/mapped_file.h"

#include "core/base/files.h"

#include <cerrno>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace lodestone::formats {

MappedFile::MappedFile(std::filesystem::path path, std::span<const std::byte> bytes)
    : m_path(std::move(path))
    , m_bytes(bytes)
{
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : m_path(std::move(other.m_path))
    , m_memory(std::move(other.m_memory))
    , m_bytes(std::exchange(other.m_bytes, {}))
{
}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept
{
    std::swap(m_path, other.m_path);
    std::swap(m_memory, other.m_memory);
    std::swap(m_bytes, other.m_bytes);
    return *this;
}

MappedFile::~MappedFile()
{
    if (!m_bytes.empty() && m_memory.empty())
        ::munmap(const_cast<std::byte*>(m_bytes.data()), m_bytes.size());
}

MappedFile MappedFile::ofMemory(std::vector<std::byte> bytes, std::filesystem::path name)
{
    MappedFile file(std::move(name), bytes);
    file.m_memory = std::move(bytes); // the heap block, and with it the span, stays where it is
    return file;
}

Result<MappedFile> MappedFile::open(const std::filesystem::path& path)
{
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return badInput("a readable file", systemErrorText(errno), path.string());
    struct stat status { };
    if (::fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
        ::close(descriptor);
        return badInput(
            "a regular file", S_ISDIR(status.st_mode) ? "a folder" : "something else", path.string());
    }
    const auto size = static_cast<std::size_t>(status.st_size);
    if (size == 0) {
        ::close(descriptor);
        return MappedFile(path, {});
    }
    void* address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor, 0);
    const int error = errno;
    ::close(descriptor);
    if (address == MAP_FAILED)
        return fail(ErrorKind::Failed, "to map the file", systemErrorText(error), path.string());
    return MappedFile(path, std::span(static_cast<const std::byte*>(address), size));
}

void MappedFile::forgetPages() const
{
    if (m_memory.empty() && !m_bytes.empty())
        ::madvise(const_cast<std::byte*>(m_bytes.data()), m_bytes.size(), MADV_DONTNEED);
}

} // namespace lodestone::formats
