// Keys and values of tokens already read, in append-only pages that many continuations share.
#pragma once

#include "core/model/language_model.h"

#include <cstdint>
#include <memory>
#include <vector>

namespace lodestone::torch_engine {

/// One page: room for `capacity` tokens, layout [block][kv head][capacity][head width] for keys and for
/// values. A page is written only beyond `used`, so contexts that see fewer tokens are never disturbed. A
/// packed page is full, read in place from the bytes that it came in, and holds float16 as a rule.
struct Page {
    Page(int blocks, int kvHeads, int headWidth, int tokens);
    /// Keys, then values, begin `start` bytes into `packed`.
    Page(
        int blocks, int kvHeads, int headWidth, int tokens, bool half,
        std::shared_ptr<const model::PackedContext> packed, std::size_t start);

    bool half() const { return m_half; }
    float* keys(int block, int head) { return m_keys + place(block, head); }
    float* values(int block, int head) { return m_values + place(block, head); }
    /// Of a page of float16; null otherwise.
    const std::uint16_t* halfKeys(int block, int head) const { return halves(m_halfKeys, block, head); }
    const std::uint16_t* halfValues(int block, int head) const { return halves(m_halfValues, block, head); }

    std::size_t bytes() const { return m_packed ? m_packed->size() : m_numbers.size() * sizeof(float); }

    int capacity;
    int used = 0;

private:
    std::size_t place(int block, int head) const
    {
        return (static_cast<std::size_t>(block) * static_cast<std::size_t>(m_kvHeads)
                + static_cast<std::size_t>(head))
            * static_cast<std::size_t>(capacity) * static_cast<std::size_t>(m_headWidth);
    }
    const std::uint16_t* halves(const std::uint16_t* from, int block, int head) const
    {
        return from ? from + place(block, head) : nullptr;
    }
    int m_kvHeads, m_headWidth;
    bool m_half = false;
    std::vector<float> m_numbers; ///< keys, then values, of a page of its own
    std::shared_ptr<const model::PackedContext> m_packed;
    float *m_keys = nullptr, *m_values = nullptr; ///< of packed ones never written
    const std::uint16_t *m_halfKeys = nullptr, *m_halfValues = nullptr;
};

/// A context is its parent's tokens followed by the first `own` tokens of a page.
class CachedContext final : public model::Context {
public:
    CachedContext(
        std::shared_ptr<const CachedContext> parent, std::shared_ptr<Page> page, int own,
        Eigen::VectorXf lastHidden);
    int length() const override { return (m_parent ? m_parent->length() : 0) + m_own; }
    std::size_t bytes() const override;

    const std::shared_ptr<const CachedContext>& parent() const { return m_parent; }
    const std::shared_ptr<Page>& page() const { return m_page; }
    int own() const { return m_own; }
    /// The state after the final norm at the last token: scores the next token. Shape [width].
    const Eigen::VectorXf& lastHidden() const { return m_lastHidden; }

private:
    std::shared_ptr<const CachedContext> m_parent;
    std::shared_ptr<Page> m_page;
    int m_own;
    Eigen::VectorXf m_lastHidden;
};

/// See model::LanguageModel::packContext.
Result<model::PackedContext> pack(const CachedContext& context, int from, const model::ModelConfig& config);
/// See model::LanguageModel::openContext.
Result<std::shared_ptr<const model::Context>> unpack(
    std::shared_ptr<const model::PackedContext> packed, std::shared_ptr<const CachedContext> parent,
    const model::ModelConfig& config);

} // namespace lodestone::torch_engine
