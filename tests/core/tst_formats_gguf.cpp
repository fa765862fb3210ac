// GGUF files and the number formats inside them: known files read back, lying files named.
#include "core/formats/gguf.h"
#include "core/formats/mapped_file.h"
#include "tests/support/allocation_watch.h"
#include "tests/support/gguf_writer.h"
#include "tests/support/result_checks.h"

#include <bit>
#include <cmath>
#include <limits>

using namespace lodestone;
using namespace lodestone::formats;
using namespace lodestone::testing;

namespace {

std::string floats(const std::vector<float>& values)
{
    std::string bytes;
    for (const float value : values)
        bytes += littleEndian(value);
    return bytes;
}

std::span<const std::byte> span(const std::string& bytes)
{
    return std::as_bytes(std::span(bytes.data(), bytes.size()));
}

std::vector<float> dequantised(QuantType type, const std::string& bytes, std::size_t items)
{
    std::vector<float> values(items);
    dequantise(type, span(bytes), values);
    return values;
}

/// Every kind of value and two tensors; the second ends with the file.
GgufWriter sample()
{
    GgufWriter file;
    file.text("general.architecture", "llama");
    file.raw("a.u8", 0, littleEndian(std::uint8_t(200)));
    file.raw("a.i8", 1, littleEndian(std::int8_t(-100)));
    file.raw("a.u16", 2, littleEndian(std::uint16_t(60000)));
    file.raw("a.i16", 3, littleEndian(std::int16_t(-30000)));
    file.integer("a.u32", 4000000000u);
    file.raw("a.i32", 5, littleEndian(std::int32_t(-2000000000)));
    file.raw("a.f32", 6, littleEndian(0.25f));
    file.flag("a.true", true);
    file.flag("a.false", false);
    file.raw("a.u64", 10, littleEndian(std::uint64_t(1) << 40u));
    file.raw("a.huge", 10, littleEndian(std::numeric_limits<std::uint64_t>::max()));
    file.raw("a.i64", 11, littleEndian(std::int64_t(-1) << 40u));
    file.raw("a.f64", 12, littleEndian(0.1));
    file.texts("a.texts", { "one", "", "drei \xc3\xa4" });
    file.integers("a.integers", { 3, -4, 5 });
    file.raw(
        "a.reals", 9,
        littleEndian(std::uint32_t(6)) + littleEndian(std::uint64_t(2)) + floats({ 1.5f, -2.5f }));
    file.raw(
        "a.flags", 9,
        littleEndian(std::uint32_t(7)) + littleEndian(std::uint64_t(3)) + std::string("\1\0\1", 3));
    file.tensor("first", { 3, 2 }, 0, floats({ 1, 2, 3, 4, 5, 6 }));
    file.tensor(
        "second", { 2 }, 1, littleEndian(std::uint16_t(0x3c00)) + littleEndian(std::uint16_t(0xc000)));
    return file;
}

/// One tensor of a given entry and a hundred bytes of data.
std::string withTensor(std::vector<std::uint64_t> shape, std::uint32_t type, std::uint64_t offset = 0)
{
    GgufWriter file;
    file.tensorAt("weights", std::move(shape), type, offset);
    std::string bytes = file.bytes();
    return bytes + std::string(100, '\0');
}

std::string withKey(std::uint32_t kind, const std::string& payload)
{
    GgufWriter file;
    file.raw("some.key", kind, payload);
    return file.bytes();
}

/// Round to nearest even from first principles: the nearer of the two neighbouring halves, found by bisection
/// over all finite ones; a tie goes to the even bit pattern; 65520 and above is infinity.
std::uint16_t nearestHalf(float value)
{
    const std::uint16_t sign = std::signbit(value) ? 0x8000u : 0u;
    const double magnitude = std::abs(static_cast<double>(value));
    if (std::isnan(value))
        return static_cast<std::uint16_t>(sign | 0x7e00u);
    if (magnitude >= 65520)
        return static_cast<std::uint16_t>(sign | 0x7c00u);
    const auto valueOf = [](int bits) {
        const int exponent = bits >> 10, mantissa = bits & 1023;
        return exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(1024 + mantissa, exponent - 25);
    };
    int low = 0, high = 0x7bff; // the largest finite half
    while (low < high) {
        const int middle = (low + high + 1) / 2;
        if (valueOf(middle) <= magnitude)
            low = middle;
        else
            high = middle - 1;
    }
    if (low < 0x7bff) {
        const double below = magnitude - valueOf(low), above = valueOf(low + 1) - magnitude;
        if (above < below || (above == below && low % 2 == 1))
            ++low;
    }
    return static_cast<std::uint16_t>(sign | low);
}

} // namespace

class TestFormatsGguf : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void everyHalfSurvivesTheRoundTrip()
    {
        for (unsigned bits = 0; bits < 65536; ++bits) {
            const auto half = static_cast<std::uint16_t>(bits);
            const float wide = halfToFloat(half);
            const int exponent = (half >> 10) & 31, mantissa = half & 1023;
            if (exponent == 31 && mantissa != 0) {
                QVERIFY(std::isnan(wide));
                QVERIFY(std::isnan(halfToFloat(floatToHalf(wide))));
                continue;
            }
            double expected = exponent == 31 ? std::numeric_limits<double>::infinity()
                : exponent == 0              ? std::ldexp(mantissa, -24)
                                             : std::ldexp(1024 + mantissa, exponent - 25);
            if (half & 0x8000u)
                expected = -expected;
            QCOMPARE(static_cast<double>(wide), expected);
            QCOMPARE(std::signbit(wide), (half & 0x8000u) != 0);
            QCOMPARE(floatToHalf(wide), half);
        }
    }

    void floatsRoundToTheNearestEvenHalf()
    {
        // Around every half and every midpoint between two, one float below and above; then a sweep of bit
        // patterns.
        for (int bits = 0; bits < 0x7c00; ++bits) {
            const float here = halfToFloat(static_cast<std::uint16_t>(bits));
            const float next = bits == 0x7bff ? 65536.0f : halfToFloat(static_cast<std::uint16_t>(bits + 1));
            const float middle = here + (next - here) / 2;
            for (const float value : { here, middle, std::nextafter(here, 1e9f), std::nextafter(middle, 0.0f),
                                       std::nextafter(middle, 1e9f) })
                for (const float signedValue : { value, -value })
                    if (floatToHalf(signedValue) != nearestHalf(signedValue))
                        QFAIL(qPrintable(
                            QStringLiteral("%1").arg(static_cast<double>(signedValue), 0, 'g', 10)));
        }
        for (std::uint64_t bits = 0; bits < (std::uint64_t(1) << 32u); bits += 65521) {
            const auto value = std::bit_cast<float>(static_cast<std::uint32_t>(bits));
            if (std::isnan(value))
                QVERIFY(std::isnan(halfToFloat(floatToHalf(value))));
            else
                QCOMPARE(floatToHalf(value), nearestHalf(value));
        }
        QCOMPARE(floatToHalf(65519.996f), std::uint16_t(0x7bff));
        QCOMPARE(floatToHalf(65520.0f), std::uint16_t(0x7c00));
        QCOMPARE(floatToHalf(-std::numeric_limits<float>::infinity()), std::uint16_t(0xfc00));
    }

    void blocksHaveTheirSizes()
    {
        QCOMPARE(quantBlock(2)->name, std::string_view("Q4_0"));
        QCOMPARE(quantBlock(2)->bytes, 18u);
        QCOMPARE(quantBlock(3)->bytes, 20u);
        QCOMPARE(quantBlock(8)->bytes, 34u);
        for (const std::uint32_t type : { 2u, 3u, 8u })
            QCOMPARE(quantBlock(type)->items, 32u);
        const std::pair<std::uint32_t, std::uint32_t> supers[]
            = { { 10, 84 }, { 11, 110 }, { 12, 144 }, { 13, 176 }, { 14, 210 } };
        for (const auto& [type, bytes] : supers) {
            QCOMPARE(quantBlock(type)->items, 256u);
            QCOMPARE(quantBlock(type)->bytes, bytes);
        }
        for (const std::uint32_t type : { 0u, 1u, 30u })
            QCOMPARE(quantBlock(type)->items, 1u);
        QVERIFY(!quantBlock(4));
        QVERIFY(!quantBlock(0xffffffffu));
    }

    void plainFormatsAreRead()
    {
        QCOMPARE(
            dequantised(QuantType::F32, floats({ 1.5f, -0.0f, 3e38f }), 3),
            (std::vector<float>{ 1.5f, -0.0f, 3e38f }));
        QCOMPARE(
            dequantised(
                QuantType::F16, littleEndian(std::uint16_t(0x3555)) + littleEndian(std::uint16_t(0x8001)), 2),
            (std::vector<float>{ 0.333251953125f, -0x1p-24f }));
        // bfloat16 is the upper half of a float: 0x3fc0 = 1.5, 0xc2f7 = -123.5.
        QCOMPARE(
            dequantised(
                QuantType::BF16, littleEndian(std::uint16_t(0x3fc0)) + littleEndian(std::uint16_t(0xc2f7)),
                2),
            (std::vector<float>{ 1.5f, -123.5f }));
    }

    /// Byte i holds weight i in its low nibble and weight i + 16 in its high one.
    void q4_0IsScaleTimesNibbleLessEight()
    {
        std::string block = littleEndian(std::uint16_t(0x3800)); // 0.5
        std::vector<float> expected(32);
        for (int i = 0; i < 16; ++i) {
            block += static_cast<char>(i | (15 - i) << 4);
            expected[static_cast<std::size_t>(i)] = 0.5f * static_cast<float>(i - 8);
            expected[static_cast<std::size_t>(i + 16)] = 0.5f * static_cast<float>(7 - i);
        }
        QCOMPARE(dequantised(QuantType::Q4_0, block, 32), expected);
        // A second block begins after 18 bytes, with its own scale of -2.
        const std::string second = littleEndian(std::uint16_t(0xc000)) + std::string(16, '\x19');
        const auto both = dequantised(QuantType::Q4_0, block + second, 64);
        QCOMPARE(both[31], expected[31]);
        QCOMPARE(both[32], -2.0f); // 9 - 8 = 1, times -2
        QCOMPARE(both[63], 14.0f); // 1 - 8 = -7, times -2
    }

    void q4_1AddsItsMinimum()
    {
        std::string block
            = littleEndian(std::uint16_t(0x3400)) + littleEndian(std::uint16_t(0xc200)); // 0.25, -3
        std::vector<float> expected(32);
        for (int i = 0; i < 16; ++i) {
            block += static_cast<char>((15 - i) | i << 4);
            expected[static_cast<std::size_t>(i)] = 0.25f * static_cast<float>(15 - i) - 3;
            expected[static_cast<std::size_t>(i + 16)] = 0.25f * static_cast<float>(i) - 3;
        }
        QCOMPARE(dequantised(QuantType::Q4_1, block, 32), expected);
        QCOMPARE(dequantised(QuantType::Q4_1, block + block, 64)[63], expected[31]);
    }

    void q8_0IsScaleTimesSignedByte()
    {
        std::string block = littleEndian(std::uint16_t(0x2e66)); // 0.0999755859375
        std::vector<float> expected(32);
        for (int i = 0; i < 32; ++i) {
            const int weight = i == 0 ? -128 : i == 31 ? 127 : 5 * i - 80;
            block += static_cast<char>(weight);
            expected[static_cast<std::size_t>(i)] = 0.0999755859375f * static_cast<float>(weight);
        }
        QCOMPARE(dequantised(QuantType::Q8_0, block, 32), expected);
        QCOMPARE(dequantised(QuantType::Q8_0, block + block, 64)[32], expected[0]);
    }

    /// 64 blocks of each type, filled by a generator: the bit patterns of all their weights, as a hash and as
    /// four samples, from the dequantisers of the Python package gguf 0.19 on the same bytes.
    void bitPatternsAreThoseOfAnIndependentReader()
    {
        struct Row {
            QuantType type;
            std::vector<std::size_t> halves; ///< where a block holds halves, which the test keeps finite
            std::uint64_t hash; ///< FNV-1a of the floats' bytes
            std::vector<std::uint32_t>
                samples; ///< first, last of the first half block, last of it, very last
        };
        const std::vector<Row> rows{
            { QuantType::Q4_0,
              { 0 },
              0x74ee0dc1b8a5e813u,
              { 0xc0278000u, 0xbea78000u, 0xbf7b4000u, 0xbde36000u } },
            { QuantType::Q4_1,
              { 0, 2 },
              0x3009fb56ed10a6c6u,
              { 0xba26fc00u, 0xbb74ff00u, 0xba973e00u, 0x3db40e00u } },
            { QuantType::Q5_0,
              { 0 },
              0xd12e15f6e1d612a7u,
              { 0xbc2eac00u, 0xbc093e00u, 0x3ac7a000u, 0x3a054000u } },
            { QuantType::Q5_1,
              { 0, 2 },
              0x0fa1fdb76689e324u,
              { 0xbe03a800u, 0xbfad9b00u, 0xbf09ae00u, 0xbea635a0u } },
            { QuantType::Q8_0,
              { 0 },
              0x119525a3b32f8ea5u,
              { 0x3abc3800u, 0x3b083600u, 0x3a8fa400u, 0xbea8b400u } },
            { QuantType::Q2_K,
              { 80, 82 },
              0x4d0fdff630168167u,
              { 0x3fa05c66u, 0x40a0474cu, 0x3f556000u, 0x3c442000u } },
            { QuantType::Q3_K,
              { 108 },
              0xd1a3b1c1136e98ebu,
              { 0x3eb54d00u, 0x80000000u, 0xbd331000u, 0x00000000u } },
            { QuantType::Q4_K,
              { 0, 2 },
              0xe6b7d5414dcbe4efu,
              { 0x3fdf9060u, 0x400397e0u, 0x4046cf80u, 0xc24be1d0u } },
            { QuantType::Q5_K,
              { 0, 2 },
              0x19ebe9dd09a4b135u,
              { 0x4219ffc0u, 0xbf6b2800u, 0x42f2bcd0u, 0xc2c406b7u } },
            { QuantType::Q6_K,
              { 208 },
              0x09f84032d5ec40cdu,
              { 0x42c34d30u, 0x43cd3c78u, 0xc382d8e0u, 0x43b3f400u } },
        };
        for (const Row& row : rows) {
            const QuantBlock& block = *quantBlock(static_cast<std::uint32_t>(row.type));
            constexpr std::size_t blocks = 64;
            std::string bytes;
            auto state = static_cast<std::uint32_t>(row.type);
            for (std::size_t i = 0; i < blocks * block.bytes; ++i) {
                state = state * 1664525u + 1013904223u;
                bytes += static_cast<char>(state >> 24u);
            }
            for (std::size_t b = 0; b < blocks; ++b)
                for (const std::size_t half : row.halves) {
                    char& upper = bytes[b * block.bytes + half + 1];
                    upper = static_cast<char>(static_cast<unsigned char>(upper) & 0xbfu);
                }
            const std::vector<float> weights = dequantised(row.type, bytes, blocks * block.items);
            std::uint64_t hash = 0xcbf29ce484222325u;
            for (const std::byte byte : std::as_bytes(std::span(weights)))
                hash = (hash ^ std::to_integer<std::uint64_t>(byte)) * 0x100000001b3u;
            const std::size_t items = block.items;
            const std::vector<std::uint32_t> samples{ std::bit_cast<std::uint32_t>(weights[0]),
                                                      std::bit_cast<std::uint32_t>(weights[items / 2 - 1]),
                                                      std::bit_cast<std::uint32_t>(weights[items - 1]),
                                                      std::bit_cast<std::uint32_t>(weights.back()) };
            QVERIFY2(samples == row.samples, std::string(block.name).c_str());
            QVERIFY2(hash == row.hash, std::string(block.name).c_str());
        }
    }

    void aWholeFileIsRead()
    {
        const ScratchFolder folder;
        const auto path = folder.write("sample.gguf", sample().bytes());
        const auto file = Gguf::open(path);
        VERIFY_OK(file);
        QCOMPARE(file->path(), path);
        QCOMPARE(file->fileSize(), std::filesystem::file_size(path));
        QCOMPARE(file->text("general.architecture").value(), std::string("llama"));
        const std::pair<const char*, std::int64_t> integers[] = { { "a.u8", 200 },
                                                                  { "a.i8", -100 },
                                                                  { "a.u16", 60000 },
                                                                  { "a.i16", -30000 },
                                                                  { "a.u32", 4000000000 },
                                                                  { "a.i32", -2000000000 },
                                                                  { "a.u64", std::int64_t(1) << 40u },
                                                                  { "a.i64", -(std::int64_t(1) << 40u) } };
        for (const auto& [key, expected] : integers)
            QCOMPARE(file->integer(key).value(), expected);
        QCOMPARE(file->real("a.f32").value(), 0.25);
        QCOMPARE(file->real("a.f64").value(), 0.1);
        QVERIFY(file->flagOr("a.true", false));
        QVERIFY(!file->flagOr("a.false", true));
        QCOMPARE(*file->texts("a.texts").value(), (std::vector<std::string>{ "one", "", "drei \xc3\xa4" }));
        QCOMPARE(*file->integers("a.integers").value(), (std::vector<std::int64_t>{ 3, -4, 5 }));
        QCOMPARE(*file->integers("a.flags").value(), (std::vector<std::int64_t>{ 1, 0, 1 }));
        QCOMPARE(
            std::get<std::vector<double>>(file->metadata().at("a.reals")),
            (std::vector<double>{ 1.5, -2.5 }));
        const GgufTensor& first = *file->tensor("first").value();
        QCOMPARE(first.shape, (std::vector<std::uint64_t>{ 3, 2 }));
        QCOMPARE(first.items, std::uint64_t(6));
        QCOMPARE(first.toFloat(), (std::vector<float>{ 1, 2, 3, 4, 5, 6 }));
        QCOMPARE(file->tensor("second").value()->toFloat(), (std::vector<float>{ 1, -2 }));
    }

    void askingForWhatIsNotThereSaysSo()
    {
        const ScratchFolder folder;
        const auto file = Gguf::open(folder.write("sample.gguf", sample().bytes()));
        VERIFY_OK(file);
        VERIFY_FAILS(file->integer("none"), "sample.gguf", "key 'none'", "no such key");
        VERIFY_FAILS(file->integer("a.f32"), "an integer", "a real number", "key 'a.f32'");
        VERIFY_FAILS(file->integer("a.huge"), "below 2^63", "18446744073709551615");
        VERIFY_FAILS(file->real("a.u8"), "a real number, found an integer");
        VERIFY_FAILS(file->text("a.true"), "a text, found a boolean");
        VERIFY_FAILS(file->texts("a.integers"), "an array of texts", "an array of integers");
        VERIFY_FAILS(file->integers("a.texts"), "an array of integers", "an array of texts");
        VERIFY_FAILS(file->tensor("third"), "a tensor 'third'", "sample.gguf");
        QCOMPARE(file->integerOr("none", 7), std::int64_t(7));
        QCOMPARE(file->realOr("general.architecture", 0.5), 0.5);
        QCOMPARE(file->flagOr("a.u8", true), true);
        QVERIFY(!file->has("none"));
    }

    void alignmentMovesTheData()
    {
        const ScratchFolder folder;
        GgufWriter file;
        file.alignment = 256;
        file.integer("general.alignment", 256);
        file.tensor("weights", { 2 }, 0, floats({ 7, 8 }));
        const auto read = Gguf::open(folder.write("aligned.gguf", file.bytes()));
        VERIFY_OK(read);
        QCOMPARE(read->tensor("weights").value()->toFloat(), (std::vector<float>{ 7, 8 }));
        for (const std::uint32_t alignment : { 65537u, 0xffffffffu }) {
            GgufWriter wrong;
            wrong.integer("general.alignment", alignment);
            VERIFY_FAILS(
                Gguf::open(folder.write("wrong.gguf", wrong.bytes())), "an alignment",
                std::to_string(alignment), "wrong.gguf");
        }
    }

    void whatIsNoGgufIsNamed()
    {
        const ScratchFolder folder;
        VERIFY_FAILS(Gguf::open(folder / "absent.gguf"), "a readable file", "absent.gguf");
        VERIFY_FAILS(Gguf::open(folder.path()), "a regular file", "a folder");
        VERIFY_FAILS(
            Gguf::open(folder.write("empty.gguf", "")), "4 bytes", "0 left", "empty.gguf, byte 0, magic");
        VERIFY_FAILS(
            Gguf::open(folder.write("zip.gguf", "PK\3\4 and more")), "magic 'GGUF'", "0x04034b50",
            "zip.gguf, byte 0");
        GgufWriter old = sample();
        old.version = 1;
        VERIFY_FAILS(
            Gguf::open(folder.write("old.gguf", old.bytes())), "version 2 or 3", "found 1", "byte 4");
        old.version = 2;
        VERIFY_OK(Gguf::open(folder.write("two.gguf", old.bytes())));
        old.version = 0x03000000; // big-endian
        VERIFY_FAILS(Gguf::open(folder.write("big.gguf", old.bytes())), "version 2 or 3", "50331648");
    }

    void everyTruncationIsAnError()
    {
        const ScratchFolder folder;
        const std::string whole = sample().bytes();
        VERIFY_OK(Gguf::open(folder.write("cut.gguf", whole)));
        largestAllocation = 0;
        for (std::size_t length = 0; length < whole.size(); ++length) {
            const auto cut = Gguf::open(folder.write("cut.gguf", std::string_view(whole).substr(0, length)));
            QVERIFY2(!cut, qPrintable(QString::number(length)));
            VERIFY_FAILS(cut, "cut.gguf", "expected", "found");
        }
        QVERIFY(largestAllocation < std::size_t(1) << 20u);
    }

    /// Eight bytes of ones, of the sign bit, or of a plausible million at every place of the file in turn.
    void lyingBytesNeverCrashOrAllocate()
    {
        const ScratchFolder folder;
        const std::string whole = sample().bytes();
        largestAllocation = 0;
        for (const std::uint64_t lie :
             { ~std::uint64_t(0), std::uint64_t(1) << 63u, std::uint64_t(1000000), std::uint64_t(0) })
            for (std::size_t at = 0; at + 8 <= whole.size(); ++at) {
                std::string bytes = whole;
                bytes.replace(at, 8, littleEndian(lie));
                const auto file = Gguf::open(folder.write("lie.gguf", bytes));
                if (!file)
                    QVERIFY(file.error().message().size() < 400);
                else
                    for (const auto& [name, tensor] : file->tensors())
                        QVERIFY(tensor.toFloat().size() == tensor.items);
            }
        QVERIFY2(largestAllocation < std::size_t(1) << 20u, qPrintable(QString::number(largestAllocation)));
    }

    void lyingCountsAreNamed()
    {
        const ScratchFolder folder;
        std::string bytes = sample().bytes();
        bytes.replace(8, 8, littleEndian(std::uint64_t(1) << 60u));
        VERIFY_FAILS(
            Gguf::open(folder.write("tensors.gguf", bytes)), "counts that fit the file",
            "1152921504606846976 tensors", "tensors.gguf, byte 8");
        bytes = sample().bytes();
        bytes.replace(16, 8, littleEndian(~std::uint64_t(0)));
        VERIFY_FAILS(
            Gguf::open(folder.write("keys.gguf", bytes)), "counts that fit the file",
            "18446744073709551615 keys");

        const auto array = [](std::uint32_t kind, std::uint64_t count) {
            return littleEndian(kind) + littleEndian(count) + std::string(64, '\0');
        };
        VERIFY_FAILS(
            Gguf::open(folder.write("array.gguf", withKey(9, array(8, std::uint64_t(1) << 61u)))),
            "array elements", "some.key", "array.gguf, byte ");
        VERIFY_FAILS(
            Gguf::open(folder.write("array.gguf", withKey(9, array(0, 1000)))), "1000 array elements",
            "bytes left");
        VERIFY_FAILS(
            Gguf::open(folder.write("array.gguf", withKey(9, array(9, 1)))), "an array of numbers",
            "element type 9");
        VERIFY_FAILS(Gguf::open(folder.write("array.gguf", withKey(9, array(99, 1)))), "element type 99");
        VERIFY_FAILS(
            Gguf::open(folder.write("kind.gguf", withKey(13, std::string(64, '\0')))),
            "a metadata type from 0 to 12", "found 13", "some.key");
        VERIFY_FAILS(
            Gguf::open(folder.write("text.gguf", withKey(8, littleEndian(~std::uint64_t(0)) + "abc"))),
            "18446744073709551615 bytes", "some.key");
        std::string longKey = sample().bytes();
        longKey.replace(24, 8, littleEndian(std::uint64_t(1) << 62u));
        VERIFY_FAILS(
            Gguf::open(folder.write("key.gguf", longKey)), "4611686018427387904 bytes",
            "key.gguf, byte 32, key 0");
    }

    void lyingTensorsAreNamed()
    {
        const ScratchFolder folder;
        const auto open = [&](const std::string& bytes) { return Gguf::open(folder.write("t.gguf", bytes)); };
        constexpr std::uint64_t big = std::uint64_t(1) << 32u;
        VERIFY_OK(open(withTensor({ 5, 5 }, 0)));
        VERIFY_FAILS(open(withTensor({ 26, 1 }, 0)), "104 bytes of tensor data", "t.gguf, tensor 'weights'");
        VERIFY_FAILS(open(withTensor({ 5, 5 }, 0, 1)), "100 bytes of tensor data");
        VERIFY_FAILS(
            open(withTensor({ 1 }, 0, ~std::uint64_t(0) - 3)), "4 bytes of tensor data", "tensor 'weights'");
        VERIFY_FAILS(open(withTensor({ big, big }, 0)), "a shape whose product fits", "weights");
        VERIFY_FAILS(open(withTensor({ big, big, big, big }, 0)), "a shape whose product fits");
        VERIFY_FAILS(
            open(withTensor({ big, big / 32 }, 0)), "bytes of tensor data"); // fits 64 bits, not the file
        VERIFY_FAILS(open(withTensor({ 4, 0 }, 0)), "a shape whose product fits", "dimension 1 of 0");
        VERIFY_FAILS(open(withTensor({ 1, 1, 1, 1, 1 }, 0)), "at most 4 dimensions", "found 5");
        VERIFY_FAILS(open(withTensor({ 4 }, 9)), "a tensor type among F32", "type number 9", "weights");
        VERIFY_FAILS(open(withTensor({ 33 }, 2)), "a multiple of 32 weights for Q4_0", "found 33");
        VERIFY_OK(open(withTensor({ 32, 5 }, 2)));
        VERIFY_FAILS(open(withTensor({ 32, 6 }, 2)), "108 bytes of tensor data");
        VERIFY_OK(open(withTensor({}, 0)));

        GgufWriter twice;
        twice.tensor("same", { 1 }, 0, floats({ 1 }));
        twice.tensor("same", { 1 }, 0, floats({ 2 }));
        VERIFY_FAILS(open(twice.bytes()), "each tensor once", "tensor 'same'");
    }

    /// A damaged file may hold a name as long as itself; the sentence about it stays one.
    void aLongNameIsShortenedInTheMessage()
    {
        const ScratchFolder folder;
        GgufWriter file;
        file.raw("key" + std::string(100000, 'x'), 99, "");
        const auto opened = Gguf::open(folder.write("long.gguf", file.bytes() + std::string(100, '\0')));
        VERIFY_FAILS(opened, "long.gguf", "keyxxx");
        QVERIFY2(
            opened.error().message().size() < 400,
            qPrintable(QString::number(opened.error().message().size())));
    }

    void mapsAreMovable()
    {
        const ScratchFolder folder;
        auto first = MappedFile::open(folder.write("a", "alpha"));
        auto second = MappedFile::open(folder.write("b", ""));
        VERIFY_OK(first);
        VERIFY_OK(second);
        QCOMPARE(second->bytes().size(), std::size_t(0));
        MappedFile moved = std::move(*first);
        QCOMPARE(moved.bytes().size(), std::size_t(5));
        moved = std::move(*second);
        QCOMPARE(moved.bytes().size(), std::size_t(0));
        QCOMPARE(moved.path().filename().string(), std::string("b"));
    }
};

QTEST_GUILESS_MAIN(TestFormatsGguf)
#include "tst_formats_gguf.moc"
