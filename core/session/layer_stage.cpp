#include "core/session/layer_stage.h"

#include "core/session/directions.h"

#include <algorithm>

namespace lodestone::session {
namespace {

/// Candidates of held-out prompts at a layer: the model's own samples where there are some, else the labelled
/// pairs.
policy::Pool makePool(const Foundation& foundation, std::size_t rows, bool& fromPairs)
{
    const data::ResponseSet& set = foundation.study->set();
    std::vector<bool> inPair(set.responses.size(), false);
    for (const data::Pair& pair : set.pairs)
        inPair[static_cast<std::size_t>(pair.chosen)] = inPair[static_cast<std::size_t>(pair.rejected)]
            = true;
    const auto gather = [&](bool pairRows) {
        std::map<int, policy::Pool::Prompt> prompts;
        for (std::size_t i = 0; i < std::min(rows, set.responses.size()); ++i)
            if (inPair[i] == pairRows && !foundation.training[i]) {
                auto& prompt
                    = prompts[pairRows && set.labelled() ? foundation.groups[i] : set.responses[i].prompt];
                prompt.group = foundation.groups[i];
                prompt.rows.push_back(static_cast<int>(i));
            }
        policy::Pool pool;
        for (auto& [id, prompt] : prompts)
            if (prompt.rows.size() >= 2)
                pool.prompts.push_back(std::move(prompt));
        return pool;
    };
    policy::Pool pool = gather(false);
    fromPairs = pool.prompts.empty();
    return fromPairs ? gather(true) : pool;
}

} // namespace

Result<std::shared_ptr<const LayerStage>>
makeLayerStage(const Foundation& foundation, const Inputs& inputs, Fingerprint key, const Work& work)
{
    const data::Study& study = *foundation.study;
    auto stage = std::make_shared<LayerStage>();
    stage->key = key;
    stage->layer = inputs.layer;
    stage->position = inputs.position;
    work.tell({ "Preparing " + inputs.layer.label(), 0, 4, 0, "steps", -1 });
    LODESTONE_TRY(stage->rows, study.activations(inputs.layer, inputs.position));
    const auto count = static_cast<std::size_t>(stage->rows.rows());
    std::vector<int> groups;
    for (std::size_t i = 0; i < count; ++i)
        if (foundation.training[i]) {
            stage->trainingRows.push_back(static_cast<int>(i));
            groups.push_back(foundation.groups[i]);
        }
    stage->examples = constitution::examplesOf(study.set(), foundation.training, count);
    LODESTONE_TRY(stage->standardiser, geometry::Standardiser::fit(stage->rows, stage->trainingRows));
    const geometry::Rows training = geometry::gather(stage->rows, stage->trainingRows);
    auto sigma = geometry::Covariance::withinGroups(training, groups, &stage->standardiser);
    if (!sigma) {
        stage->sigmaWithinPrompts = false;
        sigma = geometry::Covariance::fromRows(training, &stage->standardiser);
    }
    if (!sigma)
        return tl::unexpected(sigma.error());
    stage->sigma = std::move(*sigma);
    if (work.cancelled())
        return cancelled();
    work.tell({ "Preparing " + inputs.layer.label(), 1, 4, 0, "steps", -1 });
    std::vector<geometry::ScoredRow> scored;
    for (std::size_t i = 0; i < stage->trainingRows.size(); ++i)
        scored.push_back({ stage->trainingRows[i], static_cast<double>(i % 2), groups[i] });
    LODESTONE_TRY(auto design, geometry::Design::fromScores(stage->rows, scored, stage->standardiser));
    LODESTONE_TRY(
        stage->factor,
        geometry::RidgeFactor::make(std::make_shared<const geometry::Design>(std::move(design))));
    if (work.cancelled())
        return cancelled();
    work.tell({ "Preparing " + inputs.layer.label(), 2, 4, 0, "steps", -1 });
    if (stage->examples.training.size() > 0) {
        LODESTONE_TRY(const auto labels, geometry::designOf(stage->rows, stage->examples.training));
        if (auto fit = geometry::fitDirection(geometry::Method::Ridge, labels))
            if (auto direction = finishDirection(*stage, std::move(fit->readOut), inputs.seed)) {
                stage->people = std::move(*direction);
                stage->people.relativeStrength = fit->relativeStrength;
            }
    }
    if (!foundation.likelihoods.empty()) {
        const Eigen::VectorXd proxy = foundation.generationScores();
        if (auto direction = directionFromScores(foundation, *stage, proxy, inputs.seed))
            stage->generation = std::move(*direction);
        if (auto score
            = geometry::scoreRowScores({ proxy.data(), count }, stage->examples.heldOut, 1000, inputs.seed))
            stage->generationAccuracy = score->accuracy;
    }
    if (foundation.cloze)
        if (auto judged = foundation.cloze->judge(constitution::neutralPrinciple()))
            if (auto direction = directionFromScores(foundation, *stage, judged->scores, inputs.seed))
                stage->neutral = std::move(*direction);
    stage->pool = makePool(foundation, count, stage->poolFromPairs);
    return std::shared_ptr<const LayerStage>(std::move(stage));
}

} // namespace lodestone::session
