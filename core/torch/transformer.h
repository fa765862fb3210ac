// The Llama-family forward pass on packed sequences: no padding, shared contexts, residual stream on request.
#pragma once

#include "core/model/language_model.h"
#include "core/torch/kv_cache.h"
#include "core/torch/matrix_path.h"

#include <atomic>

namespace lodestone::torch_engine {

class Transformer final : public model::LanguageModel {
public:
    static Result<std::unique_ptr<model::LanguageModel>>
    load(const std::filesystem::path& path, const model::ModelOptions& options, const Work& work);

    const model::ModelConfig& config() const override { return m_config; }
    const text::Tokenizer& tokenizer() const override { return *m_tokenizer; }
    const text::ChatTemplate& chatTemplate() const override { return m_template; }
    const std::string& sha256() const override { return m_sha256; }
    std::string matrixPath() const override { return m_matrixPath; }

    Result<std::vector<model::Reading>> read(
        std::span<const model::Request> requests, std::span<const Layer> layers, const Work& work,
        std::span<const model::Intervention> interventions) override;
    Result<model::RowMatrix> unembedding(std::span<const model::TokenId> tokens) const override;
    void setThreadBudget(int threads) override { m_budget = threads; }

private:
    struct Block {
        std::vector<float> attentionNorm, feedForwardNorm;
        std::unique_ptr<Linear> queryKeyValue, attentionOut, gateUp, down;
    };
    /// One request's place in the packed batch.
    struct Run {
        const model::Request* request = nullptr;
        std::shared_ptr<const CachedContext> past;
        int firstRow = 0;
        int pastLength = 0;
        std::shared_ptr<Page> page; ///< where its keys and values go; one block deep when they are not kept
        int pageStart = 0;
        bool keep = false;
    };

    /// Looked at before every block, so that a busy model yields within a tenth of a second.
    int threadsNow() const
    {
        const int budget = m_budget;
        return budget > 0 && budget < m_threads ? budget : m_threads;
    }
    explicit Transformer(formats::Gguf file)
        : m_file(std::move(file))
    {
    }
    Result<void> prepare(const model::ModelOptions& options, const Work& work);
    Result<at::Tensor> matrix(const std::string& name, int rows, int columns) const;
    Result<std::vector<float>> vector(const std::string& name, int size) const;
    Result<std::vector<Run>> plan(std::span<const model::Request> requests) const;
    at::Tensor embed(const std::vector<Run>& runs, std::int64_t rows) const;
    void
    attend(const std::vector<Run>& runs, int block, const at::Tensor& queryKeyValue, at::Tensor& out) const;
    void rotateAndStore(const std::vector<Run>& runs, int block, at::Tensor& queryKeyValue) const;
    void
    score(const std::vector<Run>& runs, const at::Tensor& x, std::vector<model::Reading>& readings) const;

    formats::Gguf m_file;
    model::ModelConfig m_config;
    std::shared_ptr<const text::Tokenizer> m_tokenizer;
    text::ChatTemplate m_template;
    std::string m_sha256, m_matrixPath;
    int m_threads = 1;
    std::atomic<int> m_budget = 0; ///< at most so many threads; 0: m_threads
    const formats::GgufTensor* m_embedding = nullptr; ///< rows are dequantised as they are needed
    const formats::GgufTensor* m_output = nullptr;
    std::vector<float> m_finalNorm;
    std::vector<Block> m_blocks;
    std::unique_ptr<Linear> m_head;
    std::vector<double> m_frequencies; ///< rotary, one per pair of coordinates
};

} // namespace lodestone::torch_engine
