// Which principle is to thank or to blame: what training on the constitution gains with each of its
// principles, without it, and with the one edit that people's training labels would make.
#pragma once

#include "core/policy/reward_source.h"
#include "core/session/snapshot.h"

namespace lodestone::session {

/// One principle's part in the whole. Gains along the world's gold (people's held-out labels) in standard
/// deviations within a prompt, of the exact optimum at one KL; intervals and differences over prompts
/// (paired).
struct PrincipleEffect {
    int principle = 0; ///< of the constitution
    geometry::Estimate alone; ///< trained on this one only
    geometry::Estimate without; ///< trained on all the others; 0 where there is no other
    geometry::Estimate part; ///< the whole less `without`: what the principle brings or costs
};

/// One change of the constitution.
struct PrincipleRepair {
    enum class Edit { None, SwitchOff, TurnRound } edit = Edit::None;
    int principle = -1;
    geometry::Estimate gained; ///< gain after the edit
    geometry::Estimate change; ///< that less the gain before it
};

struct PrincipleEffects {
    double kl = 0;
    geometry::Estimate whole; ///< the constitution as it is
    std::vector<PrincipleEffect> principles; ///< those that are on and found
    /// The single edit whose judge agrees most with people's direction as fitted to the training labels:
    /// chosen there, measured on the held-out ones, so that the choice does not flatter the measure. None
    /// where the constitution as it is agrees most, or where there is no people's direction.
    PrincipleRepair repair;
};

/// `world` is labWorld(snapshot). Errors: no active principle with a direction, a KL that the pool cannot
/// have, cancellation.
Result<PrincipleEffects>
principleEffects(const Snapshot& snapshot, const policy::World& world, double kl, const Work& work = {});

/// The constitution with the repair made.
constitution::Constitution
repaired(const constitution::Constitution& constitution, const PrincipleRepair& repair);

} // namespace lodestone::session
