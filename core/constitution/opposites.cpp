#include "core/constitution/opposites.h"

#include "core/formats/lines.h"

#include <algorithm>
#include <fmt/format.h>
#include <sstream>

namespace lodestone::constitution {
namespace {

constexpr std::size_t longestTable = 1u << 20u; ///< bytes

/// "happily" with the ending "ly" -> "happi", and "happy" where that is how it is written.
std::vector<std::string> stemsOf(const std::string& word, std::string_view ending)
{
    if (word.size() < ending.size() + 3 || !word.ends_with(ending))
        return {};
    const std::string stem = word.substr(0, word.size() - ending.size());
    std::vector<std::string> stems{ stem };
    if (stem.back() == 'i')
        stems.push_back(stem.substr(0, stem.size() - 1) + "y");
    if (ending == "ly") // "gently", "responsibly"
        stems.push_back(stem + "le");
    return stems;
}

} // namespace

Result<Opposites> Opposites::read(const std::filesystem::path& path)
{
    LODESTONE_TRY(const std::string text, formats::readText(path, longestTable));
    return parse(text, path.string());
}

Result<Opposites> Opposites::parse(const std::string& text, const std::string& where)
{
    Opposites table;
    std::istringstream lines(text);
    std::size_t number = 0;
    std::vector<std::pair<std::string, std::size_t>> formLines;
    for (std::string line; std::getline(lines, line);) {
        ++number;
        if (line.empty() || line.front() == '#')
            continue;
        const std::string place = fmt::format("{}, line {}", where, number);
        std::istringstream parts(line);
        std::vector<std::string> words;
        for (std::string word; parts >> word;)
            words.push_back(word);
        if (words.size() == 3 && words[1] == "=") {
            table.m_forms.emplace(words[0], words[2]);
            formLines.emplace_back(words[0], number);
            continue;
        }
        if (words.size() != 2)
            return badInput("two words that are opposites, or FORM = WORD", "'" + line + "'", place);
        if (words[0] == words[1])
            return badInput("two words that differ", "'" + words[0] + "' twice", place);
        if (table.areOpposite(words[0], words[1]))
            return badInput("a pair that stands there once", "'" + line + "' again", place);
        table.m_of[words[0]].push_back(words[1]);
        table.m_of[words[1]].push_back(words[0]);
        ++table.m_pairs;
    }
    for (const auto& [form, at] : formLines)
        if (!table.knows(table.m_forms[form]))
            return badInput(
                "a form of a word that has an opposite", "'" + table.m_forms[form] + "'",
                fmt::format("{}, line {}", where, at));
    return table;
}

const std::vector<std::string>& Opposites::of(const std::string& word) const
{
    static const std::vector<std::string> none;
    const auto found = m_of.find(word);
    return found == m_of.end() ? none : found->second;
}

bool Opposites::areOpposite(const std::string& a, const std::string& b) const
{
    const std::vector<std::string>& list = of(a);
    return std::find(list.begin(), list.end(), b) != list.end();
}

Opposites::Known Opposites::look(const std::string& word) const
{
    if (knows(word))
        return { word, false };
    if (const auto form = m_forms.find(word); form != m_forms.end())
        return { form->second, true };
    for (const auto& [ending, noun] : { std::pair("ly", false), std::pair("ness", true) })
        for (const std::string& stem : stemsOf(word, ending))
            if (knows(stem))
                return { stem, noun };
    return {};
}

} // namespace lodestone::constitution
