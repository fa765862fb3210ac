// GGUF: metadata, tensors of every type, and control vectors.
#include "core/formats/control_vector.h"
#include "tests/fuzz/fuzz_input.h"

using namespace lodestone;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const auto file = formats::Gguf::read(fuzz::inMemory(data, size));
    if (!file) {
        fuzz::require(!file.error().message().empty());
        return 0;
    }
    for (const auto& [name, tensor] : file->tensors())
        fuzz::require(tensor.toFloat().size() == tensor.items);
    if (const auto vector = formats::readControlVector(*file))
        fuzz::require(!vector->directions.empty());
    return 0;
}
