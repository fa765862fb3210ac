// "Speak": the same prompt answered by the model as it is and pushed along a direction, with what says
// whether the push broke it.
#pragma once

#include "ui/models/named_directions.h"
#include "ui/session/session.h"

#include <QWidget>
#include <array>

class QCheckBox;
class QComboBox;
class QLabel;
class QPlainTextEdit;
class QPushButton;

namespace lodestone::ui {

class ArrowSlider;
class Theme;

class SpeakPanel : public QWidget {
    Q_OBJECT
public:
    SpeakPanel(Theme& theme, Session& session, QWidget* parent = nullptr);

private:
    QWidget* makeControls(Theme& theme);
    QWidget*
    makeAnswer(Theme& theme, const QString& name, QLabel*& title, QPlainTextEdit*& text, QLabel*& note);
    void refreshDirections(); ///< names, inks and layers of the snapshot
    void refresh(); ///< what can be done now
    void refreshAnswers(); ///< what was said
    const NamedDirection* direction() const;
    QString pushInWords() const;
    std::array<QString, 2> endsOf(const NamedDirection& along) const; ///< what lies at the arrow's ends
    void speak();

    Session& m_session;
    std::vector<NamedDirection> m_directions;
    bool m_spoken = false; ///< moving the slider speaks again once something was said
    QPlainTextEdit* m_prompt = nullptr; // owned by the widget tree, as all below
    QComboBox *m_direction = nullptr, *m_layer = nullptr;
    ArrowSlider* m_push = nullptr;
    QLabel* m_pushText = nullptr;
    QCheckBox* m_sampled = nullptr;
    QPushButton *m_run = nullptr, *m_stop = nullptr, *m_fetch = nullptr;
    QLabel *m_state = nullptr, *m_verdict = nullptr;
    QLabel *m_plainTitle = nullptr, *m_pushedTitle = nullptr, *m_plainNote = nullptr, *m_pushedNote = nullptr;
    QPlainTextEdit *m_plain = nullptr, *m_pushed = nullptr;
};

} // namespace lodestone::ui
