// Principles in order: a lower one decides only where the higher ones cannot tell, and what scores follow
// from such decisions for replies that are more than two.
#pragma once

#include <Eigen/Core>
#include <functional>
#include <span>

namespace lodestone::judgment {

/// One priority's say on a pair.
struct Say {
    double margin = 0; ///< reward of A minus reward of B
    double error = 0; ///< its standard error
    bool applies = true; ///< a principle of this priority applies to the prompt
};

struct Decision {
    int level = -1; ///< which say decides; -1: none applies
    double margin = 0; ///< its margin; 0 when none applies
};

/// The first level whose 95 % interval, margin -+ 1.96 errors, does not cover 0 (so that of its probability
/// does not cover a half); where none is so sure, the last that applies. Antisymmetric in the two replies.
Decision decide(std::span<const Say> says);

/// Scores of n replies to one prompt whose differences come closest to the decided margins m_ij = -m_ji in
/// the sum of squares: r_i = (1/n) sum_j m_ij, mean 0 (the gradient part of the margins on a complete graph;
/// Jiang et al. 2011). Decisions in order need not be transitive; with two replies, and where one level
/// decides every pair, the differences are the margins themselves. `opponents`: at most so many replies are
/// compared with each, spread evenly (0: all). O(n min(n, opponents)) calls.
Eigen::VectorXd scoresOf(int n, const std::function<double(int i, int j)>& margin, int opponents = 0);

} // namespace lodestone::judgment
