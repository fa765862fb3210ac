// Tells what runs, how far it is and how long it will take, and lets one stop it.
#pragma once

#include <QWidget>

class QLabel;
class QPushButton;

namespace lodestone::ui {

class Theme;
class ThinBar;

/// One line for the foot of the window: text, thin bar, time left, Cancel. Hidden while nothing runs.
/// Children's object names: "jobText", "jobLeft", "jobCancel".
class JobIndicator : public QWidget {
    Q_OBJECT
public:
    explicit JobIndicator(Theme& theme, QWidget* parent = nullptr);
    ~JobIndicator() override;

    /// `fraction` in [0, 1], negative when unknown (a block in the middle of the bar); `secondsLeft` negative
    /// when unknown.
    void setJob(const QString& text, double fraction, double secondsLeft);
    void setCancelling(); ///< the request was made: says so and disables the button
    void clear();

    /// "0:14 left", "1:02:05 left"; empty when unknown.
    static QString timeLeft(double seconds);

Q_SIGNALS:
    void cancelRequested();

private:
    QLabel* m_text = nullptr; // all owned by the widget tree
    QLabel* m_left = nullptr;
    ThinBar* m_bar = nullptr;
    QPushButton* m_cancel = nullptr;
};

} // namespace lodestone::ui
