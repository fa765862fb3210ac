#include "ui/session/lane.h"

#include <algorithm>
#include <chrono>

namespace lodestone::ui {

Lane::Lane(QObject* parent)
    : QObject(parent)
    , m_thread([this] { work(); })
{
}

Lane::~Lane()
{
    {
        const std::lock_guard lock(m_mutex);
        m_quit = true;
        m_waiting.clear();
        if (m_running)
            m_running->stop.request_stop();
    }
    m_wake.notify_all();
    m_thread.join();
}

void Lane::submit(const QString& kind, WhenOvertaken overtaken, Body body)
{
    {
        const std::lock_guard lock(m_mutex);
        std::erase_if(m_waiting, [&](const auto& job) { return job->kind == kind; });
        if (m_running && m_running->kind == kind && m_running->overtaken == WhenOvertaken::Stop)
            m_running->stop.request_stop();
        m_waiting.push_back(std::make_shared<Job>(Job{ kind, std::move(body), overtaken, {} }));
    }
    m_wake.notify_all();
}

void Lane::cancel(const QString& kind)
{
    const std::lock_guard lock(m_mutex);
    std::erase_if(m_waiting, [&](const auto& job) { return job->kind == kind; });
    if (m_running && m_running->kind == kind)
        m_running->stop.request_stop();
}

void Lane::cancelAll()
{
    const std::lock_guard lock(m_mutex);
    m_waiting.clear();
    if (m_running)
        m_running->stop.request_stop();
}

bool Lane::busy() const
{
    const std::lock_guard lock(m_mutex);
    return m_running || !m_waiting.empty();
}

bool Lane::busyWith(const QString& kind) const
{
    const std::lock_guard lock(m_mutex);
    return (m_running && m_running->kind == kind)
        || std::any_of(
               m_waiting.begin(), m_waiting.end(), [&](const auto& job) { return job->kind == kind; });
}

void Lane::work()
{
    while (true) {
        std::shared_ptr<Job> job;
        {
            std::unique_lock lock(m_mutex);
            m_wake.wait(lock, [this] { return m_quit || !m_waiting.empty(); });
            if (m_quit)
                return;
            job = m_waiting.front();
            m_waiting.pop_front();
            m_running = job;
        }
        QMetaObject::invokeMethod(
            this, [this, kind = job->kind] { Q_EMIT started(kind); }, Qt::QueuedConnection);
        Work tools;
        tools.stop = job->stop.get_token();
        auto last = std::make_shared<std::chrono::steady_clock::time_point>();
        tools.report = [this, job, last](const Progress& progress) {
            const auto now = std::chrono::steady_clock::now();
            if (now - *last < std::chrono::milliseconds(50)) // the eye needs no more, the event queue less
                return;
            *last = now;
            QMetaObject::invokeMethod(
                this, [this, kind = job->kind, progress] { Q_EMIT progressed(kind, progress); },
                Qt::QueuedConnection);
        };
        auto deliver = std::make_shared<std::function<void()>>(job->body(tools));
        // The lane is busy until the result is delivered: who finds it idle finds the result.
        QMetaObject::invokeMethod(
            this,
            [this, job, deliver] {
                bool overtaken = false;
                {
                    const std::lock_guard lock(m_mutex);
                    overtaken = (m_running && m_running != job && m_running->kind == job->kind)
                        || std::any_of(m_waiting.begin(), m_waiting.end(), [&](const auto& other) {
                                    return other->kind == job->kind;
                                });
                }
                if (!overtaken || job->overtaken == WhenOvertaken::Finish)
                    (*deliver)();
                {
                    const std::lock_guard lock(m_mutex); // whoever hears finished() finds the lane idle
                    if (m_running == job)
                        m_running.reset();
                }
                Q_EMIT finished(job->kind);
            },
            Qt::QueuedConnection);
    }
}

} // namespace lodestone::ui
