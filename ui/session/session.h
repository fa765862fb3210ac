// The one mutable object of the window: the open study, the user's inputs with undo, and the latest snapshot.
#pragma once

#include "core/model/language_model.h"
#include "core/session/layer_sweep.h"
#include "core/session/pipeline.h"
#include "ui/session/lane.h"
#include "ui/session/selection.h"

#include <QUndoStack>
#include <memory>

namespace lodestone::ui {

/// What "Try it" returns: two replies of the user's own, judged and placed like the study's.
struct Trial {
    double p = 0.5; ///< P(first over second)
    std::vector<std::array<double, 2>> scores; ///< per direction in `names`: of both replies
    QStringList names;
    double seconds = 0;
};

class Session : public QObject {
    Q_OBJECT
public:
    explicit Session(std::filesystem::path resources, QObject* parent = nullptr);
    ~Session() override;

    // The study.
    void
    openStudy(const std::filesystem::path& folder); ///< in the background; studyChanged or failed follows
    void
    capturePairs(const std::filesystem::path& input, const std::filesystem::path& folder); ///< then opens it
    const session::Foundation* foundation() const { return m_foundation.get(); }
    bool hasStudy() const { return m_foundation != nullptr; }
    const std::filesystem::path& resources() const { return m_resources; }

    // Inputs and what follows from them.
    const session::Inputs& inputs() const { return m_inputs; }
    /// Makes the edit, undoable under `text`. Edits with the same non-empty `merge` key become one entry (a
    /// slider drag) until endMerge.
    void edit(const QString& text, const session::Inputs& after, const QString& merge = {});
    void endMerge() { m_mergeOpen = false; }
    QUndoStack& undoStack() { return m_undo; }
    std::shared_ptr<const session::Snapshot> snapshot() const { return m_snapshot; }
    std::shared_ptr<const session::Snapshot> previous() const
    {
        return m_previous;
    } ///< before the last edit: ghosts
    const session::Sweep* sweep() const { return m_sweep.get(); }
    Selection& selection() { return m_selection; }
    const session::RecomputeCounts& counts() const { return m_counts; }
    bool settled() const; ///< nothing is being recomputed

    // The model.
    bool modelPresent() const; ///< the default model is in the cache
    bool modelReady() const { return m_model != nullptr; }
    QString modelDescription() const;
    void fetchModel();
    /// Loads the model (once) and then continues; failures go to failed().
    void withModel(std::function<void()> then);
    void
    judgeText(const QString& text); ///< conditioned cloze of a principle's text; partial results stream in
    void lookUpWords(); ///< pole words outside the study's table, from the model
    void tryIt(const QString& prompt, const QString& first, const QString& second);

    // Constitution files.
    Result<void> saveConstitution(const std::filesystem::path& path) const;
    void loadConstitution(const std::filesystem::path& path);
    bool isModified() const { return !m_undo.isClean(); }

    Lane& modelLane() { return m_modelLane; }
    Lane& recomputeLane() { return m_recomputeLane; }
    Lane& sweepLane() { return m_sweepLane; }

Q_SIGNALS:
    void studyChanged();
    void inputsChanged(); ///< at once, before the snapshot follows
    void snapshotChanged();
    void sweepChanged();
    void modelChanged();
    void trialReady(const lodestone::ui::Trial& trial);
    void failed(const QString& message, const QString& details);
    void noted(const QString& message);

private:
    friend class EditCommand;
    void apply(const session::Inputs& inputs);
    void recompute();
    void startSweep();
    void take(std::shared_ptr<const session::Snapshot> snapshot, const session::RecomputeCounts& counts);
    void report(const Error& error);

    std::filesystem::path m_resources;
    std::shared_ptr<const session::Foundation> m_foundation;
    std::shared_ptr<session::Pipeline> m_pipeline; ///< touched on the recompute lane only
    session::Inputs m_inputs;
    std::shared_ptr<const session::Snapshot> m_snapshot, m_previous;
    std::shared_ptr<const session::Sweep> m_sweep;
    session::RecomputeCounts m_counts;
    std::shared_ptr<model::LanguageModel> m_model; ///< used on the model lane only
    QUndoStack m_undo;
    bool m_mergeOpen = false;
    Selection m_selection;
    Lane m_recomputeLane; ///< last, so that they stop before anything they touch goes away
    Lane m_sweepLane; ///< the score of every layer: needs no model and must not wait for one
    Lane m_modelLane;
};

} // namespace lodestone::ui
