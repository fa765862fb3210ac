// Reward sources, transforms, pipelines, over-optimisation, rounds, label budgets, failures and mechanisms,
// each against its closed form on worlds whose truth is known.
#include "core/geometry/encoding.h"
#include "core/policy/failure_modes.h"
#include "core/policy/mechanisms.h"
#include "core/policy/overoptimisation.h"
#include "core/policy/pipelines.h"
#include "core/policy/rounds.h"
#include "tests/support/geometry_support.h"
#include "tests/support/result_checks.h"

#include <Eigen/Dense>
#include <map>
#include <numbers>

using namespace lodestone;
using namespace lodestone::policy;
using namespace lodestone::testing;

namespace {

/// A Gaussian world: h ~ N(0, I) within prompts, read-outs at chosen cosines with gold.
struct Settings {
    int prompts = 40, candidates = 16, width = 12, training = 60;
    double judgeCosine = 0.7;
    std::uint64_t seed = 1;
};

World worldOf(const Settings& settings = {})
{
    World world;
    Rng rng(settings.seed);
    const int pool = settings.prompts * settings.candidates, rows = pool + 4 * settings.training;
    world.rows = std::make_shared<const geometry::Rows>(gaussianRows(rows, settings.width, rng));
    world.coordinates = geometry::Standardiser::identity(settings.width);
    for (int p = 0; p < settings.prompts; ++p) {
        world.pool.prompts.push_back({ p, {} });
        for (int c = 0; c < settings.candidates; ++c)
            world.pool.prompts.back().rows.push_back(p * settings.candidates + c);
    }
    world.features
        = std::make_shared<const Features>(makeFeatures(world.pool, *world.rows, world.coordinates).value());
    // Coordinate 0 is the value; 1 completes the judge; 2 the generation direction; 3 the labeler's manner.
    const auto axis = [&](int i) { return Eigen::VectorXd::Unit(settings.width, i); };
    const auto scores = [&](const Eigen::VectorXd& w) { return geometry::times(*world.rows, w); };
    const double c = settings.judgeCosine;
    world.judge = scores(c * axis(0) + std::sqrt(1 - c * c) * axis(1));
    world.people = scores(0.95 * axis(0) + std::sqrt(1 - 0.95 * 0.95) * axis(4));
    world.generation = scores(0.3 * axis(0) + std::sqrt(1 - 0.09) * axis(2));
    world.neutral = scores(0.6 * axis(0) + 0.8 * axis(3));
    world.gold = world.unit(scores(axis(0)));
    world.length = scores(axis(5)).array() * 5 + 40;
    world.echo = scores(axis(6)).array() * 0.1 + 0.3;
    world.meanTokens = 40;
    const Eigen::VectorXd value = scores(axis(0));
    for (int i = 0; i < settings.training; ++i) {
        const int first = pool + 4 * i;
        const bool better = value[first] > value[first + 1];
        world.humanLabels.push_back({ better ? first : first + 1, better ? first + 1 : first, 1000 + i, 1 });
        for (int a = 0; a < 4; ++a)
            for (int b = a + 1; b < 4; ++b)
                world.aiPairs.push_back({ first + a, first + b, 1000 + i, 0.5 });
    }
    return world;
}

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

} // namespace

class TestPolicyLab : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void unitAndCosine()
    {
        const World world = worldOf();
        const Eigen::VectorXd u = world.unit(world.judge);
        COMPARE_NEAR(deviationWithin(world.pool, u), 1.0, 1e-12);
        COMPARE_NEAR(deviationWithin(world.pool, 3 * u), 3.0, 1e-12);
        COMPARE_NEAR(world.cosine(world.judge, world.judge), 1.0, 1e-12);
        COMPARE_NEAR(world.cosine(world.judge, -2 * world.judge), -1.0, 1e-12);
        COMPARE_NEAR(world.cosine(world.judge, world.gold), 0.7, 0.08); // 640 candidates
        const Eigen::VectorXd flat = Eigen::VectorXd::Constant(world.judge.size(), 4);
        QCOMPARE(world.unit(flat).norm(), 0.0);
        QCOMPARE(world.cosine(flat, world.judge), 0.0);
    }

    void transformsOfTheReward()
    {
        Pool pool;
        pool.prompts = { { 0, { 0, 1, 2 } }, { 1, { 3, 4 } } };
        Eigen::VectorXd f(5);
        f << 1, 0, -1, 5, 2;
        QVERIFY(transformed(Transform::Identity, pool, f) == f);
        const Eigen::VectorXd soft = transformed(Transform::LogSigmoid, pool, f);
        COMPARE_NEAR(soft[0], std::log(sigmoid(1.0)), 1e-14);
        COMPARE_NEAR(soft[3], std::log(sigmoid(1.5)), 1e-14);
        // One reference reply: f less its f, the same policy (T3).
        const Eigen::VectorXd odds = transformed(Transform::LogOdds, pool, f);
        COMPARE_NEAR(odds[3], 3.0, 1e-12);
        COMPARE_NEAR(odds[4], -3.0, 1e-12);
        // Two: the log-odds of the mean chance to be preferred.
        const double mean = (sigmoid(1.0) + sigmoid(2.0)) / 2;
        COMPARE_NEAR(odds[0], std::log(mean / (1 - mean)), 1e-12);
        COMPARE_NEAR(odds[1], 0.0, 1e-12);
        // Both are increasing: the best reply stays the best, and log sigmoid rewards the best less.
        QVERIFY(soft[0] > soft[1] && soft[1] > soft[2]);
        QVERIFY(soft[0] - soft[1] < soft[1] - soft[2]);
        for (const char* name : { "f", "log-sigmoid", "log-odds" })
            QCOMPARE(transformName(parseTransform(name).value()), std::string(name));
        VERIFY_FAILS(parseTransform("exp"), "log-odds", "exp");
    }

    void rewardSourcesGiveTheirScores()
    {
        const World world = worldOf();
        QVERIFY(makeReward("constitution")->make(world).value().scores == world.judge);
        QVERIFY(makeReward("labels")->make(world).value().scores == world.people);
        VERIFY_FAILS(makeReward("rating")->make(world), "ratings", "rating");
        QVERIFY(!makeReward("bogus"));
        for (const std::string& name : rewardNames())
            QCOMPARE(makeReward(name)->name(), name);
        // Soft labels carry the judge without noise (T28): the reward model is the judge.
        const Reward soft = rewardModel(LabelSource::JudgeSoft)->make(world).value();
        QVERIFY(world.cosine(soft.scores, world.judge) > 0.98);
        QCOMPARE(soft.cost.judgeCalls, 2.0 * 360);
        QCOMPARE(soft.cost.humanLabels, 0.0);
        // Hard ones cost angle, as T25 says, and flips cost more.
        const Reward hard = rewardModel(LabelSource::JudgeHard)->make(world).value();
        const Reward noisy = rewardModel(LabelSource::JudgeHard, 0, 0.3)->make(world).value();
        QVERIFY(world.cosine(hard.scores, world.judge) < world.cosine(soft.scores, world.judge));
        QVERIFY(world.cosine(noisy.scores, world.judge) < world.cosine(hard.scores, world.judge));
        const Reward people = rewardModel(LabelSource::People)->make(world).value();
        QVERIFY(world.cosine(people.scores, world.gold) > 0.8);
        QCOMPARE(people.cost.humanLabels, 60.0);
        QVERIFY(people.note.find("separable") != std::string::npos); // noiseless labels are
        QCOMPARE(rewardModel(LabelSource::People, 20)->make(world).value().cost.humanLabels, 20.0);
        const Reward both = rewardModel(LabelSource::Combined)->make(world).value();
        QCOMPARE(both.cost.humanLabels, 60.0);
        QVERIFY(world.cosine(both.scores, world.gold) > world.cosine(soft.scores, world.gold));
        World empty = world;
        empty.judge.resize(0);
        VERIFY_FAILS(makeReward("constitution")->make(empty), "constitution");
    }

    void pipelinesMeetAtOneKl()
    {
        const World world = worldOf();
        const double kl = commonKl(world.pool);
        QCOMPARE(kl, 0.5);
        const auto rows = comparePipelines(world, kl);
        VERIFY_OK(rows);
        QVERIFY(rows->size() >= 12);
        std::map<std::string, const PipelineRow*> byId;
        for (const PipelineRow& row : *rows) {
            QVERIFY2(row.problem.empty(), row.problem.c_str());
            byId[row.id] = &row;
            COMPARE_NEAR(row.gold.kl, kl, row.policy.exactKl ? 1e-6 : 0.15);
            QVERIFY(row.policy.exactKl || row.policy.note.find("nearest") != std::string::npos);
            QVERIFY(
                row.goldIntervals.valueGain.interval.low < row.gold.valueGain
                && row.gold.valueGain < row.goldIntervals.valueGain.interval.high);
            QVERIFY(row.cost.judgeCalls + row.cost.humanLabels > 0);
        }
        for (const char* id : { "canonical-rlaif", "direct-rlaif", "rlhf", "combined", "optimum", "dpo",
                                "cdpo", "ipo", "best-of-n", "sft", "reinforce", "ppo", "dpo-people" })
            QVERIFY2(byId.count(id) > 0 || std::string(id) == "reinforce", id);
        // The optimum of the judge's reward is T7 up to the pool's size: rho sqrt(2 K).
        COMPARE_NEAR(byId["optimum"]->gold.valueGain, 0.7 * std::sqrt(2 * kl), 0.15);
        // Nothing beats it along the judge's own score.
        for (const char* id : { "dpo", "cdpo", "ipo", "ppo", "direct-rlaif" })
            QVERIFY(byId[id]->gold.rewardGain <= byId["optimum"]->gold.rewardGain + 1e-9);
        // People's labels point closer to the value than this judge.
        QVERIFY(byId["rlhf"]->gold.valueGain > byId["canonical-rlaif"]->gold.valueGain);
        QVERIFY(byId["rlhf"]->sharesLabels && !byId["dpo"]->sharesLabels);
        QCOMPARE(byId["rlhf"]->cost.judgeCalls, 0.0);
        VERIFY_FAILS(comparePipelines(world, 3), "cannot exceed");
        std::stop_source stop;
        stop.request_stop();
        QCOMPARE(
            comparePipelines(world, kl, Work{ stop.get_token(), {} }).error().kind, ErrorKind::Cancelled);
        // Two candidates: half of ln 2.
        Settings two;
        two.candidates = 2;
        COMPARE_NEAR(commonKl(worldOf(two).pool), std::numbers::ln2 / 2, 1e-12);
    }

    void gaosFormsAreRecovered()
    {
        std::vector<double> d, bon, rl;
        for (int i = 0; i <= 10; ++i) {
            d.push_back(0.25 * i);
            bon.push_back(d.back() * (1.3 - 0.2 * d.back()));
            rl.push_back(d.back() > 0 ? d.back() * (0.9 - 0.4 * std::log(d.back())) : 0);
        }
        const auto [alpha, beta] = fitGao(d, bon, false);
        COMPARE_NEAR(alpha, 1.3, 1e-12);
        COMPARE_NEAR(beta, 0.2, 1e-12);
        const std::pair<double, double> second = fitGao(d, rl, true);
        COMPARE_NEAR(second.first, 0.9, 1e-12);
        COMPARE_NEAR(second.second, 0.4, 1e-12);
        QVERIFY(std::isnan(fitGao(std::vector<double>{ 0, 1 }, std::vector<double>{ 0, 1 }, false).first));
    }

    void noTurnoverInAGaussianWorldT32()
    {
        Settings settings;
        settings.prompts = 150;
        settings.candidates = 64;
        const World world = worldOf(settings);
        const auto found = overoptimise(world, world.judge);
        VERIFY_OK(found);
        QVERIFY(!found->turnover);
        QVERIFY(found->cause.find("T32") != std::string::npos);
        COMPARE_NEAR(found->slopeRatio, 0.7, 0.04);
        // At small KL both are linear in sqrt(KL): proxy sqrt(2) d, gold rho sqrt(2) d (T7).
        const OptimisationPoint& early = found->optimum[3];
        COMPARE_NEAR(early.proxy.value, std::sqrt(2.0) * early.distance(), 0.04);
        COMPARE_NEAR(early.gold.value, 0.7 * std::sqrt(2.0) * early.distance(), 0.06);
        QVERIFY(found->curvature.interval.low < 0.1 && found->curvature.interval.high > -0.1);
        // Best-of-n gains are e_n of T38.
        for (const OptimisationPoint& point : found->bestOfN)
            if (point.strength == 4)
                COMPARE_NEAR(point.proxy.value, 1.029375, 0.04);
        QCOMPARE(found->bestOfN.front().kl, 0.0);
    }

    void aBentValueTurnsT33()
    {
        // V = r - (kappa/2) r^2 along the judge: d (alpha - beta d) with alpha = sqrt 2, beta = kappa at
        // deviation 1.
        Settings settings;
        settings.prompts = 200;
        settings.candidates = 64;
        settings.judgeCosine = 1;
        World world = worldOf(settings);
        const double kappa = 0.9;
        const Eigen::VectorXd r = world.unit(world.judge);
        const Eigen::VectorXd bent = r.array() - kappa / 2 * r.array().square();
        world.gold = bent;
        const double size = deviationWithin(world.pool, bent);
        const auto found = overoptimise(world, world.judge);
        VERIFY_OK(found);
        QVERIFY(found->turnover);
        QVERIFY2(found->cause.find("Extremal") != std::string::npos, found->cause.c_str());
        COMPARE_NEAR(found->turnoverAt, std::sqrt(2.0) / (2 * kappa), 0.22); // d* = alpha/(2 beta)
        QVERIFY(found->curvature.interval.high < 0);
        QVERIFY(found->fallFromPeak.interval.low > 0);
        double peak = 0;
        for (const OptimisationPoint& point : found->optimum)
            peak = std::max(peak, point.gold.value);
        COMPARE_NEAR(peak * size, 2 / (4 * kappa), 0.06); // alpha^2/(4 beta)
    }

    void aJudgeAgainstPeopleIsNamed()
    {
        Settings settings;
        settings.judgeCosine = -0.6;
        const World world = worldOf(settings);
        const auto found = overoptimise(world, world.judge);
        VERIFY_OK(found);
        QVERIFY(found->slopeRatio < -0.4);
        QVERIFY(found->optimum.back().gold.value < 0);
        VERIFY_FAILS(overoptimise(world, Eigen::VectorXd::Ones(world.judge.size())), "differs");
    }

    void roundsWithoutNoiseAreT21()
    {
        // A fixed judge, soft enough to be recovered: KL grows with the square of the rounds.
        World world = worldOf({ 60, 32, 8, 60, 0.7, 3 });
        world.tau = 0.5;
        RoundSettings rounds;
        rounds.rounds = 4;
        rounds.lambda = 0.15;
        rounds.pairsPerPrompt = 200;
        const auto states = runRounds(world, rounds);
        VERIFY_OK(states);
        QCOMPARE(states->size(), std::size_t(5));
        QCOMPARE(states->front().kl, 0.0);
        COMPARE_NEAR(states->front().gold.value, 0.0, 1e-12);
        for (int t = 1; t <= 4; ++t) {
            const RoundState& state = (*states)[static_cast<std::size_t>(t)];
            QVERIFY(state.cosJudge > 0.97);
            const double lambda = 0.15 * t;
            COMPARE_NEAR(state.kl, lambda * lambda / 2, 0.06 * lambda * lambda / 2 + 0.003);
            COMPARE_NEAR(state.gold.value, lambda * world.cosine(world.judge, world.gold), 0.05);
            QVERIFY(state.labels > (*states)[static_cast<std::size_t>(t) - 1].labels);
        }
        World none = world;
        none.judge.resize(0);
        VERIFY_FAILS(runRounds(none, rounds), "constitution");
    }

    void roundsDriftAndPropagate()
    {
        const World world = worldOf();
        RoundSettings settings;
        settings.rounds = 8;
        settings.lambda = 0.05;
        settings.pairsPerPrompt = 24;
        const auto last = [&](const RoundSettings& s) { return runRounds(world, s).value().back(); };
        const RoundState plain = last(settings);
        RoundSettings drifting = settings;
        drifting.drift = 0.3;
        QVERIFY(last(drifting).cosJudge < plain.cosJudge - 0.2);
        RoundSettings chained = settings;
        chained.chain = true;
        QVERIFY(last(chained).cosJudge < plain.cosJudge);
        RoundSettings anchored = chained;
        anchored.humanShare = 0.5;
        QVERIFY(last(anchored).cosGold > last(chained).cosGold); // outside information (T24)
        // T23: a judge that likes what the policy does runs away.
        RoundSettings vain = settings;
        vain.lambda = 0.3;
        const double without = last(vain).kl;
        vain.selfPreference = 2;
        QVERIFY(last(vain).effective <= 16);
        QVERIFY(last(vain).kl > 0.5 * without);
    }

    void labelBudgetsT25()
    {
        // Test values of T25: d = 20, n = 400, eps = .1 gives .94636; n for .95 is 431.7.
        COMPARE_NEAR(expectedCosine(20, 400, 0.1), 0.94636, 5e-6);
        COMPARE_NEAR(expectedCosine(20, 431.7, 0.1), 0.95, 1e-5);
        // The crossing is where both cosines are equal.
        for (const double rho : { 0.4, 0.7, 0.9 }) {
            const double n = crossingOf(100, rho, 10, 0.1, 0.1);
            if (n > 0)
                COMPARE_NEAR(expectedCosine(100, n, 0.1), rho * expectedCosine(100, 10 * n, 0.1), 1e-12);
        }
        QVERIFY(crossingOf(100, 0.7, 10) > 0);
        QCOMPARE(crossingOf(100, 0.2, 10), 0.0); // too poor a judge, ten times over
        QVERIFY(std::isinf(crossingOf(100, 1, 10)));
        const World world = worldOf();
        const auto found = labelCrossing(world, 5, 3);
        VERIFY_OK(found);
        QCOMPARE(found->rows.back().n, 60);
        QVERIFY(found->rows.back().human > found->rows.front().human);
        QVERIFY(found->rows.back().human > found->rows.back().ai); // exact labels against a judge at .7
        COMPARE_NEAR(found->rho, 0.7, 0.08);
        for (const LabelBudget& row : found->rows)
            QVERIFY(row.ai < found->rho + 0.1);
    }

    void everyFailureIsMeasured_data()
    {
        QTest::addColumn<QString>("id");
        for (const FailureMode& mode : failureModes())
            QTest::newRow(mode.id.c_str()) << QString::fromStdString(mode.id);
    }
    void everyFailureIsMeasured()
    {
        QFETCH(QString, id);
        const World world = worldOf();
        const FailureMode& mode = *failureMode(id.toStdString());
        QVERIFY(
            !mode.title.empty() && !mode.what.empty() && !mode.statement.empty() && !mode.mitigation.empty()
            && !mode.doseName.empty());
        QVERIFY(mode.least <= mode.usual && mode.usual <= mode.most);
        const auto effect = measureFailure(world, mode.id, mode.usual, 0.4);
        VERIFY_OK(effect);
        for (const geometry::Estimate& estimate :
             { effect->clean, effect->failed, effect->mitigated, effect->harm, effect->help })
            QVERIFY(std::isfinite(estimate.value) && estimate.interval.isKnown());
        COMPARE_NEAR(effect->harm.value, effect->failed.value - effect->clean.value, 1e-9);
        COMPARE_NEAR(effect->help.value, effect->mitigated.value - effect->failed.value, 1e-9);
        QVERIFY(!effect->closedSays.empty());
        VERIFY_FAILS(measureFailure(world, mode.id, mode.most + 1, 0.4), "dose");
        VERIFY_FAILS(measureFailure(world, mode.id, mode.usual, 100), "KL");
    }

    void noDoseNoHarm_data()
    {
        QTest::addColumn<QString>("id");
        for (const char* id : { "self-confirmation", "garbage-in", "preference-drift", "length-gaming",
                                "sycophancy-labeler", "sycophancy-self", "sycophancy-user",
                                "out-of-distribution", "prompt-sensitivity", "label-noise", "concept-shift" })
            QTest::newRow(id) << QString::fromLatin1(id);
    }
    void noDoseNoHarm()
    {
        QFETCH(QString, id);
        const auto effect = measureFailure(worldOf(), id.toStdString(), 0, 0.4);
        VERIFY_OK(effect);
        COMPARE_NEAR(effect->harm.value, 0.0, 1e-6);
    }

    void failuresFollowTheirStatements()
    {
        Settings settings;
        settings.prompts = 120;
        settings.candidates = 32;
        const World world = worldOf(settings);
        const double kl = 0.3, unit = std::sqrt(2 * kl);
        const auto effect
            = [&](const char* id, double dose) { return measureFailure(world, id, dose, kl).value(); };
        // T6: the mirror image loses what the constitution gained along people's direction; the cure cuts it
        // off.
        const FailureEffect garbage = effect("garbage-in", 1);
        COMPARE_NEAR(garbage.figure, garbage.closed, 0.02);
        QVERIFY(garbage.failed.value < -0.2 && garbage.harm.interval.high < 0);
        COMPARE_NEAR(garbage.mitigatedFigure, 0.0, 0.02);
        QVERIFY(garbage.help.interval.low > 0);
        // T34: a spoiler at right angles leaves rho/sqrt(1 + eta^2) of the gain, half the KL at eta = 1.
        const FailureEffect length = effect("length-gaming", 1);
        COMPARE_NEAR(length.closed, 0.7 / std::sqrt(2.0), 0.06);
        COMPARE_NEAR(length.failed.value, length.closed * unit, 0.06);
        COMPARE_NEAR(length.figure, 5 * unit / std::sqrt(2.0), 0.4); // tokens: deviation 5
        COMPARE_NEAR(length.mitigatedFigure, 0.0, 0.2);
        COMPARE_NEAR(length.mitigated.value, length.clean.value, 0.06);
        // T30: a turn as long as the judge itself leaves 1/sqrt 2; eight phrasings leave 1/sqrt(1 + 1/8).
        const FailureEffect phrasing = effect("prompt-sensitivity", 1);
        COMPARE_NEAR(phrasing.figure, 1 / std::sqrt(2.0), 0.02);
        COMPARE_NEAR(phrasing.mitigatedFigure, 1 / std::sqrt(1.125), 0.05);
        // T35: regret sqrt(2K)(1 - cos theta).
        const FailureEffect angle = effect("concept-shift", 60);
        COMPARE_NEAR(angle.harm.value, -0.5 * unit, 0.06);
        COMPARE_NEAR(angle.closed, -0.5 * unit, 1e-9);
        // T29: the share of pairs in which one position wins twice.
        const FailureEffect bias = effect("position-bias", 1);
        COMPARE_NEAR(bias.figure, std::erf(1 / std::sqrt(2.0)), 0.08);
        // T31: 1.96 and .8416 against a harm of five points.
        COMPARE_NEAR(labelsToSee(0.05), 784.9, 0.5);
        QCOMPARE(effect("validation-dependency", 0.05).figure, labelsToSee(0.05));
        QVERIFY(effect("validation-dependency", 0.05).mitigatedFigure < labelsToSee(0.05));
        // T23: the run-away spends more than the budget.
        const FailureEffect itself = effect("sycophancy-self", 3);
        QVERIFY(itself.failedKl > 1.5 * kl);
        QCOMPARE(itself.mitigatedKl, kl);
        // T9: the mixture's correlation.
        const FailureEffect confirmation = effect("self-confirmation", 0.7);
        COMPARE_NEAR(confirmation.figure, confirmation.closed, 0.01);
        QVERIFY(confirmation.harm.value < 0 && confirmation.help.value > 0);
        VERIFY_FAILS(measureFailure(world, "bogus", 1, kl), "garbage-in", "bogus");
    }

    void doseCurvesRunFromLeastToMost()
    {
        const World world = worldOf();
        const auto curve = doseCurve(world, "concept-shift", 4, 0.4);
        VERIFY_OK(curve);
        QCOMPARE(curve->size(), std::size_t(4));
        QCOMPARE(curve->front().dose, 0.0);
        QCOMPARE(curve->back().dose, 90.0);
        for (std::size_t i = 1; i < 4; ++i)
            QVERIFY((*curve)[i].failed.value < (*curve)[i - 1].failed.value);
    }

    void shiftBinsShareThePolicy()
    {
        const auto bins = shiftBins(worldOf(), 0.4);
        VERIFY_OK(bins);
        QCOMPARE(bins->size(), std::size_t(5));
        double base = 0, policy = 0;
        for (const ShiftBin& bin : *bins) {
            base += bin.baseShare;
            policy += bin.policyShare;
            QVERIFY(bin.error >= 0);
        }
        COMPARE_NEAR(base, 1.0, 1e-12);
        COMPARE_NEAR(policy, 1.0, 1e-12);
        QVERIFY(bins->front().distance < bins->back().distance);
    }

    void creditIsSharedByActivationT39()
    {
        // Test values of T39: a = (.5, 1, 2), g0 = (.1, .2, .05), trained to p = .99.
        const std::vector<Mechanism> knobs{ { "deep", .1, .5, 1 },
                                            { "shallow", .2, 1, 0 },
                                            { "strategic", .05, 2, 0 } };
        const Credit credit = train(knobs, std::log(.99 / .01));
        const double expected[] = { .40430, .80860, 1.61720 };
        for (std::size_t i = 0; i < 3; ++i)
            COMPARE_NEAR(credit.gain[i] - knobs[i].gain, expected[i], 2e-5);
        COMPARE_NEAR(credit.share[2], 4 / 5.25, 1e-12);
        COMPARE_NEAR(credit.logitAfter, std::log(99.0), 1e-12);
        // The path does not depend on the step.
        for (const double step : { 0.01, 0.3 }) {
            const Credit stepped = trainBySteps(knobs, std::log(.99 / .01), step, 1000000);
            for (std::size_t i = 0; i < 3; ++i)
                COMPARE_NEAR(stepped.gain[i], credit.gain[i], 1e-9);
        }
        // Several contexts: the least change that reaches all logits.
        Rng rng(4);
        const Eigen::MatrixXd contexts = Eigen::MatrixXd::NullaryExpr(2, 4, [&] { return rng.normal(); });
        const Eigen::VectorXd gains = gaussianVector(4, rng), wanted = Eigen::Vector2d(3, -1);
        const Eigen::VectorXd change = gainChange(contexts, gains, wanted);
        QVERIFY((contexts * (gains + change) - wanted).norm() < 1e-12);
        // In the row space of the contexts: orthogonal to what they do not see.
        Eigen::VectorXd unseen = gaussianVector(4, rng);
        unseen -= contexts.transpose() * (contexts * contexts.transpose()).inverse() * contexts * unseen;
        COMPARE_NEAR(change.dot(unseen), 0.0, 1e-12);
        QCOMPARE(train({ { "asleep", 1, 0, 1 } }, 3).gain[0], 1.0);
    }

    void thePromptDecidesT40()
    {
        const auto desk = [](const char* id) {
            for (const Desk& one : desks())
                if (one.id == id)
                    return one.mechanisms;
            return std::vector<Mechanism>{};
        };
        const Credit cold = train(desk("cold"), 4), kind = train(desk("kind-prompt"), 4);
        COMPARE_NEAR(cold.transfer, 0.1 / 1.01, 1e-12); // .099
        COMPARE_NEAR(kind.transfer, 1 / 1.04, 1e-12); // .9615
        COMPARE_NEAR(cold.testAfter, cold.transfer * 4, 1e-12);
        COMPARE_NEAR(kind.testAfter, kind.transfer * 4, 1e-12);
        const Credit router = train(desk("router"), 4);
        QVERIFY(router.share[3] > 0.9 && router.testAfter < 1);
    }

    void strategicComplianceStarvesT41()
    {
        const std::vector<Mechanism> knobs{ { "kindness", 0, 1, 1 }, { "strategic", 2.2, 2, 0 } };
        const double wanted = std::log(99.0);
        const Starvation starved = starve(knobs, 1, wanted);
        // With it z_0 = 4.4: kindness gains (4.595 - 4.4)/5, without it 4.595.
        COMPARE_NEAR(starved.with.gain[0], (wanted - 4.4) / 5, 1e-12);
        COMPARE_NEAR(starved.without.gain[0], wanted, 1e-12);
        COMPARE_NEAR(starved.lost[0], (wanted - 4.4) / 5 / wanted, 1e-12);
        // The blessing: labels that are wrong damage kindness as little.
        const Credit wrong = train(knobs, std::log(.05 / .95));
        QVERIFY(
            std::abs(wrong.gain[0])
            < std::abs(train({ { "kindness", 0, 1, 1 } }, std::log(.05 / .95)).gain[0]) + 1e-12);
        // Capability training afterwards strengthens what it runs through.
        const TwoStages fed
            = capabilityAfter({ { "kindness", 0, 1, 1 }, { "skill", 0, 0, 0 } }, 2, { 0.5, 1 }, 4);
        QVERIFY(fed.capability.gain[0] > fed.alignment.gain[0]);
        COMPARE_NEAR(fed.capability.gain[0] - fed.alignment.gain[0], 0.5 * (4 - 1) / 1.25, 1e-12);
    }

    void mechanismsOfAStudy()
    {
        const World world = worldOf();
        const auto mechanisms
            = mechanismsOf(world, { { "judge", world.judge }, { "length", world.length } }, world.judge);
        // The best of 16 normal scores is 1.766 deviations up (T38); length has no part in it.
        COMPARE_NEAR(mechanisms[0].activation, 1.766, 0.2);
        COMPARE_NEAR(mechanisms[1].activation, 0.0, 0.6);
        QVERIFY(train(mechanisms, 4).share[0] > 0.85);
    }
};

QTEST_GUILESS_MAIN(TestPolicyLab)
#include "tst_policy_lab.moc"
