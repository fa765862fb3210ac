// ctest labels: model torch
// What must hold of the engine whatever the model says: batches, caches, sums of probabilities,
// interventions.
#include "core/model/generate.h"
#include "core/model/model_fetch.h"
#include "core/model/model_library.h"
#include "tests/support/gguf_writer.h"
#include "tests/support/result_checks.h"

#include <Eigen/Dense>
#include <thread>

using namespace lodestone;
using namespace lodestone::model;
using namespace lodestone::testing;

namespace {

using Tokens = std::vector<TokenId>;

/// The largest distance between two sets of states, over the norm of the first.
double distance(const RowMatrix& a, const RowMatrix& b)
{
    double largest = a.rows() == b.rows() ? 0 : 1e9;
    for (Eigen::Index row = 0; row < std::min(a.rows(), b.rows()); ++row)
        largest = std::max<double>(largest, (a.row(row) - b.row(row)).norm() / a.row(row).norm());
    return largest;
}

double distance(const Eigen::VectorXf& a, const Eigen::VectorXf& b)
{
    return a.size() == b.size() ? (a - b).cwiseAbs().maxCoeff() : 1e9;
}

constexpr double tolerance = 5e-4; ///< of states over their norm, and of log-probabilities

#define VERIFY_NEAR(a, b)                                                                                    \
    do {                                                                                                     \
        const double distance_ = distance(a, b);                                                             \
        QVERIFY2(distance_ <= tolerance, qPrintable(QStringLiteral(#a " and " #b ": %1").arg(distance_)));   \
    } while (false)

} // namespace

class TestModelEngine : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase()
    {
        const auto path = defaultModelPath();
        if (!path)
            QSKIP("skipped: the default model is not fetched");
        auto loaded = loadModel(*path);
        VERIFY_OK(loaded);
        m_model = std::move(*loaded);
        for (int row = 0; row < m_model->config().layers(); ++row)
            m_layers.push_back(Layer::atRow(row));
        for (const char* sentence :
             { "Kind words cost nothing, and yet they are often the hardest ones to find in time.", "No",
               "The sea was calm.", "1, 2, 3, 4, 5, 6, 7, 8 and then 9 came after 10." })
            m_texts.push_back(m_model->tokenizer().encode(sentence, text::Special::Plain));
    }

    void theModelSaysWhatItIs()
    {
        QCOMPARE(m_model->config().architecture, std::string("llama"));
        QCOMPARE(m_model->config().blocks, 30);
        QCOMPARE(m_model->config().width, 576);
        QCOMPARE(m_model->config().vocabulary, 49152);
        QCOMPARE(m_model->chatTemplate().name(), std::string("ChatML"));
        QCOMPARE(m_model->sha256().size(), std::size_t(64));
        QVERIFY(!m_model->matrixPath().empty());
    }

    void aBatchEqualsSingleRuns()
    {
        std::vector<Request> requests;
        for (const Tokens& tokens : m_texts)
            requests.push_back(everything(tokens));
        const auto together = m_model->read(requests, m_layers, {});
        VERIFY_OK(together);
        for (std::size_t i = 0; i < requests.size(); ++i) {
            const Reading alone = one(requests[i]);
            VERIFY_NEAR(alone.last, (*together)[i].last);
            VERIFY_NEAR(alone.mean, (*together)[i].mean);
            VERIFY_NEAR(alone.nextLogProbabilities, (*together)[i].nextLogProbabilities);
            QCOMPARE(alone.logProbabilities.size(), (*together)[i].logProbabilities.size());
            for (std::size_t k = 0; k < alone.logProbabilities.size(); ++k)
                QVERIFY(
                    std::abs(alone.logProbabilities[k] - (*together)[i].logProbabilities[k]) <= tolerance);
            QVERIFY((alone.hidden - (*together)[i].hidden).norm() <= tolerance * alone.hidden.norm());
        }
    }

    void nothingIsGivenUnasked()
    {
        Request request;
        request.tokens = m_texts[2];
        const Reading reading = one(request);
        QCOMPARE(
            reading.last.size() + reading.mean.size() + reading.hidden.size()
                + reading.nextLogProbabilities.size(),
            Eigen::Index(0));
        QVERIFY(reading.logProbabilities.empty() && !reading.context);
        QVERIFY(m_model->read({}, m_layers, {}).value().empty());
    }

    void cachedEqualsUncached()
    {
        const Tokens& tokens = m_texts[0];
        const Reading whole = one(everything(tokens));
        for (std::size_t cut = 1; cut < tokens.size(); cut += 4) {
            const Reading first
                = one(kept({ tokens.begin(), tokens.begin() + static_cast<std::ptrdiff_t>(cut) }));
            QCOMPARE(first.context->length(), static_cast<int>(cut));
            QVERIFY(first.context->bytes() > 0);
            Request rest
                = kept({ tokens.begin() + static_cast<std::ptrdiff_t>(cut), tokens.end() }, first.context);
            rest.last = rest.logits = rest.hidden = true;
            rest.scored = { 0, static_cast<int>(tokens.size() - cut) };
            const Reading second = one(rest);
            VERIFY_NEAR(whole.last, second.last);
            VERIFY_NEAR(whole.nextLogProbabilities, second.nextLogProbabilities);
            QCOMPARE(second.context->length(), static_cast<int>(tokens.size()));
            for (std::size_t k = cut; k < tokens.size(); ++k)
                QVERIFY(
                    std::abs(whole.logProbabilities[k - 1] - second.logProbabilities[k - cut]) <= tolerance);
        }
        // Token by token, as writing does.
        std::shared_ptr<const Context> context;
        Reading step;
        for (const TokenId token : tokens) {
            Request request = kept({ token }, context);
            request.last = request.logits = true;
            context.reset();
            step = one(request);
            context = step.context;
        }
        VERIFY_NEAR(whole.last, step.last);
        VERIFY_NEAR(whole.nextLogProbabilities, step.nextLogProbabilities);
    }

    void continuationsOfOneContextDoNotDisturbEachOther()
    {
        const Reading shared = one(kept(m_texts[0]));
        std::vector<Tokens> endings;
        for (int i = 0; i < 16; ++i) {
            const Tokens& text = m_texts[static_cast<std::size_t>(i) % m_texts.size()];
            endings.emplace_back(text.begin(), text.begin() + 1 + i % static_cast<int>(text.size()));
            endings.back().push_back(1000 + 17 * i);
        }
        std::vector<Request> requests;
        for (const Tokens& ending : endings) {
            requests.push_back(kept(ending, shared.context));
            requests.back().last = requests.back().logits = true;
        }
        const auto together = m_model->read(requests, m_layers, {});
        VERIFY_OK(together);
        const auto expected = [&](Tokens ending) {
            Tokens whole = m_texts[0];
            whole.insert(whole.end(), ending.begin(), ending.end());
            Request request;
            request.tokens = whole;
            request.last = request.logits = true;
            return one(request);
        };
        for (std::size_t i = 0; i < endings.size(); ++i) {
            const Reading alone = expected(endings[i]);
            VERIFY_NEAR(alone.last, (*together)[i].last);
            VERIFY_NEAR(alone.nextLogProbabilities, (*together)[i].nextLogProbabilities);
        }
        // Each branch goes on from its own context, in another order, and the trunk is as it was.
        for (const std::size_t i : { std::size_t(11), std::size_t(0), std::size_t(15), std::size_t(0) }) {
            Request request = kept(m_texts[2], (*together)[i].context);
            request.last = request.logits = true;
            const Reading further = one(request);
            Tokens ending = endings[i];
            ending.insert(ending.end(), m_texts[2].begin(), m_texts[2].end());
            const Reading alone = expected(ending);
            VERIFY_NEAR(alone.last, further.last);
            VERIFY_NEAR(alone.nextLogProbabilities, further.nextLogProbabilities);
        }
        const Reading again = one(requests[5]);
        VERIFY_NEAR((*together)[5].last, again.last);
    }

    void thePooledMeanIsTheMeanOfItsTokens()
    {
        const Tokens& tokens = m_texts[3];
        const int begin = 3, end = 9;
        Request pooled;
        pooled.tokens = tokens;
        pooled.pooled = { begin, end };
        const Reading reading = one(pooled);
        RowMatrix sum = RowMatrix::Zero(reading.mean.rows(), reading.mean.cols());
        for (int i = begin; i < end; ++i) {
            Request prefix;
            prefix.tokens.assign(tokens.begin(), tokens.begin() + i + 1);
            prefix.last = true;
            sum += one(prefix).last;
        }
        const RowMatrix mean = sum / (end - begin);
        VERIFY_NEAR(mean, reading.mean);
    }

    void scoresAreThoseOfTheNextToken()
    {
        const Tokens& tokens = m_texts[3];
        Request scored;
        scored.tokens = tokens;
        scored.scored = { 1, static_cast<int>(tokens.size()) };
        const Reading reading = one(scored);
        for (std::size_t i = 1; i < tokens.size(); ++i) {
            Request prefix;
            prefix.tokens.assign(tokens.begin(), tokens.begin() + static_cast<std::ptrdiff_t>(i));
            prefix.logits = true;
            const Eigen::VectorXf next = one(prefix).nextLogProbabilities;
            QVERIFY(std::abs(next[tokens[i]] - reading.logProbabilities[i - 1]) <= tolerance);
            QVERIFY(std::abs(next.cast<double>().array().exp().sum() - 1) < 1e-4);
        }
    }

    void theHiddenStateAndTheUnembeddingGiveTheLogits()
    {
        const Reading reading = one(everything(m_texts[0]));
        Tokens all(static_cast<std::size_t>(m_model->config().vocabulary));
        std::iota(all.begin(), all.end(), 0);
        const auto rows = m_model->unembedding(all);
        VERIFY_OK(rows);
        Eigen::VectorXd logits = (*rows * reading.hidden).cast<double>();
        const double top = logits.maxCoeff();
        const Eigen::VectorXf expected
            = (logits.array() - top - std::log((logits.array() - top).exp().sum())).cast<float>();
        VERIFY_NEAR(expected, reading.nextLogProbabilities);
        const auto two = m_model->unembedding(Tokens{ 777, 5 });
        QVERIFY(two.value().row(0) == rows->row(777));
        QVERIFY(two.value().row(1) == rows->row(5));
        VERIFY_FAILS(m_model->unembedding(Tokens{ 49152 }), "token ids below 49152", "49152");
        VERIFY_FAILS(m_model->unembedding(Tokens{ -1 }), "-1");
    }

    void ablationMakesTheStreamOrthogonal()
    {
        Intervention ablate;
        ablate.kind = Intervention::Kind::Ablate;
        ablate.direction = someDirection() * 7; // only its direction counts
        const Request request = everything(m_texts[0]);
        const auto changed = m_model->read(std::span(&request, 1), m_layers, {}, std::span(&ablate, 1));
        VERIFY_OK(changed);
        const Eigen::VectorXf unit = ablate.direction.normalized();
        const Reading plain = one(request);
        for (Eigen::Index row = 0; row < plain.last.rows(); ++row)
            for (const RowMatrix* states : { &(*changed)[0].last, &(*changed)[0].mean })
                QVERIFY(std::abs(states->row(row).dot(unit)) <= 1e-5 * states->row(row).norm());
        // At the embedding nothing else changed.
        const Eigen::VectorXf expected = plain.last.row(0).transpose() - unit * plain.last.row(0).dot(unit);
        QVERIFY((expected - (*changed)[0].last.row(0).transpose()).norm() <= 1e-5 * expected.norm());
        QVERIFY((*changed)[0].last.row(30) != plain.last.row(30));
    }

    void additionShiftsTheStreamAtItsLayer_data()
    {
        QTest::addColumn<int>("row");
        QTest::newRow("embedding") << 0;
        QTest::newRow("block 0 output") << 1;
        QTest::newRow("block 14 output") << 15;
        QTest::newRow("block 29 output") << 30;
    }
    void additionShiftsTheStreamAtItsLayer()
    {
        QFETCH(int, row);
        const Request request = everything(m_texts[0]);
        const Reading plain = one(request);
        Intervention add;
        add.layer = Layer::atRow(row);
        add.direction = someDirection();
        add.coefficient = -0.1 * plain.last.row(row).norm();
        const auto changed = m_model->read(std::span(&request, 1), m_layers, {}, std::span(&add, 1));
        VERIFY_OK(changed);
        const Reading& reading = (*changed)[0];
        const Eigen::RowVectorXf shift
            = (add.coefficient * add.direction.cast<double>()).cast<float>().transpose();
        for (int k = 0; k < row; ++k)
            QVERIFY((reading.last.row(k) - plain.last.row(k)).norm() <= 1e-6 * plain.last.row(k).norm());
        for (const auto& [after, before] :
             { std::pair(&reading.last, &plain.last), std::pair(&reading.mean, &plain.mean) })
            QVERIFY((after->row(row) - before->row(row) - shift).norm() <= 1e-5 * before->row(row).norm());
        if (row < 30)
            QVERIFY((reading.last.row(30) - plain.last.row(30)).norm() > 1e-3 * plain.last.row(30).norm());
        QVERIFY(distance(reading.nextLogProbabilities, plain.nextLogProbabilities) > 1e-3);
        // A coefficient of nothing is no change.
        add.coefficient = 0;
        const auto same = m_model->read(std::span(&request, 1), m_layers, {}, std::span(&add, 1));
        VERIFY_NEAR(plain.last, same.value()[0].last);
    }

    void greedyWritingTakesTheLikeliest()
    {
        const Tokens prompt = m_model->tokenizer().encode(
            m_model->chatTemplate().prompt({ { "user", "Name a colour." } }), text::Special::Parse);
        SamplingOptions options;
        options.maxTokens = 12;
        const auto first = generate(*m_model, prompt, 1, options);
        const auto again = generate(*m_model, prompt, 1, options);
        VERIFY_OK(first);
        VERIFY_OK(again);
        QCOMPARE((*first)[0].ids, (*again)[0].ids);
        QVERIFY(!(*first)[0].ids.empty());
        Tokens soFar = prompt;
        for (const TokenId id : (*first)[0].ids) {
            Request request;
            request.tokens = soFar;
            request.logits = true;
            Eigen::Index best = 0;
            one(request).nextLogProbabilities.maxCoeff(&best);
            QCOMPARE(id, static_cast<TokenId>(best));
            soFar.push_back(id);
        }
        const bool ended = (*first)[0].ids.back() == m_model->tokenizer().eos();
        QCOMPARE((*first)[0].finishReason, std::string(ended ? "stop" : "length"));
        QCOMPARE((*first)[0].text, m_model->tokenizer().decode((*first)[0].ids, true));
    }

    void samplingRepeatsBySeed()
    {
        const Tokens prompt = m_model->tokenizer().encode("Once upon a time", text::Special::Plain);
        SamplingOptions options;
        options.maxTokens = 10;
        options.temperature = 1;
        options.seed = 42;
        std::string heard;
        const auto first
            = generate(*m_model, prompt, 3, options, {}, {}, [&](int sample, std::string_view piece) {
                  if (sample == 1)
                      heard += piece;
              });
        const auto again = generate(*m_model, prompt, 3, options);
        options.seed = 43;
        const auto other = generate(*m_model, prompt, 3, options);
        VERIFY_OK(first);
        VERIFY_OK(again);
        VERIFY_OK(other);
        bool differs = false;
        for (std::size_t i = 0; i < 3; ++i) {
            QCOMPARE((*first)[i].ids, (*again)[i].ids);
            differs = differs || (*first)[i].ids != (*other)[i].ids;
        }
        QVERIFY(differs);
        QVERIFY((*first)[0].ids != (*first)[1].ids || (*first)[1].ids != (*first)[2].ids);
        QCOMPARE(heard, (*first)[1].text);
    }

    void stoppingIsCancelled()
    {
        std::stop_source stopped;
        stopped.request_stop();
        const Request request = everything(m_texts[0]);
        const auto before = m_model->read(std::span(&request, 1), m_layers, Work{ stopped.get_token(), {} });
        QVERIFY(!before && before.error().kind == ErrorKind::Cancelled);
        const auto written = generate(*m_model, m_texts[0], 1, {}, Work{ stopped.get_token(), {} });
        QVERIFY(!written && written.error().kind == ErrorKind::Cancelled);
        // While it runs, from another thread.
        Request longOne = everything(Tokens(1800, 5));
        std::stop_source stop;
        std::jthread other([&] {
            std::this_thread::sleep_for(std::chrono::milliseconds(60));
            stop.request_stop();
        });
        const auto during = m_model->read(std::span(&longOne, 1), m_layers, Work{ stop.get_token(), {} });
        QVERIFY(!during && during.error().kind == ErrorKind::Cancelled);
        // The engine is as good as before.
        const Reading after = one(request);
        VERIFY_NEAR(one(request).last, after.last);
    }

    void wrongRequestsAreNamed()
    {
        const auto read = [&](const Request& request, std::span<const Layer> layers = {}) {
            const Request both[] = { everything(m_texts[2]), request };
            return m_model->read(both, layers, {});
        };
        Request request;
        VERIFY_FAILS(read(request), "at least one token", "request 1");
        for (const TokenId token :
             { -1, 49152, std::numeric_limits<TokenId>::max(), std::numeric_limits<TokenId>::min() }) {
            request.tokens = { 5, token };
            VERIFY_FAILS(read(request), "token ids below 49152", std::to_string(token), "request 1");
        }
        request.tokens.assign(static_cast<std::size_t>(m_model->config().context) + 1, 5);
        VERIFY_FAILS(
            read(request), "the model's context", std::to_string(m_model->config().context + 1), "request 1");
        request.tokens = { 5, 6 };
        request.pooled = { 0, 3 };
        VERIFY_FAILS(read(request), "a range within 2 tokens", "[0, 3)");
        request.pooled = { -1, 2 };
        VERIFY_FAILS(read(request), "a range within 2 tokens", "[-1, 2)");
        request.pooled = {};
        request.scored = { 0, 2 };
        VERIFY_FAILS(read(request), "a scored range that starts after the first token", "request 1");
        request.scored = {};
        const Layer beyond[] = { Layer::blockOutput(30) };
        VERIFY_FAILS(read(request, beyond), "a layer up to block 29 output", "block 30 output");

        Intervention change;
        const std::pair<Eigen::VectorXf, const char*> wrong[]
            = { { Eigen::VectorXf::Ones(575), "a direction of 576 numbers" },
                { Eigen::VectorXf(), "a direction of 576 numbers" },
                { Eigen::VectorXf::Constant(576, std::numeric_limits<float>::quiet_NaN()),
                  "a direction of finite numbers" },
                { Eigen::VectorXf::Zero(576), "a direction to ablate" } };
        for (const auto& [direction, expected] : wrong) {
            change.kind = Intervention::Kind::Ablate;
            change.direction = direction;
            VERIFY_FAILS(m_model->read(std::span(&request, 1), {}, {}, std::span(&change, 1)), expected);
        }
    }

    void filesThatAreNoModelAreNamed()
    {
        const ScratchFolder folder;
        VERIFY_FAILS(loadModel(folder / "absent.gguf"), "a readable file", "absent.gguf");
        VERIFY_FAILS(loadModel(folder.write("text.gguf", "not a model")), "a GGUF file", "text.gguf");
        GgufWriter file;
        file.text("general.architecture", "mamba");
        VERIFY_FAILS(loadModel(folder.write("mamba.gguf", file.bytes())), "'llama'", "'mamba'", "mamba.gguf");
        GgufWriter empty;
        empty.text("general.architecture", "llama");
        VERIFY_FAILS(loadModel(folder.write("empty.gguf", empty.bytes())), "empty.gguf", "block_count");
    }

private:
    Request kept(Tokens tokens, std::shared_ptr<const Context> past = {}) const
    {
        Request request;
        request.tokens = std::move(tokens);
        request.past = std::move(past);
        request.keepContext = true;
        return request;
    }

    /// A request for all there is of a text.
    Request everything(const Tokens& tokens) const
    {
        Request request;
        request.tokens = tokens;
        request.pooled = { 0, static_cast<int>(tokens.size()) };
        if (tokens.size() > 1)
            request.scored = { 1, static_cast<int>(tokens.size()) };
        request.last = request.hidden = request.logits = true;
        return request;
    }

    Reading one(const Request& request) const
    {
        auto readings = m_model->read(std::span(&request, 1), m_layers, {});
        if (!readings)
            qFatal("%s", readings.error().message().c_str());
        return std::move((*readings)[0]);
    }

    Eigen::VectorXf someDirection() const
    {
        Rng rng(3);
        Eigen::VectorXf direction(m_model->config().width);
        for (Eigen::Index i = 0; i < direction.size(); ++i)
            direction[i] = static_cast<float>(rng.normal());
        return direction.normalized();
    }

    std::unique_ptr<LanguageModel> m_model;
    std::vector<Layer> m_layers;
    std::vector<Tokens> m_texts;
};

QTEST_GUILESS_MAIN(TestModelEngine)
#include "tst_model_engine.moc"
