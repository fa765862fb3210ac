// Tables as people have them: JSON Lines, JSON arrays and CSV, plain or gzipped, whole or damaged.
#include "core/formats/lines.h"
#include "tests/support/result_checks.h"

#include <zlib.h>

using namespace lodestone;
using namespace lodestone::formats;
using namespace lodestone::testing;

namespace {

/// The text as one gzip member.
std::string gzipped(const std::string& text)
{
    z_stream stream{};
    if (deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        qFatal("cannot start deflate");
    std::string packed(deflateBound(&stream, text.size()) + 64, '\0');
    std::string source = text;
    stream.next_in = reinterpret_cast<Bytef*>(source.data());
    stream.avail_in = static_cast<uInt>(source.size());
    stream.next_out = reinterpret_cast<Bytef*>(packed.data());
    stream.avail_out = static_cast<uInt>(packed.size());
    if (deflate(&stream, Z_FINISH) != Z_STREAM_END)
        qFatal("cannot deflate");
    packed.resize(stream.total_out);
    deflateEnd(&stream);
    return packed;
}

} // namespace

class TestFormatsLines : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void jsonLinesKeepTheirNumbers()
    {
        const ScratchFolder folder;
        const auto table = readTable(
            folder.write("rows.jsonl", "{\"a\": 1}\n\n  \r\n{\"a\": \"two\\nlines\"}\r\n{\"a\": [3]}"));
        VERIFY_OK(table);
        QCOMPARE(table->rows.size(), std::size_t(3));
        QVERIFY(table->bad.empty());
        QCOMPARE(table->rows[0].line, std::size_t(1));
        QCOMPARE(table->rows[1].line, std::size_t(4));
        QCOMPARE(table->rows[2].line, std::size_t(5));
        QVERIFY(table->rows[0].value["a"] == 1);
        QVERIFY(table->rows[1].value["a"] == "two\nlines");
        QVERIFY(table->rows[2].value["a"] == nlohmann::json::array({ 3 }));
    }

    void badLinesAreGatheredWithTheirNumbers()
    {
        const ScratchFolder folder;
        const auto table = readTable(folder.write(
            "rows.jsonl",
            "{\"a\": 1}\n{\"a\": \n[1, 2]\n{\"a\": 2}\n{\"a\": \"\xff\"}\nnonsense\n{\"a\": 3} x\n{\"a\": "
            "4}\n{\"a"));
        VERIFY_OK(table);
        QCOMPARE(table->rows.size(), std::size_t(3));
        QCOMPARE(table->rows[1].line, std::size_t(4));
        std::vector<std::size_t> lines;
        for (const BadRow& bad : table->bad) {
            lines.push_back(bad.line);
            QVERIFY(bad.error.where.ends_with("rows.jsonl, line " + std::to_string(bad.line)));
            QCOMPARE(bad.error.kind, ErrorKind::BadInput);
        }
        QCOMPARE(lines, (std::vector<std::size_t>{ 2, 3, 5, 6, 7, 9 }));
        QCOMPARE(table->bad[0].error.found, std::string("the end of the text"));
        QCOMPARE(
            table->bad[1].error.message().substr(table->bad[1].error.where.size()),
            std::string(": expected an object, found array"));
        for (const char c : table->bad[2].error.message())
            QVERIFY(c >= ' ' && c <= '~'); // broken bytes do not reach the message
    }

    void byteOrderMarksAreSkipped()
    {
        const ScratchFolder folder;
        const std::string mark = "\xef\xbb\xbf";
        QVERIFY(readTable(folder.write("a", mark + "{\"a\": 1}\n")).value().rows[0].value["a"] == 1);
        QVERIFY(readTable(folder.write("b", mark + "[{\"a\": 1}]")).value().rows[0].value["a"] == 1);
        QVERIFY(
            readTable(folder.write("c", mark + "text,label\nx,1\n")).value().rows[0].value["text"] == "x");
    }

    void jsonArraysAreTablesToo()
    {
        const ScratchFolder folder;
        const auto table = readTable(folder.write("rows.json", "\n [ {\"a\": 1},\n 5, {\"a\": 2} ]\n"));
        VERIFY_OK(table);
        QCOMPARE(table->unit, std::string("element"));
        QCOMPARE(table->rows.size(), std::size_t(2));
        QCOMPARE(table->rows[1].line, std::size_t(3));
        QCOMPARE(table->bad.size(), std::size_t(1));
        QVERIFY(table->bad[0].error.message().ends_with(
            "rows.json, element 2: expected an object, found number"));
        QVERIFY(readTable(folder.write("none.json", "[]")).value().rows.empty());
        VERIFY_FAILS(
            readTable(folder.write("torn.json", "[{\"a\": 1},\n\n{\"a\"")), "valid JSON",
            "torn.json, line 3");
    }

    void csvFollowsItsStandard()
    {
        const ScratchFolder folder;
        const auto table = readTable(folder.write(
            "rows.csv",
            "text,label,note\r\n"
            "plain,1,\r\n"
            "\"a, b\",0,\"she said \"\"no\"\"\"\r\n"
            "\r\n"
            "\"two\nlines\r\n\",1,x\n"
            "last \xc3\xa4,0,\"\""));
        VERIFY_OK(table);
        QVERIFY(table->bad.empty());
        QCOMPARE(table->rows.size(), std::size_t(4));
        QVERIFY(
            table->rows[0].value
            == (nlohmann::json{ { "text", "plain" }, { "label", "1" }, { "note", "" } }));
        QVERIFY(table->rows[1].value["text"] == "a, b");
        QVERIFY(table->rows[1].value["note"] == "she said \"no\"");
        QVERIFY(table->rows[2].value["text"] == "two\nlines\r\n");
        QCOMPARE(table->rows[2].line, std::size_t(5));
        QVERIFY(table->rows[3].value["text"] == "last \xc3\xa4");
        QCOMPARE(table->rows[3].line, std::size_t(8));
    }

    void badCsvRowsAreGathered()
    {
        const ScratchFolder folder;
        const auto table = readTable(
            folder.write("rows.csv", "text,label\na,1\nb\nc,1,2\n\"d\xe4\",0\ne,0\n\"open,1\nf,1\n"));
        VERIFY_OK(table);
        QCOMPARE(table->rows.size(), std::size_t(2));
        QCOMPARE(table->bad.size(), std::size_t(4));
        const char* const expected[]
            = { "line 3: expected 2 cells as in the header, found 1",
                "line 4: expected 2 cells as in the header, found 3", "line 5: expected text in UTF-8",
                "line 7: expected a closing quotation mark, found the end of the file" };
        for (std::size_t i = 0; i < 4; ++i)
            QVERIFY2(
                table->bad[i].error.message().find(expected[i]) != std::string::npos,
                table->bad[i].error.message().c_str());
        // A header that is no header leaves no rows and says why.
        const auto open = readTable(folder.write("open.csv", "text,\"label\na,1\n"));
        QVERIFY(open.value().rows.empty());
        QVERIFY(open->bad.at(0).error.message().ends_with(
            "open.csv, line 1: expected a closing quotation mark, found the end of the file"));
        const auto latin = readTable(folder.write("latin.csv", "t\xe4xt,label\na,1\n"));
        QVERIFY(latin.value().rows.empty());
        QVERIFY(latin->bad.at(0).error.message().find("line 1: expected text in UTF-8") != std::string::npos);
    }

    void anEmptyFileIsAnError()
    {
        const ScratchFolder folder;
        for (const char* text : { "", " \n\t\r\n", "\xef\xbb\xbf\n" })
            VERIFY_FAILS(
                readTable(folder.write("nothing", text)), "JSON Lines, a JSON array or CSV with a header",
                "an empty file", "nothing");
        VERIFY_FAILS(readTable(folder / "absent"), "a readable file", "absent");
    }

    void gzipIsUnpackedByContent()
    {
        const ScratchFolder folder;
        std::string text;
        for (int i = 0; i < 20000; ++i)
            text += "{\"row\": " + std::to_string(i) + "}\n";
        const std::string packed = gzipped(text);
        QVERIFY(readText(folder.write("rows.jsonl", packed)).value() == text);
        QCOMPARE(readTable(folder.write("rows.jsonl.gz", packed)).value().rows.size(), std::size_t(20000));
        // Two members one after the other are one text.
        QVERIFY(
            readText(folder.write("two.gz", gzipped("first ") + gzipped("second"))).value()
            == "first second");
        QVERIFY(readText(folder.write("empty.gz", gzipped(""))).value().empty());
        QVERIFY(readText(folder.write("plain.gz", "not packed")).value() == "not packed");
    }

    void aCutGzipIsAnErrorWhereverItIsCut()
    {
        const ScratchFolder folder;
        std::string text;
        for (int i = 0; i < 300; ++i)
            text += std::to_string(i * 7919) + "\n";
        const std::string packed = gzipped(text);
        for (std::size_t length = 2; length < packed.size();
             length += length < 20 || length + 20 > packed.size() ? 1 : 13) {
            const auto cut = readText(folder.write("cut.gz", std::string_view(packed).substr(0, length)));
            QVERIFY2(!cut, qPrintable(QString::number(length)));
            VERIFY_FAILS(cut, "a whole gzip file", "cut.gz");
        }
        std::string damaged = packed;
        damaged[damaged.size() / 2] = static_cast<char>(damaged[damaged.size() / 2] ^ 0x55);
        VERIFY_FAILS(readText(folder.write("damaged.gz", damaged)), "a whole gzip file", "damaged.gz");
    }

    void aBombIsStoppedAtTheLimit()
    {
        const ScratchFolder folder;
        const auto path = folder.write("bomb.gz", gzipped(std::string(50000000, 'x')));
        QVERIFY(std::filesystem::file_size(path) < 100000);
        VERIFY_FAILS(readText(path, 1000000), "at most 1000000 bytes unpacked", "bomb.gz");
        VERIFY_FAILS(
            readText(folder.write("large", std::string(1001, 'x')), 1000), "at most 1000 bytes", "large");
    }

    void jsonErrorsNameLineAndPlace()
    {
        QVERIFY(parseJson("{\"a\": [1, 2]}", "x").value()["a"][1] == 2);
        VERIFY_FAILS(
            parseJson("{\n\"a\": 1,\n\"b\" 2}", "study.json"), "valid JSON", "study.json, line 3",
            "'2}' at byte 14");
        VERIFY_FAILS(parseJson("", "empty.json"), "valid JSON", "the end of the text", "empty.json, line 1");
        VERIFY_FAILS(parseJson("[1, 2", "torn.json"), "the end of the text", "torn.json, line 1");
        VERIFY_FAILS(parseJson("{\"a\": NaN}", "nan.json"), "valid JSON", "nan.json");
        const ScratchFolder folder;
        VERIFY_FAILS(readJson(folder.write("bad.json", "{}\n}")), "bad.json, line 2");
        VERIFY_FAILS(readJson(folder / "absent.json"), "a readable file", "absent.json");
    }

    /// Brackets without end neither overflow the stack nor hang.
    /// Deep documents would be read, and overflow the stack where they are copied or printed.
    void deepNestingIsRefused()
    {
        const ScratchFolder folder;
        const std::string deep(300000, '[');
        VERIFY_FAILS(readJson(folder.write("deep.json", deep)), "at most 256 levels deep", "deep.json");
        const auto closed = readTable(folder.write(
            "deep.jsonl",
            "{\"a\": " + deep + std::string(deep.size(), ']') + "}\n{\"a\": \"" + deep + "\\\"[\"}\n"));
        VERIFY_OK(closed);
        QCOMPARE(closed->rows.size(), std::size_t(1)); // brackets inside a text are no levels
        QCOMPARE(closed->bad.size(), std::size_t(1));
        QVERIFY(closed->bad[0].error.message().find("line 1") != std::string::npos);
        const std::string allowed(256, '[');
        VERIFY_OK(parseJson(allowed + std::string(256, ']'), "text"));
        VERIFY_FAILS(parseJson("[" + allowed + std::string(257, ']'), "text"), "levels deep");
    }

    /// The library throws another exception for these than for errors of syntax.
    void numbersBeyondDoublesAreBadRows()
    {
        const ScratchFolder folder;
        const auto table = readTable(folder.write("n.jsonl", "{\"a\": 1e999}\n{\"a\": 1e-999}\n"));
        VERIFY_OK(table);
        QCOMPARE(table->bad.size(), std::size_t(1));
        QVERIFY(table->bad[0].error.message().find("a number out of range") != std::string::npos);
        QCOMPARE(table->rows.size(), std::size_t(1));
        VERIFY_FAILS(parseJson("[1, -1e400]", "here"), "a number out of range", "here");
    }
};

QTEST_GUILESS_MAIN(TestFormatsLines)
#include "tst_formats_lines.moc"
