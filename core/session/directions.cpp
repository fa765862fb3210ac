#include "core/session/directions.h"

#include <cmath>

namespace lodestone::session {

Result<Direction> finishDirection(const LayerStage& layer, geometry::ReadOut readOut, std::uint64_t seed)
{
    Direction direction;
    const double norm = layer.sigma->norm(readOut.weights);
    if (!(norm > 1e-12) || !std::isfinite(norm))
        return badInput("a direction", "one of norm 0: nothing at this layer follows these judgments");
    readOut.weights /= norm;
    direction.scores = geometry::times(layer.rows, readOut.weights);
    double mean = 0;
    for (const int row : layer.trainingRows)
        mean += direction.scores[row] / static_cast<double>(layer.trainingRows.size());
    direction.scores.array() -= mean;
    readOut.offset = -mean;
    direction.displacement = layer.sigma->apply(readOut.weights);
    direction.readOut = std::move(readOut);
    LODESTONE_TRY(
        direction.heldOut,
        geometry::scoreRowScores(
            { direction.scores.data(), static_cast<std::size_t>(direction.scores.size()) },
            layer.examples.heldOut, 1000, seed));
    return direction;
}

Result<Direction> directionFromScores(
    const Foundation& foundation, const LayerStage& layer, const Eigen::VectorXd& judgments,
    std::uint64_t seed)
{
    Eigen::VectorXd y(static_cast<Eigen::Index>(layer.trainingRows.size()));
    bool complete = true;
    for (std::size_t i = 0; i < layer.trainingRows.size(); ++i) {
        y[static_cast<Eigen::Index>(i)] = judgments[layer.trainingRows[i]];
        complete = complete && std::isfinite(judgments[layer.trainingRows[i]]);
    }
    geometry::ReadOut readOut;
    double strength = 0;
    if (complete) {
        LODESTONE_TRY(const auto fit, layer.factor->fit(y));
        readOut = layer.factor->design().toRaw(fit.weights, fit.intercept);
        strength = fit.relativeStrength;
    } else { // partial judgments: a fit of their own on the rows that have one
        std::vector<geometry::ScoredRow> scored;
        for (const int row : layer.trainingRows)
            if (std::isfinite(judgments[row]))
                scored.push_back({ row, judgments[row], foundation.groups[static_cast<std::size_t>(row)] });
        if (scored.size() < 8)
            return badInput("judgments of at least 8 training responses", std::to_string(scored.size()));
        LODESTONE_TRY(auto design, geometry::Design::fromScores(layer.rows, scored, layer.standardiser));
        const auto shared = std::make_shared<const geometry::Design>(std::move(design));
        LODESTONE_TRY(const auto factor, geometry::RidgeFactor::make(shared));
        LODESTONE_TRY(const auto fit, factor.fit(shared->y));
        readOut = shared->toRaw(fit.weights, fit.intercept);
        strength = fit.relativeStrength;
    }
    LODESTONE_TRY(Direction direction, finishDirection(layer, std::move(readOut), seed));
    direction.relativeStrength = strength;
    std::vector<double> predicted, judged;
    for (Eigen::Index i = 0; i < layer.rows.rows(); ++i)
        if (!foundation.training[static_cast<std::size_t>(i)] && std::isfinite(judgments[i])) {
            predicted.push_back(direction.scores[i]);
            judged.push_back(judgments[i]);
        }
    direction.linearity = geometry::pearson(predicted, judged);
    return direction;
}

geometry::Estimate heldOutCosine(
    const Foundation& foundation, const LayerStage& layer, const Direction& a, const Direction& b,
    std::uint64_t seed)
{
    std::vector<double> x, y;
    std::vector<int> groups;
    for (Eigen::Index i = 0; i < layer.rows.rows(); ++i)
        if (!foundation.training[static_cast<std::size_t>(i)]) {
            x.push_back(a.scores[i]);
            y.push_back(b.scores[i]);
            groups.push_back(foundation.groups[static_cast<std::size_t>(i)]);
        }
    const geometry::ClusterBootstrap bootstrap(groups, 1000, seed);
    if (!layer.sigmaWithinPrompts)
        return bootstrap.correlation(x, y);
    const Eigen::VectorXd within = geometry::centredWithinGroups(x, groups),
                          beside = geometry::centredWithinGroups(y, groups);
    return bootstrap.correlation(geometry::viewOf(within), geometry::viewOf(beside));
}

} // namespace lodestone::session
