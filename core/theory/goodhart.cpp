// T32 to T36: proxies, gaming, nearby concepts and shifted data.
#include "core/theory/algebra.h"
#include "core/theory/instance.h"
#include "core/theory/numbers.h"
#include "core/theory/sampling.h"
#include "core/theory/sections.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace lodestone::theory {
namespace {

// T32

Result<Quantities> regressionalClosed(const Values& in)
{
    const double value = in["sV"] * in["sV"], proxy = value + in["s_noise"] * in["s_noise"];
    const double root = std::sqrt(2 * in["K"]);
    return Quantities{ { "slope_ratio", value / proxy },
                       { "gold", root * value / std::sqrt(proxy) },
                       { "proxy", root * std::sqrt(proxy) } };
}

Measurements regressionalSimulated(const Values& in, Draws& draws)
{
    const double s = std::hypot(in["sV"], in["s_noise"]), lambda = std::sqrt(2 * in["K"]) / s;
    const auto means = sample<6>(draws, 1, [&](Rng& rng, auto& row) {
        const double v = in["sV"] * rng.normal(), r = v + in["s_noise"] * rng.normal(),
                     w = std::exp(lambda * r);
        row = { w, w * v, w * r, v, r, r * v };
    });
    Measurements found{
        named("gold", means.estimate([](const auto& row) { return row[1] / row[0] - row[3]; })),
        named("proxy", means.estimate([](const auto& row) { return row[2] / row[0] - row[4]; }))
    };
    if (in["K"] > .01)
        found.push_back(named("slope_ratio", means.estimate([](const auto& row) {
            return (row[1] / row[0] - row[3]) / (row[2] / row[0] - row[4]);
        })));
    return found;
}

// T33

Result<Quantities> extremalClosed(const Values& in)
{
    const double alpha = std::numbers::sqrt2 * in["gamma"] / in["s_c"], beta = in["kappa"] * in["A_c"];
    const double d = std::sqrt(in["K"]);
    const double rlPeak = std::exp(alpha / beta - 1);
    return Quantities{ { "alpha", alpha },
                       { "beta", beta },
                       { "DeltaV", d * (alpha - beta * d) },
                       { "d_star", std::max(0.0, alpha / (2 * beta)) },
                       { "peak", alpha > 0 ? alpha * alpha / (4 * beta) : 0 },
                       { "zero", std::max(0.0, alpha / beta) },
                       { "DeltaV_rl", d > 0 ? d * (alpha - beta * std::log(d)) : 0 },
                       { "rl_d_star", rlPeak },
                       { "rl_peak", beta * rlPeak },
                       { "rl_zero", std::exp(alpha / beta) } };
}

Measurements extremalSimulated(const Values& in, Draws& draws)
{
    // Whitened: the judge along the first axis; the penalty (kappa/2) z'A z with A = diag(A_c, 1).
    const double d = std::sqrt(in["K"]), reach = std::numbers::sqrt2 * d, kappa = in["kappa"];
    const double slope = in["gamma"] / in["s_c"];
    const auto means = sample<5>(draws, 1, [&](Rng& rng, auto& row) {
        const double z = rng.normal(), side = rng.normal(), w = std::exp(reach * z);
        const double linear = slope * z + .5 * side, penalty = kappa / 2 * (in["A_c"] * z * z + side * side);
        row = { w, w * linear, w * penalty, linear, penalty };
    });
    Measurements found{ named("DeltaV", means.estimate([](const auto& row) {
        return (row[1] - row[2]) / row[0] - row[3] + row[4];
    })) };
    if (d > .1) {
        found.push_back(
            named("alpha", means.estimate([d](const auto& row) { return (row[1] / row[0] - row[3]) / d; })));
        found.push_back(named(
            "beta", means.estimate([d](const auto& row) { return (row[2] / row[0] - row[4]) / (d * d); })));
    }
    return found;
}

// T34

Result<Quantities> gamingClosed(const Values& in)
{
    const double spoiler = in["eta"] * in["l_norm"], s = in["s_c"];
    LODESTONE_CHECK(checkCorrelations(in["rho_Vr"], in["rho_Vl"], in["rho_rl"], "rho_Vr, rho_Vl, rho_rl"));
    const double rest = std::sqrt(std::max(1 - in["rho_rl"] * in["rho_rl"], 0.0));
    return Quantities{ { "drift", in["lambda"] * in["eta"] * in["l_norm"] * in["l_norm"] },
                       { "kl_share", spoiler * spoiler / (s * s + spoiler * spoiler) },
                       { "rho_gamed", in["rho_c"] / std::sqrt(1 + spoiler * spoiler / (s * s)) },
                       { "rho_debiased", (in["rho_Vr"] - in["rho_Vl"] * in["rho_rl"]) / rest } };
}

Measurements gamingSimulated(const Values& in, Draws& draws)
{
    const double s = in["s_c"], l = in["l_norm"], eta = in["eta"], rho = in["rho_c"], lambda = in["lambda"];
    const double rest = std::sqrt(1 - rho * rho);
    const auto means = sample<7>(draws, 1, [&](Rng& rng, auto& row) {
        const double z = rng.normal(), side = l * rng.normal(), v = rho * z + rest * rng.normal();
        const double r = s * z + eta * side, w = std::exp(lambda * r);
        row = { w, w * side, w * z, v * r, r * r, v * v, side };
    });
    const Trivariate scores(in["rho_Vr"], in["rho_Vl"], in["rho_rl"]);
    const auto debiased = sample<6>(draws, 1, [&](Rng& rng, auto& row) {
        const Eigen::Vector3d a = scores.draw(rng);
        row = { a[0] * a[0], a[0] * a[1], a[0] * a[2], a[1] * a[1], a[1] * a[2], a[2] * a[2] };
    });
    Measurements found{
        named("drift", means.estimate([](const auto& row) { return row[1] / row[0] - row[6]; })),
        named(
            "rho_gamed", means.estimate([](const auto& row) { return row[3] / std::sqrt(row[4] * row[5]); })),
        named("rho_debiased", debiased.estimate([](const auto& row) {
            // The reward less its regression on the spoiler.
            const double slope = row[4] / row[5];
            const double with = row[1] - slope * row[2];
            return with / std::sqrt(row[0] * (row[3] - slope * row[4]));
        }))
    };
    if (lambda > .05)
        found.push_back(named("kl_share", means.estimate([l](const auto& row) {
            const double along = row[2] / row[0], across = row[1] / row[0] / l;
            return across * across / (along * along + across * across);
        })));
    return found;
}

// T35

Result<Quantities> conceptClosed(const Values& in)
{
    const double angle = in["theta"] / degrees, reach = std::sqrt(2 * in["K"]), w = in["w_norm"];
    const double sine = std::sin(angle), cosine = std::cos(angle);
    return Quantities{ { "regret", w * reach * (1 - cosine) },
                       { "side_drift", sine * reach },
                       { "DeltaV", w * cosine * reach - in["kappa"] / 2 * sine * sine * reach * reach },
                       { "D_star",
                         sine > 0 ? w * cosine / (in["kappa"] * sine * sine)
                                  : std::numeric_limits<double>::infinity() } };
}

Measurements conceptSimulated(const Values& in, Draws& draws)
{
    const double angle = in["theta"] / degrees, reach = std::sqrt(2 * in["K"]), w = in["w_norm"];
    const auto means
        = sample<8>(draws, 1, [&](Rng& rng, auto& row) {
              const double z = rng.normal(), side = rng.normal();
              const double judged = std::exp(reach * (std::cos(angle) * z + std::sin(angle) * side)),
                           perfect = std::exp(reach * z);
              row = { judged,      judged * z, judged * side, judged * side * side, perfect,
                      perfect * z, z,          side * side };
          });
    const double kappa = in["kappa"];
    return { named("regret", means.estimate([w](const auto& row) {
                 return w * (row[5] / row[4] - row[1] / row[0]);
             })),
             named("side_drift", means.ratio(2, 0)),
             named("DeltaV", means.estimate([w, kappa](const auto& row) {
                 return w * (row[1] / row[0] - row[6]) - kappa / 2 * (row[3] / row[0] - row[7]);
             })) };
}

// T36

Result<Quantities> shiftClosed(const Values& in)
{
    const double cosine = std::cos(in["theta"] / degrees), kappa = in["kappa"];
    return Quantities{ { "kappa_star",
                         cosine < 1 ? (1 + cosine) / (1 - cosine) : std::numeric_limits<double>::infinity() },
                       { "worst", ((kappa + 1) / 2 * cosine - (kappa - 1) / 2) / kappa },
                       { "largest_turn", std::asin((kappa - 1) / (kappa + 1)) * degrees } };
}

Measurements shiftSimulated(const Values& in, Draws& draws)
{
    // Search over covariances with eigenvalues 1 and 1/kappa in d = 4: the long axis and the short axis both
    // tried.
    constexpr int d = 4;
    const double angle = in["theta"] / degrees;
    Eigen::VectorXd u = Eigen::VectorXd::Zero(d), v = u;
    u[0] = 1;
    v[0] = std::cos(angle);
    v[1] = std::sin(angle);
    const Eigen::MatrixXd product = (u * v.transpose() + v * u.transpose()) / 2;
    const Eigen::MatrixXd one = Eigen::MatrixXd::Identity(d, d);
    const Eigen::VectorXd low = topDirection(one - product, normals(draws.rng, d), 20000);
    const Eigen::VectorXd high = topDirection(one + product, normals(draws.rng, d), 20000);
    const auto worst = [&](double kappa) {
        const double small = 1 / kappa;
        return std::min(
            small * u.dot(v) + (1 - small) * u.dot(low) * low.dot(v),
            u.dot(v) - (1 - small) * u.dot(high) * high.dot(v));
    };
    Measurements found{ { "worst", worst(in["kappa"]), 0 } };
    double from = 1, to = 1e7;
    if (in["theta"] < 90 && worst(to) < 0) {
        for (int step = 0; step < 200; ++step)
            (worst(std::sqrt(from * to)) > 0 ? from : to) = std::sqrt(from * to);
        found.push_back({ "kappa_star", from, 0 });
    }
    // The largest angle between x and A x, by drawing x in the plane of the extreme eigenvectors.
    double turn = 0;
    for (int i = 0; i < 20000; ++i) {
        const double at = pi / 2 * (i + .5) / 20000, x = std::cos(at), y = std::sin(at), ky = in["kappa"] * y;
        turn = std::max(turn, std::acos(std::min(1.0, (x * x + y * ky) / std::hypot(x, ky))));
    }
    found.push_back({ "largest_turn", turn * degrees, 1e-6 });
    return found;
}

} // namespace

std::vector<Statement> goodhart()
{
    const ReferenceNumbers r = referenceNumbers();
    const Input budget{ "K", .5, 0, 2, "KL(pi_c || pi_0) in nats" };
    std::vector<Statement> all;
    Statement s;
    s.id = "T32";
    s.title = "Regressional Goodhart only scales";
    s.inputs = { budget,
                 { "sV", 1, .05, 5, "standard deviation of the true value" },
                 { "s_noise", 1, 0, 5, "standard deviation of what the proxy adds" } };
    s.formula = { { "slope_ratio", "{sV}^2/({sV}^2 + {s_noise}^2)" },
                  { "gold", "sqrt(2 {K}) {sV}^2/sqrt({sV}^2 + {s_noise}^2)" },
                  { "proxy", "sqrt(2 {K}) sqrt({sV}^2 + {s_noise}^2)" } };
    s.assumptions = "Proxy = true value + independent Gaussian noise.";
    s.words = "A noisy proxy makes gains smaller, never negative: in this model gold rises with sqrt(K) for "
              "ever. A turnover "
              "needs another cause (T22, T33, T36).";
    s.source = "Regression to the mean; Gao, Schulman & Hilton 2023, equation 1.";
    s.figure = "Gold and proxy over K";
    s.sweep = { "K", { "gold", "proxy" } };
    s.closed = regressionalClosed;
    s.simulate = regressionalSimulated;
    all.push_back(s);

    s = {};
    s.id = "T33";
    s.title = "Extremal Goodhart";
    s.inputs = { { "K", .5, 0, 3, "KL(pi_c || pi_0) in nats; d = sqrt(K)" },
                 { "kappa", .3, .05, 2, "curvature of the value away from the base policy" },
                 { "gamma", r.truthJudge, -2, 2, "w*'Sigma w_c" },
                 { "s_c", r.judgeNorm, .1, 3, "spread of the judge's reward" },
                 { "A_c", 1, .1, 4, "w_c'Sigma A Sigma w_c/s_c^2; 1 for A = Sigma^-1" } };
    s.formula = { { "alpha", "sqrt(2) {gamma}/{s_c}" },
                  { "beta", "{kappa} {A_c}" },
                  { "DeltaV", "d ({alpha} - {beta} d), d = sqrt({K})" },
                  { "d_star", "{alpha}/(2 {beta})" },
                  { "peak", "{alpha}^2/(4 {beta})" },
                  { "rl_d_star", "exp({alpha}/{beta} - 1), of the form d (alpha - beta ln d)" } };
    s.assumptions = "V* = w*'h - (kappa/2)(h - mu)'A(h - mu).";
    s.words = "If value bends down far from what the base policy writes, training first helps and then "
              "hurts: exactly the curve "
              "that Gao et al. fitted for best-of-n.";
    s.source = "Derived; the forms d(alpha - beta d) and d(alpha - beta ln d): Gao, Schulman & Hilton 2023.";
    s.figure = "Gain over sqrt(K) with its peak and its return to zero";
    s.sweep = { "K", { "DeltaV", "DeltaV_rl" } };
    s.closed = extremalClosed;
    s.simulate = extremalSimulated;
    all.push_back(s);

    s = {};
    s.id = "T34";
    s.title = "Spoilers, length and gaming";
    s.inputs = { { "eta", .8, 0, 3, "how much the judge likes the spoiler" },
                 { "lambda", .5, 0, 1, "1/beta" },
                 { "rho_c", .6, -1, 1, "correlation of true value and the judge without spoiler" },
                 { "s_c", 1, .1, 2, "spread of the reward without spoiler" },
                 { "l_norm", 1, .1, 2, "spread of the spoiler (length)" },
                 { "rho_Vr", .5, -1, 1, "to debias: correlation of value and reward" },
                 { "rho_Vl", .2, -1, 1, "to debias: correlation of value and spoiler" },
                 { "rho_rl", .4, -.99, .99, "to debias: correlation of reward and spoiler" } };
    s.formula = { { "drift", "{lambda} {eta} {l_norm}^2" },
                  { "kl_share", "{eta}^2 {l_norm}^2/({s_c}^2 + {eta}^2 {l_norm}^2)" },
                  { "rho_gamed", "{rho_c}/sqrt(1 + {eta}^2 {l_norm}^2/{s_c}^2)" },
                  { "rho_debiased", "({rho_Vr} - {rho_Vl} {rho_rl})/sqrt(1 - {rho_rl}^2)" } };
    s.assumptions = "r = w_c'h + eta l'h, the spoiler l independent of w_c and of the values.";
    s.words = "What the judge likes besides the values, such as length, takes its share of the KL and "
              "drifts; projecting it out "
              "of the reward stops that.";
    s.source = "Derived; the semi-partial correlation.";
    s.figure = "Correlation and spent KL over the judge's taste for the spoiler";
    s.sweep = { "eta", { "rho_gamed", "kl_share" } };
    s.closed = gamingClosed;
    s.simulate = gamingSimulated;
    all.push_back(s);

    s = {};
    s.id = "T35";
    s.title = "Small differences of concept";
    s.inputs = { { "theta", 20, 0, 90, "angle in degrees between the values and the concept trained" },
                 budget,
                 { "kappa", .3, .01, 2, "penalty on the drift to the side" },
                 { "w_norm", 1, .05, 5, "length |w*|_S" } };
    s.formula = { { "regret", "{w_norm} sqrt(2 {K}) (1 - cos theta), theta = {theta} degrees" },
                  { "side_drift", "sin theta sqrt(2 {K})" },
                  { "DeltaV", "{w_norm} cos theta D - ({kappa}/2) sin^2 theta D^2, D = sqrt(2 {K})" },
                  { "D_star", "{w_norm} cos theta/({kappa} sin^2 theta)" } };
    s.assumptions = "Whitened; the penalty acts across the values' direction.";
    s.words = "A slightly different concept costs little at first and without bound in the end; where "
              "drifting aside is bad, "
              "more training than D* does harm.";
    s.source = "Derived.";
    s.figure = "Regret, side drift and gain over K";
    s.sweep = { "K", { "DeltaV", "regret", "side_drift" } };
    s.closed = conceptClosed;
    s.simulate = conceptSimulated;
    all.push_back(s);

    s = {};
    s.id = "T36";
    s.title = "A certificate against shifted data";
    s.inputs
        = { { "theta", std::acos(r.efficiency) * degrees, 0, 180, "angle in degrees between u_* and u_c" },
            { "kappa", 3, 1, 100, "condition number of the covariance met in use" } };
    s.formula
        = { { "kappa_star", "cot^2(theta/2) = (1 + cos theta)/(1 - cos theta), theta = {theta} degrees" },
            { "worst",
              "(({kappa} + 1) cos theta - ({kappa} - 1))/(2 {kappa}), eigenvalues from 1/kappa to 1" },
            { "largest_turn", "arcsin(({kappa} - 1)/({kappa} + 1)) in degrees" } };
    s.assumptions = "Whitened in training; any covariance of that condition number in use.";
    s.words = "How far the data may be squashed before a judge that helped in training could hurt: the "
              "smaller the angle to the "
              "values, the more.";
    s.source = "Wielandt's inequality (Householder 1964); derived.";
    s.figure = "The squashed ellipse of the worst covariance, and the certificate as a dial";
    s.sweep = { "kappa", { "worst" } };
    s.closed = shiftClosed;
    s.simulate = shiftSimulated;
    all.push_back(s);
    return all;
}

} // namespace lodestone::theory
