// What every subcommand shares: the global options, output as table or JSON, and exit codes.
#pragma once

#include "core/base/error.h"
#include "core/base/layer.h"
#include "core/base/progress.h"
#include "core/model/language_model.h"

#include <CLI/CLI.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace lodestone::app {

using Json = nlohmann::ordered_json;

/// The global options and the services behind them. One per run of the command line.
class CommandContext {
public:
    bool json = false;
    bool quiet = false;
    std::uint64_t seed = 0;
    int threads = 0;
    std::string modelPath;
    std::string matrixPath;
    std::string device;

    /// A stop token that Ctrl+C triggers, and a progress line on standard error unless --quiet.
    Work work() const;
    /// The path of the model asked for, or of the default one; error MissingModel with the way to get it.
    Result<std::filesystem::path> resolveModel() const;
    Result<std::unique_ptr<model::LanguageModel>> loadModel() const;
    /// Prints the JSON document, or the table text for people.
    void print(const Json& document, const std::string& table) const;
    void say(const std::string& message) const; ///< to standard error, unless --quiet
};

/// A subcommand body: what it returns decides the exit code.
using Command = std::function<Result<void>(CommandContext&)>;

/// Adds a subcommand whose body runs after parsing.
CLI::App* addCommand(CLI::App& app, const std::string& name, const std::string& description, Command command);

/// Groups of subcommands, each in its own file.
void addModelCommands(CLI::App& app);
void addGenerationCommands(CLI::App& app);
void addInfoCommands(CLI::App& app);
void addStudyCommands(CLI::App& app);
void addDirectionCommands(CLI::App& app);
void addJudgmentCommands(CLI::App& app);
void addTheoryCommands(CLI::App& app);
void addSimulateCommand(CLI::App& app);
void addExportCommand(CLI::App& app);
void addReproduceCommand(CLI::App& app);
void addBenchCommands(CLI::App& app);

Json layerJson(Layer layer);
/// "71 % (64-78)" from shares.
std::string percent(double share);
std::string percentInterval(double low, double high);

/// The command line's entry; returns the process's exit code.
int runCommandLine(int argc, char** argv);
/// True when the first word is a subcommand or an option of the command line rather than of the window.
bool isCommandLine(int argc, char** argv);

} // namespace lodestone::app
