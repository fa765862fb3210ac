#include "core/session/pipeline.h"

#include "core/geometry/encoding.h"
#include "core/geometry/noise_ceiling.h"
#include "core/session/directions.h"
#include "core/session/layer_sweep.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace lodestone::session {
namespace {

constexpr std::size_t cachedLayers = 4, cachedPrinciples = 256;

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

std::uint64_t mix(Fingerprint key) { return key.value(); }

} // namespace

Fingerprint Snapshot::fingerprint() const
{
    Fingerprint print = foundation->study->fingerprint();
    print.add(inputs.layer.row()).add(inputs.position).add(inputs.beta).add(inputs.tau).add(inputs.seed);
    print.add(constitution::toJson(inputs.constitution).dump());
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
        LODESTONE_TRY(next->layer, makeLayer(inputs, layerKey, work));
        if (m_layers.size() >= cachedLayers)
            m_layers.erase(m_layers.begin());
    }
    m_layers.push_back(next->layer);

    Fingerprint judgeKey = layerKey;
    judgeKey.add(inputs.constitution.mapping).add(inputs.tau);
    for (const constitution::Principle& principle : inputs.constitution.principles) {
        if (work.cancelled())
            return cancelled();
        Fingerprint key = layerKey;
        key.add(principle.way);
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
        for (const auto* pole : { &principle.positive, &principle.negative })
            for (const std::string& word : *pole)
                key.add(m_foundation->cloze && m_foundation->cloze->knows(word));
        std::shared_ptr<const PrincipleStage>& stage = m_principles[mix(key)];
        if (!stage) {
            stage = makePrinciple(*next->layer, principle, key, inputs.seed);
            ++m_counts.principles;
        }
        next->principles.push_back(stage);
        judgeKey.add(key).add(principle.on);
        if (inputs.constitution.mapping == constitution::Mapping::Weighted)
            judgeKey.add(principle.weight);
    }
    if (m_principles.size() > cachedPrinciples)
        m_principles.clear();

    const bool sameJudge = previous && previous->judge && previous->judge->key == judgeKey;
    if (sameJudge) {
        next->judge = previous->judge;
        next->flipped = previous->flipped;
    } else {
        next->judge = makeJudge(*next, judgeKey);
        ++m_counts.judge;
        if (previous && previous->judge && previous->foundation->study == m_foundation->study)
            next->flipped = judgment::flippedPairs(previous->judge->pairs, next->judge->pairs);
    }
    if (sameJudge && previous->meters)
        next->meters = previous->meters;
    else {
        next->meters = makeMeters(*next, judgeKey);
        ++m_counts.meters;
    }
    Fingerprint policyKey = judgeKey;
    policyKey.add(inputs.beta);
    if (previous && previous->policy && previous->policy->key == policyKey)
        next->policy = previous->policy;
    else {
        next->policy = makePolicy(*next, policyKey);
        ++m_counts.policy;
    }
    return std::shared_ptr<const Snapshot>(std::move(next));
}

Result<std::shared_ptr<const LayerStage>>
Pipeline::makeLayer(const Inputs& inputs, Fingerprint key, const Work& work)
{
    ++m_counts.layer;
    const data::Study& study = *m_foundation->study;
    auto stage = std::make_shared<LayerStage>();
    stage->key = key;
    stage->layer = inputs.layer;
    stage->position = inputs.position;
    work.tell({ "Preparing " + inputs.layer.label(), 0, 4, 0, "steps", -1 });
    LODESTONE_TRY(stage->rows, study.activations(inputs.layer, inputs.position));
    const auto count = static_cast<std::size_t>(stage->rows.rows());
    std::vector<int> groups;
    for (std::size_t i = 0; i < count; ++i)
        if (m_foundation->training[i]) {
            stage->trainingRows.push_back(static_cast<int>(i));
            groups.push_back(m_foundation->groups[i]);
        }
    stage->examples = constitution::examplesOf(study.set(), m_foundation->training, count);
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
    if (!m_foundation->likelihoods.empty()) {
        const Eigen::VectorXd proxy = m_foundation->generationScores();
        if (auto direction = directionFromScores(*m_foundation, *stage, proxy, inputs.seed))
            stage->generation = std::move(*direction);
        if (auto score
            = geometry::scoreRowScores({ proxy.data(), count }, stage->examples.heldOut, 1000, inputs.seed))
            stage->generationAccuracy = score->accuracy;
    }
    if (m_foundation->cloze)
        if (auto judged = m_foundation->cloze->judge(constitution::neutralPrinciple()))
            if (auto direction = directionFromScores(*m_foundation, *stage, judged->scores, inputs.seed))
                stage->neutral = std::move(*direction);
    stage->pool = makePool(*m_foundation, count, stage->poolFromPairs);
    return std::shared_ptr<const LayerStage>(std::move(stage));
}

std::shared_ptr<const PrincipleStage> Pipeline::makePrinciple(
    const LayerStage& layer, const constitution::Principle& principle, Fingerprint key, std::uint64_t seed)
{
    auto stage = std::make_shared<PrincipleStage>();
    stage->key = key;
    const auto refuse = [&](const std::string& why) {
        stage->problem = why;
        return stage;
    };
    if (principle.way == "conditioned-cloze") {
        const auto asked = m_foundation->conditioned.find(principle.text);
        if (asked == m_foundation->conditioned.end())
            return refuse("The model has not read this text yet.");
        stage->judged = asked->second;
    } else if (!m_foundation->cloze) {
        return refuse(m_foundation->noCloze);
    } else {
        auto judged = m_foundation->cloze->judge(principle);
        if (!judged)
            return refuse(judged.error().message());
        stage->judged = std::move(*judged);
    }
    auto direction = directionFromScores(*m_foundation, layer, stage->judged.scores, seed);
    if (!direction)
        return refuse(direction.error().message());
    stage->direction = std::move(*direction);
    const auto about = constitution::examplesOf(
        m_foundation->study->set(), m_foundation->training, static_cast<std::size_t>(layer.rows.rows()),
        principle.value);
    const auto& heldOut = about.heldOut.size() > 0 ? about.heldOut : layer.examples.heldOut;
    const auto spanOf
        = [](const Eigen::VectorXd& v) { return std::span(v.data(), static_cast<std::size_t>(v.size())); };
    if (auto score = geometry::scoreRowScores(spanOf(stage->direction.scores), heldOut, 1000, seed))
        stage->aboutValue = *score;
    if (auto score = geometry::scoreRowScores(spanOf(stage->judged.scores), heldOut, 1000, seed))
        stage->direct = *score;
    return stage;
}

std::shared_ptr<const JudgeStage> Pipeline::makeJudge(const Snapshot& snapshot, Fingerprint key) const
{
    auto stage = std::make_shared<JudgeStage>();
    stage->key = key;
    const LayerStage& layer = *snapshot.layer;
    const auto& principles = snapshot.inputs.constitution.principles;
    for (std::size_t i = 0; i < principles.size(); ++i)
        if (principles[i].on && snapshot.principles[i]->direction.found())
            stage->active.push_back(static_cast<int>(i));
    const auto directionOf = [&](std::size_t i) -> const Direction& {
        return snapshot.principles[static_cast<std::size_t>(stage->active[i])]->direction;
    };
    const auto k = static_cast<Eigen::Index>(stage->active.size());
    stage->rewards = Eigen::VectorXd::Zero(layer.rows.rows());
    if (k == 0) {
        stage->problem = "No principle is on and found in this model: every judgment is a tie.";
        stage->pairs = judgment::judgePairs(
            m_foundation->study->set(), stage->rewards, snapshot.inputs.tau, m_foundation->training);
        return stage;
    }
    // Everything below is in the k directions' Gram matrix: no edit touches rows x width.
    Eigen::MatrixXd gram(k, k);
    for (Eigen::Index i = 0; i < k; ++i)
        for (Eigen::Index j = 0; j < k; ++j)
            gram(i, j) = directionOf(static_cast<std::size_t>(i))
                             .readOut.weights.dot(directionOf(static_cast<std::size_t>(j)).displacement);
    gram = ((gram + gram.transpose()) / 2).eval();
    const auto subspace = geometry::Subspace::fromGram(gram);
    if (!subspace) {
        stage->problem = subspace.error().message();
        return stage;
    }
    stage->cosines = subspace->cosines();
    const auto innerWith = [&](const Direction& w) {
        Eigen::VectorXd inner(k);
        for (Eigen::Index i = 0; i < k; ++i)
            inner[i] = w.found()
                ? directionOf(static_cast<std::size_t>(i)).readOut.weights.dot(w.displacement)
                : 0;
        return inner;
    };
    if (snapshot.inputs.constitution.mapping == constitution::Mapping::Projection) {
        if (!layer.neutral.found())
            stage->problem
                = "Projection needs the model's neutral judgment, which this study does not carry.";
        stage->coefficients = subspace->projection(innerWith(layer.neutral));
    } else {
        Eigen::VectorXd weights(k);
        for (Eigen::Index i = 0; i < k; ++i)
            weights[i]
                = principles[static_cast<std::size_t>(stage->active[static_cast<std::size_t>(i)])].weight;
        stage->coefficients = subspace->weightedSum(weights);
    }
    stage->norm = subspace->norm(stage->coefficients);
    for (Eigen::Index i = 0; i < k; ++i)
        stage->rewards += stage->coefficients[i] * directionOf(static_cast<std::size_t>(i)).scores;
    // What is left of directions that cancel is rounding: its judgments would be decided by the last bits.
    if (stage->norm < 1e-7 * std::max(1.0, stage->coefficients.cwiseAbs().sum())) {
        stage->coefficients.setZero();
        stage->rewards.setZero();
        stage->norm = 0;
        if (stage->problem.empty())
            stage->problem = "The active principles cancel out: the judge has no direction.";
    }
    stage->cosTrue
        = layer.people.found() ? subspace->cosineWith(stage->coefficients, innerWith(layer.people), 1) : 0;
    stage->cosGeneration = layer.generation.found()
        ? subspace->cosineWith(stage->coefficients, innerWith(layer.generation), 1)
        : 0;
    stage->cosTrueGeneration = layer.people.found() && layer.generation.found()
        ? layer.people.readOut.weights.dot(layer.generation.displacement)
        : 0;
    if (auto score = geometry::scoreRowScores(
            { stage->rewards.data(), static_cast<std::size_t>(stage->rewards.size()) },
            layer.examples.heldOut, 1000, snapshot.inputs.seed))
        stage->heldOut = *score;
    stage->pairs = judgment::judgePairs(
        m_foundation->study->set(), stage->rewards, snapshot.inputs.tau, m_foundation->training);
    stage->agreement = judgment::agreement(m_foundation->study->set(), stage->pairs, snapshot.inputs.seed);
    return stage;
}

std::shared_ptr<const MeterStage> Pipeline::makeMeters(const Snapshot& snapshot, Fingerprint key) const
{
    auto stage = std::make_shared<MeterStage>();
    stage->key = key;
    const LayerStage& layer = *snapshot.layer;
    const JudgeStage& judge = *snapshot.judge;
    const auto& heldOut = layer.examples.heldOut;
    const bool pairs = heldOut.arePairs();
    const auto mapped = [](const geometry::Estimate& accuracy, auto function) {
        return geometry::Estimate{ function(accuracy.value),
                                   { function(accuracy.interval.low), function(accuracy.interval.high) } };
    };
    const geometry::Estimate people = pairs ? layer.people.heldOut.accuracy : layer.people.heldOut.auc;
    stage->judgeAccuracy = pairs ? judge.heldOut.accuracy : judge.heldOut.auc;
    stage->encodingQuality
        = mapped(people, [](double a) { return geometry::encodingQualityFromAccuracy(a); });
    stage->generationAccuracy = layer.generationAccuracy;
    const auto margins = [&](const Eigen::VectorXd& scores) {
        std::vector<double> result;
        for (const geometry::Pair& pair : heldOut.pairs)
            result.push_back(scores[pair.chosen] - scores[pair.rejected]);
        return result;
    };
    if (pairs && layer.people.found()) {
        const geometry::ClusterBootstrap bootstrap(heldOut.groups(), 1000, snapshot.inputs.seed);
        const std::vector<double> judged = margins(judge.rewards), truth = margins(layer.people.scores);
        const Eigen::VectorXd proxy
            = m_foundation->likelihoods.empty() ? Eigen::VectorXd() : m_foundation->generationScores();
        const auto right = [](double margin) { return margin > 0 ? 1.0 : margin == 0 ? 0.5 : 0.0; };
        stage->selfImprovementProbability = bootstrap.probabilityMeanPositive(judged);
        // Share of the ceiling: held-out correlations, attenuated alike, so their ratio is not
        // (docs/theory.md 8.4).
        Eigen::MatrixXd hits(static_cast<Eigen::Index>(judged.size()), 3);
        for (std::size_t i = 0; i < judged.size(); ++i)
            hits.row(static_cast<Eigen::Index>(i)) << right(judged[i]), right(truth[i]), 1.0;
        const Eigen::MatrixXd sums = bootstrap.sums(hits);
        const auto share = [](double a, double b) {
            const double ceiling = geometry::correlationFromAccuracy(b);
            return ceiling > 0.02 ? geometry::correlationFromAccuracy(a) / ceiling
                                  : std::numeric_limits<double>::quiet_NaN();
        };
        std::vector<double> shares;
        for (Eigen::Index i = 0; i < sums.rows(); ++i)
            shares.push_back(share(sums(i, 0) / sums(i, 2), sums(i, 1) / sums(i, 2)));
        stage->shareOfCeiling
            = { share(stage->judgeAccuracy.value, people.value), geometry::percentileInterval(shares) };
        if (proxy.size() > 0) {
            std::vector<double> difference, matched;
            const std::vector<double> written = margins(proxy);
            for (std::size_t i = 0; i < judged.size(); ++i) {
                difference.push_back(right(judged[i]) - right(written[i]));
                const auto& pair = heldOut.pairs[i];
                const double a = m_foundation->lengths[static_cast<std::size_t>(pair.chosen)],
                             b = m_foundation->lengths[static_cast<std::size_t>(pair.rejected)];
                if (std::abs(a - b) <= 0.1 * std::max(a, b))
                    matched.push_back(written[i]);
            }
            stage->gap = bootstrap.mean(difference);
            stage->lengthMatchedGenerationAccuracy = geometry::pairAccuracy(matched);
        }
    }
    // Cosines: the within-prompt correlation of scores over held-out prompts, which is the Sigma-cosine with
    // the Sigma of prompts that trained neither direction; intervals by resampling those prompts.
    const auto cosine = [&](const Eigen::VectorXd& a, const Eigen::VectorXd& b) -> geometry::Estimate {
        std::vector<double> x, y;
        std::vector<int> groups;
        for (Eigen::Index i = 0; i < layer.rows.rows(); ++i)
            if (!m_foundation->training[static_cast<std::size_t>(i)]) {
                x.push_back(a[i]);
                y.push_back(b[i]);
                groups.push_back(m_foundation->groups[static_cast<std::size_t>(i)]);
            }
        if (groups.empty())
            return {};
        const Eigen::VectorXd xc = layer.sigmaWithinPrompts
            ? geometry::centredWithinGroups(x, groups)
            : Eigen::Map<Eigen::VectorXd>(x.data(), static_cast<Eigen::Index>(x.size()));
        const Eigen::VectorXd yc = layer.sigmaWithinPrompts
            ? geometry::centredWithinGroups(y, groups)
            : Eigen::Map<Eigen::VectorXd>(y.data(), static_cast<Eigen::Index>(y.size()));
        const geometry::ClusterBootstrap bootstrap(groups, 1000, snapshot.inputs.seed);
        return bootstrap.correlation(
            { xc.data(), static_cast<std::size_t>(xc.size()) },
            { yc.data(), static_cast<std::size_t>(yc.size()) });
    };
    if (layer.people.found() && judge.norm > 0)
        stage->efficiency = cosine(layer.people.scores, judge.rewards);
    if (layer.generation.found() && judge.norm > 0)
        stage->cosJudgeGeneration = cosine(layer.generation.scores, judge.rewards);
    if (layer.generation.found() && layer.people.found())
        stage->cosTrueGeneration = cosine(layer.generation.scores, layer.people.scores);
    // The ceiling of the value gain in standard deviations of the value, at the KL that beta = 1 spends in
    // closed form (T11).
    stage->ceilingKl = judge.norm * judge.norm / 2;
    stage->ceiling = mapped(stage->encodingQuality, [&](double q) {
        return std::isfinite(q) ? geometry::ceilings(q, 1, stage->ceilingKl).valueGain : q;
    });
    return stage;
}

Result<std::shared_ptr<const Snapshot>>
Pipeline::refine(const std::shared_ptr<const Snapshot>& snapshot, const Work& work) const
{
    const LayerStage& layer = *snapshot->layer;
    if (!layer.people.found() || snapshot->judge->active.empty())
        return snapshot;
    const auto cosine
        = [&](const Eigen::VectorXd& a, const Eigen::VectorXd& b) { return layer.sigma->cosine(a, b); };
    const geometry::Examples& training = layer.examples.training;
    const auto people = geometry::noiseCeiling(
        training.groups(),
        [&](std::span<const int> items) -> Result<Eigen::VectorXd> {
            LODESTONE_TRY(const auto design, geometry::designOf(layer.rows, training.subset(items)));
            geometry::FitOptions options;
            options.relativeStrength = layer.people.relativeStrength;
            LODESTONE_TRY(const auto fit, geometry::fitDirection(geometry::Method::Ridge, design, options));
            return fit.readOut.weights;
        },
        cosine, 6, snapshot->inputs.seed, Work{ work.stop, {} });
    std::vector<int> groups;
    for (const int row : layer.trainingRows)
        groups.push_back(m_foundation->groups[static_cast<std::size_t>(row)]);
    const auto judge = geometry::noiseCeiling(
        groups,
        [&](std::span<const int> items) -> Result<Eigen::VectorXd> {
            std::vector<bool> kept(layer.trainingRows.size(), false);
            for (const int item : items)
                kept[static_cast<std::size_t>(item)] = true;
            Eigen::VectorXd sum = Eigen::VectorXd::Zero(layer.rows.cols());
            for (std::size_t i = 0; i < snapshot->judge->active.size(); ++i) {
                const PrincipleStage& principle
                    = *snapshot->principles[static_cast<std::size_t>(snapshot->judge->active[i])];
                // What is left out does not count, so the other half and rows not judged yet may have any y.
                Eigen::VectorXd y = Eigen::VectorXd::Zero(static_cast<Eigen::Index>(kept.size()));
                std::vector<int> leftOut;
                for (std::size_t r = 0; r < kept.size(); ++r) {
                    const double judged = principle.judged.scores[layer.trainingRows[r]];
                    if (kept[r] && std::isfinite(judged))
                        y[static_cast<Eigen::Index>(r)] = judged;
                    else
                        leftOut.push_back(static_cast<int>(r));
                }
                if (leftOut.size() == kept.size())
                    continue;
                Eigen::VectorXd w
                    = layer.factor
                          ->readOutWithout(
                              y, principle.direction.relativeStrength * layer.factor->meanSquare(), leftOut)
                          .weights;
                const double norm = layer.sigma->norm(w);
                if (norm > 0)
                    sum += snapshot->judge->coefficients[static_cast<Eigen::Index>(i)] * w / norm;
            }
            return sum;
        },
        cosine, 6, snapshot->inputs.seed, Work{ work.stop, {} });
    if (work.cancelled())
        return cancelled();
    auto refined = std::make_shared<Snapshot>(*snapshot);
    auto meters = std::make_shared<MeterStage>(*snapshot->meters);
    if (people && judge)
        meters->efficiencyNoiseCeiling = geometry::ceilingOfTwo(people->reliability, judge->reliability);
    refined->meters = meters;
    return std::shared_ptr<const Snapshot>(std::move(refined));
}

std::shared_ptr<const PolicyStage> Pipeline::makePolicy(const Snapshot& snapshot, Fingerprint key) const
{
    auto stage = std::make_shared<PolicyStage>();
    stage->key = key;
    const LayerStage& layer = *snapshot.layer;
    const JudgeStage& judge = *snapshot.judge;
    const Eigen::VectorXd values
        = layer.people.found() ? layer.people.scores : Eigen::VectorXd::Zero(layer.rows.rows());
    const double lambda = 1 / snapshot.inputs.beta;
    stage->largestKl = layer.pool.largestKl();
    stage->tilt = policy::tilt(layer.pool, judge.rewards, values, lambda);
    stage->intervals = policy::intervals(layer.pool, judge.rewards, values, lambda, snapshot.inputs.seed);
    stage->movers = policy::movers(layer.pool, stage->tilt, 4);
    stage->gaussianKl = lambda * lambda * judge.norm * judge.norm / 2;
    stage->gaussianRewardGain = lambda * judge.norm * judge.norm;
    stage->gaussianValueGain = lambda * judge.cosTrue * judge.norm; // w* has Sigma-norm 1
    constexpr int points = 25;
    const double largest = judge.norm > 0 ? 8 / judge.norm : 0;
    for (int i = 0; i < points; ++i) {
        const double at
            = largest * (static_cast<double>(i) / (points - 1)) * (static_cast<double>(i) / (points - 1));
        const policy::Tilt tilt = policy::tilt(layer.pool, judge.rewards, values, at);
        stage->curve.push_back({ at, tilt.kl, tilt.rewardGain, tilt.valueGain });
    }
    return stage;
}

} // namespace lodestone::session
