// Changes that a tokenizer makes to text before it looks for tokens: blanks, Unicode forms, replacements.
#pragma once

#include <memory>
#include <string>
#include <vector>

namespace lodestone::text {

/// Where a stretch of plain text stands.
enum class Place {
    Start, ///< it begins the whole text
    AfterMark ///< a mark (a special or an added token) stands before it
};

/// One change. Immutable.
class NormaliserStep {
public:
    virtual ~NormaliserStep() = default;
    virtual void apply(std::string& text, Place place) const = 0;
};

using Normaliser = std::vector<std::unique_ptr<const NormaliserStep>>;

/// What SentencePiece does with blanks. U+2581, with which it writes a blank, is a blank to us everywhere.
struct BlankRules {
    bool prefix = true; ///< a blank before the text, so that its first word is like any other
    bool prefixAfterMark = true; ///< also after a mark
    bool removeExtra = false; ///< runs become one blank, those at both ends go
};
std::unique_ptr<const NormaliserStep> blanks(const BlankRules& rules);

} // namespace lodestone::text
