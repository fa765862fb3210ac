#include "app/cli/context.h"

#include "core/base/files.h"
#include "core/model/model_fetch.h"
#include "core/model/model_library.h"

#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <fmt/format.h>
#include <iostream>
#include <thread>
#include <unistd.h>

namespace lodestone::app {
namespace {

std::stop_source& interruption()
{
    static std::stop_source source;
    return source;
}

/// Ctrl+C asks the running work to stop; a second one does not wait for it. A thread of its own receives the
/// signals, because a stop request is not allowed inside a signal handler.
void watchForInterruption()
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    std::thread([signals] {
        int received = 0;
        ::sigwait(&signals, &received);
        interruption().request_stop();
        ::sigwait(&signals, &received);
        ::_exit(5);
    }).detach();
}

/// The command chosen on the command line, run after parsing.
Command& chosenCommand()
{
    static Command command;
    return command;
}

int exitCode(const Error& error)
{
    switch (error.kind) {
    case ErrorKind::Usage:
        return 2;
    case ErrorKind::BadInput:
        return 3;
    case ErrorKind::MissingModel:
        return 4;
    case ErrorKind::Cancelled:
        return 5;
    case ErrorKind::Failed:
        return 1;
    }
    return 1;
}

} // namespace

Work CommandContext::work() const
{
    Work result;
    result.stop = interruption().get_token();
    if (quiet)
        return result;
    const bool terminal = ::isatty(2) != 0;
    auto last = std::make_shared<std::chrono::steady_clock::time_point>();
    result.report = [terminal, last](const Progress& progress) {
        const auto now = std::chrono::steady_clock::now();
        const double pause = terminal ? 0.1 : 5.0;
        if (std::chrono::duration<double>(now - *last).count() < pause)
            return;
        *last = now;
        std::string line = progress.what;
        if (progress.total > 0)
            line += fmt::format(" {:.0f} of {:.0f} {}", progress.done, progress.total, progress.unit);
        if (progress.perSecond > 0)
            line += fmt::format(", {:.0f}/s", progress.perSecond);
        if (progress.secondsLeft >= 0)
            line += fmt::format(
                ", {:.0f}:{:02.0f} left", std::floor(progress.secondsLeft / 60),
                std::fmod(progress.secondsLeft, 60));
        std::fprintf(stderr, terminal ? "\r\033[K%s" : "%s\n", line.c_str());
    };
    return result;
}

Result<std::filesystem::path> CommandContext::resolveModel() const
{
    if (modelPath.empty())
        return model::defaultModelPath();
    std::error_code error;
    if (std::filesystem::exists(modelPath, error))
        return std::filesystem::path(modelPath);
    for (const model::KnownModel& known : model::knownModels())
        if (known.name == modelPath) {
            const std::filesystem::path fetched = model::modelsFolder() / known.fileName;
            if (std::filesystem::exists(fetched, error))
                return fetched;
            return fail(
                ErrorKind::MissingModel,
                fmt::format("the model {}: fetch it with: model {}", modelPath, modelPath), "nothing",
                fetched.string());
        }
    return fail(
        ErrorKind::MissingModel, "a model: a GGUF file, a folder, a checkpoint or a name from: model --list",
        "nothing", modelPath);
}

Result<std::unique_ptr<model::LanguageModel>> CommandContext::loadModel() const
{
    LODESTONE_TRY(const auto path, resolveModel());
    return model::loadModel(path, { threads, matrixPath, device }, work());
}

void CommandContext::print(const Json& document, const std::string& table) const
{
    if (!quiet && ::isatty(2) != 0)
        std::fprintf(stderr, "\r\033[K");
    if (json)
        std::cout << document.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
    else
        std::cout << table << (table.empty() || table.back() == '\n' ? "" : "\n");
    std::cout.flush();
}

void CommandContext::say(const std::string& message) const
{
    if (!quiet)
        std::fprintf(stderr, "%s%s\n", ::isatty(2) != 0 ? "\r\033[K" : "", message.c_str());
}

CLI::App* addCommand(CLI::App& app, const std::string& name, const std::string& description, Command command)
{
    CLI::App* sub = app.add_subcommand(name, description);
    sub->fallthrough();
    sub->callback([command = std::move(command)] { chosenCommand() = command; });
    return sub;
}

Json layerJson(Layer layer)
{
    if (layer.isEmbedding())
        return { { "kind", "embedding" } };
    return { { "kind", "block" }, { "index", layer.block() } };
}

std::string percent(double share)
{
    return std::isfinite(share) ? fmt::format("{:.0f} %", 100 * share) : "-";
}

std::string percentInterval(double low, double high)
{
    return std::isfinite(low) ? fmt::format("{:.0f}-{:.0f}", 100 * low, 100 * high) : "-";
}

bool isCommandLine(int argc, char** argv)
{
    if (argc < 2)
        return false;
    // The window takes no words, or a study to open; everything else is the command line's.
    const std::string first = argv[1];
    std::error_code error;
    return first != "--window" && first != "--dark" && first != "--light" && first != "sample"
        && first != "requests" && !std::filesystem::is_directory(first, error);
}

int runCommandLine(int argc, char** argv)
{
    CommandContext context;
    CLI::App app{ "Lodestone: an explorer for value directions in language models.\n"
                  "Without a subcommand it opens the window, on the study given or on the sample." };
    app.name("lodestone");
    app.set_version_flag("--version", "lodestone " LODESTONE_VERSION);
    app.add_flag("--json", context.json, "Print one JSON document instead of a table");
    app.add_flag("--quiet", context.quiet, "No progress and messages on standard error");
    app.add_option("--seed", context.seed, "Seed of everything random")->capture_default_str();
    app.add_option("--threads", context.threads, "Threads for the model (default: all cores)")
        ->check(CLI::Range(1, 1024));
    app.add_option(
        "--model", context.modelPath,
        "A GGUF file, a model folder, a llama2.c checkpoint or a fetched model's name (default: the fetched "
        "default model)");
    app.add_option("--matrix-path", context.matrixPath, "onednn or blas instead of the measured choice")
        ->check(CLI::IsMember({ "onednn", "blas" }));
    app.add_option("--device", context.device, "Where the model runs: cpu is the only one so far");
    app.require_subcommand(1);
    app.fallthrough();
    addModelCommands(app);
    addGenerationCommands(app);
    addInfoCommands(app);
    addStudyCommands(app);
    addDirectionCommands(app);
    addJudgmentCommands(app);
    addTheoryCommands(app);
    addBenchCommands(app);
    try {
        app.parse(argc, argv);
    } catch (const CLI::CallForHelp& help) {
        return app.exit(help);
    } catch (const CLI::CallForVersion& version) {
        return app.exit(version);
    } catch (const CLI::ParseError& error) {
        app.exit(error);
        return 2;
    }
    watchForInterruption();
    Result<void> result;
    try {
        result = chosenCommand()(context);
    } catch (const std::exception& error) {
        result = fail(ErrorKind::Failed, "the command to finish", error.what());
    }
    if (result)
        return 0;
    std::fprintf(
        stderr, "%slodestone: %s\n", ::isatty(2) != 0 ? "\r\033[K" : "", result.error().message().c_str());
    return exitCode(result.error());
}

} // namespace lodestone::app
