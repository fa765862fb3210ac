#include "core/text/jinja_outputs.h"

#include <algorithm>

namespace lodestone::text {
namespace {

bool isName(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
}

/// The end of a quoted text that begins at `at`; npos when it has none.
std::size_t endOfQuote(std::string_view text, std::size_t at)
{
    for (std::size_t i = at + 1; i < text.size(); ++i) {
        if (text[i] == '\\')
            ++i;
        else if (text[i] == text[at])
            return i;
    }
    return std::string_view::npos;
}

/// The end of an output: "}}" outside quotes.
std::size_t endOfOutput(std::string_view text, std::size_t at)
{
    while (at < text.size()) {
        if (text[at] == '\'' || text[at] == '"') {
            at = endOfQuote(text, at);
            if (at == std::string_view::npos)
                return at;
        } else if (text.substr(at, 2) == "}}")
            return at;
        ++at;
    }
    return std::string_view::npos;
}

JinjaPart partOfName(std::string_view name)
{
    JinjaPart part;
    const auto contains = [&](std::string_view what) { return name.find(what) != std::string_view::npos; };
    if (name == "bos_token")
        part.kind = JinjaPart::Kind::Bos;
    else if (name == "eos_token")
        part.kind = JinjaPart::Kind::Eos;
    else if (contains("content"))
        part.kind = JinjaPart::Kind::Content;
    part.trimmed = contains(".strip()");
    return part;
}

std::vector<JinjaPart> partsOf(std::string_view body)
{
    std::vector<JinjaPart> parts;
    for (std::size_t at = 0; at < body.size();) {
        const char c = body[at];
        if (c == '\'' || c == '"') {
            const std::size_t end = endOfQuote(body, at);
            if (end == std::string_view::npos)
                return parts;
            parts.push_back(
                { JinjaPart::Kind::Literal, unescapeLiteral(body.substr(at + 1, end - at - 1)), false });
            at = end + 1;
        } else if (c == '|') {
            const std::size_t start = body.find_first_not_of(" \n", at + 1);
            if (start == std::string_view::npos)
                return parts;
            std::size_t end = start;
            while (end < body.size() && isName(body[end]))
                ++end;
            const bool trims = body.substr(start, end - start) == "trim";
            if (!parts.empty() && trims)
                parts.back().trimmed = true;
            else if (!parts.empty())
                parts.back().kind = JinjaPart::Kind::Other;
            at = std::max(end, at + 1);
        } else if (isName(c)) {
            std::size_t end = at;
            while (end < body.size() && (isName(body[end]) || body[end] == '[' || body[end] == '(')) {
                if (body[end] == '[' || body[end] == '(') {
                    const char close = body[end] == '[' ? ']' : ')';
                    while (end < body.size() && body[end] != close)
                        ++end;
                }
                end = std::min(end + 1, body.size());
            }
            parts.push_back(partOfName(body.substr(at, end - at)));
            at = end;
        } else
            ++at;
    }
    return parts;
}

std::string joined(
    std::vector<JinjaPart>::const_iterator first, std::vector<JinjaPart>::const_iterator last,
    const std::string& bos, const std::string& eos)
{
    std::string text;
    for (; first != last; ++first)
        text += first->kind == JinjaPart::Kind::Bos ? bos
            : first->kind == JinjaPart::Kind::Eos   ? eos
                                                    : first->text;
    return text;
}

} // namespace

bool JinjaOutput::has(JinjaPart::Kind kind) const
{
    return std::any_of(parts.begin(), parts.end(), [&](const JinjaPart& part) { return part.kind == kind; });
}

bool JinjaOutput::says(std::string_view text) const
{
    return std::any_of(parts.begin(), parts.end(), [&](const JinjaPart& part) {
        return part.text.find(text) != std::string::npos;
    });
}

std::string JinjaOutput::before(const std::string& bos, const std::string& eos) const
{
    const auto content = std::find_if(parts.begin(), parts.end(), [](const JinjaPart& part) {
        return part.kind == JinjaPart::Kind::Content;
    });
    return joined(parts.begin(), content, bos, eos);
}

std::string JinjaOutput::after(const std::string& bos, const std::string& eos) const
{
    auto content = std::find_if(parts.begin(), parts.end(), [](const JinjaPart& part) {
        return part.kind == JinjaPart::Kind::Content;
    });
    if (content != parts.end())
        ++content;
    return joined(content, parts.end(), bos, eos) + (lineBreakAfter ? "\n" : "");
}

std::vector<JinjaOutput> jinjaOutputs(std::string_view jinja)
{
    std::vector<JinjaOutput> outputs;
    for (std::size_t at = 0; (at = jinja.find("{{", at)) != std::string_view::npos;) {
        const std::size_t end = endOfOutput(jinja, at + 2);
        if (end == std::string_view::npos)
            return outputs;
        JinjaOutput output;
        output.at = at;
        const bool cut = jinja[end - 1] == '-';
        // A later tag that begins with "-" would take the line break away.
        const std::size_t next = jinja.find_first_not_of(" \n\t", end + 2);
        const bool takenLater = next != std::string_view::npos
            && (jinja.substr(next, 3) == "{%-" || jinja.substr(next, 3) == "{{-"
                || jinja.substr(next, 3) == "{#-");
        output.lineBreakAfter = !cut && !takenLater && jinja.substr(end + 2, 1) == "\n";
        output.parts = partsOf(jinja.substr(at + 2, end - at - 2));
        outputs.push_back(std::move(output));
        at = end + 2;
    }
    return outputs;
}

std::string unescapeLiteral(std::string_view literal)
{
    std::string text;
    for (std::size_t i = 0; i < literal.size(); ++i) {
        if (literal[i] == '\\' && i + 1 < literal.size()) {
            ++i;
            text += literal[i] == 'n' ? '\n' : literal[i] == 't' ? '\t' : literal[i];
        } else
            text += literal[i];
    }
    return text;
}

} // namespace lodestone::text
