#include "core/geometry/subspace.h"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <string>

namespace lodestone::geometry {

Result<Subspace> Subspace::fromGram(const Eigen::MatrixXd& gram, double tolerance)
{
    if (gram.rows() != gram.cols())
        return badInput(
            "a square Gram matrix", std::to_string(gram.rows()) + " x " + std::to_string(gram.cols()),
            "subspace");
    Subspace space;
    const Eigen::Index k = gram.rows();
    space.m_gram = gram;
    space.m_norms = Eigen::VectorXd::Zero(k);
    space.m_inverseNorms = Eigen::VectorXd::Zero(k);
    space.m_cosines = Eigen::MatrixXd::Zero(k, k);
    space.m_inverse = Eigen::MatrixXd::Zero(k, k);
    if (k == 0)
        return space;
    if (!gram.allFinite())
        return badInput("a finite Gram matrix", "NaN or infinity", "subspace");
    if ((gram - gram.transpose()).cwiseAbs().maxCoeff() > 1e-8 * gram.cwiseAbs().maxCoeff())
        return badInput("a symmetric Gram matrix", "one that is not", "subspace");
    space.m_gram = 0.5 * (gram + gram.transpose());
    for (Eigen::Index i = 0; i < k; ++i) {
        space.m_norms[i] = std::sqrt(std::max(space.m_gram(i, i), 0.0));
        if (space.m_norms[i] > 0)
            space.m_inverseNorms[i] = 1.0 / space.m_norms[i];
    }
    space.m_cosines = space.m_inverseNorms.asDiagonal() * space.m_gram * space.m_inverseNorms.asDiagonal();

    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen(space.m_cosines);
    const Eigen::VectorXd& values = eigen.eigenvalues();
    Eigen::VectorXd inverted = Eigen::VectorXd::Zero(k);
    for (Eigen::Index i = 0; i < k; ++i) {
        if (values[i] > 0 && values[i] > tolerance * values[k - 1]) {
            inverted[i] = 1.0 / values[i];
            ++space.m_rank;
        }
    }
    space.m_inverse = eigen.eigenvectors() * inverted.asDiagonal() * eigen.eigenvectors().transpose();
    return space;
}

Eigen::VectorXd Subspace::projection(const Eigen::VectorXd& innerWithDirections) const
{
    return m_inverseNorms.cwiseProduct(m_inverse * m_inverseNorms.cwiseProduct(innerWithDirections));
}

double Subspace::squaredNormWithin(const Eigen::VectorXd& innerWithDirections) const
{
    return std::max(innerWithDirections.dot(projection(innerWithDirections)), 0.0);
}

double Subspace::share(const Eigen::VectorXd& innerWithDirections, double squaredNorm) const
{
    return squaredNorm > 0 ? std::min(squaredNormWithin(innerWithDirections) / squaredNorm, 1.0) : 0.0;
}

Eigen::VectorXd Subspace::weightedSum(const Eigen::VectorXd& weights) const
{
    return m_inverseNorms.cwiseProduct(weights);
}

double Subspace::norm(const Eigen::VectorXd& a) const { return std::sqrt(std::max(inner(a, a), 0.0)); }

double Subspace::cosine(const Eigen::VectorXd& a, const Eigen::VectorXd& c) const
{
    const double norms = norm(a) * norm(c);
    return norms > 0 ? std::clamp(inner(a, c) / norms, -1.0, 1.0) : 0.0;
}

double Subspace::cosineWith(
    const Eigen::VectorXd& a, const Eigen::VectorXd& innerWithDirections, double squaredNorm) const
{
    const double norms = norm(a) * std::sqrt(std::max(squaredNorm, 0.0));
    return norms > 0 ? std::clamp(a.dot(innerWithDirections) / norms, -1.0, 1.0) : 0.0;
}

Eigen::MatrixXd Subspace::projectorOnCoefficients() const
{
    return m_inverseNorms.asDiagonal() * m_inverse * m_inverseNorms.asDiagonal() * m_gram;
}

Result<Projector>
Projector::make(std::vector<ReadOut> directions, const Covariance& covariance, double tolerance)
{
    Projector projector(covariance);
    const auto k = static_cast<Eigen::Index>(directions.size());
    projector.m_directions.resize(covariance.width(), k);
    projector.m_displacements.resize(covariance.width(), k);
    projector.m_offsets.resize(k);
    for (Eigen::Index i = 0; i < k; ++i) {
        const ReadOut& direction = directions[static_cast<std::size_t>(i)];
        if (direction.weights.size() != covariance.width())
            return badInput(
                "directions of width " + std::to_string(covariance.width()),
                "width " + std::to_string(direction.weights.size()), "direction " + std::to_string(i));
        projector.m_directions.col(i) = direction.weights;
        projector.m_displacements.col(i) = covariance.apply(direction.weights);
        projector.m_offsets[i] = direction.offset;
    }
    LODESTONE_TRY(
        projector.m_subspace,
        Subspace::fromGram(projector.m_directions.transpose() * projector.m_displacements, tolerance));
    return projector;
}

Eigen::VectorXd Projector::innerWithDirections(const Eigen::VectorXd& w) const
{
    return m_displacements.transpose() * w;
}

ReadOut Projector::apply(const ReadOut& w) const
{
    return combine(m_subspace.projection(innerWithDirections(w.weights)));
}

ReadOut Projector::combine(const Eigen::VectorXd& coefficients) const
{
    return { m_directions * coefficients, m_offsets.dot(coefficients) };
}

double Projector::share(const ReadOut& w) const
{
    return m_subspace.share(innerWithDirections(w.weights), m_covariance.inner(w.weights, w.weights));
}

} // namespace lodestone::geometry
