// What a set of principles can do at all: the best and worst that weights or projections reach, how
// principles share or fight over a direction, and how far their order counts (docs/theory.md T14-T18).
#pragma once

#include "core/base/error.h"

#include <Eigen/Core>

namespace lodestone::geometry {

/// Smallest and largest value that can be reached.
struct Reach {
    double worst = 0;
    double best = 0;
};

/// T15: gain rate <w*, P w_J> over all orthogonal projectors P in whitened space, from |w*|, |w_J| (Sigma
/// norms) and their Sigma cosine: |w*||w_J| [-(1 - cos)/2, (1 + cos)/2]. Worst < 0, an adversarial
/// constitution, exists exactly when cos < 1.
Reach reachOfProjections(double normTrue, double normJudge, double cosine);

/// T16: Delta V at KL budget K over activations a >= 0 of Sigma-orthonormal directions with g_j = <w*, b_j>:
/// sqrt(2 K) times [-norm of the negative g_j, norm of the positive g_j]. `signedWeights`: any sign, then the
/// norm of all either way.
Reach reachOfWeights(const Eigen::VectorXd& gains, double K, bool signedWeights = false);

/// T17: the mix of principles that gains most under a KL budget.
struct BestMix {
    Eigen::VectorXd weights; ///< [k] on the directions as given, at lambda = 1: spends the budget exactly
    double valueGain = 0; ///< sqrt(2 K g' G^{-1} g)
    /// What g' G^{-1} g loses without principle i, as a share of it: 0 for a redundant one.
    Eigen::VectorXd share; ///< [k]
};
/// `gram`: G_ij = <b_i, b_j> [k x k], `gains`: g_i = <w*, b_i>. A pseudo-inverse (tolerance 1e-9 of the
/// largest eigenvalue) takes dependent principles. Errors: shapes, values that are not finite.
Result<BestMix> bestMix(const Eigen::MatrixXd& gram, const Eigen::VectorXd& gains, double K);

/// Delta V and K of given weights at a given lambda (T17): lambda a'g and lambda^2 a'G a/2.
struct MixGain {
    double valueGain = 0;
    double K = 0;
};
MixGain gainOfMix(
    const Eigen::MatrixXd& gram, const Eigen::VectorXd& gains, const Eigen::VectorXd& weights, double lambda);

/// T18: size of the commutator of two rank-1 projections whose directions have this cosine, |sin phi cos
/// phi|: how much "first A, then B" differs from "first B, then A"; 1/2 at most, at 45 degrees.
double orderDependence(double cosine);

/// [k x k] of orderDependence from a Gram matrix; 0 on the diagonal and for zero directions.
Eigen::MatrixXd orderDependences(const Eigen::MatrixXd& gram);

} // namespace lodestone::geometry
