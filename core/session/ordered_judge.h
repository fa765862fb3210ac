// Judges of several parts: principles that apply to some prompts only, and principles in order of priority.
// Where a constitution has neither, its judge is one direction and this unit is not used.
#pragma once

#include "core/geometry/subspace.h"
#include "core/session/snapshot.h"
#include "core/session/trial.h"

namespace lodestone::session {

/// Scopes or priorities are in use among the principles that are on.
bool isOrdered(const constitution::Constitution& constitution);
/// Two priorities or more: then a judgment needs to know how sure the higher one is.
bool hasPriorities(const constitution::Constitution& constitution);

/// How a principle's scores move when training prompts are left out, in at most 64 blocks of prompts (whole
/// prompts; to first order within a block), so scaled that the squared error of a difference of two rows is
/// the squared length of the difference of their rows here: the jackknife of judge_cone.h with one prompt a
/// block. Shape [rows, blocks].
Result<Eigen::MatrixXd>
spreadOf(const Foundation& foundation, const LayerStage& layer, const constitution::Judged& judged);

/// Fills parts, rewards, coefficients and linearShare. `subspace`: of the active principles' unit directions;
/// `inner`: their products with the neutral judgment (for projections). For each prompt the principles
/// that apply make a direction per priority, by the constitution's mapping; judgment::decide chooses among
/// them for each two replies to a prompt, judgment::scoresOf makes rewards of that. With one priority the
/// rewards are that direction's scores. `coefficients` are then the linear part: the combination of the
/// principles' directions whose scores come closest to the rewards within training prompts, and
/// `linearShare` is the share of the rewards' variance that it explains.
void judgeInParts(
    const Snapshot& snapshot, const geometry::Subspace& subspace, const Eigen::VectorXd& inner,
    JudgeStage& stage);

/// Fills `decidedBy` of the stage's pairs.
void nameDeciders(const Snapshot& snapshot, JudgeStage& stage);

/// The decided margin of the first reply of a trial over the second, by its own prompt's text.
double trialMargin(const Trial& trial, const Snapshot& snapshot);

} // namespace lodestone::session
