#include "core/geometry/statistics.h"

#include "core/base/rng.h"
#include "core/geometry/numbers.h"
#include "core/geometry/rows.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <mutex>
#include <numeric>
#include <set>

namespace lodestone::geometry {

namespace {

bool allFinite(std::span<const double> values)
{
    return std::all_of(values.begin(), values.end(), [](double v) { return std::isfinite(v); });
}

double meanOf(std::span<const double> values)
{
    return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double winOf(double margin) { return margin > 0 ? 1.0 : margin < 0 ? 0.0 : 0.5; }

double correlationOf(double ab, double aa, double bb)
{
    return aa > 0 && bb > 0 ? std::clamp(ab / std::sqrt(aa * bb), -1.0, 1.0) : 0.0;
}

std::vector<int> orderByScore(std::span<const double> scores)
{
    std::vector<int> order(scores.size());
    std::iota(order.begin(), order.end(), 0);
    std::sort(order.begin(), order.end(), [scores](int i, int j) {
        return scores[static_cast<std::size_t>(i)] < scores[static_cast<std::size_t>(j)];
    });
    return order;
}

/// Walks the items in order of score; `weight(item)` says how often an item counts. Within a block of equal
/// scores a positive beats half of the negatives.
template <typename Weight>
double rocArea(
    const std::vector<int>& order, std::span<const double> scores, std::span<const int> labels, Weight weight)
{
    double below = 0;
    double positives = 0;
    double wins = 0;
    for (std::size_t begin = 0; begin < order.size();) {
        const double score = scores[static_cast<std::size_t>(order[begin])];
        double blockPositives = 0;
        double blockNegatives = 0;
        std::size_t end = begin;
        for (; end < order.size() && scores[static_cast<std::size_t>(order[end])] == score; ++end) {
            const double w = weight(order[end]);
            (labels[static_cast<std::size_t>(order[end])] > 0 ? blockPositives : blockNegatives) += w;
        }
        wins += blockPositives * (below + 0.5 * blockNegatives);
        below += blockNegatives;
        positives += blockPositives;
        begin = end;
    }
    return positives > 0 && below > 0 ? wins / (positives * below) : nan;
}

bool isAllOrNothing(double share) { return share == 0 || share == 1; }

/// The 95 % interval of n successes or of none in n trials (Clopper & Pearson 1934), one-sided: only one end
/// is open (3/n, the "rule of three", is its first term).
Interval exactInterval(double share, int trials)
{
    const double least = std::pow(0.05, 1.0 / trials);
    return share > 0 ? Interval{ least, 1 } : Interval{ 0, 1 - least };
}

} // namespace

double pairAccuracy(std::span<const double> margins)
{
    if (margins.empty() || !allFinite(margins))
        return nan;
    double wins = 0;
    for (const double margin : margins)
        wins += winOf(margin);
    return wins / static_cast<double>(margins.size());
}

double areaUnderRoc(std::span<const double> scores, std::span<const int> labels)
{
    if (scores.size() != labels.size() || !allFinite(scores))
        return nan;
    return rocArea(orderByScore(scores), scores, labels, [](int) { return 1.0; });
}

double pearson(std::span<const double> a, std::span<const double> b)
{
    if (a.size() != b.size() || !allFinite(a) || !allFinite(b))
        return nan;
    if (a.empty())
        return 0;
    const double meanA = meanOf(a);
    const double meanB = meanOf(b);
    double ab = 0;
    double aa = 0;
    double bb = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        ab += (a[i] - meanA) * (b[i] - meanB);
        aa += (a[i] - meanA) * (a[i] - meanA);
        bb += (b[i] - meanB) * (b[i] - meanB);
    }
    // Rounding of the mean leaves a trace of variance in a constant: count it as none.
    const double scaleA = static_cast<double>(a.size()) * meanA * meanA;
    const double scaleB = static_cast<double>(b.size()) * meanB * meanB;
    if (aa <= 1e-28 * scaleA || bb <= 1e-28 * scaleB)
        return 0;
    return correlationOf(ab, aa, bb);
}

double quantile(std::vector<double> values, double p)
{
    std::erase_if(values, [](double v) { return !std::isfinite(v); });
    if (values.empty())
        return nan;
    const double position = std::clamp(p, 0.0, 1.0) * static_cast<double>(values.size() - 1);
    const auto lower = static_cast<std::size_t>(position);
    const auto nth = values.begin() + static_cast<std::ptrdiff_t>(lower);
    std::nth_element(values.begin(), nth, values.end());
    const double low = *nth;
    if (lower + 1 == values.size())
        return low;
    const double high = *std::min_element(nth + 1, values.end());
    return low + (position - static_cast<double>(lower)) * (high - low);
}

Interval percentileInterval(std::vector<double> values)
{
    Interval interval;
    interval.low = quantile(values, 0.025);
    interval.high = quantile(std::move(values), 0.975);
    return interval;
}

Eigen::VectorXd centredWithinGroups(std::span<const double> values, std::span<const int> groups)
{
    const CompactGroups compact = compactGroups(groups.first(std::min(groups.size(), values.size())));
    Eigen::VectorXd sum = Eigen::VectorXd::Zero(compact.count);
    Eigen::VectorXd count = Eigen::VectorXd::Zero(compact.count);
    for (std::size_t i = 0; i < compact.of.size(); ++i) {
        sum[compact.of[i]] += values[i];
        count[compact.of[i]] += 1;
    }
    Eigen::VectorXd result(static_cast<Eigen::Index>(compact.of.size()));
    for (std::size_t i = 0; i < compact.of.size(); ++i)
        result[static_cast<Eigen::Index>(i)] = values[i] - sum[compact.of[i]] / count[compact.of[i]];
    return result;
}

namespace {

using Counts = std::shared_ptr<const std::vector<std::uint8_t>>;

/// The draws of a bootstrap depend on nothing but these three numbers; the last few are kept.
Counts drawnCounts(int groups, int resamples, std::uint64_t seed)
{
    struct Kept {
        int groups, resamples;
        std::uint64_t seed;
        Counts counts;
    };
    constexpr std::size_t most = 12;
    static std::mutex guard;
    static std::deque<Kept> kept;
    {
        const std::lock_guard lock(guard);
        for (const Kept& one : kept)
            if (one.groups == groups && one.resamples == resamples && one.seed == seed)
                return one.counts;
    }
    const auto count = static_cast<std::uint32_t>(groups);
    auto drawn = std::make_shared<std::vector<std::uint8_t>>(static_cast<std::size_t>(resamples) * count, 0);
    Rng rng(seed, 0xb007);
    for (int r = 0; r < resamples; ++r) {
        std::uint8_t* const row = drawn->data() + static_cast<std::size_t>(r) * count;
        for (std::uint32_t draw = 0; draw < count; ++draw) {
            std::uint32_t group = rng.below(count);
            // A byte holds 255; more draws of one group than that have probability below 1e-500.
            while (row[group] == 255)
                group = rng.below(count);
            ++row[group];
        }
    }
    // What would take much memory is drawn anew each time.
    constexpr std::size_t largest = 32u << 20;
    if (drawn->size() <= largest) {
        const std::lock_guard lock(guard);
        kept.push_back({ groups, resamples, seed, drawn });
        if (kept.size() > most)
            kept.pop_front();
    }
    return drawn;
}

} // namespace

ClusterBootstrap::ClusterBootstrap(std::span<const int> groups, int resamples, std::uint64_t seed)
    : m_resamples(std::max(resamples, 0))
{
    CompactGroups compact = compactGroups(groups);
    m_groupOf = std::move(compact.of);
    m_groups = compact.count;
    if (m_groups < 2)
        return;
    m_blocks = std::min(m_groups, mostBlocks);
    m_counts = drawnCounts(m_blocks, m_resamples, seed);
}

Eigen::MatrixXd ClusterBootstrap::sums(const Eigen::MatrixXd& perItem) const
{
    if (perItem.rows() != items() || m_groups < 2)
        return {};
    Eigen::MatrixXd perBlock = Eigen::MatrixXd::Zero(m_blocks, perItem.cols());
    for (Eigen::Index i = 0; i < perItem.rows(); ++i)
        perBlock.row(m_groupOf[static_cast<std::size_t>(i)] % m_blocks) += perItem.row(i);
    Eigen::MatrixXd result(m_resamples, perItem.cols());
    Eigen::VectorXd times(m_blocks);
    for (int r = 0; r < m_resamples; ++r) {
        const std::uint8_t* const counts
            = m_counts->data() + static_cast<std::size_t>(r) * static_cast<std::size_t>(m_blocks);
        for (int block = 0; block < m_blocks; ++block)
            times[block] = counts[block];
        for (Eigen::Index k = 0; k < perItem.cols(); ++k)
            result(r, k) = times.dot(perBlock.col(k));
    }
    return result;
}

Estimate
ClusterBootstrap::ratioOfSums(std::span<const double> numerator, std::span<const double> denominator) const
{
    Estimate estimate;
    if (!fits(numerator.size()) || !fits(denominator.size()) || !allFinite(numerator)
        || !allFinite(denominator))
        return estimate;
    const double denominatorSum = std::accumulate(denominator.begin(), denominator.end(), 0.0);
    if (denominatorSum != 0)
        estimate.value = std::accumulate(numerator.begin(), numerator.end(), 0.0) / denominatorSum;
    if (m_groups < 2)
        return estimate;
    Eigen::MatrixXd perItem(items(), 2);
    perItem.col(0) = Eigen::Map<const Eigen::VectorXd>(numerator.data(), items());
    perItem.col(1) = Eigen::Map<const Eigen::VectorXd>(denominator.data(), items());
    const Eigen::MatrixXd resampled = sums(perItem);
    std::vector<double> ratios;
    ratios.reserve(static_cast<std::size_t>(m_resamples));
    for (Eigen::Index r = 0; r < resampled.rows(); ++r)
        ratios.push_back(resampled(r, 0) / resampled(r, 1));
    estimate.interval = percentileInterval(std::move(ratios));
    return estimate;
}

Estimate ClusterBootstrap::mean(std::span<const double> values) const
{
    return ratioOfSums(values, std::vector<double>(values.size(), 1.0));
}

Estimate ClusterBootstrap::pairAccuracy(std::span<const double> margins) const
{
    if (!allFinite(margins))
        return {};
    std::vector<double> wins(margins.size());
    std::transform(margins.begin(), margins.end(), wins.begin(), winOf);
    Estimate estimate = mean(wins);
    if (estimate.interval.isKnown() && isAllOrNothing(estimate.value))
        estimate.interval = exactInterval(estimate.value, m_groups);
    return estimate;
}

std::vector<double>
ClusterBootstrap::covariances(std::span<const double> a, std::span<const double> b, bool normalised) const
{
    // Centred by the overall mean first: the sums below then lose nothing by cancellation.
    const Eigen::Map<const Eigen::ArrayXd> rawA(a.data(), items());
    const Eigen::Map<const Eigen::ArrayXd> rawB(b.data(), items());
    const Eigen::ArrayXd x = rawA - rawA.mean();
    const Eigen::ArrayXd y = rawB - rawB.mean();
    Eigen::MatrixXd perItem(items(), normalised ? 6 : 4);
    perItem.col(0).setOnes();
    perItem.col(1) = x;
    perItem.col(2) = y;
    perItem.col(3) = x * y;
    if (normalised) {
        perItem.col(4) = x * x;
        perItem.col(5) = y * y;
    }
    const Eigen::MatrixXd s = sums(perItem);
    std::vector<double> result;
    result.reserve(static_cast<std::size_t>(s.rows()));
    for (Eigen::Index r = 0; r < s.rows(); ++r) {
        const double n = s(r, 0);
        const double xy = s(r, 3) - s(r, 1) * s(r, 2) / n;
        result.push_back(
            normalised ? correlationOf(xy, s(r, 4) - s(r, 1) * s(r, 1) / n, s(r, 5) - s(r, 2) * s(r, 2) / n)
                       : xy / n);
    }
    return result;
}

Estimate ClusterBootstrap::correlation(std::span<const double> a, std::span<const double> b) const
{
    Estimate estimate;
    if (!fits(a.size()) || !fits(b.size()))
        return estimate;
    estimate.value = pearson(a, b);
    if (m_groups >= 2 && std::isfinite(estimate.value))
        estimate.interval = percentileInterval(covariances(a, b, true));
    return estimate;
}

Estimate ClusterBootstrap::areaUnderRoc(std::span<const double> scores, std::span<const int> labels) const
{
    Estimate estimate;
    if (!fits(scores.size()) || !fits(labels.size()) || !allFinite(scores))
        return estimate;
    const std::vector<int> order = orderByScore(scores);
    estimate.value = rocArea(order, scores, labels, [](int) { return 1.0; });
    if (m_groups < 2)
        return estimate;
    if (m_groups > mostBlocks && std::isfinite(estimate.value) && !isAllOrNothing(estimate.value)) {
        estimate.interval = linearAreaInterval(estimate.value, order, scores, labels);
        return estimate;
    }
    std::vector<double> areas;
    areas.reserve(static_cast<std::size_t>(m_resamples));
    for (int r = 0; r < m_resamples; ++r) {
        const std::uint8_t* const counts
            = m_counts->data() + static_cast<std::size_t>(r) * static_cast<std::size_t>(m_blocks);
        areas.push_back(rocArea(order, scores, labels, [this, counts](int item) {
            return static_cast<double>(counts[m_groupOf[static_cast<std::size_t>(item)] % m_blocks]);
        }));
    }
    estimate.interval = percentileInterval(std::move(areas));
    if (estimate.interval.isKnown() && isAllOrNothing(estimate.value)) {
        std::set<int> positive, negative;
        for (std::size_t i = 0; i < labels.size(); ++i)
            (labels[i] > 0 ? positive : negative).insert(m_groupOf[i]);
        const auto pairs = std::min(
            { static_cast<int>(positive.size()), static_cast<int>(negative.size()), m_groups / 2 });
        estimate.interval = exactInterval(estimate.value, std::max(1, pairs));
    }
    return estimate;
}

Interval ClusterBootstrap::linearAreaInterval(
    double area, std::span<const int> order, std::span<const double> scores,
    std::span<const int> labels) const
{
    // Placements: of a positive, the share of negatives below it; of a negative, that of positives above it.
    Eigen::MatrixXd perItem
        = Eigen::MatrixXd::Zero(items(), 4); // excess and count of positives, of negatives
    const auto positives = static_cast<double>(
        std::count_if(labels.begin(), labels.end(), [](int label) { return label > 0; }));
    const double negatives = static_cast<double>(labels.size()) - positives;
    double positivesBelow = 0, negativesBelow = 0;
    for (std::size_t begin = 0; begin < order.size();) {
        std::size_t end = begin;
        double positivesHere = 0, negativesHere = 0;
        for (; end < order.size()
             && scores[static_cast<std::size_t>(order[end])]
                 == scores[static_cast<std::size_t>(order[begin])];
             ++end)
            (labels[static_cast<std::size_t>(order[end])] > 0 ? positivesHere : negativesHere) += 1;
        for (std::size_t at = begin; at < end; ++at) {
            const int item = order[at];
            if (labels[static_cast<std::size_t>(item)] > 0) {
                perItem(item, 0) = (negativesBelow + negativesHere / 2) / negatives - area;
                perItem(item, 1) = 1;
            } else {
                perItem(item, 2) = 1 - (positivesBelow + positivesHere / 2) / positives - area;
                perItem(item, 3) = 1;
            }
        }
        positivesBelow += positivesHere;
        negativesBelow += negativesHere;
        begin = end;
    }
    const Eigen::MatrixXd resampled = sums(perItem);
    std::vector<double> areas;
    for (Eigen::Index r = 0; r < resampled.rows(); ++r)
        areas.push_back(area + resampled(r, 0) / resampled(r, 1) + resampled(r, 2) / resampled(r, 3));
    return percentileInterval(std::move(areas));
}

Interval wilsonInterval(double share, int n)
{
    if (n < 1 || !std::isfinite(share))
        return {};
    constexpr double z = 1.959963984540054, z2 = z * z;
    const double centre = (share + z2 / (2 * n)) / (1 + z2 / n);
    const double half = z * std::sqrt(share * (1 - share) / n + z2 / (4.0 * n * n)) / (1 + z2 / n);
    return { std::max(0.0, centre - half), std::min(1.0, centre + half) };
}

double ClusterBootstrap::probabilityMeanPositive(std::span<const double> values) const
{
    if (!fits(values.size()) || m_groups < 2 || !allFinite(values))
        return nan;
    const Eigen::MatrixXd s = sums(Eigen::Map<const Eigen::VectorXd>(values.data(), items()));
    return geometry::pairAccuracy({ s.data(), static_cast<std::size_t>(s.rows()) });
}

double
ClusterBootstrap::probabilityCovariancePositive(std::span<const double> a, std::span<const double> b) const
{
    if (!fits(a.size()) || !fits(b.size()) || m_groups < 2 || !allFinite(a) || !allFinite(b))
        return nan;
    return geometry::pairAccuracy(covariances(a, b, false));
}

} // namespace lodestone::geometry
