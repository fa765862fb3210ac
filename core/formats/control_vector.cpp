#include "core/formats/control_vector.h"

#include "core/base/files.h"
#include "core/formats/byte_reader.h"

#include <charconv>

namespace lodestone::formats {
namespace {

constexpr std::string_view notePrefix = "lodestone.";
constexpr std::size_t tensorAlignment = 32;

template <typename Number>
std::string bytesOf(Number number)
{
    return { reinterpret_cast<const char*>(&number), sizeof(Number) };
}

std::string textOf(std::string_view text)
{
    return bytesOf(static_cast<std::uint64_t>(text.size())) + std::string(text);
}

std::string textKey(std::string_view key, std::string_view value)
{
    return textOf(key) + bytesOf(std::uint32_t(8)) + textOf(value);
}

void align(std::string& bytes)
{
    bytes.resize((bytes.size() + tensorAlignment - 1) / tensorAlignment * tensorAlignment, '\0');
}

} // namespace

Result<ControlVectorLayer> ControlVectorLayer::ofNumber(int number)
{
    if (number < 1 || number > 65535)
        return badInput(
            "a direction from 1 to 65535", std::to_string(number), "the layers of a control vector");
    return ControlVectorLayer(number);
}

Result<ControlVectorLayer> ControlVectorLayer::of(Layer layer)
{
    if (layer.block() < 1)
        return badInput(
            "the output of block 1 or later, where control vectors begin", layer.label(),
            "the layers of a control vector");
    return ofNumber(layer.block());
}

bool isControlVector(const Gguf& file)
{
    return file.text("general.architecture").value_or("") == "controlvector";
}

Result<ControlVector> readControlVector(const Gguf& file)
{
    const std::string name = file.path().string();
    if (!isControlVector(file))
        return badInput(
            "a GGUF file of architecture 'controlvector'",
            "'" + shownName(file.text("general.architecture").value_or("none")) + "'", name);
    ControlVector result;
    result.modelHint = file.text("controlvector.model_hint").value_or("");
    for (const auto& [key, value] : file.metadata())
        if (const auto* text = std::get_if<std::string>(&value); text && key.rfind(notePrefix, 0) == 0)
            result.notes.emplace(key.substr(notePrefix.size()), *text);
    for (const auto& [tensorName, tensor] : file.tensors()) {
        constexpr std::string_view prefix = "direction.";
        const std::string where = fmt::format("{}, tensor '{}'", name, shownName(tensorName));
        int number = 0;
        const std::string_view digits
            = tensorName.rfind(prefix, 0) == 0 ? std::string_view(tensorName).substr(prefix.size()) : "";
        const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
        if (digits.empty() || digits[0] < '1' || digits[0] > '9' || error != std::errc()
            || end != digits.data() + digits.size())
            return badInput("a tensor called direction.N with N from 1", "another name", where);
        LODESTONE_TRY(const ControlVectorLayer layer, ControlVectorLayer::ofNumber(number));
        if (tensor.shape.size() != 1 || tensor.type != QuantType::F32)
            return badInput(
                "one dimension of F32",
                fmt::format(
                    "[{}] of {}", fmt::join(tensor.shape, ", "),
                    quantBlock(static_cast<std::uint32_t>(tensor.type))->name),
                where);
        const std::vector<float> values = tensor.toFloat();
        const Eigen::VectorXf direction
            = Eigen::Map<const Eigen::VectorXf>(values.data(), static_cast<Eigen::Index>(values.size()));
        if (!direction.allFinite())
            return badInput("finite numbers", "NaN or infinity", where);
        if (!result.directions.empty() && result.directions.begin()->second.size() != direction.size())
            return badInput(
                fmt::format(
                    "{} numbers, as in the other directions", result.directions.begin()->second.size()),
                fmt::format("{}", direction.size()), where);
        result.directions.emplace(layer, direction);
    }
    if (result.directions.empty())
        return badInput("at least one direction.N", "none", name);
    return result;
}

Result<void> writeControlVector(const std::filesystem::path& path, const ControlVector& vector)
{
    if (vector.directions.empty())
        return badInput("at least one direction", "none", path.string());
    std::string keys = textKey("general.architecture", "controlvector");
    keys += textKey("controlvector.model_hint", vector.modelHint);
    keys += textOf("controlvector.layer_count") + bytesOf(std::uint32_t(5))
        + bytesOf(static_cast<std::int32_t>(vector.directions.size()));
    for (const auto& [key, value] : vector.notes)
        keys += textKey(std::string(notePrefix) + key, value);
    std::string tensors, data;
    for (const auto& [layer, direction] : vector.directions) {
        align(data);
        tensors += textOf(fmt::format("direction.{}", layer.number())) + bytesOf(std::uint32_t(1))
            + bytesOf(static_cast<std::uint64_t>(direction.size()))
            + bytesOf(static_cast<std::uint32_t>(QuantType::F32))
            + bytesOf(static_cast<std::uint64_t>(data.size()));
        data.append(
            reinterpret_cast<const char*>(direction.data()),
            static_cast<std::size_t>(direction.size()) * sizeof(float));
    }
    std::string file = "GGUF" + bytesOf(std::uint32_t(3))
        + bytesOf(static_cast<std::uint64_t>(vector.directions.size()))
        + bytesOf(static_cast<std::uint64_t>(3 + vector.notes.size())) + keys + tensors;
    align(file);
    align(data);
    return writeFileAtomically(path, file + data);
}

} // namespace lodestone::formats
