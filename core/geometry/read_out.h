// Keeps read-outs (w: score = w'h) and displacements (Sigma w: h moves along it) apart, because mixing them
// is a silent error.
#pragma once

#include <Eigen/Core>

namespace lodestone::geometry {

/// A linear read-out of the residual stream: score(h) = weights . h + offset. Shape [width].
/// Regressions (ridge, logistic, LDA) estimate these. Products and cosines between read-outs are the Sigma
/// ones.
struct ReadOut {
    Eigen::VectorXd weights;
    double offset = 0;
};

/// A move in the residual stream: h -> h + c * delta. Shape [width]. Differences of means (labels, CAA,
/// persona contrast) and steering vectors are these; a displacement estimates Sigma w (T42), not w.
struct Displacement {
    Eigen::VectorXd delta;
};

} // namespace lodestone::geometry
