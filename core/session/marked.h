// What the user's marks ("this one follows it") do to the direction that a principle's words gave.
#pragma once

#include "core/session/snapshot.h"

namespace lodestone::session {

/// The marks of a principle that this study and this layer know, and how many there are of each kind. Marks
/// on held-out prompts do not train: they would score themselves.
struct KnownMarks {
    std::vector<geometry::Pair> training; ///< chosen: follows, rejected: breaks
    MarksUsed counts;
};
KnownMarks
knownMarks(const Foundation& foundation, const LayerStage& layer, const constitution::Principle& principle);

/// The direction after two marks or more (geometry::fewShot), Sigma-unit, with scores and held-out agreement;
/// `words` is null where words gave none. `used` receives how far the marks moved it. Errors: fewer than two,
/// marks that cancel out.
Result<Direction> markedDirection(
    const LayerStage& layer, const KnownMarks& marks, const Direction* words, std::uint64_t seed,
    MarksUsed& used);

} // namespace lodestone::session
