// Translates the words of what is no QObject.
#pragma once

#include <QCoreApplication>

namespace lodestone::ui {

inline QString tr(const char* text) { return QCoreApplication::translate("Models", text); }

} // namespace lodestone::ui
