#include "core/geometry/standardise.h"

#include "core/geometry/statistics.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace lodestone::geometry {

namespace {

struct Moments {
    Eigen::VectorXd mean;
    Eigen::VectorXd deviation;
    Eigen::VectorXd largest;
};

/// Two passes: the deviation of a coordinate near 300 would lose its digits in one.
Moments momentsOf(const RowsRef& rows, std::span<const int> which)
{
    const Eigen::Index count = which.empty() ? rows.rows() : static_cast<Eigen::Index>(which.size());
    const auto rowAt = [&](Eigen::Index i) { return which.empty() ? i : which[static_cast<std::size_t>(i)]; };
    Moments moments;
    moments.mean = Eigen::VectorXd::Zero(rows.cols());
    moments.deviation = Eigen::VectorXd::Zero(rows.cols());
    moments.largest = Eigen::VectorXd::Zero(rows.cols());
    for (Eigen::Index i = 0; i < count; ++i)
        moments.mean += rows.row(rowAt(i)).transpose().cast<double>();
    moments.mean /= static_cast<double>(count);
    for (Eigen::Index i = 0; i < count; ++i) {
        const auto row = rows.row(rowAt(i)).transpose().cast<double>();
        moments.deviation += (row - moments.mean).cwiseAbs2();
        moments.largest = moments.largest.cwiseMax(row.cwiseAbs());
    }
    moments.deviation = (moments.deviation / static_cast<double>(count)).cwiseSqrt();
    return moments;
}

} // namespace

Result<Standardiser> Standardiser::fit(const RowsRef& rows, std::span<const int> training)
{
    if (rows.rows() == 0 || rows.cols() == 0)
        return badInput("at least one row of activations", "none", "standardising");
    for (const int row : training)
        if (row < 0 || row >= rows.rows())
            return badInput(
                "row numbers below " + std::to_string(rows.rows()), std::to_string(row), "standardising");
    const Moments moments = momentsOf(rows, training);
    if (!moments.mean.allFinite() || !moments.deviation.allFinite()) {
        for (Eigen::Index i = 0; i < rows.rows(); ++i)
            for (Eigen::Index j = 0; j < rows.cols(); ++j)
                if (!std::isfinite(rows(i, j)))
                    return badInput(
                        "finite activations", std::isnan(rows(i, j)) ? "NaN" : "infinity",
                        "row " + std::to_string(i) + ", coordinate " + std::to_string(j));
    }
    Standardiser result;
    result.mean = moments.mean;
    result.scale = moments.deviation;
    for (Eigen::Index j = 0; j < rows.cols(); ++j) {
        if (moments.deviation[j] <= 1e-6 * moments.largest[j]) {
            result.scale[j] = 1;
            result.constant.push_back(static_cast<int>(j));
        }
    }
    return result;
}

Standardiser Standardiser::identity(Eigen::Index width)
{
    return { Eigen::VectorXd::Zero(width), Eigen::VectorXd::Ones(width), {} };
}

Rows Standardiser::apply(const RowsRef& rows) const
{
    Rows result(rows.rows(), rows.cols());
    const Eigen::RowVectorXd inverse = scale.cwiseInverse().transpose();
    for (Eigen::Index i = 0; i < rows.rows(); ++i)
        result.row(i) = (rows.row(i).cast<double>() - mean.transpose()).cwiseProduct(inverse).cast<float>();
    return result;
}

Rows Standardiser::applyToDifferences(const RowsRef& differences) const
{
    Rows result(differences.rows(), differences.cols());
    const Eigen::RowVectorXd inverse = scale.cwiseInverse().transpose();
    for (Eigen::Index i = 0; i < differences.rows(); ++i)
        result.row(i) = differences.row(i).cast<double>().cwiseProduct(inverse).cast<float>();
    return result;
}

ReadOut Standardiser::toRaw(const ReadOut& onStandardised) const
{
    ReadOut raw;
    raw.weights = onStandardised.weights.cwiseQuotient(scale);
    raw.offset = onStandardised.offset - raw.weights.dot(mean);
    return raw;
}

ReadOut Standardiser::fromRaw(const ReadOut& onRaw) const
{
    return { onRaw.weights.cwiseProduct(scale), onRaw.offset + onRaw.weights.dot(mean) };
}

Displacement Standardiser::toRaw(const Displacement& onStandardised) const
{
    return { onStandardised.delta.cwiseProduct(scale) };
}

Displacement Standardiser::fromRaw(const Displacement& onRaw) const
{
    return { onRaw.delta.cwiseQuotient(scale) };
}

std::vector<MassiveActivation>
massiveActivations(const RowsRef& rows, std::span<const int> which, double threshold)
{
    std::vector<MassiveActivation> result;
    if (rows.rows() == 0 || rows.cols() == 0)
        return result;
    const Moments moments = momentsOf(rows, which);
    const double median
        = quantile(std::vector<double>(moments.deviation.begin(), moments.deviation.end()), 0.5);
    if (!(median > 0))
        return result;
    for (Eigen::Index j = 0; j < rows.cols(); ++j) {
        const double ratio = std::max(moments.largest[j], moments.deviation[j]) / median;
        if (ratio > threshold)
            result.push_back({ static_cast<int>(j), moments.largest[j], moments.deviation[j], ratio });
    }
    std::sort(result.begin(), result.end(), [](const MassiveActivation& a, const MassiveActivation& b) {
        return a.ratio != b.ratio ? a.ratio > b.ratio : a.coordinate < b.coordinate;
    });
    return result;
}

} // namespace lodestone::geometry
