// The empty state: what one can do first.
#pragma once

#include "ui/session/session.h"

#include <QWidget>

class QLabel;
class QPushButton;

namespace lodestone::ui {

class ThinBar;
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
    void showProgress(const Progress& progress);

    Session& m_session;
    QPushButton* m_fetch = nullptr; // owned by the widget tree
    QPushButton *m_pairs = nullptr, *m_cancel = nullptr;
    QWidget* m_progress = nullptr; ///< what the model lane does: fetching, loading, capturing
    QLabel* m_progressText = nullptr;
    ThinBar* m_bar = nullptr;
};

} // namespace lodestone::ui
