#include "core/constitution/scope.h"

#include <algorithm>
#include <cctype>

namespace lodestone::constitution {
namespace {

bool holds(std::string_view text, std::string_view part)
{
    const auto same = [](char a, char b) {
        return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
    };
    return std::search(text.begin(), text.end(), part.begin(), part.end(), same) != text.end();
}

} // namespace

bool Scope::covers(std::string_view prompt) const
{
    const auto inPrompt = [prompt](const std::string& part) { return holds(prompt, part); };
    return (contains.empty() || std::any_of(contains.begin(), contains.end(), inPrompt))
        && std::none_of(lacks.begin(), lacks.end(), inPrompt);
}

std::string scopedText(const data::ResponseSet& set, int response)
{
    const data::Response& own = set.responses[static_cast<std::size_t>(response)];
    std::string text;
    for (const text::Message& turn : set.prompts[static_cast<std::size_t>(own.prompt)].conversation)
        if (turn.role == "user")
            text += (text.empty() ? "" : "\n") + turn.content;
    return text.empty() ? own.text : text;
}

} // namespace lodestone::constitution
