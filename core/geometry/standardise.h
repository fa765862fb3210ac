// Puts every coordinate of the residual stream on one scale, with training statistics only, because a few
// massive activations would otherwise drown the rest (docs/theory.md 8.9).
#pragma once

#include "core/base/error.h"
#include "core/geometry/read_out.h"
#include "core/geometry/rows.h"

#include <span>
#include <vector>

namespace lodestone::geometry {

/// x = (h - mean) / scale, coordinate by coordinate. Shapes [width].
struct Standardiser {
    Eigen::VectorXd mean;
    Eigen::VectorXd scale; ///< standard deviation over the training rows (divided by n); 1 where it is zero
    std::vector<int> constant; ///< coordinates whose deviation is zero (below 1e-6 of their largest |h|)

    /// From the rows listed in `training` (all rows when empty). Repeated indices count repeatedly.
    /// Errors: no rows, an index out of range, a value that is not finite (named by row and coordinate).
    static Result<Standardiser> fit(const RowsRef& rows, std::span<const int> training = {});

    /// Leaves every coordinate as it is (mean 0, scale 1).
    static Standardiser identity(Eigen::Index width);

    Eigen::Index width() const { return mean.size(); }

    /// Rows on standardised coordinates; the same shape.
    Rows apply(const RowsRef& rows) const;

    /// Differences h_a - h_b on standardised coordinates: divided by the scale, no mean. Shape [pairs x
    /// width].
    Rows applyToDifferences(const RowsRef& differences) const;

    /// A read-out on standardised coordinates as the read-out on raw h that gives the same scores.
    ReadOut toRaw(const ReadOut& onStandardised) const;

    /// The inverse of toRaw.
    ReadOut fromRaw(const ReadOut& onRaw) const;

    /// A move on standardised coordinates as the move on raw h.
    Displacement toRaw(const Displacement& onStandardised) const;

    /// The inverse of toRaw.
    Displacement fromRaw(const Displacement& onRaw) const;
};

/// A coordinate far out of proportion to the rest (Sun, Chen, Kolter & Liu 2024).
struct MassiveActivation {
    int coordinate = 0;
    double largest = 0; ///< max |h| over the rows
    double deviation = 0; ///< standard deviation over the rows
    double ratio = 0; ///< the larger of the two over the median standard deviation of all coordinates
};

/// Coordinates whose max |h| or standard deviation exceeds `threshold` medians, largest ratio first. Empty
/// when the median deviation is zero or there are no rows.
std::vector<MassiveActivation>
massiveActivations(const RowsRef& rows, std::span<const int> which = {}, double threshold = 100);

} // namespace lodestone::geometry
