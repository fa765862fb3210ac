#include "ui/plots/palette.h"

#include <algorithm>
#include <cmath>

namespace lodestone::ui {

namespace {

void scaleSizes(Palette& palette, double scale)
{
    palette.scale = scale;
    for (int* size : { &palette.fontSmall, &palette.fontSecondary, &palette.fontText, &palette.fontSentence,
                       &palette.fontFigure, &palette.radiusCard, &palette.radiusControl, &palette.padPanel,
                       &palette.padCard, &palette.gap, &palette.gapSmall, &palette.controlHeight,
                       &palette.grooveHeight, &palette.handle, &palette.iconSize })
        *size = static_cast<int>(std::lround(*size * scale));
    for (double* size :
         { &palette.pointRadius, &palette.lineWidth, &palette.arrowWidth, &palette.hoverRadius })
        *size *= scale;
}

QColor rgb(unsigned value) { return QColor::fromRgb(value | 0xFF000000u); }

double linear(double channel)
{
    return channel <= 0.04045 ? channel / 12.92 : std::pow((channel + 0.055) / 1.055, 2.4);
}

double encoded(double light)
{
    return light <= 0.0031308 ? light * 12.92 : 1.055 * std::pow(light, 1 / 2.4) - 0.055;
}

double luminance(const QColor& colour)
{
    return 0.2126 * linear(colour.redF()) + 0.7152 * linear(colour.greenF())
        + 0.0722 * linear(colour.blueF());
}

} // namespace

Palette Palette::light(double scale)
{
    Palette p;
    p.ground = rgb(0xF6F7F9);
    p.panel = rgb(0xFFFFFF);
    p.control = rgb(0xEEF1F5);
    p.controlHover = rgb(0xE3E8EE);
    p.line = rgb(0xDDE1E7);
    p.grid = rgb(0xE9ECF0);
    p.axis = rgb(0xAEB6C1);
    p.flipped = rgb(0xFFF3CC);
    p.selection = rgb(0xCDD6FA);
    p.text = rgb(0x1B2430);
    p.secondary = rgb(0x5B6675);
    p.faint = rgb(0x626D7C);
    p.accent = rgb(0x3B5BDB);
    p.onAccent = rgb(0xFFFFFF);
    p.success = rgb(0x0F6E4D);
    p.warning = rgb(0x8A5A00);
    p.error = rgb(0xB3261E);
    p.chosen = rgb(0x0072B2);
    p.rejected = rgb(0xD55E00);
    p.chosenText = rgb(0x006AA6);
    p.rejectedText = rgb(0xB04A00);
    p.people = rgb(0x1B2430);
    p.constitution = rgb(0x7B3FA0);
    p.generation = rgb(0x667282);
    p.principles = { rgb(0x7B3FA0), rgb(0x0072B2), rgb(0x117A55), rgb(0x946200),
                     rgb(0xB0417E), rgb(0xC2372E), rgb(0x66700A), rgb(0x8A4B2A) };
    p.rampLow = rgb(0x0072B2);
    p.rampMiddle = rgb(0xF1F1F0);
    p.rampHigh = rgb(0xD55E00);
    scaleSizes(p, scale);
    return p;
}

Palette Palette::dark(double scale)
{
    Palette p;
    p.isDark = true;
    p.ground = rgb(0x12161C);
    p.panel = rgb(0x1A2028);
    p.control = rgb(0x262E39);
    p.controlHover = rgb(0x303A48);
    p.line = rgb(0x2C3440);
    p.grid = rgb(0x20262F);
    p.axis = rgb(0x56606E);
    p.flipped = rgb(0x3A3118);
    p.selection = rgb(0x38437A);
    p.text = rgb(0xE8ECF1);
    p.secondary = rgb(0xA3AEBB);
    p.faint = rgb(0x929DAB);
    p.accent = rgb(0x8EA2FF);
    p.onAccent = rgb(0x12161C);
    p.success = rgb(0x4FC38A);
    p.warning = rgb(0xE3B341);
    p.error = rgb(0xFF8A80);
    p.chosen = rgb(0x56B4E9);
    p.rejected = rgb(0xF08A4B);
    p.chosenText = rgb(0x56B4E9);
    p.rejectedText = rgb(0xF08A4B);
    p.people = rgb(0xFFFFFF);
    p.constitution = rgb(0xC79AEA);
    p.generation = rgb(0x8F9BAA);
    p.principles = { rgb(0xC79AEA), rgb(0x56B4E9), rgb(0x4FC38A), rgb(0xE3B341),
                     rgb(0xF08FB6), rgb(0xF4796B), rgb(0xB9C65A), rgb(0xD9A07A) };
    p.rampLow = rgb(0x56B4E9);
    p.rampMiddle = rgb(0x2A303A);
    p.rampHigh = rgb(0xF08A4B);
    scaleSizes(p, scale);
    return p;
}

QColor Palette::colour(Ink ink) const
{
    switch (ink.role) {
    case Ink::Role::Text:
        return text;
    case Ink::Role::Secondary:
        return secondary;
    case Ink::Role::Accent:
        return accent;
    case Ink::Role::Chosen:
        return chosen;
    case Ink::Role::Rejected:
        return rejected;
    case Ink::Role::Principle:
        return principles[static_cast<std::size_t>(std::max(0, ink.index) % principleCount)];
    case Ink::Role::People:
        return people;
    case Ink::Role::Constitution:
        return constitution;
    case Ink::Role::Generation:
        return generation;
    case Ink::Role::Ramp:
        return rampColour(*this, ink.ramp);
    }
    return text;
}

QColor Palette::colour(Tone tone) const
{
    switch (tone) {
    case Tone::Neutral:
        return text;
    case Tone::Quiet:
        return secondary;
    case Tone::Success:
        return success;
    case Tone::Warning:
        return warning;
    case Tone::Error:
        return error;
    }
    return text;
}

QColor Palette::textColour(Ink ink) const
{
    if (ink.role == Ink::Role::Chosen)
        return chosenText;
    if (ink.role == Ink::Role::Rejected)
        return rejectedText;
    if (ink.role == Ink::Role::Ramp)
        return text;
    return colour(ink);
}

int Palette::ipx(double size) const { return static_cast<int>(std::lround(size * scale)); }

QColor rampColour(const Palette& palette, double value)
{
    if (!std::isfinite(value))
        return palette.rampMiddle;
    const QColor& end = value < 0 ? palette.rampLow : palette.rampHigh;
    const double share = std::min(1.0, std::abs(value));
    const auto channel
        = [share](double a, double b) { return encoded(linear(a) * (1 - share) + linear(b) * share); };
    return QColor::fromRgbF(
        static_cast<float>(channel(palette.rampMiddle.redF(), end.redF())),
        static_cast<float>(channel(palette.rampMiddle.greenF(), end.greenF())),
        static_cast<float>(channel(palette.rampMiddle.blueF(), end.blueF())));
}

QColor withAlpha(QColor colour, double alpha)
{
    colour.setAlphaF(static_cast<float>(std::clamp(alpha, 0.0, 1.0)));
    return colour;
}

QColor mixed(const QColor& back, const QColor& front, double alpha)
{
    const auto channel = [alpha](int a, int b) { return static_cast<int>(std::lround(a + (b - a) * alpha)); };
    return QColor(
        channel(back.red(), front.red()), channel(back.green(), front.green()),
        channel(back.blue(), front.blue()));
}

double contrast(const QColor& a, const QColor& b)
{
    const double first = luminance(a);
    const double second = luminance(b);
    return (std::max(first, second) + 0.05) / (std::min(first, second) + 0.05);
}

QColor readableOn(const QColor& back)
{
    return contrast(QColor(Qt::white), back) >= contrast(QColor(Qt::black), back) ? QColor(Qt::white)
                                                                                  : QColor(Qt::black);
}

QString number(double value, int decimals, bool sign, bool bare)
{
    if (!std::isfinite(value))
        return QStringLiteral("–");
    QString digits = QString::number(std::abs(value), 'f', decimals);
    const bool zero = digits.toDouble() == 0;
    if (bare && digits.startsWith(QLatin1String("0.")))
        digits.remove(0, 1);
    if (zero)
        return digits;
    if (value < 0)
        return QStringLiteral("−") + digits;
    return sign ? QStringLiteral("+") + digits : digits;
}

QString percent(double share) { return number(100 * share, 0); }

} // namespace lodestone::ui
