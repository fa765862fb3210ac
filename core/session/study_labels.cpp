#include "core/session/study_quantities.h"

namespace lodestone::session {
namespace {

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

Result<StudyValues> trust(const Here& here) // T25
{
    const geometry::Examples& labels = here.snapshot.layer->examples.training;
    return StudyValues{ { { "n", static_cast<double>(labels.size()) },
                          { "d", static_cast<double>(here.snapshot.layer->rows.cols()) } },
                        {},
                        "People's training labels at this layer's width; the flips of their labels are not "
                        "known." };
}
Result<StudyValues> drawnLabels(const Here& here) // T26
{
    return StudyValues{ { { "s", std::numbers::sqrt2 * here.deviation / here.snapshot.inputs.tau },
                          { "n", static_cast<double>(here.snapshot.foundation->study->set().pairs.size()) },
                          { "d", std::round(effectiveDimension(differences(here))) } },
                        {},
                        fmt::format(
                            "Every pair labelled once by this judge at its temperature. {}", effectiveSaid) };
}
Result<StudyValues> margin(const Here& here) // T27
{
    double sum = 0;
    for (const judgment::PairJudgment& pair : here.snapshot.judge->pairs)
        sum += std::max(pair.p, 1 - pair.p);
    return StudyValues{ { { "p", sum / static_cast<double>(here.snapshot.judge->pairs.size()) } },
                        {},
                        "p is the judge's mean certainty of the reply that it prefers; the flips of people's "
                        "labels are not known." };
}
Result<StudyValues> softLabels(const Here& here) // T28
{
    return StudyValues{ { { "n", static_cast<double>(here.snapshot.layer->examples.training.size()) },
                          { "d", std::round(effectiveDimension(differences(here))) },
                          { "s", here.norm } },
                        {},
                        effectiveSaid };
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
Result<StudyValues> extremal(const Here& here) // T33
{
    return StudyValues{
        { { "K", here.kl }, { "gamma", here.rhoC * here.deviation }, { "s_c", here.deviation } },
        { here.gain("DeltaV") },
        "kappa and A_c are not known: people's direction is a line, so the measured gain bends "
        "only where the pool ends (T37). The Policy lab's Over-optimisation fits the curve."
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

/// Sets n, d, delta and sigma of T45 and T46 from the pairs' differences, sigma = 1.
Result<StudyValues> meanDifference(const Here& here)
{
    const Eigen::MatrixXd rows = differences(here);
    if (rows.rows() < 20)
        return badInput("at least 20 training pairs", std::to_string(rows.rows()), "this study");
    const double n = static_cast<double>(rows.rows()), d = effectiveDimension(rows);
    const double spread = (rows.rowwise() - rows.colwise().mean()).squaredNorm() / (n - 1);
    // The mean of n differences is longer than that of their population by spread/n.
    const double squared = std::max(0.0, rows.colwise().mean().squaredNorm() - spread / n);
    return StudyValues{ { { "n", n },
                          { "d", std::round(d) },
                          { "delta", std::sqrt(2 * d * squared / spread) },
                          { "sigma", 1 } },
                        {},
                        fmt::format(
                            "Standardised differences of training pairs, in units of one text's noise. {}",
                            effectiveSaid) };
}
Result<StudyValues> resistance(const Here& here) // T48
{
    LODESTONE_CHECK(needNeutral(here));
    geometry::Estimate measured = here.snapshot.judge->agreement;
    measured.value = 1 - measured.value;
    measured.interval = { 1 - measured.interval.high, 1 - measured.interval.low };
    return StudyValues{ { { "rho_hr", here.rhoC }, { "rho_hl", here.rhoJ() }, { "rho_rl", here.cosCJ() } },
                        { { "resistance", measured } },
                        "The constitution's judge as the reward model, the model's neutral good/bad judgment "
                        "as the labeler; measured on held-out pairs, whose labels also carry what people's "
                        "direction misses." };
}

constexpr StudyEntry entriesOfLabels[] = {
    { "T25", trust },          { "T26", drawnLabels },    { "T27", margin },     { "T28", softLabels },
    { "T31", validation },     { "T32", regressional },   { "T33", extremal },   { "T34", spoilers },
    { "T35", conceptShift },   { "T36", certificate },    { "T37", finitePool }, { "T38", bestOfN },
    { "T45", meanDifference }, { "T46", meanDifference }, { "T48", resistance },
};

} // namespace

std::span<const StudyEntry> studyEntriesOfLabels() { return entriesOfLabels; }

} // namespace lodestone::session
