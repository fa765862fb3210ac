// What a constitution spans: the projector on its principles' directions and weighted sums of them, in
// coefficients alone where a slider moves, in read-outs where they are needed.
#pragma once

#include "core/base/error.h"
#include "core/geometry/covariance.h"

#include <span>
#include <vector>

namespace lodestone::geometry {

/// k directions b_i known only by their Gram matrix G_ij = <b_i, b_j> in the Sigma inner product. Any vector
/// w is described by g_i = <b_i, w>, any combination sum_i a_i b_i by its coefficients a; both refer to the
/// b_i as given, not scaled. Projection is T2 of docs/theory.md: P = U (U' Sigma U)^{-1} U' Sigma, with a
/// pseudo-inverse of the unit Gram matrix: eigenvalues below `tolerance` x the largest count as dependence,
/// and `rank` says how many are left. A direction of norm 0 spans nothing and its weight has no effect.
class Subspace {
public:
    static constexpr double defaultTolerance = 1e-9;

    /// Errors: a matrix that is not square, not symmetric (to 1e-8 of its largest entry) or not finite. k = 0
    /// is the empty span: rank 0, every projection 0.
    static Result<Subspace> fromGram(const Eigen::MatrixXd& gram, double tolerance = defaultTolerance);

    int size() const { return static_cast<int>(m_norms.size()); }
    int rank() const { return m_rank; }
    const Eigen::MatrixXd& gram() const { return m_gram; }

    /// |b_i| in the Sigma norm [k].
    const Eigen::VectorXd& norms() const { return m_norms; }

    /// Cosines of the directions with each other [k x k]; rows of zero directions are 0.
    const Eigen::MatrixXd& cosines() const { return m_cosines; }

    /// Coefficients of P w = sum_i a_i b_i (the shortest ones in units of Sigma-unit directions when
    /// dependent) [k].
    Eigen::VectorXd projection(const Eigen::VectorXd& innerWithDirections) const;

    /// |P w|^2.
    double squaredNormWithin(const Eigen::VectorXd& innerWithDirections) const;

    /// |P w|^2/|w|^2, the share of w's squared Sigma norm that lies in the span, 0 .. 1; 0 for w = 0.
    double share(const Eigen::VectorXd& innerWithDirections, double squaredNorm) const;

    /// Coefficients of sum_i weights_i b_i/|b_i|: the weighted constitution [k].
    Eigen::VectorXd weightedSum(const Eigen::VectorXd& weights) const;

    /// <sum a_i b_i, sum c_i b_i>; norm and cosine likewise (cosine 0 when a norm is 0).
    double inner(const Eigen::VectorXd& a, const Eigen::VectorXd& c) const { return a.dot(m_gram * c); }
    double norm(const Eigen::VectorXd& a) const;
    double cosine(const Eigen::VectorXd& a, const Eigen::VectorXd& c) const;

    /// Cosine of sum a_i b_i with a vector known by g_i = <b_i, w> and |w|^2.
    double cosineWith(
        const Eigen::VectorXd& a, const Eigen::VectorXd& innerWithDirections, double squaredNorm) const;

    /// P acting on coefficients: a -> coefficients of P(sum a_i b_i) [k x k]; its trace is the rank.
    Eigen::MatrixXd projectorOnCoefficients() const;

private:
    Eigen::MatrixXd m_gram;
    Eigen::VectorXd m_norms;
    Eigen::VectorXd m_inverseNorms; ///< 0 for a zero direction
    Eigen::MatrixXd m_cosines;
    Eigen::MatrixXd m_inverse; ///< pseudo-inverse of m_cosines
    int m_rank = 0;
};

/// The same with the directions themselves, on raw h. A combination of read-outs carries the same combination
/// of their offsets, so that its score is the combination of their scores.
class Projector {
public:
    /// Errors: a direction of another width than the covariance, values that are not finite.
    static Result<Projector> make(
        std::vector<ReadOut> directions, const Covariance& covariance,
        double tolerance = Subspace::defaultTolerance);

    const Subspace& subspace() const { return m_subspace; }

    /// g_i = <b_i, w> [k].
    Eigen::VectorXd innerWithDirections(const Eigen::VectorXd& w) const;

    /// P w.
    ReadOut apply(const ReadOut& w) const;

    /// sum_i a_i b_i.
    ReadOut combine(const Eigen::VectorXd& coefficients) const;

    /// sum_i weights_i b_i/|b_i|.
    ReadOut weightedSum(const Eigen::VectorXd& weights) const
    {
        return combine(m_subspace.weightedSum(weights));
    }

    /// Share of w's squared Sigma norm inside the span, 0 .. 1.
    double share(const ReadOut& w) const;

    /// trace P, equal to the rank.
    double trace() const { return m_subspace.projectorOnCoefficients().trace(); }

private:
    explicit Projector(Covariance covariance)
        : m_covariance(std::move(covariance))
    {
    }

    Covariance m_covariance;
    Eigen::MatrixXd m_directions; ///< [d x k]
    Eigen::VectorXd m_offsets; ///< [k]
    Eigen::MatrixXd m_displacements; ///< Sigma b_i [d x k]
    Subspace m_subspace;
};

} // namespace lodestone::geometry
