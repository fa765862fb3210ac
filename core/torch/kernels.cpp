#include "core/torch/kernels.h"

#include "core/formats/quant.h"

#include <ATen/Parallel.h>
#include <cmath>
#ifdef __F16C__
#include <immintrin.h>
#endif

namespace lodestone::torch_engine {
namespace {

using RowMap = Eigen::Map<const Eigen::RowVectorXf>;

RowMap rowOf(const std::vector<float>& values)
{
    return { values.data(), static_cast<Eigen::Index>(values.size()) };
}

template <typename Array>
auto silu(const Array& x)
{
    return x / (1.0f + (-x).exp());
}

/// gelu with tanh(sqrt(2 / pi) (x + 0.044715 x^3)), written as x times a logistic function.
template <typename Array>
auto geluTanh(const Array& x)
{
    constexpr float twice = 2 * 0.7978845608028654f;
    return x / (1.0f + (-twice * (x + 0.044715f * x.cube())).exp());
}

} // namespace

void normalise(const MapConst& x, const NormWeights& weights, model::NormKind kind, double epsilon, Map out)
{
    const RowMap gain = rowOf(weights.gain), bias = rowOf(weights.bias);
    const auto columns = static_cast<float>(x.cols()), small = static_cast<float>(epsilon);
    at::parallel_for(0, x.rows(), 16, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t row = begin; row < end; ++row) {
            if (kind == model::NormKind::Rms) {
                const float scale = 1.0f / std::sqrt(x.row(row).squaredNorm() / columns + small);
                out.row(row) = (x.row(row) * scale).cwiseProduct(gain);
            } else {
                const float mean = x.row(row).mean();
                const float variance = (x.row(row).array() - mean).square().sum() / columns;
                const float scale = 1.0f / std::sqrt(variance + small);
                out.row(row) = ((x.row(row).array() - mean) * scale).matrix().cwiseProduct(gain);
            }
            if (!weights.bias.empty())
                out.row(row) += bias;
        }
    });
}

void normaliseHead(float* values, const std::vector<float>& gain, double epsilon)
{
    Eigen::Map<Eigen::RowVectorXf> head(values, static_cast<Eigen::Index>(gain.size()));
    const float scale = 1.0f
        / std::sqrt(head.squaredNorm() / static_cast<float>(gain.size()) + static_cast<float>(epsilon));
    head = (head * scale).cwiseProduct(rowOf(gain));
}

void activate(const MapConst& x, model::Activation activation, bool gated, Map out)
{
    const Eigen::Index width = out.cols();
    at::parallel_for(0, out.rows(), 8, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t row = begin; row < end; ++row) {
            const auto gate = x.row(row).head(width).array();
            auto result = out.row(row).array();
            if (activation == model::Activation::Silu)
                result = silu(gate);
            else if (activation == model::Activation::GeluTanh)
                result = geluTanh(gate);
            else
                result = gate.unaryExpr([](float v) { return 0.5f * v * (1 + std::erf(v * 0.70710678f)); });
            if (gated)
                result *= x.row(row).tail(width).array();
        }
    });
}

void softCap(Map x, double cap)
{
    if (cap > 0)
        x = static_cast<float>(cap) * (x.array() / static_cast<float>(cap)).tanh();
}

void widen(const std::uint16_t* from, std::size_t count, float* to)
{
    std::size_t i = 0;
#ifdef __F16C__
    for (; i + 8 <= count; i += 8)
        _mm256_storeu_ps(
            to + i, _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from + i))));
#endif
    for (; i < count; ++i)
        to[i] = formats::halfToFloat(from[i]);
}

bool narrow(const float* from, std::size_t count, std::uint16_t* to)
{
    constexpr float largest = 65504; // of float16
    std::size_t i = 0;
#ifdef __F16C__
    for (; i + 8 <= count; i += 8)
        _mm_storeu_si128(
            reinterpret_cast<__m128i*>(to + i),
            _mm256_cvtps_ph(_mm256_loadu_ps(from + i), _MM_FROUND_TO_NEAREST_INT));
#endif
    for (; i < count; ++i)
        to[i] = formats::floatToHalf(from[i]);
    // Written so that a NaN is not within.
    return (Eigen::Map<const Eigen::ArrayXf>(from, static_cast<Eigen::Index>(count)).abs() <= largest).all();
}

} // namespace lodestone::torch_engine
