// Figures without a window: the projection as the window paints it, for the command line.
#pragma once

#include "core/session/snapshot.h"

#include <string>

namespace lodestone::ui {

struct FigureOptions {
    std::string across = "constitution", up = "people"; ///< keys of NamedDirection
    std::string colourBy = "label"; ///< label, value, judgment or policy-weight
    int width = 960, height = 640; ///< device-independent pixels; the file has twice as many
    bool dark = false;
};

/// Writes the projection as PNG. Starts Qt's offscreen platform when no application runs, so it needs no
/// display. Errors: an axis that this snapshot has not (with those it has), a size below 200 x 150 or above
/// 8000, a file that cannot be written.
Result<void> writeFigure(
    const session::Snapshot& snapshot, const std::filesystem::path& path, const FigureOptions& options = {});

} // namespace lodestone::ui
