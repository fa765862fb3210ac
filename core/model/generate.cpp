#include "core/model/generate.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>

namespace lodestone::model {

TokenId sampleToken(
    const Eigen::Ref<const Eigen::VectorXf>& logProbabilities, const SamplingOptions& options, Rng& rng)
{
    Eigen::Index best = 0;
    logProbabilities.maxCoeff(&best);
    if (options.temperature <= 0)
        return static_cast<TokenId>(best);
    std::vector<TokenId> order(static_cast<std::size_t>(logProbabilities.size()));
    std::iota(order.begin(), order.end(), 0);
    const auto likelier = [&](TokenId a, TokenId b) {
        return logProbabilities[a] != logProbabilities[b] ? logProbabilities[a] > logProbabilities[b] : a < b;
    };
    const std::size_t kept
        = options.topK > 0 ? std::min(order.size(), static_cast<std::size_t>(options.topK)) : order.size();
    if (kept < order.size())
        std::nth_element(
            order.begin(), order.begin() + static_cast<std::ptrdiff_t>(kept), order.end(), likelier);
    order.resize(kept);
    std::vector<double> weights(kept);
    const auto weigh = [&] {
        double total = 0;
        for (std::size_t i = 0; i < order.size(); ++i)
            total += weights[i]
                = std::exp((logProbabilities[order[i]] - logProbabilities[best]) / options.temperature);
        return total;
    };
    if (options.topP < 1) {
        std::sort(order.begin(), order.end(), likelier);
        const double total = weigh();
        double mass = 0;
        std::size_t count = 0;
        while (count < order.size() && mass < options.topP * total)
            mass += weights[count++];
        order.resize(std::max<std::size_t>(1, count));
    }
    double rest = rng.uniform() * weigh();
    for (std::size_t i = 0; i < order.size(); ++i)
        if ((rest -= weights[i]) < 0)
            return order[i];
    return order.back();
}

Result<std::vector<Completion>> generate(
    LanguageModel& model, std::span<const TokenId> prompt, int count, const SamplingOptions& options,
    const Work& work, std::span<const Intervention> interventions,
    const std::function<void(int, std::string_view)>& onToken)
{
    Request start;
    start.tokens.assign(prompt.begin(), prompt.end());
    start.logits = start.keepContext = true;
    LODESTONE_TRY(const auto opened, model.read(std::span(&start, 1), {}, work, interventions));
    std::vector<Completion> completions(static_cast<std::size_t>(count));
    std::vector<Rng> streams;
    std::vector<std::shared_ptr<const Context>> contexts(completions.size(), opened[0].context);
    std::vector<Eigen::VectorXf> next(completions.size(), opened[0].nextLogProbabilities);
    for (int i = 0; i < count; ++i)
        streams.emplace_back(options.seed, static_cast<std::uint64_t>(i));
    std::vector<std::size_t> running(completions.size());
    std::iota(running.begin(), running.end(), std::size_t(0));
    const int room = model.config().context - static_cast<int>(prompt.size());
    const auto begin = std::chrono::steady_clock::now();

    for (int step = 0; step < std::min(options.maxTokens, room) && !running.empty(); ++step) {
        std::vector<std::size_t> still;
        std::vector<Request> requests;
        for (const std::size_t i : running) {
            const TokenId token = sampleToken(next[i], options, streams[i]);
            Completion& completion = completions[i];
            completion.ids.push_back(token);
            if (model.tokenizer().eos() == token) {
                completion.finishReason = "stop";
                continue;
            }
            if (!model.tokenizer().isSpecial(token)) {
                completion.text += model.tokenizer().piece(token);
                if (onToken)
                    onToken(static_cast<int>(i), model.tokenizer().piece(token));
            }
            still.push_back(i);
            Request request;
            request.tokens = { token };
            request.past = contexts[i];
            request.logits = request.keepContext = true;
            requests.push_back(std::move(request));
            contexts[i].reset(); // the request now holds it, so that its page can grow in place
        }
        running = std::move(still);
        const double seconds
            = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
        work.tell({ "Writing", static_cast<double>(step + 1), static_cast<double>(options.maxTokens),
                    (step + 1) * count / std::max(seconds, 1e-9), "tokens", -1 });
        if (running.empty() || step + 1 >= std::min(options.maxTokens, room))
            break;
        LODESTONE_TRY(auto readings, model.read(requests, {}, work, interventions));
        for (std::size_t k = 0; k < running.size(); ++k) {
            contexts[running[k]] = std::move(readings[k].context);
            next[running[k]] = std::move(readings[k].nextLogProbabilities);
        }
    }
    for (Completion& completion : completions)
        if (completion.finishReason.empty())
            completion.finishReason = "length";
    return completions;
}

} // namespace lodestone::model
