// Principles x ways x layers with the evidence that needs no label beside what labels say: which way to
// believe, and how often the label-free reason would have picked the right one.
#pragma once

#include "core/constitution/ways.h"
#include "core/geometry/covariance.h"
#include "core/geometry/examples.h"
#include "core/session/foundation.h"

namespace lodestone::session {

/// What can be known of a direction without a label. NaN where a way does not give a measure. All on training
/// prompts, but for the linearity that is shown.
struct Evidence {
    /// Read-out: correlation of judgments with predictions of their own prompt left out. Displacement: of
    /// +-projection with the side, on the half it was not taken from.
    double linearity = std::numeric_limits<double>::quiet_NaN();
    double heldOutLinearity = std::numeric_limits<double>::quiet_NaN(); ///< on held-out prompts; shown
    double agreement = std::numeric_limits<double>::quiet_NaN(); ///< over suffixes, templates, paraphrases
    double symmetry = std::numeric_limits<double>::quiet_NaN(); ///< one pole up where the other goes down
    double lengthIndependence = std::numeric_limits<double>::quiet_NaN(); ///< 1 - |r(score, length)|
    double shareOfVariance
        = std::numeric_limits<double>::quiet_NaN(); ///< of h within prompts, or of contrasts
    double normAgainstRandom = std::numeric_limits<double>::quiet_NaN(); ///< against shuffled judgments

    /// Mean of linearity, agreement, symmetry and length independence, each taken into 0 .. 1, over those
    /// that are known: the label-free reason to prefer a way. NaN when none is.
    double combined() const;
};

struct BenchRow {
    int principle = 0;
    std::string way;
    constitution::Yields yields = constitution::Yields::ReadOut;
    Layer layer;
    Evidence evidence;
    geometry::Score heldOut; ///< about the principle's value (all labels where the study has none about it)
    /// With training labels, which no way has seen: what "best by labels" uses.
    double trainingAgreement = 0;
    double trainingAuc = 0; ///< decides between rows that agree with as many pairs
};

/// What a way says of one principle before any layer: agreement of the answers themselves with all labels.
struct BenchDirect {
    int principle = 0;
    std::string way;
    geometry::Score score; ///< NaN for displacements
    std::string problem; ///< why there is nothing; empty when there is
    bool unasked = false; ///< the model could tell: it was not asked
    std::vector<std::string> unknown; ///< pole words that count for nothing here: the model would know them
};

/// Row numbers; -1: none. The linearity of a displacement is that of its own contrast and not of judgments,
/// so the two are not on one scale, and neither is that of answers which are themselves read from states
/// (LAT): evidence chooses among judgments, and among the others only where no way gives one. Training labels
/// choose among all, pairs first, then their AUC.
struct BenchBest {
    int principle = 0;
    int byEvidence = -1, byLabels = -1;
};

/// Held-out agreement of cloze directions whose poles are random words of the study's table, as many as the
/// principle's: what words reach that nobody chose. Their sign is as drawn.
struct WordsByChance {
    int principle = 0;
    Layer layer;
    double mean = 0, low = 0, high = 0; ///< 2.5 and 97.5 % quantiles over the draws
};

struct LayerScore {
    Layer layer;
    geometry::Score heldOut;
};

struct Bench {
    std::vector<constitution::Principle> principles;
    std::vector<BenchRow> rows;
    std::vector<BenchDirect> direct;
    std::vector<BenchBest> best; ///< one per principle
    std::vector<geometry::Estimate> length; ///< per principle: "longer" or "shorter" as training labels say
    std::vector<geometry::Score> people; ///< per principle: ridge on people's labels at the layer chosen by
                                         ///< cross-validation: what is there to be found
    std::vector<Layer> peopleLayer;
    std::vector<std::vector<LayerScore>> peopleByLayer; ///< per principle, the same at every layer
    std::vector<WordsByChance> randomWords; ///< where options.randomWords asks for them
    std::vector<Layer> layers;
    double sameWay = 0; ///< share of principles where both choices name the same way
    double loss = 0; ///< mean held-out agreement lost by choosing by evidence instead of training labels
    double rankCorrelation = 0; ///< Spearman, of combined evidence with held-out agreement over the ways
                                ///< that evidence chooses among (each at its best layer by evidence), mean
                                ///< over principles
    int heldOutItems = 0;
    bool pairs = true;
};

struct BenchOptions {
    std::vector<std::string> ways; ///< empty: all that the context can answer
    std::vector<Layer> layers; ///< empty: all of the study
    data::Position position = data::Position::Mean;
    std::uint64_t seed = 0;
    bool people = true; ///< the baseline from labels costs most of the time
    int randomWords = 0; ///< draws of random pole words for each principle and layer; 0: none
};

/// Asks what is missing (askAhead) and scores. A way that cannot be had for a principle leaves a problem,
/// not an error; errors: no labels, no activations, cancellation, a model that fails.
Result<Bench> runBench(
    const Foundation& foundation, const std::vector<constitution::Principle>& principles,
    const constitution::WayContext& context, const BenchOptions& options, const Work& work = {});

/// The read-out on raw h that a displacement becomes at a layer (docs/theory.md 8.2).
Result<geometry::ReadOut>
readOutOf(const constitution::Contrast& contrast, Layer layer, const geometry::Covariance& sigma);

/// Sigma within prompts of the listed rows, or over them where no prompt has two.
Result<geometry::Covariance> sigmaOf(
    const geometry::RowsRef& rows, std::span<const int> which, const std::vector<int>& groups,
    const geometry::Standardiser& coordinates);

} // namespace lodestone::session
