// What the fuzz targets share: an input as a file in memory, and a check that cannot be compiled out.
#pragma once

#include "core/formats/tensor_file.h"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <sys/mman.h>
#include <unistd.h>

namespace lodestone::fuzz {

/// Stops the fuzzer: what must hold does not.
inline void require(bool holds)
{
    if (!holds)
        std::abort();
}

/// The bytes on the heap, exactly as long as they are, so that a read beyond them is seen.
inline formats::MappedFile inMemory(const std::uint8_t* data, std::size_t size)
{
    const auto* bytes = reinterpret_cast<const std::byte*>(data);
    return formats::MappedFile::ofMemory({ bytes, bytes + size }, "input");
}

/// The bytes as a file with a path, for readers that open by name.
class InputFile {
public:
    InputFile(const std::uint8_t* data, std::size_t size)
        : m_descriptor(::memfd_create("input", 0))
    {
        require(m_descriptor >= 0);
        require(::write(m_descriptor, data, size) == static_cast<ssize_t>(size));
    }
    InputFile(const InputFile&) = delete;
    InputFile& operator=(const InputFile&) = delete;
    ~InputFile() { ::close(m_descriptor); }

    std::string path() const { return "/proc/self/fd/" + std::to_string(m_descriptor); }

private:
    int m_descriptor;
};

/// Reads every number of every tensor.
inline void readAll(const formats::TensorFile& file)
{
    for (const auto& [name, tensor] : file.tensors) {
        require(tensor.items() <= tensor.bytes.size());
        require(tensor.toFloat().size() == tensor.items());
    }
}

} // namespace lodestone::fuzz
