#include "core/torch/transformer.h"

#include "core/model/steering.h"
#include "core/torch/thread_budget.h"
#include "core/torch/transformer_pass.h"

#include <algorithm>
#include <fmt/format.h>
#include <numeric>
#include <thread>

namespace lodestone::torch_engine {

using model::Reading;
using model::Request;
using model::TokenId;

Result<std::unique_ptr<model::LanguageModel>>
Transformer::load(const std::filesystem::path& path, const model::ModelOptions& options, const Work& work)
{
    if (!options.device.empty() && options.device != "cpu")
        return fail(
            ErrorKind::Usage, "a device that this engine can use: cpu", "'" + options.device + "'",
            "--device");
    LODESTONE_TRY(auto source, model::ModelSource::open(path));
    std::unique_ptr<Transformer> transformer(new Transformer(std::move(source)));
    try {
        LODESTONE_CHECK(transformer->prepare(options, work));
    } catch (const std::exception& error) {
        return fail(ErrorKind::Failed, "to prepare the model", error.what(), path.string());
    }
    return std::unique_ptr<model::LanguageModel>(std::move(transformer));
}

Result<model::PackedContext> Transformer::packContext(const model::Context& context, int from) const
{
    const auto* own = dynamic_cast<const CachedContext*>(&context);
    if (!own)
        return badInput("a context of this engine", "another one's", m_config.name);
    return pack(*own, from, m_config);
}

Result<std::shared_ptr<const model::Context>> Transformer::openContext(
    const std::shared_ptr<const model::PackedContext>& packed,
    const std::shared_ptr<const model::Context>& parent) const
{
    return unpack(packed, std::static_pointer_cast<const CachedContext>(parent), m_config);
}

Result<void> Transformer::prepare(const model::ModelOptions& options, const Work& work)
{
    LODESTONE_TRY(m_tokenizer, m_source->tokenizer());
    if (m_tokenizer->size() > static_cast<std::size_t>(m_config.vocabulary))
        return badInput(
            fmt::format("an embedding for each of {} tokens", m_tokenizer->size()),
            fmt::format("{}", m_config.vocabulary), m_source->path().string() + ", token_embd.weight");
    m_template = text::ChatTemplate::recognise(m_source->chatTemplate(), *m_tokenizer);
    LODESTONE_TRY(m_sha256, m_source->sha256(work));
    m_threads = options.threads > 0 ? options.threads
                                    : static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
    useThreads(m_threads);
    const PathChoice choice = choosePath(m_config, m_threads, options.matrixPath);
    m_matrixPath = choice.description;
    m_path = choice.path;
    LODESTONE_TRY(m_weights, loadWeights(*m_source, choice.path, work));
    return {};
}

RowMatrix Transformer::embed(const std::vector<Run>& runs, Eigen::Index rows) const
{
    RowMatrix states(rows, m_config.width);
    Eigen::Index row = 0;
    for (const Run& run : runs)
        for (int t = 0; t < run.count(); ++t, ++row) {
            m_weights.embedding.read(
                static_cast<std::uint64_t>(run.request->tokens[static_cast<std::size_t>(t)]), 1,
                states.row(row).data());
            if (m_weights.positions.size() > 0)
                states.row(row) += m_weights.positions.row(run.pastLength + t);
        }
    if (m_config.embeddingScale != 1)
        states *= static_cast<float>(m_config.embeddingScale);
    editEmbedding(states);
    return states;
}

Result<int> Transformer::deepestNeeded(
    std::span<const Request> requests, std::span<const Layer> layers,
    std::span<const model::Intervention> interventions) const
{
    int deepest = -1;
    for (const Layer layer : layers) {
        if (layer.row() >= m_config.layers())
            return badInput(fmt::format("a layer up to block {} output", m_config.blocks - 1), layer.label());
        deepest = std::max(deepest, layer.block());
    }
    for (const Request& request : requests) {
        if (!request.scored.empty() || request.hidden || request.logits || request.keepContext)
            deepest = m_config.blocks - 1;
        if (!request.written || request.written->part == model::WriteSite::Part::Embedding)
            continue;
        const int block = request.written->block;
        if (block < 0 || block >= m_config.blocks)
            return badInput(fmt::format("a block below {}", m_config.blocks), std::to_string(block));
        deepest = std::max(deepest, block);
    }
    LODESTONE_CHECK(model::checkInterventions(m_config, interventions));
    return deepest;
}

Result<std::vector<Reading>> Transformer::read(
    std::span<const Request> requests, std::span<const Layer> layers, const Work& work,
    std::span<const model::Intervention> interventions)
{
    std::vector<Reading> readings(requests.size());
    if (requests.empty())
        return readings;
    LODESTONE_TRY(const int deepest, deepestNeeded(requests, layers, interventions));
    try {
        useThreads(threadsNow());
        Pass pass;
        pass.interventions = interventions;
        LODESTONE_TRY(pass.runs, planRuns(requests, m_config));
        const int count = pass.runs.back().firstRow + pass.runs.back().count();
        pass.rows.resize(static_cast<std::size_t>(count));
        std::iota(pass.rows.begin(), pass.rows.end(), 0);
        pass.pooledAtLast
            = std::find(layers.begin(), layers.end(), Layer::blockOutput(deepest)) != layers.end();
        for (const Run& run : pass.runs) {
            for (int t = 0; t < run.count(); ++t)
                pass.positions.push_back(run.pastLength + t);
            pass.keepsAllRows = pass.keepsAllRows || run.request->written;
        }
        m_attention.prepare(pass.runs);
        pass.x = embed(pass.runs, count);
        const int queries = m_config.heads * m_config.headWidth;
        pass.normed.resize(count, m_config.width);
        pass.written.resize(count, m_config.width);
        pass.queryKeyValue.resize(count, queries + 2 * m_config.kvHeads * m_config.headWidth);
        pass.mixed.resize(count, queries);
        pass.wide.resize(count, (m_config.choices.gated ? 2 : 1) * m_config.feedForward);
        pass.activated.resize(count, m_config.feedForward);

        for (std::size_t i = 0; i < requests.size(); ++i) {
            const auto wanted = static_cast<Eigen::Index>(layers.size());
            if (!requests[i].pooled.empty())
                readings[i].mean.resize(wanted, m_config.width);
            if (requests[i].last)
                readings[i].last.resize(wanted, m_config.width);
        }
        passOn(pass, { model::WriteSite::Part::Embedding, 0 }, view(pass.x), readings);
        model::steerStream(view(pass.x), pass.positions, Layer::embedding(), interventions);
        capture(pass, Layer::embedding(), layers, readings);
        for (int k = 0; k <= deepest; ++k) {
            if (work.cancelled())
                return cancelled();
            useThreads(threadsNow());
            runBlock(pass, k, k == deepest, readings);
            model::steerStream(view(pass.x), pass.positions, Layer::blockOutput(k), interventions);
            capture(pass, Layer::blockOutput(k), layers, readings);
        }
        if (deepest == m_config.blocks - 1)
            score(pass, readings);
    } catch (const std::exception& error) {
        return fail(ErrorKind::Failed, "the forward pass to run", error.what());
    }
    return readings;
}

void Transformer::runBlock(Pass& pass, int k, bool last, std::vector<Reading>& readings) const
{
    const BlockWeights& block = m_weights.blocks[static_cast<std::size_t>(k)];
    const model::Choices& choices = m_config.choices;
    const auto norm = [&](const MapConst& from, const NormWeights& weights, Map to) {
        normalise(from, weights, choices.norm, m_config.normEpsilon, to);
    };
    norm(view(std::as_const(pass.x)), block.attentionNorm, view(pass.normed));
    block.queryKeyValue->apply(view(std::as_const(pass.normed)), view(pass.queryKeyValue));
    m_attention.rotateAndStore(pass.runs, k, block.queryGain, block.keyGain, view(pass.queryKeyValue));
    if (last && !pass.keepsAllRows) { // every token gave its keys and values; only what is asked for goes on
        pass.rows = rowsNeeded(pass.runs, pass.pooledAtLast);
        if (static_cast<Eigen::Index>(pass.rows.size()) < pass.x.rows())
            pass.x = RowMatrix(pass.x(pass.rows, Eigen::all));
        std::vector<int> positions;
        for (const int row : pass.rows)
            positions.push_back(pass.positions[static_cast<std::size_t>(row)]);
        pass.positions = std::move(positions);
    }
    const auto rows = static_cast<Eigen::Index>(pass.rows.size());
    const Map mixed = view(pass.mixed, rows), written = view(pass.written, rows),
              wide = view(pass.wide, rows), activated = view(pass.activated, rows),
              normed = view(pass.normed, rows);
    m_attention.attend(pass.runs, pass.rows, k, view(std::as_const(pass.queryKeyValue)), mixed);
    if (choices.parallel)
        norm(view(std::as_const(pass.x)), block.feedForwardNorm, normed);
    block.attentionOut->apply(fixed(mixed), written);
    passOn(pass, { model::WriteSite::Part::Attention, k }, written, readings);
    if (!block.attentionOutNorm.absent())
        norm(fixed(written), block.attentionOutNorm, written);
    pass.x += written;
    model::ablateStream(view(pass.x), pass.positions, pass.interventions);
    if (!choices.parallel)
        norm(view(std::as_const(pass.x)), block.feedForwardNorm, normed);
    block.up->apply(fixed(normed), wide);
    activate(fixed(wide), choices.activation, choices.gated, activated);
    block.down->apply(fixed(activated), written);
    passOn(pass, { model::WriteSite::Part::FeedForward, k }, written, readings);
    if (!block.feedForwardOutNorm.absent())
        norm(fixed(written), block.feedForwardOutNorm, written);
    pass.x += written;
}

void Transformer::passOn(
    const Pass& pass, model::WriteSite site, Map written, std::vector<Reading>& readings) const
{
    model::projectWrites(written, pass.positions, site, pass.interventions);
    if (pass.keepsAllRows)
        for (std::size_t i = 0; i < pass.runs.size(); ++i)
            if (pass.runs[i].request->written == site)
                readings[i].written = written.middleRows(pass.runs[i].firstRow, pass.runs[i].count());
}

void Transformer::capture(
    const Pass& pass, Layer layer, std::span<const Layer> layers, std::vector<Reading>& readings) const
{
    const auto found = std::find(layers.begin(), layers.end(), layer);
    if (found == layers.end())
        return;
    const auto row = static_cast<Eigen::Index>(found - layers.begin());
    const RowMatrix& states = pass.x;
    for (std::size_t i = 0; i < pass.runs.size(); ++i) {
        const Run& run = pass.runs[i];
        if (const model::TokenRange pooled = run.request->pooled; !pooled.empty())
            readings[i].mean.row(row)
                = states.middleRows(pass.place(run.firstRow + pooled.begin), pooled.size()).colwise().mean();
        if (run.request->last)
            readings[i].last.row(row) = states.row(pass.place(run.firstRow + run.count() - 1));
    }
}

} // namespace lodestone::torch_engine
