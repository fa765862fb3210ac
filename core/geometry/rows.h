// One type for activations, and products that read float rows but add up in double, so that no unit needs its
// own.
#pragma once

#include <Eigen/Core>
#include <span>
#include <vector>

namespace lodestone::geometry {

/// Activations in memory: one response (or pair difference) per row, one coordinate of the residual stream
/// per column.
using Rows = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// What functions take: a view of `Rows`, of an Eigen::Map of that type, or of a block of its rows. Never
/// copies those.
using RowsRef = Eigen::Ref<const Rows>;

/// rows * vector: shapes [n x d], [d] -> [n]. Sums in double; O(n d).
Eigen::VectorXd times(const RowsRef& rows, const Eigen::VectorXd& vector);

/// rows * matrix: shapes [n x d], [d x k] -> [n x k]. Sums in double; O(n d k).
Eigen::MatrixXd times(const RowsRef& rows, const Eigen::MatrixXd& matrix);

/// rows' * vector: shapes [n x d], [n] -> [d]. Sums in double; O(n d).
Eigen::VectorXd transposeTimes(const RowsRef& rows, const Eigen::VectorXd& vector);

/// rows' * rows [d x d], symmetric, in double; O(n d^2).
Eigen::MatrixXd columnGram(const RowsRef& rows);

/// rows * rows' [n x n], symmetric, in double; O(n^2 d).
Eigen::MatrixXd rowGram(const RowsRef& rows);

/// The chosen rows in the given order. Every index must lie in 0 .. rows-1.
Rows gather(const RowsRef& rows, std::span<const int> which);

/// A vector's numbers, for what takes any.
inline std::span<const double> viewOf(const Eigen::VectorXd& vector)
{
    return { vector.data(), static_cast<std::size_t>(vector.size()) };
}

/// Group ids of any value made into 0 .. count-1 in order of first appearance.
struct CompactGroups {
    std::vector<int> of; ///< compact id of each item
    int count = 0;

    /// The items of each group, in item order.
    std::vector<std::vector<int>> members() const;
};
CompactGroups compactGroups(std::span<const int> ids);

} // namespace lodestone::geometry
