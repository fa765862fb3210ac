// One field that finds texts of the study and actions of the window.
#pragma once

#include "ui/session/session.h"

#include <QLineEdit>

namespace lodestone::ui {

class Theme;

class SearchField : public QLineEdit {
    Q_OBJECT
public:
    /// Finds the actions of `window`.
    SearchField(Theme& theme, Session& session, QWidget& window, QWidget* parent = nullptr);
    void fill(); ///< anew: the study or the actions changed
    /// Triggers the action or points at the reply that this text names: exactly, else the first that holds
    /// it.
    void search(const QString& text);

Q_SIGNALS:
    void replyFound(int row);
    void nothingFound(const QString& text);

private:
    Session& m_session;
    QWidget& m_window;
};

} // namespace lodestone::ui
