// What people want to remember about a principle: free text, from which nothing is computed.
#pragma once

#include "core/constitution/constitution.h"

#include <QDialog>

class QPlainTextEdit;

namespace lodestone::ui {

class Theme;

class NotesDialog : public QDialog {
    Q_OBJECT
public:
    NotesDialog(Theme& theme, const constitution::Principle& principle, QWidget* parent = nullptr);
    std::string notes() const; ///< without blanks at the ends

private:
    QPlainTextEdit* m_text = nullptr; // owned by the widget tree
};

} // namespace lodestone::ui
