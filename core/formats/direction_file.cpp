#include "core/formats/direction_file.h"

#include "core/base/files.h"
#include "core/formats/byte_reader.h"
#include "core/formats/control_vector.h"
#include "core/formats/direction_notes.h"
#include "core/formats/lines.h"
#include "core/formats/npy.h"
#include "core/formats/open_tensors.h"
#include "core/formats/safetensors.h"

#include <algorithm>
#include <charconv>

namespace lodestone::formats {
namespace {

constexpr std::uint64_t rowLimit = 4096; ///< so many directions are read from one array without a choice

/// How a sparse autoencoder's tensors hold their features: SAELens and Gemma Scope call them W_enc [width,
/// features] and W_dec [features, width], modules of linear layers encoder.weight [features, width] and
/// decoder.weight [width, features].
struct FeatureTensor {
    const char* name;
    bool encoder;
    std::size_t featureAxis;
};
constexpr FeatureTensor featureTensors[] = {
    { "W_dec", false, 0 }, { "decoder.weight", false, 1 }, { "W_enc", true, 1 }, { "encoder.weight", true, 0 }
};

const FeatureTensor* featuresOf(const TensorFile& file, bool encoder)
{
    for (const FeatureTensor& entry : featureTensors) {
        const auto found = file.tensors.find(entry.name);
        if (entry.encoder == encoder && found != file.tensors.end() && found->second.shape.size() == 2)
            return &entry;
    }
    return nullptr;
}

/// The vector of `width` items at `first`, `step` apart in row-major order.
Result<FileDirection> vectorAt(
    const TensorFile& file, const Tensor& tensor, std::string name, std::uint64_t first, std::uint64_t width,
    std::uint64_t step)
{
    FileDirection direction;
    direction.name = std::move(name);
    direction.values.resize(static_cast<Eigen::Index>(width));
    if (step == 1)
        tensor.read(first, width, direction.values.data());
    else
        for (std::uint64_t i = 0; i < width; ++i)
            tensor.read(first + i * step, 1, &direction.values[static_cast<Eigen::Index>(i)]);
    if (width == 0 || !direction.values.allFinite())
        return badInput(
            "finite numbers", width == 0 ? "none at all" : "NaN or infinity", file.where(direction.name));
    return direction;
}

/// "3/10" as places in the leading dimensions.
Result<std::vector<std::uint64_t>> places(std::string_view text, const std::string& where)
{
    std::vector<std::uint64_t> result;
    for (std::size_t at = 0; at <= text.size() && result.size() <= 64;) {
        const std::size_t end = std::min(text.find('/', at), text.size());
        std::uint64_t value = 0;
        const auto [stop, error] = std::from_chars(text.data() + at, text.data() + end, value);
        if (end == at || error != std::errc() || stop != text.data() + end)
            return badInput("a place from 0, as in #NAME/3/10", "'" + shownName(text) + "'", where);
        result.push_back(value);
        at = end + 1;
    }
    return result;
}

/// One row of an array: all dimensions but the last are chosen.
Result<FileDirection> rowOf(
    const TensorFile& file, const std::string& name, const Tensor& tensor,
    const std::vector<std::uint64_t>& place)
{
    if (place.size() + 1 != tensor.shape.size())
        return badInput(
            fmt::format("{} places to choose a row of shape {}", tensor.shape.size() - 1, tensor.shapeText()),
            fmt::format("{}", place.size()), file.where(name));
    std::uint64_t row = 0;
    for (std::size_t k = 0; k < place.size(); ++k) {
        if (place[k] >= tensor.shape[k])
            return badInput(
                fmt::format("a place below {}", tensor.shape[k]), std::to_string(place[k]), file.where(name));
        row = row * tensor.shape[k] + place[k];
    }
    return vectorAt(
        file, tensor, place.empty() ? name : fmt::format("{}/{}", name, fmt::join(place, "/")),
        row * tensor.shape.back(), tensor.shape.back(), 1);
}

Result<FileDirection>
featureOf(const TensorFile& file, const FeatureTensor& features, std::string_view number)
{
    const Tensor& tensor = file.tensors.find(features.name)->second;
    const std::string name = fmt::format("{}/{}", features.encoder ? "encoder" : "decoder", number);
    LODESTONE_TRY(const auto place, places(number, file.where(name)));
    const std::uint64_t count = tensor.shape[features.featureAxis],
                        width = tensor.shape[1 - features.featureAxis];
    if (place.size() != 1 || place[0] >= count)
        return badInput(
            fmt::format("a feature below {}", count), shownName(number), file.where(features.name));
    const bool rows = features.featureAxis == 0;
    LODESTONE_TRY(
        FileDirection direction,
        vectorAt(file, tensor, name, rows ? place[0] * width : place[0], width, rows ? 1 : count));
    direction.role = features.encoder ? DirectionRole::ReadOut : DirectionRole::Displacement;
    return direction;
}

/// What `#NAME` chooses.
Result<FileDirection> chosen(const TensorFile& file, const std::string& name)
{
    const auto whole = file.tensors.find(name);
    if (whole != file.tensors.end() && !whole->second.shape.empty())
        return rowOf(file, name, whole->second, {});
    for (const bool encoder : { true, false }) {
        const std::string_view prefix = encoder ? "encoder/" : "decoder/";
        const FeatureTensor* features = featuresOf(file, encoder);
        if (features && name.rfind(prefix, 0) == 0)
            return featureOf(file, *features, std::string_view(name).substr(prefix.size()));
    }
    // The longest tensor name that is followed by places; names may themselves hold slashes.
    for (std::size_t at = name.rfind('/'); at != std::string::npos && at > 0; at = name.rfind('/', at - 1)) {
        const auto found = file.tensors.find(std::string_view(name).substr(0, at));
        if (found == file.tensors.end() || found->second.shape.empty())
            continue;
        LODESTONE_TRY(const auto place, places(std::string_view(name).substr(at + 1), file.where(name)));
        return rowOf(file, found->first, found->second, place);
    }
    // Of a file with one array the places alone say enough.
    if (file.tensors.size() == 1 && !file.tensors.begin()->second.shape.empty())
        if (const auto place = places(name, file.where(name)))
            return rowOf(file, file.tensors.begin()->first, file.tensors.begin()->second, *place);
    std::string names;
    for (const auto& [tensor, unused] : file.tensors)
        if (names.size() < 120)
            names += (names.empty() ? "" : ", ") + shownName(tensor);
    return badInput("a tensor among " + names, "'" + shownName(name) + "'", file.path.string());
}

/// All vectors of a tensor, named by their places.
Result<void>
addRows(DirectionFile& result, const TensorFile& file, const std::string& name, const Tensor& tensor)
{
    const std::uint64_t width = tensor.shape.empty() ? 1 : tensor.shape.back();
    const std::uint64_t rows = width == 0 ? 0 : tensor.items() / width;
    if (tensor.shape.empty() || rows == 0 || rows > rowLimit)
        return badInput(
            fmt::format("from 1 to {} directions, or one chosen as FILE#{}/ROW", rowLimit, shownName(name)),
            "shape " + tensor.shapeText(), file.where(name));
    for (std::uint64_t row = 0; row < rows; ++row) {
        std::vector<std::uint64_t> place(tensor.shape.size() - 1);
        std::uint64_t rest = row;
        for (std::size_t k = place.size(); k-- > 0; rest /= tensor.shape[k])
            place[k] = rest % tensor.shape[k];
        LODESTONE_TRY(FileDirection direction, rowOf(file, name, tensor, place));
        if (rows == 1)
            direction.name = name;
        result.directions.push_back(std::move(direction));
    }
    return {};
}

Result<DirectionFile> fromControlVector(const std::filesystem::path& path)
{
    LODESTONE_TRY(const Gguf file, Gguf::open(path));
    LODESTONE_TRY(const ControlVector vector, readControlVector(file));
    DirectionFile result;
    result.path = path;
    result.format = "control vector";
    DirectionNotes notes;
    LODESTONE_TRY(notes, directionNotes(vector.notes, path.string()));
    result.origin = notes.origin;
    if (result.origin.model.empty())
        result.origin.model = vector.modelHint;
    for (const auto& [layer, values] : vector.directions)
        result.directions.push_back({ fmt::format("direction.{}", layer.number()), values, layer.layer(),
                                      DirectionRole::Displacement });
    return result;
}

} // namespace

Result<DirectionFile> directionsOf(const TensorFile& file, const std::string& name)
{
    DirectionFile result;
    result.path = file.path;
    result.format = file.format;
    LODESTONE_TRY(const DirectionNotes notes, directionNotes(file.metadata, file.path.string()));
    result.origin = notes.origin;
    if (!name.empty()) {
        LODESTONE_TRY(result.directions.emplace_back(), chosen(file, name));
    } else {
        if (featuresOf(file, false) || featuresOf(file, true))
            return badInput(
                "a feature of the autoencoder as FILE#decoder/N (displacement) or FILE#encoder/N (read-out)",
                "none chosen", file.path.string());
        if (file.tensors.empty())
            return badInput("at least one direction", "none", file.path.string());
        for (const auto& [tensorName, tensor] : file.tensors)
            LODESTONE_CHECK(addRows(result, file, tensorName, tensor));
    }
    for (FileDirection& direction : result.directions) {
        if (direction.role == DirectionRole::Unstated)
            direction.role = notes.role;
        direction.layer = layerNamed(direction.name);
        if (!direction.layer && result.directions.size() == 1)
            direction.layer = notes.layer;
    }
    return result;
}

Result<DirectionFile> readDirectionFile(const std::string& path)
{
    std::error_code error;
    std::string file = path, name;
    if (const std::size_t at = path.rfind('#');
        at != std::string::npos && !std::filesystem::exists(path, error)) {
        file = path.substr(0, at);
        name = path.substr(at + 1);
        if (name.empty())
            return badInput("a name after '#'", "none", path);
    }
    LODESTONE_TRY(const FileKind kind, fileKind(file));
    if (kind == FileKind::Gguf) {
        LODESTONE_TRY(DirectionFile result, fromControlVector(file));
        if (name.empty())
            return result;
        for (FileDirection& direction : result.directions)
            if (direction.name == name) {
                result.directions = { FileDirection(direction) };
                return result;
            }
        return badInput("a direction of the control vector", "'" + shownName(name) + "'", file);
    }
    LODESTONE_TRY(TensorFile tensors, openTensors(file));
    // A .npy file has no room for metadata: they lie beside it.
    if (kind == FileKind::Npy && std::filesystem::exists(file + ".json", error)) {
        LODESTONE_TRY(const nlohmann::json document, readJson(file + ".json"));
        if (!document.is_object())
            return badInput("an object", document.type_name(), file + ".json");
        for (const auto& [key, value] : document.items())
            tensors.metadata[key] = value.is_string() ? value.get<std::string>() : value.dump();
    }
    return directionsOf(tensors, name);
}

Result<const FileDirection*> DirectionFile::only() const
{
    if (directions.size() == 1)
        return &directions.front();
    return badInput(
        "one direction; choose one as FILE#NAME",
        fmt::format(
            "{}, from '{}' to '{}'", directions.size(), shownName(directions.front().name),
            shownName(directions.back().name)),
        path.string());
}

Result<const FileDirection*> DirectionFile::at(Layer layer) const
{
    if (directions.size() == 1)
        return &directions.front();
    for (const FileDirection& direction : directions)
        if (direction.layer == layer)
            return &direction;
    if (std::none_of(
            directions.begin(), directions.end(), [](const FileDirection& d) { return d.layer.has_value(); }))
        return only();
    return badInput("a direction for " + layer.label(), "none among those of the file", path.string());
}

} // namespace lodestone::formats
