// The inner product of value directions: the shrunk covariance of the activations, kept so that products stay
// cheap and a displacement can be turned into a read-out.
#pragma once

#include "core/base/error.h"
#include "core/geometry/standardise.h"

#include <memory>
#include <span>

namespace lodestone::geometry {

/// Sigma = D ((1 - rho) S + rho mu I) D of raw h, where S is the sample covariance of the rows on the
/// coordinates of a Standardiser (D = its scales; without one, D = I), mu = tr S/d, and rho is the shrinkage
/// of Ledoit & Wolf (2004), equations 14-16 with their estimators: with n rows x_k of mean zero,
///   delta^2 = |S|_F^2/d - mu^2,  beta^2 = min(delta^2, sum_k |x_k x_k' - S|_F^2/(d n^2)),  rho =
///   beta^2/delta^2
/// (0 when delta is 0: S is already a multiple of I). Nothing is tuned.
///
/// All arguments and results are on raw h. Costs: making O(n d min(n, d)); everything else O(d min(n, d)).
/// Immutable and cheap to copy; safe to share between threads.
class Covariance {
public:
    /// Rows centred by their common mean, divided by n, as in the paper.
    /// Errors: fewer than two rows, values that are not finite, no variance at all, a standardiser of another
    /// width.
    static Result<Covariance> fromRows(const RowsRef& rows, const Standardiser* coordinates = nullptr);

    /// Within groups: each group of m rows is replaced by its m - 1 orthonormal (Helmert) contrasts, which
    /// have mean zero and covariance Sigma when the rows of a group share one, so the formula holds with n =
    /// rows - groups and the degrees of freedom are right. A pair becomes its difference over sqrt 2. Errors
    /// as above, and when no group has two rows or the number of ids differs from that of the rows.
    static Result<Covariance>
    withinGroups(const RowsRef& rows, std::span<const int> groups, const Standardiser* coordinates = nullptr);

    Eigen::Index width() const;
    int degreesOfFreedom() const; ///< what S was divided by
    double shrinkage() const; ///< rho, 0 .. 1
    double meanVariance() const; ///< mu, on the standardiser's coordinates

    /// Sigma v.
    Eigen::VectorXd apply(const Eigen::VectorXd& v) const;

    /// Sigma^{-1} v, by a Cholesky factor made once (primal, or dual with the Woodbury identity for n < d).
    /// Error when Sigma is singular: no shrinkage and fewer rows than coordinates (one or two rows).
    Result<Eigen::VectorXd> solve(const Eigen::VectorXd& v) const;

    /// <a, b> = a' Sigma b, |a| = sqrt <a, a>, and the cosine, 0 when either norm is 0.
    double inner(const Eigen::VectorXd& a, const Eigen::VectorXd& b) const;
    double norm(const Eigen::VectorXd& a) const;
    double cosine(const Eigen::VectorXd& a, const Eigen::VectorXd& b) const;

    /// All <a_i, b_j>: shapes [d x k], [d x l] -> [k x l].
    Eigen::MatrixXd gram(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b) const;

    /// a' D^2 b: the product that the shrinkage target contributes.
    double targetDot(const Eigen::VectorXd& a, const Eigen::VectorXd& b) const;

    /// <a, b> in O(n) from the scores h'a and h'b of the rows this was made from, in their order (any
    /// offset), and targetDot(a, b). An edit of weights can so stay with scores and never touch the
    /// activations. NaN when the number of scores is not that of the rows.
    double innerFromScores(
        std::span<const double> scoresA, std::span<const double> scoresB, double targetDotAB) const;

    /// The displacement Sigma w along which read-out w steers (T42 of docs/theory.md).
    Displacement steer(const ReadOut& readOut) const;

    /// The read-out Sigma^{-1} delta whose steering is the displacement; offset 0.
    Result<ReadOut> readOut(const Displacement& displacement) const;

private:
    struct Data;
    static Result<Covariance> make(Rows zeroMean, Eigen::VectorXd scale, std::vector<int> groups);

    std::shared_ptr<const Data> m_data;
};

/// The orthonormal contrasts of rows within groups that `withinGroups` works with: shape [rows - groups, d],
/// each of mean zero. Contrast j of a group is (mean of its first j rows - row j) sqrt(j/(j + 1)).
Rows withinGroupContrasts(const RowsRef& rows, std::span<const int> groups);

} // namespace lodestone::geometry
