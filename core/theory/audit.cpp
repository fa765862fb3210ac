// T47 to T51: auditing reward models, stale rewards, and pruned ranks.
#include "core/theory/algebra.h"
#include "core/theory/instance.h"
#include "core/theory/numbers.h"
#include "core/theory/sampling.h"
#include "core/theory/sections.h"

#include <algorithm>
#include <cmath>

namespace lodestone::theory {
namespace {

// T47

/// E sigma(cZ)(1 - sigma(cZ)), half the variance of a pair's difference in x.
double within(double c)
{
    return normalExpectation([c](double z) {
        const double p = sigmoid(c * z);
        return p * (1 - p);
    });
}

Result<Quantities> imprintClosed(const Values& in)
{
    const double c = in["c"],
                 with = in["a"] * normalExpectation([c](double z) { return z * sigmoid(c * z); });
    const double spread = within(c);
    return Quantities{ { "within", in["beta"] },
                       { "pooled", in["beta"] + with / .25 }, // half of the texts have the feature
                       { "cov_x_alpha", with },
                       { "se_within", in["sigma"] / std::sqrt(in["n"] * spread) } };
}

Measurements imprintSimulated(const Values& in, Draws& draws)
{
    struct Pair {
        double x[2], r[2];
    };
    const auto draw = [&](Rng& rng) {
        Pair pair{};
        const double z = rng.normal();
        for (int i = 0; i < 2; ++i) {
            pair.x[i] = rng.uniform() < sigmoid(in["c"] * z) ? 1 : 0;
            pair.r[i] = in["a"] * z + in["beta"] * pair.x[i] + in["sigma"] * rng.normal();
        }
        return pair;
    };
    const auto means = sample<6>(draws, 1, [&](Rng& rng, auto& row) {
        const Pair p = draw(rng);
        const double dx = p.x[0] - p.x[1], dr = p.r[0] - p.r[1];
        row = { dx * dr,
                dx * dx,
                (p.x[0] + p.x[1]) / 2,
                (p.r[0] + p.r[1]) / 2,
                (p.x[0] * p.r[0] + p.x[1] * p.r[1]) / 2,
                (p.x[0] * p.x[0] + p.x[1] * p.x[1]) / 2 };
    });
    const int n = in.whole("n");
    const auto studies = sample<2>(draws, std::max(1, n / 10), [&](Rng& rng, auto& row) {
        double product = 0, square = 0;
        for (int i = 0; i < n; ++i) {
            const Pair p = draw(rng);
            product += (p.x[0] - p.x[1]) * (p.r[0] - p.r[1]);
            square += (p.x[0] - p.x[1]) * (p.x[0] - p.x[1]);
        }
        const double slope = square > 0 ? product / square : 0;
        row = { slope, slope * slope };
    });
    return { named("within", means.ratio(0, 1)), named("pooled", means.estimate([](const auto& row) {
                 return (row[4] - row[2] * row[3]) / (row[5] - row[2] * row[2]);
             })),
             named("cov_x_alpha", means.estimate([&](const auto& row) {
                 return row[4] - row[2] * row[3] - in["beta"] * (row[5] - row[2] * row[2]);
             })),
             named("se_within", studies.estimate([](const auto& row) {
                 return std::sqrt(std::max(row[1] - row[0] * row[0], 0.0));
             })) };
}

// T48

Result<Quantities> resistanceClosed(const Values& in)
{
    const double a = in["rho_hr"], b = in["rho_hl"], c = in["rho_rl"];
    LODESTONE_CHECK(checkCorrelations(a, b, c, "rho_hr, rho_hl, rho_rl"));
    return Quantities{ { "resistance", std::acos(a) / pi },
                       { "angle", std::acos(a) * degrees },
                       { "agree_all", .25 + (std::asin(a) + std::asin(b) + std::asin(c)) / (2 * pi) },
                       { "implied_angle", 180 * in["p"] },
                       { "implied_rho", std::cos(pi * in["p"]) },
                       { "agree_from_pairs", (in["a_12"] + in["a_13"] + in["a_23"] - 1) / 2 } };
}

Measurements resistanceSimulated(const Values& in, Draws& draws)
{
    const Trivariate scores(in["rho_hr"], in["rho_hl"], in["rho_rl"]);
    const auto means = sample<2>(draws, 1, [&](Rng& rng, auto& row) {
        const Eigen::Vector3d d = scores.draw(rng);
        const bool human = d[0] > 0, model = d[1] > 0, labeler = d[2] > 0;
        row = { human != model ? 1.0 : 0.0, human == model && model == labeler ? 1.0 : 0.0 };
    });
    return { named("resistance", means.mean(0)), named("agree_all", means.mean(1)),
             named("angle", means.estimate([](const auto& row) { return 180 * row[0]; })) };
}

// T49

Result<Quantities> robustnessClosed(const Values& in)
{
    const double m = in["m"], s = in["s"];
    const auto flips
        = [&](double lowered) { return std::max(0.0, normalCdf((lowered - m) / s) - normalCdf(-m / s)); };
    const double feature = flips(in["D"]), plain = flips(in["D_0"]);
    Quantities out{ { "flip", feature }, { "flip_without", plain }, { "lpm", feature - plain } };
    if (feature > 0 && plain > 0)
        out.push_back({ "logit_coefficient", logit(feature) - logit(plain) });
    return out;
}

Measurements robustnessSimulated(const Values& in, Draws& draws)
{
    const auto means = sample<2>(draws, 1, [&](Rng& rng, auto& row) {
        const double margin = in["m"] + in["s"] * rng.normal();
        row = { margin > 0 && margin - in["D"] <= 0 ? 1.0 : 0.0,
                margin > 0 && margin - in["D_0"] <= 0 ? 1.0 : 0.0 };
    });
    Measurements found{ named("flip", means.mean(0)), named("flip_without", means.mean(1)),
                        named("lpm", means.estimate([](const auto& row) { return row[0] - row[1]; })) };
    if (in["D"] > .02 && in["D_0"] > .02)
        found.push_back(named("logit_coefficient", means.estimate([](const auto& row) {
            return logit(row[0]) - logit(row[1]);
        })));
    return found;
}

// T50

Result<Quantities> staleClosed(const Values& in)
{
    const Eigen::Vector3d w = vectorAt(in, "w_");
    const double lambda = in["lambda"], kappa = in["kappa"], squared = w.squaredNorm(), d = 3, A = in["A"];
    const double narrow = 1 + lambda * kappa, m = lambda / narrow;
    return Quantities{ { "base", -kappa / 2 * d },
                       { "canonical", lambda * A * squared - kappa / 2 * (lambda * lambda * squared + d) },
                       { "direct", m * squared - kappa / 2 * (m * m * squared + d / narrow) },
                       { "K_canonical", lambda * lambda * squared / 2 },
                       { "K_direct", (d / narrow + m * m * squared - d + d * std::log(narrow)) / 2 } };
}

Measurements staleSimulated(const Values& in, Draws& draws)
{
    const Eigen::Vector3d w = vectorAt(in, "w_");
    const double lambda = in["lambda"], kappa = in["kappa"], A = in["A"], norm = w.norm();
    // The distilled direction, turned away from w by arccos A.
    Eigen::Vector3d aside = Eigen::Vector3d(-w[1], w[0], w[2] + 1);
    aside -= aside.dot(w) / std::max(norm * norm, 1e-12) * w;
    const Eigen::Vector3d learned = A * w + std::sqrt(1 - A * A) * norm * aside.normalized();
    const auto means = sample<7>(draws, 1, [&](Rng& rng, auto& row) {
        const Eigen::Vector3d h = normals<3>(rng);
        const double score = w.dot(h) - kappa / 2 * h.squaredNorm();
        const double canonical = std::exp(lambda * learned.dot(h)), direct = std::exp(lambda * score);
        row = { canonical, canonical * score, canonical * lambda * learned.dot(h),
                direct,    direct * score,    direct * lambda * score,
                score };
    });
    return {
        named("base", means.mean(6)), named("canonical", means.ratio(1, 0)),
        named("direct", means.ratio(4, 3)), named("K_canonical", means.estimate([](const auto& row) {
            return row[2] / row[0] - std::log(row[0]);
        })),
        named("K_direct", means.estimate([](const auto& row) { return row[5] / row[3] - std::log(row[3]); }))
    };
}

// T51

Result<Quantities> pruningClosed(const Values& in)
{
    const double cosine = std::cos(in["phi"] / degrees), sine = std::sin(in["phi"] / degrees);
    if (in["k"] > in["d"])
        return badInput("a subspace of at most d dimensions", "k greater than d", "inputs k and d");
    return Quantities{ { "value_left", 0 },
                       { "utility_left", sine * sine },
                       { "value_left_isolated", cosine * cosine },
                       { "utility_left_isolated", 1 },
                       { "random_removed", in["k"] / in["d"] } };
}

Measurements pruningSimulated(const Values& in, Draws& draws)
{
    // W maps one input feature to the value's output direction and another to the utility's, at the angle
    // phi.
    const int d = in.whole("d"), k = in.whole("k");
    const double angle = in["phi"] / degrees;
    Eigen::MatrixXd start(d, 2);
    start.col(0) = normals(draws.rng, d);
    start.col(1) = normals(draws.rng, d);
    const Eigen::MatrixXd frame = orthonormal(start);
    const Eigen::VectorXd value = frame.col(0),
                          utility = std::cos(angle) * frame.col(0) + std::sin(angle) * frame.col(1);
    // The top output direction of safety and of utility responses, from their outputs.
    const auto top = [&](const Eigen::VectorXd& direction) {
        Eigen::MatrixXd second = Eigen::MatrixXd::Zero(d, d);
        for (int i = 0; i < 100; ++i) {
            const double feature = draws.rng.normal();
            second += feature * feature * direction * direction.transpose();
        }
        return topDirection(second, normals(draws.rng, d), 300);
    };
    const Eigen::VectorXd safety = top(value), useful = top(utility);
    const auto onto = [](const Eigen::VectorXd& line, const Eigen::VectorXd& v) {
        return Eigen::VectorXd(line.dot(v) * line);
    };
    const auto pruned
        = [&](const Eigen::VectorXd& column) { return Eigen::VectorXd(column - onto(safety, column)); };
    const auto isolated = [&](const Eigen::VectorXd& column) {
        const Eigen::VectorXd part = onto(safety, column);
        return Eigen::VectorXd(column - part + onto(useful, part));
    };
    const auto random = sample<1>(draws, std::max(1, d * k / 4), [&](Rng& rng, auto& row) {
        Eigen::MatrixXd span(d, k);
        for (int j = 0; j < k; ++j)
            span.col(j) = normals(rng, d);
        row[0] = (orthonormal(span).transpose() * value).squaredNorm();
    });
    return { { "value_left", value.dot(pruned(value)), 0 },
             { "utility_left", utility.dot(pruned(utility)), 0 },
             { "value_left_isolated", value.dot(isolated(value)), 0 },
             { "utility_left_isolated", utility.dot(isolated(utility)), 0 },
             named("random_removed", random.mean(0)) };
}

} // namespace

std::vector<Statement> audit()
{
    std::vector<Statement> all;
    Statement s;
    s.id = "T47";
    s.title = "Fixed effects against pooled regression";
    s.inputs = { { "beta", 1.5, -3, 3, "reward points that a feature adds" },
                 { "a", 2, -4, 4, "how strongly a pair's level (alpha = a Z) moves the reward" },
                 { "c", 1, 0, 3, "how strongly the same level makes the feature frequent" },
                 { "sigma", 1, .1, 4, "noise of one reward" },
                 { "n", 500, 50, 5000, "pairs of a study", true } };
    s.formula = { { "within", "{beta}" },
                  { "pooled", "{beta} + Cov(x, alpha)/Var(x) = {beta} + {cov_x_alpha}/0.25" },
                  { "se_within", "{sigma}/sqrt({n} E p(1 - p)), p = sigma({c} Z)" } };
    s.assumptions
        = "r = alpha_i + beta x + noise; x appears with probability sigma(c Z) in both texts of a pair.";
    s.words = "What a reward model pays for a feature must be read within pairs; pooled over all texts, the "
              "level of the topic "
              "is counted as the feature's.";
    s.source = "Within estimator; omitted variables. Compare Revel et al. 2024 (SEAL).";
    s.figure = "Both estimates over the strength of the pair's level";
    s.sweep = { "a", { "within", "pooled" } };
    s.label = Label::General;
    s.asymptotic = true;
    s.closed = imprintClosed;
    s.simulate = imprintSimulated;
    all.push_back(s);

    s = {};
    s.id = "T48";
    s.title = "Resistance is an angle";
    const char* agreement = "a published agreement of two labelers, decided cases";
    s.inputs = { { "rho_hr", .685, -1, 1, "correlation of people and reward model" },
                 { "rho_hl", .6, -1, 1, "correlation of people and LM labeler" },
                 { "rho_rl", .6, -1, 1, "correlation of reward model and LM labeler" },
                 { "p", .26, 0, 1, "a published resistance, to invert" },
                 { "a_12", .7288, 0, 1, agreement },
                 { "a_13", .8041, 0, 1, agreement },
                 { "a_23", .7703, 0, 1, agreement } };
    s.formula = { { "resistance", "arccos({rho_hr})/pi" },
                  { "agree_all", "1/4 + (arcsin {rho_hr} + arcsin {rho_hl} + arcsin {rho_rl})/(2 pi)" },
                  { "implied_rho", "cos(pi {p})" },
                  { "agree_from_pairs", "({a_12} + {a_13} + {a_23} - 1)/2" } };
    s.assumptions = "Gaussian pairs without noise; the last line holds for any three labelers who decide.";
    s.words = "The share of pairs on which a reward model contradicts people is the angle between its "
              "direction and theirs.";
    s.source = "Orthant probabilities (Sheppard 1899). An interpretation, not a claim of Revel et al. 2024.";
    s.figure = "Spherical triangle of people, reward model and LM labeler";
    s.sweep = { "rho_hr", { "resistance", "agree_all" } };
    s.closed = resistanceClosed;
    s.simulate = resistanceSimulated;
    all.push_back(s);

    s = {};
    s.id = "T49";
    s.title = "Robustness to rewriting";
    s.inputs = { { "D", .3, 0, 3, "how far losing the feature lowers the margin" },
                 { "D_0", .1, 0, 3, "how far any rewriting lowers it" },
                 { "m", .6, -3, 3, "mean margin of the reward model" },
                 { "s", 1, .1, 4, "its spread" } };
    s.formula = { { "flip", "Phi(({D} - {m})/{s}) - Phi(-{m}/{s})" },
                  { "lpm", "{flip} - {flip_without}" },
                  { "logit_coefficient", "logit {flip} - logit {flip_without}" } };
    s.assumptions = "Margins N(m, s^2).";
    s.words = "A coefficient of a robustness audit is a difference of probabilities or of log-odds; the two "
              "are different "
              "numbers and must be labelled.";
    s.source = "Derived. Compare Revel et al. 2024.";
    s.figure = "Share of pairs that flip over the size of the change";
    s.sweep = { "D", { "flip", "lpm" } };
    s.closed = robustnessClosed;
    s.simulate = robustnessSimulated;
    all.push_back(s);

    s = {};
    s.id = "T50";
    s.title = "Canonical against direct RLAIF";
    s.inputs = { { "lambda", 2, 0, 2, "1/beta" },
                 { "kappa", .5, .05, 2, "curvature of the judge" },
                 { "A", 1, 0, 1, "cosine of the distilled reward with the judge at pi_0 (T25)" } };
    for (const Input& input : vectorInputs("w_", { 1, .4, -.2 }, "coordinate of the judge's direction")) {
        s.inputs.push_back(input);
        s.inputs.back().low = -1;
        s.inputs.back().high = 1;
    }
    s.formula = {
        { "canonical", "{lambda} {A} |w|^2 - {kappa}/2 ({lambda}^2 |w|^2 + d)" },
        { "direct",
          "m |w|^2 - {kappa}/2 (m^2 |w|^2 + d/(1 + {lambda} {kappa})), m = {lambda}/(1 + {lambda} {kappa})" },
        { "K_canonical", "{lambda}^2 |w|^2/2" },
        { "K_direct", "(d/(1 + {lambda} {kappa}) + m^2 |w|^2 - d + d ln(1 + {lambda} {kappa}))/2" }
    };
    s.assumptions
        = "Judge r = w'h - (kappa/2)|h|^2, pi_0 = N(0, 1) in d = 3; the distilled reward is linear.";
    s.words = "A reward model distilled once does not see where the judge bends: asking the judge itself "
              "gains more at far less "
              "KL.";
    s.source = "Derived. Canonical and direct RLAIF: Lee et al. 2023.";
    s.figure = "The judge's score of both over lambda";
    s.sweep = { "lambda", { "canonical", "direct", "base" } };
    s.closed = staleClosed;
    s.simulate = staleSimulated;
    all.push_back(s);

    s = {};
    s.id = "T51";
    s.title = "Pruning the safety ranks";
    s.inputs = { { "phi", 50, 0, 90, "angle in degrees between the outputs of value and utility" },
                 { "d", 16, 2, 64, "width of the output", true },
                 { "k", 4, 1, 64, "ranks removed at random, for comparison", true } };
    s.formula = { { "utility_left", "u_u'(1 - Pi_s)u_u = sin^2 phi, phi = {phi} degrees" },
                  { "value_left_isolated", "cos^2 phi after W - (1 - Pi_u)Pi_s W" },
                  { "random_removed", "{k}/{d}" } };
    s.assumptions
        = "Rank one each; safety responses use the value's feature alone, utility responses the other.";
    s.words = "Projecting the safety ranks off removes the value and what utility shares with them; "
              "restricted to what utility "
              "does not use, utility stays whole.";
    s.source = "Derived. ActSVD: Wei et al. 2024.";
    s.figure = "What is left of value and utility over their angle";
    s.sweep = { "phi", { "utility_left", "value_left_isolated" } };
    s.closed = pruningClosed;
    s.simulate = pruningSimulated;
    all.push_back(s);
    return all;
}

} // namespace lodestone::theory
