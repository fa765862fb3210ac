// Subcommands on a constitution's judgments and policy: judge, meters, simulate, export.
#include "app/cli/context.h"
#include "app/cli/export_report.h"
#include "app/cli/study_access.h"

#include "core/base/files.h"
#include "core/model/model_library.h"
#include "core/session/layer_sweep.h"
#include "core/session/pipeline.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace lodestone::app {
namespace {

Json number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }
Json intervalJson(const geometry::Interval& interval)
{
    return Json::array({ number(interval.low), number(interval.high) });
}

/// The options that judge, meters, simulate and export share.
struct SessionOptions {
    std::string study, constitution, mapping, layer, position = "mean";
    double tau = 1;

    void addTo(CLI::App& app, bool needsConstitution)
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
};

struct OpenSession {
    std::shared_ptr<const session::Foundation> foundation;
    std::shared_ptr<session::Pipeline> pipeline;
    session::Inputs inputs;
};

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
    if (!layer) { // chosen by cross-validation inside the training prompts, where all responses were captured
        session::SweepOptions sweep;
        sweep.position = session::availablePosition(*study, position);
        sweep.baselines = false;
        std::size_t most = 0;
        for (const Layer candidate : study->layers())
            most = std::max(most, study->rowsAt(candidate, sweep.position));
        for (const Layer candidate : study->layers())
            if (!candidate.isEmbedding() && study->rowsAt(candidate, sweep.position) == most)
                sweep.layers.push_back(candidate);
        if (auto scored = session::sweepLayers(*result.foundation, {}, sweep, context.work()))
            layer = scored->rows[static_cast<std::size_t>(scored->best)].layer;
    }
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
    for (const constitution::Principle& principle : result.inputs.constitution.principles)
        if (principle.on
            && principle.way
                == "conditioned-cloze") { // judged by its text: the model reads every reply again
            LODESTONE_TRY(const auto model, context.loadModel());
            const constitution::ConditionedCloze way(study, *model);
            auto extended = std::make_shared<session::Foundation>(*result.foundation);
            LODESTONE_TRY(extended->conditioned[principle.text], way.judge(principle, context.work()));
            result.foundation = extended;
        }
    result.pipeline = std::make_shared<session::Pipeline>(result.foundation);
    return result;
}

/// Error without a judge direction, unless the command can do without.
Result<std::shared_ptr<const session::Snapshot>>
snapshotOf(const OpenSession& session, const CommandContext& context, bool needsJudge = true)
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

void addJudgeCommand(CLI::App& app)
{
    auto options = std::make_shared<SessionOptions>();
    CLI::App* sub = addCommand(
        app, "judge", "The constitution's judgment of every pair",
        [options](CommandContext& context) -> Result<void> {
            LODESTONE_TRY(const OpenSession session, openSession(*options, context));
            LODESTONE_TRY(const auto snapshot, snapshotOf(session, context));
            const data::ResponseSet& set = session.foundation->study->set();
            Json pairs = Json::array();
            std::string table;
            for (const judgment::PairJudgment& judged : snapshot->judge->pairs) {
                const data::Pair& pair = set.pairs[static_cast<std::size_t>(judged.pair)];
                pairs.push_back({ { "id", pair.id },
                                  { "p", judged.p },
                                  { "label", "chosen" },
                                  { "held_out", judged.heldOut },
                                  { "interval", intervalJson(judged.interval) } });
                table += fmt::format(
                    "{:<20} {:>5.0f} %  {}{}\n", pair.id, 100 * judged.p,
                    judged.agrees() ? "agrees" : "disagrees", judged.heldOut ? "" : "  (training prompt)");
            }
            const geometry::Estimate& agreement = snapshot->judge->agreement;
            table += fmt::format(
                "agreement with people on held-out pairs: {} ({}), {}\n", percent(agreement.value),
                percentInterval(agreement.interval.low, agreement.interval.high),
                session.inputs.layer.label());
            context.print(
                { { "pairs", pairs },
                  { "agreement", number(agreement.value) },
                  { "agreement_ci", intervalJson(agreement.interval) },
                  { "flipped_by_order", nullptr },
                  { "layer", layerJson(session.inputs.layer) },
                  { "mapping", constitution::mappingName(session.inputs.constitution.mapping) },
                  { "fingerprint", snapshot->fingerprint().hex() } },
                table);
            return {};
        });
    options->addTo(*sub, true);
}

void addMetersCommand(CLI::App& app)
{
    auto options = std::make_shared<SessionOptions>();
    CLI::App* sub = addCommand(
        app, "meters",
        "Encoding quality, generation-judgment gap, efficiency, ceiling and condition, each with its "
        "interval",
        [options](CommandContext& context) -> Result<void> {
            LODESTONE_TRY(const OpenSession session, openSession(*options, context));
            LODESTONE_TRY(auto snapshot, snapshotOf(session, context));
            LODESTONE_TRY(snapshot, session.pipeline->refine(snapshot, context.work()));
            const session::MeterStage& meters = *snapshot->meters;
            Json document = Json::object();
            std::string table = fmt::format(
                "{}, {} held-out items\n", session.inputs.layer.label(),
                snapshot->layer->examples.heldOut.size());
            const auto add
                = [&](const char* name, const geometry::Estimate& estimate, const char* explanation) {
                      document[name] = number(estimate.value);
                      document[std::string(name) + "_ci"] = intervalJson(estimate.interval);
                      table += fmt::format(
                          "{:<28} {:>6} {:>16}  {}\n", name,
                          std::isfinite(estimate.value) ? fmt::format("{:.2f}", estimate.value) : "-",
                          estimate.interval.isKnown()
                              ? fmt::format("{:.2f} to {:.2f}", estimate.interval.low, estimate.interval.high)
                              : "",
                          explanation);
                  };
            add("encoding_quality", meters.encodingQuality,
                "sin^2(pi(a - 1/2)), a: held-out accuracy of people's direction; implied by these pairs");
            add("judge_accuracy", meters.judgeAccuracy,
                "held-out pairs that the constitution's direction judges as people did");
            add("generation_accuracy", meters.generationAccuracy,
                "held-out pairs by log p(y|x) - log p(y), length-controlled: a proxy of what the model "
                "prefers to write");
            add("generation_judgment_gap", meters.gap, "judge minus generation accuracy, on the same pairs");
            add("log_likelihood_accuracy", meters.likelihoodTotal,
                "held-out pairs whose chosen reply is likelier, log p(y|x)");
            add("log_likelihood_per_token_accuracy", meters.likelihoodPerToken, "the same, per token");
            add("length_matched_judge_accuracy", meters.matchedJudge,
                "judge accuracy on pairs whose lengths differ by at most a tenth");
            add("length_matched_gap", meters.matchedGap, "judge minus generation accuracy on those pairs");
            add("efficiency", meters.efficiency, "cos_S(w*, w_c)");
            add("cos_true_generation", meters.cosTrueGeneration, "cos_S(w*, w_gen)");
            add("cos_judge_generation", meters.cosJudgeGeneration, "cos_S(w_c, w_gen)");
            add("share_of_ceiling", meters.shareOfCeiling,
                "sin(pi(a_c - 1/2)) over the same of people's direction");
            add("ceiling", meters.ceiling,
                "largest value gain in standard deviations at the KL below, linear-Gaussian model (T11)");
            document["efficiency_noise_ceiling"] = number(meters.efficiencyNoiseCeiling);
            document["efficiency_noise_ceiling_ci"] = Json::array({ nullptr, nullptr });
            document["self_improvement_probability"] = number(meters.selfImprovementProbability);
            document["self_improvement_probability_ci"] = Json::array({ nullptr, nullptr });
            document["generation_accuracy_length_matched"] = number(meters.lengthMatchedGenerationAccuracy);
            document["length_matched_pairs"] = meters.matchedPairs;
            document["judges_better_than_writes"] = meters.judgesBetterThanWrites();
            document["ceiling_kl"] = meters.ceilingKl;
            document["n_held_out"] = snapshot->layer->examples.heldOut.size();
            document["layer"] = layerJson(session.inputs.layer);
            document["fingerprint"] = snapshot->fingerprint().hex();
            const auto plain = [](double value) {
                return std::isfinite(value) ? fmt::format("{:.2f}", value) : std::string("-");
            };
            table += fmt::format(
                "{:<28} {:>6}                   the largest cosine to expect with so few pairs\n",
                "efficiency_noise_ceiling", plain(meters.efficiencyNoiseCeiling));
            table += fmt::format(
                "{:<28} {:>6}                   share of resamples in which Cov(V, r) > 0\n",
                "self_improvement_probability", plain(meters.selfImprovementProbability));
            table += fmt::format(
                "{:<28} {:>6}                   nats\n", "ceiling_kl", plain(meters.ceilingKl));
            context.print(document, table);
            return {};
        });
    options->addTo(*sub, true);
}

void addSimulateCommand(CLI::App& app)
{
    struct Options : SessionOptions {
        double beta = 1, kl = -1;
        std::string reward = "constitution", rule = "optimum";
    };
    auto options = std::make_shared<Options>();
    CLI::App* sub = addCommand(
        app, "simulate", "The KL-regularised policy update on the study's candidates",
        [options](CommandContext& context) -> Result<void> {
            LODESTONE_TRY(OpenSession session, openSession(*options, context));
            session.inputs.beta = options->beta;
            const bool byLabels = options->reward == "labels";
            LODESTONE_TRY(auto snapshot, snapshotOf(session, context, !byLabels));
            const session::LayerStage& layer = *snapshot->layer;
            if (layer.pool.prompts.empty())
                return badInput(
                    "held-out prompts with at least two candidates", "none at " + layer.layer.label(),
                    options->study);
            if (!layer.people.found())
                return badInput("people's labels, to measure the value gained", "too few", options->study);
            const Eigen::VectorXd rewards = byLabels ? layer.people.scores : snapshot->judge->rewards;
            const double deviation = byLabels ? 1 : snapshot->judge->norm;
            double lambda = 1 / options->beta;
            if (options->kl >= 0) {
                if (options->rule == "gaussian")
                    lambda = std::sqrt(2 * options->kl) / deviation;
                else if (options->kl >= layer.pool.largestKl())
                    return fail(
                        ErrorKind::Usage,
                        fmt::format(
                            "a KL below {:.3f} nats, which these candidates cannot exceed",
                            layer.pool.largestKl()),
                        fmt::format("{}", options->kl), "--kl");
                else
                    lambda = policy::lambdaForKl(layer.pool, rewards, options->kl);
            }
            const policy::Tilt tilt = policy::tilt(layer.pool, rewards, layer.people.scores, lambda);
            const policy::TiltIntervals intervals
                = policy::intervals(layer.pool, rewards, layer.people.scores, lambda, context.seed);
            const double cosine = byLabels ? 1 : snapshot->judge->cosTrue;
            const double gaussianKl = lambda * lambda * deviation * deviation / 2;
            const bool gaussian = options->rule == "gaussian";
            Json risen = Json::array(), fallen = Json::array();
            const policy::Movers movers = policy::movers(layer.pool, tilt, 5);
            std::string table;
            for (const auto& [list, json, sign] :
                 { std::tuple(&movers.risen, &risen, "rose"), std::tuple(&movers.fallen, &fallen, "fell") })
                for (const policy::Change& change : *list) {
                    const data::ResponseSet& set = session.foundation->study->set();
                    json->push_back({ { "id", set.responses[static_cast<std::size_t>(change.row)].id },
                                      { "log_ratio", change.logRatio },
                                      { "text", set.shownText(change.row) } });
                    table += fmt::format(
                        "{} {:+.2f}  {}\n", sign, change.logRatio, set.shownText(change.row).substr(0, 90));
                }
            Json document{
                { "reward", options->reward },
                { "rule", options->rule },
                { "lambda", lambda },
                { "kl", gaussian ? gaussianKl : tilt.kl },
                { "reward_gain", gaussian ? lambda * deviation * deviation : tilt.rewardGain },
                { "value_gain", gaussian ? lambda * deviation * cosine : tilt.valueGain },
                { "value_gain_ci", gaussian ? Json(nullptr) : intervalJson(intervals.valueGain.interval) },
                { "win_rate",
                  gaussian ? 0.5 * std::erfc(-cosine * std::sqrt(gaussianKl) / std::sqrt(2.0))
                           : tilt.winRate },
                { "win_rate_ci",
                  gaussian ? Json::array({ nullptr, nullptr }) : intervalJson(intervals.winRate.interval) },
                { "effective_sample_size", gaussian ? Json(nullptr) : number(tilt.effectiveSampleSize) },
                { "risen", risen },
                { "fallen", fallen },
                { "largest_kl", layer.pool.largestKl() },
                { "prompts", layer.pool.prompts.size() },
                { "candidates", layer.pool.candidates() },
                { "held_out", true },
                { "pool", layer.poolFromPairs ? "pairs" : "samples" },
                { "gaussian",
                  { { "kl", gaussianKl },
                    { "reward_gain", lambda * deviation * deviation },
                    { "value_gain", lambda * deviation * cosine } } },
                { "layer", layerJson(layer.layer) },
                { "fingerprint", snapshot->fingerprint().hex() }
            };
            table = fmt::format(
                        "{} on {} held-out prompts, {} {} ({}), {}\nlambda {:.3f}  KL {:.3f} nats (at most "
                        "{:.3f} here)\nreward gain {:.3f}   value gain {:.3f} ({:.2f} to {:.2f})   win rate "
                        "{} ({})\neffective candidates {:.1f}\nGaussian closed form at this lambda "
                        "(linear-Gaussian model): KL {:.3f}, reward gain {:.3f}, value gain {:.3f}\n",
                        options->rule, layer.pool.prompts.size(), layer.pool.candidates(),
                        layer.poolFromPairs ? "labelled replies, two a prompt: KL cannot exceed ln 2"
                                            : "sampled candidates",
                        options->reward, layer.layer.label(), lambda, tilt.kl, layer.pool.largestKl(),
                        tilt.rewardGain, tilt.valueGain, intervals.valueGain.interval.low,
                        intervals.valueGain.interval.high, percent(tilt.winRate),
                        percentInterval(intervals.winRate.interval.low, intervals.winRate.interval.high),
                        tilt.effectiveSampleSize, gaussianKl, lambda * deviation * deviation,
                        lambda * deviation * cosine)
                + table;
            context.print(document, table);
            return {};
        });
    options->addTo(*sub, false);
    auto* beta = sub->add_option("--beta", options->beta, "The KL penalty; lambda = 1/beta")
                     ->capture_default_str()
                     ->check(CLI::PositiveNumber);
    sub->add_option("--kl", options->kl, "Spend this KL (nats) instead")
        ->check(CLI::NonNegativeNumber)
        ->excludes(beta);
    sub->add_option("--reward", options->reward, "constitution or labels")
        ->capture_default_str()
        ->check(CLI::IsMember({ "constitution", "labels" }));
    sub->add_option("--rule", options->rule, "optimum (exact, on the candidates) or gaussian (closed form)")
        ->capture_default_str()
        ->check(CLI::IsMember({ "optimum", "gaussian" }));
}

void addExportCommand(CLI::App& app)
{
    struct Options : SessionOptions {
        std::string what, to;
        Keepsake keepsake;
    };
    auto options = std::make_shared<Options>();
    CLI::App* sub = addCommand(
        app, "export", "Files people keep: scores, the direction, a figure, pairs, a report",
        [options](CommandContext& context) -> Result<void> {
            LODESTONE_TRY(const OpenSession session, openSession(*options, context));
            LODESTONE_TRY(const auto snapshot, snapshotOf(session, context, options->what == "direction"));
            const session::LayerStage& layer = *snapshot->layer;
            if (Keepsake::knows(options->what)) {
                LODESTONE_CHECK(options->keepsake.write(
                    options->what, options->to, *session.pipeline, snapshot, context));
            } else if (options->what == "direction") {
                Eigen::VectorXf sum = Eigen::VectorXf::Zero(layer.rows.cols());
                for (std::size_t i = 0; i < snapshot->judge->active.size(); ++i)
                    sum += (snapshot->judge->coefficients[static_cast<Eigen::Index>(i)]
                            * snapshot->principles[static_cast<std::size_t>(snapshot->judge->active[i])]
                                  ->direction.displacement)
                               .cast<float>();
                LODESTONE_CHECK(formats::writeNpy(options->to, sum.transpose()));
            } else {
                const data::ResponseSet& set = session.foundation->study->set();
                std::string csv = "id,value,held_out,w_c,w_star,w_gen";
                for (const constitution::Principle& principle : session.inputs.constitution.principles)
                    csv += ",\"" + principle.id + "\"";
                csv += "\n";
                for (Eigen::Index i = 0; i < layer.rows.rows(); ++i) {
                    const data::Response& response = set.responses[static_cast<std::size_t>(i)];
                    const auto score = [&](const session::Direction& direction) {
                        return direction.found() ? fmt::format(",{}", direction.scores[i]) : std::string(",");
                    };
                    csv += fmt::format(
                               "\"{}\",\"{}\",{},{}", response.id, response.value,
                               session.foundation->training[static_cast<std::size_t>(i)] ? 0 : 1,
                               snapshot->judge->rewards[i])
                        + score(layer.people) + score(layer.generation);
                    for (const auto& principle : snapshot->principles)
                        csv += score(principle->direction);
                    csv += "\n";
                }
                LODESTONE_CHECK(writeFileAtomically(options->to, csv));
            }
            std::error_code error;
            const auto bytes = std::filesystem::file_size(options->to, error);
            context.print(
                { { "path", options->to },
                  { "bytes", bytes },
                  { "what", options->what },
                  { "layer", layerJson(layer.layer) },
                  { "fingerprint", snapshot->fingerprint().hex() } },
                fmt::format("{}: {} bytes\n", options->to, bytes));
            return {};
        });
    options->addTo(*sub, false);
    sub->add_option(
           "--what", options->what,
           "coordinates (CSV), direction (.npy, the displacement Sigma w_c), figure (PNG of the projection), "
           "selection (pairs as JSON Lines) or report (Markdown)")
        ->required()
        ->check(CLI::IsMember({ "coordinates", "direction", "figure", "selection", "report" }));
    sub->add_option("--to", options->to, "The file to write")->required();
    options->keepsake.addTo(*sub);
}

} // namespace

void addJudgmentCommands(CLI::App& app)
{
    addJudgeCommand(app);
    addMetersCommand(app);
    addSimulateCommand(app);
    addExportCommand(app);
}

} // namespace lodestone::app
