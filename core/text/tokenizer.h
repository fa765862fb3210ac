// Turns text into the model's token ids and back, exactly as the model's own tokenizer does.
#pragma once

#include "core/formats/gguf.h"
#include "core/text/marks.h"
#include "core/text/normaliser.h"
#include "core/text/pretokenizer.h"
#include "core/text/segmenter.h"

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace lodestone::text {

/// Whether texts that look like special tokens ("<|im_start|>") are read as those tokens or as plain text.
enum class Special {
    Parse, ///< as tokens, and with BOS and EOS around the text where the model asks for them
    Continue, ///< as tokens, in a text that follows another: nothing is put around it or before it
    Plain ///< as plain text
};

/// What a tokenizer is made of. The readers of files fill one of these.
struct TokenizerParts {
    std::unique_ptr<const Vocabulary> vocabulary;
    Marks marks; ///< looked for first
    Normaliser normaliser; ///< then each plain stretch is changed,
    std::optional<Pretokenizer> pretokenizer; ///< split (none: not at all),
    std::unique_ptr<const Segmenter> segmenter; ///< and each piece turned into ids
    std::vector<TokenId> before, after; ///< ids that stand around a whole text
    bool saysWhatSurrounds = false; ///< the file itself decides on `before` and `after`
    std::optional<TokenId> bos, eos;
    std::vector<TokenId> ends; ///< every id that ends a reply
    /// The blank that the normaliser put before a text, and after a mark, is taken off again by decode.
    bool blankBefore = false, blankAfterMark = false;
    std::string description; ///< "byte-level BPE (smollm), 49152 tokens"
};

/// Adds the marks by which known families end a turn ("<|eot_id|>", "<end_of_turn>", ...) to `ends`: files
/// name only one of them.
void addEndsByText(TokenizerParts& parts);

/// A tokenizer of any kind. Immutable and safe to use from several threads.
class Tokenizer {
public:
    explicit Tokenizer(TokenizerParts parts)
        : m_parts(std::move(parts))
    {
    }

    static Result<std::shared_ptr<const Tokenizer>> fromGguf(const formats::Gguf& file);
    /// The folder of a model: tokenizer.json, else tokenizer.model, with tokenizer_config.json (BOS and EOS)
    /// and added_tokens.json where they are there.
    static Result<std::shared_ptr<const Tokenizer>> fromFolder(const std::filesystem::path& folder);
    /// A GGUF file (its tensors are not looked at), a folder, or one file tokenizer.json, tokenizer.model or
    /// tokenizer.bin by its name.
    static Result<std::shared_ptr<const Tokenizer>> open(const std::filesystem::path& path);
    /// The `tokenizer.bin` beside a llama2.c checkpoint: scores and texts, without kinds.
    static Result<std::shared_ptr<const Tokenizer>> fromLlama2c(const std::filesystem::path& path);

    /// Ids of the text. With Special::Parse the marks of a model that asks for them stand around it (BOS,
    /// EOS), once: a text that begins with BOS, as rendered conversations do, gets no second one.
    /// User-defined symbols are read as themselves either way.
    std::vector<TokenId> encode(std::string_view text, Special special) const;
    /// The bytes that the ids stand for; special tokens are written out unless `hideSpecial`. A blank that
    /// the tokenizer itself puts before a text is left out.
    std::string decode(std::span<const TokenId> ids, bool hideSpecial = false) const;
    /// The bytes of one token (a special token's own text); empty for an id outside the vocabulary.
    std::string_view piece(TokenId id) const;
    /// Whether an id is a mark (control or unknown), which plain text never makes.
    bool isSpecial(TokenId id) const;
    bool contains(TokenId id) const { return m_parts.vocabulary->contains(id); }
    /// A plain (not special) token of exactly these bytes.
    std::optional<TokenId> find(std::string_view piece) const { return m_parts.vocabulary->find(piece); }

    std::size_t size() const { return m_parts.vocabulary->size(); }
    std::optional<TokenId> bos() const { return m_parts.bos; }
    std::optional<TokenId> eos() const { return m_parts.eos; }
    /// The ids by which a model says that it has finished: EOS and the marks that end a turn.
    const std::vector<TokenId>& ends() const { return m_parts.ends; }
    const std::string& description() const { return m_parts.description; }

private:
    void encodePlain(std::string_view text, Place place, std::vector<TokenId>& out) const;

    TokenizerParts m_parts;
};

} // namespace lodestone::text
