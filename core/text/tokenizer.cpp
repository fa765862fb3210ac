#include "core/text/tokenizer.h"

#include <algorithm>
#include <array>

namespace lodestone::text {

void addEndsByText(TokenizerParts& parts)
{
    constexpr std::array<std::string_view, 9> known{ "<|eot_id|>",    "<|eom_id|>",      "<|im_end|>",
                                                     "<|end|>",       "<end_of_turn>",   "<turn|>",
                                                     "<|endoftext|>", "<|end_of_text|>", "<EOT>" };
    for (std::size_t i = 0; i < parts.vocabulary->size(); ++i) {
        const auto id = static_cast<TokenId>(i);
        const Token& token = (*parts.vocabulary)[id];
        if (token.kind != TokenKind::Normal
            && std::find(known.begin(), known.end(), token.bytes) != known.end()
            && std::find(parts.ends.begin(), parts.ends.end(), id) == parts.ends.end())
            parts.ends.push_back(id);
    }
}

std::vector<TokenId> Tokenizer::encode(std::string_view text, Special special) const
{
    std::vector<TokenId> ids;
    Place place = special == Special::Continue ? Place::AfterText : Place::Start;
    for (const Stretch& stretch : m_parts.marks.split(text, special != Special::Plain)) {
        if (stretch.mark >= 0)
            ids.push_back(stretch.mark);
        else
            encodePlain(stretch.text, place, ids);
        place = Place::AfterMark;
    }
    if (special == Special::Parse) {
        const std::vector<TokenId>& before = m_parts.before;
        if (ids.size() < before.size() || !std::equal(before.begin(), before.end(), ids.begin()))
            ids.insert(ids.begin(), before.begin(), before.end());
        ids.insert(ids.end(), m_parts.after.begin(), m_parts.after.end());
    }
    return ids;
}

void Tokenizer::encodePlain(std::string_view text, Place place, std::vector<TokenId>& out) const
{
    std::string changed;
    if (!m_parts.normaliser.empty()) {
        changed = text;
        for (const auto& step : m_parts.normaliser)
            step->apply(changed, place);
        text = changed;
    }
    if (text.empty())
        return;
    if (!m_parts.pretokenizer) {
        m_parts.segmenter->segment(text, out);
        return;
    }
    for (const std::string_view piece : m_parts.pretokenizer->split(text))
        m_parts.segmenter->segment(piece, out);
}

std::string Tokenizer::decode(std::span<const TokenId> ids, bool hideSpecial) const
{
    std::string text;
    bool takeBlank = m_parts.blankBefore;
    for (const TokenId id : ids) {
        std::string_view bytes = piece(id);
        if (isSpecial(id)) {
            takeBlank = m_parts.blankBefore && (m_parts.blankAfterMark || takeBlank);
            if (!hideSpecial)
                text += bytes;
            continue;
        }
        if (takeBlank && !bytes.empty()) {
            if (bytes[0] == ' ')
                bytes.remove_prefix(1);
            takeBlank = false;
        }
        text += bytes;
    }
    return text;
}

std::string_view Tokenizer::piece(TokenId id) const
{
    return contains(id) ? std::string_view((*m_parts.vocabulary)[id].bytes) : std::string_view();
}

bool Tokenizer::isSpecial(TokenId id) const
{
    if (!contains(id))
        return false;
    const TokenKind kind = (*m_parts.vocabulary)[id].kind;
    return kind == TokenKind::Control || kind == TokenKind::Unknown;
}

} // namespace lodestone::text
