#include "core/session/policy_lab.h"

#include "core/base/rng.h"

#include <cctype>
#include <map>
#include <set>

namespace lodestone::session {
namespace {

constexpr std::size_t mostAiPairs = 4000;

std::set<std::string> wordsIn(const std::string& text)
{
    std::set<std::string> words;
    std::string word;
    for (const char c : text + " ") {
        if (std::isalpha(static_cast<unsigned char>(c)) != 0)
            word += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        else {
            if (word.size() >= 3)
                words.insert(word);
            word.clear();
        }
    }
    return words;
}

/// Pairs of replies to one training prompt, at most `mostAiPairs` of all.
std::vector<judgment::Comparison>
pairsToJudge(const Foundation& foundation, std::size_t rows, std::uint64_t seed)
{
    const data::ResponseSet& set = foundation.study->set();
    std::map<int, std::vector<int>> byPrompt;
    for (std::size_t i = 0; i < std::min(rows, set.responses.size()); ++i)
        if (foundation.training[i])
            byPrompt[set.labelled() ? foundation.groups[i] : set.responses[i].prompt].push_back(
                static_cast<int>(i));
    std::vector<judgment::Comparison> pairs;
    Rng rng(seed, 0xa1);
    for (const auto& [prompt, replies] : byPrompt)
        for (std::size_t a = 0; a < replies.size(); ++a)
            for (std::size_t b = a + 1; b < replies.size(); ++b) {
                const int group = foundation.groups[static_cast<std::size_t>(replies[a])];
                const bool turned = (rng.next() & 1u) != 0; // which is named first says nothing
                pairs.push_back({ replies[turned ? b : a], replies[turned ? a : b], group, 0.5 });
            }
    rng.shuffle(pairs);
    if (pairs.size() > mostAiPairs)
        pairs.resize(mostAiPairs);
    return pairs;
}

/// People's labels of training items as comparisons; labelled texts are compared within their group.
std::vector<judgment::Comparison> comparisonsOf(const geometry::Examples& examples)
{
    std::vector<judgment::Comparison> result;
    for (const geometry::Pair& pair : examples.pairs)
        result.push_back({ pair.chosen, pair.rejected, pair.group, 1 });
    if (!examples.pairs.empty())
        return result;
    std::map<int, std::pair<std::vector<int>, std::vector<int>>> byGroup;
    for (const geometry::LabelledRow& row : examples.rows)
        (row.label > 0 ? byGroup[row.group].first : byGroup[row.group].second).push_back(row.row);
    for (const auto& [group, sides] : byGroup)
        for (const int good : sides.first)
            for (const int bad : sides.second)
                result.push_back({ good, bad, group, 1 });
    return result;
}

} // namespace

Eigen::VectorXd echoOf(const data::ResponseSet& set)
{
    Eigen::VectorXd echo = Eigen::VectorXd::Zero(static_cast<Eigen::Index>(set.responses.size()));
    for (std::size_t i = 0; i < set.responses.size(); ++i) {
        const std::set<std::string> reply = wordsIn(set.responses[i].text),
                                    user = wordsIn(set.promptText(static_cast<int>(i)));
        double shared = 0;
        for (const std::string& word : reply)
            shared += user.count(word) > 0 ? 1 : 0;
        if (!reply.empty())
            echo[static_cast<Eigen::Index>(i)] = shared / static_cast<double>(reply.size());
    }
    return echo;
}

Result<policy::World> labWorld(const Snapshot& snapshot)
{
    const LayerStage& layer = *snapshot.layer;
    const Foundation& foundation = *snapshot.foundation;
    const data::ResponseSet& set = foundation.study->set();
    if (layer.pool.prompts.empty())
        return badInput(
            "held-out prompts with at least two candidates", "none at " + layer.layer.label(),
            foundation.study->name());
    policy::World world;
    world.pool = layer.pool;
    world.fromPairs = layer.poolFromPairs;
    world.rows = std::shared_ptr<const geometry::Rows>(snapshot.layer, &layer.rows);
    world.coordinates = layer.standardiser;
    const Eigen::Index count = layer.rows.rows();
    if (auto features = policy::makeFeatures(world.pool, layer.rows, layer.standardiser))
        world.features = std::make_shared<const policy::Features>(std::move(*features));
    else
        world.features = std::make_shared<const policy::Features>(policy::tabularFeatures(world.pool));
    if (snapshot.judge && snapshot.judge->norm > 0)
        world.judge = snapshot.judge->rewards;
    if (layer.people.found())
        world.people = layer.people.scores;
    if (layer.generation.found())
        world.generation = layer.generation.scores;
    if (layer.neutral.found())
        world.neutral = layer.neutral.scores;
    const auto firstRows = [&](const auto& all) {
        Eigen::VectorXd values(count);
        for (Eigen::Index i = 0; i < count; ++i)
            values[i] = all[static_cast<std::size_t>(i)];
        return values;
    };
    world.length = firstRows(foundation.lengths);
    world.echo = echoOf(set).head(count);
    world.meanTokens = count > 0 ? world.length.mean() : 0;
    world.tau = snapshot.inputs.tau;
    world.seed = snapshot.inputs.seed;
    world.humanLabels = comparisonsOf(layer.examples.training);
    world.aiPairs = pairsToJudge(foundation, static_cast<std::size_t>(count), snapshot.inputs.seed);

    Eigen::VectorXd gold;
    if (world.fromPairs) { // the candidates are the labelled replies: no direction stands between
        gold = Eigen::VectorXd::Zero(count);
        for (const data::Pair& pair : set.pairs)
            if (pair.chosen < count && pair.rejected < count) {
                gold[pair.chosen] = 1;
                gold[pair.rejected] = -1;
            }
        if (set.labelled())
            for (Eigen::Index i = 0; i < count; ++i)
                gold[i] = set.responses[static_cast<std::size_t>(i)].label;
        world.goldIsLabels = true;
    } else if (layer.examples.heldOut.size() >= 8) {
        if (const auto labels = geometry::designOf(layer.rows, layer.examples.heldOut))
            if (const auto fit = geometry::fitDirection(geometry::Method::Ridge, *labels))
                gold = geometry::times(layer.rows, fit->readOut.weights);
    }
    if (gold.size() == 0)
        gold = world.people;
    if (gold.size() == 0)
        return badInput("people's labels, to measure the value gained", "too few", foundation.study->name());
    world.gold = world.unit(gold);
    return world;
}

} // namespace lodestone::session
