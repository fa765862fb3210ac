// Names a place in the residual stream as a type, because off-by-one layer numbers are silent errors.
#pragma once

#include "core/base/error.h"

#include <compare>
#include <string>
#include <string_view>

namespace lodestone {

/// A place in the residual stream: the embedding (what enters block 0) or the output of block k (0-based),
/// both before the final norm. Rows of per-layer arrays are ordered embedding, block 0, block 1, ...
class Layer {
public:
    constexpr Layer() = default; ///< the embedding
    static constexpr Layer embedding() { return Layer(0); }
    /// The output of block k, k >= 0.
    static constexpr Layer blockOutput(int k) { return Layer(k + 1); }
    /// The layer at a row of a per-layer array: 0 is the embedding, k + 1 the output of block k.
    static constexpr Layer atRow(int row) { return Layer(row); }

    constexpr bool isEmbedding() const { return m_row == 0; }
    constexpr int block() const
    {
        return m_row - 1;
    } ///< the block whose output this is; -1 for the embedding
    constexpr int row() const { return m_row; }

    std::string label() const; ///< "embedding", "block 12 output"
    std::string token() const; ///< "embedding", "12": what the command line reads
    static Result<Layer> parse(std::string_view token);

    constexpr auto operator<=>(const Layer&) const = default;

private:
    explicit constexpr Layer(int row)
        : m_row(row)
    {
    }
    int m_row = 0;
};

} // namespace lodestone
