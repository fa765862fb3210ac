// The statements to play with: one at a time, its inputs as sliders, its picture, its curve with simulated
// points.
#pragma once

#include "core/plot/picture.h"
#include "ui/panels/theory_panel_figures.h"
#include "ui/session/lane.h"

#include <QWidget>
#include <optional>

class QComboBox;
class QGridLayout;
class QLabel;
class QPushButton;
class QScrollArea;
class QSlider;
class QToolButton;

namespace lodestone::ui {

class PictureView;
class SeriesView;
class Theme;

/// Formulas and simulations run on a lane of the panel's own and need no study. With one open, its own values
/// set the sliders and what was measured on it stands beside the formula.
class TheoryPanel : public QWidget {
    Q_OBJECT
public:
    explicit TheoryPanel(Theme& theme, QWidget* parent = nullptr);
    ~TheoryPanel() override;

    void choose(const QString& id); ///< "T9"
    /// The study's snapshot from now on; null: none.
    void setSnapshot(std::shared_ptr<const session::Snapshot> snapshot);
    void showStudy(); ///< sets the sliders to the study's values; nothing where it has none
    const theory::Statement& statement() const { return *m_statement; }
    const theory::Values& values() const { return m_values; }
    SeriesView& chart() { return *m_chart; }
    PictureView& picture() { return *m_picture; }
    TextTable table() const; ///< formula and simulation at the present values, then the curve
    bool settled() const { return !m_lane.busy(); }

Q_SIGNALS:
    void tableRequested();
    void pictureRequested();

protected:
    void showEvent(QShowEvent* event) override; // computes nothing before it is seen

private:
    struct Shown { // what one setting of the sliders gives
        theory::Quantities outputs;
        std::optional<plot::Picture> scene;
        statement::Curve curve;
    };
    void makeHead();
    void makeSliders();
    void setValue(const std::string& name, double value);
    void refresh();
    void showResult(const Shown& shown);
    void showSimulation(const statement::Simulated& simulated);
    void drawSeries();
    void refreshStudy(); ///< whether it has values for this statement, and which
    statement::Setting setting() const; ///< refers to members
    bool atStudy() const; ///< the sliders stand there

    Theme& m_theme;
    const theory::Statement* m_statement = nullptr;
    theory::Values m_values;
    theory::Quantities m_outputs;
    statement::Curve m_curve;
    statement::Simulated m_simulated;
    QComboBox* m_choice = nullptr; // all owned by the widget tree
    QToolButton* m_reset = nullptr;
    QPushButton* m_study = nullptr;
    QLabel *m_words = nullptr, *m_formula = nullptr, *m_here = nullptr, *m_small = nullptr,
           *m_title = nullptr, *m_state = nullptr;
    PictureView* m_picture = nullptr;
    QWidget* m_pictureSide = nullptr;
    SeriesView* m_chart = nullptr;
    QScrollArea* m_sliders = nullptr;
    std::vector<std::pair<QSlider*, QLabel*>> m_controls; ///< one an input
    std::shared_ptr<const session::Snapshot> m_snapshot;
    std::optional<session::StudyValues> m_studyValues; ///< for the statement chosen
    bool m_stale = false;
    Lane m_lane;
};

} // namespace lodestone::ui
