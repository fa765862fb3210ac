#include "core/formats/byte_reader.h"
#include "core/formats/lines.h"
#include "core/text/byte_level.h"
#include "core/text/pair_merges.h"
#include "core/text/sentencepiece.h"
#include "core/text/tokenizer_files.h"

namespace lodestone::text {
namespace {

using nlohmann::json;

/// Ids may leave gaps, but not so many that a lying one makes a huge vocabulary.
std::size_t idLimit(std::size_t entries) { return 2 * entries + 256; }

class JsonReader {
public:
    JsonReader(const json& document, std::string where)
        : m_document(document)
        , m_where(std::move(where))
    {
    }

    Result<TokenizerParts> read()
    {
        if (!m_document.is_object() || !m_document.contains("model") || !m_document["model"].is_object())
            return badInput("an object with an object 'model'", "another value", m_where);
        LODESTONE_TRY(m_rules, readTextRules(m_document, m_where));
        if (m_document.contains("added_tokens")) {
            LODESTONE_TRY(m_marks, readAddedTokens(m_document["added_tokens"], m_where + ", added_tokens"));
        }
        const json& model = m_document["model"];
        const std::string type
            = model.value("type", model.contains("merges") ? "BPE" : "none named"); // old files name none
        if (type == "BPE") {
            LODESTONE_CHECK(bpe(model));
        } else if (type == "Unigram") {
            LODESTONE_CHECK(unigram(model));
        } else
            return badInput(
                "a model 'BPE' or 'Unigram'", "'" + formats::shownName(type) + "'", m_where + ", model");
        LODESTONE_CHECK(postProcessor());
        m_parts.blankBefore = m_rules.prefix;
        m_parts.blankAfterMark = m_rules.prefixAfterMark;
        m_parts.normaliser = std::move(m_rules.normaliser);
        if (!m_rules.splits.empty())
            m_parts.pretokenizer.emplace(std::move(m_rules.splits));
        m_parts.marks = Marks(std::move(m_marks));
        return std::move(m_parts);
    }

private:
    Result<void> bpe(const json& model);
    Result<void> unigram(const json& model);
    Result<std::vector<PairMerge>> merges(const json& list) const;
    Result<void> finish(std::vector<Token> tokens);
    Result<void> postProcessor();
    Result<void> surround(const json& processor);
    /// The bytes that a token of the file stands for; nullopt when no text makes it.
    std::optional<std::string> bytesOf(std::string_view written) const
    {
        if (m_rules.byteLevel)
            return bytesOfWritten(written);
        return m_rules.blankMark ? withBlanks(written) : std::string(written);
    }
    void makeByte(Token& token) const
    {
        if (const auto byte = byteOfName(token.bytes)) {
            token.kind = TokenKind::Byte;
            token.bytes = std::string(1, static_cast<char>(*byte));
        }
    }

    const json& m_document;
    std::string m_where;
    TextRules m_rules;
    std::vector<Mark> m_marks;
    TokenizerParts m_parts;
};

Result<void> JsonReader::bpe(const json& model)
{
    const std::string where = m_where + ", model";
    for (const char* key : { "continuing_subword_prefix", "end_of_word_suffix" })
        if (model.contains(key) && model[key].is_string()
            && !model[key].get_ref<const std::string&>().empty())
            return badInput(fmt::format("no '{}'", key), model[key].dump().substr(0, 60), where);
    if (!model.contains("vocab") || !model["vocab"].is_object() || !model.contains("merges")
        || !model["merges"].is_array())
        return badInput("an object 'vocab' and a list 'merges'", "another shape", where);
    const json& vocabulary = model["vocab"];
    const bool byteTokens = model.value("byte_fallback", false);
    const std::string unknown = model.contains("unk_token") && model["unk_token"].is_string()
        ? model["unk_token"].get<std::string>()
        : std::string();
    std::vector<Token> tokens(vocabulary.size(), Token{ "", TokenKind::Control });
    for (const auto& [written, id] : vocabulary.items()) {
        if (!id.is_number_unsigned() || id.get<std::uint64_t>() >= idLimit(vocabulary.size()))
            return badInput(
                fmt::format("an id below {}", idLimit(vocabulary.size())), id.dump(),
                where + ", vocab, '" + formats::shownName(written) + "'");
        const auto place = id.get<std::size_t>();
        if (place >= tokens.size())
            tokens.resize(place + 1, Token{ "", TokenKind::Control });
        Token& token = tokens[place];
        token = { written, TokenKind::Normal };
        if (!unknown.empty() && written == unknown)
            token.kind = TokenKind::Unknown;
        else if (byteTokens)
            makeByte(token);
        if (token.kind == TokenKind::Normal) {
            if (auto bytes = bytesOf(written))
                token.bytes = std::move(*bytes);
            else
                token.kind = TokenKind::Control;
        }
    }
    LODESTONE_CHECK(finish(std::move(tokens)));
    LODESTONE_TRY(const auto list, merges(model["merges"]));
    LODESTONE_TRY(
        m_parts.segmenter,
        makePairMerges(
            *m_parts.vocabulary, list,
            { m_rules.byteLevel, model.value("fuse_unk", false), model.value("ignore_merges", false) },
            where + ", merges"));
    m_parts.description = fmt::format(
        "{} (tokenizer.json), {} tokens", m_rules.byteLevel ? "byte-level BPE" : "BPE of characters",
        m_parts.vocabulary->size());
    return {};
}

Result<std::vector<PairMerge>> JsonReader::merges(const json& list) const
{
    std::vector<PairMerge> result;
    result.reserve(list.size());
    for (std::size_t i = 0; i < list.size(); ++i) {
        const json& entry = list[i];
        std::string left, right;
        if (entry.is_string()) {
            const auto& text = entry.get_ref<const std::string&>();
            const std::size_t blank = text.find(' ', 1);
            left = text.substr(0, blank);
            right = blank == std::string::npos ? std::string() : text.substr(blank + 1);
        } else if (entry.is_array() && entry.size() == 2 && entry[0].is_string() && entry[1].is_string()) {
            left = entry[0].get<std::string>();
            right = entry[1].get<std::string>();
        }
        const auto leftBytes = bytesOf(left), rightBytes = bytesOf(right);
        if (!leftBytes || !rightBytes || leftBytes->empty() || rightBytes->empty())
            return badInput(
                "two tokens of the vocabulary whose union is one too", formats::shownName(entry.dump()),
                fmt::format("{}, model, merges, entry {}", m_where, i));
        result.push_back({ *leftBytes, *rightBytes });
    }
    return result;
}

Result<void> JsonReader::unigram(const json& model)
{
    const std::string where = m_where + ", model";
    if (!model.contains("vocab") || !model["vocab"].is_array())
        return badInput("a list 'vocab'", "another value", where);
    std::vector<Token> tokens;
    for (const json& entry : model["vocab"]) {
        if (!entry.is_array() || entry.size() != 2 || !entry[0].is_string() || !entry[1].is_number())
            return badInput(
                "a text and a score", formats::shownName(entry.dump()),
                fmt::format("{}, vocab, entry {}", where, tokens.size()));
        Token token{ entry[0].get<std::string>(), TokenKind::Normal, entry[1].get<float>() };
        if (model.value("byte_fallback", false))
            makeByte(token);
        if (token.kind == TokenKind::Normal)
            token.bytes = bytesOf(token.bytes).value_or("");
        tokens.push_back(std::move(token));
    }
    if (model.contains("unk_id") && !model["unk_id"].is_null()) {
        const json& id = model["unk_id"];
        if (!id.is_number_unsigned() || id.get<std::uint64_t>() >= tokens.size())
            return badInput(fmt::format("an id below {}", tokens.size()), id.dump(), where + ", unk_id");
        tokens[id.get<std::size_t>()].kind = TokenKind::Unknown;
    }
    LODESTONE_CHECK(finish(std::move(tokens)));
    m_parts.segmenter = makeUnigram(*m_parts.vocabulary, UnigramSums::Double);
    m_parts.description = fmt::format("unigram (tokenizer.json), {} tokens", m_parts.vocabulary->size());
    return {};
}

Result<void> JsonReader::finish(std::vector<Token> tokens)
{
    std::optional<TokenId> unknown;
    for (std::size_t i = 0; i < tokens.size(); ++i)
        if (tokens[i].kind == TokenKind::Unknown)
            unknown = static_cast<TokenId>(i);
    LODESTONE_CHECK(addMarks(tokens, m_marks, m_where + ", added_tokens"));
    auto vocabulary = std::make_unique<Vocabulary>(std::move(tokens));
    if (unknown)
        vocabulary->setUnknown(*unknown);
    m_parts.vocabulary = std::move(vocabulary);
    return {};
}

Result<void> JsonReader::postProcessor()
{
    if (!m_document.contains("post_processor") || m_document["post_processor"].is_null())
        return {};
    const json& whole = m_document["post_processor"];
    const bool sequence = whole.is_object() && whole.value("type", "") == "Sequence"
        && whole.contains("processors") && whole["processors"].is_array();
    if (!sequence)
        return surround(whole);
    for (const json& processor : whole["processors"])
        LODESTONE_CHECK(surround(processor));
    return {};
}

Result<void> JsonReader::surround(const json& processor)
{
    const std::string where = m_where + ", post_processor";
    const std::string type = processor.is_object() ? processor.value("type", "") : "";
    if (type == "ByteLevel")
        return {};
    if (type != "TemplateProcessing" || !processor.contains("single") || !processor["single"].is_array())
        return badInput("'TemplateProcessing' or 'ByteLevel'", "'" + formats::shownName(type) + "'", where);
    m_parts.saysWhatSurrounds = true;
    bool before = true;
    for (const json& part : processor["single"]) {
        if (part.is_object() && part.contains("Sequence")) {
            before = false;
            continue;
        }
        const std::string name
            = part.is_object() && part.contains("SpecialToken") && part["SpecialToken"].is_object()
            ? part["SpecialToken"].value("id", "")
            : "";
        const auto mark = std::find_if(
            m_marks.begin(), m_marks.end(), [&](const Mark& candidate) { return candidate.text == name; });
        if (mark == m_marks.end())
            return badInput("one of the added tokens", "'" + formats::shownName(name) + "'", where);
        (before ? m_parts.before : m_parts.after).push_back(mark->id);
    }
    return {};
}

} // namespace

Result<void> addMarks(std::vector<Token>& tokens, const std::vector<Mark>& marks, const std::string& where)
{
    const std::size_t limit = idLimit(tokens.size() + marks.size());
    for (const Mark& mark : marks) {
        const auto place = static_cast<std::size_t>(mark.id);
        if (mark.id < 0 || place >= limit)
            return badInput(
                fmt::format("an id below {}", limit), std::to_string(mark.id),
                where + ", '" + formats::shownName(mark.text) + "'");
        if (place >= tokens.size())
            tokens.resize(place + 1, Token{ "", TokenKind::Control });
        const bool unknown = tokens[place].kind == TokenKind::Unknown;
        tokens[place] = { mark.text,
                          unknown            ? TokenKind::Unknown
                              : mark.control ? TokenKind::Control
                                             : TokenKind::UserDefined,
                          tokens[place].score };
    }
    return {};
}

Result<std::vector<Mark>> readAddedTokens(const json& entries, const std::string& where)
{
    std::vector<Mark> marks;
    if (!entries.is_array() && !entries.is_object())
        return badInput("a list or an object of added tokens", entries.type_name(), where);
    for (const auto& item : entries.items()) {
        const std::string key = item.key();
        const json& entry = item.value();
        const bool ok = entry.is_object() && entry.contains("content") && entry["content"].is_string();
        const json id = entries.is_object() ? json::parse(key, nullptr, false)
            : ok && entry.contains("id")    ? entry["id"]
                                            : json();
        if (!ok || !id.is_number_unsigned() || id.get<std::uint64_t>() > 0x7fffffffu)
            return badInput(
                "an object with 'content' and an id", formats::shownName(entry.dump()),
                where + ", entry " + key);
        const auto flag = [&](const char* name) { return entry.contains(name) && entry[name] == true; };
        const auto& content = entry["content"].get_ref<const std::string&>();
        if (!content.empty())
            marks.push_back({ content, id.get<TokenId>(), flag("special"), flag("lstrip"), flag("rstrip"),
                              flag("single_word") });
    }
    return marks;
}

Result<TokenizerParts> readTokenizerJson(const std::filesystem::path& path)
{
    LODESTONE_TRY(const json document, formats::readJson(path));
    try {
        return JsonReader(document, path.string()).read();
    } catch (const json::exception& error) {
        return badInput(
            "a tokenizer.json as Hugging Face's tokenizers write it", error.what(), path.string());
    }
}

} // namespace lodestone::text
