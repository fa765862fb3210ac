// Reads a study's replies once and asks many short questions after each, because replies cost more than
// questions.
#pragma once

#include "core/base/progress.h"
#include "core/data/study.h"
#include "core/model/language_model.h"

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

private:
    ReplyReader(const data::Study& study, model::LanguageModel& model)
        : m_study(&study)
        , m_model(&model)
    {
    }
    Result<void> readBatch(
        const std::vector<int>& rows, const std::vector<TokenList>& questions, const Wanted& wanted,
        const QuestionSink& onQuestion, const ReplySink& onReply, const PromptText& promptText,
        const Work& work) const;

    const data::Study* m_study;
    model::LanguageModel* m_model;
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
