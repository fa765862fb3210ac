// Carries the current palette to every widget and turns it into fonts, icons, a QPalette and the style sheet.
#pragma once

#include "ui/plots/palette.h"

#include <QFont>
#include <QIcon>
#include <QObject>
#include <QPalette>
#include <optional>

class QApplication;
class QWidget;

namespace lodestone::ui {

enum class ColourScheme { System, Light, Dark };

/// How the style sheet draws a plain Qt widget; set with setLook.
enum class Look {
    Card, ///< QFrame: rounded, one-pixel line
    CardSelected, ///< QFrame: the same with the accent as its line
    CardFlipped, ///< QFrame: tinted
    Panel, ///< QWidget or QFrame: panel colour, no border
    Ground, ///< QWidget or QFrame: ground colour
    TopBar, ///< QFrame: panel colour, line below
    FootBar, ///< QFrame: panel colour, line above
    Title, ///< QLabel: heading of a panel
    Sentence, ///< QLabel: the finding
    Figure, ///< QLabel: a large number
    Strong, ///< QLabel: text of weight 600
    Secondary, ///< QLabel: 12 px, secondary colour
    Small, ///< QLabel: 11 px, faint
    Success, ///< QLabel: 12 px in the tone's colour
    Warning,
    Error,
    Primary, ///< QPushButton or QToolButton: filled with the accent
    Chip, ///< button: filled with the control colour
    Ghost, ///< button: no fill until hovered
    Segment, ///< button inside a SegmentedControl
    InPlace ///< QLineEdit: text with a dotted line below, edited where it stands
};
/// Gives `widget` a look and repaints it at once.
void setLook(QWidget& widget, Look look);

class Theme : public QObject {
    Q_OBJECT
public:
    /// Reads the platform's colours, so it must exist before apply() replaces them. Needs a QApplication.
    explicit Theme(QObject* parent = nullptr);
    ~Theme() override;

    const Palette& palette() const { return m_palette; }

    ColourScheme scheme() const { return m_scheme; }
    void setScheme(ColourScheme scheme);
    bool presenter() const { return m_palette.scale > 1; }
    void setPresenter(bool on); ///< 1.6 times every size

    /// True when the platform asks for no animations, or a user's choice says so (nullopt: follow the
    /// platform).
    bool reducedMotion() const;
    void setReducedMotion(std::optional<bool> choice) { m_reducedMotion = choice; }
    int animationMs() const { return reducedMotion() ? 0 : 120; }

    /// The window's typeface (Inter with tabular figures, resources/fonts), else the platform's, at `pixels`
    /// (already scaled: a size of palette()). Weights: Normal, Medium, DemiBold.
    QFont font(int pixels, QFont::Weight weight = QFont::Normal) const;
    /// An icon of resources/icons by its name ("undo"), drawn in the text colour (disabled: faint; checked:
    /// accent).
    QIcon icon(const QString& name) const;
    QPixmap pixmap(const QString& name, const QColor& colour, int size, qreal devicePixelRatio) const;

    QString styleSheet() const;
    QPalette qpalette() const;
    /// Style, font, palette and style sheet for the whole application; from then on kept up to date with
    /// every change.
    void apply(QApplication& application);

    bool eventFilter(QObject* watched, QEvent* event) override;

Q_SIGNALS:
    void changed(); ///< after every widget got the new style sheet

private:
    void rebuild();
    bool platformIsDark() const;

    Palette m_palette;
    ColourScheme m_scheme = ColourScheme::System;
    bool m_platformDark = false;
    bool m_applying = false;
    double m_scale = 1;
    std::optional<bool> m_reducedMotion;
    QString m_family; // empty: the platform's
    QApplication* m_application = nullptr;
};

} // namespace lodestone::ui
