#include "core/session/study_statement.h"

#include "core/policy/outcome.h"
#include "core/policy/reward_source.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <numbers>

namespace lodestone::session {
namespace {

/// The study's side of the symbols that many statements share.
struct Here {
    const Snapshot& snapshot;
    policy::World world; ///< its pool alone
    double rhoC = 0; ///< corr(w*'h, w_c'h)
    double lambda = 0, norm = 0, deviation = 0, kl = 0, candidates = 0;

    explicit Here(const Snapshot& shown)
        : snapshot(shown)
    {
        world.pool = shown.layer->pool;
        rhoC = correlation(shown.layer->people.scores, shown.judge->rewards);
        lambda = 1 / shown.inputs.beta;
        norm = shown.judge->norm;
        deviation = policy::deviationWithin(world.pool, shown.judge->rewards);
        kl = shown.policy->tilt.kl;
        candidates
            = static_cast<double>(world.pool.candidates()) / static_cast<double>(world.pool.prompts.size());
    }
    double correlation(const Eigen::VectorXd& a, const Eigen::VectorXd& b) const
    {
        return a.size() > 0 && b.size() > 0 ? world.cosine(a, b) : 0;
    }
    bool writes() const { return snapshot.layer->generation.found(); }
    double rhoG() const
    {
        return correlation(snapshot.layer->people.scores, snapshot.layer->generation.scores);
    }
    double cosCG() const { return correlation(snapshot.judge->rewards, snapshot.layer->generation.scores); }
    StudyMeasured gain(const char* name) const { return { name, snapshot.policy->intervals.valueGain }; }
    const Direction& principle(std::size_t i) const
    {
        return snapshot.principles[static_cast<std::size_t>(snapshot.judge->active[i])]->direction;
    }
    /// What a principle is worth: w*'Sigma b.
    double worth(std::size_t i) const
    {
        return principle(i).readOut.weights.dot(snapshot.layer->people.displacement);
    }
};

constexpr double degrees = 180 / std::numbers::pi;

/// Mean of the third power of the rewards' standardised deviations from their prompt's mean.
double skewness(const policy::World& world, const Eigen::VectorXd& rewards)
{
    const Eigen::VectorXd unit = world.unit(rewards);
    double sum = 0;
    for (const policy::Pool::Prompt& prompt : world.pool.prompts)
        for (const int row : prompt.rows)
            sum += unit[row] * unit[row] * unit[row];
    return sum / static_cast<double>(world.pool.candidates());
}

/// The gain of the judge's best candidate of each prompt.
StudyMeasured bestCandidate(const Here& here)
{
    std::vector<double> probabilities;
    const Eigen::VectorXd& rewards = here.snapshot.judge->rewards;
    for (const policy::Pool::Prompt& prompt : here.world.pool.prompts) {
        const auto best = std::max_element(
            prompt.rows.begin(), prompt.rows.end(), [&](int a, int b) { return rewards[a] < rewards[b]; });
        for (auto row = prompt.rows.begin(); row != prompt.rows.end(); ++row)
            probabilities.push_back(row == best ? 1 : 0);
    }
    const Eigen::VectorXd& values = here.snapshot.layer->people.scores;
    return { "gold_gain",
             policy::intervalsOf(here.world.pool, probabilities, rewards, values, here.snapshot.inputs.seed)
                 .valueGain };
}

using Build = Result<StudyValues> (*)(const Here&);

Result<void> needGenerations(const Here& here)
{
    if (here.writes())
        return {};
    return badInput("likelihoods of the replies, for the generation direction", "none", "this study");
}
Result<void> needPrinciples(const Here& here, std::size_t count)
{
    if (here.snapshot.judge->active.size() >= count)
        return {};
    return badInput(
        fmt::format("at least {} principles that are on and found", count),
        std::to_string(here.snapshot.judge->active.size()), "the constitution");
}

Result<StudyValues> gaussian(const Here& here) // T4: Sigma = I, w_c along the first axis
{
    const double side = std::sqrt(std::max(0.0, 1 - here.rhoC * here.rhoC));
    StudyValues values{ { { "lambda", here.lambda },
                          { "s_xi2", 0 },
                          { "w_1", here.rhoC },
                          { "w_2", side },
                          { "w_3", 0 },
                          { "w_c1", here.deviation },
                          { "w_c2", 0 },
                          { "w_c3", 0 },
                          { "Sigma_11", 1 },
                          { "Sigma_22", 1 },
                          { "Sigma_33", 1 },
                          { "Sigma_12", 0 },
                          { "Sigma_13", 0 },
                          { "Sigma_23", 0 } },
                        { here.gain("DeltaV"),
                          { "K", here.snapshot.policy->intervals.kl },
                          { "Delta_r", here.snapshot.policy->intervals.rewardGain } },
                        "In whitened coordinates: the judge along the first axis, people's direction in the "
                        "plane of the first two. A pool of candidates is no Gaussian: its KL cannot exceed "
                        "ln N." };
    return values;
}
Result<StudyValues> improvement(const Here& here) // T5
{
    return StudyValues{ { { "lambda", here.lambda * here.deviation },
                          { "rho_c", here.rhoC },
                          { "skew", skewness(here.world, here.snapshot.judge->rewards) } },
                        { here.gain("DeltaV") },
                        "lambda in units of the rewards' spread; their skewness is measured." };
}
Result<StudyValues> condition(const Here& here) // T6
{
    return StudyValues{ { { "lambda", here.lambda * here.deviation },
                          { "Sigma_12", 0 },
                          { "w_1", here.rhoC },
                          { "w_2", std::sqrt(std::max(0.0, 1 - here.rhoC * here.rhoC)) },
                          { "w_c1", 1 },
                          { "w_c2", 0 } },
                        { here.gain("DeltaV") },
                        "In whitened coordinates, the judge along the first axis." };
}
Result<StudyValues> budget(const Here& here) // T7
{
    return StudyValues{ { { "rho_c", here.rhoC }, { "K", here.kl }, { "sV", 1 }, { "s_c", here.deviation } },
                        { here.gain("DeltaV"), { "lambda", { here.lambda, geometry::Interval() } } },
                        "lambda is the one that spent this KL on the candidates." };
}
Result<StudyValues> winRate(const Here& here) // T8
{
    return StudyValues{ { { "rho_c", here.rhoC }, { "K", here.kl } },
                        { { "win", here.snapshot.policy->intervals.winRate } },
                        {} };
}
Result<StudyValues> gap(const Here& here) // T9
{
    LODESTONE_CHECK(needGenerations(here));
    const MeterStage& meters = *here.snapshot.meters;
    return StudyValues{
        { { "rho_c", here.rhoC },
          { "rho_g", here.rhoG() },
          { "c_cg", here.cosCG() },
          { "K", here.kl },
          { "sV", 1 } },
        { { "a_c", meters.judgeAccuracy }, { "a_g", meters.generationAccuracy }, { "gap", meters.gap } },
        "Correlations with people's direction over the candidates; accuracies against "
        "people's labels on held-out pairs, which also carry what the direction misses."
    };
}
Result<StudyValues> mixture(const Here& here) // T10
{
    LODESTONE_CHECK(needGenerations(here));
    return StudyValues{ { { "rho_c", here.rhoC }, { "rho_g", here.rhoG() }, { "c_cg", here.cosCG() } },
                        {},
                        {} };
}
Result<StudyValues> ceiling(const Here& here) // T11
{
    return StudyValues{
        { { "q", here.snapshot.meters->encodingQuality.value },
          { "sV", 1 },
          { "K", here.kl },
          { "cos_c", here.rhoC } },
        { { "accuracy_ceiling", here.snapshot.layer->people.heldOut.accuracy } },
        "q is implied by the held-out accuracy of people's direction, so that accuracy is its ceiling by "
        "construction (T9 inverted)."
    };
}
Result<StudyValues> adversarial(const Here& here) // T15
{
    if (!here.snapshot.layer->neutral.found())
        return badInput("the model's neutral good/bad judgment", "none", "this study");
    return StudyValues{
        { { "cos_theta",
            here.correlation(here.snapshot.layer->people.scores, here.snapshot.layer->neutral.scores) },
          { "s_norm", 1 },
          { "w_norm", 1 } },
        {},
        "w_J is the model's neutral good/bad judgment."
    };
}
Result<StudyValues> encoded(const Here& here) // T16
{
    LODESTONE_CHECK(needPrinciples(here, 1));
    StudyValues values{ { { "K", here.kl } }, {}, "Each direction is a principle of the constitution." };
    for (std::size_t i = 0; i < 5; ++i)
        values.inputs.push_back(
            { fmt::format("g_{}", i + 1), i < here.snapshot.judge->active.size() ? here.worth(i) : 0 });
    return values;
}
Result<StudyValues> composition(const Here& here) // T17
{
    LODESTONE_CHECK(needPrinciples(here, 2));
    const std::vector<int>& active = here.snapshot.judge->active;
    StudyValues values{ { { "K", here.kl } }, {}, {} };
    const auto& principles = here.snapshot.inputs.constitution.principles;
    for (std::size_t i = 0; i < 3; ++i) {
        const bool there = i < active.size();
        values.inputs.push_back({ fmt::format("a_{}", i + 1),
                                  there ? principles[static_cast<std::size_t>(active[i])].weight : 0 });
        values.inputs.push_back({ fmt::format("g_{}", i + 1), there ? here.worth(i) : 0 });
        for (std::size_t j = i + 1; j < 3; ++j)
            values.inputs.push_back({ fmt::format("G_{}{}", i + 1, j + 1),
                                      j < active.size() ? here.snapshot.judge->cosines(
                                          static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(j))
                                                        : 0 });
    }
    if (active.size() > 3)
        values.says = fmt::format("The first three of {} principles.", active.size());
    else if (here.snapshot.inputs.constitution.mapping == constitution::Mapping::Weighted)
        values.measured.push_back(here.gain("DeltaV"));
    return values;
}
Result<StudyValues> order(const Here& here) // T18
{
    LODESTONE_CHECK(needPrinciples(here, 2));
    const double cosine = std::min(1.0, std::abs(here.snapshot.judge->cosines(0, 1)));
    return StudyValues{ { { "phi", std::acos(cosine) * degrees } },
                        {},
                        "The constitution's first two principles." };
}
Result<StudyValues> aims(const Here& here) // T20
{
    LODESTONE_CHECK(needPrinciples(here, 2));
    return StudyValues{ { { "c", here.snapshot.judge->cosines(0, 1) }, { "K", here.kl } },
                        {},
                        "The constitution's first two principles as aims." };
}
Result<StudyValues> trust(const Here& here) // T25
{
    const geometry::Examples& labels = here.snapshot.layer->examples.training;
    return StudyValues{ { { "n", static_cast<double>(labels.size()) },
                          { "d", static_cast<double>(here.snapshot.layer->rows.cols()) } },
                        {},
                        "People's training labels at this layer's width; the flips of their labels are not "
                        "known." };
}
Result<StudyValues> validation(const Here& here) // T31
{
    LODESTONE_CHECK(needGenerations(here));
    return StudyValues{
        { { "rho_c", here.rhoC }, { "rho_g", here.rhoG() }, { "c_cg", here.cosCG() } },
        {},
        fmt::format("This study has {} held-out labels.", here.snapshot.layer->examples.heldOut.size())
    };
}
Result<StudyValues> regressional(const Here& here) // T32
{
    if (!(here.rhoC > 0))
        return badInput(
            "a judge that is the value plus noise: a correlation above 0", fmt::format("{:.2f}", here.rhoC),
            "T32 on this study");
    return StudyValues{
        { { "K", here.kl }, { "sV", 1 }, { "s_noise", std::sqrt(1 / (here.rhoC * here.rhoC) - 1) } },
        { here.gain("gold") },
        "The judge read as people's value plus noise."
    };
}
Result<StudyValues> spoilers(const Here& here) // T34
{
    Eigen::VectorXd length(here.snapshot.judge->rewards.size());
    for (Eigen::Index i = 0; i < length.size(); ++i)
        length[i] = here.snapshot.foundation->lengths[static_cast<std::size_t>(i)];
    return StudyValues{ { { "rho_Vr", here.rhoC },
                          { "rho_Vl", here.correlation(here.snapshot.layer->people.scores, length) },
                          { "rho_rl", here.correlation(here.snapshot.judge->rewards, length) } },
                        {},
                        "The spoiler is the reply's length in tokens." };
}
Result<StudyValues> conceptShift(const Here& here) // T35
{
    return StudyValues{ { { "theta", std::acos(std::clamp(here.rhoC, -1.0, 1.0)) * degrees },
                          { "K", here.kl },
                          { "w_norm", 1 } },
                        {},
                        {} };
}
Result<StudyValues> certificate(const Here& here) // T36
{
    return StudyValues{ { { "theta", std::acos(std::clamp(here.rhoC, -1.0, 1.0)) * degrees } }, {}, {} };
}
Result<StudyValues> finitePool(const Here& here) // T37
{
    const geometry::Estimate share{ here.snapshot.policy->tilt.effectiveSampleSize / here.candidates,
                                    geometry::Interval() };
    return StudyValues{
        { { "lambda", here.lambda }, { "N", std::round(here.candidates) }, { "s", here.deviation } },
        { { "mean", here.snapshot.policy->intervals.rewardGain },
          { "K", here.snapshot.policy->intervals.kl },
          { "ess_share", share } },
        {}
    };
}
Result<StudyValues> bestOfN(const Here& here) // T38
{
    return StudyValues{ { { "n", std::round(here.candidates) }, { "rho_c", here.rhoC }, { "sV", 1 } },
                        { bestCandidate(here) },
                        "The judge's best of each prompt's candidates." };
}

struct Entry {
    std::string_view id;
    Build build;
};
constexpr Entry entries[] = {
    { "T4", gaussian },     { "T5", improvement },   { "T6", condition },    { "T7", budget },
    { "T8", winRate },      { "T9", gap },           { "T10", mixture },     { "T11", ceiling },
    { "T15", adversarial }, { "T16", encoded },      { "T17", composition }, { "T18", order },
    { "T20", aims },        { "T25", trust },        { "T31", validation },  { "T32", regressional },
    { "T34", spoilers },    { "T35", conceptShift }, { "T36", certificate }, { "T37", finitePool },
    { "T38", bestOfN },
};

const Entry* entryOf(std::string_view statement)
{
    const auto at = std::find_if(
        std::begin(entries), std::end(entries), [&](const Entry& entry) { return entry.id == statement; });
    return at == std::end(entries) ? nullptr : at;
}

} // namespace

bool hasStudyValues(std::string_view statement) { return entryOf(statement) != nullptr; }

Result<StudyValues> studyValues(const Snapshot& snapshot, std::string_view id)
{
    const theory::Statement* statement = theory::findStatement(id);
    const Entry* entry = statement ? entryOf(statement->id) : nullptr;
    if (!entry)
        return badInput("a statement with a counterpart on a study", std::string(id), "theory");
    if (!snapshot.layer->people.found())
        return badInput("people's labels, for the true value", "too few", statement->id + " on this study");
    if (!snapshot.judge || !(snapshot.judge->norm > 0))
        return badInput(
            "a constitution with a direction in this model", "none", statement->id + " on this study");
    if (snapshot.layer->pool.prompts.empty())
        return badInput(
            "held-out prompts with at least two candidates", "none", statement->id + " on this study");
    LODESTONE_TRY(StudyValues values, entry->build(Here(snapshot)));
    for (theory::Quantity& input : values.inputs) {
        const theory::Input* range = statement->input(input.name);
        const double inside = std::clamp(input.value, range->low, range->high);
        if (std::abs(inside - input.value) > 1e-9 * (1 + std::abs(input.value))) {
            values.says += fmt::format(
                "{}{} is {:.3g} here, outside {:g} to {:g}.", values.says.empty() ? "" : " ", input.name,
                input.value, range->low, range->high);
        }
        input.value = inside;
    }
    return values;
}

} // namespace lodestone::session
