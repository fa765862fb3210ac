// What one sees, how to read it honestly, the words and the keys: the help of F1.
#pragma once

#include <QDialog>

namespace lodestone::ui {

class Theme;

class HelpDialog : public QDialog {
    Q_OBJECT
public:
    /// Opens at a word of the glossary, or at the top.
    explicit HelpDialog(Theme& theme, const QString& term = {}, QWidget* parent = nullptr);

Q_SIGNALS:
    void statementRequested(const QString& id); ///< a link: "T9"
};

} // namespace lodestone::ui
