// Writes a PlainTransformer as a model folder: config.json, tokenizer.json, safetensors in one file or in
// shards, with the names and orders of the library that usually writes such folders.
#pragma once

#include "tests/support/model_writer.h"
#include "tests/support/result_checks.h"

#include <nlohmann/json.hpp>

namespace lodestone::testing {

/// The bytes of a safetensors file with float32 tensors. Shapes slowest first.
inline std::string safetensorsOf(const std::vector<std::pair<std::string, Eigen::MatrixXd>>& tensors)
{
    nlohmann::json header = nlohmann::json::object();
    std::string data;
    for (const auto& [name, matrix] : tensors) {
        nlohmann::json shape = nlohmann::json::array({ matrix.rows() });
        if (matrix.cols() > 1)
            shape.push_back(matrix.cols());
        const std::size_t begin = data.size();
        data += floatBytes(matrix);
        header[name] = { { "dtype", "F32" }, { "shape", shape }, { "data_offsets", { begin, data.size() } } };
    }
    std::string text = header.dump();
    text.resize((text.size() + 7) / 8 * 8, ' ');
    return littleEndian(static_cast<std::uint64_t>(text.size())) + text + data;
}

/// A byte-level tokenizer.json without merges: ids 0-255 are the bytes, then <|endoftext|>.
inline std::string byteTokenizerJson()
{
    nlohmann::json vocabulary = nlohmann::json::object();
    for (int byte = 0; byte < 256; ++byte)
        vocabulary[writtenByte(static_cast<unsigned char>(byte))] = byte;
    const nlohmann::json level{ { "type", "ByteLevel" },
                                { "add_prefix_space", false },
                                { "trim_offsets", true },
                                { "use_regex", true } };
    return nlohmann::json{
        { "version", "1.0" },
        { "truncation", nullptr },
        { "padding", nullptr },
        { "added_tokens",
          { { { "id", 256 },
              { "content", "<|endoftext|>" },
              { "single_word", false },
              { "lstrip", false },
              { "rstrip", false },
              { "normalized", false },
              { "special", true } } } },
        { "normalizer", nullptr },
        { "pre_tokenizer", level },
        { "post_processor", nullptr },
        { "decoder", level },
        { "model",
          { { "type", "BPE" },
            { "dropout", nullptr },
            { "unk_token", nullptr },
            { "vocab", vocabulary },
            { "merges", nlohmann::json::array() } } }
    }.dump();
}

/// Tensors under the names of the library's class for this model_type.
inline std::vector<std::pair<std::string, Eigen::MatrixXd>>
namedTensors(const PlainTransformer& model, const std::string& type)
{
    std::vector<std::pair<std::string, Eigen::MatrixXd>> tensors;
    const auto& all = model.weights;
    const auto copy = [&](const std::string& from, const std::string& to, bool transposed = false) {
        for (const char* kind : { "", ".bias" })
            if (const auto found = all.find(from + kind); found != all.end())
                tensors.emplace_back(
                    to + (*kind ? ".bias" : ".weight"),
                    transposed && !*kind ? Eigen::MatrixXd(found->second.transpose()) : found->second);
    };
    const auto join
        = [&](const std::vector<std::string>& from, const std::string& to, bool byHead, bool transposed) {
              for (const char* kind : { "", ".bias" }) {
                  if (!all.count(from[0] + kind))
                      continue;
                  std::vector<Eigen::MatrixXd> parts;
                  if (byHead)
                      for (int head = 0; head < model.heads; ++head)
                          for (const std::string& name : from)
                              parts.push_back(
                                  all.at(name + kind).middleRows(head * model.headWidth, model.headWidth));
                  else
                      for (const std::string& name : from)
                          parts.push_back(all.at(name + kind));
                  const Eigen::MatrixXd joined = stacked(parts);
                  tensors.emplace_back(
                      to + (*kind ? ".bias" : ".weight"),
                      transposed && !*kind ? Eigen::MatrixXd(joined.transpose()) : joined);
              }
          };
    for (int k = 0; k < model.blocks; ++k) {
        const std::string b = std::to_string(k) + ".";
        if (type == "gpt2") {
            const std::string to = "transformer.h." + b;
            copy(b + "norm1", to + "ln_1");
            copy(b + "norm2", to + "ln_2");
            join({ b + "q", b + "k", b + "v" }, to + "attn.c_attn", false, true);
            copy(b + "o", to + "attn.c_proj", true);
            copy(b + "up", to + "mlp.c_fc", true);
            copy(b + "down", to + "mlp.c_proj", true);
            continue;
        }
        if (type == "gpt_neox") {
            const std::string to = "gpt_neox.layers." + b;
            copy(b + "norm1", to + "input_layernorm");
            copy(b + "norm2", to + "post_attention_layernorm");
            join({ b + "q", b + "k", b + "v" }, to + "attention.query_key_value", true, false);
            copy(b + "o", to + "attention.dense");
            copy(b + "up", to + "mlp.dense_h_to_4h");
            copy(b + "down", to + "mlp.dense_4h_to_h");
            continue;
        }
        const std::string to = "model.layers." + b;
        copy(b + "norm1", to + "input_layernorm");
        copy(b + "norm2", to + (model.sandwich ? "pre_feedforward_layernorm" : "post_attention_layernorm"));
        if (model.sandwich) {
            copy(b + "post1", to + "post_attention_layernorm");
            copy(b + "post2", to + "post_feedforward_layernorm");
        }
        if (model.headNorms) {
            copy(b + "qnorm", to + "self_attn.q_norm");
            copy(b + "knorm", to + "self_attn.k_norm");
        }
        if (type == "phi3") {
            join({ b + "q", b + "k", b + "v" }, to + "self_attn.qkv_proj", false, false);
            join({ b + "gate", b + "up" }, to + "mlp.gate_up_proj", false, false);
        } else {
            for (const char* name : { "q", "k", "v" })
                copy(b + name, to + "self_attn." + name + "_proj");
            copy(b + "gate", to + "mlp.gate_proj");
            copy(b + "up", to + "mlp.up_proj");
        }
        copy(b + "o", to + "self_attn.o_proj");
        copy(b + "down", to + "mlp.down_proj");
    }
    const std::string root = type == "gpt2" ? "transformer." : type == "gpt_neox" ? "gpt_neox." : "model.";
    copy("embedding", root + (type == "gpt2" ? "wte" : type == "gpt_neox" ? "embed_in" : "embed_tokens"));
    copy("positions", root + "wpe");
    copy("final", root + (type == "gpt2" ? "ln_f" : type == "gpt_neox" ? "final_layer_norm" : "norm"));
    copy("output", type == "gpt_neox" ? "embed_out" : "lm_head");
    return tensors;
}

/// The configuration that the library would write; `more` overrides.
inline nlohmann::json
configOf(const PlainTransformer& model, const std::string& type, const nlohmann::json& more)
{
    nlohmann::json config;
    if (type == "gpt2")
        config = { { "n_layer", model.blocks },
                   { "n_embd", model.width },
                   { "n_head", model.heads },
                   { "n_inner", model.wide },
                   { "n_positions", model.context },
                   { "layer_norm_epsilon", model.epsilon },
                   { "activation_function", "gelu_new" } };
    else
        config = { { "num_hidden_layers", model.blocks },
                   { "hidden_size", model.width },
                   { "intermediate_size", model.wide },
                   { "num_attention_heads", model.heads },
                   { "num_key_value_heads", model.kvHeads },
                   { "head_dim", model.headWidth },
                   { "max_position_embeddings", model.context },
                   { "rms_norm_eps", model.epsilon },
                   { "rope_theta", model.base },
                   { "hidden_act", "silu" } };
    config["model_type"] = type;
    config["vocab_size"] = model.vocabulary;
    config["tie_word_embeddings"] = model.tied;
    config.update(more);
    return config;
}

/// Fills a scratch folder; with `shards` the weights lie in that many files with an index.
inline void writeModelFolder(
    const ScratchFolder& folder, const PlainTransformer& model, const std::string& type,
    const nlohmann::json& more, std::size_t shards = 1)
{
    folder.write("config.json", configOf(model, type, more).dump());
    folder.write("tokenizer.json", byteTokenizerJson());
    folder.write(
        "tokenizer_config.json",
        R"({"tokenizer_class": "GPT2Tokenizer", "eos_token": "<|endoftext|>", "add_bos_token": false})");
    const auto tensors = namedTensors(model, type);
    if (shards == 1) {
        folder.write("model.safetensors", safetensorsOf(tensors));
        return;
    }
    nlohmann::json places = nlohmann::json::object();
    for (std::size_t shard = 0; shard < shards; ++shard) {
        std::vector<std::pair<std::string, Eigen::MatrixXd>> mine;
        const std::string name = "model-" + std::to_string(shard) + ".safetensors";
        for (std::size_t i = shard; i < tensors.size(); i += shards) {
            mine.push_back(tensors[i]);
            places[tensors[i].first] = name;
        }
        folder.write(name, safetensorsOf(mine));
    }
    folder.write(
        "model.safetensors.index.json",
        nlohmann::json{ { "metadata", nlohmann::json::object() }, { "weight_map", places } }.dump());
}

} // namespace lodestone::testing
