#include "core/text/tokenizer.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <queue>

namespace lodestone::text {
namespace {

constexpr std::int64_t controlType = 3, userDefinedType = 4;

/// GPT-2 writes each byte as a printable character: printable Latin-1 bytes as themselves, the others as
/// U+0100 and up in order. This is the way back, from code point to byte; -1 where there is none.
std::array<int, 512> bytesOfCodePoints()
{
    std::array<int, 512> bytes;
    bytes.fill(-1);
    int next = 256;
    for (int byte = 0; byte < 256; ++byte) {
        const bool printable
            = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || (byte >= 174 && byte <= 255);
        bytes[static_cast<std::size_t>(printable ? byte : next++)] = byte;
    }
    return bytes;
}

/// The raw bytes of a token as the file writes it; nullopt when a character is none of the 256.
std::optional<std::string> rawBytes(std::string_view written)
{
    static const std::array<int, 512> bytes = bytesOfCodePoints();
    std::string raw;
    for (std::size_t i = 0; i < written.size();) {
        const auto first = static_cast<unsigned char>(written[i]);
        unsigned codePoint = first;
        std::size_t length = 1;
        if (first >= 0xc0 && first < 0xe0 && i + 1 < written.size()) {
            codePoint = (first & 31u) << 6u | (static_cast<unsigned char>(written[i + 1]) & 63u);
            length = 2;
        } else if (first >= 0x80)
            return std::nullopt;
        if (codePoint >= bytes.size() || bytes[codePoint] < 0)
            return std::nullopt;
        raw += static_cast<char>(bytes[codePoint]);
        i += length;
    }
    return raw;
}

std::uint64_t pairKey(TokenId left, TokenId right)
{
    return static_cast<std::uint64_t>(static_cast<std::uint32_t>(left)) << 32u
        | static_cast<std::uint32_t>(right);
}

} // namespace

Result<std::shared_ptr<const Tokenizer>> Tokenizer::fromGguf(const formats::Gguf& file)
{
    const std::string where = file.path().string();
    LODESTONE_TRY(const std::string model, file.text("tokenizer.ggml.model"));
    if (model != "gpt2")
        return badInput(
            "a byte-level BPE tokenizer ('gpt2')", "'" + model + "'", where + ", tokenizer.ggml.model");
    LODESTONE_TRY(const auto* tokens, file.texts("tokenizer.ggml.tokens"));
    LODESTONE_TRY(const auto* merges, file.texts("tokenizer.ggml.merges"));
    const std::string pre = file.text("tokenizer.ggml.pre").value_or("gpt-2");
    LODESTONE_TRY(Pretokenizer pretokenizer, Pretokenizer::byName(pre));
    auto tokenizer = std::shared_ptr<Tokenizer>(new Tokenizer(std::move(pretokenizer)));

    std::vector<std::int64_t> types(tokens->size(), 1);
    if (file.has("tokenizer.ggml.token_type")) {
        LODESTONE_TRY(const auto* listed, file.integers("tokenizer.ggml.token_type"));
        if (listed->size() != tokens->size())
            return badInput(
                fmt::format("{} token types", tokens->size()), fmt::format("{}", listed->size()),
                where + ", tokenizer.ggml.token_type");
        types = *listed;
    }
    std::fill(std::begin(tokenizer->m_byteIds), std::end(tokenizer->m_byteIds), -1);
    for (std::size_t i = 0; i < tokens->size(); ++i) {
        const auto id = static_cast<TokenId>(i);
        const std::string& written = (*tokens)[i];
        const bool special = types[i] == controlType || types[i] == userDefinedType;
        tokenizer->m_special.push_back(special);
        const std::optional<std::string> raw = special ? std::optional(written) : rawBytes(written);
        tokenizer->m_pieces.push_back(raw.value_or(written));
        if (special && !written.empty())
            tokenizer->m_specials.emplace_back(written, id);
        else if (raw) {
            tokenizer->m_plainIds.emplace(*raw, id);
            if (raw->size() == 1)
                tokenizer->m_byteIds[static_cast<unsigned char>((*raw)[0])] = id;
        }
    }
    std::sort(tokenizer->m_specials.begin(), tokenizer->m_specials.end(), [](const auto& a, const auto& b) {
        return a.first.size() > b.first.size();
    });
    LODESTONE_CHECK(tokenizer->addMerges(*merges, where));

    const auto idOf = [&](const char* key) -> std::optional<TokenId> {
        const auto id = file.integer(key);
        const bool isToken = id && *id >= 0 && *id < static_cast<std::int64_t>(tokenizer->size());
        return isToken ? std::optional(static_cast<TokenId>(*id)) : std::nullopt;
    };
    tokenizer->m_bos = idOf("tokenizer.ggml.bos_token_id");
    tokenizer->m_eos = idOf("tokenizer.ggml.eos_token_id");
    tokenizer->m_addBos = file.flagOr("tokenizer.ggml.add_bos_token", false) && tokenizer->m_bos;
    tokenizer->m_description = fmt::format("byte-level BPE ({}), {} tokens", pre, tokens->size());
    return std::shared_ptr<const Tokenizer>(std::move(tokenizer));
}

Result<void> Tokenizer::addMerges(const std::vector<std::string>& merges, const std::string& where)
{
    for (std::size_t i = 0; i < merges.size(); ++i) {
        const std::size_t blank = merges[i].find(' ');
        const auto left = rawBytes(std::string_view(merges[i]).substr(0, blank));
        const auto right = blank == std::string::npos
            ? std::nullopt
            : rawBytes(std::string_view(merges[i]).substr(blank + 1));
        const auto leftId = left ? find(*left) : std::nullopt;
        const auto rightId = right ? find(*right) : std::nullopt;
        const auto result = leftId && rightId ? find(*left + *right) : std::nullopt;
        if (!result)
            return badInput(
                "two tokens of the vocabulary whose union is one too", "'" + merges[i].substr(0, 60) + "'",
                fmt::format("{}, tokenizer.ggml.merges, entry {}", where, i));
        m_merges.emplace(pairKey(*leftId, *rightId), Merge{ static_cast<std::int32_t>(i), *result });
    }
    return {};
}

std::vector<TokenId> Tokenizer::encode(std::string_view text, Special special) const
{
    std::vector<TokenId> ids;
    if (special == Special::Plain) {
        encodePlain(text, ids);
        return ids;
    }
    if (m_addBos)
        ids.push_back(*m_bos);
    std::size_t plainStart = 0;
    for (std::size_t at = 0; at < text.size();) {
        const auto match = std::find_if(m_specials.begin(), m_specials.end(), [&](const auto& entry) {
            return text.substr(at, entry.first.size()) == entry.first;
        });
        if (match == m_specials.end()) {
            ++at;
            continue;
        }
        encodePlain(text.substr(plainStart, at - plainStart), ids);
        ids.push_back(match->second);
        at += match->first.size();
        plainStart = at;
    }
    encodePlain(text.substr(plainStart), ids);
    return ids;
}

void Tokenizer::encodePlain(std::string_view text, std::vector<TokenId>& out) const
{
    if (text.empty())
        return;
    for (const std::string_view piece : m_pretokenizer.split(text))
        mergePiece(piece, out);
}

void Tokenizer::mergePiece(std::string_view piece, std::vector<TokenId>& out) const
{
    // The symbols form a linked list; the queue holds every neighbouring pair that may merge, lowest rank
    // first, and entries whose symbols have changed since are passed over. O(n log n) in the length of the
    // piece.
    struct Symbol {
        TokenId id;
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
    std::vector<Symbol> symbols;
    for (const char c : piece) {
        const TokenId id = m_byteIds[static_cast<unsigned char>(c)];
        if (id < 0)
            continue; // a byte that the vocabulary cannot write
        symbols.push_back({ id, static_cast<int>(symbols.size()) - 1, static_cast<int>(symbols.size()) + 1 });
    }
    if (symbols.empty())
        return;
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

std::string Tokenizer::decode(std::span<const TokenId> ids, bool hideSpecial) const
{
    std::string text;
    for (const TokenId id : ids)
        if (!(hideSpecial && isSpecial(id)))
            text += piece(id);
    return text;
}

std::string_view Tokenizer::piece(TokenId id) const
{
    return contains(id) ? std::string_view(m_pieces[static_cast<std::size_t>(id)]) : std::string_view();
}

bool Tokenizer::isSpecial(TokenId id) const
{
    return contains(id) && m_special[static_cast<std::size_t>(id)];
}

std::optional<TokenId> Tokenizer::find(std::string_view piece) const
{
    const auto found = m_plainIds.find(std::string(piece));
    return found == m_plainIds.end() ? std::nullopt : std::optional(found->second);
}

} // namespace lodestone::text
