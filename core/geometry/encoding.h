// The formulas behind the meters: what an accuracy says about how far values are encoded, how much better a
// model judges than it writes, and what an update can gain. All hold in the linear-Gaussian model of
// docs/theory.md.
#pragma once

#include <Eigen/Core>

namespace lodestone::geometry {

// Symbols: V* true value, sV its standard deviation; q encoding quality; rho_c, rho_g correlations of V* with
// the judge's and the generator's score; c their Sigma-cosine; K = KL(pi_c || pi_0) in nats; lambda = 1/beta.
// Correlations are taken into -1 .. 1 and q into 0 .. 1; a negative K counts as 0.

/// q = |w*|^2 / (|w*|^2 + s_xi^2), from the squared Sigma-norm of w* and the variance that h does not encode
/// (T1). 0 when both are 0.
double encodingQuality(double squaredNorm, double unencodedVariance);

/// R^2 corrected for the d coordinates that a probe could fit: 1 - (1 - R^2)(n - 1)/(n - d - 1) (T1). NaN for
/// n <= d + 1.
double adjustedRSquared(double rSquared, int n, int d);

/// Pair accuracy of a score with correlation rho to the value: 1/2 + arcsin(rho)/pi (T9).
double accuracyFromCorrelation(double rho);

/// The inverse: sin(pi (a - 1/2)); also the unit in which theory.md 8.4 takes ratios.
double correlationFromAccuracy(double accuracy);

/// q >= sin^2(pi (a - 1/2)) from the held-out pair accuracy of the best linear probe; 0 for a <= 1/2
/// (theory.md 8.3: a lower bound for random pairs of one policy; for written or selected pairs say "implied
/// by these pairs").
double encodingQualityFromAccuracy(double accuracy);

/// (arcsin rho_c - arcsin rho_g)/pi: by how much the judge is right more often than the generator (T9).
double generationJudgmentGap(double rhoJudge, double rhoGenerator);

/// lambda that spends K: sqrt(2 K)/s_c (T7); 0 when the judge's score has no spread.
double lambdaForBudget(double K, double judgeDeviation);

/// Delta V at a budget K: rho sV sqrt(2 K) (T7).
double valueGain(double rho, double valueDeviation, double K);

/// d Delta V / dK = rho sV / sqrt(2 K) (T7); infinite at K = 0 with the sign of rho, 0 for rho = 0.
double marginalValueGain(double rho, double valueDeviation, double K);

/// P(V* of the updated policy's reply > V* of the base's) = Phi(rho sqrt K) (T8).
double winRate(double rho, double K);

/// The inverse: rho sqrt K implied by a published win rate in (0, 1), Phi^{-1}(p); infinite at the ends (T8).
double impliedByWinRate(double winRate);

/// Judge against sharpening the policy at equal K: (rho_c - rho_g) sV sqrt(2 K) (T9b).
double equalBudgetAdvantage(double rhoJudge, double rhoGenerator, double valueDeviation, double K);

/// What no constitution can exceed, acting only through h (T11).
struct Ceilings {
    double valueGain = 0; ///< sqrt(q) sV sqrt(2 K)
    double winRate = 0; ///< Phi(sqrt(q K))
    double accuracy = 0; ///< 1/2 + arcsin(sqrt q)/pi
};
Ceilings ceilings(double q, double valueDeviation, double K);

/// f(t): correlation with V* of the effective generation direction w_gen + lambda w_c, t = lambda s_c/|w_gen|
/// >= 0 (T9c). `cosine`: Sigma-cosine of judge and generator. 0 when the two cancel exactly.
double alignmentAfter(double rhoJudge, double rhoGenerator, double cosine, double t);

/// End of the interval (0, t_max) on which f(t) > f(0) (T9c): infinite when it never ends, 0 when f falls at
/// once.
double largestImprovingUpdate(double rhoJudge, double rhoGenerator, double cosine);

/// The mixture of generator and judge that correlates best with V* (T10). t = 0: the generator alone;
/// infinite: the judge alone.
struct Mixture {
    double t = 0;
    double alignment = 0;
};
Mixture bestMixture(double rhoJudge, double rhoGenerator, double cosine);

/// The tilt pi_c ~ pi_0 exp(lambda w_c'h) of a Gaussian policy (T4).
struct GaussianUpdate {
    Eigen::VectorXd shift; ///< lambda Sigma w_c, the move of the mean of h; the covariance stays
    double K = 0; ///< lambda^2 s_c^2/2, the same in both directions
    double rewardGain = 0; ///< lambda s_c^2
    double valueGain = 0; ///< lambda <w*, w_c>
};

/// `sigmaJudge`: Sigma w_c [d]; `judgeSquaredNorm`: s_c^2 = w_c'Sigma w_c; `truthWithJudge`: <w*, w_c>.
GaussianUpdate gaussianUpdate(
    const Eigen::VectorXd& sigmaJudge, double judgeSquaredNorm, double truthWithJudge, double lambda);

} // namespace lodestone::geometry
