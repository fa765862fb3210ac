#include "app/cli/text_input.h"

#include "core/formats/lines.h"

#include <fmt/format.h>
#include <optional>

namespace lodestone::app {

void TextInput::addTo(CLI::App& app, const char* textOption)
{
    auto* chat = app.add_option(
        "--chat", chatFile, "A JSON list [{role, content}, ...]; the generation prompt is added");
    if (textOption)
        app.add_option(textOption, text, "The text")->excludes(chat);
    app.add_option("--chat-form", formFile, "A JSON file with a chat form of your own (docs/models.md)")
        ->needs(chat);
}

Result<std::string> TextInput::render(const text::ChatTemplate& chatTemplate, std::string& notice) const
{
    if (chatFile.empty())
        return text;
    std::optional<text::ChatTemplate> own;
    if (!formFile.empty()) {
        LODESTONE_TRY(const nlohmann::json document, formats::readJson(formFile));
        LODESTONE_TRY(text::ChatForm form, text::chatFormFromJson(document, formFile));
        own.emplace(std::move(form));
    } else
        notice = chatTemplate.notice();
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
    return (own ? *own : chatTemplate).prompt(messages);
}

} // namespace lodestone::app
