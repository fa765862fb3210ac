// From a snapshot to the policy lab's world: one study at one layer with everything that rewards, rules and
// failures are measured on.
#pragma once

#include "core/policy/reward_source.h"
#include "core/session/snapshot.h"

namespace lodestone::session {

/// Gold is people's direction refitted to the held-out labels, which trained no reward; on pairs, the labels
/// themselves. Errors: no held-out prompt with two candidates, no people's labels at all (nothing to measure
/// a value by).
Result<policy::World> labWorld(const Snapshot& snapshot);

/// Share of the reply's different words (three letters and more) that its prompt's last user turn has too:
/// how much a reply repeats the user. A crude, lexical stand-in for agreement; said so wherever it is shown.
Eigen::VectorXd echoOf(const data::ResponseSet& set);

} // namespace lodestone::session
