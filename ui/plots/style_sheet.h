// Draws plain Qt widgets in the window's language of form; the only style sheet of the program.
#pragma once

#include "ui/plots/palette.h"

namespace lodestone::ui {

/// The application's style sheet. Widgets choose their rules by the property `look` (ui/plots/theme.h,
/// setLook).
QString styleSheetFor(const Palette& palette);

} // namespace lodestone::ui
