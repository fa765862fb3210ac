// Principles in plain words with their poles and weights: what the user edits, and what selects a subspace.
#pragma once

#include "core/base/fingerprint.h"
#include "core/constitution/scope.h"
#include "core/formats/lines.h"

#include <string>
#include <vector>

namespace lodestone::constitution {

inline constexpr std::size_t longestText = 4000; ///< bytes of a principle's text: about 700 words

/// Of two replies of a study the user said: this one follows the principle, that one does not.
struct Mark {
    std::string follows, breaks; ///< ids of responses
    bool operator==(const Mark&) const = default;
};

/// A principle: a sentence, and two poles in plain words. The direction found from it points to the positive
/// pole.
struct Principle {
    std::string id; ///< unique in its constitution
    std::string name; ///< a few words for a card
    std::string text; ///< one sentence
    std::vector<std::string> positive, negative; ///< single words, lower case
    double weight = 1; ///< -2 .. 2; a negative weight turns the principle round
    bool on = true;
    std::string value; ///< the study's value that it is about; may be empty
    std::string way = "cloze"; ///< one of constitution/ways.h: "cloze" judges by the poles' words
    Scope scope{}; ///< prompts that it applies to
    int priority = 1; ///< 1 .. 9, 1 first: a later one decides only where the earlier cannot tell
    std::vector<Mark> marks{}; ///< from two on they correct the direction (session/marked.h)
    std::string notes{}; ///< for people; nothing is computed from them

    bool operator==(const Principle&) const = default;
};

/// How principles become one judge direction (docs/theory.md 8.1).
enum class Mapping {
    Weighted, ///< w_c = sum a_i b_i with Sigma-unit b_i
    Projection ///< w_c = P_c w_J, w_J the neutral judgment; weights do not enter
};
std::string mappingName(Mapping mapping); ///< "weighted", "projection"
Result<Mapping> parseMapping(const std::string& name);

struct Constitution {
    std::string name;
    Mapping mapping = Mapping::Weighted;
    std::vector<Principle> principles;

    bool operator==(const Constitution&) const = default;
};

/// "kind, polite and caring" -> {"kind", "polite", "caring"}: split at commas, semicolons, "and"/"or"; lower
/// case.
std::vector<std::string> wordsOf(const std::string& text);
std::string joinWords(const std::vector<std::string>& words); ///< "kind, polite, caring"

/// Schema versions 1 and 2 (docs/constitution-format.md). Errors name the principle and the key. Written as
/// version 2 only where a scope, a priority or marks are in use, so that a reader that would ignore them
/// refuses.
Result<Constitution> constitutionFromJson(const nlohmann::json& document, const std::string& where);
nlohmann::ordered_json toJson(const Constitution& constitution);
Result<Constitution> readConstitution(const std::filesystem::path& path);
Result<void> writeConstitution(const std::filesystem::path& path, const Constitution& constitution);

/// What is wrong with a principle's words, as a sentence for the place where the user acts; empty when
/// nothing is.
std::string problemOf(const Principle& principle);

/// One principle per value, with our own default words for the values of the sample study and the value's
/// name otherwise ("kind" against "not kind" has no single word: unknown values get the pole words good /
/// bad).
Constitution constitutionForValues(const std::vector<std::string>& values);

/// The neutral judgment w_J: good against bad, no principle.
Principle neutralPrinciple();

} // namespace lodestone::constitution
