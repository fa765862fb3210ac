#include "core/session/study_quantities.h"

namespace lodestone::session {
namespace {

/// Statements whose quantities no single open study has, and what measures them instead.
struct Elsewhere {
    std::string_view id, where;
};
constexpr Elsewhere elsewhere[] = {
    { "T12", "Layers, By rank, draws its curve with this study's accuracies by rank." },
    { "T13", "It compares two models: simulate --labeler with a second study of the same replies." },
    { "T29", "It takes a judge that is asked in both orders: judge --prompted." },
    { "T30", "It takes several wordings of one principle: Ways sets the paraphrases side by side." },
    { "T39", "It takes mechanisms with known activities: Policy lab, Mechanisms." },
    { "T40", "It takes mechanisms with known activities: Policy lab, Mechanisms." },
    { "T41", "It takes mechanisms with known activities: Policy lab, Mechanisms." },
    { "T42", "It takes activations that are pushed: Speak steers along Sigma w_c and shows the effect." },
    { "T43", "It takes activations that are ablated: generate --ablate." },
    { "T44", "It compares two probes: directions sets mass-mean and LDA side by side on held-out pairs." },
    { "T47", "It takes a feature that varies within and between pairs, which replies do not declare." },
    { "T49", "It takes replies rewritten without a feature, which a study does not have." },
    { "T50", "It takes a judge that bends: Policy lab, Pipelines, sets canonical and direct side by side." },
    { "T51", "It takes weights that are pruned (ActSVD), which leaves another model to capture." },
};

const StudyEntry* entryOf(std::string_view statement)
{
    for (const auto entries :
         { studyEntriesOfTheCore(), studyEntriesOfConstitutions(), studyEntriesOfLabels() })
        for (const StudyEntry& entry : entries)
            if (entry.id == statement)
                return &entry;
    return nullptr;
}

} // namespace

bool hasStudyValues(std::string_view statement) { return entryOf(statement) != nullptr; }

std::string noStudyValues(std::string_view statement)
{
    for (const Elsewhere& entry : elsewhere)
        if (entry.id == statement)
            return fmt::format("{}: {}", entry.id, entry.where);
    return std::string(statement);
}

Result<StudyValues> studyValues(const Snapshot& snapshot, std::string_view id)
{
    const theory::Statement* statement = theory::findStatement(id);
    const StudyEntry* entry = statement ? entryOf(statement->id) : nullptr;
    if (!entry)
        return badInput("a statement that one study can answer", noStudyValues(id), "theory");
    if (!snapshot.layer->people.found())
        return badInput("people's labels, for the true value", "too few", statement->id + " on this study");
    if (!snapshot.judge || !(snapshot.judge->norm > 0))
        return badInput(
            "a constitution with a direction in this model", "none", statement->id + " on this study");
    if (snapshot.layer->pool.prompts.empty())
        return badInput(
            "held-out prompts with at least two candidates", "none", statement->id + " on this study");
    LODESTONE_TRY(StudyValues values, entry->build(Here(snapshot)));
    for (theory::Quantity& input : values.inputs) {
        const theory::Input* range = statement->input(input.name);
        const double inside = std::clamp(input.value, range->low, range->high);
        if (std::abs(inside - input.value) > 1e-9 * (1 + std::abs(input.value))) {
            values.says += fmt::format(
                "{}{} is {:.3g} here, outside {:g} to {:g}.", values.says.empty() ? "" : " ", input.name,
                input.value, range->low, range->high);
        }
        input.value = inside;
    }
    return values;
}

} // namespace lodestone::session
