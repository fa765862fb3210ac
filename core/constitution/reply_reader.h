// Reads a study's replies once and asks many short questions after each, because replies cost more than
// questions.
#pragma once

#include "core/base/progress.h"
#include "core/data/study.h"
#include "core/model/context_store.h"

#include <functional>
#include <string>
#include <vector>

namespace lodestone::constitution {

using TokenList = std::vector<text::TokenId>;

/// What a reader asks for at the end of every question.
struct Wanted {
    std::vector<Layer> layers; ///< residual streams at the last token of a question; empty: none
    bool hidden = true; ///< the state after the final norm at the last token of a question
    bool logits = false; ///< log-probabilities of every next token after a question
    std::vector<Layer> replyLayers; ///< residual streams averaged over the reply's own tokens; empty: none
    bool replyScored = false; ///< log-probabilities of the reply's tokens
};

class ReplyReader {
public:
    /// Error when the model is not the one that read the study: its answers would be about other states.
    static Result<ReplyReader>
    make(const data::Study& study, model::LanguageModel& model, const std::string& where);

    /// Hears each question's reading. `question` counts from 0.
    using QuestionSink = std::function<void(int row, std::size_t question, const model::Reading& reading)>;
    /// Hears each reply's own reading (pooled residual streams, log-probabilities).
    using ReplySink = std::function<void(int row, const model::Reading& reading)>;

    /// How a prompt is put to the model; default: as it was captured.
    using PromptText = std::function<TokenList(int prompt)>;

    /// Reads the listed rows, prompts shared between neighbours in the list, then the questions after each.
    /// `afterBatch` hears how many rows are done. Errors: a text longer than the context, cancellation.
    Result<void> read(
        const std::vector<int>& rows, const std::vector<TokenList>& questions, const Wanted& wanted,
        const QuestionSink& onQuestion, const ReplySink& onReply = {}, const PromptText& promptText = {},
        const Work& work = {}, const std::function<void(std::size_t done)>& afterBatch = {}) const;

    const data::Study& study() const { return *m_study; }
    model::LanguageModel& model() const { return *m_model; }
    void setTitle(std::string title) { m_title = std::move(title); } ///< of progress reports
    /// Where the keys and values of prompts and replies are looked for and left, so that the next questions
    /// need not read them again. Null: they are read anew. Not used where the replies themselves are to be
    /// heard.
    void setContexts(std::shared_ptr<model::ContextStore> contexts) { m_contexts = std::move(contexts); }

    /// Reads those of the listed rows that the contexts lack. Errors as `read`.
    Result<void> warm(const std::vector<int>& rows, const Work& work = {}) const;

private:
    ReplyReader(const data::Study& study, model::LanguageModel& model)
        : m_study(&study)
        , m_model(&model)
    {
    }
    /// Prompts and replies with their contexts, and their tokens in all.
    struct Opened {
        std::vector<std::shared_ptr<const model::Context>> contexts;
        std::vector<std::size_t> lengths;
    };
    Result<Opened> openReplies(
        const std::vector<int>& rows, const Wanted& wanted, const ReplySink& onReply,
        const PromptText& promptText, const Work& work) const;
    /// The same out of the contexts kept, which take in what they lack.
    Result<Opened> openKept(const std::vector<int>& rows, const Work& work) const;
    /// Contexts of token lists by their keys: kept ones, and those that are read and kept now.
    Result<std::vector<std::shared_ptr<const model::Context>>> kept(
        const std::vector<std::uint64_t>& keys, std::vector<TokenList> tokens,
        const std::vector<std::shared_ptr<const model::Context>>& after, const Work& work) const;
    bool isKept(int row) const;
    Result<void> checkRoom(int row, std::size_t tokens, std::string_view what) const;
    Result<void> readBatch(
        const std::vector<int>& rows, const std::vector<TokenList>& questions, const Wanted& wanted,
        const QuestionSink& onQuestion, const ReplySink& onReply, const PromptText& promptText,
        const Work& work) const;

    const data::Study* m_study;
    model::LanguageModel* m_model;
    std::shared_ptr<model::ContextStore> m_contexts;
    std::string m_title = "Asking";
};

/// So many replies, spread over the study, are asked about before the rest.
inline constexpr int firstResponses = 32;

/// The order in which replies are asked about: `firstResponses` well-spread ones first, the rest by prompt,
/// so that replies to one prompt share its reading. `rows`: how many of the study's first responses; 0: all.
std::vector<int> askingOrder(const data::ResponseSet& set, std::size_t rows = 0);

/// The responses worth asking about for evidence: those that stand in a pair or carry a label; all where
/// there are none.
std::vector<int> labelledRows(const data::ResponseSet& set);

/// Token ids that begin the words after a blank, each once.
std::vector<text::TokenId>
firstTokens(const text::Tokenizer& tokenizer, const std::vector<std::string>& words);

} // namespace lodestone::constitution
