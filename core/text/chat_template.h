// Writes a conversation in the form that a model was trained on.
#pragma once

#include "core/text/chat_form.h"

#include <string>
#include <string_view>
#include <vector>

namespace lodestone::text {

class Tokenizer;

/// One turn of a conversation; role is "system", "user" or "assistant".
struct Message {
    std::string role;
    std::string content;
    bool operator==(const Message&) const = default;
};

/// A chat format: recognised from the model file's own template text, or given.
class ChatTemplate {
public:
    ChatTemplate() = default;
    explicit ChatTemplate(ChatForm form)
        : m_form(std::move(form))
    {
    }

    /// ChatML, Llama 2, Llama 3, Gemma, Phi-3, Zephyr, Mistral or SmolLM3 by the marks in the template; any
    /// other, and none, is the plain form "Human: ... Assistant: ..." for base models. `bos` and `eos` are
    /// the texts of these tokens, which templates name.
    static ChatTemplate
    recognise(std::string_view jinja, const std::string& bos = {}, const std::string& eos = {});
    static ChatTemplate recognise(std::string_view jinja, const Tokenizer& tokenizer);
    static ChatTemplate plain() { return {}; }

    const std::string& name() const { return m_form.name; } ///< "ChatML", "plain"
    const ChatForm& form() const { return m_form; }
    /// Why the plain form is used for a model that has a template; empty when there is nothing to say.
    const std::string& notice() const { return m_notice; }

    /// The text up to and including the words that open the assistant's next turn.
    std::string prompt(const std::vector<Message>& conversation) const;
    /// The words that open an assistant's turn: "<|im_start|>assistant\n".
    const std::string& opening() const { return m_form.opening; }
    /// What closes an assistant's turn: "<|im_end|>\n".
    const std::string& endOfTurn() const { return m_form.assistant.after; }
    /// A further user turn and the opening of the answer, to be appended after a closed assistant turn.
    std::string furtherTurn(const std::string& userText) const;

private:
    std::string turn(const Message& message) const;

    ChatForm m_form;
    std::string m_notice;
};

} // namespace lodestone::text
