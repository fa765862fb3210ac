// Opens a model folder as people have it: config.json, tokenizer files, one or many safetensors.
#pragma once

#include "core/model/model_source.h"

namespace lodestone::model {

/// Errors: a config.json that is missing or names what the engine does not do, shards that are missing, a
/// tokenizer that is not read.
Result<std::unique_ptr<ModelSource>> openFolder(const std::filesystem::path& folder);

} // namespace lodestone::model
