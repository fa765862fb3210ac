#include "core/geometry/nonlinear.h"

#include "core/base/rng.h"
#include "core/geometry/spectrum.h"
#include "core/geometry/split.h"
#include "core/geometry/standardise.h"

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>

namespace lodestone::geometry {
namespace {

Eigen::MatrixXd kernelOf(Kernel kernel, const Eigen::MatrixXd& a, const Eigen::MatrixXd& b)
{
    const auto p = static_cast<double>(a.cols());
    Eigen::MatrixXd k = a * b.transpose() / p;
    if (kernel == Kernel::Quadratic)
        return (k.array() + 1).square().matrix();
    if (kernel == Kernel::Gaussian) {
        const Eigen::VectorXd na = a.rowwise().squaredNorm() / (2 * p),
                              nb = b.rowwise().squaredNorm() / (2 * p);
        k.colwise() -= na;
        k.rowwise() -= nb.transpose();
        return k.array().exp().matrix();
    }
    return k;
}

/// Predictions of every column of `y`, each with its own mean. Shapes [n, n], [n, m], [other, n].
Eigen::MatrixXd
predicted(const Eigen::MatrixXd& k, const Eigen::MatrixXd& y, const Eigen::MatrixXd& cross, double strength)
{
    const Eigen::RowVectorXd means = y.colwise().mean();
    Eigen::MatrixXd regular = k;
    regular.diagonal().array() += strength * k.trace() / static_cast<double>(k.rows());
    const Eigen::MatrixXd weights = regular.ldlt().solve(y.rowwise() - means);
    return (cross * weights).rowwise() + means;
}

NonlinearRemainder::Shuffled shuffledOf(const std::vector<double>& values)
{
    NonlinearRemainder::Shuffled result;
    for (const double value : values)
        result.mean += value / static_cast<double>(values.size());
    result.upper = values.empty() ? 0 : quantile(values, 0.975);
    return result;
}

Eigen::MatrixXd
picked(const Eigen::MatrixXd& matrix, const std::vector<int>& rows, const std::vector<int>& columns)
{
    Eigen::MatrixXd result(static_cast<Eigen::Index>(rows.size()), static_cast<Eigen::Index>(columns.size()));
    for (std::size_t i = 0; i < rows.size(); ++i)
        for (std::size_t j = 0; j < columns.size(); ++j)
            result(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(j)) = matrix(rows[i], columns[j]);
    return result;
}

Eigen::VectorXd picked(const Eigen::VectorXd& values, const std::vector<int>& rows)
{
    Eigen::VectorXd result(static_cast<Eigen::Index>(rows.size()));
    for (std::size_t i = 0; i < rows.size(); ++i)
        result[static_cast<Eigen::Index>(i)] = values[rows[i]];
    return result;
}

/// What squaredCorrelation adds up, one row per item.
Eigen::MatrixXd sumsOf(const Eigen::VectorXd& guess, const Eigen::VectorXd& truth)
{
    Eigen::MatrixXd sums(guess.size(), 6);
    sums << Eigen::VectorXd::Ones(guess.size()), guess, truth, guess.cwiseAbs2(), truth.cwiseAbs2(),
        guess.cwiseProduct(truth);
    return sums;
}

/// r^2 from the sums n, a, b, aa, bb, ab; 0 for a negative or undefined correlation.
double squaredCorrelation(const Eigen::RowVectorXd& s)
{
    const double n = s[0], covariance = s[5] - s[1] * s[2] / n, va = s[3] - s[1] * s[1] / n,
                 vb = s[4] - s[2] * s[2] / n;
    return covariance > 0 && va > 0 && vb > 0 ? covariance * covariance / (va * vb) : 0;
}

} // namespace

Result<NonlinearRemainder> nonlinearRemainder(
    const RowsRef& rows, std::span<const int> training, std::span<const int> heldOut,
    const Eigen::VectorXd& trainingScores, const Eigen::VectorXd& heldOutScores, std::span<const int> groups,
    int components, std::uint64_t seed, int shuffles)
{
    const auto n = static_cast<int>(training.size());
    if (n < 8 || heldOut.empty())
        return badInput(
            "at least 8 training rows and one held-out row",
            std::to_string(n) + " and " + std::to_string(heldOut.size()), "nonlinear remainder");
    if (trainingScores.size() != n || heldOutScores.size() != static_cast<Eigen::Index>(heldOut.size())
        || !trainingScores.allFinite() || !heldOutScores.allFinite())
        return badInput("a finite score for each row", "others", "nonlinear remainder");
    LODESTONE_TRY(const Standardiser coordinates, Standardiser::fit(rows, training));
    const Rows x = coordinates.apply(gather(rows, training)), z = coordinates.apply(gather(rows, heldOut));
    LODESTONE_TRY(const Spectrum spectrum, principalComponents(x, std::min(components, n / 4)));
    if (spectrum.components.cols() == 0)
        return badInput("rows that vary", "no variance", "nonlinear remainder");
    const Eigen::MatrixXd whitening
        = spectrum.components * spectrum.variances.cwiseSqrt().cwiseInverse().asDiagonal();
    const Eigen::MatrixXd a = times(x, whitening), b = times(z, whitening);
    std::vector<int> trainingGroups, heldOutGroups;
    for (const int row : training)
        trainingGroups.push_back(groups[static_cast<std::size_t>(row)]);
    for (const int row : heldOut)
        heldOutGroups.push_back(groups[static_cast<std::size_t>(row)]);
    const std::vector<Split> folds = foldsByGroup(trainingGroups, 5, seed);
    if (folds.empty())
        return badInput("two prompts in training", "one", "nonlinear remainder");

    NonlinearRemainder result;
    result.components = static_cast<int>(spectrum.components.cols());
    const ClusterBootstrap bootstrap(heldOutGroups, 1000, seed);
    std::vector<Eigen::MatrixXd> resampled;
    std::vector<double> values;
    Eigen::MatrixXd targets(n, 1 + std::max(0, shuffles)); // the real scores, then shuffled ones
    Rng rng(seed, 0x51);
    Eigen::VectorXd order = trainingScores;
    for (Eigen::Index s = 0; s < targets.cols(); ++s) {
        targets.col(s) = order;
        rng.shuffle(order);
    }
    Eigen::MatrixXd byChance(targets.cols() - 1, 3);
    for (const Kernel kernel : { Kernel::Linear, Kernel::Quadratic, Kernel::Gaussian }) {
        const Eigen::MatrixXd k = kernelOf(kernel, a, a);
        double best = 1, least = std::numeric_limits<double>::infinity();
        for (const double strength : { 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0 }) {
            double error = 0;
            for (const Split& fold : folds)
                error += (predicted(
                              picked(k, fold.training, fold.training), picked(trainingScores, fold.training),
                              picked(k, fold.heldOut, fold.training), strength)
                          - picked(trainingScores, fold.heldOut))
                             .squaredNorm();
            if (error <= least) {
                least = error;
                best = strength;
            }
        }
        const Eigen::MatrixXd guesses = predicted(k, targets, kernelOf(kernel, b, a), best);
        const Eigen::MatrixXd sums = sumsOf(guesses.col(0), heldOutScores);
        for (Eigen::Index s = 1; s < guesses.cols(); ++s)
            byChance(s - 1, static_cast<Eigen::Index>(values.size()))
                = squaredCorrelation(sumsOf(guesses.col(s), heldOutScores).colwise().sum());
        values.push_back(squaredCorrelation(sums.colwise().sum()));
        resampled.push_back(bootstrap.sums(sums));
    }
    std::vector<double> draws[3], differences;
    for (Eigen::Index r = 0; r < resampled[0].rows(); ++r) {
        for (std::size_t i = 0; i < 3; ++i)
            draws[i].push_back(squaredCorrelation(resampled[i].row(r)));
        differences.push_back(std::max(draws[1].back(), draws[2].back()) - draws[0].back());
    }
    result.linear = { values[0], percentileInterval(draws[0]) };
    result.quadratic = { values[1], percentileInterval(draws[1]) };
    result.gaussian = { values[2], percentileInterval(draws[2]) };
    result.remainder = { std::max(values[1], values[2]) - values[0], percentileInterval(differences) };
    std::vector<double> straight, curved, beyond;
    for (Eigen::Index s = 0; s < byChance.rows(); ++s) {
        straight.push_back(byChance(s, 0));
        curved.push_back(std::max(byChance(s, 1), byChance(s, 2)));
        beyond.push_back(curved.back() - straight.back());
    }
    result.shuffledLinear = shuffledOf(straight);
    result.shuffledCurved = shuffledOf(curved);
    result.shuffledRemainder = shuffledOf(beyond);
    return result;
}

} // namespace lodestone::geometry
