#include "core/constitution/constitution_edit.h"

#include <algorithm>
#include <cctype>
#include <fmt/format.h>
#include <sstream>

namespace lodestone::constitution {
namespace {

std::vector<std::string> linesOf(const std::string& text)
{
    std::vector<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);)
        lines.push_back(line);
    return lines;
}

/// Without blanks at the ends and without a list mark at the start.
std::string sentenceOf(const std::string& line)
{
    const auto blank = [](char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; };
    std::size_t begin = 0, end = line.size();
    while (begin < end && blank(line[begin]))
        ++begin;
    while (end > begin && blank(line[end - 1]))
        --end;
    std::size_t digits = begin;
    while (digits < end && std::isdigit(static_cast<unsigned char>(line[digits])) != 0)
        ++digits;
    if (digits > begin && digits < end && (line[digits] == '.' || line[digits] == ')'))
        begin = digits + 1;
    else if (begin + 1 < end && (line[begin] == '-' || line[begin] == '*') && blank(line[begin + 1]))
        ++begin;
    while (begin < end && blank(line[begin]))
        ++begin;
    return line.substr(begin, end - begin);
}

std::string nameOf(const std::string& text)
{
    std::size_t end = std::min<std::size_t>(text.size(), 40);
    while (end > 0 && end < text.size() && (static_cast<unsigned char>(text[end]) & 0xc0u) == 0x80u)
        --end;
    return text.substr(0, end);
}

} // namespace

Result<Constitution> constitutionFromSentences(
    const std::vector<std::string>& sentences, const std::string& name, const std::string& where)
{
    Constitution constitution;
    constitution.name = name;
    for (std::size_t i = 0; i < sentences.size(); ++i) {
        const std::string text = sentenceOf(sentences[i]);
        if (text.empty())
            continue;
        Principle principle = neutralPrinciple();
        principle.id = fmt::format("principle-{}", constitution.principles.size() + 1);
        principle.text = text;
        principle.name = nameOf(text);
        principle.way = "conditioned-cloze";
        if (const std::string problem = problemOf(principle); !problem.empty())
            return badInput(
                "a principle that can be judged", problem, fmt::format("{}, sentence {}", where, i + 1));
        constitution.principles.push_back(std::move(principle));
    }
    if (constitution.principles.empty())
        return badInput("at least one sentence", "none", where);
    return constitution;
}

Result<Constitution> importConstitution(const std::filesystem::path& path)
{
    const std::string extension = path.extension().string();
    if (extension == ".txt" || extension == ".md") {
        LODESTONE_TRY(const std::string text, formats::readText(path));
        return constitutionFromSentences(linesOf(text), path.stem().string(), path.string());
    }
    LODESTONE_TRY(const nlohmann::json document, formats::readJson(path));
    if (document.is_string())
        return constitutionFromSentences(
            linesOf(document.get<std::string>()), path.stem().string(), path.string());
    if (document.is_array()) {
        std::vector<std::string> sentences;
        for (const nlohmann::json& entry : document) {
            if (!entry.is_string())
                return badInput("a list of texts", entry.type_name(), path.string());
            sentences.push_back(entry);
        }
        return constitutionFromSentences(sentences, path.stem().string(), path.string());
    }
    return constitutionFromJson(document, path.string());
}

} // namespace lodestone::constitution
