// Subcommands that let the model write: generate, candidates.
#include "app/cli/context.h"
#include "app/cli/study_access.h"
#include "app/cli/text_input.h"

#include "core/base/files.h"
#include "core/formats/direction_file.h"
#include "core/formats/lines.h"
#include "core/geometry/covariance.h"
#include "core/model/generate.h"
#include "core/model/steering.h"

#include <fmt/format.h>
#include <iostream>

namespace lodestone::app {
namespace {

/// A direction from a file, made into what one can move along.
struct SteeringDirection {
    Eigen::VectorXf values;
    std::string along; ///< in words
};

/// Sigma of the replies of a study at a layer, within prompts where a prompt has several.
Result<geometry::Covariance> covarianceOf(const data::Study& study, Layer layer)
{
    const data::Position position = study.positions().front();
    LODESTONE_TRY(const geometry::Rows rows, study.activations(layer, position));
    LODESTONE_TRY(const auto standardiser, geometry::Standardiser::fit(rows));
    std::vector<int> groups;
    for (Eigen::Index row = 0; row < rows.rows(); ++row)
        groups.push_back(study.set().responses[static_cast<std::size_t>(row)].prompt);
    if (auto within = geometry::Covariance::withinGroups(rows, groups, &standardiser))
        return within;
    return geometry::Covariance::fromRows(rows, &standardiser);
}

/// The direction to move along at `layer`. A read-out w is turned into its displacement Sigma w (T42), which
/// needs the activations of a study.
Result<SteeringDirection>
readSteering(const std::string& path, Layer layer, int width, const std::string& studyName)
{
    LODESTONE_TRY(const formats::DirectionFile file, formats::readDirectionFile(path));
    LODESTONE_TRY(const formats::FileDirection* direction, file.at(layer));
    if (direction->values.size() != width)
        return badInput(
            fmt::format("a direction of {} numbers", width), fmt::format("{}", direction->values.size()),
            path);
    if (direction->role != formats::DirectionRole::ReadOut)
        return SteeringDirection{ direction->values, "the direction as it stands" };
    if (studyName.empty())
        return fail(
            ErrorKind::Usage, "--study with the activations that turn a read-out w into the move Sigma w",
            "none", path);
    LODESTONE_TRY(const auto study, openStudy(studyName));
    LODESTONE_TRY(const geometry::Covariance sigma, covarianceOf(*study, layer));
    if (sigma.width() != width)
        return badInput(
            fmt::format("a study of width {}", width), fmt::format("{}", sigma.width()), studyName);
    const Eigen::VectorXd moved = sigma.steer(geometry::ReadOut{ direction->values.cast<double>(), 0 }).delta;
    return SteeringDirection{ moved.cast<float>(), "Sigma w of the read-out w, by the study " + studyName };
}

/// The direction to take out: a read-out as it is, since what it reads is to be nothing (T43).
Result<Eigen::VectorXf> readAblation(const std::string& path, int width)
{
    LODESTONE_TRY(const formats::DirectionFile file, formats::readDirectionFile(path));
    LODESTONE_TRY(const formats::FileDirection* direction, file.only());
    if (direction->values.size() != width)
        return badInput(
            fmt::format("a direction of {} numbers", width), fmt::format("{}", direction->values.size()),
            path);
    return direction->values;
}

/// The options of sampling that generate and candidates share.
void addSamplingOptions(CLI::App& sub, model::SamplingOptions& sampling)
{
    sub.add_option("--max-tokens", sampling.maxTokens, "At most so many new tokens")
        ->capture_default_str()
        ->check(CLI::Range(1, 1 << 20));
    sub.add_option("--temperature", sampling.temperature, "0 is greedy")
        ->capture_default_str()
        ->check(CLI::NonNegativeNumber);
    sub.add_option("--top-k", sampling.topK, "Sample among the k likeliest tokens (0: all)")
        ->capture_default_str();
    sub.add_option("--top-p", sampling.topP, "Sample within this probability mass")->capture_default_str();
    sub.add_option(
           "--min-p", sampling.minP, "Sample among tokens at least this share as likely as the likeliest")
        ->capture_default_str();
    sub.add_option(
           "--repetition-penalty", sampling.repetitionPenalty,
           "Above 1: a token that stands in the text already becomes less likely")
        ->capture_default_str();
    sub.add_option("--stop", sampling.stop, "End before this text; may be repeated")->allow_extra_args(false);
}

/// One --steer: "FILE:LAYER:COEFFICIENT".
struct Steering {
    std::string file;
    Layer layer;
    double coefficient = 0;
};

Result<Steering> parseSteering(const std::string& text)
{
    const std::size_t second = text.rfind(':');
    const std::size_t first
        = second == std::string::npos || second == 0 ? std::string::npos : text.rfind(':', second - 1);
    if (first == std::string::npos)
        return fail(ErrorKind::Usage, "FILE:LAYER:COEFFICIENT", "'" + text + "'", "--steer");
    Steering result;
    result.file = text.substr(0, first);
    LODESTONE_TRY(result.layer, Layer::parse(text.substr(first + 1, second - first - 1)));
    char* end = nullptr;
    result.coefficient = std::strtod(text.c_str() + second + 1, &end);
    if (end == text.c_str() + second + 1 || *end != '\0')
        return fail(
            ErrorKind::Usage, "a number as coefficient", "'" + text.substr(second + 1) + "'", "--steer");
    return result;
}

void addGenerateCommand(CLI::App& app)
{
    struct Options {
        TextInput input;
        model::SamplingOptions sampling;
        std::vector<std::string> steer, ablate;
        std::string study;
    };
    auto options = std::make_shared<Options>();
    CLI::App* sub = addCommand(
        app, "generate", "Let the model continue a text, optionally steered along a direction",
        [options](CommandContext& context) -> Result<void> {
            LODESTONE_TRY(const auto model, context.loadModel());
            std::string notice;
            LODESTONE_TRY(const std::string rendered, options->input.render(model->chatTemplate(), notice));
            if (!notice.empty())
                context.say(notice);
            std::vector<model::Intervention> interventions;
            Json applied = Json::array();
            for (const std::string& text : options->steer) {
                LODESTONE_TRY(const Steering steering, parseSteering(text));
                LODESTONE_TRY(
                    SteeringDirection direction,
                    readSteering(steering.file, steering.layer, model->config().width, options->study));
                context.say(fmt::format(
                    "{} at {}, {:+g} times: {}", steering.file, steering.layer.label(), steering.coefficient,
                    direction.along));
                applied.push_back({ { "file", steering.file },
                                    { "layer", layerJson(steering.layer) },
                                    { "coefficient", steering.coefficient },
                                    { "along", direction.along } });
                interventions.push_back(
                    model::addition(steering.layer, steering.coefficient, std::move(direction.values)));
            }
            for (const std::string& file : options->ablate) {
                LODESTONE_TRY(Eigen::VectorXf direction, readAblation(file, model->config().width));
                interventions.push_back(model::ablation(std::move(direction)));
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
                  { "finish_reason", completion.finishReason },
                  { "steering", applied },
                  { "ablated", options->ablate } },
                stream ? "\n" : "");
            return {};
        });
    options->input.addTo(*sub, "--prompt");
    addSamplingOptions(*sub, options->sampling);
    sub->add_option(
        "--steer", options->steer,
        "FILE:LAYER:COEFFICIENT adds COEFFICIENT times the direction in FILE (.npy, .npz, .safetensors, .pt, "
        "control vector) at LAYER's output; "
        "may "
        "be repeated");
    sub->add_option(
        "--study", options->study, "A study whose activations turn a read-out w into the move Sigma w");
    sub->add_option(
        "--ablate", options->ablate,
        "FILE: take this direction out of everything that is written into the stream; may be repeated");
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
        model::SamplingOptions sampling;
        bool whole = false;
    };
    auto options = std::make_shared<Options>();
    options->sampling.maxTokens = 96;
    options->sampling.temperature = 1;
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
    addSamplingOptions(*sub, options->sampling);
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
