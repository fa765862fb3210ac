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
constexpr std::size_t keptPerBatch
    = firstResponses; ///< replies that need not be read: one pass for the first judgments
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

Result<void> ReplyReader::checkRoom(int row, std::size_t tokens, std::string_view what) const
{
    const auto room = static_cast<std::size_t>(m_model->config().context);
    if (tokens <= room)
        return {};
    return badInput(
        fmt::format("{} of at most {} tokens", what, room), std::to_string(tokens),
        "response '" + m_study->set().responses[static_cast<std::size_t>(row)].id + "'");
}

Result<ReplyReader::Opened> ReplyReader::openReplies(
    const std::vector<int>& rows, const Wanted& wanted, const ReplySink& onReply,
    const PromptText& promptText, const Work& work) const
{
    const data::ResponseSet& set = m_study->set();
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
    Opened result;
    result.lengths.resize(rows.size());
    if (requests) {
        for (std::size_t i = 0; i < rows.size(); ++i) {
            result.contexts.push_back(opened[promptOf[i]].context);
            result.lengths[i] = promptLength[promptOf[i]];
        }
        return result;
    }
    // 2. Replies after their prompts.
    std::vector<Request> own;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        Request request;
        request.tokens = data::responseTokens(*m_model, set, rows[i]);
        result.lengths[i] = request.tokens.size();
        if (!opened.empty()) {
            request.past = opened[promptOf[i]].context;
            result.lengths[i] += promptLength[promptOf[i]];
        }
        LODESTONE_CHECK(checkRoom(rows[i], result.lengths[i], "a prompt and reply"));
        const model::TokenRange all{ 0, static_cast<int>(request.tokens.size()) };
        if (!wanted.replyLayers.empty())
            request.pooled = all;
        if (wanted.replyScored)
            request.scored = all;
        request.keepContext = true;
        own.push_back(std::move(request));
    }
    LODESTONE_TRY(const auto readings, m_model->read(own, wanted.replyLayers, Work{ work.stop, {} }));
    for (std::size_t i = 0; i < rows.size(); ++i) {
        if (onReply)
            onReply(rows[i], readings[i]);
        result.contexts.push_back(readings[i].context);
    }
    return result;
}

Result<ReplyReader::Opened> ReplyReader::openKept(const std::vector<int>& rows, const Work& work) const
{
    using ContextPtr = std::shared_ptr<const model::Context>;
    const data::ResponseSet& set = m_study->set();
    Opened result;
    std::vector<std::size_t> promptOf;
    std::vector<TokenList> prompts;
    std::vector<std::uint64_t> keys;
    int current = -1;
    for (const int row : rows) {
        const int prompt = set.responses[static_cast<std::size_t>(row)].prompt;
        if (prompt != current && set.kind != data::ItemKind::Statement) {
            prompts.push_back(data::promptTokens(*m_model, set, prompt));
            keys.push_back(model::ContextStore::keyOf(prompts.back()));
            current = prompt;
        }
        promptOf.push_back(prompts.empty() ? 0 : prompts.size() - 1);
    }
    // 1. Prompts, each once.
    LODESTONE_TRY(
        const std::vector<ContextPtr> opened,
        kept(keys, prompts, std::vector<ContextPtr>(prompts.size()), work));
    if (set.kind == data::ItemKind::Request) {
        for (std::size_t i = 0; i < rows.size(); ++i) {
            result.contexts.push_back(opened[promptOf[i]]);
            result.lengths.push_back(prompts[promptOf[i]].size());
        }
        return result;
    }
    // 2. Replies after their prompts.
    std::vector<TokenList> replies;
    std::vector<ContextPtr> after;
    keys.clear();
    for (std::size_t i = 0; i < rows.size(); ++i) {
        replies.push_back(data::responseTokens(*m_model, set, rows[i]));
        TokenList all = prompts.empty() ? TokenList() : prompts[promptOf[i]];
        all.insert(all.end(), replies.back().begin(), replies.back().end());
        keys.push_back(model::ContextStore::keyOf(all));
        after.push_back(opened.empty() ? nullptr : opened[promptOf[i]]);
        result.lengths.push_back(all.size());
        LODESTONE_CHECK(checkRoom(rows[i], all.size(), "a prompt and reply"));
    }
    LODESTONE_TRY(result.contexts, kept(keys, std::move(replies), after, work));
    return result;
}

Result<std::vector<std::shared_ptr<const model::Context>>> ReplyReader::kept(
    const std::vector<std::uint64_t>& keys, std::vector<TokenList> tokens,
    const std::vector<std::shared_ptr<const model::Context>>& after, const Work& work) const
{
    std::vector<std::shared_ptr<const model::Context>> contexts(keys.size());
    std::vector<Request> missing;
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < keys.size(); ++i) {
        if (const auto packed = m_contexts->find(keys[i])) {
            LODESTONE_TRY(contexts[i], m_model->openContext(packed, after[i]));
            continue;
        }
        Request request;
        request.tokens = std::move(tokens[i]);
        request.past = after[i];
        request.keepContext = true;
        missing.push_back(std::move(request));
        places.push_back(i);
    }
    if (missing.empty())
        return contexts;
    LODESTONE_TRY(const auto readings, m_model->read(missing, {}, Work{ work.stop, {} }));
    for (std::size_t m = 0; m < missing.size(); ++m) {
        const std::size_t i = places[m];
        LODESTONE_TRY(
            auto bytes, m_model->packContext(*readings[m].context, after[i] ? after[i]->length() : 0));
        const auto packed = std::make_shared<const model::PackedContext>(std::move(bytes));
        m_contexts->keep(keys[i], packed);
        // Packed also the first time: an answer does not depend on what was kept before.
        LODESTONE_TRY(contexts[i], m_model->openContext(packed, after[i]));
    }
    return contexts;
}

bool ReplyReader::isKept(int row) const
{
    if (!m_contexts)
        return false;
    const data::ResponseSet& set = m_study->set();
    TokenList all = data::promptTokens(*m_model, set, set.responses[static_cast<std::size_t>(row)].prompt);
    const TokenList own = data::responseTokens(*m_model, set, row);
    all.insert(all.end(), own.begin(), own.end());
    return m_contexts->holds(model::ContextStore::keyOf(all));
}

Result<void> ReplyReader::readBatch(
    const std::vector<int>& rows, const std::vector<TokenList>& questions, const Wanted& wanted,
    const QuestionSink& onQuestion, const ReplySink& onReply, const PromptText& promptText,
    const Work& work) const
{
    const bool plain = !onReply && !promptText && wanted.replyLayers.empty() && !wanted.replyScored;
    LODESTONE_TRY(
        const Opened opened,
        plain&& m_contexts ? openKept(rows, work) : openReplies(rows, wanted, onReply, promptText, work));
    if (questions.empty())
        return {};
    std::vector<Request> asked;
    for (std::size_t i = 0; i < rows.size(); ++i)
        for (const TokenList& question : questions) {
            LODESTONE_CHECK(
                checkRoom(rows[i], opened.lengths[i] + question.size(), "a prompt, reply and question"));
            Request request;
            request.tokens = question;
            request.past = opened.contexts[i];
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

Result<void> ReplyReader::warm(const std::vector<int>& rows, const Work& work) const
{
    if (!m_contexts)
        return {};
    std::vector<int> cold;
    for (const int row : rows)
        if (!isKept(row))
            cold.push_back(row);
    return cold.empty() ? Result<void>() : read(cold, {}, {}, {}, {}, {}, work);
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
        const bool warm = isKept(rows[first]);
        while (first < rows.size()
               && (batch.empty()
                   || (batch.size() < (warm ? keptPerBatch : rowsPerBatch)
                       && tokens < (warm ? 2 * tokensPerBatch : tokensPerBatch)
                       && isKept(rows[first]) == warm))) {
            batch.push_back(rows[first]);
            tokens += perReply;
            // A token is about four bytes; the budget needs no more than the order of size.
            if (!warm)
                tokens += set.responses[static_cast<std::size_t>(rows[first])].text.size() / 4 + 20;
            ++first;
        }
        LODESTONE_CHECK(readBatch(batch, questions, wanted, onQuestion, onReply, promptText, work));
        const double seconds
            = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        const double perSecond = static_cast<double>(first) / std::max(seconds, 1e-9);
        work.tell({ m_title, static_cast<double>(first), static_cast<double>(rows.size()), perSecond,
                    set.kind == data::ItemKind::Reply ? "replies" : data::itemKindName(set.kind) + "s",
                    static_cast<double>(rows.size() - first) / std::max(perSecond, 1e-9) });
        if (afterBatch)
            afterBatch(first);
    }
    return {};
}

} // namespace lodestone::constitution
