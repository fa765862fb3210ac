// The folder of a study while its numbers come in: preallocated arrays, a journal of finished rows, and the
// rename that makes it whole.
#pragma once

#include "core/data/study.h"

#include <optional>

namespace lodestone::data {

/// What a study consists of before it has any numbers.
struct StudyForm {
    nlohmann::json manifest; ///< study.json, but for arrays, cloze, likelihood and words
    std::vector<ArrayInfo> arrays; ///< of activations; their types are chosen by the first batch
    std::vector<ClozeSuffix> suffixes;
    bool likelihoods = false;
    std::size_t width = 0;
    bool keepFloat32 = false; ///< activations are not narrowed: a shard cannot know the first batch
};

/// What the model said of the responses of one batch: one row each.
struct BatchRows {
    std::vector<int> rows; ///< of the study
    std::vector<RowMatrix> activations; ///< per array [batch, width]; rows that the array lacks are not read
    std::vector<RowMatrix> cloze; ///< per suffix [batch, width]
    RowMatrix likelihoods; ///< [batch, 3]: log p(y|x), log p(y), tokens; empty when they are not captured
};

/// Writes batches into a folder. Activations and cloze states are stored as float16 where the first batch
/// leaves a margin of 16 to its range, else as float32; an array of which a later coordinate exceeds 16,000,
/// where float16 steps by 8, goes on as float32.
class CaptureStore {
public:
    static constexpr const char* likelihoodFile = "judgments/likelihood.npy";
    static std::string clozeFile(const ClozeSuffix& suffix);

    CaptureStore(std::filesystem::path folder, StudyForm form, const ResponseSet& set);

    /// Begins in a new folder, or goes on with one of the same plan (manifest key 'plan'). Errors: a finished
    /// study; a begun one without `resume`; one begun with another plan; damaged remains.
    Result<void> open(bool resume);
    bool isDone(int row) const { return m_done[static_cast<std::size_t>(row)]; }
    /// Writes a batch; it counts as done after the next sync.
    Result<void> write(const BatchRows& batch);
    /// Data first, then the journal that vouches for them.
    Result<void> sync();
    /// All states after a suffix, as stored. Shape [responses, width].
    Result<RowMatrix> clozeStates(std::size_t suffix) const;
    /// Makes the folder a finished study; `words` is the manifest's entry of the word table.
    Result<void> finish(const nlohmann::json& words);

private:
    /// One array of states while it is being filled.
    struct Target {
        ArrayInfo info; ///< of cloze states only file and rows
        std::string what; ///< for messages: "block 3 output", "suffix 'chat'"
        formats::NpyType type = formats::NpyType::F16;
        formats::NpyWriter writer;
    };
    Result<void> reopen();
    Result<void> openArrays(bool keep);
    static void chooseType(Target& target, const std::vector<int>& rows, const RowMatrix& values);
    Result<void> writeStates(Target& target, const std::vector<int>& rows, const RowMatrix& values);
    Result<void> widen(Target& target);
    nlohmann::json manifest() const;

    std::filesystem::path m_folder;
    StudyForm m_form;
    const ResponseSet& m_set;
    std::vector<bool> m_done;
    std::vector<std::vector<int>> m_unsynced; ///< rows of batches written since the last sync
    std::vector<Target> m_targets; ///< activations
    std::vector<Target> m_cloze; ///< one a suffix
    bool m_open = false; ///< the arrays exist
    std::optional<formats::NpyWriter> m_likelihoodWriter;
};

} // namespace lodestone::data
