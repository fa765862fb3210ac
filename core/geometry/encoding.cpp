#include "core/geometry/encoding.h"

#include <algorithm>
#include <boost/math/distributions/normal.hpp>
#include <cmath>
#include <limits>
#include <numbers>

namespace lodestone::geometry {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double pi = std::numbers::pi;

double correlation(double rho) { return std::clamp(rho, -1.0, 1.0); }

double normalCdf(double x) { return 0.5 * std::erfc(-x / std::numbers::sqrt2); }

double rootTwoK(double K) { return std::sqrt(2.0 * std::max(K, 0.0)); }

} // namespace

double encodingQuality(double squaredNorm, double unencodedVariance)
{
    const double total = squaredNorm + unencodedVariance;
    return total > 0 ? std::clamp(squaredNorm / total, 0.0, 1.0) : 0.0;
}

double adjustedRSquared(double rSquared, int n, int d)
{
    if (n <= d + 1)
        return std::numeric_limits<double>::quiet_NaN();
    return 1.0 - (1.0 - rSquared) * (n - 1.0) / (n - d - 1.0);
}

double accuracyFromCorrelation(double rho) { return 0.5 + std::asin(correlation(rho)) / pi; }

double correlationFromAccuracy(double accuracy)
{
    return std::sin(pi * (std::clamp(accuracy, 0.0, 1.0) - 0.5));
}

double encodingQualityFromAccuracy(double accuracy)
{
    const double rho = correlationFromAccuracy(accuracy);
    return rho > 0 ? rho * rho : 0.0;
}

double generationJudgmentGap(double rhoJudge, double rhoGenerator)
{
    return accuracyFromCorrelation(rhoJudge) - accuracyFromCorrelation(rhoGenerator);
}

double lambdaForBudget(double K, double judgeDeviation)
{
    return judgeDeviation > 0 ? rootTwoK(K) / judgeDeviation : 0.0;
}

double valueGain(double rho, double valueDeviation, double K)
{
    return correlation(rho) * valueDeviation * rootTwoK(K);
}

double marginalValueGain(double rho, double valueDeviation, double K)
{
    const double slope = correlation(rho) * valueDeviation;
    if (slope == 0)
        return 0;
    return K > 0 ? slope / rootTwoK(K) : std::copysign(infinity, slope);
}

double winRate(double rho, double K) { return normalCdf(correlation(rho) * std::sqrt(std::max(K, 0.0))); }

double impliedByWinRate(double winRate)
{
    if (!(winRate > 0))
        return -infinity;
    if (winRate >= 1)
        return infinity;
    return boost::math::quantile(boost::math::normal(), winRate);
}

double equalBudgetAdvantage(double rhoJudge, double rhoGenerator, double valueDeviation, double K)
{
    return valueGain(rhoJudge, valueDeviation, K) - valueGain(rhoGenerator, valueDeviation, K);
}

Ceilings ceilings(double q, double valueDeviation, double K)
{
    const double best = std::sqrt(std::clamp(q, 0.0, 1.0));
    return { valueGain(best, valueDeviation, K), winRate(best, K), accuracyFromCorrelation(best) };
}

double alignmentAfter(double rhoJudge, double rhoGenerator, double cosine, double t)
{
    const double squared = 1.0 + 2.0 * t * correlation(cosine) + t * t;
    return squared > 0 ? (correlation(rhoGenerator) + t * correlation(rhoJudge)) / std::sqrt(squared) : 0.0;
}

double largestImprovingUpdate(double rhoJudge, double rhoGenerator, double cosine)
{
    const double judge = correlation(rhoJudge);
    const double generator = correlation(rhoGenerator);
    const double slope = judge - correlation(cosine) * generator;
    if (slope <= 0)
        return 0;
    // f returns to f(0) only from above, and only when its limit rho_c lies below.
    if (judge >= generator)
        return infinity;
    return 2.0 * generator * slope / (generator * generator - judge * judge);
}

Mixture bestMixture(double rhoJudge, double rhoGenerator, double cosine)
{
    const double judge = correlation(rhoJudge);
    const double generator = correlation(rhoGenerator);
    const double c = correlation(cosine);
    const double judgePart = judge - c * generator;
    const double generatorPart = generator - c * judge;
    if (judgePart > 0 && generatorPart > 0) {
        const double t = judgePart / generatorPart;
        return { t, alignmentAfter(judge, generator, c, t) };
    }
    if (judge > generator)
        return { infinity, judge };
    return { 0, generator };
}

GaussianUpdate gaussianUpdate(
    const Eigen::VectorXd& sigmaJudge, double judgeSquaredNorm, double truthWithJudge, double lambda)
{
    return { lambda * sigmaJudge, 0.5 * lambda * lambda * judgeSquaredNorm, lambda * judgeSquaredNorm,
             lambda * truthWithJudge };
}

} // namespace lodestone::geometry
