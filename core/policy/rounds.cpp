#include "core/policy/rounds.h"

#include "core/base/rng.h"
#include "core/geometry/numbers.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

namespace lodestone::policy {
namespace {

using geometry::sigmoid;

/// A score per study response as one per candidate, in pool order.
Eigen::VectorXd inPool(const Pool& pool, const Eigen::VectorXd& scores)
{
    Eigen::VectorXd result(static_cast<Eigen::Index>(pool.candidates()));
    Eigen::Index at = 0;
    for (const Pool::Prompt& prompt : pool.prompts)
        for (const int row : prompt.rows)
            result[at++] = scores[row];
    return result;
}

Eigen::VectorXd inStudy(const Pool& pool, const Eigen::VectorXd& candidates, Eigen::Index size)
{
    Eigen::VectorXd result = Eigen::VectorXd::Zero(size);
    Eigen::Index at = 0;
    for (const Pool::Prompt& prompt : pool.prompts)
        for (const int row : prompt.rows)
            result[row] = candidates[at++];
    return result;
}

int drawFrom(const std::vector<double>& p, int from, int to, Rng& rng)
{
    double left = rng.uniform();
    int at = from;
    while (at + 1 < to && left >= p[static_cast<std::size_t>(at)])
        left -= p[static_cast<std::size_t>(at++)];
    return at;
}

} // namespace

Result<std::vector<RoundState>> runRounds(const World& world, const RoundSettings& settings, const Work& work)
{
    if (world.judge.size() == 0)
        return badInput("a constitution with a direction in this model", "none", "rounds");
    const Features& features = *world.features;
    const geometry::Rows featureRows = features.x.cast<float>();
    const geometry::Standardiser plain = geometry::Standardiser::identity(features.x.cols());
    const Eigen::Index responses = world.judge.size();
    const Eigen::VectorXd first = inPool(world.pool, world.unit(world.judge));
    const Eigen::VectorXd people
        = world.people.size() > 0 ? inPool(world.pool, world.unit(world.people)) : first;
    Eigen::VectorXd towards = settings.driftTowards.size() > 0 ? settings.driftTowards : world.generation;
    towards
        = towards.size() > 0 ? inPool(world.pool, world.unit(towards)) : Eigen::VectorXd::Zero(first.size());
    const Eigen::VectorXd gold = world.unit(world.gold), proxy = world.unit(world.judge);
    const double scale = 1 / std::max(world.tau, 1e-9); // logits of the judge's labels, in its own deviations
    const double sharpness = scale * std::max(deviationWithin(world.pool, world.judge), 1e-12);

    Rng rng(settings.seed, 0x40d5);
    Eigen::VectorXd judge = first, logits = Eigen::VectorXd::Zero(first.size());
    std::vector<RoundState> states;
    double labels = 0;
    Eigen::VectorXd fitted = first;
    for (int round = 0; round <= settings.rounds; ++round) {
        if (work.cancelled())
            return cancelled();
        work.tell({ "Running rounds", static_cast<double>(round), static_cast<double>(settings.rounds), 0,
                    "rounds", -1 });
        RoundState state;
        state.round = round;
        state.probabilities = softmaxWithin(features, logits);
        const Outcome outcome = outcomeOf(world.pool, state.probabilities, proxy, gold);
        state.kl = outcome.kl;
        state.proxyGain = outcome.rewardGain;
        state.effective = outcome.effectiveSampleSize;
        state.gold = intervalsOf(world.pool, state.probabilities, proxy, gold, world.seed).valueGain;
        const Eigen::VectorXd inRows = inStudy(world.pool, fitted, responses);
        state.cosGold = world.cosine(inRows, world.gold);
        state.cosJudge = world.cosine(inRows, world.judge);
        state.labels = labels;
        states.push_back(state);
        if (round == settings.rounds)
            break;

        std::vector<judgment::Comparison> comparisons;
        for (int prompt = 0; prompt < features.prompts(); ++prompt) {
            const int from = features.first[static_cast<std::size_t>(prompt)],
                      to = features.first[static_cast<std::size_t>(prompt) + 1];
            for (int i = 0; i < settings.pairsPerPrompt; ++i) {
                const int a = drawFrom(state.probabilities, from, to, rng),
                          b = drawFrom(state.probabilities, from, to, rng);
                const bool human = rng.uniform() < settings.humanShare;
                const double draw = rng.uniform();
                if (a == b)
                    continue; // the policy offers one reply twice: nothing to compare
                const Eigen::VectorXd& labeler = human ? people : judge;
                const double p = sigmoid(sharpness * (labeler[a] - labeler[b]));
                comparisons.push_back({ a, b, prompt, draw < p ? 1.0 : 0.0 });
            }
        }
        labels += static_cast<double>(comparisons.size());
        if (!comparisons.empty()) {
            LODESTONE_TRY(
                const judgment::RewardModel model,
                judgment::fitRewardModel(
                    featureRows, comparisons, plain, { round == 0 ? 0.0 : 1.0, 5, settings.seed }));
            const Eigen::VectorXd scores = features.x * model.readOut.weights;
            fitted = inPool(world.pool, world.unit(inStudy(world.pool, scores, responses)));
        }
        logits += settings.lambda * fitted;
        // What becomes of the judge.
        if (settings.chain)
            judge = fitted;
        judge = (1 - settings.drift) * judge + settings.drift * towards;
        if (settings.selfPreference > 0)
            judge += settings.selfPreference * settings.lambda * fitted; // kappa times what this round moved
    }
    return states;
}

double expectedCosine(double dimension, double n, double flips)
{
    const double m = (1 - 2 * flips) * std::sqrt(2 / std::numbers::pi);
    return 1 / std::sqrt(1 + (dimension - 1) / (n * m * m));
}

double crossingOf(double dimension, double rho, double ratio, double humanFlips, double aiFlips)
{
    const auto spread = [&](double flips) {
        const double m = (1 - 2 * flips) * std::sqrt(2 / std::numbers::pi);
        return (dimension - 1) / (m * m);
    };
    const double gained = rho * rho * spread(humanFlips) - spread(aiFlips) / ratio;
    if (rho <= 0 || gained <= 0)
        return 0;
    return rho >= 1 ? std::numeric_limits<double>::infinity() : gained / (1 - rho * rho);
}

Result<LabelCrossing> labelCrossing(const World& world, double ratio, int draws, const Work& work)
{
    if (world.humanLabels.empty() || world.aiPairs.empty() || world.judge.size() == 0)
        return badInput(
            "people's labels, and a judge with pairs to label, in the training prompts", "not both",
            "label budget");
    LabelCrossing crossing;
    crossing.ratio = ratio;
    crossing.dimension = static_cast<double>(world.features->x.cols());
    crossing.rho = world.cosine(world.judge, world.gold);
    const auto labelled = labelledBy(world.judge, world.aiPairs, world.tau, true, 0, world.seed);
    // One strength for all: chosen on every human label, so that the curves differ by their labels alone.
    LODESTONE_TRY(
        const judgment::RewardModel all,
        judgment::fitRewardModel(*world.rows, world.humanLabels, world.coordinates, { 0, 5, world.seed }));
    std::vector<int> budgets;
    for (double n = 8; n < static_cast<double>(world.humanLabels.size()); n *= 2)
        budgets.push_back(static_cast<int>(n));
    budgets.push_back(static_cast<int>(world.humanLabels.size()));
    for (const int n : budgets) {
        LabelBudget row;
        row.n = n;
        const auto wanted = static_cast<std::size_t>(std::lround(ratio * n));
        row.enough = wanted <= labelled.size();
        std::vector<double> human, ai;
        for (int draw = 0; draw < draws; ++draw) {
            if (work.cancelled())
                return cancelled();
            Rng rng(world.seed, 0xd4a + static_cast<std::uint64_t>(draw));
            const auto cosineOf
                = [&](std::vector<judgment::Comparison> some, std::size_t count) -> Result<double> {
                rng.shuffle(some);
                some.resize(std::min(count, some.size()));
                LODESTONE_TRY(const Eigen::VectorXd scores, scoresOf(world, some, all.relativeStrength));
                return world.cosine(scores, world.gold);
            };
            LODESTONE_TRY(const double ofHuman, cosineOf(world.humanLabels, static_cast<std::size_t>(n)));
            LODESTONE_TRY(const double ofAi, cosineOf(labelled, wanted));
            human.push_back(ofHuman);
            ai.push_back(ofAi);
        }
        const auto summarise = [](const std::vector<double>& values, double& mean, double& spread) {
            mean = std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
            spread = 0;
            for (const double value : values)
                spread += (value - mean) * (value - mean);
            spread = values.size() > 1 ? std::sqrt(spread / (static_cast<double>(values.size()) - 1)) : 0;
        };
        summarise(human, row.human, row.humanSpread);
        summarise(ai, row.ai, row.aiSpread);
        row.humanClosed = expectedCosine(crossing.dimension, n, 0);
        row.aiClosed = crossing.rho * expectedCosine(crossing.dimension, ratio * n, 0);
        crossing.rows.push_back(row);
        work.tell({ "Fitting label budgets", static_cast<double>(crossing.rows.size()),
                    static_cast<double>(budgets.size()), 0, "budgets", -1 });
    }
    crossing.closed = crossingOf(crossing.dimension, std::max(crossing.rho, 0.0), ratio);
    crossing.measured = std::numeric_limits<double>::quiet_NaN();
    for (std::size_t i = 1; i < crossing.rows.size(); ++i) {
        const double before = crossing.rows[i - 1].human - crossing.rows[i - 1].ai,
                     after = crossing.rows[i].human - crossing.rows[i].ai;
        if (before < 0 && after >= 0) {
            const double share = before / (before - after);
            crossing.measured = std::exp(
                (1 - share) * std::log(crossing.rows[i - 1].n) + share * std::log(crossing.rows[i].n));
        }
    }
    return crossing;
}

} // namespace lodestone::policy
