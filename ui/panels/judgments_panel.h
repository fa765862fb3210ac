// The pairs as people read them, each with the judge's probability, and what the last edit flipped.
#pragma once

#include "ui/models/judgment_model.h"
#include "ui/models/text_table_model.h"
#include "ui/session/session.h"

#include <QFrame>

class QLabel;
class QListView;

namespace lodestone::ui {

class MarkRow;
class SegmentedControl;
class Theme;

class JudgmentsPanel : public QFrame {
    Q_OBJECT
public:
    JudgmentsPanel(Theme& theme, Session& session, QWidget* parent = nullptr);
    TextTable table() const;
    JudgmentModel& model() { return *m_model; }

Q_SIGNALS:
    void tableRequested();

private:
    void refresh();
    void showPair();

    Theme& m_theme;
    Session& m_session;
    QLabel *m_agreement = nullptr, *m_empty = nullptr, *m_detail = nullptr; // all owned by the widget tree
    SegmentedControl* m_filter = nullptr;
    MarkRow* m_mark = nullptr;
    QListView* m_list = nullptr;
    JudgmentModel* m_model = nullptr;
};

} // namespace lodestone::ui
