// T21 to T24b: training again and again.
#include "core/theory/instance.h"
#include "core/theory/numbers.h"
#include "core/theory/sampling.h"
#include "core/theory/sections.h"

#include <algorithm>
#include <cmath>

namespace lodestone::theory {
namespace {

/// A policy in two whitened dimensions, known only by draws: each update weights draws of the present policy
/// by exp(lambda r) and moves the mean to theirs. That the covariance stays is T4's, simulated there.
class Population {
public:
    Population(int draws, Rng& rng)
        : m_draws(draws)
        , m_rng(rng)
    {
    }

    const Eigen::Vector2d& mean() const { return m_mean; }

    /// `tilt` is lambda w; long ones go in steps, because weights far apart leave few effective draws.
    void update(const Eigen::Vector2d& tilt)
    {
        const int steps = 1 + static_cast<int>(tilt.norm() / .6);
        for (int step = 0; step < steps; ++step)
            once(tilt / steps);
    }

private:
    void once(const Eigen::Vector2d& tilt)
    {
        double total = 0;
        Eigen::Vector2d sum = Eigen::Vector2d::Zero();
        for (int i = 0; i < m_draws; i += 2) {
            // Each draw with its mirror image, so that the mean of the draws themselves adds no noise.
            const Eigen::Vector2d drawn = normals<2>(m_rng);
            for (const double sign : { 1.0, -1.0 }) {
                const double w = std::exp(sign * tilt.dot(drawn));
                total += w;
                sum += sign * w * drawn;
            }
        }
        m_mean += sum / total;
    }

    int m_draws;
    Rng& m_rng;
    Eigen::Vector2d m_mean = Eigen::Vector2d::Zero();
};

/// Where `rounds` updates take the mean: `judge(round, mean)` is lambda w of that round. 200 replicates.
template <typename Judge>
BatchedMeans<2> iterated(Draws& draws, int rounds, Judge judge)
{
    const int each = std::max(60, draws.count / (200 * std::max(1, rounds)));
    return sample<2>(draws, std::max(1, draws.count / 200), [&](Rng& rng, auto& row) {
        Population policy(each, rng);
        for (int t = 0; t < rounds; ++t)
            policy.update(judge(t, policy.mean()));
        row = { policy.mean()[0], policy.mean()[1] };
    });
}

/// E V* = truth.mean and K = |mean|^2/2 of a policy N(mean, 1).
Spread gainOf(const BatchedMeans<2>& means, const Eigen::Vector2d& truth)
{
    return means.estimate([truth](const auto& row) { return truth[0] * row[0] + truth[1] * row[1]; });
}
Spread klOf(const BatchedMeans<2>& means)
{
    return means.estimate([](const auto& row) { return (row[0] * row[0] + row[1] * row[1]) / 2; });
}

// T21

Result<Quantities> anchoredClosed(const Values& in)
{
    const double lambda = in["lambda"], rounds = in["T"], s = in["s_c"];
    const double K = rounds * rounds * lambda * lambda * s * s / 2;
    return Quantities{ { "DeltaV", rounds * lambda * in["gamma"] },
                       { "K", K },
                       { "K_round", lambda * lambda * s * s / 2 },
                       { "DeltaV_once", in["gamma"] / s * std::sqrt(2 * K) } };
}

Measurements anchoredSimulated(const Values& in, Draws& draws)
{
    const double lambda = in["lambda"], s = in["s_c"];
    const Eigen::Vector2d judge(s, 0), truth(in["gamma"] / s, .5);
    const auto all = iterated(
        draws, in.whole("T"), [&](int, const Eigen::Vector2d&) { return Eigen::Vector2d(lambda * judge); });
    const auto once = iterated(
        draws, 1, [&](int, const Eigen::Vector2d&) { return Eigen::Vector2d(in["T"] * lambda * judge); });
    return { named("DeltaV", gainOf(all, truth)), named("K", klOf(all)),
             named("DeltaV_once", gainOf(once, truth)) };
}

// T22

Result<Quantities> driftClosed(const Values& in)
{
    const double first = in["gamma_0"], last = in["gamma_g"], delta = in["delta"], rounds = in["T"];
    Quantities out{ { "DeltaV",
                      in["lambda"]
                          * (rounds * last + (first - last) * (1 - std::pow(1 - delta, rounds)) / delta) },
                    { "gamma_T", last + (first - last) * std::pow(1 - delta, rounds) } };
    if (first > 0 && last < 0) {
        const double peak = std::log(-last / (first - last)) / std::log(1 - delta);
        out.push_back({ "t_star", peak });
        out.push_back({ "T_peak", std::ceil(peak) });
    }
    return out;
}

Measurements driftSimulated(const Values& in, Draws& draws)
{
    // A judge that turns towards g; the values point along the first axis.
    const double lambda = in["lambda"], delta = in["delta"];
    const Eigen::Vector2d truth(1, 0), start(in["gamma_0"], .2), goal(in["gamma_g"], .8);
    const int rounds = in.whole("T");
    std::vector<Eigen::Vector2d> judges{ start };
    for (int t = 1; t <= rounds; ++t)
        judges.emplace_back((1 - delta) * judges.back() + delta * goal);
    const auto means = iterated(draws, rounds, [&](int t, const Eigen::Vector2d&) {
        return Eigen::Vector2d(lambda * judges[static_cast<std::size_t>(t)]);
    });
    Measurements found{ named("DeltaV", gainOf(means, truth)), { "gamma_T", truth.dot(judges.back()), 0 } };
    if (in["gamma_0"] > 0 && in["gamma_g"] < 0) {
        // The peak by going on until the judge turns against the values.
        Eigen::Vector2d judge = start;
        int t = 0;
        while (truth.dot(judge) > 0 && t < 100000) {
            judge = (1 - delta) * judge + delta * goal;
            ++t;
        }
        found.push_back({ "T_peak", static_cast<double>(t), 0 });
    }
    return found;
}

// T23

double growth(const Values& in)
{
    const double lambda = in["lambda"], kappa = in["kappa"], rounds = in["T"];
    return kappa > 0 ? std::expm1(rounds * std::log1p(lambda * kappa)) / kappa : rounds * lambda;
}

Result<Quantities> selfPreferenceClosed(const Values& in)
{
    const double length = growth(in) * in["s_c"];
    return Quantities{ { "growth", growth(in) },
                       { "DeltaV", growth(in) * in["gamma"] },
                       { "K", length * length / 2 },
                       { "DeltaV_without", in["T"] * in["lambda"] * in["gamma"] } };
}

Measurements selfPreferenceSimulated(const Values& in, Draws& draws)
{
    const double lambda = in["lambda"], kappa = in["kappa"], s = in["s_c"];
    const Eigen::Vector2d judge(s, 0), truth(in["gamma"] / s, .5);
    const auto means = iterated(draws, in.whole("T"), [&](int, const Eigen::Vector2d& mean) {
        return Eigen::Vector2d(lambda * (judge + kappa * mean));
    });
    return { named("DeltaV", gainOf(means, truth)), named("K", klOf(means)),
             named("growth", means.estimate([s](const auto& row) { return row[0] / s; })) };
}

// T24

double labelStrength(double eps) { return (1 - 2 * eps) * std::sqrt(2 / pi); }

Result<Quantities> generationsClosed(const Values& in)
{
    const double m = labelStrength(in["eps"]), d = in["d"], n = in["n"];
    const double step = estimatorCosine(in.whole("d"), n, m);
    return Quantities{ { "A", step },
                       { "A_asymptotic", 1 / std::sqrt(1 + (d - 1) / (n * m * m)) },
                       { "cos_T", in["cos_0"] * std::pow(step, in["T"]) } };
}

Measurements generationsSimulated(const Values& in, Draws& draws)
{
    const int d = in.whole("d"), n = in.whole("n"), rounds = in.whole("T");
    const double eps = in["eps"], cosine = in["cos_0"];
    const auto means = sample<2>(draws, n * d * std::max(1, rounds) / 20, [&](Rng& rng, auto& row) {
        Eigen::VectorXd judge = Eigen::VectorXd::Zero(d); // the values point along the first axis
        judge[0] = cosine;
        judge[1] = std::sqrt(1 - cosine * cosine);
        for (int t = 0; t < rounds; ++t) {
            Eigen::VectorXd sum = Eigen::VectorXd::Zero(d);
            for (int i = 0; i < n; ++i) {
                const Eigen::VectorXd pair = normals(rng, d);
                const double label = (judge.dot(pair) > 0 ? 1 : -1) * (rng.uniform() < eps ? -1 : 1);
                sum += label * pair;
            }
            sum.normalize();
            if (t == 0)
                row[0] = sum.dot(judge);
            judge = sum;
        }
        row[1] = judge[0];
    });
    Measurements found{ named("cos_T", means.mean(1)) };
    if (rounds > 0) {
        found.push_back(named("A", means.mean(0)));
        found.push_back(named("A_asymptotic", means.mean(0)));
    }
    return found;
}

// T24b

Result<Quantities> consumptionClosed(const Values& in)
{
    const double n = in["n"], left = std::pow(1 - 1 / n, in["T"]), sigma = in["Sigma"];
    return Quantities{ { "Sigma_T", left * sigma },
                       { "shift", in["lambda"] * sigma * n * (1 - left) },
                       { "bound", n * in["lambda"] * sigma },
                       { "shift_without", in["T"] * in["lambda"] * sigma } };
}

Measurements consumptionSimulated(const Values& in, Draws& draws)
{
    // Mean and variance of n draws are themselves drawn: a normal number, and a chi-square number with n - 1
    // degrees.
    const int n = in.whole("n"), rounds = in.whole("T");
    const auto means = sample<2>(draws, std::max(1, rounds / 2), [&](Rng& rng, auto& row) {
        double mean = 0, variance = in["Sigma"];
        for (int t = 0; t < rounds; ++t) {
            mean += in["lambda"] * variance + std::sqrt(variance / n) * rng.normal();
            variance *= 2 * gammaDraw(rng, (n - 1) / 2.0) / n;
        }
        row = { mean, variance };
    });
    return { named("shift", means.mean(0)), named("Sigma_T", means.mean(1)) };
}

} // namespace

std::vector<Statement> iteration()
{
    const ReferenceNumbers r = referenceNumbers();
    const Input judged{ "gamma", r.truthJudge, -2, 2, "w*'Sigma w_c, the gain for each lambda" };
    const Input spread{ "s_c", r.judgeNorm, .1, 2, "spread of the judge's reward" };
    std::vector<Statement> all;
    Statement s;
    s.id = "T21";
    s.title = "Iterated RLAIF with a fixed judge";
    s.inputs = { { "T", 5, 1, 40, "rounds, each anchored at the policy before", true },
                 { "lambda", .2, .01, .5, "1/beta of each round" },
                 judged,
                 spread };
    s.formula = { { "DeltaV", "{T} {lambda} {gamma}" },
                  { "K", "{T}^2 {lambda}^2 {s_c}^2/2" },
                  { "DeltaV_once", "{gamma}/{s_c} sqrt(2 {K}), one update of the same KL" } };
    s.assumptions = "The same judge in every round; for changing judges T w_c becomes the sum of the w_t.";
    s.words = "Rounds add up: the gain grows with their number, the KL with its square. At the same total KL "
              "iterating buys "
              "nothing.";
    s.source = "T4 applied T times; derived.";
    s.figure = "Gain and KL over rounds";
    s.sweep = { "T", { "DeltaV", "K" } };
    s.closed = anchoredClosed;
    s.simulate = anchoredSimulated;
    all.push_back(s);

    s = {};
    s.id = "T22";
    s.title = "Preference drift";
    s.inputs = { { "T", 25, 1, 60, "rounds", true },
                 { "gamma_0", 1, -1, 1, "what the judge is worth at first, w*'Sigma w_0" },
                 { "gamma_g", -.5, -1, 1, "what that is worth to which it drifts, w*'Sigma g" },
                 { "delta", .1, .01, .9, "share of the way that it drifts in each round" },
                 { "lambda", .2, 0, .5, "1/beta of each round" } };
    s.formula
        = { { "DeltaV", "{lambda} ({T} {gamma_g} + ({gamma_0} - {gamma_g})(1 - (1 - {delta})^{T})/{delta})" },
            { "t_star", "ln(-{gamma_g}/({gamma_0} - {gamma_g}))/ln(1 - {delta})" } };
    s.assumptions = "w_{t+1} = (1 - delta) w_t + delta g.";
    s.words = "A judge that drifts towards bad aims first helps; after a certain round every further one "
              "undoes some of it.";
    s.source = "Derived.";
    s.figure = "Gain over rounds with its peak; the judge's needle turning";
    s.sweep = { "T", { "DeltaV" } };
    s.closed = driftClosed;
    s.simulate = driftSimulated;
    all.push_back(s);

    s = {};
    s.id = "T23";
    s.title = "Self-preference";
    s.inputs = { { "T", 6, 1, 10, "rounds", true },
                 { "kappa", .5, 0, 1, "how much the judge likes what the policy already does" },
                 { "lambda", .2, .02, .3, "1/beta of each round" },
                 judged,
                 spread };
    s.formula = { { "growth", "((1 + {lambda} {kappa})^{T} - 1)/{kappa}" },
                  { "DeltaV", "{growth} {gamma}" },
                  { "K", "({growth} {s_c})^2/2" },
                  { "DeltaV_without", "{T} {lambda} {gamma}, at kappa = 0" } };
    s.assumptions = "w_t = w_c + kappa m_t, m_t the shift so far as a read-out.";
    s.words = "A judge that likes what the policy already does runs away exponentially in the direction "
              "first taken, right or "
              "wrong; it corrects nothing.";
    s.source = "Derived.";
    s.figure = "Gain over rounds, with and without self-preference";
    s.sweep = { "T", { "DeltaV", "DeltaV_without" } };
    s.closed = selfPreferenceClosed;
    s.simulate = selfPreferenceSimulated;
    all.push_back(s);

    s = {};
    s.id = "T24";
    s.title = "Errors compound over generations";
    s.inputs = { { "T", 4, 0, 10, "generations of judges", true },
                 { "cos_0", .8, -1, 1, "cosine of the first judge with true values" },
                 { "n", 100, 10, 2000, "pairs labelled for each generation", true },
                 { "d", 10, 2, 100, "dimension", true },
                 { "eps", .05, 0, .45, "probability that a label is flipped" } };
    s.formula = { { "A", "E cos of one estimate from {n} pairs in {d} dimensions" },
                  { "A_asymptotic", "(1 + ({d} - 1)/({n} m^2))^(-1/2), m = (1 - 2 {eps}) sqrt(2/pi)" },
                  { "cos_T", "{cos_0} {A}^{T}" } };
    s.assumptions = "Each generation's judge is a difference of means over pairs labelled by the one before.";
    s.words = "Each generation that learns from the one before loses a constant share of the correlation "
              "with true values, and "
              "none gets it back without labels from outside.";
    s.source = "Rotational symmetry makes the product exact; A by numerical integration, its short form is a "
               "limit. Derived.";
    s.figure = "Correlation over generations";
    s.sweep = { "T", { "cos_T" } };
    s.asymptotic = true;
    s.closed = generationsClosed;
    s.simulate = generationsSimulated;
    all.push_back(s);

    s = {};
    s.id = "T24b";
    s.title = "Self-consumption";
    s.inputs = { { "T", 15, 0, 60, "rounds", true },
                 { "n", 20, 4, 1000, "own samples that each round is refitted on", true },
                 { "lambda", .3, 0, 1, "1/beta of each round (w_c = 1)" },
                 { "Sigma", 1, .05, 4, "variance of the first policy" } };
    s.formula = { { "Sigma_T", "(1 - 1/{n})^{T} {Sigma}" },
                  { "shift", "{lambda} {Sigma} {n} (1 - (1 - 1/{n})^{T})" },
                  { "bound", "{n} {lambda} {Sigma}" } };
    s.assumptions
        = "Every round refits mean and variance by maximum likelihood on n draws of the tilted policy.";
    s.words = "A policy trained on its own samples narrows, and with it what a reward can still move: the "
              "total shift stays "
              "bounded.";
    s.source = "Derived.";
    s.figure = "Spread and shift over rounds";
    s.sweep = { "T", { "shift", "shift_without" } };
    s.closed = consumptionClosed;
    s.simulate = consumptionSimulated;
    all.push_back(s);
    return all;
}

} // namespace lodestone::theory
