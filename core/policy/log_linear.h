// Log-linear policies on the candidates: what gradient-trained rules move, on the same activations that
// judges read.
#pragma once

#include "core/geometry/standardise.h"
#include "core/policy/outcome.h"

namespace lodestone::policy {

/// Features of the pool's candidates on the principal axes of their differences within prompts. A rotation,
/// so that gradient steps are those on standardised activations (docs/theory.md 8.8), and the Fisher
/// information of the base policy is diagonal (nearly, where prompts have different numbers of candidates).
struct Features {
    Eigen::MatrixXd x; ///< [candidates, r], centred within each prompt, mean |x|^2 = 1
    Eigen::VectorXd
        variance; ///< [r] mean of x^2 under the base policy, prompts weighted alike, largest first
    std::vector<int> first; ///< [prompts + 1] index of each prompt's first candidate in pool order

    int prompts() const { return static_cast<int>(first.size()) - 1; }
    /// True when the class holds every policy with full support on this pool: as many axes as free logits.
    bool saturated() const { return x.cols() == x.rows() - prompts(); }
};

/// From activations [responses, width]. O(N d min(N, d)) once a layer. Errors: no candidates, or candidates
/// that do not differ at all.
Result<Features>
makeFeatures(const Pool& pool, const geometry::RowsRef& rows, const geometry::Standardiser& coordinates);

/// One free logit a candidate (Helmert contrasts within prompts): the tabular policy.
Features tabularFeatures(const Pool& pool);

/// pi(y|x) proportional to exp(theta'x_y) within each prompt, in pool order.
std::vector<double> logLinear(const Features& features, const Eigen::VectorXd& theta);
/// The same from logits per candidate.
std::vector<double> softmaxWithin(const Features& features, const Eigen::VectorXd& logits);

/// KL of probabilities from the uniform base, mean over prompts.
double klOf(const Features& features, std::span<const double> probabilities);

} // namespace lodestone::policy
