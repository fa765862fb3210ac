// A tiny byte-level vocabulary as a GGUF: every byte a token, a few words with their merges, the ChatML
// marks.
#pragma once

#include "tests/support/gguf_writer.h"

#include <algorithm>
#include <string>
#include <vector>

namespace lodestone::testing {

/// A byte as GPT-2's table writes it: printable Latin-1 as itself, the others as U+0100 and up.
inline std::string writtenByte(unsigned char byte)
{
    const auto printable
        = [](int b) { return (b >= '!' && b <= '~') || (b >= 0xa1 && b <= 0xac) || b >= 0xae; };
    unsigned codePoint = byte;
    if (!printable(byte)) {
        codePoint = 256;
        for (int b = 0; b < byte; ++b)
            codePoint += printable(b) ? 0 : 1;
    }
    if (codePoint < 128)
        return std::string(1, static_cast<char>(codePoint));
    return { static_cast<char>(0xc0u | codePoint >> 6u), static_cast<char>(0x80u | (codePoint & 63u)) };
}

inline std::string written(std::string_view text)
{
    std::string result;
    for (const char c : text)
        result += writtenByte(static_cast<unsigned char>(c));
    return result;
}

/// Ids 0-255 are the bytes; then <|endoftext|> (256), <|im_start|> (257), <|im_end|> (258); then each word's
/// prefixes from two bytes on, merged from the left, so that a whole word is one token.
class ByteVocabulary {
public:
    static constexpr int endOfText = 256, imStart = 257, imEnd = 258;

    explicit ByteVocabulary(const std::vector<std::string>& words = {})
    {
        for (int byte = 0; byte < 256; ++byte)
            add(writtenByte(static_cast<unsigned char>(byte)), 1);
        for (const char* mark : { "<|endoftext|>", "<|im_start|>", "<|im_end|>" })
            add(mark, 3);
        for (const std::string& word : words)
            for (std::size_t length = 2; length <= word.size(); ++length) {
                const std::string prefix = written(word.substr(0, length));
                if (std::find(tokens.begin(), tokens.end(), prefix) != tokens.end())
                    continue;
                merges.push_back(
                    written(word.substr(0, length - 1)) + " " + written(word.substr(length - 1, 1)));
                add(prefix, 1);
            }
    }

    void add(const std::string& token, int type)
    {
        tokens.push_back(token);
        types.push_back(type);
    }

    /// The tokenizer's keys. `pre` empty: no key.
    void writeTo(GgufWriter& file, std::string_view pre = "smollm") const
    {
        file.text("tokenizer.ggml.model", "gpt2");
        if (!pre.empty())
            file.text("tokenizer.ggml.pre", pre);
        file.texts("tokenizer.ggml.tokens", tokens);
        file.integers("tokenizer.ggml.token_type", types);
        file.texts("tokenizer.ggml.merges", merges);
        file.integer("tokenizer.ggml.bos_token_id", imStart);
        file.integer("tokenizer.ggml.eos_token_id", imEnd);
    }

    std::vector<std::string> tokens, merges;
    std::vector<std::int32_t> types;
};

} // namespace lodestone::testing
