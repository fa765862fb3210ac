// One field that finds texts of the study, actions of the window, statements and words of the theory.
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
    /// Triggers the action or points at what this text names: exactly, else the first entry that holds it.
    void search(const QString& text);

Q_SIGNALS:
    void replyFound(int row);
    void statementFound(const QString& id); ///< "T9"
    void termFound(const QString& id); ///< of the glossary
    void searched(); ///< something was found, after a search that may have found nothing
    void nothingFound(const QString& text);

protected:
    bool eventFilter(QObject* watched, QEvent* event) override; ///< keeps the list within the window

private:
    Theme& m_theme;
    Session& m_session;
    QWidget& m_window;
};

} // namespace lodestone::ui
