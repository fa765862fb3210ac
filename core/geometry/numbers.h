// The few functions of plain numbers that every folder above geometry shares.
#pragma once

#include <Eigen/Core>
#include <cmath>
#include <limits>

namespace lodestone::geometry {

inline constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// 1 / (1 + e^-x), without overflow on either side.
inline double sigmoid(double x) { return x >= 0 ? 1 / (1 + std::exp(-x)) : std::exp(x) / (1 + std::exp(x)); }

/// log sum exp of a row or column of at least one number, in double precision.
template <typename Vector>
double logSumExp(const Eigen::MatrixBase<Vector>& logits)
{
    const double most = logits.maxCoeff();
    return most + std::log((logits.template cast<double>().array() - most).exp().sum());
}

} // namespace lodestone::geometry
