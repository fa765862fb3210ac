#include "core/geometry/logistic.h"

#include "core/geometry/numbers.h"
#include "core/geometry/split.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

namespace lodestone::geometry {

namespace {

constexpr int newtonLimit = 100;
constexpr int conjugateLimit = 250;

/// log(1 + exp(-m)) without overflow.
double loss(double margin)
{
    return margin > 0 ? std::log1p(std::exp(-margin)) : std::log1p(std::exp(margin)) - margin;
}

/// Rows in the basis, with a last column of ones when there is an intercept, and the penalty of each
/// coordinate.
struct Problem {
    Eigen::MatrixXd rows;
    Eigen::VectorXd labels;
    Eigen::VectorXd penalty;

    double objective(const Eigen::VectorXd& beta) const
    {
        const Eigen::ArrayXd margins = labels.array() * (rows * beta).array();
        double sum = 0.5 * penalty.dot(beta.cwiseAbs2());
        for (const double margin : margins)
            sum += loss(margin);
        return sum;
    }
};

struct Solution {
    Eigen::VectorXd beta;
    bool converged = false;
    int iterations = 0;
};

/// Conjugate gradients for (Z'WZ + penalty) step = -gradient, preconditioned by the diagonal.
Eigen::VectorXd newtonStep(
    const Problem& problem, const Eigen::VectorXd& curvature, const Eigen::VectorXd& gradient,
    double tolerance)
{
    const Eigen::MatrixXd& Z = problem.rows;
    Eigen::VectorXd diagonal = problem.penalty;
    diagonal.noalias() += Z.cwiseAbs2().transpose() * curvature;
    const Eigen::VectorXd inverse = diagonal.cwiseMax(1e-300).cwiseInverse();
    Eigen::VectorXd step = Eigen::VectorXd::Zero(gradient.size());
    Eigen::VectorXd residual = -gradient;
    Eigen::VectorXd preconditioned = inverse.cwiseProduct(residual);
    Eigen::VectorXd search = preconditioned;
    double product = residual.dot(preconditioned);
    const double target = tolerance * residual.norm();
    for (int i = 0; i < conjugateLimit && residual.norm() > target; ++i) {
        Eigen::VectorXd image = problem.penalty.cwiseProduct(search);
        image.noalias() += Z.transpose() * curvature.cwiseProduct(Z * search);
        const double length = product / search.dot(image);
        if (!std::isfinite(length))
            break;
        step += length * search;
        residual -= length * image;
        preconditioned = inverse.cwiseProduct(residual);
        const double next = residual.dot(preconditioned);
        search = preconditioned + (next / product) * search;
        product = next;
    }
    return step;
}

Solution solve(const Problem& problem, Eigen::VectorXd start, double precision)
{
    Solution solution;
    solution.beta = std::move(start);
    const double scale = 0.5 * (problem.rows.transpose() * problem.labels).norm();
    double value = problem.objective(solution.beta);
    for (; solution.iterations < newtonLimit; ++solution.iterations) {
        const Eigen::VectorXd fitted = problem.rows * solution.beta;
        Eigen::VectorXd slope(fitted.size());
        Eigen::VectorXd curvature(fitted.size());
        for (Eigen::Index i = 0; i < fitted.size(); ++i) {
            const double wrong = sigmoid(-problem.labels[i] * fitted[i]);
            slope[i] = -problem.labels[i] * wrong;
            curvature[i] = wrong * (1 - wrong);
        }
        Eigen::VectorXd gradient = problem.penalty.cwiseProduct(solution.beta);
        gradient.noalias() += problem.rows.transpose() * slope;
        const double size = gradient.norm();
        if (size <= precision * scale) {
            solution.converged = true;
            break;
        }
        // Loose far from the optimum, tight near it: superlinear convergence at the price of few products.
        const double forcing = std::clamp(std::sqrt(size / scale) * 0.1, 1e-6, 0.1);
        const Eigen::VectorXd step = newtonStep(problem, curvature, gradient, forcing);
        double length = 1;
        double next = problem.objective(solution.beta + step);
        const double slopeAlong = gradient.dot(step);
        // The last digits of the objective are rounding; a full Newton step is safe there.
        const double rounding = 1e-13 * (std::abs(value) + 1);
        while (next > value + 1e-4 * length * slopeAlong + rounding && length > 1e-10) {
            length *= 0.5;
            next = problem.objective(solution.beta + length * step);
        }
        if (length <= 1e-10)
            break;
        solution.beta += length * step;
        value = next;
    }
    return solution;
}

Problem problemOf(
    const Eigen::MatrixXd& basisRows, const Eigen::VectorXd& labels, std::span<const int> items,
    bool intercept)
{
    Problem problem;
    const auto count = static_cast<Eigen::Index>(items.size());
    problem.rows.resize(count, basisRows.cols() + (intercept ? 1 : 0));
    problem.labels.resize(count);
    for (Eigen::Index i = 0; i < count; ++i) {
        const int item = items[static_cast<std::size_t>(i)];
        if (basisRows.cols() > 0) // identical rows span nothing
            problem.rows.row(i).head(basisRows.cols()) = basisRows.row(item);
        problem.labels[i] = labels[item];
    }
    if (intercept)
        problem.rows.rightCols(1).setOnes();
    problem.penalty = Eigen::VectorXd::Zero(problem.rows.cols());
    return problem;
}

bool hasBothClasses(const Eigen::VectorXd& labels)
{
    return labels.size() > 0 && labels.minCoeff() < 0 && labels.maxCoeff() > 0;
}

const std::vector<double>& strengths()
{
    static const std::vector<double> decades{ 1e-3, 1e-2, 1e-1, 1, 1e1, 1e2, 1e3, 1e4 };
    return decades;
}

} // namespace

Result<LogisticFit> fitLogistic(
    const RidgeFactor& factor, const Eigen::VectorXd& labels, double relativeStrength, int folds,
    std::uint64_t seed, std::span<const int> items)
{
    const Design& design = factor.design();
    if (labels.size() != design.size())
        return badInput(
            std::to_string(design.size()) + " labels", std::to_string(labels.size()), "logistic regression");
    for (Eigen::Index i = 0; i < labels.size(); ++i)
        if (std::abs(labels[i]) != 1)
            return badInput(
                "labels +1 or -1", std::to_string(labels[i]),
                "logistic regression, item " + std::to_string(i));
    for (const int item : items)
        if (item < 0 || item >= design.size())
            return badInput(
                "row numbers below " + std::to_string(design.size()), std::to_string(item),
                "logistic regression");
    if (!items.empty() && !(relativeStrength > 0))
        return fail(ErrorKind::Usage, "a strength for a part of the rows", "none", "logistic regression");

    const bool intercept = design.centred();
    std::vector<int> chosen(items.begin(), items.end());
    if (items.empty()) {
        chosen.resize(static_cast<std::size_t>(design.size()));
        std::iota(chosen.begin(), chosen.end(), 0);
    }
    const Eigen::MatrixXd basisRows = factor.rowsInBasis();
    const Eigen::Index rank = factor.rank();
    Problem problem = problemOf(basisRows, labels, chosen, intercept);
    if (intercept && !hasBothClasses(problem.labels))
        return badInput("both labels", "one only", "logistic regression");

    const std::vector<double>& relative = strengths();
    LogisticFit fit;
    fit.relativeStrength = relativeStrength > 0 ? relativeStrength : 1;
    if (!(relativeStrength > 0) && rank > 0) {
        std::vector<double> deviance(relative.size(), 0.0);
        int used = 0;
        for (const Split& split : foldsByGroup(design.group, folds, seed)) {
            Problem training = problemOf(basisRows, labels, split.training, intercept);
            const Problem test = problemOf(basisRows, labels, split.heldOut, intercept);
            if (intercept && !hasBothClasses(training.labels))
                continue;
            ++used;
            Eigen::VectorXd beta = Eigen::VectorXd::Zero(training.rows.cols());
            for (std::size_t k = relative.size(); k-- > 0;) {
                training.penalty.head(rank).setConstant(relative[k] * factor.meanSquare());
                beta = solve(training, std::move(beta), 1e-4).beta;
                deviance[k] += test.objective(beta);
            }
        }
        if (used > 0) {
            std::size_t best = relative.size() - 1;
            for (std::size_t k = relative.size() - 1; k-- > 0;)
                if (deviance[k] < deviance[best])
                    best = k;
            fit.relativeStrength = relative[best];
            fit.strengthAtEdge = best == 0 || best + 1 == relative.size();
        }
    }

    fit.strength = fit.relativeStrength * factor.meanSquare();
    problem.penalty.head(rank).setConstant(fit.strength);
    const Solution solution = solve(problem, Eigen::VectorXd::Zero(problem.rows.cols()), 1e-8);
    fit.weights = factor.fromBasis(solution.beta.head(rank));
    fit.intercept = intercept ? solution.beta[rank] : 0.0;
    fit.converged = solution.converged;
    fit.iterations = solution.iterations;
    return fit;
}

} // namespace lodestone::geometry
