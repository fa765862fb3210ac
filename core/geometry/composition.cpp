#include "core/geometry/composition.h"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>

namespace lodestone::geometry {
namespace {

/// Pseudo-inverse of a symmetric matrix scaled to a unit diagonal first.
Eigen::MatrixXd pseudoInverse(const Eigen::MatrixXd& gram)
{
    const Eigen::VectorXd scale
        = gram.diagonal().unaryExpr([](double v) { return v > 0 ? 1 / std::sqrt(v) : 0.0; });
    const Eigen::MatrixXd unit = scale.asDiagonal() * gram * scale.asDiagonal();
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(unit);
    const double largest
        = std::max(0.0, solver.eigenvalues().size() > 0 ? solver.eigenvalues().maxCoeff() : 0.0);
    const Eigen::VectorXd inverse = solver.eigenvalues().unaryExpr(
        [largest](double v) { return v > 1e-9 * largest && v > 0 ? 1 / v : 0.0; });
    return scale.asDiagonal() * solver.eigenvectors() * inverse.asDiagonal()
        * solver.eigenvectors().transpose() * scale.asDiagonal();
}

double captured(const Eigen::MatrixXd& gram, const Eigen::VectorXd& gains)
{
    return gains.size() == 0 ? 0.0 : std::max(0.0, gains.dot(pseudoInverse(gram) * gains));
}

} // namespace

Reach reachOfProjections(double normTrue, double normJudge, double cosine)
{
    const double product = normTrue * normJudge, c = std::clamp(cosine, -1.0, 1.0);
    return { -product * (1 - c) / 2, product * (1 + c) / 2 };
}

Reach reachOfWeights(const Eigen::VectorXd& gains, double K, bool signedWeights)
{
    const double root = std::sqrt(2 * std::max(0.0, K));
    if (signedWeights)
        return { -root * gains.norm(), root * gains.norm() };
    return { -root * gains.cwiseMin(0).norm(), root * gains.cwiseMax(0).norm() };
}

Result<BestMix> bestMix(const Eigen::MatrixXd& gram, const Eigen::VectorXd& gains, double K)
{
    if (gram.rows() != gram.cols() || gram.rows() != gains.size())
        return badInput(
            "a gain and a row of the Gram matrix for each principle",
            std::to_string(gains.size()) + " gains and " + std::to_string(gram.rows()) + " rows");
    if (!gram.allFinite() || !gains.allFinite())
        return badInput("finite inner products", "NaN or infinity", "composition");
    BestMix mix;
    const Eigen::Index k = gains.size();
    const Eigen::VectorXd direction
        = k > 0 ? Eigen::VectorXd(pseudoInverse(gram) * gains) : Eigen::VectorXd();
    const double whole = captured(gram, gains);
    mix.weights = Eigen::VectorXd::Zero(k);
    mix.share = Eigen::VectorXd::Zero(k);
    if (whole <= 0)
        return mix;
    mix.valueGain = std::sqrt(2 * std::max(0.0, K) * whole);
    mix.weights = direction * std::sqrt(2 * std::max(0.0, K) / whole);
    for (Eigen::Index i = 0; i < k; ++i) {
        Eigen::MatrixXd rest(k - 1, k - 1);
        Eigen::VectorXd others(k - 1);
        for (Eigen::Index a = 0, r = 0; a < k; ++a) {
            if (a == i)
                continue;
            others[r] = gains[a];
            for (Eigen::Index b = 0, c = 0; b < k; ++b)
                if (b != i)
                    rest(r, c++) = gram(a, b);
            ++r;
        }
        mix.share[i] = std::clamp((whole - captured(rest, others)) / whole, 0.0, 1.0);
    }
    return mix;
}

MixGain gainOfMix(
    const Eigen::MatrixXd& gram, const Eigen::VectorXd& gains, const Eigen::VectorXd& weights, double lambda)
{
    return { lambda * weights.dot(gains), lambda * lambda * weights.dot(gram * weights) / 2 };
}

double orderDependence(double cosine)
{
    const double c = std::clamp(cosine, -1.0, 1.0);
    return std::abs(c) * std::sqrt(1 - c * c);
}

Eigen::MatrixXd orderDependences(const Eigen::MatrixXd& gram)
{
    Eigen::MatrixXd result = Eigen::MatrixXd::Zero(gram.rows(), gram.cols());
    for (Eigen::Index i = 0; i < gram.rows(); ++i)
        for (Eigen::Index j = 0; j < gram.cols(); ++j)
            if (i != j && gram(i, i) > 0 && gram(j, j) > 0)
                result(i, j) = orderDependence(gram(i, j) / std::sqrt(gram(i, i) * gram(j, j)));
    return result;
}

} // namespace lodestone::geometry
