#include "core/session/judge_cone.h"

#include <cmath>
#include <map>
#include <numbers>

namespace lodestone::session {

Result<Eigen::MatrixXd> leaveOutChanges(
    const Foundation& foundation, const LayerStage& layer, const constitution::Judged& judged,
    const geometry::CompactGroups& prompts)
{
    // The rows that the principle's read-out was fitted to: all training rows, or those judged so far.
    std::vector<int> items;
    for (std::size_t i = 0; i < layer.trainingRows.size(); ++i)
        if (std::isfinite(judged.scores[layer.trainingRows[i]]))
            items.push_back(static_cast<int>(i));
    const bool complete = items.size() == layer.trainingRows.size();
    std::optional<geometry::RidgeFactor> own;
    Eigen::VectorXd y(static_cast<Eigen::Index>(items.size()));
    std::vector<geometry::ScoredRow> scored;
    for (std::size_t i = 0; i < items.size(); ++i) {
        const int row = layer.trainingRows[static_cast<std::size_t>(items[i])];
        y[static_cast<Eigen::Index>(i)] = judged.scores[row];
        scored.push_back({ row, judged.scores[row], foundation.groups[static_cast<std::size_t>(row)] });
    }
    if (!complete) {
        LODESTONE_TRY(auto design, geometry::Design::fromScores(layer.rows, scored, layer.standardiser));
        LODESTONE_TRY(
            own, geometry::RidgeFactor::make(std::make_shared<const geometry::Design>(std::move(design))));
        y = own->design().y;
    }
    const geometry::RidgeFactor& factor = complete ? *layer.factor : *own;
    LODESTONE_TRY(const geometry::RidgeFit fit, factor.fit(y));
    if (fit.outOfFold.size() == 0)
        return badInput("at least two training prompts", "one", "interval of a judgment");
    Eigen::MatrixXd changes = Eigen::MatrixXd::Zero(layer.rows.cols(), prompts.count);
    const double norm = layer.sigma->norm(factor.design().toRaw(fit.weights, fit.intercept).weights);
    if (!(norm > 0))
        return changes;
    const Eigen::VectorXd residual = y - fit.outOfFold;
    const Eigen::MatrixXd basis = factor.rowsInBasis(); // U S [n, r]
    const Eigen::ArrayXd damping
        = (basis.colwise().squaredNorm().transpose().array() + fit.strength).inverse();
    Eigen::MatrixXd pulls = Eigen::MatrixXd::Zero(basis.cols(), prompts.count);
    for (std::size_t i = 0; i < items.size(); ++i)
        pulls.col(prompts.of[static_cast<std::size_t>(items[i])])
            += residual[static_cast<Eigen::Index>(i)] * basis.row(static_cast<Eigen::Index>(i)).transpose();
    for (Eigen::Index g = 0; g < pulls.cols(); ++g) {
        const Eigen::VectorXd weights = factor.fromBasis((damping * pulls.col(g).array()).matrix());
        changes.col(g) = -factor.design().toRaw(weights, 0).weights / norm;
    }
    return changes;
}

geometry::CompactGroups trainingPrompts(const Foundation& foundation, const LayerStage& layer)
{
    std::vector<int> groups;
    for (const int row : layer.trainingRows)
        groups.push_back(foundation.groups[static_cast<std::size_t>(row)]);
    return geometry::compactGroups(groups);
}

Result<JudgeCone> judgeCone(const Snapshot& snapshot)
{
    const LayerStage& layer = *snapshot.layer;
    const JudgeStage& judge = *snapshot.judge;
    if (judge.active.empty() || (!(judge.norm > 0) && !judge.inParts()))
        return badInput("a judge with a direction", judge.problem, "interval of a judgment");
    const geometry::CompactGroups prompts = trainingPrompts(*snapshot.foundation, layer);
    if (prompts.count < 2)
        return badInput(
            "at least two training prompts", std::to_string(prompts.count), "interval of a judgment");
    const auto changesOf = [&](const Eigen::VectorXd& coefficients) -> Result<Eigen::MatrixXd> {
        Eigen::MatrixXd changes = Eigen::MatrixXd::Zero(layer.rows.cols(), prompts.count);
        for (std::size_t i = 0; i < judge.active.size(); ++i) {
            const double coefficient = coefficients[static_cast<Eigen::Index>(i)];
            if (coefficient == 0)
                continue;
            LODESTONE_TRY(
                const Eigen::MatrixXd own,
                leaveOutChanges(
                    *snapshot.foundation, layer,
                    snapshot.principles[static_cast<std::size_t>(judge.active[i])]->judged, prompts));
            changes += coefficient * own;
        }
        changes.colwise() -= changes.rowwise().mean().eval();
        return changes;
    };
    LODESTONE_TRY(Eigen::MatrixXd changes, changesOf(judge.coefficients));
    const double share = (prompts.count - 1.0) / prompts.count;

    JudgeCone cone;
    double square = 0;
    for (Eigen::Index g = 0; g < changes.cols(); ++g)
        square += share * layer.sigma->inner(changes.col(g), changes.col(g));
    cone.degrees = std::atan2(std::sqrt(square), judge.norm) * 180 / std::numbers::pi;

    const data::ResponseSet& set = snapshot.foundation->study->set();
    cone.pairs = judge.pairs;
    // Which pairs share a direction: all of them, unless the judge has parts.
    std::map<std::pair<int, int>, std::vector<std::size_t>> sharing;
    for (std::size_t i = 0; i < cone.pairs.size(); ++i) {
        const data::Pair& pair = set.pairs[static_cast<std::size_t>(cone.pairs[i].pair)];
        if (judge.inParts())
            sharing[{ judge.partOf[static_cast<std::size_t>(pair.chosen)], judge.decidedBy[i] }].push_back(i);
        else
            sharing[{}].push_back(i);
    }
    for (const auto& [which, members] : sharing) {
        if (judge.inParts()) {
            const auto& [part, level] = which;
            LODESTONE_TRY(
                changes,
                changesOf(
                    level < 0
                        ? Eigen::VectorXd::Zero(judge.coefficients.size()).eval()
                        : judge.parts[static_cast<std::size_t>(part)][static_cast<std::size_t>(level)]));
        }
        geometry::Rows differences(static_cast<Eigen::Index>(members.size()), layer.rows.cols());
        for (std::size_t m = 0; m < members.size(); ++m) {
            const data::Pair& pair = set.pairs[static_cast<std::size_t>(cone.pairs[members[m]].pair)];
            differences.row(static_cast<Eigen::Index>(m))
                = layer.rows.row(pair.chosen) - layer.rows.row(pair.rejected);
        }
        const Eigen::MatrixXd deltas = geometry::times(differences, changes);
        for (std::size_t m = 0; m < members.size(); ++m) {
            judgment::PairJudgment& judged = cone.pairs[members[m]];
            const data::Pair& pair = set.pairs[static_cast<std::size_t>(judged.pair)];
            const double error = std::sqrt(share * deltas.row(static_cast<Eigen::Index>(m)).squaredNorm());
            const double margin = judge.rewards[pair.chosen] - judge.rewards[pair.rejected];
            judged.interval = { judgment::preference(margin - 1.96 * error, 0, snapshot.inputs.tau),
                                judgment::preference(margin + 1.96 * error, 0, snapshot.inputs.tau) };
        }
    }
    return cone;
}

} // namespace lodestone::session
