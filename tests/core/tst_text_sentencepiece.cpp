// ctest libraries: lodestone_text PkgConfig::sentencepiece
// SentencePiece models of every kind against the SentencePiece library itself, on models trained here.
#include "core/base/rng.h"
#include "core/text/tokenizer.h"
#include "tests/support/gguf_writer.h"
#include "tests/support/result_checks.h"

#include <sentencepiece_processor.h>
#include <sentencepiece_trainer.h>

using namespace lodestone;
using namespace lodestone::text;
using namespace lodestone::testing;

namespace {

using Ids = std::vector<TokenId>;

/// Sentences of made-up words over a few letters, so that pieces of every length recur.
class Sentences : public sentencepiece::SentenceIterator {
public:
    Sentences()
    {
        Rng rng(11);
        std::vector<std::string> words;
        for (int i = 0; i < 160; ++i) {
            std::string word;
            for (std::uint32_t length = 1 + rng.below(7); length > 0; --length)
                word += std::array{
                    "a", "b", "c", "d", "e", "k", "n", "t", "\xc3\xa4", "\xe6\x97\xa5"
                }[rng.below(10)];
            words.push_back(word);
        }
        for (int i = 0; i < 500; ++i) {
            std::string sentence;
            for (std::uint32_t length = 3 + rng.below(9); length > 0; --length)
                sentence += words[rng.below(1 + rng.below(160))] + (rng.below(9) == 0 ? ", " : " ");
            m_lines.push_back(sentence + std::to_string(rng.below(100)) + ".");
        }
    }
    bool done() const override { return m_at >= m_lines.size(); }
    void Next() override { ++m_at; }
    const std::string& value() const override { return m_lines[m_at]; }
    sentencepiece::util::Status status() const override { return {}; }

private:
    std::vector<std::string> m_lines;
    std::size_t m_at = 0;
};

/// Trains a model with the library and gives its file's bytes.
std::string trained(const std::string& options)
{
    Sentences sentences;
    std::string model;
    const auto status = sentencepiece::SentencePieceTrainer::Train(
        "--minloglevel=2 --num_threads=1 --vocab_size=420 --hard_vocab_limit=false " + options, &sentences,
        &model);
    return status.ok() ? model : std::string();
}

/// The same vocabulary as llama.cpp's converter would write it.
std::string asGguf(
    const sentencepiece::SentencePieceProcessor& library, const std::string& kind, bool prefix,
    const std::vector<std::string>& userDefined)
{
    std::vector<std::string> tokens;
    std::vector<float> scores;
    std::vector<std::int32_t> kinds;
    for (int id = 0; id < library.GetPieceSize(); ++id) {
        tokens.push_back(library.IdToPiece(id));
        scores.push_back(library.GetScore(id));
        const bool user
            = std::find(userDefined.begin(), userDefined.end(), tokens.back()) != userDefined.end();
        kinds.push_back(
            library.IsUnknown(id)       ? 2
                : library.IsControl(id) ? 3
                : user                  ? 4
                : library.IsByte(id)    ? 6
                                        : 1);
    }
    GgufWriter file;
    file.text("tokenizer.ggml.model", kind);
    file.texts("tokenizer.ggml.tokens", tokens);
    std::string payload
        = littleEndian(std::uint32_t(6)) + littleEndian(static_cast<std::uint64_t>(scores.size()));
    for (const float score : scores)
        payload += littleEndian(score);
    file.raw("tokenizer.ggml.scores", 9, payload);
    file.integers("tokenizer.ggml.token_type", kinds);
    file.integer("tokenizer.ggml.bos_token_id", 1);
    file.integer("tokenizer.ggml.eos_token_id", 2);
    file.flag("tokenizer.ggml.add_space_prefix", prefix);
    return file.bytes();
}

std::shared_ptr<const Tokenizer> fromBytes(const std::string& bytes)
{
    const ScratchFolder folder;
    const auto file = formats::Gguf::open(folder.write("vocabulary.gguf", bytes));
    return file ? Tokenizer::fromGguf(*file).value_or(nullptr) : nullptr;
}

/// Valid UTF-8: words of the training alphabet, runs of blanks, symbols, characters that no model knows.
std::string randomText(Rng& rng)
{
    static const std::vector<std::string> parts{ "a",
                                                 "b",
                                                 "c",
                                                 "d",
                                                 "e",
                                                 "k",
                                                 "n",
                                                 "t",
                                                 "\xc3\xa4",
                                                 "\xe6\x97\xa5",
                                                 " ",
                                                 " ",
                                                 "  ",
                                                 "\n",
                                                 "1",
                                                 ",",
                                                 "<sep>",
                                                 "<sep",
                                                 "ab<x>",
                                                 "<s>",
                                                 "\xf0\x9f\x98\x80",
                                                 "\xe2\x96\x81",
                                                 "Z",
                                                 "\t",
                                                 "\xd0\x96\xd0\x96" };
    std::string text;
    for (std::uint32_t length = rng.below(40); length > 0; --length)
        text += parts[rng.below(static_cast<std::uint32_t>(parts.size()))];
    return text;
}

} // namespace

class TestTextSentencePiece : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void idsEqualTheLibrarys_data()
    {
        QTest::addColumn<QByteArray>("kind");
        QTest::addColumn<QByteArray>("options");
        QTest::addColumn<bool>("prefix");
        const char* plain = " --normalization_rule_name=identity --remove_extra_whitespaces=false";
        for (const char* kind : { "bpe", "unigram" })
            for (const bool bytes : { false, true })
                for (const bool prefix : { false, true })
                    for (const bool user : { false, true }) {
                        const std::string options = std::string("--model_type=") + kind + plain
                            + (bytes ? " --byte_fallback=true" : "")
                            + (prefix ? "" : " --add_dummy_prefix=false")
                            + (user ? " --user_defined_symbols=<sep>,<x>,ab<x>,\xe2\x96\x81\xe2\x96\x81"
                                    : "");
                        QTest::addRow(
                            "%s%s%s%s", kind, bytes ? " bytes" : "", prefix ? " prefix" : "",
                            user ? " symbols" : "")
                            << QByteArray(std::string(kind) == "bpe" ? "llama" : "t5")
                            << QByteArray::fromStdString(options) << prefix;
                    }
    }
    void idsEqualTheLibrarys()
    {
        QFETCH(QByteArray, kind);
        QFETCH(QByteArray, options);
        QFETCH(bool, prefix);
        const std::string model = trained(options.toStdString());
        QVERIFY(!model.empty());
        sentencepiece::SentencePieceProcessor library;
        QVERIFY(library.LoadFromSerializedProto(model).ok());
        QVERIFY(library.GetPieceSize() > 60);
        std::vector<std::string> symbols;
        if (options.contains("symbols"))
            symbols = { "<sep>", "<x>", "ab<x>", "\xe2\x96\x81\xe2\x96\x81" };
        const auto tokens = fromBytes(asGguf(library, kind.toStdString(), prefix, symbols));
        QVERIFY(tokens);
        QCOMPARE(static_cast<int>(tokens->size()), library.GetPieceSize());
        Rng rng(3);
        std::size_t longest = 0;
        for (int round = 0; round < 400; ++round) {
            const std::string text = randomText(rng);
            const Ids expected = library.EncodeAsIds(text);
            const Ids ids = tokens->encode(text, Special::Plain);
            if (ids != expected)
                qWarning("text: '%s'", text.c_str());
            QCOMPARE(ids, expected);
            if (options.contains("byte_fallback")) { // else unknown characters are lost
                std::string blanks = text;
                for (std::size_t at = 0; (at = blanks.find("\xe2\x96\x81", at)) != std::string::npos;)
                    blanks.replace(at, 3, " ");
                QCOMPARE(tokens->decode(ids), blanks);
                QCOMPARE(tokens->decode(ids), library.DecodeIds(expected));
            }
            for (const TokenId id : ids)
                longest = std::max(longest, tokens->piece(id).size());
        }
        QVERIFY(longest > 2); // words were found, not only letters
        const std::string shown = tokens->description();
        QVERIFY2(shown.find(kind == "t5" ? "unigram" : "BPE") != std::string::npos, shown.c_str());
    }

    /// The library's own files, with its normalisation tables and its way with blanks.
    void filesGiveTheLibrarysIds_data()
    {
        QTest::addColumn<QByteArray>("options");
        for (const char* kind : { "bpe", "unigram" })
            for (const char* rule : { "identity", "nmt_nfkc", "nfkc_cf" })
                for (const char* rest :
                     { "", " --byte_fallback=true --user_defined_symbols=<sep>,ab<x>,\xef\xbc\xa1",
                       " --remove_extra_whitespaces=false --add_dummy_prefix=false --control_symbols=<c>" })
                    QTest::addRow("%s %s%s", kind, rule, rest)
                        << QByteArray("--model_type=") + kind + " --normalization_rule_name=" + rule + rest;
    }
    void filesGiveTheLibrarysIds()
    {
        QFETCH(QByteArray, options);
        const std::string model = trained(options.toStdString());
        sentencepiece::SentencePieceProcessor library;
        QVERIFY(library.LoadFromSerializedProto(model).ok());
        const ScratchFolder folder;
        const auto tokens = Tokenizer::open(folder.write("tokenizer.model", model));
        VERIFY_OK(tokens);
        QCOMPARE(static_cast<int>((*tokens)->size()), library.GetPieceSize());
        Rng rng(8);
        for (int round = 0; round < 300; ++round) {
            const std::string text = randomText(rng);
            const Ids expected = library.EncodeAsIds(text);
            const Ids ids = (*tokens)->encode(text, Special::Plain);
            if (ids != expected)
                qWarning("text: '%s'", text.c_str());
            QCOMPARE(ids, expected);
        }
    }

    void marksStandAroundATextWhereTheyAreAskedFor()
    {
        sentencepiece::SentencePieceProcessor library;
        QVERIFY(library
                    .LoadFromSerializedProto(trained("--model_type=bpe --byte_fallback=true "
                                                     "--normalization_rule_name=identity "
                                                     "--remove_extra_whitespaces=false"))
                    .ok());
        const auto tokens = fromBytes(asGguf(library, "llama", true, {}));
        QVERIFY(tokens);
        // A model of this kind begins with BOS unless its file says otherwise; marks in the text are read.
        const Ids parsed = tokens->encode("ab<s>ab", Special::Parse);
        const Ids word = tokens->encode("ab", Special::Plain);
        Ids expected{ 1 };
        expected.insert(expected.end(), word.begin(), word.end());
        expected.push_back(1);
        expected.insert(expected.end(), word.begin(), word.end());
        QCOMPARE(parsed, expected);
        QCOMPARE(tokens->decode(parsed), std::string("<s>ab<s>ab"));
        QCOMPARE(tokens->decode(parsed, true), std::string("abab"));
        QVERIFY(tokens->isSpecial(0) && tokens->isSpecial(1) && !tokens->isSpecial(word[0]));
        // A text that goes on gets neither BOS nor a blank; one that begins with BOS gets no second one.
        QCOMPARE(
            tokens->encode("<s>ab", Special::Parse),
            Ids(parsed.begin(), parsed.begin() + 1 + static_cast<std::ptrdiff_t>(word.size())));
        QCOMPARE(tokens->encode("<s>ab", Special::Continue), tokens->encode("<s>ab", Special::Parse));
        QCOMPARE(tokens->decode(tokens->encode(" ab", Special::Continue)), std::string("ab"));
        QCOMPARE(tokens->encode(" ab", Special::Continue), word);
        // As plain text the mark is only letters.
        QCOMPARE(tokens->decode(tokens->encode("ab<s>ab", Special::Plain)), std::string("ab<s>ab"));
        QVERIFY(tokens->encode("ab<s>ab", Special::Plain) != Ids(parsed.begin() + 1, parsed.end()));
        // Bytes that are not UTF-8 survive.
        const std::string broken = "a\xff\xc3 b\x80";
        QVERIFY(tokens->decode(tokens->encode(broken, Special::Plain)) == broken);
        QVERIFY(tokens->encode("", Special::Plain).empty());
    }

    /// Without byte tokens a stretch that cannot be written is one unknown token, and with neither it is
    /// lost.
    void whatHasNoTokenIsUnknown()
    {
        for (const bool unknown : { true, false }) {
            GgufWriter file;
            file.text("tokenizer.ggml.model", "llama");
            file.texts(
                "tokenizer.ggml.tokens",
                { "<unk>", "<s>", "</s>", "\xe2\x96\x81", "a",
                  "\xe2\x96\x81"
                  "a" });
            std::string payload = littleEndian(std::uint32_t(6)) + littleEndian(std::uint64_t(6));
            for (const float score : { 0.F, 0.F, 0.F, -2.F, -1.F, -0.5F })
                payload += littleEndian(score);
            file.raw("tokenizer.ggml.scores", 9, payload);
            file.integers("tokenizer.ggml.token_type", { unknown ? 2 : 3, 3, 3, 1, 1, 1 });
            const auto tokens = fromBytes(file.bytes());
            QVERIFY(tokens);
            QCOMPARE(tokens->encode("axyza", Special::Plain), unknown ? Ids({ 5, 0, 4 }) : Ids({ 5, 4 }));
        }
    }

    void badVocabulariesAreNamed()
    {
        const ScratchFolder folder;
        const auto make = [&](const std::vector<float>& scores, const std::vector<std::int32_t>& kinds) {
            GgufWriter file;
            file.text("tokenizer.ggml.model", "llama");
            file.texts("tokenizer.ggml.tokens", { "<unk>", "a", "b" });
            std::string payload
                = littleEndian(std::uint32_t(6)) + littleEndian(static_cast<std::uint64_t>(scores.size()));
            for (const float score : scores)
                payload += littleEndian(score);
            if (!scores.empty())
                file.raw("tokenizer.ggml.scores", 9, payload);
            file.integers("tokenizer.ggml.token_type", kinds);
            const auto opened = formats::Gguf::open(folder.write("vocabulary.gguf", file.bytes()));
            return opened ? Tokenizer::fromGguf(*opened) : tl::unexpected(opened.error());
        };
        VERIFY_OK(make({ 0, 0, 0 }, { 2, 1, 1 }));
        VERIFY_FAILS(
            make({}, { 2, 1, 1 }), "an array of real numbers, found no such key", "tokenizer.ggml.scores");
        VERIFY_FAILS(make({ 0, 0 }, { 2, 1, 1 }), "3 scores, found 2", "tokenizer.ggml.scores");
        VERIFY_FAILS(make({ 0, 0, 0 }, { 2, 1 }), "3 token types, found 2");
        VERIFY_FAILS(make({ 0, 0, 0 }, { 2, 1, 6 }), "a byte's name such as <0x0A>", "'b'", "entry 2");
    }

    void llama2cVocabularies()
    {
        const ScratchFolder folder;
        std::string bytes = littleEndian(std::uint32_t(7));
        const auto add = [&](const std::string& text, float score) {
            bytes += littleEndian(score) + littleEndian(static_cast<std::uint32_t>(text.size())) + text;
        };
        add("<unk>", 0); // 13 bytes: score, length, text
        add("\n<s>\n", 0);
        add("\n</s>\n", 0);
        for (int byte = 0; byte < 256; ++byte)
            add(QString::asprintf("<0x%02X>", byte).toStdString(), 0);
        add(" ", -1000);
        add("a", -1001);
        add("b", -1002);
        add("ab", -2);
        add(" a", -1);
        const auto tokens = Tokenizer::fromLlama2c(folder.write("tokenizer.bin", bytes));
        VERIFY_OK(tokens);
        QCOMPARE((*tokens)->size(), std::size_t(264));
        QCOMPARE((*tokens)->encode("abab!", Special::Parse), (Ids{ 1, 263, 261, 262, 3 + '!' }));
        QCOMPARE((*tokens)->decode(Ids{ 1, 263, 261, 262, 3 + '!' }, true), std::string("abab!"));
        QCOMPARE((*tokens)->eos().value(), TokenId(2));
        // Cut anywhere but between tokens it is refused; with fewer than three tokens everywhere.
        for (std::size_t length = 0; length < 60; ++length) {
            const auto cut = Tokenizer::fromLlama2c(folder.write("cut.bin", bytes.substr(0, length)));
            if (length == 4 + 13 + 13 + 14 || length == 4 + 13 + 13 + 14 + 14)
                VERIFY_OK(cut);
            else
                VERIFY_FAILS(cut, "cut.bin");
        }
        std::string lying = bytes;
        lying.replace(8, 4, littleEndian(std::uint32_t(0x7fffffff)));
        VERIFY_FAILS(
            Tokenizer::fromLlama2c(folder.write("lying.bin", lying)), "a token of at most 7 bytes",
            "2147483647 bytes", "token 0");
    }
};

QTEST_GUILESS_MAIN(TestTextSentencePiece)
#include "tst_text_sentencepiece.moc"
