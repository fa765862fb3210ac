// Measures of agreement and their uncertainty: every number on screen carries an interval over prompts, found
// here.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <vector>

namespace lodestone::geometry {

/// A 95 % interval. Both ends are NaN when the data cannot give one.
struct Interval {
    double low = std::numeric_limits<double>::quiet_NaN();
    double high = std::numeric_limits<double>::quiet_NaN();

    bool isKnown() const { return low <= high; }
};

/// Wilson's 95 % interval of a share seen in n trials (Wilson 1927); unknown for n < 1 or a NaN share.
Interval wilsonInterval(double share, int n);

/// A number and how sure it is. The value is NaN when it is undefined (no data, one class only).
struct Estimate {
    double value = std::numeric_limits<double>::quiet_NaN();
    Interval interval;
};

/// Share of margins (score of chosen minus score of rejected) that are positive; a tie counts half.
/// NaN when there is no margin or one is not finite.
double pairAccuracy(std::span<const double> margins);

/// Area under the ROC curve = P(score of a positive > score of a negative), ties half (midranks; Hanley &
/// McNeil 1982). `labels`: above 0 is positive, anything else negative. NaN when a class is missing, a score
/// is not finite or the lengths differ. O(n log n).
double areaUnderRoc(std::span<const double> scores, std::span<const int> labels);

/// Pearson's correlation; 0 when either side has no variance (the convention of docs/theory.md, section 7,
/// for degenerate directions); NaN for values that are not finite or lengths that differ.
double pearson(std::span<const double> a, std::span<const double> b);

/// Quantile with linear interpolation between order statistics (Hyndman & Fan 1996, type 7), p in 0 .. 1.
/// Values that are not finite are left out; NaN when none is left.
double quantile(std::vector<double> values, double p);

/// Percentile 95 % interval of bootstrap values (Efron 1979): their 2.5 % and 97.5 % quantiles.
Interval percentileInterval(std::vector<double> values);

/// values minus the mean of their group: what is left is the part a policy can act on (docs/theory.md 8.6).
Eigen::VectorXd centredWithinGroups(std::span<const double> values, std::span<const int> groups);

/// Bootstrap over groups (Field & Welsh 2007): groups, not items, are drawn with replacement, because replies
/// to one prompt are not independent. The draws are made once and shared by all statistics of the same items,
/// so that intervals of different statistics are comparable, and each costs O(resamples x groups).
///
/// More than `mostBlocks` groups are drawn in that many blocks of whole groups: sums of independent groups
/// are independent too, and the spread of a mean over 1,000 blocks is known to 2 %, as finely as 1,000
/// resamples show it. There the resamples of an AUC are those of its linear part (the placements of DeLong et
/// al. 1988, summed in groups as by Obuchowski 1997), from which it differs by a share of 1/groups.
///
/// Defined outcomes: no items -> every value NaN; fewer than two groups -> the value without an interval,
/// since one group says nothing about the spread over groups; an argument of another length than the items ->
/// NaN; resamples in which a statistic is undefined (AUC with one class) are left out. Deterministic in the
/// seed.
class ClusterBootstrap {
public:
    static constexpr int mostBlocks = 1000;

    /// `groups`: any id per item. Memory: resamples x number of groups (of blocks), in bytes.
    explicit ClusterBootstrap(std::span<const int> groups, int resamples = 1000, std::uint64_t seed = 0);

    int items() const { return static_cast<int>(m_groupOf.size()); }
    int groups() const { return m_groups; }
    int resamples() const { return m_resamples; }

    Estimate mean(std::span<const double> values) const;

    /// sum(numerator) / sum(denominator); resamples whose denominator is 0 are left out.
    Estimate ratioOfSums(std::span<const double> numerator, std::span<const double> denominator) const;

    /// Accuracy of pair margins, ties half. Where every pair goes the same way resamples cannot differ: then
    /// the interval is the exact one of as many independent trials as there are groups (Clopper & Pearson
    /// 1934).
    Estimate pairAccuracy(std::span<const double> margins) const;

    Estimate correlation(std::span<const double> a, std::span<const double> b) const;

    /// Where the classes are told apart without a mistake, the exact interval of as many trials as there are
    /// disjoint pairs of a positive's and a negative's group. O(n log n + resamples x n).
    Estimate areaUnderRoc(std::span<const double> scores, std::span<const int> labels) const;

    /// Bootstrap probability that the mean is positive: share of resamples, ties half; NaN below two groups.
    double probabilityMeanPositive(std::span<const double> values) const;

    /// Bootstrap probability that Cov(a, b) > 0: how sure the self-improvement condition is (T6 of
    /// docs/theory.md).
    double probabilityCovariancePositive(std::span<const double> a, std::span<const double> b) const;

    /// Sums of any per-item quantities in every resample: shape [items x k] -> [resamples x k]. A statistic
    /// that is a function of sums gets its interval from `percentileInterval` of that function over these
    /// rows. Empty when the number of rows is not that of the items or there are fewer than two groups.
    Eigen::MatrixXd sums(const Eigen::MatrixXd& perItem) const;

private:
    Interval linearAreaInterval(
        double area, std::span<const int> order, std::span<const double> scores,
        std::span<const int> labels) const;
    bool fits(std::size_t size) const { return size == m_groupOf.size() && size > 0; }
    std::vector<double>
    covariances(std::span<const double> a, std::span<const double> b, bool normalised) const;

    std::vector<int> m_groupOf;
    int m_groups = 0;
    int m_blocks = 0; ///< what is drawn: group g is part of block g % m_blocks
    int m_resamples = 0;
    /// [resamples x blocks]: how often a resample draws a block. Shared by all of as many blocks with the
    /// same seed: an edit asks for the same resamples many times.
    std::shared_ptr<const std::vector<std::uint8_t>> m_counts;
};

} // namespace lodestone::geometry
