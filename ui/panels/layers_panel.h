// Where in the model the value can be read, held-out accuracy by layer beside its baselines, and how many
// directions of a layer it takes.
#pragma once

#include "core/session/dimensions.h"
#include "ui/models/text_table_model.h"
#include "ui/session/session.h"

#include <QWidget>

class QLabel;

namespace lodestone::ui {

class SegmentedControl;
class SeriesView;
class Theme;

/// The sweep of all layers is the session's; the rank of the layer on show is measured when it is looked at,
/// on the session's sweep lane.
class LayersPanel : public QWidget {
    Q_OBJECT
public:
    enum Place { ByLayer, ByRank };

    LayersPanel(Theme& theme, Session& session, QWidget* parent = nullptr);
    SeriesView& chart() { return *m_chart; }
    TextTable table() const;
    bool settled() const { return m_jobs == 0; }

Q_SIGNALS:
    void measured(); ///< table() has new figures
    void tableRequested();
    void pictureRequested();

protected:
    void showEvent(QShowEvent* event) override;

private:
    void refresh();
    void showSweep();
    void startRank();
    void showRank();
    TextTable sweepTable() const;
    TextTable rankTable() const;

    Session& m_session;
    QLabel *m_sentence = nullptr, *m_massive = nullptr; // owned by the widget tree
    SeriesView* m_chart = nullptr;
    SegmentedControl* m_segments = nullptr;
    int m_jobs = 0;
    std::optional<session::Dimensions> m_found;
    const session::LayerStage* m_foundFor = nullptr; ///< compared, never followed
    const session::Sweep* m_shownSweep = nullptr; ///< what is drawn; compared, never followed
    const session::LayerStage* m_shownLayer = nullptr;
};

} // namespace lodestone::ui
