// One principle of the constitution on a card: on/off, name, text, poles, weight and how far to trust it.
#pragma once

#include "ui/session/session.h"

#include <QFrame>

class QCheckBox;
class QLabel;
class QLineEdit;
class QToolButton;

namespace lodestone::ui {

class Swatch;
class Theme;
class WeightSlider;

class PrincipleCard : public QFrame {
    Q_OBJECT
public:
    PrincipleCard(Theme& theme, Session& session, int index, QWidget* parent = nullptr);
    void showInputs(); ///< from the session's inputs
    void showEvidence(); ///< from the session's snapshot

private:
    const constitution::Principle* principle() const;
    void change(
        const QString& text, const std::function<void(constitution::Principle&)>& edit,
        const QString& merge = {});
    void commitPoles();
    void showMarks(const session::MarksUsed& marks);
    void showMarked(); ///< as the selection
    void fillMenu(QToolButton* button);

    Theme& m_theme;
    Session& m_session;
    int m_index;
    QCheckBox* m_on = nullptr; // all owned by the widget tree
    QLineEdit *m_name = nullptr, *m_text = nullptr, *m_positive = nullptr, *m_negative = nullptr;
    WeightSlider* m_weight = nullptr;
    QLabel *m_heldOut = nullptr, *m_linear = nullptr, *m_status = nullptr, *m_limits = nullptr;
};

} // namespace lodestone::ui
