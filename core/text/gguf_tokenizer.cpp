// The tokenizer inside a GGUF file, by the keys that llama.cpp's converter writes (docs/gguf.md of ggml).
#include "core/formats/byte_reader.h"
#include "core/text/byte_level.h"
#include "core/text/pair_merges.h"
#include "core/text/sentencepiece.h"
#include "core/text/tokenizer.h"

namespace lodestone::text {
namespace {

/// Reads the keys once and fills the parts of a tokenizer.
class GgufReader {
public:
    explicit GgufReader(const formats::Gguf& file)
        : m_file(file)
        , m_where(file.path().string())
    {
    }

    Result<std::shared_ptr<const Tokenizer>> read()
    {
        LODESTONE_TRY(m_model, m_file.text("tokenizer.ggml.model"));
        m_pre = m_file.text("tokenizer.ggml.pre").value_or("default");
        LODESTONE_CHECK(readKinds());
        if (m_model == "gpt2") {
            LODESTONE_CHECK(byteLevel());
        } else if (m_model == "llama" || m_model == "t5") {
            LODESTONE_CHECK(sentencePiece());
        } else if (m_model == "gemma4") {
            LODESTONE_CHECK(mergesOfCharacters());
        } else
            return badInput(
                "a tokenizer of byte-level BPE ('gpt2') or SentencePiece ('llama', 't5', 'gemma4')",
                "'" + formats::shownName(m_model) + "'", m_where + ", tokenizer.ggml.model");
        addSpecialIds();
        return std::make_shared<const Tokenizer>(std::move(m_parts));
    }

private:
    Result<void> readKinds();
    Result<void> byteLevel();
    Result<void> sentencePiece();
    Result<void> mergesOfCharacters();
    Result<void> sentencePieceVocabulary(const std::vector<double>& scores, bool symbolsAreMarks);
    void addSpecialIds();
    Result<void> checkLength(std::size_t found, const char* what, const char* key) const
    {
        if (found != m_tokens->size())
            return badInput(
                fmt::format("{} {}", m_tokens->size(), what), fmt::format("{}", found), m_where + ", " + key);
        return {};
    }
    Result<const std::vector<double>*> listOfReals(const char* key) const
    {
        const auto found = m_file.metadata().find(key);
        if (found != m_file.metadata().end())
            if (const auto* list = std::get_if<std::vector<double>>(&found->second))
                return list;
        return badInput(
            "an array of real numbers", found == m_file.metadata().end() ? "no such key" : "another kind",
            m_where + ", key '" + key + "'");
    }
    std::optional<TokenId> idOf(const char* key) const
    {
        const auto id = m_file.integer(key);
        const bool isToken = id && *id >= 0 && *id < static_cast<std::int64_t>(m_tokens->size());
        return isToken ? std::optional(static_cast<TokenId>(*id)) : std::nullopt;
    }

    const formats::Gguf& m_file;
    std::string m_where, m_model, m_pre;
    const std::vector<std::string>* m_tokens = nullptr;
    std::vector<TokenKind> m_kinds;
    TokenizerParts m_parts;
};

Result<void> GgufReader::readKinds()
{
    LODESTONE_TRY(m_tokens, m_file.texts("tokenizer.ggml.tokens"));
    m_kinds.assign(m_tokens->size(), TokenKind::Normal);
    if (!m_file.has("tokenizer.ggml.token_type"))
        return {};
    LODESTONE_TRY(const auto* listed, m_file.integers("tokenizer.ggml.token_type"));
    LODESTONE_CHECK(checkLength(listed->size(), "token types", "tokenizer.ggml.token_type"));
    for (std::size_t i = 0; i < listed->size(); ++i) {
        const std::int64_t kind = (*listed)[i];
        if (kind >= 1 && kind <= 6) // 0 is "undefined"; others mean nothing
            m_kinds[i] = static_cast<TokenKind>(kind);
    }
    return {};
}

Result<void> GgufReader::byteLevel()
{
    LODESTONE_TRY(const auto* written, m_file.texts("tokenizer.ggml.merges"));
    LODESTONE_TRY(Pretokenizer pretokenizer, Pretokenizer::byName(m_pre));
    m_parts.pretokenizer = std::move(pretokenizer);
    const PretokenizerFamily family = Pretokenizer::familyOf(m_pre);
    if (family.composed)
        m_parts.normaliser.push_back(unicodeForm(UnicodeForm::Nfc));

    std::vector<Token> tokens;
    std::vector<Mark> marks;
    for (std::size_t i = 0; i < m_tokens->size(); ++i) {
        const std::string& text = (*m_tokens)[i];
        Token token{ text, m_kinds[i] };
        const bool control = token.kind == TokenKind::Control || token.kind == TokenKind::Unknown;
        if (control || token.kind == TokenKind::UserDefined)
            marks.push_back({ text, static_cast<TokenId>(i), control });
        else if (auto raw = bytesOfWritten(text))
            token.bytes = std::move(*raw);
        else
            token.kind = TokenKind::Control; // no text of bytes makes it
        tokens.push_back(std::move(token));
    }
    m_parts.vocabulary = std::make_unique<Vocabulary>(std::move(tokens));
    m_parts.marks = Marks(std::move(marks));

    std::vector<PairMerge> merges;
    for (std::size_t i = 0; i < written->size(); ++i) {
        const std::string& entry = (*written)[i];
        const std::size_t blank = entry.find(' ');
        const auto left = bytesOfWritten(std::string_view(entry).substr(0, blank));
        const auto right = blank == std::string::npos
            ? std::nullopt
            : bytesOfWritten(std::string_view(entry).substr(blank + 1));
        if (!left || !right || left->empty() || right->empty())
            return badInput(
                "two tokens of the vocabulary whose union is one too", "'" + formats::shownName(entry) + "'",
                fmt::format("{}, tokenizer.ggml.merges, entry {}", m_where, i));
        merges.push_back({ *left, *right });
    }
    LODESTONE_TRY(
        m_parts.segmenter,
        makePairMerges(
            *m_parts.vocabulary, merges, { true, false, family.wholeFirst },
            m_where + ", tokenizer.ggml.merges"));
    m_parts.description = fmt::format("byte-level BPE ({}), {} tokens", m_pre, m_tokens->size());
    return {};
}

Result<void> GgufReader::sentencePiece()
{
    LODESTONE_TRY(const auto* scores, listOfReals("tokenizer.ggml.scores"));
    LODESTONE_CHECK(checkLength(scores->size(), "scores", "tokenizer.ggml.scores"));
    LODESTONE_CHECK(sentencePieceVocabulary(*scores, false));
    const BlankRules rules{ m_file.flagOr("tokenizer.ggml.add_space_prefix", true), true,
                            m_file.flagOr("tokenizer.ggml.remove_extra_whitespaces", false) };
    m_parts.normaliser.push_back(blanks(rules));
    m_parts.blankBefore = m_parts.blankAfterMark = rules.prefix;
    const bool unigram = m_model == "t5";
    m_parts.segmenter = unigram ? makeUnigram(*m_parts.vocabulary) : makeScoreBpe(*m_parts.vocabulary);
    m_parts.description
        = fmt::format("SentencePiece {}, {} tokens", unigram ? "unigram" : "BPE", m_tokens->size());
    return {};
}

Result<void> GgufReader::sentencePieceVocabulary(const std::vector<double>& scores, bool symbolsAreMarks)
{
    // Phi-3's marks take the white space behind them, which its GGUF files do not say.
    const bool phi3 = m_file.text("general.architecture").value_or("") == "phi3";
    std::vector<Token> tokens;
    std::vector<Mark> marks;
    for (std::size_t i = 0; i < m_tokens->size(); ++i) {
        const std::string& text = (*m_tokens)[i];
        Token token{ text, m_kinds[i], scores.empty() ? 0 : static_cast<float>(scores[i]) };
        const bool stripsAfter = phi3 && text != "<unk>" && text != "<s>" && text != "<|endoftext|>";
        if (token.kind == TokenKind::Byte) {
            const auto byte = byteOfName(text);
            if (!byte)
                return badInput(
                    "a byte's name such as <0x0A>", "'" + formats::shownName(text) + "'",
                    fmt::format("{}, tokenizer.ggml.tokens, entry {}", m_where, i));
            token.bytes = std::string(1, static_cast<char>(*byte));
        } else if (token.kind == TokenKind::Control || token.kind == TokenKind::Unknown)
            marks.push_back({ text, static_cast<TokenId>(i), true, false, stripsAfter });
        else {
            token.bytes = withBlanks(text);
            if ((symbolsAreMarks || phi3) && token.kind == TokenKind::UserDefined)
                marks.push_back({ text, static_cast<TokenId>(i), false, false, stripsAfter });
        }
        tokens.push_back(std::move(token));
    }
    auto vocabulary = std::make_unique<Vocabulary>(std::move(tokens));
    if (const auto unknown = idOf("tokenizer.ggml.unknown_token_id"))
        vocabulary->setUnknown(*unknown);
    m_parts.vocabulary = std::move(vocabulary);
    m_parts.marks = Marks(std::move(marks));
    return {};
}

/// Gemma 4: blanks as SentencePiece writes them, characters with byte tokens, and a list of merges.
Result<void> GgufReader::mergesOfCharacters()
{
    LODESTONE_TRY(const auto* written, m_file.texts("tokenizer.ggml.merges"));
    LODESTONE_CHECK(sentencePieceVocabulary({}, true));
    std::vector<PairMerge> merges;
    for (const std::string& entry : *written) {
        const std::size_t blank = entry.find(' ', 1);
        merges.push_back({ withBlanks(std::string_view(entry).substr(0, blank)),
                           blank == std::string::npos
                               ? std::string()
                               : withBlanks(std::string_view(entry).substr(blank + 1)) });
    }
    LODESTONE_TRY(
        m_parts.segmenter,
        makePairMerges(
            *m_parts.vocabulary, merges, { false, true, false }, m_where + ", tokenizer.ggml.merges"));
    m_parts.normaliser.push_back(blanks({ false, false, false }));
    m_parts.description = fmt::format("BPE with byte tokens, {} tokens", m_tokens->size());
    return {};
}

void GgufReader::addSpecialIds()
{
    m_parts.bos = idOf("tokenizer.ggml.bos_token_id");
    m_parts.eos = idOf("tokenizer.ggml.eos_token_id");
    const bool bosByDefault = m_model == "llama" || m_model == "gemma4"
        || (m_model == "gpt2" && Pretokenizer::familyOf(m_pre).addBos);
    if (m_parts.bos && m_file.flagOr("tokenizer.ggml.add_bos_token", bosByDefault))
        m_parts.before.push_back(*m_parts.bos);
    if (m_parts.eos && m_file.flagOr("tokenizer.ggml.add_eos_token", m_model == "t5"))
        m_parts.after.push_back(*m_parts.eos);
    if (m_parts.eos)
        m_parts.ends.push_back(*m_parts.eos);
    for (const char* key : { "tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id" })
        if (const auto id = idOf(key))
            m_parts.ends.push_back(*id);
    addEndsByText(m_parts);
}

} // namespace

Result<std::shared_ptr<const Tokenizer>> Tokenizer::fromGguf(const formats::Gguf& file)
{
    return GgufReader(file).read();
}

} // namespace lodestone::text
