#include "core/judgment/labelling.h"

#include "core/base/fingerprint.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace lodestone::judgment {

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
    std::vector<double> equal;
    std::vector<int> groups;
    std::array<double, 3> a{}, b{};
    for (const auto& [pair, said] : first)
        if (const auto other = second.find(pair); other != second.end()) {
            equal.push_back(said == other->second ? 1 : 0);
            groups.push_back(set.groupOf(set.pairs[static_cast<std::size_t>(pair)].chosen));
            a[said < 0 ? 0 : said == 0 ? 1 : 2] += 1;
            b[other->second < 0 ? 0 : other->second == 0 ? 1 : 2] += 1;
        }
    result.pairs = static_cast<int>(equal.size());
    if (equal.empty())
        return result;
    result.accuracy = geometry::ClusterBootstrap(groups, 1000, seed).mean(equal);
    const double n = static_cast<double>(equal.size());
    double expected = 0;
    for (std::size_t c = 0; c < 3; ++c)
        expected += a[c] / n * b[c] / n;
    result.kappa = expected < 1 - 1e-12 ? (result.accuracy.value - expected) / (1 - expected) : 0;
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
