// The open constitution beside another one: what differs, and what of it to take over.
#pragma once

#include "core/constitution/compare.h"

#include <QDialog>

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
    void takeOver();
    constitution::MergeChoice chosen() const;
    void refreshButton();

    Session& m_session;
    constitution::Constitution m_other;
    QTreeWidget* m_list = nullptr; // all owned by the widget tree
    QPushButton* m_take = nullptr;
};

} // namespace lodestone::ui
