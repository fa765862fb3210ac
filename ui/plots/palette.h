// The one place where colours and sizes are written down: widgets, charts, style sheet and exports all read
// this value.
#pragma once

#include <QColor>
#include <QString>
#include <array>

namespace lodestone::ui {

struct Palette;

/// What a mark on a plot stands for. Plots keep inks, not colours, so that a change of theme repaints
/// everything.
struct Ink {
    enum class Role {
        Text,
        Secondary,
        Accent,
        Chosen,
        Rejected,
        Principle, ///< `index` counts the principles, and wraps after principleCount
        People,
        Constitution,
        Generation,
        Ramp ///< a continuous score, `ramp` in [-1, 1] from low to high, neutral at 0
    };
    Role role = Role::Text;
    int index = 0;
    double ramp = 0;

    static constexpr Ink text() { return { Role::Text }; }
    static constexpr Ink secondary() { return { Role::Secondary }; }
    static constexpr Ink accent() { return { Role::Accent }; }
    static constexpr Ink chosen() { return { Role::Chosen }; }
    static constexpr Ink rejected() { return { Role::Rejected }; }
    static constexpr Ink principle(int index) { return { Role::Principle, index }; }
    static constexpr Ink people() { return { Role::People }; }
    static constexpr Ink constitution() { return { Role::Constitution }; }
    static constexpr Ink generation() { return { Role::Generation }; }
    static constexpr Ink onRamp(double value) { return { Role::Ramp, 0, value }; }

    bool operator==(const Ink&) const = default;
};

/// What a sentence tells: the tone decides its text colour and its icon, never the colour alone.
enum class Tone { Neutral, Quiet, Success, Warning, Error };

struct Palette {
    static constexpr int principleCount = 8;

    bool isDark = false;
    double scale
        = 1; ///< 1 in the window, presenterScale in presenter mode; every size below is already scaled

    // Surfaces and lines.
    QColor ground; ///< behind plots
    QColor panel; ///< side panels, cards, pop-ups
    QColor control; ///< buttons, chips, slider grooves
    QColor controlHover;
    QColor line; ///< borders and dividers
    QColor grid; ///< grid of a chart
    QColor axis; ///< axis lines and ticks
    QColor flipped; ///< tint of a judgment that the last edit changed
    QColor selection; ///< behind selected text

    // Text; each has a contrast of at least 4.5 to 1 on ground, panel and flipped.
    QColor text;
    QColor secondary;
    QColor faint; ///< the third level: units, footnotes
    QColor accent; ///< what can be handled
    QColor onAccent; ///< text on a filled accent control
    QColor success;
    QColor warning;
    QColor error;
    QColor chosenText; ///< `chosen` and `rejected` where they are words
    QColor rejectedText;

    // Data. Okabe and Ito (2008), darkened or lightened until they stand out 3 to 1 on both surfaces.
    QColor chosen;
    QColor rejected;
    QColor people;
    QColor constitution;
    QColor generation;
    std::array<QColor, principleCount> principles;
    QColor rampLow; ///< ends of the diverging scale; its middle is rampMiddle
    QColor rampMiddle;
    QColor rampHigh;

    // Sizes in device-independent pixels.
    int fontSmall = 11;
    int fontSecondary = 12;
    int fontText = 13;
    int fontSentence = 17;
    int fontFigure = 20;
    int radiusCard = 8;
    int radiusControl = 6;
    int padPanel = 12;
    int padCard = 10;
    int gap = 8;
    int gapSmall = 4;
    int controlHeight = 24;
    int grooveHeight = 4;
    int handle = 14; ///< diameter of a slider's handle
    int iconSize = 16;

    double pointRadius = 3.2; ///< of a mark in a cloud
    double pointOpacity = 0.6;
    double bandOpacity = 0.18; ///< of an interval's band and of a filled area
    double lineWidth = 1.6;
    double arrowWidth = 2.2;
    double hoverRadius = 12; ///< a pointer this near to a point means the point

    static constexpr double presenterScale = 1.6;
    static Palette light(double scale = 1);
    static Palette dark(double scale = 1);

    QColor colour(Ink ink) const;
    QColor colour(Tone tone) const;
    /// The same ink where it is a word: chosen and rejected have darker text colours.
    QColor textColour(Ink ink) const;
    /// A size of the drawings at scale 1, in pixels of this palette.
    double px(double size) const { return size * scale; }
    int ipx(double size) const;
};

/// The diverging scale at value in [-1, 1] (clamped; not a number gives the middle): blue, neutral, orange,
/// mixed in linear light.
QColor rampColour(const Palette& palette, double value);
/// `colour` with the opacity alpha in [0, 1].
QColor withAlpha(QColor colour, double alpha);
/// The colour that `front` of opacity alpha makes on an opaque `back`.
QColor mixed(const QColor& back, const QColor& front, double alpha);
/// Contrast ratio of two opaque colours, 1 .. 21 (WCAG 2.1, 1.4.3).
double contrast(const QColor& a, const QColor& b);
/// Black or white, whichever reads better on `back`.
QColor readableOn(const QColor& back);

/// A number as the window writes it: true minus sign, `decimals` digits, and no zero before the point when
/// the value is a share, a correlation or another quantity that cannot exceed 1 (`bare`): ".72", "−1.5",
/// "+0.80" with `sign`.
QString number(double value, int decimals, bool sign = false, bool bare = false);

/// A share in whole hundredths: "72"; "–" where there is none.
QString percent(double share);

} // namespace lodestone::ui
