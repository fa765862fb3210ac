#include "core/geometry/held_out.h"

#include "core/base/rng.h"
#include "core/geometry/logistic.h"
#include "core/geometry/numbers.h"
#include "core/geometry/ridge.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <unordered_set>

namespace lodestone::geometry {

namespace {

FitOptions fitOptions(const HeldOutOptions& options, double relativeStrength = 0)
{
    return { options.folds, relativeStrength, options.seed };
}

class ChanceCollector {
public:
    void add(const Score& score)
    {
        m_accuracies.push_back(score.accuracy.value);
        m_aucs.push_back(score.auc.value);
    }

    ChanceScore summary() const
    {
        return { mean(m_accuracies), quantile(m_accuracies, 0.975), mean(m_aucs), quantile(m_aucs, 0.975),
                 static_cast<int>(m_accuracies.size()) };
    }

private:
    static double mean(const std::vector<double>& values)
    {
        double sum = 0;
        for (const double value : values)
            sum += value;
        return values.empty() ? nan : sum / static_cast<double>(values.size());
    }

    std::vector<double> m_accuracies;
    std::vector<double> m_aucs;
};

/// Only the rows that some examples use, with the examples renumbered: repeated scoring then reads nothing
/// else.
struct Excerpt {
    Rows rows;
    Examples examples;
};

Result<Excerpt> excerptOf(const RowsRef& rows, const Examples& examples)
{
    const std::vector<int> used = examples.usedRows();
    if (!used.empty() && (used.front() < 0 || used.back() >= rows.rows()))
        return badInput(
            "row numbers below " + std::to_string(rows.rows()),
            std::to_string(used.front() < 0 ? used.front() : used.back()), "labelled examples");
    const auto renumbered = [&used](int row) {
        return static_cast<int>(std::lower_bound(used.begin(), used.end(), row) - used.begin());
    };
    Excerpt excerpt{ gather(rows, used), examples };
    for (Pair& pair : excerpt.examples.pairs) {
        pair.chosen = renumbered(pair.chosen);
        pair.rejected = renumbered(pair.rejected);
    }
    if (!examples.arePairs())
        for (LabelledRow& row : excerpt.examples.rows)
            row.row = renumbered(row.row);
    return excerpt;
}

Result<Score> fitAndScore(
    Method method, const RowsRef& rows, const Examples& training, const Examples& heldOut,
    const HeldOutOptions& options)
{
    LODESTONE_TRY(const Design design, designOf(rows, training));
    LODESTONE_TRY(const DirectionFit fit, fitDirection(method, design, fitOptions(options)));
    return scoreReadOut(fit.readOut, rows, heldOut, options.resamples, options.seed);
}

Result<void> checkSides(const Examples& training, const Examples& heldOut)
{
    if (training.size() == 0 || heldOut.size() == 0)
        return badInput(
            "labelled examples for training and held out",
            std::to_string(training.size()) + " and " + std::to_string(heldOut.size()), "held-out score");
    const std::vector<int> groups = training.groups();
    const std::unordered_set<int> seen(groups.begin(), groups.end());
    for (const int group : heldOut.groups())
        if (seen.count(group) > 0)
            return badInput(
                "prompts either in training or held out", "prompt " + std::to_string(group) + " in both",
                "held-out score");
    return {};
}

} // namespace

namespace {

/// Labelled rows of one class only cannot be fitted: such a fold is left out.
bool canBeFitted(const Examples& examples)
{
    if (examples.arePairs())
        return true;
    return std::any_of(
               examples.rows.begin(), examples.rows.end(), [](const LabelledRow& r) { return r.label > 0; })
        && std::any_of(
               examples.rows.begin(), examples.rows.end(), [](const LabelledRow& r) { return r.label < 0; });
}

/// `fitFold`: Split -> Result<ReadOut> of its training side.
template <typename FitFold>
Result<CrossValidated> overFolds(
    const RowsRef& rows, const Examples& examples, const HeldOutOptions& options, const Work& work,
    FitFold fitFold)
{
    CrossValidated result;
    double correct = 0;
    double areas = 0;
    int items = 0;
    int defined = 0;
    for (const Split& split : foldsByGroup(examples.groups(), options.folds, options.seed)) {
        if (work.cancelled())
            return cancelled();
        if (!canBeFitted(examples.subset(split.training)))
            continue;
        LODESTONE_TRY(const ReadOut readOut, fitFold(split));
        const Examples fold = examples.subset(split.heldOut);
        LODESTONE_TRY(const Score score, scoreReadOut(readOut, rows, fold, 0));
        correct += score.accuracy.value * fold.size();
        items += fold.size();
        if (std::isfinite(score.auc.value)) {
            areas += score.auc.value;
            ++defined;
        }
        ++result.folds;
    }
    result.accuracy = items > 0 ? correct / items : nan;
    result.auc = defined > 0 ? areas / defined : nan;
    return result;
}

/// Ridge and logistic regression at the strength of `fit`, without a new factorisation per fold.
Result<CrossValidated> crossValidateRegression(
    const DirectionFit& fit, const RidgeFactor& factor, const RowsRef& rows, const Examples& examples,
    const HeldOutOptions& options, const Work& work)
{
    const Design& design = factor.design();
    const Eigen::VectorXd y = design.y.array() + design.yMean;
    return overFolds(rows, examples, options, work, [&](const Split& split) -> Result<ReadOut> {
        if (fit.method == Method::Ridge)
            return factor.readOutWithout(y, fit.strength, split.heldOut);
        LODESTONE_TRY(
            const LogisticFit fold,
            fitLogistic(
                factor, design.labels(), fit.relativeStrength, options.folds, options.seed, split.training));
        return design.toRaw(fold.weights, fold.intercept);
    });
}

bool isRegression(Method method) { return method == Method::Ridge || method == Method::Logistic; }

} // namespace

Result<CrossValidated> crossValidate(
    Method method, const RowsRef& rows, const Examples& examples, const HeldOutOptions& options,
    const Work& work)
{
    if (isRegression(method)) {
        LODESTONE_TRY(Design made, designOf(rows, examples));
        const auto design = std::make_shared<const Design>(std::move(made));
        LODESTONE_TRY(const RidgeFactor factor, RidgeFactor::make(design));
        LODESTONE_TRY(const DirectionFit fit, fitDirection(method, *design, fitOptions(options), &factor));
        return crossValidateRegression(fit, factor, rows, examples, options, work);
    }
    return overFolds(rows, examples, options, work, [&](const Split& split) -> Result<ReadOut> {
        LODESTONE_TRY(const Design design, designOf(rows, examples.subset(split.training)));
        LODESTONE_TRY(const DirectionFit fit, fitDirection(method, design, fitOptions(options)));
        return fit.readOut;
    });
}

Result<ChanceScore> randomDirections(
    const RowsRef& rows, const Examples& training, const Examples& heldOut, const HeldOutOptions& options)
{
    LODESTONE_TRY(const Excerpt trainingPart, excerptOf(rows, training));
    LODESTONE_TRY(const Excerpt heldOutPart, excerptOf(rows, heldOut));
    LODESTONE_TRY(const Standardiser coordinates, Standardiser::fit(trainingPart.rows));
    Rng rng(options.seed, 0x4a4d);
    Eigen::MatrixXd directions(rows.cols(), std::max(options.randomDirections, 0));
    for (Eigen::Index j = 0; j < directions.cols(); ++j)
        for (Eigen::Index i = 0; i < directions.rows(); ++i)
            directions(i, j) = rng.normal() / coordinates.scale[i];
    // For single rows the boundary is the training mean.
    const Eigen::RowVectorXd offsets = -(coordinates.mean.transpose() * directions);
    const Eigen::MatrixXd trainingScores = times(trainingPart.rows, directions).rowwise() + offsets;
    Eigen::MatrixXd heldOutScores = times(heldOutPart.rows, directions).rowwise() + offsets;
    ChanceCollector collector;
    for (Eigen::Index j = 0; j < directions.cols(); ++j) {
        LODESTONE_TRY(
            const Score seen,
            scoreRowScores(
                { trainingScores.col(j).data(), static_cast<std::size_t>(trainingScores.rows()) },
                trainingPart.examples, 0));
        if (seen.accuracy.value < 0.5)
            heldOutScores.col(j) *= -1.0;
        LODESTONE_TRY(
            const Score score,
            scoreRowScores(
                { heldOutScores.col(j).data(), static_cast<std::size_t>(heldOutScores.rows()) },
                heldOutPart.examples, 0));
        collector.add(score);
    }
    return collector.summary();
}

Result<ChanceScore> shuffledLabels(
    Method method, const Design& design, double relativeStrength, const RowsRef& rows,
    const Examples& heldOut, const HeldOutOptions& options, const RidgeFactor* factor, const Work& work)
{
    LODESTONE_TRY(const Excerpt heldOutPart, excerptOf(rows, heldOut));
    const Eigen::VectorXd real = design.y.array() + design.yMean;
    Rng rng(options.seed, 0x5f0f);
    ChanceCollector collector;
    for (int s = 0; s < options.shuffles; ++s) {
        if (work.cancelled())
            return cancelled();
        Eigen::VectorXd shuffled = real;
        if (design.kind == DesignKind::Pairs) {
            for (double& label : shuffled)
                label = rng.below(2) == 1 ? label : -label;
        } else {
            rng.shuffle(shuffled);
        }
        LODESTONE_TRY(
            const DirectionFit fit,
            fitDirection(method, design, shuffled, fitOptions(options, relativeStrength), factor));
        LODESTONE_TRY(
            const Score score, scoreReadOut(fit.readOut, heldOutPart.rows, heldOutPart.examples, 0));
        collector.add(score);
    }
    return collector.summary();
}

Result<Score> lengthOnly(
    std::span<const double> lengths, const Examples& training, const Examples& heldOut,
    const HeldOutOptions& options)
{
    Rows rows(static_cast<Eigen::Index>(lengths.size()), 1);
    for (std::size_t i = 0; i < lengths.size(); ++i)
        rows(static_cast<Eigen::Index>(i), 0) = static_cast<float>(lengths[i]);
    LODESTONE_TRY(const Design design, designOf(rows, training));
    LODESTONE_TRY(DirectionFit fit, fitDirection(Method::DifferenceOfMeans, design));
    // Mean lengths and most pairs can disagree: what counts here is what most training examples say.
    if (fit.trainingAccuracy < 0.5) {
        fit.readOut.weights *= -1.0;
        fit.readOut.offset *= -1.0;
    }
    return scoreReadOut(fit.readOut, rows, heldOut, options.resamples, options.seed);
}

Result<LayerScore> scoreLayer(
    Method method, const RowsRef& rows, const Examples& training, const Examples& heldOut,
    std::span<const double> lengths, const RowsRef* embedding, const HeldOutOptions& options,
    const Work& work)
{
    LODESTONE_CHECK(checkSides(training, heldOut));
    LODESTONE_TRY(Design made, designOf(rows, training));
    const auto design = std::make_shared<const Design>(std::move(made));
    std::optional<RidgeFactor> factor;
    if (isRegression(method)) {
        LODESTONE_TRY(factor, RidgeFactor::make(design));
    }
    const RidgeFactor* const shared = factor ? &*factor : nullptr;

    LayerScore result;
    LODESTONE_TRY(result.fit, fitDirection(method, *design, fitOptions(options), shared));
    LODESTONE_TRY(
        result.heldOut, scoreReadOut(result.fit.readOut, rows, heldOut, options.resamples, options.seed));
    if (shared) {
        LODESTONE_TRY(
            result.crossValidated,
            crossValidateRegression(result.fit, *shared, rows, training, options, work));
    } else {
        LODESTONE_TRY(result.crossValidated, crossValidate(method, rows, training, options, work));
    }
    LODESTONE_TRY(result.random, randomDirections(rows, training, heldOut, options));
    LODESTONE_TRY(
        result.shuffled,
        shuffledLabels(method, *design, result.fit.relativeStrength, rows, heldOut, options, shared, work));
    if (!lengths.empty()) {
        LODESTONE_TRY(result.length, lengthOnly(lengths, training, heldOut, options));
    }
    if (embedding) {
        LODESTONE_TRY(result.embedding, fitAndScore(method, *embedding, training, heldOut, options));
    }
    return result;
}

} // namespace lodestone::geometry
