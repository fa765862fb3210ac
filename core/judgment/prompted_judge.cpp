#include "core/judgment/prompted_judge.h"

#include "core/base/rng.h"
#include "core/constitution/reply_reader.h"
#include "core/data/capture.h"
#include "core/judgment/preference.h"
#include "core/model/generate.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>
#include <numeric>

namespace lodestone::judgment {
namespace {

using constitution::TokenList;

constexpr std::size_t exemplarBytes = 400; ///< of each reply shown as an example

const std::string& preambleOf(const PromptedOptions& options)
{
    static const std::string ours = "Two assistants replied to the same person. Read both replies and say "
                                    "which one is better.";
    return options.preamble.empty() ? ours : options.preamble;
}

/// At most so many bytes, ending where a UTF-8 character ends.
std::string beginningOf(const std::string& text, std::size_t bytes)
{
    if (text.size() <= bytes)
        return text;
    std::size_t end = bytes;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0u) == 0x80u)
        --end;
    return text.substr(0, end) + " ...";
}

std::string
sample(const data::ResponseSet& set, const std::string& criterion, int first, int second, std::size_t bytes)
{
    std::string shown;
    for (const text::Message& turn :
         set.prompts[static_cast<std::size_t>(set.responses[static_cast<std::size_t>(first)].prompt)]
             .conversation)
        shown += (turn.role == "assistant"  ? "Assistant: "
                      : turn.role == "user" ? "Person: "
                                            : "")
            + beginningOf(turn.content, bytes) + "\n";
    return fmt::format(
        "{}\nReply A: {}\n\nReply B: {}\n\nWhich reply is better by this standard: {}", shown,
        beginningOf(set.shownText(first), bytes), beginningOf(set.shownText(second), bytes), criterion);
}

constexpr const char* ending = "Answer with the letter A or B.";
constexpr const char* answerOpening = "The better reply is";

Result<std::pair<text::TokenId, text::TokenId>> letters(const model::LanguageModel& model)
{
    const auto a = constitution::firstTokens(model.tokenizer(), { "A" }),
               b = constitution::firstTokens(model.tokenizer(), { "B" });
    if (a.empty() || b.empty() || a.front() == b.front())
        return badInput(
            "a tokenizer that tells \" A\" from \" B\"", "one token for both", model.config().name);
    return std::pair(a.front(), b.front());
}

Result<std::vector<data::Pair>>
exemplarsFor(const data::ResponseSet& set, const std::vector<bool>& training, const PromptedOptions& options)
{
    if (options.fewShot != 0 && options.fewShot != 1 && options.fewShot != 2 && options.fewShot != 8)
        return fail(ErrorKind::Usage, "0, 1, 2 or 8 exemplars", std::to_string(options.fewShot), "few-shot");
    std::vector<data::Pair> candidates;
    for (const data::Pair& pair : set.pairs)
        if (training.empty() || training[static_cast<std::size_t>(pair.chosen)])
            candidates.push_back(pair);
    if (static_cast<int>(candidates.size()) < options.fewShot)
        return badInput(
            fmt::format("{} labelled pairs of training prompts as exemplars", options.fewShot),
            std::to_string(candidates.size()), "few-shot");
    Rng rng(options.seed, 0xfe);
    rng.shuffle(candidates);
    candidates.resize(static_cast<std::size_t>(options.fewShot));
    return candidates;
}

double logOdds(const Eigen::VectorXf& logProbabilities, std::pair<text::TokenId, text::TokenId> ab)
{
    return static_cast<double>(logProbabilities[ab.first]) - logProbabilities[ab.second];
}

/// Token lists and what they answer: both orders of a batch of pairs, read together.
Result<std::vector<double>> oddsAfter(
    model::LanguageModel& model, const std::vector<TokenList>& prompts,
    std::pair<text::TokenId, text::TokenId> ab, const PromptedOptions& options, const Work& work)
{
    const auto opening = model.tokenizer().encode(answerOpening, text::Special::Continue);
    std::vector<model::Request> requests;
    for (const TokenList& prompt : prompts) {
        model::Request request;
        request.tokens = prompt;
        if (options.reasoning) {
            model::SamplingOptions greedy;
            greedy.maxTokens = 64;
            const auto think = model.tokenizer().encode("Let me compare them.", text::Special::Continue);
            request.tokens.insert(request.tokens.end(), think.begin(), think.end());
            LODESTONE_TRY(
                const auto written, model::generate(model, request.tokens, 1, greedy, Work{ work.stop, {} }));
            for (const text::TokenId id : written[0].ids)
                if (!model.tokenizer().isSpecial(id))
                    request.tokens.push_back(id);
            const auto gap = model.tokenizer().encode("\n\n", text::Special::Continue);
            request.tokens.insert(request.tokens.end(), gap.begin(), gap.end());
        }
        request.tokens.insert(request.tokens.end(), opening.begin(), opening.end());
        if (request.tokens.size() > static_cast<std::size_t>(model.config().context))
            return badInput(
                fmt::format("a comparison of at most {} tokens: use fewer exemplars", model.config().context),
                std::to_string(request.tokens.size()), "prompted judge");
        request.logits = true;
        requests.push_back(std::move(request));
    }
    LODESTONE_TRY(const auto readings, model.read(requests, {}, Work{ work.stop, {} }));
    std::vector<double> odds;
    for (const model::Reading& reading : readings)
        odds.push_back(logOdds(reading.nextLogProbabilities, ab));
    return odds;
}

} // namespace

double PromptedPair::p() const
{
    return (preference(chosenFirst, 0, 1) + preference(0, chosenSecond, 1)) / 2;
}

std::string criterionOf(const constitution::Constitution& constitution, const std::string* prompt)
{
    std::string text;
    std::vector<const constitution::Principle*> ordered;
    for (const constitution::Principle& principle : constitution.principles)
        if (principle.on && principle.weight != 0 && (!prompt || principle.scope.covers(*prompt)))
            ordered.push_back(&principle);
    std::stable_sort(ordered.begin(), ordered.end(), [](const auto* a, const auto* b) {
        return a->priority < b->priority;
    });
    for (std::size_t i = 0; i < ordered.size(); ++i) {
        const constitution::Principle& principle = *ordered[i];
        if (i > 0 && principle.priority != ordered[i - 1]->priority)
            text += " Only where that does not decide:";
        std::string own = principle.text.empty()
            ? "The reply is " + constitution::joinWords(principle.positive) + "."
            : principle.text;
        if (principle.weight < 0)
            own = "The opposite of this: " + own;
        text += (text.empty() ? "" : " ") + own;
    }
    return text;
}

std::vector<text::Message> comparison(
    const data::ResponseSet& set, const PromptedOptions& options, const std::string& criterion, int first,
    int second, const std::vector<data::Pair>& exemplars)
{
    std::vector<text::Message> turns;
    std::string before = preambleOf(options) + "\n\n";
    for (std::size_t i = 0; i < exemplars.size(); ++i) {
        const bool chosenFirst = i % 2 == 0;
        const data::Pair& pair = exemplars[i];
        turns.push_back({ "user",
                          before
                              + sample(
                                  set, criterion, chosenFirst ? pair.chosen : pair.rejected,
                                  chosenFirst ? pair.rejected : pair.chosen, exemplarBytes)
                              + "\n" + ending });
        turns.push_back({ "assistant", std::string(answerOpening) + (chosenFirst ? " A." : " B.") });
        before.clear();
    }
    turns.push_back(
        { "user", before + sample(set, criterion, first, second, std::string::npos) + "\n" + ending });
    return turns;
}

PromptedJudgments summarise(std::vector<PromptedPair> pairs, std::span<const int> groups, std::uint64_t seed)
{
    PromptedJudgments result;
    std::vector<double> margins, same, single;
    double sumBias = 0, sumSquare = 0, firsts = 0, count = 0;
    for (std::size_t i = 0; i < pairs.size(); ++i) {
        const PromptedPair& pair = pairs[i];
        const double u = (pair.chosenFirst - pair.chosenSecond) / 2;
        sumBias += (pair.chosenFirst + pair.chosenSecond) / 2;
        sumSquare += u * u;
        margins.push_back(pair.p() - 0.5);
        single.push_back(i % 2 == 0 ? pair.chosenFirst : -pair.chosenSecond);
        same.push_back(pair.flippedByOrder() ? 1 : 0);
        if (pair.flippedByOrder()) {
            count += 1;
            firsts += pair.chosenFirst > 0 ? 1 : 0;
        }
    }
    const geometry::ClusterBootstrap bootstrap(groups, 1000, seed);
    const auto n = static_cast<double>(pairs.size());
    result.bias.bias = n > 0 ? sumBias / n : 0;
    result.bias.deviation = n > 0 ? std::sqrt(sumSquare / n) : 0;
    result.bias.samePosition = bootstrap.mean(same);
    result.bias.samePositionImplied = result.bias.deviation > 0
        ? std::erf(std::abs(result.bias.bias) / (result.bias.deviation * std::sqrt(2.0)))
        : (result.bias.bias == 0 ? 0 : 1);
    result.bias.firstAmongSame = count > 0 ? firsts / count : std::numeric_limits<double>::quiet_NaN();
    result.agreement = bootstrap.pairAccuracy(margins);
    result.oneOrder = bootstrap.pairAccuracy(single);
    result.pairs = std::move(pairs);
    return result;
}

Result<PromptedJudgments> judgeByPrompt(
    const data::Study& study, model::LanguageModel& model, const constitution::Constitution& constitution,
    const std::vector<bool>& training, const PromptedOptions& options, std::span<const int> pairs,
    const Work& work)
{
    const data::ResponseSet& set = study.set();
    if (set.pairs.empty() || set.kind != data::ItemKind::Reply)
        return badInput(
            "a study of pairs of replies", data::itemKindName(set.kind) + "s without", study.name());
    if (criterionOf(constitution).empty())
        return badInput(
            "at least one principle that is on", "none: switch one on, or give it a weight",
            constitution.name);
    if (model.sha256() != study.model().sha256)
        return badInput(
            "the model that read this study (" + study.model().name + "), so that both judges are one model",
            model.config().name, "prompted judge");
    LODESTONE_TRY(const auto ab, letters(model));
    LODESTONE_TRY(const auto exemplars, exemplarsFor(set, training, options));
    std::vector<int> wanted(pairs.begin(), pairs.end());
    if (wanted.empty()) {
        wanted.resize(set.pairs.size());
        std::iota(wanted.begin(), wanted.end(), 0);
    }
    std::vector<PromptedPair> judged;
    std::vector<int> groups;
    std::string firstPrompt;
    for (std::size_t at = 0; at < wanted.size();) {
        if (work.cancelled())
            return cancelled();
        std::vector<TokenList> prompts;
        std::vector<int> batch;
        std::size_t tokens = 0;
        while (at < wanted.size() && (batch.empty() || tokens < 2048)) {
            const data::Pair& pair = set.pairs[static_cast<std::size_t>(wanted[at])];
            const std::string prompt = constitution::scopedText(set, pair.chosen),
                              criterion = criterionOf(constitution, &prompt);
            if (criterion.empty()) { // no principle applies to this prompt
                ++at;
                continue;
            }
            for (const auto& [first, second] :
                 { std::pair(pair.chosen, pair.rejected), std::pair(pair.rejected, pair.chosen) }) {
                const std::string rendered = model.chatTemplate().prompt(
                    comparison(set, options, criterion, first, second, exemplars));
                if (firstPrompt.empty())
                    firstPrompt = rendered + answerOpening;
                prompts.push_back(model.tokenizer().encode(rendered, text::Special::Parse));
                tokens += prompts.back().size();
            }
            batch.push_back(wanted[at++]);
        }
        if (batch.empty())
            continue;
        LODESTONE_TRY(const auto odds, oddsAfter(model, prompts, ab, options, work));
        for (std::size_t i = 0; i < batch.size(); ++i) {
            judged.push_back({ batch[i], odds[2 * i], odds[2 * i + 1] });
            groups.push_back(set.groupOf(set.pairs[static_cast<std::size_t>(batch[i])].chosen));
        }
        work.tell({ "Comparing replies in both orders", static_cast<double>(at),
                    static_cast<double>(wanted.size()), 0, "pairs", -1 });
    }
    PromptedJudgments result = summarise(std::move(judged), groups, options.seed);
    result.prompt = std::move(firstPrompt);
    return result;
}

Result<Eigen::VectorXd> rateByPrompt(
    const data::Study& study, model::LanguageModel& model, const constitution::Constitution& constitution,
    const std::vector<int>& rows, const Work& work)
{
    const std::string criterion = criterionOf(constitution);
    if (criterion.empty())
        return badInput(
            "at least one principle that is on", "none: switch one on, or give it a weight",
            constitution.name);
    LODESTONE_TRY(auto reader, constitution::ReplyReader::make(study, model, "rating"));
    reader.setTitle("Rating from 1 to 10");
    const std::string noun = data::itemKindName(study.set().kind);
    const data::ClozeSuffix suffix{
        "rating", "Rating:",
        fmt::format(
            "Rate the last {} from 1 to 10 by this standard: {} 10 means that it could not follow it better. "
            "Answer with a number only.",
            noun, criterion)
    };
    // The ten numbers after the suffix. What all of them begin with (a blank, where digits stand alone) is
    // read with it.
    const auto& tokenizer = model.tokenizer();
    std::array<TokenList, 10> numbers;
    for (std::size_t i = 0; i < numbers.size(); ++i)
        numbers[i] = tokenizer.encode(" " + std::to_string(i + 1), text::Special::Continue);
    TokenList question = data::suffixTokens(model, suffix, study.set().kind);
    while (std::all_of(numbers.begin(), numbers.end(), [&](const TokenList& number) {
        return number.size() > 1 && number.front() == numbers[1].front();
    })) {
        question.push_back(numbers[0].front());
        for (TokenList& number : numbers)
            number.erase(number.begin());
    }
    for (std::size_t i = 0; i < 9; ++i)
        if (numbers[i].size() != 1)
            return badInput(
                "a tokenizer that writes a digit as one token", numbers[i].empty() ? "none" : "several",
                model.config().name);
    const bool split = numbers[9].size() == 2 && numbers[9].front() == numbers[0].front();
    if (!split && numbers[9].size() != 1)
        return badInput(
            "a tokenizer that writes 10 as one token, or as 1 and 0", "neither", model.config().name);
    std::vector<TokenList> questions{ question };
    if (split) {
        questions.push_back(question);
        questions.back().push_back(numbers[0].front());
    }
    const auto n = static_cast<Eigen::Index>(study.set().responses.size());
    Eigen::MatrixXd weights = Eigen::MatrixXd::Zero(n, 10);
    Eigen::VectorXd zero = Eigen::VectorXd::Zero(n);
    std::vector<bool> asked(static_cast<std::size_t>(n), false);
    constitution::Wanted wanted;
    wanted.hidden = false;
    wanted.logits = true;
    LODESTONE_CHECK(reader.read(
        rows.empty() ? constitution::askingOrder(study.set()) : rows, questions, wanted,
        [&](int row, std::size_t which, const model::Reading& reading) {
            asked[static_cast<std::size_t>(row)] = true;
            const Eigen::VectorXf& next = reading.nextLogProbabilities;
            if (which == 1)
                zero[row] = std::exp(static_cast<double>(next[numbers[9].back()]));
            else
                for (std::size_t i = 0; i < 10; ++i)
                    if (i < 9 || !split)
                        weights(row, static_cast<Eigen::Index>(i))
                            = std::exp(static_cast<double>(next[numbers[i].front()]));
        },
        {}, {}, work));
    Eigen::VectorXd ratings = Eigen::VectorXd::Constant(n, std::numeric_limits<double>::quiet_NaN());
    for (Eigen::Index row = 0; row < n; ++row) {
        if (!asked[static_cast<std::size_t>(row)])
            continue;
        if (split) {
            weights(row, 9) = weights(row, 0) * zero[row];
            weights(row, 0) *= 1 - zero[row];
        }
        double sum = 0;
        for (Eigen::Index i = 0; i < 10; ++i)
            sum += static_cast<double>(i + 1) * weights(row, i);
        ratings[row] = sum / weights.row(row).sum();
    }
    return ratings;
}

double normalisedRating(double rating) { return (rating - 5.5) / 4.5; }

} // namespace lodestone::judgment
