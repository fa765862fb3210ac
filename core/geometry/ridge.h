// Ridge regression whose costly part is done once per layer, so that a new set of judgments is a new
// direction within a frame.
#pragma once

#include "core/base/error.h"
#include "core/geometry/design.h"

#include <memory>
#include <vector>

namespace lodestone::geometry {

struct RidgeFit {
    Eigen::VectorXd weights; ///< [d] on the design's standardised coordinates
    double intercept = 0; ///< mean of y (0 for pairs); prediction = intercept + X weights
    double strength = 0; ///< the k in (X'X + k I)^{-1} X'y
    double relativeStrength = 0; ///< k over the mean squared singular value of X
    bool strengthAtEdge = false; ///< the choice lies at an end of the grid: a better one may lie outside
    Eigen::VectorXd outOfFold; ///< [n] predictions with the row's own group left out; empty below two groups
    double outOfFoldError = 0; ///< mean square of y - outOfFold; NaN below two groups
    /// Pearson correlation of outOfFold and y: how linear the judge is. 0 when y is constant (pairs with y =
    /// +1: use the share of positive outOfFold there); NaN below two groups.
    double outOfFoldCorrelation = 0;
};

/// X = U S V' through the eigen-decomposition of the smaller Gram matrix (dual XX' for n < d, else primal
/// X'X), with what leave-one-group-out needs for every strength of the grid; both depend on X only.
///
/// Strength: k = relative strength x mean S^2, chosen by the exact squared error with each group left out in
/// turn, in closed form: the left-out residuals of group g are (I - H_gg)^{-1} (y_g - yhat_g), H = U
/// diag(S^2/(S^2 + k)) U' (plus 1/n everywhere with an intercept). Leaving one row out is Allen's PRESS
/// (1974; Golub, Heath & Wahba 1979); the group form follows from the same Woodbury step. Both coordinates
/// and centring of the design are kept fixed; the intercept is refitted by the formula. Ties go to the
/// stronger penalty.
///
/// Cost: factor O(n d min(n, d)) once; a new y O(K (n^2 or n d)) with K = 15 strengths. Immutable: safe to
/// share between threads.
class RidgeFactor {
public:
    /// Errors: a design without rows.
    static Result<RidgeFactor> make(std::shared_ptr<const Design> design);

    /// `y`: [n], any scores of the design's rows (centred here when the design is). Below two groups the
    /// relative strength is 1 and nothing is out of fold. Errors: another length, values that are not finite.
    Result<RidgeFit> fit(const Eigen::VectorXd& y) const;

    /// The weights for a given strength k > 0. Requires y of length n.
    Eigen::VectorXd weights(const Eigen::VectorXd& y, double strength) const;

    /// The read-out on raw h that a fit to y without the listed rows gives at the strength k > 0, exactly,
    /// with the design's coordinates kept: rows whose y is replaced by their left-out prediction change no
    /// fit, so one solve of their size replaces a new factor. Requires y of length n and at least one row
    /// that is not listed.
    ReadOut readOutWithout(const Eigen::VectorXd& y, double strength, const std::vector<int>& leftOut) const;

    /// Relative strengths tried: half decades from 1e-3 to 1e4.
    static const std::vector<double>& grid();

    const Design& design() const { return *m_design; }
    Eigen::Index rank() const { return m_squares.size(); }
    double meanSquare() const
    {
        return m_meanSquare;
    } ///< mean S^2 over the rank; the unit of relative strengths

    /// Rows in the basis of right singular vectors, X V = U S, shape [n x rank].
    Eigen::MatrixXd rowsInBasis() const;

    /// V times coefficients: shape [rank] -> [d].
    Eigen::VectorXd fromBasis(const Eigen::VectorXd& coefficients) const;

private:
    RidgeFactor() = default;
    void prepareGroups();
    Eigen::MatrixXd leftOutInverse(const Eigen::MatrixXd& basisRows, double strength) const;
    Eigen::MatrixXd basisRowsOf(const std::vector<int>& items) const;
    Eigen::VectorXd shrinkage(double strength) const;

    std::shared_ptr<const Design> m_design;
    bool m_dual = false;
    Eigen::MatrixXd m_basis; ///< dual: U [n x r]; primal: V [d x r]
    Eigen::VectorXd m_squares; ///< S^2 [r], largest first
    double m_meanSquare = 0;
    std::vector<std::vector<int>> m_groups;
    /// Per group (I - H_gg)^{-1} for every strength, side by side [m x (m K)]; empty for a group too large to
    /// keep.
    std::vector<Eigen::MatrixXd> m_inverses;
};

} // namespace lodestone::geometry
