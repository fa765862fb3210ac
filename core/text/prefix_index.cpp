#include "core/text/prefix_index.h"

#include <algorithm>

namespace lodestone::text {

PrefixIndex::PrefixIndex(std::vector<Entry> entries)
    : m_entries(std::move(entries))
{
    std::sort(m_entries.begin(), m_entries.end(), [](const Entry& a, const Entry& b) {
        return a.text != b.text ? a.text < b.text : a.id < b.id; // std::string compares unsigned bytes
    });
    m_entries.erase(
        std::unique(
            m_entries.begin(), m_entries.end(),
            [](const Entry& a, const Entry& b) { return a.text == b.text; }),
        m_entries.end());
    if (!m_entries.empty() && m_entries.front().text.empty())
        m_entries.erase(m_entries.begin());
    for (std::size_t i = 0; i < m_entries.size(); ++i) {
        auto& range = m_byFirst[static_cast<unsigned char>(m_entries[i].text[0])];
        if (range.second == 0)
            range.first = i;
        range.second = i + 1;
    }
}

void PrefixIndex::narrow(std::size_t& low, std::size_t& high, std::size_t depth, char byte) const
{
    // Every text in the range is longer than `depth` here: the one that ended there has been passed.
    const auto at = [&](std::size_t i) { return static_cast<unsigned char>(m_entries[i].text[depth]); };
    const auto wanted = static_cast<unsigned char>(byte);
    std::size_t first = low, last = high;
    while (first < last) {
        const std::size_t middle = first + (last - first) / 2;
        if (at(middle) < wanted)
            first = middle + 1;
        else
            last = middle;
    }
    low = first;
    last = high;
    while (first < last) {
        const std::size_t middle = first + (last - first) / 2;
        if (at(middle) <= wanted)
            first = middle + 1;
        else
            last = middle;
    }
    high = first;
}

} // namespace lodestone::text
