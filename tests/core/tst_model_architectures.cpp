// ctest labels: torch
// Each architecture the engine reads, as a tiny model of random weights, against a plain forward pass in
// double precision: alone, in batches, after caches, beyond its sliding window.
#include "core/model/model_library.h"
#include "core/model/model_source.h"
#include "core/model/verify.h"
#include "tests/support/architecture_cases.h"
#include "tests/support/result_checks.h"

using namespace lodestone;
using namespace lodestone::model;
using namespace lodestone::testing;

namespace {

constexpr double tolerance = 2e-5; ///< of states over their norm, and of log-probabilities

std::vector<int> someIds(int count, int seed)
{
    std::mt19937 engine(static_cast<unsigned>(seed));
    std::vector<int> ids;
    for (int i = 0; i < count; ++i)
        ids.push_back(static_cast<int>(engine() % 256));
    return ids;
}

} // namespace

class TestModelArchitectures : public QObject {
    Q_OBJECT

private Q_SLOTS:
    /// Windows and commands that need no model must not pay for libtorch.
    void torchIsMappedAtTheFirstUseOfAModel()
    {
        QVERIFY(!torchIsMapped());
        const ScratchFolder folder;
        const Case made = caseOf("llama");
        const auto file = folder.write("model.gguf", ggufOf(made.plain, made.habits));
        VERIFY_OK(ModelSource::open(file)); // looking at a model is not using it
        VERIFY_OK(openTokenizer(file));
        QVERIFY(!torchIsMapped());
        VERIFY_FAILS(loadModel(file, { 1, "blas", "cuda" }), "a device", "cpu", "'cuda'", "--device");
        VERIFY_OK(loadModel(file, { 1, "blas", "cpu" }));
        QVERIFY(torchIsMapped());
    }

    void theEngineEqualsThePlainForward_data()
    {
        QTest::addColumn<QString>("path");
        for (const char* name :
             { "llama", "llama 3", "llama linear", "llama mistral", "qwen2", "qwen3", "gemma", "gemma2",
               "gemma3", "gemma3 long", "gpt2", "gptneox", "gptneox serial", "phi3", "phi3 long" })
            QTest::addRow("%s, onednn", name) << QStringLiteral("onednn");
        for (const char* name : { "llama", "gpt2" }) // with and without biases
            QTest::addRow("%s, blas", name) << QStringLiteral("blas");
    }

    void theEngineEqualsThePlainForward()
    {
        QFETCH(const QString, path);
        const std::string name
            = std::string(QTest::currentDataTag()).substr(0, std::string(QTest::currentDataTag()).find(','));
        const Case made = caseOf(name);
        const ScratchFolder folder;
        const auto file = folder.write("model.gguf", ggufOf(made.plain, made.habits));
        auto loaded = loadModel(file, { 2, path.toStdString(), {} });
        VERIFY_OK(loaded);
        LanguageModel& model = **loaded;
        QCOMPARE(model.config().architecture, made.habits.architecture);
        std::vector<Layer> layers;
        for (int row = 0; row < model.config().layers(); ++row)
            layers.push_back(Layer::atRow(row));

        // Several sequences in one batch: each as if it were alone, the long ones beyond any window.
        std::vector<std::vector<int>> texts{ someIds(23, 1), someIds(1, 2), someIds(40, 3), someIds(9, 4) };
        std::vector<Request> requests;
        for (const auto& ids : texts) {
            Request request;
            request.tokens.assign(ids.begin(), ids.end());
            request.pooled = { static_cast<int>(ids.size()) / 3, static_cast<int>(ids.size()) };
            if (ids.size() > 1)
                request.scored = { 1, static_cast<int>(ids.size()) };
            request.last = request.hidden = request.logits = true;
            requests.push_back(std::move(request));
        }
        const auto readings = model.read(requests, layers, {});
        VERIFY_OK(readings);
        for (std::size_t i = 0; i < texts.size(); ++i) {
            const auto expected = made.plain.run(texts[i]);
            const auto wrong = compare(expected, (*readings)[i], requests[i]);
            QVERIFY2(wrong.isEmpty(), qPrintable(wrong));
            // The deepest layer alone, at the last token alone, takes a shorter way.
            Request brief;
            brief.tokens = requests[i].tokens;
            brief.last = true;
            const auto shorter = model.read(std::span(&brief, 1), std::span(layers).last(1), {});
            VERIFY_OK(shorter);
            const Eigen::RowVectorXd state = expected.layers.back().bottomRows(1);
            QVERIFY(((*shorter)[0].last.row(0).cast<double>() - state).norm() <= tolerance * state.norm());
        }

        // In three parts after one another, the first shared by two continuations.
        const std::vector<int>& whole = texts[2];
        const auto part = [&](int begin, int end, std::shared_ptr<const Context> past) {
            Request request;
            request.tokens.assign(whole.begin() + begin, whole.begin() + end);
            request.past = std::move(past);
            request.last = request.logits = request.keepContext = true;
            request.scored = { begin > 0 ? 0 : 1, end - begin };
            return model.read(std::span(&request, 1), layers, {});
        };
        const auto expected = made.plain.run(whole);
        const auto first = part(0, 11, {});
        VERIFY_OK(first);
        VERIFY_OK(part(20, 33, (*first)[0].context));
        const auto second = part(11, 12, (*first)[0].context);
        VERIFY_OK(second);
        const auto third = part(12, 40, (*second)[0].context);
        VERIFY_OK(third);
        double stateError = 0, probabilityError = 0;
        for (std::size_t row = 0; row < layers.size(); ++row) {
            const Eigen::RowVectorXd state = expected.layers[row].row(39);
            stateError = std::max(
                stateError,
                ((*third)[0].last.row(static_cast<Eigen::Index>(row)).cast<double>() - state).norm()
                    / state.norm());
        }
        for (int t = 12; t < 40; ++t)
            probabilityError = std::max(
                probabilityError,
                std::abs(
                    static_cast<double>((*third)[0].logProbabilities[static_cast<std::size_t>(t - 12)])
                    - expected.logProbabilities(t - 1, whole[static_cast<std::size_t>(t)])));
        qInfo(
            "largest error of a state %.1e of its norm, of a log-probability %.1e", stateError,
            probabilityError);
        QVERIFY(stateError <= tolerance && probabilityError <= tolerance);

        const auto verified = verify(model, nullptr, "", {});
        VERIFY_OK(verified);
        QVERIFY(verified->ok);
    }

    void packedContextsStandForTheirTokens_data()
    {
        QTest::addColumn<bool>("huge"); // values beyond float16's range
        for (const char* name : { "llama", "qwen3", "gemma2", "gemma3", "gpt2", "gptneox", "phi3" })
            QTest::addRow("%s", name) << false;
        QTest::addRow("llama, huge") << true;
    }

    void packedContextsStandForTheirTokens()
    {
        QFETCH(const bool, huge);
        const std::string tag = QTest::currentDataTag();
        Case made = caseOf(tag.substr(0, tag.find(',')));
        if (huge)
            made.plain.weights["1.v"] *= 1e6;
        const ScratchFolder folder;
        auto loaded
            = loadModel(folder.write("model.gguf", ggufOf(made.plain, made.habits)), { 2, "blas", {} });
        VERIFY_OK(loaded);
        LanguageModel& model = **loaded;
        const std::vector<Layer> layers{ Layer::blockOutput(model.config().blocks - 1) };
        const std::vector<int> whole = someIds(40, 3);
        const auto expected = made.plain.run(whole);
        const auto part = [&](int begin, int end, std::shared_ptr<const Context> past) {
            Request request;
            request.tokens.assign(whole.begin() + begin, whole.begin() + end);
            request.past = std::move(past);
            request.last = request.keepContext = true;
            request.scored = { begin > 0 ? 0 : 1, end - begin };
            return model.read(std::span(&request, 1), layers, {}).value()[0];
        };
        // Three stretches, the last two in one page: packed as one, and in two after one another.
        const Reading first = part(0, 11, {}), second = part(11, 15, first.context),
                      third = part(15, 20, second.context);
        const auto pack = [&](const Context& context, int from) {
            return std::make_shared<const PackedContext>(model.packContext(context, from).value());
        };
        const auto all = pack(*third.context, 0), begun = pack(*first.context, 0),
                   ended = pack(*third.context, 11);
        const auto open
            = [&](std::shared_ptr<const PackedContext> packed, std::shared_ptr<const Context> parent) {
                  return model.openContext(std::move(packed), std::move(parent)).value();
              };
        const std::size_t numbers = static_cast<std::size_t>(
            2 * model.config().blocks * model.config().kvHeads * model.config().headWidth * 20);
        QVERIFY(all->size() >= numbers * (huge ? 4 : 2) && all->size() <= numbers * (huge ? 4 : 2) + 1024);
        // float16 rounds each key and value by at most 2^-11 of itself, 4.9e-4.
        const double rounded = huge ? tolerance : 2e-3;
        const double roundedLogits = huge ? 2e-5 : 1e-2; // of logits that reach 15
        for (const auto& context :
             { open(all, {}), open(ended, open(begun, {})), open(ended, first.context) }) {
            QCOMPARE(context->length(), 20);
            const Reading rest = part(20, 40, context);
            const Eigen::RowVectorXd state = expected.layers.back().row(39);
            const double error = (rest.last.row(0).cast<double>() - state).norm() / state.norm();
            QVERIFY2(error <= rounded, qPrintable(QString::number(error)));
            for (int t = 20; t < 40; ++t)
                QVERIFY(
                    std::abs(
                        static_cast<double>(rest.logProbabilities[static_cast<std::size_t>(t - 20)])
                        - expected.logProbabilities(t - 1, whole[static_cast<std::size_t>(t)]))
                    <= roundedLogits);
            // Rounded once and for all: packed again it is the same.
            if (!huge && context->bytes() == all->size())
                QVERIFY(*pack(*context, 0) == *all);
        }
        // What was written on after an opened context is packed with it.
        QVERIFY(pack(*part(20, 40, open(all, {})).context, 20)->size() > 0);
        QVERIFY(*pack(*open(ended, open(begun, {})), 11) == *ended);

        VERIFY_FAILS(model.openContext(ended, {}), "packed after 0 tokens", "11");
        VERIFY_FAILS(model.openContext(begun, first.context), "packed after 11 tokens", "0");
        VERIFY_FAILS(model.packContext(*first.context, 11), "more than 11 tokens");
        for (const std::size_t size : { std::size_t(0), std::size_t(5), all->size() - 1, all->size() + 1 }) {
            PackedContext wrong = *all;
            wrong.resize(size);
            VERIFY_FAILS(
                model.openContext(std::make_shared<const PackedContext>(wrong), {}), "a packed context");
        }
    }

    void whatIsNotReadIsNamed()
    {
        const ScratchFolder folder;
        const auto open = [&](const std::string& architecture, const std::function<void(GgufWriter&)>& more) {
            Case made = caseOf("llama");
            made.habits.architecture = architecture;
            made.habits.more = more;
            return loadModel(folder.write("m.gguf", ggufOf(made.plain, made.habits)));
        };
        VERIFY_FAILS(
            open("mamba", {}), "'llama'", "'gemma3'", "'gptneox'", "'phi3'", "'mamba'",
            "general.architecture");
        VERIFY_FAILS(
            open("llama", [](GgufWriter& file) { file.integer("llama.expert_count", 8); }), "without experts",
            "llama.expert_count");
        VERIFY_FAILS(
            open("llama", [](GgufWriter& file) { file.text("llama.rope.scaling.type", "yarn"); }), "'yarn'",
            "rope.scaling.type");
        VERIFY_FAILS(open("qwen2", {}), "blk.0.attn_q.bias");
        VERIFY_FAILS(open("qwen3", {}), "blk.0.attn_q_norm.weight");
        VERIFY_FAILS(open("gemma2", {}), "blk.0.post_attention_norm.weight");
        VERIFY_FAILS(open("gpt2", {}), "blk.0.attn_norm.bias");
        Case infinite = caseOf("llama");
        infinite.plain.weights["1.down"](3, 3) = std::numeric_limits<double>::infinity();
        VERIFY_FAILS(
            loadModel(folder.write("n.gguf", ggufOf(infinite.plain, infinite.habits))), "finite weights",
            "blk.1.ffn_down.weight");
        Case narrow = caseOf("llama");
        narrow.plain.weights["2.o"] = narrow.plain.weights["2.o"].leftCols(31).eval();
        VERIFY_FAILS(
            loadModel(folder.write("o.gguf", ggufOf(narrow.plain, narrow.habits))), "shape [32, 32]",
            "[32, 31]", "blk.2.attn_output.weight");
    }

private:
    static bool torchIsMapped()
    {
        QFile maps(QStringLiteral("/proc/self/maps"));
        if (!maps.open(QIODevice::ReadOnly))
            qFatal("no /proc/self/maps");
        return maps.readAll().contains("libtorch");
    }

    static QString
    compare(const PlainTransformer::Result& expected, const Reading& reading, const Request& request)
    {
        const auto count = static_cast<Eigen::Index>(request.tokens.size());
        const auto relative = [](const Eigen::RowVectorXf& found, const Eigen::RowVectorXd& wanted) {
            return (found.cast<double>() - wanted).norm() / wanted.norm();
        };
        for (std::size_t row = 0; row < expected.layers.size(); ++row) {
            const auto at = static_cast<Eigen::Index>(row);
            const Eigen::MatrixXd& states = expected.layers[row];
            const Eigen::RowVectorXd mean
                = states.middleRows(request.pooled.begin, request.pooled.size()).colwise().mean();
            const double error = std::max(
                relative(reading.last.row(at), states.row(count - 1)), relative(reading.mean.row(at), mean));
            if (!(error <= tolerance))
                return QStringLiteral("layer %1 of %2 tokens: %3").arg(row).arg(count).arg(error);
        }
        if (!(relative(reading.hidden.transpose(), expected.hidden.row(count - 1)) <= tolerance))
            return QStringLiteral("the state after the final norm");
        for (Eigen::Index t = 1; t < count; ++t) {
            const double wanted
                = expected.logProbabilities(t - 1, request.tokens[static_cast<std::size_t>(t)]);
            const double found
                = static_cast<double>(reading.logProbabilities[static_cast<std::size_t>(t - 1)]);
            if (!(std::abs(found - wanted) <= tolerance))
                return QStringLiteral("log p of token %1: %2, not %3").arg(t).arg(found).arg(wanted);
        }
        const double largest = (reading.nextLogProbabilities.cast<double>()
                                - expected.logProbabilities.row(count - 1).transpose())
                                   .cwiseAbs()
                                   .maxCoeff();
        return largest <= tolerance ? QString() : QStringLiteral("next token: %1").arg(largest);
    }
};

QTEST_GUILESS_MAIN(TestModelArchitectures)
#include "tst_model_architectures.moc"
