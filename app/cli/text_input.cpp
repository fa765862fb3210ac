#include "app/cli/text_input.h"

#include "core/formats/lines.h"

#include <fmt/format.h>

namespace lodestone::app {

void TextInput::addTo(CLI::App& app, const char* textOption)
{
    auto* plain = app.add_option(textOption, text, "The text");
    auto* chat = app.add_option(
        "--chat", chatFile, "A JSON list [{role, content}, ...]; the generation prompt is added");
    plain->excludes(chat);
}

Result<std::string> TextInput::render(const text::ChatTemplate& chatTemplate) const
{
    if (chatFile.empty())
        return text;
    LODESTONE_TRY(const nlohmann::json document, formats::readJson(chatFile));
    std::vector<text::Message> messages;
    if (!document.is_array())
        return badInput("a list of {role, content}", document.type_name(), chatFile);
    for (std::size_t i = 0; i < document.size(); ++i) {
        const nlohmann::json& turn = document[i];
        if (!turn.is_object() || !turn.contains("role") || !turn.contains("content")
            || !turn["role"].is_string() || !turn["content"].is_string())
            return badInput(
                "an object with texts 'role' and 'content'", turn.dump().substr(0, 60),
                fmt::format("{}, element {}", chatFile, i));
        messages.push_back({ turn["role"], turn["content"] });
    }
    return chatTemplate.prompt(messages);
}

} // namespace lodestone::app
