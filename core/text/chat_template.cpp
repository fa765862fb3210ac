#include "core/text/chat_template.h"

namespace lodestone::text {
namespace {

/// "\n" as Jinja writes it inside a string literal.
std::string unescape(std::string_view literal)
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

/// The system turn that a ChatML template writes when a conversation does not begin with one: the string
/// literal in which "<|im_start|>system", a line break (as itself or escaped) and fixed words stand.
std::string defaultSystem(std::string_view jinja)
{
    constexpr std::string_view opening = "<|im_start|>system";
    for (std::size_t at = jinja.find(opening); at != std::string_view::npos;
         at = jinja.find(opening, at + 1)) {
        std::size_t start = at + opening.size();
        if (jinja.substr(start, 2) == "\\n")
            start += 2;
        else if (jinja.substr(start, 1) == "\n")
            start += 1;
        else
            continue;
        const std::size_t end = jinja.find("<|im_end|>", start);
        const std::size_t quote = jinja.find_first_of("'\"", start);
        if (end != std::string_view::npos && end > start && (quote == std::string_view::npos || end < quote))
            return unescape(jinja.substr(start, end - start));
    }
    return {};
}

} // namespace

ChatTemplate ChatTemplate::recognise(std::string_view jinja)
{
    ChatTemplate result;
    if (jinja.find("<|im_start|>") == std::string_view::npos)
        return result;
    result.m_name = "ChatML";
    result.m_endOfTurn = "<|im_end|>\n";
    result.m_defaultSystem = defaultSystem(jinja);
    return result;
}

std::string ChatTemplate::turn(const Message& message) const
{
    if (m_name == "ChatML")
        return "<|im_start|>" + message.role + "\n" + message.content + m_endOfTurn;
    const std::string speaker = message.role == "user" ? "Human: "
        : message.role == "assistant"                  ? "Assistant: "
                                                       : "";
    return speaker + message.content + m_endOfTurn;
}

std::string ChatTemplate::prompt(const std::vector<Message>& conversation) const
{
    std::string text;
    if (!m_defaultSystem.empty() && (conversation.empty() || conversation.front().role != "system"))
        text += turn({ "system", m_defaultSystem });
    for (const Message& message : conversation)
        text += turn(message);
    return text + opening();
}

std::string ChatTemplate::opening() const
{
    return m_name == "ChatML" ? "<|im_start|>assistant\n" : "Assistant:";
}

std::string ChatTemplate::furtherTurn(const std::string& userText) const
{
    return turn({ "user", userText }) + opening();
}

} // namespace lodestone::text
