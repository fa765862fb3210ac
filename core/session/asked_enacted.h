// Is the model's notion of a word the same as its conduct? The direction by which it judges beside the one
// along which it moves when told to act so: their cosine, what each says of the other's answers, and what a
// push along each does.
#pragma once

#include "core/session/snapshot.h"

#include <array>

namespace lodestone::session {

/// How far a direction's held-out judgments agree with a target: accuracy over pairs, AUC over single texts.
struct CrossScore {
    geometry::Estimate agreement; ///< interval by bootstrap over prompts
    double random = std::numeric_limits<double>::quiet_NaN(); ///< mean of random directions, each turned so
                                                              ///< that it agrees with the training side
    double randomUpper = std::numeric_limits<double>::quiet_NaN(); ///< their 97.5 % quantile
    int items = 0; ///< held-out pairs or texts
};

/// What a push along +-c Sigma w (w of Sigma-norm 1, so that the score moves by c standard deviations) does
/// to the model's own writing: per held-out pair of people, (log p per token of the chosen minus that of the
/// rejected reply) pushed by +c, minus the same pushed by -c. Nats per token; 0: no effect.
struct SteeringEffect {
    geometry::Estimate effect; ///< mean over pairs, interval by bootstrap over prompts
};

enum class CrossTarget {
    People, ///< people's labels
    Asked, ///< which reply the asked answers (the judgment) score higher
    Enacted ///< which reply is likelier when the model is told to be so, log p(y | x, positive request) -
            ///< log p(y | x, negative request)
};

struct AskedEnacted {
    std::string principle;
    std::string problem; ///< why one of the two is missing; empty when both are there
    bool missingModel = false; ///< the problem is that nobody asked the model yet
    double cosine = std::numeric_limits<double>::quiet_NaN(); ///< of the two displacements, Euclidean on
                                                              ///< standardised coordinates
    double cosineSigma = std::numeric_limits<double>::quiet_NaN(); ///< of the two read-outs in Sigma, which
                                                                   ///< is estimated on training prompts
    /// The Sigma-cosine on held-out prompts: the within-prompt correlation of both scores (8.6).
    geometry::Estimate correlation;
    double randomCosine = std::numeric_limits<double>::quiet_NaN(); ///< 97.5 % quantile of |cosineSigma| of
                                                                    ///< random directions with the asked one
    std::array<CrossScore, 3> asked, enacted; ///< by CrossTarget; no items: nobody asked
    std::optional<SteeringEffect> steerAsked, steerEnacted, steerRandom;
};

struct EnactedOptions {
    std::string asked = "cloze"; ///< a way that answers about every reply
    std::string enacted = "persona-difference"; ///< or persona-vectors: a displacement
    int steeredPairs = 0; ///< 0: no pushes; else so many held-out pairs, which the model reads six times
    double push = 4; ///< c, in standard deviations of the direction's own score
    std::uint64_t seed = 0;
};

/// One entry per principle. The asked direction is regressed on the answers of training prompts, the enacted
/// displacement comes from training prompts alone; everything said here is held out. Errors: unknown ways, a
/// way of the wrong kind, no labels on held-out prompts, a model that fails, cancellation. What cannot be had
/// for one principle is its `problem`.
Result<std::vector<AskedEnacted>> askedAndEnacted(
    const Foundation& foundation, const LayerStage& layer,
    const std::vector<constitution::Principle>& principles, const constitution::WayContext& context,
    const EnactedOptions& options = {}, const Work& work = {});

} // namespace lodestone::session
