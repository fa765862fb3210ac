#include "app/cli/direction_export.h"

#include <cmath>
#include <fmt/format.h>

namespace lodestone::app {

Result<void> writeJudgeDirection(
    const session::Snapshot& snapshot, formats::DirectionRole role, const std::filesystem::path& path)
{
    const session::LayerStage& layer = *snapshot.layer;
    const session::JudgeStage& judge = *snapshot.judge;
    const constitution::Constitution& constitution = snapshot.inputs.constitution;
    Eigen::VectorXd sum = Eigen::VectorXd::Zero(layer.rows.cols());
    std::string names;
    for (std::size_t i = 0; i < judge.active.size(); ++i) {
        const auto principle = static_cast<std::size_t>(judge.active[i]);
        const session::Direction& direction = snapshot.principles[principle]->direction;
        const double coefficient = judge.coefficients[static_cast<Eigen::Index>(i)];
        sum += coefficient
            * (role == formats::DirectionRole::ReadOut ? direction.readOut.weights : direction.displacement);
        names += fmt::format(
            "{}{} {:+.3g}", names.empty() ? "" : ", ", constitution.principles[principle].name, coefficient);
    }
    formats::DirectionFile file;
    const auto& study = *snapshot.foundation->study;
    file.origin.model = study.model().name;
    file.origin.modelSha256 = study.model().sha256;
    file.origin.position = data::positionName(layer.position);
    file.origin.way = fmt::format(
        "{} of '{}' on study '{}'", constitution::mappingName(constitution.mapping), constitution.name,
        study.name());
    file.origin.orientation = names;
    const double accuracy = judge.heldOut.accuracy.value, auc = judge.heldOut.auc.value;
    if (std::isfinite(accuracy))
        file.origin.heldOutScore = accuracy;
    else if (std::isfinite(auc))
        file.origin.heldOutScore = auc;
    file.directions.push_back({ "direction", sum.cast<float>(), layer.layer, role });
    return formats::writeDirectionFile(path, file);
}

} // namespace lodestone::app
