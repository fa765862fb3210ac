// Opens the checkpoints of llama2.c: a header of seven numbers, then every weight as float32 in a fixed
// order.
#pragma once

#include "core/model/model_source.h"

namespace lodestone::model {

/// Whether a file claims to be a checkpoint: by its mark (version 1 and later) or by the ending .bin.
bool isCheckpoint(const std::filesystem::path& path);

/// A checkpoint, legacy or version 1, with its `tokenizer.bin` beside it. Errors: a length that the header
/// does not imply, other versions (quantised ones), no tokenizer.
Result<std::unique_ptr<ModelSource>> openCheckpoint(const std::filesystem::path& path);

} // namespace lodestone::model
