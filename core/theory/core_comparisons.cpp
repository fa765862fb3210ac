// T6 to T10: when an update helps, at which KL, and how the judge compares with the generator.
#include "core/geometry/encoding.h"
#include "core/theory/algebra.h"
#include "core/theory/instance.h"
#include "core/theory/numbers.h"
#include "core/theory/sampling.h"
#include "core/theory/sections.h"

#include <cmath>

namespace lodestone::theory {
namespace {

const ReferenceNumbers& reference()
{
    static const ReferenceNumbers numbers = referenceNumbers();
    return numbers;
}

Input judgeCorrelation()
{
    return { "rho_c", reference().rhoJudge, -1, 1, "correlation of true value and judge" };
}
Input generatorCorrelation()
{
    return { "rho_g", reference().rhoGenerator, -1, 1, "correlation of true value and generation score" };
}
Input judgeGenerator()
{
    return { "c_cg", reference().judgeGenerator, -1, 1, "Sigma-cosine of judge and generator" };
}
Input valueDeviation()
{
    return { "sV", reference().valueDeviation, .05, 5, "standard deviation of the true value" };
}
Input budget(double most) { return { "K", .2009, 0, most, "KL(pi_c || pi_0) in nats" }; }

// T6

struct Plane {
    Eigen::Matrix2d sigma;
    Eigen::Vector2d truth, judge;
    double inner() const { return truth.dot(sigma * judge); }
};
Plane planeOf(const Values& in)
{
    Plane plane;
    plane.sigma << 1, in["Sigma_12"], in["Sigma_12"], 1;
    plane.truth << in["w_1"], in["w_2"];
    plane.judge << in["w_c1"], in["w_c2"];
    return plane;
}

Result<Quantities> conditionClosed(const Values& in)
{
    const Plane plane = planeOf(in);
    const double gain = in["lambda"] * plane.inner();
    return Quantities{ { "euclidean", plane.truth.dot(plane.judge) },
                       { "inner", plane.inner() },
                       { "DeltaV", gain },
                       { "DeltaV_opposite", -gain },
                       { "improves", gain > 0 ? 1.0 : 0.0 } };
}

Measurements conditionSimulated(const Values& in, Draws& draws)
{
    const Plane plane = planeOf(in);
    const Eigen::Matrix2d factor = lowerFactor(plane.sigma);
    const double lambda = in["lambda"];
    const auto means = sample<7>(draws, 1, [&](Rng& rng, auto& row) {
        const Eigen::Vector2d h = factor * normals<2>(rng);
        const double r = plane.judge.dot(h), v = plane.truth.dot(h);
        const double up = std::exp(lambda * r), down = std::exp(-lambda * r);
        row = { up, up * v, down, down * v, v, r * v, r };
    });
    return {
        named("inner", means.estimate([](const auto& row) { return row[5] - row[4] * row[6]; })),
        named("DeltaV", means.estimate([](const auto& row) { return row[1] / row[0] - row[4]; })),
        named("DeltaV_opposite", means.estimate([](const auto& row) { return row[3] / row[2] - row[4]; }))
    };
}

// T7

Result<Quantities> budgetClosed(const Values& in)
{
    return Quantities{ { "lambda", geometry::lambdaForBudget(in["K"], in["s_c"]) },
                       { "DeltaV", geometry::valueGain(in["rho_c"], in["sV"], in["K"]) },
                       { "marginal", geometry::marginalValueGain(in["rho_c"], in["sV"], in["K"]) } };
}

Measurements budgetSimulated(const Values& in, Draws& draws)
{
    // The lambda of the formula must spend K and gain Delta V.
    const double rho = in["rho_c"], sV = in["sV"], s = in["s_c"];
    const double lambda = std::sqrt(2 * in["K"]) / s, rest = std::sqrt(1 - rho * rho);
    const auto means = sample<4>(draws, 1, [&](Rng& rng, auto& row) {
        const double z = rng.normal(), v = sV * (rho * z + rest * rng.normal()), w = std::exp(lambda * s * z);
        row = { w, w * v, w * s * z, v };
    });
    Measurements found{ named(
        "DeltaV", means.estimate([](const auto& row) { return row[1] / row[0] - row[3]; })) };
    if (lambda > 0)
        found.push_back(named("lambda", means.estimate([&](const auto& row) {
            // What this lambda spends, and from it the lambda of a tilt that spends as much.
            const double spent = lambda * row[2] / row[0] - std::log(row[0]);
            return std::sqrt(2 * std::max(spent, 0.0)) / s;
        })));
    return found;
}

// T8

Result<Quantities> winClosed(const Values& in)
{
    return Quantities{ { "win", geometry::winRate(in["rho_c"], in["K"]) },
                       { "implied", geometry::impliedByWinRate(in["p"]) } };
}

Measurements winSimulated(const Values& in, Draws& draws)
{
    const double rho = in["rho_c"], lambda = std::sqrt(2 * in["K"]), rest = std::sqrt(1 - rho * rho);
    // Implied: the K at which two unit Gaussians a distance apart win with share p, found from draws.
    const double shift = std::numbers::sqrt2 * geometry::impliedByWinRate(in["p"]);
    const auto means = sample<3>(draws, 1, [&](Rng& rng, auto& row) {
        const double z = rng.normal(), mine = rho * z + rest * rng.normal(), other = rng.normal();
        const double w = std::exp(lambda * z);
        row = { w, mine > other ? w : 0, rng.normal() + shift > rng.normal() ? 1.0 : 0.0 };
    });
    return { named("win", means.ratio(1, 0)),
             named("implied", means.estimate([](const auto& row) { return normalQuantile(row[2]); })) };
}

// T9

Result<Quantities> gapClosed(const Values& in)
{
    const double judge = in["rho_c"], generator = in["rho_g"], c = in["c_cg"];
    LODESTONE_CHECK(checkCorrelations(judge, generator, c, "rho_c, rho_g, c_cg"));
    const double most = geometry::largestImprovingUpdate(judge, generator, c);
    Quantities out{ { "a_c", geometry::accuracyFromCorrelation(judge) },
                    { "a_g", geometry::accuracyFromCorrelation(generator) },
                    { "gap", geometry::generationJudgmentGap(judge, generator) },
                    { "advantage", geometry::equalBudgetAdvantage(judge, generator, in["sV"], in["K"]) },
                    { "slope", judge - c * generator },
                    { "f_0", generator },
                    { "f", geometry::alignmentAfter(judge, generator, c, in["t"]) },
                    { "t_max", most } };
    if (std::isfinite(most))
        out.push_back({ "f_t_max", geometry::alignmentAfter(judge, generator, c, most) });
    return out;
}

Measurements gapSimulated(const Values& in, Draws& draws)
{
    const Trivariate scores(in["rho_c"], in["rho_g"], in["c_cg"]);
    const double t = in["t"], sV = in["sV"], lambda = std::sqrt(2 * in["K"]);
    const auto means = sample<9>(draws, 1, [&](Rng& rng, auto& row) {
        const Eigen::Vector3d a = scores.draw(rng), b = scores.draw(rng);
        const double mixed = a[2] + t * a[1], byJudge = std::exp(lambda * a[1]),
                     byGenerator = std::exp(lambda * a[2]);
        row = { (a[0] - b[0]) * (a[1] - b[1]) > 0 ? 1.0 : 0.0,
                (a[0] - b[0]) * (a[2] - b[2]) > 0 ? 1.0 : 0.0,
                a[0] * mixed,
                mixed * mixed,
                a[0] * a[0],
                byJudge,
                byJudge * a[0],
                byGenerator,
                byGenerator * a[0] };
    });
    return { named("a_c", means.mean(0)), named("a_g", means.mean(1)),
             named("gap", means.estimate([](const auto& row) { return row[0] - row[1]; })),
             named("advantage", means.estimate([sV](const auto& row) {
                 return sV * (row[6] / row[5] - row[8] / row[7]);
             })),
             named("f", means.estimate([](const auto& row) {
                 const double squares = row[3] * row[4];
                 return squares > 1e-20 ? row[2] / std::sqrt(squares) : 0.0;
             })) };
}

// T10

Result<Quantities> mixtureClosed(const Values& in)
{
    const double judge = in["rho_c"], generator = in["rho_g"], c = in["c_cg"];
    LODESTONE_CHECK(checkCorrelations(judge, generator, c, "rho_c, rho_g, c_cg"));
    const geometry::Mixture best = geometry::bestMixture(judge, generator, c);
    return Quantities{ { "t_star", best.t },
                       { "f_star", best.alignment },
                       { "f", geometry::alignmentAfter(judge, generator, c, in["t"]) } };
}

Measurements mixtureSimulated(const Values& in, Draws& draws)
{
    const Trivariate scores(in["rho_c"], in["rho_g"], in["c_cg"]);
    const double t = in["t"];
    const auto means = sample<8>(draws, 1, [&](Rng& rng, auto& row) {
        const Eigen::Vector3d a = scores.draw(rng);
        const double mixed = a[2] + t * a[1];
        row = { a[0] * a[0], a[0] * a[1], a[0] * a[2],  a[1] * a[1],
                a[1] * a[2], a[2] * a[2], mixed * a[0], mixed * mixed };
    });
    Measurements found{ named(
        "f", means.estimate([](const auto& row) { return row[6] / std::sqrt(row[7] * row[0]); })) };
    const geometry::Mixture best = geometry::bestMixture(in["rho_c"], in["rho_g"], in["c_cg"]);
    if (best.t > 0 && std::isfinite(best.t)) {
        // Least squares of the value on both scores.
        const auto weights = [](const auto& row) {
            const Eigen::Matrix2d second{ { row[3], row[4] }, { row[4], row[5] } };
            return Eigen::Vector2d(solve(second, Eigen::Vector2d(row[1], row[2])));
        };
        found.push_back(named("t_star", means.estimate([&](const auto& row) {
            const Eigen::Vector2d fit = weights(row);
            return fit[0] / fit[1];
        })));
        found.push_back(named("f_star", means.estimate([&](const auto& row) {
            return std::sqrt(weights(row).dot(Eigen::Vector2d(row[1], row[2])) / row[0]);
        })));
    }
    return found;
}

} // namespace

std::vector<Statement> coreComparisons()
{
    std::vector<Statement> all;
    Statement s;
    s.id = "T6";
    s.title = "The self-improvement condition";
    s.inputs = { { "lambda", 1, 0, 2, "1/beta, the inverse of the KL penalty" },
                 { "Sigma_12", .6, -.95, .95, "correlation of the two coordinates of h" },
                 { "w_1", 1, -1, 1, "first coordinate of w*" },
                 { "w_2", 0, -1, 1, "second coordinate of w*" },
                 { "w_c1", .2, -1, 1, "first coordinate of w_c" },
                 { "w_c2", -1, -1, 1, "second coordinate of w_c" } };
    s.formula = { { "euclidean", "w*'w_c" },
                  { "inner", "w*'Sigma w_c" },
                  { "DeltaV", "{lambda} {inner}" },
                  { "DeltaV_opposite", "Delta V of -w_c = -{lambda} {inner}" } };
    s.assumptions = "Small lambda in general; every lambda > 0 in the Gaussian model.";
    s.words
        = "The update helps exactly when the judge agrees with true values on what the base policy writes. "
          "The plain "
          "angle between the two arrows is the wrong test, and the opposite judge does exactly the opposite.";
    s.source = "Derivative of a mean under tilting: Delta V > 0 iff Cov_0(V*, r_c) > 0. Compare Young 2026, "
               "Corollary 4.";
    s.figure = "The half-space of judges that help, with w* and w_c";
    s.sweep = { "w_c1", { "DeltaV", "euclidean" } };
    s.closed = conditionClosed;
    s.simulate = conditionSimulated;
    all.push_back(s);

    s = {};
    s.id = "T7";
    s.title = "The KL budget";
    s.inputs = { judgeCorrelation(),
                 budget(2),
                 valueDeviation(),
                 { "s_c", reference().judgeNorm, .05, 5, "spread of the judge's reward" } };
    s.formula = { { "lambda", "sqrt(2 {K})/{s_c}" },
                  { "DeltaV", "{rho_c} {sV} sqrt(2 {K})" },
                  { "marginal", "d DeltaV/dK = {rho_c} {sV}/sqrt(2 {K})" } };
    s.assumptions = "Gaussian value and reward.";
    s.words = "At the same KL only the correlation with true values counts, not how loud the judge is.";
    s.source = "T4 rewritten.";
    s.figure = "Gain against KL: a straight line over sqrt(K), its slope proportional to rho_c";
    s.sweep = { "K", { "DeltaV" } };
    s.closed = budgetClosed;
    s.simulate = budgetSimulated;
    all.push_back(s);

    s = {};
    s.id = "T8";
    s.title = "The win rate";
    s.inputs = { judgeCorrelation(), budget(2), { "p", .71, .001, .999, "a published win rate, to invert" } };
    s.formula = { { "win", "Phi({rho_c} sqrt({K}))" }, { "implied", "rho sqrt(K) = Phi^{-1}({p})" } };
    s.assumptions = "One reply of each policy, drawn independently; Gaussian values.";
    s.words = "How often a reply of the updated policy beats one of the base. Read backwards, a published "
              "win rate implies "
              "a correlation times the root of the KL, under this model.";
    s.source = "Difference of two Gaussians; derived. Win rate .71: Lee et al. 2023.";
    s.figure = "Win rate over K";
    s.sweep = { "K", { "win" } };
    s.closed = winClosed;
    s.simulate = winSimulated;
    all.push_back(s);

    s = {};
    s.id = "T9";
    s.title = "The generation-judgment gap";
    s.inputs = { judgeCorrelation(), generatorCorrelation(),
                 judgeGenerator(),   { "t", 1, 0, 10, "lambda s_c/|w_gen|, the size of the update" },
                 budget(2),          valueDeviation() };
    s.formula = { { "a_c", "1/2 + arcsin({rho_c})/pi" },
                  { "a_g", "1/2 + arcsin({rho_g})/pi" },
                  { "gap", "(arcsin {rho_c} - arcsin {rho_g})/pi" },
                  { "advantage", "({rho_c} - {rho_g}) {sV} sqrt(2 {K})" },
                  { "f", "({rho_g} + {t} {rho_c})/sqrt(1 + 2 {t} {c_cg} + {t}^2)" },
                  { "t_max",
                    "infinite while {rho_c} >= {rho_g}, else max(0, 2 {rho_g}({rho_c} - {c_cg} "
                    "{rho_g})/({rho_g}^2 - {rho_c}^2))" } };
    s.assumptions = "Gaussian pairs drawn from one policy.";
    s.words = "A judge that correlates better with true values than the default generation direction is "
              "right more often, "
              "gains more at equal KL, and keeps turning the generator towards the values; a somewhat worse "
              "one helps only up "
              "to t_max.";
    s.source = "The orthant probability (Sheppard 1899); derived. Compare Young 2026, Proposition 5.";
    s.figure
        = "Alignment f(t) with t_max and t*; judge and generator as needles against V*; the two accuracies";
    s.sweep = { "t", { "f", "f_0" } };
    s.closed = gapClosed;
    s.simulate = gapSimulated;
    all.push_back(s);

    s = {};
    s.id = "T10";
    s.title = "The best mixture of generator and judge";
    s.inputs = {
        judgeCorrelation(), generatorCorrelation(), judgeGenerator(), { "t", 1, 0, 10, "size of the update" }
    };
    s.formula = { { "t_star", "({rho_c} - {c_cg} {rho_g})/({rho_g} - {c_cg} {rho_c})" },
                  { "f_star", "sqrt(({rho_g}^2 + {rho_c}^2 - 2 {c_cg} {rho_g} {rho_c})/(1 - {c_cg}^2))" },
                  { "f", "({rho_g} + {t} {rho_c})/sqrt(1 + 2 {t} {c_cg} + {t}^2)" } };
    s.assumptions = "Both parts of t* positive; otherwise one of the two alone is best.";
    s.words = "Past a point, more training turns the generator away from true values although the value "
              "gained still rises.";
    s.source = "Multiple correlation; derived.";
    s.figure = "Alignment over the size of the update, with its best point";
    s.sweep = { "t", { "f", "f_star" } };
    s.closed = mixtureClosed;
    s.simulate = mixtureSimulated;
    all.push_back(s);
    return all;
}

} // namespace lodestone::theory
