// simulate with every rule and reward, its comparisons, judge's intervals and reproduce, as scripts use them.
#include "core/session/pipeline.h"
#include "core/session/policy_lab.h"
#include "tests/support/geometry_support.h"
#include "tests/support/small_study.h"

#include <QProcess>
#include <numbers>

using namespace lodestone;
using namespace lodestone::testing;
using Json = nlohmann::json;

class TestCliPolicy : public QObject {
    Q_OBJECT

    ScratchFolder m_scratch;
    std::optional<SmallStudy> m_study;
    int m_code = -1;
    std::string m_errors;

    Json run(const QStringList& arguments)
    {
        QProcess process;
        QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
        environment.insert(
            QStringLiteral("LODESTONE_MODEL_DIR"), QString::fromStdString((m_scratch / "none").string()));
        environment.insert(
            QStringLiteral("XDG_CACHE_HOME"), QString::fromStdString((m_scratch / "cache").string()));
        process.setProcessEnvironment(environment);
        process.start(qEnvironmentVariable("LODESTONE_BIN") + QStringLiteral("/lodestone"), arguments);
        if (!process.waitForFinished(120000))
            return {};
        m_code = process.exitCode();
        m_errors = process.readAllStandardError().toStdString();
        return Json::parse(process.readAllStandardOutput().toStdString(), nullptr, false);
    }
    Json simulate(const QStringList& more)
    {
        return run(
            QStringList{ QStringLiteral("simulate"), QStringLiteral("--json"), QStringLiteral("--study"),
                         QString::fromStdString(m_study->folder.string()), QStringLiteral("--layer"),
                         QStringLiteral("2") }
            + more);
    }
    static bool has(const Json& json, std::initializer_list<const char*> keys)
    {
        for (const char* key : keys)
            if (!json.is_object() || !json.contains(key)) {
                qWarning("no key %s", key);
                return false;
            }
        return true;
    }

private Q_SLOTS:
    void initTestCase()
    {
        if (qEnvironmentVariable("LODESTONE_BIN").isEmpty())
            QSKIP("LODESTONE_BIN is not set");
        SmallStudyOptions options;
        options.samplePrompts = 30;
        options.candidates = 8;
        m_study = writeSmallStudy(m_scratch / "study", options);
    }

    void everyRule_data()
    {
        QTest::addColumn<QString>("rule");
        for (const char* rule :
             { "optimum", "gaussian", "best-of-n", "sft", "dpo", "cdpo", "ipo", "reinforce", "ppo" })
            QTest::newRow(rule) << QString::fromLatin1(rule);
    }
    void everyRule()
    {
        QFETCH(QString, rule);
        const Json json
            = simulate({ QStringLiteral("--rule"), rule, QStringLiteral("--kl"), QStringLiteral("0.4") });
        QCOMPARE(m_code, 0);
        QVERIFY(
            has(json,
                { "reward", "rule", "lambda", "kl", "reward_gain", "value_gain", "win_rate", "win_rate_ci",
                  "effective_sample_size", "risen", "fallen" }));
        QCOMPARE(QString::fromStdString(json["rule"].get<std::string>()), rule);
        const bool exact = rule == QLatin1String("gaussian") || json["kl_exact"].get<bool>();
        COMPARE_NEAR(json["kl"].get<double>(), 0.4, exact ? 1e-5 : 0.2);
        if (rule == QLatin1String("dpo"))
            QVERIFY(
                has(json["curve"].back(),
                    { "rewards/chosen", "rewards/rejected", "rewards/margins", "rewards/accuracies",
                      "logps/chosen", "logps/rejected" }));
        if (rule == QLatin1String("ppo"))
            QVERIFY(has(json["steps_to_90"], { "median", "low", "high", "seeds" }));
    }

    void everyReward()
    {
        for (const char* reward : { "constitution", "labels", "reward-model" }) {
            const Json json = simulate({ QStringLiteral("--reward"), QLatin1String(reward) });
            QCOMPARE(m_code, 0);
            QCOMPARE(json["reward"].get<std::string>(), std::string(reward));
            QVERIFY(
                json["gold_gain_ci"][0] <= json["gold_gain"] && json["gold_gain"] <= json["gold_gain_ci"][1]);
        }
        for (const char* labels : { "judge-soft", "judge-hard", "combined" })
            QVERIFY(simulate({ QStringLiteral("--reward"), QStringLiteral("reward-model"),
                               QStringLiteral("--labels"), QLatin1String(labels) })
                        .contains("kl"));
        // A shift of the reward changes nothing (T3); other transforms do.
        const Json plain = simulate({}),
                   odds = simulate({ QStringLiteral("--transform"), QStringLiteral("log-odds") });
        QVERIFY(plain["kl"] != odds["kl"]);
    }

    void allPipelines()
    {
        const Json json = simulate({ QStringLiteral("--all") });
        QCOMPARE(m_code, 0);
        QVERIFY(json["rows"].size() >= 10);
        for (const Json& row : json["rows"]) {
            QVERIFY(
                has(row,
                    { "id", "title", "reward", "rule", "lambda", "kl", "reward_gain", "value_gain",
                      "value_gain_ci", "win_rate", "win_rate_ci", "gold_gain", "gold_gain_ci", "cost",
                      "effective_sample_size", "note" }));
            COMPARE_NEAR(
                row["kl"].get<double>(), json["kl"].get<double>(), row["kl_exact"].get<bool>() ? 1e-5 : 0.3);
        }
    }

    void comparisons()
    {
        const Json json
            = simulate({ QStringLiteral("--overoptimisation"), QStringLiteral("--failures"),
                         QStringLiteral("--rounds"), QStringLiteral("3"), QStringLiteral("--crossing"),
                         QStringLiteral("--mixer"), QStringLiteral("--by-principle") });
        QCOMPARE(m_code, 0);
        QVERIFY(has(json, { "overoptimisation", "failures", "rounds", "crossing", "mixer" }));
        QVERIFY(has(json["overoptimisation"], { "optimum", "best_of_n", "gold_rl", "turnover", "cause" }));
        QVERIFY(json["failures"].size() >= 15);
        QCOMPARE(json["rounds"].size(), std::size_t(4));
        const Json& principles = json["by_principle"];
        QVERIFY(has(principles, { "kl", "whole", "whole_ci", "rows" }));
        QCOMPARE(principles["rows"].size(), std::size_t(2)); // kind and honest
        for (const Json& row : principles["rows"]) {
            QVERIFY(has(row, { "principle", "part", "part_ci", "alone", "alone_ci", "without" }));
            COMPARE_NEAR(
                row["part"].get<double>(), principles["whole"].get<double>() - row["without"].get<double>(),
                1e-9);
        }
        const Json one = simulate({ QStringLiteral("--failure"), QStringLiteral("garbage-in=1") });
        QCOMPARE(m_code, 0);
        QCOMPARE(one["failures"][0]["dose"], 1.0);
        QVERIFY(one["failures"][0]["failed"] < one["failures"][0]["clean"]);
    }

    void aStatementAtTheStudysValues()
    {
        const Json json = run({ QStringLiteral("theory"), QStringLiteral("run"), QStringLiteral("T7"),
                                QStringLiteral("--json"), QStringLiteral("--study"),
                                QString::fromStdString(m_study->folder.string()), QStringLiteral("--layer"),
                                QStringLiteral("2"), QStringLiteral("--set"), QStringLiteral("sV=2") });
        QCOMPARE(m_code, 0);
        QVERIFY(has(json, { "closed", "simulated", "study" }));
        QVERIFY(has(json["study"], { "inputs", "measured", "says" }));
        QVERIFY(has(json["study"]["measured"], { "DeltaV" }));
        const double rho = json["study"]["inputs"]["rho_c"], kl = json["study"]["inputs"]["K"];
        // --set came after: twice the deviation of the value.
        COMPARE_NEAR(json["closed"]["DeltaV"].get<double>(), 2 * rho * std::sqrt(2 * kl), 1e-9);
        run({ QStringLiteral("theory"), QStringLiteral("run"), QStringLiteral("T13"),
              QStringLiteral("--study"), QString::fromStdString(m_study->folder.string()) });
        QVERIFY(m_code != 0);
        QVERIFY(m_errors.find("two models") != std::string::npos);
    }

    void wrongUse()
    {
        simulate({ QStringLiteral("--failure"), QStringLiteral("bogus") });
        QCOMPARE(m_code, 2);
        simulate({ QStringLiteral("--failure"), QStringLiteral("garbage-in=x") });
        QCOMPARE(m_code, 2);
        simulate(
            { QStringLiteral("--rule"), QStringLiteral("dpo"), QStringLiteral("--kl"), QStringLiteral("9") });
        QCOMPARE(m_code, 2);
        QVERIFY(m_errors.find("cannot exceed") != std::string::npos);
        simulate({ QStringLiteral("--rule"), QStringLiteral("magic") });
        QCOMPARE(m_code, 2);
    }

    void judgmentsCarryIntervals()
    {
        const std::filesystem::path file = m_scratch / "constitution.json";
        VERIFY_OK(constitution::writeConstitution(file, constitution::constitutionForValues({ "kind" })));
        const Json json = run({ QStringLiteral("judge"), QStringLiteral("--json"), QStringLiteral("--study"),
                                QString::fromStdString(m_study->folder.string()), QStringLiteral("--layer"),
                                QStringLiteral("2"), QStringLiteral("--constitution"),
                                QString::fromStdString(file.string()) });
        QCOMPARE(m_code, 0);
        QVERIFY(json["pairs"].size() > 10);
        for (const Json& pair : json["pairs"])
            QVERIFY(
                pair["interval"][0] <= pair["p"] && pair["p"] <= pair["interval"][1]
                && pair["interval"][0] < pair["interval"][1]);
    }

    void reproduce()
    {
        for (const char* work : { "lee", "gao", "arditi", "young" }) {
            const Json json
                = run({ QStringLiteral("reproduce"), QLatin1String(work), QStringLiteral("--json") });
            QCOMPARE(m_code, 0);
            for (const Json& row : json["rows"])
                QVERIFY(has(row, { "name", "published", "here", "kind", "source" }));
        }
        run({ QStringLiteral("reproduce"), QStringLiteral("nobody") });
        QCOMPARE(m_code, 2);
    }
};

QTEST_GUILESS_MAIN(TestCliPolicy)
#include "tst_cli_policy.moc"
