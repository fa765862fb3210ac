// The parts of a block that are not matrix products: norms, activations;
// small loops in Eigen.
#pragma once

#include "core/model/language_model.h"

#include <Eigen/Core>

namespace lodestone::torch_engine {

using model::RowMatrix;
using Map = Eigen::Map<RowMatrix>;
using MapConst = Eigen::Map<const RowMatrix>;

/// Views of a buffer's first rows.
inline Map view(RowMatrix& buffer, Eigen::Index rows) { return { buffer.data(), rows, buffer.cols() }; }
inline Map view(RowMatrix& buffer) { return view(buffer, buffer.rows()); }
inline MapConst view(const RowMatrix& buffer) { return { buffer.data(), buffer.rows(), buffer.cols() }; }
inline MapConst fixed(const Map& rows) { return { rows.data(), rows.rows(), rows.cols() }; }

/// Gain and bias of a norm; an empty gain: no norm here, an empty bias: none.
struct NormWeights {
    std::vector<float> gain, bias;
    bool absent() const { return gain.empty(); }
};

/// Rows of x to unit root mean square (Zhang & Sennrich 2019), or to mean 0 and variance 1 (Ba et al. 2016),
/// times the gain, plus the bias. `out` may be x.
void normalise(const MapConst& x, const NormWeights& weights, model::NormKind kind, double epsilon, Map out);
/// One vector in place, to unit root mean square times the gain.
void normaliseHead(float* values, const std::vector<float>& gain, double epsilon);

/// activation(gate) * up, the two halves of each row of x (Shazeer 2020); without a gate activation(x). Shape
/// [rows, columns of out, twice as many with a gate] -> [rows, columns of out].
void activate(const MapConst& x, model::Activation activation, bool gated, Map out);

/// cap * tanh(x / cap) on every number; nothing when cap is 0 (Gemma Team 2024).
void softCap(Map x, double cap);

/// float16 to float32, exactly.
void widen(const std::uint16_t* from, std::size_t count, float* to);
/// float32 to the nearest float16. False, with nothing said of `to`, when a number is beyond its range.
bool narrow(const float* from, std::size_t count, std::uint16_t* to);

} // namespace lodestone::torch_engine
