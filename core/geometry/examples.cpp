#include "core/geometry/examples.h"

#include <algorithm>
#include <string>

namespace lodestone::geometry {

std::vector<int> Examples::groups() const
{
    std::vector<int> result;
    result.reserve(static_cast<std::size_t>(size()));
    if (arePairs())
        for (const Pair& pair : pairs)
            result.push_back(pair.group);
    else
        for (const LabelledRow& row : rows)
            result.push_back(row.group);
    return result;
}

std::vector<int> Examples::usedRows() const
{
    std::vector<int> result;
    if (arePairs()) {
        for (const Pair& pair : pairs) {
            result.push_back(pair.chosen);
            result.push_back(pair.rejected);
        }
    } else {
        for (const LabelledRow& row : rows)
            result.push_back(row.row);
    }
    std::sort(result.begin(), result.end());
    result.erase(std::unique(result.begin(), result.end()), result.end());
    return result;
}

Examples Examples::subset(std::span<const int> items) const
{
    Examples part;
    for (const int item : items) {
        if (arePairs())
            part.pairs.push_back(pairs[static_cast<std::size_t>(item)]);
        else
            part.rows.push_back(rows[static_cast<std::size_t>(item)]);
    }
    return part;
}

namespace {

Result<void> checkRows(const std::vector<int>& used, Eigen::Index count)
{
    if (!used.empty() && (used.front() < 0 || used.back() >= count))
        return badInput(
            "row numbers below " + std::to_string(count),
            std::to_string(used.front() < 0 ? used.front() : used.back()), "labelled examples");
    return {};
}

} // namespace

Result<Score>
scoreRowScores(std::span<const double> rowScores, const Examples& examples, int resamples, std::uint64_t seed)
{
    LODESTONE_CHECK(checkRows(examples.usedRows(), static_cast<Eigen::Index>(rowScores.size())));
    const std::vector<int> groups = examples.groups();
    std::vector<double> margins;
    std::vector<double> scores;
    std::vector<int> labels;
    std::vector<int> scoreGroups;
    const auto scoreOf = [rowScores](int row) { return rowScores[static_cast<std::size_t>(row)]; };
    if (examples.arePairs()) {
        for (const Pair& pair : examples.pairs) {
            margins.push_back(scoreOf(pair.chosen) - scoreOf(pair.rejected));
            for (const bool chosen : { true, false }) {
                scores.push_back(scoreOf(chosen ? pair.chosen : pair.rejected));
                labels.push_back(chosen ? 1 : -1);
                scoreGroups.push_back(pair.group);
            }
        }
    } else {
        for (const LabelledRow& row : examples.rows) {
            margins.push_back(row.label * scoreOf(row.row));
            scores.push_back(scoreOf(row.row));
            labels.push_back(row.label);
        }
        scoreGroups = groups;
    }
    Score score;
    if (resamples <= 0) {
        score.accuracy.value = pairAccuracy(margins);
        score.auc.value = areaUnderRoc(scores, labels);
        return score;
    }
    // Both draw the same groups: ids appear in the same order and the seed is the same.
    score.accuracy = ClusterBootstrap(groups, resamples, seed).pairAccuracy(margins);
    score.auc = ClusterBootstrap(scoreGroups, resamples, seed).areaUnderRoc(scores, labels);
    return score;
}

Result<Score> scoreReadOut(
    const ReadOut& readOut, const RowsRef& rows, const Examples& examples, int resamples, std::uint64_t seed)
{
    if (readOut.weights.size() != rows.cols())
        return badInput(
            "rows of width " + std::to_string(readOut.weights.size()), "width " + std::to_string(rows.cols()),
            "scoring a read-out");
    const std::vector<int> used = examples.usedRows();
    LODESTONE_CHECK(checkRows(used, rows.rows()));
    const Eigen::VectorXd usedScores = times(gather(rows, used), readOut.weights);
    std::vector<double> scores(static_cast<std::size_t>(rows.rows()), 0.0);
    for (std::size_t i = 0; i < used.size(); ++i)
        scores[static_cast<std::size_t>(used[i])] = usedScores[static_cast<Eigen::Index>(i)] + readOut.offset;
    return scoreRowScores(scores, examples, resamples, seed);
}

Result<Design> designOf(const RowsRef& rows, const Examples& examples)
{
    const std::vector<int> used = examples.usedRows();
    if (used.empty())
        return badInput("at least one labelled pair or row", "none", "training data");
    LODESTONE_CHECK(checkRows(used, rows.rows()));
    LODESTONE_TRY(const Standardiser coordinates, Standardiser::fit(rows, used));
    return examples.arePairs() ? Design::fromPairs(rows, examples.pairs, coordinates)
                               : Design::fromLabels(rows, examples.rows, coordinates);
}

} // namespace lodestone::geometry
