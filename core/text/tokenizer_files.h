// The readers of the tokenizer files in a model's folder, each giving the parts of one tokenizer.
#pragma once

#include "core/text/tokenizer.h"

#include <nlohmann/json.hpp>

namespace lodestone::text {

/// A tokenizer.model of the SentencePiece library. `added` are marks that other files of the folder name;
/// their ids may lie beyond the model's own. Errors name the piece or the field.
Result<TokenizerParts>
readSentencePiece(const std::filesystem::path& path, const std::vector<Mark>& added = {});

/// A tokenizer.json of Hugging Face's tokenizers: byte-level BPE, BPE of characters with byte tokens,
/// unigram. What it asks for and is not done here is named.
Result<TokenizerParts> readTokenizerJson(const std::filesystem::path& path);

/// The Jinja text of a model's chat template: the key of a GGUF file, or chat_template.jinja, else the key of
/// tokenizer_config.json, in a folder. Empty where there is none.
Result<std::string> chatTemplateText(const std::filesystem::path& model);

/// How a tokenizer.json treats text before its model sees it.
struct TextRules {
    Normaliser normaliser;
    std::vector<SplitStep> splits;
    bool byteLevel = false; ///< tokens are written in GPT-2's way
    bool blankMark = false; ///< a blank is written as U+2581
    bool prefix = false, prefixAfterMark = false; ///< a blank is put before a text, after a mark
};
/// Reads the keys "normalizer" and "pre_tokenizer".
Result<TextRules> readTextRules(const nlohmann::json& document, const std::string& where);

/// Gives the marks their place in the vocabulary, which grows where their ids lie beyond it. Errors: an id
/// far beyond all tokens.
Result<void> addMarks(std::vector<Token>& tokens, const std::vector<Mark>& marks, const std::string& where);

/// Entries of "added_tokens" (a list) or "added_tokens_decoder" (by id).
Result<std::vector<Mark>> readAddedTokens(const nlohmann::json& entries, const std::string& where);

} // namespace lodestone::text
