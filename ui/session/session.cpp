#include "ui/session/session.h"

#include "core/base/files.h"
#include "core/data/capture.h"
#include "core/model/model_fetch.h"
#include "core/model/model_library.h"
#include "core/session/directions.h"
#include "ui/session/edit_command.h"

#include <chrono>
#include <cmath>
#include <sstream>

namespace lodestone::ui {
namespace {

using FoundationPtr = std::shared_ptr<const session::Foundation>;
using SnapshotPtr = std::shared_ptr<const session::Snapshot>;

const QString recomputeKind = QStringLiteral("recompute");
const QString refineKind = QStringLiteral("refine");
const QString sweepKind = QStringLiteral("sweep");
const QString openKind = QStringLiteral("open");
const QString modelKind = QStringLiteral("model");
const QString captureKind = QStringLiteral("capture");
const QString askKind = QStringLiteral("ask");
const QString tryKind = QStringLiteral("try");

QString textOf(const std::string& text) { return QString::fromStdString(text); }

} // namespace

Session::Session(std::filesystem::path resources, QObject* parent)
    : QObject(parent)
    , m_resources(std::move(resources))
{
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
    m_recomputeLane.run<FoundationPtr>(
        openKind,
        [folder](const Work&) -> Result<FoundationPtr> {
            LODESTONE_TRY(auto study, data::Study::open(folder));
            return session::Foundation::open(std::move(study));
        },
        [this](Result<FoundationPtr> opened) {
            if (!opened)
                return report(opened.error());
            m_foundation = *opened;
            m_pipeline = std::make_shared<session::Pipeline>(m_foundation);
            m_snapshot.reset();
            m_previous.reset();
            m_sweep.reset();
            m_selection.clear();
            m_undo.clear();
            m_inputs = session::defaultInputs(*m_foundation);
            if (m_foundation->study->name() == "Four values")
                if (auto preset
                    = constitution::readConstitution(m_resources / "constitutions/kindness-first.json"))
                    m_inputs.constitution = *preset;
            Q_EMIT studyChanged();
            Q_EMIT inputsChanged();
            if (m_foundation->study->incomplete())
                Q_EMIT noted(tr("This study is half-written: %1. What is complete is shown.")
                                 .arg(textOf(*m_foundation->study->incomplete())));
            recompute();
            startSweep();
        });
}

void Session::capturePairs(const std::filesystem::path& input, const std::filesystem::path& folder)
{
    std::error_code error;
    if (std::filesystem::exists(folder / "study.json", error)) { // captured before
        openStudy(folder);
        return;
    }
    withModel([this, input, folder] {
        m_modelLane.run<bool>(
            captureKind,
            [model = m_model, input, folder, resources = m_resources](const Work& work) -> Result<bool> {
                LODESTONE_TRY(data::Import import, data::importTable(input));
                data::CaptureOptions options;
                options.resume = true;
                if (const auto words = readFile(resources / "value_words.txt")) {
                    std::istringstream lines(*words);
                    for (std::string line; std::getline(lines, line);)
                        if (!line.empty() && line[0] != '#')
                            options.words.push_back(line);
                }
                LODESTONE_TRY(
                    [[maybe_unused]] const auto summary,
                    data::capture(*model, std::move(import.set), folder, options, work));
                return true;
            },
            [this, folder](Result<bool> done) {
                if (!done)
                    return report(done.error());
                openStudy(folder);
            });
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
}

void Session::apply(const session::Inputs& inputs)
{
    m_inputs = inputs;
    Q_EMIT inputsChanged();
    recompute();
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

bool Session::modelPresent() const { return model::defaultModelPath().has_value(); }

QString Session::modelDescription() const
{
    if (m_model)
        return tr("Model ready · %1").arg(textOf(m_model->matrixPath()));
    return modelPresent() ? tr("Model in the cache, not loaded") : tr("No model yet");
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
            Q_EMIT modelChanged();
        });
}

void Session::withModel(std::function<void()> then)
{
    if (m_model)
        return then();
    using ModelPtr = std::shared_ptr<model::LanguageModel>;
    m_modelLane.run<ModelPtr>(
        modelKind,
        [](const Work& work) -> Result<ModelPtr> {
            LODESTONE_TRY(const auto path, model::defaultModelPath());
            LODESTONE_TRY(auto loaded, model::loadModel(path, {}, work));
            return ModelPtr(std::move(loaded));
        },
        [this, then = std::move(then)](Result<ModelPtr> loaded) {
            if (!loaded)
                return report(loaded.error());
            m_model = *loaded;
            Q_EMIT modelChanged();
            then();
        });
}

void Session::lookUpWords()
{
    if (!m_foundation || !m_foundation->cloze)
        return;
    std::vector<std::string> missing;
    for (const constitution::Principle& principle : m_inputs.constitution.principles)
        for (const auto* pole : { &principle.positive, &principle.negative })
            for (const std::string& word : *pole)
                if (!m_foundation->cloze->knows(word))
                    missing.push_back(word);
    if (missing.empty() || !modelPresent())
        return;
    withModel([this, missing] {
        if (!m_foundation || m_model->sha256() != m_foundation->study->model().sha256)
            return;
        std::vector<std::string> unknown;
        auto extended = std::make_shared<session::Foundation>(*m_foundation);
        auto cloze = m_foundation->cloze->withWords(*m_model, missing, unknown);
        if (!cloze)
            return report(cloze.error());
        extended->cloze = *cloze;
        m_foundation = extended;
        recompute();
    });
}

void Session::judgeText(const QString& text)
{
    if (!m_foundation)
        return;
    const std::string words = text.toStdString();
    if (const auto asked = m_foundation->conditioned.find(words);
        asked != m_foundation->conditioned.end() && asked->second.scores.allFinite())
        return;
    withModel([this, words] {
        const FoundationPtr base = m_foundation;
        const auto merge = [this, words](const constitution::Judged& judged) {
            auto extended = std::make_shared<session::Foundation>(*m_foundation);
            extended->conditioned[words] = judged;
            m_foundation = extended;
            recompute();
        };
        m_modelLane.run<constitution::Judged>(
            askKind,
            [this, model = m_model, base, words, merge](const Work& work) -> Result<constitution::Judged> {
                const constitution::ConditionedCloze way(base->study, *model);
                constitution::Principle principle = constitution::neutralPrinciple();
                principle.text = words;
                principle.name = words.substr(0, 40);
                return way.judge(principle, work, [this, base, merge](const constitution::Judged& partial) {
                    QMetaObject::invokeMethod(this, [this, base, merge, partial] {
                        if (m_foundation && m_foundation->study == base->study)
                            merge(partial);
                    });
                });
            },
            [this, base, merge](Result<constitution::Judged> judged) {
                if (!judged)
                    return report(judged.error());
                if (m_foundation && m_foundation->study == base->study)
                    merge(*judged);
            });
    });
}

void Session::tryIt(const QString& prompt, const QString& first, const QString& second)
{
    if (!m_snapshot)
        return;
    withModel([this, prompt = prompt.toStdString(),
               replies = std::array{ first.toStdString(), second.toStdString() }] {
        m_modelLane.run<Trial>(
            tryKind,
            [model = m_model, snapshot = m_snapshot, prompt, replies](const Work& work) -> Result<Trial> {
                const auto start = std::chrono::steady_clock::now();
                if (model->sha256() != snapshot->foundation->study->model().sha256)
                    return badInput("the model that read this study", model->config().name);
                std::vector<model::Request> requests;
                const auto opening = model->tokenizer().encode(
                    model->chatTemplate().prompt({ { "user", prompt } }), text::Special::Parse);
                for (const std::string& reply : replies) {
                    model::Request request;
                    request.tokens = opening;
                    const auto own = model->tokenizer().encode(reply, text::Special::Plain);
                    if (own.empty())
                        return badInput("two replies", "an empty one");
                    request.tokens.insert(request.tokens.end(), own.begin(), own.end());
                    request.pooled
                        = { static_cast<int>(opening.size()), static_cast<int>(request.tokens.size()) };
                    request.last = true;
                    requests.push_back(std::move(request));
                }
                const Layer layer = snapshot->inputs.layer;
                LODESTONE_TRY(const auto readings, model->read(requests, std::span(&layer, 1), work));
                Trial trial;
                std::array<Eigen::VectorXd, 2> states;
                for (std::size_t i = 0; i < 2; ++i)
                    states[i] = (snapshot->inputs.position == data::Position::Mean ? readings[i].mean
                                                                                   : readings[i].last)
                                    .row(0)
                                    .cast<double>()
                                    .transpose();
                const auto add = [&](const QString& name, const session::Direction& direction) {
                    if (!direction.found())
                        return;
                    trial.names << name;
                    trial.scores.push_back(
                        { direction.readOut.weights.dot(states[0]) + direction.readOut.offset,
                          direction.readOut.weights.dot(states[1]) + direction.readOut.offset });
                };
                double margin = 0;
                for (std::size_t i = 0; i < snapshot->judge->active.size(); ++i) {
                    const auto index = static_cast<std::size_t>(snapshot->judge->active[i]);
                    const session::Direction& direction = snapshot->principles[index]->direction;
                    margin += snapshot->judge->coefficients[static_cast<Eigen::Index>(i)]
                        * direction.readOut.weights.dot(states[0] - states[1]);
                    add(QString::fromStdString(snapshot->inputs.constitution.principles[index].name),
                        direction);
                }
                add(QStringLiteral("people w*"), snapshot->layer->people);
                add(QStringLiteral("generation"), snapshot->layer->generation);
                trial.p = judgment::preference(margin, 0, snapshot->inputs.tau);
                trial.seconds
                    = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
                return trial;
            },
            [this](Result<Trial> trial) {
                if (!trial)
                    return report(trial.error());
                Q_EMIT trialReady(*trial);
            });
    });
}

Result<void> Session::saveConstitution(const std::filesystem::path& path) const
{
    return constitution::writeConstitution(path, m_inputs.constitution);
}

void Session::loadConstitution(const std::filesystem::path& path)
{
    auto loaded = constitution::readConstitution(path);
    if (!loaded)
        return report(loaded.error());
    session::Inputs next = m_inputs;
    next.constitution = std::move(*loaded);
    edit(tr("Open constitution “%1”").arg(textOf(next.constitution.name)), next);
    lookUpWords();
}

} // namespace lodestone::ui
