// The judge under examination: how linear it is, whether it means what it does, what the model says when it
// is asked instead of read, and what could fool it.
#pragma once

#include "ui/panels/audit_panel_figures.h"
#include "ui/session/session.h"

#include <QWidget>
#include <optional>

class QComboBox;
class QDoubleSpinBox;
class QLabel;
class QPushButton;
class QStackedWidget;

namespace lodestone::ui {

class SegmentedControl;
class Theme;

/// The first two places measure while they are in sight, on the sweep lane; the others when the user asks.
class AuditPanel : public QWidget {
    Q_OBJECT
public:
    enum Place { Linear, Enacted, Asked, Adversary };

    AuditPanel(Theme& theme, Session& session, QWidget* parent = nullptr);
    TextTable table() const;
    ChartView& chart() const; ///< of the place in front
    bool settled() const { return m_jobs == 0 && !m_stale; }

Q_SIGNALS:
    void tableRequested();
    void pictureRequested();
    void statementRequested(const QString& id);
    void measured(); ///< table() has new figures

protected:
    void showEvent(QShowEvent* event) override;

private:
    void makeHead();
    void makeControls();
    void placeChanged();
    void fillPrinciples();
    void start(); ///< measures the place in front when it is in sight
    void startLinear();
    void startEnacted();
    void run(); ///< the button of the place: asks the model or searches
    void askToJudge();
    void search();
    void follow(); ///< the second button: shows the pairs, or tries the constitution
    void showPlace(); ///< what is known of the place in front
    void say(const audit::Words& words);
    void showScores(const audit::Scores& scores);
    void refreshControls();
    int principle() const; ///< chosen; -1: none
    Place place() const;

    /// A result and what it was made of.
    template <typename T>
    struct Kept {
        T value;
        Fingerprint key;
    };
    template <typename T>
    void measure(std::optional<Kept<T>>& kept, Fingerprint key, std::function<Result<T>(const Work&)> body);
    Fingerprint keyOf(Place place) const; ///< of the inputs as they are

    Theme& m_theme;
    Session& m_session;
    SegmentedControl* m_segments = nullptr; // all owned by the widget tree
    QStackedWidget* m_charts = nullptr;
    QComboBox *m_choice = nullptr, *m_shots = nullptr;
    QLabel* m_looksName = nullptr;
    QDoubleSpinBox* m_looks = nullptr;
    QPushButton *m_run = nullptr, *m_follow = nullptr;
    QLabel *m_sentence = nullptr, *m_detail = nullptr;
    SeriesView* m_lines = nullptr;
    ScoreView* m_scores = nullptr;

    int m_jobs = 0;
    bool m_stale = true;
    std::optional<Kept<session::Linearity>> m_linear;
    std::optional<Kept<std::vector<session::AskedEnacted>>> m_enacted;
    std::optional<Kept<audit::Asked>> m_asked;
    std::optional<Kept<audit::Adversary>> m_adversary;
    QString m_problem; ///< why the place in front has nothing
};

} // namespace lodestone::ui
