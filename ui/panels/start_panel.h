// The empty state: what one can do first.
#pragma once

#include "ui/session/session.h"

#include <QWidget>

class QPushButton;

namespace lodestone::ui {

class Theme;

class StartPanel : public QWidget {
    Q_OBJECT
public:
    StartPanel(Theme& theme, Session& session, QWidget* parent = nullptr);

Q_SIGNALS:
    void openSampleRequested();
    void openPairsRequested();
    void openStudyRequested();

private:
    void refresh();
    Session& m_session;
    QPushButton* m_fetch = nullptr; // owned by the widget tree
    QPushButton* m_pairs = nullptr;
};

} // namespace lodestone::ui
