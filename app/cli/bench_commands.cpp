// The subcommand that measures the engine: prefill in one and in many sequences, writing, suffixes after
// cached replies, loading, memory.
#include "app/cli/context.h"
#include "app/cli/study_access.h"

#include "core/constitution/elicitation.h"
#include "core/model/context_store.h"
#include "core/model/model_library.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fmt/format.h>
#include <fstream>
#include <limits>
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

/// Suffixes after cached replies beside the same suffixes alone: what live editing costs.
struct SuffixCost {
    int cached = 0; ///< tokens of each reply
    double seconds = 0, alone = 0; ///< best of the runs
};
constexpr int suffixReplies = 8, suffixesEach = 2, suffixTokens = 32;

Result<void> measureSuffixes(model::LanguageModel& model, int repeats, const Work& work, SuffixCost& cost)
{
    const int vocabulary = model.config().vocabulary;
    model::Request reply;
    reply.tokens = someTokens(cost.cached, 0, vocabulary);
    reply.keepContext = true;
    LODESTONE_TRY(const auto read, model.read(std::span(&reply, 1), {}, work));
    LODESTONE_TRY(const model::PackedContext packed, model.packContext(*read[0].context, 0));
    std::vector<model::Request> after, alone;
    for (int i = 0; i < suffixReplies; ++i) {
        // A copy each: replies do not share their keys and values.
        LODESTONE_TRY(
            const auto context, model.openContext(std::make_shared<const model::PackedContext>(packed), {}));
        for (int s = 0; s < suffixesEach; ++s) {
            model::Request request;
            request.tokens = someTokens(suffixTokens, 50 * (i * suffixesEach + s), vocabulary);
            request.hidden = true;
            alone.push_back(request);
            request.past = context;
            after.push_back(std::move(request));
        }
    }
    cost.seconds = cost.alone = std::numeric_limits<double>::infinity();
    for (int run = 0; run <= repeats; ++run) // in turn, so that other work on the machine disturbs both alike
        for (const bool cached : { false, true }) {
            const auto start = Clock::now();
            LODESTONE_TRY([[maybe_unused]] const auto answers, model.read(cached ? after : alone, {}, work));
            double& best = cached ? cost.seconds : cost.alone;
            if (run > 0)
                best = std::min(best, secondsSince(start));
        }
    return {};
}

/// From a principle's edited text to the first judgments, as the window asks for them.
struct EditCost {
    double anew = 0, cold = 0, warm = 0; ///< seconds: nothing kept, kept now, kept before
    double rounding = 0; ///< the largest difference that float16 makes to a judgment's log-odds
    std::size_t judged = 0;
};

Result<EditCost> measureEdit(
    model::LanguageModel& model, std::shared_ptr<const data::Study> study, const CommandContext& context)
{
    EditCost cost;
    // Seconds until the first partial result, at which it stops; a small study comes whole.
    const auto first = [&](const std::string& text, const std::shared_ptr<model::ContextStore>& contexts,
                           double& seconds) -> Result<Eigen::VectorXd> {
        constitution::Principle principle = constitution::neutralPrinciple();
        principle.name = "edited";
        principle.text = text;
        std::stop_source stop;
        Eigen::VectorXd scores;
        const auto start = Clock::now();
        const auto judged
            = constitution::ConditionedCloze(study, model, contexts)
                  .judge(principle, Work{ stop.get_token(), {} }, [&](const constitution::Judged& partial) {
                      if (scores.size() == 0) {
                          seconds = secondsSince(start);
                          scores = partial.scores;
                      }
                      stop.request_stop();
                  });
        if (!judged && scores.size() == 0)
            return tl::unexpected(judged.error());
        if (judged) {
            seconds = secondsSince(start);
            scores = judged->scores;
        }
        return scores;
    };
    const auto contexts = std::make_shared<model::ContextStore>();
    const std::string text = "Care for whoever asks, and never make them feel small.";
    context.say("Measuring an edit");
    LODESTONE_TRY(const Eigen::VectorXd exact, first(text, {}, cost.anew));
    LODESTONE_TRY([[maybe_unused]] const auto read, first("Be kind to everybody.", contexts, cost.cold));
    LODESTONE_TRY(const Eigen::VectorXd rounded, first(text, contexts, cost.warm));
    for (Eigen::Index i = 0; i < exact.size(); ++i)
        if (std::isfinite(exact[i]) && std::isfinite(rounded[i])) {
            ++cost.judged;
            cost.rounding = std::max(cost.rounding, std::abs(exact[i] - rounded[i]));
        }
    return cost;
}

} // namespace

void addBenchCommands(CLI::App& app)
{
    struct Options {
        int repeats = 5, write = 32;
        std::vector<int> cached{ 64, 128, 256, 512, 1024, 2048 };
        std::string study;
    };
    auto options = std::make_shared<Options>();
    CLI::App* sub = addCommand(
        app, "bench",
        "Measure the engine: prefill, writing, suffixes after cached replies, loading and memory",
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
            const std::uint64_t peak = memory("VmHWM"); // before replies are kept on purpose
            table += fmt::format(
                "writing           {:8.1f} tokens/s\nloading           {:8.2f} s\n"
                "memory            {:8.0f} MB loaded, {:.0f} MB at most\n",
                writing, loading, static_cast<double>(loaded) / 1e6, static_cast<double>(peak) / 1e6);
            Json suffixes = Json::array();
            for (const int cached : options->cached) {
                if (cached <= 0 || cached + suffixTokens > model->config().context)
                    continue;
                SuffixCost cost{ cached, 0, 0 };
                LODESTONE_CHECK(measureSuffixes(*model, options->repeats, context.work(), cost));
                suffixes.push_back({ { "cached_tokens", cached },
                                     { "replies", suffixReplies },
                                     { "suffixes", suffixesEach },
                                     { "suffix_tokens", suffixTokens },
                                     { "seconds", cost.seconds },
                                     { "alone_seconds", cost.alone },
                                     { "ratio", cost.seconds / cost.alone } });
                table += fmt::format(
                    "suffixes after {:>4} cached tokens {:6.3f} s, {:.2f} times those alone\n", cached,
                    cost.seconds, cost.seconds / cost.alone);
            }
            Json edit;
            if (!options->study.empty()) {
                LODESTONE_TRY(auto study, openStudy(options->study));
                LODESTONE_TRY(const EditCost cost, measureEdit(*model, std::move(study), context));
                edit = { { "judged", cost.judged },
                         { "anew_seconds", cost.anew },
                         { "cold_seconds", cost.cold },
                         { "warm_seconds", cost.warm },
                         { "largest_rounding", cost.rounding } };
                table += fmt::format(
                    "an edited text    {:8.2f} s to its first {} judgments, {:.2f} s with replies not read "
                    "before; float16 changes their log-odds by at most {:.2g}\n",
                    cost.warm, cost.judged, cost.cold, cost.rounding);
            }
            context.print(
                { { "prefill", rows },
                  { "writing_tokens_per_second", writing },
                  { "loading_seconds", loading },
                  { "loaded_bytes", loaded },
                  { "peak_bytes", peak },
                  { "suffixes", suffixes },
                  { "edit", edit },
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
    sub->add_option(
           "--cached", options->cached,
           "Tokens that are cached before the suffixes, a measurement each; 0: none")
        ->delimiter(',')
        ->capture_default_str();
    sub->add_option(
        "--study", options->study,
        "A study that this model read: also measure an edited principle's first judgments on it");
}

} // namespace lodestone::app
