#include "core/formats/direction_notes.h"

#include "core/formats/byte_reader.h"
#include "core/formats/control_vector.h"
#include "core/formats/npy.h"
#include "core/formats/safetensors.h"

#include "core/base/files.h"

#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

namespace lodestone::formats {
namespace {

using Texts = std::map<std::string, std::string, std::less<>>;

std::string valueOf(const Texts& texts, std::string_view key)
{
    const auto found = texts.find(key);
    return found == texts.end() ? std::string() : found->second;
}

} // namespace

std::string_view directionRoleName(DirectionRole role)
{
    return role == DirectionRole::ReadOut     ? "read-out"
        : role == DirectionRole::Displacement ? "displacement"
                                              : "unstated";
}

Result<DirectionNotes> directionNotes(const Texts& texts, const std::string& where)
{
    DirectionNotes notes;
    notes.origin.model = valueOf(texts, "model");
    notes.origin.modelSha256 = valueOf(texts, "model_sha256");
    notes.origin.position = valueOf(texts, "position");
    notes.origin.way = valueOf(texts, "way");
    notes.origin.orientation = valueOf(texts, "orientation");
    if (const std::string layer = valueOf(texts, "layer"); !layer.empty()) {
        const Result<Layer> parsed = Layer::parse(layer);
        if (!parsed)
            return badInput(
                "'embedding' or a block's number", "'" + shownName(layer) + "'", where + ", key 'layer'");
        notes.layer = *parsed;
    }
    if (const std::string role = valueOf(texts, "role"); !role.empty()) {
        notes.role = role == directionRoleName(DirectionRole::ReadOut) ? DirectionRole::ReadOut
            : role == directionRoleName(DirectionRole::Displacement)   ? DirectionRole::Displacement
                                                                       : DirectionRole::Unstated;
        if (role != directionRoleName(notes.role))
            return badInput(
                "'read-out' or 'displacement'", "'" + shownName(role) + "'", where + ", key 'role'");
    }
    if (const std::string score = valueOf(texts, "held_out_score"); !score.empty()) {
        double value = 0;
        const auto [end, error] = std::from_chars(score.data(), score.data() + score.size(), value);
        if (error != std::errc() || end != score.data() + score.size() || !std::isfinite(value))
            return badInput("a number", "'" + shownName(score) + "'", where + ", key 'held_out_score'");
        notes.origin.heldOutScore = value;
    }
    return notes;
}

Texts textsOf(const DirectionNotes& notes)
{
    Texts texts;
    const auto add = [&](const char* key, const std::string& value) {
        if (!value.empty())
            texts.emplace(key, value);
    };
    add("model", notes.origin.model);
    add("model_sha256", notes.origin.modelSha256);
    add("position", notes.origin.position);
    add("way", notes.origin.way);
    add("orientation", notes.origin.orientation);
    add("layer", notes.layer ? notes.layer->token() : "");
    add("role", notes.role == DirectionRole::Unstated ? "" : std::string(directionRoleName(notes.role)));
    add("held_out_score", notes.origin.heldOutScore ? fmt::format("{}", *notes.origin.heldOutScore) : "");
    return texts;
}

std::string layerTensorName(Layer layer)
{
    return layer.isEmbedding() ? "embedding" : fmt::format("block_{}_output", layer.block());
}

std::optional<Layer> layerNamed(const std::string& name)
{
    if (name == "embedding")
        return Layer::embedding();
    constexpr std::string_view prefix = "block_", suffix = "_output";
    if (name.size() <= prefix.size() + suffix.size() || name.size() > 32 || name.rfind(prefix, 0) != 0)
        return std::nullopt;
    const std::size_t end = name.size() - suffix.size();
    int block = 0;
    const auto [stop, error] = std::from_chars(name.data() + prefix.size(), name.data() + end, block);
    if (error != std::errc() || stop != name.data() + end || block < 0 || block > 65535
        || layerTensorName(Layer::blockOutput(block)) != name)
        return std::nullopt;
    return Layer::blockOutput(block);
}

Result<void> writeDirectionFile(const std::filesystem::path& path, const DirectionFile& file)
{
    const std::string extension = path.extension().string(), where = path.string();
    if (file.directions.empty())
        return badInput("at least one direction", "none", where);
    const FileDirection& first = file.directions.front();
    const bool single = file.directions.size() == 1;
    const Texts texts = textsOf({ file.origin, single ? first.layer : std::nullopt, first.role });
    if (extension == ".npy") {
        if (!single)
            return badInput("one direction in a .npy file", fmt::format("{}", file.directions.size()), where);
        LODESTONE_CHECK(writeNpy(path, first.values.transpose()));
        return writeFileAtomically(where + ".json", nlohmann::json(texts).dump(2) + "\n");
    }
    if (extension == ".safetensors") {
        std::vector<TensorToWrite> tensors;
        for (const FileDirection& direction : file.directions)
            tensors.push_back(
                { single                ? "direction"
                      : direction.layer ? layerTensorName(*direction.layer)
                                        : direction.name,
                  { static_cast<std::uint64_t>(direction.values.size()) },
                  { direction.values.data(), static_cast<std::size_t>(direction.values.size()) } });
        return writeSafetensors(path, tensors, texts);
    }
    if (extension != ".gguf")
        return badInput(
            "a name that ends with .npy, .safetensors or .gguf", "'" + shownName(extension) + "'", where);
    ControlVector vector;
    vector.modelHint = file.origin.model;
    vector.notes = texts;
    for (const FileDirection& direction : file.directions) {
        if (direction.role == DirectionRole::ReadOut || !direction.layer)
            return badInput(
                "displacements with a layer in a control vector",
                direction.layer ? "a read-out" : "a direction without a layer", where);
        LODESTONE_TRY(const ControlVectorLayer layer, ControlVectorLayer::of(*direction.layer));
        if (!vector.directions.emplace(layer, direction.values).second)
            return badInput("one direction per layer", "two for " + direction.layer->label(), where);
    }
    return writeControlVector(path, vector);
}

} // namespace lodestone::formats
