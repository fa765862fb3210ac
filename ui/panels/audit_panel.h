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
    static constexpr std::size_t mostPairs = 200; ///< held out, that the model is asked about in both orders

    AuditPanel(Theme& theme, Session& session, QWidget* parent = nullptr);
    TextTable table() const;
    ChartView& chart() const; ///< of the place in front
    bool settled() const { return !m_running && !m_stale; }

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
    void forget(); ///< another study
    void start(); ///< measures the place in front when it is in sight
    void startLinear();
    void startEnacted();
    void run(); ///< the button of the place: asks the model or searches
    void askToJudge();
    void search();
    void follow(); ///< the second button: shows the pairs, or tries the constitution
    void showPlace(); ///< what is known of the place in front
    void showLinear();
    void showAsked();
    void say(const audit::Words& words);
    void showScores(const audit::Scores& scores);
    void refreshControls();
    int principle() const; ///< chosen; -1: none
    Place place() const;
    QString whyNot() const; ///< the place in front cannot be run on this study; empty: it can
    bool shows(const std::shared_ptr<const data::Study>& study) const; ///< it is the one that is open

    /// A result and what it was made of.
    template <typename T>
    struct Kept {
        T value;
        Fingerprint key;
    };
    template <typename T>
    void measure(std::optional<Kept<T>>& kept, Fingerprint key, std::function<Result<T>(const Work&)> body);
    Fingerprint askedKey() const, adversaryKey() const;
    static QString judgeKind(); ///< of the jobs on the lanes
    static QString searchKind();
    std::vector<Layer> curveLayers() const;

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

    bool m_stale = true;
    std::optional<Fingerprint> m_running; ///< what is being measured for the place in front
    std::optional<Kept<audit::Linear>> m_linear;
    std::optional<Kept<std::vector<session::AskedEnacted>>> m_enacted;
    std::optional<Kept<judgment::PromptedJudgments>> m_said;
    std::optional<audit::Asked> m_asked; ///< m_said beside the linear judge as it is now
    std::optional<Kept<audit::Adversary>> m_adversary;
    QString m_problem; ///< why what was measured for the place in front gave nothing
};

} // namespace lodestone::ui
