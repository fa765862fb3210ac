// A displacement between two sides of many small contrasts, with the evidence that needs no label: what ways
// that move the model (personas, answers, statements) yield.
#pragma once

#include "core/base/error.h"
#include "core/base/layer.h"
#include "core/formats/npy.h"

#include <Eigen/Core>
#include <vector>

namespace lodestone::constitution {

/// The displacement at every layer and what is known of it without labels. Vectors are [layers]; NaN where
/// a measure is not defined (one template, no neutral side). Everything but `delta` is measured on
/// coordinates divided by their standard deviation over both sides (docs/theory.md 8.9).
struct Contrast {
    std::vector<Layer> layers;
    formats::RowMatrix delta; ///< [layers, width] mean of (positive - negative) on raw h: a displacement
    int items = 0; ///< how many contrasts
    /// Correlation of +-projection with the side it came from, on the half of the contrasts that the
    /// displacement was not taken from (mean over both halves): for differences d_j, mean(d_j'w)/rms(d_j'w).
    Eigen::VectorXd heldOutCorrelation;
    Eigen::VectorXd templateAgreement; ///< mean cosine between the displacements of two templates
    Eigen::VectorXd poleSymmetry; ///< cosine of (positive - neutral) and (neutral - negative)
    Eigen::VectorXd shareOfVariance; ///< of the differences' mean square, the share along the displacement
    /// |delta| over the mean |delta| of the same differences with random signs.
    Eigen::VectorXd normAgainstRandom;
};

/// Adds contrasts up; a contrast is one stimulus read under both poles (and perhaps under neither).
class ContrastBuilder {
public:
    explicit ContrastBuilder(std::vector<Layer> layers)
        : m_layers(std::move(layers))
    {
    }
    /// Shapes [layers, width]; `neutral` may be empty. `form`: which template it belongs to.
    void
    add(const formats::RowMatrix& positive, const formats::RowMatrix& negative, int form = 0,
        const formats::RowMatrix& neutral = {});
    int items() const { return static_cast<int>(m_items.size()); }

    /// Errors: fewer than two contrasts, values that are not finite (with the layer), a displacement that is
    /// zero at every layer (both poles read alike: name other words).
    Result<Contrast> finish(const std::string& where, std::uint64_t seed = 0) const;

private:
    struct Item {
        formats::RowMatrix positive, negative, neutral;
        int form = 0;
    };
    std::vector<Layer> m_layers;
    std::vector<Item> m_items;
};

} // namespace lodestone::constitution
