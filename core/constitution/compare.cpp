#include "core/constitution/compare.h"

#include <algorithm>
#include <fmt/format.h>

namespace lodestone::constitution {
namespace {

std::string scopeInWords(const Scope& scope)
{
    if (scope.everywhere())
        return "every prompt";
    std::string text;
    if (!scope.contains.empty())
        text = "prompts with " + joinWords(scope.contains);
    if (!scope.lacks.empty())
        text += (text.empty() ? "prompts without " : ", without ") + joinWords(scope.lacks);
    return text;
}

std::string marksInWords(const std::vector<Mark>& marks)
{
    std::string text;
    for (const Mark& mark : marks)
        text += (text.empty() ? "" : ", ") + mark.follows + " rather than " + mark.breaks;
    return text;
}

std::string signOf(double weight) { return weight > 0 ? "+" : weight < 0 ? "-" : "0"; }

/// For every principle of `first` the index of its match in `second`, -1 where it has none.
std::vector<int> matches(const std::vector<Principle>& first, const std::vector<Principle>& second)
{
    std::vector<int> matchOf(first.size(), -1);
    std::vector<bool> taken(second.size(), false);
    const auto pass = [&](const auto& keyOf) {
        for (std::size_t i = 0; i < first.size(); ++i)
            for (std::size_t j = 0; j < second.size() && matchOf[i] < 0; ++j)
                if (!taken[j] && !keyOf(first[i]).empty() && keyOf(first[i]) == keyOf(second[j])) {
                    matchOf[i] = static_cast<int>(j);
                    taken[j] = true;
                }
    };
    pass([](const Principle& p) -> const std::string& { return p.id; });
    pass([](const Principle& p) -> const std::string& { return p.name; });
    pass([](const Principle& p) -> const std::string& { return p.text; });
    return matchOf;
}

bool isIn(const std::vector<std::string>& list, const std::string& id)
{
    return std::find(list.begin(), list.end(), id) != list.end();
}

} // namespace

std::vector<FieldDifference> fieldsThatDiffer(const Principle& a, const Principle& b)
{
    std::vector<FieldDifference> fields;
    const auto check = [&](const char* field, const std::string& first, const std::string& second) {
        if (first != second)
            fields.push_back({ field, first, second });
    };
    check("id", a.id, b.id);
    check("name", a.name, b.name);
    check("text", a.text, b.text);
    check("positive", joinWords(a.positive), joinWords(b.positive));
    check("negative", joinWords(a.negative), joinWords(b.negative));
    check("weight", fmt::format("{}", a.weight), fmt::format("{}", b.weight));
    check("sign", signOf(a.weight), signOf(b.weight));
    check("on", a.on ? "on" : "off", b.on ? "on" : "off");
    check("value", a.value, b.value);
    check("way", a.way, b.way);
    check("scope", scopeInWords(a.scope), scopeInWords(b.scope));
    check("priority", fmt::format("{}", a.priority), fmt::format("{}", b.priority));
    check("examples", marksInWords(a.marks), marksInWords(b.marks));
    check("notes", a.notes, b.notes);
    return fields;
}

ConstitutionDiff diff(const Constitution& first, const Constitution& second)
{
    ConstitutionDiff result;
    result.mappingChanged = first.mapping != second.mapping;
    const std::vector<int> matchOf = matches(first.principles, second.principles);
    for (std::size_t i = 0; i < first.principles.size(); ++i) {
        const Principle& principle = first.principles[i];
        if (matchOf[i] < 0) {
            result.removed.push_back(principle);
            continue;
        }
        const Principle& other = second.principles[static_cast<std::size_t>(matchOf[i])];
        if (auto fields = fieldsThatDiffer(principle, other); !fields.empty())
            result.changed.push_back({ principle, other, std::move(fields) });
    }
    for (std::size_t j = 0; j < second.principles.size(); ++j)
        if (std::find(matchOf.begin(), matchOf.end(), static_cast<int>(j)) == matchOf.end())
            result.added.push_back(second.principles[j]);
    return result;
}

MergeChoice everything(const ConstitutionDiff& difference)
{
    MergeChoice choice;
    for (const Principle& principle : difference.added)
        choice.take.push_back(principle.id);
    for (const ConstitutionDiff::Change& change : difference.changed)
        choice.take.push_back(change.second.id);
    for (const Principle& principle : difference.removed)
        choice.drop.push_back(principle.id);
    choice.mapping = difference.mappingChanged;
    return choice;
}

Result<Constitution> merge(const Constitution& first, const Constitution& second, const MergeChoice& choice)
{
    const auto missing = [](const std::vector<std::string>& ids, const Constitution& among) {
        for (const std::string& id : ids)
            if (std::none_of(among.principles.begin(), among.principles.end(), [&](const Principle& p) {
                    return p.id == id;
                }))
                return id;
        return std::string();
    };
    if (const std::string id = missing(choice.take, second); !id.empty())
        return badInput("an id of a principle to take over", "'" + id + "'", second.name);
    if (const std::string id = missing(choice.drop, first); !id.empty())
        return badInput("an id of a principle to leave out", "'" + id + "'", first.name);
    const ConstitutionDiff difference = diff(first, second);
    Constitution result = first;
    if (choice.mapping)
        result.mapping = second.mapping;
    std::erase_if(result.principles, [&](const Principle& p) { return isIn(choice.drop, p.id); });
    for (const ConstitutionDiff::Change& change : difference.changed)
        if (isIn(choice.take, change.second.id))
            for (Principle& principle : result.principles)
                if (principle.id == change.first.id) {
                    principle = change.second;
                    break;
                }
    for (const Principle& principle : difference.added)
        if (isIn(choice.take, principle.id))
            result.principles.push_back(principle);
    return result;
}

} // namespace lodestone::constitution
