// What training on the judge would do to the policy: the exact update on candidates beside the closed form.
#pragma once

#include "core/session/snapshot.h"

namespace lodestone::session {

/// The KL-regularised tilt at lambda = 1/beta with its curve along lambda, and the Gaussian closed form
/// (docs/theory.md T4). Reads inputs, layer and judge of `snapshot`.
std::shared_ptr<const PolicyStage> makePolicyStage(const Snapshot& snapshot, Fingerprint key);

} // namespace lodestone::session
