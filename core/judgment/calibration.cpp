#include "core/judgment/calibration.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace lodestone::judgment {
namespace {

constexpr int binCount = 10;
constexpr double undefined = std::numeric_limits<double>::quiet_NaN();

double rightness(double p) { return p > 0.5 ? 1.0 : p < 0.5 ? 0.0 : 0.5; }

int binOf(double p)
{
    const double confidence = std::max(p, 1 - p);
    return std::clamp(static_cast<int>((confidence - 0.5) * 2 * binCount), 0, binCount - 1);
}

} // namespace

Calibration calibration(std::span<const double> p, std::span<const int> groups, std::uint64_t seed)
{
    Calibration result;
    const auto n = static_cast<Eigen::Index>(p.size());
    if (n == 0)
        return result;
    // Per pair and bin: confidence minus rightness; and one. The ECE is a function of their sums.
    Eigen::MatrixXd perPair = Eigen::MatrixXd::Zero(n, binCount);
    std::array<ReliabilityBin, binCount> bins{};
    for (Eigen::Index i = 0; i < n; ++i) {
        const double each = p[static_cast<std::size_t>(i)], confidence = std::max(each, 1 - each);
        const int bin = binOf(each);
        perPair(i, bin) = confidence - rightness(each);
        ReliabilityBin& own = bins[static_cast<std::size_t>(bin)];
        own.meanP += confidence;
        own.agreed += rightness(each);
        ++own.count;
    }
    for (ReliabilityBin& bin : bins)
        if (bin.count > 0) {
            bin.meanP /= bin.count;
            bin.agreed /= bin.count;
            result.bins.push_back(bin);
        }
    result.ece.value = perPair.colwise().sum().cwiseAbs().sum() / static_cast<double>(n);
    if (groups.size() == p.size()) {
        Eigen::MatrixXd counted(n, binCount + 1);
        counted << perPair, Eigen::VectorXd::Ones(n);
        const Eigen::MatrixXd sums = geometry::ClusterBootstrap(groups, 1000, seed).sums(counted);
        std::vector<double> values;
        for (Eigen::Index r = 0; r < sums.rows(); ++r)
            values.push_back(sums.row(r).head(binCount).cwiseAbs().sum() / sums(r, binCount));
        if (!values.empty())
            result.ece.interval = geometry::percentileInterval(values);
    }
    return result;
}

double fitTemperature(std::span<const double> p)
{
    std::vector<double> logits;
    bool wrong = false, right = false;
    for (const double each : p) {
        const double inside = std::clamp(each, 1e-12, 1 - 1e-12);
        logits.push_back(std::log(inside) - std::log1p(-inside));
        wrong = wrong || logits.back() < 0;
        right = right || logits.back() > 0;
    }
    if (logits.empty())
        return undefined;
    if (!wrong)
        return right ? 0 : std::numeric_limits<double>::infinity();
    // The label is always "chosen": maximise sum log sigmoid(a l), concave in a = 1/T.
    double a = 0;
    for (int step = 0; step < 100; ++step) {
        double gradient = 0, curvature = 0;
        for (const double l : logits) {
            const double s = 1 / (1 + std::exp(a * l)); // 1 - sigmoid
            gradient += l * s;
            curvature += l * l * s * (1 - s);
        }
        if (step == 0 && gradient <= 0)
            return std::numeric_limits<double>::infinity();
        if (curvature <= 0)
            break;
        double move = gradient / curvature;
        move = std::clamp(move, -a / 2 - 1, a / 2 + 1); // from far out the quadratic picture is wrong
        a += move;
        if (std::abs(move) < 1e-12 * (1 + std::abs(a)))
            break;
    }
    return 1 / a;
}

double kappa(std::span<const double> a, std::span<const double> b)
{
    if (a.empty() || a.size() != b.size())
        return undefined;
    const auto side = [](double margin) { return margin > 0 ? 1.0 : margin < 0 ? 0.0 : 0.5; };
    double agree = 0, firstUp = 0, secondUp = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        const double x = side(a[i]), y = side(b[i]);
        agree += x * y + (1 - x) * (1 - y);
        firstUp += x;
        secondUp += y;
    }
    const auto n = static_cast<double>(a.size());
    agree /= n;
    firstUp /= n;
    secondUp /= n;
    const double chance = firstUp * secondUp + (1 - firstUp) * (1 - secondUp);
    const bool flat = firstUp == 0 || firstUp == 1 || secondUp == 0 || secondUp == 1;
    return flat || chance >= 1 ? 0 : (agree - chance) / (1 - chance);
}

Abstention abstain(std::span<const double> p, std::span<const geometry::Interval> intervals)
{
    Abstention result;
    double judged = 0, right = 0;
    for (std::size_t i = 0; i < std::min(p.size(), intervals.size()); ++i) {
        if (!intervals[i].isKnown() || (intervals[i].low <= 0.5 && intervals[i].high >= 0.5))
            continue;
        judged += 1;
        right += rightness(p[i]);
    }
    result.coverage = p.empty() ? 0 : judged / static_cast<double>(p.size());
    result.accuracy = judged > 0 ? right / judged : undefined;
    return result;
}

} // namespace lodestone::judgment
