// One form of training data for every estimator: pairs, labelled rows and scored rows all become X, y and
// groups.
#pragma once

#include "core/base/error.h"
#include "core/geometry/standardise.h"

#include <span>
#include <vector>

namespace lodestone::geometry {

/// People chose row `chosen` over row `rejected`; `group` is the prompt.
struct Pair {
    int chosen = 0;
    int rejected = 0;
    int group = 0;
};

/// A row with a label, +1 or -1.
struct LabelledRow {
    int row = 0;
    int label = 1;
    int group = 0;
};

/// A row with a real-valued score, such as the log-odds of a principle's words.
struct ScoredRow {
    int row = 0;
    double score = 0;
    int group = 0;
};

/// What a row of a Design is; an estimator treats the intercept and the labels accordingly.
enum class DesignKind {
    Pairs, ///< differences chosen - rejected; y = +1; no mean, no intercept
    Labels, ///< single rows; y = +-1
    Scores ///< single rows; y real
};

/// Training data on standardised coordinates. For single rows both X and y are centred by their own means, so
/// that the least-squares intercept is y's mean and no estimator needs a column of ones.
struct Design {
    Rows X; ///< [n x d]
    Eigen::VectorXd y; ///< [n]; centred unless the kind is Pairs
    std::vector<int> group; ///< [n]
    DesignKind kind = DesignKind::Pairs;
    Eigen::VectorXd xMean; ///< [d], what was taken from the standardised rows; zero for pairs
    double yMean = 0; ///< what was taken from y; the intercept
    Standardiser coordinates; ///< how raw h becomes standardised

    /// True for single rows: X and y are centred and an unpenalised intercept belongs to every fit.
    bool centred() const { return kind != DesignKind::Pairs; }
    Eigen::Index size() const { return X.rows(); }
    Eigen::Index width() const { return X.cols(); }

    /// +1 or -1 per row, for classifiers: the label, or whether the score lies above the mean score (else
    /// -1).
    Eigen::VectorXd labels() const;

    /// A read-out on raw h from weights on X's coordinates and the fit's intercept (relative to the centred
    /// X).
    ReadOut toRaw(const Eigen::VectorXd& weights, double intercept) const;

    /// The same rows and standardisation with only the chosen items, centred again.
    Design subset(std::span<const int> items) const;

    /// `rows`: raw activations; indices refer to them. Errors: no items, an index out of range, a width other
    /// than the standardiser's, values that are not finite, labels other than +1 and -1.
    static Result<Design>
    fromPairs(const RowsRef& rows, std::span<const Pair> pairs, const Standardiser& coordinates);
    static Result<Design>
    fromLabels(const RowsRef& rows, std::span<const LabelledRow> labels, const Standardiser& coordinates);
    static Result<Design>
    fromScores(const RowsRef& rows, std::span<const ScoredRow> scores, const Standardiser& coordinates);

private:
    void centre();
};

} // namespace lodestone::geometry
