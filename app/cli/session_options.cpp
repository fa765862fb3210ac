#include "app/cli/session_options.h"

#include "app/cli/study_access.h"

#include "core/model/context_store.h"
#include "core/session/layer_sweep.h"

#include <cmath>

namespace lodestone::app {

Json number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }
Json intervalJson(const geometry::Interval& interval)
{
    return Json::array({ number(interval.low), number(interval.high) });
}

void SessionOptions::addTo(CLI::App& app, bool needsConstitution)
{
    app.add_option("--study", study, "A study folder, or sample / requests")->required();
    auto* option = app.add_option(
        "--constitution", constitution,
        needsConstitution ? "A constitution file"
                          : "A constitution file (none: one principle per value of the study)");
    option->required(needsConstitution);
    app.add_option("--mapping", mapping, "weighted or projection (default: the constitution's)")
        ->check(CLI::IsMember({ "weighted", "projection" }));
    app.add_option(
        "--layer", layer,
        "A block's number or embedding (default: the best for people's labels inside training)");
    app.add_option("--position", position, "mean or last")->capture_default_str();
    app.add_option("--tau", tau, "The judge's temperature")
        ->capture_default_str()
        ->check(CLI::PositiveNumber);
}

Result<OpenSession> openSession(const SessionOptions& options, const CommandContext& context)
{
    OpenSession result;
    LODESTONE_TRY(const auto study, openStudy(options.study));
    LODESTONE_TRY(result.foundation, session::Foundation::open(study));
    std::optional<Layer> layer;
    if (!options.layer.empty() && options.layer != "all") {
        LODESTONE_TRY(layer, Layer::parse(options.layer));
    }
    LODESTONE_TRY(const data::Position position, data::parsePosition(options.position));
    if (!layer)
        layer = session::preferredLayer(*result.foundation, position, context.work());
    result.inputs = session::defaultInputs(*result.foundation, layer);
    result.inputs.position = session::availablePosition(*study, position);
    if (!options.constitution.empty()) {
        LODESTONE_TRY(result.inputs.constitution, constitution::readConstitution(options.constitution));
    }
    if (!options.mapping.empty()) {
        LODESTONE_TRY(result.inputs.constitution.mapping, constitution::parseMapping(options.mapping));
    }
    result.inputs.tau = options.tau;
    result.inputs.seed = context.seed;
    // Words outside the study's table: from the model, when it is there.
    if (result.foundation->cloze) {
        bool missing = false;
        for (const constitution::Principle& principle : result.inputs.constitution.principles)
            missing = missing
                || (principle.way != "conditioned-cloze"
                    && !result.foundation->cloze->wordsToAsk(principle).empty());
        if (const auto path = context.resolveModel(); missing && path) {
            LODESTONE_TRY(const auto model, context.loadModel());
            if (model->sha256() == study->model().sha256) {
                auto extended = std::make_shared<session::Foundation>(*result.foundation);
                LODESTONE_TRY(
                    extended->cloze,
                    result.foundation->cloze->withAllWords(
                        *model, *study, result.inputs.constitution.principles, context.work()));
                result.foundation = extended;
            }
        }
    }
    // Ways that ask the model are asked once; what they answer is kept in the user's cache.
    std::unique_ptr<model::LanguageModel> model;
    const auto contexts = std::make_shared<model::ContextStore>(); // the replies are read once for all
    for (const constitution::Principle& principle : result.inputs.constitution.principles)
        if (principle.on
            && !constitution::isAnswered(
                principle.way, std::span(&principle, 1), result.foundation->wayContext())) {
            if (!model) {
                LODESTONE_TRY(model, context.loadModel());
            }
            constitution::WayContext asking = result.foundation->wayContext(model.get());
            asking.contexts = contexts;
            LODESTONE_TRY(const auto way, constitution::makeWay(principle.way, asking));
            LODESTONE_TRY(const auto asked, way->judge(principle, context.work()));
        }
    if (model)
        if (const auto kept = result.foundation->answers->save(constitution::cachedAnswers(*study)); !kept)
            context.say("The answers could not be kept: " + kept.error().message());
    result.pipeline = std::make_shared<session::Pipeline>(result.foundation);
    return result;
}

Result<std::shared_ptr<const session::Snapshot>>
snapshotOf(const OpenSession& session, const CommandContext& context, bool needsJudge)
{
    LODESTONE_TRY(const auto snapshot, session.pipeline->recompute(session.inputs, nullptr, context.work()));
    for (std::size_t i = 0; i < snapshot->principles.size(); ++i)
        if (!snapshot->principles[i]->problem.empty())
            context.say(
                snapshot->inputs.constitution.principles[i].name + ": " + snapshot->principles[i]->problem);
    if (needsJudge && !snapshot->judge->problem.empty())
        return badInput(
            "a constitution with a direction in this model", snapshot->judge->problem,
            session.inputs.constitution.name);
    return snapshot;
}

} // namespace lodestone::app
