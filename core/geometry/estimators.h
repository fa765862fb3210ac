// The ways to a direction from labelled activations, behind one call, so that a study can compare them
// fairly.
#pragma once

#include "core/base/error.h"
#include "core/geometry/design.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace lodestone::geometry {

class RidgeFactor;

/// How a direction is found. Scores (real-valued y) count for the classifiers as above or below their mean.
enum class Method {
    DifferenceOfMeans, ///< mean of chosen minus mean of rejected: a displacement; scored on standardised
                       ///< coordinates
    Ridge, ///< least squares with an L2 penalty, strength by leave-one-group-out (ridge.h)
    Logistic, ///< logistic regression with an L2 penalty (logistic.h)
    MassMean, ///< the mean difference on raw h used as a read-out, unstandardised (Marks & Tegmark 2023)
    Lda, ///< Sigma^{-1} times the mean difference, Sigma pooled within classes and shrunk (Fisher 1936;
         ///< covariance.h)
    Lat, ///< first principal component of randomly signed differences, sign by labels (Zou et al. 2023)
    Caa, ///< mean raw difference, scored along itself without standardising (Rimsky et al. 2023)
    Pca, ///< first principal component of labelled differences about zero, standardised
    PcaCentred ///< the same about their mean, which takes the value's own difference away (T45)
};

/// All methods in the order above.
std::span<const Method> allMethods();

/// "difference-of-means", "ridge", "logistic", "mass-mean", "lda", "lat", "caa", "pca", "pca-centred".
std::string_view methodName(Method method);

/// The inverse; an Error of kind Usage lists the names.
Result<Method> parseMethod(std::string_view name);

struct DirectionFit {
    Method method = Method::Ridge;
    /// On raw h; higher means chosen, label +1 or a higher score. What accuracy is measured with.
    /// The offset puts 0 at the decision boundary for labels, at the mean of the training rows for pairs, and
    /// makes ridge on scores a prediction of the score.
    ReadOut readOut;
    /// On raw h, for the methods that estimate a move (difference of means, mass-mean, LAT, CAA, PCA),
    /// oriented alike.
    std::optional<Displacement> displacement;
    double strength
        = 0; ///< of the penalty, absolute; for LDA the Ledoit-Wolf shrinkage; 0 where there is none
    double relativeStrength = 0; ///< over the mean squared singular value; 0 where there is none
    bool strengthAtEdge = false; ///< the chosen strength lies at an end of its grid
    bool converged = true; ///< false only for a logistic regression that ran out of steps
    double trainingAccuracy = 0; ///< share of training items on the side of their label, ties half
    std::string note; ///< how the direction was oriented and what else a reader must know, in plain words
};

struct FitOptions {
    int folds = 5; ///< for the strength of logistic regression
    double relativeStrength = 0; ///< > 0: use this penalty in ridge and logistic instead of choosing one
    std::uint64_t seed = 0; ///< deals folds and random signs
};

/// Fits a direction to the design's X and y. `factor`, when given, must be that of the same X: ridge and
/// logistic then skip the factorisation. Errors: one class only for classifiers on single rows; too few rows
/// or no variance for LDA and LAT. A zero direction is no error: it scores everything alike (accuracy 1/2)
/// and the note says so.
Result<DirectionFit> fitDirection(
    Method method, const Design& design, const FitOptions& options = {}, const RidgeFactor* factor = nullptr);

/// The same X with another y [n] in its place, not centred: +1/-1 for pairs and labels, any values for
/// scores. Shuffled labels and new judgments of the same rows so need no copy of X.
Result<DirectionFit> fitDirection(
    Method method, const Design& design, const Eigen::VectorXd& y, const FitOptions& options = {},
    const RidgeFactor* factor = nullptr);

} // namespace lodestone::geometry
