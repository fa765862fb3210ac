// The finding: one sentence with its doubts, five meters, and the responses in a plane of value directions.
#pragma once

#include "ui/models/named_directions.h"
#include "ui/models/text_table_model.h"
#include "ui/session/session.h"

#include <QWidget>
#include <array>

class QComboBox;
class QLabel;
class QToolButton;

namespace lodestone::ui {

class MeterCard;
class ScatterView;
class Swatch;
class Theme;

class ProjectionPanel : public QWidget {
    Q_OBJECT
public:
    ProjectionPanel(Theme& theme, Session& session, QWidget* parent = nullptr);
    ScatterView& scatter() { return *m_scatter; }
    TextTable table() const; ///< every reply with its coordinates and scores

Q_SIGNALS:
    void tableRequested();
    void pictureRequested();
    void explainRequested(const QString& title, const QString& html);

private:
    void refresh();
    void refreshSentence();
    void refreshMeters();
    void refreshScatter();
    void refreshClasses();
    void fillAxes();
    int axisIndex(const QComboBox& box) const;
    void explainMeter(int meter, bool toggle);

    Theme& m_theme;
    Session& m_session;
    QLabel *m_sentence = nullptr, *m_doubts = nullptr, *m_shares = nullptr; // all owned by the widget tree
    std::array<MeterCard*, 5> m_meters{};
    ScatterView* m_scatter = nullptr;
    QComboBox *m_colour = nullptr, *m_axisX = nullptr, *m_axisY = nullptr;
    QWidget* m_key = nullptr;
    std::vector<NamedDirection> m_directions;
    std::vector<std::pair<QString, QPointF>> m_ghosts; ///< arrow tips before the last edit
    const session::Foundation* m_shownFor = nullptr;
    QVector<int> m_shown; ///< rows drawn; all of the layer's rows
    int m_explained = -1;
};

} // namespace lodestone::ui
