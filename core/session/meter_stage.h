// The meters of a constitution: how well a value is encoded, judged, written, and how far that can carry.
#pragma once

#include "core/session/snapshot.h"

namespace lodestone::session {

/// All meters but the noise ceiling (docs/theory.md T1, T6, T9, T11, section 8), on held-out prompts, with
/// bootstrap intervals over them. Reads inputs, foundation, layer and judge of `snapshot`.
std::shared_ptr<const MeterStage> makeMeterStage(const Snapshot& snapshot, Fingerprint key);

/// The same snapshot with the noise ceiling of cos(w*, w_c), which takes refits on halves (docs/theory.md
/// 8.4).
Result<std::shared_ptr<const Snapshot>>
refineMeters(const std::shared_ptr<const Snapshot>& snapshot, const Work& work = {});

} // namespace lodestone::session
