#include "core/torch/transformer.h"

#include "core/base/files.h"
#include "core/torch/thread_budget.h"

#include <ATen/Parallel.h>
#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <thread>

namespace lodestone::torch_engine {
namespace {

using model::Reading;
using model::Request;
using model::RowMatrix;
using model::TokenId;
using MapConst = Eigen::Map<const RowMatrix>;
using Map = Eigen::Map<RowMatrix>;

Map map(at::Tensor& tensor) { return { tensor.data_ptr<float>(), tensor.size(0), tensor.size(1) }; }
MapConst map(const at::Tensor& tensor)
{
    return { tensor.data_ptr<float>(), tensor.size(0), tensor.size(1) };
}

/// Rows of x scaled to unit root mean square, times the gain (Zhang & Sennrich 2019).
void rmsNorm(const MapConst& x, const std::vector<float>& gain, double epsilon, Map out)
{
    const Eigen::Map<const Eigen::RowVectorXf> g(gain.data(), static_cast<Eigen::Index>(gain.size()));
    at::parallel_for(0, x.rows(), 16, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t row = begin; row < end; ++row) {
            const float scale = 1.0f
                / std::sqrt(x.row(row).squaredNorm() / static_cast<float>(x.cols())
                            + static_cast<float>(epsilon));
            out.row(row) = (x.row(row) * scale).cwiseProduct(g);
        }
    });
}

/// silu(gate) * up, the two halves of each row (Shazeer 2020).
void swiGlu(const MapConst& gateUp, Map out)
{
    const Eigen::Index width = out.cols();
    at::parallel_for(0, out.rows(), 8, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t row = begin; row < end; ++row) {
            const auto gate = gateUp.row(row).head(width).array();
            out.row(row).array() = gate / (1.0f + (-gate).exp()) * gateUp.row(row).tail(width).array();
        }
    });
}

void intervene(Map x, Layer layer, std::span<const model::Intervention> interventions)
{
    for (const model::Intervention& change : interventions) {
        if (change.kind == model::Intervention::Kind::Ablate) {
            const Eigen::VectorXf unit = change.direction.normalized();
            const Eigen::VectorXf along = x * unit;
            x.noalias() -= along * unit.transpose();
        } else if (change.layer == layer)
            x.rowwise() += static_cast<float>(change.coefficient) * change.direction.transpose();
    }
}

} // namespace

Result<std::unique_ptr<model::LanguageModel>>
Transformer::load(const std::filesystem::path& path, const model::ModelOptions& options, const Work& work)
{
    LODESTONE_TRY(formats::Gguf file, formats::Gguf::open(path));
    std::unique_ptr<Transformer> transformer(new Transformer(std::move(file)));
    try {
        const c10::InferenceMode guard;
        LODESTONE_CHECK(transformer->prepare(options, work));
    } catch (const std::exception& error) {
        return fail(ErrorKind::Failed, "to prepare the model", error.what(), path.string());
    }
    return std::unique_ptr<model::LanguageModel>(std::move(transformer));
}

Result<at::Tensor> Transformer::matrix(const std::string& name, int rows, int columns) const
{
    LODESTONE_TRY(const auto* tensor, m_file.tensor(name));
    if (tensor->shape.size() != 2 || tensor->shape[0] != static_cast<std::uint64_t>(columns)
        || tensor->shape[1] != static_cast<std::uint64_t>(rows))
        return badInput(
            fmt::format("shape [{}, {}]", columns, rows), fmt::format("[{}]", fmt::join(tensor->shape, ", ")),
            fmt::format("{}, tensor '{}'", m_file.path().string(), name));
    at::Tensor result = at::empty({ rows, columns });
    formats::dequantise(
        tensor->type, tensor->bytes, { result.data_ptr<float>(), static_cast<std::size_t>(tensor->items) });
    if (!at::isfinite(result.sum()).item<bool>())
        return badInput(
            "finite weights", "NaN or infinity",
            fmt::format("{}, tensor '{}'", m_file.path().string(), name));
    return result;
}

Result<std::vector<float>> Transformer::vector(const std::string& name, int size) const
{
    LODESTONE_TRY(const auto* tensor, m_file.tensor(name));
    if (tensor->items != static_cast<std::uint64_t>(size))
        return badInput(
            fmt::format("{} numbers", size), fmt::format("{}", tensor->items),
            fmt::format("{}, tensor '{}'", m_file.path().string(), name));
    return tensor->toFloat();
}

Result<void> Transformer::prepare(const model::ModelOptions& options, const Work& work)
{
    LODESTONE_TRY(m_config, model::ModelConfig::fromGguf(m_file));
    LODESTONE_TRY(m_tokenizer, text::Tokenizer::fromGguf(m_file));
    if (m_tokenizer->size() > static_cast<std::size_t>(m_config.vocabulary))
        return badInput(
            fmt::format("an embedding for each of {} tokens", m_tokenizer->size()),
            fmt::format("{}", m_config.vocabulary), m_file.path().string() + ", token_embd.weight");
    m_template
        = text::ChatTemplate::recognise(m_file.text("tokenizer.chat_template").value_or(""), *m_tokenizer);
    LODESTONE_TRY(m_sha256, sha256OfFile(m_file.path(), work));
    m_threads = options.threads > 0 ? options.threads
                                    : static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
    useThreads(m_threads);
    const PathChoice choice = choosePath(m_config, m_threads, options.matrixPath);
    m_matrixPath = choice.description;

    const int queries = m_config.heads * m_config.headWidth, keys = m_config.kvHeads * m_config.headWidth;
    for (int k = 0; k < m_config.blocks; ++k) {
        if (work.cancelled())
            return cancelled();
        work.tell({ "Loading the model", static_cast<double>(k), static_cast<double>(m_config.blocks), 0,
                    "blocks", -1 });
        const std::string prefix = fmt::format("blk.{}.", k);
        Block block;
        LODESTONE_TRY(block.attentionNorm, vector(prefix + "attn_norm.weight", m_config.width));
        LODESTONE_TRY(block.feedForwardNorm, vector(prefix + "ffn_norm.weight", m_config.width));
        LODESTONE_TRY(const at::Tensor q, matrix(prefix + "attn_q.weight", queries, m_config.width));
        LODESTONE_TRY(const at::Tensor key, matrix(prefix + "attn_k.weight", keys, m_config.width));
        LODESTONE_TRY(const at::Tensor value, matrix(prefix + "attn_v.weight", keys, m_config.width));
        LODESTONE_TRY(const at::Tensor out, matrix(prefix + "attn_output.weight", m_config.width, queries));
        LODESTONE_TRY(
            const at::Tensor gate, matrix(prefix + "ffn_gate.weight", m_config.feedForward, m_config.width));
        LODESTONE_TRY(
            const at::Tensor up, matrix(prefix + "ffn_up.weight", m_config.feedForward, m_config.width));
        LODESTONE_TRY(
            const at::Tensor down, matrix(prefix + "ffn_down.weight", m_config.width, m_config.feedForward));
        block.queryKeyValue = Linear::make(choice.path, at::cat({ q, key, value }));
        block.attentionOut = Linear::make(choice.path, out);
        block.gateUp = Linear::make(choice.path, at::cat({ gate, up }));
        block.down = Linear::make(choice.path, down);
        m_blocks.push_back(std::move(block));
    }
    LODESTONE_TRY(m_finalNorm, vector("output_norm.weight", m_config.width));
    LODESTONE_TRY(m_embedding, m_file.tensor("token_embd.weight"));
    const std::string head = m_file.tensors().count("output.weight") ? "output.weight" : "token_embd.weight";
    LODESTONE_TRY(m_output, m_file.tensor(head));
    LODESTONE_TRY(const at::Tensor output, matrix(head, m_config.vocabulary, m_config.width));
    m_head = Linear::make(choice.path, output);
    for (int i = 0; i < m_config.ropeWidth / 2; ++i)
        m_frequencies.push_back(std::pow(m_config.ropeBase, -2.0 * i / m_config.ropeWidth));
    return {};
}

Result<std::vector<Transformer::Run>> Transformer::plan(std::span<const Request> requests) const
{
    std::vector<Run> runs;
    int row = 0;
    for (std::size_t i = 0; i < requests.size(); ++i) {
        const Request& request = requests[i];
        const std::string where = fmt::format("request {}", i);
        const int count = static_cast<int>(request.tokens.size());
        Run run;
        run.request = &request;
        run.past = std::static_pointer_cast<const CachedContext>(request.past);
        run.pastLength = run.past ? run.past->length() : 0;
        run.firstRow = row;
        run.keep = request.keepContext;
        if (count == 0)
            return badInput("at least one token", "none", where);
        if (run.pastLength + count > m_config.context)
            return badInput(
                fmt::format("at most {} tokens (the model's context)", m_config.context),
                fmt::format("{}", run.pastLength + count), where);
        for (const TokenId token : request.tokens)
            if (token < 0 || token >= m_config.vocabulary)
                return badInput(
                    fmt::format("token ids below {}", m_config.vocabulary), std::to_string(token), where);
        for (const model::TokenRange& range : { request.pooled, request.scored })
            if (!range.empty() && (range.begin < 0 || range.end > count))
                return badInput(
                    fmt::format("a range within {} tokens", count),
                    fmt::format("[{}, {})", range.begin, range.end), where);
        if (!request.scored.empty() && request.scored.begin == 0 && !run.past)
            return badInput("a scored range that starts after the first token", "token 0", where);
        if (!run.keep) {
            run.page = std::make_shared<Page>(1, m_config.kvHeads, m_config.headWidth, count);
        } else if (
            run.past && run.past->page()->used == run.past->own()
            && run.past->page()->capacity - run.past->own() >= count) {
            run.page = run.past->page(); // the context is the tip of its page: append in place
            run.pageStart = run.past->own();
            run.page->used += count;
        } else {
            const int capacity = run.past ? std::max(count, 64) : count;
            run.page
                = std::make_shared<Page>(m_config.blocks, m_config.kvHeads, m_config.headWidth, capacity);
            run.page->used = count;
        }
        row += count;
        runs.push_back(std::move(run));
    }
    return runs;
}

at::Tensor Transformer::embed(const std::vector<Run>& runs, std::int64_t rows) const
{
    at::Tensor x = at::empty({ rows, m_config.width });
    const std::size_t width = static_cast<std::size_t>(m_config.width);
    const std::size_t rowBytes = m_embedding->bytes.size() / static_cast<std::size_t>(m_config.vocabulary);
    float* to = x.data_ptr<float>();
    for (const Run& run : runs)
        for (const TokenId token : run.request->tokens) {
            formats::dequantise(
                m_embedding->type,
                m_embedding->bytes.subspan(static_cast<std::size_t>(token) * rowBytes, rowBytes),
                { to, width });
            to += width;
        }
    return x;
}

void Transformer::rotateAndStore(const std::vector<Run>& runs, int block, at::Tensor& queryKeyValue) const
{
    // Rotary embedding on neighbouring pairs of coordinates (Su et al. 2021), the order in which GGUF stores
    // Llama's heads.
    const int heads = m_config.heads, kvHeads = m_config.kvHeads, width = m_config.headWidth;
    const auto stride = queryKeyValue.size(1);
    float* data = queryKeyValue.data_ptr<float>();
    at::parallel_for(0, static_cast<std::int64_t>(runs.size()), 1, [&](std::int64_t begin, std::int64_t end) {
        std::vector<float> cosine(m_frequencies.size()), sine(m_frequencies.size());
        for (std::int64_t r = begin; r < end; ++r) {
            const Run& run = runs[static_cast<std::size_t>(r)];
            const int pageBlock = run.keep ? block : 0;
            for (int t = 0; t < static_cast<int>(run.request->tokens.size()); ++t) {
                for (std::size_t i = 0; i < m_frequencies.size(); ++i) {
                    const double angle = (run.pastLength + t) * m_frequencies[i];
                    cosine[i] = static_cast<float>(std::cos(angle));
                    sine[i] = static_cast<float>(std::sin(angle));
                }
                float* row = data + (run.firstRow + t) * stride;
                for (int head = 0; head < heads + kvHeads; ++head) {
                    float* pair = row + head * width;
                    for (std::size_t i = 0; i < m_frequencies.size(); ++i, pair += 2) {
                        const float a = pair[0], b = pair[1];
                        pair[0] = a * cosine[i] - b * sine[i];
                        pair[1] = a * sine[i] + b * cosine[i];
                    }
                }
                for (int head = 0; head < kvHeads; ++head) {
                    const float* key = row + (heads + head) * width;
                    const float* value = row + (heads + kvHeads + head) * width;
                    std::copy_n(key, width, run.page->keys(pageBlock, head) + (run.pageStart + t) * width);
                    std::copy_n(
                        value, width, run.page->values(pageBlock, head) + (run.pageStart + t) * width);
                }
            }
        }
    });
}

void Transformer::attend(
    const std::vector<Run>& runs, int block, const at::Tensor& queryKeyValue, at::Tensor& out) const
{
    // One task per request and key/value head; its group of query heads is handled as one matrix product.
    const int width = m_config.headWidth, kvHeads = m_config.kvHeads,
              group = m_config.heads / m_config.kvHeads;
    const float scale = 1.0f / std::sqrt(static_cast<float>(width));
    const auto stride = queryKeyValue.size(1);
    const float* data = queryKeyValue.data_ptr<float>();
    float* result = out.data_ptr<float>();
    struct Piece {
        const float *keys, *values;
        int length;
    };
    at::parallel_for(
        0, static_cast<std::int64_t>(runs.size()) * kvHeads, 1, [&](std::int64_t begin, std::int64_t end) {
            RowMatrix query, scores, mixed;
            for (std::int64_t task = begin; task < end; ++task) {
                const Run& run = runs[static_cast<std::size_t>(task / kvHeads)];
                const int head = static_cast<int>(task % kvHeads);
                const int count = static_cast<int>(run.request->tokens.size());
                std::vector<Piece> pieces;
                for (const CachedContext* past = run.past.get(); past; past = past->parent().get())
                    pieces.push_back(
                        { past->page()->keys(block, head), past->page()->values(block, head), past->own() });
                std::reverse(pieces.begin(), pieces.end());
                const int pageBlock = run.keep ? block : 0;
                pieces.push_back({ run.page->keys(pageBlock, head) + run.pageStart * width,
                                   run.page->values(pageBlock, head) + run.pageStart * width, count });

                query.resize(group * count, width);
                for (int g = 0; g < group; ++g)
                    for (int t = 0; t < count; ++t)
                        query.row(g * count + t)
                            = scale
                            * Eigen::Map<const Eigen::RowVectorXf>(
                                  data + (run.firstRow + t) * stride + (head * group + g) * width, width);
                scores.resize(group * count, run.pastLength + count);
                int column = 0;
                for (const Piece& piece : pieces) {
                    scores.middleCols(column, piece.length).noalias()
                        = query * MapConst(piece.keys, piece.length, width).transpose();
                    column += piece.length;
                }
                for (int g = 0; g < group; ++g)
                    for (int t = 0; t < count; ++t) {
                        auto row = scores.row(g * count + t);
                        const int seen = run.pastLength + t + 1;
                        const float most = row.head(seen).maxCoeff();
                        row.head(seen).array() = (row.head(seen).array() - most).exp();
                        row.head(seen) /= row.head(seen).sum();
                        row.tail(row.size() - seen).setZero();
                    }
                mixed.setZero(group * count, width);
                column = 0;
                for (const Piece& piece : pieces) {
                    mixed.noalias() += scores.middleCols(column, piece.length)
                        * MapConst(piece.values, piece.length, width);
                    column += piece.length;
                }
                for (int g = 0; g < group; ++g)
                    for (int t = 0; t < count; ++t)
                        Eigen::Map<Eigen::RowVectorXf>(
                            result + (run.firstRow + t) * out.size(1) + (head * group + g) * width, width)
                            = mixed.row(g * count + t);
            }
        });
}

Result<std::vector<Reading>> Transformer::read(
    std::span<const Request> requests, std::span<const Layer> layers, const Work& work,
    std::span<const model::Intervention> interventions)
{
    std::vector<Reading> readings(requests.size());
    if (requests.empty())
        return readings;
    int deepest = -1; // the last block that is needed
    for (const Layer layer : layers) {
        if (layer.row() >= m_config.layers())
            return badInput(fmt::format("a layer up to block {} output", m_config.blocks - 1), layer.label());
        deepest = std::max(deepest, layer.block());
    }
    for (const Request& request : requests)
        if (!request.scored.empty() || request.hidden || request.logits || request.keepContext)
            deepest = m_config.blocks - 1;
    for (const model::Intervention& change : interventions)
        if (change.direction.size() != m_config.width || !change.direction.allFinite()
            || (change.kind == model::Intervention::Kind::Ablate && change.direction.norm() == 0))
            return badInput(
                fmt::format("a finite, nonzero direction of {} numbers", m_config.width),
                fmt::format("{}", change.direction.size()));
    try {
        const c10::InferenceMode guard;
        useThreads(m_threads);
        LODESTONE_TRY(const std::vector<Run> runs, plan(requests));
        const int rows = runs.back().firstRow + static_cast<int>(runs.back().request->tokens.size());
        at::Tensor x = embed(runs, rows);
        at::Tensor normed = at::empty_like(x);
        at::Tensor mixed = at::empty({ rows, m_config.heads * m_config.headWidth });
        at::Tensor gated = at::empty({ rows, m_config.feedForward });

        for (std::size_t i = 0; i < requests.size(); ++i) {
            const auto wanted = static_cast<Eigen::Index>(layers.size());
            if (!requests[i].pooled.empty())
                readings[i].mean.resize(wanted, m_config.width);
            if (requests[i].last)
                readings[i].last.resize(wanted, m_config.width);
        }
        const auto capture = [&](Layer layer) {
            intervene(map(x), layer, interventions);
            const auto place = std::find(layers.begin(), layers.end(), layer);
            if (place == layers.end())
                return;
            const auto row = static_cast<Eigen::Index>(place - layers.begin());
            for (std::size_t i = 0; i < runs.size(); ++i) {
                const auto states = map(x).middleRows(
                    runs[i].firstRow, static_cast<Eigen::Index>(requests[i].tokens.size()));
                if (const auto& pooled = requests[i].pooled; !pooled.empty())
                    readings[i].mean.row(row)
                        = states.middleRows(pooled.begin, pooled.size()).colwise().mean();
                if (requests[i].last)
                    readings[i].last.row(row) = states.bottomRows(1);
            }
        };
        capture(Layer::embedding());
        for (int k = 0; k <= deepest; ++k) {
            if (work.cancelled())
                return cancelled();
            useThreads(threadsNow());
            const Block& block = m_blocks[static_cast<std::size_t>(k)];
            rmsNorm(map(std::as_const(x)), block.attentionNorm, m_config.normEpsilon, map(normed));
            at::Tensor queryKeyValue = (*block.queryKeyValue)(normed);
            rotateAndStore(runs, k, queryKeyValue);
            attend(runs, k, queryKeyValue, mixed);
            x.add_((*block.attentionOut)(mixed));
            rmsNorm(map(std::as_const(x)), block.feedForwardNorm, m_config.normEpsilon, map(normed));
            const at::Tensor gateUp = (*block.gateUp)(normed);
            swiGlu(map(gateUp), map(gated));
            x.add_((*block.down)(gated));
            capture(Layer::blockOutput(k));
        }
        score(runs, x, readings);
    } catch (const std::exception& error) {
        return fail(ErrorKind::Failed, "the forward pass to run", error.what());
    }
    return readings;
}

void Transformer::score(
    const std::vector<Run>& runs, const at::Tensor& x, std::vector<Reading>& readings) const
{
    // Which packed rows must meet the unembedding, and for which token (-1: the whole distribution).
    struct Wanted {
        std::size_t request;
        int row; ///< in x; -1: the context's last state
        TokenId token;
    };
    std::vector<Wanted> wanted;
    at::Tensor lastStates = at::empty({ static_cast<std::int64_t>(runs.size()), m_config.width });
    for (std::size_t i = 0; i < runs.size(); ++i) {
        const Request& request = *runs[i].request;
        const int lastRow = runs[i].firstRow + static_cast<int>(request.tokens.size()) - 1;
        map(lastStates).row(static_cast<Eigen::Index>(i)) = map(x).row(lastRow);
        for (int t = request.scored.begin; t < request.scored.end; ++t)
            wanted.push_back(
                { i, t == 0 ? -1 : runs[i].firstRow + t - 1, request.tokens[static_cast<std::size_t>(t)] });
        if (request.logits)
            wanted.push_back({ i, lastRow, -1 });
    }
    at::Tensor hidden = at::empty_like(lastStates);
    rmsNorm(map(std::as_const(lastStates)), m_finalNorm, m_config.normEpsilon, map(hidden));
    for (std::size_t i = 0; i < runs.size(); ++i) {
        const Eigen::VectorXf state = map(hidden).row(static_cast<Eigen::Index>(i)).transpose();
        if (runs[i].request->hidden)
            readings[i].hidden = state;
        if (runs[i].keep)
            readings[i].context = std::make_shared<CachedContext>(
                runs[i].page == (runs[i].past ? runs[i].past->page() : nullptr) ? runs[i].past->parent()
                                                                                : runs[i].past,
                runs[i].page, runs[i].pageStart + static_cast<int>(runs[i].request->tokens.size()), state);
    }
    constexpr std::size_t chunk = 256; // rows of logits held at once
    for (std::size_t first = 0; first < wanted.size(); first += chunk) {
        const std::size_t count = std::min(chunk, wanted.size() - first);
        at::Tensor states = at::empty({ static_cast<std::int64_t>(count), m_config.width });
        at::Tensor normed = at::empty_like(states);
        for (std::size_t i = 0; i < count; ++i)
            if (wanted[first + i].row >= 0)
                map(states).row(static_cast<Eigen::Index>(i)) = map(x).row(wanted[first + i].row);
            else
                map(states).row(static_cast<Eigen::Index>(i)).setZero();
        rmsNorm(map(std::as_const(states)), m_finalNorm, m_config.normEpsilon, map(normed));
        for (std::size_t i = 0; i < count; ++i)
            if (wanted[first + i].row < 0)
                map(normed).row(static_cast<Eigen::Index>(i))
                    = runs[wanted[first + i].request].past->lastHidden().transpose();
        at::Tensor logits = (*m_head)(normed);
        Eigen::VectorXf logSum(static_cast<Eigen::Index>(count));
        at::parallel_for(0, static_cast<std::int64_t>(count), 1, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; ++i) {
                const auto row = map(std::as_const(logits)).row(i);
                const float most = row.maxCoeff();
                logSum[i] = most + std::log((row.array() - most).exp().sum());
            }
        });
        for (std::size_t i = 0; i < count; ++i) {
            const Wanted& want = wanted[first + i];
            const auto row = map(std::as_const(logits)).row(static_cast<Eigen::Index>(i));
            const float sum = logSum[static_cast<Eigen::Index>(i)];
            if (want.token >= 0)
                readings[want.request].logProbabilities.push_back(row[want.token] - sum);
            else
                readings[want.request].nextLogProbabilities = (row.array() - sum).matrix().transpose();
        }
    }
}

Result<RowMatrix> Transformer::unembedding(std::span<const TokenId> tokens) const
{
    RowMatrix rows(static_cast<Eigen::Index>(tokens.size()), m_config.width);
    const std::size_t rowBytes = m_output->bytes.size() / static_cast<std::size_t>(m_config.vocabulary);
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        if (tokens[i] < 0 || tokens[i] >= m_config.vocabulary)
            return badInput(
                fmt::format("token ids below {}", m_config.vocabulary), std::to_string(tokens[i]));
        formats::dequantise(
            m_output->type, m_output->bytes.subspan(static_cast<std::size_t>(tokens[i]) * rowBytes, rowBytes),
            { rows.row(static_cast<Eigen::Index>(i)).data(), static_cast<std::size_t>(m_config.width) });
    }
    return rows;
}

} // namespace lodestone::torch_engine
