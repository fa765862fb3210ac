#include "core/policy/log_linear.h"

#include <Eigen/Eigenvalues>
#include <cmath>

namespace lodestone::policy {
namespace {

std::vector<int> firstOf(const Pool& pool)
{
    std::vector<int> first{ 0 };
    for (const Pool::Prompt& prompt : pool.prompts)
        first.push_back(first.back() + static_cast<int>(prompt.rows.size()));
    return first;
}

} // namespace

Result<Features>
makeFeatures(const Pool& pool, const geometry::RowsRef& rows, const geometry::Standardiser& coordinates)
{
    std::vector<int> which;
    for (const Pool::Prompt& prompt : pool.prompts)
        which.insert(which.end(), prompt.rows.begin(), prompt.rows.end());
    if (which.empty())
        return badInput("candidates of held-out prompts", "none", "features of a policy");
    Features features;
    features.first = firstOf(pool);
    const geometry::Rows standardised = coordinates.apply(geometry::gather(rows, which));
    Eigen::MatrixXd centred = standardised.cast<double>();
    for (int p = 0; p < features.prompts(); ++p) {
        const int from = features.first[static_cast<std::size_t>(p)];
        auto block = centred.middleRows(from, features.first[static_cast<std::size_t>(p) + 1] - from);
        block.rowwise() -= block.colwise().mean().eval();
    }
    const bool dual = centred.rows() < centred.cols();
    const Eigen::MatrixXd gram = dual ? Eigen::MatrixXd(centred * centred.transpose())
                                      : Eigen::MatrixXd(centred.transpose() * centred);
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen(gram);
    const Eigen::VectorXd& values = eigen.eigenvalues(); // smallest first
    const double largest = values.size() > 0 ? values[values.size() - 1] : 0;
    if (!(largest > 0) || !std::isfinite(largest))
        return badInput(
            "candidates that differ within their prompts", "identical activations", "features of a policy");
    Eigen::Index rank = 0;
    const Eigen::Index freeLogits = centred.rows() - features.prompts();
    while (rank < std::min(values.size(), freeLogits) && values[values.size() - 1 - rank] > 1e-10 * largest)
        ++rank;
    const Eigen::MatrixXd axes = eigen.eigenvectors().rightCols(rank).rowwise().reverse();
    const Eigen::VectorXd sizes = values.tail(rank).reverse();
    features.x
        = dual ? Eigen::MatrixXd(axes * sizes.cwiseSqrt().asDiagonal()) : Eigen::MatrixXd(centred * axes);
    features.variance = Eigen::VectorXd::Zero(rank);
    for (int p = 0; p < features.prompts(); ++p) {
        const int from = features.first[static_cast<std::size_t>(p)];
        const auto block
            = features.x.middleRows(from, features.first[static_cast<std::size_t>(p) + 1] - from);
        features.variance
            += block.cwiseAbs2().colwise().mean().transpose() / static_cast<double>(features.prompts());
    }
    const double total = features.variance.sum();
    features.x /= std::sqrt(total);
    features.variance /= total;
    return features;
}

Features tabularFeatures(const Pool& pool)
{
    Features features;
    features.first = firstOf(pool);
    const Eigen::Index n = features.first.back();
    features.x = Eigen::MatrixXd::Zero(n, n - features.prompts());
    features.variance.resize(features.x.cols());
    Eigen::Index column = 0;
    for (int p = 0; p < features.prompts(); ++p) {
        const int from = features.first[static_cast<std::size_t>(p)];
        const int count = features.first[static_cast<std::size_t>(p) + 1] - from;
        for (int j = 1; j < count; ++j, ++column) { // the first j against the next
            const double norm = std::sqrt(j * (j + 1.0));
            for (int i = 0; i < j; ++i)
                features.x(from + i, column) = 1 / norm;
            features.x(from + j, column) = -j / norm;
            features.variance[column] = 1.0 / count / features.prompts();
        }
    }
    const double total = features.variance.sum();
    features.x /= std::sqrt(total);
    features.variance /= total;
    return features;
}

std::vector<double> softmaxWithin(const Features& features, const Eigen::VectorXd& logits)
{
    std::vector<double> result(static_cast<std::size_t>(logits.size()));
    for (int p = 0; p < features.prompts(); ++p) {
        const int from = features.first[static_cast<std::size_t>(p)],
                  to = features.first[static_cast<std::size_t>(p) + 1];
        const double most = logits.segment(from, to - from).maxCoeff();
        double sum = 0;
        for (int i = from; i < to; ++i)
            sum += result[static_cast<std::size_t>(i)] = std::exp(logits[i] - most);
        for (int i = from; i < to; ++i)
            result[static_cast<std::size_t>(i)] /= sum;
    }
    return result;
}

std::vector<double> logLinear(const Features& features, const Eigen::VectorXd& theta)
{
    return softmaxWithin(features, features.x * theta);
}

double klOf(const Features& features, std::span<const double> probabilities)
{
    double sum = 0;
    for (int p = 0; p < features.prompts(); ++p) {
        const int from = features.first[static_cast<std::size_t>(p)],
                  to = features.first[static_cast<std::size_t>(p) + 1];
        for (int i = from; i < to; ++i)
            if (const double q = probabilities[static_cast<std::size_t>(i)]; q > 0)
                sum += q * std::log(q * (to - from));
    }
    return features.prompts() > 0 ? sum / features.prompts() : 0;
}

} // namespace lodestone::policy
