// What one sees, how to read it honestly, and the keys: the help of F1.
#pragma once

#include <QDialog>

namespace lodestone::ui {

class Theme;

class HelpDialog : public QDialog {
    Q_OBJECT
public:
    explicit HelpDialog(Theme& theme, QWidget* parent = nullptr);
};

} // namespace lodestone::ui
