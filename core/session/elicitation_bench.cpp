#include "core/session/elicitation_bench.h"

#include "core/base/rng.h"
#include "core/constitution/reply_reader.h"
#include "core/geometry/covariance.h"
#include "core/geometry/held_out.h"
#include "core/geometry/ridge.h"
#include "core/session/chance_words.h"
#include "core/session/layer_sweep.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <numeric>

namespace lodestone::session {
namespace {

using constitution::Judged;
using constitution::Yields;
using geometry::Rows;

std::vector<double> picked(const Eigen::VectorXd& values, const std::vector<int>& rows)
{
    std::vector<double> result;
    result.reserve(rows.size());
    for (const int row : rows)
        result.push_back(values[row]);
    return result;
}

/// Correlation of two columns over some rows, both centred within prompts.
double withinCorrelation(
    const Eigen::VectorXd& a, const Eigen::VectorXd& b, const std::vector<int>& rows,
    const std::vector<int>& groups)
{
    std::vector<int> own;
    own.reserve(rows.size());
    for (const int row : rows)
        own.push_back(groups[static_cast<std::size_t>(row)]);
    const std::vector<double> x = picked(a, rows), y = picked(b, rows);
    Eigen::VectorXd xc = geometry::centredWithinGroups(x, own), yc = geometry::centredWithinGroups(y, own);
    if (xc.norm() < 1e-12 || yc.norm() < 1e-12) // one text a prompt: nothing is left within it
        return geometry::pearson(x, y);
    return geometry::pearson(geometry::viewOf(xc), geometry::viewOf(yc));
}

/// One judged way of one principle, and what of its evidence does not depend on the layer.
struct Case {
    int principle = 0;
    std::string way;
    Judged judged;
    Evidence evidence;
};

/// |difference of the means of the upper and the lower half of the judgments| over the same with the
/// judgments in random order; standardised rows.
double normAgainstRandom(const Rows& x, const Eigen::VectorXd& y, std::uint64_t seed)
{
    const Eigen::Index n = x.rows();
    std::vector<double> values(y.data(), y.data() + n);
    const double median = geometry::quantile(values, 0.5);
    Eigen::VectorXd signs = y.unaryExpr([median](double value) { return value > median ? 1.0 : -1.0; });
    const double real = geometry::transposeTimes(x, signs).norm();
    Rng rng(seed, 0xb3);
    double random = 0;
    constexpr int draws = 5;
    for (int i = 0; i < draws; ++i) {
        rng.shuffle(signs);
        random += geometry::transposeTimes(x, signs).norm() / draws;
    }
    return random > 0 ? real / random : std::numeric_limits<double>::quiet_NaN();
}

/// What does not depend on the layer: agreement over suffixes or paraphrases, symmetry of the poles.
Evidence evidenceOf(const Judged& judged, const std::vector<int>& training, const std::vector<int>& groups)
{
    Evidence evidence;
    double sum = 0;
    int count = 0;
    for (Eigen::Index a = 0; a < judged.perSuffix.cols(); ++a)
        for (Eigen::Index b = a + 1; b < judged.perSuffix.cols(); ++b, ++count)
            sum += withinCorrelation(judged.perSuffix.col(a), judged.perSuffix.col(b), training, groups);
    if (count > 0)
        evidence.agreement = sum / count;
    if (judged.positiveAlone.size() > 0)
        evidence.symmetry = -withinCorrelation(judged.positiveAlone, judged.negativeAlone, training, groups);
    return evidence;
}

/// The labels about a value; all where the study has none about it.
constitution::StudyExamples labelsAbout(
    const data::ResponseSet& set, const std::vector<bool>& training, std::size_t rows,
    const std::string& value)
{
    auto about = constitution::examplesOf(set, training, rows, value);
    return about.training.size() == 0 || about.heldOut.size() == 0
        ? constitution::examplesOf(set, training, rows)
        : about;
}

double rankCorrelation(const std::vector<double>& a, const std::vector<double>& b)
{
    const auto ranks = [](const std::vector<double>& values) {
        std::vector<double> result(values.size());
        for (std::size_t i = 0; i < values.size(); ++i)
            for (const double other : values)
                result[i] += other < values[i] ? 1 : other == values[i] ? 0.5 : 0;
        return result;
    };
    return geometry::pearson(ranks(a), ranks(b));
}

} // namespace

double Evidence::combined() const
{
    double sum = 0;
    int count = 0;
    for (const double each : { linearity, agreement, symmetry, lengthIndependence })
        if (std::isfinite(each)) {
            sum += std::clamp(each, 0.0, 1.0);
            ++count;
        }
    return count > 0 ? sum / count : std::numeric_limits<double>::quiet_NaN();
}

Result<geometry::Covariance> sigmaOf(
    const geometry::RowsRef& rows, std::span<const int> which, const std::vector<int>& groups,
    const geometry::Standardiser& coordinates)
{
    std::vector<int> own;
    for (const int row : which)
        own.push_back(groups[static_cast<std::size_t>(row)]);
    const Rows training = geometry::gather(rows, which);
    auto sigma = geometry::Covariance::withinGroups(training, own, &coordinates);
    return sigma ? std::move(sigma) : geometry::Covariance::fromRows(training, &coordinates);
}

Result<geometry::ReadOut>
readOutOf(const constitution::Contrast& contrast, Layer layer, const geometry::Covariance& sigma)
{
    const auto found = std::find(contrast.layers.begin(), contrast.layers.end(), layer);
    if (found == contrast.layers.end())
        return badInput("a displacement at " + layer.label(), "none at this layer");
    const Eigen::VectorXd delta
        = contrast.delta.row(found - contrast.layers.begin()).transpose().cast<double>();
    if (delta.size() != sigma.width())
        return badInput(
            fmt::format("a displacement of width {}", sigma.width()), std::to_string(delta.size()));
    return sigma.readOut(geometry::Displacement{ delta });
}

Result<Bench> runBench(
    const Foundation& foundation, const std::vector<constitution::Principle>& principles,
    const constitution::WayContext& given, const BenchOptions& options, const Work& work)
{
    const data::Study& study = *foundation.study;
    const data::ResponseSet& set = study.set();
    constitution::WayContext context = given;
    if (context.rows.empty())
        context.rows = constitution::labelledRows(set);
    std::vector<std::string> ways = options.ways;
    if (ways.empty())
        for (const constitution::WayInfo& info : constitution::allWays())
            ways.push_back(info.name);
    Bench bench;
    bench.principles = principles;
    bench.pairs = !set.labelled();
    if (context.model)
        LODESTONE_CHECK(constitution::askAhead(ways, principles, context, work));

    // 1. Every way's judgment of every principle.
    std::vector<int> trainingRows;
    for (const int row : context.rows)
        if (foundation.training[static_cast<std::size_t>(row)])
            trainingRows.push_back(row);
    std::vector<Case> cases;
    const auto all = std::vector<bool>(set.responses.size(), false);
    for (std::size_t p = 0; p < principles.size(); ++p)
        for (const std::string& way : ways) {
            BenchDirect direct{ static_cast<int>(p), way, {}, {}, false, {} };
            const auto strategy = constitution::makeWay(way, context);
            auto judged = strategy ? (*strategy)->judge(principles[p], work)
                                   : Result<Judged>(tl::unexpected(strategy.error()));
            if (!judged) {
                if (judged.error().kind == ErrorKind::Cancelled || judged.error().kind == ErrorKind::Usage
                    || judged.error().kind == ErrorKind::Failed)
                    return tl::unexpected(judged.error());
                direct.problem = judged.error().message();
                direct.unasked = judged.error().kind == ErrorKind::MissingModel;
                bench.direct.push_back(std::move(direct));
                continue;
            }
            direct.unknown = judged->unknown;
            Case one{ static_cast<int>(p), way, std::move(*judged), {} };
            if (!one.judged.contrast) {
                one.evidence = evidenceOf(one.judged, trainingRows, foundation.groups);
                auto labelled = constitution::examplesOf(set, all, set.responses.size(), principles[p].value);
                if (labelled.heldOut.size() == 0)
                    labelled = constitution::examplesOf(set, all, set.responses.size());
                if (auto score = geometry::scoreRowScores(
                        geometry::viewOf(one.judged.scores), labelled.heldOut, 1000, options.seed))
                    direct.score = *score;
            }
            bench.direct.push_back(std::move(direct));
            cases.push_back(std::move(one));
        }

    // Random words in the poles' places: one set of judgments for all layers.
    std::vector<std::pair<int, Eigen::VectorXd>> chance;
    if (context.cloze && options.randomWords > 0)
        for (std::size_t p = 0; p < principles.size(); ++p)
            for (Eigen::VectorXd& judgments :
                 judgmentsByChance(*context.cloze, principles[p], options.randomWords, options.seed + p))
                chance.emplace_back(static_cast<int>(p), std::move(judgments));

    // 2. Each layer once: its factor, its Sigma, then every case.
    const std::vector<Layer> layers = options.layers.empty() ? study.layers() : options.layers;
    bench.layers = layers;
    const Eigen::VectorXd lengths = Eigen::Map<const Eigen::VectorXd>(
        foundation.lengths.data(), static_cast<Eigen::Index>(foundation.lengths.size()));
    for (std::size_t l = 0; l < layers.size(); ++l) {
        if (work.cancelled())
            return cancelled();
        work.tell({ "Scoring layers", static_cast<double>(l), static_cast<double>(layers.size()), 0, "layers",
                    -1 });
        LODESTONE_TRY(const Rows rows, study.activations(layers[l], options.position));
        std::vector<int> training, heldOut, groups;
        for (const int row : context.rows)
            if (row < rows.rows()) {
                (foundation.training[static_cast<std::size_t>(row)] ? training : heldOut).push_back(row);
            }
        std::sort(training.begin(), training.end());
        std::sort(heldOut.begin(), heldOut.end());
        if (training.size() < 4 || heldOut.empty())
            continue;
        const auto coordinates = geometry::Standardiser::fit(rows, training);
        if (!coordinates)
            return tl::unexpected(coordinates.error());
        if (static_cast<Eigen::Index>(coordinates->constant.size()) == rows.cols())
            continue; // the last token of a rendered prompt at the embedding: nothing varies
        std::vector<geometry::ScoredRow> scored;
        scored.reserve(training.size());
        for (const int row : training)
            scored.push_back(
                { row, static_cast<double>(row % 2), foundation.groups[static_cast<std::size_t>(row)] });
        LODESTONE_TRY(auto design, geometry::Design::fromScores(rows, scored, *coordinates));
        const auto shared = std::make_shared<const geometry::Design>(std::move(design));
        LODESTONE_TRY(const auto factor, geometry::RidgeFactor::make(shared));
        for (std::size_t p = 0; p < principles.size() && !chance.empty(); ++p) {
            if (work.cancelled())
                return cancelled();
            const auto about = labelsAbout(
                set, foundation.training, static_cast<std::size_t>(rows.rows()), principles[p].value);
            std::vector<double> agreements;
            for (const auto& [principle, judgments] : chance) {
                if (principle != static_cast<int>(p))
                    continue;
                Eigen::VectorXd y(static_cast<Eigen::Index>(training.size()));
                for (std::size_t i = 0; i < training.size(); ++i)
                    y[static_cast<Eigen::Index>(i)] = judgments[training[i]];
                if (const auto fit = factor.fit(y))
                    if (const auto score = geometry::scoreReadOut(
                            shared->toRaw(fit->weights, fit->intercept), rows, about.heldOut, 0))
                        agreements.push_back(bench.pairs ? score->accuracy.value : score->auc.value);
            }
            if (!agreements.empty())
                bench.randomWords.push_back({ static_cast<int>(p), layers[l],
                                              std::accumulate(agreements.begin(), agreements.end(), 0.0)
                                                  / static_cast<double>(agreements.size()),
                                              geometry::quantile(agreements, 0.025),
                                              geometry::quantile(agreements, 0.975) });
        }
        LODESTONE_TRY(const auto sigma, sigmaOf(rows, training, foundation.groups, *coordinates));
        const Rows standardised = coordinates->apply(geometry::gather(rows, training));
        for (const Case& one : cases) {
            BenchRow row;
            row.principle = one.principle;
            row.way = one.way;
            row.layer = layers[l];
            row.evidence = one.evidence;
            const Judged& judged = one.judged;
            geometry::ReadOut readOut;
            if (judged.contrast) {
                row.yields = Yields::Displacement;
                auto found = readOutOf(*judged.contrast, layers[l], sigma);
                if (!found)
                    continue;
                readOut = std::move(*found);
                const auto at
                    = std::find(judged.contrast->layers.begin(), judged.contrast->layers.end(), layers[l])
                    - judged.contrast->layers.begin();
                row.evidence.linearity = row.evidence.heldOutLinearity
                    = judged.contrast->heldOutCorrelation[at];
                row.evidence.agreement = judged.contrast->templateAgreement[at];
                row.evidence.symmetry = judged.contrast->poleSymmetry[at];
                row.evidence.shareOfVariance = judged.contrast->shareOfVariance[at];
                row.evidence.normAgainstRandom = judged.contrast->normAgainstRandom[at];
            } else {
                Eigen::VectorXd y(static_cast<Eigen::Index>(training.size()));
                for (std::size_t i = 0; i < training.size(); ++i)
                    y[static_cast<Eigen::Index>(i)] = judged.scores[training[i]];
                const auto fit = factor.fit(y);
                if (!fit)
                    continue; // not every training reply is judged: said by `problem`
                readOut = shared->toRaw(fit->weights, fit->intercept);
                row.evidence.linearity = fit->outOfFoldCorrelation;
                row.evidence.normAgainstRandom = normAgainstRandom(standardised, y, options.seed);
                const Eigen::VectorXd moved = sigma.apply(readOut.weights);
                const double variance = readOut.weights.dot(moved);
                if (variance > 0)
                    row.evidence.shareOfVariance = moved.cwiseQuotient(coordinates->scale).squaredNorm()
                        / variance / (sigma.meanVariance() * static_cast<double>(rows.cols()));
            }
            const Eigen::VectorXd scores = geometry::times(rows, readOut.weights);
            row.evidence.lengthIndependence
                = 1 - std::abs(withinCorrelation(scores, lengths, training, foundation.groups));
            if (!judged.contrast)
                row.evidence.heldOutLinearity
                    = geometry::pearson(picked(scores, heldOut), picked(judged.scores, heldOut));
            const auto about = labelsAbout(
                set, foundation.training, static_cast<std::size_t>(rows.rows()),
                principles[static_cast<std::size_t>(one.principle)].value);
            if (about.heldOut.size() == 0)
                return badInput(
                    "labels on held-out prompts", "none in this study: a bench needs pairs or labelled texts",
                    study.folder().string());
            bench.heldOutItems = about.heldOut.size();
            LODESTONE_TRY(
                row.heldOut,
                geometry::scoreRowScores(geometry::viewOf(scores), about.heldOut, 500, options.seed));
            LODESTONE_TRY(
                const auto trained, geometry::scoreRowScores(geometry::viewOf(scores), about.training, 0));
            row.trainingAgreement = bench.pairs ? trained.accuracy.value : trained.auc.value;
            row.trainingAuc = trained.auc.value;
            bench.rows.push_back(std::move(row));
        }
    }

    if (bench.rows.empty()) {
        for (const BenchDirect& direct : bench.direct)
            if (!direct.problem.empty())
                return badInput("a way that this study can answer", direct.problem, study.folder().string());
        return badInput(
            "at least four labelled training replies and a held-out one at a layer that varies",
            fmt::format("{} labelled replies", context.rows.size()), study.folder().string());
    }

    // 3. Baselines per principle.
    for (const constitution::Principle& principle : principles) {
        auto about
            = constitution::examplesOf(set, foundation.training, set.responses.size(), principle.value);
        const bool own = about.training.size() > 0 && about.heldOut.size() > 0;
        if (!own)
            about = constitution::examplesOf(set, foundation.training, set.responses.size());
        if (auto score = geometry::lengthOnly(foundation.lengths, about.training, about.heldOut))
            bench.length.push_back(bench.pairs ? score->accuracy : score->auc);
        else
            bench.length.emplace_back();
        bench.people.emplace_back();
        bench.peopleLayer.emplace_back();
        bench.peopleByLayer.emplace_back();
        if (!options.people)
            continue;
        SweepOptions sweep;
        sweep.method = geometry::Method::Ridge;
        sweep.position = options.position;
        sweep.baselines = false;
        sweep.seed = options.seed;
        sweep.layers = layers;
        SweepTarget target;
        target.value = own ? principle.value : std::string();
        if (const auto found = sweepLayers(foundation, target, sweep, work)) {
            const SweepRow& best = found->rows[static_cast<std::size_t>(found->best)];
            bench.people.back() = { best.accuracy, best.auc };
            bench.peopleLayer.back() = best.layer;
            for (const SweepRow& row : found->rows)
                bench.peopleByLayer.back().push_back({ row.layer, { row.accuracy, row.auc } });
        } else if (found.error().kind == ErrorKind::Cancelled)
            return tl::unexpected(found.error());
    }

    // 4. The two choices.
    const auto agreement = [&](const BenchRow& row) {
        return bench.pairs ? row.heldOut.accuracy.value : row.heldOut.auc.value;
    };
    int counted = 0, ranked = 0;
    for (std::size_t p = 0; p < principles.size(); ++p) {
        BenchBest best{ static_cast<int>(p), -1, -1 };
        std::map<std::string, int> bestLayer;
        const auto isCandidate = [&](const BenchRow& row) { // a bag of tokens is a baseline
            return row.principle == static_cast<int>(p) && !row.layer.isEmbedding();
        };
        const auto isJudgment = [](const BenchRow& row) {
            return row.yields == constitution::Yields::ReadOut && !constitution::findWay(row.way)->fromStates;
        };
        const bool judgments = std::any_of(bench.rows.begin(), bench.rows.end(), [&](const BenchRow& row) {
            return isCandidate(row) && isJudgment(row);
        });
        for (std::size_t i = 0; i < bench.rows.size(); ++i) {
            const BenchRow& row = bench.rows[i];
            if (!isCandidate(row))
                continue;
            const auto better = [&](int than, const auto& measure) {
                return than < 0 || measure(row) > measure(bench.rows[static_cast<std::size_t>(than)]);
            };
            if (better(best.byLabels, [](const BenchRow& each) {
                    return std::pair(each.trainingAgreement, each.trainingAuc);
                }))
                best.byLabels = static_cast<int>(i);
            if (judgments && !isJudgment(row))
                continue;
            const auto evidence = [](const BenchRow& each) { return each.evidence.combined(); };
            if (better(best.byEvidence, evidence))
                best.byEvidence = static_cast<int>(i);
            const auto [place, fresh] = bestLayer.emplace(row.way, static_cast<int>(i));
            if (!fresh && better(place->second, evidence))
                place->second = static_cast<int>(i);
        }
        if (best.byEvidence >= 0) {
            const BenchRow &evident = bench.rows[static_cast<std::size_t>(best.byEvidence)],
                           &labelled = bench.rows[static_cast<std::size_t>(best.byLabels)];
            ++counted;
            bench.sameWay += evident.way == labelled.way ? 1 : 0;
            bench.loss += agreement(labelled) - agreement(evident);
        }
        if (bestLayer.size() >= 3) {
            std::vector<double> evidence, right;
            for (const auto& [way, i] : bestLayer) {
                evidence.push_back(bench.rows[static_cast<std::size_t>(i)].evidence.combined());
                right.push_back(agreement(bench.rows[static_cast<std::size_t>(i)]));
            }
            bench.rankCorrelation += rankCorrelation(evidence, right);
            ++ranked;
        }
        bench.best.push_back(best);
    }
    if (counted > 0) {
        bench.sameWay /= counted;
        bench.loss /= counted;
    }
    bench.rankCorrelation
        = ranked > 0 ? bench.rankCorrelation / ranked : std::numeric_limits<double>::quiet_NaN();
    return bench;
}

} // namespace lodestone::session
