#include "core/geometry/direction_evidence.h"

#include "core/base/rng.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace lodestone::geometry {

double BootstrapCone::halfAngleDegrees() const
{
    return std::acos(std::clamp(low, -1.0, 1.0)) * 180 / 3.14159265358979323846;
}

Result<BootstrapCone> bootstrapCone(const Design& design, int resamples, std::uint64_t seed)
{
    const CompactGroups groups = compactGroups(design.group);
    if (groups.count < 2)
        return badInput("at least two prompts to resample", std::to_string(groups.count), "bootstrap cone");
    const Eigen::Index d = design.width();
    const bool pairs = !design.centred();
    const Eigen::VectorXd labels = design.labels();
    // Sums per group: for pairs one signed sum; for rows the sums and counts of either class.
    const Eigen::Index sides = pairs ? 1 : 2;
    std::vector<Rows> sums(static_cast<std::size_t>(sides), Rows::Zero(groups.count, d));
    Eigen::MatrixXf counts = Eigen::MatrixXf::Zero(groups.count, sides);
    for (Eigen::Index i = 0; i < design.size(); ++i) {
        const int group = groups.of[static_cast<std::size_t>(i)];
        const std::size_t side = pairs || labels[i] > 0 ? 0 : 1;
        sums[side].row(group) += pairs ? Eigen::RowVectorXf(design.X.row(i) * static_cast<float>(labels[i]))
                                       : Eigen::RowVectorXf(design.X.row(i));
        counts(group, static_cast<Eigen::Index>(side)) += 1;
    }
    if (!pairs && (counts.colwise().sum().array() == 0).any())
        return badInput("both labels", "one only", "bootstrap cone");
    const auto meanOf
        = [&](const Eigen::RowVectorXf& positive, float n, const Eigen::RowVectorXf* negative, float m) {
              Eigen::VectorXd mean = (positive / n).transpose().cast<double>();
              if (negative)
                  mean -= (*negative / m).transpose().cast<double>();
              return mean;
          };
    const Eigen::RowVectorXf all = sums[0].colwise().sum();
    const Eigen::RowVectorXf others
        = pairs ? Eigen::RowVectorXf() : Eigen::RowVectorXf(sums[1].colwise().sum());
    const Eigen::VectorXd whole
        = meanOf(all, counts.col(0).sum(), pairs ? nullptr : &others, pairs ? 1.0f : counts.col(1).sum());
    BootstrapCone cone;
    if (whole.norm() == 0)
        return cone;
    Rng rng(seed, 0xc0e);
    Rows draws = Rows::Zero(resamples, groups.count);
    for (int r = 0; r < resamples; ++r)
        for (int g = 0; g < groups.count; ++g)
            draws(r, static_cast<Eigen::Index>(rng.below(static_cast<std::uint32_t>(groups.count)))) += 1;
    const Rows first = draws * sums[0];
    const Rows second = pairs ? Rows() : Rows(draws * sums[1]);
    const Eigen::MatrixXf drawn = draws * counts;
    std::vector<double> cosines;
    for (int r = 0; r < resamples; ++r) {
        if (drawn(r, 0) == 0 || (!pairs && drawn(r, 1) == 0))
            continue; // a resample with one class has no difference
        const Eigen::RowVectorXf negative = pairs ? Eigen::RowVectorXf() : Eigen::RowVectorXf(second.row(r));
        const Eigen::VectorXd mean
            = meanOf(first.row(r), drawn(r, 0), pairs ? nullptr : &negative, pairs ? 1.0f : drawn(r, 1));
        const double norms = mean.norm() * whole.norm();
        cosines.push_back(norms > 0 ? mean.dot(whole) / norms : 0);
    }
    cone.resamples = static_cast<int>(cosines.size());
    cone.median = quantile(cosines, 0.5);
    cone.low = quantile(cosines, 0.05);
    return cone;
}

double antiAlignedShare(const Design& design, const Eigen::VectorXd& direction)
{
    const Eigen::VectorXd projections = times(design.X, direction);
    const Eigen::VectorXd labels = design.labels();
    const Eigen::VectorXd margins = projections.cwiseProduct(labels);
    const double right = pairAccuracy({ margins.data(), static_cast<std::size_t>(margins.size()) });
    return 1 - right;
}

Result<Cosines>
cosinesOf(const Eigen::MatrixXd& displacements, const Standardiser& coordinates, const Covariance& covariance)
{
    const Eigen::Index k = displacements.cols();
    if (displacements.rows() != covariance.width() || coordinates.width() != covariance.width())
        return badInput(
            std::to_string(covariance.width()) + " coordinates", std::to_string(displacements.rows()),
            "cosines");
    Eigen::MatrixXd scaled = coordinates.scale.cwiseInverse().asDiagonal() * displacements;
    Eigen::MatrixXd solved(displacements.rows(), k);
    for (Eigen::Index i = 0; i < k; ++i) {
        LODESTONE_TRY(const Eigen::VectorXd w, covariance.solve(displacements.col(i)));
        solved.col(i) = w;
    }
    const auto normalised = [](Eigen::MatrixXd gram) {
        const Eigen::VectorXd norms = gram.diagonal().cwiseMax(0).cwiseSqrt();
        for (Eigen::Index i = 0; i < gram.rows(); ++i)
            for (Eigen::Index j = 0; j < gram.cols(); ++j)
                gram(i, j) = norms[i] > 0 && norms[j] > 0 ? gram(i, j) / (norms[i] * norms[j]) : 0;
        return gram;
    };
    return Cosines{ normalised(scaled.transpose() * scaled), normalised(displacements.transpose() * solved) };
}

Result<Transfer> transfer(
    Method method, const RowsRef& rows, std::span<const NamedExamples> sets, std::uint64_t seed,
    const Work& work)
{
    if (sets.size() < 2)
        return badInput("at least two sets of labels to compare", std::to_string(sets.size()), "transfer");
    Transfer result;
    result.displacements = Eigen::MatrixXd::Zero(rows.cols(), static_cast<Eigen::Index>(sets.size()));
    const auto fitOn = [&](const Examples& examples) -> Result<DirectionFit> {
        LODESTONE_TRY(const Design design, designOf(rows, examples));
        FitOptions options;
        options.seed = seed;
        return fitDirection(method, design, options);
    };
    const auto scoreOn = [&](const Result<DirectionFit>& fit, const Examples& examples) {
        if (fit && examples.size() > 0)
            if (const auto score = scoreReadOut(fit->readOut, rows, examples, 1000, seed))
                return examples.arePairs() ? score->accuracy : score->auc;
        return Estimate();
    };
    for (std::size_t i = 0; i < sets.size(); ++i) {
        if (work.cancelled())
            return cancelled();
        work.tell({ "Comparing sets of labels", static_cast<double>(i), static_cast<double>(sets.size()), 0,
                    "sets", -1 });
        result.names.push_back(sets[i].name);
        const auto fit = fitOn(sets[i].training);
        std::vector<Estimate> row;
        for (const NamedExamples& other : sets)
            row.push_back(scoreOn(fit, other.heldOut));
        result.accuracy.push_back(std::move(row));
        Examples others;
        for (std::size_t j = 0; j < sets.size(); ++j)
            if (j != i) {
                const Examples& own = sets[j].training;
                others.pairs.insert(others.pairs.end(), own.pairs.begin(), own.pairs.end());
                others.rows.insert(others.rows.end(), own.rows.begin(), own.rows.end());
            }
        result.withoutIt.push_back(scoreOn(fitOn(others), sets[i].heldOut));
        if (auto design = designOf(rows, sets[i].training))
            if (const auto means = fitDirection(Method::DifferenceOfMeans, *design);
                means && means->displacement)
                result.displacements.col(static_cast<Eigen::Index>(i)) = means->displacement->delta;
    }
    return result;
}

} // namespace lodestone::geometry
