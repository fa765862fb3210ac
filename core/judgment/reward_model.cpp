#include "core/judgment/reward_model.h"

#include "core/base/rng.h"
#include "core/geometry/numbers.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace lodestone::judgment {
namespace {

constexpr int newtonLimit = 60, conjugateLimit = 200;

using geometry::sigmoid;

/// Cross-entropy of a label p and the logit f, without overflow: log(1 + e^f) - p f.
double crossEntropy(double p, double f)
{
    return std::max(f, 0.0) + std::log1p(std::exp(-std::abs(f))) - p * f;
}

struct Fit {
    Eigen::VectorXd weights;
    bool converged = false;
    int iterations = 0;
};

/// Some comparisons in the singular basis.
struct Problem {
    Eigen::MatrixXd rows; ///< [n, r]
    Eigen::VectorXd p; ///< [n]
    double penalty = 1;

    double objective(const Eigen::VectorXd& w) const
    {
        const Eigen::VectorXd logits = rows * w;
        double sum = 0.5 * penalty * w.squaredNorm();
        for (Eigen::Index i = 0; i < p.size(); ++i)
            sum += crossEntropy(p[i], logits[i]);
        return sum;
    }

    /// Conjugate gradients for (Z'CZ + k I) step = -gradient, preconditioned by the diagonal.
    Eigen::VectorXd
    newtonStep(const Eigen::VectorXd& curvature, const Eigen::VectorXd& gradient, double tolerance) const
    {
        Eigen::VectorXd diagonal = rows.cwiseAbs2().transpose() * curvature;
        diagonal.array() += penalty;
        Eigen::VectorXd step = Eigen::VectorXd::Zero(gradient.size()), residual = -gradient;
        Eigen::VectorXd scaled = residual.cwiseQuotient(diagonal), search = scaled;
        double product = residual.dot(scaled);
        const double target = tolerance * residual.norm();
        for (int i = 0; i < conjugateLimit && residual.norm() > target; ++i) {
            Eigen::VectorXd image = penalty * search;
            image.noalias() += rows.transpose() * curvature.cwiseProduct(rows * search);
            const double length = product / search.dot(image);
            if (!std::isfinite(length))
                break;
            step += length * search;
            residual -= length * image;
            scaled = residual.cwiseQuotient(diagonal);
            const double next = residual.dot(scaled);
            search = scaled + (next / product) * search;
            product = next;
        }
        return step;
    }

    Fit solve(Eigen::VectorXd start) const
    {
        Fit fit{ std::move(start), false, 0 };
        const double scale = (rows.transpose() * (p.array() - 0.5).matrix()).norm();
        double value = objective(fit.weights);
        for (; fit.iterations < newtonLimit; ++fit.iterations) {
            const Eigen::VectorXd logits = rows * fit.weights;
            Eigen::VectorXd slope(p.size()), curvature(p.size());
            for (Eigen::Index i = 0; i < p.size(); ++i) {
                const double q = sigmoid(logits[i]);
                slope[i] = q - p[i];
                curvature[i] = q * (1 - q);
            }
            Eigen::VectorXd gradient = penalty * fit.weights;
            gradient.noalias() += rows.transpose() * slope;
            if (gradient.norm() <= 1e-8 * scale || scale == 0) {
                fit.converged = true;
                break;
            }
            const double forcing = std::clamp(0.1 * std::sqrt(gradient.norm() / scale), 1e-7, 0.1);
            const Eigen::VectorXd step = newtonStep(curvature, gradient, forcing);
            const double rounding = 1e-13 * (std::abs(value) + 1);
            double length = 1, next = objective(fit.weights + step);
            while (next > value + 1e-4 * length * gradient.dot(step) + rounding && length > 1e-10)
                next = objective(fit.weights + (length *= 0.5) * step);
            if (length <= 1e-10)
                break;
            fit.weights += length * step;
            value = next;
        }
        return fit;
    }
};

Problem subset(const Problem& all, const std::vector<int>& items)
{
    Problem result;
    result.rows.resize(static_cast<Eigen::Index>(items.size()), all.rows.cols());
    result.p.resize(static_cast<Eigen::Index>(items.size()));
    for (std::size_t i = 0; i < items.size(); ++i) {
        result.rows.row(static_cast<Eigen::Index>(i)) = all.rows.row(items[i]);
        result.p[static_cast<Eigen::Index>(i)] = all.p[items[i]];
    }
    return result;
}

struct Choice {
    double strength = 1, heldOut = std::numeric_limits<double>::quiet_NaN();
};

/// The decade with the smallest cross-entropy of held-out prompts; ties to the stronger penalty.
Choice chooseStrength(
    const Problem& all, const std::vector<int>& groups, double unit, const RewardModelOptions& options)
{
    const geometry::CompactGroups compact = geometry::compactGroups(groups);
    const int folds = std::min(options.folds, compact.count);
    if (folds < 2)
        return {};
    std::vector<int> foldOf(static_cast<std::size_t>(compact.count));
    for (std::size_t i = 0; i < foldOf.size(); ++i)
        foldOf[i] = static_cast<int>(i) % folds;
    Rng rng(options.seed, 0xf01d);
    rng.shuffle(foldOf);
    const std::vector<double> decades{ 1e4, 1e3, 1e2, 10, 1, 0.1, 1e-2, 1e-3 };
    std::vector<double> loss(decades.size(), 0);
    for (int fold = 0; fold < folds; ++fold) {
        std::vector<int> training, heldOut;
        for (std::size_t i = 0; i < groups.size(); ++i)
            (foldOf[static_cast<std::size_t>(compact.of[i])] == fold ? heldOut : training)
                .push_back(static_cast<int>(i));
        Problem inside = subset(all, training);
        const Problem outside = subset(all, heldOut);
        Eigen::VectorXd weights = Eigen::VectorXd::Zero(all.rows.cols());
        for (std::size_t d = 0; d < decades.size(); ++d) { // from strong to weak: each starts at the last
            inside.penalty = decades[d] * unit;
            weights = inside.solve(std::move(weights)).weights;
            const Eigen::VectorXd logits = outside.rows * weights;
            for (Eigen::Index i = 0; i < logits.size(); ++i)
                loss[d] += crossEntropy(outside.p[i], logits[i]);
        }
    }
    const auto best = std::min_element(loss.begin(), loss.end());
    return { decades[static_cast<std::size_t>(best - loss.begin())],
             *best / static_cast<double>(groups.size()) };
}

} // namespace

Result<RewardModel> fitRewardModel(
    const geometry::RowsRef& rows, std::span<const Comparison> comparisons,
    const geometry::Standardiser& coordinates, const RewardModelOptions& options)
{
    if (comparisons.empty())
        return badInput("comparisons to fit a reward model to", "none");
    std::vector<geometry::Pair> pairs;
    std::vector<int> groups;
    bool hard = true;
    for (const Comparison& one : comparisons) {
        if (!(one.p >= 0 && one.p <= 1))
            return badInput("a probability of a preference", std::to_string(one.p), "reward model");
        hard = hard && (one.p == 0 || one.p == 1);
        pairs.push_back({ one.a, one.b, 0 }); // the folds below are of prompts; the factor needs none
        groups.push_back(one.group);
    }
    LODESTONE_TRY(auto made, geometry::Design::fromPairs(rows, pairs, coordinates));
    const auto design = std::make_shared<const geometry::Design>(std::move(made));
    LODESTONE_TRY(const auto factor, geometry::RidgeFactor::make(design));
    Problem all;
    all.rows = factor.rowsInBasis();
    all.p.resize(static_cast<Eigen::Index>(comparisons.size()));
    for (std::size_t i = 0; i < comparisons.size(); ++i)
        all.p[static_cast<Eigen::Index>(i)] = comparisons[i].p;
    const double unit = factor.meanSquare() > 0 ? factor.meanSquare() : 1;
    const Choice choice = options.relativeStrength > 0
        ? Choice{ options.relativeStrength, std::numeric_limits<double>::quiet_NaN() }
        : chooseStrength(all, groups, unit, options);

    RewardModel model;
    model.relativeStrength = choice.strength;
    model.heldOutCrossEntropy = choice.heldOut;
    all.penalty = choice.strength * unit;
    const Fit fit = all.solve(Eigen::VectorXd::Zero(all.rows.cols()));
    model.converged = fit.converged;
    model.iterations = fit.iterations;
    const Eigen::VectorXd logits = all.rows * fit.weights;
    for (Eigen::Index i = 0; i < logits.size(); ++i)
        model.crossEntropy += crossEntropy(all.p[i], logits[i]) / static_cast<double>(logits.size());
    if (hard) { // a nearly unpenalised fit that orders every label shows that they are separable
        Problem loose = all;
        loose.penalty = 1e-6 * unit;
        const Eigen::VectorXd margins = loose.rows * loose.solve(fit.weights).weights;
        model.separated = true;
        for (Eigen::Index i = 0; i < margins.size() && model.separated; ++i)
            model.separated = (2 * all.p[i] - 1) * margins[i] > 0;
    }
    model.readOut = design->toRaw(factor.fromBasis(fit.weights), 0);
    return model;
}

} // namespace lodestone::judgment
