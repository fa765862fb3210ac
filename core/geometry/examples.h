// What people labelled, as pairs or as single rows, and how well any read-out agrees with it.
#pragma once

#include "core/base/error.h"
#include "core/geometry/estimators.h"
#include "core/geometry/statistics.h"

#include <cstdint>
#include <span>
#include <vector>

namespace lodestone::geometry {

/// Labelled items of one kind: when `pairs` is not empty the rows do not count.
struct Examples {
    std::vector<Pair> pairs;
    std::vector<LabelledRow> rows;

    bool arePairs() const { return !pairs.empty(); }
    int size() const { return static_cast<int>(arePairs() ? pairs.size() : rows.size()); }

    /// The group (prompt) of each item.
    std::vector<int> groups() const;

    /// The activation rows that the items use, each once, in increasing order.
    std::vector<int> usedRows() const;

    /// The chosen items.
    Examples subset(std::span<const int> items) const;
};

/// Agreement with people's labels. For pairs, accuracy is the share of pairs whose chosen reply scores higher
/// and AUC compares all chosen with all rejected replies; for single rows, accuracy is the share of rows on
/// their label's side of the read-out's zero. Ties count half. Intervals by ClusterBootstrap over the groups.
struct Score {
    Estimate accuracy;
    Estimate auc;
};

/// Scores a read-out on raw h; the estimates are NaN without examples. O(rows used x d). `resamples` 0: no
/// intervals. Errors: a row number out of range, another width.
Result<Score> scoreReadOut(
    const ReadOut& readOut, const RowsRef& rows, const Examples& examples, int resamples = 1000,
    std::uint64_t seed = 0);

/// The same from the scores of all activation rows, so that an edit of weights never touches the activations.
Result<Score> scoreRowScores(
    std::span<const double> rowScores, const Examples& examples, int resamples = 1000,
    std::uint64_t seed = 0);

/// The design of the examples, standardised by the rows they use. Errors as in Standardiser::fit and Design.
Result<Design> designOf(const RowsRef& rows, const Examples& examples);

} // namespace lodestone::geometry
