// T11 to T13: what the representation allows at most, and how that grows with the model.
#include "core/geometry/encoding.h"
#include "core/theory/instance.h"
#include "core/theory/numbers.h"
#include "core/theory/pool.h"
#include "core/theory/sampling.h"
#include "core/theory/sections.h"

#include <algorithm>
#include <boost/math/tools/minima.hpp>
#include <cmath>

namespace lodestone::theory {
namespace {

// T11

/// inf over t > 0 of (ln cosh(t sigma) + K)/t: the bound for an encoded value of two values, +-sigma.
double twoValuedBound(double sigma, double K)
{
    if (!(K > 0) || !(sigma > 0))
        return 0;
    const auto bound = [&](double logarithm) {
        const double t = std::exp(logarithm) / sigma;
        // ln cosh x without overflow
        const double x = t * sigma;
        return (x + std::log1p(std::exp(-2 * x)) - std::numbers::ln2 + K) / t;
    };
    return boost::math::tools::brent_find_minima(bound, -20.0, 20.0, 52).second;
}

Result<Quantities> ceilingClosed(const Values& in)
{
    const geometry::Ceilings most = geometry::ceilings(in["q"], in["sV"], in["K"]);
    const double encoded = std::sqrt(in["q"]) * in["sV"];
    return Quantities{ { "ceiling", most.valueGain },
                       { "win_ceiling", most.winRate },
                       { "accuracy_ceiling", most.accuracy },
                       { "DeltaV", in["cos_c"] * most.valueGain },
                       { "share_of_perfect", std::sqrt(in["q"]) },
                       { "bound_two_valued", twoValuedBound(encoded, in["K"]) } };
}

Measurements ceilingSimulated(const Values& in, Draws& draws)
{
    const double q = in["q"], sV = in["sV"], K = in["K"], cosine = in["cos_c"];
    const double lambda = std::sqrt(2 * K), sine = std::sqrt(1 - cosine * cosine);
    // The best read-out, and one at the angle given, both at K.
    const auto means = sample<6>(draws, 1, [&](Rng& rng, auto& row) {
        const double g = rng.normal(), side = rng.normal();
        const double v = sV * (std::sqrt(q) * g + std::sqrt(1 - q) * rng.normal());
        const double w = std::exp(lambda * g), judged = std::exp(lambda * (cosine * g + sine * side));
        const double other = sV * rng.normal(), otherScore = rng.normal(),
                     otherValue = sV * (std::sqrt(q) * otherScore + std::sqrt(1 - q) * rng.normal());
        row = { w,
                w * v,
                judged,
                judged * v,
                v > other ? w : 0,
                (g - otherScore) * (v - otherValue) > 0 ? 1.0 : 0.0 };
    });
    Measurements found{ named("ceiling", means.ratio(1, 0)), named("win_ceiling", means.ratio(4, 0)),
                        named("accuracy_ceiling", means.mean(5)), named("DeltaV", means.ratio(3, 2)) };
    // Two-valued values: replicates of a pool whose optimum is driven to the KL that is allowed.
    if (K > 0 && K < .9 * std::numbers::ln2) {
        const double sigma = std::sqrt(q) * sV;
        const auto pools = sample<1>(draws, 2000, [&](Rng& rng, auto& row) {
            std::vector<double> g(200);
            for (std::size_t i = 0; i < g.size();
                 i += 2) { // in pairs of opposite sign, so that the mean is 0
                g[i] = rng.uniform() < .5 ? sigma : -sigma;
                g[i + 1] = -g[i];
            }
            double low = 0, high = 50 / std::max(sigma, 1e-9);
            for (int step = 0; step < 60; ++step)
                (tiltPool(g, g, (low + high) / 2).kl < K ? low : high) = (low + high) / 2;
            row[0] = tiltPool(g, g, low).value;
        });
        found.push_back(named("bound_two_valued", pools.mean(0)));
    }
    return found;
}

// T12

double harmonic(int k, double exponent)
{
    double sum = 0;
    for (int i = 1; i <= k; ++i)
        sum += std::pow(i, -exponent);
    return sum;
}

Result<Quantities> capacityClosed(const Values& in)
{
    const double s = in["s"], all = zeta(1 + s);
    const int k = in.whole("k");
    const double q = harmonic(k, 1 + s) / all, r = geometry::correlationFromAccuracy(in["a"]);
    return Quantities{ { "q", q },
                       { "missing_asymptotic", std::pow(k, -s) / (s * all) },
                       { "accuracy_ceiling", geometry::accuracyFromCorrelation(std::sqrt(q)) },
                       { "r", r },
                       { "r2", r * r } };
}

Measurements capacitySimulated(const Values& in, Draws& draws)
{
    // Values of features with energies i^-(1+s); what lies beyond the k encoded ones is one Gaussian
    // remainder.
    const double s = in["s"], all = zeta(1 + s);
    const int k = in.whole("k");
    std::vector<double> scale;
    double rest = all;
    for (int i = 1; i <= k; ++i) {
        scale.push_back(std::pow(i, -(1 + s) / 2));
        rest -= scale.back() * scale.back();
    }
    const double remainder = std::sqrt(std::max(rest, 0.0));
    const auto means = sample<6>(draws, std::max(1, k / 4), [&](Rng& rng, auto& row) {
        double encoded[2] = { 0, 0 }, value[2];
        for (int which = 0; which < 2; ++which) {
            for (const double one : scale)
                encoded[which] += one * rng.normal();
            value[which] = encoded[which] + remainder * rng.normal();
        }
        row = { encoded[0] * encoded[0],
                value[0] * value[0],
                encoded[0] * value[0],
                encoded[0],
                value[0],
                (encoded[0] - encoded[1]) * (value[0] - value[1]) > 0 ? 1.0 : 0.0 };
    });
    return { named("q", means.estimate([](const auto& row) {
                 const double with = row[2] - row[3] * row[4];
                 return with * with / ((row[0] - row[3] * row[3]) * (row[1] - row[4] * row[4]));
             })),
             named("accuracy_ceiling", means.mean(5)) };
}

// T13

/// Feature i (from 1) of D has weight 1/i; the policy has the first k_pi, the judge k_J from 1 + offset on.
bool judgeHas(int i, const Values& in)
{
    return i > in["offset"] && i <= in["offset"] + in["k_J"] && i <= in["D"];
}

Result<Quantities> labelerClosed(const Values& in)
{
    const int all = in.whole("D"), policy = std::min(in.whole("k_pi"), all);
    double shared = 0, policyEnergy = 0, judgeEnergy = 0, total = 0;
    for (int i = 1; i <= all; ++i) {
        const double energy = 1.0 / (static_cast<double>(i) * i);
        total += energy;
        if (i <= policy)
            policyEnergy += energy;
        if (judgeHas(i, in))
            judgeEnergy += energy;
        if (i <= policy && judgeHas(i, in))
            shared += energy;
    }
    const double root = std::sqrt(2 * in["K"]);
    // u.(P u_c)/|P u_c|: judge and values agree on what both encode.
    return Quantities{ { "DeltaV", root * std::sqrt(shared) },
                       { "policy_ceiling", root * std::sqrt(policyEnergy) },
                       { "judge_ceiling", root * std::sqrt(judgeEnergy) },
                       { "q", shared / total } };
}

Measurements labelerSimulated(const Values& in, Draws& draws)
{
    // The judge rewards its own features; a policy of its first k_pi sees only their part of the reward.
    const int all = in.whole("D"), policy = std::min(in.whole("k_pi"), all);
    double norm = 0;
    for (int i = 1; i <= policy; ++i)
        norm += judgeHas(i, in) ? 1.0 / (static_cast<double>(i) * i) : 0;
    const double lambda = norm > 0 ? std::sqrt(2 * in["K"] / norm) : 0;
    std::vector<double> weight, reward;
    for (int i = 1; i <= all; ++i) {
        weight.push_back(1.0 / i);
        reward.push_back(i <= policy && judgeHas(i, in) ? 1.0 / i : 0);
    }
    const auto means = sample<3>(draws, std::max(1, all / 4), [&](Rng& rng, auto& row) {
        double value = 0, seen = 0;
        for (std::size_t i = 0; i < weight.size(); ++i) {
            const double z = rng.normal();
            value += weight[i] * z;
            seen += reward[i] * z;
        }
        const double w = std::exp(lambda * seen);
        row = { w, w * value, value };
    });
    return { named("DeltaV", means.estimate([](const auto& row) { return row[1] / row[0] - row[2]; })) };
}

} // namespace

std::vector<Statement> coreCapacity()
{
    const ReferenceNumbers r = referenceNumbers();
    std::vector<Statement> all;
    Statement s;
    s.id = "T11";
    s.title = "The ceiling";
    s.inputs = { { "q", r.quality, 0, 1, "encoding quality" },
                 { "sV", r.valueDeviation, .05, 5, "standard deviation of the true value" },
                 { "K", .2009, 0, 2, "KL(pi_c || pi_0) in nats" },
                 { "cos_c", r.efficiency, -1, 1, "cos_S(w*, w_c), the constitution's efficiency" } };
    s.formula
        = { { "ceiling", "sqrt({q}) {sV} sqrt(2 {K})" },
            { "win_ceiling", "Phi(sqrt({q} {K}))" },
            { "accuracy_ceiling", "1/2 + arcsin(sqrt({q}))/pi" },
            { "DeltaV", "{cos_c} {ceiling}" },
            { "bound_two_valued", "inf over t of (ln cosh(t sigma) + {K})/t, sigma = sqrt({q}) {sV}" } };
    s.assumptions = "Acting only through h. For any other distribution of g = E[V*|h]: Delta V <= inf "
                    "(Lambda(t) + K)/t, shown "
                    "for a g of two values.";
    s.words = "No constitution gets more out of a model than the model encodes; the share reached is "
              "cos_S(w*, w_c).";
    s.source = "Cauchy-Schwarz in the Sigma inner product; Donsker & Varadhan 1975. Compare Young 2026, "
               "Theorem 6.";
    s.figure = "The gain as a wedge under the ceiling line; the efficiency as a gauge";
    s.sweep = { "K", { "ceiling", "DeltaV" } };
    s.closed = ceilingClosed;
    s.simulate = ceilingSimulated;
    all.push_back(s);

    s = {};
    s.id = "T12";
    s.title = "Capacity and the ceiling";
    s.inputs = { { "k", 16, 1, 256, "features that the model encodes", true },
                 { "s", .5, .1, 3, "how fast the value's energy falls: e_i = i^-(1+s)" },
                 { "a", .78, .5, 1, "a published label accuracy, to invert" } };
    s.formula = { { "q", "H_k/zeta(1 + {s}), H_k the sum of i^-(1+{s}) up to k = {k}" },
                  { "missing_asymptotic", "1 - q ~ {k}^-{s}/({s} zeta(1 + {s}))" },
                  { "accuracy_ceiling", "1/2 + arcsin(sqrt({q}))/pi" },
                  { "r", "sin(pi({a} - 1/2))" } };
    s.assumptions
        = "A power law of the value's energy over features; larger models encode more of the same features.";
    s.words = "Each doubling of what a model encodes brings it closer to people's values, by less each time. "
              "Accuracies "
              "inverted so ignore the noise of people's labels (they agree with each other in 73 to 77 %).";
    s.source
        = "Derived; the zeta law is an assumption. PaLM 2 XS, S, L: 62.7, 73.8, 78.0 % (Lee et al. 2023).";
    s.figure = "Accuracy ceiling over the features encoded, with the three published accuracies";
    s.sweep = { "k", { "accuracy_ceiling", "q" } };
    s.closed = capacityClosed;
    s.simulate = capacitySimulated;
    all.push_back(s);

    s = {};
    s.id = "T13";
    s.title = "Same-size and larger labelers";
    s.inputs
        = { { "k_pi", 8, 1, 50, "features of the policy", true },
            { "k_J", 20, 1, 50, "features of the judge", true },
            { "offset", 0, 0, 49, "features that the judge lacks at the start; 0 is the nested case", true },
            { "D", 50, 2, 50, "features of the value, of weight 1/i", true },
            { "K", .5, 0, 2, "KL(pi_c || pi_0) in nats" } };
    s.formula = { { "DeltaV", "sqrt(2 {K}) u_*.(P u_c)/|P u_c|" },
                  { "policy_ceiling", "sqrt(2 {K}) |P u_*|, the first {k_pi} features" },
                  { "judge_ceiling", "sqrt(2 {K}) |u_c|, the judge's {k_J} features" } };
    s.assumptions = "The judge's direction is w* restricted to its features; no noise in labels.";
    s.words
        = "A judge that knows more than the policy can express adds nothing, and one of the same size "
          "already reaches "
          "the policy's ceiling. Larger labelers help through fewer errors (T25) or through other features.";
    s.source = "Derived.";
    s.figure = "The gain over the judge's size";
    s.sweep = { "k_J", { "DeltaV", "policy_ceiling" } };
    s.closed = labelerClosed;
    s.simulate = labelerSimulated;
    all.push_back(s);
    return all;
}

} // namespace lodestone::theory
