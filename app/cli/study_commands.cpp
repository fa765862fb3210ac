// Subcommands about studies: info, capture, candidates, import.
#include "app/cli/context.h"
#include "app/cli/study_access.h"

#include "core/base/files.h"
#include "core/data/capture.h"
#include "core/data/import_activations.h"
#include "core/formats/lines.h"
#include "core/model/generate.h"
#include "core/model/model_config.h"
#include "core/model/model_library.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <thread>

namespace lodestone::app {
namespace {

/// What a path is: for scripts and for people.
struct Info {
    Json document;
    std::string table;
};

Result<Info> infoOfModel(const std::filesystem::path& path)
{
    LODESTONE_TRY(const formats::Gguf file, formats::Gguf::open(path));
    Json result{ { "kind", "model" }, { "path", path.string() }, { "format", "GGUF" } };
    if (const auto architecture = file.text("general.architecture");
        architecture && *architecture == "controlvector")
        result["kind"] = "control vector";
    const auto config = model::ModelConfig::fromGguf(file);
    if (!config)
        return tl::unexpected(config.error());
    const auto tokenizer = text::Tokenizer::fromGguf(file);
    const auto form = text::ChatTemplate::recognise(file.text("tokenizer.chat_template").value_or(""));
    result["name"] = config->name;
    result["architecture"] = config->architecture;
    result["layers"] = config->layers();
    result["blocks"] = config->blocks;
    result["width"] = config->width;
    result["heads"] = config->heads;
    result["kv_heads"] = config->kvHeads;
    result["vocabulary"] = config->vocabulary;
    result["quantisation"] = model::quantisationOf(file);
    result["tokenizer"]
        = tokenizer ? (*tokenizer)->description() : "unsupported: " + tokenizer.error().message();
    result["chat_template"] = form.name();
    result["context"] = config->context;
    result["license"] = config->license;
    result["bytes"] = file.fileSize();
    std::string table;
    for (const auto& [key, value] : result.items())
        table += fmt::format("{:<14} {}\n", key, value.is_string() ? value.get<std::string>() : value.dump());
    return Info{ std::move(result), std::move(table) };
}

Result<Info> infoOfStudy(const std::string& name)
{
    LODESTONE_TRY(const auto study, openStudy(name));
    const data::ResponseSet& set = study->set();
    Json layers = Json::array(), positions = Json::array(), values = Json::object(), longer = Json::object();
    for (const Layer layer : study->layers())
        layers.push_back(layerJson(layer));
    for (const data::Position position : study->positions())
        positions.push_back(data::positionName(position));
    std::map<std::string, std::pair<int, double>> byValue;
    for (const data::Pair& pair : set.pairs) {
        auto& [count, wins] = byValue
            [set.labelled()           ? set.positiveLabel
                 : pair.value.empty() ? "all"
                                      : pair.value];
        ++count;
        const auto chosen = set.shownText(pair.chosen).size(), rejected = set.shownText(pair.rejected).size();
        wins += chosen > rejected ? 1.0 : chosen == rejected ? 0.5 : 0.0;
    }
    for (const auto& [value, entry] : byValue) {
        values[value] = entry.first;
        longer[value] = entry.second / entry.first;
    }
    Json result{ { "kind", "study" },
                 { "name", study->name() },
                 { "responses", set.responses.size() },
                 { "prompts", set.prompts.size() },
                 { "pairs", set.pairs.size() },
                 { "layers", layers },
                 { "positions", positions },
                 { "values", values },
                 { "longer_wins", longer },
                 { "items", data::itemKindName(set.kind) },
                 { "model", study->model().name },
                 { "model_sha256", study->model().sha256 },
                 { "width", study->model().width },
                 { "words", study->words().size() },
                 { "fingerprint", study->fingerprint().hex() },
                 { "train_fraction", study->split().trainFraction } };
    if (study->incomplete())
        result["incomplete"] = *study->incomplete();
    std::string table = fmt::format(
        "{} ({})\n{} responses to {} prompts, {} pairs, by {}\n", study->name(), data::itemKindName(set.kind),
        set.responses.size(), set.prompts.size(), set.pairs.size(), study->model().name);
    if (study->incomplete())
        table += "incomplete: " + *study->incomplete() + "\n";
    if (!study->layers().empty())
        table += fmt::format(
            "layers: {} to {} ({} of them)\n", study->layers().front().label(),
            study->layers().back().label(), study->layers().size());
    for (const auto& [value, entry] : byValue)
        table += fmt::format(
            "{:<12} {:>4} pairs, the longer reply (in characters) is chosen in {}\n", value, entry.first,
            percent(entry.second / entry.first));
    return Info{ std::move(result), std::move(table) };
}

Result<Info> infoOfArray(const std::string& path)
{
    LODESTONE_TRY(const formats::NpyArray array, formats::NpyArray::open(path));
    return Info{ { { "kind", "array" },
                   { "path", path },
                   { "shape", array.shape() },
                   { "type", formats::npyTypeName(array.type()) } },
                 fmt::format(
                     "{}: array ({}) of {}\n", path, fmt::join(array.shape(), ", "),
                     formats::npyTypeName(array.type())) };
}

Result<Info> infoOfPath(const std::string& path)
{
    std::error_code error;
    if (std::filesystem::is_directory(path, error))
        return infoOfStudy(path);
    return std::filesystem::path(path).extension() == ".npy" ? infoOfArray(path) : infoOfModel(path);
}

Result<Info> infoOfMachine(const CommandContext& context)
{
    LODESTONE_TRY(const model::MatrixMeasurement measured, model::measureMatrixPaths(context.threads));
    Json speeds = Json::array();
    std::string table = fmt::format(
        "{} threads of {}\nlinear layers, GFLOP/s   oneDNN   BLAS\n", measured.threads,
        std::thread::hardware_concurrency());
    for (const model::MatrixSpeed& speed : measured.speeds) {
        speeds.push_back({ { "rows", speed.rows },
                           { "inner", speed.inner },
                           { "columns", speed.columns },
                           { "onednn", speed.oneDnn },
                           { "blas", speed.blas } });
        table += fmt::format(
            "{:>4} x {:>4} x {:>5} {:>14.0f} {:>6.0f}\n", speed.rows, speed.inner, speed.columns,
            speed.oneDnn, speed.blas);
    }
    table += "chosen: " + measured.chosen + "\n";
    return Info{ { { "kind", "machine" },
                   { "threads", measured.threads },
                   { "cores", std::thread::hardware_concurrency() },
                   { "matrix_path", measured.chosen },
                   { "speeds", speeds } },
                 std::move(table) };
}

void addInfoCommand(CLI::App& app)
{
    struct Options {
        std::vector<std::string> paths;
        std::string study;
        bool machine = false;
    };
    auto options = std::make_shared<Options>();
    CLI::App* sub = addCommand(
        app, "info", "What a model file, a study or this machine is",
        [options](CommandContext& context) -> Result<void> {
            std::vector<Info> items;
            if (options->machine) {
                LODESTONE_TRY(items.emplace_back(), infoOfMachine(context));
            } else if (!options->study.empty()) {
                LODESTONE_TRY(items.emplace_back(), infoOfStudy(options->study));
            } else if (options->paths.empty()) {
                LODESTONE_TRY(const auto path, context.resolveModel());
                LODESTONE_TRY(items.emplace_back(), infoOfModel(path));
            }
            for (const std::string& path : options->paths) {
                LODESTONE_TRY(items.emplace_back(), infoOfPath(path));
            }
            if (items.size() == 1) {
                context.print(items[0].document, items[0].table);
                return {};
            }
            Json documents = Json::array(); // of several paths one document all the same
            std::string table;
            for (Info& item : items) {
                documents.push_back(std::move(item.document));
                table += item.table + "\n";
            }
            context.print({ { "kind", "list" }, { "items", documents } }, table);
            return {};
        });
    sub->add_option(
        "paths", options->paths, "Model files, study folders or .npy arrays (none: the default model)");
    sub->add_option("--study", options->study, "A study: a folder, or the shipped 'sample' and 'requests'");
    sub->add_flag("--machine", options->machine, "Measure this machine's matrix paths");
}

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
        std::string input, study, layers = "all", candidateLayers, positions = "mean,last", name, words;
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
    sub->add_flag("--resume", options->resume, "Go on with a capture that was interrupted");
}

/// Up to the end of the last whole sentence; the whole text when there is none.
std::string wholeSentences(const std::string& text)
{
    const std::size_t end = text.find_last_of(".!?");
    return end == std::string::npos ? text : text.substr(0, end + 1);
}

void addCandidatesCommand(CLI::App& app)
{
    struct Options {
        std::string input, to;
        int count = 16;
        std::size_t prompts = 0;
        model::SamplingOptions sampling{ 96, 1.0, 0, 1.0, 0 };
        bool whole = false;
    };
    auto options = std::make_shared<Options>();
    CLI::App* sub = addCommand(
        app, "candidates",
        "Sample replies of the model to each prompt of a table, as prompt groups for capture",
        [options](CommandContext& context) -> Result<void> {
            LODESTONE_TRY(const formats::Table table, formats::readTable(options->input));
            LODESTONE_TRY(const auto model, context.loadModel());
            const Work work = context.work();
            std::string lines;
            std::size_t done = 0;
            for (const formats::TableRow& row : table.rows) {
                if (options->prompts > 0 && done >= options->prompts)
                    break;
                if (!row.value.contains("prompt") || !row.value["prompt"].is_string())
                    return badInput(
                        "a text 'prompt'", "none", fmt::format("{}, line {}", options->input, row.line));
                const std::string prompt = row.value["prompt"];
                model::SamplingOptions sampling = options->sampling;
                sampling.seed = context.seed * 1000003 + done;
                const auto ids = model->tokenizer().encode(
                    model->chatTemplate().prompt({ { "user", prompt } }), text::Special::Parse);
                LODESTONE_TRY(
                    const auto completions,
                    model::generate(*model, ids, options->count, sampling, { work.stop, {} }));
                Json group{ { "id", row.value.value("id", fmt::format("group-{}", done + 1)) + "-samples" } };
                if (row.value.contains("value"))
                    group["value"] = row.value["value"];
                group["prompt"] = prompt;
                group["responses"] = Json::array();
                for (const model::Completion& completion : completions) {
                    const std::string text = options->whole && completion.finishReason == "length"
                        ? wholeSentences(completion.text)
                        : completion.text;
                    if (text.find_first_not_of(" \t\r\n") != std::string::npos)
                        group["responses"].push_back(text);
                }
                lines += group.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
                ++done;
                work.tell({ "Sampling replies", static_cast<double>(done),
                            static_cast<double>(options->prompts > 0 ? options->prompts : table.rows.size()),
                            0, "prompts", -1 });
            }
            LODESTONE_CHECK(writeFileAtomically(options->to, lines));
            context.print(
                { { "path", options->to }, { "prompts", done }, { "count", options->count } },
                fmt::format("{}: {} prompts with {} replies each\n", options->to, done, options->count));
            return {};
        });
    sub->add_option("--input", options->input, "A table with a text 'prompt' in each row")->required();
    sub->add_option("--to", options->to, "The JSON Lines file to write")->required();
    sub->add_option("--count", options->count, "Replies for each prompt")
        ->capture_default_str()
        ->check(CLI::Range(1, 1024));
    sub->add_option("--prompts", options->prompts, "Only the first so many rows");
    sub->add_option("--max-tokens", options->sampling.maxTokens, "At most so many tokens a reply")
        ->capture_default_str()
        ->check(CLI::Range(1, 8192));
    sub->add_option("--temperature", options->sampling.temperature, "Of sampling")
        ->capture_default_str()
        ->check(CLI::NonNegativeNumber);
    sub->add_flag(
        "--whole-sentences", options->whole,
        "Cut a reply that reached the limit after its last whole sentence");
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
        "Own activations (.npy [N, d] or [N, L, d]) beside a table of texts and labels, as a study",
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
    sub->add_option("--activations", options->activations, "The array")->required();
    sub->add_option("--table", options->table, "A .jsonl or .csv with one row per text")->required();
    sub->add_option("--study", options->study, "The folder to write")->required();
    sub->add_option("--train-fraction", options->trainFraction, "Share of texts for training")
        ->capture_default_str()
        ->check(CLI::Range(0.05, 0.95));
}

} // namespace

void addStudyCommands(CLI::App& app)
{
    addInfoCommand(app);
    addCaptureCommand(app);
    addCandidatesCommand(app);
    addImportCommand(app);
}

} // namespace lodestone::app
