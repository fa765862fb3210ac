// What is open, at which layer one looks, and what one can always do: the bar at the top.
#pragma once

#include "ui/session/session.h"

#include <QFrame>

class QMainWindow;
class QToolButton;

namespace lodestone::ui {

class LayerScrubber;
class SearchField;
class Theme;

class TopBar : public QFrame {
    Q_OBJECT
public:
    /// Takes the actions of `window` by their object names; they must exist.
    TopBar(Theme& theme, Session& session, QMainWindow& window);
    SearchField& search() { return *m_search; }
    /// Larger type leaves room for the study, the layers and the way back.
    void setPresenter(bool on);

private:
    void refresh();
    QAction* action(const char* object) const;

    Session& m_session;
    QMainWindow& m_window;
    QToolButton *m_studyName = nullptr, *m_modelName = nullptr; // all owned by the widget tree
    LayerScrubber* m_scrubber = nullptr;
    SearchField* m_search = nullptr;
};

} // namespace lodestone::ui
