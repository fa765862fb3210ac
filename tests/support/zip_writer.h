// Writes small zip archives byte by byte, so that the readers meet known entries, ZIP64 records and known
// lies.
#pragma once

#include "tests/support/gguf_writer.h"

#include <zlib.h>

namespace lodestone::testing {

/// The raw deflate stream of some bytes, as zip archives hold it.
inline std::string deflated(const std::string& data)
{
    z_stream stream{};
    deflateInit2(&stream, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY);
    std::string packed(deflateBound(&stream, data.size()), '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));
    stream.avail_in = static_cast<uInt>(data.size());
    stream.next_out = reinterpret_cast<Bytef*>(packed.data());
    stream.avail_out = static_cast<uInt>(packed.size());
    deflate(&stream, Z_FINISH);
    packed.resize(stream.total_out);
    deflateEnd(&stream);
    return packed;
}

class ZipWriter {
public:
    bool zip64 = false; ///< sizes, offsets and counts stand in ZIP64 records, however small they are

    void stored(const std::string& name, const std::string& data) { add(name, data, data, 0); }
    void packed(const std::string& name, const std::string& data) { add(name, data, deflated(data), 8); }
    /// An entry whose sizes, method and checksum may lie.
    void
    raw(const std::string& name, const std::string& bytes, std::uint16_t method, std::uint64_t size,
        std::uint64_t packedSize, std::uint32_t checksum, std::uint16_t flags = 0)
    {
        const std::uint64_t offset = m_local.size();
        const std::uint32_t ones = 0xffffffffu;
        const std::string sizes = littleEndian(size) + littleEndian(packedSize);
        const std::string extra
            = zip64 ? littleEndian(std::uint16_t(1)) + littleEndian(std::uint16_t(16)) + sizes : "";
        const std::string farExtra = zip64
            ? littleEndian(std::uint16_t(1)) + littleEndian(std::uint16_t(24)) + sizes + littleEndian(offset)
            : "";
        const std::string shared = littleEndian(flags) + littleEndian(method)
            + littleEndian(std::uint32_t(0x2821)) + littleEndian(checksum)
            + littleEndian(zip64 ? ones : static_cast<std::uint32_t>(packedSize))
            + littleEndian(zip64 ? ones : static_cast<std::uint32_t>(size))
            + littleEndian(static_cast<std::uint16_t>(name.size()));
        m_local += "PK\3\4" + littleEndian(std::uint16_t(zip64 ? 45 : 20)) + shared
            + littleEndian(static_cast<std::uint16_t>(extra.size())) + name + extra + bytes;
        m_central += "PK\1\2" + littleEndian(std::uint16_t(45)) + littleEndian(std::uint16_t(zip64 ? 45 : 20))
            + shared + littleEndian(static_cast<std::uint16_t>(farExtra.size())) + std::string(10, '\0')
            + littleEndian(zip64 ? ones : static_cast<std::uint32_t>(offset)) + name + farExtra;
        ++m_count;
    }

    std::string bytes() const
    {
        const std::uint64_t at = m_local.size(), size = m_central.size();
        std::string file = m_local + m_central;
        if (zip64) {
            file += "PK\6\6" + littleEndian(std::uint64_t(44)) + littleEndian(std::uint16_t(45))
                + littleEndian(std::uint16_t(45)) + std::string(8, '\0') + littleEndian(m_count)
                + littleEndian(m_count) + littleEndian(size) + littleEndian(at);
            file
                += "PK\6\7" + std::string(4, '\0') + littleEndian(at + size) + littleEndian(std::uint32_t(1));
        }
        const auto small = static_cast<std::uint16_t>(zip64 ? 0xffffu : m_count);
        return file + "PK\5\6" + std::string(4, '\0') + littleEndian(small) + littleEndian(small)
            + littleEndian(zip64 ? 0xffffffffu : static_cast<std::uint32_t>(size))
            + littleEndian(zip64 ? 0xffffffffu : static_cast<std::uint32_t>(at)) + std::string(2, '\0');
    }

private:
    void add(const std::string& name, const std::string& data, const std::string& bytes, std::uint16_t method)
    {
        raw(name, bytes, method, data.size(), bytes.size(),
            static_cast<std::uint32_t>(
                crc32(0, reinterpret_cast<const Bytef*>(data.data()), static_cast<uInt>(data.size()))));
    }

    std::string m_local, m_central;
    std::uint64_t m_count = 0;
};

} // namespace lodestone::testing
