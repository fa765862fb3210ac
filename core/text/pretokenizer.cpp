#include "core/text/pretokenizer.h"

#include <fmt/format.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

namespace lodestone::text {
namespace {

struct MatchFree {
    void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
};
using Match = std::unique_ptr<pcre2_match_data, MatchFree>;

// Contractions, words, numbers, other marks, trailing blanks (the pattern published with GPT-2, Radford et
// al. 2019).
constexpr const char* gpt2Words
    = R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
constexpr const char* singleDigits = R"(\p{N})";

} // namespace

struct Pretokenizer::Pattern {
    explicit Pattern(pcre2_code* compiled)
        : code(compiled)
    {
    }
    Pattern(const Pattern&) = delete;
    Pattern& operator=(const Pattern&) = delete;
    ~Pattern() { pcre2_code_free(code); }
    pcre2_code* code;
};

Pretokenizer::Pretokenizer() = default;
Pretokenizer::Pretokenizer(Pretokenizer&&) noexcept = default;
Pretokenizer& Pretokenizer::operator=(Pretokenizer&&) noexcept = default;
Pretokenizer::~Pretokenizer() = default;

Result<Pretokenizer> Pretokenizer::byName(const std::string& name)
{
    std::vector<const char*> patterns;
    if (name == "smollm" || name == "refact" || name == "starcoder" || name == "command-r")
        patterns = { singleDigits, gpt2Words };
    else if (name == "gpt-2" || name == "default" || name.empty())
        patterns = { gpt2Words };
    else
        return badInput(
            "a pre-tokenizer among smollm, refact, starcoder, command-r, gpt-2", "'" + name + "'",
            "tokenizer.ggml.pre");
    Pretokenizer result;
    for (const char* pattern : patterns) {
        int error = 0;
        PCRE2_SIZE at = 0;
        pcre2_code* code = pcre2_compile(
            reinterpret_cast<PCRE2_SPTR>(pattern), PCRE2_ZERO_TERMINATED,
            PCRE2_UTF | PCRE2_UCP | PCRE2_MATCH_INVALID_UTF, &error, &at, nullptr);
        if (!code)
            return badInput("a valid pattern", fmt::format("PCRE2 error {} at {}", error, at), pattern);
        pcre2_jit_compile(code, PCRE2_JIT_COMPLETE); // only a matter of speed: the interpreter does as well
        result.m_patterns.push_back(std::make_unique<Pattern>(code));
    }
    return result;
}

std::vector<std::string_view> Pretokenizer::split(std::string_view text) const
{
    std::vector<std::string_view> pieces{ text };
    for (const auto& pattern : m_patterns) {
        const Match match(pcre2_match_data_create_from_pattern(pattern->code, nullptr));
        std::vector<std::string_view> next;
        for (const std::string_view piece : pieces) {
            std::size_t done = 0;
            while (done < piece.size()) {
                const int found = pcre2_match(
                    pattern->code, reinterpret_cast<PCRE2_SPTR>(piece.data()), piece.size(), done, 0,
                    match.get(), nullptr);
                const PCRE2_SIZE* range = pcre2_get_ovector_pointer(match.get());
                if (found < 0
                    || range[1] == range[0]) { // no match left (or an empty one): the rest is one gap
                    next.push_back(piece.substr(done));
                    break;
                }
                if (range[0] > done)
                    next.push_back(piece.substr(done, range[0] - done));
                next.push_back(piece.substr(range[0], range[1] - range[0]));
                done = range[1];
            }
        }
        pieces = std::move(next);
    }
    return pieces;
}

} // namespace lodestone::text
