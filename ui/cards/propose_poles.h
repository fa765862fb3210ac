// Gives a principle the pole words that its text proposes: at once where a template fits, else after asking
// the model.
#pragma once

#include <string>

namespace lodestone::ui {

class Session;

/// Of the principle with this id in the session's constitution. One undoable edit; a principle that was
/// judged by its text is judged by its words from then on. What was not found is said by Session::noted. The
/// model is asked on the model lane; a later proposal replaces one that still runs.
void proposePoles(Session& session, const std::string& id);

} // namespace lodestone::ui
