// T42 to T46: directions as displacements, ablation, and how well probes find them.
#include "core/geometry/encoding.h"
#include "core/theory/algebra.h"
#include "core/theory/instance.h"
#include "core/theory/numbers.h"
#include "core/theory/sampling.h"
#include "core/theory/sections.h"

#include <algorithm>
#include <cmath>

namespace lodestone::theory {
namespace {

// T42

Result<Quantities> additionClosed(const Values& in)
{
    LODESTONE_TRY(const Instance m, instanceAt(in));
    const Eigen::Vector3d shift = in["lambda"] * (m.sigma * m.judge);
    const double norms = shift.norm() * m.judge.norm();
    return Quantities{ { "shift_1", shift[0] },
                       { "shift_2", shift[1] },
                       { "shift_3", shift[2] },
                       { "cos_read_steer", norms > 0 ? shift.dot(m.judge) / norms : 0 },
                       { "DeltaV", m.truth.dot(shift) } };
}

Measurements additionSimulated(const Values& in, Draws& draws)
{
    // Difference of means between draws of the tilted policy (by weights) and draws of the base.
    const Instance m = instanceAt(in).value();
    const Eigen::Matrix3d factor = m.factor();
    const double lambda = in["lambda"];
    const auto means = sample<9>(draws, 1, [&](Rng& rng, auto& row) {
        const Eigen::Vector3d h = factor * normals<3>(rng), base = factor * normals<3>(rng);
        const double w = std::exp(lambda * m.judge.dot(h));
        row = { w,       w * h[0], w * h[1],           w * h[2],         base[0],
                base[1], base[2],  w * m.truth.dot(h), m.truth.dot(base) };
    });
    const auto displacement = [](const std::array<double, 9>& row) {
        return Eigen::Vector3d(row[1] / row[0] - row[4], row[2] / row[0] - row[5], row[3] / row[0] - row[6]);
    };
    Measurements found{
        named("shift_1", means.estimate([&](const auto& row) { return displacement(row)[0]; })),
        named("shift_2", means.estimate([&](const auto& row) { return displacement(row)[1]; })),
        named("shift_3", means.estimate([&](const auto& row) { return displacement(row)[2]; })),
        named("DeltaV", means.estimate([](const auto& row) { return row[7] / row[0] - row[8]; })),
    };
    if (lambda > .1 && m.judge.norm() > .1)
        found.push_back(named("cos_read_steer", means.estimate([&](const auto& row) {
            const Eigen::Vector3d d = displacement(row);
            return d.dot(m.judge) / (d.norm() * m.judge.norm());
        })));
    return found;
}

// Two classes N(+-delta/2, Sigma)

std::vector<Input> classInputs()
{
    std::vector<Input> inputs = covarianceInputs();
    for (Input& input : inputs)
        if (input.name == "Sigma_12")
            input.standard = .6;
    return joined(
        { vectorInputs("delta_", { 1, 0, .4 }, "coordinate of the difference of the class means"), inputs });
}

/// The share of draws on the right side of a linear score; a score of 0 counts half.
Spread measuredAccuracy(
    const Eigen::Vector3d& probe, const Eigen::Vector3d& delta, const Eigen::Matrix3d& factor, Draws& draws)
{
    const auto means = sample<1>(draws, 1, [&](Rng& rng, auto& row) {
        const double side = rng.uniform() < .5 ? 1 : -1;
        const double score = side * probe.dot(side / 2 * delta + factor * normals<3>(rng));
        row[0] = std::abs(score) < 1e-12 ? .5 : score > 0 ? 1 : 0;
    });
    return means.mean(0);
}

double accuracyOf(double separation, double spread)
{
    return spread > 0 ? normalCdf(separation / (2 * spread)) : .5;
}

// T43

Result<Quantities> ablationClosed(const Values& in)
{
    LODESTONE_TRY(const Instance m, instanceAt(in));
    const Eigen::Vector3d delta = vectorAt(in, "delta_"), probe = vectorAt(in, "u_");
    if (!(delta.norm() > 1e-6))
        return badInput("classes that differ", "delta = 0", "inputs delta_1 to delta_3");
    const Eigen::Vector3d r = delta.normalized();
    // Ablating h is the same as ablating the probe: u'(h - r r'h) = (u - r r'u)'h.
    const Eigen::Vector3d left = probe - r * r.dot(probe);
    return Quantities{ { "separation", probe.dot(delta) },
                       { "accuracy", accuracyOf(probe.dot(delta), m.norm(probe)) },
                       { "separation_ablated", left.dot(delta) },
                       { "accuracy_ablated", .5 },
                       { "left_of_r", r.dot(left) } };
}

Measurements ablationSimulated(const Values& in, Draws& draws)
{
    const Instance m = instanceAt(in).value();
    const Eigen::Matrix3d factor = m.factor();
    const Eigen::Vector3d delta = vectorAt(in, "delta_"), probe = vectorAt(in, "u_"), r = delta.normalized();
    const Eigen::Matrix3d out = Eigen::Matrix3d::Identity() - r * r.transpose();
    const auto means = sample<4>(draws, 1, [&](Rng& rng, auto& row) {
        const double side = rng.uniform() < .5 ? 1 : -1;
        const Eigen::Vector3d h = side / 2 * delta + factor * normals<3>(rng);
        const Eigen::Vector3d ablated = h - r * r.dot(h);
        const double score = side * probe.dot(ablated);
        row = { 2 * side * probe.dot(h), 2 * score,
                std::abs(score) < 1e-12 ? .5
                    : score > 0         ? 1.0
                                        : 0.0,
                r.dot(out * h) };
    });
    return { named("separation", means.mean(0)), named("separation_ablated", means.mean(1)),
             named("accuracy_ablated", means.mean(2)), named("left_of_r", means.mean(3)),
             named("accuracy", measuredAccuracy(probe, delta, factor, draws)) };
}

// T44

Result<Quantities> probesClosed(const Values& in)
{
    LODESTONE_TRY(const Instance m, instanceAt(in));
    const Eigen::Vector3d delta = vectorAt(in, "delta_");
    const double squared = delta.squaredNorm(), across = delta.dot(m.sigma * delta);
    const double distance = delta.dot(solve(m.sigma, delta));
    return Quantities{ { "mass_mean", accuracyOf(squared, std::sqrt(across)) },
                       { "lda", normalCdf(std::sqrt(distance) / 2) },
                       { "mahalanobis2", distance } };
}

Measurements probesSimulated(const Values& in, Draws& draws)
{
    const Instance m = instanceAt(in).value();
    const Eigen::Vector3d delta = vectorAt(in, "delta_");
    const Eigen::Matrix3d factor = m.factor();
    const Eigen::Vector3d best = solve(m.sigma, delta);
    return { named("mass_mean", measuredAccuracy(delta, delta, factor, draws)),
             named("lda", measuredAccuracy(best, delta, factor, draws)) };
}

// T45

Result<Quantities> componentClosed(const Values& in)
{
    const double d = in["d"], sigma = in["sigma"], g = d / in["n"];
    const double l = in["delta"] * in["delta"] / (2 * sigma * sigma);
    const double squared = l > std::sqrt(g) ? (1 - g / (l * l)) / (1 + g / l) : 0;
    return Quantities{ { "l", l }, { "g", g }, { "cos2", squared }, { "cos2_not_randomised", 1 / d } };
}

/// cos^2 of the top principal component of n differences with the first axis.
double componentCosine(const Values& in, bool randomSigns, Rng& rng)
{
    const int d = in.whole("d"), n = in.whole("n");
    const double noise = std::numbers::sqrt2 * in["sigma"];
    Eigen::MatrixXd second = Eigen::MatrixXd::Zero(d, d);
    Eigen::VectorXd mean = Eigen::VectorXd::Zero(d);
    for (int i = 0; i < n; ++i) {
        Eigen::VectorXd x = noise * normals(rng, d);
        x[0] += randomSigns && rng.uniform() < .5 ? -in["delta"] : in["delta"];
        mean += x;
        for (int k = 0; k < d; ++k)
            second.col(k) += x[k] * x;
    }
    mean /= n;
    for (int k = 0; k < d; ++k)
        second.col(k) -= n * mean[k] * mean;
    const double along = topDirection(second, normals(rng, d), 400)[0];
    return along * along;
}

Measurements componentSimulated(const Values& in, Draws& draws)
{
    const int cost = in.whole("d") * in.whole("n") / 4;
    const auto means = sample<2>(draws, cost, [&](Rng& rng, auto& row) {
        row = { componentCosine(in, true, rng), componentCosine(in, false, rng) };
    });
    return { named("cos2", means.mean(0)), named("cos2_not_randomised", means.mean(1)) };
}

// T46

Result<Quantities> differenceClosed(const Values& in)
{
    const double sigma = in["sigma"], delta = in["delta"];
    const double noise = 2 * sigma * sigma * (in["d"] - 1) / (in["n"] * delta * delta);
    return Quantities{ { "cos", 1 / std::sqrt(1 + noise) }, { "cos2", 1 / (1 + noise) } };
}

Measurements differenceSimulated(const Values& in, Draws& draws)
{
    const int d = in.whole("d"), n = in.whole("n");
    const double noise = std::numbers::sqrt2 * in["sigma"];
    const auto means = sample<2>(draws, std::max(1, n * d / 25), [&](Rng& rng, auto& row) {
        Eigen::VectorXd sum = Eigen::VectorXd::Zero(d);
        for (int i = 0; i < n; ++i)
            sum += noise * normals(rng, d);
        sum[0] += n * in["delta"];
        const double cosine = sum[0] / sum.norm();
        row = { cosine, cosine * cosine };
    });
    return { named("cos", means.mean(0)), named("cos2", means.mean(1)) };
}

} // namespace

std::vector<Statement> steering()
{
    std::vector<Statement> all;
    Statement s;
    s.id = "T42";
    s.title = "RLAIF is activation addition";
    s.inputs
        = joined({ { { "lambda", .7, 0, 2, "1/beta" } }, judgeInputs(), truthInputs(), covarianceInputs() });
    s.formula = { { "shift_1", "{lambda} (Sigma w_c)_1" },
                  { "cos_read_steer", "w_c'Sigma w_c/(|w_c| |Sigma w_c|)" },
                  { "DeltaV", "{lambda} w*'Sigma w_c, the gain of adding the shift to every h" } };
    s.assumptions = "Gaussian base policy; linear reward.";
    s.words = "Training on a reward moves every representation by the same vector, lambda Sigma w_c. A "
              "difference of means finds "
              "this steering direction, not the read-out w_c.";
    s.source = "T4; derived. Compare Turner et al. 2023 and Rimsky et al. 2024.";
    s.figure = "Read-out and steering direction with the cloud before and after";
    s.sweep = { "lambda", { "shift_1", "shift_2", "shift_3" } };
    s.closed = additionClosed;
    s.simulate = additionSimulated;
    all.push_back(s);

    s = {};
    s.id = "T43";
    s.title = "Ablation";
    s.inputs = joined({ vectorInputs("u_", { .6, -.3, 1 }, "coordinate of a probe"), classInputs() });
    s.formula = { { "separation", "u'delta" },
                  { "accuracy", "Phi(u'delta/(2 sqrt(u'Sigma u)))" },
                  { "separation_ablated", "u'(1 - r r')delta, r = delta/|delta|" },
                  { "left_of_r", "r'(1 - r r')h" } };
    s.assumptions = "Two classes N(+-delta/2, Sigma); h becomes h - r r'h. W_out - r r'W_out gives the same "
                    "activations.";
    s.words = "Removing the difference of class means leaves every linear probe at chance and switches off "
              "every score along "
              "it.";
    s.source = "Arditi et al. 2024; derived.";
    s.figure = "Both classes before and after ablation";
    s.sweep = { "u_1", { "accuracy", "accuracy_ablated" } };
    s.closed = ablationClosed;
    s.simulate = ablationSimulated;
    all.push_back(s);

    s = {};
    s.id = "T44";
    s.title = "Probes: mass-mean and LDA";
    s.inputs = classInputs();
    s.formula = { { "mass_mean", "Phi(|delta|^2/(2 sqrt(delta'Sigma delta)))" },
                  { "lda", "Phi(sqrt(delta'Sigma^{-1}delta)/2), delta'Sigma^{-1}delta = {mahalanobis2}" } };
    s.assumptions = "Two classes N(+-delta/2, Sigma), both known.";
    s.words = "The difference of means is the best probe only where the noise is round; otherwise turning it "
              "by Sigma^{-1} "
              "separates better.";
    s.source = "Fisher 1936; Marks & Tegmark 2023.";
    s.figure = "Accuracy of both probes over the noise's correlation";
    s.sweep = { "Sigma_12", { "mass_mean", "lda" } };
    s.closed = probesClosed;
    s.simulate = probesSimulated;
    all.push_back(s);

    const std::vector<Input> pairs{ { "n", 800, 20, 5000, "pairs", true },
                                    { "d", 100, 2, 200, "dimension", true },
                                    { "delta", 1.2, .05, 5, "length |delta| of the mean difference" },
                                    { "sigma", 1, .1, 4, "noise of one text in each direction" } };
    s = {};
    s.id = "T45";
    s.title = "The principal component of differences";
    s.inputs = pairs;
    s.formula = { { "l", "{delta}^2/(2 {sigma}^2)" },
                  { "g", "{d}/{n}" },
                  { "cos2", "(1 - {g}/{l}^2)/(1 + {g}/{l}) where {l} > sqrt({g}), else 0" },
                  { "cos2_not_randomised", "1/{d}: centring removes delta" } };
    s.assumptions = "Differences +-delta + N(0, 2 sigma^2), signs at random; n and d large.";
    s.words = "Reading a direction off the first principal component fails below a threshold, and altogether "
              "when the order in "
              "the pairs was not randomised.";
    s.source = "Baik, Ben Arous & Peche 2005; Paul 2007. The reader: Zou et al. 2023.";
    s.figure = "cos^2 over the number of pairs, with the threshold";
    s.sweep = { "n", { "cos2" } };
    s.asymptotic = true;
    s.closed = componentClosed;
    s.simulate = componentSimulated;
    all.push_back(s);

    s = {};
    s.id = "T46";
    s.title = "The mean of differences";
    s.inputs = pairs;
    s.formula = { { "cos", "(1 + 2 {sigma}^2 ({d} - 1)/({n} {delta}^2))^(-1/2)" } };
    s.assumptions = "As T45, the signs known.";
    s.words = "When the labels are known their mean difference has no threshold and beats the principal "
              "component.";
    s.source = "Derived. The reader: Rimsky et al. 2024.";
    s.figure = "Cosine over the number of pairs";
    s.sweep = { "n", { "cos" } };
    s.asymptotic = true;
    s.closed = differenceClosed;
    s.simulate = differenceSimulated;
    all.push_back(s);
    return all;
}

} // namespace lodestone::theory
