// What the difference between two constitutions does on a study: whose judge agrees with people more often,
// and how often the two judges part.
#pragma once

#include "core/session/snapshot.h"

namespace lodestone::session {

/// All over held-out pairs that both judges say something of, with 95 % bootstrap intervals over prompts that
/// share their resamples.
struct JudgeComparison {
    int pairs = 0;
    geometry::Estimate first, second; ///< agreement with people, ties half
    geometry::Estimate difference; ///< second minus first, paired
    geometry::Estimate disagree; ///< share of pairs of which the judges prefer different replies, or one none
    double cosine = 0; ///< cos_S between both w_c; of judges of parts between their linear shares
};

/// Errors: snapshots of two studies, layers or positions; a judge without a direction; no held-out pair, as
/// in a study of labelled texts.
Result<JudgeComparison> compareJudges(const Snapshot& first, const Snapshot& second);

} // namespace lodestone::session
