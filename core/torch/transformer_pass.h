// The state of one call to Transformer::read, shared by the units that run blocks and that score.
#pragma once

#include "core/torch/transformer.h"

#include <algorithm>

namespace lodestone::torch_engine {

struct Transformer::Pass {
    std::vector<Run> runs;
    std::vector<int> rows; ///< packed rows that x holds, in order: all, or after the last block those needed
    std::vector<int> positions; ///< of the rows of x, each in its own sequence
    std::span<const model::Intervention> interventions;
    bool keepsAllRows = false; ///< what a matrix writes is wanted at every token
    RowMatrix x; ///< the residual stream, [rows, width]
    bool pooledAtLast = false; ///< the deepest block's output is averaged over tokens too
    RowMatrix normed, queryKeyValue, mixed, written, wide, activated; ///< buffers, [all rows, ...]

    /// Where a packed row stands in x; it must be one of `rows`.
    Eigen::Index place(int packedRow) const
    {
        return rows.size() == static_cast<std::size_t>(normed.rows())
            ? packedRow
            : std::lower_bound(rows.begin(), rows.end(), packedRow) - rows.begin();
    }
};

} // namespace lodestone::torch_engine
