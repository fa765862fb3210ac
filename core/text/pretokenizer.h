// Splits text into the pieces inside which byte-pair merges may happen, by the patterns a model was trained
// with.
#pragma once

#include "core/base/error.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace lodestone::text {

/// A chain of regular expressions: each splits every piece of the one before into matches and the gaps
/// between them. Bytes that are not UTF-8 never match and become pieces of their own.
class Pretokenizer {
public:
    /// By the name that GGUF files carry in `tokenizer.ggml.pre` ("smollm", "gpt-2", ...).
    static Result<Pretokenizer> byName(const std::string& name);

    Pretokenizer(Pretokenizer&&) noexcept;
    Pretokenizer& operator=(Pretokenizer&&) noexcept;
    ~Pretokenizer();

    /// Views into `text`, in order, covering every byte once.
    std::vector<std::string_view> split(std::string_view text) const;

private:
    struct Pattern;
    Pretokenizer();
    std::vector<std::unique_ptr<Pattern>> m_patterns;
};

} // namespace lodestone::text
