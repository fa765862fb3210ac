// The forward pass on packed sequences: no padding, shared contexts, residual stream on request. One pass for
// all families; what differs is in the configuration's choices.
#pragma once

#include "core/torch/attention.h"
#include "core/torch/weights.h"

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
    Result<model::PackedContext> packContext(const model::Context& context, int from) const override;
    Result<std::shared_ptr<const model::Context>> openContext(
        const std::shared_ptr<const model::PackedContext>& packed,
        const std::shared_ptr<const model::Context>& parent) const override;
    Result<RowMatrix> unembedding(std::span<const model::TokenId> tokens) const override;
    void setThreadBudget(int threads) override { m_budget = threads; }
    Result<RowMatrix> writeWeights(model::WriteSite site) const override;
    Result<void> editWeights(std::span<const model::WeightEdit> edits) override;

private:
    /// The batch on its way through the blocks. Buffers are made once per call.
    struct Pass;

    /// Looked at before every block, so that a busy model yields within a tenth of a second.
    int threadsNow() const
    {
        const int budget = m_budget;
        return budget > 0 && budget < m_threads ? budget : m_threads;
    }
    explicit Transformer(std::unique_ptr<model::ModelSource> source)
        : m_source(std::move(source))
        , m_config(m_source->config())
        , m_attention(m_config)
    {
    }
    Result<void> prepare(const model::ModelOptions& options, const Work& work);
    Result<int> deepestNeeded(
        std::span<const model::Request> requests, std::span<const Layer> layers,
        std::span<const model::Intervention> interventions) const;
    RowMatrix embed(const std::vector<Run>& runs, Eigen::Index rows) const;
    void runBlock(Pass& pass, int k, bool last, std::vector<model::Reading>& readings) const;
    /// What a matrix has written, on its way into the stream: projected and noted as asked.
    void
    passOn(const Pass& pass, model::WriteSite site, Map written, std::vector<model::Reading>& readings) const;
    Result<RowMatrix> editedRows(model::WriteSite site, bool& biased) const;
    void editEmbedding(RowMatrix& rows) const;
    void capture(
        const Pass& pass, Layer layer, std::span<const Layer> layers,
        std::vector<model::Reading>& readings) const;
    void score(const Pass& pass, std::vector<model::Reading>& readings) const;

    std::unique_ptr<model::ModelSource> m_source;
    model::ModelConfig m_config;
    Attention m_attention;
    std::shared_ptr<const text::Tokenizer> m_tokenizer;
    text::ChatTemplate m_template;
    std::string m_sha256, m_matrixPath;
    int m_threads = 1;
    std::atomic<int> m_budget = 0; ///< at most so many threads; 0: m_threads
    MatrixPath m_path = MatrixPath::OneDnn;
    std::vector<model::WeightEdit> m_edits; ///< in force
    ModelWeights m_weights;
};

} // namespace lodestone::torch_engine
