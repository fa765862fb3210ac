// .pt files: views of storages are read as torch means them, everything that is no tensor is refused by name.
#include "core/formats/pickle.h"
#include "core/formats/torch_file.h"
#include "tests/support/allocation_watch.h"
#include "tests/support/pickle_writer.h"
#include "tests/support/result_checks.h"

using namespace lodestone;
using namespace lodestone::formats;
using namespace lodestone::testing;
namespace pk = lodestone::testing::pickled;

namespace {

template <typename Number>
std::string numbers(const std::vector<Number>& values)
{
    std::string bytes;
    for (const Number value : values)
        bytes += littleEndian(value);
    return bytes;
}

std::string counting(int count)
{
    std::vector<double> values;
    for (int i = 0; i < count; ++i)
        values.push_back(i);
    return numbers(values);
}

/// A tensor of the 24 doubles 0 ... 23.
std::string view(
    std::int32_t offset, const std::vector<std::int32_t>& size, const std::vector<std::int32_t>& stride,
    std::int32_t count = 24)
{
    return pk::tensor(pk::storage("DoubleStorage", "0", count), offset, size, stride);
}

std::string viewFile(
    std::int32_t offset, const std::vector<std::int32_t>& size, const std::vector<std::int32_t>& stride,
    std::int32_t count = 24)
{
    return pk::archive(view(offset, size, stride, count), { { "0", counting(24) } }).bytes();
}

std::span<const std::byte> bytesIn(const std::string& text)
{
    return std::as_bytes(std::span(text.data(), text.size()));
}

} // namespace

class TestFormatsTorch : public QObject {
    Q_OBJECT

private Q_SLOTS:
    /// The first values of the storage would be a plausible, wrong vector.
    void viewsBeginAtTheirOffset()
    {
        const ScratchFolder folder;
        const auto read = openTorchFile(folder.write("d.pt", viewFile(16, { 4 }, { 1 })));
        VERIFY_OK(read);
        const Tensor& tensor = *read->tensor("tensor").value();
        QVERIFY(tensor.type == ElementType::F64);
        QCOMPARE(tensor.toFloat(), (std::vector<float>{ 16, 17, 18, 19 }));
        QVERIFY(tensor.strides.empty());
    }

    void stridesAreHonoured()
    {
        const ScratchFolder folder;
        const auto read = [&](std::int32_t offset, const std::vector<std::int32_t>& size,
                              const std::vector<std::int32_t>& stride) {
            return openTorchFile(folder.write("d.pt", viewFile(offset, size, stride)))
                .value()
                .only()
                .value()
                ->toFloat();
        };
        QCOMPARE(read(0, { 2, 3 }, { 3, 1 }), (std::vector<float>{ 0, 1, 2, 3, 4, 5 }));
        QCOMPARE(read(0, { 3, 2 }, { 1, 3 }), (std::vector<float>{ 0, 3, 1, 4, 2, 5 })); // transposed
        QCOMPARE(read(2, { 3 }, { 5 }), (std::vector<float>{ 2, 7, 12 })); // a column
        QCOMPARE(read(1, { 2, 2, 2 }, { 12, 1, 4 }), (std::vector<float>{ 1, 5, 2, 6, 13, 17, 14, 18 }));
        QCOMPARE(read(23, {}, {}), (std::vector<float>{ 23 })); // a scalar, the last element
        QCOMPARE(read(24, { 0 }, { 1 }), std::vector<float>());
        QCOMPARE(read(7, { 3 }, { 0 }), (std::vector<float>{ 7, 7, 7 })); // expanded
        QCOMPARE(
            read(20, { 1, 4 }, { 1000000, 1 }), (std::vector<float>{ 20, 21, 22, 23 })); // one step is none
    }

    void everyStorageIsRead_data()
    {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<QList<float>>("expected");
        const auto row = [](const char* type, const std::string& bytes, QList<float> expected) {
            QTest::newRow(type) << QByteArray::fromStdString(bytes) << expected;
        };
        row("DoubleStorage", numbers<double>({ 0.5, -3 }), { 0.5f, -3 });
        row("FloatStorage", numbers<float>({ 0.5f, -3 }), { 0.5f, -3 });
        row("HalfStorage", numbers<std::uint16_t>({ 0x3800, 0xc200 }), { 0.5f, -3 });
        row("BFloat16Storage", numbers<std::uint16_t>({ 0x3f00, 0xc040 }), { 0.5f, -3 });
        row("LongStorage", numbers<std::int64_t>({ 7, -3 }), { 7, -3 });
        row("IntStorage", numbers<std::int32_t>({ 7, -3 }), { 7, -3 });
        row("ShortStorage", numbers<std::int16_t>({ 7, -3 }), { 7, -3 });
        row("CharStorage", numbers<std::int8_t>({ 7, -3 }), { 7, -3 });
        row("ByteStorage", numbers<std::uint8_t>({ 7, 253 }), { 7, 253 });
        row("BoolStorage", numbers<std::uint8_t>({ 1, 0 }), { 1, 0 });
    }
    void everyStorageIsRead()
    {
        QFETCH(QByteArray, bytes);
        QFETCH(QList<float>, expected);
        const ScratchFolder folder;
        const auto read = openTorchFile(folder.write(
            "s.pt",
            pk::archive(
                pk::tensor(pk::storage(QTest::currentDataTag(), "0", 2), 0, { 2 }, { 1 }),
                { { "0", bytes.toStdString() } })
                .bytes()));
        VERIFY_OK(read);
        QCOMPARE(read->only().value()->toFloat(), (std::vector<float>{ expected[0], expected[1] }));
    }

    /// Nested dictionaries, lists, parameters, memo and shared storages, and an OrderedDict that carries a
    /// state.
    void stateDictionariesHaveNames()
    {
        const std::string parameter = pk::global("torch._utils", "_rebuild_parameter")
            + pk::tuple(view(0, { 2 }, { 1 }) + "\x88" + pk::orderedDictionary()) + "R";
        const std::string state = pk::orderedDictionary() + "q\x05(" + pk::text("layer.weight") + parameter
            + pk::text("layer.bias") + view(2, { 1 }, { 1 }) + "u" + "}" + pk::text("_metadata") + "}s" + "b";
        const std::string object = "}(" + pk::text("model") + state + pk::text("list") + "]("
            + view(3, { 1 }, { 1 }) + view(4, { 1 }, { 1 }) + "e" + pk::text("again") + "h\x05"
            + pk::text("epoch") + "K\x07" + pk::text("rate") + std::string("G\x3f\xf8\0\0\0\0\0\0", 9)
            + pk::text("name") + pk::text("tiny") + pk::text("none") + "N" + pk::text("size")
            + pk::global("torch", "Size") + pk::integers({ 3, 4 }) + "\x85R" + "u";
        const ScratchFolder folder;
        const auto read
            = openTorchFile(folder.write("m.pt", pk::archive(object, { { "0", counting(24) } }).bytes()));
        VERIFY_OK(read);
        QStringList names;
        for (const auto& [name, tensor] : read->tensors)
            names << QString::fromStdString(name);
        QCOMPARE(
            names.join(QLatin1Char(' ')),
            QStringLiteral(
                "again.layer.bias again.layer.weight list.0 list.1 model.layer.bias model.layer.weight"));
        QCOMPARE(read->tensor("model.layer.weight").value()->toFloat(), (std::vector<float>{ 0, 1 }));
        QCOMPARE(read->tensor("list.1").value()->toFloat(), (std::vector<float>{ 4 }));
        QCOMPARE(read->metadata.at("epoch"), std::string("7"));
        QCOMPARE(read->metadata.at("rate"), std::string("1.5"));
        QCOMPARE(read->metadata.at("name"), std::string("tiny"));
        QCOMPARE(read->metadata.at("size.1"), std::string("4"));
        QCOMPARE(read->backing.size(), std::size_t(1)); // one storage, read once
    }

    void whatIsNoTensorIsRefusedByName_data()
    {
        QTest::addColumn<QByteArray>("object");
        QTest::addColumn<QByteArray>("said");
        const auto row = [](const char* name, const std::string& object, const char* said) {
            QTest::newRow(name) << QByteArray::fromStdString(object) << QByteArray(said);
        };
        row("os.system", pk::global("os", "system") + pk::tuple(pk::text("touch executed")) + "R",
            "'os system', which is not executed");
        row("builtins.eval by stack",
            pk::text("builtins") + pk::text("eval") + "\x93" + pk::tuple(pk::text("1")) + "R",
            "'builtins eval', which is not executed");
        row("a torch module", pk::global("torch.nn.modules.linear", "Linear"),
            "'torch.nn.modules.linear Linear'");
        row("a numpy array", pk::global("numpy.core.multiarray", "_reconstruct"), "_reconstruct");
        row("alike name", pk::global("torch._utils", "_rebuild_tensor_v3"), "_rebuild_tensor_v3");
        row("name across the space", pk::global("torch DoubleStorage", ""), "not executed");
        row("long name", "c" + std::string(1000, 'm') + "\nx\n", "a name of at most 256 bytes");
        row("control characters", pk::global("o\ts", "sys\x1btem"), "'o?s sys?tem'");
        row("INST", "(ios\nsystem\n", "INST");
        row("OBJ", "(" + pk::global("torch", "Size") + "o", "OBJ");
        row("NEWOBJ", pk::global("torch", "Size") + ")\x81", "NEWOBJ");
        row("EXT1", "\x82\x01", "EXT1");
        row("PERSID", "Pid\n", "PERSID");
        row("BUILD on a tensor", view(0, { 1 }, { 1 }) + "}b", "a dictionary to set up");
        row("call of a text", pk::text("os") + ")R", "a call of a name with a tuple");
        row("call of a storage", pk::global("torch", "FloatStorage") + ")R", "a call that makes a tensor");
        row("OrderedDict of something", pk::global("collections", "OrderedDict") + pk::integers({ 1 }) + "R",
            "a call that makes a tensor");
        row("no opcode", "\xff", "0xff");
        row("DUP", "N2", "DUP");
        row("empty stack", "", "an object on the stack");
        row("mark without end", "(", "an object on the stack");
        row("tuple without mark", "Nt", "a mark on the stack");
        row("pop through a mark", "N(\x85", "an object on the stack");
        row("append to None", "NNa", "a list to append to");
        row("items into a list", "](NNu", "a dictionary to fill");
        row("odd items", "}(Nu", "a value for each key");
        row("absent memo", "h\x09", "none at 9");
        row("memo of nothing", "q\x01", "an object on the stack");
        row("persistent text", pk::text("0") + "Q", "a tuple of five as persistent id");
        row("long text", "X\xff\xff\xff\x7f", "2147483647 bytes");
        row("longer text", "\x8d" + std::string(8, '\xff'), "18446744073709551615 bytes");
        row("frame", "\x95" + std::string(8, '\x7f'), "a frame of");
        row("old protocol", "\x80\x01N", "pickle protocol 2 to 5");
        row("big integer", "\x8a\x09" + std::string(9, '\1'), "an integer of at most 8 bytes");
    }
    void whatIsNoTensorIsRefusedByName()
    {
        QFETCH(QByteArray, object);
        QFETCH(QByteArray, said);
        const ScratchFolder folder;
        QDir::setCurrent(QString::fromStdString(folder.path().string()));
        const auto read
            = openTorchFile(folder.write("bad.pt", pk::archive(object.toStdString(), {}).bytes()));
        VERIFY_FAILS(read, said.toStdString(), "bad.pt", "data.pkl", "byte ");
        QCOMPARE(read.error().kind, ErrorKind::BadInput);
        QVERIFY(!QFile::exists(QStringLiteral("executed")));
        QVERIFY(read.error().message().size() < 500);
        QDir::setCurrent(QDir::rootPath());
    }

    void lyingTensorsAreNamed_data()
    {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<QByteArray>("said");
        const auto row = [](const char* name, const std::string& bytes, const char* said) {
            QTest::newRow(name) << QByteArray::fromStdString(bytes) << QByteArray(said);
        };
        constexpr std::int32_t big = 2147483647;
        row("offset past the end", viewFile(24, { 1 }, { 1 }), "a view within its storage of 24 elements");
        row("one too long", viewFile(21, { 4 }, { 1 }), "offset 21, size [4], strides [1]");
        row("stride past the end", viewFile(0, { 2 }, { 24 }), "a view within its storage");
        row("strides together past the end", viewFile(0, { 2, 2 }, { 12, 12 }), "a view within its storage");
        row("huge stride", viewFile(0, { big }, { big }), "a view within its storage");
        row("overflow", viewFile(0, { big, big, big }, { big, big, big }), "a shape whose product fits");
        row("repeated elements", viewFile(0, { big, 2 }, { 0, 1 }), "a view that repeats them");
        row("negative stride", viewFile(4, { 2 }, { -1 }), "numbers from 0 as strides");
        row("negative size", viewFile(0, { -2 }, { 1 }), "numbers from 0 as size");
        row("negative offset", viewFile(-1, { 2 }, { 1 }), "a storage offset from 0");
        row("more strides than sizes", viewFile(0, { 2 }, { 1, 1 }), "[2] and 2 strides");
        row("storage shorter than it says", viewFile(0, { 2 }, { 1 }, 25),
            "a storage of 25 F64, found 192 bytes");
        row("storage longer than it says", viewFile(0, { 2 }, { 1 }, 23), "a storage of 23 F64");
        row("negative storage", viewFile(0, { 2 }, { 1 }, -1), "another persistent id");
        row("storage that is not there", pk::archive(view(0, { 1 }, { 1 }), {}).bytes(),
            "the storage 'data/0'");
        row("storage of another name",
            pk::archive(pk::tensor(pk::storage("DoubleStorage", "../../etc", 1), 0, { 1 }, { 1 }), {})
                .bytes(),
            "the storage 'data/../../etc'");
        row("no storage", pk::archive(pk::tensor("N", 0, { 1 }, { 1 }), {}).bytes(), "a tensor's storage");
        row("function as storage",
            pk::archive(
                pk::tensor(
                    pk::tuple(
                        pk::text("storage") + pk::global("torch", "Size") + pk::text("0") + pk::text("cpu")
                        + pk::integer(1))
                        + "Q",
                    0, { 1 }, { 1 }),
                {})
                .bytes(),
            "another persistent id");
        ZipWriter none;
        none.stored("name/version", "3\n");
        row("no pickle", none.bytes(), "a PyTorch archive with data.pkl");
        ZipWriter twice;
        twice.stored("a/data.pkl", pk::whole("N"));
        twice.stored("b/data.pkl", pk::whole("N"));
        row("two pickles", twice.bytes(), "one data.pkl");
        ZipWriter turned;
        turned.stored("a/data.pkl", pk::whole("N"));
        turned.stored("a/byteorder", "big");
        row("big-endian", turned.bytes(), "byte order 'little', found 'big'");
        row("no zip", "\x80\x02}q\x01.", "PyTorch 1.6 or later");
        row("the same name twice",
            pk::archive(
                "}(" + pk::text("a") + view(0, { 1 }, { 1 }) + pk::text("a") + view(1, { 1 }, { 1 }) + "u",
                { { "0", counting(24) } })
                .bytes(),
            "a name of its own");
        row("real numbers as keys",
            pk::archive("}(G" + std::string(8, '\0') + view(0, { 1 }, { 1 }) + "u", { { "0", counting(24) } })
                .bytes(),
            "texts or integers as keys");
    }
    void lyingTensorsAreNamed()
    {
        QFETCH(QByteArray, bytes);
        QFETCH(QByteArray, said);
        const ScratchFolder folder;
        const auto path = folder.write("bad.pt", bytes.toStdString());
        largestAllocation = 0;
        const auto read = openTorchFile(path);
        VERIFY_FAILS(read, said.toStdString(), "bad.pt");
        QCOMPARE(read.error().kind, ErrorKind::BadInput);
        QVERIFY(largestAllocation < std::size_t(1) << 16u);
    }

    /// Lists in lists in lists, a list that holds itself, and one that doubles at each level.
    void depthAndCirclesAreHarmless()
    {
        const std::string deep = std::string(200000, ']') + std::string(199999, 'a');
        QVERIFY(readPickle(bytesIn(pk::whole(deep)), "deep").has_value());
        const ScratchFolder folder;
        VERIFY_FAILS(
            openTorchFile(folder.write("deep.pt", pk::archive(deep, {}).bytes())), "32 deep", "deep.pt");
        VERIFY_FAILS(
            openTorchFile(folder.write(
                "self.pt",
                pk::archive(
                    "]q\x01h\x01"
                    "a",
                    {})
                    .bytes())),
            "32 deep");
        std::string doubling = "]q" + std::string(1, '\0');
        for (char level = 1; level < 31; ++level)
            doubling += "](h" + std::string(1, static_cast<char>(level - 1)) + "h"
                + std::string(1, static_cast<char>(level - 1)) + "eq" + std::string(1, level);
        VERIFY_FAILS(openTorchFile(folder.write("twice.pt", pk::archive(doubling, {}).bytes())), "32 deep");
        VERIFY_FAILS(
            readPickle(bytesIn(pk::whole(std::string(1000001, 'N'))), "many"), "at most 1000000 objects");
    }

    void everyTruncationIsAnError()
    {
        const ScratchFolder folder;
        const std::string whole = viewFile(16, { 4 }, { 1 });
        for (std::size_t length = 0; length < whole.size(); ++length)
            VERIFY_FAILS(
                openTorchFile(folder.write("cut.pt", std::string_view(whole).substr(0, length))), "cut.pt");
        const std::string program = pk::whole(view(0, { 1 }, { 1 }));
        for (std::size_t length = 0; length < program.size(); ++length)
            VERIFY_FAILS(readPickle(bytesIn(program.substr(0, length)), "cut"), "cut, byte");
    }

    void lyingBytesNeverCrashOrAllocate()
    {
        const ScratchFolder folder;
        const std::string program = pk::whole(view(16, { 2, 2 }, { 2, 1 }));
        int refused = 0;
        for (std::size_t i = 0; i < program.size(); ++i)
            for (const int change : { 0xff, 1, 0x40, 0x80 }) {
                std::string bytes = program;
                bytes[i] = static_cast<char>(bytes[i] ^ change);
                ZipWriter zip;
                zip.stored("n/data.pkl", bytes);
                zip.stored("n/data/0", counting(24));
                const auto path = folder.write("lie.pt", zip.bytes());
                largestAllocation = 0;
                const auto read = openTorchFile(path);
                refused += read ? 0 : 1;
                if (read)
                    for (const auto& [name, tensor] : read->tensors)
                        QVERIFY(tensor.toFloat().size() <= 192);
                QVERIFY(largestAllocation < std::size_t(1) << 16u);
            }
        QVERIFY(refused > static_cast<int>(program.size() * 2));
    }
};

QTEST_GUILESS_MAIN(TestFormatsTorch)
#include "tst_formats_torch.moc"
