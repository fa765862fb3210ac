#include "core/torch/packed_batch.h"

#include <algorithm>
#include <fmt/format.h>

namespace lodestone::torch_engine {
namespace {

Result<void> check(
    const model::Request& request, const Run& run, const model::ModelConfig& config, const std::string& where)
{
    const int count = run.count();
    if (count == 0)
        return badInput("at least one token", "none", where);
    if (run.pastLength + count > config.context)
        return badInput(
            fmt::format("at most {} tokens (the model's context)", config.context),
            fmt::format("{}", run.pastLength + count), where);
    for (const model::TokenId token : request.tokens)
        if (token < 0 || token >= config.vocabulary)
            return badInput(
                fmt::format("token ids below {}", config.vocabulary), std::to_string(token), where);
    for (const model::TokenRange& range : { request.pooled, request.scored })
        if (!range.empty() && (range.begin < 0 || range.end > count))
            return badInput(
                fmt::format("a range within {} tokens", count),
                fmt::format("[{}, {})", range.begin, range.end), where);
    if (!request.scored.empty() && request.scored.begin == 0 && !run.past)
        return badInput("a scored range that starts after the first token", "token 0", where);
    return {};
}

} // namespace

Result<std::vector<Run>> planRuns(std::span<const model::Request> requests, const model::ModelConfig& config)
{
    std::vector<Run> runs;
    int row = 0;
    for (std::size_t i = 0; i < requests.size(); ++i) {
        const model::Request& request = requests[i];
        Run run;
        run.request = &request;
        run.past = std::static_pointer_cast<const CachedContext>(request.past);
        run.pastLength = run.past ? run.past->length() : 0;
        run.firstRow = row;
        run.keep = request.keepContext;
        LODESTONE_CHECK(check(request, run, config, fmt::format("request {}", i)));
        const int count = run.count();
        if (!run.keep) {
            run.page = std::make_shared<Page>(1, config.kvHeads, config.headWidth, count);
        } else if (
            run.past && run.past->page()->used == run.past->own()
            && run.past->page()->capacity - run.past->own() >= count) {
            run.page = run.past->page(); // the context is the tip of its page: append in place
            run.pageStart = run.past->own();
            run.page->used += count;
        } else {
            const int capacity = run.past ? std::max(count, 64) : count;
            run.page = std::make_shared<Page>(config.blocks, config.kvHeads, config.headWidth, capacity);
            run.page->used = count;
        }
        row += count;
        runs.push_back(std::move(run));
    }
    return runs;
}

std::vector<int> rowsNeeded(const std::vector<Run>& runs, bool pooledToo)
{
    std::vector<int> rows;
    for (const Run& run : runs) {
        const model::TokenRange pooled = run.request->pooled, scored = run.request->scored;
        for (int t = 0; t < run.count(); ++t) {
            // The state at t scores token t + 1.
            const bool scores = t + 1 >= scored.begin && t + 1 < scored.end;
            const bool pools = pooledToo && t >= pooled.begin && t < pooled.end;
            if (scores || pools || t + 1 == run.count())
                rows.push_back(run.firstRow + t);
        }
    }
    return rows;
}

std::vector<Slice> cut(const std::vector<Run>& runs, const std::vector<int>& rows, int most)
{
    std::vector<Slice> slices;
    std::size_t next = 0;
    for (std::size_t r = 0; r < runs.size(); ++r) {
        const int end = runs[r].firstRow + runs[r].count();
        while (next < rows.size() && rows[next] < end) {
            Slice slice{ static_cast<int>(r), static_cast<int>(next), 0 };
            for (; next < rows.size() && rows[next] < end && slice.count < most; ++next)
                ++slice.count;
            slices.push_back(slice);
        }
    }
    return slices;
}

} // namespace lodestone::torch_engine
