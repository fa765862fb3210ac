// Turns activations that a user made elsewhere into a study, beside a table of texts and labels.
#pragma once

#include "core/data/study.h"

namespace lodestone::data {

struct ImportSummary {
    std::size_t responses = 0, pairs = 0, layers = 0;
};

/// `activations` is .npy [N, d] (one layer) or [N, L, d] (row 0 the embedding, row k + 1 the output of block
/// k); the table has one row per text with `text` (or statement, response) and optionally `label`, `value`,
/// `prompt`, `group`. Rows that share a group and have labels of both kinds become pairs. Errors: a row count
/// that differs, NaN, one label.
Result<ImportSummary> importActivations(
    const std::filesystem::path& activations, const std::filesystem::path& table,
    const std::filesystem::path& folder, const SplitSpec& split);

} // namespace lodestone::data
