// Chooses the next token from a model's distribution: greedy, or drawn from what temperature, top-k, top-p
// and min-p leave; and finds where a text must stop.
#pragma once

#include "core/base/error.h"
#include "core/base/rng.h"
#include "core/text/tokenizer.h"

#include <Eigen/Core>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lodestone::model {

using text::TokenId;

struct SamplingOptions {
    int maxTokens = 128;
    double temperature = 0; ///< 0: greedy
    int topK = 0; ///< the k likeliest tokens; 0: all
    double topP = 1; ///< nucleus (Holtzman et al. 2020): the likeliest tokens up to this mass; 1: all
    double minP = 0; ///< tokens at least this share as likely as the likeliest (Nguyen et al. 2024); 0: all
    double repetitionPenalty = 1; ///< p of a token that stands in the text becomes p^penalty (after Keskar et
                                  ///< al. 2019, on log-probabilities, whose zero is not arbitrary); 1: none
    std::uint64_t seed = 0; ///< sample i of a call uses stream i
    std::vector<std::string> stop; ///< the text ends before any of these
};

/// BadInput (kind Usage) for a senseless option: a negative temperature, a mass outside (0, 1], an empty stop
/// string ...
Result<void> checkSampling(const SamplingOptions& options);

/// What may come next with its probability, after penalty, temperature, top-k, top-p and min-p, in this
/// order.
struct NextToken {
    TokenId token = 0;
    double p = 0;
};
std::vector<NextToken> nextTokens(
    const Eigen::Ref<const Eigen::VectorXf>& logProbabilities, const SamplingOptions& options,
    std::span<const TokenId> before = {});

/// Draws the next token from log-probabilities [vocabulary]; temperature 0 takes the largest, lowest id
/// first. `before` are the tokens that the repetition penalty looks at.
TokenId sampleToken(
    const Eigen::Ref<const Eigen::VectorXf>& logProbabilities, const SamplingOptions& options, Rng& rng,
    std::span<const TokenId> before = {});

/// A text that grows by pieces of tokens. Holds back what may become a stop string or is half a character, so
/// that what it hands out is never taken back.
class StoppableText {
public:
    explicit StoppableText(std::span<const std::string> stop)
        : m_stop(stop.begin(), stop.end())
    {
    }
    /// Adds bytes; returns those that are certain now (whole UTF-8 characters, no beginning of a stop
    /// string).
    std::string_view add(std::string_view piece);
    /// What was held back, when no more comes.
    std::string_view finish();
    bool stopped() const { return m_stopped; } ///< a stop string came; text() ends before it
    const std::string& text() const { return m_text; }

private:
    std::string_view release(std::size_t end);
    std::vector<std::string> m_stop;
    std::string m_text;
    std::size_t m_given = 0; ///< bytes handed out
    bool m_stopped = false;
};

} // namespace lodestone::model
