#include "app/cli/policy_lab.h"

#include "core/policy/failure_modes.h"
#include "core/policy/mechanisms.h"
#include "core/policy/overoptimisation.h"
#include "core/policy/pipelines.h"
#include "core/policy/rounds.h"

#include <cmath>
#include <fmt/format.h>

namespace lodestone::app {
namespace {

Json estimateJson(const geometry::Estimate& estimate)
{
    return { { "value", number(estimate.value) }, { "ci", intervalJson(estimate.interval) } };
}

std::string estimateText(const geometry::Estimate& estimate)
{
    return estimate.interval.isKnown() ? fmt::format(
               "{:+.3f} ({:+.2f} to {:+.2f})", estimate.value, estimate.interval.low, estimate.interval.high)
                                       : fmt::format("{:+.3f}", estimate.value);
}

double budgetOf(const SimulateOptions& options, const policy::World& world)
{
    return options.kl > 0 ? options.kl : policy::commonKl(world.pool);
}

/// Another model's judgments of the same replies by the same constitution.
Result<void> addLabeler(
    const SimulateOptions& options, const OpenSession& session, policy::World& world, CommandContext& context)
{
    SimulateOptions other = options;
    other.study = options.labeler;
    other.layer.clear(); // its own best
    LODESTONE_TRY(OpenSession opened, openSession(other, context));
    opened.inputs.constitution = session.inputs.constitution;
    LODESTONE_TRY(const auto snapshot, snapshotOf(opened, context, true));
    const auto& ours = session.foundation->study->set().responses;
    const auto& theirs = opened.foundation->study->set().responses;
    if (ours.size() != theirs.size() || snapshot->judge->rewards.size() < world.rows->rows())
        return badInput(
            fmt::format("a study of the same {} replies", ours.size()), std::to_string(theirs.size()),
            options.labeler);
    for (std::size_t i = 0; i < ours.size(); ++i)
        if (ours[i].text != theirs[i].text)
            return badInput("the same replies in the same order", "another text", ours[i].id);
    world.labeler = snapshot->judge->rewards.head(world.rows->rows());
    world.labelerName = opened.foundation->study->model().name;
    return {};
}

Result<void> pipelines(
    const SimulateOptions& options, const policy::World& world, Json& document, std::string& table,
    CommandContext& context)
{
    const double kl = budgetOf(options, world);
    LODESTONE_TRY(const auto rows, policy::comparePipelines(world, kl, context.work()));
    Json list = Json::array();
    table += fmt::format(
        "every pipeline at KL {:.3f} nats on {} held-out prompts, {} candidates ({})\n{:<26}{:<12}{:>7}  "
        "{:<26}{:<20}{:>10}{:>9}\n",
        kl, world.pool.prompts.size(), world.pool.candidates(),
        world.fromPairs ? "two a prompt: KL cannot exceed ln 2" : "sampled", "pipeline", "rule", "KL",
        "gain, held-out labels", "win rate", "judge", "human");
    for (const policy::PipelineRow& row : rows) {
        if (!row.problem.empty()) {
            list.push_back({ { "id", row.id }, { "title", row.title }, { "problem", row.problem } });
            table += fmt::format("{:<26}{}\n", row.title, row.problem);
            continue;
        }
        Json one{ { "id", row.id },
                  { "title", row.title },
                  { "reward", row.reward },
                  { "rule", row.rule },
                  { "lambda", row.policy.lambda },
                  { "kl", row.gold.kl },
                  { "kl_exact", row.policy.exactKl },
                  { "kl_ci", intervalJson(row.goldIntervals.kl.interval) },
                  { "reward_gain", row.gold.rewardGain },
                  { "reward_gain_ci", intervalJson(row.goldIntervals.rewardGain.interval) },
                  { "value_gain", row.value.valueGain },
                  { "value_gain_ci", intervalJson(row.valueIntervals.valueGain.interval) },
                  { "win_rate", row.value.winRate },
                  { "win_rate_ci", intervalJson(row.valueIntervals.winRate.interval) },
                  { "gold_gain", row.gold.valueGain },
                  { "gold_gain_ci", intervalJson(row.goldIntervals.valueGain.interval) },
                  { "gold_win_rate", row.gold.winRate },
                  { "gold_win_rate_ci", intervalJson(row.goldIntervals.winRate.interval) },
                  { "effective_sample_size", row.gold.effectiveSampleSize },
                  { "shares_labels_with_value", row.sharesLabels },
                  { "cost",
                    { { "judge_calls", row.cost.judgeCalls },
                      { "judge_tokens", row.cost.judgeTokens },
                      { "human_labels", row.cost.humanLabels } } },
                  { "note", row.policy.note },
                  { "reward_note", row.rewardNote } };
        if (row.policy.steps)
            one["steps_to_90"] = { { "median", number(row.policy.steps->median) },
                                   { "low", number(row.policy.steps->low) },
                                   { "high", number(row.policy.steps->high) },
                                   { "seeds", row.policy.steps->seeds } };
        list.push_back(std::move(one));
        table += fmt::format(
            "{:<26}{:<12}{:>7.3f}{} {:<26}{:<20}{:>10.0f}{:>9.0f}\n", row.title, row.rule, row.gold.kl,
            row.policy.exactKl ? " " : "*", estimateText(row.goldIntervals.valueGain),
            fmt::format(
                "{} ({})", percent(row.gold.winRate),
                percentInterval(
                    row.goldIntervals.winRate.interval.low, row.goldIntervals.winRate.interval.high)),
            row.cost.judgeCalls, row.cost.humanLabels);
        if (!row.policy.exactKl)
            table += fmt::format("  * {}\n", row.policy.note);
    }
    table += "gains in standard deviations within a prompt; judge: questions asked; human: labels used\n";
    document["rows"] = list;
    document["kl"] = kl;
    return {};
}

Json fitJson(const policy::GaoFit& fit)
{
    return { { "alpha", number(fit.alpha.value) },  { "alpha_ci", intervalJson(fit.alpha.interval) },
             { "beta", number(fit.beta.value) },    { "beta_ci", intervalJson(fit.beta.interval) },
             { "r_squared", number(fit.rSquared) }, { "peak", number(fit.peak) } };
}

Result<void> overoptimisation(
    const policy::World& world, const Eigen::VectorXd& proxy, Json& document, std::string& table,
    CommandContext& context)
{
    LODESTONE_TRY(const auto found, policy::overoptimise(world, proxy, 20, context.work()));
    const auto pointsJson = [](const std::vector<policy::OptimisationPoint>& points, const char* strength) {
        Json list = Json::array();
        for (const policy::OptimisationPoint& point : points)
            list.push_back({ { strength, point.strength },
                             { "kl", point.kl },
                             { "sqrt_kl", point.distance() },
                             { "proxy", number(point.proxy.value) },
                             { "proxy_ci", intervalJson(point.proxy.interval) },
                             { "gold", number(point.gold.value) },
                             { "gold_ci", intervalJson(point.gold.interval) } });
        return list;
    };
    document["overoptimisation"] = { { "optimum", pointsJson(found.optimum, "lambda") },
                                     { "best_of_n", pointsJson(found.bestOfN, "n") },
                                     { "gold_rl", fitJson(found.goldRl) },
                                     { "gold_best_of_n", fitJson(found.goldBestOfN) },
                                     { "proxy_rl", fitJson(found.proxyRl) },
                                     { "proxy_best_of_n", fitJson(found.proxyBestOfN) },
                                     { "fall_from_peak", estimateJson(found.fallFromPeak) },
                                     { "turnover", found.turnover },
                                     { "turnover_at", number(found.turnoverAt) },
                                     { "cause", found.cause },
                                     { "slope_ratio", found.slopeRatio },
                                     { "curvature", estimateJson(found.curvature) } };
    table += fmt::format("{:>9}{:>9}  {:<26}{:<26}\n", "sqrt KL", "lambda", "proxy", "gold, held-out labels");
    for (const policy::OptimisationPoint& point : found.optimum)
        table += fmt::format(
            "{:>9.3f}{:>9.2f}  {:<26}{:<26}\n", point.distance(), point.strength, estimateText(point.proxy),
            estimateText(point.gold));
    for (const auto& [name, fit] : { std::pair("RL form d(alpha - beta ln d)", &found.goldRl),
                                     std::pair("best-of-n form d(alpha - beta d)", &found.goldBestOfN) })
        table += fmt::format(
            "gold, {}: alpha {}, beta {}, R^2 {:.2f}\n", name, estimateText(fit->alpha),
            estimateText(fit->beta), fit->rSquared);
    table += found.cause + "\n";
    return {};
}

Result<void> failures(
    const SimulateOptions& options, const policy::World& world, Json& document, std::string& table,
    CommandContext& context)
{
    const double kl = budgetOf(options, world);
    std::vector<std::pair<std::string, double>> wanted;
    for (const std::string& text : options.failure) {
        const std::size_t equals = text.find('=');
        const std::string name = text.substr(0, equals);
        const policy::FailureMode* mode = policy::failureMode(name);
        double dose = mode != nullptr ? mode->usual : 0;
        if (equals != std::string::npos) {
            const std::string value = text.substr(equals + 1);
            std::size_t used = 0;
            try {
                dose = std::stod(value, &used);
            } catch (const std::exception&) {
                used = 0;
            }
            if (used == 0 || used != value.size())
                return fail(ErrorKind::Usage, "NAME=dose with a number", text, "--failure");
        }
        wanted.emplace_back(name, dose);
    }
    if (options.failures)
        for (const policy::FailureMode& mode : policy::failureModes())
            wanted.emplace_back(mode.id, mode.usual);
    Json list = Json::array();
    table += fmt::format("failures at KL {:.3f} nats; gold gain in within-prompt deviations\n", kl);
    for (const auto& [id, dose] : wanted) {
        const auto effect = policy::measureFailure(world, id, dose, kl, context.work());
        if (!effect) {
            if (!options.failures || effect.error().kind == ErrorKind::Cancelled)
                return tl::unexpected(effect.error());
            list.push_back({ { "name", id }, { "dose", dose }, { "problem", effect.error().message() } });
            table += fmt::format("\n{}: {}\n", id, effect.error().message());
            continue;
        }
        const policy::FailureMode& mode = *policy::failureMode(id);
        list.push_back({ { "name", id },
                         { "title", mode.title },
                         { "statement", mode.statement },
                         { "dose", dose },
                         { "dose_name", mode.doseName },
                         { "dose_range", Json::array({ mode.least, mode.most }) },
                         { "kl", effect->failedKl },
                         { "clean", number(effect->clean.value) },
                         { "clean_ci", intervalJson(effect->clean.interval) },
                         { "failed", number(effect->failed.value) },
                         { "failed_ci", intervalJson(effect->failed.interval) },
                         { "effect", number(effect->harm.value) },
                         { "effect_ci", intervalJson(effect->harm.interval) },
                         { "mitigation", mode.mitigation },
                         { "mitigated", number(effect->mitigated.value) },
                         { "mitigated_ci", intervalJson(effect->mitigated.interval) },
                         { "mitigated_kl", effect->mitigatedKl },
                         { "help", number(effect->help.value) },
                         { "help_ci", intervalJson(effect->help.interval) },
                         { "figure_name", mode.figure },
                         { "figure", number(effect->figure) },
                         { "mitigated_figure", number(effect->mitigatedFigure) },
                         { "closed", number(effect->closed) },
                         { "closed_says", effect->closedSays },
                         { "note", effect->note } });
        table += fmt::format(
            "\n{} = {:g} ({}), {}\n  {}\n  clean {}   failed {}   effect {}\n  mitigation: {} {}\n  {}: "
            "{:.3g}; "
            "with mitigation {:.3g}; {}: {:.3g}\n",
            id, dose, mode.doseName, mode.statement, mode.what, estimateText(effect->clean),
            estimateText(effect->failed), estimateText(effect->harm), mode.mitigation,
            estimateText(effect->mitigated), mode.figure, effect->figure, effect->mitigatedFigure,
            effect->closedSays, effect->closed);
        if (!effect->note.empty())
            table += "  " + effect->note + "\n";
    }
    document["failures"] = list;
    return {};
}

Result<void> inRounds(
    const SimulateOptions& options, const policy::World& world, Json& document, std::string& table,
    CommandContext& context)
{
    policy::RoundSettings settings;
    settings.rounds = options.rounds;
    settings.drift = options.drift;
    settings.selfPreference = options.selfPreference;
    settings.humanShare = options.humanShare;
    settings.chain = options.chain;
    settings.seed = context.seed;
    LODESTONE_TRY(const auto states, policy::runRounds(world, settings, context.work()));
    Json list = Json::array();
    table += fmt::format(
        "{:>6}{:>8}{:>9}  {:<26}{:>10}{:>11}{:>11}{:>8}\n", "round", "KL", "proxy", "gold", "cos gold",
        "cos judge", "effective", "labels");
    for (const policy::RoundState& state : states) {
        list.push_back({ { "round", state.round },
                         { "kl", state.kl },
                         { "proxy_gain", state.proxyGain },
                         { "gold_gain", number(state.gold.value) },
                         { "gold_gain_ci", intervalJson(state.gold.interval) },
                         { "cos_gold", state.cosGold },
                         { "cos_judge", state.cosJudge },
                         { "effective_sample_size", state.effective },
                         { "labels", state.labels } });
        table += fmt::format(
            "{:>6}{:>8.3f}{:>9.3f}  {:<26}{:>10.2f}{:>11.2f}{:>11.1f}{:>8.0f}\n", state.round, state.kl,
            state.proxyGain, estimateText(state.gold), state.cosGold, state.cosJudge, state.effective,
            state.labels);
    }
    document["rounds"] = list;
    return {};
}

Result<void> crossing(const policy::World& world, Json& document, std::string& table, CommandContext& context)
{
    LODESTONE_TRY(const auto found, policy::labelCrossing(world, 10, 4, context.work()));
    Json list = Json::array();
    table
        += fmt::format("{:>7}{:>18}{:>18}{:>10}{:>10}\n", "n", "n people", "10 n judge", "T25", "T25 judge");
    for (const policy::LabelBudget& row : found.rows) {
        list.push_back({ { "n", row.n },
                         { "human", row.human },
                         { "human_sd", row.humanSpread },
                         { "ai", row.ai },
                         { "ai_sd", row.aiSpread },
                         { "human_closed", row.humanClosed },
                         { "ai_closed", row.aiClosed },
                         { "enough_pairs", row.enough } });
        table += fmt::format(
            "{:>7}{:>10.3f} +-{:.3f}{:>10.3f} +-{:.3f}{:>10.3f}{:>10.3f}{}\n", row.n, row.human,
            row.humanSpread, row.ai, row.aiSpread, row.humanClosed, row.aiClosed,
            row.enough ? "" : "  (fewer pairs than 10 n)");
    }
    document["crossing"] = {
        { "rows", list },     { "ratio", found.ratio },           { "dimension", found.dimension },
        { "rho", found.rho }, { "closed", number(found.closed) }, { "measured", number(found.measured) }
    };
    table += fmt::format(
        "cosine with people's held-out direction; the judge's own is {:.2f}. {} (T25, d = {:.0f}); measured: "
        "{}\n",
        found.rho,
        found.closed > 0 ? fmt::format("People's labels overtake at n = {:.0f}", found.closed)
                         : std::string("People's labels win from the start"),
        found.dimension,
        std::isfinite(found.measured) ? fmt::format("{:.0f}", found.measured) : "no crossing in this range");
    return {};
}

void mixer(const policy::World& world, const session::Snapshot& snapshot, Json& document, std::string& table)
{
    std::vector<std::pair<std::string, Eigen::VectorXd>> directions;
    for (std::size_t i = 0; i < snapshot.principles.size(); ++i)
        if (snapshot.principles[i]->direction.found())
            directions.emplace_back(
                snapshot.inputs.constitution.principles[i].name, snapshot.principles[i]->direction.scores);
    if (world.generation.size() > 0)
        directions.emplace_back("what the model writes anyway", world.generation);
    directions.emplace_back("length", world.length);
    directions.emplace_back("repeating the user", world.echo);
    const double wanted = std::log(0.99 / 0.01);
    Json list = Json::array();
    const auto add = [&](const std::string& id, const std::string& title, const std::string& says,
                         const std::vector<policy::Mechanism>& mechanisms) {
        const policy::Credit credit = policy::train(mechanisms, wanted);
        Json knobs = Json::array();
        table += fmt::format("\n{}: {}\n", title, says);
        for (std::size_t i = 0; i < mechanisms.size(); ++i) {
            knobs.push_back({ { "name", mechanisms[i].name },
                              { "activation", mechanisms[i].activation },
                              { "test", mechanisms[i].test },
                              { "before", mechanisms[i].gain },
                              { "after", credit.gain[i] },
                              { "share", credit.share[i] } });
            table += fmt::format(
                "  {:<30} active {:+.2f}  gain {:+.2f} -> {:+.2f}  credit {:>3.0f} %\n", mechanisms[i].name,
                mechanisms[i].activation, mechanisms[i].gain, credit.gain[i], 100 * credit.share[i]);
        }
        table += fmt::format(
            "  transfer to the test prompt {:.2f} (T40): logit {:+.2f} -> {:+.2f}\n", credit.transfer,
            credit.testBefore, credit.testAfter);
        list.push_back({ { "id", id },
                         { "title", title },
                         { "mechanisms", knobs },
                         { "transfer", credit.transfer },
                         { "test_before", credit.testBefore },
                         { "test_after", credit.testAfter },
                         { "update", credit.size } });
    };
    for (const policy::Desk& desk : policy::desks())
        add(desk.id, desk.title, desk.says, desk.mechanisms);
    if (world.judge.size() > 0)
        add("study", "This study", "directions as mechanisms of the replies that the judge likes best",
            policy::mechanismsOf(world, directions, world.judge));
    document["mixer"] = list;
}

} // namespace

void addLabOptions(CLI::App& app, SimulateOptions& options)
{
    app.add_flag(
        "--overoptimisation", options.overoptimisation,
        "The reward and people's held-out direction against sqrt(KL), with Gao et al.'s forms");
    app.add_flag("--failures", options.failures, "Every failure at its usual dose, with its mitigation");
    app.add_option("--failure", options.failure, "One failure: NAME or NAME=dose (may be repeated)");
    app.add_flag("--crossing", options.crossing, "n human labels against 10 n of the judge's");
    app.add_flag(
        "--by-principle", options.byPrinciple,
        "What each principle brings or costs, and the one edit that training labels would make");
    app.add_flag("--mixer", options.mixer, "Which mechanism training strengthens");
    app.add_option("--rounds", options.rounds, "Re-judge and refit in so many rounds")
        ->check(CLI::Range(1, 200));
    app.add_option("--drift", options.drift, "With --rounds: how far the judge turns each round")
        ->check(CLI::Range(0.0, 1.0));
    app.add_option(
           "--self-preference", options.selfPreference,
           "With --rounds: how much the judge likes what the policy does")
        ->check(CLI::NonNegativeNumber);
    app.add_option("--human-share", options.humanShare, "With --rounds: share of labels that people give")
        ->check(CLI::Range(0.0, 1.0));
    app.add_flag("--chain", options.chain, "With --rounds: the judge is the model fitted in the last round");
    app.add_option(
        "--labeler", options.labeler, "With --all: a study of the same replies, captured by another model");
}

Result<void> simulateLab(
    const SimulateOptions& options, const OpenSession& session,
    const std::shared_ptr<const session::Snapshot>& snapshot, CommandContext& context)
{
    LODESTONE_TRY(policy::World world, session::labWorld(*snapshot));
    if (!options.labeler.empty())
        LODESTONE_CHECK(addLabeler(options, session, world, context));
    if (options.kl == 0)
        return fail(ErrorKind::Usage, "a KL above 0", "0", "--kl");
    Json document = Json::object();
    std::string table;
    if (options.all)
        LODESTONE_CHECK(pipelines(options, world, document, table, context));
    if (options.overoptimisation) {
        const auto source = policy::makeReward(options.reward);
        LODESTONE_TRY(const policy::Reward reward, source->make(world, context.work()));
        LODESTONE_CHECK(overoptimisation(world, reward.scores, document, table, context));
    }
    if (options.failures || !options.failure.empty())
        LODESTONE_CHECK(failures(options, world, document, table, context));
    if (options.rounds > 0)
        LODESTONE_CHECK(inRounds(options, world, document, table, context));
    if (options.crossing)
        LODESTONE_CHECK(crossing(world, document, table, context));
    if (options.byPrinciple)
        LODESTONE_CHECK(simulateByPrinciple(options, world, *snapshot, document, table, context));
    if (options.mixer)
        mixer(world, *snapshot, document, table);
    document["largest_kl"] = world.pool.largestKl();
    document["prompts"] = world.pool.prompts.size();
    document["candidates"] = world.pool.candidates();
    document["pool"] = world.fromPairs ? "pairs" : "samples";
    document["gold"] = world.goldIsLabels ? "labels" : "held-out labels' direction";
    document["held_out"] = true;
    document["layer"] = layerJson(snapshot->layer->layer);
    document["fingerprint"] = snapshot->fingerprint().hex();
    context.print(document, table);
    return {};
}

} // namespace lodestone::app
