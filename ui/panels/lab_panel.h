// The policy lab: pipelines at one KL, over-optimisation, DPO's curves, failures with doses, rounds, and what
// training strengthens, all on the open study.
#pragma once

#include "ui/panels/lab_panel_figures.h"
#include "ui/session/session.h"

#include <QWidget>

class QComboBox;
class QLabel;
class QPushButton;
class QSlider;
class QStackedWidget;
class QTimer;
class QToolButton;

namespace lodestone::ui {

class SegmentedControl;
class Theme;
class ThinBar;

/// Computes on the session's sweep lane, only while it is in sight; every change of a control or of the
/// snapshot starts the place in front anew.
class LabPanel : public QWidget {
    Q_OBJECT
public:
    static constexpr int sliderSteps = 100;
    enum Place { Pipelines, Principles, Overoptimisation, Dpo, Failures, Rounds, Mixer };

    LabPanel(Theme& theme, Session& session, QWidget* parent = nullptr);
    void choose(Place place);
    TextTable table() const;
    ChartView* chart() const; ///< of the place in front; null where it is drawn as rows
    bool settled() const { return m_jobs == 0 && !m_stale; } ///< nothing is being computed

Q_SIGNALS:
    void tableRequested();
    void chartChanged(); ///< chart() is another one, or none
    void statementRequested(const QString& id); ///< a link in its words: "T9"
    void measured(); ///< table() has new figures

protected:
    void showEvent(QShowEvent* event) override;

private:
    void buildHead();
    void buildPlaces();
    QWidget* buildRows(IntervalRows*& rows, const char* object);
    SeriesView* buildChart(const char* object, const QString& name, const QString& x, const QString& y);
    QSlider* addSlider(QWidget* row, const char* object, const QString& name);
    void placeChanged();
    void start(); ///< computes the place in front when it is in sight
    template <typename T>
    void run(std::function<Result<T>(const policy::World&, const Work&)> body, std::function<void(T)> show);
    void forget(); ///< everything measured, with its study
    void showPrinciples();
    void makeRepair(); ///< the edit that "By principle" names; undoable
    void showFailure();
    void showMixer();
    void showRound(int round);
    void say(const QString& sentence, const QString& detail);
    double kl() const;
    double dose() const;
    void setUsualDose(); ///< of the failure chosen
    void refreshControls();
    std::vector<policy::Mechanism> knobs() const;
    policy::Credit trainedCredit() const; ///< by the stages chosen

    Theme& m_theme;
    Session& m_session;
    SegmentedControl* m_segments = nullptr; // all owned by the widget tree
    QStackedWidget* m_places = nullptr;
    QVector<QWidget*> m_controls; ///< one row a place
    QWidget* m_knobs = nullptr; ///< second row of the mechanisms
    QPushButton* m_repair = nullptr;
    QLabel *m_sentence = nullptr, *m_detail = nullptr, *m_budgetText = nullptr, *m_doseText = nullptr,
           *m_roundText = nullptr;
    ThinBar* m_progress = nullptr;
    QSlider *m_budget = nullptr, *m_dose = nullptr, *m_time = nullptr;
    QComboBox *m_rule = nullptr, *m_failure = nullptr, *m_rounds = nullptr, *m_desk = nullptr,
              *m_stage = nullptr;
    QToolButton* m_play = nullptr;
    QTimer* m_timer = nullptr;
    QVector<QSlider*> m_activations;
    QVector<QLabel*> m_knobNames;
    IntervalRows *m_pipelineRows = nullptr, *m_principleRows = nullptr, *m_failureRows = nullptr,
                 *m_mixerRows = nullptr;
    SeriesView *m_overoptimisation = nullptr, *m_rewards = nullptr, *m_logps = nullptr, *m_doses = nullptr,
               *m_roundChart = nullptr;

    int m_jobs = 0;
    bool m_stale = true;
    std::vector<policy::PipelineRow> m_pipelines;
    std::optional<session::PrincipleEffects> m_effects;
    std::optional<policy::Overoptimisation> m_found;
    policy::TrainedPolicy m_trained;
    std::optional<policy::FailureEffect> m_effect;
    std::vector<policy::FailureEffect> m_curve;
    std::vector<policy::RoundState> m_states;
    std::vector<policy::Mechanism> m_studyMechanisms;
};

} // namespace lodestone::ui
