// One immutable picture of everything the window and the command line show, made of stages that are kept
// while their inputs do not change.
#pragma once

#include "core/geometry/covariance.h"
#include "core/geometry/ridge.h"
#include "core/geometry/subspace.h"
#include "core/judgment/preference.h"
#include "core/policy/pool_policy.h"
#include "core/session/foundation.h"

namespace lodestone::session {

/// What the user edits, small and copyable: the whole of undo.
struct Inputs {
    Layer layer;
    data::Position position = data::Position::Mean;
    constitution::Constitution constitution;
    double beta = 1; ///< KL penalty; lambda = 1/beta
    double tau = 1; ///< judge temperature, in units of the judge direction
    std::uint64_t seed = 0;
};

/// A read-out on the residual stream of one layer, of Sigma-norm 1 (Sigma within prompts), with its score on
/// every row.
struct Direction {
    geometry::ReadOut readOut; ///< on raw h
    Eigen::VectorXd displacement; ///< Sigma w [width]: where it steers (T42)
    Eigen::VectorXd
        scores; ///< w'h [rows], centred on the training rows; in within-prompt standard deviations
    geometry::Score heldOut; ///< agreement with people on held-out examples
    double linearity = std::numeric_limits<double>::quiet_NaN(); ///< held-out correlation with the judgments
                                                                 ///< it was fitted to
    double relativeStrength = 0; ///< of its ridge penalty
    bool found() const { return scores.size() > 0; }
};

/// Everything about one layer that no edit of the constitution changes.
struct LayerStage {
    Fingerprint key;
    Layer layer;
    data::Position position = data::Position::Mean;
    geometry::Rows rows; ///< [rows, width]
    geometry::Standardiser standardiser;
    std::optional<geometry::Covariance> sigma; ///< within prompts, on training rows
    bool sigmaWithinPrompts = true; ///< false where no prompt has two rows: plain covariance
    std::optional<geometry::RidgeFactor> factor; ///< of the training rows, for judgments
    std::vector<int> trainingRows; ///< of the factor
    constitution::StudyExamples examples;
    Direction people; ///< w*: ridge on people's labels
    Direction generation; ///< w_gen: proxy from log p(y|x) - log p(y), length-controlled; not found without
                          ///< likelihoods
    Direction neutral; ///< w_J: good against bad, no principle; not found without cloze states
    geometry::Estimate generationAccuracy; ///< of the proxy score itself on held-out pairs
    policy::Pool pool; ///< held-out prompts' candidates at this layer
    bool poolFromPairs
        = false; ///< two labelled replies a prompt, because no sampled candidates are captured here
};

/// What became of a principle's marks.
struct MarksUsed {
    int training = 0; ///< on training prompts: from two on they correct the direction
    int heldOut = 0, unknown = 0; ///< on held-out prompts, and of replies that this layer does not have
    /// Of the corrected direction against the words' own, nats: 0 where the words explain the marks.
    double logBayesFactor = std::numeric_limits<double>::quiet_NaN();
    double cosineWithWords = std::numeric_limits<double>::quiet_NaN(); ///< Sigma
    int count() const { return training + heldOut + unknown; }
    bool used() const { return training >= 2; }
};

/// One principle: what the model answered and the direction regressed on it, corrected by marks.
struct PrincipleStage {
    Fingerprint key;
    constitution::Judged judged;
    Direction direction;
    /// Agreement of the answers themselves with people, on all labels of the principle's value: nothing was
    /// fitted to them.
    geometry::Score direct;
    geometry::Score aboutValue; ///< the direction's, on the held-out labels of the principle's value
    MarksUsed marks;
    std::string problem; ///< why there is no direction; empty when there is one
    Eigen::MatrixXd spread; ///< ordered_judge.h's spreadOf; only where the constitution has priorities
};

struct JudgeStage {
    Fingerprint key;
    std::vector<int> active; ///< principles that are on and have a direction
    Eigen::MatrixXd cosines; ///< Sigma-cosines of the active principles
    Eigen::VectorXd coefficients; ///< of w_c on the active principles' unit directions
    double norm = 0; ///< |w_c| in the Sigma norm = s_c
    Eigen::VectorXd rewards; ///< w_c'h [rows]
    geometry::Score heldOut; ///< agreement of w_c with people
    std::vector<judgment::PairJudgment> pairs;
    geometry::Estimate agreement;
    double cosTrue = 0, cosGeneration = 0, cosTrueGeneration = 0; ///< Sigma-cosines with w_c; of w* and w_gen
    std::string problem; ///< why there is no judge direction

    // Of a constitution with scopes or priorities (ordered_judge.h); empty for one that is one direction.
    std::vector<std::vector<Eigen::VectorXd>> parts; ///< [which principles apply][priority]: coefficients
    std::vector<int> partOf; ///< per row: which of the parts its prompt has
    std::vector<int> priorities; ///< those in use, in order
    std::vector<int> decidedBy; ///< per entry of `pairs`: index into priorities; -1: no principle applies
    double linearShare = 1; ///< of the rewards' variance within prompts, by `coefficients`
    bool inParts() const { return !parts.empty(); }
};

/// The meters, each with its interval (docs/theory.md T1, T6, T9, T11 and section 8).
struct MeterStage {
    Fingerprint key;
    geometry::Estimate encodingQuality, judgeAccuracy, generationAccuracy, gap, efficiency, shareOfCeiling,
        ceiling;
    geometry::Estimate cosTrueGeneration, cosJudgeGeneration;
    double selfImprovementProbability = std::numeric_limits<double>::quiet_NaN();
    geometry::Interval selfImprovementInterval; ///< of the share of resamples: how finely it was counted
    double efficiencyNoiseCeiling = std::numeric_limits<double>::quiet_NaN();
    geometry::Interval efficiencyNoiseCeilingInterval; ///< its spread over the halvings
    double lengthMatchedGenerationAccuracy = std::numeric_limits<double>::quiet_NaN();
    double ceilingKl = 0; ///< the KL at which `ceiling` is stated
    /// How often the chosen reply is the likelier one on held-out pairs: log p(y|x) in total, and per token.
    geometry::Estimate likelihoodTotal, likelihoodPerToken;
    /// On the held-out pairs whose lengths differ by at most a tenth: judge, generation proxy, difference.
    geometry::Estimate matchedJudge, matchedGeneration, matchedGap;
    int matchedPairs = 0;
    /// Directions refitted on random halves of the training prompts, of Sigma-norm 1 [width] each, which
    /// spread about the full fit as the full fit spreads about the truth (delete-half jackknife, Shao and Tu
    /// 1995, 2.3). Empty until refined.
    std::vector<Eigen::VectorXd> peopleHalves, generationHalves, judgeHalves;
    /// "Judges better than it writes" may be said: the gap is above zero on all pairs and on those of matched
    /// lengths.
    bool judgesBetterThanWrites() const { return gap.interval.low > 0 && matchedGap.interval.low > 0; }
};

struct CurvePoint {
    double lambda = 0, kl = 0, rewardGain = 0, valueGain = 0;
};
struct PolicyStage {
    Fingerprint key;
    policy::Tilt tilt;
    policy::TiltIntervals intervals;
    policy::Movers movers;
    std::vector<CurvePoint> curve; ///< the exact pool along lambda
    double gaussianKl = 0, gaussianRewardGain = 0,
           gaussianValueGain = 0; ///< closed form at the same lambda (T4)
    double largestKl = 0;
};

struct Snapshot {
    Inputs inputs;
    std::shared_ptr<const Foundation> foundation;
    std::shared_ptr<const LayerStage> layer;
    std::vector<std::shared_ptr<const PrincipleStage>> principles; ///< one per principle of the constitution
    std::shared_ptr<const JudgeStage> judge;
    std::shared_ptr<const MeterStage> meters;
    std::shared_ptr<const PolicyStage> policy;
    /// Per principle: held-out agreement of directions by random words (chance_words.h), one a draw; null
    /// until refined, and for principles that are not read off stored answers.
    std::vector<std::shared_ptr<const std::vector<double>>> chanceWords;
    std::vector<int> flipped; ///< pairs that the last edit flipped
    Fingerprint fingerprint() const; ///< of the study and all inputs
};

} // namespace lodestone::session
