#include "core/model/checkpoint_source.h"

#include "core/base/files.h"
#include "core/formats/mapped_file.h"

#include <array>
#include <cmath>
#include <cstring>
#include <fmt/format.h>
#include <map>

namespace lodestone::model {
namespace {

constexpr std::uint32_t mark = 0x616b3432; // "ak42" read as a number
constexpr std::size_t headerBytes = 256; ///< of version 1
constexpr int numbers = 7; ///< dim, hidden_dim, n_layers, n_heads, n_kv_heads, vocab_size, seq_len

std::int32_t integerAt(std::span<const std::byte> bytes, std::size_t at)
{
    std::int32_t value = 0;
    std::memcpy(&value, bytes.data() + at, sizeof value);
    return value;
}

/// The header's numbers, sensible and small enough that no product of them overflows.
Result<ModelConfig> configAt(std::span<const std::byte> bytes, std::size_t at, const std::string& where)
{
    std::array<std::int32_t, numbers> value{};
    for (std::size_t i = 0; i < numbers; ++i)
        value[i] = integerAt(bytes, at + 4 * i);
    constexpr std::array<const char*, numbers> names{ "dim",        "hidden_dim", "n_layers", "n_heads",
                                                      "n_kv_heads", "vocab_size", "seq_len" };
    constexpr std::array<std::int32_t, numbers> most{ 65536, 1 << 20, 1000, 4096, 4096, 1 << 24, 1 << 24 };
    for (std::size_t i = 0; i < numbers; ++i) {
        const std::int64_t size = i == 5 ? std::abs(static_cast<std::int64_t>(value[i])) : value[i];
        if (size < 1 || size > most[i])
            return badInput(
                fmt::format("a number from 1 to {}", most[i]), std::to_string(value[i]),
                fmt::format("{}, {}", where, names[i]));
    }
    ModelConfig config;
    config.architecture = "llama";
    LODESTONE_TRY(const Family* family, familyOfGguf("llama", where)); // pairs of neighbours, as Meta's code
    config.choices = family->choices;
    config.width = value[0];
    config.feedForward = value[1];
    config.blocks = value[2];
    config.heads = value[3];
    config.kvHeads = value[4];
    config.vocabulary = std::abs(value[5]);
    config.context = value[6];
    if (config.width % config.heads != 0 || config.heads % config.kvHeads != 0
        || config.width / config.heads % 2 != 0)
        return badInput(
            "heads of an even width in equal groups",
            fmt::format("width {}, {} heads, {} key/value heads", config.width, config.heads, config.kvHeads),
            where);
    config.headWidth = config.ropeWidth = config.width / config.heads;
    config.attentionScale = 1 / std::sqrt(static_cast<double>(config.headWidth));
    return config;
}

/// One kind of tensor, for all blocks one after another.
struct Kind {
    const char* name; ///< with "blk.N." before it where there is one a block
    bool perBlock;
    std::uint64_t rows, columns; ///< columns 0: a vector of `rows` numbers
};

/// The order of the weights in the file.
std::vector<Kind> orderOf(const ModelConfig& config, bool legacy)
{
    const auto width = static_cast<std::uint64_t>(config.width),
               wide = static_cast<std::uint64_t>(config.feedForward);
    const auto keys = static_cast<std::uint64_t>(config.kvHeads * config.headWidth);
    const Kind embedding{ "token_embd.weight", false, static_cast<std::uint64_t>(config.vocabulary), width };
    const Kind attentionNorm{ "attn_norm.weight", true, width, 0 },
        feedForwardNorm{ "ffn_norm.weight", true, width, 0 };
    const Kind finalNorm{ "output_norm.weight", false, width, 0 };
    const std::array<Kind, 4> attention{ { { "attn_q.weight", true, width, width },
                                           { "attn_k.weight", true, keys, width },
                                           { "attn_v.weight", true, keys, width },
                                           { "attn_output.weight", true, width, width } } };
    const std::array<Kind, 3> feedForward{ { { "ffn_gate.weight", true, wide, width },
                                             { "ffn_down.weight", true, width, wide },
                                             { "ffn_up.weight", true, wide, width } } };
    std::vector<Kind> order;
    if (legacy)
        order = { embedding, attentionNorm };
    else
        order = { attentionNorm, feedForwardNorm, finalNorm, embedding };
    order.insert(order.end(), attention.begin(), attention.end());
    if (legacy)
        order.push_back(feedForwardNorm);
    order.insert(order.end(), feedForward.begin(), feedForward.end());
    if (legacy) { // tables of cosines and sines, which follow from the shape
        const std::uint64_t angles
            = static_cast<std::uint64_t>(config.context) * static_cast<std::uint64_t>(config.headWidth / 2);
        order.push_back(finalNorm);
        order.push_back({ "", false, 2 * angles, 0 });
    }
    return order;
}

class CheckpointSource final : public ModelSource {
public:
    static Result<std::unique_ptr<ModelSource>> open(const std::filesystem::path& path)
    {
        LODESTONE_TRY(formats::MappedFile file, formats::MappedFile::open(path));
        std::unique_ptr<CheckpointSource> source(new CheckpointSource(std::move(file)));
        LODESTONE_CHECK(source->parse(path));
        return std::unique_ptr<ModelSource>(std::move(source));
    }

    Result<std::shared_ptr<const text::Tokenizer>> tokenizer() const override
    {
        return text::Tokenizer::fromLlama2c(m_path.parent_path() / "tokenizer.bin");
    }
    Result<std::string> sha256(const Work& work) const override { return sha256OfFile(m_path, work); }
    bool has(std::string_view name) const override { return m_tensors.find(name) != m_tensors.end(); }

    Result<Weights> weights(const std::string& name) const override
    {
        const std::string where = m_path.string() + ", tensor '" + name + "'";
        const auto found = m_tensors.find(name);
        if (found == m_tensors.end())
            return badInput("the tensor", "none of this name", where);
        const Place& place = found->second;
        const std::uint64_t columns = place.columns == 0 ? 1 : place.columns;
        const std::byte* from = m_file.bytes().data() + place.offset;
        Weights result;
        result.where = where;
        result.shape
            = place.columns == 0 ? std::vector{ place.rows } : std::vector{ place.rows, place.columns };
        result.read = [from, columns](std::uint64_t first, std::uint64_t count, float* out) {
            std::memcpy(out, from + first * columns * sizeof(float), count * columns * sizeof(float));
        };
        return result;
    }

private:
    struct Place {
        std::uint64_t offset = 0, rows = 0, columns = 0;
    };
    explicit CheckpointSource(formats::MappedFile file)
        : m_file(std::move(file))
    {
    }

    Result<void> parse(const std::filesystem::path& path)
    {
        const std::span<const std::byte> bytes = m_file.bytes();
        const std::string where = path.string();
        if (bytes.size() < numbers * 4 + 8)
            return badInput("a llama2.c checkpoint", fmt::format("{} bytes", bytes.size()), where);
        const bool legacy = static_cast<std::uint32_t>(integerAt(bytes, 0)) != mark;
        bool shared = true;
        if (!legacy) {
            if (integerAt(bytes, 4) != 1)
                return badInput(
                    "a llama2.c checkpoint, legacy or version 1",
                    fmt::format("version {}", integerAt(bytes, 4)), where);
            if (bytes.size() < headerBytes)
                return badInput("256 bytes of header", fmt::format("{}", bytes.size()), where);
            shared = bytes[8 + numbers * 4] != std::byte{ 0 };
        }
        LODESTONE_TRY(m_config, configAt(bytes, legacy ? 0 : 8, where));
        if (legacy)
            shared = integerAt(bytes, 5 * 4) > 0; // a negative vocabulary says that the output is its own
        m_config.name = path.stem().string();
        std::uint64_t offset = legacy ? numbers * 4 : headerBytes;
        std::vector<Kind> order = orderOf(m_config, legacy);
        if (!shared)
            order.push_back({ "output.weight", false, static_cast<std::uint64_t>(m_config.vocabulary),
                              static_cast<std::uint64_t>(m_config.width) });
        for (const Kind& kind : order)
            for (int k = 0; k < (kind.perBlock ? m_config.blocks : 1); ++k) {
                const std::string name
                    = kind.perBlock ? fmt::format("blk.{}.{}", k, kind.name) : std::string(kind.name);
                if (!name.empty())
                    m_tensors[name] = { offset, kind.rows, kind.columns };
                offset += 4 * kind.rows * (kind.columns == 0 ? 1 : kind.columns);
            }
        if (offset != bytes.size())
            return badInput(
                fmt::format("{} bytes, as the header implies", offset), fmt::format("{}", bytes.size()),
                where);
        m_path = path;
        m_format = legacy ? "llama2.c, legacy" : "llama2.c, version 1";
        m_quantisation = "F32";
        m_bytes = bytes.size();
        return {};
    }

    formats::MappedFile m_file;
    std::map<std::string, Place, std::less<>> m_tensors;
};

} // namespace

bool isCheckpoint(const std::filesystem::path& path)
{
    const auto file = formats::MappedFile::open(path);
    if (!file || file->bytes().size() < 4)
        return false;
    return static_cast<std::uint32_t>(integerAt(file->bytes(), 0)) == mark || path.extension() == ".bin";
}

Result<std::unique_ptr<ModelSource>> openCheckpoint(const std::filesystem::path& path)
{
    return CheckpointSource::open(path);
}

} // namespace lodestone::model
