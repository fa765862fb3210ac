// The subcommand info: what a file, a study or this machine is.
#include "app/cli/compare_constitutions.h"
#include "app/cli/file_info.h"
#include "app/cli/study_access.h"

#include "core/model/model_library.h"
#include "core/model/model_source.h"

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
    LODESTONE_TRY(const auto source, model::ModelSource::open(path));
    const model::ModelConfig* config = &source->config();
    const auto tokenizer = source->tokenizer();
    const auto form = text::ChatTemplate::recognise(source->chatTemplate());
    Json result{ { "kind", "model" }, { "path", path.string() }, { "format", source->format() } };
    result["name"] = config->name;
    result["architecture"] = config->architecture;
    result["layers"] = config->layers();
    result["blocks"] = config->blocks;
    result["width"] = config->width;
    result["heads"] = config->heads;
    result["kv_heads"] = config->kvHeads;
    result["vocabulary"] = config->vocabulary;
    result["quantisation"] = source->quantisation();
    result["tokenizer"]
        = tokenizer ? (*tokenizer)->description() : "unsupported: " + tokenizer.error().message();
    result["chat_template"] = form.name();
    if (!form.notice().empty())
        result["chat_notice"] = form.notice();
    result["context"] = config->context;
    result["license"] = config->license;
    result["bytes"] = source->bytes();
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

Result<Info> infoOfPath(const std::string& path)
{
    std::error_code error;
    const bool folder = std::filesystem::is_directory(path, error);
    if (folder && std::filesystem::exists(std::filesystem::path(path) / "config.json", error))
        return infoOfModel(path); // a model's weights are tensors too, but this says more
    if (isToldByItsContent(path)) {
        LODESTONE_TRY(PathInfo told, infoOfFile(path));
        return Info{ std::move(told.document), std::move(told.table) };
    }
    if (folder)
        return infoOfStudy(path);
    return infoOfModel(path);
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

} // namespace

void addInfoCommands(CLI::App& app)
{
    struct Options {
        std::vector<std::string> paths;
        std::string study, compare, layer;
        bool machine = false;
    };
    auto options = std::make_shared<Options>();
    CLI::App* sub = addCommand(
        app, "info", "What a model file, a study or this machine is",
        [options](CommandContext& context) -> Result<void> {
            if (!options->compare.empty()) {
                if (options->paths.size() != 1)
                    return fail(
                        ErrorKind::Usage, "one constitution file to compare with another",
                        fmt::format("{} paths", options->paths.size()), "--compare");
                return compareConstitutions(
                    options->paths.front(), options->compare, options->study, options->layer, context);
            }
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
        "paths", options->paths, "Models, studies, arrays, directions, tables (none: the default model)");
    sub->add_option("--study", options->study, "A study: a folder, or the shipped 'sample' and 'requests'");
    auto* compare = sub->add_option(
        "--compare", options->compare,
        "Another constitution: what differs from the one given as the path; with --study also what the "
        "difference "
        "does there");
    sub->add_option("--layer", options->layer, "With --compare and --study: a block's number or embedding")
        ->needs(compare);
    sub->add_flag("--machine", options->machine, "Measure this machine's matrix paths");
}

} // namespace lodestone::app
