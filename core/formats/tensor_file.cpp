#include "core/formats/tensor_file.h"

#include "core/formats/byte_reader.h"

#include <algorithm>
#include <limits>

namespace lodestone::formats {

std::uint64_t Tensor::items() const
{
    std::uint64_t product = 1;
    for (const std::uint64_t extent : shape)
        product *= extent;
    return product;
}

void Tensor::read(std::uint64_t first, std::uint64_t count, float* to) const
{
    const std::size_t size = elementBytes(type);
    if (strides.empty()) {
        formats::toFloat(type, bytes.data() + first * size, static_cast<std::size_t>(count), to);
        return;
    }
    std::vector<std::uint64_t> index(shape.size());
    std::uint64_t rest = first, offset = 0;
    for (std::size_t k = shape.size(); k-- > 0;) {
        index[k] = rest % std::max<std::uint64_t>(1, shape[k]);
        rest /= std::max<std::uint64_t>(1, shape[k]);
        offset += index[k] * strides[k];
    }
    for (std::uint64_t i = 0; i < count; ++i) {
        formats::toFloat(type, bytes.data() + offset * size, 1, to + i);
        for (std::size_t k = shape.size(); k-- > 0;) {
            offset += strides[k];
            if (++index[k] < shape[k])
                break;
            offset -= index[k] * strides[k];
            index[k] = 0;
        }
    }
}

std::vector<float> Tensor::toFloat() const
{
    std::vector<float> values(static_cast<std::size_t>(items()));
    read(0, values.size(), values.data());
    return values;
}

std::string Tensor::shapeText() const { return fmt::format("[{}]", fmt::join(shape, ", ")); }

std::string TensorFile::where(std::string_view name) const
{
    return fmt::format("{}, tensor '{}'", path.string(), shownName(name));
}

Result<const Tensor*> TensorFile::tensor(std::string_view name) const
{
    const auto found = tensors.find(name);
    if (found == tensors.end())
        return badInput(fmt::format("a tensor '{}'", shownName(name)), "none", path.string());
    return &found->second;
}

Result<const Tensor*> TensorFile::only() const
{
    if (tensors.size() != 1)
        return badInput("one tensor", fmt::format("{}", tensors.size()), path.string());
    return &tensors.begin()->second;
}

bool shapeFits(const std::vector<std::uint64_t>& shape, std::size_t elementBytes, std::uint64_t& items)
{
    const std::uint64_t limit
        = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) / elementBytes;
    std::uint64_t nonzero = 1; // the other dimensions must fit also where one is 0
    items = 1;
    for (const std::uint64_t extent : shape) {
        if (extent != 0 && nonzero > limit / extent)
            return false;
        nonzero *= std::max<std::uint64_t>(1, extent);
        items *= extent;
    }
    return true;
}

} // namespace lodestone::formats
