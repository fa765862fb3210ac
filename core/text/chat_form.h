// A chat format as data: what stands around each turn. People can edit one as JSON when a model's own
// template is not recognised.
#pragma once

#include "core/base/error.h"

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace lodestone::text {

/// What stands around a turn's text. "{role}" becomes the role's name.
struct TurnForm {
    std::string before, after;
    bool operator==(const TurnForm&) const = default;
};

/// Where the text of a leading system turn goes.
enum class SystemPlace {
    OwnTurn,
    FirstUser, ///< before the first user text, with systemInUser around it
    LastUser, ///< before the last user text
    Dropped ///< the model's own template leaves it out
};

struct ChatForm {
    std::string name = "plain";
    std::string begin; ///< once, before everything (BOS)
    TurnForm system{ "", "\n\n" };
    TurnForm user{ "Human: ", "\n\n" };
    TurnForm assistant{ "Assistant: ", "\n\n" };
    std::string opening = "Assistant:"; ///< what opens the assistant's next turn
    SystemPlace systemPlace = SystemPlace::OwnTurn;
    TurnForm systemInUser{ "", "\n\n" };
    std::string systemHead; ///< text of every system turn, before its own
    std::string defaultSystem; ///< where a conversation brings none
    bool alwaysSystem = false; ///< a system turn even without a text
    bool trim = false; ///< white space around the texts is taken off
    bool trimSystem = false; ///< around a system text in a turn of its own
    bool operator==(const ChatForm&) const = default;
};

nlohmann::json toJson(const ChatForm& form);
/// Keys that are missing keep the plain form's value. Errors: a key that is unknown or of the wrong kind.
Result<ChatForm> chatFormFromJson(const nlohmann::json& document, const std::string& where);

/// The form of a Jinja chat template as model files carry it, recognised by its marks, with the fixed texts
/// that it holds; a form named "" when it is none of the known ones. `bos` and `eos` are the
/// texts of these tokens. Dates are the template's own fixed one, never today's.
ChatForm recogniseForm(std::string_view jinja, const std::string& bos, const std::string& eos);

} // namespace lodestone::text
