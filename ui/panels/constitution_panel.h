// The constitution: one card per principle, with its poles, weight and evidence, all edited in place.
#pragma once

#include "ui/models/text_table_model.h"
#include "ui/session/session.h"

#include <QFrame>
#include <QVector>

class QLabel;
class QPushButton;
class QToolButton;
class QVBoxLayout;

namespace lodestone::ui {

class PrincipleCard;
class SegmentedControl;
class Theme;

class ConstitutionPanel : public QFrame {
    Q_OBJECT
public:
    ConstitutionPanel(Theme& theme, Session& session, QWidget* parent = nullptr);
    void addPrinciple(); ///< an empty-handed start: "helpful" words to be changed in place
    /// Preset files, by name; filled from the resources.
    QToolButton* presets() const { return m_presets; }
    TextTable table() const; ///< principles with their evidence

Q_SIGNALS:
    void tableRequested();
    void compareRequested(const QString& path); ///< a shipped constitution's file; empty: one to be chosen

private:
    void rebuild(); ///< as many cards as principles
    void orderFocus();
    void refresh(); ///< new evidence

    Theme& m_theme;
    Session& m_session;
    QToolButton *m_presets = nullptr, *m_table = nullptr; // all owned by the widget tree
    QPushButton* m_add = nullptr;
    SegmentedControl* m_mapping = nullptr;
    QVBoxLayout* m_cards = nullptr;
    QLabel* m_conflicts = nullptr;
    QVector<PrincipleCard*> m_list;
};

} // namespace lodestone::ui
