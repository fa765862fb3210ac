// Writes small GGUF files byte by byte, so that the readers meet files of known content and known lies.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lodestone::testing {

template <typename Number>
std::string littleEndian(Number number)
{
    std::string bytes(sizeof(Number), '\0');
    std::memcpy(bytes.data(), &number, sizeof(Number));
    return bytes;
}

/// A text as GGUF stores it: a 64-bit length, then the bytes.
inline std::string ggufText(std::string_view text)
{
    return littleEndian(static_cast<std::uint64_t>(text.size())) + std::string(text);
}

/// Gathers metadata and tensors and gives the file's bytes. Offsets of tensors are multiples of the
/// alignment.
class GgufWriter {
public:
    std::uint32_t version = 3;
    std::uint64_t alignment = 32; ///< what the data are laid out by; not written as a key by itself

    /// A value of any kind, its payload as bytes.
    void raw(std::string_view key, std::uint32_t kind, std::string_view payload)
    {
        m_keys += ggufText(key) + littleEndian(kind) + std::string(payload);
        ++m_keyCount;
    }
    void text(std::string_view key, std::string_view value) { raw(key, 8, ggufText(value)); }
    void integer(std::string_view key, std::uint32_t value) { raw(key, 4, littleEndian(value)); }
    void flag(std::string_view key, bool value) { raw(key, 7, std::string(1, value ? '\1' : '\0')); }
    void texts(std::string_view key, const std::vector<std::string>& list)
    {
        std::string payload
            = littleEndian(std::uint32_t(8)) + littleEndian(static_cast<std::uint64_t>(list.size()));
        for (const std::string& entry : list)
            payload += ggufText(entry);
        raw(key, 9, payload);
    }
    void integers(std::string_view key, const std::vector<std::int32_t>& list)
    {
        std::string payload
            = littleEndian(std::uint32_t(5)) + littleEndian(static_cast<std::uint64_t>(list.size()));
        for (const std::int32_t entry : list)
            payload += littleEndian(entry);
        raw(key, 9, payload);
    }

    void
    tensor(std::string_view name, std::vector<std::uint64_t> shape, std::uint32_t type, std::string_view data)
    {
        m_data.resize((m_data.size() + alignment - 1) / alignment * alignment, '\0');
        tensorAt(name, std::move(shape), type, m_data.size());
        m_data += data;
    }
    /// An entry that claims to lie at an offset of the data, which need not be true.
    void tensorAt(
        std::string_view name, std::vector<std::uint64_t> shape, std::uint32_t type, std::uint64_t offset)
    {
        m_tensors += ggufText(name) + littleEndian(static_cast<std::uint32_t>(shape.size()));
        for (const std::uint64_t extent : shape)
            m_tensors += littleEndian(extent);
        m_tensors += littleEndian(type) + littleEndian(offset);
        ++m_tensorCount;
    }

    std::string bytes() const
    {
        std::string file = "GGUF" + littleEndian(version) + littleEndian(m_tensorCount)
            + littleEndian(m_keyCount) + m_keys + m_tensors;
        file.resize((file.size() + alignment - 1) / alignment * alignment, '\0');
        return file + m_data;
    }

private:
    std::string m_keys, m_tensors, m_data;
    std::uint64_t m_keyCount = 0, m_tensorCount = 0;
};

} // namespace lodestone::testing
