// "Try it" without a window: two replies become states at every layer, and scores and a judgment that follow
// later edits.
#include "core/session/pipeline.h"
#include "core/session/trial.h"
#include "tests/support/fake_model.h"
#include "tests/support/geometry_support.h"
#include "tests/support/small_study.h"

using namespace lodestone;
using namespace lodestone::testing;

class TestSessionTrial : public QObject {
    Q_OBJECT

    std::unique_ptr<ScratchStudy> m_study;
    std::shared_ptr<const session::Foundation> m_foundation;

private Q_SLOTS:
    void initTestCase()
    {
        m_study = std::make_unique<ScratchStudy>();
        m_foundation = session::Foundation::open(m_study->study).value();
    }

    void bothRepliesAreReadAtEveryLayer()
    {
        FakeModel model(3, 12);
        const auto trial = session::readTrial(model, *m_study->study, "Hello?", { "Good day.", "Go away." });
        VERIFY_OK(trial);
        QCOMPARE(trial->layers.size(), m_study->study->layers().size());
        auto tokens = model.tokenizer().encode(
            model.chatTemplate().prompt({ { "user", "Hello?" } }), text::Special::Parse);
        const auto opening = static_cast<int>(tokens.size());
        const auto own = model.tokenizer().encode("Go away.", text::Special::Plain);
        tokens.insert(tokens.end(), own.begin(), own.end());
        for (const Layer layer : trial->layers) {
            Eigen::VectorXd mean = Eigen::VectorXd::Zero(12);
            for (int i = opening; i < static_cast<int>(tokens.size()); ++i)
                mean += model.state(tokens, i, layer.row()) / static_cast<double>(own.size());
            COMPARE_NEAR(distance(trial->state(1, layer, data::Position::Mean), mean), 0.0, 1e-5);
            COMPARE_NEAR(
                distance(
                    trial->state(1, layer, data::Position::Last),
                    model.state(tokens, static_cast<int>(tokens.size()) - 1, layer.row())),
                0.0, 1e-5);
        }
        QCOMPARE(trial->state(2, trial->layers[0], data::Position::Mean).size(), Eigen::Index(0));
        QCOMPARE(trial->state(0, Layer::blockOutput(99), data::Position::Mean).size(), Eigen::Index(0));
    }

    void theJudgmentIsThatOfTheSnapshot()
    {
        session::Pipeline pipeline(m_foundation);
        session::Inputs inputs = session::defaultInputs(*m_foundation, SmallStudy::top());
        inputs.tau = 0.7;
        const auto snapshot = pipeline.recompute(inputs, nullptr).value();
        QVERIFY(snapshot->judge->norm > 0);
        // Two replies of the study itself must get the study's own scores and judgment.
        session::Trial trial;
        trial.layers = { SmallStudy::top() };
        const data::Pair pair = m_study->truth.set.pairs[3];
        const int rows[] = { pair.chosen, pair.rejected };
        for (std::size_t i = 0; i < 2; ++i)
            trial.mean[i] = trial.last[i] = m_study->truth.rows.row(rows[i]).cast<float>();
        const auto people = session::trialScores(trial, *snapshot, snapshot->layer->people);
        for (std::size_t i = 0; i < 2; ++i)
            COMPARE_NEAR(people[i], snapshot->layer->people.scores[rows[i]], 1e-6);
        COMPARE_NEAR(
            session::trialPreference(trial, *snapshot),
            1
                / (1
                   + std::exp(
                       -(snapshot->judge->rewards[rows[0]] - snapshot->judge->rewards[rows[1]]) / 0.7)),
            1e-6);
        // At a layer that was not read nothing is claimed.
        inputs.layer = Layer::blockOutput(1);
        const auto elsewhere = pipeline.recompute(inputs, snapshot).value();
        QVERIFY(std::isnan(session::trialScores(trial, *elsewhere, elsewhere->layer->people)[0]));
        QVERIFY(std::isnan(session::trialPreference(trial, *elsewhere)));
    }

    void refusals()
    {
        FakeModel model(3, 12);
        const auto read = [&](const char* prompt, const char* a, const char* b) {
            return session::readTrial(model, *m_study->study, prompt, { a, b });
        };
        VERIFY_FAILS(read("", "a", "b"), "", "a prompt");
        VERIFY_FAILS(read("a", "", "b"), "", "two replies");
        VERIFY_FAILS(read("a", "b", ""), "", "two replies");
        model.setSha256(std::string(64, 'b'));
        VERIFY_FAILS(read("a", "b", "c"), "", "the model that read this study");
    }

    /// Directions on halves spread about the full fit, and closer to it the more prompts there are.
    void halvesSpreadAboutTheFullFit()
    {
        double before = 0;
        for (const int prompts : { 40, 240 }) {
            SmallStudyOptions options;
            options.pairPrompts = prompts;
            const ScratchStudy study(options);
            const auto foundation = session::Foundation::open(study.study).value();
            session::Pipeline pipeline(foundation);
            const auto snapshot
                = pipeline.recompute(session::defaultInputs(*foundation, SmallStudy::top()), nullptr).value();
            QVERIFY(snapshot->meters->peopleHalves.empty());
            const auto refined = pipeline.refine(snapshot).value();
            const auto& sigma = *refined->layer->sigma;
            double cosine = 0;
            for (const auto* halves : { &refined->meters->peopleHalves, &refined->meters->judgeHalves,
                                        &refined->meters->generationHalves }) {
                QCOMPARE(halves->size(), std::size_t(12));
                for (const Eigen::VectorXd& half : *halves)
                    COMPARE_NEAR(sigma.norm(half), 1.0, 1e-9);
            }
            for (const Eigen::VectorXd& half : refined->meters->peopleHalves)
                cosine += sigma.cosine(half, refined->layer->people.readOut.weights) / 12;
            QVERIFY2(cosine > before && cosine < 1, qPrintable(QString::number(cosine)));
            before = cosine;
        }
        QVERIFY(before > 0.9);
    }

    /// Pairs of matched length, counted by hand; the claim needs both gaps above zero.
    void judgingAndWritingAtMatchedLengths()
    {
        session::Pipeline pipeline(m_foundation);
        const auto snapshot
            = pipeline.recompute(session::defaultInputs(*m_foundation, SmallStudy::top()), nullptr).value();
        const session::MeterStage& meters = *snapshot->meters;
        const Eigen::VectorXd proxy = m_foundation->generationScores();
        int matched = 0;
        double judge = 0, written = 0;
        const auto hit = [](double margin) { return margin > 0 ? 1.0 : margin == 0 ? 0.5 : 0.0; };
        for (const geometry::Pair& pair : snapshot->layer->examples.heldOut.pairs) {
            const double a = m_foundation->lengths[static_cast<std::size_t>(pair.chosen)],
                         b = m_foundation->lengths[static_cast<std::size_t>(pair.rejected)];
            if (std::abs(a - b) > 0.1 * std::max(a, b))
                continue;
            ++matched;
            judge += hit(snapshot->judge->rewards[pair.chosen] - snapshot->judge->rewards[pair.rejected]);
            written += hit(proxy[pair.chosen] - proxy[pair.rejected]);
        }
        QCOMPARE(meters.matchedPairs, matched);
        if (matched > 0) {
            COMPARE_NEAR(meters.matchedJudge.value, judge / matched, 1e-12);
            COMPARE_NEAR(meters.matchedGeneration.value, written / matched, 1e-12);
            COMPARE_NEAR(meters.matchedGap.value, (judge - written) / matched, 1e-12);
        }
        QVERIFY(
            std::isfinite(meters.likelihoodTotal.value) && std::isfinite(meters.likelihoodPerToken.value));
        session::MeterStage claim;
        claim.gap = { 0.2, { 0.1, 0.3 } };
        claim.matchedGap = { 0.1, { -0.1, 0.3 } };
        QVERIFY(!claim.judgesBetterThanWrites());
        claim.matchedGap.interval.low = 0.01;
        QVERIFY(claim.judgesBetterThanWrites());
    }
};

QTEST_GUILESS_MAIN(TestSessionTrial)
#include "tst_session_trial.moc"
