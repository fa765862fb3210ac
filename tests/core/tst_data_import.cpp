// Every form in which people hand over preferences, candidates and labelled texts, and what is said about bad
// rows.
#include "core/data/import_activations.h"
#include "core/data/response_set.h"
#include "core/formats/safetensors.h"
#include "tests/support/gguf_writer.h"
#include "tests/support/result_checks.h"

#include <nlohmann/json.hpp>
#include <set>

using namespace lodestone;
using namespace lodestone::data;
using namespace lodestone::testing;
using lodestone::text::Message;

namespace {

using Conversation = std::vector<Message>;

/// JSON written with single quotes for readability.
std::string json(std::string text)
{
    std::replace(text.begin(), text.end(), '\'', '"');
    return text;
}

Result<Import> importText(
    const std::string& content, const ImportOptions& options = {}, const std::string& name = "table.jsonl")
{
    const ScratchFolder folder;
    return importTable(folder.write(name, content), options);
}

Conversation promptOf(const ResponseSet& set, int response)
{
    return set.prompts
        .at(static_cast<std::size_t>(set.responses.at(static_cast<std::size_t>(response)).prompt))
        .conversation;
}
const Response& chosen(const ResponseSet& set, std::size_t pair)
{
    return set.responses.at(static_cast<std::size_t>(set.pairs.at(pair).chosen));
}
const Response& rejected(const ResponseSet& set, std::size_t pair)
{
    return set.responses.at(static_cast<std::size_t>(set.pairs.at(pair).rejected));
}

std::string floats(const std::vector<float>& values)
{
    std::string bytes;
    for (const float value : values)
        bytes += littleEndian(value);
    return bytes;
}

RowMatrix counting(Eigen::Index rows, Eigen::Index columns)
{
    RowMatrix matrix(rows, columns);
    for (Eigen::Index i = 0; i < matrix.size(); ++i)
        matrix.data()[i] = static_cast<float>(i);
    return matrix;
}

} // namespace

class TestDataImport : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void pairsWithAPrompt()
    {
        const auto import = importText(
            json("{'prompt': 'Is it late?', 'chosen': 'No.', 'rejected': 'Go away.', 'value': 'kind', 'id': "
                 "'first'}")
            + "\n"
            + json("{'prompt': 'Is it late?', 'chosen': 'Not yet.', 'rejected': 'Hm.', 'category': 'honest'}")
            + "\n" + json("{'prompt': 'Who are you?', 'chosen': 'A clock.', 'rejected': 'A king.'}"));
        VERIFY_OK(import);
        const ResponseSet& set = import->set;
        QCOMPARE(set.kind, ItemKind::Reply);
        QCOMPARE(set.pairs.size(), std::size_t(3));
        QCOMPARE(set.responses.size(), std::size_t(6));
        QCOMPARE(set.prompts.size(), std::size_t(2)); // the same words are one prompt
        QCOMPARE(set.pairs[0].id, std::string("first"));
        QCOMPARE(chosen(set, 0).text, std::string("No."));
        QCOMPARE(rejected(set, 0).text, std::string("Go away."));
        QCOMPARE(promptOf(set, 0), (Conversation{ { "user", "Is it late?" } }));
        QCOMPARE(set.groupOf(set.pairs[0].chosen), set.groupOf(set.pairs[1].rejected));
        QVERIFY(set.groupOf(set.pairs[0].chosen) != set.groupOf(set.pairs[2].chosen));
        QCOMPARE(set.values(), (std::vector<std::string>{ "kind", "honest" }));
        QVERIFY(!set.labelled());
        QCOMPARE(set.promptText(4), std::string("Who are you?"));
        QCOMPARE(set.shownText(4), std::string("A clock."));
        std::set<std::string> ids;
        for (const Response& response : set.responses)
            QVERIFY(ids.insert(response.id).second);
    }

    /// The reply begins after the last "\n\nAssistant:", also when a reply before it holds the same words.
    void pairsWithThePromptInside()
    {
        const std::string start = json(
            "\\n\\nHuman: Hi\\n\\nAssistant: Hello.\\n\\nHuman: What is in\\n\\nthe box?\\n\\nAssistant:");
        const auto import = importText(
            "{\"chosen\": \"" + start + " A ball.\", \"rejected\": \"" + start
            + " None of \\n\\nyour business.\"}");
        VERIFY_OK(import);
        QCOMPARE(
            promptOf(import->set, 0),
            (Conversation{
                { "user", "Hi" }, { "assistant", "Hello." }, { "user", "What is in\n\nthe box?" } }));
        QCOMPARE(chosen(import->set, 0).text, std::string("A ball."));
        QCOMPARE(rejected(import->set, 0).text, std::string("None of \n\nyour business."));
        QCOMPARE(import->set.prompts.size(), std::size_t(1));

        const auto lastOnly = importText(
            "{\"chosen\": \"" + start + " A ball.\", \"rejected\": \"" + start + " No.\"}",
            { 0, false, true, {} });
        QCOMPARE(promptOf(lastOnly.value().set, 0), (Conversation{ { "user", "What is in\n\nthe box?" } }));
    }

    void transcriptsBecomeTurns()
    {
        QCOMPARE(
            parseTranscript("lost\n\nHuman: a \n\nAssistant:b\n\nHuman:  c"),
            (Conversation{ { "user", "a " }, { "assistant", "b" }, { "user", " c" } }));
        QCOMPARE(parseTranscript("no speaker at all"), Conversation());
        QCOMPARE(parseTranscript(""), Conversation());
        QCOMPARE(parseTranscript("\n\nAssistant:"), (Conversation{ { "assistant", "" } }));
        QCOMPARE(
            parseTranscript("\n\nHuman: x\n\nHuman: y"), (Conversation{ { "user", "x" }, { "user", "y" } }));
    }

    void aPromptMayBeATranscript()
    {
        const auto import
            = importText(json("{'prompt': '\\n\\nHuman: One?\\n\\nAssistant: Two.\\n\\nHuman: "
                              "Three?\\n\\nAssistant:', 'chosen': 'Four.', 'rejected': 'Five.'}"));
        VERIFY_OK(import);
        QCOMPARE(
            promptOf(import->set, 0),
            (Conversation{ { "user", "One?" }, { "assistant", "Two." }, { "user", "Three?" } }));
    }

    void conversationsAsLists()
    {
        const auto list = [](const std::string& reply) {
            return json("[{'role': 'system', 'content': 'Be brief.'}, {'role': 'user', 'content': 'Hi'}, ")
                + ("{\"role\": \"assistant\", \"content\": \"" + reply + "\"}]");
        };
        const auto inside
            = importText("{\"chosen\": " + list("Hello.") + ", \"rejected\": " + list("Leave.") + "}");
        VERIFY_OK(inside);
        QCOMPARE(promptOf(inside->set, 0), (Conversation{ { "system", "Be brief." }, { "user", "Hi" } }));
        QCOMPARE(chosen(inside->set, 0).text, std::string("Hello."));
        QCOMPARE(rejected(inside->set, 0).text, std::string("Leave."));
        // The prompt as a list beside replies that are lists of one turn.
        const auto beside = importText(
            json("{'prompt': [{'role': 'user', 'content': 'Hi'}], 'chosen': [{'role': 'assistant', "
                 "'content': 'Hello.'}], 'rejected': [{'role': 'assistant', 'content': 'Leave.'}]}"));
        VERIFY_OK(beside);
        QCOMPARE(promptOf(beside->set, 0), (Conversation{ { "user", "Hi" } }));
        // The prompt as a list beside plain replies.
        const auto mixed = importText(json(
            "{'prompt': [{'role': 'user', 'content': 'Hi'}], 'chosen': 'Hello.', 'rejected': 'Leave.'}"));
        QCOMPARE(promptOf(mixed.value().set, 1), (Conversation{ { "user", "Hi" } }));
    }

    void promptGroupsWithCandidates()
    {
        const auto import = importText(
            json("{'id': 'g', 'prompt': 'Why?', 'responses': ['Because.', {'text': 'No idea.'}, 'Ask me "
                 "later.'], 'value': 'helpful'}")
            + "\n" + json("{'prompt': [{'role': 'user', 'content': 'How?'}], 'responses': ['So.']}"));
        VERIFY_OK(import);
        QCOMPARE(import->set.kind, ItemKind::Reply);
        QVERIFY(import->set.pairs.empty());
        QCOMPARE(import->set.responses.size(), std::size_t(4));
        QCOMPARE(import->set.responses[1].text, std::string("No idea."));
        QCOMPARE(import->set.responses[1].prompt, 0);
        QCOMPARE(import->set.responses[1].id, std::string("g-2"));
        QCOMPARE(import->set.responses[2].value, std::string("helpful"));
        QCOMPARE(import->set.responses[3].prompt, 1);
    }

    /// A named group keeps prompts together over the split; candidates of a pair's prompt share that prompt.
    void groupsAreKeptTogether()
    {
        const auto import = importText(
            json("{'prompt': 'A?', 'chosen': '1', 'rejected': '2', 'group': 'letters'}") + "\n"
            + json("{'prompt': 'B?', 'chosen': '1', 'rejected': '2', 'group': 'letters'}") + "\n"
            + json("{'prompt': 'C?', 'chosen': '1', 'rejected': '2'}") + "\n"
            + json("{'prompt': 'A?', 'responses': ['3', '4']}"));
        VERIFY_OK(import);
        const ResponseSet& set = import->set;
        QCOMPARE(set.prompts.size(), std::size_t(3));
        QCOMPARE(set.groupOf(0), set.groupOf(2));
        QVERIFY(set.groupOf(0) != set.groupOf(4));
        QCOMPARE(set.groupOf(6), set.groupOf(0));
    }

    void labelledTextsAndTheirKinds_data()
    {
        QTest::addColumn<QByteArray>("key");
        QTest::addColumn<int>("kind");
        QTest::newRow("text") << QByteArray("text") << static_cast<int>(ItemKind::Statement);
        QTest::newRow("statement") << QByteArray("statement") << static_cast<int>(ItemKind::Statement);
        QTest::newRow("instruction") << QByteArray("instruction") << static_cast<int>(ItemKind::Request);
        QTest::newRow("prompt") << QByteArray("prompt") << static_cast<int>(ItemKind::Request);
    }
    void labelledTextsAndTheirKinds()
    {
        QFETCH(QByteArray, key);
        QFETCH(int, kind);
        const std::string name = key.toStdString();
        const auto check = [&](const Result<Import>& import) {
            VERIFY_OK(import);
            const ResponseSet& set = import->set;
            QCOMPARE(static_cast<int>(set.kind), kind);
            QCOMPARE(set.responses.size(), std::size_t(2));
            QCOMPARE(set.shownText(0), std::string("Snow is white, mostly."));
            QCOMPARE(set.responses[0].label, 1);
            QCOMPARE(set.responses[1].label, -1);
            QVERIFY(set.pairs.empty());
            QVERIFY(set.groupOf(0) != set.groupOf(1));
            if (set.kind == ItemKind::Request) {
                QCOMPARE(promptOf(set, 0), (Conversation{ { "user", "Snow is white, mostly." } }));
                QVERIFY(set.responses[0].text.empty());
            } else {
                QVERIFY(promptOf(set, 0).empty());
                QCOMPARE(set.promptText(0), std::string());
            }
        };
        check(importText(
            "{\"" + name + "\": \"Snow is white, mostly.\", \"label\": 1}\n{\"" + name
            + "\": \"Coal is white.\", \"label\": 0}"));
        check(importText(name + ",label\n\"Snow is white, mostly.\",1\nCoal is white.,0\n", {}, "table.csv"));
        check(importText(
            "[{\"" + name + "\": \"Snow is white, mostly.\", \"label\": true}, {\"" + name
            + "\": \"Coal is white.\", \"label\": false}]"));
    }

    void labelsPointTheUsualWay_data()
    {
        QTest::addColumn<QByteArray>("first");
        QTest::addColumn<QByteArray>("second");
        QTest::addColumn<QByteArray>("wanted");
        QTest::addColumn<QByteArray>("positive");
        QTest::newRow("harmless over harmful") << QByteArray("\"harmful\"") << QByteArray("\"harmless\"")
                                               << QByteArray() << QByteArray("harmless");
        QTest::newRow("true over false")
            << QByteArray("true") << QByteArray("false") << QByteArray() << QByteArray("true");
        QTest::newRow("True over False")
            << QByteArray("\"False\"") << QByteArray("\"True\"") << QByteArray() << QByteArray("true");
        QTest::newRow("1 over 0") << QByteArray("0") << QByteArray("1") << QByteArray() << QByteArray("1");
        QTest::newRow("yes over no") << QByteArray("\"yes\"") << QByteArray("\"no\"") << QByteArray()
                                     << QByteArray("yes");
        QTest::newRow("as asked") << QByteArray("\"cat\"") << QByteArray("\"dog\"") << QByteArray("cat")
                                  << QByteArray("cat");
        QTest::newRow("as asked, in capitals")
            << QByteArray("\"Cat\"") << QByteArray("\"Dog\"") << QByteArray("CAT") << QByteArray("cat");
    }
    void labelsPointTheUsualWay()
    {
        QFETCH(QByteArray, first);
        QFETCH(QByteArray, second);
        QFETCH(QByteArray, wanted);
        QFETCH(QByteArray, positive);
        const auto import = importText(
            "{\"text\": \"a\", \"label\": " + first.toStdString()
                + "}\n{\"text\": \"b\", \"label\": " + second.toStdString() + "}",
            { 0, false, false, wanted.toStdString() });
        VERIFY_OK(import);
        QCOMPARE(import->set.positiveLabel, positive.toStdString());
        const bool firstIsPositive = first.toLower().contains(positive);
        QCOMPARE(import->set.responses[0].label, firstIsPositive ? 1 : -1);
        QCOMPARE(import->set.responses[1].label, firstIsPositive ? -1 : 1);
    }

    void labelsMustBeTwo()
    {
        VERIFY_FAILS(
            importText("{\"text\": \"a\", \"label\": 1}\n{\"text\": \"b\", \"label\": 1}"),
            "two different labels, found 1 (1)", "table.jsonl");
        VERIFY_FAILS(importText("text,label\na,x\nb,y\nc,z\n"), "two different labels, found 3 (x, y, z)");
        VERIFY_FAILS(
            importText("text,label\na,x\nb,y\n", { 0, false, false, "w" }),
            "a positive label among x and y, found w");
        for (const char* none : { "null", "\"\"", "[]", "{}" })
            VERIFY_FAILS(
                importText(
                    "{\"text\": \"a\", \"label\": " + std::string(none)
                    + "}\n{\"text\": \"b\", \"label\": 1}"),
                "a label", "line 1, key 'label'");
        VERIFY_FAILS(importText("text,label\na,\nb,1\n"), "a label", "line 2, key 'label'");
    }

    /// A text and its twin, joined by `pair`, stand side by side: the positive one is the chosen one.
    void twinsBecomePairs()
    {
        const auto requests = importText(
            "instruction,label,pair\nBurn it,harmful,fire\nLight a stove,harmless,fire\nBake "
            "bread,harmless,bread\nBreak in,harmful,key\nOpen a lock,harmless,key\n",
            {}, "t.csv");
        VERIFY_OK(requests);
        const ResponseSet& set = requests->set;
        QCOMPARE(set.kind, ItemKind::Request);
        QCOMPARE(set.pairs.size(), std::size_t(2));
        QCOMPARE(set.shownText(set.pairs[0].chosen), std::string("Light a stove"));
        QCOMPARE(set.shownText(set.pairs[0].rejected), std::string("Burn it"));
        QCOMPARE(set.shownText(set.pairs[1].chosen), std::string("Open a lock"));
        QCOMPARE(set.groupOf(0), set.groupOf(1));
        const auto statements = importText(
            "{\"text\": \"a\", \"label\": 0, \"pair\": 7}\n{\"text\": \"b\", \"label\": 1, \"pair\": 7}");
        QCOMPARE(statements.value().set.pairs.size(), std::size_t(1));
        QCOMPARE(statements->set.pairs[0].chosen, 1);
        QCOMPARE(statements->set.pairs[0].rejected, 0);
    }

    void badRowsAreNamed_data()
    {
        QTest::addColumn<QByteArray>("row");
        QTest::addColumn<QByteArray>("expected");
        QTest::addColumn<QByteArray>("where");
        const auto row
            = [](const char* name, const std::string& content, const char* expected, const char* where) {
                  QTest::newRow(name)
                      << QByteArray::fromStdString(content) << QByteArray(expected) << QByteArray(where);
              };
        row("no rejected", json("{'prompt': 'a', 'chosen': 'b'}"),
            "both 'chosen' and 'rejected', found no 'rejected'", "line 2");
        row("no chosen", json("{'prompt': 'a', 'rejected': 'b'}"), "found no 'chosen'", "line 2");
        row("no prompt at all", json("{'chosen': 'b', 'rejected': 'c'}"), "a dialogue with",
            "line 2, key 'chosen'");
        row("different dialogues",
            json("{'chosen': '\\n\\nHuman: x\\n\\nAssistant: b', 'rejected': '\\n\\nHuman: y\\n\\nAssistant: "
                 "c'}"),
            "the same dialogue before both replies", "line 2");
        row("empty reply", json("{'prompt': 'a', 'chosen': 'b', 'rejected': ' \\n'}"),
            "a reply, found an empty one", "line 2, key 'rejected'");
        row("number", json("{'prompt': 'a', 'chosen': 5, 'rejected': 'c'}"),
            "a text or a list of turns, found number", "line 2, key 'chosen'");
        row("prompt of a wrong type", json("{'prompt': {}, 'chosen': 'b', 'rejected': 'c'}"),
            "a text or a list of turns, found object", "line 2, key 'prompt'");
        row("empty list", json("{'prompt': 'a', 'chosen': [], 'rejected': 'c'}"),
            "a last turn of the assistant, found no turn", "line 2, key 'chosen'");
        row("user last", json("{'chosen': [{'role': 'user', 'content': 'a'}], 'rejected': 'c'}"),
            "a last turn of the assistant, found user", "key 'chosen'");
        row("no dialogue before",
            json("{'chosen': [{'role': 'assistant', 'content': 'a'}], 'rejected': [{'role': 'assistant', "
                 "'content': 'b'}]}"),
            "a prompt before the reply", "key 'chosen'");
        row("turns without content", json("{'prompt': [{'role': 'user'}], 'chosen': 'b', 'rejected': 'c'}"),
            "turns {role, content}, both texts, found keys role", "key 'prompt'");
        row("turns that are none", json("{'prompt': ['hello'], 'chosen': 'b', 'rejected': 'c'}"),
            "found string", "key 'prompt'");
        row("content that is no text",
            json("{'prompt': [{'role': 'user', 'content': 5}], 'chosen': 'b', 'rejected': 'c'}"),
            "turns {role, content}", "key 'prompt'");
        row("group without a prompt", json("{'responses': ['a']}"), "a key 'prompt' beside 'responses'",
            "line 2");
        row("no candidates", json("{'prompt': 'a', 'responses': []}"),
            "at least one response, found an empty list", "key 'responses'");
        row("candidates of a wrong type", json("{'prompt': 'a', 'responses': ['b', 5]}"),
            "texts, found number", "key 'responses'");
        row("another kind", json("{'text': 'a', 'label': 1}"),
            "a reply like the rows before, found a statement", "line 2");
        row("unknown keys", json("{'question': 'a', 'answer': 'b'}"), "chosen/rejected, prompt/responses, or",
            "line 2");
        row("not an object", "[1, 2]", "an object, found array", "line 2");
        row("torn", json("{'prompt': 'a', 'cho"), "valid JSON", "line 2");
        row("empty text", json("{'text': '  ', 'label': 1}"), "a text, found an empty one",
            "line 2, key 'text'");
    }
    void badRowsAreNamed()
    {
        QFETCH(QByteArray, row);
        QFETCH(QByteArray, expected);
        QFETCH(QByteArray, where);
        const std::string good = json("{'prompt': 'a', 'chosen': 'b', 'rejected': 'c'}");
        const std::string table = good + "\n" + row.toStdString() + "\n" + good + "\n";
        const auto stopped = importText(table);
        VERIFY_FAILS(stopped, expected.toStdString(), "table.jsonl, line 2", where.toStdString());
        QCOMPARE(stopped.error().kind, ErrorKind::BadInput);
        const auto skipped = importText(table, { 0, true, false, {} });
        VERIFY_OK(skipped);
        QCOMPARE(skipped->skipped, std::size_t(1));
        QCOMPARE(skipped->problems.size(), std::size_t(1));
        QVERIFY(skipped->problems[0].message().find(expected.toStdString()) != std::string::npos);
        QCOMPARE(skipped->set.pairs.size(), std::size_t(2));
        QCOMPARE(skipped->set.responses.size(), std::size_t(4));
        QCOMPARE(skipped->set.prompts.size(), std::size_t(1));
    }

    /// Public dialogue data hold replies that were never written; their pairs are left out without an option.
    void dialoguesThatEndBeforeTheReplyAreLeftOut()
    {
        const std::string open = "\\n\\nHuman: a\\n\\nAssistant:";
        const std::string full = "{\"chosen\": \"" + open + " b\", \"rejected\": \"" + open + " c\"}\n";
        const std::string torn = "{\"chosen\": \"" + open + " b\", \"rejected\": \"" + open + " \"}\n";
        const auto import = importText(full + torn + full, { 2, false, false, {} });
        VERIFY_OK(import);
        QCOMPARE(
            import->set.pairs.size(), std::size_t(2)); // the row left out does not count towards the limit
        QCOMPARE(import->skipped, std::size_t(1));
        QCOMPARE(import->problems.size(), std::size_t(1));
        QVERIFY(import->problems[0].where.ends_with("line 2, key 'rejected'"));
        QCOMPARE(import->set.responses.size(), std::size_t(4));
        VERIFY_FAILS(importText(torn), "at least one pair");
    }

    /// Rows are taken in order: a bad row behind the limit is no matter, one before it is.
    void theLimitEndsReading()
    {
        const std::string good = json("{'prompt': 'a', 'chosen': 'b', 'rejected': 'c'}");
        const std::string bad = "{torn\n";
        const std::string table
            = good + "\n" + good + "\n" + bad + good + "\n" + json("{'prompt': 'a'}") + "\n";
        QCOMPARE(importText(table, { 2, false, false, {} }).value().set.pairs.size(), std::size_t(2));
        VERIFY_FAILS(importText(table, { 3, false, false, {} }), "table.jsonl, line 3");
        const auto three = importText(table, { 3, true, false, {} });
        QCOMPARE(three.value().set.pairs.size(), std::size_t(3));
        QCOMPARE(three->skipped, std::size_t(1));
        const auto all = importText(table, { 0, true, false, {} });
        QCOMPARE(all.value().skipped, std::size_t(2));
        QVERIFY(all->problems[0].where.ends_with("line 3"));
        QVERIFY(all->problems[1].where.ends_with("line 5"));
        // The first bad row is the one that is told of.
        VERIFY_FAILS(importText(good + "\n" + json("{'prompt': 'a'}") + "\n" + bad), "line 2");
        VERIFY_FAILS(importText(good + "\n" + bad + json("{'prompt': 'a'}")), "line 2");
    }

    void tablesWithoutARowAreErrors()
    {
        VERIFY_FAILS(
            importText("[]"), "at least one pair, group or labelled text, found none", "table.jsonl");
        VERIFY_FAILS(
            importText("text,label\n", {}, "t.csv"), "at least one pair, group or labelled text", "t.csv");
        VERIFY_FAILS(importText("{\"a\": 1}\n", { 0, true, false, {} }), "found bad rows only");
        VERIFY_FAILS(
            importText("[{\"text\": \"a\", \"label\": 1},\n 5]"), "an object, found number",
            "table.jsonl, element 2");
        VERIFY_FAILS(
            importText("[{\"text\": \"a\", \"label\": 1},\n {\"text\": 3}]"), "table.jsonl, element 2");
        const ScratchFolder folder;
        VERIFY_FAILS(importTable(folder / "absent.jsonl"), "a readable file", "absent.jsonl");
    }

    void deeplyNestedRowsAreRefusedNotFollowed()
    {
        const std::string deep = std::string(200000, '[') + std::string(200000, ']');
        const char* const expected = "JSON at most 256 levels deep";
        VERIFY_FAILS(importText("{\"text\": \"a\", \"label\": " + deep + "}"), expected, "line 1");
        VERIFY_FAILS(
            importText("{\"prompt\": [" + deep + "], \"chosen\": \"b\", \"rejected\": \"c\"}"), expected,
            "line 1");
        VERIFY_FAILS(importText("{\"text\": " + deep + ", \"label\": 1}"), expected, "line 1");
    }

    void kindsHaveNames()
    {
        for (const ItemKind kind : { ItemKind::Reply, ItemKind::Request, ItemKind::Statement })
            QCOMPARE(parseItemKind(itemKindName(kind)).value(), kind);
        VERIFY_FAILS(parseItemKind("answer"), "reply, request or statement", "'answer'");
    }

    void ownActivationsOfOneLayer()
    {
        const ScratchFolder folder;
        VERIFY_OK(formats::writeNpy(folder / "a.npy", counting(4, 3)));
        const auto table = folder.write(
            "texts.csv",
            "text,label,pair,value\nbad a,0,a,kind\ngood a,1,a,kind\ngood b,1,b,honest\nbad b,0,b,honest\n");
        const auto summary = importActivations(folder / "a.npy", table, folder / "study", { 5, 0.7 });
        VERIFY_OK(summary);
        QCOMPARE(summary->responses, std::size_t(4));
        QCOMPARE(summary->pairs, std::size_t(2));
        QCOMPARE(summary->layers, std::size_t(1));
        const auto study = Study::open(folder / "study");
        VERIFY_OK(study);
        QCOMPARE((*study)->layers(), (std::vector<Layer>{ Layer::blockOutput(0) }));
        QVERIFY((*study)->activations(Layer::blockOutput(0), Position::Mean).value() == counting(4, 3));
        QCOMPARE((*study)->set().pairs[0].chosen, 1);
        QCOMPARE((*study)->set().pairs[1].chosen, 2);
        QCOMPARE((*study)->set().responses[0].label, -1);
        QCOMPARE((*study)->set().groupOf(2), (*study)->set().groupOf(3));
        QCOMPARE((*study)->set().values(), (std::vector<std::string>{ "kind", "honest" }));
        QCOMPARE((*study)->split().trainFraction, 0.7);
        QCOMPARE((*study)->split().seed, std::uint64_t(5));
        QVERIFY(!(*study)->incomplete());
        VERIFY_FAILS(
            importActivations(folder / "a.npy", table, folder / "study", {}),
            "a new folder, found a finished study", "study");
    }

    void ownActivationsOfManyLayers()
    {
        const ScratchFolder folder;
        // [2 texts, 3 layers, 2 coordinates]: text t, layer l, coordinate c is 100 t + 10 l + c.
        std::vector<float> values;
        for (int t = 0; t < 2; ++t)
            for (int l = 0; l < 3; ++l)
                for (int c = 0; c < 2; ++c)
                    values.push_back(static_cast<float>(100 * t + 10 * l + c));
        std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3, 2), }";
        header.resize(117, ' ');
        const auto array = folder.write(
            "a.npy",
            "\x93NUMPY" + std::string("\1\0", 2) + littleEndian(std::uint16_t(118)) + header + "\n"
                + floats(values));
        const auto table = folder.write(
            "t.jsonl", "{\"statement\": \"one\"}\n{\"response\": \"two\", \"prompt\": \"Count!\"}\n");
        VERIFY_OK(importActivations(array, table, folder / "study", {}));
        const auto study = Study::open(folder / "study");
        VERIFY_OK(study);
        QCOMPARE(
            (*study)->layers(),
            (std::vector<Layer>{ Layer::embedding(), Layer::blockOutput(0), Layer::blockOutput(1) }));
        QCOMPARE((*study)->model().blocks, 2);
        const RowMatrix last = (*study)->activations(Layer::blockOutput(1), Position::Mean).value();
        QCOMPARE(last(0, 1), 21.0f);
        QCOMPARE(last(1, 0), 120.0f);
        QCOMPARE((*study)->set().responses[1].text, std::string("two"));
        QCOMPARE((*study)->set().promptText(1), std::string("Count!"));
        QVERIFY(!(*study)->set().labelled());
    }

    /// The same rows from a safetensors file with two arrays.
    void ownActivationsMayBeSafetensors()
    {
        const ScratchFolder folder;
        const formats::RowMatrix rows = counting(4, 3);
        const std::span<const float> values(rows.data(), 12);
        VERIFY_OK(formats::writeSafetensors(
            folder / "a.safetensors", { { "mean", { 4, 3 }, values }, { "mask", { 12 }, values } }));
        const auto table = folder.write("t.csv", "text,label\na,1\nb,0\nc,1\nd,0\n");
        VERIFY_FAILS(
            importActivations(folder / "a.safetensors", table, folder / "study", {}),
            "one chosen as FILE#NAME", "found 2");
        VERIFY_FAILS(
            importActivations(folder / "a.safetensors#none", table, folder / "study", {}), "a tensor 'none'");
        VERIFY_FAILS(
            importActivations(folder / "a.safetensors#mask", table, folder / "study", {}),
            "an array [N, d] or [N, L, d], found [12]");
        VERIFY_OK(importActivations(folder / "a.safetensors#mean", table, folder / "study", {}));
        const auto study = Study::open(folder / "study");
        VERIFY_OK(study);
        QVERIFY((*study)->activations(Layer::blockOutput(0), Position::Mean).value() == rows);
    }

    void ownActivationsThatDoNotFitAreNamed()
    {
        const ScratchFolder folder;
        VERIFY_OK(formats::writeNpy(folder / "a.npy", counting(3, 2)));
        const auto import = [&](const std::string& table) {
            return importActivations(folder / "a.npy", folder.write("t.csv", table), folder / "study", {});
        };
        VERIFY_FAILS(import("text,label\na,1\nb,0\n"), "3 rows as in", "a.npy", "found 2", "t.csv");
        VERIFY_FAILS(
            import("text,label\na,1\nb,1\nc,1\n"), "two different labels, or none, found 1",
            "t.csv, key 'label'");
        VERIFY_FAILS(import("text,label\na,1\nb\nc,1\n"), "2 cells", "t.csv, line 3");
        const auto three = folder.write("t3.csv", "text\na\nb\nc\n");
        RowMatrix nan = counting(3, 2);
        nan(1, 1) = std::numeric_limits<float>::quiet_NaN();
        VERIFY_OK(formats::writeNpy(folder / "nan.npy", nan));
        VERIFY_FAILS(
            importActivations(folder / "nan.npy", three, folder / "study", {}),
            "finite activations, found NaN or infinity", "nan.npy, row 1");
        std::string header = "{'descr': '<f8', 'fortran_order': False, 'shape': (3, 1), }";
        header.resize(117, ' ');
        const std::string start = "\x93NUMPY" + std::string("\1\0", 2) + littleEndian(std::uint16_t(118));
        const auto wide = folder.write(
            "wide.npy", start + header + "\n" + littleEndian(1.0) + littleEndian(1e39) + littleEndian(2.0));
        VERIFY_FAILS(
            importActivations(wide, three, folder / "study", {}), "finite activations", "wide.npy, row 1");
        std::string flat = "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }";
        flat.resize(117, ' ');
        VERIFY_FAILS(
            importActivations(
                folder.write("flat.npy", start + flat + "\n" + floats({ 1, 2, 3 })), three, folder / "study",
                {}),
            "an array [N, d] or [N, L, d], found [3]", "flat.npy");
        VERIFY_OK(formats::writeNpy(folder / "none.npy", RowMatrix(0, 2)));
        VERIFY_FAILS(
            importActivations(folder / "none.npy", three, folder / "study", {}), "at least one number",
            "none.npy");
        VERIFY_FAILS(
            importActivations(three, three, folder / "study", {}), ".safetensors, .npy, .npz or .pt file",
            "t3.csv");
        QVERIFY(!std::filesystem::exists(folder / "study"));
    }
};

QTEST_GUILESS_MAIN(TestDataImport)
#include "tst_data_import.moc"
