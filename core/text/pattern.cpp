#include "core/text/pattern.h"

#include "core/text/utf8.h"

#include <fmt/format.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

namespace lodestone::text {
namespace {

struct MatchFree {
    void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
};

/// A pattern out of a file may be made to search for ever; real ones need a few steps a character.
constexpr std::uint32_t stepLimit = 1'000'000;

struct Limits {
    Limits() { pcre2_set_match_limit(context.get(), stepLimit); }
    struct Free {
        void operator()(pcre2_match_context* made) const { pcre2_match_context_free(made); }
    };
    std::unique_ptr<pcre2_match_context, Free> context{ pcre2_match_context_create(nullptr) };
};

pcre2_match_context* limits()
{
    static const Limits all;
    return all.context.get();
}

/// PCRE2's \s takes one character more than Unicode's property (U+180E), which the tokenizers mean.
std::string withUnicodeSpace(const std::string& expression)
{
    std::string result;
    for (std::size_t i = 0; i < expression.size(); ++i) {
        if (expression[i] != '\\' || i + 1 == expression.size()) {
            result += expression[i];
            continue;
        }
        const char next = expression[++i];
        if (next == 's' || next == 'S')
            result += next == 's' ? "\\p{White_Space}" : "\\P{White_Space}";
        else
            result += std::string("\\") + next;
    }
    return result;
}

} // namespace

struct Pattern::Code {
    explicit Code(pcre2_code* compiled)
        : code(compiled)
    {
    }
    Code(const Code&) = delete;
    Code& operator=(const Code&) = delete;
    ~Code() { pcre2_code_free(code); }
    pcre2_code* code = nullptr; ///< null: `text` itself is looked for
    std::string text;
};

Pattern::Pattern(std::unique_ptr<Code> code)
    : m_code(std::move(code))
{
}
Pattern::Pattern(Pattern&&) noexcept = default;
Pattern& Pattern::operator=(Pattern&&) noexcept = default;
Pattern::~Pattern() = default;

Result<Pattern> Pattern::compile(const std::string& expression, const std::string& where)
{
    const std::string pattern = withUnicodeSpace(expression);
    int error = 0;
    PCRE2_SIZE at = 0;
    pcre2_code* code = pcre2_compile(
        reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
        PCRE2_UTF | PCRE2_UCP | PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C, &error, &at, nullptr);
    if (!code) {
        PCRE2_UCHAR message[128] = {};
        pcre2_get_error_message(error, message, sizeof message);
        return badInput(
            "a regular expression",
            fmt::format("one with an error at {}: {}", at, reinterpret_cast<const char*>(message)), where);
    }
    pcre2_jit_compile(code, PCRE2_JIT_COMPLETE); // only a matter of speed: the interpreter does as well
    return Pattern(std::make_unique<Code>(code));
}

Pattern Pattern::literal(const std::string& text)
{
    auto code = std::make_unique<Code>(nullptr);
    code->text = text;
    return Pattern(std::move(code));
}

void Pattern::forEachMatch(
    std::string_view text, const std::function<void(std::size_t begin, std::size_t end)>& found) const
{
    if (!m_code->code) {
        const std::string& wanted = m_code->text;
        if (!wanted.empty())
            for (std::size_t at = 0; (at = text.find(wanted, at)) != std::string_view::npos;
                 at += wanted.size())
                found(at, at + wanted.size());
        return;
    }
    const std::unique_ptr<pcre2_match_data, MatchFree> match(
        pcre2_match_data_create_from_pattern(m_code->code, nullptr));
    if (!match)
        return;
    const PCRE2_SIZE* range = pcre2_get_ovector_pointer(match.get());
    forEachStretch(text, [&](std::string_view part, bool valid) {
        if (!valid)
            return;
        const auto offset = static_cast<std::size_t>(part.data() - text.data());
        for (std::size_t at = 0; at < part.size();) {
            const auto search = [&](std::uint32_t options) {
                return pcre2_match(
                    m_code->code, reinterpret_cast<PCRE2_SPTR>(part.data()), part.size(), at,
                    PCRE2_NO_UTF_CHECK | options, match.get(), limits());
            };
            int result = search(0);
            if (result == PCRE2_ERROR_JIT_STACKLIMIT)
                result = search(PCRE2_NO_JIT);
            if (result < 0 || range[1] < range[0])
                return;
            const std::size_t begin = range[0], end = range[1];
            found(offset + begin, offset + end);
            at = end;
            if (begin == end && end < part.size()) // an empty match: go on behind the next character
                at += validCharacter(part.substr(end));
            else if (begin == end)
                return;
        }
    });
}

} // namespace lodestone::text
