// ctest libraries: lodestone_text
// tokenizer.json, tokenizer.model and what stands beside them in a model's folder, against the ids that
// Hugging Face's tokenizers 0.23.3 gave for small tokenizers trained with it
// (tests/data/tokenizer_json.json).
#include "core/formats/lines.h"
#include "core/text/tokenizer_files.h"
#include "tests/support/gguf_writer.h"
#include "tests/support/result_checks.h"

using namespace lodestone;
using namespace lodestone::text;
using namespace lodestone::testing;
using nlohmann::json;

namespace {

using Ids = std::vector<TokenId>;

const json& references()
{
    static const json all = formats::readJson(LODESTONE_SOURCE_DIR "/tests/data/tokenizer_json.json").value();
    return all;
}

Result<std::shared_ptr<const Tokenizer>> fromJson(const std::string& text)
{
    const ScratchFolder folder;
    return Tokenizer::open(folder.write("tokenizer.json", text));
}

/// A tokenizer.json of four letters and two merges.
json tiny()
{
    return json::parse(R"({"added_tokens": [{"id": 6, "content": "<s>", "special": true}],
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false},
        "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2, "\u0120": 3, "\u0120ab": 4, "c": 5},
        "merges": ["a b", ["\u0120", "ab"]]}})");
}

/// A protocol buffer, field by field.
std::string varint(std::uint64_t value)
{
    std::string bytes;
    for (; value >= 128; value >>= 7u)
        bytes += static_cast<char>(value | 128u);
    return bytes + static_cast<char>(value);
}
std::string bytesField(unsigned number, const std::string& bytes)
{
    return varint(number << 3u | 2u) + varint(bytes.size()) + bytes;
}
std::string numberField(unsigned number, std::uint64_t value) { return varint(number << 3u) + varint(value); }
std::string piece(const std::string& text, float score, unsigned kind)
{
    return bytesField(
        1, bytesField(1, text) + varint(2u << 3u | 5u) + littleEndian(score) + numberField(3, kind));
}
/// BPE over <unk> <s> </s> and a few letters.
std::string tinyModel(const std::string& trainer = numberField(3, 2), const std::string& normaliser = {})
{
    return piece("<unk>", 0, 2) + piece("<s>", 0, 3) + piece("</s>", 0, 3) + piece("\xe2\x96\x81", -5, 1)
        + piece("a", -6, 1) + piece("b", -7, 1) + piece("ab", -1, 1)
        + piece(
               "\xe2\x96\x81"
               "ab",
               -2, 1)
        + bytesField(2, trainer) + bytesField(3, normaliser);
}

} // namespace

class TestTextTokenizerFiles : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void jsonGivesTheReferencesIds_data()
    {
        QTest::addColumn<QByteArray>("name");
        for (const auto& [name, unused] : references().items())
            QTest::newRow(name.c_str()) << QByteArray::fromStdString(name);
    }
    void jsonGivesTheReferencesIds()
    {
        QFETCH(QByteArray, name);
        const json& reference = references()[name.toStdString()];
        const auto tokens = fromJson(reference["tokenizer"].dump());
        VERIFY_OK(tokens);
        for (const json& entry : reference["texts"]) {
            const auto text = entry[0].get<std::string>();
            auto expected = entry[1].get<Ids>();
            if (text.compare(0, 3, "<s>") == 0 && expected[0] == expected[1])
                expected.erase(expected.begin()); // a text that begins with BOS gets no second one here
            const Ids ids = (*tokens)->encode(text, Special::Parse);
            if (ids != expected)
                qWarning("text: '%s'", text.c_str());
            QCOMPARE(ids, expected);
        }
    }

    void bytesSurviveTheRoundTrip()
    {
        for (const char* name : { "byte-level, NFC, BOS", "digits, GPT-2 words", "Llama 2", "Gemma" }) {
            const auto tokens = fromJson(references()[name]["tokenizer"].dump());
            VERIFY_OK(tokens);
            for (const std::string text :
                 { "The kind  cat\n", "\xff\xfe a\x80", " x ", "na\xc3\xafve \xf0\x9f\x98\x80" })
                QVERIFY2((*tokens)->decode((*tokens)->encode(text, Special::Plain)) == text, name);
        }
    }

    void jsonThatIsCutIsRefused()
    {
        const std::string text = tiny().dump();
        VERIFY_OK(fromJson(text));
        for (std::size_t length = 0; length < text.size(); ++length)
            VERIFY_FAILS(fromJson(text.substr(0, length)), "tokenizer.json");
    }

    void badJsonIsNamed()
    {
        const auto changed = [](const auto& change) {
            json document = tiny();
            change(document);
            return fromJson(document.dump());
        };
        VERIFY_FAILS(
            changed([](json& d) { d["model"]["merges"].push_back("a x"); }), "two tokens of the vocabulary",
            "'a x'", "merges, entry 2");
        VERIFY_FAILS(changed([](json& d) { d["model"]["merges"].push_back("b a"); }), "'b a'", "entry 2");
        VERIFY_FAILS(changed([](json& d) { d["model"]["merges"].push_back(7); }), "entry 2");
        VERIFY_FAILS(
            changed([](json& d) { d["model"]["merges"].push_back(json::array({ "a" })); }), "entry 2");
        VERIFY_FAILS(
            changed([](json& d) { d["model"]["type"] = "WordPiece"; }), "'BPE' or 'Unigram'", "'WordPiece'");
        VERIFY_FAILS(changed([](json& d) { d["model"].erase("vocab"); }), "an object 'vocab'");
        VERIFY_FAILS(
            changed([](json& d) { d["model"]["vocab"]["d"] = 2000000000; }), "an id below", "2000000000",
            "'d'");
        VERIFY_FAILS(changed([](json& d) { d["model"]["vocab"]["d"] = -1; }), "an id below", "-1");
        VERIFY_FAILS(changed([](json& d) { d["model"]["vocab"]["d"] = "x"; }), "an id below");
        VERIFY_FAILS(changed([](json& d) { d["model"]["byte_fallback"] = "x"; }), "tokenizer.json");
        VERIFY_FAILS(
            changed([](json& d) { d["added_tokens"][0]["id"] = 2000000000; }), "an id below", "2000000000",
            "'<s>'");
        VERIFY_FAILS(
            changed([](json& d) { d["added_tokens"][0].erase("id"); }), "an object with 'content' and an id");
        VERIFY_FAILS(changed([](json& d) { d["added_tokens"] = 3; }), "added tokens", "number");
        VERIFY_FAILS(
            changed([](json& d) {
                d["normalizer"] = { { "type", "BertNormalizer" } };
            }),
            "a normalizer", "'BertNormalizer'");
        VERIFY_FAILS(
            changed([](json& d) {
                d["pre_tokenizer"] = { { "type", "UnicodeScripts" } };
            }),
            "a pre-tokenizer", "'UnicodeScripts'");
        VERIFY_FAILS(
            changed([](json& d) {
                d["pre_tokenizer"] = { { "type", "Split" },
                                       { "behavior", "Isolated" },
                                       { "pattern", { { "Regex", "(" } } } };
            }),
            "a regular expression", "pre_tokenizer");
        VERIFY_FAILS(
            changed([](json& d) {
                d["post_processor"] = { { "type", "TemplateProcessing" },
                                        { "single", { { { "SpecialToken", { { "id", "<x>" } } } } } } };
            }),
            "one of the added tokens", "'<x>'");
        VERIFY_FAILS(
            changed([](json& d) { d["model"]["end_of_word_suffix"] = "</w>"; }), "no 'end_of_word_suffix'");
        VERIFY_FAILS(changed([](json& d) { d = 3; }), "an object 'model'");
        for (const char* coded : { "", "AAAA", "/////w==", "BAAAAP////8=", "BAAAAP////8A", "!" })
            VERIFY_FAILS(
                changed([&](json& d) {
                    d["normalizer"] = { { "type", "Precompiled" }, { "precompiled_charsmap", coded } };
                    if (std::string(coded) == "BAAAAP////8A")
                        d["model"]["type"]
                            = "none"; // the one table of these that can be read, and does nothing
                }),
                "tokenizer.json");
    }

    void sentencePieceModels()
    {
        const ScratchFolder folder;
        const auto tokens = Tokenizer::open(folder.write("tokenizer.model", tinyModel()));
        VERIFY_OK(tokens);
        QCOMPARE((*tokens)->encode("abab b", Special::Plain), (Ids{ 7, 6, 3, 5 }));
        QCOMPARE((*tokens)->encode("  abx", Special::Plain), (Ids{ 7, 0 })); // extra blanks go: the default
        QCOMPARE((*tokens)->bos().value(), TokenId(1));
        const std::string keep = numberField(3, 0) + numberField(4, 0); // neither prefix nor removal
        const auto raw = Tokenizer::open(folder.write("raw.model", tinyModel(numberField(3, 2), keep)));
        VERIFY_OK(raw);
        QCOMPARE((*raw)->encode("ab  ab", Special::Plain), (Ids{ 6, 3, 7 }));
        QCOMPARE((*raw)->decode(Ids{ 6, 3, 7 }), std::string("ab  ab"));

        // Cut anywhere: refused, or read as the shorter model that it then is.
        const std::string whole = tinyModel();
        for (std::size_t length = 0; length < whole.size(); ++length) {
            const auto cut = Tokenizer::open(folder.write("cut.model", whole.substr(0, length)));
            if (!cut)
                VERIFY_FAILS(cut, "cut.model");
            else
                QVERIFY((*cut)->size() <= (*tokens)->size());
        }
        for (std::size_t at = 0; at < whole.size(); ++at)
            for (const char byte : { '\0', '\x7f', '\xff' }) {
                std::string lying = whole;
                lying[at] = byte;
                const auto read = Tokenizer::open(folder.write("lying.model", lying));
                if (read)
                    (*read)->encode("ab b\xff", Special::Parse);
            }
        const auto refused
            = [&](const std::string& bytes) { return Tokenizer::open(folder.write("bad.model", bytes)); };
        VERIFY_FAILS(refused(""), "a SentencePiece model", "no pieces");
        VERIFY_FAILS(refused(tinyModel(numberField(3, 4))), "a unigram (1) or BPE (2) model", "model_type 4");
        VERIFY_FAILS(refused(tinyModel(numberField(24, 1))), "blanks before words");
        VERIFY_FAILS(refused(piece("", 0, 1)), "a piece with a text", "piece 0");
        VERIFY_FAILS(refused(piece("a", 0, 9)), "a kind from 1 to 6", "9");
        VERIFY_FAILS(refused(piece("a", 0, 6)), "a byte's name such as <0x0A>", "'a'");
        VERIFY_FAILS(refused(piece("a", std::numeric_limits<float>::quiet_NaN(), 1)), "a finite score");
        VERIFY_FAILS(refused(varint(1u << 3u | 2u) + varint(std::uint64_t(1) << 62u)), "bytes", "0 left");
        VERIFY_FAILS(refused(std::string(11, '\xff')), "at most 10 bytes");
        VERIFY_FAILS(refused(varint(1u << 3u | 3u)), "a wire type among 0, 1, 2, 5", "3");
        VERIFY_FAILS(refused(tinyModel(numberField(3, 2), bytesField(2, "xx"))), "a table of replacements");
    }

    void aFolderIsReadAsAWhole()
    {
        const ScratchFolder folder;
        VERIFY_FAILS(Tokenizer::fromFolder(folder.path()), "tokenizer.json or tokenizer.model", "neither");
        folder.write("tokenizer.model", tinyModel());
        const auto plain = Tokenizer::fromFolder(folder.path());
        VERIFY_OK(plain);
        QCOMPARE((*plain)->encode("ab", Special::Parse), (Ids{ 1, 7 })); // BOS: what such models expect
        folder.write("added_tokens.json", R"({"<|end|>": 8})");
        const auto more = Tokenizer::fromFolder(folder.path());
        VERIFY_OK(more);
        QCOMPARE((*more)->encode("ab<|end|>", Special::Parse), (Ids{ 1, 7, 8 }));
        QCOMPARE((*more)->ends(), (Ids{ 2, 8 }));
        folder.write(
            "tokenizer_config.json",
            R"({"add_bos_token": false, "add_eos_token": true, "eos_token": {"content": "<|stop|>"}, "bos_token": "<s>",
                "added_tokens_decoder": {"9": {"content": "<|stop|>", "special": true, "rstrip": true}}})");
        const auto configured = Tokenizer::fromFolder(folder.path());
        VERIFY_OK(configured);
        QCOMPARE((*configured)->size(), std::size_t(10)); // 8 is a gap
        QCOMPARE((*configured)->encode("ab<|stop|>  ab", Special::Parse), (Ids{ 7, 9, 7, 9 }));
        QCOMPARE((*configured)->ends(), (Ids{ 9 }));
        folder.write("tokenizer.json", tiny().dump()); // wins over tokenizer.model
        const auto preferred = Tokenizer::fromFolder(folder.path());
        VERIFY_OK(preferred);
        QCOMPARE((*preferred)->encode("ab ab<s>", Special::Parse), (Ids{ 2, 4, 6 }));
        QCOMPARE((*preferred)->bos().value(), TokenId(6));
        folder.write("tokenizer_config.json", "[");
        VERIFY_FAILS(Tokenizer::fromFolder(folder.path()), "tokenizer_config.json");
    }
};

QTEST_GUILESS_MAIN(TestTextTokenizerFiles)
#include "tst_text_tokenizer_files.moc"
