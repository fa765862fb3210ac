#include "ui/session/asking.h"

#include "core/constitution/reply_reader.h"
#include "core/model/language_model.h"
#include "ui/session/session.h"

#include <algorithm>
#include <chrono>

namespace lodestone::ui {
namespace {

const QString askKind = QStringLiteral("ask"), warmKind = QStringLiteral("read ahead");
constexpr qint64 partialEveryMs = 700; ///< a partial refit costs tenths of a second

} // namespace

Asking::Asking(Session& session, Lane& lane)
    : QObject(&session)
    , m_session(session)
    , m_lane(lane)
{
    connect(&m_lane, &Lane::finished, this, &Asking::warmUp);
}

void Asking::yield()
{
    if (!m_lane.busyWith(warmKind))
        return;
    m_yielding = true;
    m_lane.cancel(warmKind);
}

void Asking::warmUp()
{
    const auto foundation = m_session.sharedFoundation();
    const auto model = m_session.model();
    if (!model || !foundation || !foundation->contexts || m_lane.busy() || !m_session.whyNoModel().isEmpty()
        || model->sha256() != foundation->study->model().sha256 || m_warmed.lock() == foundation->study)
        return;
    m_yielding = false;
    m_lane.run<bool>(
        warmKind,
        [model, foundation](const Work& work) -> Result<bool> {
            LODESTONE_TRY(
                auto reader, constitution::ReplyReader::make(*foundation->study, *model, "reading ahead"));
            reader.setTitle("Reading ahead");
            reader.setContexts(foundation->contexts);
            std::vector<int> rows = constitution::askingOrder(foundation->study->set());
            rows.resize(std::min<std::size_t>(rows.size(), constitution::firstResponses));
            LODESTONE_CHECK(reader.warm(rows, work));
            return true;
        },
        [this, study = foundation->study](Result<bool> done) {
            // Of a reply that cannot be read those will hear who ask about it.
            if (done || done.error().kind != ErrorKind::Cancelled || !m_yielding)
                m_warmed = study;
            m_yielding = false;
        });
}

std::vector<Asking::Question> Asking::missing() const
{
    std::vector<Question> questions;
    const session::Foundation* foundation = m_session.foundation();
    if (!foundation)
        return questions;
    Question words;
    for (const constitution::Principle& principle : m_session.inputs().constitution.principles) {
        if (principle.way == "conditioned-cloze") {
            const auto asked = foundation->conditioned.find(principle.text);
            if (asked != foundation->conditioned.end() && asked->second.scores.allFinite())
                continue;
            Question question;
            question.key = QStringLiteral("text:") + QString::fromStdString(principle.text);
            question.text = principle.text;
            question.name = principle.name;
            questions.push_back(std::move(question));
        } else if (foundation->cloze) {
            const auto asked = foundation->cloze->wordsToAsk(principle);
            words.words.insert(words.words.end(), asked.begin(), asked.end());
            if (!asked.empty())
                words.principles.push_back(principle);
        }
    }
    if (!words.words.empty()) { // first: words take seconds, texts may take minutes
        words.key = QStringLiteral("words:") + QString::fromStdString(constitution::joinWords(words.words));
        questions.insert(questions.begin(), std::move(words));
    }
    return questions;
}

void Asking::catchUp()
{
    const std::vector<Question> questions = missing();
    QStringList wanted;
    for (const Question& question : questions)
        wanted << question.key;
    if (wanted != m_wanted) {
        for (const QString& key : wanted)
            if (!m_wanted.contains(key))
                m_stopped.removeAll(key);
        m_wanted = wanted;
    }
    if (!m_running.key.isEmpty()) {
        // Of words that are being asked some may be known by now: the others still count.
        for (const Question& question : questions)
            if (question == m_running
                || std::any_of(question.words.begin(), question.words.end(), [&](const std::string& word) {
                       return std::find(m_running.words.begin(), m_running.words.end(), word)
                           != m_running.words.end();
                   }))
                return;
        m_running = {};
        m_lane.cancel(askKind);
    }
    if (questions.empty() || !m_session.whyNoModel().isEmpty())
        return;
    for (const Question& question : questions)
        if (!m_stopped.contains(question.key))
            return ask(question);
}

QString Asking::running(const constitution::Principle& principle) const
{
    if (m_running.key.isEmpty())
        return {};
    if (principle.way == "conditioned-cloze")
        return m_running.words.empty() && m_running.text == principle.text ? tr("asking …") : QString();
    for (const auto* pole : { &principle.positive, &principle.negative })
        for (const std::string& word : *pole)
            if (std::find(m_running.words.begin(), m_running.words.end(), word) != m_running.words.end())
                return tr("asking …");
    return {};
}

void Asking::finish(const Question& question, bool failed)
{
    if (failed)
        m_stopped << question.key;
    if (m_running == question)
        m_running = {};
    catchUp();
}

void Asking::ask(const Question& question)
{
    m_running = question;
    m_session.withModel(
        [this, question] {
            if (!(m_running == question) || !m_session.foundation())
                return;
            const auto base = m_session.sharedFoundation();
            // Keeps the session's foundation and replaces one part of it, if it is still the same study.
            const auto extend = [this, base](auto change) {
                const auto now = m_session.sharedFoundation();
                if (!now || now->study != base->study)
                    return;
                auto extended = std::make_shared<session::Foundation>(*now);
                change(*extended);
                m_session.extend(std::move(extended));
            };
            auto last = std::make_shared<std::chrono::steady_clock::time_point>();
            const auto stream = [this, last](auto deliver) { // called on the lane
                const auto now = std::chrono::steady_clock::now();
                if (now - *last < std::chrono::milliseconds(partialEveryMs))
                    return;
                *last = now;
                QMetaObject::invokeMethod(this, [this, deliver] {
                    if (!m_session.dragging())
                        deliver();
                });
            };
            if (question.words.empty()) {
                const auto merge = [extend, text = question.text](const constitution::Judged& judged) {
                    extend([&](session::Foundation& foundation) { foundation.conditioned[text] = judged; });
                };
                m_lane.run<constitution::Judged>(
                    askKind,
                    [model = m_session.model(), base, question, stream,
                     merge](const Work& work) -> Result<constitution::Judged> {
                        const constitution::ConditionedCloze way(base->study, *model, base->contexts);
                        constitution::Principle principle = constitution::neutralPrinciple();
                        principle.text = question.text;
                        principle.name = question.name;
                        return way.judge(principle, work, [&](const constitution::Judged& partial) {
                            stream([merge, partial] { merge(partial); });
                        });
                    },
                    [this, question, merge](Result<constitution::Judged> judged) {
                        if (judged)
                            merge(*judged);
                        else
                            m_session.report(judged.error());
                        finish(question, !judged);
                    });
                return;
            }
            using ClozePtr = std::shared_ptr<constitution::ClozeElicitation>;
            const auto merge = [extend](const ClozePtr& cloze) {
                extend([&](session::Foundation& foundation) { foundation.cloze = cloze; });
            };
            m_lane.run<ClozePtr>(
                askKind,
                [model = m_session.model(), base, question, stream,
                 merge](const Work& work) -> Result<ClozePtr> {
                    return base->cloze->withAllWords(
                        *model, *base->study, question.principles, work,
                        [&](const ClozePtr& partial) { stream([merge, partial] { merge(partial); }); });
                },
                [this, question, merge](Result<ClozePtr> cloze) {
                    if (cloze)
                        merge(*cloze);
                    else
                        m_session.report(cloze.error());
                    finish(question, !cloze);
                });
        },
        [this, question] { finish(question, true); });
}

} // namespace lodestone::ui
