// Says what happened, where, and what to do, without stopping the work.
#pragma once

#include "ui/plots/palette.h"

#include <QFrame>

class QLabel;
class QToolButton;
class QPushButton;

namespace lodestone::ui {

class Theme;

/// Hidden until a message is shown. Children's object names: "messageText", "messageDetails",
/// "messageDetailsToggle", "messageAction", "messageClose". Escape closes it when it has the focus.
class MessageBar : public QFrame {
    Q_OBJECT
public:
    explicit MessageBar(Theme& theme, QWidget* parent = nullptr);
    ~MessageBar() override;

    /// `details` (file, key, row) open below on demand; `action` is the text of a button; both may be empty.
    /// Replaces what is shown.
    void showMessage(Tone tone, const QString& text, const QString& details = {}, const QString& action = {});
    void clear();
    QString text() const;

Q_SIGNALS:
    void actionTriggered();
    void closed(); ///< by the user

protected:
    void keyPressEvent(QKeyEvent* event) override;
    void paintEvent(QPaintEvent* event) override;

private:
    void restyle();
    void dismiss();

    Theme& m_theme;
    Tone m_tone = Tone::Neutral;
    QLabel* m_icon = nullptr; // all owned by the widget tree
    QLabel* m_text = nullptr;
    QLabel* m_details = nullptr;
    QToolButton* m_toggle = nullptr;
    QPushButton* m_action = nullptr;
    QToolButton* m_close = nullptr;
};

} // namespace lodestone::ui
