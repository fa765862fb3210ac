#include "core/model/architecture.h"

#include <array>

namespace lodestone::model {
namespace {

constexpr Choices llama{};
constexpr Choices llamaOfGguf = [] {
    Choices choices = llama;
    choices.rotary = Rotary::Neighbours; // the converter reorders the rows of queries and keys
    return choices;
}();
constexpr Choices mistral = [] {
    Choices choices = llama;
    choices.slidingPeriod = 1; // where the configuration names a window at all
    return choices;
}();
constexpr Choices qwen2 = [] {
    Choices choices = llama;
    choices.attentionBias = true;
    return choices;
}();
constexpr Choices qwen3 = [] {
    Choices choices = llama;
    choices.queryKeyNorms = true;
    return choices;
}();
constexpr Choices gemma = [] {
    Choices choices = llama;
    choices.activation = Activation::GeluTanh;
    choices.scaledEmbedding = true;
    choices.gainPlusOne = true;
    return choices;
}();
constexpr Choices gemma2 = [] {
    Choices choices = gemma;
    choices.sandwichNorms = true;
    choices.slidingPeriod = 2;
    choices.slidingWindow = 4096;
    return choices;
}();
constexpr Choices gemma3 = [] {
    Choices choices = gemma2;
    choices.queryKeyNorms = true;
    choices.slidingPeriod = 6;
    choices.slidingWindow = 0;
    choices.localRotaryBase = 10000;
    return choices;
}();
constexpr Choices gpt2 = [] {
    Choices choices;
    choices.norm = NormKind::Layer;
    choices.activation = Activation::GeluTanh;
    choices.rotary = Rotary::None;
    choices.gated = false;
    choices.learnedPositions = true;
    choices.attentionBias = choices.allBiases = true;
    return choices;
}();
constexpr Choices gptNeoX = [] {
    Choices choices;
    choices.norm = NormKind::Layer;
    choices.activation = Activation::GeluErf;
    choices.gated = false;
    choices.parallel = true;
    choices.attentionBias = choices.allBiases = true;
    return choices;
}();
constexpr Choices phi3 = mistral;

constexpr std::array<Family, 11> table{ {
    { "llama", "", llamaOfGguf },
    { "llama", "llama", llama, false },
    { "llama", "mistral", mistral, false },
    { "qwen2", "qwen2", qwen2 },
    { "qwen3", "qwen3", qwen3 },
    { "gemma", "gemma", gemma },
    { "gemma2", "gemma2", gemma2 },
    { "gemma3", "gemma3_text", gemma3 },
    { "gpt2", "gpt2", gpt2 },
    { "gptneox", "gpt_neox", gptNeoX },
    { "phi3", "phi3", phi3 },
} };

template <typename Matches, typename Name>
Result<const Family*>
find(Matches matches, Name name, std::string_view asked, const char* what, const std::string& where)
{
    std::string known;
    for (const Family& family : table) {
        if (matches(family))
            return &family;
        if (const std::string_view shown = name(family); !shown.empty())
            known += (known.empty() ? "'" : ", '") + std::string(shown) + "'";
    }
    return badInput(std::string(what) + " among " + known, "'" + std::string(asked) + "'", where);
}

} // namespace

std::span<const Family> families() { return table; }

Result<const Family*> familyOfGguf(std::string_view architecture, const std::string& where)
{
    return find(
        [&](const Family& family) { return family.inGguf && family.name == architecture; },
        [](const Family& family) { return family.inGguf ? family.name : std::string_view(); }, architecture,
        "a model of an architecture", where);
}

Result<const Family*> familyOfFolder(std::string_view modelType, const std::string& where)
{
    return find(
        [&](const Family& family) { return !modelType.empty() && family.folderType == modelType; },
        [](const Family& family) { return family.folderType; }, modelType, "a model_type", where);
}

Result<Activation> activationNamed(std::string_view name, const std::string& where)
{
    if (name == "silu" || name == "swish")
        return Activation::Silu;
    if (name == "gelu_new" || name == "gelu_pytorch_tanh" || name == "gelu_fast")
        return Activation::GeluTanh;
    if (name == "gelu")
        return Activation::GeluErf;
    return badInput("silu, gelu, gelu_new or gelu_pytorch_tanh", "'" + std::string(name) + "'", where);
}

} // namespace lodestone::model
