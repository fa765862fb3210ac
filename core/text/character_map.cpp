// SentencePiece's compiled normalisation rules; the trie is a double array as darts-clone writes it.
#include "core/text/normaliser.h"
#include "core/text/segmenter.h"

#include <cstring>
#include <fmt/format.h>

namespace lodestone::text {
namespace {

class CharacterMap : public NormaliserStep {
public:
    CharacterMap(std::vector<std::uint32_t> trie, std::string texts, PrefixIndex untouched)
        : m_trie(std::move(trie))
        , m_texts(std::move(texts))
        , m_untouched(std::move(untouched))
    {
    }

    void apply(std::string& text, Place) const override
    {
        std::string result;
        for (std::size_t at = 0; at < text.size();) {
            const std::string_view rest = std::string_view(text).substr(at);
            if (const auto kept = m_untouched.longest(rest); kept.length > 0) {
                result += rest.substr(0, kept.length);
                at += kept.length;
                continue;
            }
            std::size_t length = 0;
            std::string_view by;
            longest(rest, length, by);
            if (length == 0) {
                length = characterLength(rest);
                by = rest.substr(0, length);
            }
            result += by;
            at += length;
        }
        text = std::move(result);
    }

private:
    // A unit holds a label (low 8 bits, and bit 31 of a value), bit 8: a value hangs here, and the offset to
    // its children in bits 10 and up, shifted by 8 more where bit 9 is set.
    static std::uint32_t offsetOf(std::uint32_t unit) { return unit >> 10u << ((unit & 0x200u) >> 6u); }

    void longest(std::string_view text, std::size_t& length, std::string_view& by) const
    {
        std::size_t node = offsetOf(m_trie[0]);
        for (std::size_t i = 0; i < text.size(); ++i) {
            const auto byte = static_cast<unsigned char>(text[i]);
            node ^= byte;
            if (node >= m_trie.size())
                return;
            const std::uint32_t unit = m_trie[node];
            if ((unit & 0x800000ffu) != byte)
                return;
            node ^= offsetOf(unit);
            if (unit & 0x100u) {
                if (node >= m_trie.size())
                    return;
                const std::size_t start = m_trie[node] & 0x7fffffffu;
                if (start >= m_texts.size())
                    return;
                length = i + 1;
                by = std::string_view(m_texts.data() + start); // m_texts ends with a zero byte
            }
        }
    }

    std::vector<std::uint32_t> m_trie;
    std::string m_texts;
    PrefixIndex m_untouched;
};

} // namespace

Result<StepPointer> characterMap(const std::string& table, PrefixIndex untouched, const std::string& where)
{
    std::uint32_t size = 0;
    if (table.size() < sizeof size)
        return badInput("a table of replacements", fmt::format("{} bytes", table.size()), where);
    std::memcpy(&size, table.data(), sizeof size);
    if (size == 0 || size % 4 != 0 || size > table.size() - sizeof size)
        return badInput(
            fmt::format("a trie of at most {} bytes", table.size() - sizeof size),
            fmt::format("{} bytes", size), where);
    std::vector<std::uint32_t> trie(size / 4);
    std::memcpy(trie.data(), table.data() + sizeof size, size);
    std::string texts = table.substr(sizeof size + size);
    if (texts.empty() || texts.back() != '\0')
        return badInput("replacements ended by zero bytes", "none, or one without its end", where);
    return StepPointer(
        std::make_unique<CharacterMap>(std::move(trie), std::move(texts), std::move(untouched)));
}

} // namespace lodestone::text
