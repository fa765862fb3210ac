#include "core/policy/failure_cases.h"

#include "core/base/rng.h"
#include "core/geometry/numbers.h"
#include "core/policy/rounds.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <numbers>

namespace lodestone::policy {
namespace {

using geometry::nan;

/// A spoiler s enters with weight eta; the cure projects it out (T34).
FailureCase spoiler(const FailureParts& p, const Eigen::VectorXd& s, double dose, const Eigen::VectorXd& raw)
{
    FailureCase c{ p.judge, p.judge + dose * s, {} };
    c.mitigated = p.without(c.failed, s);
    c.figure = p.drift(c.failed, raw);
    c.mitigatedFigure = p.drift(c.mitigated, raw);
    const double with = p.world.cosine(p.judge, p.world.gold), spoiled = p.world.cosine(s, p.world.gold),
                 between = p.world.cosine(p.judge, s);
    c.closed = (with + dose * spoiled) / std::sqrt(1 + dose * dose + 2 * dose * between);
    c.closedSays = "correlation with gold that is left (T34)";
    c.note = fmt::format(
        "In the linear-Gaussian model {:.0f} % of the KL goes to it.",
        100 * std::pow(dose + between, 2) / (1 + dose * dose + 2 * dose * between));
    return c;
}

/// A reward model on the judge's hard labels, wrong with probability `flips`.
Result<Eigen::VectorXd> fromLabels(const FailureParts& p, double flips)
{
    return scoresOf(
        p.world, labelledBy(p.world.judge, p.world.aiPairs, p.world.tau, true, flips, p.world.seed), 1);
}

} // namespace

FailureParts::FailureParts(const World& w, double budget)
    : world(w)
    , judge(w.unit(w.judge))
    , people(w.people.size() > 0 ? w.unit(w.people) : Eigen::VectorXd::Zero(w.judge.size()))
    , generation(w.generation.size() > 0 ? w.unit(w.generation) : Eigen::VectorXd())
    , length(w.unit(w.length))
    , echo(w.unit(w.echo))
    , kl(budget)
{
    noise = randomDirection(0x40153);
    // The labeler's own manner: what its neutral judgment adds to the constitution and to people's direction.
    const Eigen::VectorXd manner = w.neutral.size() > 0 ? w.unit(w.neutral) : noise;
    style = without(without(manner, people), judge);
}

Eigen::VectorXd FailureParts::randomDirection(std::uint64_t stream) const
{
    Rng rng(world.seed, stream);
    Eigen::VectorXd weights(world.features->x.cols());
    for (Eigen::Index i = 0; i < weights.size(); ++i)
        weights[i] = rng.normal() / std::sqrt(std::max(world.features->variance[i], 1e-12));
    const Eigen::VectorXd scores = world.features->x * weights;
    Eigen::VectorXd inRows = Eigen::VectorXd::Zero(judge.size());
    Eigen::Index at = 0;
    for (const Pool::Prompt& prompt : world.pool.prompts)
        for (const int row : prompt.rows)
            inRows[row] = scores[at++];
    return without(inRows, judge);
}

Eigen::VectorXd FailureParts::without(const Eigen::VectorXd& a, const Eigen::VectorXd& b) const
{
    return world.unit(world.unit(a) - world.cosine(a, b) * world.unit(b));
}

double FailureParts::drift(const Eigen::VectorXd& reward, const Eigen::VectorXd& score) const
{
    return tiltGains(world.pool, reward, score, lambdaForKl(world.pool, reward, kl)).valueGain;
}

Result<FailureCase> selfConfirmation(const FailureParts& p, double dose, const Work&)
{
    if (p.generation.size() == 0)
        return badInput(
            "log-likelihoods of the study, for the generation direction", "none", "self-confirmation");
    FailureCase c{ p.judge, (1 - dose) * p.judge + dose * p.generation, {} };
    c.mitigated = p.world.unit(c.failed) + p.people;
    c.figure = p.world.cosine(c.failed, p.world.gold);
    c.mitigatedFigure = p.world.cosine(c.mitigated, p.world.gold);
    const double rhoC = p.world.cosine(p.judge, p.world.gold),
                 rhoG = p.world.cosine(p.generation, p.world.gold),
                 between = p.world.cosine(p.judge, p.generation);
    c.closed = ((1 - dose) * rhoC + dose * rhoG)
        / std::sqrt((1 - dose) * (1 - dose) + dose * dose + 2 * dose * (1 - dose) * between);
    c.closedSays = "correlation of the mixture (T9 c)";
    return c;
}

Result<FailureCase> garbageIn(const FailureParts& p, double dose, const Work&)
{
    const double along = p.world.cosine(p.judge, p.people);
    FailureCase c{ p.judge, p.judge - 2 * dose * along * p.people, {} };
    const double now = p.world.cosine(c.failed, p.people);
    c.mitigated = now < 0 ? Eigen::VectorXd(p.world.unit(c.failed) - now * p.people) : c.failed;
    c.figure = now;
    c.mitigatedFigure = p.world.cosine(c.mitigated, p.people);
    const double rest = 1 - along * along;
    c.closed = (1 - 2 * dose) * along / std::sqrt(rest + std::pow((1 - 2 * dose) * along, 2));
    c.closedSays = "cosine with people's direction (T6, T15)";
    return c;
}

Result<FailureCase> preferenceDrift(const FailureParts& p, double dose, const Work&)
{
    // Towards what the model writes anyway, or a random direction without likelihoods.
    const Eigen::VectorXd& towards = p.generation.size() > 0 ? p.generation : p.noise;
    constexpr int rounds = 12;
    FailureCase c{ p.judge, Eigen::VectorXd::Zero(p.judge.size()), {} };
    Eigen::VectorXd judge = p.judge, best = p.judge, sum = Eigen::VectorXd::Zero(p.judge.size());
    double most = -1;
    for (int round = 0; round < rounds; ++round) {
        sum += judge;
        if (const double agreement = p.world.cosine(sum, p.people); agreement > most) {
            most = agreement;
            best = sum;
        }
        judge = (1 - dose) * judge + dose * towards;
    }
    c.failed = sum;
    c.mitigated = best; // stop where people's labels of the training prompts agree most
    c.figure = p.world.cosine(judge, p.judge);
    c.mitigatedFigure = p.world.cosine(best, p.judge);
    const double start = p.world.cosine(p.judge, p.world.gold), end = p.world.cosine(towards, p.world.gold);
    const double left = std::pow(1 - dose, rounds);
    const double between = p.world.cosine(p.judge, towards);
    c.closed = (left + (1 - left) * between)
        / std::sqrt(left * left + (1 - left) * (1 - left) + 2 * left * (1 - left) * between);
    c.closedSays = "cosine of the last judge with the first (T22)";
    if (start > 0 && end < 0 && dose > 0)
        c.note = fmt::format(
            "The closed form peaks after {:.1f} rounds.",
            std::log(-end / (start - end)) / std::log(1 - dose));
    return c;
}

Result<FailureCase> lengthGaming(const FailureParts& p, double dose, const Work&)
{
    return spoiler(p, p.length, dose, p.world.length);
}

Result<FailureCase> sycophancyUser(const FailureParts& p, double dose, const Work&)
{
    return spoiler(p, p.echo, dose, p.world.echo);
}

Result<FailureCase> sycophancyLabeler(const FailureParts& p, double dose, const Work&)
{
    FailureCase c = spoiler(p, p.style, dose, p.style);
    c.mitigated
        = p.world.unit(c.failed) + p.people; // human anchors: the style cannot be projected out unseen
    c.mitigatedFigure = p.drift(c.mitigated, p.style);
    return c;
}

Result<FailureCase> sycophancySelf(const FailureParts& p, double dose, const Work&)
{
    // T23: m_T = w_c ((1 + lambda kappa)^T - 1)/kappa. The direction stays; the strength runs away.
    constexpr int rounds = 8;
    const double lambda = lambdaForKl(p.world.pool, p.judge, p.kl) / rounds;
    const double strength = dose > 0 ? (std::pow(1 + lambda * dose, rounds) - 1) / dose : lambda * rounds;
    FailureCase c{ p.judge, p.judge, p.judge };
    c.failedKl = tiltGains(p.world.pool, p.judge, p.judge, strength).kl;
    c.figure = c.failedKl;
    c.mitigatedFigure = p.kl;
    c.closed = strength * strength / 2;
    c.closedSays = "KL in the linear-Gaussian model (T23); these candidates cap it";
    return c;
}

Result<FailureCase> outOfDistribution(const FailureParts& p, double dose, const Work& work)
{
    if (p.world.aiPairs.size() < 20)
        return badInput("pairs of replies to training prompts", "too few", "out-of-distribution");
    // The reward model is trained without the share `dose` of pairs nearest to the candidates it will score.
    const geometry::Rows standard = p.world.coordinates.apply(*p.world.rows);
    Eigen::VectorXd centre = Eigen::VectorXd::Zero(standard.cols());
    double count = 0;
    for (const Pool::Prompt& prompt : p.world.pool.prompts)
        for (const int row : prompt.rows) {
            centre += standard.row(row).cast<double>().transpose();
            count += 1;
        }
    centre /= count;
    std::vector<std::pair<double, judgment::Comparison>> byDistance;
    for (const judgment::Comparison& pair :
         labelledBy(p.world.judge, p.world.aiPairs, p.world.tau, false, 0, p.world.seed)) {
        const Eigen::VectorXd middle
            = (standard.row(pair.a) + standard.row(pair.b)).cast<double>().transpose() / 2;
        byDistance.emplace_back((middle - centre).squaredNorm(), pair);
    }
    std::sort(
        byDistance.begin(), byDistance.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
    const auto kept = std::max<std::size_t>(
        8, static_cast<std::size_t>((1 - dose) * static_cast<double>(byDistance.size())));
    std::vector<judgment::Comparison> all, far;
    for (std::size_t i = 0; i < byDistance.size(); ++i) {
        all.push_back(byDistance[i].second);
        if (i < kept)
            far.push_back(byDistance[i].second);
    }
    if (work.cancelled())
        return cancelled();
    LODESTONE_TRY(const Eigen::VectorXd whole, scoresOf(p.world, all, 1));
    LODESTONE_TRY(const Eigen::VectorXd shifted, scoresOf(p.world, far, 1));
    FailureCase c{ whole, shifted, shifted };
    c.mitigatedKl = p.kl / 4; // stay near the base policy
    c.figure = p.world.cosine(shifted, p.judge);
    c.mitigatedFigure = c.figure;
    const double angle = std::acos(std::clamp(p.world.cosine(p.judge, p.world.gold), -1.0, 1.0));
    c.closed = std::pow(std::cos(angle / 2) / std::max(std::sin(angle / 2), 1e-9), 2);
    c.closedSays = "condition number up to which the gain keeps its sign for every shift (T36)";
    return c;
}

Result<FailureCase> promptSensitivity(const FailureParts& p, double dose, const Work&)
{
    constexpr int phrasings = 8;
    FailureCase c{ p.judge, p.judge + dose * p.noise, Eigen::VectorXd::Zero(p.judge.size()) };
    for (int i = 0; i < phrasings; ++i)
        c.mitigated += p.judge + dose * p.randomDirection(0x9a4a + static_cast<std::uint64_t>(i));
    c.figure = p.world.cosine(c.failed, p.judge);
    c.mitigatedFigure = p.world.cosine(c.mitigated, p.judge);
    c.closed = 1 / std::sqrt(1 + dose * dose);
    c.closedSays = "cosine with the mean phrasing (T30)";
    return c;
}

Result<FailureCase> validationDependency(const FailureParts& p, double dose, const Work&)
{
    // A judge whose pair accuracy is lower by the dose: turned away from gold by the angle that T9 gives.
    const double rho = p.world.cosine(p.judge, p.world.gold);
    const double accuracy = 0.5 + std::asin(std::clamp(rho, -1.0, 1.0)) / std::numbers::pi;
    const double wanted = std::sin(std::numbers::pi * (accuracy - dose - 0.5));
    const Eigen::VectorXd gold = p.world.unit(p.world.gold), rest = p.without(p.judge, gold);
    const double kept = std::clamp(wanted, -1.0, 1.0);
    FailureCase c{ p.judge, kept * gold + std::sqrt(1 - kept * kept) * rest, {} };
    c.mitigated = p.judge; // found in time: the old judge stays
    c.figure = labelsToSee(dose);
    // Compared on the same pairs as the old judge: only pairs on which they differ count (McNemar).
    const double between = p.world.cosine(c.failed, p.judge);
    const double differ = std::max(dose, std::acos(std::clamp(between, -1.0, 1.0)) / std::numbers::pi);
    c.mitigatedFigure = dose > 0
        ? std::pow(1.96 * std::sqrt(differ) + 0.8416 * std::sqrt(differ - dose * dose), 2) / (dose * dose)
        : nan;
    c.closed = c.figure;
    c.closedSays = "labels to see it against chance (T31); with mitigation: paired with the old judge";
    return c;
}

Result<FailureCase> labelNoise(const FailureParts& p, double dose, const Work& work)
{
    FailureCase c;
    LODESTONE_TRY(c.clean, fromLabels(p, 0));
    if (work.cancelled())
        return cancelled();
    LODESTONE_TRY(c.failed, fromLabels(p, dose));
    LODESTONE_TRY(c.mitigated, fromLabels(p, dose * dose * (3 - 2 * dose))); // the majority of three labels
    c.figure = p.world.cosine(c.failed, p.judge);
    c.mitigatedFigure = p.world.cosine(c.mitigated, p.judge);
    const auto d = static_cast<double>(p.world.features->x.cols());
    c.closed = expectedCosine(d, static_cast<double>(p.world.aiPairs.size()), dose);
    c.closedSays = "cosine of the reward model with its judge (T25)";
    return c;
}

Result<FailureCase> positionBias(const FailureParts& p, double dose, const Work&)
{
    // One order: the reply named first gains b; both orders averaged: the sign of the judgment stands (T29).
    double square = 0;
    for (const judgment::Comparison& pair : p.world.aiPairs)
        square += std::pow(p.world.judge[pair.a] - p.world.judge[pair.b], 2)
            / static_cast<double>(p.world.aiPairs.size());
    const double s = std::sqrt(square) / p.world.tau;
    Rng rng(p.world.seed, 0xb1a5);
    std::vector<judgment::Comparison> single = p.world.aiPairs, averaged = p.world.aiPairs;
    double same = 0;
    for (std::size_t i = 0; i < single.size(); ++i) {
        const double u = (p.world.judge[single[i].a] - p.world.judge[single[i].b]) / p.world.tau;
        const auto sigmoid = [](double x) { return 1 / (1 + std::exp(-x)); };
        const double first = sigmoid(u + dose * s), second = sigmoid(u - dose * s);
        single[i].p = rng.uniform() < first ? 1 : 0;
        averaged[i].p = rng.uniform() < (first + second) / 2 ? 1 : 0;
        same += (u + dose * s > 0) != (u - dose * s > 0) ? 1 : 0;
    }
    FailureCase c;
    LODESTONE_TRY(c.clean, fromLabels(p, 0));
    LODESTONE_TRY(c.failed, scoresOf(p.world, single, 1));
    LODESTONE_TRY(c.mitigated, scoresOf(p.world, averaged, 1));
    c.figure = p.world.aiPairs.empty() ? nan : same / static_cast<double>(single.size());
    c.mitigatedFigure = 0;
    c.closed = std::erf(dose / std::sqrt(2.0));
    c.closedSays = "share of pairs in which one position wins twice (T29)";
    return c;
}

Result<FailureCase> conceptShift(const FailureParts& p, double dose, const Work&)
{
    const double angle = dose * std::numbers::pi / 180;
    const Eigen::VectorXd gold = p.world.unit(p.world.gold), aside = p.without(p.noise, gold);
    FailureCase c{ gold, std::cos(angle) * gold + std::sin(angle) * aside, {} };
    c.mitigated = c.failed;
    c.mitigatedKl = p.kl / 4;
    c.figure = p.world.cosine(c.failed, gold);
    c.mitigatedFigure = c.figure;
    c.closed = -std::sqrt(2 * p.kl) * (1 - std::cos(angle));
    c.closedSays = "regret at this KL (T35)";
    return c;
}

Result<FailureCase> errorPropagation(const FailureParts& p, double dose, const Work& work)
{
    RoundSettings settings;
    settings.rounds = std::max(1, static_cast<int>(std::lround(dose)));
    settings.chain = true;
    settings.lambda = 0.05; // the judge is what is followed here, not the policy
    settings.seed = p.world.seed;
    LODESTONE_TRY(const auto chained, runRounds(p.world, settings, work));
    settings.humanShare = 1.0 / 3;
    LODESTONE_TRY(const auto anchored, runRounds(p.world, settings, work));
    // The tilts that these rounds end in, as rewards of their own.
    const auto rewardOf = [&](const std::vector<RoundState>& states) {
        Eigen::VectorXd reward = Eigen::VectorXd::Zero(p.judge.size());
        std::size_t at = 0;
        for (const Pool::Prompt& prompt : p.world.pool.prompts)
            for (const int row : prompt.rows)
                reward[row] = std::log(std::max(states.back().probabilities[at++], 1e-300));
        return reward;
    };
    FailureCase c{ p.judge, rewardOf(chained), rewardOf(anchored) };
    c.figure = chained.back().cosJudge;
    c.mitigatedFigure = anchored.back().cosJudge;
    const auto pairs
        = static_cast<double>(settings.pairsPerPrompt * static_cast<int>(p.world.pool.prompts.size()));
    c.closed = std::pow(
        expectedCosine(static_cast<double>(p.world.features->x.cols()), pairs, 0), settings.rounds);
    c.closedSays = "cosine with the first judge (T24)";
    return c;
}

Result<FailureCase> judgeCost(const FailureParts& p, double dose, const Work&)
{
    // The dose multiplies the questions: 1 both orders, 2 with reasoning, more with votes.
    FailureCase c{ p.judge, p.judge, p.judge };
    constexpr double steps = 100, batch = 8;
    c.figure = dose * 2 * steps * batch * static_cast<double>(p.world.pool.prompts.size());
    c.mitigatedFigure = dose * 2 * static_cast<double>(p.world.aiPairs.size());
    c.closed = c.figure;
    c.closedSays = "judge calls, direct; with mitigation: canonical, once for every pair";
    return c;
}

} // namespace lodestone::policy
