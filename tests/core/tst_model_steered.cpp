// ctest labels: model torch
// Steering inside the real engine: what blocks write adds up to the stream, orthogonal weights are ablation,
// additions keep to their positions, ranks can be taken out, and edits can be taken back.
#include "core/base/rng.h"
#include "core/model/generate.h"
#include "core/model/model_fetch.h"
#include "core/model/model_library.h"
#include "core/model/steering.h"
#include "tests/support/result_checks.h"

using namespace lodestone;
using namespace lodestone::model;
using namespace lodestone::testing;

namespace {

using Tokens = std::vector<TokenId>;
using Part = WriteSite::Part;

double relative(const RowMatrix& a, const RowMatrix& b) { return (a - b).norm() / b.norm(); }

} // namespace

class TestModelSteered : public QObject {
    Q_OBJECT

    std::unique_ptr<LanguageModel> m_model;
    Tokens m_tokens;
    std::vector<Layer> m_layers;

    Reading read(std::span<const Intervention> interventions = {}, std::optional<WriteSite> site = {})
    {
        Request request;
        request.tokens = m_tokens;
        request.last = request.logits = true;
        request.written = site;
        auto readings = m_model->read(std::span(&request, 1), m_layers, {}, interventions);
        if (!readings)
            qFatal("%s", readings.error().message().c_str());
        return std::move((*readings)[0]);
    }
    Eigen::VectorXf direction(std::uint64_t seed) const
    {
        Rng rng(seed);
        return Eigen::VectorXf::NullaryExpr(
            m_model->config().width, [&] { return static_cast<float>(rng.normal()); });
    }

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
        m_tokens = m_model->tokenizer().encode("Kind words cost nothing at all.", text::Special::Plain);
    }

    void whatIsWrittenAddsUpToTheStream()
    {
        const Reading plain = read();
        RowMatrix sum = RowMatrix::Zero(1, m_model->config().width);
        for (const WriteSite site : writeSites(m_model->config())) {
            const Reading reading = read({}, site);
            QCOMPARE(reading.written.rows(), static_cast<Eigen::Index>(m_tokens.size()));
            sum += reading.written.bottomRows(1);
            const int row = site.part == Part::Embedding ? 0
                : site.part == Part::FeedForward         ? site.block + 1
                                                         : -1;
            if (row >= 0)
                QVERIFY(relative(sum, plain.last.row(row)) < 1e-5);
        }
    }

    void orthogonalWeightsAreAblation()
    {
        const Reading plain = read();
        const Eigen::VectorXf r = direction(1);
        const Intervention ablate = ablation(r);
        const Reading ablated = read(std::span(&ablate, 1));
        QVERIFY(relative(ablated.last, plain.last) > 1e-2);
        VERIFY_OK(m_model->editWeights(orthogonalisation(m_model->config(), r)));
        const Reading edited = read();
        QVERIFY(relative(edited.last, ablated.last) < 1e-4);
        QVERIFY((edited.nextLogProbabilities - ablated.nextLogProbabilities).cwiseAbs().maxCoeff() < 2e-3);
        for (const WriteSite site : { WriteSite{ Part::Embedding, 0 }, WriteSite{ Part::Attention, 3 },
                                      WriteSite{ Part::FeedForward, 29 } }) {
            const auto weights = m_model->writeWeights(site);
            VERIFY_OK(weights);
            QCOMPARE(weights->rows(), Eigen::Index(m_model->config().width));
            QVERIFY((r.normalized().transpose() * *weights).norm() < 1e-4 * weights->norm());
        }
        // The reading matrix at the end keeps its weights, though it is tied to the embedding.
        VERIFY_OK(m_model->editWeights({}));
        const Reading restored = read();
        QVERIFY(restored.last == plain.last);
        QVERIFY(restored.nextLogProbabilities == plain.nextLogProbabilities);
        VERIFY_FAILS(m_model->writeWeights({ Part::Attention, 30 }), "a block below 30");
    }

    void additionsKeepToTheirPositions()
    {
        const auto states = [&](TokenRange range) {
            const Intervention push = addition(Layer::blockOutput(10), 3, direction(2), range);
            std::vector<RowMatrix> ends;
            for (std::size_t length = 1; length <= m_tokens.size(); ++length) {
                Request request;
                request.tokens.assign(m_tokens.begin(), m_tokens.begin() + std::ptrdiff_t(length));
                request.last = true;
                ends.push_back(
                    m_model->read(std::span(&request, 1), m_layers, {}, std::span(&push, 1)).value()[0].last);
            }
            return ends;
        };
        const auto none = states({ 0, 0 }), some = states({ 3, 5 });
        for (std::size_t i = 0; i < none.size(); ++i) {
            const double atLayer = relative(some[i].row(11), none[i].row(11));
            QCOMPARE(atLayer > 1e-4, i == 3 || i == 4); // added there alone ...
            QCOMPARE(
                relative(some[i].row(30), none[i].row(30)) > 1e-4, i >= 3); // ... and seen by what follows
        }
    }

    void positionsCountFromTheBeginningOfTheSequence()
    {
        const Intervention push = addition(Layer::blockOutput(10), 3, direction(2), { 4, 6 });
        Request first, rest;
        first.tokens.assign(m_tokens.begin(), m_tokens.begin() + 3);
        first.keepContext = true;
        const auto context = m_model->read(std::span(&first, 1), {}, {}, std::span(&push, 1));
        rest.tokens.assign(m_tokens.begin() + 3, m_tokens.end());
        rest.past = context.value()[0].context;
        rest.last = true;
        const auto continued
            = m_model->read(std::span(&rest, 1), m_layers, {}, std::span(&push, 1)).value()[0].last;
        QVERIFY(relative(continued, read(std::span(&push, 1)).last) < 1e-4);
    }

    void ranksOfALayerAreTakenOutOrKept()
    {
        const WriteSite site{ Part::FeedForward, 20 };
        const std::vector<Tokens> texts{ m_tokens, { m_tokens.rbegin(), m_tokens.rend() } };
        const auto scores = writesOn(*m_model, site, texts);
        VERIFY_OK(scores);
        QCOMPARE(scores->rows(), static_cast<Eigen::Index>(2 * m_tokens.size()));
        const RowMatrix ranks = topRanks(*scores, 2);
        QCOMPARE(ranks.cols(), Eigen::Index(2));
        const RowMatrix plain = read({}, site).written;
        Intervention project;
        project.kind = Intervention::Kind::Project;
        project.site = site;
        project.map = removeRanks(ranks);
        const RowMatrix removed = read(std::span(&project, 1), site).written;
        QVERIFY((removed * ranks).norm() < 1e-4 * plain.norm());
        project.map = keepRanks(ranks);
        const RowMatrix kept = read(std::span(&project, 1), site).written;
        QVERIFY(relative(removed + kept, plain) < 1e-4);
        // The same for good, in the weights.
        const WeightEdit edit{ site, removeRanks(ranks) };
        VERIFY_OK(m_model->editWeights(std::span(&edit, 1)));
        const RowMatrix written = read({}, site).written;
        VERIFY_OK(m_model->editWeights({}));
        QVERIFY((written - removed).norm() < 1e-4 * plain.norm());
    }

    void aSmallerBudgetOfThreadsSaysTheSame()
    {
        const Reading all = read();
        m_model->setThreadBudget(1);
        const Reading one = read();
        m_model->setThreadBudget(0);
        QVERIFY(relative(one.last, all.last) < 1e-4);
        QVERIFY(relative(read().last, all.last) < 1e-6);
    }
};

QTEST_GUILESS_MAIN(TestModelSteered)
#include "tst_model_steered.moc"
