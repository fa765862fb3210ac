#include "core/session/meter_stage.h"

#include "core/geometry/encoding.h"
#include "core/geometry/noise_ceiling.h"

#include <algorithm>
#include <cmath>

namespace lodestone::session {

std::shared_ptr<const MeterStage> makeMeterStage(const Snapshot& snapshot, Fingerprint key)
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
        const Eigen::VectorXd proxy = snapshot.foundation->likelihoods.empty()
            ? Eigen::VectorXd()
            : snapshot.foundation->generationScores();
        const auto right = [](double margin) { return margin > 0 ? 1.0 : margin == 0 ? 0.5 : 0.0; };
        stage->selfImprovementProbability = bootstrap.probabilityMeanPositive(judged);
        stage->selfImprovementInterval
            = geometry::wilsonInterval(stage->selfImprovementProbability, bootstrap.resamples());
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
            std::vector<double> difference, matchedJudge, matchedWritten, matchedDifference;
            std::vector<int> matchedGroups;
            const std::vector<double> written = margins(proxy);
            for (std::size_t i = 0; i < judged.size(); ++i) {
                difference.push_back(right(judged[i]) - right(written[i]));
                const auto& pair = heldOut.pairs[i];
                const double a = snapshot.foundation->lengths[static_cast<std::size_t>(pair.chosen)],
                             b = snapshot.foundation->lengths[static_cast<std::size_t>(pair.rejected)];
                if (std::abs(a - b) > 0.1 * std::max(a, b))
                    continue;
                matchedJudge.push_back(right(judged[i]));
                matchedWritten.push_back(right(written[i]));
                matchedDifference.push_back(difference.back());
                matchedGroups.push_back(pair.group);
            }
            stage->gap = bootstrap.mean(difference);
            stage->matchedPairs = static_cast<int>(matchedGroups.size());
            if (!matchedGroups.empty()) {
                const geometry::ClusterBootstrap matched(matchedGroups, 1000, snapshot.inputs.seed);
                stage->matchedJudge = matched.mean(matchedJudge);
                stage->matchedGeneration = matched.mean(matchedWritten);
                stage->matchedGap = matched.mean(matchedDifference);
                stage->lengthMatchedGenerationAccuracy = stage->matchedGeneration.value;
            }
            const auto accuracyOf = [&](Foundation::LikelihoodKind kind) {
                std::vector<double> hitsOf;
                for (const double margin : margins(snapshot.foundation->likelihoodScores(kind)))
                    hitsOf.push_back(right(margin));
                return bootstrap.mean(hitsOf);
            };
            stage->likelihoodTotal = accuracyOf(Foundation::LikelihoodKind::Total);
            stage->likelihoodPerToken = accuracyOf(Foundation::LikelihoodKind::PerToken);
        }
    }
    // Cosines: the within-prompt correlation of scores over held-out prompts, which is the Sigma-cosine with
    // the Sigma of prompts that trained neither direction; intervals by resampling those prompts.
    const auto cosine = [&](const Eigen::VectorXd& a, const Eigen::VectorXd& b) -> geometry::Estimate {
        std::vector<double> x, y;
        std::vector<int> groups;
        for (Eigen::Index i = 0; i < layer.rows.rows(); ++i)
            if (!snapshot.foundation->training[static_cast<std::size_t>(i)]) {
                x.push_back(a[i]);
                y.push_back(b[i]);
                groups.push_back(snapshot.foundation->groups[static_cast<std::size_t>(i)]);
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
refineMeters(const std::shared_ptr<const Snapshot>& snapshot, const Work& work)
{
    const LayerStage& layer = *snapshot->layer;
    if (!layer.people.found() || snapshot->judge->active.empty())
        return snapshot;
    const auto cosine
        = [&](const Eigen::VectorXd& a, const Eigen::VectorXd& b) { return layer.sigma->cosine(a, b); };
    std::vector<Eigen::VectorXd> peopleHalves, generationHalves, judgeHalves;
    const auto keep = [&](std::vector<Eigen::VectorXd>& halves, const Eigen::VectorXd& w) {
        if (const double norm = layer.sigma->norm(w); norm > 1e-12 && std::isfinite(norm))
            halves.push_back(w / norm);
    };
    const geometry::Examples& training = layer.examples.training;
    const auto people = geometry::noiseCeiling(
        training.groups(),
        [&](std::span<const int> items) -> Result<Eigen::VectorXd> {
            LODESTONE_TRY(const auto design, geometry::designOf(layer.rows, training.subset(items)));
            geometry::FitOptions options;
            options.relativeStrength = layer.people.relativeStrength;
            LODESTONE_TRY(const auto fit, geometry::fitDirection(geometry::Method::Ridge, design, options));
            keep(peopleHalves, fit.readOut.weights);
            return fit.readOut.weights;
        },
        cosine, 6, snapshot->inputs.seed, Work{ work.stop, {} });
    std::vector<int> groups;
    for (const int row : layer.trainingRows)
        groups.push_back(snapshot->foundation->groups[static_cast<std::size_t>(row)]);
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
            keep(judgeHalves, sum);
            return sum;
        },
        cosine, 6, snapshot->inputs.seed, Work{ work.stop, {} });
    if (layer.generation.found() && !work.cancelled()) {
        const Eigen::VectorXd proxy = snapshot->foundation->generationScores();
        Eigen::VectorXd y(static_cast<Eigen::Index>(layer.trainingRows.size()));
        for (Eigen::Index i = 0; i < y.size(); ++i)
            y[i] = proxy[layer.trainingRows[static_cast<std::size_t>(i)]];
        [[maybe_unused]] const auto spread = geometry::noiseCeiling(
            groups,
            [&](std::span<const int> items) -> Result<Eigen::VectorXd> {
                std::vector<bool> kept(layer.trainingRows.size(), false);
                for (const int item : items)
                    kept[static_cast<std::size_t>(item)] = true;
                std::vector<int> leftOut;
                for (std::size_t r = 0; r < kept.size(); ++r)
                    if (!kept[r])
                        leftOut.push_back(static_cast<int>(r));
                Eigen::VectorXd w
                    = layer.factor
                          ->readOutWithout(
                              y, layer.generation.relativeStrength * layer.factor->meanSquare(), leftOut)
                          .weights;
                keep(generationHalves, w);
                return w;
            },
            cosine, 6, snapshot->inputs.seed, Work{ work.stop, {} });
    }
    if (work.cancelled())
        return cancelled();
    auto refined = std::make_shared<Snapshot>(*snapshot);
    auto meters = std::make_shared<MeterStage>(*snapshot->meters);
    if (people && judge) {
        meters->efficiencyNoiseCeiling = geometry::ceilingOfTwo(people->reliability, judge->reliability);
        meters->efficiencyNoiseCeilingInterval = geometry::ceilingSpread(*people, *judge);
    }
    meters->peopleHalves = std::move(peopleHalves);
    meters->generationHalves = std::move(generationHalves);
    meters->judgeHalves = std::move(judgeHalves);
    refined->meters = meters;
    return std::shared_ptr<const Snapshot>(std::move(refined));
}

} // namespace lodestone::session
