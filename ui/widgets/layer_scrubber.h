// Chooses the layer on the curve of held-out accuracy itself, so that where to look and why are one picture.
#pragma once

#include "ui/widgets/control.h"

#include <QStringList>
#include <vector>

namespace lodestone::ui {

/// Drag, wheel, arrow keys (Page Up and Down: four layers; Home and End: the ends) change the layer. The
/// signal tells what the user did; setLayerRow does not emit.
class LayerScrubber : public ValueControl {
    Q_OBJECT
public:
    explicit LayerScrubber(Theme& theme, QWidget* parent = nullptr);
    ~LayerScrubber() override;

    /// Held-out accuracy per layer row (0: the embedding) in [0, 1] with its interval (empty: none) and the
    /// layers' names
    /// ("block 20 output"). A value that is not finite is a gap. Empty: no layers, disabled.
    void setCurve(
        std::vector<double> accuracy, std::vector<double> low, std::vector<double> high, QStringList labels);
    void setCaption(const QString& caption); ///< at first "accuracy by layer, held out"
    void setLayerRow(int row); ///< clamped
    int layerRow() const { return m_row; }
    int layerCount() const { return static_cast<int>(m_accuracy.size()); }
    QPoint positionOf(int row) const; ///< of a layer on the widget

    double number() const override { return m_row; }
    double smallest() const override { return 0; }
    double largest() const override { return layerCount() - 1; }
    double step() const override { return 1; }
    void setByUser(double number) override;
    QString spoken() const override;

    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

Q_SIGNALS:
    void layerRowChanged(int row);

protected:
    void paintEvent(QPaintEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void wheelEvent(QWheelEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;

private:
    QRectF curveRect() const;
    QPointF place(int row, double accuracy) const;
    int rowAt(double x) const;
    QString label() const;

    std::vector<double> m_accuracy;
    std::vector<double> m_low;
    std::vector<double> m_high;
    QStringList m_labels;
    QString m_caption;
    mutable double m_words = 0,
                   m_wordsScale = 0; ///< widest text, and the type's scale that it was measured at
    double m_bottom = 0.4; // of the accuracy axis
    double m_top = 1;
    int m_row = 0;
    int m_wheel = 0; // eighths of a degree not yet used
};

} // namespace lodestone::ui
