// How many directions carry a value at a layer, and in which coordinates it is best seen: accuracy and gain
// against rank, what is left when found directions are taken out, and what scaling, whitening and dropping
// do.
#pragma once

#include "core/geometry/held_out.h"
#include "core/session/foundation.h"

namespace lodestone::session {

struct DimensionsOptions {
    geometry::Method method = geometry::Method::DifferenceOfMeans;
    data::Position position = data::Position::Mean;
    std::string value; ///< only this value's labels; empty: all
    std::vector<int> ranks; ///< empty: 1, 2, 4, ... up to what the training rows span
    int randomSubspaces = 20; ///< per rank
    int removals = 8; ///< how many directions are taken out one after the other
    std::uint64_t seed = 0;
};

/// People's direction confined to the k leading principal components of the standardised training rows.
struct RankRow {
    int rank = 0;
    geometry::Estimate kept; ///< held-out agreement of the direction fitted within them
    /// F = |P u|^2/|u|^2 in Sigma, u people's ridge direction at full rank: the share of its squared length
    /// that the span holds. Gain at one lambda goes with F, at one KL with sqrt(F) (T19).
    double captured = 0;
    double randomKept = 0; ///< mean held-out agreement within random k-dimensional subspaces
    double randomCaptured = 0; ///< mean F of those; T19 expects k/width for uniform ones in whitened space
    /// sin^2(pi(a - 1/2)) of `kept` and the accuracy ceiling that it implies (T1, T11): a truncated model's
    /// encoding quality.
    geometry::Estimate encodingQuality;
};

/// After j directions were taken out of the rows, what the next one still reads (iterative nullspace
/// projection, Ravfogel et al. 2020).
struct RemovedRow {
    int removed = 0;
    geometry::Estimate left;
};

struct CoordinatesRow {
    std::string name; ///< "raw", "standardised", "whitened", "drop-1", ...
    geometry::Estimate heldOut; ///< of difference of means on these coordinates
};

struct Dimensions {
    Layer layer;
    int width = 0, training = 0, heldOut = 0;
    bool pairs = true;
    std::vector<RankRow> ranks;
    std::vector<RemovedRow> removals;
    std::vector<CoordinatesRow> coordinates;
    /// T12's a(k) = 1/2 + arcsin(sqrt q(k))/pi with q(k) = H_k^(1+s)/zeta(1+s), s fitted to `kept` by least
    /// squares over 0.05 .. 3: a reconstruction, not a law.
    double capacityExponent = 0;
    std::vector<double> capacityCurve; ///< a(k) at the ranks
};

/// Errors: no labels on either side, a layer or position that the study has not.
Result<Dimensions> measureDimensions(
    const Foundation& foundation, Layer layer, const DimensionsOptions& options, const Work& work = {});

/// T12: accuracy ceiling of a model that encodes k features whose energies fall as i^-(1+s).
double capacityAccuracy(int k, double s);

} // namespace lodestone::session
