// elicit's further modes as scripts use them (asked and enacted, how linear the answers are, the search for
// adversarial principles, pole words), a judge with scopes and priorities, and two constitutions side by
// side, on a study of known truth.
#include "core/constitution/ways.h"
#include "core/data/label_file.h"
#include "core/session/foundation.h"
#include "tests/support/geometry_support.h"
#include "tests/support/small_study.h"

#include <QProcess>
#include <map>

using namespace lodestone;
using namespace lodestone::testing;
using Json = nlohmann::json;

class TestCliElicit : public QObject {
    Q_OBJECT

    ScratchFolder m_scratch;
    std::optional<SmallStudy> m_study;
    int m_code = -1;
    std::string m_errors, m_table;

    Json elicit(const QStringList& more, bool json = true) { return run("elicit", more, json); }
    Json run(const char* command, const QStringList& more, bool json = true)
    {
        QProcess process;
        QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
        const auto text
            = [](const std::filesystem::path& path) { return QString::fromStdString(path.string()); };
        environment.insert(QStringLiteral("LODESTONE_MODEL_DIR"), text(m_scratch / "none"));
        environment.insert(QStringLiteral("XDG_CACHE_HOME"), text(m_scratch / "cache"));
        process.setProcessEnvironment(environment);
        QStringList arguments{ QLatin1String(command), QStringLiteral("--study"), text(m_study->folder) };
        if (json)
            arguments << QStringLiteral("--json");
        process.start(qEnvironmentVariable("LODESTONE_BIN") + QStringLiteral("/lodestone"), arguments + more);
        if (!process.waitForFinished(120000))
            return {};
        m_code = process.exitCode();
        m_errors = process.readAllStandardError().toStdString();
        m_table = process.readAllStandardOutput().toStdString();
        return json ? Json::parse(m_table, nullptr, false) : Json();
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
    static bool isInterval(const Json& json)
    {
        return json.is_array() && json.size() == 2 && json[0].is_number() && json[0] <= json[1];
    }
    static QStringList words(std::initializer_list<const char*> list)
    {
        QStringList result;
        for (const char* each : list)
            result << QString::fromLatin1(each);
        return result;
    }

private Q_SLOTS:
    void initTestCase()
    {
        if (qEnvironmentVariable("LODESTONE_BIN").isEmpty())
            QSKIP("LODESTONE_BIN is not set");
        SmallStudyOptions options;
        options.pairPrompts = 200;
        m_study = writeSmallStudy(m_scratch / "study", options);
    }

    void enactedNeedsAModelThatWasAsked()
    {
        elicit(words({ "--enacted", "--layer", "2" }));
        QCOMPARE(m_code, 4);
        QVERIFY2(m_errors.find("app/run model") != std::string::npos, m_errors.c_str());
        elicit(words({ "--enacted", "--nonlinear" }));
        QCOMPARE(m_code, 2);
        elicit(words({ "--enacted", "--layer", "2", "--way", "cloze,yes-no,caa" }));
        QCOMPARE(m_code, 2);
    }

    void nonlinearByLayer()
    {
        const Json json = elicit(words({ "--nonlinear" }));
        QCOMPARE(m_code, 0);
        QVERIFY(has(json, { "study", "way", "n_train", "n_held_out", "rows", "problems" }));
        QCOMPARE(json["rows"].size(), std::size_t(8)); // two principles, four layers
        for (const Json& row : json["rows"]) {
            QVERIFY(
                has(row,
                    { "principle", "layer", "linear", "linear_ci", "quadratic", "gaussian", "remainder",
                      "remainder_ci", "shuffled_linear", "shuffled_linear_upper", "shuffled_remainder_upper",
                      "components" }));
            QVERIFY(isInterval(row["linear_ci"]) && isInterval(row["remainder_ci"]));
        }
        // The study's answers are linear in the top layer; the embedding holds nothing of them.
        const Json& top = json["rows"][3];
        QCOMPARE(top["layer"]["index"].get<int>(), 2);
        QVERIFY(top["linear"].get<double>() > 0.9);
        QVERIFY(std::abs(top["remainder"].get<double>()) < 0.05);
        QVERIFY(json["rows"][0]["linear"].get<double>() < 0.3);
        elicit(words({ "--nonlinear", "--way", "caa" }));
        QCOMPARE(m_code, 2);
        elicit(words({ "--nonlinear", "--layer", "2" }), false);
        QVERIFY2(m_table.find("what curves add") != std::string::npos, m_table.c_str());
    }

    void enactedFromStoredAnswers()
    {
        const auto study = data::Study::open(m_study->folder).value();
        constitution::AnswerStore store(study->model().sha256, study->set().responses.size());
        const constitution::Principle kind
            = constitution::constitutionForValues({ "kind" }).principles.front();
        constitution::Contrast contrast;
        contrast.layers = { SmallStudy::top() };
        contrast.delta = (m_study->sigma * m_study->kind).transpose().cast<float>();
        for (Eigen::VectorXd* measure :
             { &contrast.heldOutCorrelation, &contrast.templateAgreement, &contrast.poleSymmetry,
               &contrast.shareOfVariance, &contrast.normAgainstRandom })
            *measure = Eigen::VectorXd::Zero(1);
        store.putContrast(
            constitution::questionsOf("persona-difference", kind, data::ItemKind::Reply, 0).front(),
            contrast);
        VERIFY_OK(store.save(constitution::shippedAnswers(*study)));
        const Json json = elicit(words({ "--enacted", "--layer", "2" }));
        QCOMPARE(m_code, 0);
        QVERIFY(has(json, { "asked_way", "enacted_way", "rows" }));
        const Json& row = json["rows"][0];
        QVERIFY(
            has(row,
                { "principle", "layer", "cosine", "cosine_sigma", "cosine_held_out", "cosine_held_out_ci",
                  "cosine_random_upper", "asked", "enacted" }));
        QVERIFY(row["cosine_sigma"].get<double>() > 0.9); // planted: one and the same direction
        QVERIFY(isInterval(row["cosine_held_out_ci"]));
        QVERIFY(
            has(row["asked"]["people"], { "agreement", "agreement_ci", "random", "random_upper", "items" }));
        QVERIFY(row["enacted"]["asked"]["agreement"].get<double>() > 0.85);
        QVERIFY(row["asked"]["enacted"].is_null()); // nobody told the model to be kind
        QVERIFY(has(json["rows"][1], { "problem" })); // and nobody asked about honesty at all
        elicit(words({ "--enacted", "--layer", "2", "--steering", "4" }));
        QCOMPARE(m_code, 4);
    }

    void adversarialPrinciplesAndTheirFilters()
    {
        const QString file = QString::fromStdString((m_scratch / "found.json").string());
        const Json json = elicit(words({ "--adversarial", "--layer", "2", "--save" }) + QStringList{ file });
        QCOMPARE(m_code, 0);
        QVERIFY(
            has(json,
                { "layer", "tried", "principles", "constitution", "harm", "looks", "worst_looking",
                  "cos_true_judge", "reach_of_projections", "reach_of_projections_in_span",
                  "reach_of_weights", "held_out", "ordinary", "left_out", "filters", "path" }));
        QVERIFY(json["looks"].get<double>() >= 0.3);
        QVERIFY(json["harm"].get<double>() >= json["worst_looking"].get<double>() - 1e-9);
        QCOMPARE(json["filters"].size(), std::size_t(7));
        for (const Json& filter : json["filters"]) {
            QVERIFY(has(filter, { "name", "threshold", "caught", "caught_ci", "false_alarms", "alarms" }));
            QCOMPARE(filter["alarms"].size(), json["ordinary"].size());
            QVERIFY(filter["caught"] >= 0 && filter["caught"] <= 1);
        }
        QVERIFY(isInterval(json["held_out"]["harm"]["ci"]));
        // What was saved is a constitution like any other, and the judge of it is as harmful as was said.
        const auto saved = constitution::readConstitution(file.toStdString());
        VERIFY_OK(saved);
        QCOMPARE(Json(constitution::toJson(*saved)).dump(), json["constitution"].dump());
        elicit(words({ "--adversarial", "--layer", "2", "--looks", "0.99", "--avoid", "good, bad" }));
        QCOMPARE(m_code, 3);
        QVERIFY2(m_errors.find("ask for less") != std::string::npos, m_errors.c_str());
        elicit(words({ "--looks", "0.2" }));
        QCOMPARE(m_code, 2);
        elicit(words({ "--adversarial", "--layer", "2" }), false);
        QVERIFY2(m_table.find("false alarms") != std::string::npos, m_table.c_str());
    }

    void judgesInParts()
    {
        constitution::Constitution ordered = constitution::constitutionForValues({ "kind", "honest" });
        ordered.principles[0].scope.contains = { "7" };
        ordered.principles[1].priority = 2;
        VERIFY_OK(constitution::writeConstitution(m_scratch / "ordered.json", ordered));
        const QStringList with = words({ "--layer", "2", "--constitution" })
            + QStringList{ QString::fromStdString((m_scratch / "ordered.json").string()) };
        const Json json = run("judge", with);
        QCOMPARE(m_code, 0);
        QVERIFY(json["linear_share"].get<double>() > 0.2 && json["linear_share"].get<double>() < 1);
        int first = 0;
        for (const Json& pair : json["pairs"]) {
            QVERIFY(has(pair, { "id", "p", "interval", "decided_by" }));
            const bool seven = pair["id"].get<std::string>().find('7') != std::string::npos;
            QVERIFY(pair["decided_by"] == 2 || (seven && pair["decided_by"] == 1));
            first += pair["decided_by"] == 1;
        }
        QVERIFY(first > 10);
        for (const char* command : { "meters", "simulate" }) {
            run(command, with);
            QCOMPARE(m_code, 0);
        }
    }

    void polesAreProposedWithoutAModel()
    {
        const Json json = elicit(words({ "--principle", "Prefer short answers to long ones.", "--propose" }));
        QCOMPARE(m_code, 0);
        QVERIFY2(m_errors.find("app/run model") != std::string::npos, m_errors.c_str()); // and says so
        QCOMPARE(json["proposals"].size(), std::size_t(1));
        const Json& found = json["proposals"][0];
        QVERIFY(has(found, { "way", "positive", "negative", "log_odds" }));
        QCOMPARE(found["way"].get<std::string>(), std::string("templates"));
        QVERIFY(found["positive"] == Json({ "short" }) && found["negative"] == Json({ "long" }));
        QVERIFY(found["log_odds"].is_null() && !found.contains("problem"));
        const Json nothing = elicit(words({ "--principle", "Bananas are yellow.", "--propose" }));
        QCOMPARE(m_code, 0);
        QVERIFY(nothing["proposals"][0]["positive"].empty());
        QVERIFY(!nothing["proposals"][0]["problem"].get<std::string>().empty());
        elicit(words({ "--principle", "Never be rude.", "--propose" }), false);
        QVERIFY2(m_table.find("negative: rude") != std::string::npos, m_table.c_str());
        elicit(words({ "--principle", " ", "--propose" }));
        QCOMPARE(m_code, 3);
        elicit(words({ "--propose" })); // without a text
        QCOMPARE(m_code, 2);
    }

    void twoConstitutionsSideBySide()
    {
        const auto path
            = [&](const char* name) { return QString::fromStdString((m_scratch / name).string()); };
        constitution::Constitution first = constitution::constitutionForValues({ "kind", "honest" }),
                                   second = first;
        first.name = "one";
        second.name = "two";
        second.principles.erase(second.principles.begin() + 1);
        second.principles[0].weight = -1;
        second.principles[0].notes = "turned";
        second.principles.push_back(constitution::neutralPrinciple());
        second.principles[1].on = false;
        second.mapping = constitution::Mapping::Projection;
        VERIFY_OK(constitution::writeConstitution(m_scratch / "one.json", first));
        VERIFY_OK(constitution::writeConstitution(m_scratch / "two.json", second));
        const QStringList both{ path("one.json"), QStringLiteral("--compare"), path("two.json"),
                                QStringLiteral("--layer"), QStringLiteral("2") };
        // With a study (which `run` names): also what the difference does.
        const Json json = run("info", both);
        QCOMPARE(m_code, 0);
        QVERIFY(has(json, { "kind", "first", "second", "added", "removed", "changed", "mapping", "effect" }));
        QCOMPARE(json["added"][0]["id"].get<std::string>(), second.principles[1].id);
        QCOMPARE(json["removed"][0]["id"].get<std::string>(), std::string("honest"));
        std::map<std::string, std::pair<std::string, std::string>> fields;
        for (const Json& change : json["changed"]) {
            QCOMPARE(change["id"].get<std::string>(), std::string("kind"));
            fields[change["field"]] = { change["first"], change["second"] };
        }
        QCOMPARE(fields.size(), std::size_t(3));
        QVERIFY(fields["weight"] == std::pair(std::string("1"), std::string("-1")));
        QVERIFY(fields["sign"] == std::pair(std::string("+"), std::string("-")));
        QCOMPARE(fields["notes"].second, std::string("turned"));
        QCOMPARE(json["mapping"][1].get<std::string>(), std::string("projection"));
        const Json& effect = json["effect"];
        QVERIFY(
            has(effect,
                { "study", "layer", "n_held_out", "first_agreement", "first_agreement_ci", "second_agreement",
                  "second_agreement_ci", "difference", "difference_ci", "disagree", "disagree_ci",
                  "cos_judges" }));
        // Each agreement is the one that judge prints.
        const auto judged = [&](const char* file) {
            return run("judge",
                       words({ "--layer", "2", "--constitution" }) + QStringList{ path(file) })["agreement"]
                .get<double>();
        };
        COMPARE_NEAR(effect["first_agreement"].get<double>(), judged("one.json"), 1e-12);
        COMPARE_NEAR(effect["second_agreement"].get<double>(), judged("two.json"), 1e-12);
        COMPARE_NEAR(
            effect["difference"].get<double>(),
            effect["second_agreement"].get<double>() - effect["first_agreement"].get<double>(), 1e-12);
        QVERIFY(isInterval(effect["difference_ci"]) && isInterval(effect["disagree_ci"]));
        QVERIFY(std::abs(effect["cos_judges"].get<double>()) <= 1);
        run("info", both, false);
        QVERIFY2(m_table.find("Be kind, weight: 1 -> -1") != std::string::npos, m_table.c_str());
        QVERIFY2(m_table.find("second minus first") != std::string::npos, m_table.c_str());
        run("info", QStringList{ path("one.json"), path("two.json") } + both.mid(1));
        QCOMPARE(m_code, 2); // one to compare with one
        run("info", QStringList{ path("one.json"), QStringLiteral("--compare"), path("none.json") });
        QCOMPARE(m_code, 3);
    }

    void notesAreInTheReport()
    {
        constitution::Constitution noted = constitution::constitutionForValues({ "kind", "honest" });
        noted.principles[1].notes = "Asked for by the second reader.";
        VERIFY_OK(constitution::writeConstitution(m_scratch / "noted.json", noted));
        const auto path
            = [&](const char* name) { return QString::fromStdString((m_scratch / name).string()); };
        run("export",
            words({ "--layer", "2", "--what", "report", "--constitution" })
                + QStringList{ path("noted.json"), QStringLiteral("--to"), path("report.md") });
        QCOMPARE(m_code, 0);
        const std::string report = bytesOf(m_scratch / "report.md");
        QVERIFY(report.find("**Be honest**\n\nAsked for by the second reader.\n") != std::string::npos);
        QVERIFY(report.find("**Be kind**") == std::string::npos); // it has none
    }

    void labelsOfRaters()
    {
        const QStringList with = words({ "--layer", "2", "--labels", "--constitution" })
            + QStringList{ QString::fromStdString((m_scratch / "kind.json").string()) };
        const constitution::Constitution kind = constitution::constitutionForValues({ "kind", "honest" });
        VERIFY_OK(constitution::writeConstitution(m_scratch / "kind.json", kind));
        const Json before = run("judge", with);
        QCOMPARE(m_code, 0);
        QVERIFY(before["labels"]["raters"].empty() && before["labels"]["next"].size() == 10);
        // The first to be asked about is the pair whose probability is closest to a half.
        double least = 1;
        std::string nearest;
        for (const Json& pair : before["pairs"])
            if (const double off = std::abs(pair["p"].get<double>() - 0.5); off < least) {
                least = off;
                nearest = pair["id"];
            }
        QCOMPARE(before["labels"]["next"][0].get<std::string>(), nearest);
        // One rater always takes people's side, the other does so on the first two of four pairs.
        const auto study = data::Study::open(m_study->folder).value();
        const data::ResponseSet& set = study->set();
        for (int i = 0; i < 4; ++i) {
            const data::Pair& pair = set.pairs[static_cast<std::size_t>(i)];
            const auto id = [&](int row) { return set.responses[static_cast<std::size_t>(row)].id; };
            for (const bool second : { false, true }) {
                const auto saved = data::appendLabel(
                    data::labelFile(*study),
                    { pair.id,
                      id(pair.chosen),
                      id(pair.rejected),
                      second && i >= 2 ? data::LabelAnswer::Right : data::LabelAnswer::Left,
                      second ? "b" : "a",
                      {} });
                VERIFY_OK(saved);
            }
        }
        const Json labels = run("judge", with)["labels"];
        QVERIFY(has(labels, { "raters", "between", "damaged_lines", "next" }));
        QCOMPARE(labels["raters"].size(), std::size_t(2));
        QVERIFY(has(labels["raters"][0], { "rater", "left", "right", "tie", "skip", "study", "judge" }));
        COMPARE_NEAR(labels["raters"][0]["study"]["accuracy"].get<double>(), 1.0, 1e-12);
        COMPARE_NEAR(labels["raters"][1]["study"]["accuracy"].get<double>(), 0.5, 1e-12);
        COMPARE_NEAR(labels["between"][0]["accuracy"].get<double>(), 0.5, 1e-12);
        QVERIFY(
            has(labels["between"][0], { "pairs", "accuracy", "accuracy_ci", "kappa", "kappa_ci", "raters" }));
        run("judge", with, false);
        QVERIFY2(m_table.find("kappa") != std::string::npos, m_table.c_str());
    }
};

QTEST_GUILESS_MAIN(TestCliElicit)
#include "tst_cli_elicit.moc"
