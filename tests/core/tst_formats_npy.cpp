// Arrays that numpy can read: bytes as numpy writes them are read, ours are written as numpy reads them, lies
// are named.
#include "core/formats/npy.h"
#include "core/formats/quant.h"
#include "tests/support/allocation_watch.h"
#include "tests/support/gguf_writer.h"
#include "tests/support/result_checks.h"

#include <cmath>
#include <limits>

using namespace lodestone;
using namespace lodestone::formats;
using namespace lodestone::testing;

namespace {

/// A file with the given header text, padded as the format asks, and data.
std::string npy(const std::string& dictionary, std::string_view data, int version = 1)
{
    const std::size_t fixed = version == 1 ? 10 : 12;
    std::string text = dictionary;
    text.resize((fixed + text.size() + 64) / 64 * 64 - fixed - 1, ' ');
    text += '\n';
    std::string bytes = "\x93NUMPY" + std::string(1, static_cast<char>(version)) + std::string(1, '\0');
    bytes += version == 1 ? littleEndian(static_cast<std::uint16_t>(text.size()))
                          : littleEndian(static_cast<std::uint32_t>(text.size()));
    return bytes + text + std::string(data);
}

std::string dictionary(const std::string& descr, const std::string& shape, bool fortran = false)
{
    return "{'descr': '" + descr + "', 'fortran_order': " + (fortran ? "True" : "False")
        + ", 'shape': " + shape + ", }";
}

template <typename Number>
std::string numbers(const std::vector<Number>& values)
{
    std::string bytes;
    for (const Number value : values)
        bytes += littleEndian(value);
    return bytes;
}

RowMatrix matrix(Eigen::Index rows, Eigen::Index columns, const std::vector<float>& values)
{
    return Eigen::Map<const RowMatrix>(values.data(), rows, columns);
}

} // namespace

class TestFormatsNpy : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void everyElementTypeIsRead_data()
    {
        QTest::addColumn<QByteArray>("descr");
        QTest::addColumn<QByteArray>("data");
        QTest::addColumn<QList<float>>("expected");
        const auto row = [](const char* descr, const std::string& data, QList<float> expected) {
            QTest::newRow(descr) << QByteArray(descr) << QByteArray::fromStdString(data) << expected;
        };
        row("<f2", numbers<std::uint16_t>({ 0x3e00, 0xc400, 0x0001, 0x7bff }), { 1.5f, -4, 0x1p-24f, 65504 });
        row("<f4", numbers<float>({ 1.5f, -2, 3e38f, 1e-40f }), { 1.5f, -2, 3e38f, 1e-40f });
        row("<f8", numbers<double>({ 0.1, -1e300, 1e-300, 7 }),
            { 0.1f, -std::numeric_limits<float>::infinity(), 0, 7 });
        row("|i1", numbers<std::int8_t>({ -128, 127, 0, -1 }), { -128, 127, 0, -1 });
        row("|u1", numbers<std::uint8_t>({ 255, 128, 0, 1 }), { 255, 128, 0, 1 });
        row("<i2", numbers<std::int16_t>({ -32768, 32767, 0, -1 }), { -32768, 32767, 0, -1 });
        row("<i4", numbers<std::int32_t>({ -2147483647 - 1, 16777216, 0, -1 }),
            { -2147483648.0f, 16777216, 0, -1 });
        row("<i8", numbers<std::int64_t>({ std::int64_t(1) << 40u, -5, 0, 1 }),
            { 1099511627776.0f, -5, 0, 1 });
        row("|b1", std::string("\1\0\0\1", 4), { 1, 0, 0, 1 });
    }
    void everyElementTypeIsRead()
    {
        QFETCH(QByteArray, descr);
        QFETCH(QByteArray, data);
        QFETCH(QList<float>, expected);
        const ScratchFolder folder;
        for (const int version : { 1, 2, 3 }) {
            const auto array = NpyArray::open(folder.write(
                "a.npy", npy(dictionary(descr.toStdString(), "(2, 2)"), data.toStdString(), version)));
            VERIFY_OK(array);
            QCOMPARE(npyTypeName(array->type()), descr.toStdString());
            QCOMPARE(array->shape(), (std::vector<std::size_t>{ 2, 2 }));
            QVERIFY(!array->columnMajor());
            const RowMatrix values = array->toFloat();
            for (int i = 0; i < 4; ++i)
                QVERIFY(values.data()[i] == expected[i]);
            QVERIFY(array->toFloat(1, 1)(0, 0) == expected[2]);
        }
    }

    void shapesOfAnyRankAreRows()
    {
        const ScratchFolder folder;
        const std::string twelve = numbers<float>({ 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 });
        const auto open = [&](const char* shape) {
            return NpyArray::open(folder.write("a.npy", npy(dictionary("<f4", shape), twelve))).value();
        };
        QCOMPARE(open("()").rows(), std::size_t(1));
        QCOMPARE(open("()").rowItems(), std::size_t(1));
        QCOMPARE(open("(12,)").rows(), std::size_t(12));
        QCOMPARE(open("(12,)").rowItems(), std::size_t(1));
        QCOMPARE(open("(12,)").toFloat()(11, 0), 11.0f);
        const NpyArray cube = open("(2, 3, 2)");
        QCOMPARE(cube.rowItems(), std::size_t(6));
        QVERIFY(cube.toFloat() == matrix(2, 6, { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 }));
        QCOMPARE(open("(0, 5)").toFloat().rows(), Eigen::Index(0));
        QCOMPARE(open("(3, 0)").toFloat().cols(), Eigen::Index(0));
    }

    /// Column-major: element (i, j) stands at i + rows j; in three dimensions (i, j, k) at i + n0 (j + n1 k).
    void fortranOrderIsTurned()
    {
        const ScratchFolder folder;
        const auto flat = NpyArray::open(folder.write(
            "f.npy", npy(dictionary("<f4", "(2, 3)", true), numbers<float>({ 11, 21, 12, 22, 13, 23 }))));
        VERIFY_OK(flat);
        QVERIFY(flat->columnMajor());
        QVERIFY(flat->toFloat() == matrix(2, 3, { 11, 12, 13, 21, 22, 23 }));
        QVERIFY(flat->toFloat(1, 1) == matrix(1, 3, { 21, 22, 23 }));

        std::vector<double> stored(2 * 3 * 4);
        RowMatrix expected(2, 12);
        for (int i = 0; i < 2; ++i)
            for (int j = 0; j < 3; ++j)
                for (int k = 0; k < 4; ++k) {
                    const double value = 100 * i + 10 * j + k;
                    stored[static_cast<std::size_t>(i + 2 * (j + 3 * k))] = value;
                    expected(i, 4 * j + k) = static_cast<float>(value);
                }
        const auto cube = NpyArray::open(
            folder.write("c.npy", npy(dictionary("<f8", "(2, 3, 4)", true), numbers(stored))));
        VERIFY_OK(cube);
        QVERIFY(cube->toFloat() == expected);
        QVERIFY(cube->toFloat(1, 1) == expected.bottomRows(1));
        const auto line = NpyArray::open(
            folder.write("l.npy", npy(dictionary("<f4", "(3,)", true), numbers<float>({ 1, 2, 3 }))));
        QVERIFY(line.value().toFloat() == matrix(3, 1, { 1, 2, 3 }));
    }

    void badHeadersAreNamed_data()
    {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<QByteArray>("expected");
        QTest::addColumn<QByteArray>("where");
        const auto row
            = [](const char* name, const std::string& bytes, const char* expected, const char* where) {
                  QTest::newRow(name)
                      << QByteArray::fromStdString(bytes) << QByteArray(expected) << QByteArray(where);
              };
        const std::string data(64, '\0');
        row("empty", "", "6 bytes", "byte 0, magic");
        row("magic", "PK\3\4 not an array", "a .npy file", "byte 0");
        row("version 4", npy(dictionary("<f4", "(2,)"), data, 4), "version 1, 2 or 3, found 4", "byte 6");
        row("version 0", npy(dictionary("<f4", "(2,)"), data, 0), "version 1, 2 or 3, found 0", "byte 6");
        row("big-endian", npy(dictionary(">f4", "(2,)"), data),
            "little-endian floats, integers or booleans, found '>f4'", "key 'descr'");
        row("complex", npy(dictionary("<c8", "(2,)"), data), "found '<c8'", "key 'descr'");
        row("object", npy(dictionary("|O", "(2,)"), data), "found '|O'", "key 'descr'");
        row("text", npy(dictionary("<U5", "(2,)"), data), "found '<U5'", "key 'descr'");
        row("structured", npy("{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (2,), }", data),
            "a simple element type", "key 'descr'");
        row("no order", npy("{'descr': '<f4', 'shape': (2,), }", data), "True or False",
            "key 'fortran_order'");
        row("no shape", npy("{'descr': '<f4', 'fortran_order': False, }", data), "a tuple of numbers",
            "key 'shape'");
        row("negative shape", npy(dictionary("<f4", "(-1,)"), data), "a tuple of numbers", "key 'shape'");
        row("lying shape", npy(dictionary("<f4", "(17,)"), data),
            "68 bytes of data for shape (17,), found 64 bytes", "byte 128");
        row("huge dimension", npy(dictionary("<f4", "(99999999999999999999,)"), data),
            "a dimension below 10^15", "key 'shape'");
        row("overflow", npy(dictionary("<f4", "(4294967296, 4294967296)"), data),
            "a shape whose product fits", "key 'shape'");
        row("overflow to 0", npy(dictionary("<f8", "(4294967296, 4294967296, 4)"), data),
            "a shape whose product fits", "key 'shape'");
        row("overflow beside 0", npy(dictionary("<f4", "(0, 100000000000000, 100000000000000)"), data),
            "a shape whose product fits", "key 'shape'");
        row("huge but no overflow", npy(dictionary("<f4", "(1000000, 1000000)"), data),
            "4000000000000 bytes of data", "byte 128");
        std::string longHeader = npy(dictionary("<f4", "(2,)"), data, 2);
        longHeader.replace(8, 4, littleEndian(std::uint32_t(0xffffffff)));
        row("header length", longHeader, "a header of at most 8192 bytes, found 4294967295", "byte 8");
        longHeader.replace(8, 4, littleEndian(std::uint32_t(8000)));
        row("header past the end", longHeader, "8000 bytes", "byte 12, header");
        row("quotes without end", npy("{'descr': '" + std::string(8000, 'x'), data), "a simple element type",
            "key 'descr'");
        row("long type", npy(dictionary("<f4" + std::string(8000, 'x'), "(2,)"), data),
            "little-endian floats", "key 'descr'");
        row("long shape", npy(dictionary("<f4", "(" + std::string(7000, '1') + ")"), data),
            "a dimension below 10^15", "key 'shape'");
        row("words for a shape", npy(dictionary("<f4", "(two, 3)"), data), "a tuple of numbers",
            "key 'shape'");
        row("shape without end", npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2, ", data),
            "a tuple of numbers", "key 'shape'");
        row("order of another kind", npy("{'descr': '<f4', 'fortran_order': 1, 'shape': (2,), }", data),
            "True or False", "key 'fortran_order'");
    }
    void badHeadersAreNamed()
    {
        QFETCH(QByteArray, bytes);
        QFETCH(QByteArray, expected);
        QFETCH(QByteArray, where);
        const ScratchFolder folder;
        const auto path = folder.write("bad.npy", bytes.toStdString());
        largestAllocation = 0;
        const auto array = NpyArray::open(path);
        VERIFY_FAILS(array, expected.toStdString(), where.toStdString(), "bad.npy");
        QVERIFY(largestAllocation < std::size_t(1) << 20u);
        QVERIFY(array.error().message().size() < 500);
    }

    void everyTruncationIsAnError()
    {
        const ScratchFolder folder;
        const std::string whole = npy(dictionary("<f4", "(2, 3)"), numbers<float>({ 1, 2, 3, 4, 5, 6 }));
        for (std::size_t length = 0; length < whole.size(); ++length) {
            const auto array
                = NpyArray::open(folder.write("cut.npy", std::string_view(whole).substr(0, length)));
            VERIFY_FAILS(array, "cut.npy", "byte ");
        }
        VERIFY_OK(NpyArray::open(folder.write("cut.npy", whole)));
        VERIFY_FAILS(NpyArray::open(folder / "absent.npy"), "a readable file", "absent.npy");
    }

    void whatIsWrittenIsReadBack_data()
    {
        QTest::addColumn<int>("type");
        QTest::newRow("float16") << static_cast<int>(NpyType::F16);
        QTest::newRow("float32") << static_cast<int>(NpyType::F32);
        QTest::newRow("float64") << static_cast<int>(NpyType::F64);
    }
    void whatIsWrittenIsReadBack()
    {
        QFETCH(int, type);
        const auto element = static_cast<NpyType>(type);
        const ScratchFolder folder;
        RowMatrix values(37, 5);
        for (Eigen::Index i = 0; i < values.size(); ++i)
            values.data()[i] = std::sin(static_cast<float>(i)) * 100;
        VERIFY_OK(writeNpy(folder / "m.npy", values, element));
        const auto array = NpyArray::open(folder / "m.npy");
        VERIFY_OK(array);
        QCOMPARE(array->type(), element);
        QCOMPARE(array->shape(), (std::vector<std::size_t>{ 37, 5 }));
        QCOMPARE(reinterpret_cast<std::uintptr_t>(array->data().data()) % 64, std::uintptr_t(0));
        const RowMatrix back = array->toFloat();
        for (Eigen::Index i = 0; i < values.size(); ++i)
            QVERIFY(
                back.data()[i]
                == (element == NpyType::F16 ? halfToFloat(floatToHalf(values.data()[i])) : values.data()[i]));
        // The header is the one numpy itself writes, byte for byte.
        const std::string bytes = bytesOf(folder / "m.npy");
        QVERIFY(bytes.substr(0, 128) == npy(dictionary(npyTypeName(element), "(37, 5)"), "").substr(0, 128));
        QCOMPARE(std::filesystem::file_size(folder / "m.npy"), 128 + 37 * 5 * npyTypeBytes(element));
    }

    void blocksOfColumnsAreWrittenToo()
    {
        const ScratchFolder folder;
        const RowMatrix values = matrix(2, 4, { 1, 2, 3, 4, 5, 6, 7, 8 });
        VERIFY_OK(writeNpy(folder / "m.npy", values.middleCols(1, 2)));
        QVERIFY(NpyArray::open(folder / "m.npy").value().toFloat() == matrix(2, 2, { 2, 3, 6, 7 }));
        VERIFY_OK(writeNpy(folder / "none.npy", RowMatrix(0, 4)));
        QCOMPARE(NpyArray::open(folder / "none.npy").value().shape(), (std::vector<std::size_t>{ 0, 4 }));
    }

    void rowsMayComeInAnyOrderAndUnwrittenOnesAreZero()
    {
        const ScratchFolder folder;
        {
            auto writer = NpyWriter::create(folder / "w.npy", NpyType::F32, { 4, 2 });
            VERIFY_OK(writer);
            VERIFY_OK(writer->writeRow(3, std::vector<float>{ 7, 8 }));
            VERIFY_OK(writer->writeRow(0, std::vector<float>{ 1, 2 }));
            VERIFY_OK(writer->sync());
            VERIFY_FAILS(
                writer->writeRow(4, std::vector<float>{ 1, 2 }), "a row below 4", "found 4", "w.npy, row 4");
            VERIFY_FAILS(
                writer->writeRow(1, std::vector<float>{ 1, 2, 3 }), "2 numbers, found 3", "w.npy, row 1");
        }
        QVERIFY(
            NpyArray::open(folder / "w.npy").value().toFloat() == matrix(4, 2, { 1, 2, 0, 0, 0, 0, 7, 8 }));
        {
            auto writer = NpyWriter::create(folder / "w.npy", NpyType::F32, { 4, 2 }, true);
            VERIFY_OK(writer);
            NpyWriter moved = std::move(*writer);
            VERIFY_OK(moved.writeRow(1, std::vector<float>{ 3, 4 }));
            VERIFY_FAILS(writer->writeRow(1, std::vector<float>{ 3, 4 }), "a row below 0");
        }
        QVERIFY(
            NpyArray::open(folder / "w.npy").value().toFloat() == matrix(4, 2, { 1, 2, 3, 4, 0, 0, 7, 8 }));
        VERIFY_OK(
            NpyWriter::create(folder / "w.npy", NpyType::F32, { 4, 2 })); // without `keep` it begins anew
        QVERIFY(NpyArray::open(folder / "w.npy").value().toFloat().isZero());
    }

    void anArrayThatIsNotTheSameIsNotKept()
    {
        const ScratchFolder folder;
        VERIFY_OK(NpyWriter::create(folder / "k.npy", NpyType::F16, { 4, 2 }));
        const std::string whole = bytesOf(folder / "k.npy");
        VERIFY_FAILS(
            NpyWriter::create(folder / "k.npy", NpyType::F32, { 4, 2 }, true), "k.npy",
            "another shape or type");
        VERIFY_FAILS(
            NpyWriter::create(folder / "k.npy", NpyType::F16, { 5, 2 }, true), "k.npy",
            "another shape or type");
        QVERIFY(bytesOf(folder / "k.npy") == whole);
        // Filling a cut file up would pass zeros for rows.
        folder.write("k.npy", std::string_view(whole).substr(0, whole.size() - 3));
        VERIFY_FAILS(
            NpyWriter::create(folder / "k.npy", NpyType::F16, { 4, 2 }, true), "144 bytes, found 141 bytes",
            "k.npy");
        VERIFY_FAILS(
            NpyWriter::create(folder / "gone.npy", NpyType::F16, { 4, 2 }, true), "gone.npy", "No such file");
        QVERIFY(!std::filesystem::exists(folder / "gone.npy"));
    }

    void whatFloat16CannotHoldIsRefused()
    {
        const ScratchFolder folder;
        auto writer = NpyWriter::create(folder / "h.npy", NpyType::F16, { 1, 2 });
        VERIFY_OK(writer);
        VERIFY_OK(writer->writeRow(0, std::vector<float>{ 65504, -65519 }));
        VERIFY_FAILS(
            writer->writeRow(0, std::vector<float>{ 1, 65520 }), "within float16's range, found 65520",
            "h.npy, row 0");
        VERIFY_FAILS(
            writer->writeRow(0, std::vector<float>{ 1, std::numeric_limits<float>::quiet_NaN() }),
            "float16's range", "nan");
        VERIFY_FAILS(
            writer->writeRow(0, std::vector<float>{ -std::numeric_limits<float>::infinity(), 0 }), "-inf");
        QVERIFY(NpyArray::open(folder / "h.npy").value().toFloat() == matrix(1, 2, { 65504, -65504 }));
    }

    void aFailedSaveLeavesTheOldFile()
    {
        const ScratchFolder folder;
        VERIFY_OK(writeNpy(folder / "m.npy", matrix(1, 2, { 1, 2 })));
        VERIFY_FAILS(writeNpy(folder / "m.npy", matrix(1, 2, { 1e6f, 2 }), NpyType::F16), "float16's range");
        QVERIFY(NpyArray::open(folder / "m.npy").value().toFloat() == matrix(1, 2, { 1, 2 }));
        folder.write("full/inside", "x");
        VERIFY_FAILS(writeNpy(folder / "full", matrix(1, 1, { 1 })), "to write the file", "full");
        VERIFY_FAILS(
            writeNpy(folder / "no/such/m.npy", matrix(1, 1, { 1 })), "a writable file", "no/such/m.npy");
        QCOMPARE(
            QDir(QString::fromStdString(folder.path().string())).entryList(QDir::Files),
            (QStringList{ QStringLiteral("m.npy") }));
    }
};

QTEST_GUILESS_MAIN(TestFormatsNpy)
#include "tst_formats_npy.moc"
