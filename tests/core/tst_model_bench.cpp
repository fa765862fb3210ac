// ctest labels: model torch
// What `bench` says of the default model, and the limits that hold on any machine: memory does not depend on
// how busy it is.
#include "core/model/model_fetch.h"
#include "tests/support/result_checks.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QProcess>

using namespace lodestone;

class TestModelBench : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void memoryAndSuffixes()
    {
        const QString folder = qEnvironmentVariable("LODESTONE_BIN");
        if (!model::defaultModelPath() || folder.isEmpty())
            QSKIP("skipped: the default model is not fetched, or LODESTONE_BIN names no program");
        QProcess process;
        process.start(
            folder + QStringLiteral("/lodestone"),
            { QStringLiteral("bench"), QStringLiteral("--json"), QStringLiteral("--quiet"),
              QStringLiteral("--repeats"), QStringLiteral("1"), QStringLiteral("--write"),
              QStringLiteral("1"), QStringLiteral("--cached"), QStringLiteral("64,9000,0") });
        QVERIFY(process.waitForFinished(120000));
        QCOMPARE(process.exitCode(), 0);
        const QJsonObject found = QJsonDocument::fromJson(process.readAllStandardOutput()).object();
        // 30 blocks of 576 x (960 + 576) and 576 x 1536 x 3 weights, 49,152 x 576 for words; float32.
        const double weights = 4.0 * (30.0 * 576 * (960 + 576 + 3 * 1536) + 49152.0 * 576);
        const double loaded = found[QStringLiteral("loaded_bytes")].toDouble(),
                     peak = found[QStringLiteral("peak_bytes")].toDouble();
        QVERIFY2(loaded > weights, qPrintable(QString::number(loaded)));
        QVERIFY2(peak >= loaded && peak < 1.6 * weights, qPrintable(QString::number(peak / weights)));
        QVERIFY(found[QStringLiteral("loading_seconds")].toDouble() > 0);
        // Lengths beyond the model's context and 0 are left out.
        const QJsonArray suffixes = found[QStringLiteral("suffixes")].toArray();
        QCOMPARE(suffixes.size(), 1);
        const QJsonObject row = suffixes[0].toObject();
        QCOMPARE(row[QStringLiteral("cached_tokens")].toInt(), 64);
        const double seconds = row[QStringLiteral("seconds")].toDouble(),
                     alone = row[QStringLiteral("alone_seconds")].toDouble();
        QVERIFY(seconds > 0 && alone > 0);
        QVERIFY(std::abs(row[QStringLiteral("ratio")].toDouble() - seconds / alone) < 1e-9);
        QVERIFY(found[QStringLiteral("edit")].isNull()); // no study was named
    }
};

QTEST_GUILESS_MAIN(TestModelBench)
#include "tst_model_bench.moc"
