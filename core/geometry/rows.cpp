#include "core/geometry/rows.h"

#include <algorithm>
#include <unordered_map>

namespace lodestone::geometry {

namespace {

// 64 rows of 576 doubles fill a quarter of a megabyte: the converted block stays in the second-level cache.
constexpr Eigen::Index blockRows = 64;
// Wide enough for Eigen's matrix products to run at full speed.
constexpr Eigen::Index blockDepth = 256;

using DoubleRows = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

} // namespace

Eigen::VectorXd times(const RowsRef& rows, const Eigen::VectorXd& vector)
{
    Eigen::VectorXd result(rows.rows());
    DoubleRows block;
    for (Eigen::Index begin = 0; begin < rows.rows(); begin += blockRows) {
        const Eigen::Index count = std::min(blockRows, rows.rows() - begin);
        block = rows.middleRows(begin, count).cast<double>();
        result.segment(begin, count).noalias() = block * vector;
    }
    return result;
}

Eigen::MatrixXd times(const RowsRef& rows, const Eigen::MatrixXd& matrix)
{
    Eigen::MatrixXd result(rows.rows(), matrix.cols());
    DoubleRows block;
    for (Eigen::Index begin = 0; begin < rows.rows(); begin += blockDepth) {
        const Eigen::Index count = std::min(blockDepth, rows.rows() - begin);
        block = rows.middleRows(begin, count).cast<double>();
        result.middleRows(begin, count).noalias() = block * matrix;
    }
    return result;
}

Eigen::VectorXd transposeTimes(const RowsRef& rows, const Eigen::VectorXd& vector)
{
    Eigen::VectorXd result = Eigen::VectorXd::Zero(rows.cols());
    DoubleRows block;
    for (Eigen::Index begin = 0; begin < rows.rows(); begin += blockRows) {
        const Eigen::Index count = std::min(blockRows, rows.rows() - begin);
        block = rows.middleRows(begin, count).cast<double>();
        result.noalias() += block.transpose() * vector.segment(begin, count);
    }
    return result;
}

Eigen::MatrixXd columnGram(const RowsRef& rows)
{
    Eigen::MatrixXd gram = Eigen::MatrixXd::Zero(rows.cols(), rows.cols());
    Eigen::MatrixXd block;
    for (Eigen::Index begin = 0; begin < rows.rows(); begin += blockDepth) {
        const Eigen::Index count = std::min(blockDepth, rows.rows() - begin);
        block = rows.middleRows(begin, count).transpose().cast<double>();
        gram.selfadjointView<Eigen::Lower>().rankUpdate(block);
    }
    gram.triangularView<Eigen::StrictlyUpper>() = gram.transpose();
    return gram;
}

Eigen::MatrixXd rowGram(const RowsRef& rows)
{
    Eigen::MatrixXd gram = Eigen::MatrixXd::Zero(rows.rows(), rows.rows());
    Eigen::MatrixXd block;
    for (Eigen::Index begin = 0; begin < rows.cols(); begin += blockDepth) {
        const Eigen::Index count = std::min(blockDepth, rows.cols() - begin);
        block = rows.middleCols(begin, count).cast<double>();
        gram.selfadjointView<Eigen::Lower>().rankUpdate(block);
    }
    gram.triangularView<Eigen::StrictlyUpper>() = gram.transpose();
    return gram;
}

Rows gather(const RowsRef& rows, std::span<const int> which)
{
    Rows result(static_cast<Eigen::Index>(which.size()), rows.cols());
    for (std::size_t i = 0; i < which.size(); ++i)
        result.row(static_cast<Eigen::Index>(i)) = rows.row(which[i]);
    return result;
}

std::vector<std::vector<int>> CompactGroups::members() const
{
    std::vector<std::vector<int>> result(static_cast<std::size_t>(count));
    for (std::size_t i = 0; i < of.size(); ++i)
        result[static_cast<std::size_t>(of[i])].push_back(static_cast<int>(i));
    return result;
}

CompactGroups compactGroups(std::span<const int> ids)
{
    CompactGroups groups;
    groups.of.reserve(ids.size());
    std::unordered_map<int, int> known;
    for (const int id : ids) {
        const auto [entry, isNew] = known.try_emplace(id, groups.count);
        if (isNew)
            ++groups.count;
        groups.of.push_back(entry->second);
    }
    return groups;
}

} // namespace lodestone::geometry
