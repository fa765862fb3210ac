// Logistic regression with an L2 penalty, in the basis of the design's singular vectors, where its Hessian is
// nearly diagonal and a fit takes milliseconds.
#pragma once

#include "core/base/error.h"
#include "core/geometry/ridge.h"

#include <cstdint>
#include <span>

namespace lodestone::geometry {

struct LogisticFit {
    Eigen::VectorXd weights; ///< [d] on the design's standardised coordinates
    double intercept = 0; ///< 0 for pairs; relative to the centred X otherwise
    double strength = 0; ///< the k in sum_i log(1 + exp(-y_i f_i)) + k |w|^2/2
    double relativeStrength = 0; ///< k over the mean squared singular value of X
    bool strengthAtEdge = false;
    bool converged = false; ///< gradient below 1e-8 of its norm at zero
    int iterations = 0;
};

/// Minimises sum_i log(1 + exp(-y_i f_i)) + k |w|^2/2 over w (and an unpenalised intercept for single rows)
/// by Newton's method (iteratively reweighted least squares); each step is solved by conjugate gradients in
/// the basis of right singular vectors, preconditioned by the Hessian's diagonal, and halved until the
/// objective falls. For pairs this is the Bradley-Terry likelihood. The penalty keeps separable data finite.
///
/// `labels`: +1 or -1 per row of the factor's design. `relativeStrength` > 0: that strength; else it is
/// chosen among the decades 1e-3 .. 1e4 by the deviance of held-out groups in `folds` folds of whole groups
/// (ties to the stronger), or is 1 when no fold can be fitted (one group, one class). Deterministic in the
/// seed, which only deals the groups to the folds. `items`, when not empty: only these rows count, on the
/// same coordinates; the strength must then be given.
///
/// Errors: labels of another length or other than +1 and -1, items out of range or without a strength; for
/// single rows, only one class.
Result<LogisticFit> fitLogistic(
    const RidgeFactor& factor, const Eigen::VectorXd& labels, double relativeStrength = 0, int folds = 5,
    std::uint64_t seed = 0, std::span<const int> items = {});

} // namespace lodestone::geometry
