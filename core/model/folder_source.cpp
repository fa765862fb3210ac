#include "core/model/folder_source.h"

#include "core/base/files.h"
#include "core/formats/lines.h"
#include "core/formats/safetensors.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <map>
#include <optional>

namespace lodestone::model {
namespace {

/// How a folder's matrix becomes [out, in] with queries, keys and values one below the other.
enum class Order {
    AsIs,
    Transposed, ///< GPT-2 stores [in, out]
    ByHead ///< GPT-NeoX stores each head's query, key and value together
};

struct Naming {
    std::string_view ours; ///< what GGUF calls it; "blk.N." and ".weight" or ".bias" stand around it
    std::string_view theirs; ///< {} is the block's number
    Order order = Order::AsIs;
};

constexpr std::array<Naming, 16> llamaNames{ {
    { "attn_norm", "layers.{}.input_layernorm" },
    { "ffn_norm", "layers.{}.post_attention_layernorm" },
    { "attn_q", "layers.{}.self_attn.q_proj" },
    { "attn_k", "layers.{}.self_attn.k_proj" },
    { "attn_v", "layers.{}.self_attn.v_proj" },
    { "attn_qkv", "layers.{}.self_attn.qkv_proj" },
    { "attn_output", "layers.{}.self_attn.o_proj" },
    { "attn_q_norm", "layers.{}.self_attn.q_norm" },
    { "attn_k_norm", "layers.{}.self_attn.k_norm" },
    { "ffn_gate", "layers.{}.mlp.gate_proj" },
    { "ffn_up", "layers.{}.mlp.up_proj" },
    { "ffn_up", "layers.{}.mlp.gate_up_proj" },
    { "ffn_down", "layers.{}.mlp.down_proj" },
    { "token_embd", "embed_tokens" },
    { "output_norm", "norm" },
    { "output", "lm_head" },
} };
constexpr std::array<Naming, 3> sandwichNames{ {
    { "ffn_norm", "layers.{}.pre_feedforward_layernorm" },
    { "post_attention_norm", "layers.{}.post_attention_layernorm" },
    { "post_ffw_norm", "layers.{}.post_feedforward_layernorm" },
} };
constexpr std::array<Naming, 10> gpt2Names{ {
    { "attn_norm", "h.{}.ln_1" },
    { "ffn_norm", "h.{}.ln_2" },
    { "attn_qkv", "h.{}.attn.c_attn", Order::Transposed },
    { "attn_output", "h.{}.attn.c_proj", Order::Transposed },
    { "ffn_up", "h.{}.mlp.c_fc", Order::Transposed },
    { "ffn_down", "h.{}.mlp.c_proj", Order::Transposed },
    { "token_embd", "wte" },
    { "position_embd", "wpe" },
    { "output_norm", "ln_f" },
    { "output", "lm_head" },
} };
constexpr std::array<Naming, 9> gptNeoXNames{ {
    { "attn_norm", "layers.{}.input_layernorm" },
    { "ffn_norm", "layers.{}.post_attention_layernorm" },
    { "attn_qkv", "layers.{}.attention.query_key_value", Order::ByHead },
    { "attn_output", "layers.{}.attention.dense" },
    { "ffn_up", "layers.{}.mlp.dense_h_to_4h" },
    { "ffn_down", "layers.{}.mlp.dense_4h_to_h" },
    { "token_embd", "embed_in" },
    { "output_norm", "final_layer_norm" },
    { "output", "embed_out" },
} };
/// What may stand before a name, depending on which class saved the model.
constexpr std::array<std::string_view, 6> prefixes{
    "", "model.", "transformer.", "gpt_neox.", "language_model.model.", "model.language_model."
};

class FolderSource final : public ModelSource {
public:
    static Result<std::unique_ptr<ModelSource>> open(const std::filesystem::path& folder)
    {
        const std::filesystem::path place = folder / "config.json";
        std::error_code error;
        if (!std::filesystem::is_regular_file(place, error))
            return badInput("a model folder with config.json", "none", folder.string());
        LODESTONE_TRY(const nlohmann::json document, formats::readJson(place));
        std::unique_ptr<FolderSource> source(new FolderSource());
        source->m_path = folder;
        LODESTONE_TRY(source->m_config, ModelConfig::fromFolder(document, place.string()));
        LODESTONE_TRY(source->m_file, formats::openSafetensorsFolder(folder));
        source->m_tied = document.value("tie_word_embeddings", nlohmann::json(false)) == nlohmann::json(true);
        const auto full = std::filesystem::absolute(folder, error).lexically_normal();
        source->m_config.name = (full.has_filename() ? full : full.parent_path()).filename().string();
        source->m_format = "folder";
        source->describeTensors();
        LODESTONE_CHECK(source->readChatTemplate());
        source->m_bytes = source->m_file.bytes;
        return std::unique_ptr<ModelSource>(std::move(source));
    }

    Result<std::shared_ptr<const text::Tokenizer>> tokenizer() const override
    {
        return text::Tokenizer::fromFolder(m_path);
    }

    /// Of config.json and the shards in order of their names: what `sha256sum config.json *.safetensors |
    /// sort -k 2 | sha256sum` prints.
    Result<std::string> sha256(const Work& work) const override
    {
        std::vector<std::filesystem::path> files = m_file.files;
        files.push_back(m_path / "config.json");
        std::sort(files.begin(), files.end());
        std::string all;
        for (const std::filesystem::path& file : files) {
            LODESTONE_TRY(const std::string hash, sha256OfFile(file, work));
            all += hash + "  " + file.filename().string() + '\n';
        }
        return sha256Of(all);
    }

    void forgetPages() const override
    {
        for (const auto& file : m_file.backing)
            file->forgetPages();
    }

    bool has(std::string_view name) const override
    {
        // A tied output matrix that was saved all the same is the embedding again.
        return !(m_tied && name == "output.weight") && find(name).has_value();
    }

    Result<Weights> weights(const std::string& name) const override
    {
        const auto found = find(name);
        if (!found)
            return badInput(
                "the tensor", "none of this name in the safetensors",
                m_path.string() + ", tensor '" + name + "'");
        const formats::Tensor* tensor = found->tensor;
        Weights result;
        result.where = m_file.where(found->name);
        result.shape = tensor->shape;
        const std::uint64_t columns
            = tensor->shape.size() < 2 ? 1 : tensor->items() / std::max<std::uint64_t>(1, tensor->shape[0]);
        if (found->order == Order::Transposed && tensor->shape.size() == 2) {
            std::swap(result.shape[0], result.shape[1]);
            result.read = [tensor](std::uint64_t first, std::uint64_t count, float* out) {
                const std::uint64_t outs = tensor->shape[1], ins = tensor->shape[0];
                std::vector<float> row(count);
                for (std::uint64_t i = 0; i < ins; ++i) {
                    tensor->read(i * outs + first, count, row.data());
                    for (std::uint64_t o = 0; o < count; ++o)
                        out[o * ins + i] = row[o];
                }
            };
        } else if (found->order == Order::ByHead) {
            const auto heads = static_cast<std::uint64_t>(m_config.heads);
            const auto wide = static_cast<std::uint64_t>(m_config.headWidth);
            if (tensor->shape.empty() || tensor->shape[0] != 3 * heads * wide)
                return badInput(
                    fmt::format("{} rows of queries, keys and values", 3 * heads * wide), tensor->shapeText(),
                    result.where);
            result.read
                = [tensor, columns, heads, wide](std::uint64_t first, std::uint64_t count, float* out) {
                      for (std::uint64_t i = 0; i < count; ++i) {
                          const std::uint64_t row = first + i, kind = row / (heads * wide),
                                              head = row / wide % heads;
                          const std::uint64_t stored = (3 * head + kind) * wide + row % wide;
                          tensor->read(stored * columns, columns, out + i * columns);
                      }
                  };
        } else
            result.read = [tensor, columns](std::uint64_t first, std::uint64_t count, float* out) {
                tensor->read(first * columns, count * columns, out);
            };
        return result;
    }

private:
    struct Found {
        const formats::Tensor* tensor = nullptr;
        std::string name;
        Order order = Order::AsIs;
    };

    std::optional<Found> find(std::string_view ours) const
    {
        const std::size_t dot = ours.rfind('.');
        const std::string_view ending = ours.substr(dot);
        std::string_view middle = ours.substr(0, dot);
        std::string block;
        if (middle.substr(0, 4) == "blk.") {
            const std::size_t end = middle.find('.', 4);
            block = middle.substr(4, end - 4);
            middle = middle.substr(end + 1);
        }
        const auto among = [&](std::span<const Naming> names) -> std::optional<Found> {
            for (const Naming& naming : names) {
                if (naming.ours != middle)
                    continue;
                std::string theirs(naming.theirs);
                if (const std::size_t at = theirs.find("{}"); at != std::string::npos)
                    theirs.replace(at, 2, block);
                for (const std::string_view prefix : prefixes) {
                    std::string full = std::string(prefix) + theirs + std::string(ending);
                    if (const auto found = m_file.tensors.find(full); found != m_file.tensors.end())
                        return Found{ &found->second, std::move(full), naming.order };
                }
            }
            return std::nullopt;
        };
        if (m_config.architecture == "gpt2")
            return among(gpt2Names);
        if (m_config.architecture == "gptneox")
            return among(gptNeoXNames);
        if (m_config.choices.sandwichNorms && (middle == "ffn_norm" || middle.substr(0, 5) == "post_"))
            return among(sandwichNames);
        return among(llamaNames);
    }

    void describeTensors()
    {
        std::map<std::string, std::uint64_t> weights;
        for (const auto& [name, tensor] : m_file.tensors)
            weights[std::string(formats::elementName(tensor.type))] += tensor.items();
        std::vector<std::pair<std::uint64_t, std::string>> order;
        for (const auto& [name, count] : weights)
            order.emplace_back(count, name);
        std::sort(order.rbegin(), order.rend());
        for (const auto& [count, name] : order)
            m_quantisation += (m_quantisation.empty() ? "" : ", ") + name;
    }

    /// chat_template.jinja, or the key of tokenizer_config.json.
    Result<void> readChatTemplate()
    {
        std::error_code error;
        if (const auto file = m_path / "chat_template.jinja"; std::filesystem::is_regular_file(file, error)) {
            LODESTONE_TRY(m_chatTemplate, readFile(file, 1u << 22u));
            return {};
        }
        const auto file = m_path / "tokenizer_config.json";
        if (!std::filesystem::is_regular_file(file, error))
            return {};
        LODESTONE_TRY(const nlohmann::json document, formats::readJson(file));
        if (document.is_object() && document.contains("chat_template")
            && document["chat_template"].is_string())
            m_chatTemplate = document["chat_template"].get<std::string>();
        return {};
    }

    formats::TensorFile m_file;
    bool m_tied = false;
};

} // namespace

Result<std::unique_ptr<ModelSource>> openFolder(const std::filesystem::path& folder)
{
    return FolderSource::open(folder);
}

} // namespace lodestone::model
