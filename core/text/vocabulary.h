// The tokens of a model: the bytes, kind and score of each id, and the way back from bytes to ids.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace lodestone::text {

using TokenId = std::int32_t;

/// What a token is for. The numbers are those of SentencePiece and of `tokenizer.ggml.token_type`.
enum class TokenKind : std::uint8_t {
    Normal = 1,
    Unknown = 2, ///< stands for what the vocabulary cannot write
    Control = 3, ///< a mark such as <s>: never made from plain text
    UserDefined = 4, ///< always one token wherever its text stands
    Unused = 5, ///< made by merging, never written: it is taken apart again
    Byte = 6 ///< one byte of what has no token of its own
};

struct Token {
    std::string bytes; ///< what the token writes; a blank is a blank, whatever the file writes for it
    TokenKind kind = TokenKind::Normal;
    float score = 0; ///< SentencePiece: log-probability (unigram) or minus the rank of the merge (BPE)
};

/// Immutable once indexed.
class Vocabulary {
public:
    Vocabulary() { m_bytes.fill(-1); }
    explicit Vocabulary(std::vector<Token> tokens);
    Vocabulary(Vocabulary&&) = default;
    Vocabulary& operator=(Vocabulary&&) = default;

    std::size_t size() const { return m_tokens.size(); }
    bool contains(TokenId id) const { return id >= 0 && static_cast<std::size_t>(id) < m_tokens.size(); }
    /// An id of the vocabulary.
    const Token& operator[](TokenId id) const { return m_tokens[static_cast<std::size_t>(id)]; }
    const std::vector<Token>& tokens() const { return m_tokens; }

    /// The token that writes exactly these bytes and may come out of plain text: neither a mark nor a byte's
    /// own token. Of several the first.
    std::optional<TokenId> find(std::string_view bytes) const;
    /// The token kept for one byte (kind Byte), else the plain token that writes that byte alone; -1: none.
    TokenId ofByte(unsigned char byte) const { return m_bytes[byte]; }
    /// Whether every byte has a token, so that every text can be written.
    bool writesEveryByte() const;
    std::optional<TokenId> unknown() const { return m_unknown; }
    void setUnknown(TokenId id) { m_unknown = id; }

private:
    std::vector<Token> m_tokens;
    std::unordered_map<std::string_view, TokenId> m_ids; ///< views into m_tokens
    std::array<TokenId, 256> m_bytes{};
    std::optional<TokenId> m_unknown;
};

/// SentencePiece's name of a byte's token, "<0x0A>"; nullopt for any other text.
std::optional<unsigned char> byteOfName(std::string_view name);

/// A SentencePiece text with its blanks (U+2581) written as blanks.
std::string withBlanks(std::string_view written);

} // namespace lodestone::text
