// The statements as a table: complete, consistent with their formulas' text, with docs/theory.md and with the
// command line. ctest labels: theory
#include "core/theory/numbers.h"
#include "core/theory/sampling.h"
#include "core/theory/text.h"
#include "tests/support/theory_checks.h"

#include <QFile>
#include <QProcess>
#include <nlohmann/json.hpp>
#include <set>

using namespace lodestone;
using namespace lodestone::testing;
using Json = nlohmann::json;

namespace {

struct Run {
    int code = -1;
    std::string out, err;
    Json json() const { return Json::parse(out, nullptr, false); }
};

Run theoryCommand(const QStringList& arguments)
{
    QProcess process;
    process.start(
        qEnvironmentVariable("LODESTONE_BIN") + QStringLiteral("/lodestone"),
        QStringList{ QStringLiteral("theory") } + arguments);
    if (!process.waitForFinished(120000) || process.exitStatus() != QProcess::NormalExit)
        return {};
    return { process.exitCode(), process.readAllStandardOutput().toStdString(),
             process.readAllStandardError().toStdString() };
}

QStringList words(const char* text) { return QString::fromLatin1(text).split(QLatin1Char(' ')); }

std::vector<std::string> idsExpected()
{
    std::vector<std::string> ids;
    for (int k = 1; k <= 51; ++k) {
        ids.push_back(fmt::format("T{}", k));
        if (k == 24)
            ids.push_back("T24b");
    }
    return ids;
}

} // namespace

class TestTheoryFrame : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void everyStatementInOrder()
    {
        std::vector<std::string> ids;
        for (const theory::Statement& statement : theory::statements())
            ids.push_back(statement.id);
        QCOMPARE(ids, idsExpected());
        QCOMPARE(theory::findStatement("t24B"), theory::findStatement("T24b"));
        QVERIFY(!theory::findStatement("T52"));
    }

    void everyStatementIsComplete_data()
    {
        QTest::addColumn<QString>("id");
        for (const theory::Statement& statement : theory::statements())
            QTest::newRow(statement.id.c_str()) << QString::fromStdString(statement.id);
    }
    void everyStatementIsComplete()
    {
        QFETCH(QString, id);
        const theory::Statement& statement = *theory::findStatement(id.toStdString());
        for (const std::string* text : { &statement.title, &statement.assumptions, &statement.words,
                                         &statement.source, &statement.figure })
            QVERIFY(!text->empty());
        QVERIFY(statement.closed && statement.simulate);
        std::set<std::string> names;
        for (const theory::Input& input : statement.inputs) {
            QVERIFY(names.insert(input.name).second);
            QVERIFY(input.low < input.high && input.low <= input.standard && input.standard <= input.high);
            QVERIFY(!input.meaning.empty());
            QVERIFY(!input.whole || input.standard == std::floor(input.standard));
        }
        const theory::Values values = statement.standard();
        const theory::Quantities outputs = theory::evaluate(statement, values).value();
        for (const theory::FormulaLine& line : statement.formula) {
            QVERIFY2(theory::find(outputs, line.output) || line.output == "t_star", line.output.c_str());
            for (const std::string& name : theory::namesIn(line.expression))
                QVERIFY2(values.has(name) || theory::find(outputs, name), name.c_str());
            QVERIFY(
                theory::expressionText(line.expression).find('{') == std::string::npos
                || line.expression.find("^{") != std::string::npos
                || line.expression.find("_{") != std::string::npos);
        }
        QVERIFY(values.has(statement.sweep.input));
        for (const std::string& name : statement.sweep.outputs)
            QVERIFY2(theory::find(outputs, name), name.c_str());
    }

    /// No corner of the inputs gives NaN: a value, an infinity, or one sentence.
    void cornersAreDefined_data() { everyStatementIsComplete_data(); }
    void cornersAreDefined()
    {
        QFETCH(QString, id);
        const theory::Statement& statement = *theory::findStatement(id.toStdString());
        for (const theory::Input& input : statement.inputs)
            for (const double end : { input.low, input.high }) {
                theory::Values values = statement.standard();
                QVERIFY(statement.set(values, input.name, end));
                const auto outputs = theory::evaluate(statement, values);
                if (outputs)
                    continue;
                QCOMPARE(outputs.error().kind, ErrorKind::BadInput);
                QVERIFY2(
                    outputs.error().message().find("undefined") == std::string::npos,
                    fmt::format("{} {}: {}", input.name, end, outputs.error().message()).c_str());
            }
    }

    void settingsAreChecked()
    {
        const theory::Statement& statement = *theory::findStatement("T12");
        theory::Values values = statement.standard();
        QCOMPARE(statement.set(values, "rho", 1).error().kind, ErrorKind::Usage);
        QCOMPARE(statement.set(values, "k", 0).error().kind, ErrorKind::BadInput);
        QCOMPARE(statement.set(values, "k", 2.5).error().kind, ErrorKind::BadInput);
        QCOMPARE(statement.set(values, "k", std::nan("")).error().kind, ErrorKind::BadInput);
        QCOMPARE(values["k"], 16.0);
        QVERIFY(statement.set(values, "k", 4));
        QCOMPARE(values["k"], 4.0);
    }

    void simulationsRepeat()
    {
        const theory::Statement& statement = *theory::findStatement("T9");
        const auto value = [&](std::uint64_t seed) {
            return theory::simulate(statement, statement.standard(), seed, 1000).value().front().value;
        };
        QCOMPARE(value(3), value(3));
        QVERIFY(value(3) != value(4));
    }

    void simulationsStop()
    {
        std::stop_source stop;
        stop.request_stop();
        const theory::Statement& statement = *theory::findStatement("T45");
        const auto found = theory::simulate(statement, statement.standard(), 0, 1000000, stop.get_token());
        QVERIFY(!found && found.error().kind == ErrorKind::Cancelled);
    }

    /// The jackknife: mean and error of a known sample, and the bias of a ratio removed to first order.
    void batchedMeans()
    {
        theory::Draws draws{ Rng(1), 50000, {} };
        const auto means = theory::sample<2>(draws, 1, [](Rng& rng, auto& row) {
            const double z = rng.normal();
            row = { 3 + 2 * z, z * z };
        });
        const theory::Spread mean = means.mean(0);
        QVERIFY(std::abs(mean.value - 3) < 4 * mean.standardError);
        QVERIFY(std::abs(mean.standardError - 2 / std::sqrt(50000.)) < .004);
        const theory::Spread squared = means.estimate([](const auto& row) { return row[1] * row[1]; });
        QVERIFY(std::abs(squared.value - 1) < 4 * squared.standardError);
    }

    void normalFunctions()
    {
        QVERIFY(std::abs(theory::normalCdf(1.959963985) - .975) < 1e-9);
        QVERIFY(std::abs(theory::normalQuantile(.975) - 1.959963985) < 1e-8);
        QVERIFY(std::abs(theory::normalExpectation([](double z) { return z * z * z * z; }) - 3) < 1e-9);
        QVERIFY(std::abs(theory::owenT(0, 1) - .125) < 1e-12); // arctan(a)/(2 pi)
        QVERIFY(std::abs(theory::zeta(2) - M_PI * M_PI / 6) < 1e-12);
        Rng rng(2);
        double sum = 0, squares = 0;
        for (int i = 0; i < 20000; ++i) {
            const double g = theory::gammaDraw(rng, 2.5);
            sum += g / 20000;
            squares += g * g / 20000;
        }
        QVERIFY(std::abs(sum - 2.5) < .05 && std::abs(squares - sum * sum - 2.5) < .15);
    }

    void symbolsAndNumbers()
    {
        QCOMPARE(theory::symbol("rho_c"), std::string("ρ_c"));
        QCOMPARE(theory::symbol("DeltaV"), std::string("ΔV"));
        QCOMPARE(theory::symbol("s_xi2"), std::string("s_ξ²"));
        QCOMPARE(theory::symbol("sV"), std::string("sV"));
        const theory::Statement& statement = *theory::findStatement("T9");
        theory::Values values = statement.standard();
        QVERIFY(statement.set(values, "rho_c", -.5));
        QVERIFY(statement.set(values, "c_cg", 0));
        const auto outputs = theory::evaluate(statement, values).value();
        QCOMPARE(
            theory::expressionNumbers("1/2 + arcsin({rho_c})/pi", values, outputs),
            std::string("1/2 + arcsin((-0.5))/π"));
        QCOMPARE(
            theory::expressionNumbers("2 {K} w'Sigma^{-1}w", values, outputs),
            std::string("2·0.2009 w'Σ^{-1}w"));
    }

    /// Section 2 of docs/theory.md is what the program says; `lodestone theory show all --markdown` writes
    /// it.
    void page()
    {
        QFile file(QStringLiteral(LODESTONE_SOURCE_DIR "/docs/theory.md"));
        QVERIFY(file.open(QIODevice::ReadOnly));
        const std::string text = file.readAll().toStdString();
        const std::size_t begin = text.find("<!-- statements -->"),
                          end = text.find("<!-- end of statements -->");
        QVERIFY(begin != std::string::npos && end != std::string::npos);
        std::size_t at = begin;
        for (const theory::Statement& statement : theory::statements()) {
            const std::size_t found = text.find(theory::markdown(statement), at);
            QVERIFY2(found < end, fmt::format("docs/theory.md has not the present {}", statement.id).c_str());
            at = found;
        }
    }

    void commandLine()
    {
        const Run list = theoryCommand(words("list --json"));
        QCOMPARE(list.code, 0);
        QCOMPARE(list.json()["statements"].size(), theory::statements().size());
        QVERIFY(list.json()["statements"][8]["id"] == "T9");
        QVERIFY(list.json()["statements"][8]["inputs"][0]["name"] == "rho_c");

        const Run run = theoryCommand(
            words("run T9 --set rho_c=0.4 --set rho_g=0.5 --set c_cg=0.3 --seed 3 --draws 20000 --json"));
        QCOMPARE(run.code, 0);
        const Json json = run.json();
        for (const char* key :
             { "id", "title", "inputs", "closed", "simulated", "standard_error", "source", "label", "words" })
            QVERIFY2(json.contains(key), key);
        QVERIFY(std::abs(json["closed"]["t_max"].get<double>() - 2.777777778) < 1e-8);
        const double sampled = json["simulated"]["a_c"], error = json["standard_error"]["a_c"];
        QVERIFY(error > 0 && std::abs(sampled - json["closed"]["a_c"].get<double>()) < 4 * error);
        QCOMPARE(
            theoryCommand(
                words("run T9 --set rho_c=0.4 --set rho_g=0.5 --set c_cg=0.3 --seed 3 --draws 20000 --json"))
                .out,
            run.out);

        const Json infinite = theoryCommand(words("run T9 --json --draws 1000")).json();
        QVERIFY(infinite["closed"]["t_max"].is_null());
        QVERIFY(infinite["infinite"] == Json::array({ "t_max" }));
        const Run show = theoryCommand(words("show t15"));
        QCOMPARE(show.code, 0);
        QVERIFY(show.out.find("Adversarial") != std::string::npos);
    }

    void commandLineErrors_data()
    {
        QTest::addColumn<QString>("arguments");
        QTest::addColumn<int>("code");
        QTest::addColumn<QString>("says");
        QTest::newRow("unknown statement") << "run T99" << 2 << "T1 to T51";
        QTest::newRow("unknown name") << "run T9 --set rho=1" << 2 << "rho_c";
        QTest::newRow("no value") << "run T9 --set rho_c" << 2 << "name=value";
        QTest::newRow("no verb") << "T9" << 2 << "";
        QTest::newRow("out of range") << "run T9 --set rho_c=1.5" << 3 << "from -1 to 1";
        QTest::newRow("not a number") << "run T9 --set rho_c=nan" << 3 << "rho_c";
        QTest::newRow("words") << "run T9 --set rho_c=big" << 3 << "a number";
        QTest::newRow("not whole") << "run T25 --set n=10.5" << 3 << "whole";
        QTest::newRow("impossible together")
            << "run T9 --set rho_c=1 --set rho_g=0" << 3 << "exclude each other";
    }
    void commandLineErrors()
    {
        QFETCH(QString, arguments);
        QFETCH(int, code);
        QFETCH(QString, says);
        const Run run = theoryCommand(arguments.split(QLatin1Char(' ')));
        QCOMPARE(run.code, code);
        QVERIFY(run.out.empty());
        QVERIFY2(run.err.find(says.toStdString()) != std::string::npos, run.err.c_str());
    }
};

QTEST_GUILESS_MAIN(TestTheoryFrame)
#include "tst_theory_frame.moc"
