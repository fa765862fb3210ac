#include "core/constitution/reply_reader.h"

#include "core/constitution/elicitation.h"
#include "core/data/capture.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>

namespace lodestone::constitution {
namespace {

using model::Reading;
using model::Request;

constexpr std::size_t rowsPerBatch = 16;
constexpr std::size_t tokensPerBatch = 1024;

} // namespace

std::vector<int> askingOrder(const data::ResponseSet& set, std::size_t rows)
{
    const int n = static_cast<int>(rows == 0 ? set.responses.size() : std::min(rows, set.responses.size()));
    std::vector<int> order = spreadOrder(n);
    if (n > firstResponses)
        std::sort(order.begin() + firstResponses, order.end(), [&](int a, int b) {
            return std::pair(set.responses[static_cast<std::size_t>(a)].prompt, a)
                < std::pair(set.responses[static_cast<std::size_t>(b)].prompt, b);
        });
    return order;
}

std::vector<int> labelledRows(const data::ResponseSet& set)
{
    std::vector<bool> wanted(set.responses.size(), false);
    for (const data::Pair& pair : set.pairs)
        wanted[static_cast<std::size_t>(pair.chosen)] = wanted[static_cast<std::size_t>(pair.rejected)]
            = true;
    for (std::size_t i = 0; i < set.responses.size(); ++i)
        if (set.responses[i].label != 0)
            wanted[i] = true;
    std::vector<int> rows;
    for (const int row : askingOrder(set))
        if (wanted[static_cast<std::size_t>(row)])
            rows.push_back(row);
    return rows.empty() ? askingOrder(set) : rows;
}

std::vector<text::TokenId>
firstTokens(const text::Tokenizer& tokenizer, const std::vector<std::string>& words)
{
    std::vector<text::TokenId> ids;
    for (const std::string& word : words)
        if (const auto tokens = tokenizer.encode(" " + word, text::Special::Continue);
            !tokens.empty() && std::find(ids.begin(), ids.end(), tokens.front()) == ids.end())
            ids.push_back(tokens.front());
    return ids;
}

Result<ReplyReader>
ReplyReader::make(const data::Study& study, model::LanguageModel& model, const std::string& where)
{
    if (model.sha256() != study.model().sha256)
        return badInput(
            "the model that read this study (" + study.model().name + ")",
            model.config().name + "; name that model with --model, or capture the study again with this one",
            where);
    return ReplyReader(study, model);
}

Result<void> ReplyReader::readBatch(
    const std::vector<int>& rows, const std::vector<TokenList>& questions, const Wanted& wanted,
    const QuestionSink& onQuestion, const ReplySink& onReply, const PromptText& promptText,
    const Work& work) const
{
    const data::ResponseSet& set = m_study->set();
    const auto room = static_cast<std::size_t>(m_model->config().context);
    // 1. Prompts, each once.
    std::vector<Request> prompts;
    std::vector<std::size_t> promptOf, promptLength;
    int current = -1;
    const bool requests = set.kind == data::ItemKind::Request;
    for (const int row : rows) {
        const int prompt = set.responses[static_cast<std::size_t>(row)].prompt;
        if (prompt != current && set.kind != data::ItemKind::Statement) {
            Request request;
            request.tokens = promptText ? promptText(prompt) : data::promptTokens(*m_model, set, prompt);
            request.keepContext = true;
            promptLength.push_back(request.tokens.size());
            prompts.push_back(std::move(request));
            current = prompt;
        }
        promptOf.push_back(prompts.empty() ? 0 : prompts.size() - 1);
    }
    std::vector<Reading> opened;
    if (!prompts.empty()) {
        LODESTONE_TRY(opened, m_model->read(prompts, {}, Work{ work.stop, {} }));
    }
    // 2. Replies after their prompts.
    std::vector<Reading> readings(rows.size());
    std::vector<std::size_t> lengths(rows.size());
    if (requests) {
        for (std::size_t i = 0; i < rows.size(); ++i) {
            readings[i].context = opened[promptOf[i]].context;
            lengths[i] = promptLength[promptOf[i]];
        }
    } else {
        std::vector<Request> own;
        for (std::size_t i = 0; i < rows.size(); ++i) {
            Request request;
            request.tokens = data::responseTokens(*m_model, set, rows[i]);
            lengths[i] = request.tokens.size();
            if (!opened.empty()) {
                request.past = opened[promptOf[i]].context;
                lengths[i] += promptLength[promptOf[i]];
            }
            if (lengths[i] > room)
                return badInput(
                    fmt::format("a prompt and reply of at most {} tokens", room), std::to_string(lengths[i]),
                    "response '" + set.responses[static_cast<std::size_t>(rows[i])].id + "'");
            const model::TokenRange all{ 0, static_cast<int>(request.tokens.size()) };
            if (!wanted.replyLayers.empty())
                request.pooled = all;
            if (wanted.replyScored)
                request.scored = all;
            request.keepContext = true;
            own.push_back(std::move(request));
        }
        LODESTONE_TRY(readings, m_model->read(own, wanted.replyLayers, Work{ work.stop, {} }));
        if (onReply)
            for (std::size_t i = 0; i < rows.size(); ++i)
                onReply(rows[i], readings[i]);
    }
    // 3. The questions after each.
    if (questions.empty())
        return {};
    std::vector<Request> asked;
    for (std::size_t i = 0; i < rows.size(); ++i)
        for (const TokenList& question : questions) {
            if (lengths[i] + question.size() > room)
                return badInput(
                    fmt::format("a prompt, reply and question of at most {} tokens", room),
                    std::to_string(lengths[i] + question.size()),
                    "response '" + set.responses[static_cast<std::size_t>(rows[i])].id + "'");
            Request request;
            request.tokens = question;
            request.past = readings[i].context;
            request.hidden = wanted.hidden;
            request.logits = wanted.logits;
            request.last = !wanted.layers.empty();
            asked.push_back(std::move(request));
        }
    LODESTONE_TRY(const auto answers, m_model->read(asked, wanted.layers, Work{ work.stop, {} }));
    for (std::size_t i = 0; i < rows.size(); ++i)
        for (std::size_t q = 0; q < questions.size(); ++q)
            onQuestion(rows[i], q, answers[i * questions.size() + q]);
    return {};
}

Result<void> ReplyReader::read(
    const std::vector<int>& rows, const std::vector<TokenList>& questions, const Wanted& wanted,
    const QuestionSink& onQuestion, const ReplySink& onReply, const PromptText& promptText, const Work& work,
    const std::function<void(std::size_t)>& afterBatch) const
{
    const data::ResponseSet& set = m_study->set();
    const auto start = std::chrono::steady_clock::now();
    std::size_t perReply = 0;
    for (const TokenList& question : questions)
        perReply += question.size();
    for (std::size_t first = 0; first < rows.size();) {
        if (work.cancelled())
            return cancelled();
        std::vector<int> batch;
        std::size_t tokens = 0;
        while (first < rows.size() && batch.size() < rowsPerBatch
               && (batch.empty() || tokens < tokensPerBatch)) {
            batch.push_back(rows[first]);
            // A token is about four bytes; the budget needs no more than the order of size.
            tokens += perReply + set.responses[static_cast<std::size_t>(rows[first])].text.size() / 4 + 20;
            ++first;
        }
        LODESTONE_CHECK(readBatch(batch, questions, wanted, onQuestion, onReply, promptText, work));
        const double seconds
            = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        const double perSecond = static_cast<double>(first) / std::max(seconds, 1e-9);
        work.tell({ m_title, static_cast<double>(first), static_cast<double>(rows.size()), perSecond,
                    data::itemKindName(set.kind) + "s",
                    static_cast<double>(rows.size() - first) / std::max(perSecond, 1e-9) });
        if (afterBatch)
            afterBatch(first);
    }
    return {};
}

} // namespace lodestone::constitution
