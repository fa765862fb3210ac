#include "core/session/chance_words.h"

#include "core/base/rng.h"
#include "core/geometry/examples.h"

#include <algorithm>
#include <limits>

namespace lodestone::session {

std::vector<Eigen::VectorXd> judgmentsByChance(
    const constitution::ClozeElicitation& cloze, const constitution::Principle& principle, int draws,
    std::uint64_t seed)
{
    std::vector<std::string> words;
    for (const std::string& word : cloze.words())
        if (std::find(principle.positive.begin(), principle.positive.end(), word) == principle.positive.end()
            && std::find(principle.negative.begin(), principle.negative.end(), word)
                == principle.negative.end())
            words.push_back(word);
    const std::size_t positive = std::max<std::size_t>(1, principle.positive.size()),
                      negative = std::max<std::size_t>(1, principle.negative.size());
    std::vector<Eigen::VectorXd> result;
    if (words.size() < positive + negative)
        return result;
    Rng rng(seed, 0x77);
    for (int draw = 0; draw < draws; ++draw) {
        rng.shuffle(words);
        const auto from = words.begin();
        constitution::Principle random;
        random.positive.assign(from, from + static_cast<std::ptrdiff_t>(positive));
        random.negative.assign(
            from + static_cast<std::ptrdiff_t>(positive),
            from + static_cast<std::ptrdiff_t>(positive + negative));
        if (auto judged = cloze.judge(random))
            result.push_back(std::move(judged->scores));
    }
    return result;
}

std::vector<double> agreementsByChance(
    const Foundation& foundation, const LayerStage& layer, const constitution::Principle& principle,
    int draws, std::uint64_t seed, const Work& work)
{
    std::vector<double> result;
    if (!foundation.cloze || !layer.factor)
        return result;
    const auto about = constitution::examplesOf(
        foundation.study->set(), foundation.training, static_cast<std::size_t>(layer.rows.rows()),
        principle.value);
    const auto& heldOut = about.heldOut.size() > 0 ? about.heldOut : layer.examples.heldOut;
    for (const Eigen::VectorXd& judgments : judgmentsByChance(*foundation.cloze, principle, draws, seed)) {
        if (work.cancelled())
            return {};
        Eigen::VectorXd y(static_cast<Eigen::Index>(layer.trainingRows.size()));
        for (std::size_t i = 0; i < layer.trainingRows.size(); ++i)
            y[static_cast<Eigen::Index>(i)] = judgments[layer.trainingRows[i]];
        if (!y.allFinite()) // a word that the model has not answered everywhere yet
            continue;
        const auto fit = layer.factor->fit(y);
        if (!fit)
            continue;
        const auto score = geometry::scoreReadOut(
            layer.factor->design().toRaw(fit->weights, fit->intercept), layer.rows, heldOut, 0);
        if (score)
            result.push_back(heldOut.arePairs() ? score->accuracy.value : score->auc.value);
    }
    return result;
}

double shareByChance(const std::vector<double>& agreements, double value)
{
    if (agreements.empty())
        return std::numeric_limits<double>::quiet_NaN();
    const auto reach = std::count_if(
        agreements.begin(), agreements.end(), [&](double one) { return one >= value - 1e-12; });
    return static_cast<double>(reach) / static_cast<double>(agreements.size());
}

} // namespace lodestone::session
