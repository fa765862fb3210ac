// How far a direction can be trusted and how directions relate: the cone of its resamples, the pairs that
// point against it, cosines, transfer between sets of labels, and what is left when a category is left out.
#pragma once

#include "core/base/error.h"
#include "core/base/progress.h"
#include "core/geometry/covariance.h"
#include "core/geometry/examples.h"
#include "core/geometry/statistics.h"

#include <Eigen/Core>
#include <span>
#include <string>
#include <vector>

namespace lodestone::geometry {

/// Cosines of a difference of means refitted on groups drawn with replacement with that of all groups.
struct BootstrapCone {
    double median = 0;
    double low = 0; ///< 5 % quantile: the half angle of the cone that holds 95 % of the refits is acos(low)
    int resamples = 0;
    double halfAngleDegrees() const;
};

/// One product [resamples x groups][groups x d] in float32; the draws are those of the seed alone, so that
/// layers share them. Items: rows of signed differences (pairs: chosen - rejected) or of labelled rows
/// (+-1, then the difference of the class means). Coordinates as given (standardise first). Errors: fewer
/// than two groups, one class only.
Result<BootstrapCone> bootstrapCone(const Design& design, int resamples = 1000, std::uint64_t seed = 0);

/// Share of the items whose own difference points against the direction (projection below 0, ties half):
/// pairs by their difference, labelled rows by their side of the threshold.
double antiAlignedShare(const Design& design, const Eigen::VectorXd& direction);

/// Cosines between k displacements on raw h [d x k]. Euclidean on standardised coordinates; Sigma as the
/// read-outs that they become, D1' Sigma^{-1} D2 / (|.||.|) (docs/theory.md 8.2). Zero vectors: 0.
struct Cosines {
    Eigen::MatrixXd euclidean, sigma; ///< [k x k]
};
Result<Cosines> cosinesOf(
    const Eigen::MatrixXd& displacements, const Standardiser& coordinates, const Covariance& covariance);

/// Held-out accuracy of directions fitted on one set of labels and scored on another.
struct Transfer {
    std::vector<std::string> names;
    std::vector<std::vector<Estimate>> accuracy; ///< [fitted on][scored on]
    std::vector<Estimate> withoutIt; ///< fitted on all sets but this one, scored on its held-out items
    Eigen::MatrixXd displacements; ///< [d x k] difference of means of each set's training items, raw h
};

struct NamedExamples {
    std::string name;
    Examples training, heldOut;
};

/// Every set against every set by one method. A cell that cannot be fitted or scored is NaN. Errors: fewer
/// than two sets, cancellation.
Result<Transfer> transfer(
    Method method, const RowsRef& rows, std::span<const NamedExamples> sets, std::uint64_t seed = 0,
    const Work& work = {});

} // namespace lodestone::geometry
