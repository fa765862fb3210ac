// What every test of the window begins with: settings of its own, a theme, a session, the sample study open.
#pragma once

#include "ui/plots/theme.h"
#include "ui/session/session.h"

#include <memory>

namespace lodestone::testing {

/// Applied to the application; light, or dark where LODESTONE_DARK is set. Settings of the person who runs
/// the test are neither read nor written from here on.
std::unique_ptr<ui::Theme> testTheme();

/// With the resources of the source tree.
std::unique_ptr<ui::Session> testSession();

/// Opens a study, the sample by default, and waits until its figures are there; false after a minute.
bool openStudy(ui::Session& session, const std::filesystem::path& study = {});

/// Saves a picture of `widget` as NAME-light.png or NAME-dark.png where LODESTONE_PICTURES names a folder.
void keepPicture(QWidget& widget, const ui::Theme& theme, const char* name);

} // namespace lodestone::testing
