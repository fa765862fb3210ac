// Many requests as one matrix of tokens without padding: where each request's rows are and where its keys and
// values go.
#pragma once

#include "core/model/language_model.h"
#include "core/torch/kv_cache.h"

namespace lodestone::torch_engine {

/// One request's place in the packed batch.
struct Run {
    const model::Request* request = nullptr;
    std::shared_ptr<const CachedContext> past;
    int firstRow = 0;
    int pastLength = 0;
    std::shared_ptr<Page> page; ///< where its keys and values go; one block deep when they are not kept
    int pageStart = 0;
    bool keep = false;

    int count() const { return static_cast<int>(request->tokens.size()); }
    int pageBlock(int block) const { return keep ? block : 0; }
};

/// Rows of the batch that one task handles: all of one run, at most so many that a task is small.
struct Slice {
    int run = 0;
    int first = 0, count = 0; ///< in the list of rows that the slices were made for
};

/// Checks the requests and gives each its rows. Errors name the request.
Result<std::vector<Run>> planRuns(std::span<const model::Request> requests, const model::ModelConfig& config);

/// The packed rows whose residual stream is needed after the deepest block: scored, pooled and last tokens.
/// In order.
std::vector<int> rowsNeeded(const std::vector<Run>& runs, bool pooledToo);

/// Cuts a list of rows (in order) into slices of at most `most` rows of one run.
std::vector<Slice> cut(const std::vector<Run>& runs, const std::vector<int>& rows, int most);

} // namespace lodestone::torch_engine
