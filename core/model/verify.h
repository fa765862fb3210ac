// Proves an engine right: against a reference file of an independent implementation, and by invariants that
// need none.
#pragma once

#include "core/model/language_model.h"

#include <nlohmann/json.hpp>

namespace lodestone::model {

struct LayerError {
    Layer layer;
    double largest = 0; ///< relative error of norms, or coordinate error over the norm, whichever is larger
    double median = 0;
};
struct Check {
    std::string name;
    bool ok = false;
    double value = 0; ///< the error measured
    double limit = 0;
    std::string detail;
};
struct Verification {
    bool ok = false;
    double maxLogProbabilityError = 0; ///< absolute, natural log
    double maxResidualError = 0; ///< relative
    std::vector<LayerError> layers;
    std::vector<Check> checks;
};

/// Compares with a reference document (items of rendered text, ids, last_top10, nll_per_token, residual norms
/// and first coordinates, greedy ids) when one is given, and checks: a batch equals single runs, cached
/// equals uncached.
Result<Verification>
verify(LanguageModel& model, const nlohmann::json* reference, const std::string& where, const Work& work);

} // namespace lodestone::model
