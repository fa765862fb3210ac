// The shape of a transformer from the config.json of a model folder.
#include "core/model/model_config.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace lodestone::model {
namespace {

using nlohmann::json;

/// The keys of one object; the first of several names that is there counts.
class ConfigKeys {
public:
    ConfigKeys(const json& object, std::string where)
        : m_object(object)
        , m_where(std::move(where))
    {
    }

    const json* find(std::initializer_list<const char*> names) const
    {
        for (const char* name : names)
            if (const auto found = m_object.find(name); found != m_object.end() && !found->is_null())
                return &*found;
        return nullptr;
    }
    std::string place(const char* name) const { return m_where + ", " + name; }
    const std::string& where() const { return m_where; }

    Result<int>
    size(std::initializer_list<const char*> names, std::int64_t most, std::int64_t fallback = 0) const
    {
        const json* value = find(names);
        if (!value && fallback > 0)
            return static_cast<int>(fallback);
        if (!value || !value->is_number_integer() || value->get<std::int64_t>() < 1
            || value->get<std::int64_t>() > most)
            return badInput(
                fmt::format("a number from 1 to {}", most), value ? value->dump().substr(0, 40) : "nothing",
                place(*names.begin()));
        return static_cast<int>(value->get<std::int64_t>());
    }
    Result<double> real(std::initializer_list<const char*> names, double fallback) const
    {
        const json* value = find(names);
        if (!value)
            return fallback;
        if (!value->is_number() || !std::isfinite(value->get<double>()))
            return badInput("a number", value->dump().substr(0, 40), place(*names.begin()));
        return value->get<double>();
    }
    bool flag(std::initializer_list<const char*> names, bool fallback) const
    {
        const json* value = find(names);
        return value && value->is_boolean() ? value->get<bool>() : fallback;
    }
    std::string text(std::initializer_list<const char*> names) const
    {
        const json* value = find(names);
        return value && value->is_string() ? value->get<std::string>() : std::string();
    }

private:
    const json& m_object;
    std::string m_where;
};

/// Llama 3's scaling: slow frequencies are divided by a factor, fast ones stay, those between are blended
/// (Grattafiori et al. 2024, the release's own code).
Result<void> scaleAsLlama3(const ConfigKeys& scaling, ModelConfig& config)
{
    LODESTONE_TRY(const double factor, scaling.real({ "factor" }, 8));
    LODESTONE_TRY(const double low, scaling.real({ "low_freq_factor" }, 1));
    LODESTONE_TRY(const double high, scaling.real({ "high_freq_factor" }, 4));
    LODESTONE_TRY(const double original, scaling.real({ "original_max_position_embeddings" }, 8192));
    if (!(factor > 0) || !(high > low) || !(low > 0))
        return badInput("factors of which high exceeds low", "others", scaling.where());
    constexpr double circle = 6.283185307179586;
    config.ropeFactors.clear();
    for (const double frequency : config.frequencies(false)) {
        const double turns = original * frequency / circle; // within the original context
        const double share = std::clamp((turns - low) / (high - low), 0.0, 1.0);
        config.ropeFactors.push_back(static_cast<float>(1 / (share + (1 - share) / factor)));
    }
    return {};
}

Result<void> scaleAsLongRope(const ConfigKeys& scaling, const ConfigKeys& keys, ModelConfig& config)
{
    const json* factors = scaling.find({ "short_factor" });
    if (!factors || !factors->is_array() || factors->size() != static_cast<std::size_t>(config.ropeWidth / 2)
        || !std::all_of(factors->begin(), factors->end(), [](const json& f) { return f.is_number(); }))
        return badInput(
            fmt::format("{} factors", config.ropeWidth / 2),
            factors ? fmt::format("{}", factors->size()) : "none", scaling.place("short_factor"));
    config.ropeFactors = factors->get<std::vector<float>>();
    const int longest = config.context;
    // The long factors are for beyond this length; one sequence must not change its own past.
    LODESTONE_TRY(const int fallback, scaling.size({ "original_max_position_embeddings" }, 1 << 24, longest));
    LODESTONE_TRY(config.context, keys.size({ "original_max_position_embeddings" }, 1 << 24, fallback));
    const double ratio = static_cast<double>(longest) / config.context;
    LODESTONE_TRY(
        config.ropeMagnitude,
        scaling.real(
            { "attention_factor" },
            ratio > 1 ? std::sqrt(1 + std::log(ratio) / std::log(static_cast<double>(config.context))) : 1));
    return {};
}

Result<void> readRotary(const ConfigKeys& keys, ModelConfig& config)
{
    const json* parameters = keys.find({ "rope_parameters", "rope_scaling" });
    json global = parameters && parameters->is_object() ? *parameters : json::object();
    json local = json::object();
    if (global.contains("full_attention")) { // one set per kind of block
        local = global.value("sliding_attention", json::object());
        global = json(global.at("full_attention"));
    }
    const ConfigKeys scaling(global, keys.place("rope_scaling"));
    LODESTONE_TRY(const double base, keys.real({ "rope_theta", "rotary_emb_base" }, 10000));
    LODESTONE_TRY(config.ropeBase, scaling.real({ "rope_theta" }, base));
    LODESTONE_TRY(
        const double ownLocal, keys.real({ "rope_local_base_freq" }, config.choices.localRotaryBase));
    LODESTONE_TRY(
        config.localRopeBase,
        ConfigKeys(local, keys.place("rope_parameters")).real({ "rope_theta" }, ownLocal));
    LODESTONE_TRY(const double share, keys.real({ "partial_rotary_factor", "rotary_pct" }, 1));
    LODESTONE_TRY(const double ownShare, scaling.real({ "partial_rotary_factor" }, share));
    config.ropeWidth = static_cast<int>(config.headWidth * std::clamp(ownShare, 0.0, 1.0));
    config.ropeWidth -= config.ropeWidth % 2;

    const std::string kind = scaling.text({ "rope_type", "type" });
    if (kind.empty() || kind == "default")
        return {};
    if (kind == "linear") {
        LODESTONE_TRY(config.ropeFactor, scaling.real({ "factor" }, 1));
        return config.ropeFactor > 0
            ? Result<void>()
            : badInput("a positive factor", fmt::format("{}", config.ropeFactor), scaling.where());
    }
    if (kind == "llama3")
        return scaleAsLlama3(scaling, config);
    if (kind == "longrope" || kind == "su")
        return scaleAsLongRope(scaling, keys, config);
    return badInput("no rotary scaling, linear, llama3 or longrope", "'" + kind + "'", scaling.where());
}

Result<void> readWindow(const ConfigKeys& keys, const std::string& type, ModelConfig& config)
{
    LODESTONE_TRY(
        const int window,
        keys.size({ "sliding_window" }, 1 << 24, std::max(1, config.choices.slidingWindow)));
    const bool named = keys.find({ "sliding_window" }) || config.choices.slidingWindow > 0;
    if (!named || (type.rfind("qwen", 0) == 0 && !keys.flag({ "use_sliding_window" }, false))
        || (type.rfind("qwen", 0) != 0 && config.choices.slidingPeriod == 0))
        return {};
    const json* kinds = keys.find({ "layer_types" });
    if (kinds && (!kinds->is_array() || kinds->size() != static_cast<std::size_t>(config.blocks)))
        return badInput(
            fmt::format("{} kinds of attention", config.blocks), kinds->dump().substr(0, 60),
            keys.place("layer_types"));
    LODESTONE_TRY(
        const int period,
        keys.size({ "sliding_window_pattern" }, 1000, std::max(1, config.choices.slidingPeriod)));
    LODESTONE_TRY(const int first, keys.size({ "max_window_layers" }, 1 << 20, 1 << 20));
    config.slidingWindow = window;
    for (int k = 0; k < config.blocks; ++k)
        if (kinds)
            config.sliding.push_back((*kinds)[static_cast<std::size_t>(k)] == "sliding_attention");
        else if (type.rfind("qwen", 0) == 0)
            config.sliding.push_back(k >= first);
        else
            config.sliding.push_back(period <= 1 || k % period < period - 1);
    return {};
}

Result<void> readChoices(const ConfigKeys& keys, const std::string& type, ModelConfig& config)
{
    Choices& choices = config.choices;
    const std::string activation = type.rfind("gemma", 0) == 0
        ? keys.text({ "hidden_activation" }) // `hidden_act` of the first Gemmas names another than they use
        : keys.text({ "hidden_act", "activation_function" });
    if (!activation.empty()) {
        LODESTONE_TRY(choices.activation, activationNamed(activation, keys.place("hidden_act")));
    }
    if (type == "gpt_neox")
        choices.parallel = keys.flag({ "use_parallel_residual" }, true);
    if (type == "llama" || type == "qwen3")
        choices.attentionBias = keys.flag({ "attention_bias" }, false);
    if (keys.find({ "quantization_config" }))
        return badInput(
            "weights as F32, F16 or BF16", "a quantised folder", keys.place("quantization_config"));
    if (keys.find({ "num_local_experts", "num_experts" }))
        return badInput("a model without experts", "experts", keys.where());
    config.normOffset = choices.gainPlusOne ? 1 : 0;
    if (choices.scaledEmbedding)
        config.embeddingScale = std::sqrt(static_cast<double>(config.width));
    LODESTONE_TRY(const double scalar, keys.real({ "query_pre_attn_scalar" }, config.headWidth));
    if (!(scalar > 0))
        return badInput("a positive number", fmt::format("{}", scalar), keys.place("query_pre_attn_scalar"));
    config.attentionScale = 1 / std::sqrt(scalar);
    LODESTONE_TRY(config.attentionCap, keys.real({ "attn_logit_softcapping" }, 0));
    LODESTONE_TRY(config.outputCap, keys.real({ "final_logit_softcapping" }, 0));
    return {};
}

} // namespace

Result<ModelConfig> ModelConfig::fromFolder(const json& document, const std::string& where)
{
    if (!document.is_object())
        return badInput("an object", document.type_name(), where);
    std::string type = document.value("model_type", json()).is_string()
        ? document["model_type"].get<std::string>()
        : std::string();
    const json* object = &document;
    if (type == "gemma3" && document.contains("text_config") && document["text_config"].is_object()) {
        object = &document["text_config"]; // the language part of a model that also sees
        type = "gemma3_text";
    }
    LODESTONE_TRY(const Family* family, familyOfFolder(type, where + ", model_type"));
    const ConfigKeys keys(*object, where);
    ModelConfig config;
    config.architecture = family->name;
    config.choices = family->choices;
    LODESTONE_TRY(config.blocks, keys.size({ "num_hidden_layers", "n_layer" }, 1000));
    LODESTONE_TRY(config.width, keys.size({ "hidden_size", "n_embd" }, 65536));
    LODESTONE_TRY(
        config.feedForward,
        keys.size({ "intermediate_size", "n_inner" }, 1 << 20, type == "gpt2" ? 4 * config.width : 0));
    LODESTONE_TRY(config.heads, keys.size({ "num_attention_heads", "n_head" }, 4096));
    LODESTONE_TRY(config.kvHeads, keys.size({ "num_key_value_heads" }, 4096, config.heads));
    LODESTONE_TRY(config.context, keys.size({ "max_position_embeddings", "n_positions", "n_ctx" }, 1 << 24));
    LODESTONE_TRY(
        config.headWidth, keys.size({ "head_dim" }, 4096, std::max(1, config.width / config.heads)));
    LODESTONE_TRY(config.vocabulary, keys.size({ "vocab_size" }, 1 << 24));
    if (config.heads % config.kvHeads != 0)
        return badInput(
            "query heads in equal groups over the key/value heads",
            fmt::format("{} over {}", config.heads, config.kvHeads), keys.place("num_key_value_heads"));
    LODESTONE_TRY(
        config.normEpsilon,
        keys.real({ "rms_norm_eps", "layer_norm_eps", "layer_norm_epsilon" }, config.normEpsilon));
    LODESTONE_CHECK(readRotary(keys, config));
    LODESTONE_CHECK(readWindow(keys, type, config));
    LODESTONE_CHECK(readChoices(keys, type, config));
    return config;
}

} // namespace lodestone::model
