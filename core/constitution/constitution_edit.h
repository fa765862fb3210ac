// Constitutions as documents: made from plain sentences, compared, and merged.
#pragma once

#include "core/constitution/constitution.h"

#include <string>
#include <vector>

namespace lodestone::constitution {

/// One principle per sentence, judged by its text (way conditioned-cloze, poles good / bad): a sentence has
/// no poles of its own. Empty ones are dropped; list marks ("1.", "-", "*") are taken off. Errors: no
/// sentence at all; one of more than about 700 words, with its number.
Result<Constitution> constitutionFromSentences(
    const std::vector<std::string>& sentences, const std::string& name, const std::string& where);

/// Reads what people have: our format; ICAI's 060_constitution.json (a JSON text of numbered lines, or a list
/// of texts; Findeis et al. 2024); a .txt or .md file with a sentence a line.
Result<Constitution> importConstitution(const std::filesystem::path& path);

/// What differs between two constitutions; principles are matched by id, then by equal text.
struct ConstitutionDiff {
    struct Change {
        Principle before, after;
        std::vector<std::string> keys; ///< "weight", "positive", ...
    };
    std::vector<Principle> added, removed;
    std::vector<Change> changed;
    bool mappingChanged = false;
    bool empty() const { return added.empty() && removed.empty() && changed.empty() && !mappingChanged; }
};
ConstitutionDiff diff(const Constitution& before, const Constitution& after);

/// `ours` with the principles that only `theirs` has; of those in both, ours stay, and their ids are listed
/// in `kept` where they differ. Ids that would collide get "-2", "-3", ...
struct Merged {
    Constitution constitution;
    std::vector<std::string> kept; ///< ids that differ in the two, taken from `ours`
};
Merged merge(const Constitution& ours, const Constitution& theirs);

} // namespace lodestone::constitution
