#include "core/text/pretokenizer.h"

#include "core/formats/byte_reader.h"

#include <algorithm>
#include <array>

namespace lodestone::text {
namespace {

constexpr const char* words = R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
// The later patterns, as the models' own tokenizer.json files have them: contractions in any case, words with
// one mark before them, numbers cut after one or three digits, line breaks apart.
constexpr const char* wordsThreeDigits
    = R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr const char* wordsOneDigit
    = R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr const char* wordsWithMarks
    = R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
// Capitals begin a word of their own.
constexpr const char* wordsByCaseOneDigit
    = R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr const char* wordsByCaseThreeDigits
    = R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr const char* oneDigit = R"(\p{N})";
constexpr const char* threeDigits = R"(\p{N}{1,3})";
constexpr const char* falconMarks = R"([\p{P}\$\+<=>\^~\|`]+)";
constexpr const char* ideographs = R"([\x{4E00}-\x{9FA5}\x{0800}-\x{4E00}\x{AC00}-\x{D7FF}]+)";
// DeepSeek LLM: the cased letters of the Unicode version that it was made with, as its file lists them.
constexpr const char* deepseekLetters
    = R"(\s?[)"
      R"(A-Za-z\x{B5}\x{C0}-\x{D6}\x{D8}-\x{F6}\x{F8}-\x{1BA}\x{1BC}-\x{1BF}\x{1C4}-\x{293})"
      R"(\x{295}-\x{2AF}\x{370}-\x{373}\x{376}\x{377}\x{37B}-\x{37D}\x{37F}\x{386}\x{388}-\x{38A})"
      R"(\x{38C}\x{38E}-\x{3A1}\x{3A3}-\x{3F5}\x{3F7}-\x{481}\x{48A}-\x{52F}\x{531}-\x{556})"
      R"(\x{10A0}-\x{10C5}\x{13A0}-\x{13F5}\x{13F8}-\x{13FD}\x{1C90}-\x{1CBA}\x{1CBD}-\x{1CBF})"
      R"(\x{1D00}-\x{1D2B}\x{1D6B}-\x{1D77}\x{1D79}-\x{1D9A}\x{1E00}-\x{1F15}\x{1F18}-\x{1F1D})"
      R"(\x{1F20}-\x{1F45}\x{1F48}-\x{1F4D}\x{1F50}-\x{1F57}\x{1F59}\x{1F5B}\x{1F5D}\x{1F5F}-\x{1F7D})"
      R"(\x{1F80}-\x{1FB4}\x{1FB6}-\x{1FBC}\x{1FBE}\x{1FC2}-\x{1FC4}\x{1FC6}-\x{1FCC})"
      R"(\x{1FD0}-\x{1FD3}\x{1FD6}-\x{1FDB}\x{1FE0}-\x{1FEC}\x{1FF2}-\x{1FF4}\x{1FF6}-\x{1FFC})"
      R"(\x{2102}\x{2107}\x{210A}-\x{2113}\x{2115}\x{2119}-\x{211D}\x{2124}\x{2126}\x{2128})"
      R"(\x{212A}-\x{212D}\x{212F}-\x{2134}\x{2139}\x{213C}-\x{213F}\x{2145}-\x{2149}\x{214E}\x{2183})"
      R"(\x{2184}\x{2C00}-\x{2C7B}\x{2C7E}-\x{2CE4}\x{2CEB}-\x{2CEE}\x{2CF2}\x{2CF3}\x{A640}-\x{A66D})"
      R"(\x{A680}-\x{A69B}\x{A722}-\x{A76F}\x{A771}-\x{A787}\x{A78B}-\x{A78E}\x{AB70}-\x{ABBF})"
      R"(\x{FB00}-\x{FB06}\x{FB13}-\x{FB17}\x{FF21}-\x{FF3A}\x{FF41}-\x{FF5A}\x{10400}-\x{1044F})"
      R"(\x{104B0}-\x{104D3}\x{104D8}-\x{104FB}\x{10C80}-\x{10CB2}\x{10CC0}-\x{10CF2})"
      R"(\x{118A0}-\x{118DF}\x{1E900}-\x{1E943})"
      R"(]+)";
constexpr const char* deepseekMarks
    = R"(\s?[!-/:-~\x{FF01}-\x{FF0F}\x{FF1A}-\x{FF5E}\x{2018}-\x{201F}\x{3000}-\x{3002}]+)";
constexpr const char* deepseek3Scripts = R"([\x{4E00}-\x{9FA5}\x{3040}-\x{309F}\x{30A0}-\x{30FF}]+)";
constexpr const char* deepseek3Words
    = R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

/// One way of splitting and the names under which files ask for it.
struct Family {
    std::vector<const char*> names;
    std::vector<const char*> patterns;
    PretokenizerFamily rest;
};

const std::vector<Family>& families()
{
    static const std::vector<Family> all{
        { { "gpt-2", "default", "", "phi-2", "jais", "trillion" }, { words }, {} },
        { { "mpt", "olmo", "gpt-neox" }, { words }, { false, false, true } },
        { { "smollm", "refact", "starcoder", "codeshell", "exaone", "minerva-7b" }, { oneDigit, words }, {} },
        { { "command-r" }, { oneDigit, words }, { false, false, true } },
        { { "llama-bpe", "llama3", "llama-v3", "falcon3" }, { wordsThreeDigits }, { true, true, false } },
        { { "dbrx", "smaug-bpe" }, { wordsThreeDigits }, {} },
        { { "chatglm-bpe", "glm4" }, { wordsThreeDigits }, { true, false, false } },
        { { "qwen2", "stablelm2", "hunyuan", "megrez" }, { wordsOneDigit }, { false, false, true } },
        { { "deepseek-r1-qwen" }, { wordsOneDigit }, {} },
        { { "qwen35" }, { wordsWithMarks }, {} },
        { { "tekken" }, { wordsByCaseOneDigit }, { true, true, false } },
        { { "gpt-4o", "llama4" }, { wordsByCaseThreeDigits }, {} },
        { { "falcon" }, { falconMarks, words, "[0-9][0-9][0-9]" }, {} },
        { { "deepseek-llm" },
          { R"([\r\n])", deepseekLetters, deepseekMarks, R"(\s+$)", ideographs, R"(\p{N}+)" },
          {} },
        { { "deepseek-coder" }, { R"([\r\n])", R"(\s?\p{L}+)", R"(\s?\p{P}+)", ideographs, oneDigit }, {} },
        { { "deepseek-v3", "hunyuan-dense" }, { threeDigits, deepseek3Scripts, deepseek3Words }, {} },
    };
    return all;
}

const Family* find(const std::string& name)
{
    for (const Family& family : families())
        if (std::find(family.names.begin(), family.names.end(), name) != family.names.end())
            return &family;
    return nullptr;
}

std::string knownNames()
{
    std::string all;
    for (const Family& family : families())
        for (const char* name : family.names)
            if (*name)
                all += (all.empty() ? "" : ", ") + std::string(name);
    return all;
}

/// A stretch of a piece, and whether it counts as a match.
struct Part {
    std::size_t begin, end;
    bool match;
};

std::vector<Part> partsOf(std::string_view piece, const SplitStep& step)
{
    std::vector<Part> parts;
    std::size_t done = 0;
    step.pattern.forEachMatch(piece, [&](std::size_t begin, std::size_t end) {
        if (begin > done)
            parts.push_back({ done, begin, step.invert });
        if (end > begin)
            parts.push_back({ begin, end, !step.invert });
        done = end;
    });
    if (done < piece.size())
        parts.push_back({ done, piece.size(), step.invert });
    return parts;
}

void apply(const SplitStep& step, std::string_view piece, std::vector<std::string_view>& out)
{
    std::vector<Part> parts = partsOf(piece, step);
    std::vector<Part> joined;
    for (const Part& part : parts) {
        Part* last = joined.empty() ? nullptr : &joined.back();
        switch (step.behaviour) {
        case SplitBehaviour::Removed:
            if (!part.match)
                joined.push_back(part);
            continue;
        case SplitBehaviour::Contiguous:
            if (last && last->match == part.match && last->end == part.begin) {
                last->end = part.end;
                continue;
            }
            break;
        case SplitBehaviour::MergedWithPrevious:
            if (last && part.match && !last->match) {
                last->end = part.end;
                last->match = true;
                continue;
            }
            break;
        case SplitBehaviour::MergedWithNext:
            if (last && last->match && !part.match) {
                last->end = part.end;
                last->match = false;
                continue;
            }
            break;
        case SplitBehaviour::Isolated:
            break;
        }
        joined.push_back(part);
    }
    for (const Part& part : joined)
        out.push_back(piece.substr(part.begin, part.end - part.begin));
}

} // namespace

const char* const Pretokenizer::gpt2Words = words;

Result<Pretokenizer> Pretokenizer::byName(const std::string& name)
{
    const Family* family = find(name);
    if (!family)
        return badInput(
            "a pre-tokenizer among " + knownNames(), "'" + formats::shownName(name) + "'",
            "tokenizer.ggml.pre");
    std::vector<SplitStep> steps;
    for (const char* expression : family->patterns) {
        LODESTONE_TRY(Pattern pattern, Pattern::compile(expression, "tokenizer.ggml.pre '" + name + "'"));
        steps.push_back({ std::move(pattern) });
    }
    return Pretokenizer(std::move(steps));
}

PretokenizerFamily Pretokenizer::familyOf(const std::string& name)
{
    const Family* family = find(name);
    return family ? family->rest : PretokenizerFamily{};
}

std::vector<std::string_view> Pretokenizer::split(std::string_view text) const
{
    std::vector<std::string_view> pieces{ text };
    for (const SplitStep& step : m_steps) {
        std::vector<std::string_view> next;
        for (const std::string_view piece : pieces)
            apply(step, piece, next);
        pieces = std::move(next);
    }
    return pieces;
}

} // namespace lodestone::text
