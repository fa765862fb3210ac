// Labels that people give at the program: which pair to ask about next, and how far raters agree.
#pragma once

#include "core/data/label_file.h"
#include "core/judgment/preference.h"

#include <map>

namespace lodestone::judgment {

/// The pair is shown with the chosen reply at the left: by a coin of the pair's own, the same for every rater
/// and run, so that the side tells nothing of the label.
bool chosenAtLeft(const data::ResponseSet& set, int pair);

/// What a rater said of a pair, by side: +1 left, -1 right, 0 a tie. Sides are those of chosenAtLeft,
/// whatever was shown. Skips and pairs that the study has not are left out. Keys: indices of pairs.
using Sides = std::map<int, int>;
std::map<std::string, Sides>
sidesByRater(const data::ResponseSet& set, const std::vector<data::PairLabel>& labels);

/// The most informative pair: among those not `done`, the one whose probability is closest to a half; the
/// first of equals. Pairs that the judge says nothing of come last. -1 when all are done.
int leastCertain(
    const data::ResponseSet& set, std::span<const PairJudgment> judgments, const std::vector<bool>& done);

struct RaterAgreement {
    int pairs = 0; ///< labelled by both
    geometry::Estimate accuracy; ///< share of equal answers, over prompts
    /// Cohen's kappa (1960) over left, right and tie: (o - e)/(1 - e), with e the agreement of independent
    /// answers of the same shares; 0 when e is 1 (one answer only), NaN without pairs. Its interval is over
    /// prompts; resamples with one answer only say nothing of chance and are left out.
    geometry::Estimate kappa;
};
RaterAgreement
agreementOf(const data::ResponseSet& set, const Sides& first, const Sides& second, std::uint64_t seed = 0);

/// The study's own labels, and a judge's answers, in the same terms.
Sides sidesOfStudy(const data::ResponseSet& set);
Sides sidesOfJudge(const data::ResponseSet& set, std::span<const PairJudgment> judgments);

} // namespace lodestone::judgment
