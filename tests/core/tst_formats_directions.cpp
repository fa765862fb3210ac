// Direction files: what is written is read back with what it is and where it comes from; rows, features and
// layers of other tools' files are chosen by name.
#include "core/formats/control_vector.h"
#include "core/formats/direction_file.h"
#include "core/formats/direction_notes.h"
#include "core/formats/npy.h"
#include "core/formats/safetensors.h"
#include "tests/support/allocation_watch.h"
#include "tests/support/pickle_writer.h"
#include "tests/support/result_checks.h"

#include <limits>

using namespace lodestone;
using namespace lodestone::formats;
using namespace lodestone::testing;

namespace {

Eigen::VectorXf vector(std::initializer_list<float> values)
{
    return Eigen::Map<const Eigen::VectorXf>(values.begin(), static_cast<Eigen::Index>(values.size()));
}

std::string floats(const std::vector<float>& values)
{
    std::string bytes;
    for (const float value : values)
        bytes += littleEndian(value);
    return bytes;
}

DirectionFile known(DirectionRole role, Layer layer)
{
    DirectionFile file;
    file.origin = { "tiny", std::string(64, 'a'), "mean", "cloze", "kind", 0.8125 };
    file.directions = { { "direction", vector({ 1, -2, 0.5f }), layer, role } };
    return file;
}

/// A control vector as llama.cpp's generator lays it out.
GgufWriter controlVector(const std::vector<std::pair<std::string, std::vector<float>>>& tensors)
{
    GgufWriter file;
    file.text("general.architecture", "controlvector");
    file.text("controlvector.model_hint", "gemma");
    file.integer("controlvector.layer_count", static_cast<std::uint32_t>(tensors.size()));
    for (const auto& [name, values] : tensors)
        file.tensor(name, { values.size() }, 0, floats(values));
    return file;
}

} // namespace

class TestFormatsDirections : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void whatIsWrittenIsReadBack_data()
    {
        QTest::addColumn<QByteArray>("name");
        QTest::addColumn<QByteArray>("format");
        QTest::addColumn<int>("role");
        QTest::newRow("npy") << QByteArray("w.npy") << QByteArray("npy")
                             << static_cast<int>(DirectionRole::ReadOut);
        QTest::newRow("npy, displacement")
            << QByteArray("w.npy") << QByteArray("npy") << static_cast<int>(DirectionRole::Displacement);
        QTest::newRow("safetensors") << QByteArray("w.safetensors") << QByteArray("safetensors")
                                     << static_cast<int>(DirectionRole::ReadOut);
        QTest::newRow("control vector") << QByteArray("w.gguf") << QByteArray("control vector")
                                        << static_cast<int>(DirectionRole::Displacement);
    }
    void whatIsWrittenIsReadBack()
    {
        QFETCH(QByteArray, name);
        QFETCH(QByteArray, format);
        QFETCH(int, role);
        const ScratchFolder folder;
        const auto path = folder / name.toStdString();
        const DirectionFile file = known(static_cast<DirectionRole>(role), Layer::blockOutput(12));
        VERIFY_OK(writeDirectionFile(path, file));
        const auto read = readDirectionFile(path.string());
        VERIFY_OK(read);
        QCOMPARE(read->format, format.toStdString());
        QCOMPARE(read->origin.model, std::string("tiny"));
        QCOMPARE(read->origin.modelSha256, std::string(64, 'a'));
        QCOMPARE(read->origin.position, std::string("mean"));
        QCOMPARE(read->origin.way, std::string("cloze"));
        QCOMPARE(read->origin.orientation, std::string("kind"));
        QCOMPARE(read->origin.heldOutScore.value(), 0.8125);
        const auto only = read->only();
        VERIFY_OK(only);
        QVERIFY((*only)->values == file.directions[0].values);
        QVERIFY((*only)->layer == Layer::blockOutput(12));
        QVERIFY((*only)->role == static_cast<DirectionRole>(role));
    }

    void severalLayersKeepTheirNames()
    {
        const ScratchFolder folder;
        DirectionFile file = known(DirectionRole::Displacement, Layer::embedding());
        file.directions.push_back(
            { "second", vector({ 4, 5, 6 }), Layer::blockOutput(3), DirectionRole::Displacement });
        VERIFY_OK(writeDirectionFile(folder / "many.safetensors", file));
        const auto read = readDirectionFile((folder / "many.safetensors").string());
        VERIFY_OK(read);
        QCOMPARE(read->directions.size(), std::size_t(2));
        QVERIFY(read->at(Layer::embedding()).value()->values == vector({ 1, -2, 0.5f }));
        QVERIFY(read->at(Layer::blockOutput(3)).value()->values == vector({ 4, 5, 6 }));
        QVERIFY(read->at(Layer::blockOutput(3)).value()->role == DirectionRole::Displacement);
        VERIFY_FAILS(read->at(Layer::blockOutput(2)), "a direction for block 2 output", "many.safetensors");
        VERIFY_FAILS(
            read->only(), "choose one as FILE#NAME", "found 2, from 'block_3_output' to 'embedding'");
        QCOMPARE(
            readDirectionFile((folder / "many.safetensors#block_3_output").string())
                ->only()
                .value()
                ->layer.value(),
            Layer::blockOutput(3));
        VERIFY_FAILS(writeDirectionFile(folder / "many.npy", file), "one direction in a .npy file, found 2");
        VERIFY_FAILS(
            writeDirectionFile(folder / "many.gguf", file), "the output of block 1 or later", "embedding");
    }

    /// llama.cpp adds direction.N to the output of its block N, counted from 0.
    void controlVectorsCountAsLlamaCppDoes()
    {
        const ScratchFolder folder;
        const auto path = folder.write(
            "c.gguf", controlVector({ { "direction.1", { 1, 0 } }, { "direction.10", { 0, 10 } } }).bytes());
        const auto read = readDirectionFile(path.string());
        VERIFY_OK(read);
        QCOMPARE(read->format, std::string("control vector"));
        QCOMPARE(read->origin.model, std::string("gemma"));
        QCOMPARE(read->directions.size(), std::size_t(2));
        QVERIFY(read->at(Layer::blockOutput(1)).value()->values == vector({ 1, 0 }));
        QVERIFY(read->at(Layer::blockOutput(10)).value()->values == vector({ 0, 10 }));
        QVERIFY(read->directions[0].role == DirectionRole::Displacement);
        VERIFY_FAILS(read->at(Layer::embedding()), "a direction for embedding");
        VERIFY_FAILS(read->at(Layer::blockOutput(0)), "a direction for block 0 output");
        QVERIFY(
            readDirectionFile(path.string() + "#direction.10")->only().value()->layer
            == Layer::blockOutput(10));
        VERIFY_FAILS(readDirectionFile(path.string() + "#direction.2"), "'direction.2'", "c.gguf");

        QCOMPARE(ControlVectorLayer::of(Layer::blockOutput(7))->number(), 7);
        QCOMPARE(ControlVectorLayer::ofNumber(7)->layer(), Layer::blockOutput(7));
        VERIFY_FAILS(ControlVectorLayer::of(Layer::blockOutput(0)), "block 1 or later", "block 0 output");
        VERIFY_FAILS(ControlVectorLayer::of(Layer::embedding()), "block 1 or later", "embedding");
        VERIFY_FAILS(ControlVectorLayer::ofNumber(0), "from 1 to 65535, found 0");
    }

    /// Byte for byte what the generator's layout asks for: three keys, one-dimensional F32 tensors,
    /// alignment 32.
    void aWrittenControlVectorIsAsLlamaCppWritesIt()
    {
        const ScratchFolder folder;
        ControlVector own;
        own.modelHint = "gemma";
        own.directions.emplace(ControlVectorLayer::ofNumber(1).value(), vector({ 1, 0 }));
        own.directions.emplace(ControlVectorLayer::ofNumber(10).value(), vector({ 0, 10 }));
        VERIFY_OK(writeControlVector(folder / "own.gguf", own));
        GgufWriter expected;
        expected.text("general.architecture", "controlvector");
        expected.text("controlvector.model_hint", "gemma");
        expected.raw("controlvector.layer_count", 5, littleEndian(std::int32_t(2)));
        expected.tensor("direction.1", { 2 }, 0, floats({ 1, 0 }));
        expected.tensor("direction.10", { 2 }, 0, floats({ 0, 10 }));
        std::string bytes = expected.bytes();
        bytes.resize((bytes.size() + 31) / 32 * 32, '\0');
        QVERIFY(bytesOf(folder / "own.gguf") == bytes);
        VERIFY_FAILS(writeControlVector(folder / "none.gguf", ControlVector()), "at least one direction");
    }

    void wrongControlVectorsAreNamed_data()
    {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<QByteArray>("said");
        const auto row = [](const char* name, const GgufWriter& file, const char* said) {
            QTest::newRow(name) << QByteArray::fromStdString(file.bytes()) << QByteArray(said);
        };
        row("none", controlVector({}), "at least one direction.N");
        row("layer 0", controlVector({ { "direction.0", { 1 } } }), "direction.N with N from 1");
        row("no number", controlVector({ { "direction.x", { 1 } } }), "tensor 'direction.x'");
        row("leading zero", controlVector({ { "direction.01", { 1 } } }), "tensor 'direction.01'");
        row("sign", controlVector({ { "direction.+1", { 1 } } }), "tensor 'direction.+1'");
        row("words behind", controlVector({ { "direction.1.weight", { 1 } } }),
            "tensor 'direction.1.weight'");
        row("huge", controlVector({ { "direction.99999999999", { 1 } } }), "direction.N with N from 1");
        row("another tensor", controlVector({ { "token_embd.weight", { 1 } } }),
            "tensor 'token_embd.weight'");
        row("widths differ", controlVector({ { "direction.1", { 1, 2 } }, { "direction.2", { 1 } } }),
            "2 numbers, as in the other directions, found 1");
        row("NaN", controlVector({ { "direction.1", { 1, std::numeric_limits<float>::quiet_NaN() } } }),
            "finite numbers");
        GgufWriter flat = controlVector({});
        flat.tensor("direction.1", { 2, 1 }, 0, floats({ 1, 2 }));
        row("two dimensions", flat, "one dimension of F32, found [2, 1] of F32");
        GgufWriter half = controlVector({});
        half.tensor("direction.1", { 2 }, 1, std::string(4, '\0'));
        row("F16", half, "found [2] of F16");
        GgufWriter model;
        model.text("general.architecture", "llama");
        row("a model", model, "architecture 'controlvector', found 'llama'");
        GgufWriter note = controlVector({ { "direction.1", { 1 } } });
        note.text("lodestone.role", "weights");
        row("role", note, "'read-out' or 'displacement', found 'weights'");
    }
    void wrongControlVectorsAreNamed()
    {
        QFETCH(QByteArray, bytes);
        QFETCH(QByteArray, said);
        const ScratchFolder folder;
        const auto read = readDirectionFile(folder.write("bad.gguf", bytes.toStdString()).string());
        VERIFY_FAILS(read, said.toStdString(), "bad.gguf");
        QCOMPARE(read.error().kind, ErrorKind::BadInput);
    }

    /// Features are rows or columns, by the names that autoencoder libraries give their tensors.
    void featuresOfAnAutoencoderAreDirections_data()
    {
        QTest::addColumn<QByteArray>("encoder");
        QTest::addColumn<bool>("encoderRows");
        QTest::addColumn<QByteArray>("decoder");
        QTest::addColumn<bool>("decoderRows");
        QTest::newRow("W_enc, W_dec") << QByteArray("W_enc") << false << QByteArray("W_dec") << true;
        QTest::newRow("linear layers")
            << QByteArray("encoder.weight") << true << QByteArray("decoder.weight") << false;
        QTest::newRow("mixed") << QByteArray("encoder.weight") << true << QByteArray("W_dec") << true;
    }
    void featuresOfAnAutoencoderAreDirections()
    {
        QFETCH(QByteArray, encoder);
        QFETCH(bool, encoderRows);
        QFETCH(QByteArray, decoder);
        QFETCH(bool, decoderRows);
        const ScratchFolder folder;
        // Two coordinates, three features: feature f has coordinates 10 f + i to read and 100 f + i to write.
        const auto matrix = [](bool rows, float scale) {
            std::vector<float> values;
            for (int a = 0; a < (rows ? 3 : 2); ++a)
                for (int b = 0; b < (rows ? 2 : 3); ++b)
                    values.push_back(
                        scale * static_cast<float>(rows ? a : b) + static_cast<float>(rows ? b : a));
            return values;
        };
        const auto shape = [](bool rows) {
            return rows ? std::vector<std::uint64_t>{ 3, 2 } : std::vector<std::uint64_t>{ 2, 3 };
        };
        const std::vector<float> in = matrix(encoderRows, 10), out = matrix(decoderRows, 100), bias(3);
        const auto path = folder / "sae.safetensors";
        VERIFY_OK(writeSafetensors(
            path,
            { { encoder.toStdString(), shape(encoderRows), in },
              { decoder.toStdString(), shape(decoderRows), out },
              { "b_enc", { 3 }, bias } }));
        const auto read = readDirectionFile(path.string() + "#encoder/2");
        VERIFY_OK(read);
        QVERIFY(read->only().value()->values == vector({ 20, 21 }));
        QVERIFY(read->only().value()->role == DirectionRole::ReadOut);
        const auto written = readDirectionFile(path.string() + "#decoder/1");
        VERIFY_OK(written);
        QVERIFY(written->only().value()->values == vector({ 100, 101 }));
        QVERIFY(written->only().value()->role == DirectionRole::Displacement);
        VERIFY_FAILS(
            readDirectionFile(path.string()), "FILE#decoder/N (displacement) or FILE#encoder/N (read-out)");
        VERIFY_FAILS(
            readDirectionFile(path.string() + "#decoder/3"), "a feature below 3, found 3", "tensor '");
        VERIFY_FAILS(readDirectionFile(path.string() + "#decoder/x"), "a place from 0", "found 'x'");
        VERIFY_FAILS(readDirectionFile(path.string() + "#decoder/-1"), "a place from 0");
        VERIFY_FAILS(readDirectionFile(path.string() + "#decoder/"), "a place from 0");
    }

    void rowsOfLargerArraysAreChosenByPlace()
    {
        const ScratchFolder folder;
        std::vector<float> values(2 * 3 * 4);
        for (std::size_t i = 0; i < values.size(); ++i)
            values[i] = static_cast<float>(i);
        const auto path = (folder / "mean_diffs.safetensors").string();
        VERIFY_OK(writeSafetensors(path, { { "all", { 2, 3, 4 }, values } }));
        const auto all = readDirectionFile(path);
        VERIFY_OK(all);
        QCOMPARE(all->directions.size(), std::size_t(6));
        QCOMPARE(all->directions[5].name, std::string("all/1/2"));
        QVERIFY(all->directions[5].values == vector({ 20, 21, 22, 23 }));
        QVERIFY(!all->directions[5].layer); // a number alone does not say what it counts
        QVERIFY(readDirectionFile(path + "#all/1/2")->only().value()->values == vector({ 20, 21, 22, 23 }));
        QVERIFY(readDirectionFile(path + "#1/2")->only().value()->values == vector({ 20, 21, 22, 23 }));
        VERIFY_FAILS(
            readDirectionFile(path + "#all/1"), "2 places to choose a row of shape [2, 3, 4], found 1");
        VERIFY_FAILS(readDirectionFile(path + "#all"), "2 places to choose a row");
        VERIFY_FAILS(readDirectionFile(path + "#all/1/3"), "a place below 3, found 3", "tensor 'all'");
        VERIFY_FAILS(readDirectionFile(path + "#all/99999999999999999999/0"), "a place from 0");
        VERIFY_FAILS(readDirectionFile(path + "#none"), "a tensor among all, found 'none'");
        VERIFY_FAILS(readDirectionFile(path + "#"), "a name after '#'");
        // A file whose own name has a '#' is that file.
        std::filesystem::copy_file(path, folder / "a#1.safetensors");
        QCOMPARE(readDirectionFile((folder / "a#1.safetensors").string())->directions.size(), std::size_t(6));
        QVERIFY(
            readDirectionFile((folder / "a#1.safetensors#all/0/0").string())->only().value()->values
            == vector({ 0, 1, 2, 3 }));
    }

    void torchViewsAndNpyRowsAreDirections()
    {
        const ScratchFolder folder;
        namespace pk = lodestone::testing::pickled;
        const auto torch = folder.write(
            "d.pt",
            pk::archive(
                pk::tensor(pk::storage("FloatStorage", "0", 6), 4, { 2 }, { 1 }),
                { { "0", floats({ 0, 1, 2, 3, 4, 5 }) } })
                .bytes());
        QVERIFY(readDirectionFile(torch.string())->only().value()->values == vector({ 4, 5 }));
        RowMatrix rows(2, 3);
        rows << 1, 2, 3, 4, 5, 6;
        VERIFY_OK(writeNpy(folder / "rows.npy", rows));
        const auto path = (folder / "rows.npy").string();
        QCOMPARE(readDirectionFile(path)->directions.size(), std::size_t(2));
        QVERIFY(readDirectionFile(path + "#1")->only().value()->values == vector({ 4, 5, 6 }));
        const auto single = readDirectionFile(path)->at(Layer::blockOutput(0));
        VERIFY_FAILS(single, "choose one as FILE#NAME");
    }

    void badFilesAreNamed()
    {
        const ScratchFolder folder;
        VERIFY_FAILS(readDirectionFile((folder / "absent.npy").string()), "a readable file", "absent.npy");
        VERIFY_FAILS(
            readDirectionFile(folder.write("text.txt", "hello").string()),
            "a .safetensors, .npy, .npz or .pt file, found a file of another kind", "text.txt");
        const std::vector<float> values{ 1, std::numeric_limits<float>::infinity() };
        VERIFY_OK(writeSafetensors(folder / "inf.safetensors", { { "x", { 2 }, values } }));
        VERIFY_FAILS(
            readDirectionFile((folder / "inf.safetensors").string()), "finite numbers, found NaN or infinity",
            "tensor 'x'");
        VERIFY_OK(writeSafetensors(folder / "none.safetensors", {}));
        VERIFY_FAILS(readDirectionFile((folder / "none.safetensors").string()), "at least one direction");
        const std::vector<float> many(4097);
        VERIFY_OK(writeSafetensors(folder / "many.safetensors", { { "x", { 4097, 1 }, many } }));
        VERIFY_FAILS(
            readDirectionFile((folder / "many.safetensors").string()), "from 1 to 4096 directions",
            "FILE#x/ROW", "shape [4097, 1]");
        QVERIFY(readDirectionFile((folder / "many.safetensors#x/4096").string()).has_value());

        DirectionFile file = known(DirectionRole::ReadOut, Layer::blockOutput(2));
        VERIFY_FAILS(writeDirectionFile(folder / "w.txt", file), "ends with .npy, .safetensors or .gguf");
        VERIFY_FAILS(writeDirectionFile(folder / "w.gguf", file), "displacements with a layer", "a read-out");
        file.directions[0].role = DirectionRole::Displacement;
        file.directions[0].layer.reset();
        VERIFY_FAILS(writeDirectionFile(folder / "w.gguf", file), "a direction without a layer");
        file.directions.clear();
        VERIFY_FAILS(writeDirectionFile(folder / "w.npy", file), "at least one direction, found none");
        QVERIFY(!std::filesystem::exists(folder / "w.gguf"));
    }

    void notesOfAnotherFormAreNamed()
    {
        const ScratchFolder folder;
        const std::vector<float> values{ 1, 2 };
        const auto with = [&](const std::string& key, const std::string& value) {
            const auto path = folder / "n.safetensors";
            [&] { VERIFY_OK(writeSafetensors(path, { { "x", { 2 }, values } }, { { key, value } })); }();
            return readDirectionFile(path.string());
        };
        VERIFY_FAILS(
            with("layer", "twelve"), "'embedding' or a block's number, found 'twelve'", "key 'layer'");
        VERIFY_FAILS(with("role", "both"), "'read-out' or 'displacement'", "key 'role'");
        VERIFY_FAILS(with("held_out_score", "0.5x"), "a number, found '0.5x'", "key 'held_out_score'");
        VERIFY_FAILS(with("held_out_score", "nan"), "a number", "key 'held_out_score'");
        VERIFY_OK(with("format", "pt"));
        QVERIFY(with("layer", "embedding")->directions[0].layer == Layer::embedding());
        // The notes of a .npy file lie beside it.
        VERIFY_OK(writeNpy(folder / "w.npy", Eigen::RowVectorXf::Constant(3, 2)));
        folder.write("w.npy.json", "[1]");
        VERIFY_FAILS(readDirectionFile((folder / "w.npy").string()), "an object", "w.npy.json");
        folder.write("w.npy.json", "{\"layer\": \"4\", \"role\": \"read-out\", \"held_out_score\": 0.75}");
        const auto read = readDirectionFile((folder / "w.npy").string());
        VERIFY_OK(read);
        QVERIFY(read->directions[0].layer == Layer::blockOutput(4));
        QCOMPARE(read->origin.heldOutScore.value(), 0.75);
    }

    void layersHaveNames()
    {
        QCOMPARE(layerTensorName(Layer::blockOutput(12)), std::string("block_12_output"));
        QVERIFY(layerNamed("block_12_output") == Layer::blockOutput(12));
        QVERIFY(layerNamed("embedding") == Layer::embedding());
        for (const char* other : { "12", "block_012_output", "block__output", "block_-1_output", "block_12",
                                   "block_99999999999_output" })
            QVERIFY(!layerNamed(other));
    }

    void everyTruncationOfAControlVectorIsAnError()
    {
        const ScratchFolder folder;
        VERIFY_OK(
            writeDirectionFile(folder / "w.gguf", known(DirectionRole::Displacement, Layer::blockOutput(1))));
        const std::string whole = bytesOf(folder / "w.gguf");
        const std::size_t data
            = whole.size() - 32 + 3 * sizeof(float); // the padding at the end may be missing
        largestAllocation = 0;
        for (std::size_t length = 0; length < data; ++length)
            VERIFY_FAILS(
                readDirectionFile(
                    folder.write("cut.gguf", std::string_view(whole).substr(0, length)).string()),
                "cut.gguf");
        QVERIFY(largestAllocation < std::size_t(1) << 16u);
    }
};

QTEST_GUILESS_MAIN(TestFormatsDirections)
#include "tst_formats_directions.moc"
