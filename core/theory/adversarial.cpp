// T14 to T16: what a constitution can do against the values, in whitened coordinates.
#include "core/theory/algebra.h"
#include "core/theory/instance.h"
#include "core/theory/numbers.h"
#include "core/theory/sampling.h"
#include "core/theory/sections.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace lodestone::theory {
namespace {

/// d random orthonormal directions.
Eigen::MatrixXd randomFrame(Rng& rng, int d, int columns)
{
    Eigen::MatrixXd g(d, columns);
    for (int j = 0; j < columns; ++j)
        g.col(j) = normals(rng, d);
    return orthonormal(g);
}

/// The covariance of two linear scores of a standard normal vector, by draws.
Spread measuredCovariance(const Eigen::VectorXd& a, const Eigen::VectorXd& b, Draws& draws)
{
    const auto means = sample<3>(draws, static_cast<int>(a.size()) / 2, [&](Rng& rng, auto& row) {
        const Eigen::VectorXd z = normals(rng, a.size());
        row = { a.dot(z), b.dot(z), a.dot(z) * b.dot(z) };
    });
    return means.estimate([](const auto& row) { return row[2] - row[0] * row[1]; });
}

// T14

Result<Quantities> thalesClosed(const Values& in)
{
    const double angle = in["phi"] / degrees, theta = in["theta"] / degrees, w = in["w_norm"];
    const double along = w * std::cos(angle) * std::cos(angle),
                 across = w * std::cos(angle) * std::sin(angle);
    return Quantities{ { "v_1", along },
                       { "v_2", across },
                       { "radius", w / 2 },
                       { "distance", std::hypot(along - w / 2, across) },
                       { "gain_rate", in["s_norm"] * (std::cos(theta) * along + std::sin(theta) * across) } };
}

Measurements thalesSimulated(const Values& in, Draws& draws)
{
    const int d = in.whole("d");
    const double angle = in["phi"] / degrees, theta = in["theta"] / degrees;
    const Eigen::MatrixXd frame = randomFrame(draws.rng, d, 2);
    const Eigen::VectorXd w = in["w_norm"] * frame.col(0);
    const Eigen::VectorXd s
        = in["s_norm"] * (std::cos(theta) * frame.col(0) + std::sin(theta) * frame.col(1));
    const Eigen::VectorXd line = std::cos(angle) * frame.col(0) + std::sin(angle) * frame.col(1);
    const Eigen::VectorXd kept = line.dot(w) * line;
    // Projectors of every rank, in random positions, all end on the sphere.
    const auto spheres = sample<1>(draws, d * d, [&](Rng& rng, auto& row) {
        const int rank = 1 + static_cast<int>(rng.below(static_cast<std::uint32_t>(d)));
        const Eigen::MatrixXd basis = randomFrame(rng, d, rank);
        Eigen::VectorXd v = Eigen::VectorXd::Zero(d);
        for (Eigen::Index j = 0; j < basis.cols(); ++j)
            v += basis.col(j).dot(w) * basis.col(j);
        row[0] = (v - w / 2).norm();
    });
    return { named("radius", spheres.mean(0)),
             { "v_1", kept.dot(frame.col(0)), 0 },
             { "v_2", kept.dot(frame.col(1)), 0 },
             named("gain_rate", measuredCovariance(s, kept, draws)) };
}

// T15

Result<Quantities> rangeClosed(const Values& in)
{
    const double both = in["s_norm"] * in["w_norm"], cosine = in["cos_theta"];
    return Quantities{ { "gain_min", -both * (1 - cosine) / 2 },
                       { "gain_max", both * (1 + cosine) / 2 },
                       { "neutral", both * cosine },
                       { "theta", std::acos(cosine) * degrees } };
}

Measurements rangeSimulated(const Values& in, Draws& draws)
{
    // The best and the worst line by power iteration on n -> (s.n)(n.w), made positive by a multiple of 1.
    const int d = in.whole("d");
    const Eigen::MatrixXd frame = randomFrame(draws.rng, d, 2);
    const double cosine = in["cos_theta"];
    const Eigen::VectorXd s = in["s_norm"] * frame.col(0);
    const Eigen::VectorXd w
        = in["w_norm"] * (cosine * frame.col(0) + std::sqrt(1 - cosine * cosine) * frame.col(1));
    const Eigen::MatrixXd product = (s * w.transpose() + w * s.transpose()) / 2;
    const Eigen::MatrixXd lift = Eigen::MatrixXd::Identity(d, d) * (s.norm() * w.norm());
    const auto gain = [&](const Eigen::VectorXd& n) { return s.dot(n) * n.dot(w); };
    const Eigen::VectorXd best = topDirection(product + lift, normals(draws.rng, d), 20000);
    const Eigen::VectorXd worst = topDirection(lift - product, normals(draws.rng, d), 20000);
    return { { "gain_max", gain(best), 0 },
             { "gain_min", gain(worst), 0 },
             named("neutral", measuredCovariance(s, w, draws)) };
}

// T16

constexpr int directions = 5;

Eigen::VectorXd encodedGains(const Values& in)
{
    Eigen::VectorXd g(directions);
    for (int j = 0; j < directions; ++j)
        g[j] = in[fmt::format("g_{}", j + 1)];
    return g;
}

Result<Quantities> activationClosed(const Values& in)
{
    const Eigen::VectorXd g = encodedGains(in);
    const double root = std::sqrt(2 * in["K"]);
    double pro = 0, anti = 0;
    for (const double one : g)
        (one > 0 ? pro : anti) += one * one;
    return Quantities{ { "worst", -root * std::sqrt(anti) },
                       { "best", root * std::sqrt(pro) },
                       { "signed_reach", root * g.norm() },
                       { "adversarial_exists", anti > 0 ? 1.0 : 0.0 } };
}

Measurements activationSimulated(const Values& in, Draws& draws)
{
    // The activations by projected ascent from a random start; their gain at K by draws.
    const Eigen::VectorXd g = encodedGains(in);
    const auto pattern = [&](const Eigen::VectorXd& aim, bool onlyPositive) {
        Eigen::VectorXd a = normals(draws.rng, directions).cwiseAbs();
        for (int i = 0; i < 4000; ++i) {
            a = .99 * a + .01 * aim;
            if (onlyPositive)
                a = a.cwiseMax(0);
        }
        const double norm = a.norm();
        a *= norm > 1e-9 ? 1 / norm : 0;
        return a;
    };
    const double root = std::sqrt(2 * in["K"]);
    const auto gain = [&](const Eigen::VectorXd& a) {
        const auto means = sample<3>(draws, 2, [&](Rng& rng, auto& row) {
            const Eigen::VectorXd x = normals(rng, directions);
            const double w = std::exp(root * a.dot(x));
            row = { w, w * g.dot(x), g.dot(x) };
        });
        return means.estimate([](const auto& row) { return row[1] / row[0] - row[2]; });
    };
    return { named("worst", gain(pattern(-g, true))), named("best", gain(pattern(g, true))),
             named("signed_reach", gain(pattern(g, false))) };
}

} // namespace

std::vector<Statement> adversarial()
{
    const ReferenceNumbers r = referenceNumbers();
    std::vector<Statement> all;
    Statement s;
    s.id = "T14";
    s.title = "The Thales sphere of constitutions";
    s.inputs = { { "phi", 30, -90, 90,
                   "angle in degrees between the judge's direction and the constitution's line" },
                 { "theta", 60, 0, 180, "angle in degrees between true values and the judge's direction" },
                 { "w_norm", 1, .05, 5, "length |u_J| of the judge's whitened direction" },
                 { "s_norm", 1, .05, 5, "length |u_*| of the values' whitened direction" },
                 { "d", 6, 2, 30, "dimension in which the simulation draws projectors", true } };
    s.formula = { { "v_1", "{w_norm} cos^2 phi, along w; phi = {phi} degrees" },
                  { "v_2", "{w_norm} cos phi sin phi, across" },
                  { "distance", "|P w - w/2| = {radius} for every projector P" },
                  { "gain_rate", "s.P w" } };
    s.assumptions = "A constitution is an orthogonal projector in whitened space.";
    s.words = "Whatever part of the judgment a constitution keeps, the result lies on the sphere whose "
              "diameter runs from 0 to "
              "the judge's direction; a single principle already reaches each of its points.";
    s.source = "Thales: P w is perpendicular to w - P w. Derived.";
    s.figure = "Circle through 0 and w; the constitution as a point on it, its shadow on s is the gain for "
               "each lambda";
    s.sweep = { "phi", { "gain_rate", "distance" } };
    s.closed = thalesClosed;
    s.simulate = thalesSimulated;
    all.push_back(s);

    s = {};
    s.id = "T15";
    s.title = "Adversarial constitutions exist";
    s.inputs = { { "cos_theta", r.efficiency, -1, 1, "cosine of true values and the judge's direction" },
                 { "s_norm", r.truthNorm, .05, 5, "length |u_*|" },
                 { "w_norm", r.judgeNorm, .05, 5, "length |u_J|" },
                 { "d", 6, 2, 30, "dimension of the simulation", true } };
    s.formula = { { "gain_min", "-{s_norm} {w_norm} (1 - {cos_theta})/2" },
                  { "gain_max", "{s_norm} {w_norm} (1 + {cos_theta})/2" },
                  { "neutral", "s.w = {s_norm} {w_norm} {cos_theta}, without a constitution" } };
    s.assumptions = "A constitution is an orthogonal projector in whitened space. For projectors inside a "
                    "span S replace s and "
                    "w by their parts in S.";
    s.words = "Unless the judge is exactly parallel to true values some constitution makes training harmful, "
              "even when the "
              "judge is pro-social on average; and some constitution does better than none.";
    s.source = "The extremes of s.P w are (s.w -+ |s||w|)/2, reached at the bisectors; derived. The claim: "
               "Young 2026, abstract.";
    s.figure = "The range of gains over the angle between values and judge";
    s.sweep = { "cos_theta", { "gain_min", "gain_max", "neutral" } };
    s.closed = rangeClosed;
    s.simulate = rangeSimulated;
    all.push_back(s);

    s = {};
    s.id = "T16";
    s.title = "Anti-social directions";
    constexpr double g[directions] = { .8, .3, -.2, -.6, .1 };
    s.inputs = { { "K", .7, 0, 2, "KL(pi_c || pi_0) in nats" } };
    for (int j = 0; j < directions; ++j)
        s.inputs.push_back(
            { fmt::format("g_{}", j + 1), g[j], -1, 1, "what an encoded direction is worth, w*'Sigma b" });
    s.formula = { { "worst", "-sqrt(2 {K}) sqrt(sum of g_j^2 where g_j < 0)" },
                  { "best", "sqrt(2 {K}) sqrt(sum of g_j^2 where g_j > 0)" },
                  { "signed_reach", "sqrt(2 {K}) |g|, when activations may be negative" } };
    s.assumptions = "w_c = B'a with activations a >= 0; encoded directions Sigma-orthonormal.";
    s.words = "A constitution that activates what the model learned of anti-social norms does harm in "
              "proportion to how well "
              "these are encoded.";
    s.source = "Derived. Compare Young 2026, abstract (iii).";
    s.figure = "Bars of g_j, pro and anti, with the worst and the best pattern of activations";
    s.sweep = { "g_4", { "worst", "best" } };
    s.closed = activationClosed;
    s.simulate = activationSimulated;
    all.push_back(s);
    return all;
}

} // namespace lodestone::theory
