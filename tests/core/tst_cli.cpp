// The command line as scripts use it: one JSON document, the contract's keys, the core's numbers, and exit
// codes.
#include "core/formats/direction_file.h"
#include "core/formats/npy.h"
#include "core/session/layer_sweep.h"
#include "core/session/pipeline.h"
#include "tests/support/byte_vocabulary.h"
#include "tests/support/geometry_support.h"
#include "tests/support/small_study.h"

#include <QProcess>
#include <csignal>

using namespace lodestone;
using namespace lodestone::testing;
using Json = nlohmann::json;

namespace {

QString pathText(const std::filesystem::path& path) { return QString::fromStdString(path.string()); }

struct Run {
    int code = -1;
    std::string out, err;

    /// Standard output as the one JSON document that it must be.
    Json json() const { return Json::parse(out, nullptr, false); }
    bool says(const char* part) const { return err.find(part) != std::string::npos; }
};

bool hasKeys(const Json& json, const std::vector<const char*>& keys)
{
    for (const char* key : keys)
        if (!json.is_object() || !json.contains(key)) {
            qWarning("key '%s' is missing", key);
            return false;
        }
    return true;
}

/// "[low, high]" of two numbers.
bool isInterval(const Json& json)
{
    return json.is_array() && json.size() == 2 && json[0].is_number() && json[1].is_number()
        && json[0] <= json[1];
}

} // namespace

class TestCli : public QObject {
    Q_OBJECT

    QString m_program;
    ScratchFolder m_scratch;
    std::unique_ptr<ScratchStudy> m_study;
    QString m_folder, m_constitution;

    QProcessEnvironment environment() const
    {
        QProcessEnvironment result = QProcessEnvironment::systemEnvironment();
        // No model anywhere, and no engine to load.
        result.insert(QStringLiteral("LODESTONE_MODEL_DIR"), pathText(m_scratch / "no-models"));
        result.insert(QStringLiteral("XDG_CACHE_HOME"), pathText(m_scratch / "cache"));
        result.insert(QStringLiteral("LODESTONE_ENGINE_DIR"), QStringLiteral("/nonexistent"));
        return result;
    }

    Run
    run(const QStringList& arguments, const QByteArray& input = {},
        const QProcessEnvironment& settings = {}) const
    {
        QProcess process;
        process.setProcessEnvironment(settings.isEmpty() ? environment() : settings);
        process.start(m_program, arguments);
        process.write(input);
        process.closeWriteChannel();
        if (!process.waitForFinished(120000) || process.exitStatus() != QProcess::NormalExit)
            return {};
        return { process.exitCode(), process.readAllStandardOutput().toStdString(),
                 process.readAllStandardError().toStdString() };
    }
    QStringList onStudy(const char* command, const QStringList& more = {}) const
    {
        return QStringList{ QLatin1String(command), QStringLiteral("--json"), QStringLiteral("--study"),
                            m_folder }
        + more;
    }
    QStringList judged(const char* command, const QStringList& more = {}) const
    {
        return onStudy(command, QStringList{ QStringLiteral("--constitution"), m_constitution } + more);
    }

    constitution::Constitution constitution() const
    {
        constitution::Constitution result = constitution::constitutionForValues({ "kind", "honest" });
        result.principles[0].weight = 1.25;
        result.principles[1].weight = -0.5;
        return result;
    }

    /// What the command line must find at the top layer: the same pipeline, called here.
    std::shared_ptr<const session::Snapshot>
    expected(session::Pipeline& pipeline, const std::shared_ptr<const session::Foundation>& foundation) const
    {
        session::Inputs inputs = session::defaultInputs(*foundation, SmallStudy::top());
        inputs.constitution = constitution();
        inputs.seed = 0;
        return pipeline.recompute(inputs, nullptr).value();
    }

    std::filesystem::path vocabularyFile() const
    {
        const ByteVocabulary vocabulary({ " kind", " cruel" });
        GgufWriter file;
        file.text("general.architecture", "llama");
        file.text("general.name", "tiny");
        for (const auto& [key, value] :
             { std::pair("block_count", 2), std::pair("embedding_length", 8),
               std::pair("feed_forward_length", 16), std::pair("attention.head_count", 2),
               std::pair("attention.head_count_kv", 1), std::pair("context_length", 64) })
            file.integer(std::string("llama.") + key, static_cast<std::uint32_t>(value));
        vocabulary.writeTo(file);
        file.tensor(
            "token_embd.weight", { 8, vocabulary.tokens.size() }, 0,
            std::string(vocabulary.tokens.size() * 8 * 4, '\0'));
        return m_scratch.write("tiny.gguf", file.bytes());
    }

private Q_SLOTS:
    void initTestCase()
    {
        m_program = qEnvironmentVariable("LODESTONE_BIN") + QStringLiteral("/lodestone");
        if (!QFile::exists(m_program))
            QSKIP("no program: set LODESTONE_BIN to the folder of the built one");
        SmallStudyOptions options{ 12, 80, 30, 6 };
        m_study = std::make_unique<ScratchStudy>(options);
        m_folder = pathText(m_study->scratch.path());
        std::filesystem::create_directories(m_scratch / "no-models");
        VERIFY_OK(constitution::writeConstitution(m_scratch / "constitution.json", constitution()));
        m_constitution = pathText(m_scratch / "constitution.json");
    }

    void helpAndVersion()
    {
        const Run help = run({ QStringLiteral("--help") });
        QCOMPARE(help.code, 0);
        for (const char* command :
             { "model", "info", "tokenize", "detokenize", "logits", "generate", "verify", "capture", "import",
               "directions", "elicit", "judge", "meters", "simulate", "export" })
            QVERIFY2(help.out.find(std::string("\n  ") + command) != std::string::npos, command);
        const Run version = run({ QStringLiteral("--version") });
        QCOMPARE(version.code, 0);
        QVERIFY(version.out.rfind("lodestone ", 0) == 0);
    }

    void infoOfAStudy()
    {
        const Run found = run(onStudy("info"));
        QCOMPARE(found.code, 0);
        QVERIFY(found.err.empty());
        const Json json = found.json();
        QVERIFY(
            hasKeys(json, { "kind", "responses", "pairs", "layers", "positions", "values", "longer_wins" }));
        QCOMPARE(json["kind"].get<std::string>(), std::string("study"));
        QCOMPARE(json["responses"].get<int>(), 340);
        QCOMPARE(json["pairs"].get<int>(), 80);
        QVERIFY(json["layers"][0] == Json({ { "kind", "embedding" } }));
        QVERIFY(json["layers"][3] == Json({ { "kind", "block" }, { "index", 2 } }));
        QVERIFY(json["positions"] == Json({ "mean", "last" }));
        QVERIFY(json["values"] == Json({ { "kind", 40 }, { "honest", 40 } }));
        double longer = 0;
        for (const data::Pair& pair : m_study->truth.set.pairs) {
            const auto a = m_study->truth.set.responses[static_cast<std::size_t>(pair.chosen)].text.size(),
                       b = m_study->truth.set.responses[static_cast<std::size_t>(pair.rejected)].text.size();
            if (pair.value == "kind")
                longer += (a > b ? 1.0 : a == b ? 0.5 : 0.0) / 40;
        }
        COMPARE_NEAR(json["longer_wins"]["kind"].get<double>(), longer, 1e-12);
        QVERIFY(run({ QStringLiteral("info"), m_folder }).out.find("340 responses") != std::string::npos);
    }

    void infoOfSeveralPathsIsOneDocument()
    {
        const QString array = pathText(m_study->scratch / "activations/mean-2.npy");
        const Json one = run({ QStringLiteral("info"), QStringLiteral("--json"), array }).json();
        QCOMPARE(one["kind"].get<std::string>(), std::string("array"));
        QVERIFY(one["shape"] == Json({ 340, 12 }));
        const Json several = run({ QStringLiteral("info"), QStringLiteral("--json"), array, m_folder,
                                   pathText(vocabularyFile()) })
                                 .json();
        QVERIFY(hasKeys(several, { "kind", "items" }));
        QCOMPARE(several["items"].size(), std::size_t(3));
        QVERIFY(several["items"][0] == one);
        QCOMPARE(several["items"][1]["kind"].get<std::string>(), std::string("study"));
        QCOMPARE(several["items"][2]["kind"].get<std::string>(), std::string("model"));
    }

    void infoOfAModel()
    {
        const Run found
            = run({ QStringLiteral("info"), QStringLiteral("--json"), pathText(vocabularyFile()) });
        QCOMPARE(found.code, 0);
        const Json json = found.json();
        QVERIFY(hasKeys(
            json,
            { "kind", "architecture", "layers", "width", "heads", "kv_heads", "vocabulary", "quantisation",
              "tokenizer", "chat_template", "context" }));
        QCOMPARE(json["layers"].get<int>(), 3); // the embedding and two blocks
        QCOMPARE(json["kv_heads"].get<int>(), 1);
        QCOMPARE(json["context"].get<int>(), 64);
    }

    void tokenizeAndBack()
    {
        const QStringList model{ QStringLiteral("--json"), QStringLiteral("--model"),
                                 pathText(vocabularyFile()) };
        const QByteArray input = "A kind\n<|im_end|>\xff";
        const Run parsed = run(QStringList{ QStringLiteral("tokenize") } + model, input);
        QCOMPARE(parsed.code, 0);
        const Json json = parsed.json();
        QVERIFY(hasKeys(json, { "ids", "pieces" }));
        QCOMPARE(json["ids"].size(), json["pieces"].size());
        const auto ids = json["ids"].get<std::vector<int>>();
        QCOMPARE(ids.front(), int('A'));
        QVERIFY(std::find(ids.begin(), ids.end(), ByteVocabulary::imEnd) != ids.end());
        const Run plain
            = run(QStringList{ QStringLiteral("tokenize"), QStringLiteral("--no-special") } + model, input);
        const auto plainIds = plain.json()["ids"].get<std::vector<int>>();
        QVERIFY(std::find(plainIds.begin(), plainIds.end(), ByteVocabulary::imEnd) == plainIds.end());
        QVERIFY(plainIds.size() > ids.size());
        QStringList back{ QStringLiteral("detokenize") };
        for (const int id : plainIds)
            back << QString::number(id);
        const Run text = run(back + model.mid(1));
        QCOMPARE(text.code, 0);
        QVERIFY(text.out.rfind(input.toStdString(), 0) == 0); // byte for byte
        const Run none = run(QStringList{ QStringLiteral("detokenize"), QStringLiteral("99999999") } + model);
        QCOMPARE(none.code, 3);
        QVERIFY(none.says("99999999"));
    }

    void cachedModels()
    {
        const Run none = run({ QStringLiteral("model"), QStringLiteral("--list"), QStringLiteral("--json") });
        QCOMPARE(none.code, 0);
        QVERIFY(none.json() == Json({ { "models", Json::array() } }));
    }

    void directions()
    {
        const Run fitted
            = run(onStudy("directions", { QStringLiteral("--method"), QStringLiteral("ridge") }));
        QCOMPARE(fitted.code, 0);
        const Json json = fitted.json();
        QVERIFY(hasKeys(json, { "target", "method", "position", "n_train", "n_held_out", "layers", "best" }));
        QCOMPARE(json["layers"].size(), std::size_t(4));
        session::SweepOptions options;
        options.method = geometry::Method::Ridge;
        const auto foundation = session::Foundation::open(m_study->study).value();
        const auto sweep = session::sweepLayers(*foundation, {}, options);
        VERIFY_OK(sweep);
        QCOMPARE(json["n_train"].get<int>(), sweep->training);
        for (std::size_t i = 0; i < 4; ++i) {
            const Json& row = json["layers"][i];
            QVERIFY(hasKeys(
                row,
                { "layer", "pair_accuracy", "pair_accuracy_ci", "auc", "auc_ci", "random", "shuffled",
                  "length", "embedding" }));
            COMPARE_NEAR(row["pair_accuracy"].get<double>(), sweep->rows[i].accuracy.value, 1e-12);
            COMPARE_NEAR(row["auc"].get<double>(), sweep->rows[i].auc.value, 1e-12);
            COMPARE_NEAR(row["shuffled"].get<double>(), sweep->rows[i].shuffled.accuracy, 1e-12);
            QVERIFY(isInterval(row["pair_accuracy_ci"]) && isInterval(row["auc_ci"]));
        }
        QVERIFY(json["best"] == json["layers"][static_cast<std::size_t>(sweep->best)]);
        QVERIFY(json["layers"][3]["pair_accuracy"] > 0.7);
    }

    void directionTargets_data()
    {
        QTest::addColumn<QString>("target");
        for (const char* target :
             { "labels", "pmi", "loglik", "loglik-per-token", "length", "kind", "honest" })
            QTest::newRow(target) << QString::fromLatin1(target);
    }
    void directionTargets()
    {
        QFETCH(QString, target);
        const Run fitted = run(onStudy(
            "directions",
            { QStringLiteral("--target"), target, QStringLiteral("--layer"), QStringLiteral("2") }));
        QCOMPARE(fitted.code, 0);
        QCOMPARE(fitted.json()["layers"].size(), std::size_t(1));
        QVERIFY(fitted.json()["layers"][0]["layer"] == Json({ { "kind", "block" }, { "index", 2 } }));
    }

    void elicit()
    {
        const Run found = run(onStudy(
            "elicit",
            { QStringLiteral("--principle"), QStringLiteral("Be kind."), QStringLiteral("--positive"),
              QStringLiteral("kind and caring"), QStringLiteral("--negative"),
              QStringLiteral("rude, unheard"), QStringLiteral("--label"), QStringLiteral("kind") }));
        QCOMPARE(found.code, 0);
        const Json json = found.json();
        QVERIFY(
            hasKeys(json, { "principle", "way", "direct_accuracy", "direct_accuracy_ci", "layers", "best" }));
        QCOMPARE(json["way"].get<std::string>(), std::string("cloze"));
        QVERIFY(json["unknown_words"] == Json({ "unheard" }));
        QVERIFY(
            hasKeys(json["layers"][3], { "layer", "linearity", "pair_accuracy", "pair_accuracy_ci", "auc" }));
        QVERIFY(json["layers"][3]["linearity"] > 0.9);
        // The answers themselves, on all pairs about kindness.
        const auto cloze = constitution::ClozeElicitation::open(*m_study->study).value();
        constitution::Principle principle;
        principle.positive = { "kind", "caring" };
        principle.negative = { "rude" };
        const Eigen::VectorXd scores = cloze->judge(principle).value().scores;
        double right = 0;
        for (const data::Pair& pair : m_study->truth.set.pairs)
            if (pair.value == "kind")
                right += scores[pair.chosen] > scores[pair.rejected] ? 1 / 40.0 : 0;
        COMPARE_NEAR(json["direct_accuracy"].get<double>(), right, 1e-12);
        const Json both = run(judged("elicit")).json();
        QCOMPARE(both["principles"].size(), std::size_t(2));
        const auto nobody = m_scratch.write(
            "nobody.json", R"({"format": "lodestone-constitution", "version": 1, "principles": []})");
        const Run none = run(onStudy("elicit", { QStringLiteral("--constitution"), pathText(nobody) }));
        QCOMPARE(none.code, 3);
        QVERIFY(none.says("principle") && none.out.empty());
    }

    void judgeIsTheSessionsJudgment()
    {
        const Run found = run(judged("judge", { QStringLiteral("--layer"), QStringLiteral("2") }));
        QCOMPARE(found.code, 0);
        const Json json = found.json();
        QVERIFY(hasKeys(json, { "pairs", "agreement", "agreement_ci", "flipped_by_order" }));
        const auto foundation = session::Foundation::open(m_study->study).value();
        session::Pipeline pipeline(foundation);
        const auto snapshot = expected(pipeline, foundation);
        QCOMPARE(json["pairs"].size(), std::size_t(80));
        for (std::size_t i = 0; i < 80; ++i) {
            const Json& pair = json["pairs"][i];
            QVERIFY(hasKeys(pair, { "id", "p", "label", "interval" }));
            QCOMPARE(pair["id"].get<std::string>(), "pair-" + std::to_string(i));
            COMPARE_NEAR(pair["p"].get<double>(), snapshot->judge->pairs[i].p, 1e-10);
        }
        COMPARE_NEAR(json["agreement"].get<double>(), snapshot->judge->agreement.value, 1e-12);
        COMPARE_NEAR(json["agreement_ci"][0].get<double>(), snapshot->judge->agreement.interval.low, 1e-12);
        QCOMPARE(json["fingerprint"].get<std::string>(), snapshot->fingerprint().hex());
        // The same call, the same bytes.
        QCOMPARE(run(judged("judge", { QStringLiteral("--layer"), QStringLiteral("2") })).out, found.out);
        // Twice the temperature halves every logit.
        const Json hot = run(judged(
                                 "judge",
                                 { QStringLiteral("--layer"), QStringLiteral("2"), QStringLiteral("--tau"),
                                   QStringLiteral("2") }))
                             .json();
        const auto logit = [](const Json& pair) {
            return std::log(pair["p"].get<double>() / (1 - pair["p"].get<double>()));
        };
        COMPARE_NEAR(logit(hot["pairs"][5]), logit(json["pairs"][5]) / 2, 1e-9);
        const Json projected = run(judged(
                                       "judge",
                                       { QStringLiteral("--layer"), QStringLiteral("2"),
                                         QStringLiteral("--mapping"), QStringLiteral("projection") }))
                                   .json();
        QVERIFY(projected["pairs"] != json["pairs"]);
    }

    void meters()
    {
        const Run found = run(judged("meters", { QStringLiteral("--layer"), QStringLiteral("2") }));
        QCOMPARE(found.code, 0);
        const Json json = found.json();
        for (const char* name :
             { "encoding_quality", "judge_accuracy", "generation_accuracy", "generation_judgment_gap",
               "efficiency", "cos_true_generation", "cos_judge_generation", "ceiling" }) {
            QVERIFY2(json.contains(name) && json[name].is_number(), name);
            QVERIFY2(isInterval(json[std::string(name) + "_ci"]), name);
        }
        QVERIFY(hasKeys(
            json,
            { "efficiency_noise_ceiling", "efficiency_noise_ceiling_ci", "self_improvement_probability",
              "self_improvement_probability_ci" }));
        QVERIFY(json["efficiency_noise_ceiling"] > 0 && json["efficiency_noise_ceiling"] <= 1);
        const auto foundation = session::Foundation::open(m_study->study).value();
        session::Pipeline pipeline(foundation);
        const auto snapshot = expected(pipeline, foundation);
        COMPARE_NEAR(json["efficiency"].get<double>(), snapshot->meters->efficiency.value, 1e-10);
        COMPARE_NEAR(
            json["judge_accuracy"].get<double>() - json["generation_accuracy"].get<double>(),
            json["generation_judgment_gap"].get<double>(), 1e-10);
    }

    void simulate()
    {
        const QStringList top{ QStringLiteral("--layer"), QStringLiteral("2") };
        const Run found
            = run(judged("simulate", top + QStringList{ QStringLiteral("--beta"), QStringLiteral("0.5") }));
        QCOMPARE(found.code, 0);
        const Json json = found.json();
        QVERIFY(hasKeys(
            json,
            { "reward", "rule", "lambda", "kl", "reward_gain", "value_gain", "win_rate", "win_rate_ci",
              "effective_sample_size", "risen", "fallen" }));
        const auto foundation = session::Foundation::open(m_study->study).value();
        session::Pipeline pipeline(foundation);
        const auto snapshot = expected(pipeline, foundation);
        const auto tilted = policy::tilt(
            snapshot->layer->pool, snapshot->judge->rewards, snapshot->layer->people.scores, 2);
        QCOMPARE(json["lambda"].get<double>(), 2.0);
        COMPARE_NEAR(json["kl"].get<double>(), tilted.kl, 1e-9);
        COMPARE_NEAR(json["value_gain"].get<double>(), tilted.valueGain, 1e-9);
        COMPARE_NEAR(json["win_rate"].get<double>(), tilted.winRate, 1e-9);
        QVERIFY(isInterval(json["win_rate_ci"]));
        QVERIFY(hasKeys(json["risen"][0], { "id", "log_ratio", "text" }));
        // A budget is spent to the last nat.
        const Json spent
            = run(judged("simulate", top + QStringList{ QStringLiteral("--kl"), QStringLiteral("0.4") }))
                  .json();
        COMPARE_NEAR(spent["kl"].get<double>(), 0.4, 1e-8);
        // Nothing done, nothing gained.
        const Json nothing
            = run(judged("simulate", top + QStringList{ QStringLiteral("--kl"), QStringLiteral("0") }))
                  .json();
        COMPARE_NEAR(nothing["value_gain"].get<double>(), 0.0, 1e-12);
        COMPARE_NEAR(nothing["win_rate"].get<double>(), 0.5, 1e-12);
        // The closed form knows no cap: K = lambda^2 s^2/2.
        const Json gaussian = run(judged(
                                      "simulate",
                                      top
                                          + QStringList{ QStringLiteral("--rule"), QStringLiteral("gaussian"),
                                                         QStringLiteral("--kl"), QStringLiteral("3") }))
                                  .json();
        COMPARE_NEAR(gaussian["kl"].get<double>(), 3.0, 1e-9);
        COMPARE_NEAR(gaussian["value_gain"].get<double>(), snapshot->judge->cosTrue * std::sqrt(6.0), 1e-9);
        // No constitution: one principle per value; people's own labels as reward gain most.
        const Json labels = run(onStudy(
                                    "simulate",
                                    top
                                        + QStringList{ QStringLiteral("--reward"), QStringLiteral("labels"),
                                                       QStringLiteral("--kl"), QStringLiteral("0.4") }))
                                .json();
        QCOMPARE(labels["reward"].get<std::string>(), std::string("labels"));
        QVERIFY(labels["value_gain"] > spent["value_gain"]);
    }

    void simulateRefusesMoreThanTheCap()
    {
        const Run refused = run(judged(
            "simulate",
            { QStringLiteral("--layer"), QStringLiteral("2"), QStringLiteral("--kl"),
              QStringLiteral("1.8") }));
        QCOMPARE(refused.code, 2);
        QVERIFY(refused.out.empty());
        QVERIFY(refused.says("1.792")); // ln 6
        // At the embedding only the pairs are candidates: ln 2.
        const Run pairs = run(judged(
            "simulate",
            { QStringLiteral("--layer"), QStringLiteral("embedding"), QStringLiteral("--kl"),
              QStringLiteral("0.7") }));
        QCOMPARE(pairs.code, 2);
        QVERIFY(pairs.says("0.693"));
    }

    void exportFiles()
    {
        const auto csv = m_scratch / "scores.csv", npy = m_scratch / "direction.npy";
        const Run table = run(judged(
            "export",
            { QStringLiteral("--layer"), QStringLiteral("2"), QStringLiteral("--what"),
              QStringLiteral("coordinates"), QStringLiteral("--to"), pathText(csv) }));
        QCOMPARE(table.code, 0);
        QVERIFY(hasKeys(table.json(), { "path", "bytes" }));
        const std::string bytes = bytesOf(csv);
        QCOMPARE(table.json()["bytes"].get<std::size_t>(), bytes.size());
        QCOMPARE(std::count(bytes.begin(), bytes.end(), '\n'), std::ptrdiff_t(341));
        QCOMPARE(
            run(judged(
                    "export",
                    { QStringLiteral("--layer"), QStringLiteral("2"), QStringLiteral("--what"),
                      QStringLiteral("direction"), QStringLiteral("--to"), pathText(npy) }))
                .code,
            0);
        const auto array = formats::NpyArray::open(npy);
        VERIFY_OK(array);
        const auto foundation = session::Foundation::open(m_study->study).value();
        session::Pipeline pipeline(foundation);
        const auto snapshot = expected(pipeline, foundation);
        Eigen::VectorXd displacement = Eigen::VectorXd::Zero(12);
        for (std::size_t i = 0; i < 2; ++i)
            displacement += snapshot->judge->coefficients[static_cast<Eigen::Index>(i)]
                * snapshot->principles[i]->direction.displacement;
        QCOMPARE(array->toFloat().size(), Eigen::Index(12));
        const auto stored = array->toFloat();
        COMPARE_NEAR(
            distance(
                Eigen::VectorXd(Eigen::Map<const Eigen::VectorXf>(stored.data(), 12).cast<double>()),
                displacement),
            0.0, 1e-5);
        // The file says what it is; as a control vector it stands at the same layer, and as a read-out it is
        // w_c.
        const auto vector = m_scratch / "direction.gguf", readOut = m_scratch / "direction.safetensors";
        for (const auto& [path, role] : { std::pair(vector, "displacement"), std::pair(readOut, "read-out") })
            QCOMPARE(
                run(judged(
                        "export",
                        { QStringLiteral("--layer"), QStringLiteral("2"), QStringLiteral("--what"),
                          QStringLiteral("direction"), QStringLiteral("--role"), QString::fromLatin1(role),
                          QStringLiteral("--to"), pathText(path) }))
                    .code,
                0);
        Eigen::VectorXd weights = Eigen::VectorXd::Zero(12);
        for (std::size_t i = 0; i < 2; ++i)
            weights += snapshot->judge->coefficients[static_cast<Eigen::Index>(i)]
                * snapshot->principles[i]->direction.readOut.weights;
        for (const auto& path : { npy, vector, readOut }) {
            const auto file = formats::readDirectionFile(path.string());
            VERIFY_OK(file);
            const formats::FileDirection& direction = *file->only().value();
            const bool moves = path != readOut;
            QVERIFY(
                direction.role
                == (moves ? formats::DirectionRole::Displacement : formats::DirectionRole::ReadOut));
            QVERIFY(direction.layer == Layer::blockOutput(2));
            QCOMPARE(file->origin.position, std::string("mean"));
            QCOMPARE(file->origin.modelSha256, m_study->study->model().sha256);
            COMPARE_NEAR(*file->origin.heldOutScore, snapshot->judge->heldOut.accuracy.value, 1e-12);
            COMPARE_NEAR(
                distance(Eigen::VectorXd(direction.values.cast<double>()), moves ? displacement : weights),
                0.0, 1e-5);
        }
        const Run refused = run(judged(
            "export",
            { QStringLiteral("--what"), QStringLiteral("direction"), QStringLiteral("--to"),
              QStringLiteral("/nonexistent/x.npy") }));
        QVERIFY(refused.code != 0 && refused.says("/nonexistent/x.npy"));
    }

    void importedActivationsAreAStudy()
    {
        // 60 prompts, two texts each; the first coordinate is the label.
        constexpr int n = 120, width = 4;
        Rng rng(4);
        formats::RowMatrix rows = gaussianRows(n, width, rng);
        std::string table;
        for (int i = 0; i < n; ++i) {
            const bool good = i % 2 == 0;
            rows(i, 0) = static_cast<float>((good ? 1.5 : -1.5) + 0.5 * rng.normal());
            table += Json({ { "text", "Text " + std::to_string(i) },
                            { "label", good ? "true" : "false" },
                            { "group", i / 2 } })
                         .dump()
                + "\n";
        }
        VERIFY_OK(formats::writeNpy(m_scratch / "own.npy", rows));
        m_scratch.write("own.jsonl", table);
        const QString study = pathText(m_scratch / "own-study");
        const Run imported
            = run({ QStringLiteral("import"), QStringLiteral("--json"), QStringLiteral("--activations"),
                    pathText(m_scratch / "own.npy"), QStringLiteral("--table"),
                    pathText(m_scratch / "own.jsonl"), QStringLiteral("--study"), study });
        QVERIFY2(imported.code == 0, imported.err.c_str());
        QVERIFY(hasKeys(imported.json(), { "study", "responses", "pairs", "layers" }));
        QCOMPARE(imported.json()["responses"].get<int>(), n);
        const Json fitted = run({ QStringLiteral("directions"), QStringLiteral("--json"),
                                  QStringLiteral("--study"), study })
                                .json();
        QVERIFY(fitted["best"]["auc"] > 0.9);
        // Labels are a reward without any constitution; a judgment is not to be had from them.
        const Run labels
            = run({ QStringLiteral("simulate"), QStringLiteral("--json"), QStringLiteral("--study"), study,
                    QStringLiteral("--reward"), QStringLiteral("labels") });
        QVERIFY2(labels.code == 0 || labels.says("candidates"), labels.err.c_str());
        const Run refused
            = run({ QStringLiteral("judge"), QStringLiteral("--json"), QStringLiteral("--study"), study,
                    QStringLiteral("--constitution"), m_constitution });
        QCOMPARE(refused.code, 3);
        QVERIFY(refused.says("cloze") && refused.out.empty());
    }

    void progressIsOnStandardErrorOnly()
    {
        const Run loud = run(onStudy("directions"));
        QCOMPARE(loud.code, 0);
        QVERIFY(loud.says("Scoring layers"));
        QVERIFY(!loud.json().is_discarded());
        const Run quiet = run(onStudy("directions", { QStringLiteral("--quiet") }));
        QVERIFY(quiet.err.empty());
        QCOMPARE(quiet.out, loud.out);
        // Words that nobody knows are named, but not on standard output.
        const Run judge = run(judged("judge"));
        QCOMPARE(judge.code, 0);
        QVERIFY(!judge.json().is_discarded());
    }

    void tablesForPeople_data()
    {
        QTest::addColumn<QString>("command");
        QTest::addColumn<QString>("shown");
        QTest::newRow("directions") << QStringLiteral("directions") << QStringLiteral("block 2 output");
        QTest::newRow("judge") << QStringLiteral("judge") << QStringLiteral("pair-79");
        QTest::newRow("meters") << QStringLiteral("meters") << QStringLiteral("encoding_quality");
        QTest::newRow("simulate") << QStringLiteral("simulate") << QStringLiteral("win rate");
    }
    void tablesForPeople()
    {
        QFETCH(QString, command);
        QFETCH(QString, shown);
        QStringList arguments{ command, QStringLiteral("--study"), m_folder };
        if (command != QLatin1String("directions"))
            arguments << QStringLiteral("--constitution") << m_constitution;
        const Run found = run(arguments);
        QCOMPARE(found.code, 0);
        QVERIFY(found.out.find(shown.toStdString()) != std::string::npos);
        QVERIFY(found.json().is_discarded());
    }

    void usageErrors_data()
    {
        QTest::addColumn<QStringList>("arguments");
        QTest::newRow("unknown subcommand") << QStringList{ QStringLiteral("ponder") };
        QTest::newRow("unknown option")
            << QStringList{ QStringLiteral("info"), QStringLiteral("--colour"), QStringLiteral("blue") };
        QTest::newRow("missing option") << QStringList{ QStringLiteral("judge") };
        QTest::newRow("elicit without a study") << QStringList{ QStringLiteral("elicit") };
        QTest::newRow("no such method")
            << QStringList{ QStringLiteral("directions"), QStringLiteral("--study"), QStringLiteral("STUDY"),
                            QStringLiteral("--method"), QStringLiteral("magic") };
        QTest::newRow("no such layer")
            << QStringList{ QStringLiteral("directions"), QStringLiteral("--study"), QStringLiteral("STUDY"),
                            QStringLiteral("--layer"), QStringLiteral("top") };
        QTest::newRow("no such position")
            << QStringList{ QStringLiteral("directions"), QStringLiteral("--study"), QStringLiteral("STUDY"),
                            QStringLiteral("--position"), QStringLiteral("first") };
        QTest::newRow("tau 0") << QStringList{ QStringLiteral("judge"), QStringLiteral("--study"),
                                               QStringLiteral("STUDY"), QStringLiteral("--constitution"),
                                               QStringLiteral("C"),     QStringLiteral("--tau"),
                                               QStringLiteral("0") };
        QTest::newRow("both beta and KL")
            << QStringList{ QStringLiteral("simulate"), QStringLiteral("--study"), QStringLiteral("STUDY"),
                            QStringLiteral("--beta"),   QStringLiteral("1"),       QStringLiteral("--kl"),
                            QStringLiteral("1") };
    }
    void usageErrors()
    {
        QFETCH(QStringList, arguments);
        arguments.replaceInStrings(QStringLiteral("STUDY"), m_folder);
        const Run refused = run(arguments + QStringList{ QStringLiteral("--json") });
        QCOMPARE(refused.code, 2);
        QVERIFY(refused.out.empty() && !refused.err.empty());
    }

    void badInputIsNamed()
    {
        const Run nothing = run({ QStringLiteral("info"), QStringLiteral("--json"), QStringLiteral("--study"),
                                  QStringLiteral("/nonexistent/study") });
        QCOMPARE(nothing.code, 3);
        QVERIFY(nothing.says("/nonexistent/study") && nothing.out.empty());
        const ScratchStudy broken;
        broken.scratch.write("study.json", "{\"format\": \"lodestone-study\", \"version\": 1");
        const QString folder = pathText(broken.scratch.path());
        const Run torn = run({ QStringLiteral("judge"), QStringLiteral("--study"), folder,
                               QStringLiteral("--constitution"), m_constitution });
        QCOMPARE(torn.code, 3);
        QVERIFY(torn.says("study.json"));
        const ScratchStudy cut;
        const std::string array = bytesOf(cut.scratch / "activations/mean-2.npy");
        cut.scratch.write("activations/mean-2.npy", array.substr(0, array.size() - 10));
        const Run shortArray = run({ QStringLiteral("info"), pathText(cut.scratch.path()) });
        QCOMPARE(shortArray.code, 3);
        QVERIFY(shortArray.says("mean-2.npy"));
        const auto heavy = m_scratch.write(
            "heavy.json",
            R"({"format": "lodestone-constitution", "version": 1, "principles": [{"positive": "kind", "negative": "rude", "weight": 3}]})");
        const Run weight = run(onStudy("judge", { QStringLiteral("--constitution"), pathText(heavy) }));
        QCOMPARE(weight.code, 3);
        QVERIFY(weight.says("principle 1, key 'weight'"));
        const Run layer = run(judged("judge", { QStringLiteral("--layer"), QStringLiteral("77") }));
        QCOMPARE(layer.code, 3);
        QVERIFY(layer.says("block 77 output"));
        const Run target
            = run(onStudy("directions", { QStringLiteral("--target"), QStringLiteral("punctual") }));
        QCOMPARE(target.code, 3);
        QVERIFY(target.says("punctual") && target.says("honest"));
    }

    void aMissingModelIsNamed()
    {
        for (const QStringList& arguments :
             { QStringList{ QStringLiteral("logits"), QStringLiteral("--text"), QStringLiteral("x") },
               QStringList{ QStringLiteral("tokenize") }, QStringList{ QStringLiteral("info") },
               QStringList{ QStringLiteral("logits"), QStringLiteral("--text"), QStringLiteral("x"),
                            QStringLiteral("--model"), QStringLiteral("/nonexistent/m.gguf") } }) {
            const Run refused = run(arguments + QStringList{ QStringLiteral("--json") });
            QCOMPARE(refused.code, 4);
            QVERIFY(refused.out.empty() && !refused.err.empty());
        }
        QVERIFY(run({ QStringLiteral("logits"), QStringLiteral("--text"), QStringLiteral("x") })
                    .says("run model")); // how to get it
    }

    void judgingMapsNoEngine()
    {
        // The dynamic linker writes down every library that it looks for.
        for (const char* command : { "judge", "simulate", "meters" }) {
            QProcessEnvironment settings = environment();
            const ScratchFolder logs;
            settings.insert(QStringLiteral("LD_DEBUG"), QStringLiteral("files"));
            settings.insert(QStringLiteral("LD_DEBUG_OUTPUT"), pathText(logs / "log"));
            const Run found = run(judged(command), {}, settings);
            QCOMPARE(found.code, 0);
            std::string log;
            for (const auto& entry : std::filesystem::directory_iterator(logs.path()))
                log += bytesOf(entry.path());
            QVERIFY(log.find("libc.so") != std::string::npos); // it was written
            for (const char* library : { "libtorch", "libc10", "lodestone_torch", "libopenblas", "libmkl" })
                QVERIFY2(log.find(library) == std::string::npos, library);
        }
    }

    void interruptedWorkSaysSo()
    {
        SmallStudyOptions options{ 128, 500, 0, 6 };
        const ScratchStudy large(options);
        QProcess process;
        process.setProcessEnvironment(environment());
        process.setReadChannel(QProcess::StandardError);
        process.start(
            m_program,
            { QStringLiteral("directions"), QStringLiteral("--json"), QStringLiteral("--method"),
              QStringLiteral("logistic"), QStringLiteral("--study"), pathText(large.scratch.path()) });
        QByteArray errors;
        while (!errors.contains("Scoring layers")) {
            QVERIFY(process.waitForReadyRead(60000));
            errors += process.readAllStandardError();
        }
        ::kill(static_cast<pid_t>(process.processId()), SIGINT);
        QVERIFY(process.waitForFinished(60000));
        QCOMPARE(process.exitCode(), 5);
        QVERIFY(process.readAllStandardOutput().isEmpty());
        QVERIFY(process.readAllStandardError().contains("cancelled"));
    }
};

QTEST_GUILESS_MAIN(TestCli)
#include "tst_cli.moc"
