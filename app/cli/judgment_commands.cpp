// Subcommands on a constitution's judgments: meters; judge has a file of its own.
#include "app/cli/session_options.h"

#include <cmath>
#include <fmt/format.h>

namespace lodestone::app {
namespace {

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
            add("efficiency_noise_ceiling",
                { meters.efficiencyNoiseCeiling, meters.efficiencyNoiseCeilingInterval },
                "the largest cosine to expect with so few pairs; its spread over halvings");
            add("self_improvement_probability",
                { meters.selfImprovementProbability, meters.selfImprovementInterval },
                "share of resamples in which Cov(V, r) > 0; Wilson's interval of that share");
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
                "{:<28} {:>6}                   nats\n", "ceiling_kl", plain(meters.ceilingKl));
            context.print(document, table);
            return {};
        });
    options->addTo(*sub, true);
}

} // namespace

void addJudgmentCommands(CLI::App& app)
{
    addJudgeCommand(app);
    addMetersCommand(app);
    addSimulateCommand(app);
    addExportCommand(app);
    addReproduceCommand(app);
}

} // namespace lodestone::app
