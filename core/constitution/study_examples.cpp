#include "core/constitution/study_examples.h"

#include "core/geometry/split.h"

#include <algorithm>

namespace lodestone::constitution {

std::vector<int> groupsOf(const data::ResponseSet& set)
{
    std::vector<int> groups;
    for (std::size_t i = 0; i < set.responses.size(); ++i)
        groups.push_back(set.groupOf(static_cast<int>(i)));
    return groups;
}

std::vector<double> lengthsOf(const data::ResponseSet& set)
{
    std::vector<double> lengths;
    for (const data::Response& response : set.responses)
        lengths.push_back(response.tokens > 0 ? response.tokens : static_cast<double>(response.text.size()));
    return lengths;
}

std::vector<bool> trainingRows(const data::ResponseSet& set, const data::SplitSpec& split)
{
    // Strata keep the share of every value (and of both labels, where single texts are labelled) on both
    // sides.
    const std::vector<std::string> values = set.values();
    std::vector<int> strata;
    for (const data::Response& response : set.responses) {
        const auto place = std::find(values.begin(), values.end(), response.value) - values.begin();
        strata.push_back(
            static_cast<int>(values.size() > 20 ? 0 : place) * 3
            + (set.pairs.empty() ? response.label + 1 : 0));
    }
    std::vector<bool> training(set.responses.size(), false);
    for (const int item :
         geometry::splitByGroup(groupsOf(set), 1 - split.trainFraction, split.seed, strata).training)
        training[static_cast<std::size_t>(item)] = true;
    return training;
}

StudyExamples examplesOf(
    const data::ResponseSet& set, const std::vector<bool>& training, std::size_t rows,
    const std::string& value)
{
    StudyExamples examples;
    if (set.labelled()) {
        for (std::size_t i = 0; i < std::min(rows, set.responses.size()); ++i) {
            const data::Response& response = set.responses[i];
            if (response.label != 0 && (value.empty() || response.value == value))
                (training[i] ? examples.training : examples.heldOut)
                    .rows.push_back(
                        { static_cast<int>(i), response.label, set.groupOf(static_cast<int>(i)) });
        }
        return examples;
    }
    for (const data::Pair& pair : set.pairs) {
        const auto chosen = static_cast<std::size_t>(pair.chosen),
                   rejected = static_cast<std::size_t>(pair.rejected);
        if (chosen < rows && rejected < rows && (value.empty() || pair.value == value))
            (training[chosen] ? examples.training : examples.heldOut)
                .pairs.push_back({ pair.chosen, pair.rejected, set.groupOf(pair.chosen) });
    }
    return examples;
}

} // namespace lodestone::constitution
