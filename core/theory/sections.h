// The statements by the sections of docs/theory.md; each function is defined in the unit of its name.
#pragma once

#include "core/theory/statement.h"

namespace lodestone::theory {

std::vector<Statement> coreChain(); ///< T1 to T5: from encoding to the policy's gain
std::vector<Statement> coreComparisons(); ///< T6 to T10: when it helps, and judge against generator
std::vector<Statement> coreCapacity(); ///< T11 to T13: ceilings
std::vector<Statement> adversarial(); ///< T14 to T16
std::vector<Statement> composition(); ///< T17 to T20
std::vector<Statement> iteration(); ///< T21 to T24b
std::vector<Statement> labelling(); ///< T25 to T28
std::vector<Statement> position(); ///< T29 to T31
std::vector<Statement> goodhart(); ///< T32 to T36
std::vector<Statement> pools(); ///< T37, T38
std::vector<Statement> strengthening(); ///< T39 to T41
std::vector<Statement> steering(); ///< T42 to T46
std::vector<Statement> audit(); ///< T47 to T51

} // namespace lodestone::theory
