// A model as people have it, behind one face: the weights by the names that GGUF files give them, the shape
// and the tokenizer, whichever kind of file or folder they come from.
#pragma once

#include "core/base/progress.h"
#include "core/model/model_config.h"
#include "core/text/tokenizer.h"

#include <functional>
#include <memory>

namespace lodestone::model {

/// One tensor of weights, not yet read.
struct Weights {
    std::vector<std::uint64_t> shape; ///< slowest first: [rows, columns], or [numbers]
    std::string where; ///< file and tensor, for messages
    /// Writes rows [first, first + count) as float32, row-major; of a vector, its numbers. Several threads
    /// may call at once.
    std::function<void(std::uint64_t first, std::uint64_t count, float* out)> read;

    std::uint64_t items() const;
};

/// Weights stay in the file, mapped into memory, until they are asked for.
class ModelSource {
public:
    virtual ~ModelSource() = default;

    /// Opens a GGUF file, a model folder or a llama2.c checkpoint. Errors: what is wrong with the file, as
    /// BadInput.
    static Result<std::unique_ptr<ModelSource>> open(const std::filesystem::path& path);

    const std::filesystem::path& path() const { return m_path; }
    const ModelConfig& config() const { return m_config; }
    const std::string& format() const { return m_format; } ///< "GGUF"
    const std::string& quantisation() const { return m_quantisation; } ///< "Q4_1, F32", most weights first
    const std::string& chatTemplate() const { return m_chatTemplate; } ///< Jinja; empty: none
    std::uint64_t bytes() const { return m_bytes; } ///< of all files

    virtual Result<std::shared_ptr<const text::Tokenizer>> tokenizer() const = 0;
    /// Of the file, or of a folder's files by name.
    virtual Result<std::string> sha256(const Work& work) const = 0;
    virtual bool has(std::string_view name) const = 0;
    virtual Result<Weights> weights(const std::string& name) const = 0;
    /// Gives the memory of the mapped files back once their weights are held elsewhere.
    virtual void forgetPages() const { }

protected:
    std::filesystem::path m_path;
    ModelConfig m_config;
    std::string m_format, m_quantisation, m_chatTemplate;
    std::uint64_t m_bytes = 0;
};

/// The tokenizer alone: also of a GGUF file that holds a vocabulary and no weights.
Result<std::shared_ptr<const text::Tokenizer>> openTokenizer(const std::filesystem::path& path);

} // namespace lodestone::model
