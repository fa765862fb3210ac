// How good a direction is on prompts it has not seen, beside what chance, length and mere words would reach:
// no accuracy is shown without these (docs/theory.md 8.7 and 8.10).
#pragma once

#include "core/base/error.h"
#include "core/base/progress.h"
#include "core/geometry/examples.h"
#include "core/geometry/split.h"

#include <cstdint>
#include <optional>
#include <span>

namespace lodestone::geometry {

class RidgeFactor;

struct HeldOutOptions {
    int folds = 5; ///< of the cross-validation inside the training examples
    int resamples = 1000; ///< of the bootstrap over groups
    int randomDirections = 50;
    int shuffles = 20;
    std::uint64_t seed = 0;
};

/// What is reached without knowing anything: mean and 97.5 % quantile over random repetitions.
struct ChanceScore {
    double accuracy = 0;
    double accuracyUpper = 0;
    double auc = 0;
    double aucUpper = 0;
    int repetitions = 0; ///< how many could be fitted
};

/// Mean agreement inside the training examples, each group scored by a fit that has not seen it.
struct CrossValidated {
    double accuracy = 0; ///< over all items
    double auc = 0; ///< mean over the folds in which it is defined
    int folds = 0; ///< 0: fewer than two groups, and both are NaN
};

/// `folds` fits, each on the other folds' groups alone and standardised by them; folds whose training side
/// has one class only are left out. Ridge and logistic regression keep the coordinates and the strength found
/// on all the examples, so that one factorisation serves every fold (for ridge in closed form): neither knows
/// a fold's labels beyond that one number.
Result<CrossValidated> crossValidate(
    Method method, const RowsRef& rows, const Examples& examples, const HeldOutOptions& options = {},
    const Work& work = {});

/// Directions drawn at random on the standardised coordinates, each turned so that it agrees with the
/// training labels.
Result<ChanceScore> randomDirections(
    const RowsRef& rows, const Examples& training, const Examples& heldOut,
    const HeldOutOptions& options = {});

/// The same method on training labels that were flipped at random (pairs: each by a coin; rows: labels
/// permuted), at the penalty chosen for the real labels. `design`: of the training examples.
Result<ChanceScore> shuffledLabels(
    Method method, const Design& design, double relativeStrength, const RowsRef& rows,
    const Examples& heldOut, const HeldOutOptions& options = {}, const RidgeFactor* factor = nullptr,
    const Work& work = {});

/// Length alone, "longer" or "shorter" as the training examples say. `lengths`: one per activation row, any
/// unit.
Result<Score> lengthOnly(
    std::span<const double> lengths, const Examples& training, const Examples& heldOut,
    const HeldOutOptions& options = {});

struct LayerScore {
    DirectionFit fit; ///< on all training examples
    CrossValidated crossValidated; ///< chooses layer and method; the held-out examples must not
    Score heldOut;
    ChanceScore random;
    ChanceScore shuffled;
    std::optional<Score> length; ///< when lengths were given
    std::optional<Score> embedding; ///< the same method on the embedding rows, when given
};

/// Fits on `training`, scores once on `heldOut` (both refer to the same `rows`; their groups must not
/// overlap), with all baselines in the same terms. `lengths` may be empty and `embedding` null. Deterministic
/// in options.seed. Errors: no examples on either side, overlapping groups, or what the method cannot fit.
Result<LayerScore> scoreLayer(
    Method method, const RowsRef& rows, const Examples& training, const Examples& heldOut,
    std::span<const double> lengths = {}, const RowsRef* embedding = nullptr,
    const HeldOutOptions& options = {}, const Work& work = {});

} // namespace lodestone::geometry
