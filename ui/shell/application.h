// Composes the window: theme, session, main window. Nothing else knows all of them.
#pragma once

namespace lodestone::ui {

/// Runs the window: on the study folder given as argument, else on the sample. `resources`: the shipped
/// files.
int runApplication(int argc, char** argv, const char* resources);

} // namespace lodestone::ui
