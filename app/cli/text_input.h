// How commands that let the model read take their text: plain, or a conversation from a JSON file.
#pragma once

#include "core/base/error.h"
#include "core/text/chat_template.h"

#include <CLI/CLI.hpp>
#include <string>

namespace lodestone::app {

struct TextInput {
    std::string text;
    std::string chatFile;

    /// Adds `textOption` and --chat, which exclude each other.
    void addTo(CLI::App& app, const char* textOption);
    /// The text as the model reads it; a conversation through the template, with the generation prompt.
    Result<std::string> render(const text::ChatTemplate& chatTemplate) const;
};

} // namespace lodestone::app
