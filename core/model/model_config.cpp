#include "core/model/model_config.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <map>

namespace lodestone::model {
namespace {

/// Metadata of one architecture, each key with the architecture's name before it.
class Keys {
public:
    Keys(const formats::Gguf& file, std::string architecture)
        : m_file(file)
        , m_prefix(std::move(architecture) + ".")
        , m_where(file.path().string())
    {
    }

    std::string full(const std::string& key) const { return m_prefix + key; }
    bool has(const std::string& key) const { return m_file.has(full(key)); }
    std::string place(const std::string& key) const { return m_where + ", " + full(key); }
    double real(const std::string& key, double fallback) const { return m_file.realOr(full(key), fallback); }

    std::int64_t integer(const std::string& key, std::int64_t fallback) const
    {
        return m_file.integerOr(full(key), fallback);
    }

    /// A size must be a sensible positive number: it decides how much is allocated.
    Result<int> size(const std::string& key, std::int64_t most, std::int64_t fallback) const
    {
        if (fallback > 0 && !has(key))
            return static_cast<int>(fallback);
        LODESTONE_TRY(const std::int64_t value, m_file.integer(full(key)));
        if (value < 1 || value > most)
            return badInput(fmt::format("a number from 1 to {}", most), std::to_string(value), place(key));
        return static_cast<int>(value);
    }

private:
    const formats::Gguf& m_file;
    std::string m_prefix, m_where;
};

Result<void> readRotary(const formats::Gguf& file, const Keys& keys, ModelConfig& config)
{
    config.ropeBase = keys.real("rope.freq_base", 10000.0);
    config.localRopeBase = keys.real("rope.freq_base_swa", config.choices.localRotaryBase);
    const std::string scaling = file.text(keys.full("rope.scaling.type")).value_or("none");
    const auto factors = [&](const char* name) -> Result<void> {
        LODESTONE_TRY(const auto* tensor, file.tensor(name));
        if (tensor->items != static_cast<std::uint64_t>(config.ropeWidth / 2))
            return badInput(
                fmt::format("{} factors", config.ropeWidth / 2), std::to_string(tensor->items),
                fmt::format("{}, tensor '{}'", file.path().string(), name));
        config.ropeFactors = tensor->toFloat();
        return {};
    };
    if (scaling == "linear")
        config.ropeFactor = keys.real("rope.scaling.factor", 1);
    else if (scaling == "longrope" || file.tensors().count("rope_factors_short.weight")) {
        // Beyond the length it was trained on first, the model turns by other factors. One sequence must not
        // change its own past, so the engine stays within that length.
        LODESTONE_CHECK(factors("rope_factors_short.weight"));
        LODESTONE_TRY(
            config.context,
            keys.size("rope.scaling.original_context_length", config.context, config.context));
        config.ropeMagnitude = keys.real("rope.scaling.attn_factor", 1);
    } else if (scaling != "none" && !scaling.empty())
        return badInput(
            "no rotary scaling, linear or longrope", "'" + scaling + "'", keys.place("rope.scaling.type"));
    if (file.tensors().count("rope_freqs.weight")) // Llama 3's scaling, worked out by the converter
        LODESTONE_CHECK(factors("rope_freqs.weight"));
    return {};
}

Result<void> readWindow(const Keys& keys, ModelConfig& config)
{
    int period = config.choices.slidingPeriod;
    const std::int64_t window = keys.integer("attention.sliding_window", config.choices.slidingWindow);
    if (window < 0 || window > 1 << 24)
        return badInput("a window of tokens", std::to_string(window), keys.place("attention.sliding_window"));
    config.slidingWindow = static_cast<int>(window); // 0: none
    if (config.slidingWindow == 0)
        return {};
    if (keys.has("attention.sliding_window_pattern")) {
        LODESTONE_TRY(period, keys.size("attention.sliding_window_pattern", 1000, 1));
    }
    for (int k = 0; k < config.blocks; ++k)
        config.sliding.push_back(period <= 1 || k % period < period - 1);
    return {};
}

Result<void> checkHeads(const ModelConfig& config, const std::string& where)
{
    if (config.heads % config.kvHeads != 0)
        return badInput(
            "query heads in equal groups over the key/value heads",
            fmt::format("{} over {}", config.heads, config.kvHeads), where + ", attention.head_count_kv");
    if (config.ropeWidth > config.headWidth || config.ropeWidth % 2 != 0)
        return badInput(
            fmt::format("an even rotary width of at most {}", config.headWidth),
            std::to_string(config.ropeWidth), where + ", rope.dimension_count");
    for (const double number :
         { config.ropeBase, config.ropeFactor, config.ropeMagnitude, config.normEpsilon + 1e-30 })
        if (!(number > 0) || !std::isfinite(number))
            return badInput("positive rotary and norm numbers", fmt::format("{}", number), where);
    return {};
}

} // namespace

std::vector<double> ModelConfig::frequencies(bool slidingBlock) const
{
    const bool own = slidingBlock && localRopeBase > 0;
    const double base = own ? localRopeBase : ropeBase;
    std::vector<double> result;
    for (int i = 0; i < ropeWidth / 2; ++i) {
        double frequency = std::pow(base, -2.0 * i / ropeWidth);
        if (!own)
            frequency /= ropeFactor
                * (ropeFactors.empty() ? 1.0 : static_cast<double>(ropeFactors[static_cast<std::size_t>(i)]));
        result.push_back(frequency);
    }
    return result;
}

Result<ModelConfig> ModelConfig::fromGguf(const formats::Gguf& file)
{
    const std::string where = file.path().string();
    ModelConfig config;
    LODESTONE_TRY(config.architecture, file.text("general.architecture"));
    LODESTONE_TRY(const Family* family, familyOfGguf(config.architecture, where + ", general.architecture"));
    config.choices = family->choices;
    config.name = file.text("general.name").value_or(file.path().stem().string());
    config.license = file.text("general.license").value_or("");

    const Keys keys(file, config.architecture);
    LODESTONE_TRY(config.blocks, keys.size("block_count", 1000, 0));
    LODESTONE_TRY(config.width, keys.size("embedding_length", 65536, 0));
    LODESTONE_TRY(config.feedForward, keys.size("feed_forward_length", 1 << 20, 0));
    LODESTONE_TRY(config.heads, keys.size("attention.head_count", 4096, 0));
    LODESTONE_TRY(config.kvHeads, keys.size("attention.head_count_kv", 4096, config.heads));
    LODESTONE_TRY(config.context, keys.size("context_length", 1 << 24, 0));
    LODESTONE_TRY(
        config.headWidth, keys.size("attention.key_length", 4096, std::max(1, config.width / config.heads)));
    LODESTONE_TRY(const int valueWidth, keys.size("attention.value_length", 4096, config.headWidth));
    if (valueWidth != config.headWidth)
        return badInput(
            fmt::format("values as wide as keys ({})", config.headWidth), std::to_string(valueWidth),
            keys.place("attention.value_length"));
    if (const std::int64_t experts = keys.integer("expert_count", 0); experts != 0)
        return badInput("a model without experts", std::to_string(experts), keys.place("expert_count"));
    LODESTONE_TRY(config.ropeWidth, keys.size("rope.dimension_count", 4096, config.headWidth));
    if (config.choices.rotary == Rotary::None)
        config.ropeWidth = config.headWidth - config.headWidth % 2;
    config.normEpsilon = config.choices.norm == NormKind::Rms
        ? keys.real("attention.layer_norm_rms_epsilon", 1e-5)
        : keys.real("attention.layer_norm_epsilon", 1e-5);
    if (keys.has("use_parallel_residual"))
        config.choices.parallel = file.flagOr(keys.full("use_parallel_residual"), true);
    LODESTONE_CHECK(readRotary(file, keys, config));
    LODESTONE_CHECK(readWindow(keys, config));
    LODESTONE_CHECK(checkHeads(config, where));
    if (config.choices.scaledEmbedding)
        config.embeddingScale = std::sqrt(static_cast<double>(config.width));
    config.attentionScale = 1 / std::sqrt(static_cast<double>(config.headWidth));
    // The largest Gemmas scale by width over heads; their files do not say so.
    if ((config.architecture == "gemma2" && config.blocks == 46)
        || (config.architecture == "gemma3" && config.blocks == 62))
        config.attentionScale = 1 / std::sqrt(static_cast<double>(config.width) / config.heads);
    if (config.architecture == "gemma2") {
        config.attentionCap = keys.real("attn_logit_softcapping", 50);
        config.outputCap = keys.real("final_logit_softcapping", 30);
    } else if (config.architecture == "gemma3")
        config.outputCap = keys.real("final_logit_softcapping", 0);

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
