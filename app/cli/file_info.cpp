#include "app/cli/file_info.h"

#include "core/formats/control_vector.h"
#include "core/formats/direction_file.h"
#include "core/formats/lines.h"
#include "core/formats/npy.h"
#include "core/formats/open_tensors.h"

#include <fmt/format.h>
#include <map>

namespace lodestone::app {
namespace {

using formats::FileKind;

/// The file of "FILE#NAME", or the path itself.
std::string fileOf(const std::string& path)
{
    std::error_code error;
    const std::size_t at = path.rfind('#');
    return at == std::string::npos || std::filesystem::exists(path, error) ? path : path.substr(0, at);
}

/// Texts that people write: JSON Lines, JSON and CSV, also gzipped.
bool isText(const std::filesystem::path& path)
{
    const std::string extension
        = path.extension() == ".gz" ? path.stem().extension().string() : path.extension().string();
    return extension == ".jsonl" || extension == ".json" || extension == ".csv";
}

std::string line(const std::string& key, const std::string& value)
{
    return value.empty() ? "" : fmt::format("{:<14} {}\n", key, value);
}

void describe(const formats::DirectionFile& file, PathInfo& info)
{
    Json& document = info.document;
    const formats::DirectionOrigin& origin = file.origin;
    document["model"] = origin.model;
    document["model_sha256"] = origin.modelSha256;
    document["position"] = origin.position;
    document["way"] = origin.way;
    document["orientation"] = origin.orientation;
    document["held_out_score"] = origin.heldOutScore ? Json(*origin.heldOutScore) : Json(nullptr);
    document["width"] = file.directions.front().values.size();
    document["directions"] = Json::array();
    info.table += line("model", origin.model) + line("position", origin.position) + line("way", origin.way)
        + line("orientation", origin.orientation)
        + line("held-out score", origin.heldOutScore ? fmt::format("{:.3f}", *origin.heldOutScore) : "");
    std::string rows;
    for (const formats::FileDirection& direction : file.directions) {
        const double norm = direction.values.cast<double>().norm();
        const std::string role(formats::directionRoleName(direction.role));
        document["directions"].push_back(
            { { "name", direction.name },
              { "layer", direction.layer ? layerJson(*direction.layer) : Json(nullptr) },
              { "role", role },
              { "norm", norm } });
        rows += fmt::format(
            "{:<24} {:<16} {:<12} norm {:.6g}\n", direction.name,
            direction.layer ? direction.layer->label() : "layer unstated", role, norm);
    }
    info.table += fmt::format(
        "{} direction{} of {} numbers\n", file.directions.size(), file.directions.size() == 1 ? "" : "s",
        file.directions.front().values.size());
    info.table += rows;
}

Result<PathInfo> infoOfDirections(const std::string& path, const char* kind)
{
    LODESTONE_TRY(const formats::DirectionFile file, formats::readDirectionFile(path));
    PathInfo info{ { { "kind", kind }, { "path", path }, { "format", file.format } },
                   fmt::format("{}: {} ({})\n", path, kind, file.format) };
    describe(file, info);
    return info;
}

Result<PathInfo> infoOfTensors(const std::string& path)
{
    LODESTONE_TRY(const formats::TensorFile file, formats::openTensors(path));
    // A direction says what it is; anything else is an array, or several.
    const auto says = [&](const char* key) { return file.metadata.count(key) > 0; };
    std::error_code error;
    const bool noted = file.format == "npy" && std::filesystem::exists(path + ".json", error);
    if (says("role") || says("held_out_score") || noted)
        if (auto info = infoOfDirections(path, "direction"))
            return info;
    const bool coder = file.tensors.count("W_dec") || file.tensors.count("W_enc")
        || (file.tensors.count("encoder.weight") && file.tensors.count("decoder.weight"));
    const char* kind = file.format == "npy" ? "array" : coder ? "autoencoder" : "tensors";
    PathInfo info{ { { "kind", kind }, { "path", path }, { "format", file.format }, { "bytes", file.bytes } },
                   fmt::format("{}: {} ({}, {} bytes)\n", path, kind, file.format, file.bytes) };
    if (file.format == "npy") {
        const formats::Tensor& array = file.tensors.begin()->second;
        info.document["shape"] = array.shape;
        info.document["type"] = formats::npyTypeName(array.type);
        info.table = fmt::format(
            "{}: array ({}) of {}\n", path, fmt::join(array.shape, ", "), formats::npyTypeName(array.type));
        return info;
    }
    Json tensors = Json::array(), names = Json::array();
    for (const auto& [name, tensor] : file.tensors) {
        tensors.push_back(
            { { "name", name }, { "shape", tensor.shape }, { "type", formats::elementName(tensor.type) } });
        info.table
            += fmt::format("{:<40} {:<6} {}\n", name, formats::elementName(tensor.type), tensor.shapeText());
    }
    for (const auto& shard : file.files)
        names.push_back(shard.filename().string());
    info.document["files"] = names;
    info.document["tensors"] = tensors;
    info.document["metadata"] = file.metadata;
    info.document["left_out"] = file.leftOut;
    for (const auto& [key, value] : file.metadata)
        info.table += line(key, value.substr(0, 200));
    for (const std::string& name : file.leftOut)
        info.table += "not numbers, left out: " + name + "\n";
    if (coder)
        info.table
            += "directions: FILE#encoder/N (read-out) and FILE#decoder/N (displacement) of feature N\n";
    return info;
}

Result<PathInfo> infoOfTable(const std::string& path)
{
    LODESTONE_TRY(const formats::Table table, formats::readTable(path));
    std::map<std::string, std::size_t> columns;
    for (const formats::TableRow& row : table.rows)
        for (const auto& [key, value] : row.value.items())
            ++columns[key];
    Json counts = Json::object();
    std::string text = fmt::format("{}: table of {} rows", path, table.rows.size());
    text += table.bad.empty() ? "\n" : fmt::format(", {} more could not be read\n", table.bad.size());
    for (const auto& [name, count] : columns) {
        counts[name] = count;
        text += fmt::format("{:<24} in {} rows\n", name, count);
    }
    PathInfo info{ { { "kind", "table" },
                     { "path", path },
                     { "rows", table.rows.size() },
                     { "bad_rows", table.bad.size() },
                     { "columns", counts } },
                   std::move(text) };
    if (!table.bad.empty()) {
        info.document["first_bad_row"] = table.bad.front().error.message();
        info.table += "first of them: " + table.bad.front().error.message() + "\n";
    }
    return info;
}

/// One JSON document that is no list: a constitution, or another object.
Result<PathInfo> infoOfJson(const std::string& path)
{
    LODESTONE_TRY(const nlohmann::json document, formats::readJson(path));
    if (!document.is_object())
        return infoOfTable(path);
    const bool constitution = document.contains("principles") && document["principles"].is_array();
    Json keys = Json::array();
    for (const auto& [key, value] : document.items())
        keys.push_back(key);
    const char* kind = constitution ? "constitution" : "json";
    PathInfo info{ { { "kind", kind }, { "path", path }, { "keys", keys } },
                   fmt::format("{}: {}\nkeys: {}\n", path, kind, keys.dump()) };
    if (constitution) {
        info.document["principles"] = document["principles"].size();
        info.table += fmt::format("{} principles\n", document["principles"].size());
    }
    return info;
}

} // namespace

bool isToldByItsContent(const std::string& path)
{
    const std::filesystem::path file = fileOf(path);
    std::error_code error;
    if (std::filesystem::is_directory(file, error))
        return std::filesystem::exists(file / "model.safetensors", error)
            || std::filesystem::exists(file / "model.safetensors.index.json", error);
    const std::string extension = file.extension().string();
    if (file != path || isText(file) || extension == ".npy" || extension == ".npz" || extension == ".pt"
        || extension == ".safetensors")
        return true;
    const auto kind = formats::fileKind(file);
    if (!kind || *kind == FileKind::Other)
        return false;
    if (*kind != FileKind::Gguf)
        return true;
    const auto gguf = formats::Gguf::open(file);
    return gguf && formats::isControlVector(*gguf);
}

Result<PathInfo> infoOfFile(const std::string& path)
{
    const std::string file = fileOf(path);
    if (file != path)
        return infoOfDirections(path, "direction");
    if (isText(file)) {
        const std::filesystem::path name(file);
        const std::string extension = (name.extension() == ".gz" ? name.stem() : name).extension().string();
        return extension == ".json" ? infoOfJson(file) : infoOfTable(file);
    }
    std::error_code error;
    if (std::filesystem::is_directory(file, error))
        return infoOfTensors(file);
    LODESTONE_TRY(const FileKind kind, formats::fileKind(file));
    return kind == FileKind::Gguf ? infoOfDirections(file, "control vector") : infoOfTensors(file);
}

} // namespace lodestone::app
