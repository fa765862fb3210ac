#include "core/data/response_set.h"

#include "core/formats/lines.h"

#include <algorithm>
#include <cctype>
#include <fmt/format.h>
#include <map>
#include <optional>

namespace lodestone::data {
namespace {

using nlohmann::json;
using Conversation = std::vector<text::Message>;

constexpr std::string_view lastAssistant = "\n\nAssistant:";

std::string shownKeys(const json& row)
{
    std::string keys;
    for (const auto& [name, value] : row.items())
        keys += (keys.empty() ? "" : ", ") + name;
    return keys.empty() ? "none" : keys.substr(0, 120);
}

std::string lowerCase(std::string text)
{
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) {
        return static_cast<char>(std::tolower(c));
    });
    return text;
}

Result<Conversation> parseTurns(const json& list, const std::string& where)
{
    Conversation turns;
    for (const json& turn : list) {
        if (!turn.is_object() || !turn.contains("role") || !turn.contains("content")
            || !turn["role"].is_string() || !turn["content"].is_string())
            return badInput(
                "turns {role, content}, both texts",
                turn.is_object() ? "keys " + shownKeys(turn) : turn.type_name(), where);
        turns.push_back({ turn["role"], turn["content"] });
    }
    return turns;
}

/// A prompt field: a text (perhaps a transcript) or a list of turns.
Result<Conversation> parsePrompt(const json& field, const std::string& where)
{
    if (field.is_array())
        return parseTurns(field, where);
    if (!field.is_string())
        return badInput("a text or a list of turns", field.type_name(), where);
    const auto& text = field.get_ref<const std::string&>();
    if (text.find("\n\nHuman:") != std::string::npos) {
        Conversation turns = parseTranscript(text);
        if (!turns.empty() && turns.back().role == "assistant" && turns.back().content.empty())
            turns.pop_back(); // the transcript ends with the words that open the reply
        return turns;
    }
    return Conversation{ { "user", text } };
}

struct Dialogue {
    Conversation prompt;
    std::string reply;
    bool endsBeforeReply = false; ///< a transcript whose last turn is empty
};

/// What became of a row.
enum class Row { Taken, LeftOut };

/// A chosen or rejected field, with the prompt beside it or inside.
Result<Dialogue>
parseDialogue(const json& field, const std::optional<Conversation>& prompt, const std::string& where)
{
    Dialogue dialogue;
    if (field.is_array()) {
        LODESTONE_TRY(Conversation turns, parseTurns(field, where));
        if (turns.empty() || turns.back().role != "assistant")
            return badInput(
                "a last turn of the assistant", turns.empty() ? "no turn" : turns.back().role, where);
        dialogue.reply = std::move(turns.back().content);
        turns.pop_back();
        dialogue.prompt = prompt && turns.empty() ? *prompt : std::move(turns);
    } else if (!field.is_string())
        return badInput("a text or a list of turns", field.type_name(), where);
    else if (prompt) {
        dialogue.prompt = *prompt;
        dialogue.reply = field;
    } else {
        const auto& text = field.get_ref<const std::string&>();
        const std::size_t cut = text.rfind(lastAssistant);
        if (cut == std::string::npos)
            return badInput("a dialogue with '\\n\\nAssistant:', or a field 'prompt'", "neither", where);
        dialogue.prompt = parseTranscript(std::string_view(text).substr(0, cut));
        std::string_view reply = std::string_view(text).substr(cut + lastAssistant.size());
        if (!reply.empty() && reply.front() == ' ')
            reply.remove_prefix(1);
        dialogue.reply = reply;
        dialogue.endsBeforeReply = reply.find_first_not_of(" \t\r\n") == std::string_view::npos;
    }
    if (dialogue.prompt.empty())
        return badInput("a prompt before the reply", "none", where);
    if (!dialogue.endsBeforeReply && dialogue.reply.find_first_not_of(" \t\r\n") == std::string::npos)
        return badInput("a reply", "an empty one", where);
    return dialogue;
}

/// The first of these fields that holds a text, a number or a boolean, as text.
std::string textField(const json& row, std::initializer_list<const char*> keys)
{
    for (const char* key : keys)
        if (const auto found = row.find(key); found != row.end()) {
            if (found->is_string())
                return *found;
            if (found->is_primitive() && !found->is_null())
                return found->dump();
        }
    return {};
}

/// Builds the set row by row; each add function leaves the set unchanged when it fails.
class Builder {
public:
    Builder(const ImportOptions& options, Import& import)
        : m_options(options)
        , m_import(import)
    {
    }

    Result<Row> add(const json& row, const std::string& where)
    {
        if (row.contains("chosen") || row.contains("rejected"))
            return addPair(row, where);
        if (row.contains("responses"))
            return addGroup(row, where);
        return addLabelled(row, where);
    }

    Result<void> finish(const std::string& where)
    {
        if (m_labels.empty())
            return {};
        std::vector<std::string> names;
        for (const auto& [name, count] : m_labels)
            names.push_back(name);
        if (names.size() != 2)
            return badInput(
                "two different labels",
                fmt::format(
                    "{} ({})", names.size(),
                    fmt::join(
                        names.begin(),
                        names.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(4, names.size())),
                        ", ")),
                where);
        ResponseSet& set = m_import.set;
        set.negativeLabel = names[0];
        set.positiveLabel = names[1]; // alphabetically later: 1, true, yes, harmless, good, positive
        if (!m_options.positiveLabel.empty()) {
            const std::string wanted = lowerCase(m_options.positiveLabel);
            if (wanted == names[0])
                std::swap(set.positiveLabel, set.negativeLabel);
            else if (wanted != names[1])
                return badInput(
                    fmt::format("a positive label among {} and {}", names[0], names[1]),
                    m_options.positiveLabel, where);
        }
        // Rows of one named group with both labels (a text and its twin) also make a pair to read side by
        // side.
        std::map<int, std::pair<int, int>> ofGroup;
        for (std::size_t i = 0; i < set.responses.size(); ++i) {
            Response& response = set.responses[i];
            response.label = m_labelOfRow[i] == set.positiveLabel ? 1 : -1;
            auto& [positive, negative]
                = ofGroup.try_emplace(set.groupOf(static_cast<int>(i)), -1, -1).first->second;
            int& place = response.label > 0 ? positive : negative;
            if (place < 0)
                place = static_cast<int>(i);
        }
        for (const auto& [group, rows] : ofGroup)
            if (rows.first >= 0 && rows.second >= 0) {
                const Response& positive = set.responses[static_cast<std::size_t>(rows.first)];
                set.pairs.push_back({ positive.id, rows.first, rows.second, positive.value });
            }
        return {};
    }

private:
    int promptIndex(Conversation conversation, const std::string& id, const std::string& group)
    {
        if (m_options.lastTurnOnly) {
            const auto last
                = std::find_if(conversation.rbegin(), conversation.rend(), [](const text::Message& turn) {
                      return turn.role == "user";
                  });
            if (last != conversation.rend())
                conversation = { *last };
        }
        std::string key;
        for (const text::Message& turn : conversation)
            key += turn.role + '\x1f' + turn.content + '\x1e';
        const auto [place, isNew] = m_prompts.emplace(key, static_cast<int>(m_import.set.prompts.size()));
        if (isNew) {
            // The same words are the same group, also when they stand in rows far apart.
            const auto number
                = m_groups.emplace(group.empty() ? key : "group " + group, static_cast<int>(m_groups.size()))
                      .first->second;
            m_import.set.prompts.push_back({ id.empty() ? fmt::format("prompt-{}", place->second + 1) : id,
                                             std::move(conversation), number });
        }
        return place->second;
    }

    int addResponse(int prompt, std::string text, const std::string& value, std::string id)
    {
        m_import.set.responses.push_back({ std::move(id), prompt, std::move(text), value, 0, 0 });
        return static_cast<int>(m_import.set.responses.size()) - 1;
    }

    Result<Row> addPair(const json& row, const std::string& where)
    {
        if (!row.contains("chosen") || !row.contains("rejected"))
            return badInput(
                "both 'chosen' and 'rejected'", row.contains("chosen") ? "no 'rejected'" : "no 'chosen'",
                where);
        std::optional<Conversation> prompt;
        if (row.contains("prompt") && !row["prompt"].is_null()) {
            LODESTONE_TRY(prompt, parsePrompt(row["prompt"], where + ", key 'prompt'"));
        }
        LODESTONE_TRY(Dialogue chosen, parseDialogue(row["chosen"], prompt, where + ", key 'chosen'"));
        LODESTONE_TRY(Dialogue rejected, parseDialogue(row["rejected"], prompt, where + ", key 'rejected'"));
        if (chosen.endsBeforeReply || rejected.endsBeforeReply) {
            m_import.problems.push_back(
                { ErrorKind::BadInput, "a reply after the last '\\n\\nAssistant:'", "nothing",
                  where + (chosen.endsBeforeReply ? ", key 'chosen'" : ", key 'rejected'") });
            return Row::LeftOut;
        }
        if (chosen.prompt != rejected.prompt)
            return badInput("the same dialogue before both replies", "two different ones", where);
        LODESTONE_CHECK(require(ItemKind::Reply, where));
        const std::string id = rowId(row, "pair");
        const std::string value = textField(row, { "value", "category", "topic" });
        const int index = promptIndex(std::move(chosen.prompt), id, textField(row, { "group" }));
        Pair pair{ id, 0, 0, value };
        pair.chosen = addResponse(index, std::move(chosen.reply), value, id + "-chosen");
        pair.rejected = addResponse(index, std::move(rejected.reply), value, id + "-rejected");
        m_import.set.pairs.push_back(std::move(pair));
        return Row::Taken;
    }

    Result<Row> addGroup(const json& row, const std::string& where)
    {
        if (!row.contains("prompt"))
            return badInput("a key 'prompt' beside 'responses'", "none", where);
        LODESTONE_TRY(Conversation prompt, parsePrompt(row["prompt"], where + ", key 'prompt'"));
        const json& list = row["responses"];
        if (!list.is_array() || list.empty())
            return badInput(
                "a list of at least one response", list.is_array() ? "an empty list" : list.type_name(),
                where + ", key 'responses'");
        std::vector<std::string> texts;
        for (const json& response : list) {
            const json& text
                = response.is_object() && response.contains("text") ? response["text"] : response;
            if (!text.is_string() || text.get_ref<const std::string&>().empty())
                return badInput("texts", text.type_name(), where + ", key 'responses'");
            texts.push_back(text);
        }
        LODESTONE_CHECK(require(ItemKind::Reply, where));
        const std::string id = rowId(row, "group");
        const int index = promptIndex(std::move(prompt), id, textField(row, { "group" }));
        for (std::size_t i = 0; i < texts.size(); ++i)
            addResponse(
                index, std::move(texts[i]), textField(row, { "value", "category", "topic" }),
                fmt::format("{}-{}", id, i + 1));
        return Row::Taken;
    }

    Result<Row> addLabelled(const json& row, const std::string& where)
    {
        std::string key;
        for (const char* candidate : { "statement", "text", "instruction", "prompt" })
            if (key.empty() && row.contains(candidate))
                key = candidate;
        if (key.empty() || !row.contains("label"))
            return badInput(
                "chosen/rejected, prompt/responses, or text/statement/instruction/prompt with label",
                fmt::format("keys {}", shownKeys(row)), where);
        const ItemKind kind
            = key == "instruction" || key == "prompt" ? ItemKind::Request : ItemKind::Statement;
        const std::string text = textField(row, { key.c_str() });
        if (text.find_first_not_of(" \t\r\n") == std::string::npos)
            return badInput("a text", "an empty one", where + ", key '" + key + "'");
        const std::string label = lowerCase(textField(row, { "label" }));
        if (label.empty())
            return badInput("a label: a text, a number or a boolean", "none", where + ", key 'label'");
        LODESTONE_CHECK(require(kind, where));
        ++m_labels[label];
        m_labelOfRow.push_back(label);
        const std::string id = rowId(row, "text");
        const std::string group = textField(row, { "group", "pair" });
        if (kind == ItemKind::Request) {
            const int index = promptIndex({ { "user", text } }, id, group);
            addResponse(index, {}, textField(row, { "value", "category", "topic" }), id);
        } else {
            m_import.set.prompts.push_back(
                { id,
                  {},
                  m_groups
                      .emplace(
                          group.empty() ? "text " + id + fmt::format(" {}", m_row) : "group " + group,
                          static_cast<int>(m_groups.size()))
                      .first->second });
            addResponse(
                static_cast<int>(m_import.set.prompts.size()) - 1, text,
                textField(row, { "value", "category", "topic" }), id);
        }
        return Row::Taken;
    }

    Result<void> require(ItemKind kind, const std::string& where)
    {
        if (m_import.set.responses.empty())
            m_import.set.kind = kind;
        if (m_import.set.kind != kind)
            return badInput(
                fmt::format("a {} like the rows before", itemKindName(m_import.set.kind)),
                "a " + itemKindName(kind), where);
        ++m_row;
        return {};
    }

    std::string rowId(const json& row, const char* stem) const
    {
        const std::string id = textField(row, { "id" });
        return id.empty() ? fmt::format("{}-{}", stem, m_row) : id;
    }

    const ImportOptions& m_options;
    Import& m_import;
    std::map<std::string, int> m_prompts, m_groups;
    std::map<std::string, int> m_labels;
    std::vector<std::string> m_labelOfRow;
    int m_row = 0;
};

} // namespace

Result<Import> importTable(const std::filesystem::path& path, const ImportOptions& options)
{
    LODESTONE_TRY(const formats::Table table, formats::readTable(path));
    Import import;
    const auto reject = [&](const Error& error) -> Result<void> {
        if (!options.skipBad)
            return tl::unexpected(error);
        ++import.skipped;
        import.problems.push_back(error);
        return {};
    };
    Builder builder(options, import);
    std::size_t taken = 0, nextBad = 0;
    for (const formats::TableRow& row : table.rows) {
        if (options.limit > 0 && taken >= options.limit)
            break;
        const std::string where = fmt::format("{}, {} {}", path.string(), table.unit, row.line);
        for (; nextBad < table.bad.size() && table.bad[nextBad].line < row.line; ++nextBad)
            LODESTONE_CHECK(reject(table.bad[nextBad].error));
        if (const Result<Row> added = builder.add(row.value, where)) {
            ++(*added == Row::Taken ? taken : import.skipped);
        } else {
            LODESTONE_CHECK(reject(added.error()));
        }
    }
    if (options.limit == 0 || taken < options.limit)
        for (; nextBad < table.bad.size(); ++nextBad)
            LODESTONE_CHECK(reject(table.bad[nextBad].error));
    if (import.set.responses.empty())
        return badInput(
            "at least one pair, group or labelled text", import.skipped ? "bad rows only" : "none",
            path.string());
    LODESTONE_CHECK(builder.finish(path.string()));
    return import;
}

} // namespace lodestone::data
