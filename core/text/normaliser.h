// Changes that a tokenizer makes to text before it looks for tokens: blanks, Unicode forms, replacements.
#pragma once

#include "core/text/pattern.h"
#include "core/text/prefix_index.h"

#include <memory>
#include <string>
#include <vector>

namespace lodestone::text {

/// Where a stretch of plain text stands.
enum class Place {
    Start, ///< it begins the whole text
    AfterMark, ///< a mark (a special or an added token) stands before it
    AfterText ///< other text stands before it: no blank is put there
};

/// One change. Immutable.
class NormaliserStep {
public:
    virtual ~NormaliserStep() = default;
    virtual void apply(std::string& text, Place place) const = 0;
};

using StepPointer = std::unique_ptr<const NormaliserStep>;
using Normaliser = std::vector<StepPointer>;

/// What SentencePiece does with blanks. U+2581, with which it writes a blank, is a blank to us everywhere.
struct BlankRules {
    bool prefix = true; ///< a blank before the text, so that its first word is like any other
    bool prefixAfterMark = true; ///< also after a mark
    bool removeExtra = false; ///< runs become one blank, those at both ends go
};
StepPointer blanks(const BlankRules& rules);

/// Writes `what` before a stretch that is not empty; with `unlessThere` only where it does not begin so
/// already.
StepPointer prefix(const std::string& what, bool afterMark, bool unlessThere);

/// Replaces every match.
StepPointer replacement(Pattern pattern, const std::string& by);

/// The normal forms of Unicode (Annex 15), and the changes that tokenizers combine with them. Bytes that are
/// not UTF-8 stay.
enum class UnicodeForm { Nfc, Nfd, Nfkc, Nfkd, Lowercase, WithoutMarks };
StepPointer unicodeForm(UnicodeForm form);

/// Takes white space off the ends.
StepPointer strip(bool left, bool right);

/// SentencePiece's compiled table of replacements ("nmt_nfkc" and the like): a 32-bit size, a double-array
/// trie of that many bytes, then the replacements, each ended by a zero byte. The longest entry wins;
/// `untouched` are texts that are left as they are. An error names what is wrong with the table; an empty
/// table changes nothing.
Result<StepPointer> characterMap(const std::string& table, PrefixIndex untouched, const std::string& where);

} // namespace lodestone::text
