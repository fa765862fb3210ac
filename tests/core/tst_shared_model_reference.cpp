// ctest labels: shared torch
// The default model against an independent implementation's ids, log-probabilities and residual streams.
#include "core/formats/lines.h"
#include "core/model/model_fetch.h"
#include "core/model/model_library.h"
#include "core/model/verify.h"
#include "tests/support/result_checks.h"

using namespace lodestone;
using namespace lodestone::testing;

class TestSharedModelReference : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void theEngineEqualsTheReference()
    {
        const std::filesystem::path path
            = LODESTONE_SOURCE_DIR "/../shared/data/reference/smollm2-135m-instruct_reference.json";
        if (!std::filesystem::exists(path))
            QSKIP("skipped: no ../shared/data");
        const auto modelPath = model::defaultModelPath();
        if (!modelPath)
            QSKIP("skipped: the default model is not fetched");
        const auto loaded = model::loadModel(*modelPath);
        VERIFY_OK(loaded);
        const auto reference = formats::readJson(path);
        VERIFY_OK(reference);
        const auto verified = model::verify(**loaded, &*reference, path.string(), {});
        VERIFY_OK(verified);
        for (const model::Check& check : verified->checks)
            QVERIFY2(
                check.ok,
                qPrintable(QStringLiteral("%1: %2, at most %3")
                               .arg(QString::fromStdString(check.name))
                               .arg(check.value)
                               .arg(check.limit)));
        QVERIFY(verified->ok);
        QVERIFY(verified->checks.size() >= 8);
        QCOMPARE(verified->layers.size(), std::size_t((*loaded)->config().layers()));
        QVERIFY(verified->maxLogProbabilityError <= 1e-3);
        QVERIFY(verified->maxResidualError <= 1e-3);
        // The comparison can fail: one wrong number is found.
        auto wrong = *reference;
        wrong["items"] = nlohmann::json::array({ wrong["items"][0] });
        wrong["items"][0]["nll_per_token"][0] = wrong["items"][0]["nll_per_token"][0].get<double>() + 0.01;
        const auto refuted = model::verify(**loaded, &wrong, path.string(), {});
        QVERIFY(refuted.has_value() && !refuted->ok);
        wrong["items"][0].erase("ids");
        VERIFY_FAILS(
            model::verify(**loaded, &wrong, "reference.json", {}), "a reference item",
            "reference.json, item 0");
    }
};

QTEST_GUILESS_MAIN(TestSharedModelReference)
#include "tst_shared_model_reference.moc"
