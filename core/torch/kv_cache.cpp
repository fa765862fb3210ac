#include "core/torch/kv_cache.h"

namespace lodestone::torch_engine {

Page::Page(int blocks, int kvHeads, int headWidth, int tokens)
    : capacity(tokens)
    , m_kvHeads(kvHeads)
    , m_headWidth(headWidth)
    , m_keys(
          static_cast<std::size_t>(blocks) * static_cast<std::size_t>(kvHeads)
          * static_cast<std::size_t>(headWidth) * static_cast<std::size_t>(tokens))
    , m_values(m_keys.size())
{
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

} // namespace lodestone::torch_engine
