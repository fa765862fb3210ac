#include "core/formats/byte_reader.h"
#include "core/text/tokenizer_files.h"

#include <array>

namespace lodestone::text {
namespace {

using nlohmann::json;

constexpr std::string_view blankMark = "\xe2\x96\x81";
// HF's own set of punctuation: what Unicode calls so, and the ASCII symbols.
constexpr const char* punctuation = R"([\p{P}\$\+<=>\^`\|~])";

Result<std::string> textOf(const json& object, const char* key, const std::string& where)
{
    if (!object.is_object() || !object.contains(key) || !object[key].is_string())
        return badInput(fmt::format("an object with a text '{}'", key), object.dump().substr(0, 60), where);
    return object[key].get<std::string>();
}

bool flagOf(const json& object, const char* key, bool fallback)
{
    return object.contains(key) && object[key].is_boolean() ? object[key].get<bool>() : fallback;
}

Result<std::string> fromBase64(const std::string& text, const std::string& where)
{
    std::string bytes;
    std::uint32_t bits = 0;
    int count = 0;
    for (const char c : text) {
        if (c == '=')
            break;
        const int value = c >= 'A' && c <= 'Z' ? c - 'A'
            : c >= 'a' && c <= 'z'             ? c - 'a' + 26
            : c >= '0' && c <= '9'             ? c - '0' + 52
            : c == '+'                         ? 62
            : c == '/'                         ? 63
                                               : -1;
        if (value < 0)
            return badInput("base64", fmt::format("byte {}", static_cast<unsigned char>(c)), where);
        bits = bits << 6u | static_cast<std::uint32_t>(value);
        if (++count % 4 != 1)
            bytes += static_cast<char>(bits >> (2 * (3 - (count - 1) % 4)) & 0xffu);
    }
    return bytes;
}

/// Collects the steps of a file in order.
class RulesReader {
public:
    explicit RulesReader(std::string where)
        : m_where(std::move(where))
    {
    }

    Result<void> normaliser(const json& step, int depth = 0);
    Result<void> preTokenizer(const json& step, int depth = 0);
    TextRules rules;

private:
    tl::unexpected<Error> unknown(const std::string& kind, const std::string& found) const
    {
        return badInput("a " + kind + " that is read here", "'" + formats::shownName(found) + "'", m_where);
    }
    /// {"String": "x"} or {"Regex": "x"}.
    Result<Pattern> patternOf(const json& step) const
    {
        if (step.contains("pattern") && step["pattern"].is_object()) {
            const json& pattern = step["pattern"];
            if (pattern.contains("String") && pattern["String"].is_string())
                return Pattern::literal(shown(pattern["String"].get<std::string>()));
            if (pattern.contains("Regex") && pattern["Regex"].is_string())
                return Pattern::compile(pattern["Regex"].get<std::string>(), m_where);
        }
        return badInput("a pattern {String} or {Regex}", step.dump().substr(0, 60), m_where);
    }
    static bool isBlank(const json& step)
    {
        return step.contains("pattern") && step["pattern"].is_object()
            && step["pattern"].value("String", "") == " ";
    }
    /// Once blanks are marks in the file they are blanks here, in later patterns too.
    std::string shown(const std::string& text) const { return rules.blankMark ? withBlanks(text) : text; }
    Result<void> replace(const json& step);
    Result<void> metaspace(const json& step);
    Result<void> split(const json& step);
    Result<void> splitBy(const char* expression, SplitBehaviour behaviour, bool invert = false)
    {
        LODESTONE_TRY(Pattern pattern, Pattern::compile(expression, m_where));
        rules.splits.push_back({ std::move(pattern), behaviour, invert });
        return {};
    }
    void prefixBlank(bool afterMark, bool unlessThere)
    {
        rules.normaliser.push_back(prefix(" ", afterMark, unlessThere));
        rules.prefix = true;
        rules.prefixAfterMark = afterMark;
    }

    std::string m_where;
};

Result<void> RulesReader::normaliser(const json& step, int depth)
{
    if (step.is_null())
        return {};
    LODESTONE_TRY(const std::string type, textOf(step, "type", m_where));
    const auto add = [&](StepPointer made) { rules.normaliser.push_back(std::move(made)); };
    if (type == "Sequence") {
        if (!step.contains("normalizers") || !step["normalizers"].is_array() || depth > 8)
            return badInput("a list 'normalizers'", step.dump().substr(0, 60), m_where);
        for (const json& inner : step["normalizers"])
            LODESTONE_CHECK(normaliser(inner, depth + 1));
    } else if (type == "NFC")
        add(unicodeForm(UnicodeForm::Nfc));
    else if (type == "NFD")
        add(unicodeForm(UnicodeForm::Nfd));
    else if (type == "NFKC")
        add(unicodeForm(UnicodeForm::Nfkc));
    else if (type == "NFKD")
        add(unicodeForm(UnicodeForm::Nfkd));
    else if (type == "Lowercase")
        add(unicodeForm(UnicodeForm::Lowercase));
    else if (type == "StripAccents")
        add(unicodeForm(UnicodeForm::WithoutMarks));
    else if (type == "Strip")
        add(strip(flagOf(step, "strip_left", true), flagOf(step, "strip_right", true)));
    else if (type == "ByteLevel")
        rules.byteLevel = true;
    else if (type == "Prepend") {
        LODESTONE_TRY(const std::string text, textOf(step, "prepend", m_where));
        if (text == blankMark)
            prefixBlank(true, false);
        else
            add(prefix(text, true, false));
    } else if (type == "Replace") {
        return replace(step);
    } else if (type == "Precompiled") {
        LODESTONE_TRY(const std::string coded, textOf(step, "precompiled_charsmap", m_where));
        LODESTONE_TRY(const std::string table, fromBase64(coded, m_where + ", precompiled_charsmap"));
        LODESTONE_TRY(StepPointer made, characterMap(table, {}, m_where + ", precompiled_charsmap"));
        add(std::move(made));
    } else
        return unknown("normalizer", type);
    return {};
}

Result<void> RulesReader::replace(const json& step)
{
    LODESTONE_TRY(const std::string by, textOf(step, "content", m_where));
    if (by == blankMark && isBlank(step)) {
        rules.blankMark = true; // a mark in the text itself is then a blank too
        rules.normaliser.push_back(replacement(Pattern::literal(std::string(blankMark)), " "));
        return {};
    }
    LODESTONE_TRY(Pattern pattern, patternOf(step));
    rules.normaliser.push_back(replacement(std::move(pattern), shown(by)));
    return {};
}

Result<void> RulesReader::preTokenizer(const json& step, int depth)
{
    if (step.is_null())
        return {};
    LODESTONE_TRY(const std::string type, textOf(step, "type", m_where));
    if (type == "Sequence") {
        if (!step.contains("pretokenizers") || !step["pretokenizers"].is_array() || depth > 8)
            return badInput("a list 'pretokenizers'", step.dump().substr(0, 60), m_where);
        for (const json& inner : step["pretokenizers"])
            LODESTONE_CHECK(preTokenizer(inner, depth + 1));
        return {};
    }
    if (type == "ByteLevel") {
        rules.byteLevel = true;
        if (flagOf(step, "add_prefix_space", true)) {
            if (!rules.splits.empty())
                return unknown("order of pre-tokenizers", "a blank before each piece");
            prefixBlank(true, true);
        }
        if (flagOf(step, "use_regex", true))
            return splitBy(Pretokenizer::gpt2Words, SplitBehaviour::Isolated);
        return {};
    }
    if (type == "Split")
        return split(step);
    if (type == "Metaspace")
        return metaspace(step);
    if (type == "Digits")
        return splitBy(
            R"(\p{N})",
            flagOf(step, "individual_digits", false) ? SplitBehaviour::Isolated : SplitBehaviour::Contiguous);
    if (type == "Punctuation")
        return splitBy(
            punctuation,
            step.value("behavior", "Isolated") == "Contiguous" ? SplitBehaviour::Contiguous
                                                               : SplitBehaviour::Isolated);
    if (type == "Whitespace")
        return splitBy(R"(\w+|[^\w\s]+)", SplitBehaviour::Removed, true);
    if (type == "WhitespaceSplit")
        return splitBy(R"(\s)", SplitBehaviour::Removed);
    return unknown("pre-tokenizer", type);
}

Result<void> RulesReader::split(const json& step)
{
    constexpr std::array<std::pair<std::string_view, SplitBehaviour>, 5> behaviours{ {
        { "Isolated", SplitBehaviour::Isolated },
        { "Contiguous", SplitBehaviour::Contiguous },
        { "Removed", SplitBehaviour::Removed },
        { "MergedWithPrevious", SplitBehaviour::MergedWithPrevious },
        { "MergedWithNext", SplitBehaviour::MergedWithNext },
    } };
    LODESTONE_TRY(const std::string name, textOf(step, "behavior", m_where));
    for (const auto& [known, behaviour] : behaviours) {
        if (known != name)
            continue;
        // Where blanks have become marks by now, a pattern that asks for a blank finds none.
        if (rules.blankMark && isBlank(step))
            return {};
        LODESTONE_TRY(Pattern pattern, patternOf(step));
        rules.splits.push_back({ std::move(pattern), behaviour, flagOf(step, "invert", false) });
        return {};
    }
    return unknown("behavior", name);
}

Result<void> RulesReader::metaspace(const json& step)
{
    LODESTONE_TRY(const std::string mark, textOf(step, "replacement", m_where));
    if (mark != blankMark)
        return unknown("replacement of blanks", mark);
    const std::string scheme
        = step.value("prepend_scheme", flagOf(step, "add_prefix_space", true) ? "always" : "never");
    if (scheme != "always" && scheme != "first" && scheme != "never")
        return unknown("prepend_scheme", scheme);
    if (!rules.splits.empty()) { // T5's way: words between white space, each with a blank before it
        if (rules.splits.size() > 1 || rules.splits[0].behaviour != SplitBehaviour::Removed
            || rules.splits[0].invert || scheme != "always")
            return unknown("order of pre-tokenizers", "Metaspace after others");
        rules.splits.clear();
        LODESTONE_TRY(Pattern space, Pattern::compile(R"(\s+)", m_where));
        rules.normaliser.push_back(replacement(std::move(space), " "));
        rules.normaliser.push_back(strip(true, true));
    }
    rules.blankMark = true;
    rules.normaliser.push_back(replacement(Pattern::literal(std::string(blankMark)), " "));
    if (scheme != "never")
        prefixBlank(scheme == "always", true);
    if (flagOf(step, "split", true))
        return splitBy(" ", SplitBehaviour::MergedWithNext);
    return {};
}

} // namespace

Result<TextRules> readTextRules(const json& document, const std::string& where)
{
    RulesReader normaliser(where + ", normalizer");
    if (document.contains("normalizer"))
        LODESTONE_CHECK(normaliser.normaliser(document["normalizer"]));
    RulesReader splits(where + ", pre_tokenizer");
    splits.rules = std::move(normaliser.rules);
    if (document.contains("pre_tokenizer"))
        LODESTONE_CHECK(splits.preTokenizer(document["pre_tokenizer"]));
    return std::move(splits.rules);
}

} // namespace lodestone::text
