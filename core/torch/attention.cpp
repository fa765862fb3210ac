#include "core/torch/attention.h"

#include <ATen/Parallel.h>
#include <algorithm>
#include <atomic>
#include <cmath>
#include <numeric>

namespace lodestone::torch_engine {
namespace {

/// Keys and values of neighbouring tokens, one below the other, as float32 or as float16.
struct Piece {
    const float* keys = nullptr;
    const float* values = nullptr;
    int length = 0;
    const std::uint16_t* halfKeys = nullptr;
    const std::uint16_t* halfValues = nullptr;
};

/// Rows [first, first + count) of a piece's keys or values as float32; float16 is widened into `buffer`,
/// small enough to stay in the cache until it is multiplied.
MapConst
rowsOf(const float* whole, const std::uint16_t* half, int first, int count, int width, RowMatrix& buffer)
{
    const std::ptrdiff_t start = static_cast<std::ptrdiff_t>(first) * width;
    if (!half)
        return { whole + start, count, width };
    if (buffer.rows() < count || buffer.cols() != width)
        buffer.resize(count, width);
    widen(half + start, static_cast<std::size_t>(count) * static_cast<std::size_t>(width), buffer.data());
    return { buffer.data(), count, width };
}

void rotate(float* head, model::Rotary rotary, int pairs, const float* cosine, const float* sine)
{
    if (rotary == model::Rotary::Neighbours) {
        for (int i = 0; i < pairs; ++i, head += 2) {
            const float a = head[0], b = head[1];
            head[0] = a * cosine[i] - b * sine[i];
            head[1] = a * sine[i] + b * cosine[i];
        }
        return;
    }
    for (int i = 0; i < pairs; ++i) {
        const float a = head[i], b = head[i + pairs];
        head[i] = a * cosine[i] - b * sine[i];
        head[i + pairs] = a * sine[i] + b * cosine[i];
    }
}

/// Tasks of different sizes, each to the thread that is free next.
template <typename Task>
void forEach(std::size_t count, const Task& task)
{
    std::atomic<std::size_t> next{ 0 };
    const auto threads = std::min<std::int64_t>(at::get_num_threads(), static_cast<std::int64_t>(count));
    at::parallel_for(0, threads, 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t thread = begin; thread < end; ++thread)
            for (std::size_t i = next++; i < count; i = next++)
                task(i);
    });
}

/// The keys and values that a run's tokens may see in a block: what was read before, then its own.
std::vector<Piece> piecesOf(const Run& run, int block, int head, int width)
{
    std::vector<Piece> pieces;
    for (const CachedContext* past = run.past.get(); past; past = past->parent().get()) {
        Page& page = *past->page();
        if (page.half())
            pieces.push_back(
                { nullptr, nullptr, past->own(), page.halfKeys(block, head), page.halfValues(block, head) });
        else
            pieces.push_back({ page.keys(block, head), page.values(block, head), past->own() });
    }
    std::reverse(pieces.begin(), pieces.end());
    const std::ptrdiff_t start = static_cast<std::ptrdiff_t>(run.pageStart) * width;
    pieces.push_back({ run.page->keys(run.pageBlock(block), head) + start,
                       run.page->values(run.pageBlock(block), head) + start, run.count() });
    return pieces;
}

/// Softmax of the first `seen` numbers from `from` on; zero elsewhere.
template <typename Row>
void softmax(Row row, Eigen::Index from, Eigen::Index seen)
{
    auto visible = row.segment(from, seen - from);
    const float most = visible.maxCoeff();
    visible.array() = (visible.array() - most).exp();
    visible /= visible.sum();
    row.head(from).setZero();
    row.tail(row.size() - seen).setZero();
}

} // namespace

RotaryTable::RotaryTable(std::vector<double> frequencies, double magnitude)
    : m_frequencies(std::move(frequencies))
    , m_magnitude(magnitude)
{
}

void RotaryTable::reach(int count)
{
    if (count <= m_count)
        return;
    count = std::max({ count, 2 * m_count, 256 });
    for (int position = m_count; position < count; ++position)
        for (const double frequency : m_frequencies) {
            m_cosine.push_back(static_cast<float>(m_magnitude * std::cos(position * frequency)));
            m_sine.push_back(static_cast<float>(m_magnitude * std::sin(position * frequency)));
        }
    m_count = count;
}

Attention::Attention(const model::ModelConfig& config)
    : m_config(&config)
    , m_global(config.frequencies(false), config.ropeMagnitude)
{
    if (!config.sliding.empty())
        m_local = RotaryTable(config.frequencies(true), config.ropeMagnitude);
}

void Attention::prepare(const std::vector<Run>& runs)
{
    if (m_config->choices.rotary == model::Rotary::None)
        return;
    int reach = 0;
    for (const Run& run : runs)
        reach = std::max(reach, run.pastLength + run.count());
    m_global.reach(reach);
    if (!m_config->sliding.empty())
        m_local.reach(reach);
}

void Attention::rotateAndStore(
    const std::vector<Run>& runs, int block, const std::vector<float>& queryGain,
    const std::vector<float>& keyGain, Map queryKeyValue) const
{
    const int heads = m_config->heads, kvHeads = m_config->kvHeads, width = m_config->headWidth;
    const int pairs = m_config->ropeWidth / 2;
    const RotaryTable& table = m_config->slides(block) ? m_local : m_global;
    const auto stride = queryKeyValue.cols();
    float* data = queryKeyValue.data();
    std::vector<int> all(static_cast<std::size_t>(queryKeyValue.rows()));
    std::iota(all.begin(), all.end(), 0);
    const std::vector<Slice> slices = cut(runs, all, 16);
    forEach(slices.size(), [&](std::size_t s) {
        const Run& run = runs[static_cast<std::size_t>(slices[s].run)];
        for (int packed = slices[s].first; packed < slices[s].first + slices[s].count; ++packed) {
            const int t = packed - run.firstRow;
            float* row = data + packed * stride;
            for (int head = 0; head < heads + kvHeads; ++head) {
                const std::vector<float>& gain = head < heads ? queryGain : keyGain;
                if (!gain.empty())
                    normaliseHead(row + head * width, gain, m_config->normEpsilon);
                if (m_config->choices.rotary != model::Rotary::None)
                    rotate(
                        row + head * width, m_config->choices.rotary, pairs, table.cosine(run.pastLength + t),
                        table.sine(run.pastLength + t));
            }
            const std::ptrdiff_t place = static_cast<std::ptrdiff_t>(run.pageStart + t) * width;
            for (int head = 0; head < kvHeads; ++head) {
                std::copy_n(
                    row + (heads + head) * width, width, run.page->keys(run.pageBlock(block), head) + place);
                std::copy_n(
                    row + (heads + kvHeads + head) * width, width,
                    run.page->values(run.pageBlock(block), head) + place);
            }
        }
    });
}

void Attention::attend(
    const std::vector<Run>& runs, const std::vector<int>& rows, int block, const MapConst& queryKeyValue,
    Map out) const
{
    // One task per slice of a request and key/value head; the group of query heads that shares the keys is
    // one matrix product.
    const int width = m_config->headWidth, kvHeads = m_config->kvHeads, group = m_config->heads / kvHeads;
    const auto scale = static_cast<float>(
        m_config->attentionScale > 0 ? m_config->attentionScale : 1 / std::sqrt(static_cast<double>(width)));
    const int window = m_config->slides(block) ? m_config->slidingWindow : 0;
    const auto stride = queryKeyValue.cols();
    const float* data = queryKeyValue.data();
    float* result = out.data();
    const std::vector<Slice> slices = cut(runs, rows, 32);
    forEach(slices.size() * static_cast<std::size_t>(kvHeads), [&](std::size_t task) {
        thread_local RowMatrix query, scores, mixed, widened;
        const Slice& slice = slices[task / static_cast<std::size_t>(kvHeads)];
        const int head = static_cast<int>(task % static_cast<std::size_t>(kvHeads));
        const Run& run = runs[static_cast<std::size_t>(slice.run)];
        const int* packed = rows.data() + slice.first;
        const auto position = [&](int i) { return run.pastLength + packed[i] - run.firstRow; };
        // Keys [from, to) are seen by some token of the slice.
        const auto firstSeen = [&](int at) { return window > 0 ? std::max(0, at - window + 1) : 0; };
        const int from = firstSeen(position(0)), to = position(slice.count - 1) + 1;

        query.resize(group * slice.count, width);
        for (int g = 0; g < group; ++g)
            for (int i = 0; i < slice.count; ++i)
                query.row(g * slice.count + i)
                    = scale
                    * Eigen::Map<const Eigen::RowVectorXf>(
                          data + packed[i] * stride + (head * group + g) * width, width);
        scores.resize(group * slice.count, to - from);
        const std::vector<Piece> pieces = piecesOf(run, block, head, width);
        // Calls f(first key of the piece, how many, where they stand in `scores`) for the keys in [from, to).
        const auto eachPiece = [&](const auto& f) {
            int start = 0;
            for (const Piece& piece : pieces) {
                const int first = std::max(from, start), last = std::min(to, start + piece.length);
                if (first < last)
                    f(piece, first - start, last - first, first - from);
                start += piece.length;
            }
        };
        eachPiece([&](const Piece& piece, int first, int count, int column) {
            scores.middleCols(column, count).noalias()
                = query * rowsOf(piece.keys, piece.halfKeys, first, count, width, widened).transpose();
        });
        softCap(Map(scores.data(), scores.rows(), scores.cols()), m_config->attentionCap);
        for (int g = 0; g < group; ++g)
            for (int i = 0; i < slice.count; ++i)
                softmax(
                    scores.row(g * slice.count + i), firstSeen(position(i)) - from, position(i) + 1 - from);
        mixed.setZero(group * slice.count, width);
        eachPiece([&](const Piece& piece, int first, int count, int column) {
            mixed.noalias() += scores.middleCols(column, count)
                * rowsOf(piece.values, piece.halfValues, first, count, width, widened);
        });
        for (int g = 0; g < group; ++g)
            for (int i = 0; i < slice.count; ++i)
                Eigen::Map<Eigen::RowVectorXf>(
                    result + (slice.first + i) * out.cols() + (head * group + g) * width, width)
                    = mixed.row(g * slice.count + i);
    });
}

} // namespace lodestone::torch_engine
