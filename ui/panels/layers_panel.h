// Where in the model the value can be read: held-out accuracy by layer beside its baselines.
#pragma once

#include "ui/models/text_table_model.h"
#include "ui/session/session.h"

#include <QWidget>

class QLabel;

namespace lodestone::ui {

class SeriesView;
class Theme;

class LayersPanel : public QWidget {
    Q_OBJECT
public:
    LayersPanel(Theme& theme, Session& session, QWidget* parent = nullptr);
    SeriesView& chart() { return *m_chart; }
    TextTable table() const;

Q_SIGNALS:
    void tableRequested();
    void pictureRequested();

protected:
    void showEvent(QShowEvent* event) override;

private:
    void refresh();

    Session& m_session;
    QLabel *m_sentence = nullptr, *m_massive = nullptr; // owned by the widget tree
    SeriesView* m_chart = nullptr;
    const session::Sweep* m_shownSweep = nullptr; ///< what is drawn; compared, never followed
    const session::LayerStage* m_shownLayer = nullptr;
};

} // namespace lodestone::ui
