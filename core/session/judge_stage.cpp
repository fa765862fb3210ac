#include "core/session/judge_stage.h"

#include "core/session/directions.h"
#include "core/session/elicitation_bench.h"
#include "core/session/marked.h"
#include "core/session/ordered_judge.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace lodestone::session {

namespace {

/// By the answers that are stored; no model is asked here. Nothing: `why` says so.
std::optional<constitution::Judged>
judgedOf(const Foundation& foundation, const constitution::Principle& principle, std::string& why)
{
    if (principle.way == "cloze" && !foundation.cloze) {
        why = foundation.noCloze;
        return {};
    }
    if (principle.way == "conditioned-cloze") {
        const auto asked = foundation.conditioned.find(principle.text);
        if (asked != foundation.conditioned.end())
            return asked->second;
    }
    const auto way = constitution::makeWay(principle.way, foundation.wayContext());
    auto judged = principle.way == "cloze" ? foundation.cloze->judge(principle)
        : way                              ? (*way)->judge(principle)
                                           : Result<constitution::Judged>(tl::unexpected(way.error()));
    if (judged)
        return std::move(*judged);
    why = principle.way == "conditioned-cloze" ? "The model has not read this text yet."
                                               : judged.error().message();
    return {};
}

/// A displacement becomes a read-out by the inverse of Sigma (docs/theory.md 8.2).
Result<Direction>
directionFromContrast(const LayerStage& layer, const constitution::Contrast& contrast, std::uint64_t seed)
{
    LODESTONE_TRY(auto readOut, readOutOf(contrast, layer.layer, *layer.sigma));
    return finishDirection(layer, std::move(readOut), seed);
}

/// Slope of the judgments on a direction's scores over the training rows that have one.
double judgedPerScore(const LayerStage& layer, const Direction& direction, const Eigen::VectorXd& judgments)
{
    double n = 0, x = 0, y = 0, xx = 0, xy = 0;
    for (const int row : layer.trainingRows)
        if (std::isfinite(judgments[row])) {
            const double score = direction.scores[row], judged = judgments[row];
            n += 1;
            x += score;
            y += judged;
            xx += score * score;
            xy += score * judged;
        }
    const double variance = n * xx - x * x;
    return variance > 0 ? (n * xy - x * y) / variance : 0;
}

} // namespace

std::shared_ptr<const PrincipleStage> makePrincipleStage(
    const Foundation& foundation, const LayerStage& layer, const constitution::Principle& principle,
    Fingerprint key, std::uint64_t seed, bool withSpread)
{
    auto stage = std::make_shared<PrincipleStage>();
    stage->key = key;
    std::optional<Direction> words;
    if (auto judged = judgedOf(foundation, principle, stage->problem)) {
        stage->judged = std::move(*judged);
        auto direction = stage->judged.contrast
            ? directionFromContrast(layer, *stage->judged.contrast, seed)
            : directionFromScores(foundation, layer, stage->judged.scores, seed);
        if (direction)
            words = std::move(*direction);
        else
            stage->problem = direction.error().message();
    }
    const KnownMarks marks = knownMarks(foundation, layer, principle);
    stage->marks = marks.counts;
    const bool answered = words && !stage->judged.contrast;
    if (marks.counts.used()) {
        auto corrected = markedDirection(layer, marks, words ? &*words : nullptr, seed, stage->marks);
        if (!corrected) {
            stage->problem = corrected.error().message();
            return stage;
        }
        stage->direction = std::move(*corrected);
    } else if (words)
        stage->direction = *words;
    else
        return stage;
    stage->problem.clear();
    if (answered) {
        // The answers were fitted to nothing: all labelled items may score them.
        const data::ResponseSet& set = foundation.study->set();
        auto items = constitution::examplesOf(
            set, std::vector<bool>(set.responses.size(), false), set.responses.size(), principle.value);
        if (items.heldOut.size() == 0)
            items = layer.examples;
        if (auto score
            = geometry::scoreRowScores(geometry::viewOf(stage->judged.scores), items.heldOut, 1000, seed))
            stage->direct = *score;
    }
    // Refits (cones, noise ceilings) regress on judgments. Where nobody gave any, the direction's own scores
    // stand for them; where marks moved the direction, the judgments move along.
    if (!answered) {
        stage->judged.scores = Eigen::VectorXd::Constant(
            static_cast<Eigen::Index>(foundation.study->set().responses.size()),
            std::numeric_limits<double>::quiet_NaN());
        stage->judged.scores.head(stage->direction.scores.size()) = stage->direction.scores;
    } else if (marks.counts.used())
        stage->judged.scores.head(stage->direction.scores.size())
            += judgedPerScore(layer, *words, stage->judged.scores)
            * (stage->direction.scores - words->scores);
    if (withSpread)
        if (auto spread = spreadOf(foundation, layer, stage->judged))
            stage->spread = std::move(*spread);
    const auto about = constitution::examplesOf(
        foundation.study->set(), foundation.training, static_cast<std::size_t>(layer.rows.rows()),
        principle.value);
    const auto& heldOut = about.heldOut.size() > 0 ? about.heldOut : layer.examples.heldOut;
    if (auto score = geometry::scoreRowScores(geometry::viewOf(stage->direction.scores), heldOut, 1000, seed))
        stage->aboutValue = *score;
    return stage;
}

std::shared_ptr<const JudgeStage> makeJudgeStage(const Snapshot& snapshot, Fingerprint key)
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
            snapshot.foundation->study->set(), stage->rewards, snapshot.inputs.tau,
            snapshot.foundation->training);
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
    const bool projected = snapshot.inputs.constitution.mapping == constitution::Mapping::Projection;
    if (projected && !layer.neutral.found())
        stage->problem = "Projection needs the model's neutral judgment, which this study does not carry.";
    if (isOrdered(snapshot.inputs.constitution)) {
        judgeInParts(snapshot, *subspace, innerWith(layer.neutral), *stage);
    } else {
        if (projected)
            stage->coefficients = subspace->projection(innerWith(layer.neutral));
        else {
            Eigen::VectorXd weights(k);
            for (Eigen::Index i = 0; i < k; ++i)
                weights[i]
                    = principles[static_cast<std::size_t>(stage->active[static_cast<std::size_t>(i)])].weight;
            stage->coefficients = subspace->weightedSum(weights);
        }
        for (Eigen::Index i = 0; i < k; ++i)
            stage->rewards += stage->coefficients[i] * directionOf(static_cast<std::size_t>(i)).scores;
    }
    stage->norm = subspace->norm(stage->coefficients);
    // What is left of directions that cancel is rounding: its judgments would be decided by the last bits.
    if (stage->norm < 1e-7 * std::max(1.0, stage->coefficients.cwiseAbs().sum())
        && (!stage->inParts() || stage->rewards.cwiseAbs().maxCoeff() < 1e-7)) {
        stage->coefficients.setZero();
        stage->rewards.setZero();
        stage->norm = 0;
        stage->parts.clear();
        stage->decidedBy.clear();
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
        snapshot.foundation->study->set(), stage->rewards, snapshot.inputs.tau,
        snapshot.foundation->training);
    if (stage->inParts())
        nameDeciders(snapshot, *stage);
    stage->agreement
        = judgment::agreement(snapshot.foundation->study->set(), stage->pairs, snapshot.inputs.seed);
    return stage;
}

} // namespace lodestone::session
