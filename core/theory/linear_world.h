// A linear-Gaussian world to play in: every direction is chosen, replies and labels are drawn, so that
// whatever is measured on them can be compared with what was put in.
#pragma once

#include "core/theory/statement.h"

#include <Eigen/Core>

namespace lodestone::theory {

/// What one may set, as for a statement: d, spectrum, q, the cosines of judge, generator and principles with
/// the values, noise and temperature, and how much is drawn.
std::vector<Input> worldInputs();
/// The checks of Statement::set.
Result<void> setWorld(Values& values, std::string_view name, double value);

struct World {
    Eigen::MatrixXd
        mixing; ///< A [d x d]: h = offset of the prompt + A z with z standard normal; Sigma = A A'
    /// Read-outs on h [d] of Sigma-norm 1: w'h has variance 1 within a prompt.
    Eigen::VectorXd truth, judge, generation;
    std::vector<Eigen::VectorXd> principles;

    /// One reply: its prompt, and what was drawn for it.
    struct Reply {
        int prompt = 0;
        double value = 0; ///< V*, standard deviation 1 within a prompt; what h does not encode is in it
        double generation = 0; ///< w_gen'h with noise: what log p(y|x) - log p(y) shows
        double judged = 0; ///< w_J'h with the judge's noise
        std::vector<double> principles; ///< the same for each principle
    };
    std::vector<Reply> replies; ///< those of pairs first, two a prompt
    Eigen::MatrixXd activations; ///< [replies, d]
    Eigen::MatrixXd lexical; ///< [replies, d]: of the same spectrum, without any of the above
    std::vector<bool> firstChosen; ///< per pair: was its first reply preferred?

    Eigen::MatrixXd sigma() const { return mixing * mixing.transpose(); }
};

/// Draws a world. Error: values that exclude each other (more principles than d allows).
Result<World> drawWorld(const Values& values, std::uint64_t seed);

} // namespace lodestone::theory
