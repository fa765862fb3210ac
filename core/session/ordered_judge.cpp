#include "core/session/ordered_judge.h"

#include "core/judgment/priorities.h"
#include "core/session/judge_cone.h"

#include <Eigen/QR>
#include <algorithm>
#include <cmath>
#include <map>
#include <set>

namespace lodestone::session {
namespace {

constexpr int largestBlocks = 64, mostOpponents = 2000;

const constitution::Principle&
activePrinciple(const Snapshot& snapshot, const JudgeStage& stage, std::size_t i)
{
    return snapshot.inputs.constitution.principles[static_cast<std::size_t>(stage.active[i])];
}
const PrincipleStage& activeStage(const Snapshot& snapshot, const JudgeStage& stage, std::size_t i)
{
    return *snapshot.principles[static_cast<std::size_t>(stage.active[i])];
}

/// The direction that some of the active principles make: coefficients [k], zero for the others.
Eigen::VectorXd directionOfSome(
    const Snapshot& snapshot, const JudgeStage& stage, const geometry::Subspace& subspace,
    const Eigen::VectorXd& inner, const std::vector<bool>& some)
{
    const auto k = static_cast<Eigen::Index>(stage.active.size());
    if (snapshot.inputs.constitution.mapping == constitution::Mapping::Weighted) {
        Eigen::VectorXd weights = Eigen::VectorXd::Zero(k);
        for (Eigen::Index i = 0; i < k; ++i)
            if (some[static_cast<std::size_t>(i)])
                weights[i] = activePrinciple(snapshot, stage, static_cast<std::size_t>(i)).weight;
        return subspace.weightedSum(weights);
    }
    std::vector<Eigen::Index> members;
    for (Eigen::Index i = 0; i < k; ++i)
        if (some[static_cast<std::size_t>(i)])
            members.push_back(i);
    Eigen::VectorXd coefficients = Eigen::VectorXd::Zero(k);
    const auto own = geometry::Subspace::fromGram(subspace.gram()(members, members));
    if (own)
        coefficients(members) = own->projection(inner(members));
    return coefficients;
}

/// Directions by priority of the principles that apply where `applies`.
std::vector<Eigen::VectorXd> levelsOf(
    const Snapshot& snapshot, const JudgeStage& stage, const geometry::Subspace& subspace,
    const Eigen::VectorXd& inner, const std::vector<bool>& applies)
{
    std::vector<Eigen::VectorXd> levels;
    for (const int priority : stage.priorities) {
        std::vector<bool> some = applies;
        for (std::size_t i = 0; i < some.size(); ++i)
            some[i] = some[i] && activePrinciple(snapshot, stage, i).priority == priority;
        levels.push_back(directionOfSome(snapshot, stage, subspace, inner, some));
    }
    return levels;
}

std::vector<bool> applying(const Snapshot& snapshot, const JudgeStage& stage, const std::string& prompt)
{
    std::vector<bool> applies;
    for (std::size_t i = 0; i < stage.active.size(); ++i)
        applies.push_back(activePrinciple(snapshot, stage, i).scope.covers(prompt));
    return applies;
}

/// Rows whose rewards are compared: the replies of a pair, or the other replies to a prompt; all rows of a
/// study of single texts.
std::vector<std::vector<int>> compared(const Snapshot& snapshot)
{
    const data::ResponseSet& set = snapshot.foundation->study->set();
    const auto count = static_cast<int>(snapshot.layer->rows.rows());
    std::vector<bool> inPair(static_cast<std::size_t>(count), false);
    for (const data::Pair& pair : set.pairs)
        for (const int row : { pair.chosen, pair.rejected })
            if (row < count)
                inPair[static_cast<std::size_t>(row)] = true;
    std::map<std::pair<int, bool>, std::vector<int>> groups;
    for (int row = 0; row < count; ++row)
        groups
            [snapshot.layer->sigmaWithinPrompts ? std::pair(
                 snapshot.foundation->groups[static_cast<std::size_t>(row)],
                 static_cast<bool>(inPair[static_cast<std::size_t>(row)]))
                                                : std::pair(0, false)]
                .push_back(row);
    std::vector<std::vector<int>> result;
    result.reserve(groups.size());
    for (auto& [key, rows] : groups)
        result.push_back(std::move(rows));
    return result;
}

/// What every priority says of every row: rewards, and their spreads, of the direction of the row's prompt.
struct Levels {
    std::vector<Eigen::VectorXd> rewards; ///< per priority [rows]
    std::vector<Eigen::MatrixXd> spreads; ///< per priority [rows, blocks]
};
Levels levelsOfRows(const Snapshot& snapshot, const JudgeStage& stage)
{
    const Eigen::Index rows = snapshot.layer->rows.rows();
    Levels levels;
    for (std::size_t level = 0; level < stage.priorities.size(); ++level) {
        Eigen::VectorXd rewards = Eigen::VectorXd::Zero(rows);
        Eigen::MatrixXd spread = Eigen::MatrixXd::Zero(rows, 0);
        for (std::size_t i = 0; i < stage.active.size(); ++i) {
            const PrincipleStage& principle = activeStage(snapshot, stage, i);
            Eigen::VectorXd own(rows);
            for (Eigen::Index row = 0; row < rows; ++row)
                own[row] = stage.parts[static_cast<std::size_t>(stage.partOf[static_cast<std::size_t>(row)])]
                                      [level][static_cast<Eigen::Index>(i)];
            rewards += own.cwiseProduct(principle.direction.scores);
            if (principle.spread.rows() != rows || own.isZero(0))
                continue;
            if (spread.cols() == 0)
                spread = Eigen::MatrixXd::Zero(rows, principle.spread.cols());
            spread += own.asDiagonal() * principle.spread;
        }
        levels.rewards.push_back(std::move(rewards));
        levels.spreads.push_back(std::move(spread));
    }
    return levels;
}

judgment::Decision decided(const JudgeStage& stage, const Levels& levels, int a, int b)
{
    const auto& part = stage.parts[static_cast<std::size_t>(stage.partOf[static_cast<std::size_t>(a)])];
    std::vector<judgment::Say> says;
    for (std::size_t level = 0; level < part.size(); ++level) {
        const Eigen::MatrixXd& spread = levels.spreads[level];
        says.push_back({ levels.rewards[level][a] - levels.rewards[level][b],
                         spread.cols() > 0 ? (spread.row(a) - spread.row(b)).norm() : 0,
                         !part[level].isZero(0) });
    }
    return judgment::decide(says);
}

/// The combination of the principles' scores that comes closest to the rewards within prompts.
void linearPart(const Snapshot& snapshot, const std::vector<std::vector<int>>& groups, JudgeStage& stage)
{
    const auto k = static_cast<Eigen::Index>(stage.active.size());
    Eigen::MatrixXd products = Eigen::MatrixXd::Zero(k, k);
    Eigen::VectorXd with = Eigen::VectorXd::Zero(k);
    double total = 0;
    for (const std::vector<int>& group : groups) {
        Eigen::MatrixXd scores(static_cast<Eigen::Index>(group.size()), k);
        Eigen::VectorXd rewards(scores.rows());
        Eigen::Index n = 0;
        for (const int row : group)
            if (snapshot.foundation->training[static_cast<std::size_t>(row)]) {
                for (Eigen::Index i = 0; i < k; ++i)
                    scores(n, i)
                        = activeStage(snapshot, stage, static_cast<std::size_t>(i)).direction.scores[row];
                rewards[n++] = stage.rewards[row];
            }
        if (n < 2)
            continue;
        const Eigen::MatrixXd x = scores.topRows(n).rowwise() - scores.topRows(n).colwise().mean();
        const Eigen::VectorXd y = rewards.head(n).array() - rewards.head(n).mean();
        products += x.transpose() * x;
        with += x.transpose() * y;
        total += y.squaredNorm();
    }
    stage.coefficients = products.completeOrthogonalDecomposition().solve(with);
    stage.linearShare = total > 0 ? stage.coefficients.dot(with) / total : 0;
}

} // namespace

bool hasPriorities(const constitution::Constitution& constitution)
{
    std::set<int> priorities;
    for (const constitution::Principle& principle : constitution.principles)
        if (principle.on)
            priorities.insert(principle.priority);
    return priorities.size() > 1;
}

bool isOrdered(const constitution::Constitution& constitution)
{
    return hasPriorities(constitution)
        || std::any_of(
               constitution.principles.begin(), constitution.principles.end(),
               [](const constitution::Principle& each) { return each.on && !each.scope.everywhere(); });
}

Result<Eigen::MatrixXd>
spreadOf(const Foundation& foundation, const LayerStage& layer, const constitution::Judged& judged)
{
    const geometry::CompactGroups prompts = trainingPrompts(foundation, layer);
    LODESTONE_TRY(const Eigen::MatrixXd changes, leaveOutChanges(foundation, layer, judged, prompts));
    const int blocks = std::min(largestBlocks, prompts.count);
    Eigen::MatrixXd sums = Eigen::MatrixXd::Zero(changes.rows(), blocks);
    for (Eigen::Index g = 0; g < changes.cols(); ++g)
        sums.col(g % blocks) += changes.col(g);
    sums.colwise() -= sums.rowwise().mean().eval();
    return geometry::times(layer.rows, Eigen::MatrixXd(sums * std::sqrt((blocks - 1.0) / blocks)));
}

void judgeInParts(
    const Snapshot& snapshot, const geometry::Subspace& subspace, const Eigen::VectorXd& inner,
    JudgeStage& stage)
{
    const data::ResponseSet& set = snapshot.foundation->study->set();
    std::set<int> priorities;
    for (std::size_t i = 0; i < stage.active.size(); ++i)
        priorities.insert(activePrinciple(snapshot, stage, i).priority);
    stage.priorities.assign(priorities.begin(), priorities.end());
    std::map<std::vector<bool>, int> patterns;
    std::map<int, int> partOfPrompt;
    for (Eigen::Index row = 0; row < snapshot.layer->rows.rows(); ++row) {
        const int prompt = set.responses[static_cast<std::size_t>(row)].prompt;
        const bool statement = set.kind == data::ItemKind::Statement;
        auto known = partOfPrompt.find(prompt);
        if (known == partOfPrompt.end() || statement) {
            const auto applies
                = applying(snapshot, stage, constitution::scopedText(set, static_cast<int>(row)));
            const auto [pattern, fresh] = patterns.emplace(applies, static_cast<int>(patterns.size()));
            if (fresh)
                stage.parts.push_back(levelsOf(snapshot, stage, subspace, inner, applies));
            known = partOfPrompt.insert_or_assign(prompt, pattern->second).first;
        }
        stage.partOf.push_back(known->second);
    }
    const Levels levels = levelsOfRows(snapshot, stage);
    const auto groups = compared(snapshot);
    if (levels.rewards.size() == 1)
        stage.rewards = levels.rewards.front();
    else
        for (const std::vector<int>& group : groups) {
            const Eigen::VectorXd scores = judgment::scoresOf(
                static_cast<int>(group.size()),
                [&](int i, int j) {
                    return decided(
                               stage, levels, group[static_cast<std::size_t>(i)],
                               group[static_cast<std::size_t>(j)])
                        .margin;
                },
                mostOpponents);
            for (std::size_t i = 0; i < group.size(); ++i)
                stage.rewards[group[i]] = scores[static_cast<Eigen::Index>(i)];
        }
    linearPart(snapshot, groups, stage);
}

void nameDeciders(const Snapshot& snapshot, JudgeStage& stage)
{
    const data::ResponseSet& set = snapshot.foundation->study->set();
    const Levels levels = levelsOfRows(snapshot, stage);
    stage.decidedBy.clear();
    for (const judgment::PairJudgment& judged : stage.pairs) {
        const data::Pair& pair = set.pairs[static_cast<std::size_t>(judged.pair)];
        stage.decidedBy.push_back(decided(stage, levels, pair.chosen, pair.rejected).level);
    }
}

double trialMargin(const Trial& trial, const Snapshot& snapshot)
{
    const JudgeStage& judge = *snapshot.judge;
    const LayerStage& layer = *snapshot.layer;
    // The subspace again, from the directions: a trial is judged by its own prompt, whose principles may make
    // a part that no prompt of the study has.
    const auto k = static_cast<Eigen::Index>(judge.active.size());
    Eigen::MatrixXd gram(k, k);
    Eigen::VectorXd inner = Eigen::VectorXd::Zero(k);
    for (Eigen::Index i = 0; i < k; ++i) {
        const Direction& own = activeStage(snapshot, judge, static_cast<std::size_t>(i)).direction;
        for (Eigen::Index j = 0; j < k; ++j)
            gram(i, j) = own.readOut.weights.dot(
                activeStage(snapshot, judge, static_cast<std::size_t>(j)).direction.displacement);
        if (layer.neutral.found())
            inner[i] = own.readOut.weights.dot(layer.neutral.displacement);
    }
    const auto subspace = geometry::Subspace::fromGram((gram + gram.transpose()) / 2);
    if (!subspace)
        return 0;
    const auto levels = levelsOf(snapshot, judge, *subspace, inner, applying(snapshot, judge, trial.prompt));
    const Eigen::VectorXd difference = trial.state(0, snapshot.inputs.layer, snapshot.inputs.position)
        - trial.state(1, snapshot.inputs.layer, snapshot.inputs.position);
    if (difference.size() != layer.rows.cols())
        return std::numeric_limits<double>::quiet_NaN();
    const geometry::CompactGroups prompts = trainingPrompts(*snapshot.foundation, layer);
    std::vector<judgment::Say> says;
    for (std::size_t level = 0; level < levels.size(); ++level) {
        judgment::Say say;
        say.applies = !levels[level].isZero(0);
        Eigen::RowVectorXd moved = Eigen::RowVectorXd::Zero(prompts.count);
        for (Eigen::Index i = 0; i < k; ++i) {
            const PrincipleStage& principle = activeStage(snapshot, judge, static_cast<std::size_t>(i));
            if (levels[level][i] == 0)
                continue;
            say.margin += levels[level][i] * principle.direction.readOut.weights.dot(difference);
            if (levels.size() > 1 && level + 1 < levels.size()) // how sure the last is changes nothing
                if (const auto changes
                    = leaveOutChanges(*snapshot.foundation, layer, principle.judged, prompts))
                    moved += levels[level][i] * (difference.transpose() * *changes);
        }
        moved.array() -= moved.mean();
        say.error = std::sqrt((prompts.count - 1.0) / prompts.count) * moved.norm();
        says.push_back(say);
    }
    return judgment::decide(says).margin;
}

} // namespace lodestone::session
