#include "core/geometry/ridge.h"

#include "core/geometry/numbers.h"
#include "core/geometry/statistics.h"

#include <Eigen/Cholesky>
#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <string>

namespace lodestone::geometry {

namespace {

// Groups above this size are solved anew in every fit: kept inverses would grow with the square of the group.
constexpr std::size_t largestKeptGroup = 64;

// Relative to the largest squared singular value; below it a direction is rounding of the Gram matrix.
constexpr double rankTolerance = 1e-12;

} // namespace

const std::vector<double>& RidgeFactor::grid()
{
    static const std::vector<double> strengths = [] {
        std::vector<double> values;
        for (int step = -6; step <= 8; ++step)
            values.push_back(std::pow(10.0, step / 2.0));
        return values;
    }();
    return strengths;
}

Result<RidgeFactor> RidgeFactor::make(std::shared_ptr<const Design> design)
{
    if (!design || design->size() == 0 || design->width() == 0)
        return badInput("at least one training row", "none", "ridge regression");
    RidgeFactor factor;
    factor.m_design = std::move(design);
    const Rows& X = factor.m_design->X;
    factor.m_dual = X.rows() < X.cols();
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen(factor.m_dual ? rowGram(X) : columnGram(X));
    if (eigen.info() != Eigen::Success)
        return fail(
            ErrorKind::Failed, "an eigen-decomposition of the Gram matrix", "no convergence",
            "ridge regression");
    const Eigen::VectorXd& values = eigen.eigenvalues();
    const Eigen::Index size = values.size();
    const double threshold = rankTolerance * std::max(values[size - 1], 0.0);
    Eigen::Index rank = 0;
    while (rank < size && values[size - 1 - rank] > threshold)
        ++rank;
    factor.m_squares = values.tail(rank).reverse();
    factor.m_basis = eigen.eigenvectors().rightCols(rank).rowwise().reverse();
    factor.m_meanSquare = rank > 0 ? factor.m_squares.mean() : 0.0;
    factor.prepareGroups();
    return factor;
}

Eigen::VectorXd RidgeFactor::shrinkage(double strength) const
{
    // Dual rows are rows of U, primal ones rows of X V = U S: the factor that turns their products into H
    // differs.
    if (m_dual)
        return m_squares.array() / (m_squares.array() + strength);
    return (m_squares.array() + strength).inverse();
}

Eigen::MatrixXd RidgeFactor::basisRowsOf(const std::vector<int>& items) const
{
    if (!m_dual)
        return times(gather(m_design->X, items), m_basis);
    Eigen::MatrixXd rows(static_cast<Eigen::Index>(items.size()), m_basis.cols());
    for (std::size_t i = 0; i < items.size(); ++i)
        rows.row(static_cast<Eigen::Index>(i)) = m_basis.row(items[i]);
    return rows;
}

Eigen::MatrixXd RidgeFactor::leftOutInverse(const Eigen::MatrixXd& basisRows, double strength) const
{
    const Eigen::Index size = basisRows.rows();
    Eigen::MatrixXd left = Eigen::MatrixXd::Identity(size, size);
    left.noalias() -= basisRows * shrinkage(strength).asDiagonal() * basisRows.transpose();
    if (m_design->centred())
        left.array() -= 1.0 / static_cast<double>(m_design->size());
    return left.llt().solve(Eigen::MatrixXd::Identity(size, size));
}

void RidgeFactor::prepareGroups()
{
    m_groups = compactGroups(m_design->group).members();
    m_inverses.resize(m_groups.size());
    if (m_groups.size() < 2 || rank() == 0)
        return;
    const auto strengths = static_cast<Eigen::Index>(grid().size());
    // Several groups at a time, so that the product with the basis is one large one.
    constexpr std::size_t batchRows = 256;
    for (std::size_t begin = 0; begin < m_groups.size();) {
        std::vector<int> items;
        std::size_t end = begin;
        for (; end < m_groups.size() && (end == begin || items.size() + m_groups[end].size() <= batchRows);
             ++end)
            if (m_groups[end].size() <= largestKeptGroup)
                items.insert(items.end(), m_groups[end].begin(), m_groups[end].end());
        const Eigen::MatrixXd rows = basisRowsOf(items);
        Eigen::Index offset = 0;
        for (std::size_t g = begin; g < end; ++g) {
            const auto size = static_cast<Eigen::Index>(m_groups[g].size());
            if (m_groups[g].size() > largestKeptGroup)
                continue;
            const Eigen::MatrixXd own = rows.middleRows(offset, size);
            m_inverses[g].resize(size, size * strengths);
            for (Eigen::Index k = 0; k < strengths; ++k)
                m_inverses[g].middleCols(k * size, size)
                    = leftOutInverse(own, grid()[static_cast<std::size_t>(k)] * m_meanSquare);
            offset += size;
        }
        begin = end;
    }
}

Result<RidgeFit> RidgeFactor::fit(const Eigen::VectorXd& y) const
{
    const Eigen::Index n = m_design->size();
    if (y.size() != n)
        return badInput(std::to_string(n) + " scores", std::to_string(y.size()), "ridge regression");
    if (!y.allFinite())
        return badInput("finite scores", "NaN or infinity", "ridge regression");

    RidgeFit result;
    result.intercept = m_design->centred() ? y.mean() : 0.0;
    const Eigen::VectorXd target = y.array() - result.intercept;
    const std::vector<double>& relative = grid();
    const auto strengths = static_cast<Eigen::Index>(relative.size());

    if (rank() == 0 || m_groups.size() < 2) {
        result.relativeStrength = 1;
        result.strength = m_meanSquare;
        result.weights = weights(y, result.strength);
        result.outOfFoldError = nan;
        result.outOfFoldCorrelation = nan;
        return result;
    }

    // Predictions of all strengths at once, then the left-out residuals group by group.
    const Eigen::VectorXd projected
        = m_basis.transpose() * (m_dual ? target : transposeTimes(m_design->X, target));
    Eigen::MatrixXd shrunk(rank(), strengths);
    for (Eigen::Index k = 0; k < strengths; ++k)
        shrunk.col(k)
            = projected.cwiseProduct(shrinkage(relative[static_cast<std::size_t>(k)] * m_meanSquare));
    Eigen::MatrixXd residuals = target.replicate(1, strengths);
    if (m_dual)
        residuals.noalias() -= m_basis * shrunk;
    else
        residuals -= times(m_design->X, Eigen::MatrixXd(m_basis * shrunk));

    Eigen::MatrixXd leftOut(n, strengths);
    for (std::size_t g = 0; g < m_groups.size(); ++g) {
        const std::vector<int>& items = m_groups[g];
        const auto size = static_cast<Eigen::Index>(items.size());
        const bool kept = m_inverses[g].size() > 0;
        const Eigen::MatrixXd own = kept ? Eigen::MatrixXd() : basisRowsOf(items);
        Eigen::VectorXd residual(size);
        for (Eigen::Index k = 0; k < strengths; ++k) {
            for (Eigen::Index i = 0; i < size; ++i)
                residual[i] = residuals(items[static_cast<std::size_t>(i)], k);
            const Eigen::VectorXd solved = kept
                ? Eigen::VectorXd(m_inverses[g].middleCols(k * size, size) * residual)
                : Eigen::VectorXd(
                    leftOutInverse(own, grid()[static_cast<std::size_t>(k)] * m_meanSquare) * residual);
            for (Eigen::Index i = 0; i < size; ++i)
                leftOut(items[static_cast<std::size_t>(i)], k) = solved[i];
        }
    }

    const Eigen::VectorXd errors = leftOut.colwise().squaredNorm().transpose() / static_cast<double>(n);
    Eigen::Index best = strengths - 1;
    for (Eigen::Index k = strengths - 2; k >= 0; --k)
        if (errors[k] < errors[best])
            best = k;
    result.relativeStrength = relative[static_cast<std::size_t>(best)];
    result.strength = result.relativeStrength * m_meanSquare;
    result.strengthAtEdge = best == 0 || best == strengths - 1;
    result.weights = m_dual
        ? transposeTimes(
            m_design->X, m_basis * (projected.array() / (m_squares.array() + result.strength)).matrix())
        : Eigen::VectorXd(m_basis * shrunk.col(best));
    result.outOfFold = y - leftOut.col(best);
    result.outOfFoldError = errors[best];
    const auto length = static_cast<std::size_t>(n);
    result.outOfFoldCorrelation = pearson({ result.outOfFold.data(), length }, { y.data(), length });
    return result;
}

Eigen::VectorXd RidgeFactor::weights(const Eigen::VectorXd& y, double strength) const
{
    if (rank() == 0)
        return Eigen::VectorXd::Zero(m_design->width());
    const Eigen::VectorXd target = m_design->centred() ? Eigen::VectorXd(y.array() - y.mean()) : y;
    const Eigen::ArrayXd damping = (m_squares.array() + strength).inverse();
    if (m_dual)
        return transposeTimes(
            m_design->X, m_basis * (damping * (m_basis.transpose() * target).array()).matrix());
    return m_basis * (damping * (m_basis.transpose() * transposeTimes(m_design->X, target)).array()).matrix();
}

ReadOut
RidgeFactor::readOutWithout(const Eigen::VectorXd& y, double strength, const std::vector<int>& leftOut) const
{
    const double intercept = m_design->centred() ? y.mean() : 0.0;
    const Eigen::VectorXd fitted
        = times(gather(m_design->X, leftOut), weights(y, strength)).array() + intercept;
    const auto count = static_cast<Eigen::Index>(leftOut.size());
    Eigen::VectorXd residual(count);
    for (Eigen::Index i = 0; i < count; ++i)
        residual[i] = y[leftOut[static_cast<std::size_t>(i)]] - fitted[i];
    const Eigen::VectorXd leftOutResidual = leftOutInverse(basisRowsOf(leftOut), strength) * residual;
    Eigen::VectorXd replaced = y;
    for (Eigen::Index i = 0; i < count; ++i)
        replaced[leftOut[static_cast<std::size_t>(i)]] -= leftOutResidual[i];
    return m_design->toRaw(weights(replaced, strength), m_design->centred() ? replaced.mean() : 0.0);
}

Eigen::MatrixXd RidgeFactor::rowsInBasis() const
{
    if (m_dual)
        return m_basis * m_squares.cwiseSqrt().asDiagonal();
    return times(m_design->X, m_basis);
}

Eigen::VectorXd RidgeFactor::fromBasis(const Eigen::VectorXd& coefficients) const
{
    if (!m_dual)
        return m_basis * coefficients;
    return transposeTimes(m_design->X, m_basis * coefficients.cwiseQuotient(m_squares.cwiseSqrt()));
}

} // namespace lodestone::geometry
