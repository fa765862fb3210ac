// The job primitive: latest run wins per kind, progress arrives, cancelled work says so, errors come back.
#include "ui/session/lane.h"

#include <QSignalSpy>
#include <QtTest>
#include <atomic>

using namespace lodestone;
using namespace lodestone::ui;

class TestLane : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void deliversOnTheThreadOfTheLane()
    {
        Lane lane;
        int result = 0;
        Qt::HANDLE where = nullptr;
        lane.run<int>(
            QStringLiteral("a"), [](const Work&) -> Result<int> { return 42; },
            [&](Result<int> value) {
                result = *value;
                where = QThread::currentThreadId();
            });
        QTRY_COMPARE(result, 42);
        QCOMPARE(where, QThread::currentThreadId());
    }

    void theLatestRunOfAKindWins()
    {
        Lane lane;
        std::atomic<int> stopped = 0;
        QVector<int> delivered;
        QSignalSpy started(&lane, &Lane::started);
        const auto slow = [&](int number) {
            lane.run<int>(
                QStringLiteral("slow"),
                [&stopped, number](const Work& work) -> Result<int> {
                    for (int i = 0; i < 2000 && number < 3; ++i) {
                        if (work.cancelled()) {
                            ++stopped;
                            return cancelled();
                        }
                        QThread::msleep(1);
                    }
                    return number;
                },
                [&](Result<int> value) {
                    if (value)
                        delivered << *value;
                });
        };
        slow(1);
        QTRY_COMPARE(started.count(), 1);
        slow(2); // stops 1, waits
        slow(3); // replaces 2 before it ever ran, or stops it
        QTRY_COMPARE(delivered, QVector<int>{ 3 });
        QVERIFY(stopped >= 1);
        QTRY_VERIFY(!lane.busy());
    }

    void otherKindsAreNotDisturbed()
    {
        Lane lane;
        int first = 0, second = 0;
        lane.run<int>(
            QStringLiteral("x"), [](const Work&) -> Result<int> { return 1; },
            [&](Result<int> value) { first = *value; });
        lane.run<int>(
            QStringLiteral("y"), [](const Work&) -> Result<int> { return 2; },
            [&](Result<int> value) { second = *value; });
        QTRY_COMPARE(second, 2);
        QCOMPARE(first, 1);
    }

    void errorsAndExceptionsComeBack()
    {
        Lane lane;
        QString expected, thrown;
        lane.run<int>(
            QStringLiteral("e"),
            [](const Work&) -> Result<int> { return badInput("a file", "none", "here"); },
            [&](Result<int> value) { expected = QString::fromStdString(value.error().message()); });
        QTRY_COMPARE(expected, QStringLiteral("here: expected a file, found none"));
        lane.run<int>(
            QStringLiteral("t"), [](const Work&) -> Result<int> { throw std::runtime_error("broken"); },
            [&](Result<int> value) { thrown = QString::fromStdString(value.error().message()); });
        QTRY_VERIFY(thrown.contains(QStringLiteral("broken")));
    }

    void destructionStopsRunningWork()
    {
        std::atomic<bool> sawStop = false;
        {
            Lane lane;
            QSignalSpy started(&lane, &Lane::started);
            lane.run<int>(
                QStringLiteral("long"),
                [&](const Work& work) -> Result<int> {
                    while (!work.cancelled())
                        QThread::msleep(1);
                    sawStop = true;
                    return cancelled();
                },
                [](Result<int>) {});
            QTRY_COMPARE(started.count(), 1);
        }
        QVERIFY(sawStop);
    }
};

QTEST_MAIN(TestLane)
#include "tst_lane.moc"
