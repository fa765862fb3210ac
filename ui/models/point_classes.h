// How the points of a projection are told apart: by label, value, judgment or policy weight.
#pragma once

#include "core/session/snapshot.h"
#include "ui/plots/scatter_view.h"

namespace lodestone::ui {

enum class ColourBy { Label, Value, Judgment, PolicyWeight }; ///< in the order of the list "colour by"

struct PointClasses {
    QVector<PointClass> kinds; ///< in the order of the key; kinds without a name are not in the key
    std::vector<int> classOf; ///< per row
    std::vector<float> scales; ///< factor of the mark's radius per row; empty: 1
};

/// For the first `rows` responses of the study.
PointClasses pointClasses(const session::Snapshot& snapshot, ColourBy colour, std::size_t rows);

} // namespace lodestone::ui
