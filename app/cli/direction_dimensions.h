// directions --rank: how many directions carry a value, and in which coordinates.
#pragma once

#include "app/cli/context.h"
#include "core/session/layer_sweep.h"

namespace lodestone::app {

/// Adds `rank`, `removed`, `coordinates` and `capacity` to the document. `also`: other studies of the same
/// pairs, whose models' encoding quality stands beside (each at the layer that cross-validation chooses).
Result<void> addDimensions(
    const session::Foundation& foundation, const session::SweepOptions& options, const std::string& value,
    Layer layer, const std::vector<std::string>& also, Json& document, std::string& table,
    const CommandContext& context);

} // namespace lodestone::app
