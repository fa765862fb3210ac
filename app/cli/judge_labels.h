// judge --labels: what raters said at the program, how far they agree, and which pairs to ask about next.
#pragma once

#include "app/cli/context.h"

#include "core/session/snapshot.h"

namespace lodestone::app {

/// The key `labels` of judge, and its lines for people added to `table`. Errors: a file that cannot be read.
Result<Json> labelsJson(const session::Snapshot& snapshot, std::string& table);

} // namespace lodestone::app
