// Small dense algebra for statements in a few dimensions: plain loops, so that the units that use it compile
// fast.
#pragma once

#include <Eigen/Core>

namespace lodestone::theory {

/// L with L L' = A, for A positive semi-definite; a pivot below 1e-12 counts as 0.
Eigen::MatrixXd lowerFactor(const Eigen::MatrixXd& a);
/// The smallest pivot of that factorisation: positive exactly when A is positive definite.
double smallestPivot(const Eigen::MatrixXd& a);
/// A^{-1} b for A positive definite.
Eigen::VectorXd solve(const Eigen::MatrixXd& a, const Eigen::VectorXd& b);
/// Columns made orthonormal in their order (Gram-Schmidt twice); columns that the earlier ones contain are
/// left out.
Eigen::MatrixXd orthonormal(const Eigen::MatrixXd& columns);
/// The direction of the largest eigenvalue of a symmetric matrix with non-negative eigenvalues, by power
/// iteration from `start`.
Eigen::VectorXd topDirection(const Eigen::MatrixXd& a, const Eigen::VectorXd& start, int iterations = 300);

} // namespace lodestone::theory
