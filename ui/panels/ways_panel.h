// Which way of asking finds a principle, at which layer, and which principles pull against each other.
#pragma once

#include "ui/panels/ways_panel_figures.h"
#include "ui/session/session.h"

#include <QWidget>
#include <optional>

class QComboBox;
class QLabel;
class QPushButton;
class QStackedWidget;
class QToolButton;

namespace lodestone::ui {

class HeatmapView;
class SegmentedControl;
class Theme;

/// Scores stored answers on the session's sweep lane, only while it is in sight; asks the model on its lane,
/// only when the user wants it.
class WaysPanel : public QWidget {
    Q_OBJECT
public:
    enum Place { Ways, Conflicts };

    WaysPanel(Theme& theme, Session& session, QWidget* parent = nullptr);
    TextTable table() const;
    HeatmapView& chart() const; ///< of the place in front
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
    HeatmapView* makeGrid(const char* object, const QString& name);
    void placeChanged();
    void fillPrinciples();
    void start(); ///< computes the place in front when it is in sight
    void startBench(const std::shared_ptr<const session::Snapshot>& snapshot);
    void startConflicts(const std::shared_ptr<const session::Snapshot>& snapshot);
    void showBench();
    void showConflicts();
    void choose(int row, int column); ///< a cell of the place in front
    void refreshButtons();
    void judgeByWay(); ///< undoable
    void goToLayer(); ///< undoable
    void ask(); ///< the model, in the ways that gave nothing
    void say(const QString& sentence, const QString& detail);
    const session::BenchRow* chosenRow() const;
    int principle() const; ///< chosen; -1: none
    int columnsThatFit() const; ///< of the grid, at the panel's width

    Theme& m_theme;
    Session& m_session;
    SegmentedControl* m_segments = nullptr; // all owned by the widget tree
    QStackedWidget* m_places = nullptr;
    QWidget* m_controls = nullptr;
    QComboBox* m_choice = nullptr;
    QPushButton *m_ask = nullptr, *m_use = nullptr, *m_go = nullptr;
    QLabel *m_sentence = nullptr, *m_detail = nullptr;
    HeatmapView *m_waysGrid = nullptr, *m_conflictsGrid = nullptr;

    int m_jobs = 0;
    bool m_stale = true;
    std::optional<session::Bench> m_bench;
    Fingerprint m_benchKey; ///< what m_bench was made of
    ways::Grid m_grid;
    std::optional<ways::Conflicts> m_found;
    std::optional<std::pair<int, int>> m_cell; ///< of the bench
};

} // namespace lodestone::ui
