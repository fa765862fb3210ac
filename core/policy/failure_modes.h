// How RLAIF fails: each failure a switch with a dose, its effect on this study, its statement, and a
// mitigation to compare.
#pragma once

#include "core/policy/reward_source.h"

namespace lodestone::policy {

/// A failure as the user meets it.
struct FailureMode {
    std::string id; ///< the command line's word
    std::string title;
    std::string what; ///< one sentence: what goes wrong and how the dose enters
    std::string statement; ///< "T34": where docs/theory.md states it
    std::string doseName; ///< "eta: weight of length"
    double least = 0, most = 1, usual = 0.5; ///< of the dose
    std::string mitigation; ///< one sentence: what is compared against it
    std::string figure; ///< what `FailureEffect::figure` says, with its unit
};

/// All of them, in the order of docs/policy-lab.md.
const std::vector<FailureMode>& failureModes();
/// Null for a name that is none of them.
const FailureMode* failureMode(const std::string& id);

/// A failure's effect at one KL budget: the clean reward, the failed one, the mitigated one, each trained to
/// the exact optimum. Gold gains in within-prompt standard deviations; differences are paired over prompts.
struct FailureEffect {
    std::string id;
    double dose = 0, kl = 0;
    geometry::Estimate clean, failed, mitigated; ///< gold gain
    geometry::Estimate harm; ///< failed less clean
    geometry::Estimate help; ///< mitigated less failed
    double failedKl = 0, mitigatedKl = 0; ///< where the failure or its cure is about the budget itself
    double figure = 0, mitigatedFigure = 0; ///< the failure's own measure; NaN where it has none
    double closed
        = 0; ///< what the statement's formula says of `figure` or of the harm; NaN where it says nothing
    std::string closedSays; ///< what `closed` is
    std::string note; ///< in plain words; may be empty
};

/// Errors: an unknown name, a dose outside its range, a study that lacks what the failure needs (a judge, a
/// generation direction), cancellation.
Result<FailureEffect>
measureFailure(const World& world, const std::string& id, double dose, double kl, const Work& work = {});

/// Doses from least to most: what a slider's curve shows.
Result<std::vector<FailureEffect>>
doseCurve(const World& world, const std::string& id, int points, double kl, const Work& work = {});

/// Replies that leave the reward model's training region: candidates in fifths of their Mahalanobis distance
/// to the replies the model was trained on, with its error there and how much of the policy stands in each.
struct ShiftBin {
    double distance = 0; ///< mean Mahalanobis distance per coordinate
    double error = 0; ///< root mean square of reward model less judge, in the judge's deviations
    double baseShare = 0, policyShare = 0;
};
Result<std::vector<ShiftBin>> shiftBins(const World& world, double kl);

/// Human-labelled pairs to show that a judge's accuracy differs from 1/2 by `harm` (T31): power 80 %, level 5
/// %.
double labelsToSee(double harm);

} // namespace lodestone::policy
