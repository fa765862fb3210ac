// One figure of the finding with its scale, its interval and what it is measured on; a click tells how.
#pragma once

#include "ui/widgets/control.h"

#include <optional>

namespace lodestone::ui {

class MeterCard : public Control {
    Q_OBJECT
public:
    explicit MeterCard(Theme& theme, QWidget* parent = nullptr);
    ~MeterCard() override;

    void setTitle(const QString& title);
    void setValueText(const QString& text); ///< large; "–" when there is no value
    /// What the bar's ends stand for; it is filled from zero, or from the lower end where that is above. 0 to
    /// 1 unless set.
    void setScale(double low, double high);
    /// Where the bar ends, cut at the scale's ends; nullopt: no bar is filled.
    void setFraction(std::optional<double> fraction);
    /// Ends of the whisker on the same scale as the bar.
    void setInterval(std::optional<std::pair<double, double>> interval);
    void setNote(const QString& note); ///< small, below: the interval or the base in words
    void setTone(Tone tone); ///< Quiet: stale or not measured; Warning: read the note
    void setChecked(bool on); ///< its explanation is open
    QString valueText() const { return m_value; }

    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

Q_SIGNALS:
    void clicked(); ///< click, Enter or Space

protected:
    void paintEvent(QPaintEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;

private:
    void describe();

    QString m_title;
    QString m_value;
    QString m_note;
    double m_low = 0, m_high = 1;
    std::optional<double> m_fraction;
    std::optional<std::pair<double, double>> m_interval;
    Tone m_tone = Tone::Neutral;
    bool m_checked = false;
    bool m_down = false;
};

} // namespace lodestone::ui
