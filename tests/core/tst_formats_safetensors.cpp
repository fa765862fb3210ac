// safetensors: what the format's own library writes is read, what it refuses is refused by name, folders of
// shards are one source of tensors.
#include "core/formats/safetensors.h"
#include "tests/support/allocation_watch.h"
#include "tests/support/gguf_writer.h"
#include "tests/support/result_checks.h"

#include <limits>

using namespace lodestone;
using namespace lodestone::formats;
using namespace lodestone::testing;

namespace {

std::string file(const std::string& header, std::string_view data)
{
    return littleEndian(static_cast<std::uint64_t>(header.size())) + header + std::string(data);
}

std::string
entry(const std::string& name, const std::string& type, const std::string& shape, const std::string& offsets)
{
    return "\"" + name + "\":{\"dtype\":\"" + type + "\",\"shape\":" + shape + ",\"data_offsets\":" + offsets
        + "}";
}

template <typename Number>
std::string numbers(const std::vector<Number>& values)
{
    std::string bytes;
    for (const Number value : values)
        bytes += littleEndian(value);
    return bytes;
}

/// Written by the Python package safetensors 0.8: four arrays and one text of metadata.
std::string writtenByTheLibrary()
{
    const std::string header
        = R"({"__metadata__":{"way":"difference-of-means"},"long":{"dtype":"I64","shape":[],"data_offsets":[0,8]},)"
          R"("plain":{"dtype":"F32","shape":[2,3],"data_offsets":[8,32]},)"
          R"("half":{"dtype":"F16","shape":[2],"data_offsets":[32,36]},)"
          R"("flags":{"dtype":"BOOL","shape":[3],"data_offsets":[36,39]}} )";
    return std::string("\030\001\0\0\0\0\0\0", 8) + header
        + std::string(
               "\371\377\377\377\377\377\377\377\0\0\300?\0\0\0\300\0\0@@\0\0\200@\0\0\240@\0\0\310\300\0"
               "8\377\373\001\0\001",
               39);
}

std::string index(const std::string& map)
{
    return "{\"metadata\":{\"total_size\":8},\"weight_map\":" + map + "}";
}

} // namespace

class TestFormatsSafetensors : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void aFileOfTheFormatsOwnLibraryIsRead()
    {
        const ScratchFolder folder;
        const auto path = folder.write("own.safetensors", writtenByTheLibrary());
        const auto read = openSafetensors(path);
        VERIFY_OK(read);
        QCOMPARE(read->bytes, std::uint64_t(327));
        QCOMPARE(read->tensors.size(), std::size_t(4));
        QCOMPARE(read->metadata.at("way"), std::string("difference-of-means"));
        const Tensor& plain = *read->tensor("plain").value();
        QCOMPARE(plain.shape, (std::vector<std::uint64_t>{ 2, 3 }));
        QCOMPARE(plain.toFloat(), (std::vector<float>{ 1.5f, -2, 3, 4, 5, -6.25f }));
        float middle[2];
        plain.read(2, 2, middle);
        QCOMPARE(middle[0], 3.0f);
        QCOMPARE(middle[1], 4.0f);
        QCOMPARE(read->tensor("half").value()->toFloat(), (std::vector<float>{ 0.5f, -65504 }));
        QCOMPARE(read->tensor("flags").value()->toFloat(), (std::vector<float>{ 1, 0, 1 }));
        QCOMPARE(read->tensor("long").value()->items(), std::uint64_t(1));
        QCOMPARE(read->tensor("long").value()->toFloat(), (std::vector<float>{ -7 }));
        VERIFY_FAILS(read->tensor("wide"), "a tensor 'wide'", "own.safetensors");
        VERIFY_FAILS(read->only(), "one tensor, found 4");
    }

    void everyElementTypeIsRead_data()
    {
        QTest::addColumn<QByteArray>("data");
        QTest::addColumn<QList<double>>("expected");
        const auto row = [](const char* type, const std::string& data, QList<double> expected) {
            QTest::newRow(type) << QByteArray::fromStdString(data) << expected;
        };
        row("F64", numbers<double>({ 0.1, -1e300 }), { 0.1, -1e300 });
        row("F32", numbers<float>({ 1.5f, -2 }), { 1.5, -2 });
        row("F16", numbers<std::uint16_t>({ 0x3e00, 0x8001 }), { 1.5, -0x1p-24 });
        row("BF16", numbers<std::uint16_t>({ 0x3fc0, 0xc2f7 }), { 1.5, -123.5 });
        row("I64", numbers<std::int64_t>({ -(std::int64_t(1) << 40), 5 }), { -1099511627776.0, 5 });
        row("I32", numbers<std::int32_t>({ -2147483647, 5 }), { -2147483647.0, 5 });
        row("I16", numbers<std::int16_t>({ -32768, 5 }), { -32768, 5 });
        row("I8", numbers<std::int8_t>({ -128, 5 }), { -128, 5 });
        row("U64", numbers<std::uint64_t>({ std::uint64_t(1) << 63, 5 }), { 9223372036854775808.0, 5 });
        row("U32", numbers<std::uint32_t>({ 4294967295u, 5 }), { 4294967295.0, 5 });
        row("U16", numbers<std::uint16_t>({ 65535, 5 }), { 65535, 5 });
        row("U8", numbers<std::uint8_t>({ 255, 5 }), { 255, 5 });
        row("BOOL", std::string("\1\0", 2), { 1, 0 });
    }
    void everyElementTypeIsRead()
    {
        QFETCH(QByteArray, data);
        QFETCH(QList<double>, expected);
        const ScratchFolder folder;
        const std::string type = QTest::currentDataTag();
        const auto read = openSafetensors(folder.write(
            "a.safetensors",
            file(
                "{" + entry("x", type, "[2]", "[0," + std::to_string(data.size()) + "]") + "}",
                data.toStdString())));
        VERIFY_OK(read);
        const Tensor& tensor = *read->only().value();
        QCOMPARE(std::string(elementName(tensor.type)), type);
        for (int i = 0; i < 2; ++i) {
            QCOMPARE(
                elementAt(
                    tensor.type,
                    tensor.bytes.data() + static_cast<std::size_t>(i) * elementBytes(tensor.type)),
                expected[i]);
            QCOMPARE(tensor.toFloat()[static_cast<std::size_t>(i)], static_cast<float>(expected[i]));
        }
    }

    void emptyTensorsAndUnknownKeysAreNoFault()
    {
        const ScratchFolder folder;
        const auto empty = openSafetensors(folder.write("e.safetensors", file("{}", "")));
        VERIFY_OK(empty);
        QVERIFY(empty->tensors.empty());
        const auto none = openSafetensors(
            folder.write("n.safetensors", file("{" + entry("x", "F32", "[0,7]", "[0,0]") + "}  ", "")));
        VERIFY_OK(none);
        QCOMPARE(none->only().value()->items(), std::uint64_t(0));
        // The format's own reader passes over keys that it does not know.
        const auto more = openSafetensors(folder.write(
            "m.safetensors",
            file(
                R"({"x":{"note":[{"dtype":"F8","shape":[9]}],"dtype":"U8","why":{"shape":[1]},"shape":[1],"n":-1.5,)"
                R"("data_offsets":[0,1],"b":true}})",
                "\7")));
        VERIFY_OK(more);
        QCOMPARE(more->only().value()->toFloat(), (std::vector<float>{ 7 }));
    }

    void whatIsWrittenIsReadBack()
    {
        const ScratchFolder folder;
        const std::vector<float> values{ 1, -2.5f, 3e38f, 0 };
        VERIFY_OK(writeSafetensors(
            folder / "w.safetensors",
            { { "first", { 2, 2 }, values }, { "second", { 1 }, std::span(values).subspan(1, 1) } },
            { { "way", "\"quoted\" \xc3\xa4" }, { "layer", "12" } }));
        const std::string bytes = bytesOf(folder / "w.safetensors");
        std::uint64_t length = 0;
        std::memcpy(&length, bytes.data(), 8);
        QCOMPARE(length % 8, std::uint64_t(0));
        QCOMPARE(bytes.size(), 8 + length + 20);
        const auto read = openSafetensors(folder / "w.safetensors");
        VERIFY_OK(read);
        QCOMPARE(read->tensor("first").value()->toFloat(), values);
        QCOMPARE(read->tensor("first").value()->shape, (std::vector<std::uint64_t>{ 2, 2 }));
        QCOMPARE(read->tensor("second").value()->toFloat(), (std::vector<float>{ -2.5f }));
        QCOMPARE(read->metadata.at("way"), std::string("\"quoted\" \xc3\xa4"));
        QCOMPARE(read->metadata.at("layer"), std::string("12"));
        VERIFY_FAILS(
            writeSafetensors(folder / "w.safetensors", { { "x", { 3 }, values } }),
            "as many numbers as [3] says", "found 4", "tensor 'x'");
        VERIFY_FAILS(
            writeSafetensors(folder / "w.safetensors", { { "x", { 4 }, values }, { "x", { 4 }, values } }),
            "a name of its own");
        QVERIFY(bytesOf(folder / "w.safetensors") == bytes);
    }

    void stridesAreHonoured()
    {
        const std::string bytes = numbers<float>({ 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 });
        Tensor turned{
            ElementType::F32, { 4, 3 }, { 1, 4 }, std::as_bytes(std::span(bytes.data(), bytes.size()))
        };
        QCOMPARE(turned.toFloat(), (std::vector<float>{ 0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11 }));
        float part[4];
        turned.read(5, 4, part);
        QCOMPARE((std::vector<float>(part, part + 4)), (std::vector<float>{ 9, 2, 6, 10 }));
        Tensor every{ ElementType::F32, { 3 }, { 4 }, turned.bytes };
        QCOMPARE(every.toFloat(), (std::vector<float>{ 0, 4, 8 }));
    }

    void whatTheFormatForbidsIsNamed_data()
    {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<QByteArray>("expected");
        QTest::addColumn<QByteArray>("where");
        const auto row
            = [](const char* name, const std::string& bytes, const char* expected, const char* where) {
                  QTest::newRow(name)
                      << QByteArray::fromStdString(bytes) << QByteArray(expected) << QByteArray(where);
              };
        const auto one = [](const std::string& header, const std::string& data = std::string(8, '\0')) {
            return file("{" + header + "}", data);
        };
        row("empty", "", "8 bytes", "header length");
        row("too long a header", littleEndian(std::uint64_t(100'000'001)) + "{}", "at most 100000000 bytes",
            "byte 0");
        row("huge header", littleEndian(~std::uint64_t(0)) + "{}", "at most 100000000 bytes", "byte 0");
        row("header past the end", littleEndian(std::uint64_t(3)) + "{}", "3 bytes", "header");
        row("no header", file("", ""), "begins with '{'", "byte 8");
        row("leading space", file(" {}", ""), "begins with '{'", "byte 8");
        row("not JSON", file("{\"x\"", ""), "JSON, found an error of syntax at byte", "header");
        row("text behind", file("{}x", ""), "an error of syntax", "header");
        row("broken UTF-8", file("{\"\xff\":1}", ""), "an error of syntax", "header");
        row("a number", one("\"x\":1"), "an object, found a number", "tensor 'x'");
        row("a list", one("\"x\":[]"), "an object, found a list", "tensor 'x'");
        row("null", one("\"x\":null"), "an object, found null", "tensor 'x'");
        row("missing key", one(R"("x":{"dtype":"F32","shape":[2]})"), "'dtype', 'shape' and 'data_offsets'",
            "tensor 'x'");
        row("name twice", one(entry("x", "F32", "[1]", "[0,4]") + "," + entry("x", "F32", "[1]", "[4,8]")),
            "each name once", "tensor 'x'");
        row("shape twice", one(R"("x":{"dtype":"F32","shape":[2],"shape":[2],"data_offsets":[0,8]})"),
            "'shape' twice", "tensor 'x'");
        row("type", one(entry("x", "F8_E4M3", "[8]", "[0,8]")), "a dtype among F64", "found 'F8_E4M3'");
        row("type as number", one(R"("x":{"dtype":1,"shape":[2],"data_offsets":[0,8]})"), "found a number",
            "tensor 'x'");
        row("shape as text", one(entry("x", "F32", "\"2\"", "[0,8]")), "found a text", "tensor 'x'");
        row("negative shape", one(entry("x", "F32", "[-2]", "[0,8]")), "numbers from 0, found the number -2",
            "tensor 'x'");
        row("fraction", one(entry("x", "F32", "[2.0]", "[0,8]")), "numbers from 0", "tensor 'x'");
        row("beyond 64 bits", one(entry("x", "F32", "[18446744073709551616]", "[0,8]")), "numbers from 0",
            "tensor 'x'");
        row("nested shape", one(entry("x", "F32", "[[2]]", "[0,8]")), "found a list", "tensor 'x'");
        row("overflow", one(entry("x", "F32", "[4294967296,4294967296]", "[0,8]")),
            "a shape whose product fits", "tensor 'x'");
        row("overflow to 0", one(entry("x", "F64", "[4294967296,4294967296,4]", "[0,0]"), ""),
            "a shape whose product fits", "tensor 'x'");
        row("three offsets", one(entry("x", "F32", "[2]", "[0,8,8]")), "two data_offsets, found 3",
            "tensor 'x'");
        row("backwards", one(entry("x", "F32", "[2]", "[8,0]")), "without gaps or overlaps", "tensor 'x'");
        row("gap at the start", one(entry("x", "F32", "[1]", "[4,8]")), "data from byte 0 on", "[4, 8]");
        row("gap between",
            one(entry("x", "F32", "[1]", "[0,4]") + "," + entry("y", "F32", "[1]", "[8,12]"),
                std::string(12, '\0')),
            "data from byte 4 on", "tensor 'y'");
        row("overlap", one(entry("x", "F32", "[2]", "[0,8]") + "," + entry("y", "F32", "[1]", "[4,8]")),
            "data from byte 8 on", "tensor 'y'");
        row("the same bytes twice",
            one(entry("x", "F32", "[2]", "[0,8]") + "," + entry("y", "F32", "[2]", "[0,8]")),
            "data from byte 8 on", "tensor 'y'");
        row("shape and bytes differ", one(entry("x", "F32", "[3]", "[0,8]")), "12 bytes for [3] of F32",
            "[0, 8]");
        row("wrong type", one(entry("x", "F64", "[2]", "[0,8]")), "16 bytes for [2] of F64", "tensor 'x'");
        row("past the end", one(entry("x", "F32", "[3]", "[0,12]")), "12 bytes of data, found 8",
            "tensor 'x'");
        row("huge offset", one(entry("x", "U8", "[18446744073709551615]", "[0,18446744073709551615]")),
            "a shape whose product fits", "tensor 'x'");
        row("bytes behind", one(entry("x", "F32", "[1]", "[0,4]")),
            "4 bytes of data, as the header says, found 8", "bad.safetensors");
        row("number as metadata", one("\"__metadata__\":{\"a\":1}", ""), "a text or a list", "__metadata__");
        row("list as metadata", one("\"__metadata__\":{\"a\":[]}", ""), "a text", "__metadata__");
        row("two metadata", one("\"__metadata__\":{},\"__metadata__\":{}", ""), "each name once",
            "__metadata__");
        std::string deep = "[";
        for (int i = 0; i < 100; ++i)
            deep += "1,";
        row("many dimensions", one(entry("x", "F32", deep + "1]", "[0,4]")), "at most 64 dimensions",
            "tensor 'x'");
        row("no object", file(std::string(2000, '{'), ""), "an error of syntax", "header");
        row("depth", one("\"x\":" + std::string(2000, '[')), "an object, found a list", "tensor 'x'");
    }
    void whatTheFormatForbidsIsNamed()
    {
        QFETCH(QByteArray, bytes);
        QFETCH(QByteArray, expected);
        QFETCH(QByteArray, where);
        const ScratchFolder folder;
        const auto path = folder.write("bad.safetensors", bytes.toStdString());
        largestAllocation = 0;
        const auto read = openSafetensors(path);
        VERIFY_FAILS(read, "bad.safetensors", expected.toStdString(), where.toStdString());
        QCOMPARE(read.error().kind, ErrorKind::BadInput);
        QVERIFY(largestAllocation < std::size_t(1) << 14u);
        QVERIFY(read.error().message().size() < 500);
    }

    void everyTruncationIsAnError()
    {
        const ScratchFolder folder;
        const std::string whole = writtenByTheLibrary();
        for (std::size_t length = 0; length < whole.size(); ++length)
            VERIFY_FAILS(
                openSafetensors(folder.write("cut.safetensors", std::string_view(whole).substr(0, length))),
                "cut.safetensors");
    }

    /// Every byte of the file changed in three ways, and every eight bytes made huge: an error or other
    /// numbers, but no crash, and nothing large is asked for.
    void lyingBytesNeverCrashOrAllocate()
    {
        const ScratchFolder folder;
        const std::string whole = writtenByTheLibrary();
        int refused = 0;
        const auto check = [&](const std::string& bytes) {
            const auto path = folder.write("lie.safetensors", bytes);
            largestAllocation = 0;
            const auto read = openSafetensors(path);
            refused += read ? 0 : 1;
            if (read)
                for (const auto& [name, tensor] : read->tensors)
                    QVERIFY(tensor.toFloat().size() * elementBytes(tensor.type) == tensor.bytes.size());
            QVERIFY(largestAllocation < std::size_t(1) << 14u);
        };
        for (std::size_t i = 0; i < whole.size(); ++i) {
            for (const int change : { 1, 0x80, 0x10 }) {
                std::string bytes = whole;
                bytes[i] = static_cast<char>(bytes[i] ^ change);
                check(bytes);
            }
            std::string bytes = whole;
            bytes.replace(
                i, std::min<std::size_t>(8, whole.size() - i), std::min<std::size_t>(8, whole.size() - i),
                '\xff');
            check(bytes);
        }
        QVERIFY(refused > 800);
    }

    void aHeaderThatIsAllNamesStaysSmall()
    {
        const ScratchFolder folder;
        std::string header = "{";
        for (int i = 0; i < 20000; ++i)
            header += (i ? "," : "") + entry(std::to_string(i), "F32", "[0]", "[0,0]");
        const auto path = folder.write("names.safetensors", file(header + "}", ""));
        largestAllocation = 0;
        const auto read = openSafetensors(path);
        VERIFY_OK(read);
        QCOMPARE(read->tensors.size(), std::size_t(20000));
        QVERIFY(largestAllocation < 2 * header.size());
    }

    void aFolderOfShardsIsOneSource()
    {
        const ScratchFolder folder;
        folder.write(
            "one.safetensors", file("{" + entry("a", "F32", "[1]", "[0,4]") + "}", numbers<float>({ 1 })));
        folder.write(
            "two.safetensors",
            file(
                "{" + entry("b", "F32", "[1]", "[0,4]") + "," + entry("spare", "F32", "[1]", "[4,8]") + "}",
                numbers<float>({ 2, 3 })));
        folder.write(
            "model.safetensors.index.json", index(R"({"a":"one.safetensors","b":"two.safetensors"})"));
        const auto read = openSafetensorsFolder(folder.path());
        VERIFY_OK(read);
        QCOMPARE(read->tensors.size(), std::size_t(2)); // what the index does not name is left out
        QCOMPARE(read->tensor("a").value()->toFloat(), (std::vector<float>{ 1 }));
        QCOMPARE(read->tensor("b").value()->toFloat(), (std::vector<float>{ 2 }));
        QCOMPARE(read->files.size(), std::size_t(2));
        QCOMPARE(
            read->bytes,
            std::filesystem::file_size(folder / "one.safetensors")
                + std::filesystem::file_size(folder / "two.safetensors"));
    }

    void aSingleFileNeedsNoIndex()
    {
        const ScratchFolder folder;
        VERIFY_FAILS(
            openSafetensorsFolder(folder.path()),
            "model.safetensors or model.safetensors.index.json, found neither");
        folder.write("model.safetensors", writtenByTheLibrary());
        const auto read = openSafetensorsFolder(folder.path());
        VERIFY_OK(read);
        QCOMPARE(read->path, folder.path());
        QCOMPARE(read->tensors.size(), std::size_t(4));
    }

    void wrongIndexesAreNamed_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QByteArray>("expected");
        QTest::addColumn<QByteArray>("where");
        const auto row
            = [](const char* name, const std::string& text, const char* expected, const char* where) {
                  QTest::newRow(name)
                      << QByteArray::fromStdString(text) << QByteArray(expected) << QByteArray(where);
              };
        row("missing shard", index(R"({"a":"one.safetensors","b":"gone.safetensors"})"),
            "the shard 'gone.safetensors'", "tensor 'b'");
        row("the index itself", index(R"({"a":"model.safetensors.index.json"})"), "found the index itself",
            "tensor 'a'");
        row("a shard that is an index", index(R"({"a":"copy.json"})"), "a safetensors header", "copy.json");
        row("a link in a circle", index(R"({"a":"circle.safetensors"})"), "the shard 'circle.safetensors'",
            "tensor 'a'");
        row("a tensor in no shard", index(R"({"c":"one.safetensors"})"),
            "the tensor in shard 'one.safetensors'", "tensor 'c'");
        row("outside", index(R"({"a":"../one.safetensors"})"), "a file in the folder", "../one.safetensors");
        row("absolute", index(R"({"a":"/one.safetensors"})"), "a file in the folder", "tensor 'a'");
        row("the folder", index(R"({"a":"."})"), "a file in the folder", "tensor 'a'");
        row("no name", index(R"({"a":""})"), "a file in the folder", "tensor 'a'");
        row("a number", index(R"({"a":1})"), "a file's name, found the number 1", "index.json");
        row("an object", index(R"({"a":{}})"), "a file's name, found an object", "index.json");
        row("a list", index(R"({"a":["one.safetensors"]})"), "an object, found a list", "index.json");
        row("twice", index(R"({"a":"one.safetensors","a":"one.safetensors"})"), "each tensor once",
            "tensor 'a'");
        row("no map", R"({"metadata":{"x":[1,{"y":null}]}})", "a 'weight_map' with tensors, found none",
            "index.json");
        row("empty map", index("{}"), "found an empty one", "index.json");
        row("map as text", R"({"weight_map":"x"})", "an object, found a text", "index.json");
        row("map as list", R"({"weight_map":[]})", "an object, found a list", "index.json");
        row("map as null", R"({"weight_map":null})", "found null", "index.json");
        row("no JSON", "{", "an error of syntax", "index.json");
        row("empty", "", "an error of syntax", "index.json");
    }
    void wrongIndexesAreNamed()
    {
        QFETCH(QByteArray, text);
        QFETCH(QByteArray, expected);
        QFETCH(QByteArray, where);
        const ScratchFolder folder;
        folder.write(
            "one.safetensors", file("{" + entry("a", "F32", "[1]", "[0,4]") + "}", numbers<float>({ 1 })));
        folder.write("copy.json", index(R"({"a":"copy.json"})"));
        std::filesystem::create_symlink("circle.safetensors", folder / "circle.safetensors");
        folder.write("model.safetensors.index.json", text.toStdString());
        const auto read = openSafetensorsFolder(folder.path());
        VERIFY_FAILS(read, expected.toStdString(), where.toStdString());
        QCOMPARE(read.error().kind, ErrorKind::BadInput);
    }
};

QTEST_GUILESS_MAIN(TestFormatsSafetensors)
#include "tst_formats_safetensors.moc"
