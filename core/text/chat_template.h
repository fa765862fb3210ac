// Writes a conversation in the form that a model was trained on.
#pragma once

#include "core/base/error.h"

#include <string>
#include <string_view>
#include <vector>

namespace lodestone::text {

/// One turn of a conversation; role is "system", "user" or "assistant".
struct Message {
    std::string role;
    std::string content;
    bool operator==(const Message&) const = default;
};

/// A chat format, recognised from the model file's own template text.
class ChatTemplate {
public:
    /// ChatML when the template uses <|im_start|>, with the default system text that it carries; otherwise
    /// the plain form "Human: ... Assistant: ..." for base models.
    static ChatTemplate recognise(std::string_view jinja);
    static ChatTemplate plain() { return {}; }

    const std::string& name() const { return m_name; } ///< "ChatML", "plain"

    /// The text up to and including the words that open the assistant's next turn.
    std::string prompt(const std::vector<Message>& conversation) const;
    /// The words that open an assistant's turn: "<|im_start|>assistant\n".
    std::string opening() const;
    /// What closes an assistant's turn: "<|im_end|>\n".
    const std::string& endOfTurn() const { return m_endOfTurn; }
    /// A further user turn and the opening of the answer, to be appended after a closed assistant turn.
    std::string furtherTurn(const std::string& userText) const;

private:
    std::string turn(const Message& message) const;
    std::string m_name = "plain";
    std::string m_defaultSystem;
    std::string m_endOfTurn = "\n\n";
};

} // namespace lodestone::text
