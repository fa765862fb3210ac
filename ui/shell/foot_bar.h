// What the model does, what runs now and can be stopped, what is selected, and what reproduces it: the foot.
#pragma once

#include "ui/session/session.h"

#include <QFrame>

class QLabel;

namespace lodestone::ui {

class JobIndicator;
class Theme;

class FootBar : public QFrame {
    Q_OBJECT
public:
    FootBar(Theme& theme, Session& session, QWidget* parent = nullptr);

private:
    void refresh();
    void showProgress(const Progress& progress);

    Session& m_session;
    QLabel *m_modelState = nullptr, *m_selected = nullptr, *m_seed = nullptr; // all owned by the widget tree
    JobIndicator* m_job = nullptr;
};

} // namespace lodestone::ui
