// T17 to T20: several principles at once, their order, their span, and several aims.
#include "core/theory/algebra.h"
#include "core/theory/numbers.h"
#include "core/theory/sampling.h"
#include "core/theory/sections.h"

#include <cmath>

namespace lodestone::theory {
namespace {

// T17

struct Mixture {
    Eigen::MatrixXd gram;
    Eigen::VectorXd gains, weights;
};
Mixture mixtureOf(const Values& in)
{
    Mixture mixture{ Eigen::MatrixXd::Identity(3, 3), Eigen::Vector3d(in["g_1"], in["g_2"], in["g_3"]),
                     Eigen::Vector3d(in["a_1"], in["a_2"], in["a_3"]) };
    mixture.gram(0, 1) = mixture.gram(1, 0) = in["G_12"];
    mixture.gram(0, 2) = mixture.gram(2, 0) = in["G_13"];
    mixture.gram(1, 2) = mixture.gram(2, 1) = in["G_23"];
    return mixture;
}

Result<Quantities> compositionClosed(const Values& in)
{
    const Mixture m = mixtureOf(in);
    if (!(smallestPivot(m.gram) > 1e-9))
        return badInput(
            "cosines that three principles can have", "a Gram matrix that is not positive definite",
            "inputs G_12, G_13, G_23");
    const double root = std::sqrt(2 * in["K"]), spread = m.weights.dot(m.gram * m.weights);
    const Eigen::VectorXd best = solve(m.gram, m.gains);
    const Eigen::MatrixXd two = m.gram.topLeftCorner(2, 2);
    const Eigen::VectorXd twoGains = m.gains.head(2);
    const double norm = best.cwiseAbs().sum();
    return Quantities{ { "interaction", spread },
                       { "DeltaV", spread > 0 ? root * m.weights.dot(m.gains) / std::sqrt(spread) : 0 },
                       { "DeltaV_best", root * std::sqrt(m.gains.dot(best)) },
                       { "DeltaV_without_3", root * std::sqrt(twoGains.dot(solve(two, twoGains))) },
                       { "share_1", norm > 0 ? best[0] / norm : 0 },
                       { "share_2", norm > 0 ? best[1] / norm : 0 },
                       { "share_3", norm > 0 ? best[2] / norm : 0 } };
}

Measurements compositionSimulated(const Values& in, Draws& draws)
{
    // Scores of the three principles, and a value that depends on them and on something else.
    const Mixture m = mixtureOf(in);
    const Eigen::Matrix3d factor = lowerFactor(m.gram);
    const Eigen::Vector3d slope = solve(m.gram, m.gains), weights = m.weights;
    const double spread = m.weights.dot(m.gram * m.weights);
    const double lambda = spread > 0 ? std::sqrt(2 * in["K"] / spread) : 0, root = std::sqrt(2 * in["K"]);
    const auto means = sample<12>(draws, 1, [&](Rng& rng, auto& row) {
        const Eigen::Vector3d x = factor * normals<3>(rng);
        const double v = slope.dot(x) + .5 * rng.normal(), w = std::exp(lambda * weights.dot(x));
        row = { w,           w * v,       v,           x[0] * x[0], x[0] * x[1], x[0] * x[2],
                x[1] * x[1], x[1] * x[2], x[2] * x[2], x[0] * v,    x[1] * v,    x[2] * v };
    });
    // Least squares of the value on the principles: what the best mix explains.
    const auto explained = [root](const std::array<double, 12>& row, int count) {
        Eigen::MatrixXd gram(3, 3);
        gram << row[3], row[4], row[5], row[4], row[6], row[7], row[5], row[7], row[8];
        const Eigen::VectorXd with = Eigen::Vector3d(row[9], row[10], row[11]).head(count);
        return root * std::sqrt(with.dot(solve(gram.topLeftCorner(count, count), with)));
    };
    return { named("DeltaV", means.estimate([](const auto& row) { return row[1] / row[0] - row[2]; })),
             named("DeltaV_best", means.estimate([&](const auto& row) { return explained(row, 3); })),
             named("DeltaV_without_3", means.estimate([&](const auto& row) { return explained(row, 2); })) };
}

// T18

Result<Quantities> orderClosed(const Values& in)
{
    const double angle = in["phi"] / degrees;
    return Quantities{ { "commutator", std::abs(std::sin(angle) * std::cos(angle)) },
                       { "rate", std::cos(angle) * std::cos(angle) },
                       { "remaining", std::pow(std::cos(angle), 2 * in["n"]) } };
}

Measurements orderSimulated(const Values& in, Draws& draws)
{
    const double angle = in["phi"] / degrees;
    Eigen::MatrixXd start(3, 3);
    for (int j = 0; j < 3; ++j)
        start.col(j) = normals(draws.rng, 3);
    const Eigen::MatrixXd frame = orthonormal(start);
    const Eigen::Vector3d first = frame.col(0),
                          second = std::cos(angle) * frame.col(0) + std::sin(angle) * frame.col(1);
    const auto onto = [](const Eigen::Vector3d& line, const Eigen::Vector3d& v) {
        return Eigen::Vector3d(line.dot(v) * line);
    };
    // Both orders on random judges: the mean square of the difference is twice the squared norm of the
    // commutator.
    const auto means = sample<1>(draws, 1, [&](Rng& rng, auto& row) {
        const Eigen::Vector3d w = normals<3>(rng);
        row[0] = (onto(first, onto(second, w)) - onto(second, onto(first, w))).squaredNorm();
    });
    // Two planes that share the third axis: alternate, and see what is left beside the shared line.
    Eigen::Vector3d v = frame.col(0);
    double last = 1, rate = 1;
    for (int cycle = 0; cycle < in.whole("n"); ++cycle) {
        for (const Eigen::Vector3d* line : { &second, &first })
            v = onto(*line, v) + onto(frame.col(2), v);
        const double left = (v - onto(frame.col(2), v)).norm();
        rate = last > 1e-12 ? left / last : rate;
        last = left;
    }
    return { named("commutator", means.estimate([](const auto& row) { return std::sqrt(row[0] / 2); })),
             { "rate", rate, 0 },
             { "remaining", last, 0 } };
}

// T19

Result<Quantities> captureClosed(const Values& in)
{
    const double d = in["d"], k = in["k"];
    if (k > d)
        return badInput("a subspace of at most d dimensions", "k greater than d", "inputs k and d");
    const double root = k == d
        ? 1
        : std::exp(
            std::lgamma((k + 1) / 2) + std::lgamma(d / 2) - std::lgamma(k / 2) - std::lgamma((d + 1) / 2));
    return Quantities{ { "F", k / d },
                       { "var_F", 2 * k * (d - k) / (d * d * (d + 2)) },
                       { "gain_fixed_lambda", in["lambda"] * k / d },
                       { "gain_fixed_K", std::sqrt(2 * in["K"]) * root } };
}

Measurements captureSimulated(const Values& in, Draws& draws)
{
    const int d = in.whole("d"), k = in.whole("k");
    const double lambda = in["lambda"], root = std::sqrt(2 * in["K"]);
    const auto means = sample<3>(draws, std::max(1, d * k / 4), [&](Rng& rng, auto& row) {
        // A random subspace; the values point along the first axis.
        Eigen::MatrixXd span(d, k);
        for (int j = 0; j < k; ++j)
            span.col(j) = normals(rng, d);
        const double captured = orthonormal(span).row(0).squaredNorm();
        row = { captured, captured * captured, std::sqrt(captured) };
    });
    return { named("F", means.mean(0)),
             named("var_F", means.estimate([](const auto& row) { return row[1] - row[0] * row[0]; })),
             named(
                 "gain_fixed_lambda", means.estimate([lambda](const auto& row) { return lambda * row[0]; })),
             named("gain_fixed_K", means.estimate([root](const auto& row) { return root * row[2]; })) };
}

// T20

Result<Quantities> aimsClosed(const Values& in)
{
    const double c = in["c"], sigma = in["sigma"], angle = in["phi"] / degrees, root = std::sqrt(2 * in["K"]);
    const double first = std::cos(angle), second = std::sin(angle);
    const double spread = sigma * std::sqrt(1 + 2 * c * first * second); // sqrt of a'C a
    const double one = root * sigma * sigma * (first + c * second) / spread;
    const double two = root * sigma * sigma * (c * first + second) / spread;
    const double boundary = (one * one - 2 * c * one * two + two * two) / (sigma * sigma * (1 - c * c));
    return Quantities{ { "gain_1", one },
                       { "gain_2", two },
                       { "budget", boundary },
                       { "equal_gain", sigma * std::sqrt(in["K"] * (1 + c)) } };
}

Measurements aimsSimulated(const Values& in, Draws& draws)
{
    const double c = in["c"], sigma = in["sigma"], angle = in["phi"] / degrees;
    const Eigen::Vector2d one(sigma, 0), two(sigma * c, sigma * std::sqrt(1 - c * c));
    const double root = std::sqrt(2 * in["K"]);
    const Eigen::Vector2d mixed = (std::cos(angle) * one + std::sin(angle) * two).normalized() * root;
    const Eigen::Vector2d equal = (one + two).normalized() * root;
    const auto means = sample<6>(draws, 1, [&](Rng& rng, auto& row) {
        const Eigen::Vector2d z = normals<2>(rng);
        const double w = std::exp(mixed.dot(z)), both = std::exp(equal.dot(z));
        row = { w, w * one.dot(z), w * two.dot(z), both, both * one.dot(z), both * two.dot(z) };
    });
    return {
        named("gain_1", means.ratio(1, 0)), named("gain_2", means.ratio(2, 0)),
        named("budget", means.estimate([&](const auto& row) {
            const double a = row[1] / row[0], b = row[2] / row[0];
            return (a * a - 2 * c * a * b + b * b) / (sigma * sigma * (1 - c * c));
        })),
        named("equal_gain", means.estimate([](const auto& row) { return (row[4] + row[5]) / 2 / row[3]; }))
    };
}

} // namespace

std::vector<Statement> composition()
{
    std::vector<Statement> all;
    Statement s;
    s.id = "T17";
    s.title = "Composition of principles";
    const char* worth = "what a principle is worth, w*'Sigma b";
    const char* cosine = "Sigma-cosine of two principles";
    s.inputs = { { "a_1", 1, -2, 2, "weight of the first principle" },
                 { "a_2", 1, -2, 2, "weight of the second principle" },
                 { "a_3", 1, -2, 2, "weight of the third principle" },
                 { "g_1", .8, -1, 1, worth },
                 { "g_2", .3, -1, 1, worth },
                 { "g_3", .5, -1, 1, worth },
                 { "G_12", .3, -.99, .99, cosine },
                 { "G_13", -.2, -.99, .99, cosine },
                 { "G_23", .1, -.99, .99, cosine },
                 { "K", .5, 0, 2, "KL(pi_c || pi_0) in nats" } };
    s.formula = { { "interaction", "a'G a" },
                  { "DeltaV", "sqrt(2 {K}) a'g/sqrt({interaction})" },
                  { "DeltaV_best", "sqrt(2 {K} g'G^{-1}g)" } };
    s.assumptions = "w_c = sum a_i b_i with principles of Sigma-norm 1.";
    s.words = "Gains add at a fixed lambda; at a fixed KL they add only after the interaction of the "
              "principles: two that say "
              "the same give no more than one. Another principle never lowers the best that can be reached.";
    s.source = "Derived; the best weights are G^{-1}g.";
    s.figure = "Gain over the triangle of mixtures of three principles";
    s.sweep = { "a_1", { "DeltaV", "DeltaV_best" } };
    s.closed = compositionClosed;
    s.simulate = compositionSimulated;
    all.push_back(s);

    s = {};
    s.id = "T18";
    s.title = "The order of principles";
    s.inputs = { { "phi", 35, 0, 90, "angle in degrees between two principles" },
                 { "n", 3, 1, 40, "cycles of both in turn", true } };
    s.formula = { { "commutator", "|sin phi cos phi| at phi = {phi} degrees" },
                  { "rate", "cos^2 phi for each cycle" },
                  { "remaining", "(cos phi)^(2 {n})" } };
    s.assumptions = "Each principle projects what the one before has left.";
    s.words = "Applying two principles one after the other depends on their order, most at 45 degrees; "
              "alternating for long "
              "leaves only what both agree on.";
    s.source = "Norm of [P_1, P_2]; alternating projections (von Neumann 1950).";
    s.figure = "The commutator and what remains after n cycles over the angle";
    s.sweep = { "phi", { "commutator", "remaining" } };
    s.label = Label::General;
    s.closed = orderClosed;
    s.simulate = orderSimulated;
    all.push_back(s);

    s = {};
    s.id = "T19";
    s.title = "What a random subspace captures";
    s.inputs = { { "d", 16, 2, 64, "dimension of the representation", true },
                 { "k", 4, 1, 64, "dimension of the constitution's subspace", true },
                 { "lambda", 1, 0, 3, "1/beta, for the gain at a fixed lambda (|u_*| = 1)" },
                 { "K", .5, 0, 2, "KL in nats, for the gain at a fixed KL" } };
    s.formula = { { "F", "E |P u_*|^2/|u_*|^2 = {k}/{d}" },
                  { "var_F", "2 {k} ({d} - {k})/({d}^2 ({d} + 2))" },
                  { "gain_fixed_lambda", "{lambda} F" },
                  { "gain_fixed_K", "sqrt(2 {K}) E sqrt(F)" } };
    s.assumptions = "A uniformly random subspace. One that contains the value's own low-dimensional subspace "
                    "has F = 1.";
    s.words = "A constitution chosen blindly catches little of the values; one that hits the few dimensions "
              "in which they lie "
              "catches all, and removing these removes all.";
    s.source = "F is Beta(k/2, (d-k)/2) distributed.";
    s.figure = "Histogram of F against the Beta density";
    s.sweep = { "k", { "F", "gain_fixed_K" } };
    s.label = Label::General;
    s.closed = captureClosed;
    s.simulate = captureSimulated;
    all.push_back(s);

    s = {};
    s.id = "T20";
    s.title = "Several aims";
    s.inputs = { { "c", .3, -.95, .95, "correlation of the two aims" },
                 { "phi", 30, 0, 90, "weight as an angle in degrees: 0 is the first aim alone" },
                 { "sigma", 1, .05, 5, "standard deviation of each aim" },
                 { "K", .5, 0, 2, "KL(pi_c || pi_0) in nats" } };
    s.formula = { { "gain_1", "sqrt(2 {K}) (C a)_1/sqrt(a'C a), a = (cos phi, sin phi)" },
                  { "gain_2", "sqrt(2 {K}) (C a)_2/sqrt(a'C a)" },
                  { "budget", "v'C^{-1}v = 2 K on the boundary" },
                  { "equal_gain", "{sigma} sqrt({K} (1 + {c}))" } };
    s.assumptions = "Two linear aims of equal spread; C their covariance.";
    s.words = "What can be gained of two aims at once is an ellipse; the mixtures of both run along its "
              "outer arc. The more the "
              "aims agree, the more of both.";
    s.source = "Derived.";
    s.figure = "Ellipse of attainable gains with the Pareto arc";
    s.sweep = { "phi", { "gain_1", "gain_2" } };
    s.closed = aimsClosed;
    s.simulate = aimsSimulated;
    all.push_back(s);
    return all;
}

} // namespace lodestone::theory
