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
#include <cstddef>
#include <limits>
#include <memory>
#include <optional>
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

/// Keys and values as bytes that only the model which wrote them understands, to be kept where one likes.
using PackedContext = std::vector<std::byte>;

/// Tokens [begin, end): of a request's own tokens, or of a whole sequence where that is said.
struct TokenRange {
    int begin = 0;
    int end = 0;
    bool empty() const { return end <= begin; }
    int size() const { return end - begin; }
};

/// A matrix that writes into the residual stream.
struct WriteSite {
    enum class Part { Embedding, Attention, FeedForward };
    Part part = Part::FeedForward;
    int block = 0; ///< 0-based; not used for the embedding
    bool operator==(const WriteSite&) const = default;
};

/// y -> y - left (right' y), or with `keep` y -> left (right' y). Shapes [width, r]; orthonormal and equal
/// for a projection.
struct LowRankMap {
    RowMatrix left, right;
    bool keep = false;
};

/// Changes the residual stream while the model runs (activation addition, Turner et al. 2023; directional
/// ablation, Arditi et al. 2024; ActSVD, Wei et al. 2024). core/model/steering makes them.
struct Intervention {
    enum class Kind {
        Add, ///< h += coefficient * direction at the output of `layer`
        Ablate, ///< h -= (d'h) d, d the unit direction: out of the embedding and of every block's writes
        Project ///< what `site` writes goes through `map` before it is added
    };
    Kind kind = Kind::Add;
    Layer layer{}; ///< of Add
    double coefficient = 1; ///< of Add
    Eigen::VectorXf direction; ///< of Add and Ablate. Shape [width]
    TokenRange tokens{ 0, std::numeric_limits<int>::max() }; ///< positions in the whole sequence
    WriteSite site{}; ///< of Project
    LowRankMap map{}; ///< of Project
};

/// A lasting change of what a matrix writes: W -> W - left (right' W), its bias with it.
struct WeightEdit {
    WriteSite site{};
    LowRankMap map;
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
    std::optional<WriteSite> written; ///< what this matrix writes at each of the request's tokens
};

/// What a request asked for; the rest is empty.
struct Reading {
    RowMatrix mean; ///< [layers asked for, width]
    RowMatrix last; ///< [layers asked for, width]
    std::vector<float> logProbabilities; ///< natural log, one per scored token
    Eigen::VectorXf hidden; ///< [width]
    Eigen::VectorXf nextLogProbabilities; ///< [vocabulary], natural log
    RowMatrix written; ///< [tokens, width], before it is added to the stream
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

    /// What the tokens [from, length) add to a context, in float16: half the memory, each number within 2^-11
    /// of itself (float32 where a number would leave float16's range). Errors: a context of another model.
    virtual Result<PackedContext> packContext(const Context& context, int from) const
    {
        static_cast<void>(context), static_cast<void>(from);
        return fail(ErrorKind::Failed, "a model whose contexts can be packed", config().name);
    }
    /// The context again: `parent` (null: none) must be what it was packed after. Reads from `packed`, which
    /// it keeps. Errors: bytes of another model or cut short, a parent of another length.
    virtual Result<std::shared_ptr<const Context>> openContext(
        const std::shared_ptr<const PackedContext>& /*packed*/,
        const std::shared_ptr<const Context>& /*parent*/) const
    {
        return fail(ErrorKind::Failed, "a model whose contexts can be packed", config().name);
    }

    /// Rows of the (possibly tied) output matrix: logit(token) = row . hidden. Shape [tokens, width].
    virtual Result<RowMatrix> unembedding(std::span<const TokenId> tokens) const = 0;

    /// From the next read on, at most so many threads; 0: as many as at loading. May be called from any
    /// thread, so that a window can keep a core to itself while its model lane works.
    virtual void setThreadBudget(int threads) { static_cast<void>(threads); }

    /// The matrix of a site as it is now, edits included. Shape [width, inputs]; for the embedding [width,
    /// vocabulary].
    virtual Result<RowMatrix> writeWeights(WriteSite site) const
    {
        static_cast<void>(site);
        return fail(ErrorKind::Failed, "a model whose weights can be read", config().name);
    }
    /// Replaces all edits in force by these; none restores the file's weights. A tied output matrix keeps the
    /// file's weights: only what is written into the stream changes. Contexts kept before are stale.
    virtual Result<void> editWeights(std::span<const WeightEdit> edits)
    {
        if (edits.empty())
            return {};
        return fail(ErrorKind::Failed, "a model whose weights can be changed", config().name);
    }
};

} // namespace lodestone::model
