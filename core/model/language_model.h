// The one interface through which the program asks a language model: tokens in, residual stream,
// log-probabilities and key/value contexts out. Torch stands behind it; nothing here knows that.
#pragma once

#include "core/base/layer.h"
#include "core/base/progress.h"
#include "core/formats/npy.h"
#include "core/model/model_config.h"
#include "core/text/chat_template.h"
#include "core/text/tokenizer.h"

#include <Eigen/Core>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace lodestone::model {

using formats::RowMatrix;
using text::TokenId;

/// The keys and values of tokens already read. Immutable: many continuations may share one.
class Context {
public:
    virtual ~Context() = default;
    virtual int length() const = 0; ///< tokens
    virtual std::size_t bytes() const = 0; ///< memory held
};

/// Changes the residual stream at the output of a layer while the model runs (activation addition, Turner et
/// al. 2023; directional ablation, Arditi et al. 2024).
struct Intervention {
    enum class Kind {
        Add, ///< h += coefficient * direction at `layer`, all new tokens
        Ablate ///< h -= (d'h) d, d the unit direction, at every layer ('layer' is not used)
    };
    Kind kind = Kind::Add;
    Layer layer{};
    double coefficient = 1;
    Eigen::VectorXf direction; ///< shape [width]
};

/// Tokens [begin, end) of a request's own tokens.
struct TokenRange {
    int begin = 0;
    int end = 0;
    bool empty() const { return end <= begin; }
    int size() const { return end - begin; }
};

/// One sequence to read, after an optional context.
struct Request {
    std::vector<TokenId> tokens; ///< at least one
    std::shared_ptr<const Context> past; ///< null: from the start
    TokenRange pooled; ///< residual streams are averaged over these tokens; empty: none
    TokenRange scored; ///< log p(token | all before) for these; token 0 without a context has none
    bool last = false; ///< residual streams at the last token
    bool hidden = false; ///< the state after the final norm at the last token
    bool logits = false; ///< log-probabilities of every next token after the last one
    bool keepContext = false;
};

/// What a request asked for; the rest is empty.
struct Reading {
    RowMatrix mean; ///< [layers asked for, width]
    RowMatrix last; ///< [layers asked for, width]
    std::vector<float> logProbabilities; ///< natural log, one per scored token
    Eigen::VectorXf hidden; ///< [width]
    Eigen::VectorXf nextLogProbabilities; ///< [vocabulary], natural log
    std::shared_ptr<const Context> context;
};

/// A loaded model. Calls may come from any one thread at a time (the model lane).
class LanguageModel {
public:
    virtual ~LanguageModel() = default;

    virtual const ModelConfig& config() const = 0;
    virtual const text::Tokenizer& tokenizer() const = 0;
    virtual const text::ChatTemplate& chatTemplate() const = 0;
    virtual const std::string& sha256() const = 0; ///< of the model file
    virtual std::string matrixPath() const = 0; ///< "oneDNN" or "BLAS", and the speeds it was chosen by

    /// Reads all requests as one batch without padding. `layers` are those whose residual stream is wanted
    /// (empty: none). Errors: a token outside the vocabulary, a sequence longer than the context,
    /// cancellation.
    virtual Result<std::vector<Reading>> read(
        std::span<const Request> requests, std::span<const Layer> layers, const Work& work,
        std::span<const Intervention> interventions = {})
        = 0;

    /// Rows of the (possibly tied) output matrix: logit(token) = row . hidden. Shape [tokens, width].
    virtual Result<RowMatrix> unembedding(std::span<const TokenId> tokens) const = 0;
};

} // namespace lodestone::model
