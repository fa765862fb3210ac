// A handful of marked pairs correct a direction that came from words: how far is decided by the marks
// themselves.
#pragma once

#include "core/base/error.h"
#include "core/geometry/read_out.h"
#include "core/geometry/standardise.h"

#include <span>

namespace lodestone::geometry {

/// Logistic regression of "this reply follows the principle, that one does not" on the differences of marked
/// pairs, P(follows) = sigmoid(w'Delta), with a Gaussian prior about the words' read-out b: on standardised
/// coordinates w ~ N(b, I/(kappa d)). kappa maximises the Laplace approximation of the marginal likelihood
/// (Rasmussen & Williams 2006, section 3.4: equation 3.32 with this mean); "no shrinking away from the words"
/// (kappa infinite) is among the candidates, so marks that the words explain leave the words alone.
struct FewShot {
    ReadOut readOut; ///< on raw h, in the units of b; not of Sigma-norm 1
    double precision = 0; ///< kappa; infinity: the words' direction as it was
    double logEvidence = 0; ///< log marginal likelihood of the marks at kappa, nats
    double logEvidenceOfWords = 0; ///< the same for the words' direction alone
};

/// `differences`: follows minus breaks, shape [marks, width] of raw h. `words`: b, of Sigma-norm 1 so that
/// its margins are those of the judge at temperature 1; zero weights where words found nothing. O(marks^2
/// width + 16 marks^3). Errors: no marks, other widths, values that are not finite.
Result<FewShot> fewShot(const RowsRef& differences, const Standardiser& coordinates, const ReadOut& words);

/// The Laplace approximation that fewShot maximises: margins f ~ N(mean, kernel), one mark each, all
/// "follows". Shapes [n], [n x n] positive semi-definite. `mode` receives f at its maximum and `dual` the a
/// with f = mean + kernel a.
double laplaceEvidence(
    const Eigen::VectorXd& mean, const Eigen::MatrixXd& kernel, Eigen::VectorXd& mode, Eigen::VectorXd& dual);

} // namespace lodestone::geometry
