#include "core/model/sampler.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <numeric>

namespace lodestone::model {
namespace {

/// Bytes at the end of `text` that begin a UTF-8 character whose rest is missing.
std::size_t unfinishedBytes(std::string_view text)
{
    for (std::size_t back = 1; back <= std::min<std::size_t>(3, text.size()); ++back) {
        const auto byte = static_cast<unsigned char>(text[text.size() - back]);
        if ((byte & 0xC0u) == 0x80u)
            continue; // inside a character
        const std::size_t length = byte >= 0xF0u ? 4 : byte >= 0xE0u ? 3 : byte >= 0xC0u ? 2 : 1;
        return length > back ? back : 0;
    }
    return 0;
}

} // namespace

Result<void> checkSampling(const SamplingOptions& options)
{
    const auto wrong = [](const char* expected, double found) {
        return fail(ErrorKind::Usage, expected, fmt::format("{}", found), "sampling");
    };
    if (options.maxTokens < 1)
        return wrong("at least one new token", options.maxTokens);
    if (!(options.temperature >= 0) || !std::isfinite(options.temperature))
        return wrong("a temperature of at least 0", options.temperature);
    if (options.topK < 0)
        return wrong("top-k of at least 0 (0: all tokens)", options.topK);
    if (!(options.topP > 0 && options.topP <= 1))
        return wrong("top-p above 0 and at most 1", options.topP);
    if (!(options.minP >= 0 && options.minP <= 1))
        return wrong("min-p from 0 to 1", options.minP);
    if (!(options.repetitionPenalty > 0) || !std::isfinite(options.repetitionPenalty))
        return wrong("a repetition penalty above 0 (1: none)", options.repetitionPenalty);
    for (const std::string& stop : options.stop)
        if (stop.empty())
            return fail(ErrorKind::Usage, "a stop string of at least one character", "an empty one");
    return {};
}

std::vector<NextToken> nextTokens(
    const Eigen::Ref<const Eigen::VectorXf>& given, const SamplingOptions& options,
    std::span<const TokenId> before)
{
    Eigen::VectorXf logProbabilities;
    const bool penalised = options.repetitionPenalty != 1 && !before.empty();
    if (penalised) {
        logProbabilities = given;
        for (const TokenId token : before) // from `given`: a token that stands there twice pays once
            if (token >= 0 && token < given.size())
                logProbabilities[token] = given[token] * static_cast<float>(options.repetitionPenalty);
    }
    const Eigen::Map<const Eigen::VectorXf> values(
        penalised ? logProbabilities.data() : given.data(), given.size());
    Eigen::Index best = 0;
    values.maxCoeff(&best);
    if (options.temperature <= 0)
        return { { static_cast<TokenId>(best), 1.0 } };
    std::vector<TokenId> order(static_cast<std::size_t>(values.size()));
    std::iota(order.begin(), order.end(), 0);
    const auto likelier
        = [&](TokenId a, TokenId b) { return values[a] != values[b] ? values[a] > values[b] : a < b; };
    const std::size_t kept
        = options.topK > 0 ? std::min(order.size(), static_cast<std::size_t>(options.topK)) : order.size();
    if (kept < order.size())
        std::nth_element(
            order.begin(), order.begin() + static_cast<std::ptrdiff_t>(kept), order.end(), likelier);
    order.resize(kept);
    if (options.topP < 1)
        std::sort(order.begin(), order.end(), likelier);
    std::vector<NextToken> result;
    result.reserve(order.size());
    double total = 0;
    for (const TokenId token : order) {
        result.push_back({ token, std::exp((values[token] - values[best]) / options.temperature) });
        total += result.back().p;
    }
    if (options.topP < 1) {
        double mass = 0;
        std::size_t count = 0;
        while (count < result.size() && mass < options.topP * total)
            mass += result[count++].p;
        result.resize(std::max<std::size_t>(1, count));
    }
    if (options.minP > 0) // weights are relative to the likeliest, whose own is 1
        std::erase_if(result, [&](const NextToken& next) { return next.p < options.minP; });
    total = 0;
    for (const NextToken& next : result)
        total += next.p;
    for (NextToken& next : result)
        next.p /= total;
    return result;
}

TokenId sampleToken(
    const Eigen::Ref<const Eigen::VectorXf>& logProbabilities, const SamplingOptions& options, Rng& rng,
    std::span<const TokenId> before)
{
    const std::vector<NextToken> choices = nextTokens(logProbabilities, options, before);
    if (options.temperature <= 0)
        return choices.front().token;
    double rest = rng.uniform();
    for (const NextToken& next : choices)
        if ((rest -= next.p) < 0)
            return next.token;
    return choices.back().token;
}

std::string_view StoppableText::release(std::size_t end)
{
    const std::string_view fresh
        = std::string_view(m_text).substr(m_given, end > m_given ? end - m_given : 0);
    m_given += fresh.size();
    return fresh;
}

std::string_view StoppableText::add(std::string_view piece)
{
    if (m_stopped)
        return {};
    const std::size_t before = m_text.size();
    m_text += piece;
    std::size_t end = std::string::npos;
    for (const std::string& stop : m_stop) {
        // It can only begin where its first byte was not yet followed by all others.
        const std::size_t from = before >= stop.size() ? before - stop.size() + 1 : 0;
        end = std::min(end, m_text.find(stop, from));
    }
    if (end != std::string::npos) {
        m_stopped = true;
        m_text.resize(end);
        return release(end);
    }
    std::size_t held = unfinishedBytes(m_text);
    for (const std::string& stop : m_stop)
        for (std::size_t length = std::min(stop.size() - 1, m_text.size()); length > held; --length)
            if (m_text.ends_with(std::string_view(stop).substr(0, length))) {
                held = length;
                break;
            }
    return release(m_text.size() - held);
}

std::string_view StoppableText::finish() { return release(m_text.size()); }

} // namespace lodestone::model
