#include "core/session/published.h"

#include "core/base/rng.h"
#include "core/formats/lines.h"
#include "core/geometry/encoding.h"
#include "core/policy/rules.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace lodestone::session {
namespace {

using Figures = std::vector<PublishedFigure>;

double normalCdf(double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }

Figures lee()
{
    // Lee et al. 2023, "RLAIF vs. RLHF", arXiv 2309.00267.
    Figures rows;
    const auto add
        = [&](const char* name, double published, double here, const char* where, std::string note) {
              rows.push_back({ name,
                               published,
                               here,
                               {},
                               FigureKind::Implied,
                               fmt::format("Lee et al. 2023, arXiv 2309.00267, {}", where),
                               std::move(note) });
          };
    const auto missing = [&](const char* name, std::optional<double> published, std::string text,
                             const char* where, const char* why) {
        rows.push_back({ name,
                         published,
                         {},
                         std::move(text),
                         FigureKind::NotReproducible,
                         fmt::format("Lee et al. 2023, arXiv 2309.00267, {}", where),
                         why });
    };
    // Win rate of A over B when both were measured against the same baseline: values of independent replies
    // differ by normal deviates of one spread, so the implied shifts subtract (T8).
    const auto headToHead = [](double a, double b) {
        return normalCdf(geometry::impliedByWinRate(a) - geometry::impliedByWinRate(b));
    };
    add("win rate, RLAIF over RLHF, summarisation", .50, headToHead(.71, .73), "win rates",
        "from 71 % and 73 % against SFT (T8)");
    add("win rate, RLAIF over RLHF, helpful dialogue", .52, headToHead(.63, .64), "win rates",
        "from 63 % and 64 % against SFT (T8)");
    add("win rate, direct RLAIF over same-size RLAIF, summarisation", .60, headToHead(.74, .68), "win rates",
        "from 74 % and 68 % against SFT (T8)");
    add("lambda at beta = .05 in E[(1 - beta) r - beta KL]", 19, (1 - .05) / .05, "appendix A.3",
        "lambda = (1 - beta)/beta (T3)");
    const auto implied
        = [&](const char* name, std::string published, double here, const char* where, std::string note) {
              rows.push_back({ name,
                               {},
                               here,
                               std::move(published),
                               FigureKind::Implied,
                               fmt::format("Lee et al. 2023, arXiv 2309.00267, {}", where),
                               std::move(note) });
          };
    // Harmless rates: a reply is harmless when its value passes one threshold; training shifts the value.
    const double sft = geometry::impliedByWinRate(.64), rlhf = geometry::impliedByWinRate(.76),
                 rlaif = geometry::impliedByWinRate(.88);
    implied(
        "shift of value behind the harmless rates, RLAIF over RLHF", "88 %, 76 %, from 64 % of SFT",
        (rlaif - sft) / (rlhf - sft), "harmless dialogue",
        fmt::format("{:.2f} deviations against {:.2f}, with one threshold of harm", rlaif - sft, rlhf - sft));
    for (const auto& [name, accuracy] :
         { std::pair("share of value energy behind the agreement of PaLM 2 L", .780),
           std::pair("share of value energy behind the agreement of PaLM 2 S", .738),
           std::pair("share of value energy behind the agreement of PaLM 2 XS", .627) })
        implied(
            name, fmt::format("{:.1f} % agreement", 100 * accuracy),
            geometry::encodingQualityFromAccuracy(accuracy), "labeler agreement by size",
            fmt::format(
                "correlation {:.4f} (T9, T12); people's own disagreement, 73-77 %, counted against it",
                geometry::correlationFromAccuracy(accuracy)));
    // Position bias: erf(|b|/(s sqrt 2)) = the share with the same position; its inverse by bisection (T29).
    for (const auto& [name, share] :
         { std::pair("position bias of PaLM 2 L, deviations of its logit", .18),
           std::pair("position bias of PaLM 2 S, deviations of its logit", .21),
           std::pair("position bias of PaLM 2 XS, deviations of its logit", .56) }) {
        double low = 0, high = 5;
        for (int i = 0; i < 80; ++i)
            (std::erf((low + high) / 2 / std::sqrt(2.0)) < share ? low : high) = (low + high) / 2;
        implied(
            name, fmt::format("{:.0f} % same position", 100 * share), low, "table 4",
            "the bias at which one position wins twice that often (T29)");
    }
    missing(
        "win rate against people's summaries, RLAIF / RLHF", {}, "79 % / 80 %", "win rates",
        "the model has no people's replies to compare with");
    missing(
        "accuracy of the reward model, human / AI feedback, summarisation", {}, "79.3 % / 74.2 %",
        "reward models", "needs their reward models and comparisons, which were not released");
    missing(
        "cost of an AI label against a human one", {}, "more than 10 times cheaper", "cost",
        "a price, not a quantity of the model; simulate --crossing takes the ratio as given (T25)");
    return rows;
}

Figures gao()
{
    // Gao, Schulman & Hilton 2022, arXiv 2210.10760.
    Figures rows;
    const std::string source = "Gao, Schulman & Hilton 2022, arXiv 2210.10760, ";
    // Their closed form of best-of-n's KL against order statistics on a pool without ties.
    constexpr int candidates = 200000;
    policy::Pool pool;
    pool.prompts.push_back({ 0, {} });
    Eigen::VectorXd rewards(candidates);
    Rng rng(0);
    for (int i = 0; i < candidates; ++i) {
        pool.prompts[0].rows.push_back(i);
        rewards[i] = rng.normal();
    }
    for (const int n : { 4, 16, 64, 256 }) {
        const std::vector<double> winners = policy::bestOfN(pool, rewards, n);
        rows.push_back({ fmt::format("KL of best-of-{}, nats", n),
                         policy::bestOfNBound(n),
                         policy::outcomeOf(pool, winners, rewards, rewards).kl,
                         {},
                         FigureKind::Implied,
                         source + "closed form of best-of-n",
                         "ln n - (n - 1)/n against exact order statistics of 200,000 candidates (T38)" });
    }
    // Best-of-n's form with a value that bends down: T33, on the same pool, in deviations.
    const double kappa = 0.3;
    const Eigen::VectorXd value = rewards.array() - kappa / 2 * (rewards.array().square() - 1);
    const double d = 1.2;
    const double lambda = policy::lambdaForKl(pool, rewards, d * d);
    rows.push_back(
        { "gold gain d (alpha - beta d) at d = 1.2, alpha = sqrt 2, beta = .3",
          d * (std::sqrt(2.0) - kappa * d),
          policy::tiltGains(pool, rewards, value, lambda).valueGain,
          {},
          FigureKind::Implied,
          source + "best-of-n form",
          "their best-of-n form follows exactly from a quadratic value in the linear-Gaussian model "
          "(T33); `here` is the exact tilt of a pool" });
    rows.push_back(
        { "RL form d (alpha - beta ln d)",
          {},
          {},
          "empirical",
          FigureKind::NotReproducible,
          source + "RL form",
          "fitted by them, not derived; simulate --overoptimisation fits it to a study, with intervals" });
    rows.push_back({ "alpha and beta by size of the reward model (3M to 3B)",
                     {},
                     {},
                     "fitted curves",
                     FigureKind::NotReproducible,
                     source + "coefficients",
                     "needs their proxy and gold reward models, which were not released" });
    rows.push_back(
        { "comparisons below which reward models stay near chance",
          2000,
          {},
          {},
          FigureKind::NotReproducible,
          source + "data size",
          "depends on their models' width and labels; T25 gives it for a study: simulate --crossing" });
    return rows;
}

Figures young()
{
    // Young 2026, "Why Does RLAIF Work At All?", arXiv 2603.03000: abstract and the names of its results.
    Figures rows;
    const std::string source = "Young 2026, arXiv 2603.03000, ";
    // Proposition 2's lambda = 1/beta, by DPO on exact preferences of two candidates.
    policy::Pool pool;
    pool.prompts.push_back({ 0, { 0, 1 } });
    const Eigen::VectorXd rewards = Eigen::Vector2d(0.7, -0.2);
    const policy::Features features = policy::tabularFeatures(pool);
    policy::RuleSettings settings;
    settings.labels = policy::LabelKind::Soft;
    settings.steps = 5000;
    const auto dpo = policy::PreferenceRule(policy::PreferenceRule::Loss::Dpo)
                         .train({ pool, rewards, features, settings }, { 4, {} });
    std::optional<double> measured;
    if (dpo)
        measured = std::log(dpo->probabilities[0] / dpo->probabilities[1]) / (rewards[0] - rewards[1]);
    rows.push_back({ "lambda at beta = .25: lambda = 1/beta",
                     4,
                     measured,
                     {},
                     FigureKind::Implied,
                     source + "proposition 2 (by its description)",
                     "gradient steps of DPO on exact preferences: log ratio over reward difference (T3)" });
    // The sign condition, on theory.md's reference instance: gain of the judge, and of its mirror image.
    Eigen::Matrix3d sigma;
    sigma << 1, .3, 0, .3, 1, .2, 0, .2, .5;
    const Eigen::Vector3d truth(1, .5, 0), judge(.8, 0, .6), generator(.2, .9, -.3);
    const double gain = truth.dot(sigma * judge);
    const auto norm = [&](const Eigen::Vector3d& w) { return std::sqrt(w.dot(sigma * w)); };
    const double cosJudge = gain / norm(truth) / norm(judge),
                 cosGenerator = truth.dot(sigma * generator) / norm(truth) / norm(generator);
    const auto says = [&](const char* name, const char* published, double here, const char* note) {
        rows.push_back({ name, {}, here, published, FigureKind::Implied, source + "abstract", note });
    };
    says(
        "improves when the constitution's direction correlates better with true values than the default one",
        "a condition", cosJudge - cosGenerator,
        "cosine of judge less cosine of generator with the truth on the reference instance: above 0, and the "
        "judge's pair accuracy is higher by T9");
    says(
        "the ceiling is how well representations encode values", "a ceiling",
        geometry::ceilings(norm(truth) * norm(truth) / (norm(truth) * norm(truth) + .4), 1, .2009).winRate,
        "largest win rate at KL .2009 on the reference instance, encoding quality .795 (T11)");
    says(
        "adversarial constitutions exist", "exist", (gain - norm(truth) * norm(judge)) / 2,
        "lowest gain rate over all projections of the reference judge: below 0 although the judge itself "
        "gains "
        "(T15)");
    rows.push_back({ "theorems 3 and 6, propositions 2 and 5, and 36 further numbered results",
                     {},
                     {},
                     "names only",
                     FigureKind::NotReproducible,
                     source + "body",
                     "its equations were not available to us: everything here is a reconstruction in a "
                     "linear-Gaussian model" });
    return rows;
}

Result<Figures> arditi(const std::filesystem::path& data)
{
    // Arditi et al. 2024, arXiv 2406.11717; released in andyrdt/refusal_direction.
    Figures rows;
    const std::string source = "Arditi et al. 2024, arXiv 2406.11717, released ";
    const std::filesystem::path folder = data / "directions/refusal_direction";
    std::error_code error;
    if (!std::filesystem::exists(folder, error)) {
        rows.push_back(
            { "selection of the direction, attack success",
              {},
              {},
              "released scores",
              FigureKind::NotReproducible,
              source + "scores",
              "the released files are not at " + folder.string() + " (--data names another folder)" });
        return rows;
    }
    for (const std::pair<const char*, int>& one :
         { std::pair("gemma-2b-it", 18), std::pair("meta-llama-3-8b-instruct", 32) }) {
        const char* const model = one.first; // not a structured binding: lambdas capture it
        const int layers = one.second;
        const std::filesystem::path at = folder / model;
        if (!std::filesystem::exists(at / "select_direction/direction_evaluations.json", error))
            continue;
        LODESTONE_TRY(
            const auto scores, formats::readJson(at / "select_direction/direction_evaluations.json"));
        LODESTONE_TRY(
            const auto kept, formats::readJson(at / "select_direction/direction_evaluations_filtered.json"));
        LODESTONE_TRY(const auto chosen, formats::readJson(at / "direction_metadata.json"));
        try {
            // Their rule: induces refusal when added, KL at most .1, not in the last fifth of the layers;
            // then the lowest refusal score under ablation.
            int count = 0, position = 0, layer = 0;
            double best = std::numeric_limits<double>::infinity();
            for (const auto& score : scores) {
                const int at_layer = score.at("layer").get<int>();
                if (score.at("steering_score").get<double>() < 0
                    || score.at("kl_div_score").get<double>() > 0.1 || at_layer >= layers * 4 / 5)
                    continue;
                ++count;
                if (const double lowest = score.at("refusal_score").get<double>(); lowest < best) {
                    best = lowest;
                    position = score.at("position").get<int>();
                    layer = at_layer;
                }
            }
            const auto add = [&](const char* what, double published, double here, std::string note) {
                rows.push_back({ fmt::format("{}, {}", model, what),
                                 published,
                                 here,
                                 {},
                                 FigureKind::Recomputed,
                                 source + "select_direction",
                                 std::move(note) });
            };
            add("directions that pass the filter", static_cast<double>(kept.size()), count,
                fmt::format(
                    "of {}; steering score >= 0, KL <= .1, layer below {}", scores.size(), layers * 4 / 5));
            add("layer of the direction", chosen.at("layer").get<double>(), layer,
                "lowest refusal score; their layer l is the output of block l - 1");
            add("position of the direction", chosen.at("pos").get<double>(), position,
                "counted from the end");
        } catch (const nlohmann::json::exception& problem) {
            return badInput("a list of scores by position and layer", problem.what(), at.string());
        }
        for (const auto& [file, what] : { std::pair("jailbreakbench_baseline", "no intervention"),
                                          std::pair("jailbreakbench_ablation", "direction ablated"),
                                          std::pair("jailbreakbench_actadd", "direction subtracted") }) {
            const auto path = at / "completions" / (std::string(file) + "_evaluations.json");
            if (!std::filesystem::exists(path, error))
                continue;
            LODESTONE_TRY(const auto judged, formats::readJson(path));
            try {
                for (const auto& [summary, single, by] :
                     { std::tuple(
                           "substring_matching_success_rate", "is_jailbreak_substring_matching",
                           "refusal phrases"),
                       std::tuple(
                           "llamaguard2_success_rate", "is_jailbreak_llamaguard2", "Llama Guard 2") }) {
                    double sum = 0;
                    for (const auto& reply : judged.at("completions"))
                        sum += reply.at(single).get<double>();
                    rows.push_back(
                        { fmt::format("{}, attack success, {}, by {}", model, what, by),
                          judged.at(summary).get<double>(),
                          sum / static_cast<double>(judged.at("completions").size()),
                          {},
                          FigureKind::Recomputed,
                          source + "completions",
                          fmt::format("mean over {} judged replies", judged.at("completions").size()) });
                }
            } catch (const nlohmann::json::exception& problem) {
                return badInput("judged completions", problem.what(), path.string());
            }
        }
    }
    rows.push_back(
        { "attack success of the other chat models (13 in all, up to 72B)",
          {},
          {},
          "by model",
          FigureKind::NotReproducible,
          "Arditi et al. 2024, arXiv 2406.11717",
          "their weights and judged replies are not here; lodestone refusal runs the method on a model "
          "that is" });
    return rows;
}

} // namespace

std::string figureKindName(FigureKind kind)
{
    switch (kind) {
    case FigureKind::Implied:
        return "implied under the model";
    case FigureKind::Recomputed:
        return "recomputed from released data";
    case FigureKind::NotReproducible:
        break;
    }
    return "not reproducible here";
}

const std::vector<std::string>& publishedWorks()
{
    static const std::vector<std::string> works{ "lee", "gao", "arditi", "young" };
    return works;
}

Result<Figures> publishedFigures(const std::string& work, const std::filesystem::path& data)
{
    if (work == "lee")
        return lee();
    if (work == "gao")
        return gao();
    if (work == "young")
        return young();
    if (work == "arditi")
        return arditi(data);
    return fail(ErrorKind::Usage, "lee, gao, arditi or young", work, "reproduce");
}

} // namespace lodestone::session
