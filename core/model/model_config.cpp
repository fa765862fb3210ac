#include "core/model/model_config.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>

namespace lodestone::model {

Result<ModelConfig> ModelConfig::fromGguf(const formats::Gguf& file)
{
    const std::string where = file.path().string();
    ModelConfig config;
    LODESTONE_TRY(config.architecture, file.text("general.architecture"));
    if (config.architecture != "llama")
        return badInput(
            "a model of architecture 'llama'", "'" + config.architecture + "'",
            where + ", general.architecture");
    config.name = file.text("general.name").value_or(file.path().stem().string());
    config.license = file.text("general.license").value_or("");

    // A size must be a sensible positive number: it decides how much is allocated.
    const auto size = [&](const std::string& key, std::int64_t most, std::int64_t fallback) -> Result<int> {
        const std::string full = config.architecture + "." + key;
        if (fallback > 0 && !file.has(full))
            return static_cast<int>(fallback);
        LODESTONE_TRY(const std::int64_t value, file.integer(full));
        if (value < 1 || value > most)
            return badInput(
                fmt::format("a number from 1 to {}", most), std::to_string(value), where + ", " + full);
        return static_cast<int>(value);
    };
    LODESTONE_TRY(config.blocks, size("block_count", 1000, 0));
    LODESTONE_TRY(config.width, size("embedding_length", 65536, 0));
    LODESTONE_TRY(config.feedForward, size("feed_forward_length", 1 << 20, 0));
    LODESTONE_TRY(config.heads, size("attention.head_count", 4096, 0));
    LODESTONE_TRY(config.kvHeads, size("attention.head_count_kv", 4096, config.heads));
    LODESTONE_TRY(config.context, size("context_length", 1 << 24, 0));
    LODESTONE_TRY(
        config.headWidth, size("attention.key_length", 4096, std::max(1, config.width / config.heads)));
    LODESTONE_TRY(config.ropeWidth, size("rope.dimension_count", 4096, config.headWidth));
    if (config.heads % config.kvHeads != 0)
        return badInput(
            "query heads in equal groups over the key/value heads",
            fmt::format("{} over {}", config.heads, config.kvHeads), where + ", attention.head_count_kv");
    if (config.ropeWidth > config.headWidth || config.ropeWidth % 2 != 0)
        return badInput(
            fmt::format("an even rotary width of at most {}", config.headWidth),
            std::to_string(config.ropeWidth), where + ", rope.dimension_count");
    config.ropeBase = file.realOr(config.architecture + ".rope.freq_base", 10000.0);
    config.normEpsilon = file.realOr(config.architecture + ".attention.layer_norm_rms_epsilon", 1e-5);
    if (file.has(config.architecture + ".rope.scaling.type")
        && file.text(config.architecture + ".rope.scaling.type").value_or("") != "none")
        return badInput("no rotary scaling", "a scaling type", where + ", rope.scaling.type");

    LODESTONE_TRY(const auto* embedding, file.tensor("token_embd.weight"));
    if (embedding->shape.size() != 2 || embedding->shape[0] != static_cast<std::uint64_t>(config.width))
        return badInput(
            fmt::format("an embedding {} wide", config.width),
            embedding->shape.empty() ? "a scalar" : fmt::format("{}", embedding->shape[0]),
            where + ", token_embd.weight");
    if (embedding->shape[1] > (1u << 24u))
        return badInput(
            "a vocabulary below 2^24", std::to_string(embedding->shape[1]), where + ", token_embd.weight");
    config.vocabulary = static_cast<int>(embedding->shape[1]);
    return config;
}

std::string quantisationOf(const formats::Gguf& file)
{
    std::map<std::string, std::uint64_t> weights;
    for (const auto& [name, tensor] : file.tensors())
        weights[std::string(formats::quantBlock(static_cast<std::uint32_t>(tensor.type))->name)]
            += tensor.items;
    std::vector<std::pair<std::uint64_t, std::string>> order;
    for (const auto& [name, count] : weights)
        order.emplace_back(count, name);
    std::sort(order.rbegin(), order.rend());
    std::string text;
    for (const auto& [count, name] : order)
        text += (text.empty() ? "" : ", ") + name;
    return text;
}

} // namespace lodestone::model
