// Keys and values of tokens already read, in append-only pages that many continuations share.
#pragma once

#include "core/model/language_model.h"

#include <memory>
#include <vector>

namespace lodestone::torch_engine {

/// One page: room for `capacity` tokens, layout [block][kv head][capacity][head width] for keys and for
/// values. A page is written only beyond `used`, so contexts that see fewer tokens are never disturbed.
struct Page {
    Page(int blocks, int kvHeads, int headWidth, int tokens);
    float* keys(int block, int head) { return at(m_keys, block, head); }
    float* values(int block, int head) { return at(m_values, block, head); }

    std::size_t bytes() const { return (m_keys.size() + m_values.size()) * sizeof(float); }

    int capacity;
    int used = 0;

private:
    float* at(std::vector<float>& store, int block, int head) const
    {
        return store.data()
            + (static_cast<std::size_t>(block) * static_cast<std::size_t>(m_kvHeads)
               + static_cast<std::size_t>(head))
            * static_cast<std::size_t>(capacity) * static_cast<std::size_t>(m_headWidth);
    }
    int m_kvHeads, m_headWidth;
    std::vector<float> m_keys, m_values;
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

} // namespace lodestone::torch_engine
