// Linear layers by whichever of oneDNN (weights packed once) and BLAS is faster on this machine, chosen by
// measurement.
#pragma once

#include "core/model/model_library.h"
#include "core/torch/kernels.h"

#include <memory>
#include <vector>

namespace lodestone::torch_engine {

enum class MatrixPath { OneDnn, Blas };

/// y = x W' + b for row-major x [rows, inner], W [columns, inner] and b [columns] (empty: none), float32.
class Linear {
public:
    virtual ~Linear() = default;
    /// `y`: [rows, columns]. The views may be the first rows of larger buffers.
    virtual void apply(const MapConst& x, Map y) const = 0;
    std::int64_t columns() const { return m_columns; }

    /// `weights` [columns, inner] may be freed afterwards: each path packs its own copy.
    static std::unique_ptr<Linear>
    make(MatrixPath path, const RowMatrix& weights, std::vector<float> bias = {});

protected:
    std::int64_t m_columns = 0, m_inner = 0;
    std::vector<float> m_bias;
};

/// Measures both paths on the shapes that a model of this size uses; seconds-long work, about 0.5 s.
model::MatrixMeasurement measurePaths(const std::vector<model::MatrixSpeed>& shapes, int threads);

/// The measured choice for a model's shapes, remembered in the user's cache per machine, threads and library
/// version.
struct PathChoice {
    MatrixPath path = MatrixPath::OneDnn;
    std::string description; ///< "oneDNN (221 against 165 GFLOP/s, 2 threads)"
};
PathChoice choosePath(const model::ModelConfig& config, int threads, const std::string& forced);

/// The shapes [rows, inner, columns] of a model's linear layers for a batch of 128 tokens and for single
/// tokens.
std::vector<model::MatrixSpeed> shapesOf(int width, int feedForward, int queryKeyValue);

} // namespace lodestone::torch_engine
