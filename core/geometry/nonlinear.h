// What a curved probe reads that a straight one does not: the nonlinear remainder of encoding quality (T1),
// so that "linear" is a finding and not an assumption.
#pragma once

#include "core/base/error.h"
#include "core/geometry/rows.h"
#include "core/geometry/statistics.h"

#include <cstdint>
#include <span>

namespace lodestone::geometry {

enum class Kernel {
    Linear, ///< x'y/p
    Quadratic, ///< (1 + x'y/p)^2
    Gaussian ///< exp(-|x - y|^2/(2 p))
};

/// Squared correlation of held-out scores with their prediction (0 where the correlation is negative), by
/// kernel ridge regression on the first p principal components of the training rows, each of variance 1.
struct NonlinearRemainder {
    Estimate linear, quadratic, gaussian; ///< held-out r^2, intervals over groups
    /// The better of the two curved probes minus the straight one, on the same resamples.
    Estimate remainder;
    /// The same with the training scores in random order, at the strengths chosen for the real ones: what
    /// probes of this size find where there is nothing. Of the straight probe's r^2, of the better curved
    /// probe's, and of their difference.
    struct Shuffled {
        double mean = 0;
        double upper = 0; ///< 97.5 % quantile
    };
    Shuffled shuffledLinear, shuffledCurved, shuffledRemainder;
    int components = 0;
};

/// Strengths by five folds of whole groups inside training, one per kernel. `scores`: one per listed row, of
/// training then held-out. Errors: fewer than 8 rows or 2 groups in training, no held-out row, rows without
/// variance, values that are not finite.
/// O(n^3) in the training rows, once per kernel and strength; `shuffles` cost O(n^2) each.
Result<NonlinearRemainder> nonlinearRemainder(
    const RowsRef& rows, std::span<const int> training, std::span<const int> heldOut,
    const Eigen::VectorXd& trainingScores, const Eigen::VectorXd& heldOutScores, std::span<const int> groups,
    int components = 24, std::uint64_t seed = 0, int shuffles = 20);

} // namespace lodestone::geometry
