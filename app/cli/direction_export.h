// The constitution's direction as a file that says what it is and where it comes from.
#pragma once

#include "core/formats/direction_file.h"
#include "core/session/snapshot.h"

namespace lodestone::app {

/// w_c, or its displacement Sigma w_c, with model, layer, position, way, orientation and held-out score; the
/// file's ending decides its format. Needs a snapshot with a judge direction.
Result<void> writeJudgeDirection(
    const session::Snapshot& snapshot, formats::DirectionRole role, const std::filesystem::path& path);

} // namespace lodestone::app
