#include "core/session/marked.h"

#include "core/geometry/few_shot.h"
#include "core/session/directions.h"

#include <cmath>
#include <unordered_map>

namespace lodestone::session {

KnownMarks
knownMarks(const Foundation& foundation, const LayerStage& layer, const constitution::Principle& principle)
{
    KnownMarks result;
    if (principle.marks.empty())
        return result;
    std::unordered_map<std::string_view, int> rows;
    const auto& responses = foundation.study->set().responses;
    for (std::size_t i = 0; i < responses.size() && static_cast<Eigen::Index>(i) < layer.rows.rows(); ++i)
        rows.emplace(responses[i].id, static_cast<int>(i));
    for (const constitution::Mark& mark : principle.marks) {
        const auto follows = rows.find(mark.follows), breaks = rows.find(mark.breaks);
        if (follows == rows.end() || breaks == rows.end()) {
            ++result.counts.unknown;
            continue;
        }
        const auto trains = [&](int row) { return foundation.training[static_cast<std::size_t>(row)]; };
        if (!trains(follows->second) || !trains(breaks->second)) {
            ++result.counts.heldOut;
            continue;
        }
        ++result.counts.training;
        result.training.push_back({ follows->second, breaks->second });
    }
    return result;
}

Result<Direction> markedDirection(
    const LayerStage& layer, const KnownMarks& marks, const Direction* words, std::uint64_t seed,
    MarksUsed& used)
{
    const auto count = static_cast<Eigen::Index>(marks.training.size());
    if (count < 2)
        return badInput("two marks on training prompts", std::to_string(count));
    geometry::Rows differences(count, layer.rows.cols());
    for (Eigen::Index i = 0; i < count; ++i) {
        const geometry::Pair& mark = marks.training[static_cast<std::size_t>(i)];
        differences.row(i) = layer.rows.row(mark.chosen) - layer.rows.row(mark.rejected);
    }
    geometry::ReadOut prior;
    prior.weights = words ? words->readOut.weights : Eigen::VectorXd::Zero(layer.rows.cols());
    LODESTONE_TRY(const geometry::FewShot found, geometry::fewShot(differences, layer.standardiser, prior));
    LODESTONE_TRY(Direction direction, finishDirection(layer, found.readOut, seed));
    used.logBayesFactor = found.logEvidence - found.logEvidenceOfWords;
    if (words) {
        used.cosineWithWords = direction.readOut.weights.dot(words->displacement);
        direction.linearity = words->linearity; // of the answers, which the marks do not change
        direction.relativeStrength = words->relativeStrength;
    }
    return direction;
}

} // namespace lodestone::session
