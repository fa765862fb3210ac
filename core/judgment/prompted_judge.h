// The judge that is asked instead of read: the model compares two replies in both orders, or rates one, in
// its own words. Stands beside the linear judge, so that where they disagree is a list to read.
#pragma once

#include "core/base/progress.h"
#include "core/constitution/constitution.h"
#include "core/data/study.h"
#include "core/geometry/statistics.h"
#include "core/model/language_model.h"

#include <Eigen/Core>
#include <functional>
#include <span>

namespace lodestone::judgment {

/// How the model is asked (Lee et al. 2023: preamble, exemplars, sample, ending).
struct PromptedOptions {
    std::string preamble; ///< empty: a sentence of ours
    int fewShot = 0; ///< 0, 1, 2 or 8 exemplars: labelled pairs of training prompts, answers A and B in turn
    bool reasoning = false; ///< the model first writes up to 64 tokens of reasoning, greedily
    std::uint64_t seed = 0; ///< draws the exemplars
};

/// What the model said of one pair.
struct PromptedPair {
    int pair = 0; ///< index into the study's pairs
    double chosenFirst = 0; ///< log-odds of "A" with the chosen reply as A: u + b (T29)
    double chosenSecond = 0; ///< log-odds of "A" with the rejected reply as A: -u + b
    /// Soft label: probability that the chosen reply is preferred, mean of both orders.
    double p() const;
    /// The same letter in both orders: the preferred reply changed with the order.
    bool flippedByOrder() const { return (chosenFirst > 0) == (chosenSecond > 0); }
};

/// The bias of T29, logit = u + b for the reply shown first, measured from both orders of every pair.
struct PositionBias {
    double bias = 0; ///< b: mean of (chosenFirst + chosenSecond)/2, natural log
    double deviation = 0; ///< s: standard deviation of u about zero
    geometry::Estimate samePosition; ///< share of pairs with the same letter in both orders
    double samePositionImplied = 0; ///< erf(|b|/(s sqrt 2)), if u is Gaussian and b constant
    double firstAmongSame = 0; ///< of those, how many prefer the first; NaN without any
};

struct PromptedJudgments {
    std::vector<PromptedPair> pairs;
    PositionBias bias;
    geometry::Estimate agreement; ///< averaged over the orders, on the pairs judged, ties half
    geometry::Estimate oneOrder; ///< with the chosen reply first in every second pair: what one order gives
    std::string prompt; ///< the first prompt in full, as the model read it
};

/// What is asked for: the texts of the principles that are on, a negative weight turned into "avoid",
/// in the order of their priorities. With a prompt, only those whose scope covers it: may then be empty.
std::string criterionOf(const constitution::Constitution& constitution, const std::string* prompt = nullptr);

/// The comparison as the model reads it, up to the letter; `first` is reply A.
std::vector<text::Message> comparison(
    const data::ResponseSet& set, const PromptedOptions& options, const std::string& criterion, int first,
    int second, const std::vector<data::Pair>& exemplars);

/// Judges the listed pairs (empty: all) by one of two letters in both orders; p is the softmax over the two
/// letters' tokens. Errors: no pairs, another model than the study's, a text longer than the context, fewer
/// labelled training pairs than exemplars asked for, few-shot counts other than 0, 1, 2, 8.
Result<PromptedJudgments> judgeByPrompt(
    const data::Study& study, model::LanguageModel& model, const constitution::Constitution& constitution,
    const std::vector<bool>& training, const PromptedOptions& options = {}, std::span<const int> pairs = {},
    const Work& work = {});

/// Rates replies from 1 to 10 (d-RLAIF, Lee et al. 2023): sum of i P(i) over the ten ratings, P renormalised
/// over them; where "10" is two tokens, P(10) = P(1) P(0 | 1) and P(1) = P(1)(1 - P(0 | 1)). One number per
/// response, NaN for those not asked about (`rows` empty: all). Errors as above.
Result<Eigen::VectorXd> rateByPrompt(
    const data::Study& study, model::LanguageModel& model, const constitution::Constitution& constitution,
    const std::vector<int>& rows = {}, const Work& work = {});

/// (s - 5.5)/4.5: a rating on -1 .. 1 (the natural map; Lee et al. do not print theirs).
double normalisedRating(double rating);

/// Position bias and agreement from the log-odds; `groups`: the prompt of each pair, for the intervals.
PromptedJudgments summarise(std::vector<PromptedPair> pairs, std::span<const int> groups, std::uint64_t seed);

} // namespace lodestone::judgment
