#include "core/torch/weights.h"

#include <ATen/Parallel.h>
#include <atomic>
#include <fmt/format.h>
#include <malloc.h>

namespace lodestone::torch_engine {
namespace {

std::string shapeText(const std::vector<std::uint64_t>& shape)
{
    return fmt::format("[{}]", fmt::join(shape, ", "));
}

class Loader {
public:
    Loader(const model::ModelSource& source, MatrixPath path)
        : m_source(source)
        , m_config(source.config())
        , m_path(path)
    {
    }

    /// The tensor, when its shape is [rows, columns].
    Result<model::Weights> shaped(const std::string& name, int rows, int columns) const
    {
        LODESTONE_TRY(model::Weights weights, m_source.weights(name));
        const std::vector<std::uint64_t> shape{ static_cast<std::uint64_t>(rows),
                                                static_cast<std::uint64_t>(columns) };
        if (weights.shape != shape)
            return badInput("shape " + shapeText(shape), shapeText(weights.shape), weights.where);
        return weights;
    }

    /// Matrices one below the other, each [rows, columns]: one product instead of several.
    Result<RowMatrix> stacked(const std::vector<std::pair<std::string, int>>& parts, int columns) const
    {
        int total = 0;
        for (const auto& part : parts)
            total += part.second;
        RowMatrix result(total, columns);
        float* to = result.data();
        for (const auto& part : parts) {
            LODESTONE_TRY(const model::Weights weights, shaped(part.first, part.second, columns));
            std::atomic<bool> finite{ true };
            at::parallel_for(0, part.second, 64, [&](std::int64_t begin, std::int64_t end) {
                float* first = to + begin * columns;
                weights.read(
                    static_cast<std::uint64_t>(begin), static_cast<std::uint64_t>(end - begin), first);
                if (!Eigen::Map<const Eigen::ArrayXf>(first, (end - begin) * columns).isFinite().all())
                    finite = false;
            });
            if (!finite)
                return badInput("finite weights", "NaN or infinity", weights.where);
            to += static_cast<std::ptrdiff_t>(part.second) * columns;
        }
        return result;
    }

    Result<std::vector<float>> vector(const std::string& name, int size, double offset = 0) const
    {
        LODESTONE_TRY(const model::Weights weights, m_source.weights(name));
        if (weights.items() != static_cast<std::uint64_t>(size) || weights.shape.size() != 1)
            return badInput(fmt::format("{} numbers", size), shapeText(weights.shape), weights.where);
        std::vector<float> values(static_cast<std::size_t>(size));
        weights.read(0, static_cast<std::uint64_t>(size), values.data());
        Eigen::Map<Eigen::ArrayXf> array(values.data(), size);
        if (!array.isFinite().all())
            return badInput("finite weights", "NaN or infinity", weights.where);
        array += static_cast<float>(offset);
        return values;
    }

    Result<NormWeights> norm(const std::string& name) const
    {
        NormWeights weights;
        LODESTONE_TRY(weights.gain, vector(name + ".weight", m_config.width, m_config.normOffset));
        if (m_config.choices.norm == model::NormKind::Layer) {
            LODESTONE_TRY(weights.bias, vector(name + ".bias", m_config.width));
        }
        return weights;
    }

    /// Biases of the same parts; empty when the family has none here and the file neither.
    Result<std::vector<float>>
    bias(const std::vector<std::pair<std::string, int>>& parts, bool required) const
    {
        std::vector<float> all;
        for (const auto& part : parts) {
            const std::string name = part.first.substr(0, part.first.size() - 6) + "bias";
            if (!required && !m_source.has(name))
                continue;
            LODESTONE_TRY(const std::vector<float> values, vector(name, part.second));
            all.insert(all.end(), values.begin(), values.end());
        }
        int total = 0;
        for (const auto& part : parts)
            total += part.second;
        if (!all.empty() && static_cast<int>(all.size()) != total)
            return badInput(
                "a bias for all of queries, keys and values", "for some", m_source.path().string());
        return all;
    }

    Result<std::unique_ptr<Linear>>
    linear(const std::vector<std::pair<std::string, int>>& parts, int columns, bool biased) const
    {
        LODESTONE_TRY(const RowMatrix weights, stacked(parts, columns));
        LODESTONE_TRY(std::vector<float> added, bias(parts, biased));
        m_source.forgetPages(); // before there are two copies of the matrix
        return Linear::make(m_path, weights, std::move(added));
    }

    Result<BlockWeights> block(int k) const
    {
        const model::Choices& choices = m_config.choices;
        const int width = m_config.width, wide = m_config.feedForward;
        const int queries = m_config.heads * m_config.headWidth, keys = m_config.kvHeads * m_config.headWidth;
        const std::string name = fmt::format("blk.{}.", k);
        BlockWeights block;
        LODESTONE_TRY(block.attentionNorm, norm(name + "attn_norm"));
        LODESTONE_TRY(block.feedForwardNorm, norm(name + "ffn_norm"));
        if (choices.sandwichNorms) {
            LODESTONE_TRY(block.attentionOutNorm, norm(name + "post_attention_norm"));
            LODESTONE_TRY(block.feedForwardOutNorm, norm(name + "post_ffw_norm"));
        }
        if (choices.queryKeyNorms) {
            LODESTONE_TRY(
                block.queryGain,
                vector(name + "attn_q_norm.weight", m_config.headWidth, m_config.normOffset));
            LODESTONE_TRY(
                block.keyGain, vector(name + "attn_k_norm.weight", m_config.headWidth, m_config.normOffset));
        }
        const std::string fused = name + "attn_qkv.weight";
        LODESTONE_TRY(
            block.queryKeyValue,
            m_source.has(fused) ? linear({ { fused, queries + 2 * keys } }, width, choices.attentionBias)
                                : linear(
                                    { { name + "attn_q.weight", queries },
                                      { name + "attn_k.weight", keys },
                                      { name + "attn_v.weight", keys } },
                                    width, choices.attentionBias));
        LODESTONE_TRY(
            block.attentionOut,
            linear({ { name + "attn_output.weight", width } }, queries, choices.allBiases));
        const std::string gate = name + "ffn_gate.weight", up = name + "ffn_up.weight";
        LODESTONE_TRY(
            block.up,
            choices.gated && m_source.has(gate)
                ? linear({ { gate, wide }, { up, wide } }, width, choices.allBiases)
                : linear({ { up, choices.gated ? 2 * wide : wide } }, width, choices.allBiases));
        LODESTONE_TRY(block.down, linear({ { name + "ffn_down.weight", width } }, wide, choices.allBiases));
        return block;
    }

    Result<std::unique_ptr<Linear>> head(const std::string& name) const
    {
        return linear({ { name, m_config.vocabulary } }, m_config.width, false);
    }

private:
    const model::ModelSource& m_source;
    const model::ModelConfig& m_config;
    MatrixPath m_path;
};

} // namespace

Result<ModelWeights> loadWeights(const model::ModelSource& source, MatrixPath path, const Work& work)
{
    const model::ModelConfig& config = source.config();
    const Loader loader(source, path);
    ModelWeights weights;
    // The head first: it is the largest matrix, and its unpacked copy would stand on top of everything else.
    LODESTONE_TRY(weights.embedding, loader.shaped("token_embd.weight", config.vocabulary, config.width));
    const std::string head = source.has("output.weight") ? "output.weight" : "token_embd.weight";
    LODESTONE_TRY(weights.output, loader.shaped(head, config.vocabulary, config.width));
    LODESTONE_TRY(weights.head, loader.head(head));
    for (int k = 0; k < config.blocks; ++k) {
        if (work.cancelled())
            return cancelled();
        work.tell({ "Loading the model", static_cast<double>(k), static_cast<double>(config.blocks), 0,
                    "blocks", -1 });
        LODESTONE_TRY(weights.blocks.emplace_back(), loader.block(k));
        source.forgetPages();
    }
    LODESTONE_TRY(weights.finalNorm, loader.norm("output_norm"));
    if (config.choices.learnedPositions) {
        LODESTONE_TRY(
            weights.positions, loader.stacked({ { "position_embd.weight", config.context } }, config.width));
    }
    source.forgetPages();
    malloc_trim(0); // the unpacked copies were returned to the heap, not to the system
    return weights;
}

} // namespace lodestone::torch_engine
