// The finding: one sentence with its doubts, five meters, and the responses in a plane of value directions.
#pragma once

#include "ui/models/named_directions.h"
#include "ui/models/text_table_model.h"
#include "ui/session/session.h"

#include <QWidget>

class QComboBox;
class QLabel;
class QToolButton;

namespace lodestone::ui {

class ScatterView;
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
    void explainRequested(const QString& html);

private:
    void refreshScatter();
    void refreshClasses();
    void refreshGuests();
    void fillAxes();
    int axisIndex(const QComboBox& box) const;

    Theme& m_theme;
    Session& m_session;
    QLabel* m_shares = nullptr; // all owned by the widget tree
    ScatterView* m_scatter = nullptr;
    QComboBox *m_colour = nullptr, *m_axisX = nullptr, *m_axisY = nullptr;
    QWidget* m_key = nullptr;
    QStringList m_keyNames;
    std::vector<NamedDirection> m_directions;
    std::vector<std::pair<QString, QPointF>> m_ghosts; ///< arrow tips before the last edit
    const data::Study* m_shownFor = nullptr;
};

} // namespace lodestone::ui
