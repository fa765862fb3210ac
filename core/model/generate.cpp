#include "core/model/generate.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>

namespace lodestone::model {
namespace {

/// One of the continuations while it is being written.
struct Writer {
    Completion completion;
    StoppableText text;
    Rng rng;
    std::shared_ptr<const Context> context;
    Eigen::VectorXf next; ///< log-probabilities
    std::vector<TokenId> seen; ///< prompt and own tokens, for the repetition penalty
};

/// Takes the writer's next token; false when that ends it.
bool step(
    Writer& writer, const SamplingOptions& options, const text::Tokenizer& tokenizer,
    std::span<const TokenId> ends, const std::function<void(std::string_view)>& say)
{
    const TokenId token = sampleToken(writer.next, options, writer.rng, writer.seen);
    writer.completion.ids.push_back(token);
    if (options.repetitionPenalty != 1)
        writer.seen.push_back(token);
    if (std::find(ends.begin(), ends.end(), token) != ends.end()) {
        writer.completion.finishReason = "stop";
        return false;
    }
    if (tokenizer.isSpecial(token))
        return true;
    say(writer.text.add(tokenizer.piece(token)));
    if (writer.text.stopped())
        writer.completion.finishReason = "stop";
    return !writer.text.stopped();
}

} // namespace

std::vector<TokenId> endTokens(const LanguageModel& model)
{
    std::vector<TokenId> ends = model.tokenizer().ends();
    std::string_view closing = model.chatTemplate().endOfTurn();
    while (!closing.empty() && (closing.back() == '\n' || closing.back() == ' '))
        closing.remove_suffix(1);
    std::vector<TokenId> ids = model.tokenizer().encode(closing, text::Special::Parse);
    if (!ids.empty() && ids.front() == model.tokenizer().bos())
        ids.erase(ids.begin());
    if (ids.size() == 1 && model.tokenizer().isSpecial(ids[0])
        && std::find(ends.begin(), ends.end(), ids[0]) == ends.end())
        ends.push_back(ids[0]);
    return ends;
}

Result<std::vector<Completion>> generate(
    LanguageModel& model, std::span<const TokenId> prompt, int count, const SamplingOptions& options,
    const Work& work, std::span<const Intervention> interventions,
    const std::function<void(int, std::string_view)>& onToken)
{
    LODESTONE_CHECK(checkSampling(options));
    Request start;
    start.tokens.assign(prompt.begin(), prompt.end());
    start.logits = start.keepContext = true;
    LODESTONE_TRY(const auto opened, model.read(std::span(&start, 1), {}, work, interventions));
    std::vector<Writer> writers;
    for (int i = 0; i < count; ++i)
        writers.push_back({ {},
                            StoppableText(options.stop),
                            Rng(options.seed, static_cast<std::uint64_t>(i)),
                            opened[0].context,
                            opened[0].nextLogProbabilities,
                            {} });
    if (options.repetitionPenalty != 1)
        for (Writer& writer : writers)
            writer.seen.assign(prompt.begin(), prompt.end());
    const std::vector<TokenId> ends = endTokens(model);
    const int steps = std::min(options.maxTokens, model.config().context - static_cast<int>(prompt.size()));
    std::vector<std::size_t> running(writers.size());
    std::iota(running.begin(), running.end(), std::size_t(0));
    const auto begin = std::chrono::steady_clock::now();
    double written = 0;

    for (int at = 0; at < steps && !running.empty(); ++at) {
        if (work.cancelled())
            return cancelled();
        std::vector<std::size_t> still;
        std::vector<Request> requests;
        for (const std::size_t i : running) {
            Writer& writer = writers[i];
            ++written;
            const auto say = [&](std::string_view piece) {
                if (onToken && !piece.empty())
                    onToken(static_cast<int>(i), piece);
            };
            if (!step(writer, options, model.tokenizer(), ends, say))
                continue;
            still.push_back(i);
            Request request;
            request.tokens = { writer.completion.ids.back() };
            request.past
                = std::move(writer.context); // the request alone holds it, so its page grows in place
            request.logits = request.keepContext = true;
            requests.push_back(std::move(request));
        }
        running = std::move(still);
        const double seconds
            = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
        work.tell({ "Writing", static_cast<double>(at + 1), static_cast<double>(options.maxTokens),
                    written / std::max(seconds, 1e-9), "tokens", -1 });
        if (running.empty() || at + 1 >= steps)
            break;
        LODESTONE_TRY(auto readings, model.read(requests, {}, work, interventions));
        for (std::size_t k = 0; k < running.size(); ++k) {
            writers[running[k]].context = std::move(readings[k].context);
            writers[running[k]].next = std::move(readings[k].nextLogProbabilities);
        }
    }
    std::vector<Completion> completions;
    for (std::size_t i = 0; i < writers.size(); ++i) {
        Writer& writer = writers[i];
        if (const std::string_view rest = writer.text.finish(); onToken && !rest.empty())
            onToken(static_cast<int>(i), rest);
        writer.completion.text = writer.text.text();
        if (writer.completion.finishReason.empty())
            writer.completion.finishReason = "length";
        completions.push_back(std::move(writer.completion));
    }
    return completions;
}

Result<Expectation> expectation(
    LanguageModel& model, std::span<const TokenId> ids, std::size_t from, int window, const Work& work,
    std::span<const Intervention> interventions)
{
    const auto size = static_cast<std::size_t>(
        window > 1 ? std::min(window, model.config().context) : model.config().context);
    std::size_t next = std::max<std::size_t>(1, from); // the first token that is not scored yet
    if (ids.size() <= next)
        return badInput(std::to_string(next + 1) + " tokens or more", std::to_string(ids.size()));
    Expectation result;
    double loss = 0;
    while (next < ids.size()) {
        if (work.cancelled())
            return cancelled();
        const std::size_t end
            = next < size ? std::min(size, ids.size()) : std::min(next + size / 2, ids.size());
        const std::size_t begin = end > size ? end - size : 0;
        Request request;
        request.tokens.assign(
            ids.begin() + static_cast<std::ptrdiff_t>(begin), ids.begin() + static_cast<std::ptrdiff_t>(end));
        request.scored = { static_cast<int>(next - begin), static_cast<int>(end - begin) };
        LODESTONE_TRY(const auto readings, model.read(std::span(&request, 1), {}, work, interventions));
        for (const float value : readings[0].logProbabilities)
            loss -= value;
        result.tokens += readings[0].logProbabilities.size();
        next = end;
        work.tell({ "Reading", static_cast<double>(end), static_cast<double>(ids.size()), 0, "tokens", -1 });
    }
    result.meanLoss = loss / static_cast<double>(result.tokens);
    result.perplexity = std::exp(result.meanLoss);
    return result;
}

} // namespace lodestone::model
