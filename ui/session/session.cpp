#include "ui/session/session.h"

#include "core/base/files.h"
#include "core/data/capture.h"
#include "core/model/context_store.h"
#include "core/model/model_fetch.h"
#include "core/model/model_library.h"
#include "core/session/directions.h"
#include "core/session/layer_sweep.h"
#include "ui/session/edit_command.h"

#include <algorithm>
#include <cmath>
#include <sstream>
#include <thread>
#include <utility>

namespace lodestone::ui {
namespace {

using FoundationPtr = std::shared_ptr<const session::Foundation>;
using SnapshotPtr = std::shared_ptr<const session::Snapshot>;

const QString recomputeKind = QStringLiteral("recompute");
const QString refineKind = QStringLiteral("refine");
const QString sweepKind = QStringLiteral("sweep");
const QString openKind = QStringLiteral("open");
const QString modelKind = QStringLiteral("model");
const QString loadKind = QStringLiteral("load");
const QString captureKind = QStringLiteral("capture");
const QString importKind = QStringLiteral("import");
const QString tryKind = QStringLiteral("try");

constexpr int dragEndsAfterMs = 400; ///< after the last step

QString textOf(const std::string& text) { return QString::fromStdString(text); }

} // namespace

Session::Session(std::filesystem::path resources, QObject* parent)
    : QObject(parent)
    , m_resources(std::move(resources))
    , m_asking(new Asking(*this, m_modelLane))
    , m_speaker(new Speaker(
          m_modelLane,
          [this](std::function<void(const Speaker::ModelPtr&)> then, std::function<void()> otherwise) {
              withModel([this, then = std::move(then)] { then(m_model); }, std::move(otherwise));
          },
          [this](const Error& error) { report(error); }, this))
{
    m_calm.setSingleShot(true);
    m_calm.setInterval(dragEndsAfterMs);
    connect(&m_calm, &QTimer::timeout, this, [this] { leaveACoreFree(false); });
    findModel();
}

Session::~Session()
{
    m_modelLane.cancelAll();
    m_sweepLane.cancelAll();
    m_recomputeLane.cancelAll();
}

void Session::report(const Error& error)
{
    if (error.kind != ErrorKind::Cancelled)
        Q_EMIT failed(textOf(error.message()), textOf(error.where));
}

void Session::openStudy(const std::filesystem::path& folder)
{
    struct Opened {
        FoundationPtr foundation;
        std::optional<Layer> layer;
    };
    m_recomputeLane.run<Opened>(
        openKind,
        [folder](const Work& work) -> Result<Opened> {
            LODESTONE_TRY(auto study, data::Study::open(folder));
            Opened opened;
            LODESTONE_TRY(opened.foundation, session::Foundation::open(std::move(study)));
            opened.layer = session::preferredLayer(*opened.foundation, data::Position::Mean, work);
            return opened;
        },
        [this](Result<Opened> opened) {
            if (!opened)
                return report(opened.error());
            // Questions about this study come again and again: its replies are read once for all.
            auto shared = std::make_shared<session::Foundation>(*opened->foundation);
            shared->contexts = std::make_shared<model::ContextStore>();
            m_foundation = std::move(shared);
            m_pipeline = std::make_shared<session::Pipeline>(m_foundation);
            m_snapshot.reset();
            m_previous.reset();
            m_sweep.reset();
            m_selection.clear();
            m_undo.clear();
            m_trial.reset();
            m_inputs = session::defaultInputs(*m_foundation, opened->layer);
            if (m_foundation->study->name() == "Four values")
                if (auto preset
                    = constitution::readConstitution(m_resources / "constitutions/kindness-first.json"))
                    m_inputs.constitution = *preset;
            m_safe.clear();
            findModel();
            Q_EMIT studyChanged();
            keepSafe();
            Q_EMIT trialChanged();
            if (m_foundation->study->incomplete())
                Q_EMIT noted(tr("This study is half-written: %1. What is complete is shown.")
                                 .arg(textOf(*m_foundation->study->incomplete())));
            recompute();
            startSweep();
            m_asking->catchUp();
            m_asking->warmUp();
        });
}

void Session::capturePairs(
    const std::filesystem::path& input, const std::filesystem::path& folder, bool skipBad)
{
    std::error_code error;
    if (std::filesystem::exists(folder / "study.json", error)) { // captured before
        openStudy(folder);
        return;
    }
    // Read before the model is loaded: what is wrong with the file is said at once.
    struct Read {
        data::Import import;
        bool bad = false; ///< some rows were left out because they cannot be read
    };
    m_sweepLane.run<Read>(
        importKind,
        [input](const Work&) -> Result<Read> {
            auto strict = data::importTable(input);
            if (strict)
                return Read{ std::move(*strict), false };
            data::ImportOptions options;
            options.skipBad = true;
            auto lenient = data::importTable(input, options);
            if (!lenient || lenient->set.responses.empty())
                return tl::unexpected(strict.error());
            return Read{ std::move(*lenient), true };
        },
        [this, input, folder, skipBad](Result<Read> read) {
            if (!read)
                return report(read.error());
            data::Import* import = &read->import;
            if (read->bad && !skipBad) {
                constexpr std::size_t most = 200;
                QStringList lines;
                for (std::size_t i = 0; i < std::min(most, import->problems.size()); ++i)
                    lines << QString::fromStdString(import->problems[i].message());
                if (import->problems.size() > most)
                    lines << tr("… and %1 more").arg(import->problems.size() - most);
                Q_EMIT badRows(
                    input, folder,
                    tr("%1 rows of %2 cannot be read; the first: %3")
                        .arg(import->skipped)
                        .arg(QString::fromStdString(input.filename().string()), lines.value(0)),
                    lines.join(QLatin1Char('\n')));
                return;
            }
            if (import->skipped > 0)
                Q_EMIT noted(tr("%1 rows were left out.").arg(import->skipped));
            withModel([this, set = std::move(import->set), folder]() mutable {
                captureSet(std::move(set), folder);
            });
        });
}

void Session::captureSet(data::ResponseSet set, const std::filesystem::path& folder)
{
    m_modelLane.run<bool>(
        captureKind,
        [model = m_model, set = std::move(set), folder,
         resources = m_resources](const Work& work) -> Result<bool> {
            data::CaptureOptions options;
            options.resume = true;
            if (const auto words = readFile(resources / "value_words.txt")) {
                std::istringstream lines(*words);
                for (std::string line; std::getline(lines, line);)
                    if (!line.empty() && line[0] != '#')
                        options.words.push_back(line);
            }
            LODESTONE_TRY(
                [[maybe_unused]] const auto summary, data::capture(*model, set, folder, options, work));
            return true;
        },
        [this, folder](Result<bool> done) {
            if (!done)
                return report(done.error());
            openStudy(folder);
        });
}

void Session::edit(const QString& text, const session::Inputs& after, const QString& merge)
{
    if (!hasStudy())
        return;
    const bool fresh = merge.isEmpty() || !m_mergeOpen;
    if (fresh && m_snapshot)
        m_previous = m_snapshot;
    auto* command = new EditCommand(*this, text, m_inputs, after, merge);
    m_undo.push(command); // merges into the entry before while a drag is open
    m_mergeOpen = !merge.isEmpty();
    if (m_mergeOpen) {
        if (!dragging())
            leaveACoreFree(true);
        m_calm.start();
    }
}

void Session::endMerge() { m_mergeOpen = false; }

void Session::leaveACoreFree(bool on)
{
    if (m_model)
        m_model->setThreadBudget(
            on ? std::max(1, static_cast<int>(std::thread::hardware_concurrency()) - 1) : 0);
}

void Session::apply(const session::Inputs& inputs)
{
    const bool reworded = !(m_inputs.constitution == inputs.constitution);
    m_inputs = inputs;
    Q_EMIT inputsChanged();
    recompute();
    if (reworded)
        m_asking->catchUp();
}

void Session::recompute()
{
    if (!m_pipeline)
        return;
    m_recomputeLane.cancel(refineKind); // an edit never waits for a refinement of what it replaces
    struct Outcome {
        SnapshotPtr snapshot;
        session::RecomputeCounts counts;
    };
    m_recomputeLane.run<Outcome>(
        recomputeKind,
        [pipeline = m_pipeline, foundation = m_foundation, inputs = m_inputs,
         before = m_snapshot](const Work& work) -> Result<Outcome> {
            pipeline->setFoundation(foundation);
            LODESTONE_TRY(SnapshotPtr snapshot, pipeline->recompute(inputs, before, work));
            return Outcome{ snapshot, pipeline->counts() };
        },
        [this, study = m_foundation->study](Result<Outcome> outcome) {
            if (!outcome)
                return report(outcome.error());
            if (!m_foundation || m_foundation->study != study)
                return;
            take(outcome->snapshot, outcome->counts);
        },
        Lane::WhenOvertaken::Finish);
}

void Session::take(SnapshotPtr snapshot, const session::RecomputeCounts& counts)
{
    m_snapshot = std::move(snapshot);
    m_counts = counts;
    Q_EMIT snapshotChanged();
    if (std::isfinite(m_snapshot->meters->efficiencyNoiseCeiling))
        return;
    m_recomputeLane.run<SnapshotPtr>(
        refineKind,
        [pipeline = m_pipeline, base = m_snapshot](const Work& work) { return pipeline->refine(base, work); },
        [this, base = m_snapshot](Result<SnapshotPtr> refined) {
            if (refined && m_snapshot == base) {
                m_snapshot = *refined;
                Q_EMIT snapshotChanged();
            }
        });
}

void Session::startSweep()
{
    using SweepPtr = std::shared_ptr<const session::Sweep>;
    m_sweepLane.run<SweepPtr>(
        sweepKind,
        [foundation = m_foundation, position = m_inputs.position,
         seed = m_inputs.seed](const Work& work) -> Result<SweepPtr> {
            session::SweepOptions options;
            options.position = position;
            options.seed = seed;
            LODESTONE_TRY(auto sweep, session::sweepLayers(*foundation, {}, options, work));
            return std::make_shared<const session::Sweep>(std::move(sweep));
        },
        [this, foundation = m_foundation](Result<SweepPtr> sweep) {
            if (m_foundation != foundation && (!m_foundation || m_foundation->study != foundation->study))
                return;
            if (sweep) {
                m_sweep = *sweep;
                Q_EMIT sweepChanged();
            }
        });
}

bool Session::settled() const { return !m_recomputeLane.busy(); }

bool Session::modelPresent() const { return m_defaultPresent; }

void Session::findModel()
{
    const auto standard = model::defaultModelPath();
    m_defaultPresent = standard.has_value();
    m_modelPath.reset();
    const std::string wanted = m_foundation ? m_foundation->study->model().sha256 : std::string();
    if (standard && (!m_foundation || wanted == model::defaultModel().sha256))
        m_modelPath = *standard;
    else if (const auto cached = model::listCachedModels(); cached && !wanted.empty())
        for (const model::FetchedModel& one : *cached)
            if (one.sha256 == wanted)
                m_modelPath = one.path;
    if (m_model && m_foundation && m_model->sha256() != wanted)
        m_model.reset();
    Q_EMIT modelChanged();
}

QString Session::whyNoModel() const
{
    if (!m_foundation)
        return tr("Open a study first");
    const data::StudyModel& reader = m_foundation->study->model();
    if (reader.sha256.empty())
        return tr("These activations were imported: no model is known that read them");
    if (m_modelPath)
        return {};
    return reader.sha256 == model::defaultModel().sha256
        ? tr("Needs the model: fetch it first")
        : tr("Needs the model that read this study, %1, in the cache").arg(textOf(reader.name));
}

QString Session::modelDescription() const
{
    if (m_model)
        return tr("Model ready · %1").arg(textOf(m_model->matrixPath()));
    return m_modelPath ? tr("Model in the cache, not loaded")
        : m_foundation ? tr("The study's model is not here")
                       : tr("No model yet");
}

void Session::fetchModel()
{
    m_modelLane.run<bool>(
        modelKind,
        [](const Work& work) -> Result<bool> {
            LODESTONE_TRY([[maybe_unused]] const auto fetched, model::fetchModel(std::string_view(), work));
            return true;
        },
        [this](Result<bool> done) {
            if (!done)
                report(done.error());
            else
                Q_EMIT noted(tr("The model is in the cache; everything works offline from now on."));
            findModel();
            m_asking->catchUp();
        });
}

void Session::withModel(std::function<void()> then, std::function<void()> otherwise)
{
    m_asking->yield();
    if (m_model)
        return then();
    using ModelPtr = std::shared_ptr<model::LanguageModel>;
    // Several may wait for one loading.
    m_waiting.push_back({ std::move(then), std::move(otherwise) });
    if (m_waiting.size() > 1)
        return;
    m_modelLane.run<ModelPtr>(
        loadKind,
        [path = m_modelPath](const Work& work) -> Result<ModelPtr> {
            if (!path) {
                LODESTONE_TRY([[maybe_unused]] const auto standard, model::defaultModelPath());
            }
            LODESTONE_TRY(auto loaded, model::loadModel(path ? *path : *model::defaultModelPath(), {}, work));
            return ModelPtr(std::move(loaded));
        },
        [this](Result<ModelPtr> loaded) {
            const auto waiting = std::exchange(m_waiting, {});
            if (loaded) {
                m_model = *loaded;
                Q_EMIT modelChanged();
            } else {
                report(loaded.error());
            }
            for (const Waiting& one : waiting)
                if (loaded)
                    one.then();
                else if (one.otherwise)
                    one.otherwise();
        });
}

void Session::extend(FoundationPtr foundation)
{
    m_foundation = std::move(foundation);
    recompute();
}

void Session::tryIt(const QString& prompt, const QString& first, const QString& second)
{
    if (!m_foundation)
        return;
    withModel([this, prompt = prompt.toStdString(),
               replies = std::array{ first.toStdString(), second.toStdString() }] {
        using TrialPtr = std::shared_ptr<const session::Trial>;
        m_modelLane.run<TrialPtr>(
            tryKind,
            [model = m_model, study = m_foundation->study, prompt,
             replies](const Work& work) -> Result<TrialPtr> {
                LODESTONE_TRY(auto trial, session::readTrial(*model, *study, prompt, replies, work));
                return std::make_shared<const session::Trial>(std::move(trial));
            },
            [this, study = m_foundation->study](Result<TrialPtr> trial) {
                if (!trial)
                    return report(trial.error());
                if (!m_foundation || m_foundation->study != study)
                    return;
                m_trial = *trial;
                Q_EMIT trialChanged();
            });
    });
}

void Session::clearTrial()
{
    m_trial.reset();
    Q_EMIT trialChanged();
}

bool Session::isModified() const
{
    return hasStudy() && std::find(m_safe.begin(), m_safe.end(), m_inputs.constitution) == m_safe.end();
}

void Session::keepSafe()
{
    m_safe.push_back(m_inputs.constitution);
    Q_EMIT inputsChanged();
}

Result<void> Session::saveConstitution(const std::filesystem::path& path)
{
    LODESTONE_CHECK(constitution::writeConstitution(path, m_inputs.constitution));
    keepSafe();
    return {};
}

void Session::loadConstitution(const std::filesystem::path& path)
{
    auto loaded = constitution::readConstitution(path);
    if (!loaded)
        return report(loaded.error());
    session::Inputs next = m_inputs;
    next.constitution = std::move(*loaded);
    edit(tr("Open constitution “%1”").arg(textOf(next.constitution.name)), next);
    keepSafe();
}

} // namespace lodestone::ui
