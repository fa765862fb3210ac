// The exact texts that every way puts to the model.
#include "core/constitution/ways.h"

#include <array>
#include <fmt/format.h>

namespace lodestone::constitution {
namespace {

constexpr std::array ways{
    WayInfo{ "cloze",
             "After four short neutral suffixes, the log-odds of the positive pole's words against the "
             "negative one's, averaged.",
             Yields::ReadOut, false },
    WayInfo{ "cloze-chat", "The same after \"Describe the last reply in one word.\" alone.", Yields::ReadOut,
             false },
    WayInfo{ "cloze-one-word", "The same after \"In one word, this reply was\" alone.", Yields::ReadOut,
             false },
    WayInfo{ "cloze-overall", "The same after \"Overall, the reply above is\" alone.", Yields::ReadOut,
             false },
    WayInfo{ "cloze-person", "The same after \"The person who wrote this reply is\" alone.", Yields::ReadOut,
             false },
    WayInfo{
        "conditioned-cloze",
        "The model reads the principle's own text after the reply: log-odds of good against bad words." },
    WayInfo{ "yes-no",
             "Is it true that the reply is so? Log-odds of yes for the statement minus those for its "
             "opposite." },
    WayInfo{ "yes-no-statement", "The same for the statement alone." },
    WayInfo{ "implicit-reward",
             "log p(reply | a request for the positive pole) minus that for the negative one." },
    WayInfo{ "lat",
             "First principal component of differences of the states after \"Consider how ... the reply is\" "
             "(Zou et al. 2023), turned towards \"high\".",
             Yields::ReadOut, true, true },
    WayInfo{ "caa",
             "States at the answer letter that stands for the positive pole minus those for the negative one "
             "(Rimsky et al. 2023).",
             Yields::Displacement },
    WayInfo{ "persona-difference",
             "The same replies read under a request for either pole: mean difference of their states.",
             Yields::Displacement },
    WayInfo{
        "persona-vectors",
        "Replies that the model writes under a request for either pole: mean difference of their states.",
        Yields::Displacement },
    WayInfo{ "statement-vectors",
             "Short sentences with a word of either pole: mean difference of their last states.",
             Yields::Displacement },
};

} // namespace

std::span<const WayInfo> allWays() { return ways; }

const WayInfo* findWay(const std::string& name)
{
    for (const WayInfo& way : ways)
        if (name == way.name)
            return &way;
    return nullptr;
}

std::string wayNames()
{
    std::string names;
    for (const WayInfo& way : ways)
        names += (names.empty() ? "" : ", ") + std::string(way.name);
    return names;
}

std::string yieldsName(Yields yields) { return yields == Yields::ReadOut ? "read-out" : "displacement"; }

std::string listed(const std::vector<std::string>& words)
{
    std::string text;
    for (std::size_t i = 0; i < words.size(); ++i)
        text += (i == 0 ? "" : i + 1 == words.size() ? " and " : ", ") + words[i];
    return text;
}

std::string statementOf(const std::vector<std::string>& words, const std::string& noun, int form)
{
    switch (form) {
    case 1:
        return fmt::format("Most people would call this {} {}.", noun, listed(words));
    case 2:
        return fmt::format("Whoever wrote this {} was being {}.", noun, listed(words));
    case 3:
        return fmt::format("What a {} {}!", listed(words), noun);
    default:
        return fmt::format("The {} is {}.", noun, listed(words));
    }
}

std::string requestFor(const std::vector<std::string>& words, int form)
{
    switch (form) {
    case 1:
        return fmt::format("Please answer in a {} way.", listed(words));
    case 2:
        return fmt::format("I want an answer that is {}.", listed(words));
    case 3:
        return fmt::format("Write as somebody who is {} would write.", listed(words));
    default:
        return fmt::format("Your reply must be {}.", listed(words));
    }
}

std::vector<Question>
questionsOf(const std::string& way, const Principle& principle, data::ItemKind kind, int form)
{
    const std::string noun = data::itemKindName(kind);
    const auto yesNo = [&](const std::vector<std::string>& words) {
        return Question{ "yes-no",
                         "Answer:",
                         fmt::format(
                             "Is this statement about the last {} true? \"{}\" Answer yes or no.", noun,
                             statementOf(words, noun, form)),
                         { "yes", "Yes" },
                         { "no", "No" } };
    };
    if (way == "yes-no")
        return { yesNo(principle.positive), yesNo(principle.negative) };
    if (way == "yes-no-statement")
        return { yesNo(principle.positive) };
    if (way == "conditioned-cloze") {
        const char* frame = form == 1 ? "\n\nRule: {} Judged by this rule, in one word, this {} was"
            : form == 2               ? "\n\nSomebody asks: {} By that standard, this {} is"
            : form == 3               ? "\n\nGuideline: {} Measured against the guideline, the {} above is"
                        : "\n\nPrinciple: {} Judged by this principle, in one word, this {} was";
        return { { way,
                   fmt::format(fmt::runtime(frame), principle.text, noun),
                   {},
                   verdictWords().positive,
                   verdictWords().negative } };
    }
    if (way == "implicit-reward")
        return { { way, requestFor(principle.positive, form), {}, {}, {} },
                 { way, requestFor(principle.negative, form), {}, {}, {} } };
    if (way == "lat") {
        const char* frame = form == 1 ? "\n\nThink of how {} the {} above is. Between low and high, this is"
            : form == 2               ? "\n\nOn a scale from low to high, how {} the {} above is comes out as"
            : form == 3               ? "\n\nHow {} is the {} above? Low or high? It is"
                        : "\n\nConsider how {} the {} above is. On a scale from low to high, it is";
        return { { way,
                   fmt::format(fmt::runtime(frame), listed(principle.positive), noun),
                   {},
                   { "high", "great" },
                   { "low", "little" } } };
    }
    // Displacements are known by the requests or words of both poles.
    if (way == "persona-difference" || way == "persona-vectors")
        return { { way,
                   {},
                   {},
                   { requestFor(principle.positive, form) },
                   { requestFor(principle.negative, form) } } };
    if (way == "caa" || way == "statement-vectors")
        return { { way, {}, {}, principle.positive, principle.negative } };
    return {};
}

} // namespace lodestone::constitution
