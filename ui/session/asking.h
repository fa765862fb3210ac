// Keeps what the model said up to date with the constitution: pole words that the study's table lacks, and
// principles that are judged by their text.
#pragma once

#include "core/constitution/constitution.h"
#include "core/constitution/elicitation.h"

#include <QObject>
#include <QString>
#include <QStringList>

namespace lodestone::ui {

class Lane;
class Session;

/// Runs on the model lane, one question at a time; partial results reach the session as they come, but not
/// while a slider is dragged. A question that failed or was stopped is put again only when the questions
/// change.
class Asking : public QObject {
    Q_OBJECT
public:
    Asking(Session& session, Lane& lane);

    /// After an edit, a new study or a new model: starts what is missing, stops what nobody wants any more.
    void catchUp();
    /// Reads the replies that every question begins with, while the model has nothing else to do: the first
    /// judgments by an edited text then cost no more than the text. Once for each study, unless it is
    /// stopped.
    void warmUp();
    /// Somebody wants the model: the reading ahead stops and goes on when the lane is idle again.
    void yield();
    /// What is being asked now about this principle; empty: nothing.
    QString running(const constitution::Principle& principle) const;

private:
    struct Question {
        QString key; ///< of the question: its words or its text
        std::vector<std::string> words; ///< pole words; empty: judged by the text
        std::vector<constitution::Principle> principles; ///< whose words they are
        std::string text, name;
        bool operator==(const Question& other) const { return key == other.key; }
    };
    std::vector<Question> missing() const;
    void ask(const Question& question);
    void finish(const Question& question, bool failed);

    Session& m_session;
    Lane& m_lane;
    Question m_running; ///< key empty: none
    QStringList m_stopped; ///< keys not to be asked again
    QStringList m_wanted; ///< all keys at the last catchUp
    std::weak_ptr<const data::Study> m_warmed; ///< that needs no reading ahead any more
    bool m_yielding = false;
};

} // namespace lodestone::ui
