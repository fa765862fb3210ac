#include "core/data/capture_plan.h"

#include <algorithm>
#include <fmt/format.h>

namespace lodestone::data {
namespace {

using text::TokenId;

ResponseSet pairsFirst(const ResponseSet& set, std::size_t& pairRows)
{
    std::vector<bool> inPair(set.responses.size());
    for (const Pair& pair : set.pairs)
        inPair[static_cast<std::size_t>(pair.chosen)] = inPair[static_cast<std::size_t>(pair.rejected)]
            = true;
    ResponseSet ordered = set;
    ordered.responses.clear();
    std::vector<int> place(set.responses.size());
    for (const bool wanted : { true, false }) {
        for (std::size_t i = 0; i < set.responses.size(); ++i)
            if (inPair[i] == wanted) {
                place[i] = static_cast<int>(ordered.responses.size());
                ordered.responses.push_back(set.responses[i]);
            }
        if (wanted)
            pairRows = ordered.responses.size();
    }
    for (Pair& pair : ordered.pairs) {
        pair.chosen = place[static_cast<std::size_t>(pair.chosen)];
        pair.rejected = place[static_cast<std::size_t>(pair.rejected)];
    }
    return ordered;
}

std::string arrayFile(Layer layer, Position position)
{
    return fmt::format(
        "activations/{}.{}.npy", layer.isEmbedding() ? "embedding" : fmt::format("block-{}", layer.block()),
        positionName(position));
}

} // namespace

Result<CapturePlan>
CapturePlan::make(const model::LanguageModel& model, const ResponseSet& set, const CaptureOptions& options)
{
    CapturePlan plan;
    plan.set = pairsFirst(set, plan.pairRows);
    plan.suffixes = defaultSuffixes(set.kind);
    if (set.kind != ItemKind::Reply || plan.pairRows == 0)
        plan.pairRows = set.responses.size();
    plan.likelihoods = options.likelihoods && set.kind == ItemKind::Reply;
    LODESTONE_CHECK(plan.tokenise(model));
    plan.findPrefix(model);
    plan.makeBatches(static_cast<std::size_t>(options.tokensPerBatch));
    LODESTONE_CHECK(plan.listArrays(model, options));
    return plan;
}

Result<void> CapturePlan::tokenise(const model::LanguageModel& model)
{
    for (const ClozeSuffix& suffix : suffixes)
        suffixTokens.push_back(data::suffixTokens(model, suffix, set.kind));
    alone = model.tokenizer().encode(model.chatTemplate().opening(), text::Special::Parse);
    for (std::size_t i = 0; i < set.prompts.size(); ++i)
        promptTokens.push_back(data::promptTokens(model, set, static_cast<int>(i)));
    for (std::size_t i = 0; i < set.responses.size(); ++i) {
        Tokens tokens = data::responseTokens(model, set, static_cast<int>(i));
        const Tokens& prompt = promptTokens[static_cast<std::size_t>(set.responses[i].prompt)];
        const std::size_t whole = prompt.size() + tokens.size();
        if (whole + 64 > static_cast<std::size_t>(model.config().context))
            return badInput(
                fmt::format("a prompt and reply of at most {} tokens", model.config().context - 64),
                fmt::format("{}", whole), "response '" + set.responses[i].id + "'");
        set.responses[i].tokens
            = static_cast<int>(set.kind == ItemKind::Request ? prompt.size() : tokens.size());
        if (whole == 0 || (set.kind == ItemKind::Reply && tokens.empty()))
            return badInput("a text of at least one token", "none", "response '" + set.responses[i].id + "'");
        responseTokens.push_back(std::move(tokens));
    }
    return {};
}

void CapturePlan::findPrefix(const model::LanguageModel& model)
{
    // What all prompts begin with (the default system turn) is read once. A request is pooled over what
    // follows, so its prefix ends where any request begins, whatever words these requests happen to share.
    prefix = promptTokens.front();
    if (set.kind == ItemKind::Request)
        prefix = model.tokenizer().encode(
            model.chatTemplate().prompt({ { "user", "\n" } }), text::Special::Parse);
    for (const Tokens& tokens : promptTokens) {
        const auto limit = std::min(prefix.size(), tokens.empty() ? 0 : tokens.size() - 1);
        prefix.resize(static_cast<std::size_t>(
            std::mismatch(prefix.begin(), prefix.begin() + static_cast<std::ptrdiff_t>(limit), tokens.begin())
                .first
            - prefix.begin()));
    }
    if (prefix.size() < 4)
        prefix.clear();
}

/// Prompts ordered by length, packed up to the token budget.
void CapturePlan::makeBatches(std::size_t tokensPerBatch)
{
    std::vector<std::vector<int>> ofPrompt(set.prompts.size());
    for (std::size_t i = 0; i < set.responses.size(); ++i)
        ofPrompt[static_cast<std::size_t>(set.responses[i].prompt)].push_back(static_cast<int>(i));
    struct Unit {
        std::size_t tokens;
        int prompt;
    };
    std::vector<Unit> units;
    for (std::size_t p = 0; p < ofPrompt.size(); ++p) {
        std::size_t tokens = promptTokens[p].size();
        for (const int row : ofPrompt[p])
            tokens += responseTokens[static_cast<std::size_t>(row)].size();
        if (!ofPrompt[p].empty())
            units.push_back({ tokens, static_cast<int>(p) });
    }
    std::stable_sort(
        units.begin(), units.end(), [](const Unit& a, const Unit& b) { return a.tokens < b.tokens; });
    std::size_t filled = 0;
    for (const Unit& unit : units) {
        if (batches.empty() || filled + unit.tokens > tokensPerBatch) {
            batches.emplace_back();
            filled = 0;
        }
        filled += unit.tokens;
        for (const int row : ofPrompt[static_cast<std::size_t>(unit.prompt)])
            batches.back().push_back(row);
    }
}

Result<void> CapturePlan::listArrays(const model::LanguageModel& model, const CaptureOptions& options)
{
    std::vector<Layer> layers = options.layers;
    if (layers.empty())
        for (int row = 0; row < model.config().layers(); ++row)
            layers.push_back(Layer::atRow(row));
    const auto& few = options.candidateLayers;
    for (const Position position : options.positions)
        for (const Layer layer : layers) {
            if (layer.row() >= model.config().layers())
                return badInput(
                    fmt::format("a layer up to block {} output", model.config().blocks - 1), layer.label());
            const bool forAll = few.empty() || std::find(few.begin(), few.end(), layer) != few.end();
            arrays.push_back({ layer,
                               position,
                               arrayFile(layer, position),
                               forAll ? set.responses.size() : pairRows,
                               {} });
        }
    return {};
}

double CapturePlan::cost(std::size_t batch) const
{
    double tokens = 0;
    int prompt = -1;
    for (const int row : batches[batch]) {
        const Response& response = set.responses[static_cast<std::size_t>(row)];
        const auto own = static_cast<double>(responseTokens[static_cast<std::size_t>(row)].size());
        if (response.prompt != prompt)
            tokens += static_cast<double>(
                promptTokens[static_cast<std::size_t>(response.prompt)].size() - prefix.size());
        prompt = response.prompt;
        tokens += own + (likelihoods ? own + static_cast<double>(alone.size()) : 0);
        for (const Tokens& suffix : suffixTokens)
            tokens += static_cast<double>(suffix.size());
    }
    return tokens;
}

Fingerprint CapturePlan::fingerprint(const model::LanguageModel& model, const CaptureOptions& options) const
{
    Fingerprint plan;
    plan.add(model.sha256()).add(set.pairs.size()).add(pairRows).add(options.tokensPerBatch).add(likelihoods);
    for (std::size_t i = 0; i < set.responses.size(); ++i) {
        const auto& prompt = promptTokens[static_cast<std::size_t>(set.responses[i].prompt)];
        plan.add(prompt.data(), prompt.size()).add(responseTokens[i].data(), responseTokens[i].size());
    }
    for (const ArrayInfo& info : arrays)
        plan.add(info.layer.row()).add(info.position);
    return plan;
}

} // namespace lodestone::data
