// Recomputes only what an edit changed: the whole reactive system of the program.
#pragma once

#include "core/session/snapshot.h"

#include <map>
#include <vector>

namespace lodestone::session {

/// How often each stage was computed: a test proves with it that a slider drag recomputes judgments and
/// policy only.
struct RecomputeCounts {
    int layer = 0, principles = 0, judge = 0, meters = 0, policy = 0;
};

class Pipeline {
public:
    explicit Pipeline(std::shared_ptr<const Foundation> foundation)
        : m_foundation(std::move(foundation))
    {
    }

    /// A new snapshot for the inputs; stages of `previous` whose key is the same are kept. Errors: a layer or
    /// position that the study has not, no labels at all. Principles without a direction are reported in
    /// their stage, not as an error.
    Result<std::shared_ptr<const Snapshot>>
    recompute(const Inputs& inputs, const std::shared_ptr<const Snapshot>& previous, const Work& work = {});

    /// What takes longer, as a second pass: the noise ceiling of cos(w*, w_c), by refits on halves, and
    /// random words in the principles' places.
    Result<std::shared_ptr<const Snapshot>>
    refine(const std::shared_ptr<const Snapshot>& snapshot, const Work& work = {}) const;

    /// A foundation that knows more words (or another study): layers are kept.
    void setFoundation(std::shared_ptr<const Foundation> foundation) { m_foundation = std::move(foundation); }
    const RecomputeCounts& counts() const { return m_counts; }

private:
    std::shared_ptr<const Foundation> m_foundation;
    RecomputeCounts m_counts;
    std::vector<std::shared_ptr<const LayerStage>> m_layers; ///< recently used, the latest last
    std::map<std::uint64_t, std::shared_ptr<const PrincipleStage>>
        m_principles; ///< so that an edit undone is instant
};

/// Default inputs for a study: a constitution for its values, the layer given or the middle of the captured
/// ones.
Inputs defaultInputs(const Foundation& foundation, std::optional<Layer> layer = {});

} // namespace lodestone::session
