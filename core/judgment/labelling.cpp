#include "core/judgment/labelling.h"

#include "core/base/fingerprint.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace lodestone::judgment {
namespace {

/// Sums of pairs: equal answers; the first rater's right, tie, left; the second's.
constexpr int agreementSums = 7;

/// Cohen's kappa from these sums; NaN where both gave one and the same answer only.
double kappaOf(const Eigen::RowVectorXd& sums)
{
    const double n = sums.segment(1, 3).sum();
    const double expected = sums.segment(1, 3).dot(sums.segment(4, 3)) / (n * n);
    return expected < 1 - 1e-12 ? (sums[0] / n - expected) / (1 - expected)
                                : std::numeric_limits<double>::quiet_NaN();
}

} // namespace

bool chosenAtLeft(const data::ResponseSet& set, int pair)
{
    return (Fingerprint().add(set.pairs[static_cast<std::size_t>(pair)].id).value() >> 17u & 1u) == 0;
}

std::map<std::string, Sides>
sidesByRater(const data::ResponseSet& set, const std::vector<data::PairLabel>& labels)
{
    std::map<std::string, int> known;
    for (std::size_t i = 0; i < set.pairs.size(); ++i)
        known.emplace(set.pairs[i].id, static_cast<int>(i));
    std::map<std::string, Sides> result;
    for (const data::PairLabel& label : labels) {
        Sides& own = result[label.rater];
        const auto found = known.find(label.pair);
        if (found == known.end() || label.answer == data::LabelAnswer::Skip
            || label.answer == data::LabelAnswer::TakenBack)
            continue;
        const data::Pair& pair = set.pairs[static_cast<std::size_t>(found->second)];
        const int reply = chosenAtLeft(set, found->second) ? pair.chosen : pair.rejected;
        const bool asNow = label.left == set.responses[static_cast<std::size_t>(reply)].id;
        const int said = label.answer == data::LabelAnswer::Left ? 1
            : label.answer == data::LabelAnswer::Right           ? -1
                                                                 : 0;
        own[found->second] = asNow ? said : -said;
    }
    return result;
}

int leastCertain(
    const data::ResponseSet& set, std::span<const PairJudgment> judgments, const std::vector<bool>& done)
{
    std::vector<double> distance(set.pairs.size(), 1);
    for (const PairJudgment& judged : judgments)
        distance[static_cast<std::size_t>(judged.pair)] = std::abs(judged.p - 0.5);
    int best = -1;
    for (std::size_t i = 0; i < distance.size(); ++i)
        if ((i >= done.size() || !done[i])
            && (best < 0 || distance[i] < distance[static_cast<std::size_t>(best)]))
            best = static_cast<int>(i);
    return best;
}

RaterAgreement
agreementOf(const data::ResponseSet& set, const Sides& first, const Sides& second, std::uint64_t seed)
{
    RaterAgreement result;
    std::vector<std::array<double, agreementSums>> rows;
    std::vector<int> groups;
    for (const auto& [pair, said] : first)
        if (const auto other = second.find(pair); other != second.end()) {
            std::array<double, agreementSums>& row = rows.emplace_back();
            row[0] = said == other->second ? 1 : 0;
            row[said > 0 ? 3 : said == 0 ? 2 : 1] = 1;
            row[other->second > 0 ? 6 : other->second == 0 ? 5 : 4] = 1;
            groups.push_back(set.groupOf(set.pairs[static_cast<std::size_t>(pair)].chosen));
        }
    result.pairs = static_cast<int>(rows.size());
    if (rows.empty())
        return result;
    Eigen::MatrixXd perItem(result.pairs, agreementSums);
    for (Eigen::Index i = 0; i < perItem.rows(); ++i)
        for (Eigen::Index c = 0; c < perItem.cols(); ++c)
            perItem(i, c) = rows[static_cast<std::size_t>(i)][static_cast<std::size_t>(c)];
    const geometry::ClusterBootstrap bootstrap(groups, 1000, seed);
    const Eigen::VectorXd equal = perItem.col(0);
    result.accuracy = bootstrap.mean({ equal.data(), static_cast<std::size_t>(equal.size()) });
    const double whole = kappaOf(perItem.colwise().sum());
    result.kappa.value = std::isfinite(whole) ? whole : 0;
    const Eigen::MatrixXd resampled = bootstrap.sums(perItem);
    std::vector<double> kappas;
    for (Eigen::Index r = 0; r < resampled.rows(); ++r)
        kappas.push_back(kappaOf(resampled.row(r)));
    if (!kappas.empty())
        result.kappa.interval = geometry::percentileInterval(std::move(kappas));
    return result;
}

Sides sidesOfStudy(const data::ResponseSet& set)
{
    Sides result;
    for (std::size_t i = 0; i < set.pairs.size(); ++i)
        result[static_cast<int>(i)] = chosenAtLeft(set, static_cast<int>(i)) ? 1 : -1;
    return result;
}

Sides sidesOfJudge(const data::ResponseSet& set, std::span<const PairJudgment> judgments)
{
    Sides result;
    for (const PairJudgment& judged : judgments) {
        const int preferred = judged.p > 0.5 ? 1 : judged.p < 0.5 ? -1 : 0;
        result[judged.pair] = chosenAtLeft(set, judged.pair) ? preferred : -preferred;
    }
    return result;
}

} // namespace lodestone::judgment
