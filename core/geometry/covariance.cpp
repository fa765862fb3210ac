#include "core/geometry/covariance.h"

#include "core/geometry/statistics.h"

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace lodestone::geometry {

struct Covariance::Data {
    Rows rows; ///< [n x d] of mean zero on standardised coordinates; kept only in the dual form
    Eigen::MatrixXd gram; ///< primal only: rows' rows [d x d]
    Eigen::LLT<Eigen::MatrixXd> factor; ///< of sampleWeight Gram + targetWeight I, for the smaller Gram
    Eigen::VectorXd scale; ///< [d]
    std::vector<int> groups; ///< of the rows this was made from; their scores are centred by it
    Eigen::Index count = 0; ///< n
    double sampleWeight = 0; ///< (1 - rho)/n
    double targetWeight = 0; ///< rho mu
    double shrinkage = 0;
    double meanVariance = 0;
    bool dual = false;
    bool invertible = false;

    Eigen::VectorXd applyStandardised(const Eigen::VectorXd& v) const
    {
        const Eigen::VectorXd product
            = dual ? transposeTimes(rows, times(rows, v)) : Eigen::VectorXd(gram * v);
        return sampleWeight * product + targetWeight * v;
    }
};

namespace {

Result<void> checkRows(const RowsRef& rows, const Standardiser* coordinates)
{
    if (rows.rows() < 2)
        return badInput("at least two rows", std::to_string(rows.rows()), "covariance");
    if (coordinates && coordinates->width() != rows.cols())
        return badInput(
            "rows of width " + std::to_string(coordinates->width()), "width " + std::to_string(rows.cols()),
            "covariance");
    for (Eigen::Index i = 0; i < rows.rows(); ++i)
        if (!rows.row(i).allFinite())
            return badInput("finite activations", "NaN or infinity", "covariance, row " + std::to_string(i));
    return {};
}

Rows scaled(const RowsRef& rows, const Standardiser* coordinates)
{
    return coordinates ? coordinates->apply(rows) : Rows(rows);
}

Eigen::VectorXd scaleOf(const RowsRef& rows, const Standardiser* coordinates)
{
    return coordinates ? coordinates->scale : Eigen::VectorXd::Ones(rows.cols());
}

} // namespace

Rows withinGroupContrasts(const RowsRef& rows, std::span<const int> groups)
{
    const CompactGroups compact = compactGroups(groups);
    Rows contrasts(rows.rows() - compact.count, rows.cols());
    Eigen::Index next = 0;
    Eigen::RowVectorXd sum;
    for (const std::vector<int>& members : compact.members()) {
        sum = rows.row(members.front()).cast<double>();
        for (std::size_t j = 1; j < members.size(); ++j) {
            const Eigen::RowVectorXd row = rows.row(members[j]).cast<double>();
            const double before = static_cast<double>(j);
            contrasts.row(next++) = ((sum / before - row) * std::sqrt(before / (before + 1))).cast<float>();
            sum += row;
        }
    }
    return contrasts;
}

Result<Covariance> Covariance::fromRows(const RowsRef& rows, const Standardiser* coordinates)
{
    LODESTONE_CHECK(checkRows(rows, coordinates));
    Rows centred = scaled(rows, coordinates);
    const Eigen::RowVectorXd mean = transposeTimes(centred, Eigen::VectorXd::Ones(centred.rows())).transpose()
        / static_cast<double>(centred.rows());
    for (Eigen::Index i = 0; i < centred.rows(); ++i)
        centred.row(i) = (centred.row(i).cast<double>() - mean).cast<float>();
    return make(
        std::move(centred), scaleOf(rows, coordinates),
        std::vector<int>(static_cast<std::size_t>(rows.rows()), 0));
}

Result<Covariance>
Covariance::withinGroups(const RowsRef& rows, std::span<const int> groups, const Standardiser* coordinates)
{
    LODESTONE_CHECK(checkRows(rows, coordinates));
    if (groups.size() != static_cast<std::size_t>(rows.rows()))
        return badInput(
            std::to_string(rows.rows()) + " group ids", std::to_string(groups.size()),
            "covariance within groups");
    Rows contrasts = withinGroupContrasts(scaled(rows, coordinates), groups);
    if (contrasts.rows() == 0)
        return badInput("a group with two rows", "single rows only", "covariance within groups");
    return make(std::move(contrasts), scaleOf(rows, coordinates), compactGroups(groups).of);
}

Result<Covariance> Covariance::make(Rows zeroMean, Eigen::VectorXd scale, std::vector<int> groups)
{
    const auto n = static_cast<double>(zeroMean.rows());
    const auto d = static_cast<double>(zeroMean.cols());
    auto data = std::make_shared<Data>();
    data->count = zeroMean.rows();
    data->scale = std::move(scale);
    data->groups = std::move(groups);
    data->dual = zeroMean.rows() < zeroMean.cols();
    Eigen::MatrixXd gram = data->dual ? rowGram(zeroMean) : columnGram(zeroMean);

    const double trace = gram.trace() / n;
    if (!(trace > 0))
        return badInput("activations that differ", "no variance in any coordinate", "covariance");
    const double mu = trace / d;
    const double squaredNorm = gram.squaredNorm() / (n * n);
    double fourthMoment = 0;
    for (Eigen::Index i = 0; i < zeroMean.rows(); ++i) {
        const double squared = zeroMean.row(i).cast<double>().squaredNorm();
        fourthMoment += squared * squared;
    }
    const double delta2 = squaredNorm / d - mu * mu;
    const double beta2 = std::clamp((fourthMoment / n - squaredNorm) / (n * d), 0.0, std::max(delta2, 0.0));
    data->meanVariance = mu;
    data->shrinkage = delta2 > 1e-15 * mu * mu ? beta2 / delta2 : 0.0;
    data->sampleWeight = (1.0 - data->shrinkage) / n;
    data->targetWeight = data->shrinkage * mu;

    Eigen::MatrixXd shrunk = data->sampleWeight * gram;
    shrunk.diagonal().array() += data->targetWeight;
    data->factor.compute(shrunk);
    // Cholesky of an exactly singular matrix can succeed by rounding: look at its pivots.
    const Eigen::VectorXd pivots = data->factor.matrixLLT().diagonal();
    const bool factored
        = data->factor.info() == Eigen::Success && pivots.minCoeff() > 1e-7 * pivots.maxCoeff();
    data->invertible
        = data->dual ? data->targetWeight > 1e-12 * mu && data->factor.info() == Eigen::Success : factored;
    if (data->dual)
        data->rows = std::move(zeroMean);
    else
        data->gram = std::move(gram);

    Covariance covariance;
    covariance.m_data = std::move(data);
    return covariance;
}

Eigen::Index Covariance::width() const { return m_data->scale.size(); }
int Covariance::degreesOfFreedom() const { return static_cast<int>(m_data->count); }
double Covariance::shrinkage() const { return m_data->shrinkage; }
double Covariance::meanVariance() const { return m_data->meanVariance; }

Eigen::VectorXd Covariance::apply(const Eigen::VectorXd& v) const
{
    return m_data->applyStandardised(v.cwiseProduct(m_data->scale)).cwiseProduct(m_data->scale);
}

Result<Eigen::VectorXd> Covariance::solve(const Eigen::VectorXd& v) const
{
    const Data& data = *m_data;
    if (v.size() != width())
        return badInput(
            "a vector of width " + std::to_string(width()), std::to_string(v.size()), "covariance");
    if (!data.invertible)
        return badInput(
            "an invertible covariance", std::to_string(data.count) + " degrees of freedom without shrinkage",
            "covariance");
    const Eigen::VectorXd x = v.cwiseQuotient(data.scale);
    Eigen::VectorXd solved;
    if (data.dual) {
        const Eigen::VectorXd inner = data.factor.solve(times(data.rows, x));
        solved = (x - data.sampleWeight * transposeTimes(data.rows, inner)) / data.targetWeight;
    } else {
        solved = data.factor.solve(x);
    }
    return Eigen::VectorXd(solved.cwiseQuotient(data.scale));
}

double Covariance::inner(const Eigen::VectorXd& a, const Eigen::VectorXd& b) const { return a.dot(apply(b)); }

double Covariance::norm(const Eigen::VectorXd& a) const { return std::sqrt(std::max(inner(a, a), 0.0)); }

double Covariance::cosine(const Eigen::VectorXd& a, const Eigen::VectorXd& b) const
{
    const Eigen::VectorXd sigmaB = apply(b);
    const double norms = norm(a) * std::sqrt(std::max(b.dot(sigmaB), 0.0));
    return norms > 0 ? std::clamp(a.dot(sigmaB) / norms, -1.0, 1.0) : 0.0;
}

Eigen::MatrixXd Covariance::gram(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b) const
{
    Eigen::MatrixXd applied(b.rows(), b.cols());
    for (Eigen::Index j = 0; j < b.cols(); ++j)
        applied.col(j) = apply(b.col(j));
    return a.transpose() * applied;
}

double Covariance::targetDot(const Eigen::VectorXd& a, const Eigen::VectorXd& b) const
{
    return a.cwiseProduct(m_data->scale).dot(b.cwiseProduct(m_data->scale));
}

double Covariance::innerFromScores(
    std::span<const double> scoresA, std::span<const double> scoresB, double targetDotAB) const
{
    if (scoresA.size() != m_data->groups.size() || scoresB.size() != m_data->groups.size())
        return std::numeric_limits<double>::quiet_NaN();
    const double products
        = centredWithinGroups(scoresA, m_data->groups).dot(centredWithinGroups(scoresB, m_data->groups));
    return m_data->sampleWeight * products + m_data->targetWeight * targetDotAB;
}

Displacement Covariance::steer(const ReadOut& readOut) const { return { apply(readOut.weights) }; }

Result<ReadOut> Covariance::readOut(const Displacement& displacement) const
{
    LODESTONE_TRY(Eigen::VectorXd weights, solve(displacement.delta));
    return ReadOut{ std::move(weights), 0.0 };
}

} // namespace lodestone::geometry
