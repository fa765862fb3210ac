// The subcommand that measures the engine: prefill in one and in many sequences, writing, loading, memory.
#include "app/cli/context.h"

#include "core/model/model_library.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <fstream>
#include <memory>

namespace lodestone::app {
namespace {

using Clock = std::chrono::steady_clock;

double secondsSince(Clock::time_point start)
{
    return std::chrono::duration<double>(Clock::now() - start).count();
}

/// A line of /proc/self/status in bytes: "VmHWM" is the most memory held so far.
std::uint64_t memory(const std::string& key)
{
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);)
        if (line.rfind(key + ":", 0) == 0)
            return std::stoull(line.substr(key.size() + 1)) * 1024;
    return 0;
}

/// Tokens that differ from one another, so that nothing is read twice.
std::vector<text::TokenId> someTokens(int count, int first, int vocabulary)
{
    std::vector<text::TokenId> tokens;
    for (int i = 0; i < count; ++i)
        tokens.push_back(static_cast<text::TokenId>((17LL + 7919LL * (first + i)) % vocabulary));
    return tokens;
}

struct Prefill {
    int sequences = 0, tokens = 0; ///< tokens of each
    double best = 0, median = 0; ///< tokens per second
};

/// Reads `sequences` prompts to the log-probabilities after their last token, keeping what writing on needs.
Result<void> measure(model::LanguageModel& model, int repeats, const Work& work, Prefill& result)
{
    std::vector<model::Request> requests(static_cast<std::size_t>(result.sequences));
    for (std::size_t i = 0; i < requests.size(); ++i) {
        requests[i].tokens
            = someTokens(result.tokens, static_cast<int>(i) * result.tokens, model.config().vocabulary);
        requests[i].logits = requests[i].keepContext = true;
    }
    std::vector<double> speeds;
    for (int run = -1; run < repeats; ++run) { // the first one warms up
        const auto start = Clock::now();
        LODESTONE_TRY([[maybe_unused]] const auto readings, model.read(requests, {}, work));
        if (run >= 0)
            speeds.push_back(result.sequences * result.tokens / secondsSince(start));
    }
    std::sort(speeds.begin(), speeds.end());
    result.best = speeds.back();
    result.median = speeds[speeds.size() / 2];
    return {};
}

Result<double> measureWriting(model::LanguageModel& model, int tokens, const Work& work)
{
    model::Request request;
    request.tokens = someTokens(8, 0, model.config().vocabulary);
    request.logits = request.keepContext = true;
    double seconds = 0;
    for (int step = 0; step <= tokens; ++step) {
        const auto start = Clock::now();
        LODESTONE_TRY(auto readings, model.read(std::span(&request, 1), {}, work));
        if (step > 0)
            seconds += secondsSince(start);
        Eigen::Index next = 0;
        readings[0].nextLogProbabilities.maxCoeff(&next);
        request.tokens = { static_cast<text::TokenId>(next) };
        request.past = std::move(readings[0].context);
    }
    return tokens / seconds;
}

} // namespace

void addBenchCommands(CLI::App& app)
{
    struct Options {
        int repeats = 5, write = 32;
    };
    auto options = std::make_shared<Options>();
    CLI::App* sub = addCommand(
        app, "bench", "Measure the engine: prefill, writing, loading and memory",
        [options](CommandContext& context) -> Result<void> {
            const auto start = Clock::now();
            LODESTONE_TRY(const auto model, context.loadModel());
            const double loading = secondsSince(start);
            const std::uint64_t loaded = memory("VmRSS");
            Json rows = Json::array();
            std::string table = fmt::format("{}\n", model->matrixPath());
            for (const auto& [sequences, tokens] : { std::pair(1, 128), std::pair(16, 64) }) {
                Prefill prefill{ sequences, std::min(tokens, model->config().context), 0, 0 };
                LODESTONE_CHECK(measure(*model, options->repeats, context.work(), prefill));
                rows.push_back({ { "sequences", prefill.sequences },
                                 { "tokens", prefill.tokens },
                                 { "tokens_per_second", prefill.best },
                                 { "median_tokens_per_second", prefill.median } });
                table += fmt::format(
                    "prefill {:>3} x {:<4} {:8.1f} tokens/s (median {:.1f})\n", prefill.sequences,
                    prefill.tokens, prefill.best, prefill.median);
            }
            LODESTONE_TRY(const double writing, measureWriting(*model, options->write, context.work()));
            table += fmt::format(
                "writing           {:8.1f} tokens/s\nloading           {:8.2f} s\n"
                "memory            {:8.0f} MB loaded, {:.0f} MB at most\n",
                writing, loading, static_cast<double>(loaded) / 1e6,
                static_cast<double>(memory("VmHWM")) / 1e6);
            context.print(
                { { "prefill", rows },
                  { "writing_tokens_per_second", writing },
                  { "loading_seconds", loading },
                  { "loaded_bytes", loaded },
                  { "peak_bytes", memory("VmHWM") },
                  { "matrix_path", model->matrixPath() } },
                table);
            return {};
        });
    sub->add_option("--repeats", options->repeats, "Runs of each prefill; the best counts")
        ->capture_default_str()
        ->check(CLI::Range(1, 1000));
    sub->add_option("--write", options->write, "Tokens to write")
        ->capture_default_str()
        ->check(CLI::Range(1, 4096));
}

} // namespace lodestone::app
