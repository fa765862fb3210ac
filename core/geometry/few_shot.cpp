#include "core/geometry/few_shot.h"

#include <Eigen/Cholesky>
#include <cmath>
#include <limits>

namespace lodestone::geometry {
namespace {

/// log sigmoid(x) without overflow.
double logSigmoid(double x) { return x > 0 ? -std::log1p(std::exp(-x)) : x - std::log1p(std::exp(x)); }

double sumLogSigmoid(const Eigen::VectorXd& f)
{
    double sum = 0;
    for (const double each : f)
        sum += logSigmoid(each);
    return sum;
}

} // namespace

double laplaceEvidence(
    const Eigen::VectorXd& mean, const Eigen::MatrixXd& kernel, Eigen::VectorXd& mode, Eigen::VectorXd& dual)
{
    const Eigen::Index n = mean.size();
    mode = mean;
    dual = Eigen::VectorXd::Zero(n);
    // psi = sum log sigmoid(f) - a'K a/2 is concave; Newton's step is halved until it climbs.
    const auto psi = [&](const Eigen::VectorXd& a) {
        return sumLogSigmoid(mean + kernel * a) - 0.5 * a.dot(kernel * a);
    };
    double best = psi(dual);
    Eigen::MatrixXd b = Eigen::MatrixXd::Identity(n, n);
    Eigen::LLT<Eigen::MatrixXd> factor(b);
    for (int step = 0; step < 100; ++step) {
        const Eigen::VectorXd p = mode.unaryExpr([](double f) { return 1 / (1 + std::exp(-f)); });
        const Eigen::VectorXd root = (p.array() * (1 - p.array())).sqrt();
        // B = I + W^1/2 K W^1/2; a_new = r - W^1/2 B^-1 W^1/2 K r with r = W (f - mean) + gradient.
        b = Eigen::MatrixXd::Identity(n, n) + root.asDiagonal() * kernel * root.asDiagonal();
        factor.compute(b);
        const Eigen::VectorXd r = (root.array().square() * (mode - mean).array() + 1 - p.array()).matrix();
        const Eigen::VectorXd inner = factor.solve(root.asDiagonal() * (kernel * r));
        const Eigen::VectorXd target = r - root.asDiagonal() * inner;
        double share = 1, climbed = best;
        Eigen::VectorXd next = target;
        for (int halving = 0; halving < 20; ++halving, share /= 2) {
            next = dual + share * (target - dual);
            climbed = psi(next);
            if (climbed >= best)
                break;
        }
        const bool settled = climbed - best < 1e-12 * (1 + std::abs(best));
        if (climbed >= best) {
            dual = next;
            mode = mean + kernel * dual;
            best = climbed;
        }
        if (settled)
            break;
    }
    const Eigen::VectorXd p = mode.unaryExpr([](double f) { return 1 / (1 + std::exp(-f)); });
    const Eigen::VectorXd root = (p.array() * (1 - p.array())).sqrt();
    factor.compute(Eigen::MatrixXd::Identity(n, n) + root.asDiagonal() * kernel * root.asDiagonal());
    const Eigen::MatrixXd lower = factor.matrixL();
    return best - lower.diagonal().array().log().sum();
}

Result<FewShot> fewShot(const RowsRef& differences, const Standardiser& coordinates, const ReadOut& words)
{
    const Eigen::Index n = differences.rows(), width = coordinates.scale.size();
    if (n < 1)
        return badInput("at least one marked pair", "none");
    if (differences.cols() != width || words.weights.size() != width)
        return badInput(
            "marked pairs and a direction of width " + std::to_string(width),
            std::to_string(differences.cols()) + " and " + std::to_string(words.weights.size()));
    const Eigen::MatrixXd raw = differences.template cast<double>();
    if (!raw.allFinite() || !words.weights.allFinite())
        return badInput("finite activations of the marked pairs", "values that are not finite");
    const Eigen::MatrixXd x = raw * coordinates.scale.cwiseInverse().asDiagonal();
    const Eigen::VectorXd mean = raw * words.weights;
    const Eigen::MatrixXd kernel = x * x.transpose() / static_cast<double>(width);
    FewShot result;
    result.readOut = words;
    result.precision = std::numeric_limits<double>::infinity();
    result.logEvidence = result.logEvidenceOfWords = sumLogSigmoid(mean);
    Eigen::VectorXd mode, dual, best;
    for (int i = -8; i <= 8; ++i) {
        const double precision = std::pow(10.0, 0.5 * i);
        const double evidence = laplaceEvidence(mean, kernel / precision, mode, dual);
        if (std::isfinite(evidence) && evidence > result.logEvidence) {
            result.logEvidence = evidence;
            result.precision = precision;
            best = dual;
        }
    }
    if (best.size() > 0) {
        const Eigen::VectorXd moved = x.transpose() * best / (result.precision * static_cast<double>(width));
        result.readOut.weights += moved.cwiseQuotient(coordinates.scale);
    }
    return result;
}

} // namespace lodestone::geometry
