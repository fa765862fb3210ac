// What people write as a constitution, how it is read back, and what is said about what cannot be read.
#include "core/constitution/constitution_edit.h"
#include "tests/support/result_checks.h"

#include <nlohmann/json.hpp>
#include <set>

using namespace lodestone;
using namespace lodestone::constitution;
using namespace lodestone::testing;

namespace {

using Words = std::vector<std::string>;

Constitution twoPrinciples()
{
    Constitution constitution;
    constitution.name = "Kindness first, naïveté last";
    constitution.mapping = Mapping::Projection;
    Principle kind;
    kind.id = "kind";
    kind.name = "Be kind";
    kind.text = "Be kind: “treat” people well.";
    kind.positive = { "kind", "caring" };
    kind.negative = { "rude", "well meant" };
    kind.weight = -1.75;
    kind.on = false;
    kind.value = "kindness";
    Principle brief;
    brief.id = "brief";
    brief.name = "Be brief";
    brief.text = "Be brief.";
    brief.positive = { "short" };
    brief.negative = { "long" };
    brief.weight = 0.1;
    brief.notes = "Asked for by nobody.\nTry “terse”.";
    constitution.principles = { kind, brief };
    return constitution;
}

/// A document with one sound principle, to be spoilt.
nlohmann::json sound()
{
    return nlohmann::json::parse(
        R"({"format": "lodestone-constitution", "version": 1, "name": "One", "principles": [
        {"id": "kind", "text": "Be kind.", "positive": "kind and polite", "negative": ["rude", "cruel, hurtful"]}]})");
}

Result<Constitution> spoilt(const std::function<void(nlohmann::json&)>& spoil)
{
    nlohmann::json document = sound();
    spoil(document);
    return constitutionFromJson(document, "c.json");
}

} // namespace

class TestConstitution : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void wordsOfPlainText_data()
    {
        QTest::addColumn<QString>("text");
        QTest::addColumn<QString>("joined");
        const auto row = [](const char* text, const char* joined) {
            QTest::newRow(text) << QString::fromUtf8(text) << QString::fromUtf8(joined);
        };
        row("kind, polite and caring", "kind|polite|caring");
        row("kind, polite, and caring", "kind|polite|caring");
        row("Kind; POLITE / caring", "kind|polite|caring");
        row("kind or polite", "kind|polite");
        row("  kind  ,, ;polite  ", "kind|polite");
        row("kind, kind and Kind", "kind");
        row("well   meant, kind", "well meant|kind");
        row("android and oracle", "android|oracle");
        row("and", "");
        row("and kind", "kind");
        row("kind and", "kind");
        row("naïve", "naïve");
        row("", "");
        row(" \t\n", "");
    }
    void wordsOfPlainText()
    {
        QFETCH(QString, text);
        QFETCH(QString, joined);
        std::string result;
        for (const std::string& word : wordsOf(text.toStdString()))
            result += (result.empty() ? "" : "|") + word;
        QCOMPARE(QString::fromStdString(result), joined);
    }

    void joinedWordsAreReadBack()
    {
        const Words words{ "kind", "well meant", "caring" };
        QCOMPARE(joinWords(words), std::string("kind, well meant, caring"));
        QCOMPARE(wordsOf(joinWords(words)), words);
        QVERIFY(joinWords({}).empty());
    }

    void jsonRoundTrip()
    {
        const Constitution original = twoPrinciples();
        const auto read = constitutionFromJson(nlohmann::json::parse(toJson(original).dump()), "memory");
        VERIFY_OK(read);
        QVERIFY(*read == original);
    }

    void jsonIsAsDocumented()
    {
        const nlohmann::json json = nlohmann::json::parse(toJson(twoPrinciples()).dump());
        QCOMPARE(json.at("format").get<std::string>(), std::string("lodestone-constitution"));
        QCOMPARE(json.at("version").get<int>(), 1);
        QCOMPARE(json.at("mapping").get<std::string>(), std::string("projection"));
        const nlohmann::json& kind = json.at("principles").at(0);
        QCOMPARE(kind.at("negative").get<std::string>(), std::string("rude, well meant"));
        QCOMPARE(kind.at("weight").get<double>(), -1.75);
        QCOMPARE(kind.at("on").get<bool>(), false);
        QCOMPARE(kind.at("value").get<std::string>(), std::string("kindness"));
        QVERIFY(!json.at("principles").at(1).contains("value"));
        QVERIFY(!kind.contains("notes")); // only where there are any
        QCOMPARE(
            json.at("principles").at(1).at("notes").get<std::string>(),
            std::string("Asked for by nobody.\nTry “terse”."));
    }

    void fileRoundTrip()
    {
        const ScratchFolder folder;
        const Constitution original = twoPrinciples();
        VERIFY_OK(writeConstitution(folder / "c.json", original));
        const auto read = readConstitution(folder / "c.json");
        VERIFY_OK(read);
        QVERIFY(*read == original);
        QCOMPARE(QDir(QString::fromStdString(folder.path().string())).entryList(QDir::Files).size(), 1);
    }

    void aFailedSaveKeepsTheOldFile()
    {
        const ScratchFolder folder;
        const auto path = folder.write("dir/c.json", "the old file");
        // The only way to fail for a superuser too: the temporary file's name is taken by a folder.
        const auto blocked
            = folder / ("dir/c.json." + std::to_string(QCoreApplication::applicationPid()) + ".part");
        std::filesystem::create_directories(blocked / "inside");
        const auto written = writeConstitution(path, twoPrinciples());
        VERIFY_FAILS(written, "c.json");
        QVERIFY(written.error().kind == ErrorKind::Failed);
        QCOMPARE(bytesOf(path), std::string("the old file"));
        VERIFY_FAILS(
            writeConstitution(folder / "no-such-folder/c.json", twoPrinciples()), "no-such-folder/c.json");
    }

    void defaultsOfWhatMayBeLeftOut()
    {
        const auto read = spoilt([](auto& json) { json["principles"][0].erase("id"); });
        VERIFY_OK(read);
        QVERIFY(read->mapping == Mapping::Weighted);
        const Principle& principle = read->principles.at(0);
        QCOMPARE(principle.id, std::string("principle-1"));
        QCOMPARE(principle.name, std::string("Be kind."));
        QCOMPARE(principle.weight, 1.0);
        QVERIFY(principle.on);
        QVERIFY(principle.value.empty());
        QCOMPARE(principle.positive, (Words{ "kind", "polite" }));
        QCOMPARE(principle.negative, (Words{ "rude", "cruel", "hurtful" }));
        const auto nameless = spoilt([](auto& json) { json["principles"][0].erase("text"); });
        VERIFY_OK(nameless);
        QCOMPARE(nameless->principles.at(0).name, std::string("kind, polite"));
        const auto empty = spoilt([](auto& json) { json["principles"] = nlohmann::json::array(); });
        VERIFY_OK(empty);
        QVERIFY(empty->principles.empty());
    }

    void aNameCutFromTheTextIsWholeCharacters()
    {
        // 39 letters, then a character of two bytes: cut at 40 bytes it would be torn, and no JSON could be
        // written.
        const std::string text = std::string(39, 'a') + "é is allowed here";
        const auto read = spoilt([&](auto& json) { json["principles"][0]["text"] = text; });
        VERIFY_OK(read);
        QCOMPARE(read->principles.at(0).name, std::string(39, 'a'));
        const ScratchFolder folder;
        VERIFY_OK(writeConstitution(folder / "c.json", *read));
        const auto again = readConstitution(folder / "c.json");
        VERIFY_OK(again);
        QVERIFY(*again == *read);
        const auto fits = spoilt(
            [&](auto& json) { json["principles"][0]["text"] = std::string(38, 'a') + "é is allowed here"; });
        VERIFY_OK(fits);
        QCOMPARE(fits->principles.at(0).name, std::string(38, 'a') + "é");
    }

    void weightsAtTheEnds()
    {
        for (const double weight : { -2.0, 0.0, 2.0 }) {
            const auto read = spoilt([&](auto& json) { json["principles"][0]["weight"] = weight; });
            VERIFY_OK(read);
            QCOMPARE(read->principles.at(0).weight, weight);
        }
    }

    void badInput_data()
    {
        QTest::addColumn<QString>("patch"); // a merge patch of the sound document, or of its principle
        QTest::addColumn<bool>("ofPrinciple");
        QTest::addColumn<QStringList>("named");
        const auto row = [](const char* name, const char* patch, bool ofPrinciple, const QStringList& named) {
            QTest::newRow(name) << QString::fromUtf8(patch) << ofPrinciple << named;
        };
        const QString first = QStringLiteral("c.json, principle 1");
        row("weight 3", R"({"weight": 3})", true,
            { first, QStringLiteral("key 'weight'"), QStringLiteral("from -2 to 2"),
              QStringLiteral("found 3") });
        row("weight -2.01", R"({"weight": -2.01})", true,
            { first, QStringLiteral("key 'weight'"), QStringLiteral("-2.01") });
        row("weight a text", R"({"weight": "1"})", true,
            { first, QStringLiteral("key 'weight'"), QStringLiteral("\"1\"") });
        row("on a number", R"({"on": 1})", true,
            { first, QStringLiteral("key 'on'"), QStringLiteral("true or false") });
        row("missing pole", R"({"negative": null})", true,
            { first, QStringLiteral("key 'negative'"), QStringLiteral("nothing") });
        row("empty pole", R"({"positive": " , "})", true,
            { first, QStringLiteral("no word for the positive pole") });
        row("empty list", R"({"negative": []})", true,
            { first, QStringLiteral("no word for the negative pole") });
        row("pole a number", R"({"positive": 7})", true,
            { first, QStringLiteral("key 'positive'"), QStringLiteral("number") });
        row("pole of numbers", R"({"positive": ["kind", 7]})", true,
            { first, QStringLiteral("key 'positive'"), QStringLiteral("number") });
        row("same word in both poles", R"({"negative": "rude, Kind"})", true,
            { first, QStringLiteral("'kind' stands in both poles") });
        row("very long word",
            R"({"negative": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"})", true,
            { first, QStringLiteral("too long") });
        row("text a number", R"({"text": 1})", true, { first, QStringLiteral("key 'text'") });
        row("notes a list", R"({"notes": []})", true, { first, QStringLiteral("key 'notes'") });
        row("wrong version", R"({"version": 3})", false,
            { QStringLiteral("c.json"), QStringLiteral("version 1"), QStringLiteral("found 3") });
        row("no version", R"({"version": null})", false,
            { QStringLiteral("version 1"), QStringLiteral("found none") });
        row("version a text", R"({"version": "1"})", false,
            { QStringLiteral("version 1"), QStringLiteral("\"1\"") });
        row("wrong format", R"({"format": "recipe"})", false,
            { QStringLiteral("lodestone-constitution"), QStringLiteral("\"recipe\"") });
        row("no format", R"({"format": null})", false,
            { QStringLiteral("lodestone-constitution"), QStringLiteral("none") });
        row("no principles", R"({"principles": null})", false, { QStringLiteral("key 'principles'") });
        row("principles an object", R"({"principles": {"a": 1}})", false,
            { QStringLiteral("key 'principles'") });
        row("a principle a text", R"({"principles": ["Be kind."]})", false,
            { QStringLiteral("c.json, principle 1"), QStringLiteral("an object"), QStringLiteral("string") });
        row("unknown mapping", R"({"mapping": "sum"})", false,
            { QStringLiteral("mapping"), QStringLiteral("weighted or projection"), QStringLiteral("'sum'") });
        row("mapping a number", R"({"mapping": 1})", false, { QStringLiteral("key 'mapping'") });
        row("name a list", R"({"name": []})", false,
            { QStringLiteral("key 'name'"), QStringLiteral("array") });
    }
    void badInput()
    {
        QFETCH(QString, patch);
        QFETCH(bool, ofPrinciple);
        QFETCH(QStringList, named);
        const auto read = spoilt([&](auto& json) {
            (ofPrinciple ? json["principles"][0] : json)
                .merge_patch(nlohmann::json::parse(patch.toStdString()));
        });
        VERIFY_FAILS(read, "expected");
        QVERIFY(read.error().kind == ErrorKind::BadInput);
        for (const QString& part : named)
            VERIFY_FAILS(read, part.toStdString());
    }

    void twoIdsAlike()
    {
        const auto read = spoilt([](auto& json) { json["principles"].push_back(json["principles"][0]); });
        VERIFY_FAILS(read, "c.json, principle 2", "'kind' twice");
    }

    void notAConstitutionAtAll()
    {
        VERIFY_FAILS(constitutionFromJson(nlohmann::json::array(), "c.json"), "c.json", "an object", "array");
        const ScratchFolder folder;
        VERIFY_FAILS(readConstitution(folder.write("c.json", "Be kind.")), "c.json");
        const std::string whole = sound().dump();
        VERIFY_FAILS(
            readConstitution(folder.write("torn.json", whole.substr(0, whole.size() / 2))), "torn.json");
        VERIFY_FAILS(readConstitution(folder.write("empty.json", "")), "empty.json");
        VERIFY_FAILS(readConstitution(folder / "none.json"), "none.json");
        VERIFY_FAILS(readConstitution(folder.path()), "a folder");
    }

    void mappings()
    {
        for (const Mapping mapping : { Mapping::Weighted, Mapping::Projection })
            QVERIFY(parseMapping(mappingName(mapping)).value() == mapping);
        VERIFY_FAILS(parseMapping("Weighted"), "'Weighted'");
    }

    void onePrinciplePerValue()
    {
        const Constitution constitution = constitutionForValues({ "honest", "kind", "punctual" });
        QCOMPARE(constitution.principles.size(), std::size_t(3));
        std::set<std::string> ids;
        for (const Principle& principle : constitution.principles) {
            QVERIFY2(problemOf(principle).empty(), principle.name.c_str());
            QCOMPARE(principle.value, principle.id);
            ids.insert(principle.id);
        }
        QCOMPARE(ids.size(), std::size_t(3));
        QVERIFY(constitution.principles[1].positive.front() == "kind");
        QCOMPARE(constitution.principles[2].positive, neutralPrinciple().positive);
        const Constitution none = constitutionForValues({});
        QCOMPARE(none.principles.size(), std::size_t(1));
        QVERIFY(none.principles[0] == neutralPrinciple());
        const auto again = constitutionFromJson(nlohmann::json::parse(toJson(constitution).dump()), "memory");
        VERIFY_OK(again);
        QVERIFY(*again == constitution);
    }

    void sentencesBecomePrinciples()
    {
        const ScratchFolder folder;
        const auto list = readConstitution(
            folder.write("mine.txt", "1. Be kind.\n\n  - Say what is true.\n2) Do no harm.\n"));
        VERIFY_OK(list);
        QCOMPARE(list->name, std::string("mine"));
        QCOMPARE(list->principles.size(), std::size_t(3));
        QCOMPARE(list->principles[0].text, std::string("Be kind."));
        QCOMPARE(list->principles[1].text, std::string("Say what is true."));
        QCOMPARE(list->principles[2].text, std::string("Do no harm."));
        for (const Principle& principle : list->principles) {
            QCOMPARE(principle.way, std::string("conditioned-cloze"));
            QVERIFY(problemOf(principle).empty());
        }
        // ICAI writes one JSON text of numbered lines.
        const auto icai = readConstitution(folder.write(
            "060_constitution.json",
            "\"1. Select the response that is shorter.\\n2. Select the response that is kind.\""));
        VERIFY_OK(icai);
        QCOMPARE(icai->principles.size(), std::size_t(2));
        QCOMPARE(icai->principles[1].text, std::string("Select the response that is kind."));
        const auto array = readConstitution(folder.write("list.json", "[\"Be brief.\", \"Be clear.\"]"));
        VERIFY_OK(array);
        QCOMPARE(array->principles.size(), std::size_t(2));
        VERIFY_FAILS(readConstitution(folder.write("empty.txt", "\n \n")), "empty.txt", "one sentence");
        VERIFY_FAILS(readConstitution(folder.write("numbers.json", "[1]")), "a list of texts", "number");
        std::string endless;
        for (int i = 0; i < 10000; ++i)
            endless += "word ";
        VERIFY_FAILS(readConstitution(folder.write("endless.txt", endless)), "sentence 1", "700 words");
    }

    void shippedConstitutionsAreSound()
    {
        int count = 0;
        for (const auto& entry : std::filesystem::directory_iterator(
                 std::string(LODESTONE_SOURCE_DIR) + "/resources/constitutions")) {
            const auto read = readConstitution(entry.path());
            VERIFY_OK(read);
            QVERIFY(!read->principles.empty());
            ++count;
        }
        QCOMPARE(count, 7);
    }
};

QTEST_GUILESS_MAIN(TestConstitution)
#include "tst_constitution.moc"
