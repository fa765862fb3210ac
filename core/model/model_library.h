// Opens the torch engine at first use, so that windows and commands that need no model never pay for
// libtorch.
#pragma once

#include "core/model/language_model.h"

namespace lodestone::model {

struct ModelOptions {
    int threads = 0; ///< 0: all cores
    std::string matrixPath; ///< "" measures and remembers; "onednn" or "blas" decide
    std::string device; ///< "" or "cpu"; others are for engines built for them and are refused by this one
};

/// Loads a model: whatever ModelSource::open reads. The engine (liblodestone_torch.so beside the program) is
/// loaded by the first call.
Result<std::unique_ptr<LanguageModel>>
loadModel(const std::filesystem::path& path, const ModelOptions& options = {}, const Work& work = {});

/// One row of the matrix-path measurement: GFLOP/s on a shape of the model's linear layers.
struct MatrixSpeed {
    int rows = 0, inner = 0, columns = 0;
    double blas = 0, oneDnn = 0; ///< GFLOP/s
};
struct MatrixMeasurement {
    std::string chosen; ///< "onednn" or "blas"
    std::vector<MatrixSpeed> speeds;
    int threads = 0;
};
/// Measures both matrix paths now (about a second), whatever is cached.
Result<MatrixMeasurement> measureMatrixPaths(int threads);

} // namespace lodestone::model
