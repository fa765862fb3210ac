#include "core/session/layer_sweep.h"

#include "core/base/rng.h"
#include "core/geometry/ridge.h"
#include "core/geometry/standardise.h"
#include "core/session/elicitation_bench.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace lodestone::session {
namespace {

using geometry::Examples;
using geometry::Rows;

/// Fits judgments of the same training rows again and again: what depends on the rows alone is made once.
class JudgmentFits {
public:
    struct Fit {
        geometry::ReadOut readOut;
        double relativeStrength = 0;
        double crossValidated = 0;
    };

    /// `trainingRows` beyond `rows` are left out: the embedding may hold fewer rows than a layer.
    static Result<JudgmentFits> make(
        const Foundation& foundation, geometry::Method method, const Rows& rows,
        std::span<const int> trainingRows)
    {
        JudgmentFits fits;
        fits.m_method = method;
        std::vector<geometry::ScoredRow> scored;
        for (const int row : trainingRows)
            if (row < rows.rows()) {
                fits.m_rows.push_back(row);
                scored.push_back({ row, 0, foundation.groups[static_cast<std::size_t>(row)] });
            }
        LODESTONE_TRY(const auto coordinates, geometry::Standardiser::fit(rows, fits.m_rows));
        LODESTONE_TRY(auto design, geometry::Design::fromScores(rows, scored, coordinates));
        fits.m_design = std::make_shared<geometry::Design>(std::move(design));
        if (method == geometry::Method::Ridge) {
            LODESTONE_TRY(auto factor, geometry::RidgeFactor::make(fits.m_design));
            fits.m_factor.emplace(std::move(factor));
        }
        return fits;
    }

    /// `scores`: one per row of the study, finite where it trains.
    Result<Fit> fit(const Eigen::VectorXd& scores)
    {
        Eigen::VectorXd y(static_cast<Eigen::Index>(m_rows.size()));
        for (Eigen::Index i = 0; i < y.size(); ++i)
            y[i] = scores[m_rows[static_cast<std::size_t>(i)]];
        const double mean = y.size() > 0 ? y.mean() : 0;
        y.array() -= mean;
        if (m_factor) {
            LODESTONE_TRY(const auto ridge, m_factor->fit(y));
            return Fit{ m_design->toRaw(ridge.weights, ridge.intercept + mean), ridge.relativeStrength,
                        ridge.outOfFoldCorrelation };
        }
        m_design->y = std::move(y);
        m_design->yMean = mean;
        LODESTONE_TRY(auto direction, geometry::fitDirection(m_method, *m_design));
        return Fit{ std::move(direction.readOut), direction.relativeStrength, direction.trainingAccuracy };
    }

private:
    geometry::Method m_method = geometry::Method::Ridge;
    std::vector<int> m_rows;
    std::shared_ptr<geometry::Design> m_design;
    std::optional<geometry::RidgeFactor> m_factor;
};

/// What the same judgments make of a bag of tokens; the same at every layer with the same training rows.
struct LexicalScore {
    std::vector<int> trainingRows;
    std::optional<geometry::Score> score;
};

/// A direction fitted to real-valued judgments of the training rows, scored against people's labels.
Result<SweepRow> scoreJudgments(
    const Foundation& foundation, const SweepTarget& target, const SweepOptions& options, const Rows& rows,
    const Examples& training, const Examples& heldOut, const Rows* embedding, LexicalScore& lexical)
{
    std::vector<int> trainingRows, heldOutRows;
    for (Eigen::Index i = 0; i < std::min(rows.rows(), target.scores.size()); ++i) {
        const auto index = static_cast<std::size_t>(i);
        const auto& set = foundation.study->set();
        if (std::isfinite(target.scores[i])
            && (target.value.empty() || set.responses[index].value == target.value))
            (foundation.training[index] ? trainingRows : heldOutRows).push_back(static_cast<int>(i));
    }
    LODESTONE_TRY(auto fits, JudgmentFits::make(foundation, options.method, rows, trainingRows));
    SweepRow result;
    LODESTONE_TRY(const auto real, fits.fit(target.scores));
    result.crossValidated = real.crossValidated;
    result.relativeStrength = real.relativeStrength;
    LODESTONE_TRY(const auto score, geometry::scoreReadOut(real.readOut, rows, heldOut, 1000, options.seed));
    result.accuracy = score.accuracy;
    result.auc = score.auc;
    const Eigen::VectorXd predicted = geometry::times(rows, real.readOut.weights);
    std::vector<double> a, b;
    for (const int row : heldOutRows) {
        a.push_back(predicted[row]);
        b.push_back(target.scores[row]);
    }
    result.linearity = geometry::pearson(a, b);
    if (!options.baselines)
        return result;
    geometry::HeldOutOptions chance;
    chance.seed = options.seed;
    if (training.size() > 0) {
        LODESTONE_TRY(result.random, geometry::randomDirections(rows, training, heldOut, chance));
        LODESTONE_TRY(result.length, geometry::lengthOnly(foundation.lengths, training, heldOut, chance));
    }
    // Shuffled judgments: the same fit to the training scores in random order.
    Rng rng(options.seed, 7);
    std::vector<double> accuracies, aucs;
    for (int repetition = 0; repetition < 5; ++repetition) {
        Eigen::VectorXd shuffled = target.scores;
        std::vector<int> order = trainingRows;
        rng.shuffle(order);
        for (std::size_t i = 0; i < order.size(); ++i)
            shuffled[trainingRows[i]] = target.scores[order[i]];
        LODESTONE_TRY(const auto chanceFit, fits.fit(shuffled));
        LODESTONE_TRY(const auto chanceScore, geometry::scoreReadOut(chanceFit.readOut, rows, heldOut, 0));
        accuracies.push_back(chanceScore.accuracy.value);
        aucs.push_back(chanceScore.auc.value);
    }
    result.shuffled.repetitions = static_cast<int>(accuracies.size());
    for (std::size_t i = 0; i < accuracies.size(); ++i) {
        result.shuffled.accuracy += accuracies[i] / static_cast<double>(accuracies.size());
        result.shuffled.auc += aucs[i] / static_cast<double>(aucs.size());
    }
    result.shuffled.accuracyUpper = geometry::quantile(accuracies, 0.975);
    result.shuffled.aucUpper = geometry::quantile(aucs, 0.975);
    if (embedding) {
        if (!lexical.score || lexical.trainingRows != trainingRows) {
            LODESTONE_TRY(
                auto tokens, JudgmentFits::make(foundation, options.method, *embedding, trainingRows));
            LODESTONE_TRY(const auto ofTokens, tokens.fit(target.scores));
            LODESTONE_TRY(
                lexical.score,
                geometry::scoreReadOut(ofTokens.readOut, *embedding, heldOut, 1000, options.seed));
            lexical.trainingRows = trainingRows;
        }
        result.embedding = lexical.score;
    }
    return result;
}

/// Difference of the means of chosen and rejected (or positive and negative) training rows, raw.
Eigen::VectorXd rawDifferenceOfMeans(const Rows& rows, const Examples& training)
{
    Eigen::VectorXd difference = Eigen::VectorXd::Zero(rows.cols());
    if (training.arePairs()) {
        for (const geometry::Pair& pair : training.pairs)
            difference += (rows.row(pair.chosen) - rows.row(pair.rejected)).cast<double>().transpose();
        return difference / static_cast<double>(training.pairs.size());
    }
    Eigen::VectorXd negative = difference;
    double positives = 0, negatives = 0;
    for (const geometry::LabelledRow& row : training.rows) {
        const bool up = row.label > 0;
        (up ? difference : negative) += rows.row(row.row).cast<double>().transpose();
        (up ? positives : negatives) += 1;
    }
    return difference / std::max(1.0, positives) - negative / std::max(1.0, negatives);
}

Result<void> scoreRawDifference(
    const Foundation& foundation, const Rows& rows, const Examples& training, const Examples& heldOut,
    std::uint64_t seed, SweepRow& row)
{
    const Eigen::VectorXd raw = rawDifferenceOfMeans(rows, training);
    const Eigen::VectorXd scores = geometry::times(rows, raw);
    LODESTONE_TRY(
        row.rawDifference,
        geometry::scoreRowScores(
            { scores.data(), static_cast<std::size_t>(scores.size()) }, heldOut, 1000, seed));
    std::vector<int> trainingRows;
    for (Eigen::Index i = 0; i < rows.rows(); ++i)
        if (foundation.training[static_cast<std::size_t>(i)])
            trainingRows.push_back(static_cast<int>(i));
    const double whole = raw.squaredNorm();
    if (whole > 0)
        for (const auto& massive : geometry::massiveActivations(rows, trainingRows, 20))
            row.massiveShare += raw[massive.coordinate] * raw[massive.coordinate] / whole;
    return {};
}

/// A displacement found from words, as a read-out at this layer; fitted to nothing here, so that agreement
/// with the training labels may choose the layer.
Result<SweepRow> scoreDisplacement(
    const Foundation& foundation, const SweepTarget& target, const SweepOptions& options, Layer layer,
    const Rows& rows, const Examples& training, const Examples& heldOut)
{
    SweepRow result;
    std::vector<int> trainingRows;
    for (Eigen::Index i = 0; i < rows.rows(); ++i)
        if (foundation.training[static_cast<std::size_t>(i)])
            trainingRows.push_back(static_cast<int>(i));
    LODESTONE_TRY(const auto coordinates, geometry::Standardiser::fit(rows, trainingRows));
    LODESTONE_TRY(const auto sigma, sigmaOf(rows, trainingRows, foundation.groups, coordinates));
    LODESTONE_TRY(const auto readOut, readOutOf(*target.contrast, layer, sigma));
    LODESTONE_TRY(const auto score, geometry::scoreReadOut(readOut, rows, heldOut, 1000, options.seed));
    result.accuracy = score.accuracy;
    result.auc = score.auc;
    LODESTONE_TRY(const auto trained, geometry::scoreReadOut(readOut, rows, training, 0));
    result.crossValidated = training.arePairs() ? trained.accuracy.value : trained.auc.value;
    const auto at = std::find(target.contrast->layers.begin(), target.contrast->layers.end(), layer);
    result.linearity = target.contrast->heldOutCorrelation[at - target.contrast->layers.begin()];
    if (options.baselines && training.size() > 0) {
        geometry::HeldOutOptions chance;
        chance.seed = options.seed;
        LODESTONE_TRY(result.random, geometry::randomDirections(rows, training, heldOut, chance));
        LODESTONE_TRY(result.length, geometry::lengthOnly(foundation.lengths, training, heldOut, chance));
    }
    return result;
}

} // namespace

data::Position availablePosition(const data::Study& study, data::Position wanted)
{
    const auto positions = study.positions();
    return positions.empty() || std::find(positions.begin(), positions.end(), wanted) != positions.end()
        ? wanted
        : positions.front();
}

Result<Sweep> sweepLayers(
    const Foundation& foundation, const SweepTarget& target, const SweepOptions& options, const Work& work,
    const SweepSink& sink)
{
    const data::Study& study = *foundation.study;
    std::vector<Layer> layers = options.layers.empty() ? study.layers() : options.layers;
    Sweep sweep;
    LexicalScore lexical;
    std::optional<Rows> embedding;
    if (options.baselines && study.has(Layer::embedding(), options.position)) {
        LODESTONE_TRY(embedding, study.activations(Layer::embedding(), options.position));
    }
    geometry::HeldOutOptions heldOutOptions;
    heldOutOptions.seed = options.seed;
    if (!options.baselines) {
        heldOutOptions.randomDirections = 1;
        heldOutOptions.shuffles = 1;
    }
    for (std::size_t i = 0; i < layers.size(); ++i) {
        if (work.cancelled())
            return cancelled();
        work.tell({ "Scoring layers", static_cast<double>(i), static_cast<double>(layers.size()), 0, "layers",
                    -1 });
        LODESTONE_TRY(const Rows rows, study.activations(layers[i], options.position));
        const auto examples = constitution::examplesOf(
            study.set(), foundation.training, static_cast<std::size_t>(rows.rows()),
            target.value.empty() ? options.scoredValue : target.value);
        if (target.scores.size() == 0 && !target.contrast
            && (examples.training.size() == 0 || examples.heldOut.size() == 0))
            return badInput(
                "people's labels on training and held-out prompts",
                target.value.empty() ? "too few in this study" : "too few about '" + target.value + "'",
                study.folder().string());
        sweep.training = examples.training.size();
        sweep.heldOut = examples.heldOut.size();
        sweep.pairs = !study.set().labelled();
        SweepRow row;
        if (target.contrast) {
            LODESTONE_TRY(
                row,
                scoreDisplacement(
                    foundation, target, options, layers[i], rows, examples.training, examples.heldOut));
        } else if (target.scores.size() > 0) {
            LODESTONE_TRY(
                row,
                scoreJudgments(
                    foundation, target, options, rows, examples.training, examples.heldOut,
                    embedding ? &*embedding : nullptr, lexical));
        } else {
            const geometry::RowsRef rowsRef(rows);
            std::optional<geometry::RowsRef> embeddingRef;
            if (embedding)
                embeddingRef.emplace(*embedding);
            LODESTONE_TRY(
                const auto score,
                geometry::scoreLayer(
                    options.method, rowsRef, examples.training, examples.heldOut, foundation.lengths,
                    embeddingRef ? &*embeddingRef : nullptr, heldOutOptions, Work{ work.stop, {} }));
            row.accuracy = score.heldOut.accuracy;
            row.auc = score.heldOut.auc;
            row.crossValidated = sweep.pairs ? score.crossValidated.accuracy : score.crossValidated.auc;
            row.relativeStrength = score.fit.relativeStrength;
            row.random = score.random;
            row.shuffled = score.shuffled;
            row.length = score.length;
            row.embedding = score.embedding;
            if (options.baselines) {
                LODESTONE_CHECK(scoreRawDifference(
                    foundation, rows, examples.training, examples.heldOut, options.seed, row));
            }
        }
        row.layer = layers[i];
        if (sink)
            sink(row);
        sweep.rows.push_back(row);
        // A layer without variance (the last token of a rendered prompt at the embedding) has no score and is
        // never best.
        if (sweep.best < 0
            || !(
                sweep.rows[static_cast<std::size_t>(sweep.best)].crossValidated >= row.crossValidated
                || std::isnan(row.crossValidated)))
            sweep.best = static_cast<int>(i);
    }
    if (sweep.rows.empty())
        return badInput("a study with activations", "none", study.folder().string());
    return sweep;
}

std::optional<Layer> preferredLayer(const Foundation& foundation, data::Position position, const Work& work)
{
    const data::Study& study = *foundation.study;
    SweepOptions options;
    options.position = availablePosition(study, position);
    options.baselines = false;
    std::size_t most = 0;
    for (const Layer candidate : study.layers())
        most = std::max(most, study.rowsAt(candidate, options.position));
    for (const Layer candidate : study.layers())
        if (!candidate.isEmbedding() && study.rowsAt(candidate, options.position) == most)
            options.layers.push_back(candidate);
    if (options.layers.empty())
        return std::nullopt;
    const auto scored = sweepLayers(foundation, {}, options, work);
    return scored ? std::optional(scored->rows[static_cast<std::size_t>(scored->best)].layer) : std::nullopt;
}

} // namespace lodestone::session
