#include "core/data/import_activations.h"

#include "core/base/files.h"
#include "core/formats/lines.h"
#include "core/formats/npy.h"
#include "core/formats/open_tensors.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <set>

namespace lodestone::data {
namespace {

using nlohmann::json;

std::string field(const json& row, std::initializer_list<const char*> keys)
{
    for (const char* key : keys)
        if (row.contains(key) && !row[key].is_null())
            return row[key].is_string() ? row[key].get<std::string>() : row[key].dump();
    return {};
}

Result<ResponseSet> readSet(const formats::Table& table, const std::string& where)
{
    ResponseSet set;
    set.kind = ItemKind::Reply;
    std::map<std::string, int> groups;
    std::vector<std::string> labels;
    for (std::size_t i = 0; i < table.rows.size(); ++i) {
        const json& row = table.rows[i].value;
        const std::string text = field(row, { "text", "statement", "response", "instruction" });
        const std::string id = field(row, { "id" }), prompt = field(row, { "prompt" });
        std::string group = field(row, { "group", "pair", "prompt" });
        if (group.empty())
            group = fmt::format("row {}", i);
        set.prompts.push_back({ fmt::format("prompt-{}", i + 1),
                                {},
                                groups.emplace(group, static_cast<int>(groups.size())).first->second });
        if (!prompt.empty())
            set.prompts.back().conversation.push_back({ "user", prompt });
        set.responses.push_back({ id.empty() ? fmt::format("row-{}", i + 1) : id, static_cast<int>(i), text,
                                  field(row, { "value", "category" }), 0, 0 });
        labels.push_back(field(row, { "label" }));
    }
    std::set<std::string> names(labels.begin(), labels.end());
    names.erase("");
    if (names.empty())
        return set;
    if (names.size() != 2)
        return badInput(
            "two different labels, or none", fmt::format("{}", names.size()), where + ", key 'label'");
    set.negativeLabel = *names.begin();
    set.positiveLabel = *names.rbegin();
    std::map<int, std::pair<int, int>> pairOfGroup; // first positive and first negative row of a group
    for (std::size_t i = 0; i < labels.size(); ++i) {
        Response& response = set.responses[i];
        response.label = labels[i].empty() ? 0 : labels[i] == set.positiveLabel ? 1 : -1;
        auto& pair = pairOfGroup.try_emplace(set.prompts[i].group, -1, -1).first->second;
        int& place = response.label > 0 ? pair.first : pair.second;
        if (response.label != 0 && place < 0)
            place = static_cast<int>(i);
    }
    for (const auto& [group, pair] : pairOfGroup)
        if (pair.first >= 0 && pair.second >= 0)
            set.pairs.push_back({ fmt::format("pair-{}", set.pairs.size() + 1), pair.first, pair.second,
                                  set.responses[static_cast<std::size_t>(pair.first)].value });
    return set;
}

} // namespace

Result<ImportSummary> importActivations(
    const std::filesystem::path& activations, const std::filesystem::path& table,
    const std::filesystem::path& folder, const SplitSpec& split)
{
    LODESTONE_TRY(const formats::OpenTensor opened, formats::openTensor(activations.string()));
    const formats::Tensor& array = opened.array();
    if (array.shape.size() != 2 && array.shape.size() != 3)
        return badInput("an array [N, d] or [N, L, d]", array.shapeText(), activations.string());
    const std::size_t rows = array.shape[0], width = array.shape.back(),
                      layers = array.shape.size() == 3 ? array.shape[1] : 1;
    if (rows == 0 || width == 0 || layers == 0)
        return badInput("at least one number", array.shapeText(), activations.string());
    LODESTONE_TRY(const formats::Table texts, formats::readTable(table));
    if (!texts.bad.empty())
        return tl::unexpected(texts.bad.front().error);
    if (texts.rows.size() != rows)
        return badInput(
            fmt::format("{} rows as in {}", rows, activations.string()), fmt::format("{}", texts.rows.size()),
            table.string());
    LODESTONE_TRY(const ResponseSet set, readSet(texts, table.string()));
    RowMatrix values(static_cast<Eigen::Index>(rows), static_cast<Eigen::Index>(layers * width));
    array.read(0, array.items(), values.data());
    for (Eigen::Index i = 0; i < values.rows(); ++i)
        if (!values.row(i).allFinite())
            return badInput(
                "finite activations", "NaN or infinity", fmt::format("{}, row {}", activations.string(), i));

    std::error_code error;
    if (std::filesystem::exists(folder / "study.json", error))
        return badInput("a new folder", "a finished study", folder.string());
    std::filesystem::create_directories(folder / "activations", error);
    if (error)
        return fail(ErrorKind::Failed, "to create the study's folder", error.message(), folder.string());
    json arrays = json::array();
    for (std::size_t k = 0; k < layers; ++k) {
        // A single layer is called block 0 output: where it was taken is not known here.
        const Layer layer = layers == 1 ? Layer::blockOutput(0) : Layer::atRow(static_cast<int>(k));
        const std::string file = fmt::format(
            "activations/{}.mean.npy",
            layer.isEmbedding() ? "embedding" : fmt::format("block-{}", layer.block()));
        LODESTONE_CHECK(formats::writeNpy(
            folder / file,
            values.middleCols(static_cast<Eigen::Index>(k * width), static_cast<Eigen::Index>(width)),
            formats::NpyType::F32));
        arrays.push_back({ { "layer", layerToJson(layer) },
                           { "position", "mean" },
                           { "file", file },
                           { "rows", rows },
                           { "type", "<f4" } });
    }
    LODESTONE_CHECK(writeTexts(folder, set));
    Fingerprint content;
    content.add(values.data(), static_cast<std::size_t>(values.size()));
    json manifest{ { "format", "lodestone-study" },
                   { "version", 1 },
                   { "name", folder.filename().string() },
                   { "kind", itemKindName(set.kind) },
                   { "seed", split.seed },
                   { "splits", { { "seed", split.seed }, { "train_fraction", split.trainFraction } } },
                   { "model",
                     { { "name", "imported activations" },
                       { "sha256", content.hex() },
                       { "architecture", "unknown" },
                       { "blocks", layers == 1 ? 1 : layers - 1 },
                       { "width", width } } },
                   { "arrays", arrays } };
    if (set.labelled()) {
        manifest["positive_label"] = set.positiveLabel;
        manifest["negative_label"] = set.negativeLabel;
    }
    LODESTONE_CHECK(writeFileAtomically(
        folder / "study.json", manifest.dump(1, ' ', false, json::error_handler_t::replace)));
    return ImportSummary{ set.responses.size(), set.pairs.size(), layers };
}

} // namespace lodestone::data
