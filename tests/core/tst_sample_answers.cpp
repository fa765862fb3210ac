// The answers that ship with the sample study: complete for the bench without a model, and what the model
// says again when it is asked.
// ctest labels: model torch
#include "core/constitution/asking.h"
#include "core/model/model_fetch.h"
#include "core/model/model_library.h"
#include "core/session/elicitation_bench.h"
#include "tests/support/geometry_support.h"
#include "tests/support/result_checks.h"

#include <chrono>

using namespace lodestone;
using namespace lodestone::constitution;

class TestSampleAnswers : public QObject {
    Q_OBJECT

    std::shared_ptr<const session::Foundation> m_foundation;
    std::vector<Principle> m_principles;

private Q_SLOTS:
    void initTestCase()
    {
        // Only what ships with the study counts, not what this user once asked.
        const QByteArray cache = qgetenv("XDG_CACHE_HOME");
        qputenv("XDG_CACHE_HOME", "/nonexistent");
        const auto study = data::Study::open(std::string(LODESTONE_SOURCE_DIR) + "/resources/samples/sample");
        VERIFY_OK(study);
        const auto foundation = session::Foundation::open(*study);
        VERIFY_OK(foundation);
        m_foundation = *foundation;
        if (cache.isEmpty())
            qunsetenv("XDG_CACHE_HOME");
        else
            qputenv("XDG_CACHE_HOME", cache);
        QVERIFY2(m_foundation->answersProblem.empty(), m_foundation->answersProblem.c_str());
        m_principles = constitutionForValues((*study)->set().values()).principles;
        QCOMPARE(m_principles.size(), std::size_t(4));
    }

    void theBenchNeedsNoModel()
    {
        WayContext context = m_foundation->wayContext();
        context.rows = labelledRows(m_foundation->study->set());
        for (const WayInfo& way : allWays())
            QVERIFY2(isAnswered(way.name, m_principles, context), way.name);
        session::BenchOptions options;
        options.people = false;
        options.layers = { Layer::blockOutput(13), Layer::blockOutput(19) };
        const auto start = std::chrono::steady_clock::now();
        const auto bench = session::runBench(*m_foundation, m_principles, context, options);
        VERIFY_OK(bench);
        qInfo(
            "two layers of the bench: %.1f s",
            std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
        QCOMPARE(bench->rows.size(), 2 * 4 * allWays().size());
        for (const session::BenchDirect& direct : bench->direct)
            QVERIFY2(direct.problem.empty(), direct.problem.c_str());
        // Letters that stand for the poles are told apart at once (caa), which says nothing of the judgments:
        // evidence chooses among read-outs.
        for (const session::BenchBest& best : bench->best)
            QVERIFY(bench->rows[static_cast<std::size_t>(best.byEvidence)].yields == Yields::ReadOut);
    }

    void theModelSaysItAgain()
    {
        const auto path = model::defaultModelPath();
        if (!path)
            QSKIP("skipped: the default model is not there");
        auto model = model::loadModel(*path);
        VERIFY_OK(model);
        QCOMPARE((*model)->sha256(), m_foundation->study->model().sha256);
        WayContext fresh = m_foundation->wayContext(model->get());
        fresh.store = std::make_shared<AnswerStore>(
            m_foundation->answers->modelSha256(), m_foundation->answers->responses());
        fresh.rows = { 3, 100, 250 };
        const data::ItemKind kind = m_foundation->study->set().kind;
        std::vector<Question> suffixes, requests;
        for (const Principle& principle : m_principles)
            for (const char* way : { "yes-no", "conditioned-cloze" })
                for (const Question& question : questionsOf(way, principle, kind, 0))
                    suffixes.push_back(question);
        for (const Question& question : questionsOf("implicit-reward", m_principles[0], kind, 0))
            requests.push_back(question);
        VERIFY_OK(askSuffixes(suffixes, fresh, {}));
        VERIFY_OK(askRequests(requests, {}, fresh, {}));
        suffixes.insert(suffixes.end(), requests.begin(), requests.end());
        for (const Question& question : suffixes) {
            const Eigen::VectorXf *shipped = m_foundation->answers->find(question),
                                  *again = fresh.store->find(question);
            QVERIFY2(shipped && again, question.text.c_str());
            for (const int row : fresh.rows)
                COMPARE_NEAR((*again)[row], (*shipped)[row], 0.02f + 0.002f * std::abs((*shipped)[row]));
        }
        // A displacement from sentences, whole.
        const Question sentences = questionsOf("statement-vectors", m_principles[0], kind, 0)[0];
        VERIFY_OK(askStatements(sentences, fresh, {}));
        const auto &shipped = m_foundation->answers->findContrast(sentences)->delta,
                   &again = fresh.store->findContrast(sentences)->delta;
        QCOMPARE(shipped.rows(), again.rows());
        for (Eigen::Index l = 1; l < shipped.rows(); ++l)
            QVERIFY(shipped.row(l).dot(again.row(l)) > 0.999f * shipped.row(l).norm() * again.row(l).norm());
    }
};

QTEST_GUILESS_MAIN(TestSampleAnswers)
#include "tst_sample_answers.moc"
