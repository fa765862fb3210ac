// Checks the reading of a model's weights without any reference: each number once more, taken out of the
// file's bits one by one.
#pragma once

#include "core/model/verify.h"

namespace lodestone::model {

/// The weight at `item` of a block of a quantised type, by the definition of its bits (ggml's block layouts).
/// Undefined for types without blocks and for places beyond the block.
double weightInBlock(formats::QuantType type, const std::byte* block, std::uint32_t item);

/// Compares the reader's numbers with these in the first and the last row of every tensor of a GGUF file.
/// Other kinds of model hold plain numbers: their check says so and passes. The value is the largest error
/// over the largest number of its row.
Result<Check> checkDequantisation(const std::filesystem::path& path);

} // namespace lodestone::model
