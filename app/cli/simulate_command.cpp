// Subcommand simulate: what training on these judgments would do to the policy, by any rule and reward.
#include "app/cli/policy_lab.h"

#include "core/judgment/prompted_judge.h"
#include "core/policy/rules.h"

#include <cmath>
#include <fmt/format.h>

namespace lodestone::app {
namespace {

/// The reward that was asked for; the rating asks the model about every candidate.
Result<policy::Reward> rewardOf(
    const SimulateOptions& options, const OpenSession& session, policy::World& world,
    const CommandContext& context)
{
    if (options.reward == "rating") {
        LODESTONE_TRY(const auto model, context.loadModel());
        std::vector<int> rows;
        for (const policy::Pool::Prompt& prompt : world.pool.prompts)
            rows.insert(rows.end(), prompt.rows.begin(), prompt.rows.end());
        LODESTONE_TRY(
            world.rating,
            judgment::rateByPrompt(
                *session.foundation->study, *model, session.inputs.constitution, rows, context.work()));
        for (double& rating : world.rating)
            rating = judgment::normalisedRating(rating);
    }
    const auto source = options.reward == "reward-model" ? policy::rewardModel(
                            options.labels == "judge-soft"       ? policy::LabelSource::JudgeSoft
                                : options.labels == "judge-hard" ? policy::LabelSource::JudgeHard
                                : options.labels == "combined"   ? policy::LabelSource::Combined
                                                                 : policy::LabelSource::People)
                                                         : policy::makeReward(options.reward);
    LODESTONE_TRY(policy::Reward reward, source->make(world, context.work()));
    LODESTONE_TRY(const policy::Transform transform, policy::parseTransform(options.transform));
    reward.scores = policy::transformed(transform, world.pool, reward.scores);
    return reward;
}

Json curveJson(const std::vector<policy::TrainingPoint>& curve, bool preferences)
{
    Json list = Json::array();
    for (const policy::TrainingPoint& point : curve) {
        Json one{ { "step", point.step }, { "kl", point.kl }, { "reward_gain", point.rewardGain } };
        one[preferences ? "loss" : "objective"] = point.objective;
        if (preferences) {
            one["rewards/chosen"] = point.rewardsChosen;
            one["rewards/rejected"] = point.rewardsRejected;
            one["rewards/margins"] = point.margin();
            one["rewards/accuracies"] = point.accuracy;
            one["logps/chosen"] = point.logpsChosen;
            one["logps/rejected"] = point.logpsRejected;
        }
        list.push_back(std::move(one));
    }
    return list;
}

/// The chosen replies that fell, in words and numbers.
Json fallsJson(const policy::TrainedPolicy& trained, const data::ResponseSet& set, std::string& table)
{
    Json list = Json::array();
    for (const policy::ChosenFall& fall : trained.falls) {
        const auto id = [&](int row) {
            return row < 0 ? Json(nullptr) : Json(set.responses[static_cast<std::size_t>(row)].id);
        };
        list.push_back({ { "chosen", id(fall.chosen) },
                         { "rejected", id(fall.rejected) },
                         { "logp_change", fall.logpChange },
                         { "margin_change", fall.marginChange },
                         { "first_order", fall.firstOrder },
                         { "own", fall.own },
                         { "others", fall.others },
                         { "strongest", id(fall.strongest) } });
    }
    if (trained.compared > 0)
        table += fmt::format(
            "chosen replies that lost probability while their margin rose: {} of {}\n", trained.fallen,
            trained.compared);
    if (!trained.falls.empty()) {
        const policy::ChosenFall& fall = trained.falls.front();
        table += fmt::format(
            "  the largest: log p {:+.2f}, margin {:+.2f}; (h_w - E h)'(h_w - h_l) = {:+.3f}: {:+.3f} from "
            "the "
            "pair, {:+.3f} from the other candidates\n",
            fall.logpChange, fall.marginChange, fall.firstOrder, fall.own, fall.others);
    }
    return list;
}

Result<void> simulateOne(
    const SimulateOptions& options, const OpenSession& session,
    const std::shared_ptr<const session::Snapshot>& snapshot, CommandContext& context)
{
    const session::LayerStage& layer = *snapshot->layer;
    if (layer.pool.prompts.empty())
        return badInput(
            "held-out prompts with at least two candidates", "none at " + layer.layer.label(), options.study);
    if (!layer.people.found())
        return badInput("people's labels, to measure the value gained", "too few", options.study);
    LODESTONE_TRY(policy::World world, session::labWorld(*snapshot));
    LODESTONE_TRY(const policy::Reward reward, rewardOf(options, session, world, context));
    const Eigen::VectorXd& rewards = reward.scores;
    // Sigma-norm and cosine of the reward: known for directions, measured over the pool for the rest.
    const bool byLabels = options.reward == "labels", byJudge = options.reward == "constitution";
    const double deviation = byLabels ? 1
        : byJudge                     ? snapshot->judge->norm
                                      : policy::deviationWithin(world.pool, rewards);
    const double cosine = byLabels ? 1
        : byJudge                  ? snapshot->judge->cosTrue
                                   : world.cosine(rewards, world.people);
    const bool gaussian = options.rule == "gaussian";
    policy::Target target{ 1 / options.beta, {} };
    if (options.kl >= 0)
        target.kl = options.kl;
    if (gaussian && target.kl) {
        target.lambda = deviation > 0 ? std::sqrt(2 * *target.kl) / deviation : 0;
        target.kl.reset();
    }
    policy::RuleSettings settings;
    settings.samples = options.samples;
    settings.tau = world.tau;
    settings.seed = context.seed;
    settings.labelSmoothing = options.smoothing;
    settings.flips = options.flips;
    settings.rewardNoise = options.noise;
    settings.labels = options.preference == "hard" ? policy::LabelKind::Hard
        : options.preference == "soft"             ? policy::LabelKind::Soft
                                                   : policy::LabelKind::Sampled;
    const auto rule = policy::makeRule(gaussian ? "optimum" : options.rule);
    LODESTONE_TRY(
        const policy::TrainedPolicy trained,
        rule->train({ world.pool, rewards, *world.features, settings }, target, context.work()));
    const policy::Outcome outcome
        = policy::outcomeOf(world.pool, trained.probabilities, rewards, layer.people.scores);
    const policy::Outcome gold = policy::outcomeOf(world.pool, trained.probabilities, rewards, world.gold);
    const auto intervals
        = policy::intervalsOf(world.pool, trained.probabilities, rewards, layer.people.scores, context.seed);
    const auto goldIntervals
        = policy::intervalsOf(world.pool, trained.probabilities, rewards, world.gold, context.seed);
    const double lambda = trained.lambda;
    const double gaussianKl = lambda * lambda * deviation * deviation / 2;
    Json risen = Json::array(), fallen = Json::array();
    const policy::Movers movers = policy::moversOf(world.pool, trained.probabilities, 5);
    std::string moved;
    const data::ResponseSet& set = session.foundation->study->set();
    for (const auto& [list, json, sign] :
         { std::tuple(&movers.risen, &risen, "rose"), std::tuple(&movers.fallen, &fallen, "fell") })
        for (const policy::Change& change : *list) {
            json->push_back({ { "id", set.responses[static_cast<std::size_t>(change.row)].id },
                              { "log_ratio", change.logRatio },
                              { "text", set.shownText(change.row) } });
            moved += fmt::format(
                "{} {:+.2f}  {}\n", sign, change.logRatio, set.shownText(change.row).substr(0, 90));
        }
    Json document{
        { "reward", options.reward },
        { "rule", options.rule },
        { "transform", options.transform },
        { "lambda", lambda },
        { "kl", gaussian ? gaussianKl : outcome.kl },
        { "reward_gain", gaussian ? lambda * deviation * deviation : outcome.rewardGain },
        { "value_gain", gaussian ? lambda * deviation * cosine : outcome.valueGain },
        { "value_gain_ci", gaussian ? Json(nullptr) : intervalJson(intervals.valueGain.interval) },
        { "win_rate",
          gaussian ? 0.5 * std::erfc(-cosine * std::sqrt(gaussianKl) / std::sqrt(2.0)) : outcome.winRate },
        { "win_rate_ci",
          gaussian ? Json::array({ nullptr, nullptr }) : intervalJson(intervals.winRate.interval) },
        { "effective_sample_size", gaussian ? Json(nullptr) : number(outcome.effectiveSampleSize) },
        { "risen", risen },
        { "fallen", fallen },
        { "largest_kl", world.pool.largestKl() },
        { "prompts", world.pool.prompts.size() },
        { "candidates", world.pool.candidates() },
        { "held_out", true },
        { "pool", layer.poolFromPairs ? "pairs" : "samples" },
        { "gaussian",
          { { "kl", gaussianKl },
            { "reward_gain", lambda * deviation * deviation },
            { "value_gain", lambda * deviation * cosine } } },
        { "layer", layerJson(layer.layer) },
        { "fingerprint", snapshot->fingerprint().hex() }
    };
    if (!gaussian) {
        document["kl_exact"] = trained.exactKl;
        document["gold_gain"] = gold.valueGain;
        document["gold_gain_ci"] = intervalJson(goldIntervals.valueGain.interval);
        document["gold_win_rate"] = gold.winRate;
        document["gold_win_rate_ci"] = intervalJson(goldIntervals.winRate.interval);
        document["gold"] = world.goldIsLabels ? "labels" : "held-out labels' direction";
        document["note"] = trained.note;
        document["reward_note"] = reward.note;
    }
    std::string table = fmt::format(
        "{} on {} held-out prompts, {} {} ({}), {}\nlambda {:.3f}  KL {:.3f} nats (at most {:.3f} "
        "here)\nreward "
        "gain {:.3f}   value gain {:.3f} ({:.2f} to {:.2f})   win rate {} ({})\n",
        options.rule, world.pool.prompts.size(), world.pool.candidates(),
        layer.poolFromPairs ? "labelled replies, two a prompt: KL cannot exceed ln 2" : "sampled candidates",
        options.reward, layer.layer.label(), lambda, outcome.kl, world.pool.largestKl(), outcome.rewardGain,
        outcome.valueGain, intervals.valueGain.interval.low, intervals.valueGain.interval.high,
        percent(outcome.winRate),
        percentInterval(intervals.winRate.interval.low, intervals.winRate.interval.high));
    if (!gaussian)
        table += fmt::format(
            "along held-out labels, which trained no reward: gain {:.3f} ({:.2f} to {:.2f}), win rate {}\n",
            gold.valueGain, goldIntervals.valueGain.interval.low, goldIntervals.valueGain.interval.high,
            percent(gold.winRate));
    table += fmt::format(
        "effective candidates {:.1f}\nGaussian closed form at this lambda (linear-Gaussian model): KL "
        "{:.3f}, "
        "reward gain {:.3f}, value gain {:.3f}\n",
        outcome.effectiveSampleSize, gaussianKl, lambda * deviation * deviation, lambda * deviation * cosine);
    if (!trained.note.empty())
        table += trained.note + "\n";
    if (!trained.curve.empty())
        document["curve"] = curveJson(trained.curve, trained.compared > 0);
    if (trained.compared > 0) {
        document["chosen_falls"] = { { "fallen", trained.fallen }, { "compared", trained.compared } };
        document["chosen_falls"]["largest"] = fallsJson(trained, set, table);
    }
    if (trained.steps)
        document["steps_to_90"] = { { "median", number(trained.steps->median) },
                                    { "low", number(trained.steps->low) },
                                    { "high", number(trained.steps->high) },
                                    { "seeds", trained.steps->seeds },
                                    { "reached", trained.steps->reached } };
    context.print(document, table + moved);
    return {};
}

} // namespace

void addSimulateCommand(CLI::App& app)
{
    auto options = std::make_shared<SimulateOptions>();
    CLI::App* sub = addCommand(
        app, "simulate", "The policy update on the study's candidates, by any reward and rule",
        [options](CommandContext& context) -> Result<void> {
            LODESTONE_TRY(OpenSession session, openSession(*options, context));
            session.inputs.beta = options->beta;
            const bool judged = !options->wholeLab()
                && (options->reward == "constitution"
                    || (options->reward == "reward-model" && options->labels != "people"));
            LODESTONE_TRY(const auto snapshot, snapshotOf(session, context, judged));
            return options->wholeLab() ? simulateLab(*options, session, snapshot, context)
                                       : simulateOne(*options, session, snapshot, context);
        });
    options->addTo(*sub, false);
    auto* beta = sub->add_option("--beta", options->beta, "The KL penalty; lambda = 1/beta")
                     ->capture_default_str()
                     ->check(CLI::PositiveNumber);
    sub->add_option("--kl", options->kl, "Spend this KL (nats) instead")
        ->check(CLI::NonNegativeNumber)
        ->excludes(beta);
    sub->add_option(
           "--reward", options->reward,
           "constitution, labels, reward-model or rating (the model rates every candidate from 1 to 10)")
        ->capture_default_str()
        ->check(CLI::IsMember({ "constitution", "labels", "reward-model", "rating" }));
    sub->add_option("--labels", options->labels, "What a reward model is fitted to")
        ->capture_default_str()
        ->check(CLI::IsMember({ "people", "judge-soft", "judge-hard", "combined" }));
    sub->add_option("--transform", options->transform, "f, log-sigmoid or log-odds")
        ->capture_default_str()
        ->check(CLI::IsMember({ "f", "log-sigmoid", "log-odds" }));
    std::vector<std::string> rules = policy::ruleNames();
    rules.push_back("gaussian");
    sub->add_option("--rule", options->rule, "How the policy is trained; gaussian is the closed form")
        ->capture_default_str()
        ->check(CLI::IsMember(rules));
    sub->add_option("--samples", options->samples, "n of best-of-n and sft, without --kl")
        ->capture_default_str()
        ->check(CLI::Range(1, 4096));
    sub->add_option("--preference", options->preference, "Labels of dpo, cdpo and ipo: sampled, hard or soft")
        ->capture_default_str()
        ->check(CLI::IsMember({ "sampled", "hard", "soft" }));
    sub->add_option("--smoothing", options->smoothing, "Label smoothing of cdpo")
        ->capture_default_str()
        ->check(CLI::Range(0.0, 0.5));
    sub->add_option("--flips", options->flips, "Share of preference labels turned round")
        ->capture_default_str()
        ->check(CLI::Range(0.0, 1.0));
    sub->add_option("--noise", options->noise, "Noise on sampled rewards, in their standard deviations")
        ->capture_default_str()
        ->check(CLI::NonNegativeNumber);
    sub->add_flag("--all", options->all, "Every pipeline at a common KL, with intervals and cost");
    addLabOptions(*sub, *options);
}

} // namespace lodestone::app
