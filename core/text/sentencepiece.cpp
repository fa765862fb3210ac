#include "core/text/sentencepiece.h"

#include <algorithm>
#include <limits>
#include <queue>

namespace lodestone::text {
namespace {

constexpr float unknownPenalty = 10;

class ScoreBpe : public Segmenter {
public:
    explicit ScoreBpe(const Vocabulary& vocabulary)
        : m_vocabulary(vocabulary)
        , m_userDefined(userDefinedSymbols(vocabulary))
    {
    }

    void segment(std::string_view text, std::vector<TokenId>& out) const override;

private:
    struct Symbol {
        std::string_view text; ///< empty: merged into the one before
        int previous, next;
        bool whole; ///< a user-defined symbol
    };
    struct Candidate {
        float score;
        int left, right;
        std::size_t length; ///< of the union; another length than now: a symbol has changed since
        bool operator<(const Candidate& other) const
        {
            return score != other.score ? score < other.score : left > other.left;
        }
    };
    /// The parts that an unused token was merged from.
    using Parts = std::unordered_map<std::string_view, std::pair<std::string_view, std::string_view>>;

    struct Output {
        std::vector<TokenId>& ids;
        std::size_t start; ///< ids of this stretch begin here
    };
    void write(std::string_view piece, const Parts& parts, Output& out, int depth) const;

    const Vocabulary& m_vocabulary;
    PrefixIndex m_userDefined;
};

void ScoreBpe::segment(std::string_view text, std::vector<TokenId>& out) const
{
    std::vector<Symbol> symbols;
    symbols.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        const auto match = m_userDefined.longest(text.substr(at));
        const std::size_t length = match.length > 0 ? match.length : characterLength(text.substr(at));
        const int index = static_cast<int>(symbols.size());
        symbols.push_back({ text.substr(at, length), index - 1, index + 1, match.length > 0 });
        at += length;
    }
    if (symbols.empty())
        return;
    symbols.back().next = -1;

    Parts parts;
    std::priority_queue<Candidate> queue;
    const auto at = [&](int i) -> Symbol& { return symbols[static_cast<std::size_t>(i)]; };
    const auto offer = [&](int left, int right) {
        if (left < 0 || right < 0 || at(left).whole || at(right).whole)
            return;
        const std::string_view both(at(left).text.data(), at(left).text.size() + at(right).text.size());
        const auto id = m_vocabulary.find(both);
        if (!id)
            return;
        queue.push({ m_vocabulary[*id].score, left, right, both.size() });
        if (m_vocabulary[*id].kind == TokenKind::Unused)
            parts.insert_or_assign(both, std::pair(at(left).text, at(right).text));
    };
    for (int i = 0; i + 1 < static_cast<int>(symbols.size()); ++i)
        offer(i, i + 1);
    while (!queue.empty()) {
        const Candidate best = queue.top();
        queue.pop();
        Symbol& left = at(best.left);
        Symbol& right = at(best.right);
        if (left.text.empty() || right.text.empty() || left.text.size() + right.text.size() != best.length)
            continue;
        left.text = std::string_view(left.text.data(), best.length);
        left.next = right.next;
        if (right.next >= 0)
            at(right.next).previous = best.left;
        right.text = {};
        offer(left.previous, best.left);
        offer(best.left, left.next);
    }
    Output output{ out, out.size() };
    for (int i = 0; i >= 0; i = at(i).next)
        write(at(i).text, parts, output, 0);
}

void ScoreBpe::write(std::string_view piece, const Parts& parts, Output& out, int depth) const
{
    const auto id = m_vocabulary.find(piece);
    if (!id) {
        writeUnknown(m_vocabulary, piece, out.ids, out.start);
        return;
    }
    const auto split
        = m_vocabulary[*id].kind == TokenKind::Unused && depth < 100 ? parts.find(piece) : parts.end();
    if (split == parts.end()) {
        out.ids.push_back(*id);
        return;
    }
    write(split->second.first, parts, out, depth + 1);
    write(split->second.second, parts, out, depth + 1);
}

class Unigram : public Segmenter {
public:
    Unigram(const Vocabulary& vocabulary, UnigramSums sums);
    void segment(std::string_view text, std::vector<TokenId>& out) const override;

private:
    template <typename Sum>
    void viterbi(std::string_view text, std::vector<TokenId>& out) const;

    const Vocabulary& m_vocabulary;
    UnigramSums m_sums;
    PrefixIndex m_tokens;
    float m_lowest = std::numeric_limits<float>::max();
    float m_highest = std::numeric_limits<float>::min(); ///< the library's own start: just above zero
};

Unigram::Unigram(const Vocabulary& vocabulary, UnigramSums sums)
    : m_vocabulary(vocabulary)
    , m_sums(sums)
{
    std::vector<PrefixIndex::Entry> entries;
    for (std::size_t i = 0; i < vocabulary.size(); ++i) {
        const auto id = static_cast<TokenId>(i);
        const Token& token = vocabulary[id];
        if (token.kind == TokenKind::Normal || token.kind == TokenKind::UserDefined)
            entries.push_back({ token.bytes, id });
        if (token.kind == TokenKind::Normal || sums == UnigramSums::Double) {
            m_lowest = std::min(m_lowest, token.score);
            m_highest = std::max(m_highest, token.score);
        }
    }
    m_tokens = PrefixIndex(std::move(entries));
}

void Unigram::segment(std::string_view text, std::vector<TokenId>& out) const
{
    if (m_sums == UnigramSums::Single)
        viterbi<float>(text, out);
    else
        viterbi<double>(text, out);
}

template <typename Sum>
void Unigram::viterbi(std::string_view text, std::vector<TokenId>& out) const
{
    struct Node {
        Sum score = 0;
        std::size_t start = std::string_view::npos; ///< where the last token of the best way here begins
        TokenId id = -1; ///< -1: no token of its own
    };
    std::vector<Node> nodes(text.size() + 1);
    const auto offer = [&](std::size_t start, std::size_t end, TokenId id, double score) {
        const double candidate = score + static_cast<double>(nodes[start].score);
        Node& node = nodes[end];
        if (node.start == std::string_view::npos || candidate > static_cast<double>(node.score))
            node = { static_cast<Sum>(candidate), start, id };
    };
    for (std::size_t start = 0; start < text.size();) {
        const std::size_t character = characterLength(text.substr(start));
        bool covered = false;
        m_tokens.forEach(text.substr(start), [&](const PrefixIndex::Match& match) {
            const Token& token = m_vocabulary[match.id];
            // A user-defined symbol wins against any way of making it from others.
            const double score = token.kind == TokenKind::UserDefined
                ? static_cast<double>(static_cast<float>(match.length) * m_highest) - 0.1
                : static_cast<double>(token.score);
            offer(start, start + match.length, match.id, score);
            covered = covered || match.length == character;
        });
        if (!covered)
            offer(start, start + character, -1, static_cast<double>(m_lowest - unknownPenalty));
        start += character;
    }
    std::vector<std::pair<std::string_view, TokenId>> pieces;
    for (std::size_t end = text.size(); end > 0; end = nodes[end].start)
        pieces.emplace_back(text.substr(nodes[end].start, end - nodes[end].start), nodes[end].id);
    const std::size_t first = out.size();
    for (auto piece = pieces.rbegin(); piece != pieces.rend(); ++piece)
        if (piece->second >= 0)
            out.push_back(piece->second);
        else
            writeUnknown(m_vocabulary, piece->first, out, first);
}

} // namespace

PrefixIndex userDefinedSymbols(const Vocabulary& vocabulary)
{
    std::vector<PrefixIndex::Entry> entries;
    for (std::size_t i = 0; i < vocabulary.size(); ++i)
        if (vocabulary.tokens()[i].kind == TokenKind::UserDefined)
            entries.push_back({ vocabulary.tokens()[i].bytes, static_cast<TokenId>(i) });
    return PrefixIndex(std::move(entries));
}

void writeUnknown(
    const Vocabulary& vocabulary, std::string_view text, std::vector<TokenId>& out, std::size_t joinFrom)
{
    const auto byteToken = [&](char c) {
        const TokenId id = vocabulary.ofByte(static_cast<unsigned char>(c));
        return id >= 0 && vocabulary[id].kind == TokenKind::Byte ? id : -1;
    };
    if (std::all_of(text.begin(), text.end(), [&](char c) { return byteToken(c) >= 0; }))
        for (const char c : text)
            out.push_back(byteToken(c));
    else if (const auto unknown = vocabulary.unknown();
             unknown && (out.size() <= joinFrom || out.back() != *unknown))
        out.push_back(*unknown);
}

std::unique_ptr<const Segmenter> makeScoreBpe(const Vocabulary& vocabulary)
{
    return std::make_unique<ScoreBpe>(vocabulary);
}

std::unique_ptr<const Segmenter> makeUnigram(const Vocabulary& vocabulary, UnigramSums sums)
{
    return std::make_unique<Unigram>(vocabulary, sums);
}

} // namespace lodestone::text
