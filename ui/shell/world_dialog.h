// A linear-Gaussian world of known truth to play in: its settings, drawn as a study and opened.
#pragma once

#include "core/theory/linear_world.h"

#include <QDialog>
#include <filesystem>

class QDoubleSpinBox;
class QLabel;
class QLineEdit;
class QPushButton;
class QSpinBox;

namespace lodestone::ui {

class Session;
class Theme;

/// Draws on the session's sweep lane and opens the study; what goes wrong is said in the dialog, which then
/// stays open.
class WorldDialog : public QDialog {
    Q_OBJECT
public:
    WorldDialog(Theme& theme, Session& session, QWidget* parent = nullptr);

private:
    void draw();

    Session& m_session;
    std::vector<std::pair<std::string, QDoubleSpinBox*>> m_fields; // owned by the widget tree
    QSpinBox* m_seed = nullptr;
    QLineEdit* m_folder = nullptr;
    QLabel* m_problem = nullptr;
    QPushButton* m_draw = nullptr;
};

} // namespace lodestone::ui
