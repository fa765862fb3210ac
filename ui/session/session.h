// The one mutable object of the window: the open study, the user's inputs with undo, and the latest snapshot.
#pragma once

#include "core/model/language_model.h"
#include "core/session/layer_sweep.h"
#include "core/session/pipeline.h"
#include "core/session/trial.h"
#include "ui/session/asking.h"
#include "ui/session/lane.h"
#include "ui/session/selection.h"
#include "ui/session/speaker.h"

#include <QTimer>
#include <QUndoStack>
#include <memory>

namespace lodestone::ui {

class Session : public QObject {
    Q_OBJECT
public:
    explicit Session(std::filesystem::path resources, QObject* parent = nullptr);
    ~Session() override;

    // The study.
    void
    openStudy(const std::filesystem::path& folder); ///< in the background; studyChanged or failed follows
    /// The model reads them, then the study opens. Rows that cannot be read stop it with badRows(), unless
    /// they are to be skipped.
    void capturePairs(
        const std::filesystem::path& input, const std::filesystem::path& folder, bool skipBad = false);
    const session::Foundation* foundation() const { return m_foundation.get(); }
    std::shared_ptr<const session::Foundation> sharedFoundation() const { return m_foundation; }
    /// The same study with more said about it by the model (words, judged texts): recomputes.
    void extend(std::shared_ptr<const session::Foundation> foundation);
    bool hasStudy() const { return m_foundation != nullptr; }
    const std::filesystem::path& resources() const { return m_resources; }

    // Inputs and what follows from them.
    const session::Inputs& inputs() const { return m_inputs; }
    /// Makes the edit, undoable under `text`. Edits with the same non-empty `merge` key become one entry (a
    /// slider drag) until endMerge.
    void edit(const QString& text, const session::Inputs& after, const QString& merge = {});
    void endMerge();
    bool dragging() const { return m_calm.isActive(); } ///< a slider moved a moment ago
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
    std::shared_ptr<model::LanguageModel> model() const { return m_model; } ///< for jobs of the model lane
    /// Why the model that read this study cannot be asked, and what to do; empty when it can.
    QString whyNoModel() const;
    QString modelDescription() const;
    void fetchModel();
    /// Loads the study's model (once) and then continues; failures go to failed() and `otherwise`.
    void withModel(std::function<void()> then, std::function<void()> otherwise = {});
    const Asking& asking() const { return *m_asking; }
    Speaker& speaker() { return *m_speaker; }
    void tryIt(const QString& prompt, const QString& first, const QString& second);
    const session::Trial* trial() const { return m_trial.get(); } ///< the last one; null: none
    void clearTrial();

    // Constitution files.
    Result<void> saveConstitution(const std::filesystem::path& path);
    void loadConstitution(const std::filesystem::path& path);
    /// The constitution differs from every one that was opened or saved since the study was opened.
    bool isModified() const;

    Lane& modelLane() { return m_modelLane; }
    Lane& recomputeLane() { return m_recomputeLane; }
    Lane& sweepLane() { return m_sweepLane; }

Q_SIGNALS:
    void studyChanged();
    void inputsChanged(); ///< at once, before the snapshot follows
    void snapshotChanged();
    void sweepChanged();
    void modelChanged();
    void trialChanged();
    void failed(const QString& message, const QString& details);
    void noted(const QString& message);
    /// Some rows of `input` cannot be read; `details` has a line for each.
    void badRows(
        const std::filesystem::path& input, const std::filesystem::path& folder, const QString& message,
        const QString& details);

public:
    void report(const Error& error); ///< as failed(), unless the user stopped it

private:
    friend class EditCommand;
    void apply(const session::Inputs& inputs);
    void captureSet(data::ResponseSet set, const std::filesystem::path& folder);
    void recompute();
    void startSweep();
    void take(std::shared_ptr<const session::Snapshot> snapshot, const session::RecomputeCounts& counts);
    void findModel();
    void leaveACoreFree(bool on); ///< to the recompute lane, while the model works
    void keepSafe(); ///< the constitution as it is now stands in a file

    std::filesystem::path m_resources;
    std::shared_ptr<const session::Foundation> m_foundation;
    std::shared_ptr<session::Pipeline> m_pipeline; ///< touched on the recompute lane only
    session::Inputs m_inputs;
    std::shared_ptr<const session::Snapshot> m_snapshot, m_previous;
    std::shared_ptr<const session::Sweep> m_sweep;
    session::RecomputeCounts m_counts;
    std::shared_ptr<model::LanguageModel> m_model; ///< used on the model lane only
    std::optional<std::filesystem::path> m_modelPath; ///< of the study's model, else of the default one
    bool m_defaultPresent = false;
    std::shared_ptr<const session::Trial> m_trial;
    struct Waiting {
        std::function<void()> then, otherwise;
    };
    std::vector<Waiting> m_waiting; ///< for the model that is being loaded
    QUndoStack m_undo;
    std::vector<constitution::Constitution> m_safe; ///< opened or saved: nothing is lost with them
    bool m_mergeOpen = false;
    QTimer m_calm; ///< runs while a slider is dragged and a moment longer
    Selection m_selection;
    Lane m_recomputeLane; ///< last, so that they stop before anything they touch goes away
    Lane m_sweepLane; ///< the score of every layer: needs no model and must not wait for one
    Lane m_modelLane;
    Asking* m_asking = nullptr; // owned by the object tree
    Speaker* m_speaker = nullptr; // owned by the object tree
};

} // namespace lodestone::ui
