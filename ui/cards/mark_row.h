// "This one follows it": marks the pair one reads as an example of a principle.
#pragma once

#include "ui/session/session.h"

#include <QWidget>

class QComboBox;
class QPushButton;

namespace lodestone::ui {

/// One line: which principle, and which of the two replies follows it. A mark is an edit of the constitution
/// and undoable; pressing the same button again takes it back.
class MarkRow : public QWidget {
    Q_OBJECT
public:
    explicit MarkRow(Session& session, QWidget* parent = nullptr);
    void setPair(int pair); ///< -1: none

private:
    void refresh();
    void mark(bool first);
    int principle() const; ///< -1: none

    Session& m_session;
    int m_pair = -1;
    QComboBox* m_choice = nullptr; // all owned by the widget tree
    QPushButton *m_first = nullptr, *m_second = nullptr;
};

} // namespace lodestone::ui
