#include "core/constitution/refusal.h"

#include "core/base/rng.h"
#include "core/formats/lines.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <limits>

namespace lodestone::constitution {
namespace {

using model::Intervention;
using model::Reading;
using model::Request;
using TokenList = std::vector<text::TokenId>;

constexpr std::size_t tokensPerRead = 2048;

TokenList rendered(const model::LanguageModel& model, const std::string& instruction)
{
    return model.tokenizer().encode(
        model.chatTemplate().prompt({ { "user", instruction } }), text::Special::Parse);
}

/// Next-token log-probabilities of every prompt, with interventions, in batches.
Result<std::vector<Eigen::VectorXf>> nextOf(
    model::LanguageModel& model, const std::vector<TokenList>& prompts,
    std::span<const Intervention> interventions, const Work& work)
{
    std::vector<Eigen::VectorXf> next;
    for (std::size_t first = 0; first < prompts.size();) {
        if (work.cancelled())
            return cancelled();
        std::vector<Request> requests;
        std::size_t tokens = 0;
        while (first < prompts.size() && (requests.empty() || tokens < tokensPerRead)) {
            Request request;
            request.tokens = prompts[first++];
            request.logits = true;
            tokens += request.tokens.size();
            requests.push_back(std::move(request));
        }
        LODESTONE_TRY(auto readings, model.read(requests, {}, Work{ work.stop, {} }, interventions));
        for (Reading& reading : readings)
            next.push_back(std::move(reading.nextLogProbabilities));
    }
    return next;
}

double meanRefusal(const std::vector<Eigen::VectorXf>& next, const TokenList& refusal)
{
    double sum = 0;
    for (const Eigen::VectorXf& each : next) {
        double probability = 0;
        for (const text::TokenId id : refusal)
            probability += std::exp(static_cast<double>(each[id]));
        sum += geometry::refusalScore(std::min(1.0, probability));
    }
    return sum / static_cast<double>(next.size());
}

double meanDivergence(const std::vector<Eigen::VectorXf>& base, const std::vector<Eigen::VectorXf>& changed)
{
    double sum = 0;
    for (std::size_t i = 0; i < base.size(); ++i) {
        const Eigen::ArrayXd p = base[i].cast<double>().array();
        sum += (p.exp() * (p - changed[i].cast<double>().array())).sum();
    }
    return sum / static_cast<double>(base.size());
}

/// Sums of the residual streams at the last `positions` tokens, [positions][layers x width], over prompts.
Result<std::vector<Eigen::MatrixXd>> meanStates(
    model::LanguageModel& model, const std::vector<TokenList>& prompts, int positions,
    const std::vector<Layer>& layers, const Work& work)
{
    std::vector<Eigen::MatrixXd> means(
        static_cast<std::size_t>(positions),
        Eigen::MatrixXd::Zero(static_cast<Eigen::Index>(layers.size()), model.config().width));
    for (std::size_t first = 0; first < prompts.size();) {
        if (work.cancelled())
            return cancelled();
        std::vector<Request> requests;
        std::vector<std::size_t> which;
        std::size_t tokens = 0;
        while (first < prompts.size() && (requests.empty() || tokens < tokensPerRead)) {
            Request request;
            request.tokens.assign(prompts[first].begin(), prompts[first].end() - positions);
            request.keepContext = true;
            tokens += request.tokens.size();
            requests.push_back(std::move(request));
            which.push_back(first++);
        }
        LODESTONE_TRY(auto readings, model.read(requests, {}, Work{ work.stop, {} }));
        // The tokens after the instruction one by one, so that the state at each can be asked for.
        for (int p = 0; p < positions; ++p) {
            for (std::size_t i = 0; i < which.size(); ++i) {
                Request request;
                request.tokens = { *(prompts[which[i]].end() - positions + p) };
                request.past = readings[i].context;
                request.last = request.keepContext = true;
                requests[i] = std::move(request);
            }
            LODESTONE_TRY(readings, model.read(requests, layers, Work{ work.stop, {} }));
            for (const Reading& reading : readings)
                means[static_cast<std::size_t>(p)]
                    += reading.last.cast<double>() / static_cast<double>(prompts.size());
        }
        work.tell({ "Reading requests", static_cast<double>(first), static_cast<double>(prompts.size()), 0,
                    "requests", -1 });
    }
    return means;
}

} // namespace

Result<RefusalResult> findRefusal(
    model::LanguageModel& model, const std::vector<std::string>& harmful,
    const std::vector<std::string>& harmless, const RefusalOptions& options, const Work& work,
    const std::function<void(const geometry::RefusalScore&)>& sink)
{
    RefusalResult result;
    const auto& tokenizer = model.tokenizer();
    const TokenList after = tokenizer.encode(
        model.chatTemplate().endOfTurn() + model.chatTemplate().opening(), text::Special::Parse);
    const int positions = static_cast<int>(after.size());
    if (positions == 0)
        return badInput("a chat template with tokens after the instruction", "none", model.config().name);
    for (const text::TokenId id : after)
        result.positionTokens.emplace_back(tokenizer.piece(id));
    TokenList refusal;
    for (const std::string& word : options.refusalWords)
        if (const auto ids = tokenizer.encode(word, text::Special::Continue); !ids.empty()) {
            refusal.push_back(ids.front());
            result.refusalTokens.emplace_back(tokenizer.piece(ids.front()));
        }
    std::sort(refusal.begin(), refusal.end());
    refusal.erase(std::unique(refusal.begin(), refusal.end()), refusal.end());
    if (refusal.empty())
        return badInput("a word that refusals begin with", "none", "refusal words");

    // Training and validation requests, drawn without replacement.
    const auto draw
        = [&](const std::vector<std::string>& texts, std::uint64_t stream, std::vector<TokenList>& training,
              std::vector<TokenList>& validation) -> Result<void> {
        if (texts.size() < 4)
            return badInput(
                "at least four requests a side", std::to_string(texts.size()),
                stream == 0 ? "harmful" : "harmless");
        std::vector<std::string> order = texts;
        Rng(options.seed, stream).shuffle(order);
        const std::size_t held = std::min<std::size_t>(
            static_cast<std::size_t>(std::max(1, options.validation)),
            std::max<std::size_t>(1, texts.size() / 4));
        for (std::size_t i = 0; i < order.size(); ++i) {
            TokenList tokens = rendered(model, order[i]);
            if (tokens.size() > static_cast<std::size_t>(model.config().context))
                return badInput(
                    fmt::format("a request of at most {} tokens", model.config().context),
                    std::to_string(tokens.size()), order[i].substr(0, 40));
            if (i < held)
                validation.push_back(std::move(tokens));
            else if (training.size() < static_cast<std::size_t>(std::max(1, options.training)))
                training.push_back(std::move(tokens));
        }
        return {};
    };
    std::vector<TokenList> trainHarmful, trainHarmless, valHarmful, valHarmless;
    LODESTONE_CHECK(draw(harmful, 0, trainHarmful, valHarmful));
    LODESTONE_CHECK(draw(harmless, 1, trainHarmless, valHarmless));
    result.trainingHarmful = static_cast<int>(trainHarmful.size());
    result.trainingHarmless = static_cast<int>(trainHarmless.size());
    result.validationHarmful = static_cast<int>(valHarmful.size());
    result.validationHarmless = static_cast<int>(valHarmless.size());

    std::vector<int> layers = options.layers, places = options.positions;
    if (layers.empty())
        for (int l = 0; l < model.config().blocks; ++l)
            layers.push_back(l);
    if (places.empty())
        for (int p = -positions; p < 0; ++p)
            places.push_back(p);
    std::vector<Layer> wanted;
    for (const int l : layers) {
        if (l < 0 || l >= model.config().blocks)
            return badInput(
                fmt::format("a layer from 0 to {}", model.config().blocks - 1), std::to_string(l), "layers");
        wanted.push_back(Layer::atRow(l));
    }
    for (const int p : places)
        if (p >= 0 || p < -positions)
            return badInput(
                fmt::format("a position from {} to -1", -positions), std::to_string(p), "positions");

    LODESTONE_TRY(const auto meanHarmful, meanStates(model, trainHarmful, positions, wanted, work));
    LODESTONE_TRY(const auto meanHarmless, meanStates(model, trainHarmless, positions, wanted, work));
    LODESTONE_TRY(const auto baseHarmful, nextOf(model, valHarmful, {}, work));
    LODESTONE_TRY(const auto baseHarmless, nextOf(model, valHarmless, {}, work));
    result.baseHarmful = meanRefusal(baseHarmful, refusal);
    result.baseHarmless = meanRefusal(baseHarmless, refusal);

    const std::size_t total = places.size() * layers.size();
    for (const int p : places)
        for (std::size_t l = 0; l < layers.size(); ++l) {
            const auto at = static_cast<std::size_t>(p + positions);
            const Eigen::VectorXd r = (meanHarmful[at].row(static_cast<Eigen::Index>(l))
                                       - meanHarmless[at].row(static_cast<Eigen::Index>(l)))
                                          .transpose();
            geometry::RefusalScore score{ p, layers[l], result.baseHarmful, result.baseHarmless, 0 };
            // A template token's embedding is the same in every prompt: r is zero and changes nothing.
            if (r.norm() > 0) {
                Intervention ablate, add;
                ablate.kind = Intervention::Kind::Ablate;
                ablate.direction = r.normalized().cast<float>();
                add.kind = Intervention::Kind::Add;
                add.layer = wanted[l];
                add.direction = r.cast<float>();
                LODESTONE_TRY(const auto bypassed, nextOf(model, valHarmful, std::span(&ablate, 1), work));
                LODESTONE_TRY(const auto ablated, nextOf(model, valHarmless, std::span(&ablate, 1), work));
                LODESTONE_TRY(const auto induced, nextOf(model, valHarmless, std::span(&add, 1), work));
                score.bypass = meanRefusal(bypassed, refusal);
                score.kl = meanDivergence(baseHarmless, ablated);
                score.induce = meanRefusal(induced, refusal);
            }
            result.scores.push_back(score);
            result.directions.push_back(r);
            if (sink)
                sink(score);
            work.tell({ "Ablating and adding", static_cast<double>(result.scores.size()),
                        static_cast<double>(total), 0, "directions", -1 });
        }
    const auto best = geometry::selectRefusal(result.scores, model.config().blocks);
    if (best)
        result.best = *best;
    else
        result.whyNone = best.error().message();
    return result;
}

Result<std::vector<std::string>> readInstructions(const std::filesystem::path& path)
{
    LODESTONE_TRY(const auto table, formats::readTable(path));
    if (!table.bad.empty())
        return tl::unexpected(table.bad.front().error);
    std::vector<std::string> texts;
    for (const formats::TableRow& row : table.rows) {
        std::string found;
        for (const char* key : { "instruction", "prompt", "text" })
            if (const auto value = row.value.find(key);
                found.empty() && value != row.value.end() && value->is_string())
                found = value->get<std::string>();
        if (found.find_first_not_of(" \t\r\n") == std::string::npos)
            return badInput(
                "a text under instruction, prompt or text", "none",
                fmt::format("{}, {} {}", path.string(), table.unit, row.line));
        texts.push_back(std::move(found));
    }
    return texts;
}

} // namespace lodestone::constitution
