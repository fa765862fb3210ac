// One worker thread on which jobs of a kind replace each other: the latest run wins, everything reports and
// can be stopped.
#pragma once

#include "core/base/error.h"
#include "core/base/progress.h"

#include <QObject>
#include <QString>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

namespace lodestone::ui {

/// Runs jobs in order on a thread of its own; results come back on the thread of the lane. A job whose kind
/// is submitted again is stopped if it runs and dropped if it waits, and its result is never delivered.
/// Destroying the lane stops and joins.
class Lane : public QObject {
    Q_OBJECT
public:
    explicit Lane(QObject* parent = nullptr);
    ~Lane() override;

    /// What becomes of a running job when a later one of its kind comes: it is stopped and its result is
    /// dropped, or it finishes and delivers (short work whose every result is worth showing, such as the
    /// steps of a drag).
    enum class WhenOvertaken { Stop, Finish };

    /// `body` runs on the worker; `done` on this object's thread, unless a later job of the kind came.
    /// Exceptions of the body become errors.
    template <typename T>
    void
    run(const QString& kind, std::function<Result<T>(const Work&)> body, std::function<void(Result<T>)> done,
        WhenOvertaken overtaken = WhenOvertaken::Stop)
    {
        submit(
            kind, overtaken,
            [this, body = std::move(body),
             done = std::move(done)](const Work& work) -> std::function<void()> {
                auto result = std::make_shared<Result<T>>(
                    tl::unexpected(Error{ ErrorKind::Failed, "the work to finish", "an error", {} }));
                try {
                    *result = body(work);
                } catch (const std::exception& error) {
                    *result = fail(ErrorKind::Failed, "the work to finish", error.what());
                }
                return [done, result] { done(std::move(*result)); };
            });
    }
    void cancel(const QString& kind);
    void cancelAll();
    bool busy() const;
    bool busyWith(const QString& kind) const;

Q_SIGNALS:
    void progressed(const QString& kind, const lodestone::Progress& progress);
    void started(const QString& kind);
    void finished(const QString& kind); ///< after the result was delivered, also for jobs that were stopped

private:
    using Body = std::function<std::function<void()>(const Work&)>;
    struct Job {
        QString kind;
        Body body;
        WhenOvertaken overtaken = WhenOvertaken::Stop;
        std::stop_source stop;
    };
    void submit(const QString& kind, WhenOvertaken overtaken, Body body);
    void work();

    mutable std::mutex m_mutex;
    std::condition_variable m_wake;
    std::deque<std::shared_ptr<Job>> m_waiting;
    std::shared_ptr<Job> m_running;
    bool m_quit = false;
    std::thread m_thread;
};

} // namespace lodestone::ui
