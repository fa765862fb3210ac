// The table of functions that the engine library hands over: the only symbol that crosses its border.
#pragma once

#include "core/model/model_library.h"

namespace lodestone::model {

struct EngineEntry {
    Result<std::unique_ptr<LanguageModel>> (*load)(
        const std::filesystem::path&, const ModelOptions&, const Work&);
    Result<MatrixMeasurement> (*measure)(int threads);
};

using EngineEntryFunction = const EngineEntry* (*)();

} // namespace lodestone::model
