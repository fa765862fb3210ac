#include "core/policy/failure_cases.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace lodestone::policy {
namespace {

using Build = Result<FailureCase> (*)(const FailureParts&, double dose, const Work&);

struct Entry {
    FailureMode mode;
    Build build;
};

const std::vector<Entry>& entries()
{
    static const std::vector<Entry> list{
        { { "self-confirmation", "Self-confirmation",
            "No outside information: the judge is mixed with what the model writes anyway.", "T9, T10",
            "share of the generation direction", 0, 1, 0.7, "Human anchors mixed in.",
            "correlation of the reward with gold" },
          selfConfirmation },
        { { "garbage-in", "Garbage in",
            "The constitution is turned against people's values, from agreement to its mirror image.",
            "T6, T15", "share turned round", 0, 1, 1,
            "Constitution constraint: the part against people is cut off.",
            "cosine of the reward with people's direction" },
          garbageIn },
        { { "preference-drift", "Preference drift", "The judge turns a little in each of twelve rounds.",
            "T22", "delta a round", 0, 0.5, 0.15, "Early stop, where people's training labels agree most.",
            "cosine of the last judge with the first" },
          preferenceDrift },
        { { "length-gaming", "Specification gaming: length", "The reward pays for length.", "T34",
            "eta, deviations of length", -2, 2, 1, "Length control: length is projected out.",
            "change of length, tokens" },
          lengthGaming },
        { { "sycophancy-labeler", "Sycophancy 1: the labeler's manner",
            "The policy takes on the labeler's style and opinions: what its neutral judgment likes besides.",
            "T34", "weight of the manner", -2, 2, 1, "Human anchors mixed in.",
            "drift along the manner, deviations" },
          sycophancyLabeler },
        { { "sycophancy-self", "Sycophancy 2: itself", "The judge likes what the policy already does.", "T23",
            "kappa", 0, 4, 1.5, "KL budget.", "KL after eight rounds, nats" },
          sycophancySelf },
        { { "sycophancy-user", "Sycophancy 3: the user",
            "The judge rewards agreement with the user, here how much a reply repeats the user's words.",
            "T34", "weight of agreement", -2, 2, 1, "What repeats the user is projected out.",
            "change of the share of words that repeat the user" },
          sycophancyUser },
        { { "out-of-distribution", "Out of distribution",
            "The reward model never saw the training pairs nearest to these prompts.", "T36",
            "share left out", 0, 0.95, 0.7, "KL budget: a quarter of it.",
            "cosine of the reward model with its judge" },
          outOfDistribution },
        { { "prompt-sensitivity", "Prompt sensitivity",
            "Another phrasing of the constitution: a random turn.", "T30", "turn, in lengths of the judge", 0,
            3, 1, "Ensemble of eight phrasings.", "cosine with the mean phrasing" },
          promptSensitivity },
        { { "validation-dependency", "Validation dependency",
            "A judge that became worse by the dose, unseen until enough people have labelled.", "T31",
            "loss of pair accuracy", 0.005, 0.3, 0.05, "Pairs judged by both judges, and the old one kept.",
            "human labels to see it" },
          validationDependency },
        { { "label-noise", "Label noise", "A share of the judge's labels is turned round.", "T25, T26, T27",
            "share turned round", 0, 0.5, 0.25, "Majority of three labels a pair.",
            "cosine of the reward model with its judge" },
          labelNoise },
        { { "position-bias", "Position bias", "The judge prefers the reply that it reads first.", "T29",
            "b, deviations of its logit", 0, 3, 1, "Both orders averaged.",
            "share of pairs in which one position wins twice" },
          positionBias },
        { { "concept-shift", "A slightly different concept",
            "The right concept turned by a small angle: 'kindness' is not quite what was meant.", "T35",
            "angle, degrees", 0, 90, 25, "KL budget: a quarter of it.", "cosine with gold" },
          conceptShift },
        { { "error-propagation", "Error propagation",
            "Each round's judge is the model fitted to the labels of the last.", "T24", "rounds", 1, 12, 6,
            "A third of the labels from people.", "cosine of the last judge with the first" },
          errorPropagation },
        { { "judge-cost", "Judge cost", "Every sampled reply is a question to the judge.", "section 6",
            "questions a judgment", 1, 16, 1, "Canonical: every pair once, then a reward model.",
            "judge calls" },
          judgeCost },
    };
    return list;
}

} // namespace

const std::vector<FailureMode>& failureModes()
{
    static const std::vector<FailureMode> modes = [] {
        std::vector<FailureMode> result;
        for (const Entry& entry : entries())
            result.push_back(entry.mode);
        return result;
    }();
    return modes;
}

const FailureMode* failureMode(const std::string& id)
{
    const auto& modes = failureModes();
    const auto at
        = std::find_if(modes.begin(), modes.end(), [&](const FailureMode& m) { return m.id == id; });
    return at == modes.end() ? nullptr : &*at;
}

double labelsToSee(double harm)
{
    return harm > 0 ? std::pow(1.96 + 0.8416, 2) / (4 * harm * harm)
                    : std::numeric_limits<double>::infinity();
}

Result<FailureEffect>
measureFailure(const World& world, const std::string& id, double dose, double kl, const Work& work)
{
    const auto at = std::find_if(
        entries().begin(), entries().end(), [&](const Entry& entry) { return entry.mode.id == id; });
    if (at == entries().end()) {
        std::string names;
        for (const FailureMode& mode : failureModes())
            names += (names.empty() ? "" : ", ") + mode.id;
        return fail(ErrorKind::Usage, "one of " + names, id, "failure");
    }
    if (!(dose >= at->mode.least && dose <= at->mode.most))
        return fail(
            ErrorKind::Usage, fmt::format("a dose from {} to {}", at->mode.least, at->mode.most),
            fmt::format("{}", dose), id);
    if (world.judge.size() == 0)
        return badInput("a constitution with a direction in this model", "none", id);
    if (!(kl > 0 && kl < world.pool.largestKl()))
        return fail(
            ErrorKind::Usage, fmt::format("a KL above 0 and below {:.3f} nats", world.pool.largestKl()),
            fmt::format("{}", kl), "--kl");
    LODESTONE_TRY(const FailureCase made, at->build(FailureParts(world, kl), dose, work));
    if (work.cancelled())
        return cancelled();
    const Eigen::VectorXd gold = world.unit(world.gold);
    const auto policyOf = [&](const Eigen::VectorXd& reward, double budget) {
        return tilt(world.pool, reward, gold, lambdaForKl(world.pool, reward, budget));
    };
    FailureEffect effect;
    effect.id = id;
    effect.dose = dose;
    effect.kl = kl;
    effect.failedKl = made.failedKl >= 0 ? made.failedKl : kl;
    effect.mitigatedKl = made.mitigatedKl >= 0 ? made.mitigatedKl : kl;
    const Tilt clean = policyOf(made.clean, kl), failed = policyOf(made.failed, effect.failedKl),
               mitigated = policyOf(made.mitigated, effect.mitigatedKl);
    const auto goldOf = [&](const Tilt& policy) {
        return intervalsOf(world.pool, policy.probabilities, gold, gold, world.seed).valueGain;
    };
    effect.clean = goldOf(clean);
    effect.failed = goldOf(failed);
    effect.mitigated = goldOf(mitigated);
    effect.harm = differenceOf(world.pool, failed.probabilities, clean.probabilities, gold, world.seed);
    effect.help = differenceOf(world.pool, mitigated.probabilities, failed.probabilities, gold, world.seed);
    effect.figure = made.figure;
    effect.mitigatedFigure = made.mitigatedFigure;
    effect.closed = made.closed;
    effect.closedSays = made.closedSays;
    effect.note = made.note;
    return effect;
}

Result<std::vector<FailureEffect>>
doseCurve(const World& world, const std::string& id, int points, double kl, const Work& work)
{
    const FailureMode* mode = failureMode(id);
    std::vector<FailureEffect> curve;
    for (int i = 0; i < points; ++i) {
        const double dose
            = !mode ? 0 : mode->least + (mode->most - mode->least) * i / std::max(1, points - 1);
        LODESTONE_TRY(FailureEffect effect, measureFailure(world, id, dose, kl, work));
        curve.push_back(std::move(effect));
        work.tell({ "Measuring " + (mode ? mode->title : id), i + 1.0, static_cast<double>(points), 0,
                    "doses", -1 });
    }
    return curve;
}

Result<std::vector<ShiftBin>> shiftBins(const World& world, double kl)
{
    if (world.judge.size() == 0 || world.aiPairs.size() < 8)
        return badInput("a judge and pairs of replies to training prompts", "not both", "distribution shift");
    LODESTONE_TRY(
        const Eigen::VectorXd model,
        scoresOf(world, labelledBy(world.judge, world.aiPairs, world.tau, false, 0, world.seed), 1));
    const Eigen::VectorXd judge = world.unit(world.judge), fitted = world.unit(model);
    const Tilt policy = tilt(world.pool, model, judge, lambdaForKl(world.pool, model, kl));
    // Distance on the coordinates' own scales: their training mean and deviation, no correlations.
    const geometry::Rows standard = world.coordinates.apply(*world.rows);
    struct One {
        double distance, error, base, share;
    };
    std::vector<One> all;
    std::size_t at = 0;
    const auto prompts = static_cast<double>(world.pool.prompts.size());
    for (const Pool::Prompt& prompt : world.pool.prompts)
        for (const int row : prompt.rows) {
            const double distance = std::sqrt(
                standard.row(row).cast<double>().squaredNorm() / static_cast<double>(standard.cols()));
            all.push_back({ distance, std::pow(fitted[row] - judge[row], 2),
                            1 / (prompts * static_cast<double>(prompt.rows.size())),
                            policy.probabilities[at++] / prompts });
        }
    std::sort(all.begin(), all.end(), [](const One& a, const One& b) { return a.distance < b.distance; });
    constexpr std::size_t bins = 5;
    std::vector<ShiftBin> result;
    for (std::size_t bin = 0; bin < bins; ++bin) {
        ShiftBin one;
        const std::size_t from = bin * all.size() / bins, to = (bin + 1) * all.size() / bins;
        for (std::size_t i = from; i < to; ++i) {
            one.distance += all[i].distance / static_cast<double>(to - from);
            one.error += all[i].error / static_cast<double>(to - from);
            one.baseShare += all[i].base;
            one.policyShare += all[i].share;
        }
        one.error = std::sqrt(one.error);
        if (to > from)
            result.push_back(one);
    }
    return result;
}

} // namespace lodestone::policy
