// Everything about one layer that no edit of the constitution changes, made in one pass over its activations.
#pragma once

#include "core/session/snapshot.h"

namespace lodestone::session {

/// Activations of `inputs.layer` and `inputs.position`, their standardiser, Sigma and ridge factor, people's,
/// the generation and the neutral direction, and the pool of candidates. Errors: a layer or position that the
/// study has not, fewer rows than a covariance needs.
Result<std::shared_ptr<const LayerStage>>
makeLayerStage(const Foundation& foundation, const Inputs& inputs, Fingerprint key, const Work& work = {});

} // namespace lodestone::session
