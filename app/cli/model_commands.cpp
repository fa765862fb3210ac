// Subcommands about models: model, tokenize, detokenize, logits, verify.
#include "app/cli/context.h"
#include "app/cli/text_input.h"

#include "core/base/files.h"
#include "core/formats/lines.h"
#include "core/model/generate.h"
#include "core/model/model_fetch.h"
#include "core/model/model_source.h"
#include "core/model/verify.h"
#include "core/model/verify_weights.h"
#include "core/text/tokenizer_files.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <iostream>
#include <iterator>
#include <memory>
#include <numeric>

namespace lodestone::app {
namespace {

/// The tokenizer alone, without the engine.
Result<std::shared_ptr<const text::Tokenizer>> openTokenizer(const CommandContext& context)
{
    LODESTONE_TRY(const auto path, context.resolveModel());
    return model::openTokenizer(path);
}

/// Ids with what they write, one a line; special tokens are marked.
std::string tableOfTokens(const text::Tokenizer& tokenizer, const std::vector<text::TokenId>& ids)
{
    std::string table;
    for (const text::TokenId id : ids)
        table += fmt::format(
            "{:>8} {} {}\n", id, tokenizer.isSpecial(id) ? "special" : "       ",
            Json(std::string(tokenizer.piece(id))).dump(-1, ' ', false, Json::error_handler_t::replace));
    return table;
}

void addModelCommand(CLI::App& app)
{
    struct Options {
        std::string name;
        bool list = false, accept = false;
    };
    auto options = std::make_shared<Options>();
    CLI::App* sub = addCommand(
        app, "model", "Fetch a language model (none named: the default), or list the cached ones",
        [options](CommandContext& context) -> Result<void> {
            if (options->list) {
                Json list = Json::array();
                std::string table;
                LODESTONE_TRY(const auto models, model::listCachedModels());
                for (const model::FetchedModel& cached : models) {
                    list.push_back({ { "path", cached.path.string() },
                                     { "sha256", cached.sha256 },
                                     { "bytes", cached.bytes },
                                     { "license", cached.license } });
                    table += fmt::format(
                        "{}  {} bytes  {}\n", cached.path.string(), cached.bytes, cached.license);
                }
                context.print(
                    { { "models", list } },
                    table.empty() ? "No model is cached; `app/run model` fetches the default one.\n" : table);
                return {};
            }
            if (!options->accept && model::hasTerms(options->name)) {
                LODESTONE_TRY(const std::string terms, model::modelTerms(options->name, context.work()));
                (context.json ? std::cerr : std::cout) << terms << std::flush;
            }
            LODESTONE_TRY(
                const model::FetchedModel fetched,
                model::fetchModel(
                    options->name, context.work(),
                    options->accept ? model::Terms::Accepted : model::Terms::NotAccepted));
            context.print(
                { { "path", fetched.path.string() },
                  { "sha256", fetched.sha256 },
                  { "bytes", fetched.bytes },
                  { "license", fetched.license } },
                fmt::format(
                    "{}\n{} bytes, SHA-256 {}, licence {}\n", fetched.path.string(), fetched.bytes,
                    fetched.sha256, fetched.license));
            return {};
        });
    sub->add_option("name", options->name, "The model's name");
    sub->add_flag("--list", options->list, "List the models in the cache");
    sub->add_flag("--accept-terms", options->accept, "Accept the terms of a model that has some");
}

void addTokenizeCommands(CLI::App& app)
{
    struct Options {
        TextInput input;
        bool plain = false;
    };
    auto options = std::make_shared<Options>();
    CLI::App* tokenize = addCommand(
        app, "tokenize", "Token ids of the text on standard input, byte for byte, or of a conversation",
        [options](CommandContext& context) -> Result<void> {
            LODESTONE_TRY(const auto tokenizer, openTokenizer(context));
            std::string text, notice;
            if (options->input.chatFile.empty())
                text.assign(std::istreambuf_iterator<char>(std::cin), {});
            else {
                LODESTONE_TRY(const auto path, context.resolveModel());
                LODESTONE_TRY(const std::string jinja, text::chatTemplateText(path));
                LODESTONE_TRY(
                    text, options->input.render(text::ChatTemplate::recognise(jinja, *tokenizer), notice));
            }
            if (!notice.empty())
                context.say(notice);
            const auto ids
                = tokenizer->encode(text, options->plain ? text::Special::Plain : text::Special::Parse);
            Json pieces = Json::array(), special = Json::array();
            for (const text::TokenId id : ids) {
                pieces.push_back(std::string(tokenizer->piece(id)));
                special.push_back(tokenizer->isSpecial(id));
            }
            context.print(
                { { "ids", ids }, { "pieces", pieces }, { "special", special }, { "rendered", text } },
                tableOfTokens(*tokenizer, ids));
            return {};
        });
    tokenize->add_flag(
        "--no-special", options->plain,
        "Add no BOS/EOS and read what looks like a special token as plain text");
    options->input.addTo(*tokenize, nullptr);

    auto ids = std::make_shared<std::vector<text::TokenId>>();
    CLI::App* detokenize = addCommand(
        app, "detokenize", "The text of token ids", [ids](CommandContext& context) -> Result<void> {
            LODESTONE_TRY(const auto tokenizer, openTokenizer(context));
            for (std::size_t i = 0; i < ids->size(); ++i)
                if (!tokenizer->contains((*ids)[i]))
                    return badInput(
                        fmt::format("an id from 0 to {}", tokenizer->size() - 1), std::to_string((*ids)[i]),
                        fmt::format("id {} of the call", i + 1));
            const std::string text = tokenizer->decode(*ids);
            context.print({ { "text", text } }, text);
            return {};
        });
    detokenize->add_option("ids", *ids, "Token ids")->required();
}

/// How well the model expects a text file, read as plain text.
Result<void>
printPerplexity(const CommandContext& context, model::LanguageModel& model, const std::string& path)
{
    LODESTONE_TRY(const std::string text, readFile(path, 1u << 28));
    std::vector<text::TokenId> ids = model.tokenizer().encode(text, text::Special::Plain);
    LODESTONE_TRY(const model::Expectation found, model::expectation(model, ids, 1, 0, context.work()));
    context.print(
        { { "path", path },
          { "tokens", ids.size() },
          { "scored", found.tokens },
          { "mean_nll", found.meanLoss },
          { "perplexity", found.perplexity },
          { "bits_per_byte",
            found.meanLoss * static_cast<double>(found.tokens) / std::log(2.0)
                / static_cast<double>(text.size()) } },
        fmt::format(
            "{}: perplexity {:.3f} ({:.4f} nats per token, {} tokens)\n", path, found.perplexity,
            found.meanLoss, found.tokens));
    return {};
}

void addLogitsCommand(CLI::App& app)
{
    struct Options {
        TextInput input;
        int top = 10;
        std::string perplexityOf;
    };
    auto options = std::make_shared<Options>();
    CLI::App* sub = addCommand(
        app, "logits", "Next-token log-probabilities, loss per token and residual norms of a text",
        [options](CommandContext& context) -> Result<void> {
            LODESTONE_TRY(const auto model, context.loadModel());
            if (!options->perplexityOf.empty())
                return printPerplexity(context, *model, options->perplexityOf);
            std::string notice;
            LODESTONE_TRY(const std::string rendered, options->input.render(model->chatTemplate(), notice));
            if (!notice.empty())
                context.say(notice);
            model::Request request;
            request.tokens = model->tokenizer().encode(rendered, text::Special::Parse);
            if (request.tokens.empty())
                return fail(ErrorKind::Usage, "a text (--text or --chat)", "an empty one");
            request.scored = { 1, static_cast<int>(request.tokens.size()) };
            request.last = request.logits = true;
            std::vector<Layer> layers;
            for (int row = 0; row < model->config().layers(); ++row)
                layers.push_back(Layer::atRow(row));
            LODESTONE_TRY(const auto readings, model->read(std::span(&request, 1), layers, context.work()));
            const model::Reading& reading = readings[0];
            std::vector<text::TokenId> order(static_cast<std::size_t>(reading.nextLogProbabilities.size()));
            std::iota(order.begin(), order.end(), 0);
            const auto shown
                = std::min<std::size_t>(order.size(), static_cast<std::size_t>(std::max(0, options->top)));
            std::partial_sort(
                order.begin(), order.begin() + static_cast<std::ptrdiff_t>(shown), order.end(),
                [&](text::TokenId a, text::TokenId b) {
                    return reading.nextLogProbabilities[a] > reading.nextLogProbabilities[b];
                });
            Json top = Json::array(), losses = Json::array(), norms = Json::array();
            std::string table = options->input.chatFile.empty()
                ? std::string()
                : tableOfTokens(model->tokenizer(), request.tokens) + "\n";
            table += "next token        log p\n";
            for (std::size_t i = 0; i < shown; ++i) {
                const float value = reading.nextLogProbabilities[order[i]];
                top.push_back({ order[i], value });
                table += fmt::format(
                    "{:>8} {:<16} {:.4f}\n", order[i],
                    Json(std::string(model->tokenizer().piece(order[i])))
                        .dump(-1, ' ', false, Json::error_handler_t::replace),
                    value);
            }
            for (const float value : reading.logProbabilities)
                losses.push_back(-value);
            for (Eigen::Index row = 0; row < reading.last.rows(); ++row)
                norms.push_back(reading.last.row(row).norm());
            context.print(
                { { "rendered", rendered },
                  { "ids", request.tokens },
                  { "top", top },
                  { "nll", losses },
                  { "residual_norms", norms } },
                table);
            return {};
        });
    options->input.addTo(*sub, "--text");
    sub->add_option("--top", options->top, "How many tokens to list")->capture_default_str();
    sub->add_option("--perplexity", options->perplexityOf, "FILE: the perplexity of this text file instead");
}

void addVerifyCommand(CLI::App& app)
{
    auto reference = std::make_shared<std::string>();
    CLI::App* sub = addCommand(
        app, "verify", "Check the engine against a reference file and by invariants",
        [reference](CommandContext& context) -> Result<void> {
            nlohmann::json document;
            if (!reference->empty()) {
                LODESTONE_TRY(document, formats::readJson(*reference));
            }
            LODESTONE_TRY(const auto model, context.loadModel());
            LODESTONE_TRY(
                model::Verification result,
                model::verify(*model, reference->empty() ? nullptr : &document, *reference, context.work()));
            LODESTONE_TRY(const auto path, context.resolveModel());
            LODESTONE_TRY(const model::Check weights, model::checkDequantisation(path));
            result.checks.push_back(weights);
            result.ok = result.ok && weights.ok;
            Json layers = Json::array(), checks = Json::array();
            std::string table;
            for (const model::LayerError& error : result.layers) {
                layers.push_back({ { "layer", layerJson(error.layer) },
                                   { "largest", error.largest },
                                   { "median", error.median } });
                table += fmt::format(
                    "{:<16} largest {:.2e}  median {:.2e}\n", error.layer.label(), error.largest,
                    error.median);
            }
            for (const model::Check& check : result.checks) {
                checks.push_back({ { "name", check.name },
                                   { "ok", check.ok },
                                   { "value", check.value },
                                   { "limit", check.limit } });
                table += fmt::format(
                    "{} {}: {} {:.3g} (limit {:.3g})\n", check.ok ? "ok  " : "FAIL", check.name, check.detail,
                    check.value, check.limit);
            }
            context.print(
                { { "ok", result.ok },
                  { "max_logprob_error", result.maxLogProbabilityError },
                  { "max_residual_error", result.maxResidualError },
                  { "layers", layers },
                  { "checks", checks },
                  { "matrix_path", model->matrixPath() } },
                table);
            return result.ok ? Result<void>{} : Result<void>(badInput("every check to pass", "failures"));
        });
    sub->add_option("--reference", *reference, "A reference file in JSON (docs/models.md)");
}

} // namespace

void addModelCommands(CLI::App& app)
{
    addModelCommand(app);
    addTokenizeCommands(app);
    addLogitsCommand(app);
    addVerifyCommand(app);
}

} // namespace lodestone::app
