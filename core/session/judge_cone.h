// How sure a judgment is: the spread of the judge's direction when training prompts are left out, as an
// interval on every pair.
#pragma once

#include "core/session/snapshot.h"

namespace lodestone::session {

struct JudgeCone {
    std::vector<judgment::PairJudgment> pairs; ///< the snapshot's, each with its 95 % interval
    double degrees = 0; ///< half angle of the cone: root mean square angle of w_c to the truth it estimates,
                        ///< in the Sigma inner product
};

/// The training prompts of a layer's factor, one compact id per training row.
geometry::CompactGroups trainingPrompts(const Foundation& foundation, const LayerStage& layer);

/// How a principle's Sigma-unit direction changes when each training prompt is left out of its regression.
/// Shape [width, prompts]. Errors: fewer than two prompts, a regression that fails.
Result<Eigen::MatrixXd> leaveOutChanges(
    const Foundation& foundation, const LayerStage& layer, const constitution::Judged& judged,
    const geometry::CompactGroups& prompts);

/// The jackknife over training prompts (Quenouille 1956; Efron & Stein 1981). Leaving prompt g out of a ridge
/// regression changes its weights by exactly -(X'X + kI)^{-1} X_g' e_g, e_g the left-out residuals, with
/// strength, coordinates and Sigma kept; so all refits cost one product. A pair's standard error is sqrt((G -
/// 1)/G sum_g (delta_g - mean)^2) of its margin over G prompts; its interval is sigmoid((margin -+ 1.96
/// se)/tau). The coefficients of the principles are kept, as the user set them; a judge of parts
/// (ordered_judge.h) gives each pair the interval of the priority that decides it. Errors: no judge
/// direction, fewer than two training prompts.
Result<JudgeCone> judgeCone(const Snapshot& snapshot);

} // namespace lodestone::session
