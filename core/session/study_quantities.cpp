#include "core/session/study_quantities.h"

namespace lodestone::session {

Eigen::MatrixXd differences(const Here& here)
{
    const LayerStage& layer = *here.snapshot.layer;
    const std::vector<data::Pair>& pairs = here.snapshot.foundation->study->set().pairs;
    std::vector<const data::Pair*> used;
    for (const data::Pair& pair : pairs)
        if (used.size() < 500 && here.snapshot.foundation->training[static_cast<std::size_t>(pair.chosen)])
            used.push_back(&pair);
    Eigen::MatrixXd result(static_cast<Eigen::Index>(used.size()), layer.rows.cols());
    for (std::size_t i = 0; i < used.size(); ++i)
        result.row(static_cast<Eigen::Index>(i))
            = (layer.rows.row(used[i]->chosen) - layer.rows.row(used[i]->rejected)).cast<double>();
    return result * layer.standardiser.scale.cwiseInverse().asDiagonal();
}

double effectiveDimension(const Eigen::MatrixXd& rows)
{
    if (rows.rows() < 3)
        return static_cast<double>(rows.cols());
    const Eigen::MatrixXd centred = rows.rowwise() - rows.colwise().mean();
    const double n = static_cast<double>(rows.rows() - 1);
    const double trace = centred.squaredNorm() / n;
    const double squares = (centred * centred.transpose()).squaredNorm() / (n * n) - trace * trace / n;
    return squares > 0 ? std::clamp(trace * trace / squares, 1.0, static_cast<double>(rows.cols()))
                       : static_cast<double>(rows.cols());
}

Result<void> needGenerations(const Here& here)
{
    if (here.writes())
        return {};
    return badInput("likelihoods of the replies, for the generation direction", "none", "this study");
}
Result<void> needNeutral(const Here& here)
{
    if (here.snapshot.layer->neutral.found())
        return {};
    return badInput("the model's neutral good/bad judgment", "none", "this study");
}
Result<void> needPrinciples(const Here& here, std::size_t count)
{
    if (here.snapshot.judge->active.size() >= count)
        return {};
    return badInput(
        fmt::format("at least {} principles that are on and found", count),
        std::to_string(here.snapshot.judge->active.size()), "the constitution");
}

} // namespace lodestone::session
