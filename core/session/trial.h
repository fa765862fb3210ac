// "Try it": two replies of the user's own, read once by the model and from then on judged like the study's.
#pragma once

#include "core/session/snapshot.h"

#include <array>

namespace lodestone::model {
class LanguageModel;
}

namespace lodestone::session {

/// The states of two replies to one prompt at every layer of a study, so that a later edit needs no model.
struct Trial {
    std::string prompt;
    std::array<std::string, 2> replies;
    std::vector<Layer> layers;
    std::array<data::RowMatrix, 2> mean, last; ///< per reply [layers, width]
    double seconds = 0; ///< that the model took

    /// The state of a reply (0 or 1) at a layer and position; empty when it was not read there.
    Eigen::VectorXd state(int reply, Layer layer, data::Position position) const;
};

/// Reads both replies as a study's are read (the model's chat template around the prompt). Errors: an empty
/// prompt or reply, another model than the one that read the study, a sequence longer than the context.
Result<Trial> readTrial(
    model::LanguageModel& model, const data::Study& study, const std::string& prompt,
    const std::array<std::string, 2>& replies, const Work& work = {});

/// w'h plus offset of a direction for both replies, in the units of its scores.
std::array<double, 2> trialScores(const Trial& trial, const Snapshot& snapshot, const Direction& direction);

/// P(first over second) under the snapshot's w_c; 1/2 without a judge direction, NaN when the trial was not
/// read at its layer.
double trialPreference(const Trial& trial, const Snapshot& snapshot);

} // namespace lodestone::session
