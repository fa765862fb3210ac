#include "core/text/marks.h"

namespace lodestone::text {
namespace {

constexpr std::string_view blankCharacters = " \t\n\v\f\r";

bool isWordByte(char c)
{
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x80 || (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z')
        || (byte >= 'A' && byte <= 'Z') || byte == '_';
}

} // namespace

Marks::Marks(std::vector<Mark> marks)
    : m_marks(std::move(marks))
{
    std::vector<PrefixIndex::Entry> all, plain;
    for (std::size_t i = 0; i < m_marks.size(); ++i) {
        all.push_back({ m_marks[i].text, static_cast<TokenId>(i) });
        if (!m_marks[i].control)
            plain.push_back({ m_marks[i].text, static_cast<TokenId>(i) });
    }
    m_all = PrefixIndex(std::move(all));
    m_plain = PrefixIndex(std::move(plain));
}

std::vector<Stretch> Marks::split(std::string_view text, bool withControl) const
{
    const PrefixIndex& index = withControl ? m_all : m_plain;
    std::vector<Stretch> stretches;
    std::size_t start = 0;
    for (std::size_t at = 0; at < text.size() && !index.empty();) {
        const auto match = index.longest(text.substr(at));
        const std::size_t end = at + match.length;
        const Mark* mark = match.length > 0 ? &m_marks[static_cast<std::size_t>(match.id)] : nullptr;
        if (mark && mark->wholeWord
            && ((at > 0 && isWordByte(text[at - 1])) || (end < text.size() && isWordByte(text[end]))))
            mark = nullptr;
        if (!mark) {
            ++at;
            continue;
        }
        std::string_view before = text.substr(start, at - start);
        if (mark->takesBlanksBefore)
            before = before.substr(0, before.find_last_not_of(blankCharacters) + 1);
        if (!before.empty())
            stretches.push_back({ before, -1 });
        stretches.push_back({ text.substr(at, match.length), mark->id });
        at = end;
        if (mark->takesBlanksAfter)
            at = std::min(text.find_first_not_of(blankCharacters, at), text.size());
        start = at;
    }
    if (start < text.size())
        stretches.push_back({ text.substr(start), -1 });
    return stretches;
}

} // namespace lodestone::text
