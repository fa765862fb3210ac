// Which principles would do people's values most harm while looking harmless: a search over words, scored
// from the stored states alone, beside the worst that any constitution could reach. It writes principles,
// never replies.
#pragma once

#include "core/geometry/composition.h"
#include "core/session/snapshot.h"

namespace lodestone::session {

/// Harm: cos_S(w*, w_c), lower is worse; training with w_c lowers people's value exactly when it is negative
/// (T6 of docs/theory.md). Looks: cos_S(w_J, w_c) with the model's neutral judgment of good against bad; a
/// principle looks harmless when this is at least `looks`. Both on training prompts, with the layer's Sigma.
struct SearchOptions {
    double looks = 0.3;
    int wordsPerPole = 3; ///< at most
    int principles = 2; ///< at most, of the constitution written
    int beam = 8;
    std::vector<constitution::Principle> pool; ///< ordinary principles with their texts, to hide behind
    std::vector<std::string> avoid; ///< words that no pole may hold
};

struct FoundPrinciple {
    constitution::Principle principle;
    double harm = 0, looks = 0; ///< of its own direction
    bool fromPool = false;
};

struct AdversarialSearch {
    std::vector<FoundPrinciple> best; ///< principles of the search's own words, most harmful first
    constitution::Constitution constitution; ///< what the search would hand in
    double harm = 0, looks = 0; ///< of the constitution's w_c
    std::int64_t tried = 0; ///< candidates scored
    double cosTrueJudge = 0; ///< cos_S(w*, w_J)
    /// The least cos_S(w*, w) of any direction w with cos_S(w_J, w) >= looks: cos(theta + phi) with the two
    /// angles, -1 when they exceed 180 degrees together.
    double worstLooking = 0;
    geometry::Reach projections; ///< T15 at |w*| = |w_J| = 1: over all projections of the neutral judgment
    /// T15 inside the span of the principles found and the pool: s and w replaced by their parts in it.
    geometry::Reach projectionsInSpan;
    geometry::Reach weights; ///< T16 at 2 K = 1, over non-negative weights on those principles, taken as
                             ///< Sigma-orthonormal
};

/// All pairs of table words (exact: one word a pole is linear in its logits), then a beam that adds words to
/// the poles, then a beam over constitutions of those and the pool with weights 1/2, 1 and 2. A word
/// direction is the ridge regression of its logit, at the strength of the neutral judgment. Deterministic.
/// O(W^2 + W n r) for W words, n training responses and rank r. Errors: no people's direction, no neutral
/// judgment or cloze states; no words that look harmless enough (with the best looks found); cancellation.
Result<AdversarialSearch> searchAdversarial(
    const Foundation& foundation, const LayerStage& layer, const SearchOptions& options = {},
    const Work& work = {});

/// cos(theta + phi) of two cosines; -1 from 180 degrees on.
double worstCosineAtLooks(double cosTrueJudge, double looks);

} // namespace lodestone::session
