#include "core/model/model_source.h"

#include "core/base/files.h"
#include "core/model/checkpoint_source.h"
#include "core/model/folder_source.h"

#include <algorithm>

namespace lodestone::model {
namespace {

class GgufSource final : public ModelSource {
public:
    static Result<std::unique_ptr<ModelSource>> open(const std::filesystem::path& path)
    {
        LODESTONE_TRY(formats::Gguf file, formats::Gguf::open(path));
        std::unique_ptr<GgufSource> source(new GgufSource(std::move(file)));
        LODESTONE_TRY(source->m_config, ModelConfig::fromGguf(source->m_file));
        source->m_path = path;
        source->m_format = "GGUF";
        source->m_quantisation = quantisationOf(source->m_file);
        source->m_chatTemplate = source->m_file.text("tokenizer.chat_template").value_or("");
        source->m_bytes = source->m_file.fileSize();
        return std::unique_ptr<ModelSource>(std::move(source));
    }

    Result<std::shared_ptr<const text::Tokenizer>> tokenizer() const override
    {
        return text::Tokenizer::fromGguf(m_file);
    }
    Result<std::string> sha256(const Work& work) const override { return sha256OfFile(m_path, work); }
    bool has(std::string_view name) const override { return m_file.tensors().count(name) > 0; }
    void forgetPages() const override { m_file.forgetPages(); }

    Result<Weights> weights(const std::string& name) const override
    {
        LODESTONE_TRY(const formats::GgufTensor* tensor, m_file.tensor(name));
        Weights result;
        result.shape.assign(tensor->shape.rbegin(), tensor->shape.rend());
        result.where = m_path.string() + ", tensor '" + name + "'";
        if (tensor->shape.size() < 2) {
            result.read = [tensor](std::uint64_t first, std::uint64_t count, float* out) {
                const std::vector<float> all = tensor->toFloat();
                std::copy_n(all.data() + first, count, out);
            };
            return result;
        }
        // Whole rows are whole blocks: the file was checked for it when it was opened.
        const std::uint64_t rows = tensor->items / tensor->shape[0];
        const std::size_t rowBytes = rows == 0 ? 0 : tensor->bytes.size() / rows;
        result.read = [tensor, rowBytes](std::uint64_t first, std::uint64_t count, float* out) {
            formats::dequantise(
                tensor->type, tensor->bytes.subspan(first * rowBytes, count * rowBytes),
                { out, static_cast<std::size_t>(count * tensor->shape[0]) });
        };
        return result;
    }

private:
    explicit GgufSource(formats::Gguf file)
        : m_file(std::move(file))
    {
    }
    formats::Gguf m_file;
};

} // namespace

std::uint64_t Weights::items() const
{
    std::uint64_t product = 1;
    for (const std::uint64_t extent : shape)
        product *= extent;
    return product;
}

Result<std::unique_ptr<ModelSource>> ModelSource::open(const std::filesystem::path& path)
{
    std::error_code error;
    if (std::filesystem::is_directory(path, error))
        return openFolder(path);
    if (std::filesystem::is_regular_file(path, error) && isCheckpoint(path))
        return openCheckpoint(path);
    return GgufSource::open(path);
}

Result<std::shared_ptr<const text::Tokenizer>> openTokenizer(const std::filesystem::path& path)
{
    if (isCheckpoint(path))
        if (const auto checkpoint = openCheckpoint(path))
            return (*checkpoint)->tokenizer();
    return text::Tokenizer::open(path);
}

} // namespace lodestone::model
