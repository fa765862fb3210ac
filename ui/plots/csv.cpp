#include "ui/plots/csv.h"

#include <cmath>

namespace lodestone::ui {

QString csvField(QString text)
{
    const bool plain = !text.contains(QLatin1Char(',')) && !text.contains(QLatin1Char('"'))
        && !text.contains(QLatin1Char('\n')) && !text.contains(QLatin1Char('\r'));
    if (plain)
        return text;
    text.replace(QLatin1String("\""), QLatin1String("\"\""));
    return QLatin1Char('"') + text + QLatin1Char('"');
}

QString csvField(double value) { return std::isfinite(value) ? QString::number(value, 'g', 9) : QString(); }

} // namespace lodestone::ui
