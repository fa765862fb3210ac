// T1 to T5: from what h encodes to what a policy gains.
#include "core/geometry/encoding.h"
#include "core/theory/algebra.h"
#include "core/theory/instance.h"
#include "core/theory/numbers.h"
#include "core/theory/pool.h"
#include "core/theory/sampling.h"
#include "core/theory/sections.h"

#include <algorithm>

namespace lodestone::theory {
namespace {

// T1

Result<Quantities> encodingClosed(const Values& in)
{
    LODESTONE_TRY(const Instance m, instanceAt(in));
    const double squared = m.inner(m.truth, m.truth);
    const double q = geometry::encodingQuality(squared, m.unencoded);
    const double variance = m.valueVariance();
    return Quantities{ { "w_norm2", squared },
                       { "sV", std::sqrt(variance) },
                       { "q", q },
                       { "residual_variance", (1 - q) * variance } };
}

Measurements encodingSimulated(const Values& in, Draws& draws)
{
    const Instance m = instanceAt(in).value();
    const Eigen::Matrix3d factor = m.factor();
    const double deviation = std::sqrt(m.unencoded);
    const auto value
        = [&](const Eigen::Vector3d& h, Rng& rng) { return m.truth.dot(h) + deviation * rng.normal(); };
    // The R^2 of the best line, from the moments of one large sample.
    const auto moments = sample<14>(draws, 1, [&](Rng& rng, auto& row) {
        const Eigen::Vector3d h = factor * normals<3>(rng);
        const double v = value(h, rng);
        row = { h[0],        h[1],        h[2],        v,        h[0] * h[0], h[0] * h[1], h[0] * h[2],
                h[1] * h[1], h[1] * h[2], h[2] * h[2], h[0] * v, h[1] * v,    h[2] * v,    v * v };
    });
    const auto fitted = [](const std::array<double, 14>& row) {
        const Eigen::Vector3d mean(row[0], row[1], row[2]);
        Eigen::Matrix3d second;
        second << row[4], row[5], row[6], row[5], row[7], row[8], row[6], row[8], row[9];
        const Eigen::Vector3d with = Eigen::Vector3d(row[10], row[11], row[12]) - mean * row[3];
        const Eigen::Matrix3d covariance = second - mean * mean.transpose();
        return with.dot(solve(covariance, with)) / (row[13] - row[3] * row[3]);
    };
    // The residual variance of least squares on n samples.
    const int n = in.whole("n");
    const auto residual = sample<1>(draws, 2 * n, [&](Rng& rng, auto& row) {
        Eigen::MatrixXd x(n, 4);
        Eigen::VectorXd v(n);
        for (int i = 0; i < n; ++i) {
            const Eigen::Vector3d h = factor * normals<3>(rng);
            x.row(i) << 1, h[0], h[1], h[2];
            v[i] = value(h, rng);
        }
        const Eigen::VectorXd fit = solve(x.transpose() * x, x.transpose() * v);
        row[0] = (v - x * fit).squaredNorm() / (n - 4);
    });
    return { named("q", moments.estimate(fitted)), named("residual_variance", residual.mean(0)) };
}

// T2

Result<Quantities> projectorClosed(const Values& in)
{
    LODESTONE_TRY(const Instance m, instanceAt(in));
    Eigen::MatrixXd principles(3, in.whole("k"));
    principles.col(0) = m.judge;
    if (principles.cols() > 1)
        principles.col(1) = m.generator;
    const Eigen::MatrixXd gram = principles.transpose() * m.sigma * principles;
    if (!(smallestPivot(gram) > 1e-9))
        return badInput("principles in different directions", "one that the others already contain");
    const Eigen::MatrixXd weighted = principles.transpose() * m.sigma;
    Eigen::Matrix3d projector;
    for (int i = 0; i < 3; ++i)
        projector.col(i) = principles * solve(gram, weighted.col(i));
    const Eigen::Vector3d kept = projector * m.truth;
    const double all = m.inner(m.truth, m.truth);
    if (!(all > 0))
        return badInput("true values that are encoded", "w* = 0");
    return Quantities{
        { "trace", projector.trace() },
        { "idempotence_error", (projector * projector - projector).cwiseAbs().maxCoeff() },
        { "self_adjoint_error",
          (m.sigma * projector - (m.sigma * projector).transpose()).cwiseAbs().maxCoeff() },
        { "gain_rate", m.inner(m.truth, kept) },
        { "kept_share", m.inner(kept, kept) / all },
    };
}

Measurements projectorSimulated(const Values& in, Draws& draws)
{
    const Instance m = instanceAt(in).value();
    // In whitened coordinates: an orthonormal basis of the principles and inner products with it.
    const Eigen::Matrix3d factor = m.factor();
    Eigen::MatrixXd whitened(3, in.whole("k"));
    whitened.col(0) = factor.transpose() * m.judge;
    if (whitened.cols() > 1)
        whitened.col(1) = factor.transpose() * m.generator;
    const Eigen::MatrixXd basis = orthonormal(whitened);
    const Eigen::Vector3d truth = factor.transpose() * m.truth;
    const Eigen::VectorXd inside = basis.transpose() * truth;
    const double deviation = std::sqrt(m.unencoded);
    const auto means = sample<3>(draws, 1, [&](Rng& rng, auto& row) {
        const Eigen::Vector3d z = normals<3>(rng);
        const Eigen::VectorXd part = basis.transpose() * z;
        const double reward = inside.dot(part);
        row = { part.squaredNorm(), (truth.dot(z) + deviation * rng.normal()) * reward, reward * reward };
    });
    const double all = truth.squaredNorm();
    return { named("trace", means.mean(0)), named("gain_rate", means.mean(1)),
             named("kept_share", means.estimate([all](const auto& row) { return row[2] / all; })) };
}

// T3

/// N candidates at the quantiles of a normal reward, the dull ones more frequent.
struct Candidates {
    std::vector<double> rewards, base;
};
Candidates candidatesOf(const Values& in)
{
    const int count = in.whole("N");
    Candidates pool;
    for (int i = 0; i < count; ++i) {
        pool.rewards.push_back(in["s_c"] * normalQuantile((i + .5) / count));
        pool.base.push_back((count - i) / (.5 * count * (count + 1)));
    }
    return pool;
}

Result<Quantities> optimumClosed(const Values& in)
{
    const Candidates pool = candidatesOf(in);
    const double lambda = in["lambda"];
    const PoolTilt before = tiltPool(pool.rewards, pool.rewards, 0, pool.base);
    double partition = 0;
    for (std::size_t i = 0; i < pool.rewards.size(); ++i)
        partition += pool.base[i] * std::exp(lambda * pool.rewards[i]);
    const double top = pool.base.back() * std::exp(lambda * pool.rewards.back()) / partition;
    double reward = 0;
    for (std::size_t i = 0; i < pool.rewards.size(); ++i)
        reward += pool.rewards[i] * pool.base[i] * std::exp(lambda * pool.rewards[i]) / partition;
    return Quantities{ { "Delta_r", reward - before.reward },
                       { "K", lambda * reward - std::log(partition) },
                       { "p_top", top },
                       { "log_Z", std::log(partition) },
                       { "lambda_lee", (1 - in["beta_lee"]) / in["beta_lee"] } };
}

Measurements optimumSimulated(const Values& in, Draws& draws)
{
    // Gradient descent on the DPO loss over all pairs with exact soft labels, from a random start.
    const Candidates pool = candidatesOf(in);
    const auto n = static_cast<Eigen::Index>(pool.rewards.size());
    const double beta = 1 / std::max(in["lambda"], 1e-3);
    Eigen::VectorXd margin = normals(draws.rng, n); // log pi - log pi_0 of each candidate, up to a constant
    const double step = 4 / (beta * beta * static_cast<double>(n));
    Eigen::VectorXd gradient(n);
    for (int iteration = 0; iteration < 5000 && !draws.stop.stop_requested(); ++iteration) {
        for (Eigen::Index i = 0; i < n; ++i) {
            gradient[i] = 0;
            for (Eigen::Index j = 0; j < n; ++j)
                gradient[i] += beta
                    * (sigmoid(beta * (margin[i] - margin[j]))
                       - sigmoid(
                           pool.rewards[static_cast<std::size_t>(i)]
                           - pool.rewards[static_cast<std::size_t>(j)]));
        }
        margin -= step * gradient;
        if (gradient.cwiseAbs().maxCoeff() < 1e-12 * beta)
            break;
    }
    margin.array() -= margin.mean();
    double total = 0, before = 0, reward = 0, kl = 0;
    for (Eigen::Index i = 0; i < n; ++i)
        total += pool.base[static_cast<std::size_t>(i)] * std::exp(margin[i]);
    for (Eigen::Index i = 0; i < n; ++i) {
        const auto at = static_cast<std::size_t>(i);
        const double p = pool.base[at] * std::exp(margin[i]) / total;
        before += pool.base[at] * pool.rewards[at];
        reward += p * pool.rewards[at];
        kl += p * std::log(p / pool.base[at]);
    }
    return { { "Delta_r", reward - before, 0 },
             { "K", kl, 0 },
             { "p_top", pool.base.back() * std::exp(margin[n - 1]) / total, 0 } };
}

// T4

Result<Quantities> gaussianClosed(const Values& in)
{
    LODESTONE_TRY(const Instance m, instanceAt(in));
    const geometry::GaussianUpdate update = geometry::gaussianUpdate(
        m.sigma * m.judge, m.inner(m.judge, m.judge), m.inner(m.truth, m.judge), in["lambda"]);
    return Quantities{ { "inner", m.inner(m.truth, m.judge) }, { "s_c", m.norm(m.judge) },
                       { "shift_1", update.shift[0] },         { "shift_2", update.shift[1] },
                       { "shift_3", update.shift[2] },         { "K", update.K },
                       { "Delta_r", update.rewardGain },       { "DeltaV", update.valueGain },
                       { "Var_V", m.valueVariance() } };
}

Measurements gaussianSimulated(const Values& in, Draws& draws)
{
    // Draws of pi_0, each weighted by exp(lambda r).
    const Instance m = instanceAt(in).value();
    const Eigen::Matrix3d factor = m.factor();
    const double lambda = in["lambda"], deviation = std::sqrt(m.unencoded);
    const auto means = sample<8>(draws, 1, [&](Rng& rng, auto& row) {
        const Eigen::Vector3d h = factor * normals<3>(rng);
        const double r = m.judge.dot(h), v = m.truth.dot(h) + deviation * rng.normal();
        const double w = std::exp(lambda * r);
        row = { w, w * h[0], w * h[1], w * h[2], w * r, w * v, w * v * v, v };
    });
    return { named("shift_1", means.ratio(1, 0)),
             named("shift_2", means.ratio(2, 0)),
             named("shift_3", means.ratio(3, 0)),
             named("K", means.estimate([lambda](const auto& row) {
                 return lambda * row[4] / row[0] - std::log(row[0]);
             })),
             named("Delta_r", means.ratio(4, 0)),
             named("DeltaV", means.estimate([](const auto& row) { return row[5] / row[0] - row[7]; })),
             named("Var_V", means.estimate([](const auto& row) {
                 const double mean = row[5] / row[0];
                 return row[6] / row[0] - mean * mean;
             })) };
}

// T5

Result<Quantities> skewedClosed(const Values& in)
{
    // r is a centred Gamma of unit variance and the skewness asked for, whose tilt is a Gamma again.
    const double rho = in["rho_c"], lambda = in["lambda"], skew = in["skew"];
    const double stretch = 1 - lambda * skew / 2;
    return Quantities{ { "DeltaV", rho * lambda / stretch },
                       { "Cov_0", rho },
                       { "Cov_lambda", rho / (stretch * stretch) },
                       { "kappa", rho * skew },
                       { "tangent", rho * lambda },
                       { "parabola", rho * lambda + lambda * lambda / 2 * rho * skew } };
}

Measurements skewedSimulated(const Values& in, Draws& draws)
{
    const double rho = in["rho_c"], lambda = in["lambda"], skew = in["skew"];
    const double rest = std::sqrt(1 - rho * rho);
    const double shape = skew == 0 ? 0 : 4 / (skew * skew);
    const auto means = sample<9>(draws, 1, [&](Rng& rng, auto& row) {
        const double r = skew == 0
            ? rng.normal()
            : std::copysign(1, skew) * (gammaDraw(rng, shape) - shape) / std::sqrt(shape);
        const double v = rho * r + rest * rng.normal(), w = std::exp(lambda * r);
        row = { w, w * v, w * r, w * r * v, v, r, r * v, v * r * r, r * r };
    });
    const auto cumulant = [](const std::array<double, 9>& row) {
        // E (V - EV)(r - Er)^2
        return row[7] - 2 * row[5] * row[6] + 2 * row[5] * row[5] * row[4] - row[4] * row[8];
    };
    return { named("DeltaV", means.estimate([](const auto& row) { return row[1] / row[0] - row[4]; })),
             named("Cov_0", means.estimate([](const auto& row) { return row[6] - row[4] * row[5]; })),
             named("Cov_lambda", means.estimate([](const auto& row) {
                 return row[3] / row[0] - row[1] * row[2] / (row[0] * row[0]);
             })),
             named("kappa", means.estimate(cumulant)) };
}

} // namespace

std::vector<Statement> coreChain()
{
    std::vector<Statement> all;
    Statement s;
    s.id = "T1";
    s.title = "Encoding quality";
    s.inputs = joined({ { unencodedInput(), { "n", 40, 10, 1000, "samples of a probe", true } },
                        truthInputs(),
                        covarianceInputs() });
    s.formula = { { "w_norm2", "w*'Sigma w*" },
                  { "q", "{w_norm2}/({w_norm2} + {s_xi2})" },
                  { "residual_variance", "(1 - {q}) {sV}^2" } };
    s.assumptions = "A scalar value V* = w*'h + xi; xi uncorrelated with h. For a value that is not linear "
                    "in h this defines "
                    "w*, and xi carries the rest.";
    s.words = "How much of what people value can be read off the representation by a straight line.";
    s.source = "Least squares; with n samples E RSS/(n - d - 1) = (1 - q) sV^2 exactly. The name after Young "
               "2026, Definition 1.";
    s.figure = "Value against the probe's prediction, and the share of its variance that is encoded";
    s.sweep = { "s_xi2", { "q" } };
    s.closed = encodingClosed;
    s.simulate = encodingSimulated;
    all.push_back(s);

    s = {};
    s.id = "T2";
    s.title = "A constitution as a projector";
    s.inputs
        = joined({ { { "k", 2, 1, 2, "principles: w_c alone, or w_c and w_gen", true }, unencodedInput() },
                   truthInputs(),
                   judgeInputs(),
                   generatorInputs(),
                   covarianceInputs() });
    s.formula = { { "trace", "trace of P_c = U(U'Sigma U)^{-1}U'Sigma, with {k} principles" },
                  { "gain_rate", "<w*, P_c w*> = |P_c w*|^2" },
                  { "kept_share", "|P_c w*|^2/|w*|^2" } };
    s.assumptions
        = "The constitution acts on directions linearly; the judge's own direction is w* (the ideal case).";
    s.words = "Principles choose which part of the model's own judgment counts. Restricting true values can "
              "never hurt; "
              "harm needs a judge that differs from them.";
    s.source = "Orthogonal projection in the Sigma inner product; \"projection operator\" after Young 2026.";
    s.figure = "The values' direction and its shadow on what the principles span, in whitened space";
    s.sweep = { "w_gen1", { "gain_rate" } };
    s.closed = projectorClosed;
    s.simulate = projectorSimulated;
    all.push_back(s);

    s = {};
    s.id = "T3";
    s.title = "The RLAIF policy";
    s.inputs = { { "lambda", 1, .05, 5, "1/beta, the inverse of the KL penalty" },
                 { "N", 8, 2, 40, "candidates", true },
                 { "s_c", 1, .1, 2, "spread of the rewards" },
                 { "beta_lee", .05, .01, .99, "beta of the objective (1 - beta) E r - beta KL" } };
    s.formula = { { "log_Z", "ln sum p0_i exp({lambda} r_i)" },
                  { "p_top", "p0_top exp({lambda} r_top)/Z" },
                  { "K", "{lambda} E r - {log_Z}" },
                  { "lambda_lee", "(1 - {beta_lee})/{beta_lee}" } };
    s.assumptions
        = "A Bradley-Terry judge; every policy on the support of pi_0 is allowed, and no new support.";
    s.words = "Training with a KL penalty reweights the replies that the base policy already gives: the "
              "optimum of DPO and "
              "of regularised RL is pi_0 exp(lambda r)/Z. Adding f(x) to the reward changes nothing.";
    s.source = "Rafailov et al. 2023; the factor of Lee et al. 2023, appendix A.3. Compare Young 2026, "
               "Proposition 2.";
    s.figure = "The reward's density before and after the update";
    s.sweep = { "lambda", { "Delta_r", "K" } };
    s.label = Label::General;
    s.closed = optimumClosed;
    s.simulate = optimumSimulated;
    all.push_back(s);

    s = {};
    s.id = "T4";
    s.title = "The Gaussian closed form";
    s.inputs = joined({ { { "lambda", .7, 0, 2, "1/beta, the inverse of the KL penalty" }, unencodedInput() },
                        truthInputs(),
                        judgeInputs(),
                        covarianceInputs() });
    s.formula = { { "inner", "w*'Sigma w_c" },
                  { "DeltaV", "{lambda} {inner}" },
                  { "K", "{lambda}^2 {s_c}^2/2" },
                  { "Delta_r", "{lambda} {s_c}^2" } };
    s.assumptions = "pi_0 = N(mu, Sigma) and a linear reward.";
    s.words = "The cloud slides along Sigma w_c (not along w_c) without changing its shape; value grows in "
              "proportion to "
              "lambda, and the variance of the value stays.";
    s.source = "Exponential tilting of a Gaussian; derived.";
    s.figure = "The ellipse of replies sliding along Sigma w_c; both arrows";
    s.sweep = { "lambda", { "DeltaV", "K" } };
    s.closed = gaussianClosed;
    s.simulate = gaussianSimulated;
    all.push_back(s);

    s = {};
    s.id = "T5";
    s.title = "The self-improvement theorem";
    s.inputs = { { "lambda", .5, 0, 1, "1/beta, the inverse of the KL penalty" },
                 { "rho_c", .6, -1, 1, "correlation of V* (sV = 1) with the judge's reward" },
                 { "skew", .8, -1.5, .8, "skewness of the reward; 0 is the Gaussian case" } };
    s.formula = { { "DeltaV", "{rho_c} {lambda}/(1 - {lambda} {skew}/2)" },
                  { "Cov_lambda", "d DeltaV/d lambda = {rho_c}/(1 - {lambda} {skew}/2)^2" },
                  { "tangent", "{lambda} {Cov_0}" },
                  { "parabola", "{lambda} {Cov_0} + {lambda}^2/2 {kappa}" } };
    s.assumptions = "Any distribution for d DeltaV/d lambda = Cov_lambda(V*, r); the curve shown is for a "
                    "Gamma reward.";
    s.words = "What a further bit of training brings is the covariance of true values and reward under the "
              "policy reached "
              "so far. Without skewness the gain is a straight line; otherwise it bends.";
    s.source = "Derivative of a mean under exponential tilting; third joint cumulant kappa. Compare Young "
               "2026, Theorem 3.";
    s.figure = "The gain with its tangent and its parabola";
    s.sweep = { "lambda", { "DeltaV", "tangent", "parabola" } };
    s.label = Label::General;
    s.closed = skewedClosed;
    s.simulate = skewedSimulated;
    all.push_back(s);
    return all;
}

} // namespace lodestone::theory
