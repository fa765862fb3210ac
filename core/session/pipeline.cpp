#include "core/session/pipeline.h"

#include "core/session/chance_words.h"
#include "core/session/judge_stage.h"
#include "core/session/layer_stage.h"
#include "core/session/layer_sweep.h"
#include "core/session/meter_stage.h"
#include "core/session/ordered_judge.h"
#include "core/session/policy_stage.h"

#include <algorithm>

namespace lodestone::session {
namespace {

constexpr std::size_t cachedLayers = 4, cachedPrinciples = 256;
constexpr int chanceDraws = 40;

std::uint64_t mix(Fingerprint key) { return key.value(); }

} // namespace

Fingerprint Snapshot::fingerprint() const
{
    Fingerprint print = foundation->study->fingerprint();
    print.add(inputs.layer.row()).add(inputs.position).add(inputs.beta).add(inputs.tau).add(inputs.seed);
    constitution::Constitution judged = inputs.constitution;
    for (constitution::Principle& principle : judged.principles)
        principle.notes.clear(); // no figure depends on them
    print.add(constitution::toJson(judged).dump());
    return print;
}

Inputs defaultInputs(const Foundation& foundation, std::optional<Layer> layer)
{
    const data::Study& study = *foundation.study;
    Inputs inputs;
    inputs.seed = study.seed();
    inputs.position = availablePosition(study, data::Position::Mean);
    const bool harm = study.set().positiveLabel == "harmless";
    inputs.constitution = constitution::constitutionForValues(
        harm                         ? std::vector<std::string>{ "harmless" }
            : study.set().labelled() ? std::vector<std::string>{}
                                     : study.set().values());
    if (study.set().labelled())
        for (constitution::Principle& principle : inputs.constitution.principles)
            principle.value.clear();
    const std::vector<Layer> layers = study.layers();
    inputs.layer = layer ? *layer : layers.empty() ? Layer() : layers[layers.size() * 2 / 3];
    if (!layer) { // prefer a layer at which every response was captured
        std::size_t most = 0;
        for (const Layer candidate : layers)
            most = std::max(most, study.rowsAt(candidate, inputs.position));
        for (const Layer candidate : layers)
            if (study.rowsAt(candidate, inputs.position) == most && candidate <= inputs.layer
                && !candidate.isEmbedding() && candidate.row() * 2 > static_cast<int>(layers.size()))
                layer = candidate;
        inputs.layer = layer.value_or(inputs.layer);
    }
    return inputs;
}

Result<std::shared_ptr<const Snapshot>>
Pipeline::recompute(const Inputs& inputs, const std::shared_ptr<const Snapshot>& previous, const Work& work)
{
    auto next = std::make_shared<Snapshot>();
    next->inputs = inputs;
    next->foundation = m_foundation;
    Fingerprint layerKey = m_foundation->study->fingerprint();
    layerKey.add(inputs.layer.row()).add(inputs.position).add(inputs.seed);
    for (const bool training : m_foundation->training)
        layerKey.add(training);
    const auto cached = std::find_if(
        m_layers.begin(), m_layers.end(), [&](const auto& layer) { return layer->key == layerKey; });
    if (cached != m_layers.end()) {
        next->layer = *cached;
        m_layers.erase(cached);
    } else {
        LODESTONE_TRY(next->layer, makeLayerStage(*m_foundation, inputs, layerKey, work));
        ++m_counts.layer;
        if (m_layers.size() >= cachedLayers)
            m_layers.erase(m_layers.begin());
    }
    m_layers.push_back(next->layer);

    const bool withSpread = hasPriorities(inputs.constitution);
    Fingerprint judgeKey = layerKey;
    judgeKey.add(inputs.constitution.mapping).add(inputs.tau);
    for (const constitution::Principle& principle : inputs.constitution.principles) {
        if (work.cancelled())
            return cancelled();
        Fingerprint key = layerKey;
        key.add(principle.way);
        if (principle.way != "cloze" && principle.way != "conditioned-cloze")
            key.add(principle.text)
                .add(constitution::isAnswered(
                    principle.way, std::span(&principle, 1), m_foundation->wayContext()));
        if (principle.way == "conditioned-cloze") {
            const auto asked = m_foundation->conditioned.find(principle.text);
            key.add(principle.text)
                .add(
                    asked == m_foundation->conditioned.end()
                        ? 0
                        : static_cast<int>(asked->second.scores.array().isFinite().count()));
        }
        key.add(constitution::joinWords(principle.positive))
            .add(constitution::joinWords(principle.negative))
            .add(principle.value);
        for (const constitution::Mark& mark : principle.marks)
            key.add(mark.follows).add(mark.breaks);
        key.add(m_foundation->cloze ? m_foundation->cloze->knowledgeOf(principle) : 0);
        if (withSpread)
            key.add(std::string_view("spread"));
        std::shared_ptr<const PrincipleStage>& stage = m_principles[mix(key)];
        if (!stage) {
            stage = makePrincipleStage(*m_foundation, *next->layer, principle, key, inputs.seed, withSpread);
            ++m_counts.principles;
        }
        next->principles.push_back(stage);
        judgeKey.add(key).add(principle.on).add(principle.priority);
        for (const auto* phrases : { &principle.scope.contains, &principle.scope.lacks }) {
            judgeKey.add(phrases->size());
            for (const std::string& phrase : *phrases)
                judgeKey.add(phrase);
        }
        if (inputs.constitution.mapping == constitution::Mapping::Weighted)
            judgeKey.add(principle.weight);
    }
    if (m_principles.size() > cachedPrinciples)
        m_principles.clear();

    next->chanceWords.resize(next->principles.size());
    for (std::size_t i = 0; previous && i < next->principles.size(); ++i)
        for (std::size_t j = 0; j < previous->chanceWords.size(); ++j)
            if (previous->principles[j] == next->principles[i])
                next->chanceWords[i] = previous->chanceWords[j];

    const bool sameJudge = previous && previous->judge && previous->judge->key == judgeKey;
    if (sameJudge) {
        next->judge = previous->judge;
        next->flipped = previous->flipped;
    } else {
        next->judge = makeJudgeStage(*next, judgeKey);
        ++m_counts.judge;
        if (previous && previous->judge && previous->foundation->study == m_foundation->study)
            next->flipped = judgment::flippedPairs(previous->judge->pairs, next->judge->pairs);
    }
    if (sameJudge && previous->meters)
        next->meters = previous->meters;
    else {
        next->meters = makeMeterStage(*next, judgeKey);
        ++m_counts.meters;
    }
    Fingerprint policyKey = judgeKey;
    policyKey.add(inputs.beta);
    if (previous && previous->policy && previous->policy->key == policyKey)
        next->policy = previous->policy;
    else {
        next->policy = makePolicyStage(*next, policyKey);
        ++m_counts.policy;
    }
    return std::shared_ptr<const Snapshot>(std::move(next));
}

Result<std::shared_ptr<const Snapshot>>
Pipeline::refine(const std::shared_ptr<const Snapshot>& snapshot, const Work& work) const
{
    LODESTONE_TRY(const auto refined, refineMeters(snapshot, work));
    auto result = std::make_shared<Snapshot>(*refined);
    const auto& principles = result->inputs.constitution.principles;
    for (std::size_t i = 0; i < result->chanceWords.size(); ++i) {
        if (result->chanceWords[i] || principles[i].way != "cloze"
            || !result->principles[i]->direction.found())
            continue;
        result->chanceWords[i] = std::make_shared<const std::vector<double>>(agreementsByChance(
            *result->foundation, *result->layer, principles[i], chanceDraws, result->inputs.seed, work));
        if (work.cancelled())
            return cancelled();
    }
    return std::shared_ptr<const Snapshot>(std::move(result));
}

} // namespace lodestone::session
