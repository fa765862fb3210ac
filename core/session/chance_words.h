// Random words in the place of a principle's poles: what words reach that nobody chose.
#pragma once

#include "core/session/snapshot.h"

namespace lodestone::session {

/// The cloze judgments by as many random words of the study's table as the principle's poles have, none of
/// them its own: one vector [responses] a draw. Empty when the table has too few words.
std::vector<Eigen::VectorXd> judgmentsByChance(
    const constitution::ClozeElicitation& cloze, const constitution::Principle& principle, int draws,
    std::uint64_t seed);

/// Held-out agreement (of pairs, else AUC) of the directions regressed on such judgments at this layer, with
/// the labels of the principle's value, or with all where it has none: one a draw, signs as drawn. Empty
/// without stored cloze answers, and when `work` is stopped.
std::vector<double> agreementsByChance(
    const Foundation& foundation, const LayerStage& layer, const constitution::Principle& principle,
    int draws, std::uint64_t seed, const Work& work = {});

/// Share of the draws that agree at least as often as `value`; NaN without draws.
double shareByChance(const std::vector<double>& agreements, double value);

} // namespace lodestone::session
