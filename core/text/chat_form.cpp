#include "core/text/chat_form.h"

#include <array>
#include <fmt/format.h>

namespace lodestone::text {
namespace {

constexpr std::array<std::string_view, 4> places{ "own-turn", "first-user", "last-user", "dropped" };

/// The texts of a form by their keys, for reading and writing alike.
template <typename Form, typename Function>
void forEachText(Form& form, Function&& each)
{
    each("name", form.name);
    each("begin", form.begin);
    each("system_before", form.system.before);
    each("system_after", form.system.after);
    each("user_before", form.user.before);
    each("user_after", form.user.after);
    each("assistant_before", form.assistant.before);
    each("assistant_after", form.assistant.after);
    each("opening", form.opening);
    each("system_in_user_before", form.systemInUser.before);
    each("system_in_user_after", form.systemInUser.after);
    each("system_head", form.systemHead);
    each("default_system", form.defaultSystem);
}

} // namespace

nlohmann::json toJson(const ChatForm& form)
{
    nlohmann::json document;
    forEachText(form, [&](const char* key, const std::string& text) { document[key] = text; });
    document["system_place"] = std::string(places[static_cast<std::size_t>(form.systemPlace)]);
    document["always_system"] = form.alwaysSystem;
    document["trim"] = form.trim;
    document["trim_system"] = form.trimSystem;
    return document;
}

Result<ChatForm> chatFormFromJson(const nlohmann::json& document, const std::string& where)
{
    if (!document.is_object())
        return badInput("an object that describes a chat form", document.type_name(), where);
    ChatForm form;
    for (const auto& item : document.items()) {
        const std::string name = item.key();
        const nlohmann::json& value = item.value();
        bool known = false, right = false;
        forEachText(form, [&](const char* text, std::string& target) {
            if (name != text)
                return;
            known = true;
            right = value.is_string();
            if (right)
                target = value.get<std::string>();
        });
        for (const auto& [flag, target] :
             { std::pair("trim", &form.trim), std::pair("trim_system", &form.trimSystem),
               std::pair("always_system", &form.alwaysSystem) }) {
            if (name != flag)
                continue;
            known = true;
            right = value.is_boolean();
            if (right)
                *target = value.get<bool>();
        }
        if (name == "system_place") {
            known = true;
            for (std::size_t i = 0; i < places.size(); ++i)
                if (value == places[i]) {
                    form.systemPlace = static_cast<SystemPlace>(i);
                    right = true;
                }
        }
        if (!known || !right)
            return badInput(
                known ? "a value of this key's kind" : "a key of a chat form",
                known ? value.dump() : "'" + name + "'", where + ", key '" + name + "'");
    }
    return form;
}

} // namespace lodestone::text
