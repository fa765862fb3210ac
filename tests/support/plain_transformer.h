// A transformer written out token by token in double precision, the way the papers state it, as the reference
// for the engine: no batches, no caches, no packing, and no line in common with it.
#pragma once

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace lodestone::testing {

/// Weights as the usual library holds them: matrices [out, in], heads rotated by halves, norms as stored.
struct PlainTransformer {
    using Matrix = Eigen::MatrixXd;
    using Vector = Eigen::VectorXd;

    int width = 32, blocks = 3, heads = 4, kvHeads = 2, headWidth = 8, wide = 40, vocabulary = 259,
        context = 96;
    int rotated = 8; ///< coordinates of a head that are rotated
    bool layerNorm = false, plusOne = false, gated = true, parallel = false, headNorms = false,
         sandwich = false;
    bool positions = false, tied = true, qkvBias = false, biases = false;
    std::string activation = "silu"; ///< silu, gelu (error function), gelu_tanh
    double epsilon = 1e-5, base = 10000, localBase = 0, stretch = 1, magnitude = 1;
    double embeddingScale = 1, scoreScale = 0, scoreCap = 0, logitCap = 0;
    int window = 0;
    std::vector<bool> local; ///< per block: sees the window only
    /// Llama 3's stretching of slow frequencies; factor 1: none.
    double factor = 1, low = 1, high = 4, original = 32;
    std::vector<double> divisors; ///< per pair, as Phi-3's long-context models list them
    std::map<std::string, Matrix> weights; ///< "embedding", "3.q", "3.q.bias" ...; vectors have one column

    /// Fills every tensor with numbers that are float32 values.
    void randomise(unsigned seed)
    {
        std::mt19937 engine(seed);
        std::normal_distribution<float> normal;
        const auto fill = [&](const std::string& name, int rows, int columns, float size, float middle = 0) {
            Matrix m(rows, columns);
            for (int r = 0; r < rows; ++r)
                for (int c = 0; c < columns; ++c)
                    m(r, c) = static_cast<double>(middle + size * normal(engine));
            weights[name] = m;
        };
        const auto norm = [&](const std::string& name, int size) {
            fill(name, size, 1, 0.2f, plusOne ? 0.0f : 1.0f);
            if (layerNorm)
                fill(name + ".bias", size, 1, 0.2f);
        };
        const auto matrix = [&](const std::string& name, int out, int in, bool bias) {
            fill(name, out, in, 1.0f / std::sqrt(static_cast<float>(in)));
            if (bias)
                fill(name + ".bias", out, 1, 0.2f);
        };
        fill("embedding", vocabulary, width, 1);
        if (positions)
            fill("positions", context, width, 0.5f);
        for (int k = 0; k < blocks; ++k) {
            const std::string b = std::to_string(k) + ".";
            norm(b + "norm1", width);
            norm(b + "norm2", width);
            if (sandwich) {
                norm(b + "post1", width);
                norm(b + "post2", width);
            }
            if (headNorms) {
                fill(b + "qnorm", headWidth, 1, 0.2f, plusOne ? 0.0f : 1.0f);
                fill(b + "knorm", headWidth, 1, 0.2f, plusOne ? 0.0f : 1.0f);
            }
            matrix(b + "q", heads * headWidth, width, qkvBias || biases);
            matrix(b + "k", kvHeads * headWidth, width, qkvBias || biases);
            matrix(b + "v", kvHeads * headWidth, width, qkvBias || biases);
            matrix(b + "o", width, heads * headWidth, biases);
            if (gated)
                matrix(b + "gate", wide, width, false);
            matrix(b + "up", wide, width, biases);
            matrix(b + "down", width, wide, biases);
        }
        norm("final", width);
        if (!tied)
            fill("output", vocabulary, width, 1.0f / std::sqrt(static_cast<float>(width)));
    }

    struct Result {
        std::vector<Matrix> layers; ///< embedding, block 0, ...: [tokens, width]
        Matrix hidden; ///< after the final norm
        Matrix logProbabilities; ///< [tokens, vocabulary]
    };

    Result run(const std::vector<int>& ids) const
    {
        const int count = static_cast<int>(ids.size());
        Result result;
        Matrix x(count, width);
        for (int t = 0; t < count; ++t) {
            x.row(t) = weights.at("embedding").row(ids[static_cast<std::size_t>(t)]) * embeddingScale;
            if (positions)
                x.row(t) += weights.at("positions").row(t);
        }
        result.layers.push_back(x);
        for (int k = 0; k < blocks; ++k) {
            const std::string b = std::to_string(k) + ".";
            Matrix attention = linear(b + "o", attend(k, normed(b + "norm1", x)));
            if (sandwich)
                attention = normed(b + "post1", attention);
            const Matrix input = normed(b + "norm2", parallel ? x : Matrix(x + attention));
            Matrix inner
                = linear(b + (gated ? "gate" : "up"), input).unaryExpr([this](double v) { return act(v); });
            if (gated)
                inner = inner.cwiseProduct(linear(b + "up", input));
            Matrix fed = linear(b + "down", inner);
            if (sandwich)
                fed = normed(b + "post2", fed);
            x += attention + fed;
            result.layers.push_back(x);
        }
        result.hidden = normed("final", x);
        Matrix logits = result.hidden * weights.at(tied ? "embedding" : "output").transpose();
        for (int t = 0; t < count; ++t) {
            if (logitCap > 0)
                for (int v = 0; v < vocabulary; ++v)
                    logits(t, v) = logitCap * std::tanh(logits(t, v) / logitCap);
            double sum = 0;
            for (int v = 0; v < vocabulary; ++v)
                sum += std::exp(logits(t, v));
            logits.row(t).array() -= std::log(sum);
        }
        result.logProbabilities = logits;
        return result;
    }

    /// Radians a token for pair i of `pairs`.
    double frequency(int i, bool localBlock) const
    {
        const bool own = localBlock && localBase > 0;
        const double plain = 1 / std::pow(own ? localBase : base, 2.0 * i / rotated);
        if (own)
            return plain;
        if (!divisors.empty())
            return plain / divisors[static_cast<std::size_t>(i)];
        if (factor != 1) {
            const double length = 2 * std::acos(-1.0) / plain;
            if (length < original / high)
                return plain;
            if (length > original / low)
                return plain / factor;
            const double smooth = (original / length - low) / (high - low);
            return (1 - smooth) * plain / factor + smooth * plain;
        }
        return plain / stretch;
    }

private:
    double act(double x) const
    {
        if (activation == "silu")
            return x / (1 + std::exp(-x));
        if (activation == "gelu")
            return x * 0.5 * (1 + std::erf(x / std::sqrt(2.0)));
        return 0.5 * x * (1 + std::tanh(std::sqrt(2 / std::acos(-1.0)) * (x + 0.044715 * x * x * x)));
    }

    Matrix linear(const std::string& name, const Matrix& x) const
    {
        Matrix y = x * weights.at(name).transpose();
        if (const auto bias = weights.find(name + ".bias"); bias != weights.end())
            for (Eigen::Index t = 0; t < y.rows(); ++t)
                y.row(t) += bias->second.col(0).transpose();
        return y;
    }

    Matrix normed(const std::string& name, const Matrix& x) const
    {
        Matrix y = x;
        for (Eigen::Index t = 0; t < x.rows(); ++t) {
            const double mean = layerNorm ? x.row(t).mean() : 0;
            double square = 0;
            for (Eigen::Index c = 0; c < x.cols(); ++c)
                square += (x(t, c) - mean) * (x(t, c) - mean);
            const double scale = 1 / std::sqrt(square / static_cast<double>(x.cols()) + epsilon);
            for (Eigen::Index c = 0; c < x.cols(); ++c) {
                y(t, c) = (x(t, c) - mean) * scale * (weights.at(name)(c, 0) + (plusOne ? 1 : 0));
                if (layerNorm)
                    y(t, c) += weights.at(name + ".bias")(c, 0);
            }
        }
        return y;
    }

    /// One head's rows [tokens, headWidth], normed and rotated.
    Matrix turned(int k, const char* norm, Matrix head) const
    {
        if (headNorms)
            head = normed(std::to_string(k) + norm, head);
        if (positions)
            return head;
        const bool localBlock = !local.empty() && local[static_cast<std::size_t>(k)];
        Matrix result = head;
        const int half = rotated / 2;
        for (Eigen::Index t = 0; t < head.rows(); ++t)
            for (int i = 0; i < half; ++i) {
                const double angle = static_cast<double>(t) * frequency(i, localBlock);
                result(t, i)
                    = magnitude * (head(t, i) * std::cos(angle) - head(t, i + half) * std::sin(angle));
                result(t, i + half)
                    = magnitude * (head(t, i + half) * std::cos(angle) + head(t, i) * std::sin(angle));
            }
        return result;
    }

    Matrix attend(int k, const Matrix& x) const
    {
        const std::string b = std::to_string(k) + ".";
        const Matrix q = linear(b + "q", x), keys = linear(b + "k", x), values = linear(b + "v", x);
        const int count = static_cast<int>(x.rows());
        const bool localBlock = window > 0 && !local.empty() && local[static_cast<std::size_t>(k)];
        const double scale = scoreScale > 0 ? scoreScale : 1 / std::sqrt(static_cast<double>(headWidth));
        Matrix out = Matrix::Zero(count, heads * headWidth);
        for (int h = 0; h < heads; ++h) {
            const int shared = h / (heads / kvHeads);
            const Matrix query = turned(k, ".qnorm", q.middleCols(h * headWidth, headWidth));
            const Matrix key = turned(k, ".knorm", keys.middleCols(shared * headWidth, headWidth));
            for (int t = 0; t < count; ++t) {
                std::vector<double> weight(static_cast<std::size_t>(t + 1), 0);
                double total = 0;
                for (int s = localBlock ? std::max(0, t - window + 1) : 0; s <= t; ++s) {
                    double score = scale * query.row(t).dot(key.row(s));
                    if (scoreCap > 0)
                        score = scoreCap * std::tanh(score / scoreCap);
                    total += weight[static_cast<std::size_t>(s)] = std::exp(score);
                }
                for (int s = 0; s <= t; ++s)
                    out.block(t, h * headWidth, 1, headWidth) += weight[static_cast<std::size_t>(s)] / total
                        * values.block(s, shared * headWidth, 1, headWidth);
            }
        }
        return out;
    }
};

} // namespace lodestone::testing
