// safetensors: what is read is written and read again.
#include "core/formats/direction_file.h"
#include "core/formats/safetensors.h"
#include "tests/fuzz/fuzz_input.h"

using namespace lodestone;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const auto file = formats::readSafetensors(fuzz::inMemory(data, size));
    if (!file)
        return 0;
    fuzz::readAll(*file);
    std::uint64_t bytes = 0;
    for (const auto& [name, tensor] : file->tensors)
        bytes += tensor.bytes.size();
    fuzz::require(bytes <= size); // no byte belongs to two tensors
    for (const char* name : { "", "x", "x/0", "decoder/0", "encoder/1", "0/0" })
        if (const auto directions = formats::directionsOf(*file, name))
            for (const auto& direction : directions->directions)
                fuzz::require(direction.values.size() > 0 && direction.values.allFinite());
    return 0;
}
