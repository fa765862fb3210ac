#include "core/text/normaliser.h"

#include "core/text/utf8.h"

#include <cstdlib>
#include <utf8proc.h>

namespace lodestone::text {
namespace {

class Blanks : public NormaliserStep {
public:
    explicit Blanks(const BlankRules& rules)
        : m_rules(rules)
    {
    }

    void apply(std::string& text, Place place) const override
    {
        if (text.empty())
            return;
        if (m_rules.removeExtra) {
            std::string kept;
            bool blankBefore = true; // at the start too
            for (const char c : text) {
                if (c != ' ' || !blankBefore)
                    kept += c;
                blankBefore = c == ' ';
            }
            text = std::move(kept);
        }
        text = withBlanks(text);
        if (m_rules.removeExtra)
            text.erase(text.find_last_not_of(' ') + 1);
        if (!text.empty() && m_rules.prefix
            && (place == Place::Start || (place == Place::AfterMark && m_rules.prefixAfterMark)))
            text.insert(text.begin(), ' ');
    }

private:
    BlankRules m_rules;
};

class Prefix : public NormaliserStep {
public:
    Prefix(std::string what, bool afterMark, bool unlessThere)
        : m_what(std::move(what))
        , m_afterMark(afterMark)
        , m_unlessThere(unlessThere)
    {
    }
    void apply(std::string& text, Place place) const override
    {
        const bool there = m_unlessThere && text.compare(0, m_what.size(), m_what) == 0;
        if (!text.empty() && !there && (place == Place::Start || (place == Place::AfterMark && m_afterMark)))
            text.insert(0, m_what);
    }

private:
    std::string m_what;
    bool m_afterMark, m_unlessThere;
};

class Replacement : public NormaliserStep {
public:
    Replacement(Pattern pattern, std::string by)
        : m_pattern(std::move(pattern))
        , m_by(std::move(by))
    {
    }
    void apply(std::string& text, Place) const override
    {
        std::string result;
        std::size_t done = 0;
        m_pattern.forEachMatch(text, [&](std::size_t begin, std::size_t end) {
            result.append(text, done, begin - done);
            result += m_by;
            done = end;
        });
        if (done == 0 && result.empty())
            return;
        text = result.append(text, done);
    }

private:
    Pattern m_pattern;
    std::string m_by;
};

class Form : public NormaliserStep {
public:
    explicit Form(UnicodeForm form)
        : m_form(form)
    {
    }
    void apply(std::string& text, Place) const override
    {
        if (m_form != UnicodeForm::Lowercase
            && text.find_first_not_of(ascii()) == std::string::npos) // nothing to do, and nearly always so
            return;
        std::string result;
        forEachStretch(text, [&](std::string_view part, bool valid) {
            result += valid ? changed(part) : std::string(part);
        });
        text = std::move(result);
    }

private:
    static const std::string& ascii()
    {
        static const std::string all = [] {
            std::string made;
            for (int c = 0; c < 128; ++c)
                made += static_cast<char>(c);
            return made;
        }();
        return all;
    }

    std::string changed(std::string_view part) const
    {
        int options = UTF8PROC_STABLE;
        utf8proc_custom_func function = nullptr;
        switch (m_form) {
        case UnicodeForm::Nfc:
            options |= UTF8PROC_COMPOSE;
            break;
        case UnicodeForm::Nfd:
            options |= UTF8PROC_DECOMPOSE;
            break;
        case UnicodeForm::Nfkc:
            options |= UTF8PROC_COMPOSE | UTF8PROC_COMPAT;
            break;
        case UnicodeForm::Nfkd:
            options |= UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT;
            break;
        case UnicodeForm::Lowercase:
            function = [](utf8proc_int32_t c, void*) { return utf8proc_tolower(c); };
            break;
        case UnicodeForm::WithoutMarks:
            return withoutMarks(part);
        }
        utf8proc_uint8_t* made = nullptr;
        const utf8proc_ssize_t length = utf8proc_map_custom(
            reinterpret_cast<const utf8proc_uint8_t*>(part.data()),
            static_cast<utf8proc_ssize_t>(part.size()), &made, static_cast<utf8proc_option_t>(options),
            function, nullptr);
        const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(made, &std::free);
        if (length < 0)
            return std::string(part);
        return { reinterpret_cast<const char*>(made), static_cast<std::size_t>(length) };
    }

    static std::string withoutMarks(std::string_view part)
    {
        std::string result;
        for (std::size_t at = 0; at < part.size();) {
            const std::size_t length = validCharacter(part.substr(at));
            utf8proc_int32_t codePoint = 0;
            utf8proc_iterate(
                reinterpret_cast<const utf8proc_uint8_t*>(part.data()) + at,
                static_cast<utf8proc_ssize_t>(length), &codePoint);
            if (utf8proc_category(codePoint) != UTF8PROC_CATEGORY_MN)
                result += part.substr(at, length);
            at += length;
        }
        return result;
    }

    UnicodeForm m_form;
};

class Strip : public NormaliserStep {
public:
    Strip(bool left, bool right)
        : m_left(left)
        , m_right(right)
    {
    }
    void apply(std::string& text, Place) const override
    {
        constexpr const char* space = " \t\n\v\f\r";
        if (m_right)
            text.erase(text.find_last_not_of(space) + 1);
        if (m_left)
            text.erase(0, text.find_first_not_of(space));
    }

private:
    bool m_left, m_right;
};

} // namespace

StepPointer blanks(const BlankRules& rules) { return std::make_unique<Blanks>(rules); }

StepPointer prefix(const std::string& what, bool afterMark, bool unlessThere)
{
    return std::make_unique<Prefix>(what, afterMark, unlessThere);
}

StepPointer replacement(Pattern pattern, const std::string& by)
{
    return std::make_unique<Replacement>(std::move(pattern), by);
}

StepPointer unicodeForm(UnicodeForm form) { return std::make_unique<Form>(form); }

StepPointer strip(bool left, bool right) { return std::make_unique<Strip>(left, right); }

} // namespace lodestone::text
