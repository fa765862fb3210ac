// Shows which of two replies a judge prefers, and how sure it is, as one split bar.
#pragma once

#include "ui/widgets/control.h"

#include <optional>

namespace lodestone::ui {

class ProbabilityBar : public Control {
    Q_OBJECT
public:
    explicit ProbabilityBar(Theme& theme, QWidget* parent = nullptr);
    ~ProbabilityBar() override;

    /// P(A is preferred) in [0, 1] (clamped; not a number: an empty bar), with an interval drawn as a
    /// whisker.
    void setProbability(double probability, std::optional<std::pair<double, double>> interval = std::nullopt);
    double probability() const { return m_probability; }
    void setNote(const QString& note); ///< in the middle below: "people chose A"
    void setLabelsShown(bool on); ///< the line of text below; on at first
    /// Inks of the two parts; at first chosen and rejected.
    void setInks(Ink a, Ink b);

    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    void describe();

    double m_probability;
    std::optional<std::pair<double, double>> m_interval;
    QString m_note;
    bool m_labels = true;
    Ink m_a = Ink::chosen();
    Ink m_b = Ink::rejected();
};

} // namespace lodestone::ui
