// Moves the residual stream along directions, takes directions and ranks out of it, and says how far the
// model was pushed: activation addition, ablation, orthogonal weights, ActSVD.
#pragma once

#include "core/model/language_model.h"

namespace lodestone::model {

// What an engine calls between its products. `states` are rows of packed tokens, `positions` their places in
// their own sequences.

/// At the embedding or a block's output: the additions of this layer and the ablations, in the order given.
void steerStream(
    Eigen::Ref<RowMatrix> states, std::span<const int> positions, Layer layer,
    std::span<const Intervention> interventions);
/// Between two writes of a block: the ablations alone.
void ablateStream(
    Eigen::Ref<RowMatrix> states, std::span<const int> positions,
    std::span<const Intervention> interventions);
/// On what a matrix writes, before it is added: the projections of this site.
void projectWrites(
    Eigen::Ref<RowMatrix> writes, std::span<const int> positions, WriteSite site,
    std::span<const Intervention> interventions);
/// y -> y - left (right' y) for each row, or left (right' y) with `keep`. Shape [rows, width].
void applyMap(Eigen::Ref<RowMatrix> rows, const LowRankMap& map);
/// BadInput when an intervention or edit cannot be used with this model: a direction of another width, NaN, a
/// zero direction to ablate, a layer or block that the model lacks, maps of unequal shapes.
Result<void> checkInterventions(const ModelConfig& config, std::span<const Intervention> interventions);
Result<void> checkEdits(const ModelConfig& config, std::span<const WeightEdit> edits);

// What callers make.

/// h += coefficient * displacement at the output of `layer`, at the positions `tokens` of the sequence.
Intervention
addition(Layer layer, double coefficient, Eigen::VectorXf displacement, TokenRange tokens = { 0, 1 << 30 });
/// Removes the direction from everything that is written into the stream (T43 of docs/theory.md).
Intervention ablation(Eigen::VectorXf direction);

/// All matrices that write into the stream: the embedding, then attention and feed-forward of each block.
std::vector<WriteSite> writeSites(const ModelConfig& config);
/// W -> W - r r'W at every write site, r the unit direction: gives the activations of `ablation` (T43; Arditi
/// et al. 2024, section 2.4), unless what blocks write is normed again before it is added.
std::vector<WeightEdit> orthogonalisation(const ModelConfig& config, const Eigen::VectorXf& direction);

/// What a site writes on sequences of tokens: S = X W', the scores of ActSVD (Wei et al. 2024). One row per
/// token in `ranges` (of each sequence's own tokens; empty: all). Shape [tokens, width].
Result<RowMatrix> writesOn(
    LanguageModel& model, WriteSite site, std::span<const std::vector<TokenId>> sequences,
    std::span<const TokenRange> ranges = {}, const Work& work = {});
/// The r leading right singular vectors of S, orthonormal, largest first, each with its largest coordinate
/// positive. Shape [width, r]; fewer columns where S has a smaller rank.
RowMatrix topRanks(const Eigen::Ref<const RowMatrix>& scores, int ranks);
/// W -> W - P W, P = V V' (Wei et al. 2024): without the top ranks.
LowRankMap removeRanks(const RowMatrix& ranks);
/// W -> P W: the top ranks alone.
LowRankMap keepRanks(const RowMatrix& ranks);
/// W -> W - (I - P_u) P_s W: without the ranks of `s` but for what those of `u` need (T51).
LowRankMap removeOutside(const RowMatrix& s, const RowMatrix& u);

/// KL(p || q) in nats of two next-token distributions given as natural logarithms. Shape [vocabulary].
double
klDivergence(const Eigen::Ref<const Eigen::VectorXf>& logP, const Eigen::Ref<const Eigen::VectorXf>& logQ);

} // namespace lodestone::model
