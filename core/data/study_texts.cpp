#include "core/data/study.h"

#include "core/base/files.h"
#include "core/formats/lines.h"

#include <fmt/format.h>
#include <map>

namespace lodestone::data {
namespace {

using nlohmann::json;
using Ordered = nlohmann::ordered_json;

std::string line(const Ordered& row)
{
    return row.dump(-1, ' ', false, Ordered::error_handler_t::replace) + "\n";
}

/// Reads one .jsonl of the study, every row of which must be there and sound.
template <typename Add>
Result<void> readRows(const std::filesystem::path& path, const Add& add)
{
    std::error_code error;
    if (std::filesystem::exists(path, error) && std::filesystem::file_size(path, error) == 0)
        return {};
    LODESTONE_TRY(const formats::Table table, formats::readTable(path));
    if (!table.bad.empty())
        return tl::unexpected(table.bad.front().error);
    for (const formats::TableRow& row : table.rows) {
        const std::string where = fmt::format("{}, {} {}", path.string(), table.unit, row.line);
        try {
            LODESTONE_CHECK(add(row.value, where));
        } catch (const json::exception& failure) {
            return badInput("a row of this study's format", failure.what(), where);
        }
    }
    return {};
}

} // namespace

Result<void> writeTexts(const std::filesystem::path& folder, const ResponseSet& set)
{
    std::string prompts, responses, pairs;
    for (const Prompt& prompt : set.prompts) {
        Ordered turns = Ordered::array();
        for (const text::Message& turn : prompt.conversation)
            turns.push_back({ { "role", turn.role }, { "content", turn.content } });
        prompts += line({ { "id", prompt.id }, { "group", prompt.group }, { "conversation", turns } });
    }
    for (const Response& response : set.responses) {
        Ordered row{ { "id", response.id },
                     { "prompt", response.prompt },
                     { "text", response.text },
                     { "tokens", response.tokens } };
        if (!response.value.empty())
            row["value"] = response.value;
        if (response.label != 0)
            row["label"] = response.label > 0 ? set.positiveLabel : set.negativeLabel;
        responses += line(row);
    }
    for (const Pair& pair : set.pairs) {
        Ordered row{ { "id", pair.id }, { "chosen", pair.chosen }, { "rejected", pair.rejected } };
        if (!pair.value.empty())
            row["value"] = pair.value;
        pairs += line(row);
    }
    LODESTONE_CHECK(writeFileAtomically(folder / "prompts.jsonl", prompts));
    LODESTONE_CHECK(writeFileAtomically(folder / "responses.jsonl", responses));
    return writeFileAtomically(folder / "pairs.jsonl", pairs);
}

Result<ResponseSet>
readTexts(const std::filesystem::path& folder, const json& manifest, const std::string& where)
{
    ResponseSet set;
    const auto kind = parseItemKind(manifest.value("kind", "reply"));
    if (!kind)
        return badInput(kind.error().expected, kind.error().found, where + ", key 'kind'");
    set.kind = *kind;
    set.positiveLabel = manifest.value("positive_label", "");
    set.negativeLabel = manifest.value("negative_label", "");
    LODESTONE_CHECK(
        readRows(folder / "prompts.jsonl", [&](const json& row, const std::string&) -> Result<void> {
            Prompt prompt{ row.at("id"), {}, row.at("group") };
            for (const json& turn : row.at("conversation"))
                prompt.conversation.push_back({ turn.at("role"), turn.at("content") });
            set.prompts.push_back(std::move(prompt));
            return {};
        }));
    LODESTONE_CHECK(
        readRows(folder / "responses.jsonl", [&](const json& row, const std::string& place) -> Result<void> {
            Response response{
                row.at("id"),          row.at("prompt"), row.at("text"), row.value("value", ""), 0,
                row.value("tokens", 0)
            };
            if (response.prompt < 0 || static_cast<std::size_t>(response.prompt) >= set.prompts.size())
                return badInput(
                    fmt::format("a prompt below {}", set.prompts.size()), std::to_string(response.prompt),
                    place);
            if (row.contains("label")) {
                const std::string label = row["label"];
                if (!set.labelled() || (label != set.positiveLabel && label != set.negativeLabel))
                    return badInput("a label of the manifest", "'" + label + "'", place);
                response.label = label == set.positiveLabel ? 1 : -1;
            }
            set.responses.push_back(std::move(response));
            return {};
        }));
    LODESTONE_CHECK(
        readRows(folder / "pairs.jsonl", [&](const json& row, const std::string& place) -> Result<void> {
            Pair pair{ row.at("id"), row.at("chosen"), row.at("rejected"), row.value("value", "") };
            for (const int index : { pair.chosen, pair.rejected })
                if (index < 0 || static_cast<std::size_t>(index) >= set.responses.size())
                    return badInput(
                        fmt::format("a response below {}", set.responses.size()), std::to_string(index),
                        place);
            set.pairs.push_back(std::move(pair));
            return {};
        }));
    if (set.responses.empty())
        return badInput("at least one response", "none", where);
    return set;
}

} // namespace lodestone::data
