// The study's side of the symbols that many statements share, and the parts of the list of statements with a
// counterpart on a study.
#pragma once

#include "core/policy/outcome.h"
#include "core/policy/reward_source.h"
#include "core/session/study_statement.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <numbers>
#include <span>

namespace lodestone::session {

/// The study as the statements see it.
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
    double rhoJ() const ///< of the model's neutral judgment with the value
    {
        return correlation(snapshot.layer->people.scores, snapshot.layer->neutral.scores);
    }
    double cosCJ() const { return correlation(snapshot.judge->rewards, snapshot.layer->neutral.scores); }
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

/// The inputs with Sigma = I: whitened coordinates.
inline theory::Quantities whitened(theory::Quantities inputs)
{
    for (const char* diagonal : { "Sigma_11", "Sigma_22", "Sigma_33" })
        inputs.push_back({ diagonal, 1 });
    for (const char* off : { "Sigma_12", "Sigma_13", "Sigma_23" })
        inputs.push_back({ off, 0 });
    return inputs;
}

inline constexpr double degrees = 180 / std::numbers::pi;

/// Differences of training replies to one prompt, standardised, at most 500 of them: [n, width].
Eigen::MatrixXd differences(const Here& here);

/// (tr C)^2/tr C^2 of the differences' covariance C, from n of them: tr S^2 exceeds tr C^2 by (tr C)^2/n
/// (Gaussian rows, to order 1/n).
double effectiveDimension(const Eigen::MatrixXd& rows);
inline constexpr const char* effectiveSaid
    = "d is the effective dimension of the replies' differences here, (tr C)^2/tr C^2.";

// Errors where the study lacks it.
Result<void> needGenerations(const Here& here);
Result<void> needNeutral(const Here& here);
Result<void> needPrinciples(const Here& here, std::size_t count);

struct StudyEntry {
    std::string_view id;
    Result<StudyValues> (*build)(const Here&);
};
std::span<const StudyEntry> studyEntriesOfTheCore(); ///< T1 to T11
std::span<const StudyEntry> studyEntriesOfConstitutions(); ///< T14 to T24b
std::span<const StudyEntry> studyEntriesOfLabels(); ///< T25 to T48

} // namespace lodestone::session
