// Turns text into the model's token ids and back, exactly as the model's own tokenizer does.
#pragma once

#include "core/formats/gguf.h"
#include "core/text/pretokenizer.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace lodestone::text {

using TokenId = std::int32_t;

/// Whether texts that look like special tokens ("<|im_start|>") are read as those tokens or as plain text.
enum class Special { Parse, Plain };

/// Byte-level byte-pair encoding (Sennrich et al. 2016; bytes as in GPT-2, Radford et al. 2019). Immutable
/// and safe to use from several threads.
class Tokenizer {
public:
    static Result<std::shared_ptr<const Tokenizer>> fromGguf(const formats::Gguf& file);

    /// Ids of the text. With Special::Parse and a model that asks for it, a BOS token stands first.
    std::vector<TokenId> encode(std::string_view text, Special special) const;
    /// The bytes that the ids stand for; special tokens are written out unless `hideSpecial`.
    std::string decode(std::span<const TokenId> ids, bool hideSpecial = false) const;
    /// The bytes of one token (a special token's own text); empty for an id outside the vocabulary.
    std::string_view piece(TokenId id) const;
    bool isSpecial(TokenId id) const;
    bool contains(TokenId id) const { return id >= 0 && static_cast<std::size_t>(id) < m_pieces.size(); }
    std::optional<TokenId>
    find(std::string_view piece) const; ///< a plain (not special) token of exactly these bytes

    std::size_t size() const { return m_pieces.size(); }
    std::optional<TokenId> bos() const { return m_bos; }
    std::optional<TokenId> eos() const { return m_eos; }
    const std::string& description() const
    {
        return m_description;
    } ///< "byte-level BPE (smollm), 49152 tokens"

private:
    struct Merge {
        std::int32_t rank;
        TokenId result;
    };
    explicit Tokenizer(Pretokenizer pretokenizer)
        : m_pretokenizer(std::move(pretokenizer))
    {
    }
    Result<void> addMerges(const std::vector<std::string>& merges, const std::string& where);
    void encodePlain(std::string_view text, std::vector<TokenId>& out) const;
    void mergePiece(std::string_view piece, std::vector<TokenId>& out) const;

    Pretokenizer m_pretokenizer;
    std::vector<std::string> m_pieces;
    std::vector<bool> m_special;
    std::unordered_map<std::string, TokenId> m_plainIds;
    std::vector<std::pair<std::string, TokenId>> m_specials; ///< longest first
    std::unordered_map<std::uint64_t, Merge> m_merges; ///< by the pair of ids
    TokenId m_byteIds[256] = {};
    std::optional<TokenId> m_bos, m_eos;
    bool m_addBos = false;
    std::string m_description;
};

} // namespace lodestone::text
