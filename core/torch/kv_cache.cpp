#include "core/torch/kv_cache.h"

#include "core/torch/kernels.h"

#include <ATen/Parallel.h>
#include <algorithm>
#include <atomic>
#include <cstring>
#include <fmt/format.h>

namespace lodestone::torch_engine {
namespace {

/// What packed bytes begin with; the last state follows, then keys, then values.
struct PackedHeader {
    std::int32_t from = 0, tokens = 0, width = 0, bytesPerNumber = 0;
};

/// Keys or values of a packed context: numbers in all.
std::size_t sizeOf(const model::ModelConfig& config, int tokens)
{
    return static_cast<std::size_t>(config.blocks) * static_cast<std::size_t>(config.kvHeads)
        * static_cast<std::size_t>(config.headWidth) * static_cast<std::size_t>(tokens);
}

/// Tokens [first, first + count) of one page of a chain, and where they go.
struct Stretch {
    const CachedContext* context = nullptr;
    int first = 0, count = 0, to = 0;
};

/// Copies the stretches into [block][kv head][tokens][head width]. False: a number does not fit.
template <typename Number>
bool gather(
    const std::vector<Stretch>& stretches, int tokens, const model::ModelConfig& config, Number* keys,
    Number* values)
{
    const int heads = config.kvHeads;
    const auto width = static_cast<std::size_t>(config.headWidth);
    std::atomic<bool> fits{ true };
    at::parallel_for(0, config.blocks * heads, 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
            const int block = static_cast<int>(i) / heads, head = static_cast<int>(i) % heads;
            for (const Stretch& part : stretches) {
                Page& page = *part.context->page();
                const std::size_t count = static_cast<std::size_t>(part.count) * width,
                                  first = static_cast<std::size_t>(part.first) * width,
                                  to = (static_cast<std::size_t>(i) * static_cast<std::size_t>(tokens)
                                        + static_cast<std::size_t>(part.to))
                    * width;
                for (const bool key : { true, false }) {
                    Number* out = (key ? keys : values) + to;
                    if (page.half()) {
                        const std::uint16_t* in
                            = (key ? page.halfKeys(block, head) : page.halfValues(block, head)) + first;
                        if constexpr (std::is_same_v<Number, float>)
                            widen(in, count, out);
                        else
                            std::copy_n(in, count, out);
                        continue;
                    }
                    const float* in = (key ? page.keys(block, head) : page.values(block, head)) + first;
                    if constexpr (std::is_same_v<Number, float>)
                        std::copy_n(in, count, out);
                    else if (!narrow(in, count, out))
                        fits = false;
                }
            }
        }
    });
    return fits;
}

} // namespace

Page::Page(int blocks, int kvHeads, int headWidth, int tokens)
    : capacity(tokens)
    , m_kvHeads(kvHeads)
    , m_headWidth(headWidth)
    , m_numbers(
          2 * static_cast<std::size_t>(blocks) * static_cast<std::size_t>(kvHeads)
          * static_cast<std::size_t>(headWidth) * static_cast<std::size_t>(tokens))
    , m_keys(m_numbers.data())
    , m_values(m_keys + m_numbers.size() / 2)
{
}

Page::Page(
    int blocks, int kvHeads, int headWidth, int tokens, bool half,
    std::shared_ptr<const model::PackedContext> packed, std::size_t start)
    : capacity(tokens)
    , used(tokens)
    , m_kvHeads(kvHeads)
    , m_headWidth(headWidth)
    , m_half(half)
    , m_packed(std::move(packed))
{
    const std::size_t each = place(blocks, 0);
    if (half) {
        m_halfKeys = reinterpret_cast<const std::uint16_t*>(m_packed->data() + start);
        m_halfValues = m_halfKeys + each;
    } else {
        m_keys = const_cast<float*>(reinterpret_cast<const float*>(m_packed->data() + start));
        m_values = m_keys + each;
    }
}

CachedContext::CachedContext(
    std::shared_ptr<const CachedContext> parent, std::shared_ptr<Page> page, int own,
    Eigen::VectorXf lastHidden)
    : m_parent(std::move(parent))
    , m_page(std::move(page))
    , m_own(own)
    , m_lastHidden(std::move(lastHidden))
{
}

std::size_t CachedContext::bytes() const { return m_page->bytes() + (m_parent ? m_parent->bytes() : 0); }

Result<model::PackedContext> pack(const CachedContext& context, int from, const model::ModelConfig& config)
{
    const int length = context.length(), tokens = length - from;
    if (from < 0 || tokens <= 0)
        return badInput(
            fmt::format("a context of more than {} tokens", from), std::to_string(length),
            "a packed context");
    std::vector<Stretch> stretches;
    int end = length;
    for (const CachedContext* part = &context; part && end > from; part = part->parent().get()) {
        const int begin = end - part->own(), first = std::max(begin, from);
        stretches.push_back({ part, first - begin, end - first, first - from });
        end = begin;
    }
    PackedHeader header{ from, tokens, config.width, 2 };
    const std::size_t stateBytes = static_cast<std::size_t>(config.width) * sizeof(float);
    const std::size_t start = sizeof header + stateBytes, each = sizeOf(config, tokens);
    model::PackedContext packed(start + 2 * each * sizeof(std::uint16_t));
    auto* half = reinterpret_cast<std::uint16_t*>(packed.data() + start);
    if (!gather(stretches, tokens, config, half, half + each)) {
        header.bytesPerNumber = 4;
        packed.resize(start + 2 * each * sizeof(float));
        auto* whole = reinterpret_cast<float*>(packed.data() + start);
        gather(stretches, tokens, config, whole, whole + each);
    }
    std::memcpy(packed.data(), &header, sizeof header);
    std::memcpy(packed.data() + sizeof header, context.lastHidden().data(), stateBytes);
    return packed;
}

Result<std::shared_ptr<const model::Context>> unpack(
    std::shared_ptr<const model::PackedContext> packed, std::shared_ptr<const CachedContext> parent,
    const model::ModelConfig& config)
{
    PackedHeader header;
    if (!packed || packed->size() < sizeof header)
        return badInput("a packed context", "too few bytes", "a packed context");
    std::memcpy(&header, packed->data(), sizeof header);
    const int after = parent ? parent->length() : 0;
    if (header.from != after)
        return badInput(
            fmt::format("a context packed after {} tokens", after), std::to_string(header.from),
            "a packed context");
    const std::size_t start = sizeof header + static_cast<std::size_t>(config.width) * sizeof(float);
    if (header.width != config.width || header.tokens <= 0
        || (header.bytesPerNumber != 2 && header.bytesPerNumber != 4)
        || packed->size()
            != start + 2 * sizeOf(config, header.tokens) * static_cast<std::size_t>(header.bytesPerNumber))
        return badInput(
            fmt::format("keys and values of {}", config.name),
            fmt::format("{} bytes for {} tokens", packed->size(), header.tokens), "a packed context");
    Eigen::VectorXf state(config.width);
    std::memcpy(
        state.data(), packed->data() + sizeof header, static_cast<std::size_t>(config.width) * sizeof(float));
    auto page = std::make_shared<Page>(
        config.blocks, config.kvHeads, config.headWidth, header.tokens, header.bytesPerNumber == 2,
        std::move(packed), start);
    return std::make_shared<const CachedContext>(
        std::move(parent), std::move(page), header.tokens, std::move(state));
}

} // namespace lodestone::torch_engine
