// The few directions along which activations vary most: axes for a projection, and how much of the spread
// they show.
#pragma once

#include "core/base/error.h"
#include "core/geometry/rows.h"

namespace lodestone::geometry {

struct Spectrum {
    Eigen::MatrixXd components; ///< [d x k], orthonormal; of each the entry largest in size is positive
    Eigen::VectorXd variances; ///< [k], largest first; of the rows, divided by n
    Eigen::VectorXd shares; ///< [k], variance over the total variance of all coordinates
    Eigen::VectorXd mean; ///< [d], of the rows; zero when they are taken as they are
    double totalVariance = 0;
};

/// The top k principal components of the rows, at most min(n, d) of them (fewer when the rest has no
/// variance), from the smaller Gram matrix: by Lanczos iteration (Spectra) when few of many are wanted, else
/// all at once. Cost O(n d min(n, d)). `centred` false: about zero instead of about the mean. Errors: no
/// rows, k < 1, values that are not finite.
Result<Spectrum> principalComponents(const RowsRef& rows, int k, bool centred = true);

} // namespace lodestone::geometry
