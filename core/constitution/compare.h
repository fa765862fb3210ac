// Two constitutions side by side: what differs, principle by principle and field by field, and one made of
// both.
#pragma once

#include "core/constitution/constitution.h"

#include <string>
#include <vector>

namespace lodestone::constitution {

/// One field of a principle as it stands in either constitution, in words.
struct FieldDifference {
    std::string
        field; ///< the file's key: "text", "positive", "weight", ...; "sign" when a weight turned round
    std::string first, second;
};
/// Every field in which two principles differ, in the order of the file.
std::vector<FieldDifference> fieldsThatDiffer(const Principle& first, const Principle& second);

/// What differs between two constitutions. Principles are matched by id, then by name, then by equal text;
/// each is matched once. Their order does not count.
struct ConstitutionDiff {
    struct Change {
        Principle first, second;
        std::vector<FieldDifference> fields;
    };
    std::vector<Principle> added; ///< only in the second
    std::vector<Principle> removed; ///< only in the first
    std::vector<Change> changed;
    bool mappingChanged = false;
    bool empty() const { return added.empty() && removed.empty() && changed.empty() && !mappingChanged; }
};
ConstitutionDiff diff(const Constitution& first, const Constitution& second);

/// What to take over from the second constitution.
struct MergeChoice {
    std::vector<std::string> take; ///< ids in the second: principles added or changed there
    std::vector<std::string> drop; ///< ids in the first of principles that the second lacks
    bool mapping = false;

    bool empty() const { return take.empty() && drop.empty() && !mapping; }
};
/// The first constitution with what was chosen: a changed principle is replaced where it stands, an added one
/// comes last. Ids stay unique, since principles of one id are matched. Taking everything leaves no
/// difference to the second. Errors: an id that is not there.
Result<Constitution> merge(const Constitution& first, const Constitution& second, const MergeChoice& choice);
/// All that differs.
MergeChoice everything(const ConstitutionDiff& difference);

} // namespace lodestone::constitution
