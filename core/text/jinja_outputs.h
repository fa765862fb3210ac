// Looks at the {{ ... }} of a Jinja template: which fixed texts stand around a message's content.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lodestone::text {

/// One operand of an output.
struct JinjaPart {
    enum class Kind { Literal, Content, Bos, Eos, Other };
    Kind kind = Kind::Other;
    std::string text; ///< of a literal, unescaped
    bool trimmed = false; ///< of a content: white space is taken off
};

/// One {{ ... }} and where it stands.
struct JinjaOutput {
    std::vector<JinjaPart> parts;
    std::size_t at = 0; ///< in the template
    bool lineBreakAfter = false; ///< a line break of the template itself follows and is kept

    bool has(JinjaPart::Kind kind) const;
    /// Whether a literal holds this text.
    bool says(std::string_view text) const;
    /// The texts before, after the (first) content; BOS and EOS by the texts given.
    std::string before(const std::string& bos, const std::string& eos) const;
    std::string after(const std::string& bos, const std::string& eos) const;
};

/// All outputs, in order. Operands are joined by + or ~; calls and filters other than trim and strip make an
/// operand Other.
std::vector<JinjaOutput> jinjaOutputs(std::string_view jinja);

/// A Jinja string literal's text: "\n" and the like resolved.
std::string unescapeLiteral(std::string_view literal);

} // namespace lodestone::text
