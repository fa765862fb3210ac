#include "core/policy/overoptimisation.h"

#include "core/geometry/numbers.h"
#include "core/policy/update_rule.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace lodestone::policy {
namespace {

using geometry::nan;

/// KL, proxy and gold gain of one policy on each prompt.
void perPrompt(
    const Pool& pool, std::span<const double> p, const Eigen::VectorXd& proxy, const Eigen::VectorXd& gold,
    Eigen::MatrixXd& columns, Eigen::Index column)
{
    std::size_t at = 0;
    for (std::size_t prompt = 0; prompt < pool.prompts.size(); ++prompt) {
        const auto& rows = pool.prompts[prompt].rows;
        const double n = static_cast<double>(rows.size());
        double kl = 0, gainProxy = 0, gainGold = 0;
        for (const int row : rows) {
            const double q = p[at++];
            kl += q > 0 ? q * std::log(q * n) : 0;
            gainProxy += (q - 1 / n) * proxy[row];
            gainGold += (q - 1 / n) * gold[row];
        }
        const auto i = static_cast<Eigen::Index>(prompt);
        columns(i, column) = kl;
        columns(i, column + 1) = gainProxy;
        columns(i, column + 2) = gainGold;
    }
}

/// A family of policies as points, with every prompt's own figures for the bootstrap.
struct Family {
    std::vector<double> strengths;
    Eigen::MatrixXd columns; ///< [prompts, 3 points + 1], the last of ones
    Eigen::MatrixXd resampled; ///< sums of the same over resamples

    std::vector<double> distances(const Eigen::VectorXd& sums) const
    {
        std::vector<double> result;
        for (std::size_t i = 0; i < strengths.size(); ++i)
            result.push_back(
                std::sqrt(std::max(0.0, sums[3 * static_cast<Eigen::Index>(i)] / sums[sums.size() - 1])));
        return result;
    }
    std::vector<double> gains(const Eigen::VectorXd& sums, int which) const
    {
        std::vector<double> result;
        for (std::size_t i = 0; i < strengths.size(); ++i)
            result.push_back(sums[3 * static_cast<Eigen::Index>(i) + which] / sums[sums.size() - 1]);
        return result;
    }
    Eigen::VectorXd total() const { return columns.colwise().sum().transpose(); }

    GaoFit fit(int which, bool rl) const
    {
        GaoFit result;
        const Eigen::VectorXd sums = total();
        const std::vector<double> d = distances(sums), y = gains(sums, which);
        const auto [alpha, beta] = fitGao(d, y, rl);
        result.alpha.value = alpha;
        result.beta.value = beta;
        std::vector<double> alphas, betas;
        for (Eigen::Index r = 0; r < resampled.rows(); ++r) {
            const Eigen::VectorXd row = resampled.row(r).transpose();
            const std::pair<double, double> one = fitGao(distances(row), gains(row, which), rl);
            alphas.push_back(one.first);
            betas.push_back(one.second);
        }
        result.alpha.interval = geometry::percentileInterval(std::move(alphas));
        result.beta.interval = geometry::percentileInterval(std::move(betas));
        double residual = 0, size = 0;
        for (std::size_t i = 0; i < d.size(); ++i) {
            residual += std::pow(y[i] - result.at(d[i], rl), 2);
            size += y[i] * y[i];
        }
        result.rSquared = size > 0 ? 1 - residual / size : nan;
        result.peak = !(beta > 0) ? std::numeric_limits<double>::infinity()
            : rl                  ? std::exp(alpha / beta - 1)
                                  : alpha / (2 * beta);
        return result;
    }
    std::vector<OptimisationPoint> points(const geometry::ClusterBootstrap& bootstrap) const
    {
        std::vector<OptimisationPoint> result;
        for (std::size_t i = 0; i < strengths.size(); ++i) {
            const auto column = 3 * static_cast<Eigen::Index>(i);
            const auto span = [&](Eigen::Index c) {
                return std::span<const double>(
                    columns.col(c).data(), static_cast<std::size_t>(columns.rows()));
            };
            result.push_back({ strengths[i], columns.col(column).mean(), bootstrap.mean(span(column + 1)),
                               bootstrap.mean(span(column + 2)) });
        }
        return result;
    }
};

} // namespace

double OptimisationPoint::distance() const { return std::sqrt(std::max(0.0, kl)); }

double GaoFit::at(double d, bool rl) const
{
    return d > 0 ? d * (alpha.value - beta.value * (rl ? std::log(d) : d)) : 0;
}

std::pair<double, double> fitGao(std::span<const double> d, std::span<const double> y, bool rl)
{
    double aa = 0, ab = 0, bb = 0, ay = 0, by = 0;
    for (std::size_t i = 0; i < d.size(); ++i) {
        if (!(d[i] > 1e-9))
            continue;
        const double a = d[i], b = -d[i] * (rl ? std::log(d[i]) : d[i]);
        aa += a * a;
        ab += a * b;
        bb += b * b;
        ay += a * y[i];
        by += b * y[i];
    }
    const double determinant = aa * bb - ab * ab;
    if (!(determinant > 1e-12 * aa * bb))
        return { nan, nan };
    return { (ay * bb - by * ab) / determinant, (by * aa - ay * ab) / determinant };
}

Result<Overoptimisation>
overoptimise(const World& world, const Eigen::VectorXd& rawProxy, int points, const Work& work)
{
    const Eigen::VectorXd proxy = world.unit(rawProxy), gold = world.unit(world.gold);
    if (!(proxy.cwiseAbs().maxCoeff() > 0))
        return badInput("a reward that differs between replies", "one that does not", "over-optimisation");
    std::vector<int> groups;
    for (const Pool::Prompt& prompt : world.pool.prompts)
        groups.push_back(prompt.group);
    const geometry::ClusterBootstrap bootstrap(groups, 1000, world.seed);
    const auto prompts = static_cast<Eigen::Index>(world.pool.prompts.size());
    const auto prepare = [&](Family& family) {
        family.columns
            = Eigen::MatrixXd::Ones(prompts, 3 * static_cast<Eigen::Index>(family.strengths.size()) + 1);
    };

    Family tilts, winners;
    const double most = std::sqrt(0.95 * world.pool.largestKl());
    for (int i = 0; i < points; ++i) {
        const double d = most * i / (points - 1);
        tilts.strengths.push_back(lambdaForKl(world.pool, proxy, d * d));
    }
    prepare(tilts);
    for (std::size_t i = 0; i < tilts.strengths.size(); ++i) {
        if (work.cancelled())
            return cancelled();
        perPrompt(
            world.pool, tilt(world.pool, proxy, proxy, tilts.strengths[i]).probabilities, proxy, gold,
            tilts.columns, 3 * static_cast<Eigen::Index>(i));
    }
    for (int n = 1; n <= 256; n += std::max(1, n / 2))
        winners.strengths.push_back(n);
    prepare(winners);
    for (std::size_t i = 0; i < winners.strengths.size(); ++i)
        perPrompt(
            world.pool, bestOfN(world.pool, proxy, static_cast<int>(winners.strengths[i])), proxy, gold,
            winners.columns, 3 * static_cast<Eigen::Index>(i));
    tilts.resampled = bootstrap.sums(tilts.columns);
    winners.resampled = bootstrap.sums(winners.columns);

    Overoptimisation result;
    result.optimum = tilts.points(bootstrap);
    result.bestOfN = winners.points(bootstrap);
    result.goldRl = tilts.fit(2, true);
    result.proxyRl = tilts.fit(1, true);
    result.goldBestOfN = winners.fit(2, false);
    result.proxyBestOfN = winners.fit(1, false);
    result.slopeRatio = world.cosine(proxy, gold);

    std::size_t best = 0;
    for (std::size_t i = 0; i < result.optimum.size(); ++i)
        if (result.optimum[i].gold.value > result.optimum[best].gold.value)
            best = i;
    const Eigen::Index last = 3 * (static_cast<Eigen::Index>(tilts.strengths.size()) - 1) + 2;
    const Eigen::VectorXd fall
        = tilts.columns.col(3 * static_cast<Eigen::Index>(best) + 2) - tilts.columns.col(last);
    result.fallFromPeak = bootstrap.mean({ fall.data(), static_cast<std::size_t>(fall.size()) });
    result.turnoverAt = result.optimum[best].distance();
    result.turnover = best > 0 && best + 1 < result.optimum.size() && result.fallFromPeak.interval.low > 0;

    std::vector<double> bends;
    for (const Pool::Prompt& prompt : world.pool.prompts) {
        const double n = static_cast<double>(prompt.rows.size());
        double mean = 0, bend = 0;
        for (const int row : prompt.rows)
            mean += proxy[row] * proxy[row] / n;
        for (const int row : prompt.rows)
            bend += gold[row] * (proxy[row] * proxy[row] - mean) / n;
        bends.push_back(bend);
    }
    result.curvature = bootstrap.mean(bends);
    if (!result.turnover && result.optimum.back().gold.interval.high < 0)
        result.cause
            = "The judge points against people's held-out direction from the start (T6): the gold falls "
              "while the proxy rises, and there is no peak to turn from.";
    else if (!result.turnover)
        result.cause = result.goldRl.beta.interval.low > 0
            ? "The gold gain flattens but does not turn within these data. In the linear-Gaussian model "
              "there "
              "is no turnover at all (T32); here the candidates run out (T37)."
            : "No turnover in these data, and none in the linear-Gaussian model: noise in the judge only "
              "scales "
              "the gain (T32).";
    else if (result.optimum[1].gold.value <= 0 || result.slopeRatio <= 0)
        result.cause = "The judge points against people's held-out direction from the start (T6): what rises "
                       "first is chance.";
    else if (result.curvature.interval.high < 0)
        result.cause
            = "Extremal: where the judge's score is highest, the value bends down (third cumulant below "
              "0; T5, T33).";
    else
        result.cause = fmt::format(
            "The candidates run out: beyond sqrt(KL) {:.2f} the policy rests on the judge's single best "
            "reply of "
            "each prompt, and that reply is not people's best (T37). The bend of the value is not "
            "distinguishable from 0.",
            result.turnoverAt);
    return result;
}

} // namespace lodestone::policy
