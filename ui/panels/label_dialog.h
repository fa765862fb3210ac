// People in the loop: one pair at a time, answered by keyboard, the pair that the judge is least sure of
// next.
#pragma once

#include "core/data/label_file.h"
#include "ui/session/session.h"

#include <QDialog>

class QLabel;
class QLineEdit;
class QPushButton;
class QTextBrowser;

namespace lodestone::ui {

class Theme;

/// Keys: Left, Right: that reply is better; Down: a tie; Space: skip; Ctrl+Z: takes the last answer back.
/// Every answer is appended to the study's judgments/labels.jsonl before the next pair is shown. Which side a
/// reply is on tells nothing of the study's label, and the judge's opinion is not shown.
class LabelDialog : public QDialog {
    Q_OBJECT
public:
    LabelDialog(Theme& theme, Session& session, QWidget* parent);

    int pair() const { return m_pair; } ///< index of the pair that is shown; -1: none is left

Q_SIGNALS:
    void labelled(); ///< an answer was saved or taken back

protected:
    bool event(QEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;

private:
    void load(); ///< what the file says, as this rater
    void answer(data::LabelAnswer answer);
    void takeBack();
    void showNext();
    void showPair(int pair);
    void showState(const QString& problem = {});
    std::string rater() const;

    Session& m_session;
    std::shared_ptr<const session::Foundation> m_foundation; ///< the study that was open at first
    std::vector<data::PairLabel> m_labels; ///< of all raters, those that hold
    int m_pair = -1;
    QLabel *m_question, *m_state;
    QTextBrowser *m_prompt, *m_left, *m_right;
    QLineEdit* m_rater;
    std::vector<QPushButton*> m_answers;
    QPushButton* m_back;
};

} // namespace lodestone::ui
