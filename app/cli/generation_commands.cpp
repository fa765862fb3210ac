// Subcommands that let the model write: generate, candidates.
#include "app/cli/context.h"
#include "app/cli/text_input.h"

#include "core/base/files.h"
#include "core/formats/lines.h"
#include "core/model/generate.h"

#include <fmt/format.h>
#include <iostream>

namespace lodestone::app {
namespace {

/// "FILE:LAYER:COEFFICIENT", where the file is a .npy displacement of the model's width.
Result<model::Intervention> parseSteering(const std::string& text, int width)
{
    const std::size_t second = text.rfind(':');
    const std::size_t first
        = second == std::string::npos || second == 0 ? std::string::npos : text.rfind(':', second - 1);
    if (first == std::string::npos)
        return fail(ErrorKind::Usage, "FILE:LAYER:COEFFICIENT", "'" + text + "'", "--steer");
    model::Intervention change;
    LODESTONE_TRY(change.layer, Layer::parse(text.substr(first + 1, second - first - 1)));
    char* end = nullptr;
    change.coefficient = std::strtod(text.c_str() + second + 1, &end);
    if (end == text.c_str() + second + 1 || *end != '\0')
        return fail(
            ErrorKind::Usage, "a number as coefficient", "'" + text.substr(second + 1) + "'", "--steer");
    LODESTONE_TRY(const formats::NpyArray array, formats::NpyArray::open(text.substr(0, first)));
    const formats::RowMatrix values = array.toFloat();
    if (values.size() != width)
        return badInput(
            fmt::format("a direction of {} numbers", width), fmt::format("{}", values.size()),
            array.path().string());
    change.direction = Eigen::Map<const Eigen::VectorXf>(values.data(), values.size());
    return change;
}

void addGenerateCommand(CLI::App& app)
{
    struct Options {
        TextInput input;
        model::SamplingOptions sampling;
        std::vector<std::string> steer, ablate;
    };
    auto options = std::make_shared<Options>();
    CLI::App* sub = addCommand(
        app, "generate", "Let the model continue a text, optionally steered along a direction",
        [options](CommandContext& context) -> Result<void> {
            LODESTONE_TRY(const auto model, context.loadModel());
            LODESTONE_TRY(const std::string rendered, options->input.render(model->chatTemplate()));
            std::vector<model::Intervention> interventions;
            for (const std::string& text : options->steer) {
                LODESTONE_TRY(interventions.emplace_back(), parseSteering(text, model->config().width));
            }
            for (const std::string& file : options->ablate) {
                LODESTONE_TRY(
                    interventions.emplace_back(),
                    parseSteering(file + ":embedding:1", model->config().width));
                interventions.back().kind = model::Intervention::Kind::Ablate;
            }
            const auto ids = model->tokenizer().encode(rendered, text::Special::Parse);
            if (ids.empty())
                return fail(ErrorKind::Usage, "a text (--prompt or --chat)", "an empty one");
            options->sampling.seed = context.seed;
            const bool stream = !context.json;
            LODESTONE_TRY(
                const auto completions,
                model::generate(
                    *model, ids, 1, options->sampling,
                    context.json ? context.work() : Work{ context.work().stop, {} }, interventions,
                    [&](int, std::string_view piece) {
                        if (stream)
                            std::cout << piece << std::flush;
                    }));
            const model::Completion& completion = completions[0];
            context.print(
                { { "rendered", rendered },
                  { "ids", completion.ids },
                  { "text", completion.text },
                  { "finish_reason", completion.finishReason } },
                stream ? "\n" : "");
            return {};
        });
    options->input.addTo(*sub, "--prompt");
    sub->add_option("--max-tokens", options->sampling.maxTokens, "At most so many new tokens")
        ->capture_default_str()
        ->check(CLI::Range(1, 1 << 20));
    sub->add_option("--temperature", options->sampling.temperature, "0 is greedy")
        ->capture_default_str()
        ->check(CLI::NonNegativeNumber);
    sub->add_option("--top-k", options->sampling.topK, "Sample among the k likeliest tokens (0: all)")
        ->capture_default_str();
    sub->add_option("--top-p", options->sampling.topP, "Sample within this probability mass")
        ->capture_default_str();
    sub->add_option(
        "--steer", options->steer,
        "FILE:LAYER:COEFFICIENT adds COEFFICIENT times the direction in FILE (.npy) at LAYER's output");
    sub->add_option("--ablate", options->ablate, "FILE: remove this direction at every layer");
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

} // namespace

void addGenerationCommands(CLI::App& app)
{
    addGenerateCommand(app);
    addCandidatesCommand(app);
}

} // namespace lodestone::app
