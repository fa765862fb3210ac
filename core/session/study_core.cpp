#include "core/session/study_quantities.h"

namespace lodestone::session {
namespace {

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

Result<StudyValues> encoding(const Here& here) // T1: Sigma = I, w* along the first axis
{
    const double q = here.snapshot.meters->encodingQuality.value;
    if (!(q > 0))
        return badInput(
            "people's direction better than chance on held-out pairs", "none", "T1 on this study");
    return StudyValues{
        whitened({ { "s_xi2", (1 - q) / q },
                   { "n", static_cast<double>(here.snapshot.layer->examples.training.size()) },
                   { "w_1", 1 },
                   { "w_2", 0 },
                   { "w_3", 0 } }),
        {},
        "In whitened coordinates; q is implied by the held-out accuracy of people's direction "
        "(T9 inverted), which labels' noise lowers."
    };
}
Result<StudyValues> projector(const Here& here) // T2: Sigma = I; w*, w_c and w_gen span the axes in turn
{
    const double side = std::sqrt(std::max(0.0, 1 - here.rhoC * here.rhoC));
    const bool two = here.writes() && side > 1e-6;
    const double second = two ? (here.cosCG() - here.rhoG() * here.rhoC) / side : 0;
    return StudyValues{
        whitened({ { "k", two ? 2.0 : 1.0 },
                   { "s_xi2", 0 },
                   { "w_1", 1 },
                   { "w_2", 0 },
                   { "w_3", 0 },
                   { "w_c1", here.rhoC },
                   { "w_c2", side },
                   { "w_c3", 0 },
                   { "w_gen1", two ? here.rhoG() : 1 },
                   { "w_gen2", second },
                   { "w_gen3",
                     two ? std::sqrt(std::max(0.0, 1 - here.rhoG() * here.rhoG() - second * second)) : 0 } }),
        {},
        "In whitened coordinates, people's direction along the first axis, the constitution's in the plane "
        "of "
        "the first two."
    };
}
Result<StudyValues> tilted(const Here& here) // T3
{
    return StudyValues{
        { { "lambda", here.lambda }, { "N", std::round(here.candidates) }, { "s_c", here.deviation } },
        {},
        "The formula's pool is one in which dull replies are more frequent; the study's, which "
        "is uniform, stands beside T37."
    };
}
Result<StudyValues> gaussian(const Here& here) // T4: Sigma = I, w_c along the first axis
{
    const double side = std::sqrt(std::max(0.0, 1 - here.rhoC * here.rhoC));
    StudyValues values{ whitened({ { "lambda", here.lambda },
                                   { "s_xi2", 0 },
                                   { "w_1", here.rhoC },
                                   { "w_2", side },
                                   { "w_3", 0 },
                                   { "w_c1", here.deviation },
                                   { "w_c2", 0 },
                                   { "w_c3", 0 } }),
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

constexpr StudyEntry entriesOfTheCore[] = {
    { "T1", encoding },    { "T2", projector }, { "T3", tilted },   { "T4", gaussian },
    { "T5", improvement }, { "T6", condition }, { "T7", budget },   { "T8", winRate },
    { "T9", gap },         { "T10", mixture },  { "T11", ceiling },
};

} // namespace

std::span<const StudyEntry> studyEntriesOfTheCore() { return entriesOfTheCore; }

} // namespace lodestone::session
