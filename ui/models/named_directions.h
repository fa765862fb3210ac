// The directions that axes and arrows are made of, with names and inks: principles, constitution, people,
// generation.
#pragma once

#include "core/session/snapshot.h"
#include "ui/plots/palette.h"

#include <QString>
#include <vector>

namespace lodestone::ui {

/// A Sigma-unit direction and its scores, ready to draw.
struct NamedDirection {
    QString key; ///< stable between snapshots: "principle:kind", "constitution", "people", "generation",
                 ///< "component:1"
    QString name;
    Ink ink;
    Eigen::VectorXd weights, displacement; ///< w and Sigma w [width]
    Eigen::VectorXd scores; ///< [rows], in within-prompt standard deviations
    double offset = 0; ///< score = w'h + offset
};

/// All directions that this snapshot has, in the order axes list them. Components are the principal
/// components of the rows' scores on the active principles.
std::vector<NamedDirection> namedDirections(const session::Snapshot& snapshot);

/// <a, b> = a' Sigma b of two of them; the cosine, as both are of norm 1.
double inner(const NamedDirection& a, const NamedDirection& b);

/// Share of w's squared norm that lies in the plane of a and b (0 .. 1).
double shareInPlane(const NamedDirection& w, const NamedDirection& a, const NamedDirection& b);

} // namespace lodestone::ui
