// The judging direction beside the acting one, and how linear answers are, against planted directions: the
// cosines and agreements that a linear-Gaussian world must show are closed forms.
#include "core/session/asked_enacted.h"
#include "core/session/directions.h"
#include "core/session/layer_stage.h"
#include "core/session/linearity.h"
#include "core/session/pipeline.h"
#include "tests/support/fake_model.h"
#include "tests/support/geometry_support.h"
#include "tests/support/small_study.h"

#include <numbers>

using namespace lodestone;
using namespace lodestone::session;
using namespace lodestone::testing;

namespace {

/// A push of coefficient c along a displacement raises every token of the chosen replies (every second
/// request) by .01 c |displacement|.
class PushedModel : public FakeModel {
public:
    using FakeModel::FakeModel;

    Result<std::vector<model::Reading>> read(
        std::span<const model::Request> requests, std::span<const Layer> layers, const Work& work,
        std::span<const model::Intervention> interventions = {}) override
    {
        auto readings = FakeModel::read(requests, layers, work);
        for (const model::Intervention& push : interventions) {
            pushedAt = push.layer;
            for (std::size_t i = 0; readings && i < readings->size(); i += 2)
                for (float& each : (*readings)[i].logProbabilities)
                    each += static_cast<float>(0.01 * push.coefficient * push.direction.norm());
        }
        return readings;
    }
    Layer pushedAt;
};

} // namespace

class TestAskedEnacted : public QObject {
    Q_OBJECT

    std::unique_ptr<ScratchStudy> m_study;
    std::shared_ptr<const Foundation> m_foundation;
    std::shared_ptr<const LayerStage> m_layer;
    std::vector<constitution::Principle> m_principles;
    Eigen::VectorXd m_conduct; ///< read-out along which the planted model acts: cos_S .6 with its notion
    static constexpr double planted = 0.6;

    /// What the planted model would have answered when told to be so.
    void tell(const constitution::Principle& principle, const Eigen::VectorXd& conduct)
    {
        const auto questions
            = constitution::questionsOf("implicit-reward", principle, data::ItemKind::Reply, 0);
        m_foundation->answers->put(questions[0], (m_study->truth.rows * conduct).cast<float>());
        m_foundation->answers->put(questions[1], Eigen::VectorXf::Zero(m_study->truth.rows.rows()));
    }
    void move(const constitution::Principle& principle, const Eigen::VectorXd& conduct)
    {
        constitution::Contrast contrast;
        contrast.layers = { SmallStudy::top() };
        contrast.delta = (3.0 * m_study->truth.sigma * conduct).transpose().cast<float>();
        contrast.items = 10;
        for (Eigen::VectorXd* measure :
             { &contrast.heldOutCorrelation, &contrast.templateAgreement, &contrast.poleSymmetry,
               &contrast.shareOfVariance, &contrast.normAgainstRandom })
            *measure = Eigen::VectorXd::Zero(1);
        m_foundation->answers->putContrast(
            constitution::questionsOf("persona-difference", principle, data::ItemKind::Reply, 0).front(),
            contrast);
    }

private Q_SLOTS:
    void initTestCase()
    {
        qputenv("XDG_CACHE_HOME", QDir::tempPath().toUtf8() + "/lodestone-no-cache");
        SmallStudyOptions options;
        options.pairPrompts = 700;
        options.samplePrompts = 0;
        m_study = std::make_unique<ScratchStudy>(options);
        m_foundation = Foundation::open(m_study->study).value();
        const SmallStudy& truth = m_study->truth;
        Eigen::VectorXd other = truth.generation - truth.inner(truth.generation, truth.kind) * truth.kind;
        other /= std::sqrt(truth.inner(other, other));
        m_conduct = planted * truth.kind + std::sqrt(1 - planted * planted) * other;
        m_principles = constitution::constitutionForValues({ "kind", "honest" }).principles;
        move(m_principles[0], m_conduct);
        tell(m_principles[0], m_conduct);
        const Inputs inputs = defaultInputs(*m_foundation, SmallStudy::top());
        m_layer = makeLayerStage(*m_foundation, inputs, {}, {}).value();
    }

    void cosineAndTransferAreThePlantedOnes()
    {
        const auto found = askedAndEnacted(*m_foundation, *m_layer, m_principles, m_foundation->wayContext());
        VERIFY_OK(found);
        QCOMPARE(found->size(), std::size_t(2));
        const AskedEnacted& kind = found->front();
        QVERIFY2(kind.problem.empty(), kind.problem.c_str());
        COMPARE_NEAR(kind.cosineSigma, planted, 0.08);
        COMPARE_NEAR(kind.correlation.value, planted, 0.12);
        QVERIFY(kind.correlation.interval.low < planted && kind.correlation.interval.high > planted);
        QVERIFY(kind.randomCosine > 0.2 && kind.randomCosine < 0.95);
        // Two displacements, on coordinates divided by the deviation over all rows, which is between prompts
        // too: prompts are offset by a standard normal, replies spread by Sigma.
        const SmallStudy& truth = m_study->truth;
        const Eigen::VectorXd deviation = (truth.sigma.diagonal().array() + 1).sqrt();
        const Eigen::VectorXd a = (truth.sigma * truth.kind).cwiseQuotient(deviation),
                              b = (truth.sigma * m_conduct).cwiseQuotient(deviation);
        COMPARE_NEAR(kind.cosine, a.dot(b) / (a.norm() * b.norm()), 0.08);
        // A read-out of correlation rho with a target agrees with it on 1/2 + arcsin(rho)/pi of Gaussian
        // pairs (T9).
        const double across = 0.5 + std::asin(planted) / std::numbers::pi;
        const CrossScore& askedOnConduct = kind.asked[static_cast<std::size_t>(CrossTarget::Enacted)];
        QCOMPARE(askedOnConduct.items, 140); // 40 % of the 350 prompts about kindness
        COMPARE_NEAR(askedOnConduct.agreement.value, across, 0.12); // three standard errors of 140 pairs
        QVERIFY(askedOnConduct.agreement.interval.high < 0.9);
        QVERIFY(kind.enacted[2].agreement.value > 0.95); // itself, but for the estimate of Sigma
        QVERIFY(kind.asked[1].agreement.value > 0.9);
        COMPARE_NEAR(kind.enacted[1].agreement.value, across, 0.12);
        const double people = 0.5
            + std::asin(truth.cosine(truth.kind, truth.people) / std::sqrt(1 + 0.3 * 0.3))
                / std::numbers::pi; // labels carry noise of .3 of the value's deviation
        COMPARE_NEAR(kind.asked[0].agreement.value, people, 0.12);
        QVERIFY(kind.asked[1].random < 0.8 && kind.asked[1].randomUpper >= kind.asked[1].random);
        QVERIFY(!kind.steerAsked);
    }

    void whatNobodyAskedIsSaid()
    {
        const auto found = askedAndEnacted(*m_foundation, *m_layer, m_principles, m_foundation->wayContext());
        VERIFY_OK(found);
        QVERIFY((*found)[1].missingModel);
        QVERIFY2((*found)[1].problem.find("model") != std::string::npos, (*found)[1].problem.c_str());
        EnactedOptions wrong;
        wrong.enacted = "cloze";
        VERIFY_FAILS(
            askedAndEnacted(*m_foundation, *m_layer, m_principles, m_foundation->wayContext(), wrong),
            "a way that moves the model", "cloze");
        wrong = {};
        wrong.asked = "caa";
        VERIFY_FAILS(
            askedAndEnacted(*m_foundation, *m_layer, m_principles, m_foundation->wayContext(), wrong),
            "judges every reply");
    }

    void pushesAreMeasured()
    {
        PushedModel model(3, 12);
        auto context = m_foundation->wayContext(&model);
        EnactedOptions options;
        options.steeredPairs = 5;
        const auto found = askedAndEnacted(*m_foundation, *m_layer, { m_principles[0] }, context, options);
        VERIFY_OK(found);
        const AskedEnacted& kind = found->front();
        QVERIFY(kind.steerAsked && kind.steerEnacted && kind.steerRandom);
        QVERIFY(model.pushedAt == SmallStudy::top());
        // The same on every pair: the chosen reply's tokens by +-.01 x 4 |Sigma w|, the others' by nothing.
        const auto asked = directionFromScores(
            *m_foundation, *m_layer, m_foundation->cloze->judge(m_principles[0])->scores, 0);
        VERIFY_OK(asked);
        const double expected = 2 * 4 * 0.01 * asked->displacement.norm();
        COMPARE_NEAR(kind.steerAsked->effect.value, expected, 1e-5);
        COMPARE_NEAR(kind.steerAsked->effect.interval.low, expected, 1e-5);
        const auto contrast = m_foundation->answers->findContrast(
            constitution::questionsOf("persona-difference", m_principles[0], data::ItemKind::Reply, 0)
                .front());
        const Eigen::VectorXd delta = contrast->delta.row(0).transpose().cast<double>();
        const auto readOut = m_layer->sigma->solve(delta);
        VERIFY_OK(readOut); // a displacement of Sigma^{-1}-norm 1
        COMPARE_NEAR(
            kind.steerEnacted->effect.value, 2 * 4 * 0.01 * delta.norm() / std::sqrt(delta.dot(*readOut)),
            1e-5);
    }

    void straightAnswersLeaveNothingForCurves()
    {
        LinearityOptions options;
        options.layers = { SmallStudy::top(), Layer::embedding() };
        const auto found
            = linearityOf(*m_foundation, { m_principles[0] }, m_foundation->wayContext(), options);
        VERIFY_OK(found);
        QCOMPARE(found->rows.size(), std::size_t(2));
        const geometry::NonlinearRemainder& top = found->rows[0].remainder;
        // Signal: 1 within plus |kind|^2 between prompts; noise .2 on each of two suffixes.
        const double signal = 1 + m_study->truth.kind.squaredNorm();
        COMPARE_NEAR(top.linear.value, signal / (signal + 0.02), 0.02);
        QVERIFY(std::abs(top.remainder.value) < 0.02);
        // Of shuffled answers a probe is a random read-out: cos^2 with the real one is 1/12 on average, and
        // half of them point the other way.
        COMPARE_NEAR(top.shuffledLinear.mean, 1 / 24.0, 0.05);
        QVERIFY(top.shuffledLinear.upper < 0.5 && top.shuffledRemainder.upper < 0.4);
        QVERIFY(found->rows[1].remainder.linear.value < 0.2); // the embedding was planted without signal
    }

    void curvedAnswersAreCurved()
    {
        constitution::Principle principle = m_principles[0];
        const Eigen::VectorXd score = m_study->truth.rows * m_study->truth.kind;
        m_foundation->answers->put(
            constitution::questionsOf("yes-no-statement", principle, data::ItemKind::Reply, 0).front(),
            score.array().square().matrix().cast<float>());
        LinearityOptions options;
        options.way = "yes-no-statement";
        options.layers = { SmallStudy::top() };
        const auto found = linearityOf(*m_foundation, { principle }, m_foundation->wayContext(), options);
        VERIFY_OK(found);
        const geometry::NonlinearRemainder& top = found->rows.front().remainder;
        QVERIFY(top.linear.value < 0.1); // Cov(z, z^2) = 0
        QVERIFY(top.quadratic.value > 0.9);
        QVERIFY(top.remainder.interval.low > 0.6);
        QVERIFY(top.shuffledRemainder.upper < 0.15);
        options.way = "persona-difference";
        VERIFY_FAILS(
            linearityOf(*m_foundation, { principle }, m_foundation->wayContext(), options), "displacement");
    }
};

QTEST_GUILESS_MAIN(TestAskedEnacted)
#include "tst_asked_enacted.moc"
