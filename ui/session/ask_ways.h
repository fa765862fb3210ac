// Asks the model in ways that nobody asked yet, and keeps what it says with the study that is open.
#pragma once

#include "ui/session/session.h"

namespace lodestone::ui {

/// The kind of such jobs on the model lane.
QString askWaysKind();

/// On the model lane: what `ways` need to know of these principles, about every labelled reply. What was
/// answered is kept in the user's cache, also when it was stopped; then the study is extended by it.
void askInWays(
    Session& session, std::vector<constitution::Principle> principles, std::vector<std::string> ways);

} // namespace lodestone::ui
