// Writes a PlainTransformer as a GGUF model file, with the changes that converters make: reordered rows of
// Llama's queries and keys, gains that include Gemma's one, fused matrices.
#pragma once

#include "tests/support/byte_vocabulary.h"
#include "tests/support/plain_transformer.h"

#include <functional>

namespace lodestone::testing {

inline std::string floatBytes(const Eigen::MatrixXd& matrix)
{
    std::string bytes;
    for (Eigen::Index row = 0; row < matrix.rows(); ++row)
        for (Eigen::Index column = 0; column < matrix.cols(); ++column)
            bytes += littleEndian(static_cast<float>(matrix(row, column)));
    return bytes;
}

inline Eigen::MatrixXd stacked(const std::vector<Eigen::MatrixXd>& parts)
{
    Eigen::Index rows = 0;
    for (const Eigen::MatrixXd& part : parts)
        rows += part.rows();
    Eigen::MatrixXd all(rows, parts[0].cols());
    rows = 0;
    for (const Eigen::MatrixXd& part : parts) {
        all.middleRows(rows, part.rows()) = part;
        rows += part.rows();
    }
    return all;
}

/// How one architecture's files differ.
struct GgufHabits {
    std::string architecture = "llama";
    bool neighbours = false; ///< rows of queries and keys reordered from halves to neighbouring pairs
    bool fusedQkv = false, fusedGateUp = false;
    std::function<void(GgufWriter&)> more = {}; ///< further keys and tensors
};

/// The rows of each head in the order that pairs neighbours.
inline Eigen::MatrixXd withNeighbours(const Eigen::MatrixXd& matrix, int headWidth)
{
    Eigen::MatrixXd result = matrix;
    const int half = headWidth / 2;
    for (Eigen::Index head = 0; head < matrix.rows() / headWidth; ++head)
        for (int i = 0; i < half; ++i) {
            result.row(head * headWidth + 2 * i) = matrix.row(head * headWidth + i);
            result.row(head * headWidth + 2 * i + 1) = matrix.row(head * headWidth + half + i);
        }
    return result;
}

inline void writeFloat(GgufWriter& file, const std::string& key, double value)
{
    file.raw(key, 6, littleEndian(static_cast<float>(value)));
}

inline std::string ggufOf(const PlainTransformer& model, const GgufHabits& habits)
{
    GgufWriter file;
    const std::string a = habits.architecture + ".";
    const auto size = [&](const std::string& key, int value) {
        file.integer(a + key, static_cast<std::uint32_t>(value));
    };
    file.text("general.architecture", habits.architecture);
    size("block_count", model.blocks);
    size("embedding_length", model.width);
    size("feed_forward_length", model.wide);
    size("attention.head_count", model.heads);
    size("attention.head_count_kv", model.kvHeads);
    size("context_length", model.context);
    size("attention.key_length", model.headWidth);
    size("attention.value_length", model.headWidth);
    if (!model.positions) {
        size("rope.dimension_count", model.rotated);
        writeFloat(file, a + "rope.freq_base", model.base);
    }
    writeFloat(
        file, a + (model.layerNorm ? "attention.layer_norm_epsilon" : "attention.layer_norm_rms_epsilon"),
        model.epsilon);
    if (model.window > 0)
        size("attention.sliding_window", model.window);

    const auto add = [&](const std::string& name, const Eigen::MatrixXd& m) {
        std::vector<std::uint64_t> shape;
        if (m.cols() > 1)
            shape.push_back(static_cast<std::uint64_t>(m.cols()));
        shape.push_back(static_cast<std::uint64_t>(m.rows()));
        file.tensor(name, shape, 0, floatBytes(m));
    };
    const auto norm = [&](const std::string& to, const std::string& from) {
        add(to + ".weight", model.weights.at(from).array() + (model.plusOne ? 1.0 : 0.0));
        if (model.weights.count(from + ".bias"))
            add(to + ".bias", model.weights.at(from + ".bias"));
    };
    const auto linear = [&](const std::string& to, const std::vector<std::string>& from) {
        for (const char* kind : { "", ".bias" }) {
            std::vector<Eigen::MatrixXd> parts;
            for (const std::string& name : from) {
                const auto found = model.weights.find(name + kind);
                if (found == model.weights.end())
                    continue;
                const bool turns = name.back() == 'q' || name.back() == 'k';
                parts.push_back(
                    habits.neighbours && turns ? withNeighbours(found->second, model.headWidth)
                                               : found->second);
            }
            if (!parts.empty())
                add(to + (*kind ? ".bias" : ".weight"), stacked(parts));
        }
    };
    add("token_embd.weight", model.weights.at("embedding"));
    if (model.positions)
        add("position_embd.weight", model.weights.at("positions"));
    for (int k = 0; k < model.blocks; ++k) {
        const std::string to = "blk." + std::to_string(k) + ".", from = std::to_string(k) + ".";
        norm(to + "attn_norm", from + "norm1");
        norm(to + "ffn_norm", from + "norm2");
        if (model.sandwich) {
            norm(to + "post_attention_norm", from + "post1");
            norm(to + "post_ffw_norm", from + "post2");
        }
        if (model.headNorms) {
            norm(to + "attn_q_norm", from + "qnorm");
            norm(to + "attn_k_norm", from + "knorm");
        }
        if (habits.fusedQkv)
            linear(to + "attn_qkv", { from + "q", from + "k", from + "v" });
        else {
            linear(to + "attn_q", { from + "q" });
            linear(to + "attn_k", { from + "k" });
            linear(to + "attn_v", { from + "v" });
        }
        linear(to + "attn_output", { from + "o" });
        if (habits.fusedGateUp)
            linear(to + "ffn_up", { from + "gate", from + "up" });
        else {
            if (model.gated)
                linear(to + "ffn_gate", { from + "gate" });
            linear(to + "ffn_up", { from + "up" });
        }
        linear(to + "ffn_down", { from + "down" });
    }
    norm("output_norm", "final");
    if (!model.tied)
        add("output.weight", model.weights.at("output"));
    ByteVocabulary().writeTo(file);
    if (habits.more)
        habits.more(file);
    return file.bytes();
}

} // namespace lodestone::testing
