#include "core/data/response_set.h"

#include <algorithm>

namespace lodestone::data {

std::string itemKindName(ItemKind kind)
{
    switch (kind) {
    case ItemKind::Reply:
        return "reply";
    case ItemKind::Request:
        return "request";
    case ItemKind::Statement:
        return "statement";
    }
    return {};
}

Result<ItemKind> parseItemKind(const std::string& name)
{
    for (const ItemKind kind : { ItemKind::Reply, ItemKind::Request, ItemKind::Statement })
        if (name == itemKindName(kind))
            return kind;
    return badInput("reply, request or statement", "'" + name + "'");
}

const std::string& ResponseSet::promptText(int response) const
{
    static const std::string none;
    const auto& conversation
        = prompts[static_cast<std::size_t>(responses[static_cast<std::size_t>(response)].prompt)]
              .conversation;
    const auto last = std::find_if(conversation.rbegin(), conversation.rend(), [](const text::Message& turn) {
        return turn.role == "user";
    });
    return last == conversation.rend() ? none : last->content;
}

const std::string& ResponseSet::shownText(int response) const
{
    return kind == ItemKind::Request ? promptText(response)
                                     : responses[static_cast<std::size_t>(response)].text;
}

std::vector<std::string> ResponseSet::values() const
{
    std::vector<std::string> values;
    const auto add = [&](const std::string& value) {
        if (!value.empty() && std::find(values.begin(), values.end(), value) == values.end())
            values.push_back(value);
    };
    for (const Pair& pair : pairs)
        add(pair.value);
    for (const Response& response : responses)
        add(response.value);
    return values;
}

std::vector<text::Message> parseTranscript(std::string_view transcript)
{
    constexpr std::string_view human = "\n\nHuman:", assistant = "\n\nAssistant:";
    std::vector<text::Message> turns;
    std::size_t at = std::min(transcript.find(human), transcript.find(assistant));
    while (at != std::string_view::npos) {
        const bool isHuman = transcript.substr(at, human.size()) == human;
        const std::size_t start = at + (isHuman ? human.size() : assistant.size());
        const std::size_t end = std::min(transcript.find(human, start), transcript.find(assistant, start));
        std::string_view content
            = transcript.substr(start, end == std::string_view::npos ? end : end - start);
        if (!content.empty() && content.front() == ' ')
            content.remove_prefix(1);
        turns.push_back({ isHuman ? "user" : "assistant", std::string(content) });
        at = end;
    }
    return turns;
}

} // namespace lodestone::data
