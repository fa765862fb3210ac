// How fast the policy half answers: the exact tilt of a million candidates, the bootstrap, and a slider's
// step, each beside a plain single-thread loop in the same run. Fails when a limit is passed.
#include "core/base/rng.h"
#include "core/policy/outcome.h"
#include "core/session/pipeline.h"
#include "tests/support/small_study.h"

#include <algorithm>
#include <benchmark/benchmark.h>
#include <cstdio>
#include <map>

using namespace lodestone;

namespace {

constexpr int million = 1000000, perPrompt = 16;

policy::Pool poolOf(int candidates)
{
    policy::Pool pool;
    for (int first = 0; first < candidates; first += perPrompt) {
        pool.prompts.push_back({ first, {} });
        for (int i = first; i < std::min(candidates, first + perPrompt); ++i)
            pool.prompts.back().rows.push_back(i);
    }
    return pool;
}

Eigen::VectorXd normals(int n)
{
    Rng rng(1);
    Eigen::VectorXd values(n);
    for (double& value : values)
        value = rng.normal();
    return values;
}

void tiltMillion(benchmark::State& state)
{
    const policy::Pool pool = poolOf(million);
    const Eigen::VectorXd rewards = normals(million);
    std::vector<double> p;
    for ([[maybe_unused]] const auto step : state)
        benchmark::DoNotOptimize(policy::tiltDistribution(pool, rewards, 1.3, p));
}

void tiltMillionPlain(benchmark::State& state)
{
    const policy::Pool pool = poolOf(million);
    const Eigen::VectorXd rewards = normals(million);
    std::vector<double> p(million);
    for ([[maybe_unused]] const auto step : state) {
        double kl = 0;
        for (const auto& prompt : pool.prompts) {
            double most = rewards[prompt.rows[0]], sum = 0;
            for (const int row : prompt.rows)
                most = std::max(most, rewards[row]);
            for (const int row : prompt.rows)
                sum += p[static_cast<std::size_t>(row)] = std::exp(1.3 * (rewards[row] - most));
            for (const int row : prompt.rows) {
                const double q = p[static_cast<std::size_t>(row)] /= sum;
                kl += q > 0 ? q * std::log(q * static_cast<double>(prompt.rows.size())) : 0;
            }
        }
        benchmark::DoNotOptimize(kl / static_cast<double>(pool.prompts.size()));
    }
}

void bootstrap(benchmark::State& state)
{
    std::vector<int> groups(2000);
    for (int i = 0; i < 2000; ++i)
        groups[static_cast<std::size_t>(i)] = i;
    const Eigen::VectorXd margins = normals(2000);
    for ([[maybe_unused]] const auto step : state) {
        const geometry::ClusterBootstrap draws(groups, 1000, 1);
        benchmark::DoNotOptimize(draws.pairAccuracy({ margins.data(), 2000 }));
    }
}

void bootstrapPlain(benchmark::State& state)
{
    const Eigen::VectorXd margins = normals(2000);
    for ([[maybe_unused]] const auto step : state) {
        Rng rng(1);
        std::vector<double> means;
        for (int resample = 0; resample < 1000; ++resample) {
            double right = 0;
            for (int draw = 0; draw < 2000; ++draw)
                right += margins[rng.below(2000)] > 0 ? 1 : 0;
            means.push_back(right / 2000);
        }
        std::sort(means.begin(), means.end());
        benchmark::DoNotOptimize(means[25] + means[974]);
    }
}

/// A study of a size, opened once: half of its responses stand in pairs, half are sampled.
struct Opened {
    testing::ScratchFolder folder;
    std::shared_ptr<const session::Foundation> foundation;
    std::unique_ptr<session::Pipeline> pipeline;
    session::Inputs inputs;
    std::shared_ptr<const session::Snapshot> snapshot;

    explicit Opened(int responses)
    {
        testing::SmallStudyOptions options;
        options.pairPrompts = responses / 4;
        options.samplePrompts = responses / 2 / perPrompt;
        options.candidates = perPrompt;
        const testing::SmallStudy study = testing::writeSmallStudy(folder.path(), options);
        foundation = session::Foundation::open(data::Study::open(study.folder).value()).value();
        pipeline = std::make_unique<session::Pipeline>(foundation);
        inputs = session::defaultInputs(*foundation, testing::SmallStudy::top());
        snapshot = pipeline->recompute(inputs, nullptr).value();
    }
};

/// One step of a drag of a weight: everything that a new frame shows.
void slider(benchmark::State& state)
{
    static std::map<int, Opened> studies;
    Opened& opened = studies.try_emplace(static_cast<int>(state.range(0)), static_cast<int>(state.range(0)))
                         .first->second;
    double& weight = opened.inputs.constitution.principles[0].weight;
    for ([[maybe_unused]] const auto step : state) {
        weight = weight > 1.9 ? -1.9 : weight + 0.01;
        opened.snapshot = opened.pipeline->recompute(opened.inputs, opened.snapshot).value();
    }
}

/// The least that any implementation does: the judge's scores and the tilt, by plain loops.
void sliderPlain(benchmark::State& state)
{
    const int responses = static_cast<int>(state.range(0));
    const Eigen::VectorXd first = normals(responses), second = normals(responses).reverse();
    double weight = -1;
    for ([[maybe_unused]] const auto step : state) {
        weight += 0.01;
        double gain = 0;
        for (int from = 0; from < responses; from += perPrompt) {
            double sum = 0, reward = 0;
            for (int i = from; i < std::min(responses, from + perPrompt); ++i) {
                const double r = weight * first[i] + second[i], e = std::exp(r);
                sum += e;
                reward += e * r;
            }
            gain += reward / sum;
        }
        benchmark::DoNotOptimize(gain);
    }
}

double p95(const std::vector<double>& values)
{
    std::vector<double> sorted = values;
    std::sort(sorted.begin(), sorted.end());
    return sorted[static_cast<std::size_t>(0.95 * static_cast<double>(sorted.size() - 1))];
}

/// Keeps what the console shows.
class Keeper : public benchmark::ConsoleReporter {
public:
    std::map<std::string, double> milliseconds; ///< median, or the 95th percentile for sliders

    void ReportRuns(const std::vector<Run>& runs) override
    {
        for (const Run& run : runs)
            if (run.run_type == Run::RT_Aggregate
                && (run.aggregate_name == "median" || run.aggregate_name == "p95"))
                milliseconds[run.run_name.function_name + "/" + run.run_name.args + " " + run.aggregate_name]
                    = run.GetAdjustedRealTime();
        ConsoleReporter::ReportRuns(runs);
    }
};

} // namespace

int main(int argc, char** argv)
{
    const auto add = [](const char* name, void (*body)(benchmark::State&)) {
        return benchmark::RegisterBenchmark(name, body)
            ->Unit(benchmark::kMillisecond)
            ->Repetitions(15)
            ->ReportAggregatesOnly();
    };
    add("tilt", tiltMillion);
    add("tilt-plain", tiltMillionPlain);
    add("bootstrap", bootstrap);
    add("bootstrap-plain", bootstrapPlain);
    for (const auto& [name, body] : { std::pair("slider", &slider), std::pair("slider-plain", &sliderPlain) })
        for (const int responses : { 1000, 100000 })
            add(name, body)->Arg(responses)->Iterations(1)->Repetitions(30)->ComputeStatistics("p95", p95);
    benchmark::Initialize(&argc, argv);
    Keeper keeper;
    benchmark::RunSpecifiedBenchmarks(&keeper);
    int failed = 0;
    const auto check
        = [&](const std::string& name, const std::string& plain, double limit, const char* what) {
              if (keeper.milliseconds.count(name) == 0)
                  return;
              const double time = keeper.milliseconds[name], base = keeper.milliseconds[plain];
              std::printf(
                  "%s: %.2f ms (limit %.0f), %.2f times a plain loop %s\n", what, time, limit, time / base,
                  time <= limit ? "" : "TOO SLOW");
              failed += time > limit;
          };
    check("tilt/ median", "tilt-plain/ median", 50, "exact tilt and KL, 1,000,000 candidates");
    check("bootstrap/ median", "bootstrap-plain/ median", 100, "1,000 resamples of 2,000 pairs");
    check("slider/1000 p95", "slider-plain/1000 p95", 16, "slider step, 1,000 responses, 95th percentile");
    check(
        "slider/100000 p95", "slider-plain/100000 p95", 100,
        "slider step, 100,000 responses, 95th percentile");
    return failed;
}
