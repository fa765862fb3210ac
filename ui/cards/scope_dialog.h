// Where a principle applies and in which order: its scope and its priority, with what the scope covers in the
// open study.
#pragma once

#include "core/constitution/constitution.h"

#include <QDialog>

class QLabel;
class QLineEdit;
class QSpinBox;

namespace lodestone::ui {

class Session;
class Theme;

class ScopeDialog : public QDialog {
    Q_OBJECT
public:
    ScopeDialog(
        Theme& theme, const Session& session, const constitution::Principle& principle,
        QWidget* parent = nullptr);
    constitution::Scope scope() const;
    int priority() const;

private:
    void count();

    const Session& m_session;
    QLineEdit *m_contains = nullptr, *m_lacks = nullptr; // all owned by the widget tree
    QSpinBox* m_priority = nullptr;
    QLabel* m_covers = nullptr;
};

} // namespace lodestone::ui
