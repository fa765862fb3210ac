// Writes a field of a CSV export, the same way from every plot.
#pragma once

#include <QString>

namespace lodestone::ui {

/// The text as one field: quoted when it holds a comma, a quotation mark or a line break (RFC 4180).
QString csvField(QString text);
/// A number with nine digits; empty when it is not finite.
QString csvField(double value);

} // namespace lodestone::ui
