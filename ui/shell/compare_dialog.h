// The open constitution beside another one: what differs, what that does on the open study, and what of it to
// take over.
#pragma once

#include "core/constitution/compare.h"
#include "ui/session/lane.h"

#include <QDialog>

class QLabel;
class QPushButton;
class QTreeWidget;

namespace lodestone::ui {

class Session;
class Theme;

/// Taking over is one undoable edit of the session's constitution.
class CompareDialog : public QDialog {
    Q_OBJECT
public:
    CompareDialog(
        Theme& theme, Session& session, constitution::Constitution other, QWidget* parent = nullptr);

private:
    void fill();
    void judge(); ///< both on the open study, in the background
    void takeOver();
    constitution::MergeChoice chosen() const;
    void refreshButton();

    Session& m_session;
    constitution::Constitution m_other;
    QLabel* m_judged = nullptr; // all owned by the widget tree
    QTreeWidget* m_list = nullptr;
    QPushButton* m_take = nullptr;
    Lane m_lane; // last: its jobs end first
};

} // namespace lodestone::ui
