// The tokenizer.bin of llama2.c: the longest token's length, then for each token its score, its length and
// its text with blanks as blanks. Ids 0 to 2 are unknown, BOS and EOS, 3 to 258 the bytes.
#include "core/formats/byte_reader.h"
#include "core/formats/mapped_file.h"
#include "core/text/sentencepiece.h"
#include "core/text/tokenizer.h"

namespace lodestone::text {

Result<std::shared_ptr<const Tokenizer>> Tokenizer::fromLlama2c(const std::filesystem::path& path)
{
    LODESTONE_TRY(const formats::MappedFile file, formats::MappedFile::open(path));
    formats::ByteReader reader(file.bytes(), path.string());
    LODESTONE_TRY(const auto longest, reader.read<std::uint32_t>("longest token"));
    std::vector<Token> tokens;
    while (reader.left() > 0) {
        const std::string name = fmt::format("token {}", tokens.size());
        LODESTONE_TRY(const auto score, reader.read<float>(name));
        LODESTONE_TRY(const auto length, reader.read<std::uint32_t>(name));
        if (length > longest)
            return badInput(
                fmt::format("a token of at most {} bytes", longest), fmt::format("{} bytes", length),
                reader.where(name));
        LODESTONE_TRY(const auto bytes, reader.take(length, name));
        Token token{ std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()),
                     TokenKind::Normal, score };
        const std::size_t id = tokens.size();
        if (id < 3)
            token.kind = id == 0 ? TokenKind::Unknown : TokenKind::Control;
        else if (const auto byte = byteOfName(token.bytes)) {
            token.bytes = std::string(1, static_cast<char>(*byte));
            token.kind = TokenKind::Byte;
        }
        tokens.push_back(std::move(token));
    }
    if (tokens.size() < 3)
        return badInput(
            "at least the unknown, BOS and EOS tokens", fmt::format("{} tokens", tokens.size()),
            path.string());
    TokenizerParts parts;
    parts.description = fmt::format("SentencePiece BPE (llama2.c), {} tokens", tokens.size());
    parts.vocabulary = std::make_unique<Vocabulary>(std::move(tokens));
    parts.normaliser.push_back(blanks(BlankRules{}));
    parts.segmenter = makeScoreBpe(*parts.vocabulary);
    parts.bos = 1;
    parts.eos = 2;
    parts.before = { 1 };
    parts.blankBefore = parts.blankAfterMark = true;
    // The marks are written with line breaks around them in this format ("\n<s>\n"); text never means them.
    return std::make_shared<const Tokenizer>(std::move(parts));
}

} // namespace lodestone::text
