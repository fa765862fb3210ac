// What the theory view shows of a statement, as numbers, sentences and series: pure functions of its values.
#pragma once

#include "core/base/progress.h"
#include "core/session/study_statement.h"
#include "ui/models/text_table_model.h"
#include "ui/plots/series_view.h"

namespace lodestone::ui::statement {

constexpr int sliderSteps = 1000;

double valueAt(const theory::Input& input, int step); ///< counts over decades: on a logarithmic scale
int stepAt(const theory::Input& input, double value);
QString valueText(const theory::Input& input, double value); ///< as many digits as a step moves

/// The formula along the statement's sweep.
struct Curve {
    std::vector<double> x;
    std::vector<std::vector<double>> closed; ///< [output of the sweep][sample]; NaN where it has no value
};
Curve curveOf(const theory::Statement& statement, const theory::Values& values, const Work& work);

/// The simulation at some points of the same sweep.
struct Simulated {
    std::vector<double> x;
    std::vector<theory::Measurements> found;
    theory::Measurements here; ///< at the present values
};
Result<Simulated>
simulationOf(const theory::Statement& statement, const theory::Values& values, const Work& work);

/// Everything that one setting of the sliders shows. `study` is null unless they stand at the study's values.
struct Setting {
    const theory::Statement& statement;
    const theory::Values& values;
    const theory::Quantities& outputs;
    const session::StudyValues* study = nullptr;
};
QString formulaText(const Setting& setting); ///< a line for each output, with the present numbers in it
QString studyText(const Setting& setting); ///< measured beside computed; empty away from the study's values
QVector<Series> series(const Setting& setting, const Curve& curve, const Simulated& simulated);
TextTable table(const Setting& setting, const Curve& curve, const Simulated& simulated);

} // namespace lodestone::ui::statement
