// From a study to a statement of the theory: the study's own values for its inputs, and what was measured
// beside what its formula gives.
#pragma once

#include "core/session/snapshot.h"
#include "core/theory/statement.h"

namespace lodestone::session {

/// A quantity of the statement as the study has it.
struct StudyMeasured {
    std::string output; ///< the statement's name for it
    geometry::Estimate value; ///< 95 % interval over prompts
};

struct StudyValues {
    theory::Quantities inputs; ///< as measured, within each input's range
    std::vector<StudyMeasured> measured; ///< where the study has a counterpart; may be empty
    std::string says; ///< what stands for what, and what lay outside an input's range
};

/// Statements with a counterpart on a study.
bool hasStudyValues(std::string_view statement);

/// Why a statement has no counterpart, and what measures its quantities instead.
std::string noStudyValues(std::string_view statement);

/// True value: people's direction w*, standard deviation 1 within a prompt. Correlations: within prompts over
/// the held-out candidates of the policy, where the gains are measured too. Errors: a statement that has no
/// counterpart; a study that lacks what it needs (people's labels, a judge, likelihoods, a second principle).
Result<StudyValues> studyValues(const Snapshot& snapshot, std::string_view statement);

} // namespace lodestone::session
