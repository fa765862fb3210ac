// T25 to T28: what labelled pairs tell about a direction, in whitened coordinates.
#include "core/theory/algebra.h"
#include "core/theory/numbers.h"
#include "core/theory/sampling.h"
#include "core/theory/sections.h"

#include <algorithm>
#include <boost/math/tools/roots.hpp>
#include <cmath>
#include <limits>

namespace lodestone::theory {
namespace {

/// tan^2 of the angle of an estimate to the first axis.
double squaredTangent(const Eigen::VectorXd& estimate)
{
    const double along = estimate[0] * estimate[0];
    return (estimate.squaredNorm() - along) / along;
}

/// Pairs drawn in d dimensions, a label each for the first axis.
struct LabelledPairs {
    Eigen::MatrixXd pairs; ///< [d x n], whitened differences
    Eigen::VectorXd labels; ///< +1 or -1

    LabelledPairs(int d, int n)
        : pairs(d, n)
        , labels(n)
    {
    }
    Eigen::VectorXd meanDifference() const
    {
        Eigen::VectorXd sum = Eigen::VectorXd::Zero(pairs.rows());
        for (Eigen::Index i = 0; i < labels.size(); ++i)
            sum += labels[i] * pairs.col(i);
        return sum / static_cast<double>(labels.size());
    }
    /// The maximum of the likelihood sum log sigma(y w'D), by Newton's method.
    Eigen::VectorXd logistic() const
    {
        const Eigen::Index d = pairs.rows();
        Eigen::VectorXd w = 2 * meanDifference();
        for (int step = 0; step < 12; ++step) {
            Eigen::VectorXd gradient = Eigen::VectorXd::Zero(d);
            Eigen::MatrixXd hessian = 1e-12 * Eigen::MatrixXd::Identity(d, d);
            for (Eigen::Index i = 0; i < labels.size(); ++i) {
                const double p = sigmoid(w.dot(pairs.col(i)));
                gradient += ((labels[i] > 0 ? 1 : 0) - p) * pairs.col(i);
                for (Eigen::Index k = 0; k < d; ++k)
                    hessian.col(k) += p * (1 - p) * pairs(k, i) * pairs.col(i);
            }
            const Eigen::VectorXd move = solve(hessian, gradient);
            w += move;
            if (move.squaredNorm() < 1e-16 * w.squaredNorm())
                break;
        }
        return w;
    }
};

// T25

Result<Quantities> hardClosed(const Values& in)
{
    const double m = (1 - 2 * in["eps"]) * std::sqrt(2 / pi), d = in["d"], c = in["c"];
    return Quantities{ { "m", m },
                       { "cos", 1 / std::sqrt(1 + (d - 1) / (in["n"] * m * m)) },
                       { "n_for_c", (d - 1) * c * c / ((1 - c * c) * m * m) },
                       { "cost_of_flips", 1 / ((1 - 2 * in["eps"]) * (1 - 2 * in["eps"])) } };
}

Measurements hardSimulated(const Values& in, Draws& draws)
{
    const int d = in.whole("d"), n = in.whole("n");
    const double eps = in["eps"];
    const auto means = sample<2>(draws, std::max(1, n * d / 20), [&](Rng& rng, auto& row) {
        Eigen::VectorXd sum = Eigen::VectorXd::Zero(d);
        for (int i = 0; i < n; ++i) {
            const Eigen::VectorXd pair = normals(rng, d);
            sum += ((pair[0] > 0) == (rng.uniform() >= eps) ? 1 : -1) * pair;
        }
        row = { sum[0] / sum.norm(), sum[0] / n };
    });
    return { named("cos", means.mean(0)), named("m", means.mean(1)) };
}

// T26

/// i(s) = E sigma'(s Z).
double information(double s)
{
    return normalExpectation([s](double z) {
        const double p = sigmoid(s * z);
        return p * (1 - p);
    });
}

Result<Quantities> softClosed(const Values& in)
{
    const double s = in["s"], eps = in["eps"], keep = 1 - 2 * eps, d = in["d"], n = in["n"];
    const double i = information(s), m = 2 * s * i * keep;
    // The scale that logistic regression finds when labels are flipped: t i(t) = (1 - 2 eps) s i(s).
    // By Stein's identity t i(t) = E Z sigma(t Z): increasing and concave, so Newton's steps from 0 rise to
    // it.
    double t = s;
    if (eps > 0) {
        const auto above = [&](double at) {
            return std::pair(at * information(at) - keep * s * i, normalExpectation([at](double z) {
                                 const double p = sigmoid(at * z);
                                 return z * z * p * (1 - p);
                             }));
        };
        t = boost::math::tools::newton_raphson_iterate(above, 0.0, 0.0, s, 40);
    }
    // E (y - sigma(t Z))^2, the variance of the score.
    const double score = normalExpectation([&](double z) {
        const double p = eps + keep * sigmoid(s * z), fitted = sigmoid(t * z);
        return p * (1 - 2 * fitted) + fitted * fitted;
    });
    const double logistic = (d - 1) * score / (n * t * t * information(t) * information(t));
    const double difference = (d - 1) / (n * m * m);
    return Quantities{ { "i", i },
                       { "m", m },
                       { "tan2_mle", logistic },
                       { "tan2_mean_difference", difference },
                       { "efficiency", logistic / difference } };
}

Measurements softSimulated(const Values& in, Draws& draws)
{
    const int d = in.whole("d"), n = in.whole("n");
    const double s = in["s"], eps = in["eps"];
    const auto means = sample<3>(draws, std::max(1, n * d / 20), [&](Rng& rng, auto& row) {
        LabelledPairs data(d, n);
        for (int i = 0; i < n; ++i) {
            data.pairs.col(i) = normals(rng, d);
            const bool first = rng.uniform() < sigmoid(s * data.pairs(0, i));
            data.labels[i] = first == (rng.uniform() >= eps) ? 1 : -1;
        }
        const Eigen::VectorXd difference = data.meanDifference();
        row = { squaredTangent(data.logistic()), squaredTangent(difference), difference[0] };
    });
    return { named("tan2_mle", means.mean(0)), named("tan2_mean_difference", means.mean(1)),
             named("m", means.mean(2)) };
}

// T27

Result<Quantities> capClosed(const Values& in)
{
    const double eps = in["eps"], p = in["p"], kept = (1 - eps) * p + eps * (1 - p);
    return Quantities{ { "margin", kept < 1 ? logit(kept) : std::numeric_limits<double>::infinity() },
                       { "cap",
                         eps > 0 ? std::log((1 - eps) / eps) : std::numeric_limits<double>::infinity() } };
}

Measurements capSimulated(const Values& in, Draws& draws)
{
    // The margin at which the mean of the DPO loss over drawn labels is least.
    const double eps = in["eps"], p = in["p"];
    const auto means = sample<2>(draws, 1, [&](Rng& rng, auto& row) {
        const bool better = rng.uniform() < p, flip = rng.uniform() < eps;
        row = { better != flip ? 1.0 : 0.0, flip ? 0.0 : 1.0 };
    });
    const auto least = [](double share) {
        double margin = 0;
        for (int step = 0; step < 200; ++step) { // Newton on -share log sigma(m) - (1 - share) log sigma(-m)
            const double q = sigmoid(margin);
            margin += std::clamp((share - q) / (q * (1 - q)), -1.0, 1.0);
        }
        return margin;
    };
    Measurements found;
    if (eps > 0 || p < 1)
        found.push_back(named("margin", means.estimate([&](const auto& row) { return least(row[0]); })));
    if (eps > 0)
        found.push_back(named("cap", means.estimate([&](const auto& row) { return least(row[1]); })));
    return found;
}

// T28

Result<Quantities> noiselessClosed(const Values& in)
{
    const double share = std::min(1.0, in["n"] / in["d"]);
    return Quantities{ { "recovered_share", share },
                       { "norm2", share * in["s"] * in["s"] },
                       { "pairs_needed", in["d"] } };
}

Measurements noiselessSimulated(const Values& in, Draws& draws)
{
    const int d = in.whole("d"), n = in.whole("n");
    const auto means = sample<2>(draws, d * (1 + n), [&](Rng& rng, auto& row) {
        const Eigen::VectorXd judge = in["s"] * normals(rng, d).normalized();
        // Least squares, pair by pair: each soft label corrects the estimate along what its pair has of new
        // directions.
        Eigen::VectorXd estimate = Eigen::VectorXd::Zero(d);
        Eigen::MatrixXd seen(d, std::min(n, d));
        Eigen::Index known = 0;
        for (int i = 0; i < n && known < d; ++i) {
            const Eigen::VectorXd pair = normals(rng, d);
            const double label = sigmoid(judge.dot(pair));
            Eigen::VectorXd fresh = pair;
            for (int pass = 0; pass < 2; ++pass)
                for (Eigen::Index k = 0; k < known; ++k)
                    fresh -= seen.col(k).dot(fresh) * seen.col(k);
            const double length = fresh.norm();
            fresh /= length;
            estimate += (logit(label) - estimate.dot(pair)) / length * fresh;
            seen.col(known++) = fresh;
        }
        const double along = estimate.dot(judge) / judge.squaredNorm();
        row = { along, estimate.squaredNorm() };
    });
    return { named("recovered_share", means.mean(0)), named("norm2", means.mean(1)) };
}

} // namespace

std::vector<Statement> labelling()
{
    std::vector<Statement> all;
    Statement s;
    s.id = "T25";
    s.title = "How far an estimated direction can be trusted";
    s.inputs = { { "n", 400, 10, 5000, "labelled pairs", true },
                 { "d", 20, 2, 600, "dimension", true },
                 { "eps", .1, 0, .45, "probability that a label is flipped" },
                 { "c", .95, .05, .999, "the cosine wanted" } };
    s.formula = { { "m", "(1 - 2 {eps}) sqrt(2/pi)" },
                  { "cos", "(1 + ({d} - 1)/({n} {m}^2))^(-1/2)" },
                  { "n_for_c", "({d} - 1) {c}^2/((1 - {c}^2) {m}^2)" } };
    s.assumptions = "Whitened Gaussian differences, labels by the sign of the true score and then flipped; a "
                    "difference of "
                    "means.";
    s.words = "With few pairs in many dimensions even a perfect judge shows a small cosine. Flips cost as if "
              "a share of the "
              "pairs were lost; what the estimate gains at a fixed KL shrinks by the same cosine.";
    s.source = "E m-hat = m along the truth, noise 1/n in each direction across; derived.";
    s.figure = "Expected cosine over the number of pairs";
    s.sweep = { "n", { "cos" } };
    s.asymptotic = true;
    s.closed = hardClosed;
    s.simulate = hardSimulated;
    all.push_back(s);

    s = {};
    s.id = "T26";
    s.title = "Labels drawn from a preference model";
    s.inputs = { { "s", 2, .1, 6, "spread of the judge's logit on pairs, sqrt(2) s_c/tau" },
                 { "n", 2000, 100, 5000, "labelled pairs", true },
                 { "d", 10, 2, 60, "dimension", true },
                 { "eps", 0, 0, .45, "probability that a label is flipped besides" } };
    s.formula = { { "m", "2 {s} i(s) (1 - 2 {eps}), i(s) = E sigma'(s Z) = {i}" },
                  { "tan2_mle", "({d} - 1)/({n} {s}^2 {i}) at eps = 0" },
                  { "tan2_mean_difference", "({d} - 1)/({n} {m}^2)" },
                  { "efficiency", "4 i(s) at eps = 0" } };
    s.assumptions = "Bradley-Terry labels; Gaussian differences. With flips the logistic fit is taken at the "
                    "scale it converges "
                    "to.";
    s.words = "Logistic regression finds the judge's direction whatever the noise, as long as fewer than "
              "half of the labels are "
              "flipped, and wastes less of the pairs than a difference of means.";
    s.source = "Fisher information and, with flips, the sandwich variance (Huber 1967); derived.";
    s.figure = "Squared tangent of the angle over the judge's sharpness, both estimators";
    s.sweep = { "s", { "tan2_mle", "tan2_mean_difference" } };
    s.asymptotic = true;
    s.closed = softClosed;
    s.simulate = softSimulated;
    all.push_back(s);

    s = {};
    s.id = "T27";
    s.title = "Flips cap the margin";
    s.inputs = { { "p", 1, .5, 1, "probability that the better reply is preferred" },
                 { "eps", .1, 0, .49, "probability that a label is flipped, or label smoothing" } };
    s.formula
        = { { "margin", "logit((1 - {eps}) {p} + {eps} (1 - {p}))" }, { "cap", "ln((1 - {eps})/{eps})" } };
    s.assumptions = "The optimum of the DPO loss for one pair.";
    s.words = "A share of wrong labels bounds the implicit margin, however clear the preference; without it "
              "nothing does.";
    s.source = "Minimum of the expected logistic loss; cDPO is the same with smoothing.";
    s.figure = "Optimal margin over the share of flips";
    s.sweep = { "eps", { "margin", "cap" } };
    s.label = Label::General;
    s.closed = capClosed;
    s.simulate = capSimulated;
    all.push_back(s);

    s = {};
    s.id = "T28";
    s.title = "Soft labels carry no noise";
    s.inputs = { { "n", 8, 1, 60, "pairs with a soft label", true },
                 { "d", 8, 1, 40, "dimension", true },
                 { "s", 1.5, .1, 4, "length |w_c| of the judge's read-out" } };
    s.formula = { { "recovered_share", "E |w-hat|^2/|w_c|^2 = min(1, {n}/{d})" }, { "pairs_needed", "{d}" } };
    s.assumptions = "p_i = sigma(w_c'(h_1 - h_2)) given exactly; pairs in random directions.";
    s.words = "If the judge's probability is read instead of its choice, as many pairs as dimensions "
              "determine its direction "
              "without any error.";
    s.source = "logit(p) is linear in the pair; derived.";
    s.figure = "Share of the judge's direction that is recovered over the number of pairs";
    s.sweep = { "n", { "recovered_share" } };
    s.closed = noiselessClosed;
    s.simulate = noiselessSimulated;
    all.push_back(s);
    return all;
}

} // namespace lodestone::theory
