// "Try it": the user's own prompt and two replies, read by the model and judged along the constitution.
#pragma once

#include "ui/session/session.h"

#include <QWidget>

class QLabel;
class QPlainTextEdit;
class QPushButton;

namespace lodestone::ui {

class ProbabilityBar;
class Theme;

class TryPanel : public QWidget {
    Q_OBJECT
public:
    TryPanel(Theme& theme, Session& session, QWidget* parent = nullptr);

protected:
    void showEvent(QShowEvent* event) override;

private:
    void refresh();
    void showTrial();

    Session& m_session;
    QPlainTextEdit *m_prompt = nullptr, *m_first = nullptr, *m_second = nullptr; // owned by the widget tree
    QPushButton *m_run = nullptr, *m_clear = nullptr, *m_fetch = nullptr;
    QLabel *m_state = nullptr, *m_result = nullptr;
    ProbabilityBar* m_bar = nullptr;
};

} // namespace lodestone::ui
