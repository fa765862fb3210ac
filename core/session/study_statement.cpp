#include "core/session/study_statement.h"

#include "core/policy/outcome.h"
#include "core/policy/reward_source.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <numbers>

namespace lodestone::session {
namespace {

/// The study's side of the symbols that many statements share.
struct Here {
    const Snapshot& snapshot;
    policy::World world; ///< its pool alone
    double rhoC = 0; ///< corr(w*'h, w_c'h)
    double lambda = 0, norm = 0, deviation = 0, kl = 0, candidates = 0;

    explicit Here(const Snapshot& shown)
        : snapshot(shown)
    {
        world.pool = shown.layer->pool;
        rhoC = correlation(shown.layer->people.scores, shown.judge->rewards);
        lambda = 1 / shown.inputs.beta;
        norm = shown.judge->norm;
        deviation = policy::deviationWithin(world.pool, shown.judge->rewards);
        kl = shown.policy->tilt.kl;
        candidates
            = static_cast<double>(world.pool.candidates()) / static_cast<double>(world.pool.prompts.size());
    }
    double correlation(const Eigen::VectorXd& a, const Eigen::VectorXd& b) const
    {
        return a.size() > 0 && b.size() > 0 ? world.cosine(a, b) : 0;
    }
    bool writes() const { return snapshot.layer->generation.found(); }
    double rhoG() const
    {
        return correlation(snapshot.layer->people.scores, snapshot.layer->generation.scores);
    }
    double rhoJ() const ///< of the model's neutral judgment with the value
    {
        return correlation(snapshot.layer->people.scores, snapshot.layer->neutral.scores);
    }
    double cosCJ() const { return correlation(snapshot.judge->rewards, snapshot.layer->neutral.scores); }
    double cosCG() const { return correlation(snapshot.judge->rewards, snapshot.layer->generation.scores); }
    StudyMeasured gain(const char* name) const { return { name, snapshot.policy->intervals.valueGain }; }
    const Direction& principle(std::size_t i) const
    {
        return snapshot.principles[static_cast<std::size_t>(snapshot.judge->active[i])]->direction;
    }
    /// What a principle is worth: w*'Sigma b.
    double worth(std::size_t i) const
    {
        return principle(i).readOut.weights.dot(snapshot.layer->people.displacement);
    }
};

/// The inputs with Sigma = I: whitened coordinates.
theory::Quantities whitened(theory::Quantities inputs)
{
    for (const char* diagonal : { "Sigma_11", "Sigma_22", "Sigma_33" })
        inputs.push_back({ diagonal, 1 });
    for (const char* off : { "Sigma_12", "Sigma_13", "Sigma_23" })
        inputs.push_back({ off, 0 });
    return inputs;
}

constexpr double degrees = 180 / std::numbers::pi;

/// Mean of the third power of the rewards' standardised deviations from their prompt's mean.
double skewness(const policy::World& world, const Eigen::VectorXd& rewards)
{
    const Eigen::VectorXd unit = world.unit(rewards);
    double sum = 0;
    for (const policy::Pool::Prompt& prompt : world.pool.prompts)
        for (const int row : prompt.rows)
            sum += unit[row] * unit[row] * unit[row];
    return sum / static_cast<double>(world.pool.candidates());
}

/// The gain of the judge's best candidate of each prompt.
StudyMeasured bestCandidate(const Here& here)
{
    std::vector<double> probabilities;
    const Eigen::VectorXd& rewards = here.snapshot.judge->rewards;
    for (const policy::Pool::Prompt& prompt : here.world.pool.prompts) {
        const auto best = std::max_element(
            prompt.rows.begin(), prompt.rows.end(), [&](int a, int b) { return rewards[a] < rewards[b]; });
        for (auto row = prompt.rows.begin(); row != prompt.rows.end(); ++row)
            probabilities.push_back(row == best ? 1 : 0);
    }
    const Eigen::VectorXd& values = here.snapshot.layer->people.scores;
    return { "gold_gain",
             policy::intervalsOf(here.world.pool, probabilities, rewards, values, here.snapshot.inputs.seed)
                 .valueGain };
}

/// Differences of training replies to one prompt, standardised, at most 500 of them: [n, width].
Eigen::MatrixXd differences(const Here& here)
{
    const LayerStage& layer = *here.snapshot.layer;
    const std::vector<data::Pair>& pairs = here.snapshot.foundation->study->set().pairs;
    std::vector<const data::Pair*> used;
    for (const data::Pair& pair : pairs)
        if (used.size() < 500 && here.snapshot.foundation->training[static_cast<std::size_t>(pair.chosen)])
            used.push_back(&pair);
    Eigen::MatrixXd result(static_cast<Eigen::Index>(used.size()), layer.rows.cols());
    for (std::size_t i = 0; i < used.size(); ++i)
        result.row(static_cast<Eigen::Index>(i))
            = (layer.rows.row(used[i]->chosen) - layer.rows.row(used[i]->rejected)).cast<double>();
    return result * layer.standardiser.scale.cwiseInverse().asDiagonal();
}

/// (tr C)^2/tr C^2 of the differences' covariance C, from n of them: tr S^2 exceeds tr C^2 by (tr C)^2/n
/// (Gaussian rows, to order 1/n).
double effectiveDimension(const Eigen::MatrixXd& rows)
{
    if (rows.rows() < 3)
        return static_cast<double>(rows.cols());
    const Eigen::MatrixXd centred = rows.rowwise() - rows.colwise().mean();
    const double n = static_cast<double>(rows.rows() - 1);
    const double trace = centred.squaredNorm() / n;
    const double squares = (centred * centred.transpose()).squaredNorm() / (n * n) - trace * trace / n;
    return squares > 0 ? std::clamp(trace * trace / squares, 1.0, static_cast<double>(rows.cols()))
                       : static_cast<double>(rows.cols());
}
constexpr const char* effectiveSaid
    = "d is the effective dimension of the replies' differences here, (tr C)^2/tr C^2.";

using Build = Result<StudyValues> (*)(const Here&);

Result<void> needGenerations(const Here& here)
{
    if (here.writes())
        return {};
    return badInput("likelihoods of the replies, for the generation direction", "none", "this study");
}
Result<void> needNeutral(const Here& here)
{
    if (here.snapshot.layer->neutral.found())
        return {};
    return badInput("the model's neutral good/bad judgment", "none", "this study");
}
Result<void> needPrinciples(const Here& here, std::size_t count)
{
    if (here.snapshot.judge->active.size() >= count)
        return {};
    return badInput(
        fmt::format("at least {} principles that are on and found", count),
        std::to_string(here.snapshot.judge->active.size()), "the constitution");
}

Result<StudyValues> encoding(const Here& here) // T1: Sigma = I, w* along the first axis
{
    const double q = here.snapshot.meters->encodingQuality.value;
    if (!(q > 0))
        return badInput(
            "people's direction better than chance on held-out pairs", "none", "T1 on this study");
    return StudyValues{
        whitened({ { "s_xi2", (1 - q) / q },
                   { "n", static_cast<double>(here.snapshot.layer->examples.training.size()) },
                   { "w_1", 1 },
                   { "w_2", 0 },
                   { "w_3", 0 } }),
        {},
        "In whitened coordinates; q is implied by the held-out accuracy of people's direction "
        "(T9 inverted), which labels' noise lowers."
    };
}
Result<StudyValues> projector(const Here& here) // T2: Sigma = I; w*, w_c and w_gen span the axes in turn
{
    const double side = std::sqrt(std::max(0.0, 1 - here.rhoC * here.rhoC));
    const bool two = here.writes() && side > 1e-6;
    const double second = two ? (here.cosCG() - here.rhoG() * here.rhoC) / side : 0;
    return StudyValues{
        whitened({ { "k", two ? 2.0 : 1.0 },
                   { "s_xi2", 0 },
                   { "w_1", 1 },
                   { "w_2", 0 },
                   { "w_3", 0 },
                   { "w_c1", here.rhoC },
                   { "w_c2", side },
                   { "w_c3", 0 },
                   { "w_gen1", two ? here.rhoG() : 1 },
                   { "w_gen2", second },
                   { "w_gen3",
                     two ? std::sqrt(std::max(0.0, 1 - here.rhoG() * here.rhoG() - second * second)) : 0 } }),
        {},
        "In whitened coordinates, people's direction along the first axis, the constitution's in the plane "
        "of "
        "the first two."
    };
}
Result<StudyValues> tilted(const Here& here) // T3
{
    return StudyValues{
        { { "lambda", here.lambda }, { "N", std::round(here.candidates) }, { "s_c", here.deviation } },
        {},
        "The formula's pool is one in which dull replies are more frequent; the study's, which "
        "is uniform, stands beside T37."
    };
}
Result<StudyValues> gaussian(const Here& here) // T4: Sigma = I, w_c along the first axis
{
    const double side = std::sqrt(std::max(0.0, 1 - here.rhoC * here.rhoC));
    StudyValues values{ whitened({ { "lambda", here.lambda },
                                   { "s_xi2", 0 },
                                   { "w_1", here.rhoC },
                                   { "w_2", side },
                                   { "w_3", 0 },
                                   { "w_c1", here.deviation },
                                   { "w_c2", 0 },
                                   { "w_c3", 0 } }),
                        { here.gain("DeltaV"),
                          { "K", here.snapshot.policy->intervals.kl },
                          { "Delta_r", here.snapshot.policy->intervals.rewardGain } },
                        "In whitened coordinates: the judge along the first axis, people's direction in the "
                        "plane of the first two. A pool of candidates is no Gaussian: its KL cannot exceed "
                        "ln N." };
    return values;
}
Result<StudyValues> improvement(const Here& here) // T5
{
    return StudyValues{ { { "lambda", here.lambda * here.deviation },
                          { "rho_c", here.rhoC },
                          { "skew", skewness(here.world, here.snapshot.judge->rewards) } },
                        { here.gain("DeltaV") },
                        "lambda in units of the rewards' spread; their skewness is measured." };
}
Result<StudyValues> condition(const Here& here) // T6
{
    return StudyValues{ { { "lambda", here.lambda * here.deviation },
                          { "Sigma_12", 0 },
                          { "w_1", here.rhoC },
                          { "w_2", std::sqrt(std::max(0.0, 1 - here.rhoC * here.rhoC)) },
                          { "w_c1", 1 },
                          { "w_c2", 0 } },
                        { here.gain("DeltaV") },
                        "In whitened coordinates, the judge along the first axis." };
}
Result<StudyValues> budget(const Here& here) // T7
{
    return StudyValues{ { { "rho_c", here.rhoC }, { "K", here.kl }, { "sV", 1 }, { "s_c", here.deviation } },
                        { here.gain("DeltaV"), { "lambda", { here.lambda, geometry::Interval() } } },
                        "lambda is the one that spent this KL on the candidates." };
}
Result<StudyValues> winRate(const Here& here) // T8
{
    return StudyValues{ { { "rho_c", here.rhoC }, { "K", here.kl } },
                        { { "win", here.snapshot.policy->intervals.winRate } },
                        {} };
}
Result<StudyValues> gap(const Here& here) // T9
{
    LODESTONE_CHECK(needGenerations(here));
    const MeterStage& meters = *here.snapshot.meters;
    return StudyValues{
        { { "rho_c", here.rhoC },
          { "rho_g", here.rhoG() },
          { "c_cg", here.cosCG() },
          { "K", here.kl },
          { "sV", 1 } },
        { { "a_c", meters.judgeAccuracy }, { "a_g", meters.generationAccuracy }, { "gap", meters.gap } },
        "Correlations with people's direction over the candidates; accuracies against "
        "people's labels on held-out pairs, which also carry what the direction misses."
    };
}
Result<StudyValues> mixture(const Here& here) // T10
{
    LODESTONE_CHECK(needGenerations(here));
    return StudyValues{ { { "rho_c", here.rhoC }, { "rho_g", here.rhoG() }, { "c_cg", here.cosCG() } },
                        {},
                        {} };
}
Result<StudyValues> ceiling(const Here& here) // T11
{
    return StudyValues{
        { { "q", here.snapshot.meters->encodingQuality.value },
          { "sV", 1 },
          { "K", here.kl },
          { "cos_c", here.rhoC } },
        { { "accuracy_ceiling", here.snapshot.layer->people.heldOut.accuracy } },
        "q is implied by the held-out accuracy of people's direction, so that accuracy is its ceiling by "
        "construction (T9 inverted)."
    };
}
Result<StudyValues> thales(const Here& here) // T14
{
    LODESTONE_CHECK(needNeutral(here));
    // The line of w_c; on the side of w_J where w* lies when they share one.
    const double judge = here.cosCJ() < 0 ? -1.0 : 1.0;
    const double across = judge * here.rhoC - std::abs(here.cosCJ()) * here.rhoJ();
    return StudyValues{
        { { "phi", std::copysign(std::acos(std::min(1.0, std::abs(here.cosCJ()))) * degrees, across) },
          { "theta", std::acos(std::clamp(here.rhoJ(), -1.0, 1.0)) * degrees },
          { "w_norm", 1 },
          { "s_norm", 1 } },
        { { "gain_rate", { here.cosCJ() * here.rhoC, geometry::Interval() } } },
        "The judge's direction is the model's neutral good/bad judgment, the constitution's line that of "
        "w_c. "
        "The formula puts all three in one plane; the study need not."
    };
}
Result<StudyValues> adversarial(const Here& here) // T15
{
    LODESTONE_CHECK(needNeutral(here));
    return StudyValues{ { { "cos_theta", here.rhoJ() }, { "s_norm", 1 }, { "w_norm", 1 } },
                        {},
                        "w_J is the model's neutral good/bad judgment." };
}
Result<StudyValues> encoded(const Here& here) // T16
{
    LODESTONE_CHECK(needPrinciples(here, 1));
    StudyValues values{ { { "K", here.kl } }, {}, "Each direction is a principle of the constitution." };
    for (std::size_t i = 0; i < 5; ++i)
        values.inputs.push_back(
            { fmt::format("g_{}", i + 1), i < here.snapshot.judge->active.size() ? here.worth(i) : 0 });
    return values;
}
Result<StudyValues> composition(const Here& here) // T17
{
    LODESTONE_CHECK(needPrinciples(here, 2));
    const std::vector<int>& active = here.snapshot.judge->active;
    StudyValues values{ { { "K", here.kl } }, {}, {} };
    const auto& principles = here.snapshot.inputs.constitution.principles;
    for (std::size_t i = 0; i < 3; ++i) {
        const bool there = i < active.size();
        values.inputs.push_back({ fmt::format("a_{}", i + 1),
                                  there ? principles[static_cast<std::size_t>(active[i])].weight : 0 });
        values.inputs.push_back({ fmt::format("g_{}", i + 1), there ? here.worth(i) : 0 });
        for (std::size_t j = i + 1; j < 3; ++j)
            values.inputs.push_back({ fmt::format("G_{}{}", i + 1, j + 1),
                                      j < active.size() ? here.snapshot.judge->cosines(
                                          static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(j))
                                                        : 0 });
    }
    if (active.size() > 3)
        values.says = fmt::format("The first three of {} principles.", active.size());
    else if (here.snapshot.inputs.constitution.mapping == constitution::Mapping::Weighted)
        values.measured.push_back(here.gain("DeltaV"));
    return values;
}
Result<StudyValues> order(const Here& here) // T18
{
    LODESTONE_CHECK(needPrinciples(here, 2));
    const double cosine = std::min(1.0, std::abs(here.snapshot.judge->cosines(0, 1)));
    return StudyValues{ { { "phi", std::acos(cosine) * degrees } },
                        {},
                        "The constitution's first two principles." };
}
Result<StudyValues> randomSubspace(const Here& here) // T19
{
    const Eigen::VectorXd& scores = here.snapshot.layer->people.scores;
    Eigen::MatrixXd principles(scores.size(), static_cast<Eigen::Index>(here.snapshot.judge->active.size()));
    for (Eigen::Index i = 0; i < principles.cols(); ++i)
        principles.col(i) = here.world.unit(here.principle(static_cast<std::size_t>(i)).scores);
    Eigen::MatrixXd gram(principles.cols(), principles.cols());
    Eigen::VectorXd with(principles.cols());
    for (Eigen::Index i = 0; i < gram.rows(); ++i) {
        with[i] = here.world.cosine(principles.col(i), scores);
        for (Eigen::Index j = 0; j < gram.cols(); ++j)
            gram(i, j) = here.world.cosine(principles.col(i), principles.col(j));
    }
    LODESTONE_TRY(const geometry::Subspace span, geometry::Subspace::fromGram(gram));
    return StudyValues{ { { "d", std::round(effectiveDimension(differences(here))) },
                          { "k", static_cast<double>(span.rank()) },
                          { "lambda", here.lambda * here.deviation },
                          { "K", here.kl } },
                        { { "F", { span.share(with, 1), geometry::Interval() } } },
                        fmt::format(
                            "Measured: the share of people's direction in the span of the constitution's "
                            "principles; the formula: in a random one of as many. {}",
                            effectiveSaid) };
}
Result<StudyValues> aims(const Here& here) // T20
{
    LODESTONE_CHECK(needPrinciples(here, 2));
    return StudyValues{ { { "c", here.snapshot.judge->cosines(0, 1) }, { "K", here.kl } },
                        {},
                        "The constitution's first two principles as aims." };
}
Result<StudyValues> rounds(const Here& here) // T21
{
    return StudyValues{ { { "T", 1 },
                          { "lambda", here.lambda },
                          { "gamma", here.rhoC * here.deviation },
                          { "s_c", here.deviation } },
                        { here.gain("DeltaV"), { "K", here.snapshot.policy->intervals.kl } },
                        "One round, as simulated here; more are the Policy lab's Rounds." };
}
Result<StudyValues> drift(const Here& here) // T22
{
    LODESTONE_CHECK(needNeutral(here));
    return StudyValues{
        { { "lambda", here.lambda * here.deviation }, { "gamma_0", here.rhoC }, { "gamma_g", here.rhoJ() } },
        {},
        "A judge that begins with this constitution and drifts to the model's neutral good/bad "
        "judgment; how fast, and for how many rounds, is not known."
    };
}
Result<StudyValues> selfPreference(const Here& here) // T23
{
    return StudyValues{
        { { "lambda", here.lambda }, { "gamma", here.rhoC * here.deviation }, { "s_c", here.deviation } },
        {},
        "kappa and T are not known: this judge reads replies, not the policy."
    };
}
Result<StudyValues> generations(const Here& here) // T24
{
    return StudyValues{
        { { "cos_0", here.rhoC },
          { "n", static_cast<double>(here.snapshot.layer->examples.training.size()) },
          { "d", std::round(effectiveDimension(differences(here))) } },
        {},
        fmt::format("As many pairs a generation as this study has training labels. {}", effectiveSaid)
    };
}
Result<StudyValues> selfConsumption(const Here& here) // T24b
{
    return StudyValues{ { { "n", std::round(here.candidates) },
                          { "lambda", here.lambda },
                          { "Sigma", here.deviation * here.deviation } },
                        {},
                        "As many own samples as a prompt has candidates here; Sigma along the judge." };
}
Result<StudyValues> trust(const Here& here) // T25
{
    const geometry::Examples& labels = here.snapshot.layer->examples.training;
    return StudyValues{ { { "n", static_cast<double>(labels.size()) },
                          { "d", static_cast<double>(here.snapshot.layer->rows.cols()) } },
                        {},
                        "People's training labels at this layer's width; the flips of their labels are not "
                        "known." };
}
Result<StudyValues> drawnLabels(const Here& here) // T26
{
    return StudyValues{ { { "s", std::numbers::sqrt2 * here.deviation / here.snapshot.inputs.tau },
                          { "n", static_cast<double>(here.snapshot.foundation->study->set().pairs.size()) },
                          { "d", std::round(effectiveDimension(differences(here))) } },
                        {},
                        fmt::format(
                            "Every pair labelled once by this judge at its temperature. {}", effectiveSaid) };
}
Result<StudyValues> margin(const Here& here) // T27
{
    double sum = 0;
    for (const judgment::PairJudgment& pair : here.snapshot.judge->pairs)
        sum += std::max(pair.p, 1 - pair.p);
    return StudyValues{ { { "p", sum / static_cast<double>(here.snapshot.judge->pairs.size()) } },
                        {},
                        "p is the judge's mean certainty of the reply that it prefers; the flips of people's "
                        "labels are not known." };
}
Result<StudyValues> softLabels(const Here& here) // T28
{
    return StudyValues{ { { "n", static_cast<double>(here.snapshot.layer->examples.training.size()) },
                          { "d", std::round(effectiveDimension(differences(here))) },
                          { "s", here.norm } },
                        {},
                        effectiveSaid };
}
Result<StudyValues> validation(const Here& here) // T31
{
    LODESTONE_CHECK(needGenerations(here));
    return StudyValues{
        { { "rho_c", here.rhoC }, { "rho_g", here.rhoG() }, { "c_cg", here.cosCG() } },
        {},
        fmt::format("This study has {} held-out labels.", here.snapshot.layer->examples.heldOut.size())
    };
}
Result<StudyValues> regressional(const Here& here) // T32
{
    if (!(here.rhoC > 0))
        return badInput(
            "a judge that is the value plus noise: a correlation above 0", fmt::format("{:.2f}", here.rhoC),
            "T32 on this study");
    return StudyValues{
        { { "K", here.kl }, { "sV", 1 }, { "s_noise", std::sqrt(1 / (here.rhoC * here.rhoC) - 1) } },
        { here.gain("gold") },
        "The judge read as people's value plus noise."
    };
}
Result<StudyValues> extremal(const Here& here) // T33
{
    return StudyValues{
        { { "K", here.kl }, { "gamma", here.rhoC * here.deviation }, { "s_c", here.deviation } },
        { here.gain("DeltaV") },
        "kappa and A_c are not known: people's direction is a line, so the measured gain bends "
        "only where the pool ends (T37). The Policy lab's Over-optimisation fits the curve."
    };
}
Result<StudyValues> spoilers(const Here& here) // T34
{
    Eigen::VectorXd length(here.snapshot.judge->rewards.size());
    for (Eigen::Index i = 0; i < length.size(); ++i)
        length[i] = here.snapshot.foundation->lengths[static_cast<std::size_t>(i)];
    return StudyValues{ { { "rho_Vr", here.rhoC },
                          { "rho_Vl", here.correlation(here.snapshot.layer->people.scores, length) },
                          { "rho_rl", here.correlation(here.snapshot.judge->rewards, length) } },
                        {},
                        "The spoiler is the reply's length in tokens." };
}
Result<StudyValues> conceptShift(const Here& here) // T35
{
    return StudyValues{ { { "theta", std::acos(std::clamp(here.rhoC, -1.0, 1.0)) * degrees },
                          { "K", here.kl },
                          { "w_norm", 1 } },
                        {},
                        {} };
}
Result<StudyValues> certificate(const Here& here) // T36
{
    return StudyValues{ { { "theta", std::acos(std::clamp(here.rhoC, -1.0, 1.0)) * degrees } }, {}, {} };
}
Result<StudyValues> finitePool(const Here& here) // T37
{
    const geometry::Estimate share{ here.snapshot.policy->tilt.effectiveSampleSize / here.candidates,
                                    geometry::Interval() };
    return StudyValues{
        { { "lambda", here.lambda }, { "N", std::round(here.candidates) }, { "s", here.deviation } },
        { { "mean", here.snapshot.policy->intervals.rewardGain },
          { "K", here.snapshot.policy->intervals.kl },
          { "ess_share", share } },
        {}
    };
}
Result<StudyValues> bestOfN(const Here& here) // T38
{
    return StudyValues{ { { "n", std::round(here.candidates) }, { "rho_c", here.rhoC }, { "sV", 1 } },
                        { bestCandidate(here) },
                        "The judge's best of each prompt's candidates." };
}

/// Sets n, d, delta and sigma of T45 and T46 from the pairs' differences, sigma = 1.
Result<StudyValues> meanDifference(const Here& here)
{
    const Eigen::MatrixXd rows = differences(here);
    if (rows.rows() < 20)
        return badInput("at least 20 training pairs", std::to_string(rows.rows()), "this study");
    const double n = static_cast<double>(rows.rows()), d = effectiveDimension(rows);
    const double spread = (rows.rowwise() - rows.colwise().mean()).squaredNorm() / (n - 1);
    // The mean of n differences is longer than that of their population by spread/n.
    const double squared = std::max(0.0, rows.colwise().mean().squaredNorm() - spread / n);
    return StudyValues{ { { "n", n },
                          { "d", std::round(d) },
                          { "delta", std::sqrt(2 * d * squared / spread) },
                          { "sigma", 1 } },
                        {},
                        fmt::format(
                            "Standardised differences of training pairs, in units of one text's noise. {}",
                            effectiveSaid) };
}
Result<StudyValues> resistance(const Here& here) // T48
{
    LODESTONE_CHECK(needNeutral(here));
    geometry::Estimate measured = here.snapshot.judge->agreement;
    measured.value = 1 - measured.value;
    measured.interval = { 1 - measured.interval.high, 1 - measured.interval.low };
    return StudyValues{ { { "rho_hr", here.rhoC }, { "rho_hl", here.rhoJ() }, { "rho_rl", here.cosCJ() } },
                        { { "resistance", measured } },
                        "The constitution's judge as the reward model, the model's neutral good/bad judgment "
                        "as the labeler; measured on held-out pairs, whose labels also carry what people's "
                        "direction misses." };
}

struct Entry {
    std::string_view id;
    Build build;
};
constexpr Entry entries[] = {
    { "T1", encoding },
    { "T2", projector },
    { "T3", tilted },
    { "T4", gaussian },
    { "T5", improvement },
    { "T6", condition },
    { "T7", budget },
    { "T8", winRate },
    { "T9", gap },
    { "T10", mixture },
    { "T11", ceiling },
    { "T14", thales },
    { "T15", adversarial },
    { "T16", encoded },
    { "T17", composition },
    { "T18", order },
    { "T19", randomSubspace },
    { "T20", aims },
    { "T21", rounds },
    { "T22", drift },
    { "T23", selfPreference },
    { "T24", generations },
    { "T24b", selfConsumption },
    { "T25", trust },
    { "T26", drawnLabels },
    { "T27", margin },
    { "T28", softLabels },
    { "T31", validation },
    { "T32", regressional },
    { "T33", extremal },
    { "T34", spoilers },
    { "T35", conceptShift },
    { "T36", certificate },
    { "T37", finitePool },
    { "T38", bestOfN },
    { "T45", meanDifference },
    { "T46", meanDifference },
    { "T48", resistance },
};

/// Statements whose quantities no single open study has, and what measures them instead.
struct Elsewhere {
    std::string_view id, where;
};
constexpr Elsewhere elsewhere[] = {
    { "T12", "Layers, By rank, draws its curve with this study's accuracies by rank." },
    { "T13", "It compares two models: simulate --labeler with a second study of the same replies." },
    { "T29", "It takes a judge that is asked in both orders: judge --prompted." },
    { "T30", "It takes several wordings of one principle: Ways sets the paraphrases side by side." },
    { "T39", "It takes mechanisms with known activities: Policy lab, Mechanisms." },
    { "T40", "It takes mechanisms with known activities: Policy lab, Mechanisms." },
    { "T41", "It takes mechanisms with known activities: Policy lab, Mechanisms." },
    { "T42", "It takes activations that are pushed: Speak steers along Sigma w_c and shows the effect." },
    { "T43", "It takes activations that are ablated: generate --ablate." },
    { "T44", "It compares two probes: directions sets mass-mean and LDA side by side on held-out pairs." },
    { "T47", "It takes a feature that varies within and between pairs, which replies do not declare." },
    { "T49", "It takes replies rewritten without a feature, which a study does not have." },
    { "T50", "It takes a judge that bends: Policy lab, Pipelines, sets canonical and direct side by side." },
    { "T51", "It takes weights that are pruned (ActSVD), which leaves another model to capture." },
};

const Entry* entryOf(std::string_view statement)
{
    const auto at = std::find_if(
        std::begin(entries), std::end(entries), [&](const Entry& entry) { return entry.id == statement; });
    return at == std::end(entries) ? nullptr : at;
}

} // namespace

bool hasStudyValues(std::string_view statement) { return entryOf(statement) != nullptr; }

std::string noStudyValues(std::string_view statement)
{
    for (const Elsewhere& entry : elsewhere)
        if (entry.id == statement)
            return fmt::format("{}: {}", entry.id, entry.where);
    return std::string(statement);
}

Result<StudyValues> studyValues(const Snapshot& snapshot, std::string_view id)
{
    const theory::Statement* statement = theory::findStatement(id);
    const Entry* entry = statement ? entryOf(statement->id) : nullptr;
    if (!entry)
        return badInput("a statement that one study can answer", noStudyValues(id), "theory");
    if (!snapshot.layer->people.found())
        return badInput("people's labels, for the true value", "too few", statement->id + " on this study");
    if (!snapshot.judge || !(snapshot.judge->norm > 0))
        return badInput(
            "a constitution with a direction in this model", "none", statement->id + " on this study");
    if (snapshot.layer->pool.prompts.empty())
        return badInput(
            "held-out prompts with at least two candidates", "none", statement->id + " on this study");
    LODESTONE_TRY(StudyValues values, entry->build(Here(snapshot)));
    for (theory::Quantity& input : values.inputs) {
        const theory::Input* range = statement->input(input.name);
        const double inside = std::clamp(input.value, range->low, range->high);
        if (std::abs(inside - input.value) > 1e-9 * (1 + std::abs(input.value))) {
            values.says += fmt::format(
                "{}{} is {:.3g} here, outside {:g} to {:g}.", values.says.empty() ? "" : " ", input.name,
                input.value, range->low, range->high);
        }
        input.value = inside;
    }
    return values;
}

} // namespace lodestone::session
