#include "core/constitution/constitution.h"

#include "core/base/files.h"
#include "core/constitution/constitution_edit.h"
#include "core/constitution/ways.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <fmt/format.h>
#include <set>
#include <sstream>

namespace lodestone::constitution {
namespace {

using nlohmann::json;

Result<std::string> textOf(const json& object, const char* key, const std::string& where, bool required)
{
    const auto found = object.find(key);
    if (found == object.end())
        return required ? Result<std::string>(badInput("a text", "nothing", where + ", key '" + key + "'"))
                        : Result<std::string>("");
    if (!found->is_string())
        return badInput("a text", found->type_name(), where + ", key '" + key + "'");
    return found->get<std::string>();
}

/// The first 40 bytes at most, ending where a UTF-8 character ends: a torn one could not be written as JSON
/// again.
std::string beginningOf(const std::string& text)
{
    std::size_t end = std::min<std::size_t>(text.size(), 40);
    while (end > 0 && end < text.size() && (static_cast<unsigned char>(text[end]) & 0xc0u) == 0x80u)
        --end;
    return text.substr(0, end);
}

/// Texts of a scope: a text or a list of texts, taken as they are.
Result<std::vector<std::string>> phrasesOf(const json& object, const char* key, const std::string& where)
{
    std::vector<std::string> phrases;
    const auto found = object.find(key);
    if (found == object.end())
        return phrases;
    const json list = found->is_array() ? *found : json::array({ *found });
    for (const json& phrase : list) {
        if (!phrase.is_string()
            || phrase.get<std::string>().find_first_not_of(" \t\r\n") == std::string::npos)
            return badInput(
                "a text, or a list of texts", phrase.is_string() ? "an empty one" : phrase.type_name(),
                where + ", key '" + key + "'");
        phrases.push_back(phrase);
    }
    return phrases;
}

Result<Scope> scopeOf(const json& entry, const std::string& place)
{
    Scope scope;
    const auto found = entry.find("scope");
    if (found == entry.end())
        return scope;
    const std::string where = place + ", key 'scope'";
    if (!found->is_object())
        return badInput("an object with 'contains' or 'lacks'", found->type_name(), where);
    for (const auto& [key, value] : found->items())
        if (key != "contains" && key != "lacks")
            return badInput("'contains' or 'lacks'", "'" + key + "'", where);
    LODESTONE_TRY(scope.contains, phrasesOf(*found, "contains", where));
    LODESTONE_TRY(scope.lacks, phrasesOf(*found, "lacks", where));
    return scope;
}

Result<std::vector<Mark>> marksOf(const json& entry, const std::string& place)
{
    std::vector<Mark> marks;
    const auto found = entry.find("examples");
    if (found == entry.end())
        return marks;
    if (!found->is_array())
        return badInput("a list of examples", found->type_name(), place + ", key 'examples'");
    for (std::size_t i = 0; i < found->size(); ++i) {
        const std::string where = fmt::format("{}, example {}", place, i + 1);
        if (!(*found)[i].is_object())
            return badInput("an object with 'follows' and 'breaks'", (*found)[i].type_name(), where);
        Mark mark;
        LODESTONE_TRY(mark.follows, textOf((*found)[i], "follows", where, true));
        LODESTONE_TRY(mark.breaks, textOf((*found)[i], "breaks", where, true));
        if (mark.follows == mark.breaks)
            return badInput("two replies", "'" + mark.follows + "' twice", where);
        marks.push_back(std::move(mark));
    }
    return marks;
}

/// Poles are a text or a list of texts.
Result<std::vector<std::string>> polesOf(const json& object, const char* key, const std::string& where)
{
    const auto found = object.find(key);
    if (found != object.end() && found->is_array()) {
        std::vector<std::string> words;
        for (const json& word : *found) {
            if (!word.is_string())
                return badInput("a list of words", word.type_name(), where + ", key '" + key + "'");
            for (std::string& each : wordsOf(word))
                words.push_back(std::move(each));
        }
        return words;
    }
    LODESTONE_TRY(const std::string text, textOf(object, key, where, true));
    return wordsOf(text);
}

} // namespace

std::string mappingName(Mapping mapping) { return mapping == Mapping::Weighted ? "weighted" : "projection"; }

Result<Mapping> parseMapping(const std::string& name)
{
    if (name == "weighted")
        return Mapping::Weighted;
    if (name == "projection")
        return Mapping::Projection;
    return badInput("weighted or projection", "'" + name + "'", "mapping");
}

std::vector<std::string> wordsOf(const std::string& text)
{
    std::vector<std::string> words;
    std::string current;
    const auto flush = [&] {
        std::istringstream parts(current);
        std::string joined;
        for (std::string part; parts >> part;) {
            if ((part == "and" || part == "or") && !joined.empty()) {
                words.push_back(std::exchange(joined, {}));
                continue;
            }
            if (part != "and" && part != "or")
                joined += (joined.empty() ? "" : " ") + part;
        }
        if (!joined.empty())
            words.push_back(joined);
        current.clear();
    };
    for (const char c : text) {
        if (c == ',' || c == ';' || c == '/')
            flush();
        else
            current += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
    flush();
    std::vector<std::string> unique;
    for (std::string& word : words)
        if (std::find(unique.begin(), unique.end(), word) == unique.end())
            unique.push_back(std::move(word));
    return unique;
}

std::string joinWords(const std::vector<std::string>& words)
{
    return fmt::format("{}", fmt::join(words, ", "));
}

Result<Constitution> constitutionFromJson(const json& document, const std::string& where)
{
    if (!document.is_object())
        return badInput("an object", document.type_name(), where);
    if (document.value("format", json()) != "lodestone-constitution")
        return badInput(
            "\"format\": \"lodestone-constitution\"",
            document.contains("format") ? document["format"].dump() : "none", where);
    if (document.value("version", json()) != 1 && document.value("version", json()) != 2)
        return badInput(
            "constitution format version 1 or 2",
            document.contains("version") ? document["version"].dump() : "none", where);
    Constitution constitution;
    LODESTONE_TRY(constitution.name, textOf(document, "name", where, false));
    if (document.contains("mapping")) {
        LODESTONE_TRY(const std::string mapping, textOf(document, "mapping", where, true));
        LODESTONE_TRY(constitution.mapping, parseMapping(mapping));
    }
    if (!document.contains("principles") || !document["principles"].is_array())
        return badInput("a list of principles", "none", where + ", key 'principles'");
    std::set<std::string> ids;
    for (std::size_t i = 0; i < document["principles"].size(); ++i) {
        const json& entry = document["principles"][i];
        const std::string place = fmt::format("{}, principle {}", where, i + 1);
        if (!entry.is_object())
            return badInput("an object", entry.type_name(), place);
        Principle principle;
        LODESTONE_TRY(principle.id, textOf(entry, "id", place, false));
        LODESTONE_TRY(principle.text, textOf(entry, "text", place, false));
        LODESTONE_TRY(principle.name, textOf(entry, "name", place, false));
        LODESTONE_TRY(principle.value, textOf(entry, "value", place, false));
        LODESTONE_TRY(principle.notes, textOf(entry, "notes", place, false));
        LODESTONE_TRY(principle.positive, polesOf(entry, "positive", place));
        LODESTONE_TRY(principle.negative, polesOf(entry, "negative", place));
        if (principle.name.empty())
            principle.name
                = principle.text.empty() ? joinWords(principle.positive) : beginningOf(principle.text);
        if (principle.id.empty())
            principle.id = fmt::format("principle-{}", i + 1);
        if (!ids.insert(principle.id).second)
            return badInput("ids that differ", "'" + principle.id + "' twice", place);
        if (entry.contains("weight")) {
            if (!entry["weight"].is_number() || !std::isfinite(entry["weight"].get<double>())
                || std::abs(entry["weight"].get<double>()) > 2)
                return badInput("a weight from -2 to 2", entry["weight"].dump(), place + ", key 'weight'");
            principle.weight = entry["weight"];
        }
        if (entry.contains("on")) {
            if (!entry["on"].is_boolean())
                return badInput("true or false", entry["on"].dump(), place + ", key 'on'");
            principle.on = entry["on"];
        }
        if (entry.contains("way")) {
            LODESTONE_TRY(principle.way, textOf(entry, "way", place, true));
            if (!findWay(principle.way))
                return badInput(
                    "a way among " + wayNames(), "'" + principle.way + "'", place + ", key 'way'");
        }
        LODESTONE_TRY(principle.scope, scopeOf(entry, place));
        if (entry.contains("priority")) {
            const json& priority = entry["priority"];
            if (!priority.is_number_integer() || priority < 1 || priority > 9)
                return badInput("a whole number from 1 to 9", priority.dump(), place + ", key 'priority'");
            principle.priority = priority;
        }
        LODESTONE_TRY(principle.marks, marksOf(entry, place));
        if (const std::string problem = problemOf(principle); !problem.empty())
            return badInput("two poles that can be told apart", problem, place);
        constitution.principles.push_back(std::move(principle));
    }
    return constitution;
}

nlohmann::ordered_json toJson(const Constitution& constitution)
{
    nlohmann::ordered_json principles = nlohmann::ordered_json::array();
    int version = 1;
    for (const Principle& principle : constitution.principles) {
        principles.push_back({ { "id", principle.id },
                               { "name", principle.name },
                               { "text", principle.text },
                               { "positive", joinWords(principle.positive) },
                               { "negative", joinWords(principle.negative) },
                               { "weight", principle.weight },
                               { "on", principle.on } });
        if (!principle.value.empty())
            principles.back()["value"] = principle.value;
        if (principle.way != "cloze")
            principles.back()["way"] = principle.way;
        if (!principle.scope.everywhere()) {
            nlohmann::ordered_json& scope = principles.back()["scope"] = nlohmann::ordered_json::object();
            if (!principle.scope.contains.empty())
                scope["contains"] = principle.scope.contains;
            if (!principle.scope.lacks.empty())
                scope["lacks"] = principle.scope.lacks;
        }
        if (principle.priority != 1)
            principles.back()["priority"] = principle.priority;
        for (const Mark& mark : principle.marks)
            principles.back()["examples"].push_back(
                { { "follows", mark.follows }, { "breaks", mark.breaks } });
        if (!principle.notes.empty())
            principles.back()["notes"] = principle.notes;
        if (!principle.scope.everywhere() || principle.priority != 1 || !principle.marks.empty())
            version = 2;
    }
    return { { "format", "lodestone-constitution" },
             { "version", version },
             { "name", constitution.name },
             { "mapping", mappingName(constitution.mapping) },
             { "principles", principles } };
}

Result<Constitution> readConstitution(const std::filesystem::path& path) { return importConstitution(path); }

Result<void> writeConstitution(const std::filesystem::path& path, const Constitution& constitution)
{
    return writeFileAtomically(path, toJson(constitution).dump(2) + "\n");
}

std::string problemOf(const Principle& principle)
{
    if (principle.positive.empty() || principle.negative.empty())
        return principle.positive.empty() ? "no word for the positive pole" : "no word for the negative pole";
    for (const std::string& word : principle.positive)
        if (std::find(principle.negative.begin(), principle.negative.end(), word) != principle.negative.end())
            return fmt::format("'{}' stands in both poles", word);
    for (const auto* pole : { &principle.positive, &principle.negative })
        for (const std::string& word : *pole)
            if (word.size() > 60)
                return fmt::format("'{}...' is too long for a word", word.substr(0, 30));
    if (principle.text.size() > longestText)
        return fmt::format(
            "a text of {} bytes, too long to be read after every reply: shorten it to about 700 words, or "
            "split it into several principles",
            principle.text.size());
    return {};
}

Constitution constitutionForValues(const std::vector<std::string>& values)
{
    Constitution result;
    result.name = "One principle per value";
    for (const std::string& value : values) {
        Principle principle;
        principle.id = principle.value = value;
        if (value == "kind")
            principle = { value,
                          "Be kind",
                          "Be kind: treat the person with care and respect.",
                          { "kind", "polite", "caring" },
                          { "rude", "cruel", "hurtful" },
                          1,
                          true,
                          value,
                          "cloze" };
        else if (value == "honest")
            principle = { value,
                          "Be honest",
                          "Be honest: say what is true and admit what is not known.",
                          { "honest", "truthful", "sincere" },
                          { "dishonest", "false", "misleading" },
                          1,
                          true,
                          value,
                          "cloze" };
        else if (value == "harmless")
            principle = { value,
                          "Never help with harm",
                          "Never help with harm: keep people safe.",
                          { "harmless", "safe", "ethical" },
                          { "harmful", "dangerous", "unethical" },
                          1,
                          true,
                          value,
                          "cloze" };
        else if (value == "helpful")
            principle = { value,
                          "Be helpful",
                          "Be helpful: answer the question that was asked.",
                          { "helpful", "useful", "relevant" },
                          { "useless", "irrelevant", "vague" },
                          1,
                          true,
                          value,
                          "cloze" };
        else {
            principle = neutralPrinciple();
            principle.id = value;
            principle.value = value;
            principle.name = value;
        }
        result.principles.push_back(std::move(principle));
    }
    if (result.principles.empty())
        result.principles.push_back(neutralPrinciple());
    return result;
}

Principle neutralPrinciple()
{
    return { "neutral",
             "Good or bad",
             "The reply is good.",
             { "good", "great", "excellent" },
             { "bad", "poor", "terrible" },
             1,
             true,
             {},
             "cloze" };
}

} // namespace lodestone::constitution
