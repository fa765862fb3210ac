#include "core/text/chat_template.h"

#include "core/text/tokenizer.h"

namespace lodestone::text {
namespace {

std::string withRole(std::string text, const std::string& role)
{
    constexpr std::string_view place = "{role}";
    if (const std::size_t at = text.find(place); at != std::string::npos)
        text.replace(at, place.size(), role);
    return text;
}

std::string trimmed(const std::string& content, bool doIt)
{
    if (!doIt)
        return content;
    constexpr const char* space = " \t\n\v\f\r";
    const std::size_t first = content.find_first_not_of(space);
    return first == std::string::npos ? std::string()
                                      : content.substr(first, content.find_last_not_of(space) - first + 1);
}

} // namespace

ChatTemplate ChatTemplate::recognise(std::string_view jinja, const std::string& bos, const std::string& eos)
{
    ChatTemplate result;
    if (jinja.empty())
        return result;
    ChatForm form = recogniseForm(jinja, bos, eos);
    if (form.name.empty())
        result.m_notice
            = "the model's chat template is none of those that are known; the plain form \"Human: ... "
              "Assistant:\" is used instead, and a form of your own can be given as JSON";
    else
        result.m_form = std::move(form);
    return result;
}

ChatTemplate ChatTemplate::recognise(std::string_view jinja, const Tokenizer& tokenizer)
{
    const auto textOf
        = [&](std::optional<TokenId> id) { return id ? std::string(tokenizer.piece(*id)) : std::string(); };
    return recognise(jinja, textOf(tokenizer.bos()), textOf(tokenizer.eos()));
}

std::string ChatTemplate::turn(const Message& message) const
{
    const TurnForm& form = message.role == "user" ? m_form.user
        : message.role == "assistant"             ? m_form.assistant
                                                  : m_form.system;
    return withRole(form.before, message.role) + trimmed(message.content, m_form.trim)
        + withRole(form.after, message.role);
}

std::string ChatTemplate::prompt(const std::vector<Message>& conversation) const
{
    std::vector<Message> turns = conversation;
    std::string text = m_form.begin;
    std::string system = m_form.defaultSystem;
    bool given = false;
    if (!turns.empty() && turns.front().role == "system") {
        system = turns.front().content;
        given = true;
        turns.erase(turns.begin());
    }
    if (m_form.systemPlace == SystemPlace::OwnTurn) {
        if (given || m_form.alwaysSystem || !system.empty())
            text += withRole(m_form.system.before, "system") + m_form.systemHead
                + trimmed(system, m_form.trim || m_form.trimSystem) + withRole(m_form.system.after, "system");
    } else if (given && m_form.systemPlace != SystemPlace::Dropped) {
        Message* user = nullptr;
        for (Message& message : turns)
            if (message.role == "user" && (!user || m_form.systemPlace == SystemPlace::LastUser))
                user = &message;
        if (!user) {
            turns.insert(turns.begin(), Message{ "user", "" });
            user = &turns.front();
        }
        // With marks around the system text the two are trimmed as one, else each by itself.
        const bool marked = !m_form.systemInUser.before.empty();
        user->content = m_form.systemInUser.before + system + m_form.systemInUser.after
            + (marked ? user->content : trimmed(user->content, m_form.trim));
    }
    for (const Message& message : turns)
        text += turn(message);
    return text + m_form.opening;
}

std::string ChatTemplate::furtherTurn(const std::string& userText) const
{
    return turn({ "user", userText }) + m_form.opening;
}

} // namespace lodestone::text
