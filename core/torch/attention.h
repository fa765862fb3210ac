// Attention over packed sequences and shared pages: rotation, storing of keys and values, and the weighted
// sums, with the variants of the families (head norms, sliding window, capped scores).
#pragma once

#include "core/torch/kernels.h"
#include "core/torch/packed_batch.h"

namespace lodestone::torch_engine {

/// Cosines and sines of the rotary embedding (Su et al. 2021), worked out in double, per position.
class RotaryTable {
public:
    RotaryTable() = default;
    RotaryTable(std::vector<double> frequencies, double magnitude);
    /// Makes sure of the positions [0, count).
    void reach(int count);
    const float* cosine(int position) const { return m_cosine.data() + offset(position); }
    const float* sine(int position) const { return m_sine.data() + offset(position); }

private:
    std::size_t offset(int position) const
    {
        return static_cast<std::size_t>(position) * m_frequencies.size();
    }
    std::vector<double> m_frequencies;
    double m_magnitude = 1;
    int m_count = 0;
    std::vector<float> m_cosine, m_sine;
};

class Attention {
public:
    Attention() = default;
    explicit Attention(const model::ModelConfig& config);

    /// Before a batch: rotary tables up to its last position.
    void prepare(const std::vector<Run>& runs);
    /// Norms heads (empty gains: not), rotates queries and keys in place and puts keys and values into the
    /// runs' pages. `queryKeyValue`: [tokens, (heads + 2 kvHeads) headWidth], queries first.
    void rotateAndStore(
        const std::vector<Run>& runs, int block, const std::vector<float>& queryGain,
        const std::vector<float>& keyGain, Map queryKeyValue) const;
    /// out[i] is what the token of packed row rows[i] gathers. Shape [rows, heads headWidth].
    void attend(
        const std::vector<Run>& runs, const std::vector<int>& rows, int block, const MapConst& queryKeyValue,
        Map out) const;

private:
    const model::ModelConfig* m_config = nullptr;
    RotaryTable m_global, m_local;
};

} // namespace lodestone::torch_engine
