// What `info` says of files: every kind by its content, and a damaged one by a sentence and exit code 3.
#include "core/formats/direction_file.h"
#include "core/formats/lines.h"
#include "core/formats/npy.h"
#include "core/formats/safetensors.h"
#include "tests/support/pickle_writer.h"
#include "tests/support/result_checks.h"

#include <QProcess>

using namespace lodestone;
using namespace lodestone::formats;
using namespace lodestone::testing;
using Json = nlohmann::json;

class TestFormatsInfo : public QObject {
    Q_OBJECT

    QString m_program;

    struct Run {
        int code = -1;
        Json json;
        std::string out, err;
    };
    Run run(const QStringList& arguments) const
    {
        QProcess process;
        process.start(m_program, QStringList{ QStringLiteral("info") } + arguments);
        if (!process.waitForFinished(60000))
            return {};
        Run result{ process.exitCode(),
                    {},
                    process.readAllStandardOutput().toStdString(),
                    process.readAllStandardError().toStdString() };
        result.json = Json::parse(result.out, nullptr, false);
        return result;
    }
    Run info(const std::string& path) const
    {
        return run({ QStringLiteral("--json"), QString::fromStdString(path) });
    }

private Q_SLOTS:
    void initTestCase()
    {
        m_program = qEnvironmentVariable("LODESTONE_BIN") + QStringLiteral("/lodestone");
        if (!QFile::exists(m_program))
            QSKIP("no program: set LODESTONE_BIN to the folder of the built one");
    }

    void everyKindIsToldByItsContent()
    {
        const ScratchFolder folder;
        RowMatrix rows(2, 3);
        rows << 1, 2, 3, 4, 5, 6;
        QVERIFY(writeNpy(folder / "rows.npy", rows).has_value());
        Run told = info((folder / "rows.npy").string());
        QCOMPARE(told.code, 0);
        QCOMPARE(told.json["kind"].get<std::string>(), std::string("array"));
        QVERIFY(told.json["shape"] == Json({ 2, 3 }));
        QCOMPARE(told.json["type"].get<std::string>(), std::string("<f4"));

        const std::vector<float> six{ 1, 2, 3, 4, 5, 6 };
        VERIFY_OK(
            writeSafetensors(folder / "a.safetensors", { { "x", { 2, 3 }, six } }, { { "format", "pt" } }));
        told = info((folder / "a.safetensors").string());
        QCOMPARE(told.json["kind"].get<std::string>(), std::string("tensors"));
        QVERIFY(told.json["tensors"] == Json::parse(R"([{"name": "x", "shape": [2, 3], "type": "F32"}])"));
        QCOMPARE(told.json["metadata"]["format"].get<std::string>(), std::string("pt"));

        VERIFY_OK(writeSafetensors(
            folder / "sae.safetensors", { { "W_enc", { 2, 3 }, six }, { "W_dec", { 3, 2 }, six } }));
        QCOMPARE(
            info((folder / "sae.safetensors").string()).json["kind"].get<std::string>(),
            std::string("autoencoder"));
        told = info((folder / "sae.safetensors#decoder/2").string());
        QCOMPARE(told.json["kind"].get<std::string>(), std::string("direction"));
        QCOMPARE(told.json["directions"][0]["role"].get<std::string>(), std::string("displacement"));
        QVERIFY(std::abs(told.json["directions"][0]["norm"].get<double>() - std::sqrt(61.0)) < 1e-12); // 5, 6

        namespace pk = lodestone::testing::pickled;
        told = info(folder
                        .write(
                            "d.pt",
                            pk::archive(
                                pk::tensor(pk::storage("FloatStorage", "0", 3), 1, { 2 }, { 1 }),
                                { { "0", std::string(12, '\0') } })
                                .bytes())
                        .string());
        QCOMPARE(told.json["format"].get<std::string>(), std::string("pt"));
        QVERIFY(told.json["tensors"][0]["shape"] == Json({ 2 }));

        ZipWriter zip;
        zip.stored("a.npy", bytesOf(folder / "rows.npy"));
        told = info(folder.write("a.npz", zip.bytes()).string());
        QCOMPARE(told.json["format"].get<std::string>(), std::string("npz"));
        QCOMPARE(told.json["tensors"][0]["name"].get<std::string>(), std::string("a"));

        told = info(folder.write("t.jsonl", "{\"a\": 1}\n{\"a\": 2, \"b\": 3}\nno\n").string());
        QCOMPARE(told.json["kind"].get<std::string>(), std::string("table"));
        QCOMPARE(told.json["rows"].get<int>(), 2);
        QCOMPARE(told.json["bad_rows"].get<int>(), 1);
        QVERIFY(told.json["columns"] == Json({ { "a", 2 }, { "b", 1 } }));
        told = info(folder.write("c.json", R"({"name": "c", "principles": [{}, {}]})").string());
        QCOMPARE(told.json["kind"].get<std::string>(), std::string("constitution"));
        QCOMPARE(told.json["principles"].get<int>(), 2);
    }

    void directionsSayWhereTheyComeFrom()
    {
        const ScratchFolder folder;
        DirectionFile file;
        file.origin = { "tiny", "abc", "last", "cloze", "kind", 0.75 };
        file.directions
            = { { "direction", Eigen::Vector2f(3, 4), Layer::blockOutput(5), DirectionRole::Displacement } };
        for (const char* name : { "w.npy", "w.safetensors", "w.gguf" }) {
            VERIFY_OK(writeDirectionFile(folder / name, file));
            const Run told = info((folder / name).string());
            QCOMPARE(told.code, 0);
            QCOMPARE(
                told.json["kind"].get<std::string>(),
                std::string(std::string_view(name).ends_with("gguf") ? "control vector" : "direction"));
            QCOMPARE(told.json["model"].get<std::string>(), std::string("tiny"));
            QCOMPARE(told.json["orientation"].get<std::string>(), std::string("kind"));
            QCOMPARE(told.json["held_out_score"].get<double>(), 0.75);
            QCOMPARE(told.json["width"].get<int>(), 2);
            QVERIFY(told.json["directions"][0]["layer"] == Json({ { "kind", "block" }, { "index", 5 } }));
            QCOMPARE(told.json["directions"][0]["norm"].get<double>(), 5.0);
        }
        const Run table = run({ QString::fromStdString((folder / "w.gguf").string()) });
        QVERIFY(table.out.find("block 5 output") != std::string::npos);
    }

    void damagedFilesAreNamed()
    {
        const ScratchFolder folder;
        for (const char* name :
             { "x.npy", "x.npz", "x.pt", "x.safetensors", "x.gguf", "x.json", "x.jsonl", "x.bin" }) {
            const Run told = info(folder.write(name, "").string());
            QCOMPARE(told.code, 3);
            QVERIFY2(told.err.find(name) != std::string::npos, told.err.c_str());
            QCOMPARE(std::count(told.err.begin(), told.err.end(), '\n'), std::ptrdiff_t(1));
        }
        const Run absent = info((folder / "absent.safetensors").string());
        QCOMPARE(absent.code, 3);
        QVERIFY(absent.err.find("absent.safetensors") != std::string::npos);
    }
};

QTEST_GUILESS_MAIN(TestFormatsInfo)
#include "tst_formats_info.moc"
