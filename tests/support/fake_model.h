// A language model without weights: what it answers is a fixed function of the tokens, so that whatever
// batches, caches or stores its answers can be checked against that function.
#pragma once

#include "core/model/language_model.h"
#include "tests/support/byte_vocabulary.h"

#include <QTemporaryDir>
#include <cmath>
#include <fstream>
#include <functional>

namespace lodestone::testing {

class FakeContext : public model::Context {
public:
    explicit FakeContext(std::vector<text::TokenId> tokens)
        : m_tokens(std::move(tokens))
    {
    }
    int length() const override { return static_cast<int>(m_tokens.size()); }
    std::size_t bytes() const override { return m_tokens.size() * sizeof(text::TokenId); }
    const std::vector<text::TokenId>& tokens() const { return m_tokens; }

private:
    std::vector<text::TokenId> m_tokens;
};

/// `blocks` blocks, `width` wide, a byte-level vocabulary with a few whole words, ChatML with a default
/// system turn.
class FakeModel : public model::LanguageModel {
public:
    using Tokens = std::vector<text::TokenId>;

    double scale = 1; ///< of the residual stream
    double hiddenScale = 1; ///< of the states after the final norm, as requests get them
    std::size_t tokensRead = 0; ///< in all calls
    std::function<Result<void>(int call)> beforeRead; ///< may refuse, count or kill; call 0 is the first
    std::function<void(Eigen::VectorXd& state, const Tokens& tokens, int last, int row)>
        change; ///< of any state

    /// `more`: further words of the vocabulary, each with its blank.
    explicit FakeModel(int blocks = 3, int width = 8, const std::vector<std::string>& more = {})
        : m_template(text::ChatTemplate::recognise(
            "{{'<|im_start|>system\nYou are terse.<|im_end|>\n'}}{% for message in messages %}<|im_start|>"))
        , m_sha256(64, 'a')
    {
        std::vector<std::string> words{ " kind", " cruel", " honest", " good", " bad",  " helpful", " safe",
                                        " yes",  " no",    " A",      " B",    " high", " low" };
        words.insert(words.end(), more.begin(), more.end());
        const ByteVocabulary vocabulary(words);
        GgufWriter file;
        vocabulary.writeTo(file);
        const QTemporaryDir folder;
        const std::filesystem::path path = folder.path().toStdString() + "/vocabulary.gguf";
        std::ofstream(path, std::ios::binary) << file.bytes();
        const auto gguf = formats::Gguf::open(path);
        m_tokenizer = text::Tokenizer::fromGguf(*gguf).value();
        m_config.architecture = "llama";
        m_config.name = "fake";
        m_config.blocks = blocks;
        m_config.width = width;
        m_config.feedForward = 2 * width;
        m_config.heads = m_config.kvHeads = 1;
        m_config.headWidth = m_config.ropeWidth = width;
        m_config.vocabulary = static_cast<int>(m_tokenizer->size());
        m_config.context = 2048;
    }

    const model::ModelConfig& config() const override { return m_config; }
    const text::Tokenizer& tokenizer() const override { return *m_tokenizer; }
    const text::ChatTemplate& chatTemplate() const override { return m_template; }
    const std::string& sha256() const override { return m_sha256; }
    std::string matrixPath() const override { return "none"; }
    void setSha256(std::string hash) { m_sha256 = std::move(hash); }
    model::ModelConfig& changeConfig() { return m_config; }

    /// The residual stream at a row of layers (0: the embedding) after token `last` of `tokens`. The
    /// embedding depends on the token alone, later rows also on all tokens before it.
    Eigen::VectorXd state(const Tokens& tokens, int last, int row) const
    {
        double past = 0;
        for (int i = 0; i <= last; ++i)
            past = std::fmod(0.7 * past + 0.013 * tokens[static_cast<std::size_t>(i)], 10.0);
        const double token = tokens[static_cast<std::size_t>(last)];
        Eigen::VectorXd result(m_config.width);
        for (int j = 0; j < m_config.width; ++j)
            result[j] = scale
                * (std::sin(0.05 * (j + 1) * (token + 1)) + 0.3 * row * std::cos((j + 1) * past + row));
        if (change)
            change(result, tokens, last, row);
        return result;
    }
    /// After the final norm: the last row, of root mean square 1.
    Eigen::VectorXd hidden(const Tokens& tokens, int last) const
    {
        const Eigen::VectorXd top = state(tokens, last, m_config.blocks);
        return top / std::sqrt(top.squaredNorm() / static_cast<double>(top.size()) + 1e-9);
    }
    Eigen::VectorXd unembeddingRow(text::TokenId token) const
    {
        Eigen::VectorXd row(m_config.width);
        for (int j = 0; j < m_config.width; ++j)
            row[j] = std::cos(0.11 * (j + 1) * (token + 3));
        return row;
    }
    Eigen::VectorXd logProbabilitiesAfter(const Tokens& tokens, int last) const
    {
        const Eigen::VectorXd h = hidden(tokens, last);
        Eigen::VectorXd logits(m_config.vocabulary);
        for (int id = 0; id < m_config.vocabulary; ++id)
            logits[id] = unembeddingRow(id).dot(h);
        const double top = logits.maxCoeff();
        return logits.array() - (top + std::log((logits.array() - top).exp().sum()));
    }

    Result<std::vector<model::Reading>> read(
        std::span<const model::Request> requests, std::span<const Layer> layers, const Work& work,
        std::span<const model::Intervention> = {}) override
    {
        if (work.cancelled())
            return cancelled();
        if (beforeRead)
            LODESTONE_CHECK(beforeRead(m_calls++));
        std::vector<model::Reading> readings;
        for (const model::Request& request : requests) {
            if (request.tokens.empty())
                return badInput("at least one token", "none");
            Tokens tokens;
            if (request.past)
                tokens = dynamic_cast<const FakeContext&>(*request.past).tokens();
            const auto start = static_cast<int>(tokens.size());
            tokens.insert(tokens.end(), request.tokens.begin(), request.tokens.end());
            for (const text::TokenId token : request.tokens)
                if (!m_tokenizer->contains(token))
                    return badInput("a token of the vocabulary", std::to_string(token));
            if (tokens.size() > static_cast<std::size_t>(m_config.context))
                return badInput("a sequence that fits the context", std::to_string(tokens.size()));
            tokensRead += request.tokens.size();
            readings.push_back(readOne(request, tokens, start, layers));
        }
        return readings;
    }

    /// The tokens themselves.
    Result<model::PackedContext> packContext(const model::Context& context, int from) const override
    {
        const Tokens& tokens = dynamic_cast<const FakeContext&>(context).tokens();
        const auto* first = reinterpret_cast<const std::byte*>(tokens.data() + from);
        return model::PackedContext(first, reinterpret_cast<const std::byte*>(tokens.data() + tokens.size()));
    }
    Result<std::shared_ptr<const model::Context>> openContext(
        const std::shared_ptr<const model::PackedContext>& packed,
        const std::shared_ptr<const model::Context>& parent) const override
    {
        Tokens tokens;
        if (parent)
            tokens = dynamic_cast<const FakeContext&>(*parent).tokens();
        const auto* first = reinterpret_cast<const text::TokenId*>(packed->data());
        tokens.insert(tokens.end(), first, first + packed->size() / sizeof(text::TokenId));
        return std::make_shared<FakeContext>(std::move(tokens));
    }

    Result<model::RowMatrix> unembedding(std::span<const text::TokenId> tokens) const override
    {
        model::RowMatrix rows(static_cast<Eigen::Index>(tokens.size()), m_config.width);
        for (std::size_t i = 0; i < tokens.size(); ++i) {
            if (!m_tokenizer->contains(tokens[i]))
                return badInput("a token of the vocabulary", std::to_string(tokens[i]));
            rows.row(static_cast<Eigen::Index>(i)) = unembeddingRow(tokens[i]).transpose().cast<float>();
        }
        return rows;
    }

private:
    model::Reading readOne(
        const model::Request& request, const Tokens& tokens, int start, std::span<const Layer> layers) const
    {
        const int last = static_cast<int>(tokens.size()) - 1;
        const auto rows = static_cast<Eigen::Index>(layers.size());
        model::Reading reading;
        if (!request.pooled.empty())
            reading.mean = model::RowMatrix::Zero(rows, m_config.width);
        if (request.last)
            reading.last.resize(rows, m_config.width);
        for (Eigen::Index k = 0; k < rows; ++k) {
            const int row = layers[static_cast<std::size_t>(k)].row();
            Eigen::VectorXd sum = Eigen::VectorXd::Zero(m_config.width);
            for (int i = request.pooled.begin; i < request.pooled.end; ++i)
                sum += state(tokens, start + i, row);
            if (!request.pooled.empty())
                reading.mean.row(k) = (sum / request.pooled.size()).transpose().cast<float>();
            if (request.last)
                reading.last.row(k) = state(tokens, last, row).transpose().cast<float>();
        }
        for (int i = request.scored.begin; i < request.scored.end; ++i)
            reading.logProbabilities.push_back(static_cast<float>(
                logProbabilitiesAfter(tokens, start + i - 1)[tokens[static_cast<std::size_t>(start + i)]]));
        if (request.hidden)
            reading.hidden = (hiddenScale * hidden(tokens, last)).cast<float>();
        if (request.logits)
            reading.nextLogProbabilities = logProbabilitiesAfter(tokens, last).cast<float>();
        if (request.keepContext)
            reading.context = std::make_shared<FakeContext>(tokens);
        return reading;
    }

    model::ModelConfig m_config;
    std::shared_ptr<const text::Tokenizer> m_tokenizer;
    text::ChatTemplate m_template;
    std::string m_sha256;
    int m_calls = 0;
};

} // namespace lodestone::testing
