#include "core/text/vocabulary.h"

#include <algorithm>
#include <charconv>

namespace lodestone::text {

Vocabulary::Vocabulary(std::vector<Token> tokens)
    : m_tokens(std::move(tokens))
{
    m_bytes.fill(-1);
    m_ids.reserve(m_tokens.size());
    for (std::size_t i = 0; i < m_tokens.size(); ++i) {
        const Token& token = m_tokens[i];
        const auto id = static_cast<TokenId>(i);
        if (token.kind == TokenKind::Unknown && !m_unknown)
            m_unknown = id;
        if (token.kind == TokenKind::Byte && token.bytes.size() == 1)
            m_bytes[static_cast<unsigned char>(token.bytes[0])] = id;
        const bool plain = token.kind == TokenKind::Normal || token.kind == TokenKind::UserDefined
            || token.kind == TokenKind::Unused;
        if (plain && !token.bytes.empty())
            m_ids.emplace(token.bytes, id);
    }
    for (unsigned byte = 0; byte < m_bytes.size(); ++byte)
        if (m_bytes[byte] < 0) {
            const char one = static_cast<char>(byte);
            m_bytes[byte] = find(std::string_view(&one, 1)).value_or(-1);
        }
}

std::optional<TokenId> Vocabulary::find(std::string_view bytes) const
{
    const auto found = m_ids.find(bytes);
    return found == m_ids.end() ? std::nullopt : std::optional(found->second);
}

bool Vocabulary::writesEveryByte() const
{
    return std::none_of(m_bytes.begin(), m_bytes.end(), [](TokenId id) { return id < 0; });
}

std::optional<unsigned char> byteOfName(std::string_view name)
{
    if (name.size() != 6 || name.substr(0, 3) != "<0x" || name[5] != '>')
        return std::nullopt;
    unsigned value = 0;
    const auto [end, error] = std::from_chars(name.data() + 3, name.data() + 5, value, 16);
    if (error != std::errc() || end != name.data() + 5)
        return std::nullopt;
    return static_cast<unsigned char>(value);
}

std::string withBlanks(std::string_view written)
{
    constexpr std::string_view mark = "\xe2\x96\x81";
    std::string text;
    text.reserve(written.size());
    for (std::size_t i = 0; i < written.size();) {
        if (written[i] == mark[0] && written.substr(i, mark.size()) == mark) {
            text += ' ';
            i += mark.size();
        } else
            text += written[i++];
    }
    return text;
}

} // namespace lodestone::text
