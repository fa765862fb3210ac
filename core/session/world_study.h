// Writes a drawn linear world as a study, so that the whole program opens it like any other, its truth beside
// it.
#pragma once

#include "core/theory/linear_world.h"

#include <filesystem>

namespace lodestone::session {

struct WorldStudy {
    std::size_t responses = 0, pairs = 0;
    std::filesystem::path
        truth; ///< truth.json: the settings and the read-outs w*, w_J, w_gen and the principles'
};

/// Writes `folder`, which must not hold a finished study. Layers: the embedding (no signal), block 0 (half of
/// it and half noise), block 1 (the world's h). The principles are called kind, honest, harmless and helpful,
/// their words' scores and those of good and bad (w_J) are in the cloze states. Errors: those of drawWorld; a
/// folder that cannot be written.
Result<WorldStudy>
writeWorldStudy(const theory::Values& settings, std::uint64_t seed, const std::filesystem::path& folder);

} // namespace lodestone::session
