// Joins the shards of a capture into the study that one machine would have made, bit for bit.
#pragma once

#include "core/data/capture.h"

namespace lodestone::data {

/// The shards of one capture, opened and found complete.
class ShardSet {
public:
    /// Opens the folders, in any order. Errors, each naming the folder: not a shard; a shard of other texts,
    /// of another model, of other options or of another number of shards; one that stands there twice; one
    /// that is missing; one that is not finished.
    static Result<ShardSet> open(std::span<const std::filesystem::path> folders);

    const std::string& modelSha256() const { return m_model; }
    const ResponseSet& set() const { return m_set; }

private:
    friend class ShardMerger;
    std::vector<std::filesystem::path> m_folders; ///< by shard
    nlohmann::json m_manifest; ///< of the first shard
    std::string m_model;
    ResponseSet m_set;
    std::vector<std::vector<int>> m_batches; ///< of the whole capture; batch b was read by shard b modulo n
};

/// Writes the study into `folder`, which must be new or empty. The batches are replayed in their order, so
/// that every array gets the type and the bytes of an unsharded capture. `model` must be the one that read
/// the shards: the word table needs its output matrix.
Result<CaptureSummary> mergeShards(
    const ShardSet& shards, const model::LanguageModel& model, const std::filesystem::path& folder,
    const Work& work = {});

} // namespace lodestone::data
