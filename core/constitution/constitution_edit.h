// Constitutions as people have them: our own files, plain sentences and lists of them.
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

} // namespace lodestone::constitution
