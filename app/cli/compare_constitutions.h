// info --compare: two constitutions side by side, and what their difference does on a study.
#pragma once

#include "app/cli/context.h"

namespace lodestone::app {

/// `study` empty: the documents alone. `layer` as the other commands read it; empty: chosen inside training.
Result<void> compareConstitutions(
    const std::string& first, const std::string& second, const std::string& study, const std::string& layer,
    const CommandContext& context);

} // namespace lodestone::app
