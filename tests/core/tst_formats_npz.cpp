// .npz archives: stored, deflated and ZIP64, arrays in both orders; what is no array is named, what lies is
// refused.
#include "core/formats/npz.h"
#include "core/formats/zip_archive.h"
#include "tests/support/allocation_watch.h"
#include "tests/support/result_checks.h"
#include "tests/support/zip_writer.h"

using namespace lodestone;
using namespace lodestone::formats;
using namespace lodestone::testing;

namespace {

std::string
npy(const std::string& descr, const std::string& shape, const std::string& data, bool fortran = false)
{
    std::string text = "{'descr': '" + descr + "', 'fortran_order': " + (fortran ? "True" : "False")
        + ", 'shape': " + shape + ", }";
    text.resize((10 + text.size() + 64) / 64 * 64 - 11, ' ');
    text += '\n';
    return std::string("\x93NUMPY\1\0", 8) + littleEndian(static_cast<std::uint16_t>(text.size())) + text
        + data;
}

std::string floats(const std::vector<float>& values)
{
    std::string bytes;
    for (const float value : values)
        bytes += littleEndian(value);
    return bytes;
}

/// A vector, a matrix in column order, texts and a pickle.
ZipWriter sample(bool packed, bool zip64 = false)
{
    ZipWriter zip;
    zip.zip64 = zip64;
    const auto add = [&](const std::string& name, const std::string& data) {
        if (packed)
            zip.packed(name, data);
        else
            zip.stored(name, data);
    };
    add("line.npy", npy("<f4", "(3,)", floats({ 1, -2, 3.5f })));
    add("turned.npy", npy("<f4", "(2, 3)", floats({ 11, 21, 12, 22, 13, 23 }), true));
    add("tokens.npy", npy("|O", "(3,)", "\x80\x04\x95 a pickle that is never looked into"));
    add("model.npy", npy("<U2", "()", "Q\0\0\0w\0\0\0"));
    add("layer.npy", npy("<i8", "()", littleEndian(std::int64_t(12))));
    return zip;
}

} // namespace

class TestFormatsNpz : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void everyKindOfArchiveIsRead_data()
    {
        QTest::addColumn<bool>("packed");
        QTest::addColumn<bool>("zip64");
        QTest::newRow("stored") << false << false;
        QTest::newRow("deflated") << true << false;
        QTest::newRow("stored, ZIP64") << false << true;
        QTest::newRow("deflated, ZIP64") << true << true;
    }
    void everyKindOfArchiveIsRead()
    {
        QFETCH(bool, packed);
        QFETCH(bool, zip64);
        const ScratchFolder folder;
        const std::string bytes = sample(packed, zip64).bytes();
        const auto read = openNpz(folder.write("a.npz", bytes));
        VERIFY_OK(read);
        QCOMPARE(read->bytes, std::uint64_t(bytes.size()));
        QCOMPARE(read->tensors.size(), std::size_t(3));
        QCOMPARE(read->tensor("line").value()->toFloat(), (std::vector<float>{ 1, -2, 3.5f }));
        QCOMPARE(read->tensor("turned").value()->toFloat(), (std::vector<float>{ 11, 12, 13, 21, 22, 23 }));
        QCOMPARE(read->tensor("turned").value()->shape, (std::vector<std::uint64_t>{ 2, 3 }));
        QCOMPARE(read->tensor("layer").value()->toFloat(), (std::vector<float>{ 12 }));
        QCOMPARE(read->leftOut, (std::vector<std::string>{ "tokens (|O)", "model (<U2)" }));
    }

    /// The bytes of a compressed array of zeros stand for many more, and no more than those are made.
    void whatIsUnpackedIsWhatTheArraySays()
    {
        const ScratchFolder folder;
        ZipWriter zip;
        zip.packed("zeros.npy", npy("<f4", "(1000, 250)", std::string(1000000, '\0')));
        const std::string bytes = zip.bytes();
        QVERIFY(bytes.size() < 4000);
        const auto path = folder.write("zeros.npz", bytes);
        largestAllocation = 0;
        const auto read = openNpz(path);
        VERIFY_OK(read);
        QCOMPARE(read->only().value()->items(), std::uint64_t(250000));
        QVERIFY(largestAllocation < 2100000);
    }

    void liesAreNamed_data()
    {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<QByteArray>("expected");
        QTest::addColumn<QByteArray>("where");
        const auto row
            = [](const char* name, const std::string& bytes, const char* expected, const char* where) {
                  QTest::newRow(name)
                      << QByteArray::fromStdString(bytes) << QByteArray(expected) << QByteArray(where);
              };
        const auto one = [](const std::string& name, const std::string& data) {
            ZipWriter zip;
            zip.stored(name, data);
            return zip.bytes();
        };
        const std::string data = npy("<f4", "(2,)", floats({ 1, 2 }));
        const auto checksum = static_cast<std::uint32_t>(
            crc32(0, reinterpret_cast<const Bytef*>(data.data()), static_cast<uInt>(data.size())));
        const auto lying = [&](const std::string& bytes, std::uint16_t method, std::uint64_t size,
                               std::uint64_t packed, std::uint32_t sum, std::uint16_t flags = 0) {
            ZipWriter zip;
            zip.zip64 = true;
            zip.raw("x.npy", bytes, method, size, packed, sum, flags);
            return zip.bytes();
        };
        row("empty", "", "a zip archive", "byte 0");
        row("no zip", "GGUF....", "a zip archive, found other bytes", "byte 0");
        row("only a magic", "PK\3\4", "a zip archive", "bad.npz");
        row("another name", one("x.txt", data), "entries called NAME.npy", "entry 'x.txt'");
        row("no name", one(".npy", data), "entries called NAME.npy", "entry '.npy'");
        row("no array", one("x.npy", "hello"), "6 bytes", "entry 'x.npy'");
        row("too short for its shape", one("x.npy", npy("<f4", "(3,)", floats({ 1, 2 }))),
            "140 bytes for shape (3,), found 136", "entry 'x.npy'");
        row("too long for its shape", one("x.npy", npy("<f4", "(1,)", floats({ 1, 2 }))),
            "132 bytes for shape (1,), found 136", "entry 'x.npy'");
        row("overflow", one("x.npy", npy("<f8", "(4294967296, 4294967296)", "")),
            "a shape whose product fits", "entry 'x.npy', key 'shape'");
        row("checksum", lying(data, 0, data.size(), data.size(), checksum + 1), "entry data in order",
            "entry 'x.npy'");
        row("packed checksum", lying(deflated(data), 8, data.size(), deflated(data).size(), checksum ^ 1u),
            "entry data in order", "entry 'x.npy'");
        row("stored with two sizes", lying(data, 0, data.size() + 8, data.size(), checksum),
            "entries that fit the archive", "entry 'x.npy'");
        row("stored beyond the archive", lying(data, 0, 1u << 30u, 1u << 30u, checksum),
            "entries that fit the archive", "found 1073741824 bytes packed as 1073741824");
        row("beyond 63 bits", lying(data, 0, ~std::uint64_t(0), ~std::uint64_t(0), checksum), "bad.npz",
            "expected");
        row("packed claims terabytes",
            lying(deflated(data), 8, std::uint64_t(1) << 41u, deflated(data).size(), checksum),
            "entry 'x.npy'", "expected");
        const std::string tera = npy("<f4", "(549755813856,)", floats({ 1, 2 }));
        row("head and directory claim terabytes",
            lying(
                deflated(tera), 8, 128 + 4 * std::uint64_t(549755813856), deflated(tera).size(),
                static_cast<std::uint32_t>(
                    crc32(0, reinterpret_cast<const Bytef*>(tera.data()), static_cast<uInt>(tera.size())))),
            "entry 'x.npy'", "expected");
        row("encrypted", lying(data, 0, data.size(), data.size(), checksum, 1), "entries without encryption",
            "entry 'x.npy'");
        row("another method", lying(data, 12, data.size(), data.size(), checksum),
            "stored or deflated entries, found method 12", "entry 'x.npy'");
        row("broken stream", lying(std::string(40, '\xff'), 8, data.size(), 40, checksum),
            "entry data in order", "entry 'x.npy'");
        ZipWriter twice;
        twice.stored("x.npy", data);
        twice.stored("x.npy", data);
        row("twice", twice.bytes(), "each entry once", "entry 'x.npy'");
    }
    void liesAreNamed()
    {
        QFETCH(QByteArray, bytes);
        QFETCH(QByteArray, expected);
        QFETCH(QByteArray, where);
        const ScratchFolder folder;
        const auto path = folder.write("bad.npz", bytes.toStdString());
        largestAllocation = 0;
        const auto read = openNpz(path);
        VERIFY_FAILS(read, "bad.npz", expected.toStdString(), where.toStdString());
        QCOMPARE(read.error().kind, ErrorKind::BadInput);
        QVERIFY(largestAllocation < std::size_t(1) << 16u);
    }

    void everyTruncationIsAnError()
    {
        const ScratchFolder folder;
        for (const bool zip64 : { false, true }) {
            const std::string whole = sample(true, zip64).bytes();
            for (std::size_t length = 0; length < whole.size(); ++length)
                VERIFY_FAILS(
                    openNpz(folder.write("cut.npz", std::string_view(whole).substr(0, length))), "cut.npz");
        }
    }

    /// Every byte changed: an error, or arrays of sizes that the archive can hold; nothing large is asked
    /// for.
    void lyingBytesNeverCrashOrAllocate()
    {
        const ScratchFolder folder;
        for (const bool zip64 : { false, true }) {
            const std::string whole = sample(!zip64, zip64).bytes();
            int refused = 0;
            for (std::size_t i = 0; i < whole.size(); ++i) {
                std::string bytes = whole;
                bytes[i] = static_cast<char>(bytes[i] ^ 0xff);
                const auto path = folder.write("lie.npz", bytes);
                largestAllocation = 0;
                const auto read = openNpz(path);
                refused += read ? 0 : 1;
                if (read)
                    for (const auto& [name, tensor] : read->tensors)
                        QVERIFY(tensor.toFloat().size() <= 6);
                QVERIFY(largestAllocation < std::size_t(1) << 16u);
            }
            QVERIFY(refused > static_cast<int>(whole.size() / 4));
        }
    }

    void aSingleArrayIsASourceToo()
    {
        const ScratchFolder folder;
        const auto read
            = openNpyTensor(folder.write("x.npy", npy("<f2", "(2,)", std::string("\0\x3c\0\xc0", 4))));
        VERIFY_OK(read);
        QCOMPARE(read->format, std::string("npy"));
        QCOMPARE(read->tensor("array").value()->toFloat(), (std::vector<float>{ 1, -2 }));
    }
};

QTEST_GUILESS_MAIN(TestFormatsNpz)
#include "tst_formats_npz.moc"
