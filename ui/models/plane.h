// What the scatter shows of a snapshot in the plane of two directions: coordinates, axes, arrows with their
// cones. Window and exported figure draw the same.
#pragma once

#include "ui/models/named_directions.h"
#include "ui/plots/scatter_view.h"

#include <QStringList>

namespace lodestone::ui {

struct PlaneView {
    std::vector<double> x, y; ///< one per reply
    AxisSpec across, up;
    QVector<PlotArrow> arrows; ///< where a step along each direction moves a reply
    QStringList keys; ///< NamedDirection::key of each arrow
    QStringList shares; ///< "w* 71 %": how much of each arrow's squared length lies in the plane
};

/// `x` and `y` index `directions`; `reach` is the length in data units of a direction that lies in an axis.
PlaneView planeView(
    const session::Snapshot& snapshot, const std::vector<NamedDirection>& directions, int x, int y,
    double reach);

/// The length that arrows should have in a window of these ranges.
double arrowReach(const ScatterView& scatter);

/// Half angle in degrees of the 95 % cone of a direction in the plane of two others: 1.96 times the root mean
/// square angle between the full fit and fits on halves of the prompts; 0 without halves, at most 90.
double coneDegrees(
    const NamedDirection& direction, const std::vector<Eigen::VectorXd>& halves, const NamedDirection& across,
    const NamedDirection& up);

} // namespace lodestone::ui
