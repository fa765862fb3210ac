#include "core/policy/reward_source.h"

#include "core/base/rng.h"
#include "core/geometry/numbers.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace lodestone::policy {
namespace {

using geometry::sigmoid;
double logSigmoid(double x) { return std::min(x, 0.0) - std::log1p(std::exp(-std::abs(x))); }

/// A direction's own scores.
class DirectionSource final : public RewardSource {
public:
    enum class Which { Judge, People, Labeler, Rating };
    explicit DirectionSource(Which which)
        : m_which(which)
    {
    }
    std::string name() const override
    {
        switch (m_which) {
        case Which::Judge:
            return "constitution";
        case Which::People:
            return "labels";
        case Which::Labeler:
            return "labeler";
        case Which::Rating:
            break;
        }
        return "rating";
    }
    std::string description() const override
    {
        switch (m_which) {
        case Which::Judge:
            return "the constitution's direction scores every reply";
        case Which::People:
            return "people's direction, fitted to their labels of the training prompts";
        case Which::Labeler:
            return "another model reads the same constitution";
        case Which::Rating:
            break;
        }
        return "the judge rates every reply from 1 to 10";
    }
    Result<Reward> make(const World& world, const Work&) const override
    {
        const Eigen::VectorXd& scores = m_which == Which::Judge ? world.judge
            : m_which == Which::People                          ? world.people
            : m_which == Which::Labeler                         ? world.labeler
                                                                : world.rating;
        if (scores.size() == 0)
            return badInput(
                m_which == Which::Rating        ? "ratings of the replies by the prompted judge"
                    : m_which == Which::People  ? "people's labels"
                    : m_which == Which::Labeler ? "a second study of the same replies, read by another model"
                                                : "a constitution with a direction in this model",
                "none", "reward " + name());
        for (const Pool::Prompt& prompt : world.pool.prompts)
            for (const int row : prompt.rows)
                if (!std::isfinite(scores[row]))
                    return badInput(
                        "a finite score for every candidate", "a missing one", "reward " + name());
        Reward reward;
        reward.scores = scores;
        reward.askedPerReply = m_which != Which::People;
        if (m_which == Which::People)
            reward.cost.humanLabels = static_cast<double>(world.humanLabels.size());
        return reward;
    }

private:
    Which m_which;
};

class RewardModelSource final : public RewardSource {
public:
    RewardModelSource(LabelSource labels, int budget, double flips)
        : m_labels(labels)
        , m_budget(budget)
        , m_flips(flips)
    {
    }
    std::string name() const override { return "reward-model"; }
    std::string description() const override
    {
        switch (m_labels) {
        case LabelSource::People:
            return "a Bradley-Terry reward model fitted to people's labels";
        case LabelSource::JudgeSoft:
            return "a reward model fitted to the judge's probabilities";
        case LabelSource::JudgeHard:
            return "a reward model fitted to the judge's choices";
        case LabelSource::Combined:
            break;
        }
        return "a reward model fitted to people's and the judge's labels together";
    }
    Result<Reward> make(const World& world, const Work&) const override
    {
        const bool people = m_labels == LabelSource::People || m_labels == LabelSource::Combined;
        const bool judge = m_labels != LabelSource::People;
        if (people && world.humanLabels.empty())
            return badInput("people's labels of training prompts", "none", "reward model");
        if (judge && (world.aiPairs.empty() || world.judge.size() == 0))
            return badInput("pairs of replies to training prompts and a judge", "none", "reward model");
        std::vector<judgment::Comparison> comparisons;
        if (people)
            comparisons = shortened(world.humanLabels, world.seed);
        Reward reward;
        reward.cost.humanLabels = static_cast<double>(comparisons.size());
        if (judge) {
            const auto labelled = labelledBy(
                world.judge, shortened(world.aiPairs, world.seed + 1), world.tau,
                m_labels == LabelSource::JudgeHard, m_flips, world.seed);
            reward.cost.judgeCalls = 2.0 * static_cast<double>(labelled.size()); // both orders
            reward.cost.judgeTokens = 2 * 2 * world.meanTokens * static_cast<double>(labelled.size());
            comparisons.insert(comparisons.end(), labelled.begin(), labelled.end());
        }
        if (people && m_flips > 0) {
            Rng rng(world.seed, 0xf11);
            for (std::size_t i = 0; i < static_cast<std::size_t>(reward.cost.humanLabels); ++i)
                if (rng.uniform() < m_flips)
                    comparisons[i].p = 1 - comparisons[i].p;
        }
        LODESTONE_TRY(
            const judgment::RewardModel model,
            judgment::fitRewardModel(*world.rows, comparisons, world.coordinates, { 0, 5, world.seed }));
        reward.scores = geometry::times(*world.rows, model.readOut.weights);
        reward.note = fmt::format(
            "{} comparisons{}", comparisons.size(),
            model.separated ? ", separable: the penalty keeps the fit finite" : "");
        return reward;
    }

private:
    std::vector<judgment::Comparison>
    shortened(std::vector<judgment::Comparison> all, std::uint64_t seed) const
    {
        if (m_budget > 0 && all.size() > static_cast<std::size_t>(m_budget)) {
            Rng rng(seed, 0xb4d6e7);
            rng.shuffle(all);
            all.resize(static_cast<std::size_t>(m_budget));
        }
        return all;
    }

    LabelSource m_labels;
    int m_budget;
    double m_flips;
};

} // namespace

Eigen::VectorXd World::unit(const Eigen::VectorXd& scores) const
{
    Eigen::VectorXd result = Eigen::VectorXd::Zero(scores.size());
    const double deviation = deviationWithin(pool, scores);
    if (!(deviation > 0) || !std::isfinite(deviation))
        return result;
    for (const Pool::Prompt& prompt : pool.prompts) {
        double mean = 0;
        for (const int row : prompt.rows)
            mean += scores[row] / static_cast<double>(prompt.rows.size());
        for (const int row : prompt.rows)
            result[row] = (scores[row] - mean) / deviation;
    }
    return result;
}

double World::cosine(const Eigen::VectorXd& a, const Eigen::VectorXd& b) const
{
    if (a.size() == 0 || b.size() == 0)
        return 0;
    const Eigen::VectorXd u = unit(a), v = unit(b);
    double sum = 0;
    for (const Pool::Prompt& prompt : pool.prompts)
        for (const int row : prompt.rows)
            sum += u[row] * v[row] / static_cast<double>(prompt.rows.size());
    return pool.prompts.empty() ? 0 : sum / static_cast<double>(pool.prompts.size());
}

std::unique_ptr<RewardSource> constitutionReward()
{
    return std::make_unique<DirectionSource>(DirectionSource::Which::Judge);
}
std::unique_ptr<RewardSource> labelsReward()
{
    return std::make_unique<DirectionSource>(DirectionSource::Which::People);
}
std::unique_ptr<RewardSource> labelerReward()
{
    return std::make_unique<DirectionSource>(DirectionSource::Which::Labeler);
}
std::unique_ptr<RewardSource> ratingReward()
{
    return std::make_unique<DirectionSource>(DirectionSource::Which::Rating);
}
std::unique_ptr<RewardSource> rewardModel(LabelSource labels, int budget, double flips)
{
    return std::make_unique<RewardModelSource>(labels, budget, flips);
}

const std::vector<std::string>& rewardNames()
{
    static const std::vector<std::string> names{ "constitution", "labels", "reward-model", "rating" };
    return names;
}

std::unique_ptr<RewardSource> makeReward(const std::string& name)
{
    if (name == "constitution")
        return constitutionReward();
    if (name == "labels")
        return labelsReward();
    if (name == "reward-model")
        return rewardModel(LabelSource::People);
    if (name == "rating")
        return ratingReward();
    return nullptr;
}

std::string transformName(Transform transform)
{
    return transform == Transform::Identity  ? "f"
        : transform == Transform::LogSigmoid ? "log-sigmoid"
                                             : "log-odds";
}

Result<Transform> parseTransform(const std::string& name)
{
    for (const Transform transform : { Transform::Identity, Transform::LogSigmoid, Transform::LogOdds })
        if (name == transformName(transform))
            return transform;
    return fail(ErrorKind::Usage, "f, log-sigmoid or log-odds", name, "--transform");
}

Eigen::VectorXd transformed(Transform transform, const Pool& pool, const Eigen::VectorXd& scores)
{
    Eigen::VectorXd result = scores;
    if (transform == Transform::Identity)
        return result;
    for (const Pool::Prompt& prompt : pool.prompts) {
        double mean = 0;
        for (const int row : prompt.rows)
            mean += scores[row] / static_cast<double>(prompt.rows.size());
        for (const int row : prompt.rows) {
            if (transform == Transform::LogSigmoid) {
                result[row] = logSigmoid(scores[row] - mean); // against the prompt's mean reply
                continue;
            }
            // The others are the references; log-odds from the two means keep their digits at the ends.
            double wins = 0, losses = 0;
            for (const int other : prompt.rows)
                if (other != row) {
                    wins += sigmoid(scores[row] - scores[other]);
                    losses += sigmoid(scores[other] - scores[row]);
                }
            result[row] = std::log(std::max(wins, 1e-300)) - std::log(std::max(losses, 1e-300));
        }
    }
    return result;
}

std::vector<judgment::Comparison> labelledBy(
    const Eigen::VectorXd& scores, std::vector<judgment::Comparison> pairs, double tau, bool hard,
    double flips, std::uint64_t seed)
{
    Rng draw(seed, 0xd4a3), flip(seed, 0xf11b);
    for (judgment::Comparison& pair : pairs) {
        pair.p = sigmoid((scores[pair.a] - scores[pair.b]) / tau);
        const double u = draw.uniform();
        if (hard)
            pair.p = u < pair.p ? 1 : 0;
        if (flip.uniform() < flips)
            pair.p = 1 - pair.p;
    }
    return pairs;
}

Result<Eigen::VectorXd>
scoresOf(const World& world, std::span<const judgment::Comparison> comparisons, double relativeStrength)
{
    LODESTONE_TRY(
        const judgment::RewardModel model,
        judgment::fitRewardModel(
            *world.rows, comparisons, world.coordinates, { relativeStrength, 5, world.seed }));
    return geometry::times(*world.rows, model.readOut.weights);
}

} // namespace lodestone::policy
