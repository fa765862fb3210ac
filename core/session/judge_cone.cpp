#include "core/session/judge_cone.h"

#include <cmath>
#include <numbers>

namespace lodestone::session {
namespace {

/// Adds, for one principle, its direction's change when each training prompt is left out: [width, prompts].
Result<void> addChanges(
    const Snapshot& snapshot, const PrincipleStage& principle, double coefficient,
    const geometry::CompactGroups& prompts, Eigen::MatrixXd& changes)
{
    const LayerStage& layer = *snapshot.layer;
    // The rows that the principle's read-out was fitted to: all training rows, or those judged so far.
    std::vector<int> items;
    for (std::size_t i = 0; i < layer.trainingRows.size(); ++i)
        if (std::isfinite(principle.judged.scores[layer.trainingRows[i]]))
            items.push_back(static_cast<int>(i));
    const bool complete = items.size() == layer.trainingRows.size();
    std::optional<geometry::RidgeFactor> own;
    Eigen::VectorXd y(static_cast<Eigen::Index>(items.size()));
    std::vector<geometry::ScoredRow> scored;
    for (std::size_t i = 0; i < items.size(); ++i) {
        const int row = layer.trainingRows[static_cast<std::size_t>(items[i])];
        y[static_cast<Eigen::Index>(i)] = principle.judged.scores[row];
        scored.push_back({ row, principle.judged.scores[row],
                           snapshot.foundation->groups[static_cast<std::size_t>(row)] });
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
    const double norm = layer.sigma->norm(factor.design().toRaw(fit.weights, fit.intercept).weights);
    if (!(norm > 0))
        return {};
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
        changes.col(g) -= coefficient / norm * factor.design().toRaw(weights, 0).weights;
    }
    return {};
}

} // namespace

Result<JudgeCone> judgeCone(const Snapshot& snapshot)
{
    const LayerStage& layer = *snapshot.layer;
    const JudgeStage& judge = *snapshot.judge;
    if (judge.active.empty() || !(judge.norm > 0))
        return badInput("a judge with a direction", judge.problem, "interval of a judgment");
    std::vector<int> groups;
    for (const int row : layer.trainingRows)
        groups.push_back(snapshot.foundation->groups[static_cast<std::size_t>(row)]);
    const geometry::CompactGroups prompts = geometry::compactGroups(groups);
    if (prompts.count < 2)
        return badInput(
            "at least two training prompts", std::to_string(prompts.count), "interval of a judgment");
    Eigen::MatrixXd changes = Eigen::MatrixXd::Zero(layer.rows.cols(), prompts.count);
    for (std::size_t i = 0; i < judge.active.size(); ++i)
        LODESTONE_CHECK(addChanges(
            snapshot, *snapshot.principles[static_cast<std::size_t>(judge.active[i])],
            judge.coefficients[static_cast<Eigen::Index>(i)], prompts, changes));
    const double share = (prompts.count - 1.0) / prompts.count;
    changes.colwise() -= changes.rowwise().mean().eval();

    JudgeCone cone;
    double square = 0;
    for (Eigen::Index g = 0; g < changes.cols(); ++g)
        square += share * layer.sigma->inner(changes.col(g), changes.col(g));
    cone.degrees = std::atan(std::sqrt(square) / judge.norm) * 180 / std::numbers::pi;

    const data::ResponseSet& set = snapshot.foundation->study->set();
    cone.pairs = judge.pairs;
    geometry::Rows differences(static_cast<Eigen::Index>(cone.pairs.size()), layer.rows.cols());
    for (std::size_t i = 0; i < cone.pairs.size(); ++i) {
        const data::Pair& pair = set.pairs[static_cast<std::size_t>(cone.pairs[i].pair)];
        differences.row(static_cast<Eigen::Index>(i))
            = layer.rows.row(pair.chosen) - layer.rows.row(pair.rejected);
    }
    const Eigen::MatrixXd deltas = geometry::times(differences, changes);
    for (std::size_t i = 0; i < cone.pairs.size(); ++i) {
        const data::Pair& pair = set.pairs[static_cast<std::size_t>(cone.pairs[i].pair)];
        const double error = std::sqrt(share * deltas.row(static_cast<Eigen::Index>(i)).squaredNorm());
        const double margin = judge.rewards[pair.chosen] - judge.rewards[pair.rejected];
        cone.pairs[i].interval = { judgment::preference(margin - 1.96 * error, 0, snapshot.inputs.tau),
                                   judgment::preference(margin + 1.96 * error, 0, snapshot.inputs.tau) };
    }
    return cone;
}

} // namespace lodestone::session
