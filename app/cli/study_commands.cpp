// Subcommands that make studies: capture, merge, import.
#include "app/cli/context.h"
#include "app/cli/study_access.h"

#include "core/data/capture.h"
#include "core/data/import_activations.h"
#include "core/data/merge_shards.h"

#include <algorithm>
#include <fmt/format.h>

namespace lodestone::app {
namespace {

Result<std::vector<Layer>> parseLayers(const std::string& list)
{
    std::vector<Layer> layers;
    if (list.empty() || list == "all")
        return layers;
    std::size_t at = 0;
    while (at <= list.size()) {
        const std::size_t end = std::min(list.find(',', at), list.size());
        LODESTONE_TRY(layers.emplace_back(), Layer::parse(list.substr(at, end - at)));
        at = end + 1;
    }
    return layers;
}

void addCaptureCommand(CLI::App& app)
{
    struct Options {
        std::string input, study, layers = "all", candidateLayers, positions = "mean,last", name, words,
                                  shard;
        data::ImportOptions import;
        double trainFraction = 0.6;
        std::size_t wordLimit = 3000;
        bool resume = false;
    };
    auto options = std::make_shared<Options>();
    CLI::App* sub = addCommand(
        app, "capture", "Read pairs, prompt groups or labelled texts with the model and write a study",
        [options](CommandContext& context) -> Result<void> {
            LODESTONE_TRY(data::Import import, data::importTable(options->input, options->import));
            for (const Error& problem : import.problems)
                context.say("skipped " + problem.message());
            data::CaptureOptions capture;
            LODESTONE_TRY(capture.layers, parseLayers(options->layers));
            LODESTONE_TRY(capture.candidateLayers, parseLayers(options->candidateLayers));
            capture.positions.clear();
            for (const auto& [name, position] :
                 { std::pair("mean", data::Position::Mean), std::pair("last", data::Position::Last) })
                if (("," + options->positions + ",").find("," + std::string(name) + ",") != std::string::npos)
                    capture.positions.push_back(position);
            for (std::size_t at = 0; at <= options->positions.size();) {
                const std::size_t end = std::min(options->positions.find(',', at), options->positions.size());
                LODESTONE_TRY(
                    [[maybe_unused]] const auto known,
                    data::parsePosition(options->positions.substr(at, end - at)));
                at = end + 1;
            }
            if (capture.positions.empty())
                return fail(
                    ErrorKind::Usage, "positions among mean and last", "'" + options->positions + "'",
                    "--positions");
            capture.name = options->name;
            capture.seed = context.seed;
            capture.split = { context.seed, options->trainFraction };
            capture.resume = options->resume;
            capture.wordLimit = options->wordLimit;
            if (!options->shard.empty()) {
                LODESTONE_TRY(capture.shard, data::parseShard(options->shard));
            }
            LODESTONE_TRY(capture.words, readWordList(options->words));
            LODESTONE_TRY(const auto model, context.loadModel());
            context.say("Matrix path: " + model->matrixPath());
            LODESTONE_TRY(
                const data::CaptureSummary summary,
                data::capture(*model, std::move(import.set), options->study, capture, context.work()));
            const double speed = summary.seconds > 0 ? summary.tokens / summary.seconds : 0;
            context.print(
                { { "study", options->study },
                  { "responses", summary.responses },
                  { "pairs", summary.pairs },
                  { "skipped", import.skipped },
                  { "tokens", summary.tokens },
                  { "seconds", summary.seconds },
                  { "tokens_per_second", speed },
                  { "matrix_path", model->matrixPath() } },
                fmt::format(
                    "{}: {} responses, {} pairs, {} rows skipped\n{:.0f} tokens in {:.1f} s, {:.0f} tokens/s "
                    "({})\n",
                    options->study, summary.responses, summary.pairs, import.skipped, summary.tokens,
                    summary.seconds, speed, model->matrixPath()));
            return {};
        });
    sub->add_option("--input", options->input, "JSON Lines, JSON or CSV, also gzipped")->required();
    sub->add_option("--study", options->study, "The folder to write")->required();
    sub->add_option("--limit", options->import.limit, "At most so many rows");
    sub->add_option("--layers", options->layers, "all, or a list such as embedding,12,13")
        ->capture_default_str();
    sub->add_option(
        "--candidate-layers", options->candidateLayers,
        "Layers for replies that stand in no pair (default: as --layers)");
    sub->add_option("--positions", options->positions, "mean, last or both")->capture_default_str();
    sub->add_option("--train-fraction", options->trainFraction, "Share of prompts for training")
        ->capture_default_str()
        ->check(CLI::Range(0.05, 0.95));
    sub->add_option("--name", options->name, "The study's name");
    sub->add_option(
        "--words", options->words,
        "A file of words, one a line, whose unembedding rows are kept (default: the shipped list)");
    sub->add_option("--word-limit", options->wordLimit, "How many words at the most")->capture_default_str();
    sub->add_option("--positive-label", options->import.positiveLabel, "Which label counts as positive");
    sub->add_flag(
        "--last-turn", options->import.lastTurnOnly, "Keep only the last user turn of each dialogue");
    sub->add_flag("--skip-bad", options->import.skipBad, "Skip and count bad rows");
    sub->add_option(
        "--shard", options->shard, "i/n: read the i-th of n shares of the batches; `merge` joins the shards");
    sub->add_flag("--resume", options->resume, "Go on with a capture that was interrupted");
}

void addMergeCommand(CLI::App& app)
{
    struct Options {
        std::vector<std::string> folders;
        std::string study;
    };
    auto options = std::make_shared<Options>();
    CLI::App* sub = addCommand(
        app, "merge", "Join the shards of a capture into one study, as one machine would have made it",
        [options](CommandContext& context) -> Result<void> {
            const std::vector<std::filesystem::path> folders(
                options->folders.begin(), options->folders.end());
            LODESTONE_TRY(const data::ShardSet shards, data::ShardSet::open(folders));
            LODESTONE_TRY(const auto model, context.loadModel());
            LODESTONE_TRY(
                const data::CaptureSummary summary,
                data::mergeShards(shards, *model, options->study, context.work()));
            context.print(
                { { "study", options->study },
                  { "responses", summary.responses },
                  { "pairs", summary.pairs },
                  { "shards", folders.size() },
                  { "seconds", summary.seconds } },
                fmt::format(
                    "{}: {} responses, {} pairs of {} shards\n", options->study, summary.responses,
                    summary.pairs, folders.size()));
            return {};
        });
    sub->add_option("folders", options->folders, "The folders of all shards, in any order")->required();
    sub->add_option("--study", options->study, "The folder to write")->required();
}

void addImportCommand(CLI::App& app)
{
    struct Options {
        std::string activations, table, study;
        double trainFraction = 0.6;
    };
    auto options = std::make_shared<Options>();
    CLI::App* sub = addCommand(
        app, "import",
        "Own activations [N, d] or [N, L, d] (.npy, .npz, .safetensors, .pt) beside a table of texts and "
        "labels, as a study",
        [options](CommandContext& context) -> Result<void> {
            LODESTONE_TRY(
                const data::ImportSummary summary,
                data::importActivations(
                    options->activations, options->table, options->study,
                    { context.seed, options->trainFraction }));
            context.print(
                { { "study", options->study },
                  { "responses", summary.responses },
                  { "pairs", summary.pairs },
                  { "layers", summary.layers } },
                fmt::format(
                    "{}: {} responses, {} pairs, {} layers\n", options->study, summary.responses,
                    summary.pairs, summary.layers));
            return {};
        });
    sub->add_option("--activations", options->activations, "The array; of a file with several FILE#NAME")
        ->required();
    sub->add_option("--table", options->table, "A .jsonl or .csv with one row per text")->required();
    sub->add_option("--study", options->study, "The folder to write")->required();
    sub->add_option("--train-fraction", options->trainFraction, "Share of texts for training")
        ->capture_default_str()
        ->check(CLI::Range(0.05, 0.95));
}

} // namespace

void addStudyCommands(CLI::App& app)
{
    addCaptureCommand(app);
    addMergeCommand(app);
    addImportCommand(app);
}

} // namespace lodestone::app
