// The subcommand refusal: the refusal direction of a chat model with every score it was chosen by.
#include "app/cli/sweep_output.h"

#include "core/constitution/refusal.h"
#include "core/formats/npy.h"

#include <fmt/format.h>
#include <sstream>

namespace lodestone::app {
namespace {

struct RefusalCommandOptions {
    std::string harmful, harmless, words = "I", to;
    std::vector<int> layers, positions;
    int training = 128, validation = 32;
};

Json scoreJson(const geometry::RefusalScore& score)
{
    return { { "position", score.position },
             { "layer", layerJson(Layer::atRow(score.layer)) },
             { "their_layer", score.layer },
             { "refusal_score", jsonNumber(score.bypass) },
             { "steering_score", jsonNumber(score.induce) },
             { "kl", jsonNumber(score.kl) } };
}

Result<void> refusal(const RefusalCommandOptions& options, CommandContext& context)
{
    LODESTONE_TRY(const auto harmful, constitution::readInstructions(options.harmful));
    LODESTONE_TRY(const auto harmless, constitution::readInstructions(options.harmless));
    constitution::RefusalOptions ask;
    ask.training = options.training;
    ask.validation = options.validation;
    ask.layers = options.layers;
    ask.positions = options.positions;
    ask.seed = context.seed;
    ask.refusalWords.clear();
    std::istringstream words(options.words);
    for (std::string word; std::getline(words, word, ',');)
        ask.refusalWords.push_back(word);
    LODESTONE_TRY(const auto model, context.loadModel());
    LODESTONE_TRY(
        const auto found, constitution::findRefusal(*model, harmful, harmless, ask, context.work()));
    Json scores = Json::array();
    std::string table = fmt::format(
        "{} + {} training and {} + {} validation requests (harmful + harmless); a refusal begins with {}\n"
        "mean refusal score before any change: harmful {:.2f}, harmless {:.2f}\n{:>9}  "
        "{:<17}{:>8}{:>8}{:>8}\n",
        found.trainingHarmful, found.trainingHarmless, found.validationHarmful, found.validationHarmless,
        fmt::join(found.refusalTokens, ", "), found.baseHarmful, found.baseHarmless, "position", "layer",
        "bypass", "induce", "KL");
    for (std::size_t i = 0; i < found.scores.size(); ++i) {
        const geometry::RefusalScore& score = found.scores[i];
        scores.push_back(scoreJson(score));
        table += fmt::format(
            "{:>9}  {:<17}{:>8.2f}{:>8.2f}{:>8.3f}{}\n", score.position, Layer::atRow(score.layer).label(),
            score.bypass, score.induce, score.kl, static_cast<int>(i) == found.best ? "  <- selected" : "");
    }
    Json document{ { "position", nullptr },      { "layer", nullptr },          { "their_layer", nullptr },
                   { "refusal_score", nullptr }, { "steering_score", nullptr }, { "kl", nullptr } };
    if (found.best >= 0) {
        document = scoreJson(found.scores[static_cast<std::size_t>(found.best)]);
        document["norm"] = found.directions[static_cast<std::size_t>(found.best)].norm();
        if (!options.to.empty()) {
            const formats::RowMatrix row
                = found.directions[static_cast<std::size_t>(found.best)].transpose().cast<float>();
            LODESTONE_CHECK(formats::writeNpy(options.to, row));
        }
    } else {
        document["problem"] = found.whyNone;
        table += "none selected: " + found.whyNone + "\n";
    }
    document["base_harmful"] = jsonNumber(found.baseHarmful);
    document["base_harmless"] = jsonNumber(found.baseHarmless);
    document["refusal_tokens"] = found.refusalTokens;
    document["position_tokens"] = found.positionTokens;
    document["scores"] = std::move(scores);
    context.print(document, table);
    return {};
}

} // namespace

void addRefusalCommand(CLI::App& app)
{
    auto options = std::make_shared<RefusalCommandOptions>();
    CLI::App* sub = addCommand(
        app, "refusal",
        "The refusal direction (Arditi et al. 2024) with every score: bypass, induce and KL at each position "
        "and layer",
        [options](CommandContext& context) { return refusal(*options, context); });
    sub->add_option(
           "--harmful", options->harmful, "Requests to refuse: rows with instruction, prompt or text")
        ->required();
    sub->add_option("--harmless", options->harmless, "Requests to answer, likewise")->required();
    sub->add_option("--training", options->training, "Requests a side for the difference of means")
        ->capture_default_str()
        ->check(CLI::Range(1, 100000));
    sub->add_option("--validation", options->validation, "Requests a side for the scores")
        ->capture_default_str()
        ->check(CLI::Range(1, 100000));
    sub->add_option(
           "--layers", options->layers,
           "Layers as in the paper: 0 is the embedding, l the output of block l - 1 (default: all)")
        ->delimiter(',');
    sub->add_option(
           "--positions", options->positions,
           "Positions from the end, -1 the last (default: all after the instruction)")
        ->delimiter(',');
    sub->add_option("--refusal-words", options->words, "How a refusal begins: words, comma-separated")
        ->capture_default_str();
    sub->add_option("--to", options->to, "Save the selected direction (raw residual stream) as .npy");
}

} // namespace lodestone::app
