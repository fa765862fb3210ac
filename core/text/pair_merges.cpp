#include "core/text/pair_merges.h"

#include "core/formats/byte_reader.h"
#include "core/text/sentencepiece.h"

#include <functional>
#include <queue>

namespace lodestone::text {
namespace {

std::uint64_t pairKey(TokenId left, TokenId right)
{
    return static_cast<std::uint64_t>(static_cast<std::uint32_t>(left)) << 32u
        | static_cast<std::uint32_t>(right);
}

class PairMerges : public Segmenter {
public:
    PairMerges(const Vocabulary& vocabulary, const PairMergeRules& rules)
        : m_vocabulary(vocabulary)
        , m_rules(rules)
    {
    }
    Result<void> add(const std::vector<PairMerge>& merges, const std::string& where);
    void segment(std::string_view text, std::vector<TokenId>& out) const override;

private:
    struct Merge {
        std::int32_t rank;
        TokenId result;
    };
    struct Symbol {
        TokenId id; ///< -1: merged into the one before
        int previous, next;
    };
    struct Candidate {
        std::int32_t rank;
        int left;
        TokenId leftId, rightId, result;
        bool operator>(const Candidate& other) const
        {
            return rank != other.rank ? rank > other.rank : left > other.left;
        }
    };
    void symbolsOf(std::string_view text, std::vector<TokenId>& ids) const;

    const Vocabulary& m_vocabulary;
    PairMergeRules m_rules;
    std::unordered_map<std::uint64_t, Merge> m_merges; ///< by the pair of ids
};

Result<void> PairMerges::add(const std::vector<PairMerge>& merges, const std::string& where)
{
    m_merges.reserve(merges.size());
    for (std::size_t i = 0; i < merges.size(); ++i) {
        const auto left = m_vocabulary.find(merges[i].left);
        const auto right = m_vocabulary.find(merges[i].right);
        const auto result
            = left && right ? m_vocabulary.find(merges[i].left + merges[i].right) : std::nullopt;
        if (!result)
            return badInput(
                "two tokens of the vocabulary whose union is one too",
                "'" + formats::shownName(merges[i].left + " " + merges[i].right) + "'",
                fmt::format("{}, entry {}", where, i));
        m_merges.emplace(pairKey(*left, *right), Merge{ static_cast<std::int32_t>(i), *result });
    }
    return {};
}

void PairMerges::symbolsOf(std::string_view text, std::vector<TokenId>& ids) const
{
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t length = m_rules.fromBytes ? 1 : characterLength(text.substr(at));
        const std::string_view symbol = text.substr(at, length);
        at += length;
        if (m_rules.fromBytes) {
            if (const TokenId id = m_vocabulary.ofByte(static_cast<unsigned char>(symbol[0])); id >= 0)
                ids.push_back(id); // a byte that the vocabulary cannot write is left out
        } else if (const auto id = m_vocabulary.find(symbol))
            ids.push_back(*id);
        else
            writeUnknown(m_vocabulary, symbol, ids, m_rules.joinUnknown ? 0 : ids.size());
    }
}

void PairMerges::segment(std::string_view text, std::vector<TokenId>& out) const
{
    if (m_rules.wholeFirst)
        if (const auto id = m_vocabulary.find(text)) {
            out.push_back(*id);
            return;
        }
    std::vector<TokenId> ids;
    symbolsOf(text, ids);
    if (ids.empty())
        return;
    // The symbols form a linked list; the queue holds every neighbouring pair that may merge, lowest rank
    // first, and entries whose symbols have changed since are passed over.
    std::vector<Symbol> symbols;
    symbols.reserve(ids.size());
    for (const TokenId id : ids)
        symbols.push_back({ id, static_cast<int>(symbols.size()) - 1, static_cast<int>(symbols.size()) + 1 });
    symbols.back().next = -1;
    std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> queue;
    const auto offer = [&](int left) {
        if (left < 0 || symbols[static_cast<std::size_t>(left)].next < 0)
            return;
        const Symbol& a = symbols[static_cast<std::size_t>(left)];
        const Symbol& b = symbols[static_cast<std::size_t>(a.next)];
        if (const auto merge = m_merges.find(pairKey(a.id, b.id)); merge != m_merges.end())
            queue.push({ merge->second.rank, left, a.id, b.id, merge->second.result });
    };
    for (int i = 0; i < static_cast<int>(symbols.size()); ++i)
        offer(i);
    while (!queue.empty()) {
        const Candidate best = queue.top();
        queue.pop();
        Symbol& left = symbols[static_cast<std::size_t>(best.left)];
        if (left.id != best.leftId || left.next < 0
            || symbols[static_cast<std::size_t>(left.next)].id != best.rightId)
            continue;
        Symbol& right = symbols[static_cast<std::size_t>(left.next)];
        left.id = best.result;
        left.next = right.next;
        right.id = -1;
        if (left.next >= 0)
            symbols[static_cast<std::size_t>(left.next)].previous = best.left;
        offer(left.previous);
        offer(best.left);
    }
    for (int i = 0; i >= 0; i = symbols[static_cast<std::size_t>(i)].next)
        out.push_back(symbols[static_cast<std::size_t>(i)].id);
}

} // namespace

Result<std::unique_ptr<const Segmenter>> makePairMerges(
    const Vocabulary& vocabulary, const std::vector<PairMerge>& merges, const PairMergeRules& rules,
    const std::string& where)
{
    auto made = std::make_unique<PairMerges>(vocabulary, rules);
    LODESTONE_CHECK(made->add(merges, where));
    return std::unique_ptr<const Segmenter>(std::move(made));
}

} // namespace lodestone::text
