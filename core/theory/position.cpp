// T29 to T31: order, wording and checking of judgments.
#include "core/geometry/encoding.h"
#include "core/theory/algebra.h"
#include "core/theory/instance.h"
#include "core/theory/numbers.h"
#include "core/theory/sampling.h"
#include "core/theory/sections.h"

#include <algorithm>
#include <boost/math/special_functions/erf.hpp>
#include <cmath>
#include <limits>

namespace lodestone::theory {
namespace {

// T29

Result<Quantities> positionClosed(const Values& in)
{
    const double bias = in["b"] / in["s"], r = in["r"];
    const double slope = r / std::sqrt(std::max(1 - r * r, 0.0));
    return Quantities{ { "one_order", .5 + 2 * owenT(bias, slope) },
                       { "same_position", std::erf(std::abs(bias) / std::numbers::sqrt2) },
                       { "both_orders", geometry::accuracyFromCorrelation(r) },
                       { "m_random", std::sqrt(2 / pi) * std::exp(-bias * bias / 2) },
                       { "implied_bias", std::numbers::sqrt2 * boost::math::erf_inv(in["same"]) } };
}

Measurements positionSimulated(const Values& in, Draws& draws)
{
    const double b = in["b"], s = in["s"], r = in["r"], rest = std::sqrt(1 - r * r);
    const auto means = sample<4>(draws, 1, [&](Rng& rng, auto& row) {
        const double z = rng.normal(), u = s * z, v = r * z + rest * rng.normal();
        const double first = sigmoid(u + b), swapped = sigmoid(u - b);
        const bool order = rng.uniform() < .5;
        const double label = (order ? first : swapped) > .5 ? 1 : -1;
        row = { (first > .5) == (v > 0) ? 1.0 : 0.0, (first > .5) != (swapped > .5) ? 1.0 : 0.0,
                (first + swapped > 1) == (v > 0) ? 1.0 : 0.0, label * z };
    });
    return { named("one_order", means.mean(0)), named("same_position", means.mean(1)),
             named("both_orders", means.mean(2)), named("m_random", means.mean(3)) };
}

// T30

Result<Quantities> phrasingClosed(const Values& in)
{
    const double noise = in["tau"] * in["tau"] * (in["d"] - 1) / (in["u_norm"] * in["u_norm"]);
    return Quantities{ { "cos_one", in["cos_theta"] / std::sqrt(1 + noise) },
                       { "cos_average", in["cos_theta"] / std::sqrt(1 + noise / in["M"]) } };
}

Measurements phrasingSimulated(const Values& in, Draws& draws)
{
    const int d = in.whole("d"), count = in.whole("M");
    const double cosine = in["cos_theta"], norm = in["u_norm"], tau = in["tau"];
    const auto means = sample<2>(draws, std::max(1, d * (1 + count) / 20), [&](Rng& rng, auto& row) {
        Eigen::VectorXd sum = Eigen::VectorXd::Zero(d); // the values point along the first axis
        for (int i = 0; i < count; ++i) {
            Eigen::VectorXd one = tau * normals(rng, d);
            one[0] += norm * cosine;
            one[1] += norm * std::sqrt(1 - cosine * cosine);
            sum += one;
            if (i == 0)
                row[0] = one[0] / one.norm();
        }
        row[1] = sum[0] / sum.norm();
    });
    return { named("cos_one", means.mean(0)), named("cos_average", means.mean(1)) };
}

// T31

Result<Quantities> validationClosed(const Values& in)
{
    const double judge = in["rho_c"], generator = in["rho_g"], both = in["c_cg"];
    LODESTONE_CHECK(checkCorrelations(judge, generator, both, "rho_c, rho_g, c_cg"));
    const double a = geometry::accuracyFromCorrelation(judge),
                 g = geometry::accuracyFromCorrelation(generator);
    const double right = .25 + (std::asin(judge) + std::asin(generator) + std::asin(both)) / (2 * pi);
    const double onlyJudge = a - right, onlyGenerator = g - right, gap = onlyJudge - onlyGenerator;
    const double certain = normalQuantile(1 - in["alpha"] / 2), power = normalQuantile(in["power"]);
    const double root = certain * std::sqrt(std::max(onlyJudge + onlyGenerator, 0.0))
        + power * std::sqrt(std::max(onlyJudge + onlyGenerator - gap * gap, 0.0));
    const double infinite = std::numeric_limits<double>::infinity();
    return Quantities{ { "a_c", a },
                       { "a_g", g },
                       { "P", right },
                       { "p10", onlyJudge },
                       { "p01", onlyGenerator },
                       { "n", std::abs(gap) > 1e-12 ? root * root / (gap * gap) : infinite },
                       { "n_half",
                         std::abs(a - .5) > 1e-12
                             ? (certain + power) * (certain + power) / (4 * (a - .5) * (a - .5))
                             : infinite } };
}

Measurements validationSimulated(const Values& in, Draws& draws)
{
    const Trivariate scores(in["rho_c"], in["rho_g"], in["c_cg"]);
    const auto means = sample<5>(draws, 1, [&](Rng& rng, auto& row) {
        const Eigen::Vector3d a = scores.draw(rng), b = scores.draw(rng);
        const bool judge = (a[1] > b[1]) == (a[0] > b[0]), generator = (a[2] > b[2]) == (a[0] > b[0]);
        row = { judge ? 1.0 : 0.0, generator ? 1.0 : 0.0, judge && generator ? 1.0 : 0.0,
                judge && !generator ? 1.0 : 0.0, generator && !judge ? 1.0 : 0.0 };
    });
    return { named("a_c", means.mean(0)), named("a_g", means.mean(1)), named("P", means.mean(2)),
             named("p10", means.mean(3)), named("p01", means.mean(4)) };
}

} // namespace

std::vector<Statement> position()
{
    const ReferenceNumbers r = referenceNumbers();
    std::vector<Statement> all;
    Statement s;
    s.id = "T29";
    s.title = "Position bias";
    s.inputs = { { "b", .5, -3, 3, "bias of the logit towards the reply shown first" },
                 { "s", 1, .1, 4, "spread of the judge's logit" },
                 { "r", .7, -.99, .99, "correlation of logit and true difference" },
                 { "same", .18, 0, .99, "a published share of same positions preferred, to invert" } };
    s.formula = { { "one_order", "1/2 + 2 T({b}/{s}, {r}/sqrt(1 - {r}^2)), T Owen's function" },
                  { "same_position", "erf(|{b}|/({s} sqrt 2))" },
                  { "both_orders", "1/2 + arcsin({r})/pi" },
                  { "m_random", "sqrt(2/pi) exp(-({b}/{s})^2/2)" },
                  { "implied_bias", "b/s = sqrt(2) erf^{-1}({same})" } };
    s.assumptions = "Logit u + b for the reply shown first; u and the true difference Gaussian.";
    s.words = "A judge that likes the first place loses accuracy, and averaging both orders returns all of "
              "it. Random order "
              "keeps the direction but weakens it.";
    s.source = "Owen 1956; derived. 18 % same position: Lee et al. 2023 for PaLM 2 L.";
    s.figure = "Bars: accuracy in one order, share of same positions, accuracy after swapping";
    s.sweep = { "b", { "one_order", "same_position", "both_orders" } };
    s.closed = positionClosed;
    s.simulate = positionSimulated;
    all.push_back(s);

    s = {};
    s.id = "T30";
    s.title = "Sensitivity to the prompt's wording";
    s.inputs = { { "tau", .1, 0, 1, "jitter of a wording in each direction" },
                 { "M", 8, 1, 64, "wordings averaged", true },
                 { "d", 30, 2, 300, "dimension", true },
                 { "cos_theta", .8, -1, 1, "cosine of the mean wording with true values" },
                 { "u_norm", 1, .1, 5, "length of the mean wording's direction" } };
    s.formula = { { "cos_one", "{cos_theta} (1 + {tau}^2 ({d} - 1)/{u_norm}^2)^(-1/2)" },
                  { "cos_average", "{cos_theta} (1 + {tau}^2 ({d} - 1)/({M} {u_norm}^2))^(-1/2)" } };
    s.assumptions = "u_c = mean + tau xi, xi standard normal.";
    s.words = "Each wording of a principle points a little elsewhere; in many dimensions that costs much, "
              "and averaging "
              "wordings wins most of it back.";
    s.source = "Derived; a limit for many dimensions.";
    s.figure = "Expected cosine over the jitter, one wording and an average";
    s.sweep = { "tau", { "cos_one", "cos_average" } };
    s.asymptotic = true;
    s.closed = phrasingClosed;
    s.simulate = phrasingSimulated;
    all.push_back(s);

    s = {};
    s.id = "T31";
    s.title = "Validation needs people";
    s.inputs = { { "rho_c", r.rhoJudge, -1, 1, "correlation of true value and judge" },
                 { "rho_g", r.rhoGenerator, -1, 1, "correlation of true value and generation score" },
                 { "c_cg", r.judgeGenerator, -1, 1, "Sigma-cosine of judge and generator" },
                 { "power", .8, .5, .99, "probability of seeing the difference" },
                 { "alpha", .05, .001, .2, "probability of seeing one that is not there" } };
    s.formula
        = { { "P", "1/4 + (arcsin {rho_c} + arcsin {rho_g} + arcsin {c_cg})/(2 pi)" },
            { "p10", "{a_c} - {P}, only the judge right" },
            { "p01", "{a_g} - {P}, only the generator right" },
            { "n",
              "(z_a sqrt({p10} + {p01}) + z_b sqrt({p10} + {p01} - ({p10} - {p01})^2))^2/({p10} - {p01})^2" },
            { "n_half", "(z_a + z_b)^2/(4 ({a_c} - 1/2)^2)" } };
    s.assumptions = "Gaussian pairs labelled by people without error; McNemar's test of the two accuracies "
                    "on the same pairs.";
    s.words = "How many pairs people must label before it is certain that the judge is better than the "
              "generator, or better "
              "than chance. A self-judging loop cannot certify itself.";
    s.source = "Orthant probabilities (Sheppard 1899); McNemar 1947, sample size after Connor 1987.";
    s.figure = "Pairs needed over the judge's correlation";
    s.sweep = { "rho_c", { "P", "p10", "p01" } };
    s.closed = validationClosed;
    s.simulate = validationSimulated;
    all.push_back(s);
    return all;
}

} // namespace lodestone::theory
