// Reads GGUF, the one-file format of llama.cpp: metadata, tokenizer and tensors, looked at in place.
#pragma once

#include "core/formats/mapped_file.h"
#include "core/formats/quant.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace lodestone::formats {

/// One metadata value. Integers are widened to 64 bits, floats to double; arrays are of one kind.
using GgufValue = std::variant<
    std::uint64_t, std::int64_t, double, bool, std::string, std::vector<std::string>,
    std::vector<std::int64_t>, std::vector<double>>;

/// One tensor: dimensions fastest first, as the file has them.
struct GgufTensor {
    std::string name;
    std::vector<std::uint64_t> shape;
    QuantType type = QuantType::F32;
    std::uint64_t items = 0;
    std::span<const std::byte> bytes;

    /// All weights as float32, in file order (row-major when the shape is read from its end).
    std::vector<float> toFloat() const;
};

/// A GGUF file of version 2 or 3. Nothing is allocated on a header's word: every count is checked against the
/// bytes that are left, every tensor against the file's end and against overlaps of shape products.
class Gguf {
public:
    static Result<Gguf> open(const std::filesystem::path& path);
    static Result<Gguf> read(MappedFile file);

    const std::filesystem::path& path() const { return m_file.path(); }
    void forgetPages() const { m_file.forgetPages(); } ///< as MappedFile does
    std::uint64_t fileSize() const { return m_file.bytes().size(); }
    const std::map<std::string, GgufValue, std::less<>>& metadata() const { return m_metadata; }
    const std::map<std::string, GgufTensor, std::less<>>& tensors() const { return m_tensors; }

    bool has(std::string_view key) const { return m_metadata.find(key) != m_metadata.end(); }
    Result<std::int64_t> integer(std::string_view key) const;
    Result<double> real(std::string_view key) const;
    Result<std::string> text(std::string_view key) const;
    Result<const std::vector<std::string>*> texts(std::string_view key) const;
    Result<const std::vector<std::int64_t>*> integers(std::string_view key) const;
    std::int64_t integerOr(std::string_view key, std::int64_t fallback) const;
    double realOr(std::string_view key, double fallback) const;
    bool flagOr(std::string_view key, bool fallback) const;
    /// A tensor that must be there.
    Result<const GgufTensor*> tensor(std::string_view name) const;

private:
    explicit Gguf(MappedFile file)
        : m_file(std::move(file))
    {
    }
    Result<void> parse();

    MappedFile m_file;
    std::map<std::string, GgufValue, std::less<>> m_metadata;
    std::map<std::string, GgufTensor, std::less<>> m_tensors;
};

} // namespace lodestone::formats
