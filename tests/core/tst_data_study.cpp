// The study on disk: what is written is read back, what is half-written opens as what is complete, lies are
// named.
#include "core/data/study.h"
#include "tests/support/result_checks.h"

#include <cmath>
#include <limits>

using namespace lodestone;
using namespace lodestone::data;
using namespace lodestone::testing;
using nlohmann::json;

namespace {

constexpr int width = 3;

/// JSON written with single quotes for readability.
std::string quoted(std::string text)
{
    std::replace(text.begin(), text.end(), '\'', '"');
    return text;
}

/// Four responses to two prompts, two pairs.
ResponseSet sampleSet()
{
    ResponseSet set;
    set.prompts = { { "p1", { { "system", "Be brief." }, { "user", "Hi \"you\"\n" } }, 0 },
                    { "p2", { { "user", "\xc3\x84h?" } }, 1 } };
    set.responses = { { "r1", 0, "Hello", "kind", 0, 2 },
                      { "r2", 0, "Go", "kind", 0, 1 },
                      { "r3", 1, "Yes", "", 0, 3 },
                      { "r4", 1, "", "", 0, 0 } };
    set.pairs = { { "a", 0, 1, "kind" }, { "b", 3, 2, "" } };
    return set;
}

/// Row r, column c of every array is `base` + 10 r + c.
RowMatrix rowsOf(float base, int rows, int columns = width)
{
    RowMatrix matrix(rows, columns);
    for (int r = 0; r < rows; ++r)
        for (int c = 0; c < columns; ++c)
            matrix(r, c) = base + static_cast<float>(10 * r + c);
    return matrix;
}

/// A whole study: two layers, mean at both and last at one, likelihoods, one suffix, two words.
class Fixture {
public:
    Fixture()
        : folder(scratch / "study")
    {
        std::filesystem::create_directories(folder / "activations");
        std::filesystem::create_directories(folder / "judgments");
        ok(writeTexts(folder, sampleSet()));
        ok(formats::writeNpy(
            folder / "activations/embedding.mean.npy", rowsOf(100, 4), formats::NpyType::F16));
        ok(formats::writeNpy(folder / "activations/block-1.mean.npy", rowsOf(200, 4)));
        ok(formats::writeNpy(folder / "activations/block-1.last.npy", rowsOf(300, 2)));
        ok(formats::writeNpy(folder / "judgments/likelihood.npy", rowsOf(-50, 4)));
        ok(formats::writeNpy(folder / "judgments/cloze-one.npy", rowsOf(400, 4), formats::NpyType::F16));
        ok(formats::writeNpy(folder / "judgments/words.npy", rowsOf(500, 2)));
        scratch.write(
            "study/judgments/words.json",
            json::array({ { { "word", "kind" }, { "row", 0 } },
                          { { "word", "cruel" }, { "row", 1 }, { "whole", false } } })
                .dump());
        manifest = { { "format", "lodestone-study" },
                     { "version", 1 },
                     { "name", "sample" },
                     { "kind", "reply" },
                     { "seed", 7 },
                     { "model",
                       { { "name", "m" },
                         { "sha256", "ab" },
                         { "architecture", "llama" },
                         { "blocks", 2 },
                         { "width", width } } },
                     { "splits", { { "seed", 3 }, { "train_fraction", 0.5 } } },
                     { "arrays",
                       { { { "layer", { { "kind", "block" }, { "index", 1 } } },
                           { "position", "last" },
                           { "file", "activations/block-1.last.npy" },
                           { "rows", 2 } },
                         { { "layer", { { "kind", "block" }, { "index", 1 } } },
                           { "position", "mean" },
                           { "file", "activations/block-1.mean.npy" },
                           { "rows", 4 } },
                         { { "layer", { { "kind", "embedding" } } },
                           { "position", "mean" },
                           { "file", "activations/embedding.mean.npy" },
                           { "rows", 4 } } } },
                     { "likelihood", "judgments/likelihood.npy" },
                     { "cloze",
                       { { { "name", "one" },
                           { "text", " was" },
                           { "file", "judgments/cloze-one.npy" },
                           { "user_turn", "Say." } } } },
                     { "words", { { "file", "judgments/words.npy" }, { "list", "judgments/words.json" } } } };
    }

    Result<std::shared_ptr<const Study>> open(const char* manifestName = "study.json") const
    {
        scratch.write(std::string("study/") + manifestName, manifest.dump(1));
        return Study::open(folder);
    }

    ScratchFolder scratch;
    std::filesystem::path folder;
    json manifest;

private:
    static void ok(const Result<void>& result)
    {
        if (!result)
            qFatal("%s", result.error().message().c_str());
    }
};

} // namespace

class TestDataStudy : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void textsAreWrittenAndReadBack()
    {
        const Fixture fixture;
        const auto opened = fixture.open();
        VERIFY_OK(opened);
        const ResponseSet expected = sampleSet(), &set = (*opened)->set();
        QCOMPARE(set.kind, ItemKind::Reply);
        QCOMPARE(set.prompts.size(), expected.prompts.size());
        for (std::size_t i = 0; i < 2; ++i) {
            QCOMPARE(set.prompts[i].id, expected.prompts[i].id);
            QCOMPARE(set.prompts[i].group, expected.prompts[i].group);
            QCOMPARE(set.prompts[i].conversation, expected.prompts[i].conversation);
        }
        for (std::size_t i = 0; i < 4; ++i) {
            QCOMPARE(set.responses[i].id, expected.responses[i].id);
            QCOMPARE(set.responses[i].prompt, expected.responses[i].prompt);
            QCOMPARE(set.responses[i].text, expected.responses[i].text);
            QCOMPARE(set.responses[i].value, expected.responses[i].value);
            QCOMPARE(set.responses[i].tokens, expected.responses[i].tokens);
        }
        QCOMPARE(set.pairs.size(), std::size_t(2));
        QCOMPARE(set.pairs[1].id, std::string("b"));
        QCOMPARE(set.pairs[1].chosen, 3);
        QCOMPARE(set.pairs[1].rejected, 2);
        QCOMPARE(set.pairs[0].value, std::string("kind"));
    }

    void labelsAreWrittenByName()
    {
        const ScratchFolder scratch;
        ResponseSet set;
        set.kind = ItemKind::Statement;
        set.positiveLabel = "true";
        set.negativeLabel = "false";
        set.prompts = { { "a", {}, 0 }, { "b", {}, 1 } };
        set.responses = { { "a", 0, "x", "", 1, 1 }, { "b", 1, "y", "", -1, 1 } };
        VERIFY_OK(writeTexts(scratch.path(), set));
        const json manifest{ { "kind", "statement" },
                             { "positive_label", "true" },
                             { "negative_label", "false" } };
        const auto back = readTexts(scratch.path(), manifest, "study.json");
        VERIFY_OK(back);
        QCOMPARE(back->responses[0].label, 1);
        QCOMPARE(back->responses[1].label, -1);
        QVERIFY(back->labelled());
        VERIFY_FAILS(
            readTexts(
                scratch.path(),
                { { "kind", "statement" }, { "positive_label", "true" }, { "negative_label", "no" } },
                "study.json"),
            "a label of the manifest", "'false'", "responses.jsonl, line 2");
        VERIFY_FAILS(
            readTexts(scratch.path(), { { "kind", "statement" } }, "study.json"), "a label of the manifest",
            "responses.jsonl, line 1");
        VERIFY_FAILS(
            readTexts(scratch.path(), { { "kind", "poem" } }, "study.json"), "reply, request or statement",
            "'poem'", "study.json, key 'kind'");
    }

    void arraysAreReadBack()
    {
        const Fixture fixture;
        const auto opened = fixture.open();
        VERIFY_OK(opened);
        const Study& study = **opened;
        QCOMPARE(study.name(), std::string("sample"));
        QCOMPARE(study.seed(), std::uint64_t(7));
        QCOMPARE(study.split().seed, std::uint64_t(3));
        QCOMPARE(study.split().trainFraction, 0.5);
        QCOMPARE(study.model().name, std::string("m"));
        QCOMPARE(study.model().blocks, 2);
        QVERIFY(!study.incomplete());
        QCOMPARE(study.layers(), (std::vector<Layer>{ Layer::embedding(), Layer::blockOutput(1) }));
        QCOMPARE(study.positions(), (std::vector<Position>{ Position::Mean, Position::Last }));
        QVERIFY(study.activations(Layer::embedding(), Position::Mean).value() == rowsOf(100, 4));
        QVERIFY(study.activations(Layer::blockOutput(1), Position::Mean).value() == rowsOf(200, 4));
        QVERIFY(study.activations(Layer::blockOutput(1), Position::Last).value() == rowsOf(300, 2));
        QCOMPARE(study.rowsAt(Layer::blockOutput(1), Position::Last), std::size_t(2));
        QCOMPARE(study.rowsAt(Layer::embedding(), Position::Mean), std::size_t(4));
        QCOMPARE(study.rowsAt(Layer::blockOutput(0), Position::Mean), std::size_t(0));
        QVERIFY(study.has(Layer::embedding(), Position::Mean));
        QVERIFY(!study.has(Layer::embedding(), Position::Last));
        VERIFY_FAILS(
            study.activations(Layer::blockOutput(0), Position::Mean),
            "activations at block 0 output, position mean", "none in this study", "study");
        const auto likelihoods = study.likelihoods();
        QCOMPARE(likelihoods.value().size(), std::size_t(4));
        QCOMPARE(likelihoods.value()[2].given, -30.0);
        QCOMPARE(likelihoods.value()[2].alone, -29.0);
        QCOMPARE(likelihoods.value()[2].tokens, -28.0);
        QCOMPARE(study.suffixes().size(), std::size_t(1));
        QCOMPARE(study.suffixes()[0].userTurn, std::string("Say."));
        QVERIFY(study.clozeStates(0).value() == rowsOf(400, 4));
        QCOMPARE(study.words().size(), std::size_t(2));
        QCOMPARE(study.words()[1].text, std::string("cruel"));
        QVERIFY(!study.words()[1].whole);
        QVERIFY(study.wordRows().value() == rowsOf(500, 2));
        QCOMPARE(study.arrays()[0].type, std::string("<f2"));
    }

    void whatWasNotCapturedIsSaid()
    {
        Fixture fixture;
        for (const char* key : { "likelihood", "cloze", "words", "splits" })
            fixture.manifest.erase(key);
        const auto study = fixture.open();
        VERIFY_OK(study);
        VERIFY_FAILS((*study)->likelihoods(), "captured likelihoods", "none in this study");
        VERIFY_FAILS((*study)->wordRows(), "unembedding rows", "none in this study");
        QVERIFY((*study)->suffixes().empty());
        QCOMPARE((*study)->split().trainFraction, 0.6);
    }

    void theFingerprintFollowsTheContent()
    {
        const auto print = [](auto change) {
            Fixture fixture;
            change(fixture);
            return fixture.open().value()->fingerprint();
        };
        const Fingerprint plain = print([](Fixture&) {});
        QCOMPARE(print([](Fixture&) {}), plain);
        QVERIFY(print([](Fixture& f) { f.manifest["model"]["sha256"] = "cd"; }) != plain);
        QVERIFY(print([](Fixture& f) { f.manifest["arrays"].erase(0); }) != plain);
        QVERIFY(
            print([](Fixture& f) {
                ResponseSet set = sampleSet();
                set.responses[1].text = "Gone";
                QVERIFY(writeTexts(f.folder, set));
            })
            != plain);
        QVERIFY(
            print([](Fixture& f) {
                ResponseSet set = sampleSet();
                std::swap(set.pairs[0].chosen, set.pairs[0].rejected);
                QVERIFY(writeTexts(f.folder, set));
            })
            != plain);
    }

    void notANumberIsNamed()
    {
        const Fixture fixture;
        const auto study = fixture.open().value();
        RowMatrix bad = rowsOf(200, 4);
        bad(2, 1) = std::numeric_limits<float>::quiet_NaN();
        QVERIFY(formats::writeNpy(fixture.folder / "activations/block-1.mean.npy", bad));
        VERIFY_FAILS(
            study->activations(Layer::blockOutput(1), Position::Mean),
            "finite numbers, found NaN or infinity", "block-1.mean.npy, row 2");
        bad(2, 1) = std::numeric_limits<float>::infinity();
        QVERIFY(formats::writeNpy(fixture.folder / "judgments/cloze-one.npy", bad));
        VERIFY_FAILS(study->clozeStates(0), "finite numbers", "cloze-one.npy, row 2");
        QVERIFY(formats::writeNpy(fixture.folder / "judgments/words.npy", bad));
        VERIFY_FAILS(study->wordRows(), "finite", "words.npy");
    }

    void lyingManifestsAreNamed_data()
    {
        QTest::addColumn<QByteArray>("pointer");
        QTest::addColumn<QByteArray>("value");
        QTest::addColumn<QByteArray>("expected");
        QTest::addColumn<QByteArray>("where");
        const auto row = [](const char* pointer, const char* value, const char* expected, const char* where) {
            QTest::addRow("%s = %s", pointer, value)
                << QByteArray(pointer) << QByteArray(value) << QByteArray(expected) << QByteArray(where);
        };
        row("", "[]", "\"format\": \"lodestone-study\", found array", "study.json");
        row("/format", "\"other\"", "\"format\": \"lodestone-study\", found other", "study.json");
        row("/format", "5", "a manifest of this format", "study.json");
        row("/version", "2", "study format version 1, found 2", "study.json, key 'version'");
        row("/version", "\"1\"", "", "study.json");
        row("/kind", "\"poem\"", "reply, request or statement", "study.json, key 'kind'");
        row("/kind", "7", "a manifest of this format", "study.json");
        row("/model", "null", "a manifest of this format", "study.json");
        row("/model/width", "4", "an array of 2 x 4, found 2 x 3", "block-1.last.npy");
        row("/model/width", "0", "a model width of at least 1, found 0", "study.json, key 'model'");
        row("/model/width", "-3", "a model width of at least 1, found -3", "study.json, key 'model'");
        row("/model/width", "\"3\"", "a manifest of this format", "study.json");
        row("/splits/train_fraction", "0", "a train_fraction between 0 and 1, found 0",
            "study.json, key 'splits'");
        row("/splits/train_fraction", "1.5", "a train_fraction between 0 and 1, found 1.5",
            "study.json, key 'splits'");
        row("/arrays", "5", "a manifest of this format", "study.json");
        row("/arrays/1/rows", "5", "at most 4 rows, one per response, found 5", "study.json, key 'arrays'");
        row("/arrays/1/rows", "-1", "at most 4 rows", "study.json, key 'arrays'");
        row("/arrays/0/rows", "3", "an array of 3 x 3, found 2 x 3", "block-1.last.npy");
        row("/arrays/0/layer", "12", "{\"kind\":\"embedding\"} or", "study.json, key 'arrays'");
        row("/arrays/0/layer/kind", "\"head\"",
            "{\"kind\":\"embedding\"} or {\"kind\":\"block\",\"index\":k}, found \"head\"",
            "study.json, key 'arrays'");
        row("/arrays/0/layer/index", "-1", "{\"kind\":\"embedding\"} or", "study.json, key 'arrays'");
        row("/arrays/0/layer/index", "1.5", "{\"kind\":\"embedding\"} or", "study.json, key 'arrays'");
        row("/arrays/0/layer/index", "1000000", "{\"kind\":\"embedding\"} or", "study.json, key 'arrays'");
        row("/arrays/0/position", "\"first\"", "a position: mean or last, found 'first'",
            "study.json, key 'arrays'");
        row("/arrays/0/file", "\"../../secret.npy\"", "a file inside the study, found '../../secret.npy'",
            "study");
        row("/arrays/0/file", "\"/etc/passwd\"", "a file inside the study", "study");
        row("/arrays/0/file", "\"\"", "a file inside the study", "study");
        row("/arrays/0/file", "\"activations/none.npy\"", "a readable file", "none.npy");
        row("/arrays/0/file", "\"responses.jsonl\"", "a .npy file", "responses.jsonl");
        row("/likelihood", "\"judgments/words.npy\"", "an array of 4 x 3, found 2 x 3", "words.npy");
        row("/cloze/0/file", "\"judgments/words.npy\"", "an array of 4 x 3, found 2 x 3", "words.npy");
        row("/cloze/0/name", "5", "a manifest of this format", "study.json");
        row("/words/file", "\"activations/none.npy\"", "a readable file", "none.npy");
        row("/words/list", "\"judgments/none.json\"", "a readable file", "none.json");
        row("/words/list", "\"study.json\"", "a manifest of this format", "study.json");
    }
    void lyingManifestsAreNamed()
    {
        QFETCH(QByteArray, pointer);
        QFETCH(QByteArray, value);
        QFETCH(QByteArray, expected);
        QFETCH(QByteArray, where);
        Fixture fixture;
        VERIFY_OK(fixture.open());
        fixture.manifest[json::json_pointer(pointer.toStdString())] = json::parse(value.toStdString());
        const auto study = fixture.open();
        VERIFY_FAILS(study, expected.toStdString(), where.toStdString());
        QCOMPARE(study.error().kind, ErrorKind::BadInput);
        QVERIFY(study.error().message().size() < 400);
    }

    void lyingWordListsAreNamed()
    {
        const Fixture fixture;
        const auto open = [&](const std::string& list) {
            fixture.scratch.write("study/judgments/words.json", list);
            return fixture.open();
        };
        VERIFY_FAILS(open(quoted("[{'word': 'kind', 'row': -1}]")), "a row from 0, found -1", "key 'words'");
        VERIFY_FAILS(
            open(quoted("[{'word': 'kind', 'row': 2}]")), "an array of 3 x 3, found 2 x 3", "words.npy");
        VERIFY_FAILS(open(quoted("[{'word': 'kind'}]")), "a manifest of this format", "study.json");
        VERIFY_FAILS(open(quoted("[{'word': 'kind', 'row'")), "valid JSON", "words.json, line 1");
        VERIFY_OK(open("[]"));
    }

    void lyingTextsAreNamed_data()
    {
        QTest::addColumn<QByteArray>("file");
        QTest::addColumn<QByteArray>("line");
        QTest::addColumn<QByteArray>("expected");
        const auto row
            = [](const char* name, const char* file, const std::string& line, const char* expected) {
                  QTest::newRow(name)
                      << QByteArray(file) << QByteArray::fromStdString(line) << QByteArray(expected);
              };
        row("prompt outside", "responses.jsonl", quoted("{'id':'x','prompt':2,'text':'t'}"),
            "a prompt below 2, found 2");
        row("prompt negative", "responses.jsonl", quoted("{'id':'x','prompt':-1,'text':'t'}"),
            "a prompt below 2, found -1");
        row("no text", "responses.jsonl", quoted("{'id':'x','prompt':0}"), "a row of this study's format");
        row("torn", "responses.jsonl", quoted("{'id':'x','pro"), "valid JSON");
        row("response outside", "pairs.jsonl", quoted("{'id':'x','chosen':0,'rejected':4}"),
            "a response below 4, found 4");
        row("response negative", "pairs.jsonl", quoted("{'id':'x','chosen':-2,'rejected':1}"),
            "a response below 4, found -2");
        row("a text for a number", "pairs.jsonl", quoted("{'id':'x','chosen':'0','rejected':1}"),
            "a row of this study's format");
        row("turn without content", "prompts.jsonl",
            quoted("{'id':'x','group':0,'conversation':[{'role':'user'}]}"), "a row of this study's format");
        row("no group", "prompts.jsonl", quoted("{'id':'x','conversation':[]}"),
            "a row of this study's format");
    }
    void lyingTextsAreNamed()
    {
        QFETCH(QByteArray, file);
        QFETCH(QByteArray, line);
        QFETCH(QByteArray, expected);
        const Fixture fixture;
        const std::string name = file.toStdString(), old = bytesOf(fixture.folder / name);
        const auto lines = std::count(old.begin(), old.end(), '\n');
        fixture.scratch.write("study/" + name, old + line.toStdString() + "\n");
        VERIFY_FAILS(fixture.open(), expected.toStdString(), name + ", line " + std::to_string(lines + 1));
        std::filesystem::remove(fixture.folder / name);
        VERIFY_FAILS(fixture.open(), "a readable file", name);
    }

    void arraysThatWereCutAreNamed()
    {
        const Fixture fixture;
        for (const char* name : { "activations/block-1.mean.npy", "judgments/likelihood.npy",
                                  "judgments/cloze-one.npy", "judgments/words.npy" }) {
            const std::string whole = bytesOf(fixture.folder / name);
            for (const std::size_t length :
                 { std::size_t(0), std::size_t(5), whole.size() / 2, whole.size() - 1 }) {
                fixture.scratch.write(
                    std::string("study/") + name, std::string_view(whole).substr(0, length));
                VERIFY_FAILS(fixture.open(), name, "expected");
            }
            fixture.scratch.write(std::string("study/") + name, whole);
        }
        VERIFY_OK(fixture.open());
    }

    void foldersThatAreNoStudyAreNamed()
    {
        const ScratchFolder scratch;
        VERIFY_FAILS(Study::open(scratch / "none"), "a study folder, found nothing", "none");
        VERIFY_FAILS(Study::open(scratch.write("file", "x")), "a study folder, found a file", "file");
        VERIFY_FAILS(Study::open(scratch.path()), "a study folder with study.json, found none");
        scratch.write("study.json", "{\n\"format\":");
        VERIFY_FAILS(Study::open(scratch.path()), "valid JSON", "study.json, line 2");
        Fixture fixture;
        for (const char* name : { "responses.jsonl", "pairs.jsonl" })
            fixture.scratch.write(std::string("study/") + name, "");
        VERIFY_FAILS(fixture.open(), "at least one response, found none", "study.json");
    }

    /// Rows 0, 1 and 3 are finished; pair b lacks row 2, and the last-token array holds only rows 0 and 1.
    void aHalfWrittenStudyOpensAsWhatIsComplete()
    {
        const Fixture fixture;
        fixture.scratch.write("study/capture.journal", "[1,0]\n[3]\n[2");
        const auto opened = fixture.open("capture.json");
        VERIFY_OK(opened);
        const Study& study = **opened;
        QCOMPARE(study.incomplete().value(), std::string("3 of 4 responses are captured"));
        QCOMPARE(study.set().responses.size(), std::size_t(3));
        QCOMPARE(study.set().responses[2].id, std::string("r4"));
        QCOMPARE(study.set().pairs.size(), std::size_t(1));
        QCOMPARE(study.set().pairs[0].id, std::string("a"));
        const RowMatrix mean = study.activations(Layer::blockOutput(1), Position::Mean).value();
        QCOMPARE(mean.rows(), Eigen::Index(3));
        QVERIFY(mean.row(2) == rowsOf(200, 4).row(3));
        QCOMPARE(study.rowsAt(Layer::blockOutput(1), Position::Mean), std::size_t(3));
        QVERIFY(study.activations(Layer::blockOutput(1), Position::Last).value() == rowsOf(300, 2));
        QCOMPARE(study.rowsAt(Layer::blockOutput(1), Position::Last), std::size_t(2));
        QVERIFY(study.clozeStates(0).value().row(2) == rowsOf(400, 4).row(3));
        QCOMPARE(study.likelihoods().value().size(), std::size_t(3));
        QCOMPARE(study.likelihoods().value()[2].given, -20.0);
    }

    void aHalfWrittenStudyWithNothingYetSaysSo()
    {
        const Fixture fixture;
        VERIFY_FAILS(fixture.open("capture.json"), "at least one finished response, found none yet", "study");
        fixture.scratch.write("study/capture.journal", "[9, -1, \"0\", 1.5]\nnonsense\n[0]\n");
        VERIFY_FAILS(Study::open(fixture.folder), "at least one finished response");
    }

    void layersAndPositionsHaveTheirJson()
    {
        for (int row = 0; row < 5; ++row)
            QCOMPARE(layerFromJson(layerToJson(Layer::atRow(row)), "x").value(), Layer::atRow(row));
        QVERIFY(layerToJson(Layer::blockOutput(2)) == json({ { "kind", "block" }, { "index", 2 } }));
        VERIFY_FAILS(layerFromJson(json::parse(quoted("{'kind':5}")), "here"), "found 5", "here");
        for (const Position position : { Position::Mean, Position::Last })
            QCOMPARE(parsePosition(positionName(position)).value(), position);
        VERIFY_FAILS(parsePosition("middle"), "a position: mean or last", "'middle'");
    }
};

QTEST_GUILESS_MAIN(TestDataStudy)
#include "tst_data_study.moc"
