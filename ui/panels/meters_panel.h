// Every score with its interval and its baselines, and every meter with its formula: how far to trust what
// the other places show.
#pragma once

#include "ui/models/text_table_model.h"
#include "ui/session/session.h"

#include <QWidget>

class QLabel;

namespace lodestone::ui {

class ScoreView;
class Theme;

class MetersPanel : public QWidget {
    Q_OBJECT
public:
    MetersPanel(Theme& theme, Session& session, QWidget* parent = nullptr);
    ScoreView& chart() { return *m_chart; }
    TextTable table() const; ///< scores, baselines and meters

Q_SIGNALS:
    void tableRequested();
    void pictureRequested();

protected:
    void showEvent(QShowEvent* event) override;

private:
    void refresh();

    Theme& m_theme;
    Session& m_session;
    QLabel *m_sentence = nullptr, *m_doubts = nullptr, *m_list = nullptr; // all owned by the widget tree
    ScoreView* m_chart = nullptr;
};

} // namespace lodestone::ui
