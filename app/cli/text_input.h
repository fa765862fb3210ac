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
    std::string formFile;

    /// Adds `textOption` (null: none) and --chat, which exclude each other, and --chat-form.
    void addTo(CLI::App& app, const char* textOption);
    /// The text as the model reads it; a conversation through the template, or the form of --chat-form, with
    /// the generation prompt. `notice` is what to tell the user: that the model's own template is not known.
    Result<std::string> render(const text::ChatTemplate& chatTemplate, std::string& notice) const;
};

} // namespace lodestone::app
