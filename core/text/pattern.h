// Regular expressions as tokenizers use them: Unicode properties, white space as Unicode has it, any bytes as
// input.
#pragma once

#include "core/base/error.h"

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace lodestone::text {

/// A compiled pattern (PCRE2). Immutable and safe to use from several threads. Bytes that are not UTF-8 never
/// match.
class Pattern {
public:
    /// An error names the place in the pattern; `where` names the pattern.
    static Result<Pattern> compile(const std::string& expression, const std::string& where);
    /// One that matches exactly this text.
    static Pattern literal(const std::string& text);

    Pattern(Pattern&&) noexcept;
    Pattern& operator=(Pattern&&) noexcept;
    ~Pattern();

    /// Calls `found(begin, end)` for every match, in order, without overlaps; a match may be empty. A search
    /// that exceeds the library's limits ends there as if nothing more matched.
    void forEachMatch(
        std::string_view text, const std::function<void(std::size_t begin, std::size_t end)>& found) const;

private:
    struct Code;
    explicit Pattern(std::unique_ptr<Code> code);
    std::unique_ptr<Code> m_code;
};

} // namespace lodestone::text
