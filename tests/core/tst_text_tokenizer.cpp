// ctest libraries: lodestone_text
// Text to ids and back: pieces, merges, special tokens and chat forms, on vocabularies small enough to check
// by hand.
#include "core/base/rng.h"
#include "core/formats/lines.h"
#include "core/text/chat_template.h"
#include "core/text/pretokenizer.h"
#include "core/text/tokenizer.h"
#include "tests/support/byte_vocabulary.h"
#include "tests/support/result_checks.h"

#include <map>
#include <set>

using namespace lodestone;
using namespace lodestone::text;
using namespace lodestone::testing;

namespace {

using Ids = std::vector<TokenId>;
using TokenizerPointer = std::shared_ptr<const Tokenizer>;

Result<TokenizerPointer> fromBytes(const std::string& bytes)
{
    const ScratchFolder folder;
    LODESTONE_TRY(const formats::Gguf file, formats::Gguf::open(folder.write("vocabulary.gguf", bytes)));
    return Tokenizer::fromGguf(file);
}

TokenizerPointer
tokenizer(const ByteVocabulary& vocabulary, std::string_view pre = "smollm", bool addBos = false)
{
    GgufWriter file;
    vocabulary.writeTo(file, pre);
    if (addBos)
        file.flag("tokenizer.ggml.add_bos_token", true);
    return fromBytes(file.bytes()).value();
}

std::vector<std::string>
pieces(const Tokenizer& tokens, std::string_view text, Special special = Special::Plain)
{
    std::vector<std::string> result;
    for (const TokenId id : tokens.encode(text, special))
        result.emplace_back(tokens.piece(id));
    return result;
}

std::vector<std::string> split(const std::string& name, std::string_view text)
{
    std::vector<std::string> result;
    const Pretokenizer pretokenizer = Pretokenizer::byName(name).value();
    for (const std::string_view piece : pretokenizer.split(text))
        result.emplace_back(piece);
    return result;
}

/// Byte-pair encoding as its definition says, one merge at a time: of all neighbouring pairs the one of
/// lowest rank, the leftmost of these.
std::vector<std::string>
mergeByDefinition(const std::string& text, const std::map<std::pair<std::string, std::string>, int>& ranks)
{
    std::vector<std::string> symbols;
    for (const char c : text)
        symbols.emplace_back(1, c);
    for (;;) {
        int best = std::numeric_limits<int>::max();
        std::size_t at = 0;
        for (std::size_t i = 0; i + 1 < symbols.size(); ++i)
            if (const auto rank = ranks.find({ symbols[i], symbols[i + 1] });
                rank != ranks.end() && rank->second < best) {
                best = rank->second;
                at = i;
            }
        if (best == std::numeric_limits<int>::max())
            return symbols;
        symbols[at] += symbols[at + 1];
        symbols.erase(symbols.begin() + static_cast<std::ptrdiff_t>(at) + 1);
    }
}

} // namespace

class TestTextTokenizer : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void piecesOfGpt2()
    {
        QCOMPARE(
            split("gpt-2", "Hello  world's 123 !?\n\n x"),
            (std::vector<std::string>{ "Hello", " ", " world", "'s", " 123", " !?", "\n\n", " x" }));
        QCOMPARE(
            split("gpt-2", "we'll they've I'm he'd 'tis"),
            (std::vector<std::string>{ "we", "'ll", " they", "'ve", " I", "'m", " he", "'d", " '", "tis" }));
        QCOMPARE(
            split(
                "gpt-2",
                "stra\xc3\x9f"
                "e \xe4\xbd\xa0\xe5\xa5\xbd 3\xc2\xbd"),
            (std::vector<std::string>{ "stra\xc3\x9f"
                                       "e",
                                       " \xe4\xbd\xa0\xe5\xa5\xbd",
                                       " 3\xc2\xbd" })); // a fraction is a number (category No)
        QCOMPARE(split("gpt-2", "a  "), (std::vector<std::string>{ "a", "  " }));
        QCOMPARE(split("gpt-2", " \t\nx"), (std::vector<std::string>{ " \t", "\n", "x" }));
        QVERIFY(split("gpt-2", "").empty() || split("gpt-2", "").front().empty());
    }

    void smollmTakesDigitsOneByOne()
    {
        QCOMPARE(
            split("smollm", "Hello  world's 123 !?\n\n x"),
            (std::vector<std::string>{ "Hello", " ", " world", "'s", " ", "1", "2", "3", " !?", "\n\n",
                                       " x" }));
        for (const char* name : { "refact", "starcoder", "command-r" })
            QCOMPARE(split(name, "a12"), (std::vector<std::string>{ "a", "1", "2" }));
        QCOMPARE(split("", "a12"), (std::vector<std::string>{ "a", "12" }));
    }

    /// Splits as Hugging Face's tokenizers 0.23 makes them from the patterns of the models' own files.
    void piecesOfEveryFamily()
    {
        const std::vector<std::string> texts{
            "Hello  world's I'LL 12345 !?\n\n x", "getHTTPResponse(\"a/b\")//\n\tend  \n",
            "\340\244\250\340\244\256\340\244\270\340\245\215\340\244\244\340\245\207 e\314\201tat "
            "\346\227\245\346\234\254\350\252\236\343\201\250\343\202\253\343\203\212 3\302\275 "
            "\331\243\331\244\302\240\342\200\203z\341\240\216y\302\205."
        };
        const std::vector<std::tuple<const char*, std::size_t, std::vector<std::string>>> expected{
            { "gpt-2", 0, { "Hello", " ", " world", "'s", " I", "'", "LL", " 12345", " !?", "\n\n", " x" } },
            { "gpt-2", 1, { "getHTTPResponse", "(\"", "a", "/", "b", "\")//", "\n", "\t", "end", "  \n" } },
            { "gpt-2",
              2,
              { "\340\244\250\340\244\256\340\244\270", "\340\245\215", "\340\244\244", "\340\245\207", " e",
                "\314\201", "tat",
                " \346\227\245\346\234\254\350\252\236\343\201\250\343\202\253\343\203\212", " 3\302\275",
                " \331\243\331\244", "\302\240", "\342\200\203", "z", "\341\240\216", "y", "\302\205",
                "." } },
            { "smollm",
              0,
              { "Hello", " ", " world", "'s", " I", "'", "LL", " ", "1", "2", "3", "4", "5", " !?", "\n\n",
                " x" } },
            { "smollm", 1, { "getHTTPResponse", "(\"", "a", "/", "b", "\")//", "\n", "\t", "end", "  \n" } },
            { "smollm",
              2,
              { "\340\244\250\340\244\256\340\244\270",
                "\340\245\215",
                "\340\244\244",
                "\340\245\207",
                " e",
                "\314\201",
                "tat",
                " \346\227\245\346\234\254\350\252\236\343\201\250\343\202\253\343\203\212",
                " ",
                "3",
                "\302\275",
                " ",
                "\331\243",
                "\331\244",
                "\302\240",
                "\342\200\203",
                "z",
                "\341\240\216",
                "y",
                "\302\205",
                "." } },
            { "llama-bpe",
              0,
              { "Hello", " ", " world", "'s", " I", "'LL", " ", "123", "45", " !?\n\n", " x" } },
            { "llama-bpe", 1, { "getHTTPResponse", "(\"", "a", "/b", "\")//\n", "\tend", "  \n" } },
            { "llama-bpe",
              2,
              { "\340\244\250\340\244\256\340\244\270", "\340\245\215\340\244\244", "\340\245\207", " e",
                "\314\201tat", " \346\227\245\346\234\254\350\252\236\343\201\250\343\202\253\343\203\212",
                " ", "3\302\275", " ", "\331\243\331\244", "\302\240", "\342\200\203z", "\341\240\216y",
                "\302\205", "." } },
            { "qwen2",
              0,
              { "Hello", " ", " world", "'s", " I", "'LL", " ", "1", "2", "3", "4", "5", " !?\n\n", " x" } },
            { "qwen2", 1, { "getHTTPResponse", "(\"", "a", "/b", "\")//\n", "\tend", "  \n" } },
            { "qwen2",
              2,
              { "\340\244\250\340\244\256\340\244\270", "\340\245\215\340\244\244", "\340\245\207", " e",
                "\314\201tat", " \346\227\245\346\234\254\350\252\236\343\201\250\343\202\253\343\203\212",
                " ", "3", "\302\275", " ", "\331\243", "\331\244", "\302\240", "\342\200\203z",
                "\341\240\216y", "\302\205", "." } },
            { "qwen35",
              0,
              { "Hello", " ", " world", "'s", " I", "'LL", " ", "1", "2", "3", "4", "5", " !?\n\n", " x" } },
            { "qwen35", 1, { "getHTTPResponse", "(\"", "a", "/b", "\")//\n", "\tend", "  \n" } },
            { "qwen35",
              2,
              { "\340\244\250\340\244\256\340\244\270\340\245\215\340\244\244\340\245\207", " e\314\201tat",
                " \346\227\245\346\234\254\350\252\236\343\201\250\343\202\253\343\203\212", " ", "3",
                "\302\275", " ", "\331\243", "\331\244", "\302\240", "\342\200\203z", "\341\240\216y",
                "\302\205", "." } },
            { "tekken",
              0,
              { "Hello", " ", " world", "'s", " I", "'LL", " ", "1", "2", "3", "4", "5", " !?\n\n", " x" } },
            { "tekken", 1, { "get", "HTTPResponse", "(\"", "a", "/b", "\")//\n", "\tend", "  \n" } },
            { "tekken",
              2,
              { "\340\244\250\340\244\256\340\244\270\340\245\215\340\244\244\340\245\207", " e\314\201tat",
                " \346\227\245\346\234\254\350\252\236\343\201\250\343\202\253\343\203\212", " ", "3",
                "\302\275", " ", "\331\243", "\331\244", "\302\240", "\342\200\203z", "\341\240\216y",
                "\302\205", "." } },
            { "gpt-4o", 0, { "Hello", " ", " world's", " I'LL", " ", "123", "45", " !?\n\n", " x" } },
            { "gpt-4o", 1, { "get", "HTTPResponse", "(\"", "a", "/b", "\")//\n", "\tend", "  \n" } },
            { "gpt-4o",
              2,
              { "\340\244\250\340\244\256\340\244\270\340\245\215\340\244\244\340\245\207", " e\314\201tat",
                " \346\227\245\346\234\254\350\252\236\343\201\250\343\202\253\343\203\212", " ", "3\302\275",
                " ", "\331\243\331\244", "\302\240", "\342\200\203z", "\341\240\216y", "\302\205", "." } },
            { "falcon",
              0,
              { "Hello", " ", " world", "'", "s", " I", "'", "LL", " ", "123", "45", " ", "!?", "\n\n",
                " x" } },
            { "falcon", 1, { "getHTTPResponse", "(\"", "a", "/", "b", "\")//", "\n", "\t", "end", "  \n" } },
            { "falcon",
              2,
              { "\340\244\250\340\244\256\340\244\270", "\340\245\215", "\340\244\244", "\340\245\207", " e",
                "\314\201", "tat",
                " \346\227\245\346\234\254\350\252\236\343\201\250\343\202\253\343\203\212", " 3\302\275",
                " \331\243\331\244", "\302\240", "\342\200\203", "z", "\341\240\216", "y", "\302\205",
                "." } },
            { "deepseek-coder",
              0,
              { "Hello", " ", " world", "'", "s", " I", "'", "LL", " ", "1", "2", "3", "4", "5", " !?", "\n",
                "\n", " x" } },
            { "deepseek-coder",
              1,
              { "getHTTPResponse", "(\"", "a", "/", "b", "\")//", "\n", "\tend", "  ", "\n" } },
            { "deepseek-coder",
              2,
              { "\340\244\250\340\244\256\340\244\270",
                "\340\245\215",
                "\340\244\244",
                "\340\245\207",
                " e",
                "\314\201",
                "tat",
                " ",
                "\346\227\245\346\234\254\350\252\236\343\201\250\343\202\253\343\203\212",
                " ",
                "3",
                "\302\275",
                " ",
                "\331\243",
                "\331\244",
                "\302\240",
                "\342\200\203",
                "z",
                "\341\240\216",
                "y",
                "\302\205." } },
            { "deepseek-v3",
              0,
              { "Hello", " ", " world", "'s", " I", "'LL", " ", "123", "45", " !?\n\n", " x" } },
            { "deepseek-v3", 1, { "getHTTPResponse", "(\"", "a", "/b", "\")//\n", "\tend", "  \n" } },
            { "deepseek-v3",
              2,
              { "\340\244\250\340\244\256\340\244\270\340\245\215\340\244\244\340\245\207", " e\314\201tat",
                " ", "\346\227\245\346\234\254\350\252\236\343\201\250\343\202\253\343\203\212", " ",
                "3\302\275", " ", "\331\243\331\244", "\302\240", "\342\200\203z", "\341\240\216y",
                "\302\205", "." } },
        };
        for (const auto& [name, text, pieces] : expected) {
            const std::vector<std::string> found = split(name, texts[text]);
            if (found != pieces)
                qWarning("%s, text %zu", name, text);
            QCOMPARE(found, pieces);
        }
    }

    void everyByteIsInOnePiece()
    {
        Rng rng(2);
        for (const char* name : { "smollm", "gpt-2", "llama-bpe", "qwen2", "qwen35", "falcon", "tekken",
                                  "gpt-4o", "deepseek-llm", "deepseek-coder", "deepseek-v3" }) {
            const Pretokenizer pretokenizer = Pretokenizer::byName(name).value();
            for (int round = 0; round < 300; ++round) {
                std::string text;
                for (std::uint32_t length = rng.below(60); length > 0; --length)
                    text += static_cast<char>(
                        round % 2 ? rng.below(256) : " \n'sab1\xc3\xa4\xf0"[rng.below(10)]);
                const char* next = text.data();
                for (const std::string_view piece : pretokenizer.split(text)) {
                    QVERIFY(piece.data() == next);
                    QVERIFY(!piece.empty() || text.empty());
                    next += piece.size();
                }
                QVERIFY(next == text.data() + text.size());
            }
        }
        VERIFY_FAILS(
            Pretokenizer::byName("martian"), "a pre-tokenizer among", "'martian'", "tokenizer.ggml.pre");
    }

    void everyTextSurvivesTheRoundTrip()
    {
        const auto tokens = tokenizer(ByteVocabulary({ " kind", "the", " the", "ing" }));
        QCOMPARE(tokens->size(), std::size_t(256 + 3 + 4 + 2 + 3 + 2));
        std::string all;
        for (int byte = 0; byte < 256; ++byte)
            all += static_cast<char>(byte);
        QVERIFY(tokens->decode(tokens->encode(all, Special::Plain)) == all);
        QCOMPARE(tokens->encode("A", Special::Plain), (Ids{ 'A' }));
        QCOMPARE(tokens->encode(" \xff\n", Special::Plain), (Ids{ ' ', 0xff, '\n' }));
        Rng rng(4);
        for (int round = 0; round < 200; ++round) {
            std::string text;
            for (std::uint32_t length = rng.below(80); length > 0; --length)
                text += round % 2 ? static_cast<char>(rng.below(256)) : " kindtheg,1\n<|"[rng.below(14)];
            QVERIFY(tokens->decode(tokens->encode(text, Special::Plain)) == text);
        }
        QVERIFY(tokens->encode("", Special::Plain).empty());
        QVERIFY(tokens->encode("", Special::Parse).empty());
        QCOMPARE(tokens->decode({}), std::string());
    }

    void wholeWordsAreOneToken()
    {
        const auto tokens = tokenizer(ByteVocabulary({ " kind", "the" }));
        QCOMPARE(
            pieces(*tokens, "the kind kin kindly"),
            (std::vector<std::string>{ "the", " kind", " kin", " kind", "l", "y" }));
        const auto kind = tokens->find(" kind");
        QVERIFY(kind && tokens->piece(*kind) == " kind");
        QVERIFY(!tokens->find("kind"));
        QVERIFY(!tokens->find("<|im_end|>")); // special tokens are not words
        QCOMPARE(tokens->find("\n").value(), TokenId('\n'));
    }

    /// Ranks decide, not positions: with (b c) before (a b), "abc" is a | bc; a tie goes to the left.
    void lowerRanksMergeFirst()
    {
        ByteVocabulary vocabulary;
        for (const char* token : { "bc", "ab", "abc", "aa" })
            vocabulary.add(token, 1);
        vocabulary.merges = { "b c", "a b", "a a" };
        QCOMPARE(pieces(*tokenizer(vocabulary), "abc"), (std::vector<std::string>{ "a", "bc" }));
        QCOMPARE(pieces(*tokenizer(vocabulary), "abab"), (std::vector<std::string>{ "ab", "ab" }));
        QCOMPARE(pieces(*tokenizer(vocabulary), "aaa"), (std::vector<std::string>{ "aa", "a" }));
        vocabulary.merges = { "a b", "b c", "ab c" };
        QCOMPARE(pieces(*tokenizer(vocabulary), "abc"), (std::vector<std::string>{ "abc" }));
        // Merges never cross the border of two pieces.
        vocabulary.merges = { "a b" };
        QCOMPARE(pieces(*tokenizer(vocabulary), "a b"), (std::vector<std::string>{ "a", " ", "b" }));
    }

    void mergesFollowTheDefinition()
    {
        Rng rng(9);
        for (int round = 0; round < 40; ++round) {
            ByteVocabulary vocabulary;
            std::vector<std::string> known{ "a", "b", "c" };
            std::map<std::pair<std::string, std::string>, int> ranks;
            std::set<std::string> seen;
            for (int i = 0; i < 25; ++i) {
                const std::string left = known[rng.below(static_cast<std::uint32_t>(known.size()))];
                const std::string right = known[rng.below(static_cast<std::uint32_t>(known.size()))];
                if ((left + right).size() > 8
                    || !ranks.emplace(std::pair(left, right), static_cast<int>(vocabulary.merges.size()))
                            .second)
                    continue;
                vocabulary.merges.push_back(left + " " + right);
                if (seen.insert(left + right).second) {
                    vocabulary.add(left + right, 1);
                    known.push_back(left + right);
                }
            }
            const auto tokens = tokenizer(vocabulary);
            for (int k = 0; k < 20; ++k) {
                std::string text;
                for (int i = 0; i < 30; ++i)
                    text += "abc"[rng.below(3)];
                QCOMPARE(pieces(*tokens, text), mergeByDefinition(text, ranks));
            }
        }
    }

    void aLongPieceIsQuick()
    {
        const auto tokens = tokenizer(ByteVocabulary({ "aaaaaaaa" }));
        QElapsedTimer timer;
        timer.start();
        QVERIFY(tokens->encode(std::string(400000, 'a'), Special::Plain).size() >= 50000);
        QVERIFY2(timer.elapsed() < 20000, "merging grows faster than n log n");
    }

    void specialTokensAreReadOnlyWhenAsked()
    {
        const auto tokens = tokenizer(ByteVocabulary());
        constexpr int start = ByteVocabulary::imStart, end = ByteVocabulary::imEnd;
        const std::string text = "<|im_start|>a<|im_end|><|im_e";
        const Ids parsed = tokens->encode(text, Special::Parse);
        QCOMPARE(Ids(parsed.begin(), parsed.begin() + 3), (Ids{ start, 'a', end }));
        QCOMPARE(parsed.size(), std::size_t(3 + 6));
        QCOMPARE(tokens->encode(text, Special::Plain).size(), text.size());
        QVERIFY(tokens->isSpecial(start));
        QVERIFY(!tokens->isSpecial('a'));
        QVERIFY(!tokens->isSpecial(-1));
        QCOMPARE(tokens->decode(parsed), text);
        QCOMPARE(tokens->decode(parsed, true), std::string("a<|im_e"));
        QCOMPARE(tokens->bos().value(), start);
        QCOMPARE(tokens->eos().value(), end);
        QCOMPARE(tokens->description(), std::string("byte-level BPE (smollm), 259 tokens"));
    }

    void theLongestSpecialTokenWins()
    {
        ByteVocabulary vocabulary;
        vocabulary.add("<a>", 3);
        vocabulary.add("<a><b>", 4); // user-defined
        const auto tokens = tokenizer(vocabulary);
        QCOMPARE(tokens->encode("<a><b><a>", Special::Parse), (Ids{ 260, 259 }));
        QCOMPARE(tokens->decode(Ids{ 260 }), std::string("<a><b>"));
    }

    void aBosTokenStandsFirstWhereTheFileAsks()
    {
        const auto tokens = tokenizer(ByteVocabulary(), "gpt-2", true);
        QCOMPARE(tokens->encode("a", Special::Parse), (Ids{ ByteVocabulary::imStart, 'a' }));
        QCOMPARE(tokens->encode("a", Special::Plain), (Ids{ 'a' }));
    }

    void idsOutsideTheVocabularyAreEmpty()
    {
        const auto tokens = tokenizer(ByteVocabulary());
        for (const TokenId id :
             { -1, 259, std::numeric_limits<TokenId>::max(), std::numeric_limits<TokenId>::min() }) {
            QVERIFY(!tokens->contains(id));
            QVERIFY(tokens->piece(id).empty());
            QCOMPARE(tokens->decode(Ids{ 'a', id, 'b' }), std::string("ab"));
        }
        GgufWriter file;
        ByteVocabulary().writeTo(file);
        file.raw(
            "tokenizer.ggml.eos_token_id", 11, littleEndian((std::int64_t(1) << 32u) + 5)); // not token 5
        file.integer("tokenizer.ggml.bos_token_id", 259);
        const auto lying = fromBytes(file.bytes());
        VERIFY_OK(lying);
        QVERIFY(!(*lying)->eos());
        QVERIFY(!(*lying)->bos());
    }

    /// A vocabulary without some bytes leaves them out rather than inventing ids.
    void bytesThatTheVocabularyLacksAreDropped()
    {
        GgufWriter file;
        file.text("tokenizer.ggml.model", "gpt2");
        file.texts("tokenizer.ggml.tokens", { "a", "b", "\xe2\x82\xac" }); // the last is no byte-level token
        file.texts("tokenizer.ggml.merges", {});
        const auto tokens = fromBytes(file.bytes());
        VERIFY_OK(tokens);
        QCOMPARE((*tokens)->encode("aXb", Special::Plain), (Ids{ 0, 1 }));
        QVERIFY((*tokens)->encode("XYZ", Special::Plain).empty());
        QVERIFY(!(*tokens)->eos());
    }

    void badVocabulariesAreNamed()
    {
        const auto make = [](auto change) {
            ByteVocabulary vocabulary({ "the" });
            GgufWriter file;
            change(vocabulary, file);
            return fromBytes(file.bytes());
        };
        VERIFY_FAILS(
            make([](auto&, auto&) {}), "a text, found no such key",
            "vocabulary.gguf, key 'tokenizer.ggml.model'");
        VERIFY_FAILS(
            make([](auto& vocabulary, auto& file) {
                file.text("tokenizer.ggml.model", "rwkv");
                file.texts("tokenizer.ggml.tokens", vocabulary.tokens);
            }),
            "byte-level BPE ('gpt2') or SentencePiece", "'rwkv'", "tokenizer.ggml.model");
        VERIFY_FAILS(
            make([](auto&, auto& file) { file.text("tokenizer.ggml.model", "gpt2"); }), "an array of texts",
            "key 'tokenizer.ggml.tokens'");
        VERIFY_FAILS(
            make([](auto& vocabulary, auto& file) { vocabulary.writeTo(file, "martian"); }),
            "a pre-tokenizer among", "'martian'");
        VERIFY_FAILS(
            make([](auto& vocabulary, auto& file) {
                vocabulary.types.pop_back();
                vocabulary.writeTo(file);
            }),
            "261 token types, found 260", "vocabulary.gguf, tokenizer.ggml.token_type");
        VERIFY_FAILS(
            make([](auto& vocabulary, auto& file) {
                vocabulary.merges.push_back("x y");
                vocabulary.writeTo(file);
            }),
            "two tokens of the vocabulary", "'x y'", "tokenizer.ggml.merges, entry 2");
        VERIFY_FAILS(
            make([](auto& vocabulary, auto& file) {
                vocabulary.merges[0] = "th";
                vocabulary.writeTo(file);
            }),
            "'th'", "entry 0");
        VERIFY_FAILS(
            make([](auto& vocabulary, auto& file) {
                vocabulary.merges[1] = "";
                vocabulary.writeTo(file);
            }),
            "entry 1");
        VERIFY_FAILS(
            make([](auto& vocabulary, auto& file) {
                file.text("tokenizer.ggml.model", "gpt2");
                file.texts("tokenizer.ggml.tokens", vocabulary.tokens);
                file.integers("tokenizer.ggml.merges", { 1, 2 });
            }),
            "an array of texts, found an array of integers", "key 'tokenizer.ggml.merges'");
    }

    void chatMlWithADefaultSystemTurn()
    {
        const ChatTemplate form
            = ChatTemplate::recognise("{% for message in messages %}{% if loop.first and messages[0]['role'] "
                                      "!= 'system' %}{{ '<|im_start|>system\nBe useful\\nand brief"
                                      "<|im_end|>\n' }}{% endif %}{{'<|im_start|>' + message['role'] + '\n' "
                                      "+ message['content'] + '<|im_end|>' + '\n'}}{% endfor %}");
        QCOMPARE(form.name(), std::string("ChatML"));
        QCOMPARE(
            form.prompt({ { "user", "Hi" } }),
            std::string("<|im_start|>system\nBe useful\nand "
                        "brief<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"));
        QCOMPARE(
            form.prompt(
                { { "system", "Sing." }, { "user", "Hi" }, { "assistant", "La." }, { "user", "Go on" } }),
            std::string("<|im_start|>system\nSing.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>"
                        "assistant\nLa.<|im_end|>\n"
                        "<|im_start|>user\nGo on<|im_end|>\n<|im_start|>assistant\n"));
        QCOMPARE(
            form.prompt({}),
            std::string("<|im_start|>system\nBe useful\nand brief<|im_end|>\n<|im_start|>assistant\n"));
        QCOMPARE(form.opening(), std::string("<|im_start|>assistant\n"));
        QCOMPARE(form.endOfTurn(), std::string("<|im_end|>\n"));
        QCOMPARE(
            form.furtherTurn("And?"),
            std::string("<|im_start|>user\nAnd?<|im_end|>\n<|im_start|>assistant\n"));
    }

    /// Turns built from expressions come before the fixed one; they are not mistaken for it.
    void theDefaultSystemTextIsTheFixedOne()
    {
        const ChatTemplate form = ChatTemplate::recognise(
            "{%- if messages[0].role == 'system' %}{{- '<|im_start|>system\\n' + messages[0].content + "
            "'<|im_end|>\\n' }}"
            "{%- else %}{{- '<|im_start|>system\\nYou are Q.<|im_end|>\\n' }}{%- endif %}");
        QCOMPARE(
            form.prompt({}),
            std::string("<|im_start|>system\nYou are Q.<|im_end|>\n<|im_start|>assistant\n"));
        const ChatTemplate none = ChatTemplate::recognise(
            "{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>'}}");
        QCOMPARE(
            none.prompt({ { "user", "Hi" } }),
            std::string("<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"));
    }

    void otherTemplatesArePlain()
    {
        const ChatTemplate form = ChatTemplate::recognise("<|START|>{{ message }}<|STOP|>");
        QCOMPARE(form.name(), std::string("plain"));
        QVERIFY(form.notice().find("none of those that are known") != std::string::npos);
        QCOMPARE(form.prompt({ { "user", "Hi" } }), std::string("Human: Hi\n\nAssistant:"));
        QCOMPARE(
            ChatTemplate::plain().prompt(
                { { "system", "Play." }, { "user", "Hi" }, { "assistant", "Yo" }, { "user", "So?" } }),
            std::string("Play.\n\nHuman: Hi\n\nAssistant: Yo\n\nHuman: So?\n\nAssistant:"));
        QCOMPARE(ChatTemplate::recognise("").name(), std::string("plain"));
        QVERIFY(ChatTemplate::recognise("").notice().empty());
    }

    /// Templates in the shape of each family; the texts are those that Jinja 3.1.6 renders from them
    /// (trim_blocks and lstrip_blocks on, as chat templates are rendered).
    void familiesWriteWhatTheirTemplatesWrite()
    {
        const auto all = formats::readJson(LODESTONE_SOURCE_DIR "/tests/data/chat_templates.json");
        VERIFY_OK(all);
        QVERIFY(all->size() >= 6);
        const std::vector<std::vector<Message>> conversations{ { { "user", "Hi" } },
                                                               { { "system", "Be brief. " },
                                                                 { "user", " Why? " },
                                                                 { "assistant", " So. " },
                                                                 { "user", "And\nthen?" } } };
        for (const auto& entry : *all) {
            const auto name = entry["name"].get<std::string>();
            const ChatTemplate form
                = ChatTemplate::recognise(entry["template"].get<std::string>(), "<bos>", "<eos>");
            QVERIFY2(name.compare(0, form.name().size(), form.name()) == 0, form.name().c_str());
            QVERIFY(form.notice().empty());
            for (std::size_t i = 0; i < conversations.size(); ++i)
                if (entry["rendered"][i].is_string()
                    && !(i == 1 && name == "Mistral spaced")) // it drops system turns
                    QCOMPARE(form.prompt(conversations[i]), entry["rendered"][i].get<std::string>());
        }
    }

    void aFormOfOnesOwn()
    {
        ChatForm form;
        form.name = "mine";
        form.user = { "Q: ", "\n" };
        form.assistant = { "A: ", "\n" };
        form.opening = "A:";
        form.systemPlace = SystemPlace::LastUser;
        form.trim = true;
        const auto read = chatFormFromJson(toJson(form), "form.json");
        VERIFY_OK(read);
        QVERIFY(*read == form);
        const ChatTemplate mine(*read);
        QCOMPARE(
            mine.prompt({ { "system", "S" }, { "user", "a " }, { "assistant", "b" }, { "user", "c" } }),
            std::string("Q: a\nA: b\nQ: S\n\nc\nA:"));
        const auto partial = chatFormFromJson(nlohmann::json::parse(R"({"user_before": "> "})"), "form.json");
        VERIFY_OK(partial);
        QCOMPARE(ChatTemplate(*partial).prompt({ { "user", "Hi" } }), std::string("> Hi\n\nAssistant:"));
        for (const char* wrong : { R"({"users": ""})", R"({"user_before": 1})", R"({"trim": "x"})",
                                   R"({"system_place": "above"})", "[]" })
            VERIFY_FAILS(chatFormFromJson(nlohmann::json::parse(wrong), "form.json"), "form.json");
    }
};

QTEST_GUILESS_MAIN(TestTextTokenizer)
#include "tst_text_tokenizer.moc"
