#include "core/text/normaliser.h"

#include "core/text/vocabulary.h"

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
            for (const char c : text)
                if (c != ' ' || (!kept.empty() && kept.back() != ' '))
                    kept += c;
            text = std::move(kept);
        }
        text = withBlanks(text);
        if (m_rules.removeExtra)
            text.erase(text.find_last_not_of(' ') + 1);
        if (!text.empty() && m_rules.prefix && (place == Place::Start || m_rules.prefixAfterMark))
            text.insert(text.begin(), ' ');
    }

private:
    BlankRules m_rules;
};

} // namespace

std::unique_ptr<const NormaliserStep> blanks(const BlankRules& rules)
{
    return std::make_unique<Blanks>(rules);
}

} // namespace lodestone::text
