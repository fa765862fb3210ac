#include "core/model/verify_weights.h"

#include "core/model/model_source.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <set>

namespace lodestone::model {
namespace {

using formats::QuantType;

/// One block's bytes, bit by bit.
class Bits {
public:
    explicit Bits(const std::byte* block)
        : m_block(block)
    {
    }
    unsigned byte(std::uint32_t at) const { return static_cast<unsigned>(m_block[at]); }
    int signedByte(std::uint32_t at) const { return static_cast<int>(static_cast<std::int8_t>(m_block[at])); }
    unsigned low(std::uint32_t at) const { return byte(at) & 15u; }
    unsigned high(std::uint32_t at) const { return byte(at) >> 4u; }
    unsigned bit(std::uint32_t at, std::uint32_t index) const
    {
        return byte(at + index / 8) >> (index % 8) & 1u;
    }
    unsigned two(std::uint32_t at, std::uint32_t index) const { return byte(at) >> (2 * index) & 3u; }
    /// IEEE 754 half: sign, five bits of exponent, ten of fraction.
    double half(std::uint32_t at) const
    {
        const unsigned bits = byte(at) | byte(at + 1) << 8u;
        const double sign = (bits & 0x8000u) != 0 ? -1 : 1;
        const int exponent = static_cast<int>(bits >> 10u & 31u);
        const double fraction = (bits & 1023u) / 1024.0;
        if (exponent == 31)
            return fraction == 0 ? sign * HUGE_VAL : NAN;
        return exponent == 0 ? sign * std::ldexp(fraction, -14)
                             : sign * std::ldexp(1 + fraction, exponent - 15);
    }

private:
    const std::byte* m_block;
};

/// Scale and minimum number s of Q4_K and Q5_K: six bits each, spread over twelve bytes.
std::pair<unsigned, unsigned> scaleAndMinimum(const Bits& bits, std::uint32_t at, std::uint32_t s)
{
    if (s < 4)
        return { bits.byte(at + s) & 63u, bits.byte(at + s + 4) & 63u };
    return { bits.low(at + s + 4) | bits.byte(at + s - 4) >> 6u << 4u,
             bits.high(at + s + 4) | bits.byte(at + s) >> 6u << 4u };
}

double q2K(const Bits& bits, std::uint32_t i) // scales 16, quants 64, d, dmin
{
    const unsigned q = bits.two(16 + 32 * (i / 128) + i % 32, i % 128 / 32);
    return bits.half(80) * bits.low(i / 16) * q - bits.half(82) * bits.high(i / 16);
}

double q3K(const Bits& bits, std::uint32_t i) // high bits 32, quants 64, scales 12, d
{
    const std::uint32_t s = i / 16, part = i / 32; // each byte of the mask holds one bit of every part
    const int q = static_cast<int>(bits.two(32 + 32 * (i / 128) + i % 32, i % 128 / 32))
        - ((bits.byte(i % 32) >> part & 1u) != 0 ? 0 : 4);
    const unsigned lowBits = s < 8 ? bits.low(96 + s) : bits.high(96 + s - 8);
    const int scale = static_cast<int>(lowBits | bits.two(96 + 8 + s % 4, s / 4) << 4u) - 32;
    return bits.half(108) * scale * q;
}

double q4K(const Bits& bits, std::uint32_t i) // d, dmin, scales 12, quants 128
{
    const std::uint32_t at = 16 + 32 * (i / 64) + i % 32;
    const unsigned q = i % 64 < 32 ? bits.low(at) : bits.high(at);
    const auto [scale, minimum] = scaleAndMinimum(bits, 4, i / 32);
    return bits.half(0) * scale * q - bits.half(2) * minimum;
}

double q5K(const Bits& bits, std::uint32_t i) // d, dmin, scales 12, high bits 32, quants 128
{
    const std::uint32_t at = 48 + 32 * (i / 64) + i % 32;
    const unsigned q
        = (i % 64 < 32 ? bits.low(at) : bits.high(at)) | (bits.byte(16 + i % 32) >> (i / 32) & 1u) << 4u;
    const auto [scale, minimum] = scaleAndMinimum(bits, 4, i / 32);
    return bits.half(0) * scale * q - bits.half(2) * minimum;
}

double q6K(const Bits& bits, std::uint32_t i) // low bits 128, high bits 64, scales 16, d
{
    const std::uint32_t part = i % 128 / 32, l = i % 32;
    const std::uint32_t at = 64 * (i / 128) + l + (part % 2 == 1 ? 32 : 0);
    const unsigned q
        = (part < 2 ? bits.low(at) : bits.high(at)) | bits.two(128 + 32 * (i / 128) + l, part) << 4u;
    return bits.half(208) * bits.signedByte(192 + i / 16) * (static_cast<int>(q) - 32);
}

} // namespace

double weightInBlock(QuantType type, const std::byte* block, std::uint32_t i)
{
    const Bits bits(block);
    // The four oldest types hold two weights a byte: the first half of the block below, the second above.
    const auto nibble = [&](std::uint32_t at) { return i < 16 ? bits.low(at + i) : bits.high(at + i - 16); };
    switch (type) {
    case QuantType::Q4_0:
        return bits.half(0) * (static_cast<int>(nibble(2)) - 8);
    case QuantType::Q4_1:
        return bits.half(0) * nibble(4) + bits.half(2);
    case QuantType::Q5_0:
        return bits.half(0) * (static_cast<int>(nibble(6) | bits.bit(2, i) << 4u) - 16);
    case QuantType::Q5_1:
        return bits.half(0) * (nibble(8) | bits.bit(4, i) << 4u) + bits.half(2);
    case QuantType::Q8_0:
        return bits.half(0) * bits.signedByte(2 + i);
    case QuantType::Q2_K:
        return q2K(bits, i);
    case QuantType::Q3_K:
        return q3K(bits, i);
    case QuantType::Q4_K:
        return q4K(bits, i);
    case QuantType::Q5_K:
        return q5K(bits, i);
    case QuantType::Q6_K:
        return q6K(bits, i);
    case QuantType::F16:
        return bits.half(0);
    case QuantType::BF16: {
        const std::uint32_t word = (bits.byte(0) | bits.byte(1) << 8u) << 16u;
        return static_cast<double>(std::bit_cast<float>(word));
    }
    case QuantType::F32: {
        float value = 0;
        std::memcpy(&value, block, sizeof value);
        return static_cast<double>(value);
    }
    }
    return NAN;
}

Result<Check> checkDequantisation(const std::filesystem::path& path)
{
    Check check{ "dequantisation matches bit patterns", true, 0, 1e-6,
                 "largest error over the row's largest number" };
    LODESTONE_TRY(const auto source, ModelSource::open(path));
    if (source->format() != "GGUF") {
        check.detail = "the weights are plain numbers";
        return check;
    }
    LODESTONE_TRY(const formats::Gguf file, formats::Gguf::open(path));
    std::set<std::string> types;
    for (const auto& [name, tensor] : file.tensors()) {
        const formats::QuantBlock& block = *formats::quantBlock(static_cast<std::uint32_t>(tensor.type));
        types.insert(std::string(block.name));
        if (tensor.items == 0)
            continue;
        LODESTONE_TRY(const Weights weights, source->weights(name));
        const std::uint64_t rows = tensor.shape.size() < 2 ? 1 : tensor.items / tensor.shape[0];
        const std::uint64_t columns = tensor.items / rows;
        std::vector<float> row(static_cast<std::size_t>(columns));
        for (const std::uint64_t r : { std::uint64_t(0), rows - 1 }) {
            weights.read(tensor.shape.size() < 2 ? 0 : r, tensor.shape.size() < 2 ? columns : 1, row.data());
            double largest = 1e-30, error = 0;
            for (std::uint64_t c = 0; c < columns; ++c) {
                const std::uint64_t item = r * columns + c;
                const double exact = weightInBlock(
                    tensor.type, tensor.bytes.data() + item / block.items * block.bytes,
                    static_cast<std::uint32_t>(item % block.items));
                largest = std::max(largest, std::abs(exact));
                error = std::max(
                    error, std::abs(exact - static_cast<double>(row[static_cast<std::size_t>(c)])));
            }
            check.value = std::max(check.value, error / largest);
        }
    }
    check.ok = check.value <= check.limit;
    for (const std::string& type : types)
        check.detail += (type == *types.begin() ? "; " : ", ") + type;
    return check;
}

} // namespace lodestone::model
